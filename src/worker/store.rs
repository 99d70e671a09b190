//! KV: outcomes under `call:{sid}`, their events under `events:{sid}`, what was recorded under
//! `recording:{sid}`, the audio of a line under `line:{hash}`. What is of one call expires
//! together.

use super::log::runtime_error;
use crate::http::problem::Problem;
use crate::http::route::About;
use crate::policy::erasure::is_tombstone;
use crate::twilio::sid::CallSid;
use worker::Env;

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
) -> worker::Result<()> {
    let kv = env.kv(OUTCOMES)?;
    if events.is_empty() {
        kv.delete(&recording_key(sid)).await?;
        kv.delete(&events_key(sid)).await?;
    } else {
        put_text(env, &events_key(sid), events, ttl_days).await?;
    }
    kv.put(&key(sid), outcome)?
        .metadata(summary)?
        .expiration_ttl(ttl_sec(ttl_days))
        .execute()
        .await?;
    Ok(())
}

/// Reads an outcome, its events or its recording, or what is left of them.
pub(super) async fn get(env: &Env, sid: &CallSid, about: About) -> Result<Option<String>, Problem> {
    let kv = env.kv(OUTCOMES).map_err(runtime_error("kv"))?;
    let more = match about {
        About::Events => events_key(sid),
        About::Recording => recording_key(sid),
        About::State | About::Erase => key(sid),
    };
    let mut wanted = key(sid);
    loop {
        let read = kv.get(&wanted).text().await;
        let found = read.map_err(|e| runtime_error("kv")(e.into()))?;
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
) -> worker::Result<()> {
    put_text(env, &recording_key(sid), recording, ttl_days).await
}

async fn put_text(env: &Env, key: &str, text: &str, ttl_days: u32) -> worker::Result<()> {
    let put = env.kv(OUTCOMES)?.put(key, text)?;
    put.expiration_ttl(ttl_sec(ttl_days)).execute().await?;
    Ok(())
}

fn ttl_sec(days: u32) -> u64 {
    u64::from(days).saturating_mul(24 * 60 * 60)
}

/// How long the audio of a line is kept, in seconds: 30 days, so that a voice that its maker has improved is
/// heard.
const LINE_TTL_SEC: u64 = 30 * 24 * 60 * 60;

/// Reads the audio of a line; none when KV fails, too.
pub(super) async fn line(env: &Env, key: &str) -> Option<Vec<u8>> {
    let kv = env.kv(OUTCOMES).ok()?;
    kv.get(key).bytes().await.ok().flatten()
}

/// Keeps the audio of a line.
pub(super) async fn put_line(env: &Env, key: &str, audio: &[u8]) -> worker::Result<()> {
    env.kv(OUTCOMES)?
        .put_bytes(key, audio)?
        .expiration_ttl(LINE_TTL_SEC)
        .execute()
        .await?;
    Ok(())
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
