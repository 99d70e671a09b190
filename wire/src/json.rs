//! Reading JSON from outside: messages field by field, as they stand in the text, and objects checked
//! field by field so that every problem is reported with its JSON pointer.

mod message;
mod typed;

pub use message::{Field, message};
use serde::Serialize;
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::ops::{Deref, RangeInclusive};
pub use typed::{read, typed};

/// A string of a message, borrowed from it unless it has escapes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Str<'a>(pub Cow<'a, str>);

impl Deref for Str<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl<'a> From<&'a str> for Str<'a> {
    fn from(text: &'a str) -> Self {
        Self(Cow::Borrowed(text))
    }
}

/// The text of a value, by the serializer of all else: `Value::to_string` would bring two of its own.
pub fn text<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// A number as a person writes it. By the serializer of all else: the standard library's way is 6 kB.
pub fn number_text(number: f64) -> String {
    let text = text(&number);
    text.strip_suffix(".0").unwrap_or(&text).to_owned()
}

/// One thing that is wrong with a document; the sender's fault. Never quotes the value.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct FieldError {
    /// JSON pointer (RFC 6901) of the field; for the configuration the name of the variable.
    pub pointer: String,
    /// What is wrong and what would be right.
    pub detail: String,
}

impl FieldError {
    /// An error at a pointer.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// The fields of one JSON object while it is being checked. What was not asked for by the time of
/// [`Fields::finish`] is unknown, and refused.
pub struct Fields<'a> {
    pointer: String,
    map: &'a Map<String, Value>,
    known: Vec<&'static str>,
    errors: Vec<FieldError>,
}

impl<'a> Fields<'a> {
    /// Starts on an object; anything else is an error at `pointer`.
    pub fn of(value: &'a Value, pointer: impl Into<String>) -> Result<Self, Vec<FieldError>> {
        let pointer = pointer.into();
        match value {
            Value::Object(map) => Ok(Self {
                pointer,
                map,
                known: Vec::new(),
                errors: Vec::new(),
            }),
            _ => Err(vec![FieldError::new(pointer, "must be an object")]),
        }
    }

    /// The pointer of a field of this object.
    pub fn at(&self, key: &str) -> String {
        // The unknown keys reported by `finish` may hold the two characters RFC 6901 escapes.
        format!(
            "{}/{}",
            self.pointer,
            key.replace('~', "~0").replace('/', "~1")
        )
    }

    /// The raw value of a field; `null` counts as absent.
    pub fn value(&mut self, key: &'static str) -> Option<&'a Value> {
        self.known.push(key);
        self.map.get(key).filter(|v| !v.is_null())
    }

    /// Records a problem with a field.
    pub fn problem(&mut self, key: &str, detail: impl Into<String>) {
        self.errors.push(FieldError::new(self.at(key), detail));
    }

    /// Records problems found deeper inside.
    pub fn problems(&mut self, errors: Vec<FieldError>) {
        self.errors.extend(errors);
    }

    /// An optional string of 1 to `max` characters, trimmed, without control characters.
    pub fn optional_text(&mut self, key: &'static str, max: usize) -> Option<String> {
        let value = self.value(key)?;
        match value.as_str().map(str::trim) {
            Some(text)
                if (1..=max).contains(&text.chars().count())
                    && !text.chars().any(|c| c.is_control() && c != '\n') =>
            {
                Some(text.to_owned())
            }
            _ => {
                self.problem(key, format!("must be a text of 1 to {max} characters"));
                None
            }
        }
    }

    /// A required string; reported when it is missing.
    pub fn text(&mut self, key: &'static str, max: usize) -> Option<String> {
        self.required(key);
        self.optional_text(key, max)
    }

    /// An optional whole number within a range.
    pub fn optional_integer(
        &mut self,
        key: &'static str,
        range: RangeInclusive<u64>,
    ) -> Option<u64> {
        let value = self.value(key)?;
        let number = value.as_u64().filter(|n| range.contains(n));
        if number.is_none() {
            self.problem(
                key,
                format!(
                    "must be a whole number from {} to {}",
                    range.start(),
                    range.end()
                ),
            );
        }
        number
    }

    /// An optional number within a range.
    pub fn optional_number(
        &mut self,
        key: &'static str,
        range: RangeInclusive<f64>,
    ) -> Option<f64> {
        let value = self.value(key)?;
        let number = value.as_f64().filter(|n| range.contains(n));
        if number.is_none() {
            self.problem(
                key,
                format!(
                    "must be a number from {} to {}",
                    number_text(*range.start()),
                    number_text(*range.end())
                ),
            );
        }
        number
    }

    /// An optional word out of a list, as one of our types.
    pub fn optional_word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let value = self.value(key)?;
        let found = value
            .as_str()
            .and_then(|text| words.iter().find(|(word, _)| *word == text));
        if found.is_none() {
            let list: Vec<String> = words
                .iter()
                .map(|(word, _)| format!("\"{word}\""))
                .collect();
            self.problem(key, format!("must be one of {}", list.join(", ")));
        }
        found.map(|(_, word)| *word)
    }

