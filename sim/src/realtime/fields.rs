//! Strict reading of JSON objects: every key is known, of the right type and in range, or the
//! error says which one is not, in the words of the real API (`protocols.md` §1.9).

use serde_json::{Map, Value, json};

/// Why a client event was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: &'static str,
    pub message: String,
    /// Path of the field at fault.
    pub param: Option<String>,
}

impl ApiError {
    /// An error that is not about one field.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            param: None,
        }
    }

    /// An error about the field at this path.
    pub fn at(code: &'static str, param: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            param: Some(param.into()),
        }
    }

    /// The `error` event, without its `event_id`.
    pub fn event(&self, client_event_id: Option<&str>) -> Value {
        json!({"type": "error", "error": {"type": "invalid_request_error", "code": self.code,
            "message": self.message, "param": self.param, "event_id": client_event_id}})
    }
}

/// One JSON object and where it stands in the event.
pub struct Fields<'a> {
    path: String,
    map: &'a Map<String, Value>,
}

impl<'a> Fields<'a> {
    /// The object at this path; `""` is the event itself.
    pub fn new(path: impl Into<String>, value: &'a Value) -> Result<Self, ApiError> {
        let path = path.into();
        match value.as_object() {
            Some(map) => Ok(Self { path, map }),
            None => Err(wrong_type(&path, "an object", value)),
        }
    }

    /// The path of a field.
    pub fn path(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Refuses every key that is not listed.
    pub fn only(&self, keys: &[&str]) -> Result<(), ApiError> {
        match self.map.keys().find(|k| !keys.contains(&k.as_str())) {
            None => Ok(()),
            Some(key) => {
                let path = self.path(key);
                Err(ApiError::at(
                    "unknown_parameter",
                    &path,
                    format!("Unknown parameter: '{path}'."),
                ))
            }
        }
    }

    /// The value as it is.
    pub fn get(&self, key: &str) -> Option<&'a Value> {
        self.map.get(key)
    }

    /// The value is there and `null`.
    pub fn is_null(&self, key: &str) -> bool {
        self.get(key).is_some_and(Value::is_null)
    }

    /// What was read must be there.
    pub fn required<T>(&self, key: &str, value: Option<T>) -> Result<T, ApiError> {
        let path = self.path(key);
        let missing = || format!("Missing required parameter: '{path}'.");
        value.ok_or_else(|| ApiError::at("missing_required_parameter", &path, missing()))
    }

    /// A string.
    pub fn string(&self, key: &str) -> Result<Option<&'a str>, ApiError> {
        self.typed(key, "a string", Value::as_str)
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, ApiError> {
        self.typed(key, "a boolean", Value::as_bool)
    }

    /// An array.
    pub fn array(&self, key: &str) -> Result<Option<&'a Vec<Value>>, ApiError> {
        self.typed(key, "an array", Value::as_array)
    }

    /// An object.
    pub fn object(&self, key: &str) -> Result<Option<Fields<'a>>, ApiError> {
        self.get(key)
            .map(|v| Fields::new(self.path(key), v))
            .transpose()
    }

    /// An object, or `null`, which is `None` like absence.
    pub fn object_or_null(&self, key: &str) -> Result<Option<Fields<'a>>, ApiError> {
        if self.is_null(key) {
            Ok(None)
        } else {
            self.object(key)
        }
    }

    /// A whole number within the limits.
    pub fn integer(&self, key: &str, min: i64, max: i64) -> Result<Option<i64>, ApiError> {
        let Some(n) = self.typed(key, "an integer", Value::as_i64)? else {
            return Ok(None);
        };
        let path = self.path(key);
        if n < min {
            let text = format!(
                "Invalid '{path}': integer below minimum value. Expected a value >= {min}, but got {n} instead."
            );
            return Err(ApiError::at("integer_below_min_value", path, text));
        }
        if n > max {
            let text = format!(
                "Invalid '{path}': integer above maximum value. Expected a value <= {max}, but got {n} instead."
            );
            return Err(ApiError::at("integer_above_max_value", path, text));
        }
        Ok(Some(n))
    }

    /// A number within the limits.
    pub fn number(&self, key: &str, min: f64, max: f64) -> Result<Option<f64>, ApiError> {
        match self.typed(key, "a decimal", Value::as_f64)? {
            Some(n) if !(min..=max).contains(&n) => {
                Err(self.invalid(key, &format!("a value from {min} to {max}")))
            }
            n => Ok(n),
        }
    }

    /// One of these strings.
    pub fn one_of(&self, key: &str, values: &[&str]) -> Result<Option<&'a str>, ApiError> {
        match self.string(key)? {
            Some(s) if !values.contains(&s) => {
                let quoted: Vec<_> = values.iter().map(|v| format!("'{v}'")).collect();
                Err(self.invalid(key, &quoted.join(", ")))
            }
            s => Ok(s),
        }
    }

    /// The error for a value that cannot be.
    pub fn invalid(&self, key: &str, supported: &str) -> ApiError {
        let path = self.path(key);
        let value = self.get(key).map(ToString::to_string).unwrap_or_default();
        let text =
            format!("Invalid value for '{path}': {value}. Supported values are: {supported}.");
        ApiError::at("invalid_value", path, text)
    }

    fn typed<T>(
        &self,
        key: &str,
        what: &str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        read(value)
            .map(Some)
            .ok_or_else(|| wrong_type(&self.path(key), what, value))
    }
}

fn wrong_type(path: &str, wanted: &str, value: &Value) -> ApiError {
    let got = match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(n) if n.is_f64() => "a decimal",
        Value::Number(_) => "an integer",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    let text = format!("Invalid type for '{path}': expected {wanted}, but got {got} instead.");
    ApiError::at("invalid_type", path, text)
}
