//! Frames of the media-stream socket, both ways (`protocols.md` §2.9). What the bridge sends is
//! read as strictly as Twilio does; the numbers Twilio sends are strings.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Stream time of the first media frame; real ones do not begin at 0 either.
const FIRST_TIMESTAMP_MS: u64 = 5;

/// Writes the frames of one stream.
pub struct Frames {
    pub account_sid: String,
    pub call_sid: String,
    pub stream_sid: String,
    sequence: u64,
    chunk: u64,
    media_ms: u64,
}

impl Frames {
    /// A stream that has sent nothing.
    pub fn new(account_sid: &str, call_sid: &str, stream_sid: &str) -> Self {
        Self {
            account_sid: account_sid.into(),
            call_sid: call_sid.into(),
            stream_sid: stream_sid.into(),
            sequence: 0,
            chunk: 0,
            media_ms: FIRST_TIMESTAMP_MS,
        }
    }

    /// The very first frame; it has neither stream nor sequence number.
    pub fn connected() -> String {
        json!({"event": "connected", "protocol": "Call", "version": "1.0.0"}).to_string()
    }

    /// What the stream is.
    pub fn start(&mut self, parameters: &BTreeMap<String, String>) -> String {
        let start = json!({
            "accountSid": self.account_sid, "streamSid": self.stream_sid, "callSid": self.call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        });
        self.frame("start", start)
    }

    /// Audio from the phone.
    pub fn media(&mut self, audio: &[u8]) -> String {
        self.chunk += 1;
        let media = json!({
            "track": "inbound", "chunk": self.chunk.to_string(),
            "timestamp": self.media_ms.to_string(), "payload": STANDARD.encode(audio),
        });
        self.media_ms += audio.len() as u64 / 8;
        self.frame("media", media)
    }

    /// The echo of a mark.
    pub fn mark(&mut self, name: &str) -> String {
        self.frame("mark", json!({"name": name}))
    }

    /// A key pressed on the phone.
    pub fn dtmf(&mut self, digit: &str) -> String {
        self.frame("dtmf", json!({"track": "inbound_track", "digit": digit}))
    }

    /// The last frame.
    pub fn stop(&mut self) -> String {
        let stop = json!({"accountSid": self.account_sid, "callSid": self.call_sid});
        self.frame("stop", stop)
    }

    fn frame(&mut self, event: &str, body: Value) -> String {
        self.sequence += 1;
        json!({
            "event": event, "sequenceNumber": self.sequence.to_string(),
            "streamSid": self.stream_sid, event: body,
        })
        .to_string()
    }
}

/// What the bridge may send.
#[derive(Debug, PartialEq)]
pub enum FromBridge {
    /// Audio to play.
    Media(Vec<u8>),
    /// Tell me when everything before this has been played.
    Mark(String),
    /// Throw away what has not been played.
    Clear,
}

/// Reads one text frame; the error is what Twilio's debugger would say.
pub fn read(text: &str, stream_sid: &str) -> Result<FromBridge, String> {
    let bad = |why: String| Err(format!("31951 invalid message: {why}"));
    let Ok(Value::Object(frame)) = serde_json::from_str(text) else {
        return bad("not a JSON object".into());
    };
    let Some(event) = frame.get("event").and_then(Value::as_str) else {
        return bad("no `event`".into());
    };
    let expected: &[&str] = match event {
        "media" | "mark" => &["event", "streamSid", event],
        "clear" => &["event", "streamSid"],
        other => return bad(format!("unknown event `{other}`")),
    };
    if let Err(why) = exactly(&frame, expected) {
        return bad(format!("{event}: {why}"));
    }
    if frame.get("streamSid").and_then(Value::as_str) != Some(stream_sid) {
        return bad(format!("{event}: wrong streamSid"));
    }
    if event == "clear" {
        return Ok(FromBridge::Clear);
    }
    let field = if event == "media" { "payload" } else { "name" };
    let Some(Value::Object(body)) = frame.get(event) else {
        return bad(format!("`{event}` is no object"));
    };
    if let Err(why) = exactly(body, &[field]) {
        return bad(format!("{event}: {why}"));
    }
    match body.get(field).and_then(Value::as_str) {
        None | Some("") => bad(format!("{event}: `{field}` is no text or empty")),
        Some(name) if event == "mark" => Ok(FromBridge::Mark(name.into())),
        Some(payload) => match STANDARD.decode(payload) {
            Ok(audio) => Ok(FromBridge::Media(audio)),
            Err(error) => bad(format!("media: payload is not base64: {error}")),
        },
    }
}

