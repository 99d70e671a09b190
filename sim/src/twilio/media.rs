//! The socket and the clock of a media stream (`protocols.md` §2.9); what goes over it is
//! `stream.rs`.

use super::call::Order;
use super::leg::Leg;
use super::shop::{Deed, FarEnd};
use super::signature::sign;
use super::stream::{self, Effects, TICK_MS};
use super::twiml::Stream;
use super::webhook::{Form, put};
use super::wire::Frames;
use super::{date, storm};
use crate::fault::{self, Fault, Victim};
use crate::timeline::What;
use futures_util::{SinkExt, StreamExt};
use orderline::audio::ulaw;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};
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
/// After so long without a sign of life from the bridge's machine, its stream is given up.
const HALF_OPEN: Duration = Duration::from_secs(8);
/// Frames that still come after `stop`, in [`Fault::FramesAfterStop`].
const FRAMES_TOO_MANY: usize = 50;

/// A media socket, from Twilio's side.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Why a stream ended.
#[derive(Debug)]
pub enum StreamEnd {
    /// The bridge closed the socket, or never opened it.
    ByBridge,
    /// The shop hung up.
    ByShop,
    /// The line was lost, and the socket with it.
    LineLost,
    /// The socket was lost; the line is as it was.
    SocketLost,
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
        url: stream.url.clone(),
        victim: leg.call.play.faults.stream.victim(),
        deaf_until: None,
        cut_since: None,
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
        StreamEnd::SocketLost => session.reset(),
        StreamEnd::ByBridge | StreamEnd::LineLost => drop(session),
    }
    leg.call.push(What::StreamStopped);
    report(leg, stream, stream_sid, "stream-stopped", "");
    end
}

/// Opens a media socket as Twilio does.
pub async fn open(url: &str, auth_token: &str) -> Result<Socket, String> {
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
    url: String,
    victim: Option<Victim>,
    /// Nothing is read from the socket until then.
    deaf_until: Option<Instant>,
    /// Nothing passes on the socket any more.
    cut_since: Option<Instant>,
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
                fault = fault::next(&mut self.victim) => self.suffer(leg, fault).await,
                _ = ticks.tick() => self.tick(leg).await,
                message = self.socket.next(), if self.reads() => self.receive(leg, message).await,
            };
            if let Some(end) = end {
                return end;
            }
        }
    }

    async fn tick(&mut self, leg: &mut Leg) -> Option<StreamEnd> {
        let effects = self.stream.tick(&mut leg.shop, &leg.recording);
        let deed = effects.deed.clone();
        if self
            .cut_since
            .is_some_and(|since| since.elapsed() > HALF_OPEN)
        {
            return Some(StreamEnd::SocketLost);
        }
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

    fn reads(&self) -> bool {
        self.cut_since.is_none() && self.deaf_until.is_none_or(|until| until <= Instant::now())
    }

    async fn suffer(&mut self, leg: &Leg, fault: Fault) -> Option<StreamEnd> {
        leg.call.push(What::Fault {
            fault: fault.name(),
        });
        match fault {
            Fault::StreamLost => return Some(StreamEnd::SocketLost),
            Fault::StreamHalfOpen => self.cut_since = Some(Instant::now()),
            Fault::StreamNotRead { ms } => {
                self.deaf_until = Some(Instant::now() + Duration::from_millis(ms));
            }
            Fault::Panic => {
                let tone = self.stream.frames.dtmf("D");
                self.send(tone).await;
            }
            Fault::FramesAfterStop => {
                self.talk_on_after_stop().await;
                return Some(StreamEnd::ByShop);
            }
            other => storm::begin(&leg.twilio, &leg.call, &self.url, other),
        }
        None
    }

    async fn talk_on_after_stop(&mut self) {
        let frames = &mut self.stream.frames;
        let mut late = vec![frames.stop()];
        late.extend((0..FRAMES_TOO_MANY).map(|_| frames.media(&[ulaw::SILENCE; 160])));
        late.extend([frames.mark("late"), frames.dtmf("1"), frames.stop()]);
        late.push(frames.start(&std::collections::BTreeMap::new()));
        for frame in late {
            self.send(frame).await;
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
        if self.cut_since.is_some() {
            return true;
        }
        timeout(STALLED, self.socket.send(Message::text(frame)))
            .await
            .is_ok()
    }

    /// The connection ends with a reset: no closing frame, and nothing that was on its way.
    fn reset(self) {
        if let MaybeTlsStream::Plain(connection) = self.socket.get_ref() {
            let _ = connection.set_zero_linger();
        }
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
