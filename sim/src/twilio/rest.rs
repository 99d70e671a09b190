//! Twilio's REST API: create, update and fetch calls (`protocols.md` §2.1–§2.3).

use super::Twilio;
use super::call::{self, Call, Order};
use super::create::{self, Refusal, get};
use super::status::Status;
use super::webhook::Form;
use crate::timeline::What;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get as on_get, post as on_post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// How late the answer to a call's creation is when the shop picks up at once.
const LATE_ANSWER: Duration = Duration::from_millis(300);

type Answer = Result<Response, Refusal>;

/// The API's routes.
pub fn router(twilio: Arc<Twilio>) -> Router {
    Router::new()
        .route(
            "/2010-04-01/Accounts/{account}/Calls.json",
            on_post(create_call),
        )
        .route(
            "/2010-04-01/Accounts/{account}/Calls/{call}",
            on_get(fetch_call).post(update_call),
        )
        .fallback(async |uri: Uri| not_found(uri.path()))
        .with_state(twilio)
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        let body = json!({
            "code": code, "message": message, "status": status,
            "more_info": format!("https://www.twilio.com/docs/errors/{code}"),
        });
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(body)).into_response()
    }
}

fn not_found(path: &str) -> Refusal {
    Refusal(
        404,
        20404,
        format!("The requested resource {path} was not found"),
    )
}

async fn create_call(
    State(twilio): State<Arc<Twilio>>,
    Path(account): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Answer {
    authenticate(&twilio, &account, &headers)?;
    let form = read_form(&headers, &body);
    let (to, from) = create::numbers(&form, &twilio.config.from_number)?;
    match twilio.ask(&to) {
        None => {}
        Some(429) => return Err(Refusal(429, 20429, "Too Many Requests".into())),
        Some(status) => return Err(Refusal(status, 20500, "Internal Server Error".into())),
    }
    let Some(play) = twilio.play_of(&to) else {
        let text = format!("The 'To' number {to} is not a valid phone number.");
        return Err(Refusal(400, 21211, text));
    };
    let violation = |detail| {
        play.timeline.push(What::Violation {
            side: "twilio".into(),
            detail,
        })
    };
    let (settings, problems) = create::settings(&form)
        .inspect_err(|refusal| violation(format!("REST create: {}", refusal.2)))?;
    for problem in problems {
        violation(format!("REST create: {problem}"));
    }
    let (call, orders) = Call::new(&account, &from, &to, false, Arc::clone(&play));
    if !twilio.register(&call) {
        violation("REST create: a second call for one order".into());
    }
    call.push(What::Dialled { to });
    let answer = (StatusCode::CREATED, Json(call.json())).into_response();
    tokio::spawn(call::dial(Arc::clone(&twilio), call, settings, orders));
    // A shop that picks up at once is faster than this answer.
    if play.scenario.network.ring_ms == 0 {
        tokio::time::sleep(LATE_ANSWER).await;
    }
    Ok(answer)
}

async fn fetch_call(
    State(twilio): State<Arc<Twilio>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
) -> Answer {
    authenticate(&twilio, &account, &headers)?;
    let call = twilio.call(&file).ok_or_else(|| not_found(uri.path()))?;
    Ok(Json(call.json()).into_response())
}

async fn update_call(
    State(twilio): State<Arc<Twilio>>,
    Path((account, file)): Path<(String, String)>,
    headers: HeaderMap,
    uri: Uri,
    body: Bytes,
) -> Answer {
    authenticate(&twilio, &account, &headers)?;
    let call = twilio.call(&file).ok_or_else(|| not_found(uri.path()))?;
    let form = read_form(&headers, &body);
    let (source, problems) = create::update(&form)
        .inspect_err(|refusal| call.violation(format!("REST update: {}", refusal.2)))?;
    for problem in problems {
        call.violation(format!("REST update: {problem}"));
    }
    let status = call.status();
    let invalid = |text: &str| Err(Refusal(400, 21220, text.to_string()));
    if status.is_terminal() {
        return invalid("Call is not in-progress. Cannot redirect.");
    }
    let answered = status == Status::InProgress;
    match (get(&form, "Status"), source) {
        (Some("canceled"), _) if answered => return invalid("Call is in-progress. Cannot cancel."),
        (Some("completed" | "canceled"), _) => {
            call.advance(if answered {
                Status::Completed
            } else {
                Status::Canceled
            });
            call.order(Order::HangUp);
        }
        (Some(other), _) => {
            return Err(Refusal(400, 20001, format!("Invalid Status: {other}")));
        }
        (None, Some(_)) if !answered => {
            return invalid("Call is not in-progress. Cannot redirect.");
        }
        (None, Some(source)) => call.order(Order::Replace(source)),
        (None, None) => {}
    }
    Ok(Json(call.json()).into_response())
}

fn authenticate(twilio: &Twilio, account: &str, headers: &HeaderMap) -> Result<(), Refusal> {
    let config = &twilio.config;
    let expected = STANDARD.encode(format!("{}:{}", config.account_sid, config.auth_token));
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let right = given.and_then(|value| value.strip_prefix("Basic ")) == Some(&expected);
    if right && account == config.account_sid {
        return Ok(());
    }
    Err(Refusal(401, 20003, "Authenticate".into()))
}

/// A body of another type has no parameters, as with the real one.
fn read_form(headers: &HeaderMap, body: &[u8]) -> Form {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let kind = kind
        .and_then(|kind| kind.split(';').next())
        .unwrap_or_default();
    if kind.trim() != "application/x-www-form-urlencoded" {
        return Form::new();
    }
    url::form_urlencoded::parse(body).into_owned().collect()
}
