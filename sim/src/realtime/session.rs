//! The session object: its defaults, and `session.update` checked key by key and merged
//! (`protocols.md` §1.3). An update with one bad key changes nothing.

use super::fields::{ApiError, Fields};
use super::settings::{
    check_input, check_max_output_tokens, check_reasoning, check_tool_choice, check_tools,
    check_truncation, format, modalities, voice,
};
use serde_json::{Value, json};

const KEYS: [&str; 14] = [
    "type",
    "model",
    "output_modalities",
    "instructions",
    "audio",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "reasoning",
    "max_output_tokens",
    "truncation",
    "tracing",
    "include",
    "prompt",
];

/// The effective session.
pub struct Session {
    value: Value,
    /// The agent has been heard: its voice cannot change any more.
    pub spoke: bool,
}

impl Session {
    /// A session as it is before the first update.
    pub fn new(id: &str, model: &str, expires_at: u64) -> Self {
        let value = json!({"type": "realtime", "object": "realtime.session", "id": id, "model": model,
            "output_modalities": ["audio"], "instructions": "You are a helpful, witty, and friendly AI.",
            "tools": [], "tool_choice": "auto", "max_output_tokens": "inf", "tracing": null,
            "truncation": "auto", "prompt": null, "expires_at": expires_at, "include": null,
            "audio": {
                "input": {"format": {"type": "audio/pcm", "rate": 24000}, "transcription": null,
                    "noise_reduction": null, "turn_detection": server_vad()},
                "output": {"format": {"type": "audio/pcm", "rate": 24000}, "voice": "marin", "speed": 1.0}}});
        Self {
            value,
            spoke: false,
        }
    }

    /// The whole session, as `session.created` and `session.updated` carry it.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// A value by JSON pointer; `Null` where there is none.
    pub fn at(&self, pointer: &str) -> &Value {
        self.value.pointer(pointer).unwrap_or(&Value::Null)
    }

    /// Both directions, or the given one, carry telephone audio.
    pub fn is_pcmu(&self, direction: &str) -> bool {
        self.at(&format!("/audio/{direction}/format/type")) == "audio/pcmu"
    }

    /// A tool with this name was declared.
    pub fn has_tool(&self, name: &str) -> bool {
        self.at("/tools")
            .as_array()
            .is_some_and(|tools| tools.iter().any(|t| t["name"] == name))
    }

    /// Applies the `session` of a `session.update`, wholly or not at all.
    pub fn update(&mut self, update: &Value) -> Result<(), ApiError> {
        let fields = Fields::new("session", update)?;
        self.check(&fields)?;
        for (key, value) in update.as_object().into_iter().flatten() {
            if key != "audio" {
                self.value[key] = value.clone();
                continue;
            }
            for direction in ["input", "output"] {
                for (key, value) in value[direction].as_object().into_iter().flatten() {
                    let slot = &mut self.value["audio"][direction][key];
                    *slot = if key == "turn_detection" {
                        with_defaults(value)
                    } else {
                        value.clone()
                    };
                }
            }
        }
        Ok(())
    }

    fn check(&self, s: &Fields<'_>) -> Result<(), ApiError> {
        s.only(&KEYS)?;
        let kind = s.one_of("type", &["realtime", "transcription"])?;
        if s.required("type", kind)? != "realtime" {
            return Err(ApiError::at(
                "invalid_value",
                "session.type",
                "Passing a transcription session update event to a realtime session is not allowed.",
            ));
        }
        if let Some(model) = s.string("model")?
            && self.value["model"] != model
        {
            return Err(ApiError::at(
                "invalid_value",
                "session.model",
                "The model of a session cannot be changed.",
            ));
        }
        s.string("instructions")?;
        modalities(s)?;
        if let Some(audio) = s.object("audio")? {
            audio.only(&["input", "output"])?;
            if let Some(input) = audio.object("input")? {
                check_input(&input)?;
            }
            if let Some(output) = audio.object("output")? {
                self.check_output(&output)?;
            }
        }
        check_tools(s)?;
        check_tool_choice(s)?;
        s.boolean("parallel_tool_calls")?;
        check_reasoning(s, self.value["model"].as_str().unwrap_or_default())?;
        check_max_output_tokens(s)?;
        check_truncation(s)?;
        if let Some(include) = s.get("include").filter(|i| !i.is_null())
            && include != &json!(["item.input_audio_transcription.logprobs"])
        {
            return Err(s.invalid("include", "['item.input_audio_transcription.logprobs']"));
        }
        if let Some(prompt) = s.object_or_null("prompt")? {
            prompt.only(&["id", "version", "variables"])?;
            prompt.required("id", prompt.string("id")?)?;
        }
        if s.get("tracing")
            .is_some_and(|t| !t.is_null() && t != "auto")
        {
            Fields::new(
                "session.tracing",
                &s.get("tracing").cloned().unwrap_or_default(),
            )?
            .only(&["workflow_name", "group_id", "metadata"])?;
        }
        Ok(())
    }

    fn check_output(&self, output: &Fields<'_>) -> Result<(), ApiError> {
        output.only(&["format", "voice", "speed"])?;
        format(output)?;
        output.number("speed", 0.25, 1.5)?;
        voice(output)?;
        if self.spoke
            && output
                .get("voice")
                .is_some_and(|v| v != self.at("/audio/output/voice"))
        {
            return Err(ApiError::at(
                "cannot_update_voice",
                "session.audio.output.voice",
                "Cannot update a conversation's voice if assistant audio is present.",
            ));
        }
        Ok(())
    }
}

