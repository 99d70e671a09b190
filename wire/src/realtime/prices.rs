//! What a call costs, estimated from list prices (`protocols.md` §1.11, §2.10, `platform.md` §2.9).
//!
//! Money is counted in micro-dollars. The table is an estimate to watch spending by, not a bill;
//! the variable `PRICES` is merged over it.

mod given;

use super::usage::Usage;

/// An amount in millionths of a US dollar.
pub type MicroDollars = u64;

/// The price table.
#[derive(Clone, Debug, PartialEq)]
pub struct Prices {
    /// Given by `PRICES`; the rest is in `MODELS`, and so on.
    models: Vec<(String, ModelPrice)>,
    transcription: Vec<(String, TranscriptionPrice)>,
    twilio: TwilioPrice,
    cloudflare: CloudflarePrice,
}

/// US dollars per million tokens, which is micro-dollars per token.
#[derive(Clone, Copy, Debug, PartialEq)]
struct ModelPrice {
    text_in: f64,
    text_cached: f64,
    text_out: f64,
    audio_in: f64,
    audio_cached: f64,
    audio_out: f64,
}

/// US dollars per million tokens, or per minute.
#[derive(Clone, Copy, Debug, PartialEq)]
struct TranscriptionPrice {
    text_in: f64,
    text_out: f64,
    per_minute: f64,
}

/// US dollars per started minute.
#[derive(Clone, Copy, Debug, PartialEq)]
struct TwilioPrice {
    per_minute: f64,
    stream_per_minute: f64,
}

/// US dollars.
#[derive(Clone, Copy, Debug, PartialEq)]
struct CloudflarePrice {
    per_minute: f64,
    per_call: f64,
}

/// What one call costs, by who bills it, in micro-dollars.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cost {
    /// Realtime tokens and transcription; `None` if the model has no price.
    pub openai: Option<MicroDollars>,
    /// Call minutes and media stream minutes.
    pub twilio: MicroDollars,
    /// Durable Object time, requests and storage.
    pub cloudflare: MicroDollars,
}

impl Cost {
    /// All that is known of it.
    pub fn total(&self) -> MicroDollars {
        self.openai
            .unwrap_or(0)
            .saturating_add(self.twilio)
            .saturating_add(self.cloudflare)
    }
}

const MODELS: [(&str, ModelPrice); 6] = [
    ("gpt-realtime-2.1", LARGE),
    ("gpt-realtime-2", LARGE),
    ("gpt-realtime-2.1-mini", MINI),
    ("gpt-realtime-1.5", OLDER),
    ("gpt-realtime", OLDER),
    ("gpt-realtime-mini", MINI),
];

const LARGE: ModelPrice = ModelPrice {
    text_in: 4.0,
    text_cached: 0.4,
    text_out: 24.0,
    audio_in: 32.0,
    audio_cached: 0.4,
    audio_out: 64.0,
};

const OLDER: ModelPrice = ModelPrice {
    text_out: 16.0,
    ..LARGE
};

const MINI: ModelPrice = ModelPrice {
    text_in: 0.6,
    text_cached: 0.06,
    text_out: 2.4,
    audio_in: 10.0,
    audio_cached: 0.3,
    audio_out: 20.0,
};

const TRANSCRIPTION: [(&str, TranscriptionPrice); 6] = [
    ("gpt-4o-mini-transcribe", by_token(1.25, 5.0)),
    ("gpt-4o-transcribe", by_token(2.5, 10.0)),
    ("gpt-transcribe", by_time(0.0045)),
    ("whisper-1", by_time(0.006)),
    ("gpt-realtime-whisper", by_time(0.017)),
    ("gpt-live-transcribe", by_time(0.017)),
];

const fn by_token(text_in: f64, text_out: f64) -> TranscriptionPrice {
    TranscriptionPrice {
        text_in,
        text_out,
        per_minute: 0.0,
    }
}

const fn by_time(per_minute: f64) -> TranscriptionPrice {
    TranscriptionPrice {
        text_in: 0.0,
        text_out: 0.0,
        per_minute,
    }
}

