//! What a call wants done.

use super::outcome::Status;
use crate::realtime::prices::MicroDollars;
use crate::twilio::number::E164;
use serde::Serialize;

/// Something to do, in this order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Look for the audio of a line: [`super::input::Input::Line`], if there is any.
    LoadLine {
        /// Where it is kept.
        key: String,
    },
    /// Keep the audio of a line for later calls.
    KeepLine {
        /// Where.
        key: String,
        /// μ-law.
        audio: Vec<u8>,
    },
    /// Send this text frame to Twilio.
    Phone(String),
    /// Close the media socket: Twilio then asks `/twilio/stream-ended` what to do.
    ClosePhone,
    /// Open a socket to the model; earlier ones are dead.
    ConnectModel {
        /// Number of the socket.
        socket: u32,
    },
    /// Send this event to the model.
    Model(String),
    /// Close the socket to the model.
    CloseModel,
    /// End the call by REST.
    HangUp,
    /// Keep this snapshot.
    Save(String),
    /// Write this log line.
    Log(LogLine),
    /// The call is over, and this is its outcome. Comes once.
    Outcome(Finished),
}

/// The outcome of a call, and what a list of calls shows of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Finished {
    /// How the call ended.
    pub status: Status,
    /// The outcome as JSON.
    pub json: String,
    /// Metadata for listings, as JSON; nothing private.
    pub summary: String,
    /// What the call cost.
    pub cost: MicroDollars,
    /// Whether somebody picked up.
    pub reached: bool,
    /// The shop's number, if it asked not to be called again.
    pub suppress: Option<E164>,
    /// The events that the outcome follows from, one a line.
    pub events: String,
    /// Where the request wants it sent.
    pub callback_url: Option<String>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A failure of ours.
    Error,
    /// A failure of others.
    Warn,
    /// A step of a call.
    Info,
    /// A detail.
    Debug,
}

/// A log line. Its parts are words of this program and numbers, so that nothing said or written by
/// anybody can get into a log.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LogLine {
    /// How bad it is.
    pub level: Severity,
    /// What happened.
    pub event: &'static str,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<&'static str>,
    /// A number that belongs to it: a code, a count, milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u64>,
}

impl LogLine {
    /// A step of a call.
    pub fn info(event: &'static str) -> Self {
        Self {
            level: Severity::Info,
            event,
            what: None,
            n: None,
        }
    }

    /// A failure of others.
    pub fn warn(event: &'static str) -> Self {
        Self {
            level: Severity::Warn,
            ..Self::info(event)
        }
    }

    /// A failure of ours.
    pub fn error(event: &'static str) -> Self {
        Self {
            level: Severity::Error,
            ..Self::info(event)
        }
    }

    /// A detail.
    pub fn debug(event: &'static str) -> Self {
        Self {
            level: Severity::Debug,
            ..Self::info(event)
        }
    }

    /// With a word.
    #[must_use]
    pub fn what(mut self, what: &'static str) -> Self {
        self.what = Some(what);
        self
    }

    /// With a number.
    #[must_use]
    pub fn n(mut self, n: u64) -> Self {
        self.n = Some(n);
        self
    }
}
