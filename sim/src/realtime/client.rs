//! Client events: each parsed with exactly its fields (`protocols.md` §1.4, §1.5), anything else
//! refused.

use super::fields::{ApiError, Fields};
use super::settings::{
    check_max_output_tokens, check_reasoning, check_tool_choice, check_tools, format, modalities,
    voice,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

const MAX_AUDIO: usize = 15 * 1024 * 1024;

/// A sound client event.
#[derive(Debug, PartialEq)]
pub enum ClientEvent {
    /// The `session` object is checked when it is applied.
    SessionUpdate(Value),
    Append(Vec<u8>),
    Commit,
    Clear,
    ItemCreate {
        item: Value,
        previous: Option<String>,
    },
    Retrieve {
        item_id: String,
    },
    Truncate {
        item_id: String,
        audio_end_ms: u64,
    },
    Delete {
        item_id: String,
    },
    ResponseCreate(ResponseOptions),
    Cancel {
        response_id: Option<String>,
    },
}

/// What `response.create` overrides for one response.
#[derive(Debug, Default, PartialEq)]
pub struct ResponseOptions {
    pub instructions: Option<String>,
    /// The model may call tools.
    pub no_tools: bool,
    pub text_only: bool,
    pub metadata: Value,
}

/// Parses one event; `model` decides what a response may ask for.
pub fn parse(event: &Value, model: &str) -> Result<ClientEvent, ApiError> {
    let e = Fields::new("", event)?;
    let Some(kind) = e.get("type").and_then(Value::as_str) else {
        return Err(ApiError::at(
            "invalid_event",
            "type",
            "The event has no 'type'.",
        ));
    };
    if e.string("event_id")?
        .is_some_and(|id| id.chars().count() > 512)
    {
        return Err(ApiError::at(
            "string_above_max_length",
            "event_id",
            "Invalid 'event_id': string too long. Expected a string with maximum length 512.",
        ));
    }
    let only = |keys: &[&str]| e.only(&[&["type", "event_id"], keys].concat());
    let item_id = || {
        e.required("item_id", e.string("item_id")?)
            .map(str::to_owned)
    };
    Ok(match kind {
        "session.update" => {
            only(&["session"])?;
            e.required("session", e.object("session")?)?;
            ClientEvent::SessionUpdate(event["session"].clone())
        }
        "input_audio_buffer.append" => {
            only(&["audio"])?;
            let audio = e.required("audio", e.string("audio")?)?;
            let bytes = STANDARD.decode(audio).ok().filter(|b| b.len() <= MAX_AUDIO);
            let refuse = || {
                ApiError::at(
                    "invalid_value",
                    "audio",
                    "Invalid 'audio'. Expected base64-encoded audio bytes of at most 15 MiB.",
                )
            };
            ClientEvent::Append(bytes.ok_or_else(refuse)?)
        }
        "input_audio_buffer.commit" => only(&[]).map(|()| ClientEvent::Commit)?,
        "input_audio_buffer.clear" => only(&[]).map(|()| ClientEvent::Clear)?,
        "conversation.item.create" => {
            only(&["item", "previous_item_id"])?;
            let item = e.required("item", e.object("item")?)?;
            check_item(&item)?;
            let previous = if e.is_null("previous_item_id") {
                None
            } else {
                e.string("previous_item_id")?
            };
            ClientEvent::ItemCreate {
                item: event["item"].clone(),
                previous: previous.map(str::to_owned),
            }
        }
        "conversation.item.retrieve" => {
            only(&["item_id"])?;
            ClientEvent::Retrieve {
                item_id: item_id()?,
            }
        }
        "conversation.item.truncate" => {
            only(&["item_id", "content_index", "audio_end_ms"])?;
            e.required("content_index", e.integer("content_index", 0, 0)?)?;
            let end = e.required("audio_end_ms", e.integer("audio_end_ms", 0, i64::MAX)?)?;
            ClientEvent::Truncate {
                item_id: item_id()?,
                audio_end_ms: end.unsigned_abs(),
            }
        }
        "conversation.item.delete" => {
            only(&["item_id"])?;
            ClientEvent::Delete {
                item_id: item_id()?,
            }
        }
        "response.create" => {
            only(&["response"])?;
            let options = e
                .object_or_null("response")?
                .map(|r| response_options(&r, model))
                .transpose()?;
            ClientEvent::ResponseCreate(options.unwrap_or_default())
        }
        "response.cancel" => {
            only(&["response_id"])?;
            let id = if e.is_null("response_id") {
                None
            } else {
                e.string("response_id")?
            };
            ClientEvent::Cancel {
                response_id: id.map(str::to_owned),
            }
        }
        other => {
            return Err(ApiError::at(
                "invalid_event",
                "type",
                format!("Unknown or unsupported event type: '{other}'."),
            ));
        }
    })
}

fn response_options(r: &Fields<'_>, model: &str) -> Result<ResponseOptions, ApiError> {
    r.only(&[
        "instructions",
        "output_modalities",
        "audio",
        "tools",
        "tool_choice",
        "max_output_tokens",
        "metadata",
        "conversation",
        "input",
        "prompt",
        "reasoning",
        "parallel_tool_calls",
    ])?;
    modalities(r)?;
    if let Some(audio) = r.object("audio")? {
        audio.only(&["output"])?;
        if let Some(output) = audio.object("output")? {
            output.only(&["format", "voice"])?;
            format(&output)?;
            voice(&output)?;
        }
    }
    check_tools(r)?;
    check_tool_choice(r)?;
    check_max_output_tokens(r)?;
    check_reasoning(r, model)?;
    r.boolean("parallel_tool_calls")?;
    if let Some(metadata) = r.get("metadata").and_then(Value::as_object) {
        let fits = |k: &str, v: &Value| k.len() <= 64 && v.as_str().is_some_and(|v| v.len() <= 512);
        if metadata.len() > 16 || !metadata.iter().all(|(k, v)| fits(k, v)) {
            return Err(r.invalid(
                "metadata",
                "up to 16 pairs of strings, 64 and 512 characters long",
            ));
        }
    }
    if r.one_of("conversation", &["auto", "none"])? == Some("none") || r.get("input").is_some() {
        return Err(ApiError::new(
            "not_simulated",
            "The simulator has no responses outside the conversation.",
        ));
    }
    Ok(ResponseOptions {
        instructions: r.string("instructions")?.map(str::to_owned),
        no_tools: r.get("tool_choice").is_some_and(|c| c == "none")
            || r.array("tools")?.is_some_and(Vec::is_empty),
        text_only: r.get("output_modalities").is_some_and(|m| m[0] == "text"),
        metadata: r.get("metadata").cloned().unwrap_or_default(),
    })
}

/// What a client may put into the conversation (§1.4).
fn check_item(item: &Fields<'_>) -> Result<(), ApiError> {
    let kind = item.one_of(
        "type",
        &["message", "function_call", "function_call_output"],
    )?;
    let common = ["id", "object", "status", "type"];
    item.string("id")?;
    item.one_of("object", &["realtime.item"])?;
    item.one_of("status", &["completed", "incomplete", "in_progress"])?;
    match item.required("type", kind)? {
        "function_call" => {
            item.only(&[&common[..], &["name", "arguments", "call_id"]].concat())?;
            item.required("name", item.string("name")?)?;
            item.required("arguments", item.string("arguments")?)?;
            item.string("call_id").map(|_| ())
        }
        "function_call_output" => {
            item.only(&[&common[..], &["call_id", "output"]].concat())?;
            item.required("call_id", item.string("call_id")?)?;
            item.required("output", item.string("output")?).map(|_| ())
        }
        _ => {
            item.only(&[&common[..], &["role", "content"]].concat())?;
            let role = item.required(
                "role",
                item.one_of("role", &["system", "user", "assistant"])?,
            )?;
            let content = item.required("content", item.array("content")?)?;
            let part = |(n, part)| {
                check_part(
                    &Fields::new(format!("{}[{n}]", item.path("content")), part)?,
                    role,
                )
            };
            content.iter().enumerate().try_for_each(part)
        }
    }
}

fn check_part(part: &Fields<'_>, role: &str) -> Result<(), ApiError> {
    let allowed: &[&str] = match role {
        "system" => &["input_text"],
        "user" => &["input_text", "input_audio", "input_image"],
        // A client cannot create the assistant's audio.
        _ => &["output_text"],
    };
    let (keys, needed): (&[&str], &str) =
        match part.required("type", part.one_of("type", allowed)?)? {
            "input_audio" => (&["type", "audio", "transcript"], "audio"),
            "input_image" => (&["type", "image_url", "detail"], "image_url"),
            _ => (&["type", "text"], "text"),
        };
    part.only(keys)?;
    part.required(needed, part.string(needed)?).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn refused(event: Value) -> (&'static str, String) {
        let e = parse(&event, "gpt-realtime-2.1").unwrap_err();
        (e.code, e.param.unwrap_or_default())
    }

    #[test]
    fn the_documented_events_are_accepted() {
        for line in [
            r#"{"type":"session.update","event_id":"c1","session":{"type":"realtime","instructions":"Be brief."}}"#,
            r#"{"type":"input_audio_buffer.append","audio":"/////w=="}"#,
            r#"{"type":"input_audio_buffer.commit"}"#,
            r#"{"type":"input_audio_buffer.clear"}"#,
            r#"{"type":"conversation.item.create","event_id":"c2","previous_item_id":"root","item":{"id":"item_sys1","type":"message","role":"system","content":[{"type":"input_text","text":"The callee is called Ana."}]}}"#,
            r#"{"type":"conversation.item.create","item":{"type":"function_call_output","call_id":"call_1","output":"{\"ok\":true}"}}"#,
            r#"{"type":"conversation.item.retrieve","item_id":"item_A1"}"#,
            r#"{"type":"conversation.item.truncate","item_id":"item_A1","content_index":0,"audio_end_ms":640}"#,
            r#"{"type":"conversation.item.delete","item_id":"item_A1"}"#,
            r#"{"type":"response.create","event_id":"c3","response":{"instructions":"Say goodbye.","output_modalities":["audio"],"tool_choice":"none","metadata":{"why":"bye"}}}"#,
            r#"{"type":"response.create"}"#,
            r#"{"type":"response.cancel","event_id":"c4","response_id":"resp_1"}"#,
        ] {
            let event: Value = serde_json::from_str(line).unwrap();
            parse(&event, "gpt-realtime-2.1").unwrap_or_else(|e| panic!("{line}: {e:?}"));
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        for (event, code, param) in [
            (json!({}), "invalid_event", "type"),
            (json!({"type": "response.start"}), "invalid_event", "type"),
            (
                json!({"type": "output_audio_buffer.clear"}),
                "invalid_event",
                "type",
            ),
            (
                json!({"type": "response.cancel", "event_id": "x".repeat(513)}),
                "string_above_max_length",
                "event_id",
            ),
            (
                json!({"type": "input_audio_buffer.append"}),
                "missing_required_parameter",
                "audio",
            ),
            (
                json!({"type": "input_audio_buffer.append", "audio": "%"}),
                "invalid_value",
                "audio",
            ),
            (
                json!({"type": "input_audio_buffer.commit", "audio": ""}),
                "unknown_parameter",
                "audio",
            ),
            (
                json!({"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": -1}),
                "integer_below_min_value",
                "audio_end_ms",
            ),
            (
                json!({"type": "conversation.item.truncate", "item_id": "a", "content_index": 0, "audio_end_ms": 1.5}),
                "invalid_type",
                "audio_end_ms",
            ),
            (
                json!({"type": "conversation.item.truncate", "item_id": "a", "audio_end_ms": 1}),
                "missing_required_parameter",
                "content_index",
            ),
            (
                json!({"type": "response.create", "response": {"modalities": ["audio"]}}),
                "unknown_parameter",
                "response.modalities",
            ),
            (
                json!({"type": "response.create", "response": {"conversation": "start"}}),
                "invalid_value",
                "response.conversation",
            ),
            (
                json!({"type": "conversation.item.create", "item": {"type": "message", "role": "assistant", "content": [{"type": "output_audio", "audio": ""}]}}),
                "invalid_value",
                "item.content[0].type",
            ),
            (
                json!({"type": "conversation.item.create", "item": {"type": "message", "role": "user", "content": [{"type": "text", "text": "a"}]}}),
                "invalid_value",
                "item.content[0].type",
            ),
            (
                json!({"type": "conversation.item.create", "item": {"type": "function_call_output", "call_id": "c", "output": {}}}),
                "invalid_type",
                "item.output",
            ),
        ] {
            assert_eq!(refused(event.clone()), (code, param.to_owned()), "{event}");
        }
    }
}
