//! Media Streams messages (`protocols.md` §2.9): JSON text frames, numbers as strings.

use crate::json::Str;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The largest message taken from a socket, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// A message and the stream it belongs to.
#[derive(Debug, PartialEq)]
pub struct Frame<'a> {
    /// The stream; `connected` has none.
    pub stream_sid: Option<Str<'a>>,
    /// What it says.
    pub message: MediaMessage<'a>,
}

/// A message from Twilio.
#[derive(Debug, PartialEq)]
pub enum MediaMessage<'a> {
    /// The first message; carries nothing we use.
    Connected,
    /// The stream is open.
    Start {
        /// The call the stream belongs to.
        call_sid: Str<'a>,
    },
    /// Audio from the phone.
    Media {
        /// Base64 of μ-law bytes; passed on as it is.
        payload: Str<'a>,
        /// When it begins, in ms since the start of the stream.
        timestamp_ms: Option<u64>,
    },
    /// Everything queued before the mark of this name has played, or was cleared.
    Mark {
        /// The name we gave it.
        name: Str<'a>,
    },
    /// A key was pressed on the phone.
    Dtmf {
        /// The key.
        digit: Str<'a>,
    },
    /// The stream ends because the call does.
    Stop,
    /// An event this code does not know.
    Other,
}

/// The message cannot be used; the sender's fault, and no reason to end a call.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum MediaError {
    /// Over [`MAX_MESSAGE_BYTES`].
    #[error("message too large")]
    TooLarge,
    /// Not JSON, or an event without its fields.
    #[error("malformed message")]
    Malformed,
}

/// Reads one message; the payload is borrowed.
pub fn parse(text: &str) -> Result<Frame<'_>, MediaError> {
    if text.len() > MAX_MESSAGE_BYTES {
        return Err(MediaError::TooLarge);
    }
    let wire: Wire<'_> = serde_json::from_str(text).map_err(|_| MediaError::Malformed)?;
    let message = match &*wire.event {
        "connected" => Some(MediaMessage::Connected),
        "start" => text_in(wire.start, "callSid").map(|call_sid| MediaMessage::Start { call_sid }),
        "media" => wire
            .media
            .filter(|m| !m.payload.is_empty())
            .map(|m| MediaMessage::Media {
                payload: m.payload,
                timestamp_ms: m.timestamp.and_then(|t| t.parse().ok()),
            }),
        "mark" => text_in(wire.mark, "name").map(|name| MediaMessage::Mark { name }),
        "dtmf" => text_in(wire.dtmf, "digit").map(|digit| MediaMessage::Dtmf { digit }),
        "stop" => Some(MediaMessage::Stop),
        _ => Some(MediaMessage::Other),
    };
    let message = message.ok_or(MediaError::Malformed)?;
    Ok(Frame {
        stream_sid: wire.stream_sid,
        message,
    })
}

/// A text within what a message carries, other than audio.
fn text_in<'a>(carried: Option<&RawValue>, key: &str) -> Option<Str<'a>> {
    let mut carried: Value = serde_json::from_str(carried?.get()).ok()?;
    match carried.get_mut(key)?.take() {
        Value::String(text) => Some(Str(text.into())),
        _ => None,
    }
}

/// Audio to the phone.
pub fn media(stream_sid: &str, payload: &str) -> String {
    // Both are plain ASCII without quotes: the SID is checked at `start`, the payload is base64.
    [
        "{\"event\":\"media\",\"streamSid\":\"",
        stream_sid,
        "\",\"media\":{\"payload\":\"",
        payload,
        "\"}}",
    ]
    .concat()
}

/// A request to be told when everything queued so far has played.
pub fn mark(stream_sid: &str, name: &str) -> String {
    [
        "{\"event\":\"mark\",\"streamSid\":\"",
        stream_sid,
        "\",\"mark\":{\"name\":\"",
        name,
        "\"}}",
    ]
    .concat()
}

/// Throws away everything queued.
pub fn clear(stream_sid: &str) -> String {
    ["{\"event\":\"clear\",\"streamSid\":\"", stream_sid, "\"}"].concat()
}

/// The bytes of a payload; `None` if it is not standard base64.
///
/// Written out for 50 frames a second: the crate's own takes half as long again in a build for size.
pub fn decode(payload: &str) -> Option<Vec<u8>> {
    let digits = payload.trim_end_matches('=').as_bytes();
    let padding = payload.len().saturating_sub(digits.len());
    if padding > 2 || !payload.len().is_multiple_of(4) {
        return None;
    }
    let (groups, left) = digits.as_chunks();
    let mut last = [b'A'; 4];
    for (to, digit) in last.iter_mut().zip(left) {
        *to = *digit;
    }
    let mut audio = vec![0; groups.len().saturating_add(1).saturating_mul(3)];
    let value = |digit: u8| VALUES.get(usize::from(digit)).copied().unwrap_or(NONE);
    let mut seen = 0;
    for ([x, y, z], group) in (audio.as_chunks_mut().0.iter_mut()).zip(groups.iter().chain([&last]))
    {
        let [a, b, c, d] = *group;
        let (a, b, c, d) = (value(a), value(b), value(c), value(d));
        seen |= a | b | c | d;
        (*x, *y, *z) = (a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d);
    }
    // What is left of the last digit says nothing.
    let len = digits.len().saturating_mul(3) / 4;
    let is_whole = audio.iter().skip(len).all(|byte| *byte == 0);
    audio.truncate(len);
    (is_whole && seen < 64).then_some(audio)
}