// Real sessions show 200 ms where the documents say 500 (§1.3).
fn server_vad() -> Value {
    json!({"type": "server_vad", "threshold": 0.5, "prefix_padding_ms": 300, "silence_duration_ms": 200,
        "idle_timeout_ms": null, "create_response": true, "interrupt_response": true})
}

fn with_defaults(turn_detection: &Value) -> Value {
    let mut full = match turn_detection["type"].as_str() {
        Some("server_vad") => server_vad(),
        Some(_) => {
            json!({"type": "semantic_vad", "eagerness": "auto", "create_response": true, "interrupt_response": true})
        }
        None => return Value::Null,
    };
    for (key, value) in turn_detection.as_object().into_iter().flatten() {
        full[key] = value.clone();
    }
    full
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session() -> Session {
        Session::new("sess_1", "gpt-realtime-2.1", 0)
    }

    fn refused(update: Value) -> (&'static str, String) {
        let mut s = session();
        let before = s.value.clone();
        let e = s.update(&update).unwrap_err();
        assert_eq!(s.value, before, "a refused update changes nothing");
        (e.code, e.param.unwrap_or_default())
    }

    #[test]
    fn a_full_update_is_merged_and_echoed() {
        let mut s = session();
        s.update(&json!({"type": "realtime", "instructions": "Be brief.", "audio": {
            "input": {"format": {"type": "audio/pcmu"}, "transcription": {"model": "gpt-4o-mini-transcribe", "language": "en"},
                "turn_detection": {"type": "server_vad", "silence_duration_ms": 500, "create_response": false}},
            "output": {"format": {"type": "audio/pcmu"}, "voice": "cedar"}},
            "tools": [{"type": "function", "name": "end_call", "parameters": {"type": "object", "properties": {}}}]}))
        .unwrap();
        assert!(s.is_pcmu("input") && s.is_pcmu("output") && s.has_tool("end_call"));
        assert_eq!(s.at("/audio/output/speed"), 1.0);
        assert_eq!(s.at("/audio/input/turn_detection/silence_duration_ms"), 500);
        assert_eq!(s.at("/audio/input/turn_detection/interrupt_response"), true);
        s.update(&json!({"type": "realtime", "audio": {"input": {"turn_detection": null}}}))
            .unwrap();
        assert!(s.at("/audio/input/turn_detection").is_null() && s.is_pcmu("input"));
    }

    #[test]
    fn every_wrong_key_is_named() {
        for (update, code, param) in [
            (
                json!({"instructions": "x"}),
                "missing_required_parameter",
                "session.type",
            ),
            (
                json!({"type": "realtime", "modalities": ["audio"]}),
                "unknown_parameter",
                "session.modalities",
            ),
            (
                json!({"type": "realtime", "temperature": 0.8}),
                "unknown_parameter",
                "session.temperature",
            ),
            (
                json!({"type": "realtime", "voice": "marin"}),
                "unknown_parameter",
                "session.voice",
            ),
            (
                json!({"type": "realtime", "model": "gpt-realtime-1.5"}),
                "invalid_value",
                "session.model",
            ),
            (
                json!({"type": "realtime", "output_modalities": ["audio", "text"]}),
                "invalid_value",
                "session.output_modalities",
            ),
            (
                json!({"type": "realtime", "audio": {"input": {"format": "g711_ulaw"}}}),
                "invalid_type",
                "session.audio.input.format",
            ),
            (
                json!({"type": "realtime", "audio": {"input": {"format": {"type": "audio/pcmu", "rate": 8000}}}}),
                "unknown_parameter",
                "session.audio.input.format.rate",
            ),
            (
                json!({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "eagerness": "low"}}}}),
                "unknown_parameter",
                "session.audio.input.turn_detection.eagerness",
            ),
            (
                json!({"type": "realtime", "audio": {"input": {"turn_detection": {"type": "server_vad", "idle_timeout_ms": 3500}}}}),
                "integer_below_min_value",
                "session.audio.input.turn_detection.idle_timeout_ms",
            ),
            (
                json!({"type": "realtime", "audio": {"output": {"voice": "nova"}}}),
                "invalid_value",
                "session.audio.output.voice",
            ),
            (
                json!({"type": "realtime", "tools": [{"type": "function", "function": {"name": "x"}}]}),
                "unknown_parameter",
                "session.tools[0].function",
            ),
            (
                json!({"type": "realtime", "max_output_tokens": 9000}),
                "integer_above_max_value",
                "session.max_output_tokens",
            ),
        ] {
            assert_eq!(refused(update), (code, param.to_owned()));
        }
    }

    #[test]
    fn the_voice_stays_once_it_was_heard() {
        let mut s = session();
        s.spoke = true;
        let e = s
            .update(&json!({"type": "realtime", "audio": {"output": {"voice": "ash"}}}))
            .unwrap_err();
        assert_eq!(e.code, "cannot_update_voice");
        s.update(&json!({"type": "realtime", "audio": {"output": {"voice": "marin"}}}))
            .unwrap();
    }
}
