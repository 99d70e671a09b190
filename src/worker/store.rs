//! Outcomes in KV, under `call:{sid}`.

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

fn key(sid: &CallSid) -> String {
    format!("call:{sid}")
}
