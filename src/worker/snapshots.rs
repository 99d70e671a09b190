//! Where a call's snapshots are kept: in the object's storage, written without holding back what is
//! sent meanwhile.

use super::invoke::invoke;
use worker::js_sys::{Function, Object, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Result, Storage};

/// Storage key.
const RECORD: &str = "record";

/// The storage of one object. Its `put` has an option that workers-rs does not know:
/// `allowUnconfirmed` sends messages before a write is confirmed, where they would wait for the disk.
/// A snapshot that is lost with its machine costs a turn; audio that waits costs the call.
pub(super) struct Snapshots {
    storage: JsValue,
    put: Option<Function>,
}

impl Snapshots {
    /// Those of the object with this state.
    pub(super) fn of(state: &JsValue) -> Self {
        let storage = Reflect::get(state, &"storage".into()).unwrap_or_default();
        let put = Reflect::get(&storage, &"put".into()).unwrap_or_default();
        let put = put.dyn_into().ok();
        Self { storage, put }
    }

    /// Writes one. False if it cannot be.
    pub(super) fn write(&self, snapshot: &str) -> bool {
        let options = Object::new();
        let set = Reflect::set(&options, &"allowUnconfirmed".into(), &true.into());
        let Some(put) = self.put.as_ref().filter(|_| set.is_ok()) else {
            return false;
        };
        // A write that fails later resets the object, which then goes on from the snapshot before.
        put.call3(&self.storage, &RECORD.into(), &snapshot.into(), &options)
            .is_ok()
    }

    /// The newest, if there is one.
    pub(super) async fn read(&self) -> Result<Option<String>> {
        self.text(RECORD).await
    }

    /// Any text in the storage, if it is there. Not by [`Storage::get`]: what that has to say of values of
    /// other types is 1 kB of the Worker, gzipped.
    pub(super) async fn text(&self, key: &str) -> Result<Option<String>> {
        let text = invoke(&self.storage, "get", &[key.into()]).await?;
        Ok(text.as_string())
    }

    /// Writes a text, and waits until it is kept.
    pub(super) async fn put_text(&self, key: &str, text: &str) -> Result<()> {
        invoke(&self.storage, "put", &[key.into(), text.into()]).await?;
        Ok(())
    }

    /// Erases it.
    pub(super) async fn erase(storage: &Storage) -> Result<bool> {
        storage.delete(RECORD).await
    }
}
