//! Client events we send (`protocols.md` §1.5). What changes the conversation carries an
//! `event_id`, so that an `error` can be told apart.

use crate::json;
use serde_json::json;

/// Audio from the phone; the base64 payload is passed on as it came.
pub fn append_audio(payload: &str) -> String {
    // The payload is checked base64: no character needs escaping.
    [
        "{\"type\":\"input_audio_buffer.append\",\"audio\":\"",
        payload,
        "\"}",
    ]
    .concat()
}

/// A note to the model that nobody hears: stage directions of the call.
pub fn system_item(event_id: &str, text: &str) -> String {
    item(
        event_id,
        &json!({ "type": "message", "role": "system", "content": [{ "type": "input_text", "text": text }] }),
    )
}

/// Something the shop said, when a conversation is restored.
pub fn shop_item(event_id: &str, text: &str) -> String {
    item(
        event_id,
        &json!({ "type": "message", "role": "user", "content": [{ "type": "input_text", "text": text }] }),
    )
}

/// Something the agent was heard to say, when a conversation is restored.
pub fn agent_item(event_id: &str, text: &str) -> String {
    item(
        event_id,
        &json!({ "type": "message", "role": "assistant", "content": [{ "type": "output_text", "text": text }] }),
    )
}

/// The result of a tool call.
pub fn tool_output(event_id: &str, call_id: &str, output: &str) -> String {
    item(
        event_id,
        &json!({ "type": "function_call_output", "call_id": call_id, "output": output }),
    )
}

/// Asks for a response; without `tools` it may only speak.
pub fn create_response(event_id: &str, tools: bool) -> String {
    if tools {
        json::text(&json!({ "type": "response.create", "event_id": event_id }))
    } else {
        json::text(
            &json!({ "type": "response.create", "event_id": event_id, "response": { "tool_choice": "none" } }),
        )
    }
}

/// Stops the active response.
pub fn cancel_response(event_id: &str, response_id: &str) -> String {
    json::text(
        &json!({ "type": "response.cancel", "event_id": event_id, "response_id": response_id }),
    )
}

/// Tells the model how much of an item was heard; never more than was received of it.
pub fn truncate(event_id: &str, item_id: &str, audio_end_ms: u64) -> String {
    json::text(
        &json!({ "type": "conversation.item.truncate", "event_id": event_id, "item_id": item_id, "content_index": 0, "audio_end_ms": audio_end_ms }),
    )
}

/// Takes an item out of the conversation.
pub fn delete_item(event_id: &str, item_id: &str) -> String {
    json::text(
        &json!({ "type": "conversation.item.delete", "event_id": event_id, "item_id": item_id }),
    )
}

fn item(event_id: &str, item: &serde_json::Value) -> String {
    json::text(&json!({ "type": "conversation.item.create", "event_id": event_id, "item": item }))
}

/// Ends the shop's turn now: the line is gone, and the pause that ends it will not come.
pub const COMMIT_AUDIO: &str = r#"{"type":"input_audio_buffer.commit"}"#;
