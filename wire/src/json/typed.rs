//! Our types out of JSON, where it needn't be fast: what is stored, and small answers.
//!
//! serde makes code for every pair of a type and a format. That of `serde_json` also reads each
//! struct from a list, and words what is wrong; this one does neither, at half the size in the
//! Worker. Where a person reads the error, or 50 messages come a second, it is `serde_json`'s.

use serde::de::value::{MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, Expected, IntoDeserializer,
    Unexpected, VariantAccess, Visitor,
};
use serde_json::{Map, Value};
use std::fmt;

/// Reads a document; `None` if it is not JSON, or not of the type's form.
pub fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    typed(&serde_json::from_str(text).ok()?)
}

/// A value as a type; `None` if it is not of its form.
pub fn typed<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(Typed(value)).ok()
}

/// The value is not of the type's form.
#[derive(Clone, Copy, Debug)]
struct Mismatch;

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unexpected form")
    }
}

impl std::error::Error for Mismatch {}

/// All of them, so that nothing is worded.
impl Error for Mismatch {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self
    }

    fn missing_field(_: &'static str) -> Self {
        Self
    }

    fn duplicate_field(_: &'static str) -> Self {
        Self
    }
}

/// A value that is being read.
#[derive(Clone, Copy)]
struct Typed<'a>(&'a Value);

impl<'a> Typed<'a> {
    fn number<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let Value::Number(number) = self.0 else {
            return Err(Mismatch);
        };
        match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(number), _, _) => visitor.visit_u64(number),
            (None, Some(number), _) => visitor.visit_i64(number),
            (None, None, Some(number)) => visitor.visit_f64(number),
            (None, None, None) => Err(Mismatch),
        }
    }

    fn text<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_borrowed_str(self.0.as_str().ok_or(Mismatch)?)
    }

    fn list<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let list = self.0.as_array().ok_or(Mismatch)?;
        let mut entries = SeqDeserializer::new(list.iter().map(Typed));
        let value = visitor.visit_seq(&mut entries)?;
        // A pair of three is none.
        entries.end()?;
        Ok(value)
    }

    fn object<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        let fields = self.0.as_object().ok_or(Mismatch)?.iter();
        visitor.visit_map(MapDeserializer::new(
            fields.map(|(k, v)| (k.as_str(), Typed(v))),
        ))
    }
}

impl<'a> IntoDeserializer<'a, Mismatch> for Typed<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Every type asks for what it is, and is offered nothing else.
macro_rules! ask {
    ($ask:ident: $($method:ident)*) => {
        $(fn $method<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            self.$ask(visitor)
        })*
    };
}

impl<'a> Deserializer<'a> for Typed<'a> {
    type Error = Mismatch;

    ask!(number: deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8
        deserialize_u16 deserialize_u32 deserialize_u64 deserialize_f32 deserialize_f64);
    ask!(text: deserialize_char deserialize_str deserialize_string deserialize_identifier
        deserialize_bytes deserialize_byte_buf);
    ask!(list: deserialize_seq);
    ask!(object: deserialize_map);

    fn deserialize_bool<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_bool(self.0.as_bool().ok_or(Mismatch)?)
    }

    fn deserialize_option<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_unit<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        self.0.as_null().ok_or(Mismatch)?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'a>>(
        self,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.list(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _len: usize,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.list(visitor)
    }

    fn deserialize_struct<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.object(visitor)
    }

    fn deserialize_enum<V: Visitor<'a>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_enum(self)
    }

    fn deserialize_ignored_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_unit()
    }

    fn deserialize_any<V: Visitor<'a>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(_) => self.number(visitor),
            Value::String(_) => self.text(visitor),
            Value::Array(_) => self.list(visitor),
            Value::Object(_) => self.object(visitor),
        }
    }
}

/// A variant: its name, or an object with its name and what it holds.
impl<'a> EnumAccess<'a> for Typed<'a> {
    type Error = Mismatch;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<(S::Value, Self), Mismatch> {
        let (name, content) = match self.0 {
            Value::String(name) => (name, &Value::Null),
            Value::Object(one) if one.len() == 1 => Map::iter(one).next().ok_or(Mismatch)?,
            _ => return Err(Mismatch),
        };
        let name: StrDeserializer<'_, Mismatch> = name.as_str().into_deserializer();
        Ok((seed.deserialize(name)?, Self(content)))
    }
}

impl<'a> VariantAccess<'a> for Typed<'a> {
    type Error = Mismatch;

    fn unit_variant(self) -> Result<(), Mismatch> {
        self.0.as_null().ok_or(Mismatch)
    }

    fn newtype_variant_seed<S: DeserializeSeed<'a>>(self, seed: S) -> Result<S::Value, Mismatch> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'a>>(self, _len: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.list(visitor)
    }

    fn struct_variant<V: Visitor<'a>>(
        self,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        self.object(visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        Plain,
        Held(u64),
        Named { of: String },
        Pair(i64, bool),
    }

    #[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
    struct Everything {
        kinds: Vec<Kind>,
        maybe: Option<String>,
        #[serde(default)]
        absent: u32,
        number: f64,
        pair: (u8, i32),
        map: BTreeMap<String, Value>,
    }

    fn kind() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Plain),
            any::<u64>().prop_map(Kind::Held),
            ".*".prop_map(|of| Kind::Named { of }),
            any::<(i64, bool)>().prop_map(|(a, b)| Kind::Pair(a, b)),
        ]
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(
            kinds in proptest::collection::vec(kind(), 0..4),
            maybe in proptest::option::of(".*"),
            absent: u32,
            quarters: i32,
            pair: (u8, i32),
            key in ".*",
            flag: bool,
        ) {
            let map = BTreeMap::from([(key, serde_json::json!([flag, null, { "a": -1 }]))]);
            let number = f64::from(quarters) / 4.0;
            let it = Everything { kinds, maybe, absent, number, pair, map };
            prop_assert_eq!(read(&serde_json::to_string(&it).unwrap()), Some(it));
        }

        #[test]
        fn it_agrees_with_serde_json_about_other_documents(text in r#"(\[|\{|\}|\]|,|:|"plain"|"held"|"named"|"of"|"pair"|1|-1|true|null){1,7}"#) {
            // Names twice are refused there and here the last counts; no such text is short enough.
            prop_assert_eq!(read::<Vec<Kind>>(&text), serde_json::from_str(&text).ok());
            prop_assert_eq!(read::<Kind>(&text), serde_json::from_str(&text).ok());
        }
    }

    #[test]
    fn another_form_is_nothing() {
        for text in ["", "{", "[]", "null", r#"{"kinds":[]}"#, r#"{"kinds":3}"#] {
            assert_eq!(read::<Everything>(text), None, "{text}");
        }
        let minimal = r#"{"kinds":["plain"],"number":1,"pair":[1,-2],"map":{},"more":[{}]}"#;
        assert_eq!(read::<Everything>(minimal).map(|it| it.number), Some(1.0));
        // A number beyond the type, too few, and too many.
        assert_eq!(read::<(u8,)>("[256]"), None);
        assert_eq!(read::<(u8, u8)>("[1]"), None);
        assert_eq!(read::<(u8, u8)>("[1,2,3]"), None);
    }
}
