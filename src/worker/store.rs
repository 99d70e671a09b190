//! KV: outcomes under `call:{sid}`, their events under `events:{sid}`, what was recorded under
//! `recording:{sid}`, the audio of a line under `line:{hash}`. What is of one call expires
//! together.

use super::invoke::invoke;
use super::log::runtime_error;
use crate::http::problem::Problem;
use crate::http::route::About;
use crate::policy::erasure::is_tombstone;
use crate::twilio::sid::CallSid;
use worker::js_sys::{Object, Reflect, Uint8Array};
use worker::wasm_bindgen::JsValue;
use worker::{Env, Result};

/// Binding of the KV namespace.
const OUTCOMES: &str = "OUTCOMES";

/// Writes an outcome and its events, or a tombstone, which has none; `summary` is JSON for listings.
/// Values are JSON text: KV turns maps into `{}` (`platform.md` §0).
pub(super) async fn put(
    env: &Env,
    sid: &CallSid,
    outcome: &str,
    summary: &str,
    events: &str,
    ttl_days: u32,
) -> Result<()> {
    let kv = Kv::of(env)?;
    let options = kept_for(ttl_sec(ttl_days))?;
    if events.is_empty() {
        kv.delete(&recording_key(sid)).await?;
        kv.delete(&events_key(sid)).await?;
    } else {
        kv.put(&events_key(sid), events.into(), &options).await?;
    }
    Reflect::set(&options, &"metadata".into(), &summary.into())?;
    kv.put(&key(sid), outcome.into(), &options).await
}

/// Reads an outcome, its events or its recording, or what is left of them.
pub(super) async fn get(
    env: &Env,
    sid: &CallSid,
    about: About,
) -> std::result::Result<Option<String>, Problem> {
    let kv = Kv::of(env).map_err(runtime_error("kv"))?;
    let more = match about {
        About::Events => events_key(sid),
        About::Recording => recording_key(sid),
        About::State | About::Erase => key(sid),
    };
    let mut wanted = key(sid);
    loop {
        let read = kv.get(&wanted, "text").await;
        let found = read.map_err(runtime_error("kv"))?.as_string();
        let gone = found.as_deref().is_none_or(is_tombstone);
        if gone || wanted == more {
            return Ok(found);
        }
        wanted.clone_from(&more);
    }
}

/// Keeps the recording of a call.
pub(super) async fn put_recording(
    env: &Env,
    sid: &CallSid,
    recording: &str,
    ttl_days: u32,
) -> Result<()> {
    let options = kept_for(ttl_sec(ttl_days))?;
    let (kv, key) = (Kv::of(env)?, recording_key(sid));
    kv.put(&key, recording.into(), &options).await
}

fn ttl_sec(days: u32) -> u32 {
    days.saturating_mul(24 * 60 * 60)
}

/// How long the audio of a line is kept, in seconds: 30 days, so that a voice that its maker has improved is
/// heard.
const LINE_TTL_SEC: u32 = 30 * 24 * 60 * 60;

/// Reads the audio of a line; none when KV fails, too.
pub(super) async fn line(env: &Env, key: &str) -> Option<Vec<u8>> {
    let audio = Kv::of(env).ok()?.get(key, "arrayBuffer").await.ok()?;
    audio.is_object().then(|| Uint8Array::new(&audio).to_vec())
}

/// Keeps the audio of a line.
pub(super) async fn put_line(env: &Env, key: &str, audio: &[u8]) -> Result<()> {
    let audio = Uint8Array::from(audio).into();
    Kv::of(env)?.put(key, audio, &kept_for(LINE_TTL_SEC)?).await
}

/// The namespace, by its own methods ([`super::invoke`]).
struct Kv {
    namespace: JsValue,
}

impl Kv {
    fn of(env: &Env) -> Result<Self> {
        let namespace = Reflect::get(env, &OUTCOMES.into())?;
        Ok(Self { namespace })
    }

    /// `null` where there is nothing.
    async fn get(&self, key: &str, kind: &str) -> Result<JsValue> {
        invoke(&self.namespace, "get", &[key.into(), kind.into()]).await
    }

    async fn put(&self, key: &str, value: JsValue, options: &Object) -> Result<()> {
        let arguments = [key.into(), value, options.into()];
        invoke(&self.namespace, "put", &arguments).await?;
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<()> {
        invoke(&self.namespace, "delete", &[key.into()]).await?;
        Ok(())
    }
}

/// Options of a value that expires after so many seconds.
fn kept_for(seconds: u32) -> Result<Object> {
    let options = Object::new();
    Reflect::set(&options, &"expirationTtl".into(), &seconds.into())?;
    Ok(options)
}

fn key(sid: &CallSid) -> String {
    format!("call:{sid}")
}

fn events_key(sid: &CallSid) -> String {
    format!("events:{sid}")
}

fn recording_key(sid: &CallSid) -> String {
    format!("recording:{sid}")
}
