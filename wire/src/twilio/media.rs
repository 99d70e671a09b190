//! Media Streams messages (`protocols.md` §2.9): JSON text frames, numbers as strings.

pub use crate::base64::{decode, encode};
use crate::json::{self, Str};
use serde_json::Value;

/// The largest message taken from a socket, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024;

/// A message and the stream it belongs to.
#[derive(Debug, PartialEq)]
pub struct Frame<'a> {
    /// The stream; `connected` has none.
    pub stream_sid: Option<Str<'a>>,
    /// Its place among all messages of the stream; `connected` has none.
    pub sequence: Option<u64>,
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
    let wire = Wire::read(text).ok_or(MediaError::Malformed)?;
    let message = match &*wire.event {
        "connected" => Some(MediaMessage::Connected),
        "start" => text_in(wire.start, "callSid").map(|call_sid| MediaMessage::Start { call_sid }),
        "media" => wire
            .payload
            .filter(|payload| !payload.is_empty())
            .map(|payload| MediaMessage::Media {
                payload,
                timestamp_ms: wire.timestamp.and_then(|t| t.parse().ok()),
            }),
        "mark" => text_in(wire.mark, "name").map(|name| MediaMessage::Mark { name }),
        "dtmf" => text_in(wire.dtmf, "digit").map(|digit| MediaMessage::Dtmf { digit }),
        "stop" => Some(MediaMessage::Stop),
        _ => Some(MediaMessage::Other),
    };
    let message = message.ok_or(MediaError::Malformed)?;
    Ok(Frame {
        stream_sid: wire.stream_sid,
        sequence: wire.sequence.and_then(|number| number.parse().ok()),
        message,
    })
}

/// A text within what a message carries, other than audio.
fn text_in<'a>(carried: Option<Value>, key: &str) -> Option<Str<'a>> {
    match carried?.get_mut(key)?.take() {
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

#[derive(Default)]
struct Wire<'a> {
    event: Str<'a>,
    stream_sid: Option<Str<'a>>,
    sequence: Option<Str<'a>>,
    payload: Option<Str<'a>>,
    timestamp: Option<Str<'a>>,
    start: Option<Value>,
    mark: Option<Value>,
    dtmf: Option<Value>,
}

impl<'a> Wire<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let mut wire = Self::default();
        let mut event = None;
        json::message(
            text,
            "media",
            &mut |within, name, value| match (within, name) {
                ("", "event") => event = value.text(),
                ("", "streamSid") => wire.stream_sid = value.text(),
                ("", "sequenceNumber") => wire.sequence = value.text(),
                ("media", "payload") => wire.payload = value.text(),
                ("media", "timestamp") => wire.timestamp = value.text(),
                ("", "start") => wire.start = value.object(),
                ("", "mark") => wire.mark = value.object(),
                ("", "dtmf") => wire.dtmf = value.object(),
                _ => {}
            },
        )
        .ok()?;
        wire.event = event?;
        Some(wire)
    }
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
            let number = text.split_once(r#""sequenceNumber":""#);
            let number = number.and_then(|(_, rest)| rest.split('"').next()?.parse().ok());
            assert_eq!(frame.sequence, number, "{text}");
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

    proptest! {
        #[test]
        fn no_text_panics_the_parser(text in ".*") {
            let _ = parse(&text);
        }
    }
}
