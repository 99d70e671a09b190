//! What time it is somewhere: the time-zone database is the runtime's.

use crate::policy::quiet::minute_of_day;
use worker::js_sys::{Date, Function, JSON, Reflect};
use worker::wasm_bindgen::{JsCast, JsValue};

/// Minutes since local midnight in an IANA time zone; none for a zone that the runtime does not
/// know. `now` is milliseconds since the Unix epoch.
#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
pub(super) fn minutes(zone: &str, now: u64) -> Option<u16> {
    let date = Date::new(&JsValue::from_f64(now as f64));
    // Not by js_sys, which has no options for it and panics on an unknown zone.
    let method = Reflect::get(&date, &"toLocaleTimeString".into()).ok()?;
    // No zone has a quote in it: they are ours, or checked (`CallRequest::parse`).
    let options = JSON::parse(&format!(
        r#"{{"timeZone":"{zone}","hour":"2-digit","minute":"2-digit","hourCycle":"h23"}}"#
    ))
    .ok()?;
    let text = method
        .dyn_into::<Function>()
        .ok()?
        .call2(&date, &"en-GB".into(), &options)
        .ok()?;
    minute_of_day(&text.as_string()?)
}
