//! The storage of a call's object: its newest snapshot, written without holding back what is sent
//! meanwhile, and texts under keys of their own.

use super::invoke::invoke;
use worker::Result;
use worker::js_sys::{Function, Object, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};

/// Storage key.
const RECORD: &str = "record";

/// The storage of one object. Its `put` has an option that workers-rs does not know:
/// `allowUnconfirmed` sends messages before a write is confirmed, where they would wait for the disk.
/// A snapshot that is lost with its machine costs a turn; audio that waits costs the call.
pub(super) struct ObjectStorage {
    storage: JsValue,
    put: Option<Function>,
}

impl ObjectStorage {
    /// That of the object with this state.
    pub(super) fn of(state: &JsValue) -> Self {
        let storage = Reflect::get(state, &"storage".into()).unwrap_or_default();
        let put = Reflect::get(&storage, &"put".into()).unwrap_or_default();
        let put = put.dyn_into().ok();
        Self { storage, put }
    }

    /// Writes a snapshot. False if it cannot be.
    pub(super) fn write_snapshot(&self, snapshot: &str) -> bool {
        let options = Object::new();
        let set = Reflect::set(&options, &"allowUnconfirmed".into(), &true.into());
        let Some(put) = self.put.as_ref().filter(|_| set.is_ok()) else {
            return false;
        };
        // A write that fails later resets the object, which then goes on from the snapshot before.
        put.call3(&self.storage, &RECORD.into(), &snapshot.into(), &options)
            .is_ok()
    }

    /// The newest snapshot, if there is one.
    pub(super) async fn snapshot(&self) -> Result<Option<String>> {
        self.text(RECORD).await
    }

    /// The text under a key, if there is one.
    pub(super) async fn text(&self, key: &str) -> Result<Option<String>> {
        let text = invoke(&self.storage, "get", &[key.into()]).await?;
        Ok(text.as_string())
    }

    /// Writes a text, and waits until it is kept.
    pub(super) async fn put_text(&self, key: &str, text: &str) -> Result<()> {
        invoke(&self.storage, "put", &[key.into(), text.into()]).await?;
        Ok(())
    }

    /// Erases the snapshot.
    pub(super) async fn erase_snapshot(&self) -> Result<()> {
        invoke(&self.storage, "delete", &[RECORD.into()]).await?;
        Ok(())
    }
}
