//! Tokens by class, summed over the responses of a call (`protocols.md` §1.7).

use serde::{Deserialize, Deserializer, Serialize};

/// Tokens by class. Usage is reported per response, not cumulatively; `cached` counts are part of
/// the input counts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Usage {
    /// Text tokens read, cached ones included.
    pub input_text: u64,
    /// Audio tokens read, cached ones included.
    pub input_audio: u64,
    /// Text tokens read from the cache.
    pub cached_text: u64,
    /// Audio tokens read from the cache.
    pub cached_audio: u64,
    /// Text tokens written.
    pub output_text: u64,
    /// Audio tokens written.
    pub output_audio: u64,
    /// Tokens read by the transcription model.
    pub transcription_input: u64,
    /// Tokens written by the transcription model.
    pub transcription_output: u64,
    /// Milliseconds of audio billed by time, for transcription models priced by the minute.
    pub transcription_ms: u64,
}

impl Usage {
    /// Adds the `usage` of one `response.done`; every part of it is optional.
    pub fn add_response(&mut self, usage: &ResponseUsage) {
        let input = &usage.input_token_details;
        let cached = input.cached_tokens_details;
        self.input_text = self.input_text.saturating_add(input.text_tokens);
        self.input_audio = self.input_audio.saturating_add(input.audio_tokens);
        // Without details, cached tokens are taken for text, the cheaper class to be wrong about.
        self.cached_text = self
            .cached_text
            .saturating_add(cached.map_or(input.cached_tokens, |c| c.text_tokens));
        self.cached_audio = self
            .cached_audio
            .saturating_add(cached.map_or(0, |c| c.audio_tokens));
        self.output_text = self
            .output_text
            .saturating_add(usage.output_token_details.text_tokens);
        self.output_audio = self
            .output_audio
            .saturating_add(usage.output_token_details.audio_tokens);
    }

    /// Adds the `usage` of one finished transcription.
    pub fn add_transcription(&mut self, usage: &TranscriptionUsage) {
        self.transcription_input = self.transcription_input.saturating_add(usage.input_tokens);
        self.transcription_output = self
            .transcription_output
            .saturating_add(usage.output_tokens);
        let ms = (usage.seconds.clamp(0.0, 86_400.0) * 1000.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to a day"
        )]
        let ms = ms as u64;
        self.transcription_ms = self.transcription_ms.saturating_add(ms);
    }
}

/// `usage` of a `response.done`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct ResponseUsage {
    #[serde(deserialize_with = "null_is_zero")]
    input_token_details: InputDetails,
    #[serde(deserialize_with = "null_is_zero")]
    output_token_details: OutputDetails,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct InputDetails {
    #[serde(deserialize_with = "null_is_zero")]
    text_tokens: u64,
    #[serde(deserialize_with = "null_is_zero")]
    audio_tokens: u64,
    #[serde(deserialize_with = "null_is_zero")]
    cached_tokens: u64,
    cached_tokens_details: Option<OutputDetails>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
struct OutputDetails {
    #[serde(deserialize_with = "null_is_zero")]
    text_tokens: u64,
    #[serde(deserialize_with = "null_is_zero")]
    audio_tokens: u64,
}

/// `usage` of a finished transcription: tokens or seconds, depending on the model.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
#[serde(default)]
pub struct TranscriptionUsage {
    input_tokens: u64,
    output_tokens: u64,
    seconds: f64,
}

fn null_is_zero<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_usage_and_an_empty_one_are_summed() {
        let full: ResponseUsage = serde_json::from_str(
            r#"{"total_tokens":253,"input_tokens":132,"output_tokens":121,
                "input_token_details":{"text_tokens":119,"audio_tokens":13,"image_tokens":0,"cached_tokens":64,"cached_tokens_details":{"text_tokens":60,"audio_tokens":4}},
                "output_token_details":{"text_tokens":30,"audio_tokens":91}}"#,
        ).unwrap();
        let bare: ResponseUsage = serde_json::from_str(r#"{"total_tokens":0,"input_token_details":null,"output_token_details":{"text_tokens":null}}"#).unwrap();
        let mut sum = Usage::default();
        sum.add_response(&full);
        sum.add_response(&full);
        sum.add_response(&bare);
        assert_eq!(
            sum,
            Usage {
                input_text: 238,
                input_audio: 26,
                cached_text: 120,
                cached_audio: 8,
                output_text: 60,
                output_audio: 182,
                ..Usage::default()
            }
        );
    }

    #[test]
    fn transcription_is_counted_in_tokens_or_in_time() {
        let mut sum = Usage::default();
        sum.add_transcription(
            &serde_json::from_str(r#"{"type":"tokens","input_tokens":11,"output_tokens":3}"#)
                .unwrap(),
        );
        sum.add_transcription(
            &serde_json::from_str(r#"{"type":"duration","seconds":1.2}"#).unwrap(),
        );
        assert_eq!(
            (
                sum.transcription_input,
                sum.transcription_output,
                sum.transcription_ms
            ),
            (11, 3, 1200)
        );
    }
}
