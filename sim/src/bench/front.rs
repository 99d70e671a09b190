//! What a bridge finds at its peers' addresses: Twilio's REST, which takes every call, and a Realtime
//! server, whose sessions go to the [`Driver`]; and the handshake of a media stream.

use super::driver::Driver;
use super::phone::Phone;
use crate::twilio::sid;
use crate::twilio::signature::sign;
use crate::twilio::twiml::Stream;
use crate::twilio::webhook::Form;
use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sha1::{Digest, Sha1};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Longest head of a request or an answer, in bytes.
const MAX_HEAD: usize = 16_384;
const PATIENCE: Duration = Duration::from_secs(10);
/// RFC 6455 §1.3.
const ACCEPT: &str = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/// Serves until it is dropped.
pub struct Front {
    /// Without a slash at the end.
    pub url: String,
    placed: Arc<Mutex<HashMap<String, Form>>>,
    task: JoinHandle<()>,
}

impl Front {
    /// Listens on a port of its own.
    pub async fn start(driver: Arc<Driver>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let placed = Arc::<Mutex<HashMap<_, _>>>::default();
        let calls = Arc::clone(&placed);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&driver), Arc::clone(&calls)));
            }
        });
        Ok(Self { url, placed, task })
    }

    /// What the bridge wanted of this call.
    pub fn placed(&self, call_sid: &str) -> Option<Form> {
        let placed = self.placed.lock().unwrap_or_else(PoisonError::into_inner);
        placed.get(call_sid).cloned()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    driver: Arc<Driver>,
    placed: Arc<Mutex<HashMap<String, Form>>>,
) -> anyhow::Result<()> {
    let mut bytes = Vec::new();
    loop {
        let head = Head::read(&mut stream, &mut bytes).await?;
        if let Some(key) = head.value("sec-websocket-key") {
            let accept = STANDARD.encode(Sha1::digest(format!("{key}{ACCEPT}")));
            // One of the protocols offered, where any are, or clients refuse.
            let protocol = head
                .value("sec-websocket-protocol")
                .and_then(|all| all.split(',').next());
            let protocol =
                protocol.map(|one| format!("Sec-WebSocket-Protocol: {}\r\n", one.trim()));
            let answer = format!(
                "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                 Sec-WebSocket-Accept: {accept}\r\n{}\r\n",
                protocol.unwrap_or_default()
            );
            stream.write_all(answer.as_bytes()).await?;
            driver.model(stream.into_std()?, bytes);
            return Ok(());
        }
        let length = head
            .value("content-length")
            .and_then(|length| length.parse().ok());
        let length: usize = length.unwrap_or(0);
        while bytes.len() < length {
            if stream.read_buf(&mut bytes).await? == 0 {
                bail!("a body that is cut off");
            }
        }
        let rest = bytes.split_off(length);
        let body = std::mem::replace(&mut bytes, rest);
        let (status, answer) =
            if head.first.starts_with("POST") && head.first.contains("/Calls.json") {
                let form: Form = url::form_urlencoded::parse(&body).into_owned().collect();
                let call_sid = sid::new("CA");
                let answer = json!({"sid": call_sid, "status": "queued"});
                let mut placed = placed.lock().unwrap_or_else(PoisonError::into_inner);
                placed.insert(call_sid, form);
                ("201 Created", answer)
            } else {
                ("200 OK", json!({"status": "completed"}))
            };
        let answer = answer.to_string();
        let answer = format!(
            "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{answer}",
            answer.len()
        );
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Opens a media stream as Twilio does, and gives it to the driver.
pub async fn open(
    driver: &Driver,
    stream: &Stream,
    call_sid: &str,
    account_sid: &str,
    auth_token: &str,
) -> anyhow::Result<()> {
    let url = url::Url::parse(&stream.url)?;
    let (host, port) = (
        url.host_str().context("no host")?,
        url.port_or_known_default().context("no port")?,
    );
    let mut socket = TcpStream::connect((host, port)).await?;
    let target = url.query().map_or(url.path().to_owned(), |query| {
        format!("{}?{query}", url.path())
    });
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         User-Agent: Twilio.TmeWs/1.0\r\nx-twilio-signature: {}\r\n\r\n",
        sign(auth_token, &stream.url, &[])
    );
    socket.write_all(request.as_bytes()).await?;
    let mut rest = Vec::new();
    let head = timeout(PATIENCE, Head::read(&mut socket, &mut rest)).await;
    let head = head.context("the stream did not open in time")??;
    if !head.first.contains(" 101 ") {
        bail!("the stream was answered: {}", head.first);
    }
    let phone = Phone::open(account_sid, call_sid, &sid::new("MZ"), &stream.parameters);
    driver.phone(socket.into_std()?, rest, phone);
    Ok(())
}

/// The head of a request or of an answer.
struct Head {
    first: String,
    values: Vec<(String, String)>,
}

impl Head {
    /// Leaves in `bytes` what comes behind it.
    async fn read(stream: &mut TcpStream, bytes: &mut Vec<u8>) -> anyhow::Result<Self> {
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break at;
            }
            if bytes.len() > MAX_HEAD || stream.read_buf(bytes).await? == 0 {
                bail!("no request");
            }
        };
        let rest = bytes.split_off(end + 4);
        let head = String::from_utf8_lossy(bytes).into_owned();
        *bytes = rest;
        let mut lines = head.split("\r\n");
        let first = lines.next().unwrap_or_default().to_owned();
        let pair = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        Ok(Self {
            first,
            values: lines.filter_map(pair).collect(),
        })
    }

    fn value(&self, name: &str) -> Option<&str> {
        let found = self.values.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}
