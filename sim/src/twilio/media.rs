//! The socket and the clock of a media stream (`protocols.md` §2.9); what goes over it is
//! `stream.rs`.

use super::call::Order;
use super::date;
use super::leg::Leg;
use super::shop::{Deed, FarEnd};
use super::signature::sign;
use super::stream::{self, Effects, TICK_MS};
use super::twiml::Stream;
use super::webhook::{Form, put};
use super::wire::Frames;
use crate::timeline::What;
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async_with_config};

const TICK: Duration = Duration::from_millis(TICK_MS);
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A bridge that takes nothing for so long is not reading.
const STALLED: Duration = Duration::from_secs(5);
/// How long the bridge may take to answer our closing frame.
const GOODBYE: Duration = Duration::from_secs(1);
/// How long its own closing waits for the end of the connection.
const LEAVE: Duration = Duration::from_millis(200);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a stream ended.
#[derive(Debug)]
pub enum StreamEnd {
    /// The bridge closed the socket, or never opened it.
    ByBridge,
    /// The shop hung up.
    ByShop,
    /// The line was lost, and the socket with it.
    LineLost,
    /// REST or the clock wanted something else.
    Ordered(Order),
}

/// Opens the stream and plays it to its end.
pub async fn run(leg: &mut Leg, stream: &Stream, stream_sid: &str) -> StreamEnd {
    let opened = tokio::select! {
        biased;
        order = leg.orders.recv() => return StreamEnd::Ordered(order.unwrap_or(Order::HangUp)),
        opened = open(&stream.url, &leg.twilio.config.auth_token) => opened,
    };
    let socket = match opened {
        Ok(socket) => socket,
        Err(error) => {
            leg.call.violation(error.clone());
            report(leg, stream, stream_sid, "stream-error", &error);
            return StreamEnd::ByBridge;
        }
    };
    let call = &leg.call;
    let frames = Frames::new(&call.account_sid, &call.sid, stream_sid);
    let mut session = Session {
        socket,
        stream: stream::Stream::new(frames),
    };
    session.send(Frames::connected()).await;
    let start = session.stream.frames.start(&stream.parameters);
    session.send(start).await;
    leg.call.push(What::StreamStarted);
    report(leg, stream, stream_sid, "stream-started", "");
    leg.recording.catch_up();
    let end = session.play(leg).await;
    for event in leg.shop.cut_off() {
        leg.call.push(event);
    }
    match end {
        // The frame `stop` is the network's farewell; a lost line has none.
        StreamEnd::ByShop | StreamEnd::Ordered(_) => session.stop().await,
        StreamEnd::ByBridge | StreamEnd::LineLost => drop(session),
    }
    leg.call.push(What::StreamStopped);
    report(leg, stream, stream_sid, "stream-stopped", "");
    end
}

async fn open(url: &str, auth_token: &str) -> Result<Socket, String> {
    let mut request = url
        .into_client_request()
        .map_err(|error| format!("31920 {url}: {error}"))?;
    let signature = HeaderValue::from_str(&sign(auth_token, url, &[]));
    let signature = signature.map_err(|error| error.to_string())?;
    // The name arrives in lower case (`protocols.md` §2.7).
    request
        .headers_mut()
        .insert("x-twilio-signature", signature);
    request
        .headers_mut()
        .insert("user-agent", HeaderValue::from_static("Twilio.TmeWs/1.0"));
    match timeout(HANDSHAKE, connect_async_with_config(request, None, true)).await {
        Ok(Ok((socket, _))) => Ok(socket),
        Ok(Err(Error::Http(response))) => Err(format!(
            "31920 the stream's handshake was answered {}",
            response.status()
        )),
        Ok(Err(error)) => Err(format!("31920 the stream did not open: {error}")),
        Err(_) => Err("31901 the stream did not open in time".into()),
    }
}

