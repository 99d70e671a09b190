//! The fields of a message that is an object, in one scan: 50 messages come a second on either side.
//!
//! By `serde_json`, but not by types: what it makes for a type words what is wrong with a value, which in
//! the Worker is the standard library's way to write floats, and nobody reads it.

use super::Str;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use std::borrow::Cow;
use std::fmt;

/// The value of a field, as far as messages have any that matter.
#[derive(Debug, PartialEq)]
pub enum Field<'a> {
    /// A string.
    Text(Str<'a>),
    /// An object.
    Object(Value),
    /// Anything else.
    Other,
}

impl<'a> Field<'a> {
    /// A string.
    pub fn text(self) -> Option<Str<'a>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Object(_) | Self::Other => None,
        }
    }

    /// An object.
    pub fn object(self) -> Option<Value> {
        match self {
            Self::Object(object) => Some(object),
            Self::Text(_) | Self::Other => None,
        }
    }
}

/// Takes the object that a field is in, its name, and its value.
type Tell<'f, 'a> = dyn FnMut(&str, &str, Field<'a>) + 'f;

/// Tells of each field of a message: the object it is in, its name, and its value. The object is `""`
/// for the message itself, or `nested`, its field of that name, whose own fields are told in its place.
///
/// A field that is there twice is told of twice.
pub fn message<'a>(
    text: &'a str,
    nested: &'static str,
    tell: &mut Tell<'_, 'a>,
) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    let reader = Reader {
        within: "",
        nested,
        tell: Some(tell),
    };
    match json.deserialize_any(reader)? {
        Field::Object(_) => json.end(),
        Field::Text(_) | Field::Other => Err(Error::custom("no object")),
    }
}

/// Reads a value, or, with somebody to tell of them, its fields.
struct Reader<'t, 'f, 'a> {
    within: &'static str,
    nested: &'static str,
    tell: Option<&'t mut Tell<'f, 'a>>,
}

impl<'a> DeserializeSeed<'a> for Reader<'_, '_, 'a> {
    type Value = Field<'a>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Field<'a>, D::Error> {
        json.deserialize_any(self)
    }
}

/// Every form has its answer here, so that none is worded.
impl<'a> Visitor<'a> for Reader<'_, '_, 'a> {
    type Value = Field<'a>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut fields: A) -> Result<Field<'a>, A::Error> {
        let Some(tell) = self.tell else {
            return Value::deserialize(MapAccessDeserializer::new(fields)).map(Field::Object);
        };
        while let Some(name) = fields.next_key_seed(Name)? {
            let is_nested = !self.nested.is_empty() && name == self.nested;
            let value = fields.next_value_seed(Reader {
                within: self.nested,
                nested: "",
                tell: if is_nested { Some(&mut *tell) } else { None },
            })?;
            if !is_nested {
                tell(self.within, &name, value);
            }
        }
        Ok(Field::Object(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut entries: A) -> Result<Field<'a>, A::Error> {
        while entries.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Field::Other)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'a str) -> Result<Field<'a>, E> {
        Ok(Field::Text(text.into()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Field<'a>, E> {
        Ok(Field::Text(Str(text.to_owned().into())))
    }

    fn visit_unit<E: Error>(self) -> Result<Field<'a>, E> {
        Ok(Field::Other)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Field<'a>, E> {
        Ok(Field::Other)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Field<'a>, E> {
        Ok(Field::Other)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Field<'a>, E> {
        Ok(Field::Other)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Field<'a>, E> {
        Ok(Field::Other)
    }
}

/// A field's name.
struct Name;

impl<'a> DeserializeSeed<'a> for Name {
    type Value = Cow<'a, str>;

    fn deserialize<D: Deserializer<'a>>(self, json: D) -> Result<Self::Value, D::Error> {
        json.deserialize_identifier(self)
    }
}

impl<'a> Visitor<'a> for Name {
    type Value = Cow<'a, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'a str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Map, json};

    fn told(text: &str) -> Option<Vec<(String, String, String)>> {
        let mut told = Vec::new();
        let mut tell = |within: &str, name: &str, value: Field<'_>| {
            told.push((within.to_owned(), name.to_owned(), format!("{value:?}")));
        };
        message(text, "media", &mut tell).ok()?;
        Some(told)
    }

    #[test]
    fn each_field_is_told_with_its_object() {
        let text = r#" {"a":"\u00e9","media":{"a":[1, {}],"media":{"c":[2]}},"\u0062":1.50,"media":null} "#;
        let fields = [
            ("", "a", Field::Text("é".into())),
            ("media", "a", Field::Other),
            ("media", "media", Field::Object(json!({ "c": [2] }))),
            ("", "b", Field::Other),
        ];
        let shown = fields.map(|(within, name, value)| {
            let value = format!("{value:?}");
            (within.into(), name.into(), value)
        });
        assert_eq!(told(text), Some(shown.into()));
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for text in [
            "",
            "null",
            "true",
            "-1",
            "1",
            "1.5",
            r#""a""#,
            "[]",
            "{} {}",
            "{",
            r#"{"a":[}"#,
        ] {
            assert_eq!(told(text), None, "{text}");
        }
        for value in ["true", "-1", "1", "1.5", r#""a""#, "[1]", "null"] {
            let text = format!(r#"{{"media":{value}}}"#);
            assert_eq!(told(&text), Some(Vec::new()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_fields_are_those_that_serde_json_reads(
            text in r#"\{"a":("([a\u{e9}]|\\\\|\\"|\\n|\\u00e9|\\ud83d|\\ude00|\\x|\n){0,3}"|1|null|\{"b":[2,"\\n"]\})\}"#,
        ) {
            let mut read = None;
            let whole = message(&text, "", &mut |_, _, value| read = Some(value)).is_ok();
            let object: Option<Map<String, Value>> = serde_json::from_str(&text).ok();
            prop_assert_eq!(whole, object.is_some());
            let expected = object.map(|mut object| match object.remove("a") {
                Some(Value::String(text)) => Field::Text(Str(text.into())),
                Some(object @ Value::Object(_)) => Field::Object(object),
                _ => Field::Other,
            });
            prop_assert_eq!(read, expected);
        }
    }
}
