//! A Realtime server on loopback: GA only, and as strict as the real one (`protocols.md` part 1
//! and part 4). It understands the shop only through the audio that reaches it, and answers with
//! the script of the scenario that the session's instructions belong to.
//!
//! `connection` is a session without I/O; this file gives it a socket and a clock.

mod client;
pub mod connection;
mod conversation;
pub mod ears;
mod fields;
pub mod hearing;
mod ids;
mod model;
mod record;
mod response;
mod session;
mod settings;
mod usage;
pub mod vad;

use crate::clips::Clips;
use crate::fault::{self, Fault, Upgrade, Upgrades, Victim};
use crate::play::Plays;
use axum::Router;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use connection::{Connection, Out};
use ears::{Ears, ExactEars};
use fields::ApiError;
use ids::Ids;
pub use model::SORRY;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep, sleep_until};

/// A session's longest life, in s (§1.1).
const SESSION_S: u64 = 3_600;

/// What all sessions share.
pub struct Shared {
    plays: Plays,
    /// Where the model is in the script of each play.
    scripts: Vec<Mutex<model::Script>>,
    clips: Clips,
    ids: Ids,
    /// What the next upgrades will suffer.
    upgrades: Upgrades,
    /// Gives every session its ears.
    ears: NewEars,
    /// Every response's audio differs a little from all other audio, so that its origin shows.
    tagged: bool,
}

/// Makes the ears of a session.
pub type NewEars = Box<dyn Fn() -> Box<dyn Ears> + Send + Sync>;

impl Shared {
    /// Sessions for these calls, none of which has begun.
    pub fn new(plays: Plays, clips: Clips) -> Arc<Self> {
        let lines = clips.clone();
        let ears: NewEars = Box::new(move || Box::new(ExactEars::new(lines.clone())));
        Arc::new(Self::with(plays, clips, ears, false))
    }

    /// The same with other ears.
    pub fn heard_by(plays: Plays, clips: Clips, ears: NewEars) -> Arc<Self> {
        Arc::new(Self::with(plays, clips, ears, false))
    }

    /// The same with other ears, and audio whose origin shows.
    pub fn tagged(plays: Plays, clips: Clips, ears: NewEars) -> Arc<Self> {
        Arc::new(Self::with(plays, clips, ears, true))
    }

    fn with(plays: Plays, clips: Clips, ears: NewEars, tagged: bool) -> Self {
        let scripts = plays.iter().map(|_| Mutex::default()).collect();
        Self {
            plays,
            scripts,
            clips,
            ids: Ids::new(),
            upgrades: Upgrades::default(),
            ears,
            tagged,
        }
    }
}

#[derive(Clone)]
struct Server {
    api_key: Arc<str>,
    shared: Arc<Shared>,
}