/// The value of a byte that is no digit.
const NONE: u8 = 0xFF;

/// The value of each byte as a digit of standard base64 (RFC 4648, section 4).
static VALUES: [u8; 256] = values();

#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler; the indices stay below 64 and 256"
)]
const fn values() -> [u8; 256] {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut values = [NONE; 256];
    let mut value = 0;
    while value < digits.len() {
        values[digits[value] as usize] = value as u8;
        value = value.saturating_add(1);
    }
    values
}

/// Base64 of these bytes.
pub fn encode(audio: &[u8]) -> String {
    STANDARD.encode(audio)
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    event: Str<'a>,
    #[serde(borrow, rename = "streamSid")]
    stream_sid: Option<Str<'a>>,
    #[serde(borrow)]
    media: Option<WireMedia<'a>>,
    #[serde(borrow)]
    start: Option<&'a RawValue>,
    #[serde(borrow)]
    mark: Option<&'a RawValue>,
    #[serde(borrow)]
    dtmf: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct WireMedia<'a> {
    #[serde(borrow)]
    payload: Str<'a>,
    #[serde(borrow)]
    timestamp: Option<Str<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_examples_of_the_protocol_are_read() {
        for (text, expected) in [
            (
                r#"{"event":"connected","protocol":"Call","version":"1.0.0"}"#,
                MediaMessage::Connected,
            ),
            (
                r#"{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC","streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}},"streamSid":"MZ1"}"#,
                MediaMessage::Start {
                    call_sid: "CA1".into(),
                },
            ),
            (
                r#"{"event":"media","sequenceNumber":"2","media":{"track":"inbound","chunk":"1","timestamp":"5","payload":"/////w=="},"streamSid":"MZ1"}"#,
                MediaMessage::Media {
                    payload: "/////w==".into(),
                    timestamp_ms: Some(5),
                },
            ),
            (
                r#"{"event":"dtmf","streamSid":"MZ1","sequenceNumber":"5","dtmf":{"track":"inbound_track","digit":"1"}}"#,
                MediaMessage::Dtmf { digit: "1".into() },
            ),
            (
                r#"{"event":"mark","sequenceNumber":"4","streamSid":"MZ1","mark":{"name":"my label"}}"#,
                MediaMessage::Mark {
                    name: "my label".into(),
                },
            ),
            (
                r#"{"event":"stop","sequenceNumber":"9","stop":{"accountSid":"AC","callSid":"CA"},"streamSid":"MZ1"}"#,
                MediaMessage::Stop,
            ),
            (r#"{"event":"novelty"}"#, MediaMessage::Other),
        ] {
            let frame = parse(text).unwrap();
            assert_eq!(frame.message, expected, "{text}");
            let expected_sid = text.contains("MZ1").then(|| "MZ1".into());
            assert_eq!(frame.stream_sid, expected_sid, "{text}");
        }
    }

    #[test]
    fn malformed_messages_are_refused() {
        for bad in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"event":"media"}"#,
            r#"{"event":"media","media":{}}"#,
            r#"{"event":"start","streamSid":"MZ1"}"#,
            r#"{"event":"media","media":{"payload":""}}"#,
            r#"{"event":1}"#,
        ] {
            assert_eq!(parse(bad), Err(MediaError::Malformed), "{bad}");
        }
        assert_eq!(
            parse(&" ".repeat(MAX_MESSAGE_BYTES + 1)),
            Err(MediaError::TooLarge)
        );
    }

    #[test]
    fn payloads_are_standard_base64_and_nothing_else() {
        for (payload, audio) in [
            ("", Some(vec![])),
            ("/////w==", Some(vec![0xFF; 4])),
            ("//8=", Some(vec![0xFF; 2])),
            ("a", None),
            ("a===", None),
            ("ab\"d", None),
            ("__8=", None),
        ] {
            assert_eq!(decode(payload), audio, "{payload}");
        }
        assert_eq!(encode(&[0xFF; 4]), "/////w==");
    }

    proptest! {
        #[test]
        fn no_text_panics_the_parser(text in ".*") {
            let _ = parse(&text);
            let _ = decode(&text);
        }

        #[test]
        fn payloads_are_what_the_crate_says(text in "[A-D+/=v]{0,12}|[ -~é]{0,8}", audio: Vec<u8>) {
            prop_assert_eq!(decode(&text), STANDARD.decode(&text).ok());
            prop_assert_eq!(decode(&encode(&audio)), Some(audio));
        }
    }
}
