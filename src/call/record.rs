//! What must survive of a call when its memory is lost: the snapshot in storage.

use super::events::Log;
use super::request::CallRequest;
use crate::json;
use crate::order::state::OrderState;
use crate::order::transcript::Transcript;
use crate::realtime::usage::Usage;
use crate::twilio::sid::CallSid;
use crate::twilio::webhook::CallStatus;
use serde::{Deserialize, Serialize};

/// Form of the snapshot; rises when an old one could be misread.
pub const VERSION: u32 = 3;
/// The oldest form that is still read.
const OLDEST_VERSION: u32 = 2;

/// Everything about a call that matters after it. Times are milliseconds since the Unix epoch.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Record {
    /// [`VERSION`] at the time of writing.
    pub version: u32,
    /// The call.
    pub sid: CallSid,
    /// What the API asked for; none for a call that came to us.
    pub request: Option<CallRequest>,
    /// Unguessable part of the URL of the media stream that may be opened; empty once it was, since a
    /// token works once.
    pub stream_token: String,
    /// Whether a stream was ever opened.
    pub stream_claimed: bool,
    /// How often Twilio was told to open one.
    #[serde(default)]
    pub streams: u32,
    /// The stream that runs, or ran last.
    #[serde(default)]
    pub stream: Option<StreamStart>,
    /// Larger with every stream and every restart: at least its age in tenths of a second.
    #[serde(default)]
    pub lives: u32,
    /// When the call was placed, or came.
    pub placed_at: u64,
    /// When it was answered.
    pub answered_at: Option<u64>,
    /// When it was over.
    pub ended_at: Option<u64>,
    /// The order as it stands.
    pub order: OrderState,
    /// What was heard.
    pub transcript: Transcript,
    /// Tokens used.
    pub usage: Usage,
    /// When the disclosure had been heard.
    pub disclosed_at: Option<u64>,
    /// Why the model ended the call before the total was confirmed, in its words.
    #[serde(default)]
    pub gave_up: Option<String>,
    /// Why the line ended, once it is ending.
    pub end_reason: Option<EndReason>,
    /// What became of handing the call to a human.
    pub handoff: Handoff,
    /// When Twilio was told to dial the human.
    pub handoff_at: Option<u64>,
    /// How dialling ended, when nobody answered.
    pub never_connected: Option<CallStatus>,
    /// Numbers about the call.
    pub metrics: Metrics,
    /// Whether the outcome was written.
    pub finished: bool,
    /// The shop asked not to be called again; whether the order was complete by then.
    #[serde(default)]
    pub do_not_call: Option<bool>,
    /// What happened, in order.
    #[serde(default)]
    pub events: Log,
}

/// Where a media stream begins.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StreamStart {
    /// Its SID.
    pub sid: String,
    /// When its `start` came.
    pub at: u64,
}

/// Why the line ended.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// The agent said goodbye.
    Goodbye,
    /// The shop hung up.
    ShopHungUp,
    /// The shop stayed silent.
    Silence,
    /// The call had lasted as long as it may.
    TimeLimit,
    /// The call had cost as much as it may.
    CostLimit,
    /// The media stream broke.
    MediaLost,
    /// The model could not be reached.
    ModelLost,
    /// A human took over, or should have.
    Handoff,
    /// A human was needed, and none was there to take over.
    NoHandoff,
    /// The shop asked not to be called again.
    DoNotCall,
    /// The call never connected.
    NotConnected,
    /// The process lost the call.
    Crashed,
}

impl EndReason {
    /// As one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Goodbye => "goodbye",
            Self::ShopHungUp => "shop_hung_up",
            Self::Silence => "silence",
            Self::TimeLimit => "time_limit",
            Self::CostLimit => "cost_limit",
            Self::MediaLost => "media_lost",
            Self::ModelLost => "model_lost",
            Self::Handoff => "handoff",
            Self::NoHandoff => "no_handoff",
            Self::DoNotCall => "do_not_call",
            Self::NotConnected => "not_connected",
            Self::Crashed => "crashed",
        }
    }
}

/// What became of handing the call to a human.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Handoff {
    /// Not asked for.
    #[default]
    None,
    /// Twilio is to dial the human when it asks what to do.
    Pending,
    /// Twilio was told to dial.
    Dialling,
    /// The human talked to the shop.
    Reached,
    /// The human did not answer.
    Failed,
}

/// Numbers about a call.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Metrics {
    /// From the start of the stream to the agent's first audio, in ms.
    pub first_audio_ms: Option<u64>,
    /// From the shop's last sound to the agent's next audio, in ms, turn by turn.
    pub response_ms: Vec<u64>,
    /// The sounds of the shop that stopped the agent.
    pub interruptions: Vec<Interruption>,
    /// How often the model was lost and reached again.
    pub reconnects: u32,
    /// How often the agent had to ask whether anybody is there.
    pub silence_prompts: u32,
}

/// A sound of the shop that stopped the agent.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Interruption {
    /// When, in ms since the answer.
    pub at_ms: u64,
    /// Who heard it first.
    pub detector: Detector,
    /// From the first sound, as far as the detector can tell, to the `clear`, in ms.
    pub onset_to_clear_ms: Option<u64>,
    /// How much of the agent's item had been heard, in ms.
    pub heard_ms: u64,
    /// How much was still to play, in ms.
    pub rest_ms: u64,
    /// The agent went on where it had stopped.
    pub resumed: bool,
    /// By how much later than the phone's marks tell the model was told the agent was cut off, in ms.
    pub truncation_error_ms: Option<i64>,
    /// How long the phone played on after the `clear` was sent, by its marks, in ms.
    pub stale_ms: Option<u64>,
}

/// Who hears the shop speak.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Detector {
    /// Ours.
    Local,
    /// The model's.
    Model,
}

impl Detector {
    /// As one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Model => "model",
        }
    }
}

/// The most entries a list of metrics keeps.
pub const MAX_METRICS: usize = 200;

impl Record {
    /// A call that was just placed, or came.
    pub fn new(
        sid: CallSid,
        request: Option<CallRequest>,
        stream_token: String,
        placed_at: u64,
    ) -> Self {
        Self {
            version: VERSION,
            sid,
            request,
            stream_token,
            stream_claimed: false,
            streams: 0,
            stream: None,
            lives: 0,
            placed_at,
            answered_at: None,
            ended_at: None,
            order: OrderState::default(),
            transcript: Transcript::default(),
            usage: Usage::default(),
            disclosed_at: None,
            gave_up: None,
            end_reason: None,
            handoff: Handoff::None,
            handoff_at: None,
            never_connected: None,
            metrics: Metrics::default(),
            finished: false,
            do_not_call: None,
            events: Log::default(),
        }
    }

    /// Reads a snapshot of this form or an older one; nothing if it is neither.
    pub fn parse(snapshot: &str) -> Option<Self> {
        let mut record: Self = json::read(snapshot)?;
        let version = std::mem::replace(&mut record.version, VERSION);
        (OLDEST_VERSION..=VERSION)
            .contains(&version)
            .then_some(record)
    }

    /// Milliseconds since the answer.
    pub fn at_ms(&self, now: u64) -> u64 {
        now.saturating_sub(self.answered_at.unwrap_or(now))
    }
}
