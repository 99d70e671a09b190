//! The Worker's side of a call's Durable Object: what is sent to it, and what it answers.

use super::log::runtime_error;
use super::outgoing;
use crate::call::request::CallRequest;
use crate::http::problem::Problem;
use crate::http::route::About;
use crate::twilio::sid::CallSid;
use crate::twilio::webhook::CallStatus;
use serde::{Deserialize, Serialize};
use worker::{Env, Headers, Response, Stub};

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
    /// The attempt that became the call, which the account wants to hear the end of.
    pub(super) attempt: Option<String>,
    pub(super) token: String,
}

/// Something Twilio says or asks.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Ask {
    Voice,
    StreamEnded {
        /// The call itself goes on.
        alive: bool,
        /// For the URL of another stream.
        token: String,
    },
    DialEnded {
        reached: bool,
    },
    Status(CallStatus),
}

/// Hands a call to its object.
pub(super) async fn begin(env: &Env, begin: &Begin) -> std::result::Result<(), Problem> {
    tell(env, "/begin", begin).await
}

/// The same, of a call that was lost before it could begin.
pub(super) async fn lost(env: &Env, begin: &Begin) -> std::result::Result<(), Problem> {
    tell(env, "/lost", begin).await
}

async fn tell(env: &Env, path: &str, begin: &Begin) -> std::result::Result<(), Problem> {
    let body = serde_json::to_string(begin).map_err(|_| Problem::internal())?;
    let response = send(env, &begin.sid, path, Some(body), None).await?;
    if response.status_code() < 300 {
        Ok(())
    } else {
        Err(Problem::internal())
    }
}

/// Asks the object on Twilio's behalf: TwiML, or nothing. None if it does not know the call, and was
/// not told of it while Twilio waited.
pub(super) async fn ask(
    env: &Env,
    sid: &CallSid,
    ask: &Ask,
) -> std::result::Result<Option<String>, Problem> {
    let body = serde_json::to_string(ask).map_err(|_| Problem::internal())?;
    let mut response = send(env, sid, "/ask", Some(body), None).await?;
    if response.status_code() == 404 {
        return Ok(None);
    }
    let text = response.text().await;
    text.map(Some).map_err(runtime_error("object_text"))
}

/// Asks about a call, or has it erased: the object's status and text. 404 says that it does not know
/// the call, 409 that it still runs.
pub(super) async fn about(
    env: &Env,
    about: About,
    sid: &CallSid,
) -> std::result::Result<(u16, String), Problem> {
    let (path, body) = match about {
        About::State => ("/state", None),
        About::Events => ("/events", None),
        About::Recording => ("/recording", None),
        // The object of a call that is long over does not know which it was.
        About::Erase => ("/erase", Some(sid.as_str().to_owned())),
    };
    let mut response = send(env, sid, path, body, None).await?;
    let text = response
        .text()
        .await
        .map_err(runtime_error("object_text"))?;
    Ok((response.status_code(), text))
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
        let url = format!("https://call{path}");
        let request = outgoing::request(&url, &headers, body.as_deref())?;
        stub.fetch_with_request(request).await
    };
    exchange.await.map_err(runtime_error("object"))
}
