//! KV: outcomes under `call:{sid}`, their events under `events:{sid}`, the greeting's audio under
//! `greeting:{hash}`. Outcomes and events expire together.

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
    let ttl_sec = u64::from(ttl_days).saturating_mul(24 * 60 * 60);
    let kv = env.kv(OUTCOMES)?;
    if events.is_empty() {
        kv.delete(&events_key(sid)).await?;
    } else {
        let put = kv.put(&events_key(sid), events)?;
        put.expiration_ttl(ttl_sec).execute().await?;
    }
    kv.put(&key(sid), outcome)?
        .metadata(summary)?
        .expiration_ttl(ttl_sec)
        .execute()
        .await?;
    Ok(())
}

/// Reads an outcome or its events, or what is left of them.
pub(super) async fn get(env: &Env, sid: &CallSid, about: About) -> Result<Option<String>, Problem> {
    let kv = env.kv(OUTCOMES).map_err(runtime_error("kv"))?;
    let mut wanted = key(sid);
    loop {
        let read = kv.get(&wanted).text().await;
        let found = read.map_err(|e| runtime_error("kv")(e.into()))?;
        let gone = found.as_deref().is_none_or(is_tombstone);
        if gone || about != About::Events || wanted == events_key(sid) {
            return Ok(found);
        }
        wanted = events_key(sid);
    }
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
