//! The Worker's side of a call's Durable Object: what is sent to it, and what it answers.

use super::log::runtime_error;
use crate::call::request::CallRequest;
use crate::http::problem::Problem;
use crate::twilio::sid::CallSid;
use crate::twilio::webhook::CallStatus;
use serde::{Deserialize, Serialize};
use worker::{Env, Headers, Method, Request, RequestInit, Response, Stub};

/// Binding of the Durable Object namespace, class `CallSession`.
const CALLS: &str = "CALLS";
/// Carries the stream token to the object, off the URL.
pub(super) const TOKEN_HEADER: &str = "x-stream-token";

/// Tells an object which call it is.
#[derive(Deserialize, Serialize)]
pub(super) struct Begin {
    pub(super) sid: CallSid,
    /// None for a call that came to us.
    pub(super) request: Option<CallRequest>,
    pub(super) token: String,
}

/// Something Twilio says or asks.
#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    Voice,
    StreamEnded,
    DialEnded { reached: bool },
    Status(CallStatus),
}

/// Hands a call to its object.
pub(super) async fn begin(env: &Env, begin: &Begin) -> std::result::Result<(), Problem> {
    let body = serde_json::to_string(begin).map_err(|_| Problem::internal())?;
    let response = send(env, &begin.sid, "/begin", Some(body), None).await?;
    if response.status_code() < 300 {
        Ok(())
    } else {
        Err(Problem::internal())
    }
}

/// Asks the object on Twilio's behalf: TwiML, or nothing.
pub(super) async fn ask(
    env: &Env,
    sid: &CallSid,
    ask: &Ask,
) -> std::result::Result<String, Problem> {
    let body = serde_json::to_string(ask).map_err(|_| Problem::internal())?;
    let mut response = send(env, sid, "/ask", Some(body), None).await?;
    response.text().await.map_err(runtime_error("object_text"))
}

/// The call's state or outcome, if the object knows the call.
pub(super) async fn state(
    env: &Env,
    sid: &CallSid,
) -> std::result::Result<Option<String>, Problem> {
    let mut response = send(env, sid, "/state", None, None).await?;
    match response.status_code() {
        200 => response
            .text()
            .await
            .map(Some)
            .map_err(runtime_error("object_text")),
        _ => Ok(None),
    }
}

/// Opens the media socket.
pub(super) async fn media(
    env: &Env,
    sid: &CallSid,
    token: &str,
) -> std::result::Result<Response, Problem> {
    let response = send(env, sid, "/media", None, Some(token)).await?;
    if response.status_code() == 101 {
        Ok(response)
    } else {
        Err(Problem::forbidden(
            "this stream token is unknown or was used before",
        ))
    }
}

async fn send(
    env: &Env,
    sid: &CallSid,
    path: &str,
    body: Option<String>,
    token: Option<&str>,
) -> std::result::Result<Response, Problem> {
    let exchange = async {
        let stub: Stub = env.durable_object(CALLS)?.get_by_name(sid.as_str())?;
        let headers = Headers::new();
        if let Some(token) = token {
            headers.set("upgrade", "websocket")?;
            headers.set(TOKEN_HEADER, token)?;
        }
        let mut init = RequestInit::new();
        init.with_headers(headers);
        if let Some(body) = body {
            init.with_method(Method::Post).with_body(Some(body.into()));
        }
        stub.fetch_with_request(Request::new_with_init(
            &format!("https://call{path}"),
            &init,
        )?)
        .await
    };
    exchange.await.map_err(runtime_error("object"))
}
