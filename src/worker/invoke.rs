//! Methods of the runtime's objects that answer by a promise. KV and the object's storage are used by
//! them: workers-rs takes and gives any value that serde knows there, where we have texts and bytes, and
//! that is 5 kB of the Worker, gzipped.

use worker::Result;
use worker::js_sys::{Array, Function, Promise, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::wasm_bindgen_futures::JsFuture;

/// Calls a method, and waits for what it promises.
pub(super) async fn invoke(
    object: &JsValue,
    method: &str,
    arguments: &[JsValue],
) -> Result<JsValue> {
    let function: Function = Reflect::get(object, &method.into())?.dyn_into()?;
    let arguments: Array = arguments.iter().collect();
    let promise: Promise = function.apply(object, &arguments)?.dyn_into()?;
    Ok(JsFuture::from(promise).await?)
}
