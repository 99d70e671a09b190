//! The items of a session's conversation, in order, and what a client may do to them
//! (`protocols.md` §1.4, §1.8).

use super::fields::ApiError;
use orderline::audio::ulaw::BYTES_PER_MS;
use serde_json::{Value, json};

/// An item and what is known of its audio.
#[derive(Debug)]
pub struct Item {
    pub id: String,
    pub value: Value,
    /// Audio the client was sent for it, or sent in; bytes of μ-law.
    pub audio: usize,
    /// Its transcript is gone, also when more of it arrives.
    pub truncated: bool,
}

/// All items.
#[derive(Default)]
pub struct Conversation {
    items: Vec<Item>,
}

impl Conversation {
    /// The newest item's id, or null.
    pub fn last_id(&self) -> Value {
        self.items.last().map_or(Value::Null, |item| json!(item.id))
    }

    /// All items, oldest first.
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Appends an item of the server's own.
    pub fn append(&mut self, id: &str, value: Value, audio: usize) {
        self.items.push(Item {
            id: id.to_owned(),
            value,
            audio,
            truncated: false,
        });
    }

    /// Inserts an item of the client's; yields the id of the item before it, or null.
    pub fn insert(
        &mut self,
        id: &str,
        value: Value,
        previous: Option<&str>,
    ) -> Result<Value, ApiError> {
        if self.find(id).is_some() {
            return Err(ApiError::at(
                "invalid_value",
                "item.id",
                format!("Item with id '{id}' already exists."),
            ));
        }
        let calls = |call: &Value| {
            self.items
                .iter()
                .any(|i| i.value["type"] == "function_call" && i.value["call_id"] == *call)
        };
        if value["type"] == "function_call_output" && !calls(&value["call_id"]) {
            return Err(ApiError::at(
                "invalid_tool_call_id",
                "item.call_id",
                format!(
                    "Tool call ID {} not found in conversation.",
                    value["call_id"]
                ),
            ));
        }
        let at = match previous {
            None => self.items.len(),
            Some("root") => 0,
            Some(previous) => match self.items.iter().position(|i| i.id == previous) {
                Some(at) => at + 1,
                None => {
                    return Err(ApiError::at(
                        "item_create_invalid_previous_item_id",
                        "previous_item_id",
                        format!("Previous item with id '{previous}' not found."),
                    ));
                }
            },
        };
        self.items.insert(
            at,
            Item {
                id: id.to_owned(),
                value,
                audio: 0,
                truncated: false,
            },
        );
        Ok(at
            .checked_sub(1)
            .and_then(|at| self.items.get(at))
            .map_or(Value::Null, |i| json!(i.id)))
    }

    /// The item with this id.
    pub fn find(&self, id: &str) -> Option<&Item> {
        self.items.iter().find(|i| i.id == id)
    }

    /// The item with this id.
    pub fn find_mut(&mut self, id: &str) -> Option<&mut Item> {
        self.items.iter_mut().find(|i| i.id == id)
    }

    /// Removes an item.
    pub fn delete(&mut self, id: &str) -> Result<(), ApiError> {
        let at = self.items.iter().position(|i| i.id == id);
        let unknown = || {
            ApiError::at(
                "item_delete_invalid_item_id",
                "item_id",
                format!("Item with item_id not found: {id}"),
            )
        };
        self.items.remove(at.ok_or_else(unknown)?);
        Ok(())
    }

    /// Cuts the audio of an assistant message; its transcript goes with the unheard part (§1.8).
    pub fn truncate(&mut self, id: &str, end_ms: u64) -> Result<(), ApiError> {
        let Some(item) = self.find_mut(id) else {
            let text = format!("Item with item_id not found: {id}");
            return Err(ApiError::at(
                "item_truncate_invalid_item_id",
                "item_id",
                text,
            ));
        };
        if item.value["role"] != "assistant" {
            return Err(ApiError::at(
                "invalid_value",
                "item_id",
                "Only model output audio messages can be truncated.",
            ));
        }
        let ms = item.audio as u64 / BYTES_PER_MS;
        if end_ms > ms {
            return Err(ApiError::at(
                "invalid_value",
                "audio_end_ms",
                format!("Audio content of {ms}ms is already shorter than {end_ms}ms"),
            ));
        }
        item.audio = usize::try_from(end_ms * BYTES_PER_MS).unwrap_or(item.audio);
        item.truncated = true;
        if let Some(transcript) = item.value.pointer_mut("/content/0/transcript") {
            *transcript = Value::Null;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_line() -> Conversation {
        let mut c = Conversation::default();
        c.append(
            "u",
            json!({"type": "message", "role": "user", "content": []}),
            4_000,
        );
        c.append("a", json!({"type": "message", "role": "assistant", "content": [{"type": "output_audio", "transcript": "Hi there"}]}), 8_000);
        c
    }

    #[test]
    fn truncate_knows_the_length_of_the_audio() {
        let mut c = with_line();
        assert_eq!(
            c.truncate("b", 1).unwrap_err().code,
            "item_truncate_invalid_item_id"
        );
        assert_eq!(c.truncate("u", 1).unwrap_err().code, "invalid_value");
        assert_eq!(
            c.truncate("a", 1_001).unwrap_err().message,
            "Audio content of 1000ms is already shorter than 1001ms"
        );
        c.truncate("a", 640).unwrap();
        assert_eq!(
            c.truncate("a", 641).unwrap_err().message,
            "Audio content of 640ms is already shorter than 641ms"
        );
    }

    #[test]
    fn items_are_inserted_where_the_client_wants_them() {
        let mut c = with_line();
        let text = || json!({"type": "message", "role": "system", "content": []});
        assert_eq!(c.insert("s", text(), Some("root")).unwrap(), Value::Null);
        assert_eq!(c.insert("t", text(), Some("u")).unwrap(), json!("u"));
        assert_eq!(c.insert("v", text(), None).unwrap(), json!("a"));
        assert_eq!(
            c.insert("w", text(), Some("x")).unwrap_err().param.unwrap(),
            "previous_item_id"
        );
        assert_eq!(
            c.insert("v", text(), None).unwrap_err().param.unwrap(),
            "item.id"
        );
        let ids: Vec<_> = c.items().iter().map(|i| i.id.as_str()).collect();
        assert_eq!(ids, ["s", "u", "t", "a", "v"]);
    }

    #[test]
    fn an_output_needs_its_call() {
        let mut c = with_line();
        let output = json!({"type": "function_call_output", "call_id": "call_1", "output": ""});
        assert_eq!(
            c.insert("o", output.clone(), None).unwrap_err().code,
            "invalid_tool_call_id"
        );
        c.append(
            "f",
            json!({"type": "function_call", "call_id": "call_1"}),
            0,
        );
        c.insert("o", output, None).unwrap();
    }
}
