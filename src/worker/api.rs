//! The API's routes.

use super::call_stub::{self, Begin};
use super::log::runtime_error;
use super::twilio_rest::{self, CreateError};
use super::{reply, store};
use crate::call;
use crate::call::request::{CallRequest, MAX_BODY_BYTES};
use crate::config::Config;
use crate::http::problem::Problem;
use crate::policy::secret;
use crate::twilio::rest::CreateCall;
use crate::twilio::sid::CallSid;
use futures::StreamExt;
use serde_json::json;
use worker::{Env, Request, Response};

/// `POST /api/call`
pub(super) async fn place_call(
    mut request: Request,
    env: &Env,
    config: &Config,
) -> Result<Response, Problem> {
    authorize(&request, config)?;
    let body = read_body(&mut request, "application/json").await?;
    let call_request = CallRequest::parse(&body).map_err(Problem::bad_fields)?;
    let create = CreateCall {
        to: &call_request.to,
        from: &config.twilio_from,
        base_url: &config.public_base_url,
        ring_timeout_sec: call::RING_TIMEOUT_SEC,
        time_limit_sec: call::time_limit_sec(
            call_request.max_call_ms.unwrap_or(config.max_call_ms),
        ),
    };
    let token = random_token()?;
    let sid = match twilio_rest::create_call(config, &create).await {
        Ok(sid) => sid,
        Err(CreateError::Refused(refusal)) => return Err(Problem::refused_by_twilio(&refusal)),
        Err(CreateError::Unknown) => return Err(Problem::no_answer_from_twilio()),
    };
    // Twilio may already be asking for TwiML: the object makes it wait for this.
    let begin = Begin {
        sid: sid.clone(),
        request: Some(call_request),
        token,
    };
    if call_stub::begin(env, &begin).await.is_err() {
        // Nobody would know what to say: better no call than a silent one.
        twilio_rest::hang_up(config, &sid).await;
        return Err(Problem::internal());
    }
    let url = format!("{}/api/calls/{sid}", config.public_base_url);
    reply::json_text(
        201,
        json!({ "sid": sid, "status": "queued", "url": url }).to_string(),
        &[("location", &url)],
    )
}

/// `GET /api/calls/{sid}`: the live state while the call runs, the outcome after.
pub(super) async fn get_call(
    request: &Request,
    env: &Env,
    config: &Config,
    sid: &CallSid,
) -> Result<Response, Problem> {
    authorize(request, config)?;
    // The object first: KV is eventually consistent, and remembers for a minute that a key was not
    // there.
    let found = match call_stub::state(env, sid).await? {
        Some(state) => Some(state),
        None => store::get(env, sid).await?,
    };
    reply::json_text(200, found.ok_or_else(Problem::not_found)?, &[])
}

fn authorize(request: &Request, config: &Config) -> Result<(), Problem> {
    let header = request
        .headers()
        .get("authorization")
        .map_err(runtime_error("headers"))?;
    if secret::bearer_matches(header.as_deref(), &config.api_tokens) {
        Ok(())
    } else {
        Err(Problem::unauthorized())
    }
}

/// The body, if it is of this type and not too large. Reading stops at the limit.
pub(super) async fn read_body(
    request: &mut Request,
    content_type: &str,
) -> Result<Vec<u8>, Problem> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map_err(runtime_error("headers"))
    };
    let given = header("content-type")?.unwrap_or_default();
    if !given
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .eq_ignore_ascii_case(content_type)
    {
        return Err(Problem::unsupported_media_type(content_type));
    }
    let announced = header("content-length")?
        .and_then(|n| n.parse::<usize>().ok())
        .unwrap_or(0);
    if announced > MAX_BODY_BYTES {
        return Err(Problem::too_large(MAX_BODY_BYTES));
    }
    let mut body = Vec::with_capacity(announced);
    // No stream means no body.
    let Ok(mut stream) = request.stream() else {
        return Ok(body);
    };
    while let Some(chunk) = stream.next().await {
        body.extend(chunk.map_err(runtime_error("body"))?);
        if body.len() > MAX_BODY_BYTES {
            return Err(Problem::too_large(MAX_BODY_BYTES));
        }
    }
    Ok(body)
}

/// 128 random bits in hexadecimal digits.
pub(super) fn random_token() -> Result<String, Problem> {
    let mut bytes = [0u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Problem::internal())?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
