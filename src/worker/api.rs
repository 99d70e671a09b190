//! The API's routes.

use super::call_stub::{self, Begin};
use super::gate_do::Key;
use super::log::runtime_error;
use super::twilio_rest::{self, CreateError};
use super::{reply, store};
use crate::call;
use crate::call::request::{CallRequest, MAX_BODY_BYTES};
use crate::config::Config;
use crate::http::problem::Problem;
use crate::policy::idempotency::{self, Claim};
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
    let Some(key) = idempotency_key(&request)? else {
        let sid = dial(env, config, call_request)
            .await
            .map_err(|failure| failure.problem)?;
        return placed(config, sid.as_str(), &[]);
    };
    match key.claim(env, &body).await? {
        Claim::Answered(answer) => {
            return placed(config, &answer.sid, &[("idempotent-replayed", "true")]);
        }
        Claim::Conflict => return Err(Problem::key_conflict()),
        Claim::UnderWay => return Err(Problem::key_under_way()),
        Claim::Lost => return Err(Problem::no_answer_from_twilio()),
        Claim::Fresh => {}
    }
    match dial(env, config, call_request).await {
        Ok(sid) => {
            // The phone rings: a key that cannot be settled is no reason to deny it.
            let _ = key.settle(env, sid.as_str()).await;
            placed(config, sid.as_str(), &[])
        }
        Err(failure) => {
            if failure.silent {
                key.release(env).await?;
            }
            Err(failure.problem)
        }
    }
}

/// Why no call was placed.
struct NoCall {
    problem: Problem,
    /// Certainly nothing rang.
    silent: bool,
}

/// Places the call and hands it to its object.
async fn dial(env: &Env, config: &Config, request: CallRequest) -> Result<CallSid, NoCall> {
    let perhaps = |problem| NoCall {
        problem,
        silent: false,
    };
    let create = CreateCall {
        to: &request.to,
        from: &config.twilio_from,
        base_url: &config.public_base_url,
        ring_timeout_sec: call::RING_TIMEOUT_SEC,
        time_limit_sec: call::time_limit_sec(
            request.max_call_ms.unwrap_or(config.max_call_ms),
            config.handoff_number.is_some(),
        ),
    };
    let token = random_token().map_err(perhaps)?;
    let sid = twilio_rest::create_call(config, &create)
        .await
        .map_err(|error| match error {
            CreateError::Refused(refusal) => NoCall {
                problem: Problem::refused_by_twilio(&refusal),
                silent: refusal.is_certain(),
            },
            CreateError::Unknown => perhaps(Problem::no_answer_from_twilio()),
        })?;
    // Twilio may already be asking for TwiML: the object makes it wait for this.
    let begin = Begin {
        sid: sid.clone(),
        request: Some(request),
        token,
    };
    if let Err(problem) = call_stub::begin(env, &begin).await {
        // Nobody would know what to say: better no call than a silent one.
        twilio_rest::hang_up(config, &sid).await;
        return Err(perhaps(problem));
    }
    Ok(sid)
}

fn placed(config: &Config, sid: &str, extra: &[(&str, &str)]) -> Result<Response, Problem> {
    let url = format!("{}/api/calls/{sid}", config.public_base_url);
    let body = json!({ "sid": sid, "status": "queued", "url": url }).to_string();
    reply::json_text(201, body, &[&[("location", url.as_str())], extra].concat())
}

fn idempotency_key(request: &Request) -> Result<Option<Key>, Problem> {
    match request
        .headers()
        .get("idempotency-key")
        .map_err(runtime_error("headers"))?
    {
        None => Ok(None),
        Some(key) if idempotency::is_key(&key) => Ok(Some(Key::new(&key))),
        Some(_) => Err(Problem::bad_key()),
    }
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
