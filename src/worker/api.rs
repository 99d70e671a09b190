//! The API's routes.

use super::account_do;
use super::call_stub::{self, Begin};
use super::local_time;
use super::log::runtime_error;
use super::twilio_rest::{self, CreateError};
use super::{now_ms, queue, reply, store};
use crate::call;
use crate::call::request::{CallRequest, MAX_BODY_BYTES};
use crate::config::Config;
use crate::http::problem::Problem;
use crate::http::queued::{self, Queued};
use crate::http::route::About;
use crate::json;
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
    let request_json = serde_json::to_string(&call_request).map_err(|_| Problem::internal())?;
    let attempt = attempt(config, &call_request, key)?;
    let id = attempt.id.clone();
    let answer = account_do::ask(env, config, Ask::Claim(attempt.clone()).to_text()).await?;
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
        Claim::Answered(id) => {
            let replayed = [("idempotent-replayed", "true")];
            if CallSid::parse(&id).is_ok() {
                return placed(config, &id, &replayed);
            }
            // Whoever asks again may have seen the first message fail.
            queue::send(env, &id).await?;
            return queued(config, &id, &replayed);
        }
        Claim::Conflict => return Err(Problem::key_conflict()),
        Claim::UnderWay => return Err(Problem::key_under_way()),
        Claim::Lost => return Err(Problem::no_answer_from_twilio()),
        Claim::Later => return enqueue(env, config, attempt, request_json).await,
        Claim::Fresh => {}
    }
    match dial(env, config, call_request, &id).await {
        Ok(Placed { sid, at }) => {
            let answered = Ask::Placed {
                id,
                sid: sid.as_str().to_owned(),
                age_ms: now_ms().saturating_sub(at),
                keep_ms: 0,
            };
            // The phone rings: an account that cannot be told is no reason to deny it.
            let _ = account_do::ask(env, config, answered.to_text()).await;
            placed(config, sid.as_str(), &[])
        }
        Err(NoCall { busy: true, .. }) => enqueue(env, config, attempt, request_json).await,
        Err(NoCall {
            silent: true,
            problem,
            ..
        }) => {
            account_do::ask(env, config, Ask::Release(id).to_text()).await?;
            Err(problem)
        }
        Err(NoCall {
            silent, problem, ..
        }) => {
            let failed = Ask::Failed {
                id,
                silent,
                problem: problem.to_json(),
            };
            // It may ring: an account that cannot be told is no reason to say anything else.
            let _ = account_do::ask(env, config, failed.to_text()).await;
            Err(problem)
        }
    }
}

/// Has a call that is allowed wait for its turn.
async fn enqueue(
    env: &Env,
    config: &Config,
    attempt: Attempt,
    request: String,
) -> Result<Response, Problem> {
    let id = attempt.id.clone();
    let kept = async {
        account_do::ask(env, config, Ask::Keep(attempt, request).to_text()).await?;
        queue::send(env, &id).await
    };
    if let Err(problem) = kept.await {
        account_do::ask(env, config, Ask::Release(id).to_text()).await?;
        return Err(problem);
    }
    queued(config, &id, &[])
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

/// A call that was placed.
pub(super) struct Placed {
    pub(super) sid: CallSid,
    /// When Twilio answered, in ms since the Unix epoch.
    pub(super) at: u64,
}

/// Why no call was placed.
pub(super) struct NoCall {
    pub(super) problem: Problem,
    /// Certainly nothing rang.
    pub(super) silent: bool,
    /// Twilio had too much to do: the same may pass later.
    pub(super) busy: bool,
}

/// Places the call and hands it to its object.
pub(super) async fn dial(
    env: &Env,
    config: &Config,
    request: CallRequest,
    attempt: &str,
) -> Result<Placed, NoCall> {
    let perhaps = |problem| NoCall {
        problem,
        silent: false,
        busy: false,
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
                busy: refusal.is_busy(),
            },
            CreateError::Unknown => perhaps(Problem::no_answer_from_twilio()),
        })?;
    let at = now_ms();
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
    Ok(Placed { sid, at })
}

fn placed(config: &Config, sid: &str, extra: &[(&str, &str)]) -> Result<Response, Problem> {
    let url = format!("{}/api/calls/{sid}", config.public_base_url);
    let body = json::text(&json!({ "sid": sid, "status": "queued", "url": url }));
    reply::json_text(201, body, &[&[("location", url.as_str())], extra].concat())
}

fn queued(config: &Config, id: &str, extra: &[(&str, &str)]) -> Result<Response, Problem> {
    let url = queued::url(id, &config.public_base_url);
    let body = queued::waiting(id, &config.public_base_url);
    reply::json_text(202, body, &[&[("location", url.as_str())], extra].concat())
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
        (404, _) if about == About::Erase => None,
        _ if about == About::Erase => return Err(Problem::internal()),
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

/// The same of a call that was queued: once it is placed, all is as under its SID. `DELETE` of one that
/// waits takes it from the queue.
pub(super) async fn about_queued(
    request: &Request,
    env: &Env,
    config: &Config,
    about: About,
    id: &str,
) -> Result<Response, Problem> {
    authorize(request, config)?;
    let erase = about == About::Erase;
    let ask = if erase { Ask::Cancel } else { Ask::Look };
    let state = account_do::ask(env, config, ask(id.to_owned()).to_text()).await?;
    let shown = queued::read(id, &state, &config.public_base_url);
    match shown.ok_or_else(Problem::not_found)? {
        Queued::Placed(sid) => about_call(request, env, config, about, &sid).await,
        Queued::Erased(json) => reply::json_text(if erase { 200 } else { 410 }, json, &[]),
        Queued::Waiting(_) if erase => Err(Problem::still_running()),
        Queued::Waiting(json) | Queued::NotPlaced(json) if about == About::State => {
            reply::json_text(200, json, &[])
        }
        Queued::Waiting(_) | Queued::NotPlaced(_) => Err(Problem::not_found()),
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
