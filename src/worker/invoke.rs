//! Methods of the runtime's objects that answer by a promise, for what workers-rs does at length.

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
