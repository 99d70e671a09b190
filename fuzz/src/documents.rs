//! What callers of the API, the operator, the model's tools and our own storage hand in.

use crate::{call, text};
use orderline::audio::wav::Wav;
use orderline::call::events::{self, outcome_digest};
use orderline::call::outcome;
use orderline::call::record::Record;
use orderline::call::request::CallRequest;
use orderline::config::Config;
use orderline::json::{self, FieldError};
use orderline::order::payment::has_card;
use orderline::order::state::OrderState;
use orderline::order::tools::Tool;
use orderline::realtime::usage::Usage;
use serde_json::Value;

/// What a caller asks for: an order that was taken is kept and read back the same.
pub fn order(data: &[u8]) {
    match CallRequest::parse(data) {
        Ok(request) => {
            let kept = serde_json::to_string(&request).unwrap();
            let again: CallRequest = json::read(&kept).expect("what was kept can be read");
            assert_eq!(serde_json::to_string(&again).unwrap(), kept);
            assert_eq!(again.order_digest(), request.order_digest());
            assert!(!has_card(request.order_hint.as_deref().unwrap_or_default()));
        }
        Err(errors) => explained(&errors),
    }
}

/// What the model hands a tool: its name, a line feed and its arguments.
pub fn tool(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let (name, arguments) = text.split_once('\n').unwrap_or((text, "{}"));
    if let Err(errors) = Tool::parse(name, arguments) {
        explained(&errors);
    }
}

fn explained(errors: &[FieldError]) {
    assert!(!errors.is_empty());
    for error in errors {
        assert!(
            error.pointer.is_empty() || error.pointer.starts_with('/'),
            "{error:?}"
        );
        assert!(!error.detail.is_empty());
    }
}

/// A snapshot: the call goes on from it, and comes to an end.
pub fn snapshot(data: &[u8]) {
    let Some(text) = text(data) else { return };
    if let Some(record) = Record::parse(text) {
        call::from_snapshot(record);
    }
}

/// Our reader takes no more than `serde_json`'s, and reads the same.
pub fn json(data: &[u8]) {
    let Some(text) = text(data) else { return };
    same::<OrderState>(text);
    same::<Usage>(text);
    same::<Vec<Option<(i8, u64, f64, char, String, ())>>>(text);
    same::<Record>(text);
}

fn same<T: serde::de::DeserializeOwned + serde::Serialize>(text: &str) {
    let Some(ours) = json::read::<T>(text) else {
        return;
    };
    // Of a name that comes twice, the last counts: as in a `Value`.
    let value: Value = serde_json::from_str(text).expect("JSON");
    let theirs: T = serde_json::from_value(value).expect("serde_json reads it, too");
    let [ours, theirs] = [ours, theirs].map(|value| serde_json::to_string(&value).unwrap());
    assert_eq!(ours, theirs);
}

/// The events of a call, as someone may bring them to be checked.
pub fn events(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let lines = text.lines().map(serde_json::from_str);
    let Ok(events) = lines.collect::<Result<Vec<Value>, _>>() else {
        return;
    };
    match events::replay(&events) {
        Ok(record) => {
            let _ = (outcome::status(&record), outcome::evidence_json(&record));
        }
        Err(fault) => assert!(fault.at <= events.len()),
    }
    let digest = events.first().map(outcome_digest).unwrap_or_default();
    assert!(digest.is_empty() || digest.len() == 64);
}

/// A WAV file: what is read is written and read again the same, and is not longer than the file.
pub fn wav(data: &[u8]) {
    let Ok(wav) = Wav::parse(data) else { return };
    assert!(wav.samples.len() <= data.len());
    if wav.samples.len().is_multiple_of(usize::from(wav.channels)) {
        assert_eq!(Wav::parse(&wav.to_bytes()).as_ref(), Ok(&wav));
    }
    let frames = wav.samples.len() / usize::from(wav.channels);
    let longest = frames as u64 * 8_000 / u64::from(wav.rate) + 1;
    assert!(wav.to_ulaw().len() as u64 <= longest);
}

/// Variables: one a line, with its name. Everything that is wrong is told by its name, and no secret
/// is shown.
pub fn config(data: &[u8]) {
    let Some(text) = text(data) else { return };
    let base = "API_TOKEN=t\nOPENAI_API_KEY=k\nTWILIO_ACCOUNT_SID=AC00000000000000000000000000000001\n\
                TWILIO_AUTH_TOKEN=a\nTWILIO_FROM_NUMBER=+13105550100\nPUBLIC_BASE_URL=https://h\n";
    let lookup = |name: &str| {
        let mut set = text.lines().chain(base.lines());
        set.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
            .map(str::to_owned)
    };
    match Config::read(lookup) {
        Ok(config) => {
            assert!(!config.api_tokens.is_empty() && !config.twilio_auth_tokens.is_empty());
            for url in [
                &config.openai_base_url,
                &config.twilio_base_url,
                &config.public_base_url,
            ] {
                assert!(url.starts_with("http") && !url.ends_with('/'), "{url:?}");
            }
        }
        Err(errors) => {
            let is_set = |name: &str| {
                text.lines()
                    .any(|line| line.starts_with(&format!("{name}=")))
            };
            for error in errors {
                // What is missing is missing because of the other.
                let name = match error.name {
                    "OUTCOME_WEBHOOK_SECRET" if !is_set(error.name) => "OUTCOME_WEBHOOK_URL",
                    name => name,
                };
                assert!(is_set(name), "{error}");
            }
        }
    }
}
