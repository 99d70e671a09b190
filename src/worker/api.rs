//! The API's routes.

use super::account_do;
use super::call_stub::{self, Begin};
use super::local_time;
use super::log::runtime_error;
use super::twilio_rest::{self, CreateError};
use super::{now_ms, reply, store};
use crate::call;
use crate::call::request::{CallRequest, MAX_BODY_BYTES};
use crate::config::Config;
use crate::http::problem::Problem;
use crate::http::route::About;
use crate::policy::account::{Ask, parse_claimed};
use crate::policy::erasure::is_tombstone;
use crate::policy::gate::{self, Attempt};
use crate::policy::idempotency::{self, Claim, digest};
use crate::policy::number_plan;
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
    (call_request.check_callback(config)).map_err(Problem::bad_fields)?;
    let key = idempotency_key(&request)?.map(|key| (key, digest(&body)));
    let dry_run = call_request.dial.dry_run;
    let attempt = attempt(config, &call_request, key.clone())?;
    let id = attempt.id.clone();
    let answer = account_do::ask(env, config, Ask::Claim(attempt).to_text()).await?;
    let claim = match parse_claimed(&answer).ok_or_else(Problem::internal)? {
        claimed if dry_run => {
            let reasons = claimed.err().unwrap_or_default();
            let listed = serde_json::to_string(&reasons).map_err(|_| Problem::internal())?;
            let allowed = reasons.is_empty();
            let answer = format!(r#"{{"allowed":{allowed},"reasons":{listed}}}"#);
            return reply::json_text(200, answer, &[]);
        }
        Ok(claim) => claim,
        Err(reasons) => return Err(Problem::not_allowed(reasons)),
    };
    match claim {
        Claim::Answered(sid) => {
            return placed(config, &sid, &[("idempotent-replayed", "true")]);
        }
        Claim::Conflict => return Err(Problem::key_conflict()),
        Claim::UnderWay => return Err(Problem::key_under_way()),
        Claim::Lost => return Err(Problem::no_answer_from_twilio()),
        Claim::Fresh => {}
    }
    match dial(env, config, call_request, &id).await {
        Ok(sid) => {
            if let Some((key, _)) = key {
                let answered = Ask::Answered {
                    key,
                    sid: sid.as_str().to_owned(),
                };
                // The phone rings: a key that cannot be settled is no reason to deny it.
                let _ = account_do::ask(env, config, answered.to_text()).await;
            }
            placed(config, sid.as_str(), &[])
        }
        Err(failure) => {
            if failure.silent {
                account_do::ask(env, config, Ask::Release(id).to_text()).await?;
            }
            Err(failure.problem)
        }
    }
}

/// What the gate has to know about a request.
fn attempt(
    config: &Config,
    request: &CallRequest,
    key: Option<(String, String)>,
) -> Result<Attempt, Problem> {
    let now = now_ms();
    let mut local = Vec::new();
    if let Some(zone) = &request.dial.timezone {
        let minutes = local_time::minutes(zone, now);
        local.push(minutes.ok_or_else(|| Problem::bad_fields(CallRequest::unknown_timezone()))?);
    } else {
        for zone in number_plan::zones(number_plan::country(request.to.digits())) {
            let Some(minutes) = local_time::minutes(zone, now) else {
                // Then it is not known where it is night.
                local.clear();
                break;
            };
            local.push(minutes);
        }
    }
    Ok(Attempt {
        id: random_token()?,
        to: request.to.clone(),
        order: request.order_digest(),
        force: request.dial.force,
        dry_run: request.dial.dry_run,
        local,
        longest_ms: 1000
            * u64::from(call::RING_TIMEOUT_SEC.saturating_add(time_limit_sec(config, request))),
        reserve: gate::reserve(request.max_call_ms.unwrap_or(config.max_call_ms))
            .min(request.max_cost.unwrap_or(config.max_cost)),
        key,
    })
}

fn time_limit_sec(config: &Config, request: &CallRequest) -> u32 {
    call::time_limit_sec(
        request.max_call_ms.unwrap_or(config.max_call_ms),
        config.handoff_number.is_some(),
    )
}

/// Why no call was placed.
struct NoCall {
    problem: Problem,
    /// Certainly nothing rang.
    silent: bool,
}

/// Places the call and hands it to its object.
async fn dial(
    env: &Env,
    config: &Config,
    request: CallRequest,
    attempt: &str,
) -> Result<CallSid, NoCall> {
    let perhaps = |problem| NoCall {
        problem,
        silent: false,
    };
    let create = CreateCall {
        to: &request.to,
        from: &config.twilio_from,
        base_url: &config.public_base_url,
        ring_timeout_sec: call::RING_TIMEOUT_SEC,
        time_limit_sec: time_limit_sec(config, &request),
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
        attempt: Some(attempt.to_owned()),
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

/// Digest of the request's key: keys may be private.
fn idempotency_key(request: &Request) -> Result<Option<String>, Problem> {
    match request
        .headers()
        .get("idempotency-key")
        .map_err(runtime_error("headers"))?
    {
        None => Ok(None),
        Some(key) if idempotency::is_key(&key) => Ok(Some(digest(key.as_bytes()))),
        Some(_) => Err(Problem::bad_key()),
    }
}

/// `GET /api/calls/{sid}`: the live state while the call runs, the outcome after; its events; or
/// `DELETE`, for a call that is over.
pub(super) async fn about_call(
    request: &Request,
    env: &Env,
    config: &Config,
    about: About,
    sid: &CallSid,
) -> Result<Response, Problem> {
    authorize(request, config)?;
    // The object first: KV is eventually consistent, and remembers for a minute that a key was not
    // there.
    let found = match call_stub::about(env, about, sid).await? {
        (200, text) => Some(text),
        (409, _) => return Err(Problem::still_running()),
        _ if about == About::Erase => None,
        _ => store::get(env, sid, about).await?,
    };
    let found = found.ok_or_else(Problem::not_found)?;
    let gone = is_tombstone(&found);
    match about {
        About::Events | About::Recording if !gone => reply::ndjson(found),
        About::State | About::Events | About::Recording => {
            reply::json_text(if gone { 410 } else { 200 }, found, &[])
        }
        About::Erase => reply::json_text(200, found, &[]),
    }
}

pub(super) fn authorize(request: &Request, config: &Config) -> Result<(), Problem> {
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
