//! Twilio's webhooks and the media stream's upgrade. Each is checked for Twilio's signature before
//! anything of it is looked at.

use super::api::{random_token, read_body};
use super::call_stub::{self, Ask, Begin};
use super::log::{self, runtime_error};
use super::reply;
use crate::call::output::LogLine;
use crate::call::prompt;
use crate::call::request::CallRequest;
use crate::config::Config;
use crate::http::problem::Problem;
use crate::http::route::Hook;
use crate::twilio::sid::CallSid;
use crate::twilio::signature;
use crate::twilio::webhook::{CallStatus, Form};
use crate::url::Parts;
use worker::{Env, Request, Response};

const SIGNATURE: &str = "x-twilio-signature";
const FORM: &str = "application/x-www-form-urlencoded";

/// A webhook about a call.
pub(super) async fn call(
    request: Request,
    env: &Env,
    config: &Config,
    hook: Hook,
) -> Result<Response, Problem> {
    let (form, sid) = signed_form(request, config).await?;
    match hook {
        Hook::Voice => {
            if form.is_inbound() {
                call_stub::begin(
                    env,
                    &Begin {
                        sid: sid.clone(),
                        request: None,
                        attempt: None,
                        token: random_token()?,
                    },
                )
                .await?;
            }
            answer(env, &form, &sid, &Ask::Voice).await
        }
        Hook::StreamEnded => {
            let alive = !form.status().is_some_and(CallStatus::is_terminal);
            let token = random_token()?;
            let ask = Ask::StreamEnded { alive, token };
            answer(env, &form, &sid, &ask).await
        }
        Hook::DialEnded => {
            let reached = form.dial_was_answered();
            answer(env, &form, &sid, &Ask::DialEnded { reached }).await
        }
        Hook::Stream => {
            // The only place where a failed handshake of the stream shows (`protocols.md` §2.8).
            if let Some(code) = form.stream_error() {
                log::call(
                    config.log_level,
                    Some(&sid),
                    &LogLine::warn("stream_error").n(code),
                );
            }
            reply::no_content()
        }
        Hook::Status => {
            if let Some(status) = form.status() {
                answer(env, &form, &sid, &Ask::Status(status)).await?;
            }
            reply::no_content()
        }
    }
}

/// Twilio's answer from the object. A call that it does not know was lost before it could begin: it
/// gets its outcome, and who listens a goodbye.
async fn answer(env: &Env, form: &Form, sid: &CallSid, ask: &Ask) -> Result<Response, Problem> {
    if let Some(twiml) = call_stub::ask(env, sid, ask).await? {
        return reply::twiml(twiml);
    }
    // Nobody waits for the outcome of a call that came to us and did not reach us.
    if !form.is_inbound() {
        let lost = Begin {
            sid: sid.clone(),
            request: form.to().and_then(CallRequest::of_lost_call),
            attempt: None,
            token: random_token()?,
        };
        call_stub::lost(env, &lost).await?;
    }
    reply::twiml(prompt::spoken(prompt::FAREWELL).to_xml())
}

/// `GET /ws/media/{sid}/{token}`
pub(super) async fn media(
    request: Request,
    env: &Env,
    config: &Config,
    sid: &CallSid,
    token: &str,
) -> Result<Response, Problem> {
    let header = |name: &str| {
        request
            .headers()
            .get(name)
            .map_err(runtime_error("headers"))
    };
    if !header("upgrade")?.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")) {
        return Err(Problem::upgrade_required());
    }
    let given = header(SIGNATURE)?.unwrap_or_default();
    let path = crate::call::stream_path(sid, token);
    if !signature::verify_stream(
        &config.auth_tokens(),
        &config.public_base_url,
        &path,
        &given,
    ) {
        return Err(Problem::forbidden(
            "the X-Twilio-Signature of the upgrade is missing or wrong",
        ));
    }
    call_stub::media(env, sid, token).await
}

/// The form of a webhook and the call it is about, if Twilio sent it.
async fn signed_form(mut request: Request, config: &Config) -> Result<(Form, CallSid), Problem> {
    let given = request
        .headers()
        .get(SIGNATURE)
        .map_err(runtime_error("headers"))?
        .unwrap_or_default();
    let url = request.inner().url();
    let tail = Parts::of(&url).map_or("", |url| url.tail);
    let signed_url = format!("{}{tail}", config.public_base_url);
    let form = Form::decode(&read_body(&mut request, FORM).await?);
    if !signature::verify(&config.auth_tokens(), &signed_url, form.params(), &given) {
        return Err(Problem::forbidden(
            "the X-Twilio-Signature is missing or wrong",
        ));
    }
    let sid = form
        .call_sid(&config.twilio_account_sid)
        .map_err(|error| Problem::bad_webhook(&error))?;
    Ok((form, sid))
}