/// Sends a stream status callback, when one is asked for.
fn report(leg: &Leg, stream: &Stream, stream_sid: &str, event: &str, error: &str) {
    let Some(request) = stream.status_callback.clone() else {
        return;
    };
    let mut form = Form::new();
    put(&mut form, "AccountSid", leg.call.account_sid.clone());
    put(&mut form, "CallSid", leg.call.sid.clone());
    put(&mut form, "StreamSid", stream_sid);
    put(
        &mut form,
        "StreamName",
        stream.name.clone().unwrap_or_default(),
    );
    put(&mut form, "StreamEvent", event);
    if !error.is_empty() {
        put(&mut form, "StreamError", error);
    }
    put(&mut form, "Timestamp", date::iso8601(date::now()));
    let (webhooks, call) = (leg.twilio.webhooks.clone(), leg.call.clone());
    tokio::spawn(async move {
        if let Err(error) = webhooks.send(&request, &form).await {
            call.violation(format!("stream status callback: {error}"));
        }
    });
}

struct Session {
    socket: Socket,
    stream: stream::Stream,
}

impl Session {
    async fn play(&mut self, leg: &mut Leg) -> StreamEnd {
        // From a fixed start, and late ticks are made up for: no drift.
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        loop {
            let end = tokio::select! {
                biased;
                order = leg.orders.recv() => Some(StreamEnd::Ordered(order.unwrap_or(Order::HangUp))),
                _ = ticks.tick() => self.tick(leg).await,
                message = self.socket.next() => self.receive(leg, message).await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn tick(&mut self, leg: &mut Leg) -> Option<StreamEnd> {
        let effects = self.stream.tick(&mut leg.shop, &leg.recording);
        let deed = effects.deed.clone();
        if !self.perform(leg, effects).await {
            leg.call
                .violation("31930 the bridge does not read its stream".into());
            return Some(StreamEnd::ByBridge);
        }
        match deed? {
            Deed::Press(_) => None,
            Deed::HangUp => Some(StreamEnd::ByShop),
            Deed::LineDrops => Some(StreamEnd::LineLost),
        }
    }

    async fn receive(
        &mut self,
        leg: &mut Leg,
        message: Option<Result<Message, Error>>,
    ) -> Option<StreamEnd> {
        match message {
            Some(Ok(Message::Text(text))) => {
                let effects = self.stream.receive(&text, &mut leg.shop);
                self.perform(leg, effects).await;
            }
            Some(Ok(Message::Binary(_))) => {
                leg.call.violation("31950 binary message".into());
            }
            Some(Ok(Message::Close(_))) => {
                self.drain(LEAVE).await;
                return Some(StreamEnd::ByBridge);
            }
            Some(Ok(_)) => {}
            Some(Err(error)) => {
                leg.call
                    .violation(format!("31903 the bridge dropped the stream: {error}"));
                return Some(StreamEnd::ByBridge);
            }
            None => return Some(StreamEnd::ByBridge),
        }
        None
    }

    /// False when the bridge does not read.
    async fn perform(&mut self, leg: &Leg, effects: Effects) -> bool {
        for event in effects.events {
            leg.call.push(event);
        }
        let mut taken = true;
        for frame in effects.echoes.into_iter().chain(effects.frames) {
            taken = taken && self.send(frame).await;
        }
        taken
    }

    /// False when the bridge does not take it; a closed socket shows when it is read.
    async fn send(&mut self, frame: String) -> bool {
        timeout(STALLED, self.socket.send(Message::text(frame)))
            .await
            .is_ok()
    }

    async fn stop(mut self) {
        let stop = self.stream.frames.stop();
        self.send(stop).await;
        let _ = timeout(GOODBYE, self.socket.close(None)).await;
        self.drain(GOODBYE).await;
    }

    /// Reads on until the closing handshake is done, which also sends our part of it.
    async fn drain(&mut self, limit: Duration) {
        let rest = async { while let Some(Ok(_)) = self.socket.next().await {} };
        let _ = timeout(limit, rest).await;
    }
}