/// Serves `GET /v1/realtime?model=…` until it is dropped.
pub async fn serve(
    listener: TcpListener,
    api_key: String,
    plays: Plays,
    clips: Clips,
) -> anyhow::Result<()> {
    let server = Server {
        api_key: api_key.into(),
        shared: Shared::new(plays, clips),
    };
    let app = Router::new()
        .route("/v1/realtime", get(upgrade))
        .with_state(server);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn upgrade(
    State(server): State<Server>,
    Query(query): Query<HashMap<String, String>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Response {
    let authorization = headers.get("authorization").and_then(|v| v.to_str().ok());
    if authorization != Some(&format!("Bearer {}", server.api_key)) {
        return problem(
            StatusCode::UNAUTHORIZED,
            "invalid_api_key",
            "Incorrect API key provided.",
        );
    }
    let Some(model) = query.get("model").filter(|m| !m.is_empty()).cloned() else {
        return problem(
            StatusCode::BAD_REQUEST,
            "missing_model",
            "You must provide a model parameter.",
        );
    };
    match server.shared.upgrades.next() {
        Some(Upgrade::Refused(status)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            return problem(status, "on_purpose", "This upgrade is refused on purpose.");
        }
        Some(Upgrade::Slow(ms)) => sleep(Duration::from_millis(ms)).await,
        None => {}
    }
    let beta = headers.contains_key("openai-beta");
    match upgrade {
        Ok(upgrade) => upgrade
            .protocols(["realtime"])
            .on_upgrade(move |socket| async move {
                if beta {
                    return refuse_beta(socket, &server.shared.ids).await;
                }
                converse(socket, server.shared, &model).await;
            }),
        Err(rejection) => rejection.into_response(),
    }
}

fn problem(status: StatusCode, code: &str, message: &str) -> Response {
    let body = json!({"error": {"message": message, "type": "invalid_request_error", "param": null, "code": code}});
    (status, axum::Json(body)).into_response()
}

async fn refuse_beta(mut socket: WebSocket, ids: &Ids) {
    let e = ApiError::new(
        "beta_api_shape_disabled",
        "The Realtime Beta API is no longer supported. Please use /v1/realtime for the GA API.",
    );
    let mut event = e.event(None);
    event["event_id"] = json!(ids.next("event"));
    let _ = socket.send(Message::text(event.to_string())).await;
    let reason = "invalid_request_error.beta_api_shape_disabled".into();
    let _ = close(&mut socket, CloseFrame { code: 4000, reason }).await;
}

async fn converse(mut socket: WebSocket, shared: Arc<Shared>, model: &str) {
    let start = Instant::now();
    let now = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let unix_s = UNIX_EPOCH.elapsed().map_or(0, |d| d.as_secs());
    let mut connection = Connection::new(Arc::clone(&shared), model, unix_s + SESSION_S);
    let mut victim: Option<Victim> = None;
    let code = loop {
        connection.tick(now());
        match flush(&mut connection, &mut socket).await {
            Ok(None) => {}
            Ok(Some(code)) => break Some(code),
            Err(_) => break None,
        }
        if victim.is_none() {
            victim = connection
                .play()
                .and_then(|play| play.faults.model.victim());
        }
        let deadline = connection.deadline();
        let due = start + Duration::from_millis(deadline.unwrap_or(0));
        tokio::select! {
            fault = fault::next(&mut victim) => {
                connection.suffer(fault);
                shared.upgrades.expect(fault);
                if fault == Fault::ModelFallsSilent {
                    drop(victim);
                    break stay_silent(&mut socket).await;
                }
            }
            message = socket.recv() => match message {
                Some(Ok(Message::Text(text))) => connection.handle_text(now(), &text),
                Some(Ok(Message::Binary(_))) => connection.handle_binary(),
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(frame))) => break frame.map(|f| f.code),
                Some(Err(_)) | None => break None,
            },
            () = sleep_until(due), if deadline.is_some() => {}
        }
    };
    connection.closed(code);
}

/// Reads on, and says nothing, until the client goes.
async fn stay_silent(socket: &mut WebSocket) -> Option<u16> {
    while let Some(Ok(message)) = socket.recv().await {
        if let Message::Close(frame) = message {
            return frame.map(|frame| frame.code);
        }
    }
    None
}

/// Sends what there is; yields the code when the server closes the socket.
async fn flush(
    connection: &mut Connection,
    socket: &mut WebSocket,
) -> Result<Option<u16>, axum::Error> {
    while let Some(out) = connection.poll() {
        match out {
            Out::Send(event) => socket.send(Message::text(Value::to_string(&event))).await?,
            Out::Close { code: 1006, .. } => return Ok(Some(1006)),
            Out::Close { code, reason } => {
                close(
                    socket,
                    CloseFrame {
                        code,
                        reason: reason.into(),
                    },
                )
                .await?;
                return Ok(Some(code));
            }
        }
    }
    Ok(None)
}

/// Closes the socket, and waits for the other side to have read that.
async fn close(socket: &mut WebSocket, frame: CloseFrame) -> Result<(), axum::Error> {
    socket.send(Message::Close(Some(frame))).await?;
    let drained = async { while let Some(Ok(_)) = socket.recv().await {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), drained).await;
    Ok(())
}

#[cfg(test)]
mod rehearsal;
#[cfg(test)]
mod tests;
