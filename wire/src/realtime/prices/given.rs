//! Prices given by the variable `PRICES`, merged over the table.

use super::{CloudflarePrice, ModelPrice, Prices, TranscriptionPrice, TwilioPrice};
use crate::json::{FieldError, Fields};
use serde_json::Value;

impl Prices {
    /// The default table with the JSON of the `PRICES` variable merged over it: every part is
    /// optional, each given part whole.
    ///
    /// # Errors
    /// What is wrong, with line and column or with the JSON pointer of the field.
    pub fn with_override(json: &str) -> Result<Self, String> {
        let given: Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
        Self::merged(&given).map_err(|errors| {
            let all = errors.iter().map(|e| format!("{} {}", e.pointer, e.detail));
            all.collect::<Vec<String>>().join("; ")
        })
    }

    fn merged(given: &Value) -> Result<Self, Vec<FieldError>> {
        let mut fields = Fields::of(given, "")?;
        let default = Self::default();
        let twilio = part(&mut fields, "twilio", TwilioPrice::read);
        let cloudflare = part(&mut fields, "cloudflare", CloudflarePrice::read);
        let prices = Self {
            models: named(&mut fields, "models", ModelPrice::read),
            transcription: named(&mut fields, "transcription", TranscriptionPrice::read),
            twilio: twilio.unwrap_or(default.twilio),
            cloudflare: cloudflare.unwrap_or(default.cloudflare),
        };
        fields.finish()?;
        Ok(prices)
    }
}

impl TwilioPrice {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            per_minute: dollars(fields, "perMinute"),
            stream_per_minute: dollars(fields, "streamPerMinute"),
        }
    }
}

impl CloudflarePrice {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            per_minute: dollars(fields, "perMinute"),
            per_call: dollars(fields, "perCall"),
        }
    }
}

impl ModelPrice {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            text_in: dollars(fields, "textIn"),
            text_cached: dollars(fields, "textCached"),
            text_out: dollars(fields, "textOut"),
            audio_in: dollars(fields, "audioIn"),
            audio_cached: dollars(fields, "audioCached"),
            audio_out: dollars(fields, "audioOut"),
        }
    }
}

impl TranscriptionPrice {
    fn read(fields: &mut Fields<'_>) -> Self {
        Self {
            text_in: optional_dollars(fields, "textIn"),
            text_out: optional_dollars(fields, "textOut"),
            per_minute: optional_dollars(fields, "perMinute"),
        }
    }
}

/// An optional part of the override.
fn part<P>(
    fields: &mut Fields<'_>,
    key: &'static str,
    read: fn(&mut Fields<'_>) -> P,
) -> Option<P> {
    let (value, pointer) = (fields.value(key)?, fields.at(key));
    price(value, pointer, read)
        .map_err(|errors| fields.problems(errors))
        .ok()
}

/// An optional part with a price for each name.
fn named<P>(
    fields: &mut Fields<'_>,
    key: &'static str,
    read: fn(&mut Fields<'_>) -> P,
) -> Vec<(String, P)> {
    let Some(given) = fields.value(key) else {
        return Vec::new();
    };
    let Value::Object(given) = given else {
        fields.problem(key, "must be an object");
        return Vec::new();
    };
    let at = fields.at(key);
    let mut prices = Vec::new();
    for (name, value) in given {
        match price(value, format!("{at}/{name}"), read) {
            Ok(price) => prices.push((name.clone(), price)),
            Err(errors) => fields.problems(errors),
        }
    }
    prices
}

fn price<P>(
    value: &Value,
    pointer: String,
    read: fn(&mut Fields<'_>) -> P,
) -> Result<P, Vec<FieldError>> {
    let mut fields = Fields::of(value, pointer)?;
    let price = read(&mut fields);
    fields.finish()?;
    Ok(price)
}

fn dollars(fields: &mut Fields<'_>, key: &'static str) -> f64 {
    fields.required(key);
    optional_dollars(fields, key)
}

fn optional_dollars(fields: &mut Fields<'_>, key: &'static str) -> f64 {
    fields
        .optional_number(key, 0.0..=1_000_000.0)
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::realtime::usage::Usage;

    #[test]
    fn the_override_is_merged_and_checked() {
        let prices =
            Prices::with_override(r#"{"twilio":{"perMinute":0.1,"streamPerMinute":0.0}}"#).unwrap();
        assert_eq!(
            prices
                .cost("gpt-realtime-2.1", "", &Usage::default(), 1)
                .twilio,
            100_000
        );
        let models = r#"{"models":{"new":{"textIn":1,"textCached":1,"textOut":1,"audioIn":1,"audioCached":1,"audioOut":2.5}},"transcription":{"words":{"perMinute":1}}}"#;
        let prices = Prices::with_override(models).unwrap();
        let usage = Usage {
            output_audio: 1_000,
            ..Usage::default()
        };
        assert_eq!(prices.cost("new", "", &usage, 0).openai, Some(2_500));
        assert!(prices.knows_transcription("words"));
        for (wrong, what) in [
            (r#"{"twillio":{}}"#, "/twillio unknown field"),
            ("4", " must be an object"),
            (r#"{"models":[]}"#, "/models must be an object"),
            (
                r#"{"cloudflare":{"perMinute":1}}"#,
                "/cloudflare/perCall is required",
            ),
            (
                r#"{"transcription":{"x":{"textIn":"1"}}}"#,
                "/transcription/x/textIn must be a number from 0 to 1000000",
            ),
            ("{", "EOF while parsing an object at line 1 column 1"),
        ] {
            assert_eq!(Prices::with_override(wrong), Err(what.to_owned()));
        }
    }
}
