//! KV: outcomes under `call:{sid}`, the greeting's audio under `greeting:{hash}`.

use super::log::runtime_error;
use crate::http::problem::Problem;
use crate::twilio::sid::CallSid;
use worker::Env;

/// Binding of the KV namespace.
const OUTCOMES: &str = "OUTCOMES";

/// Writes an outcome; `summary` is JSON for listings. Values are JSON text: KV turns maps into
/// `{}` (`platform.md` §0).
pub(super) async fn put(
    env: &Env,
    sid: &CallSid,
    outcome: &str,
    summary: &str,
    ttl_days: u32,
) -> worker::Result<()> {
    let ttl_sec = u64::from(ttl_days) * 24 * 60 * 60;
    env.kv(OUTCOMES)?
        .put(&key(sid), outcome)?
        .metadata(summary)?
        .expiration_ttl(ttl_sec)
        .execute()
        .await?;
    Ok(())
}

/// Reads an outcome.
pub(super) async fn get(env: &Env, sid: &CallSid) -> Result<Option<String>, Problem> {
    let kv = env.kv(OUTCOMES).map_err(runtime_error("kv"))?;
    kv.get(&key(sid))
        .text()
        .await
        .map_err(|e| runtime_error("kv")(e.into()))
}

/// How long a greeting is kept, in seconds: 30 days, so that a voice that its maker has improved is
/// heard.
const GREETING_TTL_SEC: u64 = 30 * 24 * 60 * 60;

/// Reads a greeting's audio; none when KV fails, too: then the model speaks it.
pub(super) async fn greeting(env: &Env, key: &str) -> Option<Vec<u8>> {
    let kv = env.kv(OUTCOMES).ok()?;
    kv.get(key).bytes().await.ok().flatten()
}

/// Keeps a greeting's audio.
pub(super) async fn put_greeting(env: &Env, key: &str, audio: &[u8]) -> worker::Result<()> {
    env.kv(OUTCOMES)?
        .put_bytes(key, audio)?
        .expiration_ttl(GREETING_TTL_SEC)
        .execute()
        .await?;
    Ok(())
}

fn key(sid: &CallSid) -> String {
    format!("call:{sid}")
}