    /// A required word out of a list.
    pub fn word<T: Copy>(&mut self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        self.required(key);
        self.optional_word(key, words)
    }

    /// An optional list of up to `max` entries, with the pointer of each.
    pub fn optional_list(
        &mut self,
        key: &'static str,
        max: usize,
    ) -> Option<Vec<(String, &'a Value)>> {
        let value = self.value(key)?;
        match value.as_array() {
            Some(list) if list.len() <= max => {
                let at = self.at(key);
                Some(
                    list.iter()
                        .enumerate()
                        .map(|(i, v)| (format!("{at}/{i}"), v))
                        .collect(),
                )
            }
            _ => {
                self.problem(key, format!("must be a list of at most {max} entries"));
                None
            }
        }
    }

    /// An optional list of texts.
    pub fn optional_texts(
        &mut self,
        key: &'static str,
        max: usize,
        max_chars: usize,
    ) -> Option<Vec<String>> {
        let list = self.optional_list(key, max)?;
        let mut texts = Vec::with_capacity(list.len());
        for (pointer, value) in list {
            match value
                .as_str()
                .map(str::trim)
                .filter(|t| (1..=max_chars).contains(&t.chars().count()))
            {
                Some(text) => texts.push(text.to_owned()),
                None => self.errors.push(FieldError::new(
                    pointer,
                    format!("must be a text of 1 to {max_chars} characters"),
                )),
            }
        }
        Some(texts)
    }

    /// All problems found, unknown fields included; none means the object is good.
    pub fn finish(mut self) -> Result<(), Vec<FieldError>> {
        let unknown: Vec<&String> = self
            .map
            .keys()
            .filter(|key| !self.known.contains(&key.as_str()))
            .take(10)
            .collect();
        for key in unknown {
            let shown: String = key.chars().take(40).collect();
            self.problem(&shown, "unknown field");
        }
        if self.errors.is_empty() {
            Ok(())
        } else {
            Err(self.errors)
        }
    }

    /// Reports a field that is not there.
    pub fn required(&mut self, key: &'static str) {
        if self.value(key).is_none() {
            self.problem(key, "is required");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn numbers_are_written_as_people_write_them() {
        for number in [0.0, 0.01, 0.1, 1.0, 10.5, 1000.0, 3650.0, 1e6] {
            assert_eq!(number_text(number), number.to_string());
        }
    }

    #[test]
    fn every_problem_is_reported_with_its_pointer() {
        let doc = json!({ "name": "", "count": 0, "kind": "x", "list": ["a", 3], "od/d": 1, "nothing": null });
        let mut fields = Fields::of(&doc, "/order").unwrap();
        assert_eq!(fields.text("name", 10), None);
        assert_eq!(fields.optional_integer("count", 1..=5), None);
        assert_eq!(fields.word("kind", &[("a", 1), ("b", 2)]), None);
        assert_eq!(fields.optional_texts("list", 5, 5), Some(vec!["a".into()]));
        assert_eq!(fields.text("missing", 5), None);
        assert_eq!(fields.optional_text("nothing", 5), None);
        let pointers: Vec<String> = fields
            .finish()
            .unwrap_err()
            .into_iter()
            .map(|e| e.pointer)
            .collect();
        assert_eq!(
            pointers,
            [
                "/order/name",
                "/order/count",
                "/order/kind",
                "/order/list/1",
                "/order/missing",
                "/order/od~1d"
            ]
        );
    }
}
