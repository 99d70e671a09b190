//! What happened on one simulated call, in order: the source of the live display, the picture,
//! and the checks. The simulated Twilio and the simulated Realtime server both write to it.

use serde::Serialize;
use std::sync::{Arc, Mutex};
use std::time::Instant;
use tokio::sync::broadcast;

/// One thing that happened, `ms` after the call was placed.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    /// Milliseconds since the timeline was created (the call was placed).
    pub ms: u64,
    /// What happened.
    #[serde(flatten)]
    pub what: What,
}

/// What can happen on a call.
#[derive(Clone, Debug, Serialize, PartialEq)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// Twilio accepted the call and dials.
    Dialled { to: String },
    /// The shop's phone rings.
    Ringing,
    /// Somebody picked up.
    Answered,
    /// The media stream is open, `start` sent.
    StreamStarted,
    /// The media stream ended.
    StreamStopped,
    /// The shop starts to say a line.
    ShopSpeaks {
        line: String,
        text: String,
        duration_ms: u64,
    },
    /// A line of the agent starts to play on the phone; `line` is empty while it is not yet recognised.
    AgentSpeaks { line: String, text: String },
    /// The agent's audio stopped: it ended by itself, or was cut by `clear`. Of the line, from its
    /// beginning to there, `missed_ms` never arrived.
    AgentStopped {
        line: String,
        played_ms: u64,
        missed_ms: u64,
        cut: bool,
    },
    /// The bridge's first audio on this media stream arrived.
    FirstAudio,
    /// The agent pressed a key: its tones were played.
    AgentPresses { key: char },
    /// The bridge sent `clear`; so much queued audio was thrown away.
    Cleared { dropped_ms: u64 },
    /// The shop pressed a key.
    Dtmf { digit: String },
    /// `<Say>` in TwiML: the network's own voice.
    NetworkSays { text: String },
    /// `<Dial>` in TwiML.
    Dials { number: String },
    /// The model called a tool.
    Tool { name: String, arguments: String },
    /// The bridge answered a tool call.
    ToolResult { name: String, output: String },
    /// A Realtime session opened.
    ModelConnected,
    /// A Realtime session ended; `code` is the WebSocket close code where there was one.
    ModelClosed { code: Option<u16>, by_fault: bool },
    /// Something went wrong on purpose.
    Fault { fault: String },
    /// The bridge broke the protocol; every one fails the run.
    Violation { side: String, detail: String },
    /// The call is over; `by` is `shop`, `bridge` or `network`.
    Ended { by: String, status: String },
}

/// A shared, append-only record of one call.
#[derive(Clone)]
pub struct Timeline(Arc<Inner>);

struct Inner {
    clock: Clock,
    events: Mutex<Vec<Event>>,
    live: broadcast::Sender<Event>,
}

/// What tells the time.
enum Clock {
    /// The machine, since the start.
    Real(Instant),
    /// Whoever runs the call, in ms.
    Virtual(std::sync::atomic::AtomicU64),
}

impl Timeline {
    /// An empty timeline whose clock starts now.
    pub fn new() -> Self {
        Self::with(Clock::Real(Instant::now()))
    }

    /// An empty timeline whose clock stands at 0 until [`Self::set_ms`].
    pub fn virtual_time() -> Self {
        Self::with(Clock::Virtual(0.into()))
    }

    fn with(clock: Clock) -> Self {
        let (live, _) = broadcast::channel(1024);
        Self(Arc::new(Inner {
            clock,
            events: Mutex::default(),
            live,
        }))
    }

    /// Milliseconds since the start.
    pub fn ms(&self) -> u64 {
        match &self.0.clock {
            Clock::Real(start) => u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
            Clock::Virtual(ms) => ms.load(std::sync::atomic::Ordering::Relaxed),
        }
    }

    /// Moves a virtual clock; a real one goes by itself.
    pub fn set_ms(&self, now: u64) {
        if let Clock::Virtual(ms) = &self.0.clock {
            ms.store(now, std::sync::atomic::Ordering::Relaxed);
        }
    }

    /// Appends what just happened.
    pub fn push(&self, what: What) {
        let mut events = self.0.events.lock().unwrap();
        let event = Event {
            ms: self.ms(),
            what,
        };
        events.push(event.clone());
        let _ = self.0.live.send(event);
    }

    /// Everything so far.
    pub fn events(&self) -> Vec<Event> {
        self.0.events.lock().unwrap().clone()
    }

    /// From the `start` of the first media stream to the bridge's first audio on it, in ms.
    pub fn first_audio_ms(&self) -> Option<u64> {
        let events = self.events();
        let at = |wanted| events.iter().find(|event| event.what == wanted);
        let (start, audio) = (at(What::StreamStarted)?, at(What::FirstAudio)?);
        Some(audio.ms.saturating_sub(start.ms))
    }

    /// Events from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.live.subscribe()
    }
}