impl Default for Prices {
    fn default() -> Self {
        Self {
            models: Vec::new(),
            transcription: Vec::new(),
            twilio: TwilioPrice {
                per_minute: 0.014,
                stream_per_minute: 0.0044,
            },
            cloudflare: CloudflarePrice {
                per_minute: 0.000_127_5,
                per_call: 0.000_05,
            },
        }
    }
}

impl Prices {
    /// Whether the table has a price for a transcription model.
    pub fn knows_transcription(&self, model: &str) -> bool {
        find(&self.transcription, &TRANSCRIPTION, model).is_some()
    }

    /// The estimate for one call. `connected_ms` is 0 for a call nobody answered.
    pub fn cost(
        &self,
        model: &str,
        transcription_model: &str,
        usage: &Usage,
        connected_ms: u64,
    ) -> Cost {
        // Twilio bills started minutes.
        let billed_minutes = amount(connected_ms.div_ceil(60_000));
        let minutes = amount(connected_ms) / 60_000.0;
        Cost {
            openai: find(&self.models, &MODELS, model).map(|price| {
                let transcription = find(&self.transcription, &TRANSCRIPTION, transcription_model);
                micro(price.tokens(usage) + transcription.map_or(0.0, |p| p.micro(usage)))
            }),
            twilio: micro(
                billed_minutes * (self.twilio.per_minute + self.twilio.stream_per_minute) * 1e6,
            ),
            cloudflare: micro(
                (self.cloudflare.per_call + minutes * self.cloudflare.per_minute) * 1e6,
            ),
        }
    }
}

/// The price of `name`: as given, otherwise of the table.
fn find<'a, P>(given: &'a [(String, P)], table: &'a [(&str, P)], name: &str) -> Option<&'a P> {
    let given = given.iter().find(|(given, _)| given == name);
    let listed = || table.iter().find(|(listed, _)| *listed == name);
    given
        .map(|(_, price)| price)
        .or_else(|| listed().map(|(_, price)| price))
}

impl ModelPrice {
    fn tokens(&self, usage: &Usage) -> f64 {
        amount(usage.input_text.saturating_sub(usage.cached_text)) * self.text_in
            + amount(usage.cached_text) * self.text_cached
            + amount(usage.input_audio.saturating_sub(usage.cached_audio)) * self.audio_in
            + amount(usage.cached_audio) * self.audio_cached
            + amount(usage.output_text) * self.text_out
            + amount(usage.output_audio) * self.audio_out
    }
}

impl TranscriptionPrice {
    fn micro(&self, usage: &Usage) -> f64 {
        amount(usage.transcription_input) * self.text_in
            + amount(usage.transcription_output) * self.text_out
            + amount(usage.transcription_ms) / 60_000.0 * self.per_minute * 1e6
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "tokens and milliseconds of one call are far below 2^52"
)]
fn amount(n: u64) -> f64 {
    n as f64
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, and maps NaN to 0"
)]
fn micro(value: f64) -> MicroDollars {
    value.round() as MicroDollars
}

#[cfg(test)]
mod tests {
    use super::*;

    const USAGE: Usage = Usage {
        input_text: 1000,
        input_audio: 500,
        cached_text: 400,
        cached_audio: 100,
        output_text: 50,
        output_audio: 300,
        transcription_input: 100,
        transcription_output: 20,
        transcription_ms: 0,
    };

    #[test]
    fn the_formula_of_the_reference_by_hand() {
        let cost =
            Prices::default().cost("gpt-realtime-2.1", "gpt-4o-mini-transcribe", &USAGE, 61_000);
        // 600·4 + 400·0.4 + 400·32 + 100·0.4 + 50·24 + 300·64 + 100·1.25 + 20·5
        assert_eq!(
            cost.openai,
            Some(2400 + 160 + 12_800 + 40 + 1200 + 19_200 + 125 + 100)
        );
        assert_eq!(cost.twilio, 36_800, "two started minutes");
        assert_eq!(cost.cloudflare, 180);
    }

    #[test]
    fn a_call_nobody_answered_costs_no_minutes_and_an_unknown_model_is_not_guessed() {
        let cost = Prices::default().cost("someone-elses-model", "", &Usage::default(), 0);
        assert_eq!((cost.openai, cost.twilio), (None, 0));
    }
}
