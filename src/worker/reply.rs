//! Responses.

use super::log::runtime_error;
use crate::config::ConfigError;
use crate::http::problem::{CONTENT_TYPE, Problem};
use crate::json;
use serde_json::json;
use worker::{Headers, Response, Result};

/// A problem document.
pub(super) fn problem(problem: &Problem) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", CONTENT_TYPE)?;
    if let Some(allow) = problem.allow {
        headers.set("allow", allow)?;
    }
    if let Some(seconds) = problem.retry_after {
        headers.set("retry-after", &seconds.to_string())?;
    }
    if problem.status == 401 {
        headers.set("www-authenticate", "Bearer")?;
    }
    Ok(Response::ok(problem.to_json())?
        .with_status(problem.status)
        .with_headers(headers))
}

/// A JSON document that is text already.
pub(super) fn json_text(
    status: u16,
    text: String,
    extra: &[(&str, &str)],
) -> std::result::Result<Response, Problem> {
    build(status, "application/json", text, extra).map_err(runtime_error("reply"))
}

/// JSON documents, one a line.
pub(super) fn ndjson(text: String) -> std::result::Result<Response, Problem> {
    build(200, "application/x-ndjson", text, &[]).map_err(runtime_error("reply"))
}

/// TwiML for Twilio.
pub(super) fn twiml(xml: String) -> std::result::Result<Response, Problem> {
    build(200, "text/xml; charset=utf-8", xml, &[]).map_err(runtime_error("reply"))
}

/// 204.
pub(super) fn no_content() -> std::result::Result<Response, Problem> {
    Response::empty()
        .map(|r| r.with_status(204))
        .map_err(runtime_error("reply"))
}

/// Whether the Worker can take calls; names what is missing, never a value.
pub(super) fn health(missing: Option<&[ConfigError]>) -> std::result::Result<Response, Problem> {
    match missing {
        None => json_text(
            200,
            json::text(&json!({ "status": "ready", "version": env!("CARGO_PKG_VERSION") })),
            &[],
        ),
        Some(errors) => {
            let missing: Vec<_> = errors
                .iter()
                .map(|e| json!({ "name": e.name, "problem": e.problem }))
                .collect();
            json_text(
                503,
                json::text(
                    &json!({ "status": "not ready", "version": env!("CARGO_PKG_VERSION"), "missing": missing }),
                ),
                &[],
            )
        }
    }
}

fn build(
    status: u16,
    content_type: &str,
    text: String,
    extra: &[(&str, &str)],
) -> Result<Response> {
    let headers = Headers::new();
    headers.set("content-type", content_type)?;
    headers.set("cache-control", "no-store")?;
    for (name, value) in extra {
        headers.set(name, value)?;
    }
    Ok(Response::ok(text)?
        .with_status(status)
        .with_headers(headers))
}