fn exactly(object: &Map<String, Value>, keys: &[&str]) -> Result<(), String> {
    if let Some(missing) = keys.iter().find(|key| !object.contains_key(**key)) {
        return Err(format!("`{missing}` is missing"));
    }
    match object.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(extra) => Err(format!("unknown field `{extra}`")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_messages_are_read() {
        let read = |text| read(text, "MZ1").unwrap();
        assert_eq!(
            read(r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/////w=="}}"#),
            FromBridge::Media(vec![0xFF; 4])
        );
        assert_eq!(
            read(r#"{"event":"mark","streamSid":"MZ1","mark":{"name":"item_A:1480"}}"#),
            FromBridge::Mark("item_A:1480".into())
        );
        assert_eq!(
            read(r#"{"event":"clear","streamSid":"MZ1"}"#),
            FromBridge::Clear
        );
    }

    #[test]
    fn every_other_message_is_refused_with_the_reason() {
        for (text, why) in [
            ("hello", "not a JSON object"),
            ("[]", "not a JSON object"),
            (r#"{"streamSid":"MZ1"}"#, "no `event`"),
            (
                r#"{"event":"stop","streamSid":"MZ1"}"#,
                "unknown event `stop`",
            ),
            (r#"{"event":"clear"}"#, "`streamSid` is missing"),
            (r#"{"event":"clear","streamSid":"MZ2"}"#, "wrong streamSid"),
            (
                r#"{"event":"clear","streamSid":"MZ1","extra":1}"#,
                "unknown field `extra`",
            ),
            (r#"{"event":"mark","streamSid":"MZ1"}"#, "`mark` is missing"),
            (
                r#"{"event":"mark","streamSid":"MZ1","mark":{}}"#,
                "`name` is missing",
            ),
            (
                r#"{"event":"mark","streamSid":"MZ1","mark":{"name":""}}"#,
                "empty",
            ),
            (
                r#"{"event":"mark","streamSid":"MZ1","mark":"a"}"#,
                "`mark` is no object",
            ),
            (
                r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/////w"}}"#,
                "not base64",
            ),
            (
                r#"{"event":"media","streamSid":"MZ1","media":{"payload":"/////w==","track":"x"}}"#,
                "unknown field `track`",
            ),
        ] {
            let error = read(text, "MZ1").unwrap_err();
            assert!(
                error.starts_with("31951") && error.contains(why),
                "{text}: {error}"
            );
        }
    }

    #[test]
    fn numbers_are_strings_and_count_from_one() {
        let mut frames = Frames::new("AC1", "CA1", "MZ1");
        let parse = |text: String| serde_json::from_str::<Value>(&text).unwrap();
        let start = parse(frames.start(&BTreeMap::from([("callId".into(), "c_123".into())])));
        assert_eq!(start["sequenceNumber"], "1");
        assert_eq!(start["start"]["mediaFormat"]["sampleRate"], 8000);
        assert_eq!(start["start"]["customParameters"]["callId"], "c_123");
        parse(frames.media(&[0xFF; 160]));
        let media = parse(frames.media(&[0xFF; 160]));
        assert_eq!(media["sequenceNumber"], "3");
        assert_eq!(media["media"]["chunk"], "2");
        assert_eq!(media["media"]["timestamp"], "25");
        assert_eq!(parse(frames.dtmf("1"))["dtmf"]["track"], "inbound_track");
        assert_eq!(parse(frames.stop())["sequenceNumber"], "5");
    }
}
