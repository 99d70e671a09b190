//! A bridge of a few lines whose decisions the test takes.

use super::super::signature::sign;
use super::super::{create, webhook::Form};
use super::TOKEN;
use axum::Router;
use axum::extract::ws::{Message, WebSocketUpgrade};
use axum::extract::{RawForm, State};
use axum::http::{HeaderMap, Uri};
use axum::response::IntoResponse;
use axum::routing::any;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

/// What the bridge answers to `/voice`; `HOST` is its own.
pub const CONNECT: &str = r#"<Response><Connect action="http://HOST/ended">
    <Stream url="ws://HOST/media" name="s" statusCallback="http://HOST/stream"><Parameter name="callId" value="c_1"/></Stream>
    </Connect></Response>"#;

/// A bridge whose decisions the test takes.
pub struct Bridge {
    pub host: String,
    /// Path and form of each webhook, signature checked.
    pub webhooks: UnboundedReceiver<(String, Form)>,
    pub sockets: UnboundedReceiver<Socket>,
}

pub struct Socket {
    pub from_twilio: UnboundedReceiver<Value>,
    /// Dropping it closes the socket.
    to_twilio: UnboundedSender<Message>,
}

#[derive(Clone)]
struct Shared {
    host: String,
    twiml: String,
    webhooks: UnboundedSender<(String, Form)>,
    sockets: UnboundedSender<Socket>,
}

impl Bridge {
    pub async fn new(twiml: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let (webhooks, received) = unbounded_channel();
        let (sockets, opened) = unbounded_channel();
        let twiml = twiml.replace("HOST", &host);
        let shared = Shared {
            host: host.clone(),
            twiml,
            webhooks,
            sockets,
        };
        let router = Router::new()
            .route("/media", any(media))
            .fallback(webhook)
            .with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            host,
            webhooks: received,
            sockets: opened,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// Everything to be said about the webhooks: path and status, stream event or dial status.
    pub fn seen(&mut self) -> Vec<String> {
        let mut seen = Vec::new();
        while let Ok((path, form)) = self.webhooks.try_recv() {
            let get = |name: &str| create::get(&form, name).map(str::to_string);
            let sequence = get("SequenceNumber")
                .map(|n| format!(" {n}"))
                .unwrap_or_default();
            let what = get("StreamEvent")
                .or(get("DialCallStatus"))
                .or(get("CallStatus"))
                .unwrap();
            seen.push(format!("{path} {what}{sequence}"));
        }
        seen
    }
}

async fn webhook(
    State(shared): State<Shared>,
    uri: Uri,
    headers: HeaderMap,
    RawForm(body): RawForm,
) -> impl IntoResponse {
    let form: Form = url::form_urlencoded::parse(&body).into_owned().collect();
    let signature = sign(TOKEN, &format!("http://{}{uri}", shared.host), &form);
    assert_eq!(headers["x-twilio-signature"], signature);
    assert!(form.contains(&("CallerCity".into(), String::new())) || uri.path() == "/stream");
    shared
        .webhooks
        .send((uri.path().to_string(), form))
        .unwrap();
    let twiml = match uri.path() {
        "/voice" => shared.twiml,
        _ => "<Response><Hangup/></Response>".into(),
    };
    ([("content-type", "text/xml; charset=utf-8")], twiml)
}

async fn media(
    State(shared): State<Shared>,
    headers: HeaderMap,
    upgrade: WebSocketUpgrade,
) -> impl IntoResponse {
    assert_eq!(
        headers["x-twilio-signature"],
        sign(TOKEN, &format!("ws://{}/media", shared.host), &[])
    );
    upgrade.on_upgrade(async move |mut socket| {
        let (incoming, from_twilio) = unbounded_channel();
        let (to_twilio, mut outgoing) = unbounded_channel();
        shared
            .sockets
            .send(Socket {
                from_twilio,
                to_twilio,
            })
            .unwrap();
        loop {
            tokio::select! {
                message = outgoing.recv() => match message {
                    Some(message) => socket.send(message).await.unwrap(),
                    None => break,
                },
                message = socket.recv() => match message {
                    Some(Ok(Message::Text(text))) => {
                        let _ = incoming.send(serde_json::from_str(&text).unwrap());
                    }
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return,
                },
            }
        }
        let _ = socket.send(Message::Close(None)).await;
        while let Some(Ok(_)) = socket.recv().await {}
    })
}

impl Socket {
    /// The next frame of this kind, and the audio that came before it.
    pub async fn next(&mut self, event: &str) -> (Value, Vec<u8>) {
        let mut audio = Vec::new();
        loop {
            let frame = self.from_twilio.recv().await.expect("the socket closed");
            if frame["event"] == event {
                return (frame, audio);
            }
            if let Some(payload) = frame["media"]["payload"].as_str() {
                audio.extend(STANDARD.decode(payload).unwrap());
            }
        }
    }

    pub async fn start(&mut self) -> String {
        assert_eq!(self.next("connected").await.0["version"], "1.0.0");
        let start = self.next("start").await.0;
        assert_eq!(start["start"]["customParameters"]["callId"], "c_1");
        start["streamSid"].as_str().unwrap().to_string()
    }

    pub fn send(&self, frame: &Value) {
        self.to_twilio
            .send(Message::text(frame.to_string()))
            .unwrap();
    }

    pub fn say(&self, stream: &str, audio: &[u8], mark: &str) {
        let payload = STANDARD.encode(audio);
        self.send(&json!({"event": "media", "streamSid": stream, "media": {"payload": payload}}));
        self.send(&json!({"event": "mark", "streamSid": stream, "mark": {"name": mark}}));
    }
}
