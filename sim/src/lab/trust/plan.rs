//! A conversation before it is held: its lines, what each means, and how the call must end.

use super::ears::Writing;
use super::far_end::{Act, When};
use super::order::Fact;
use super::speech::Spoken;
use crate::clips::Clips;
use crate::scenario::{Scenario, ToolCall};
use crate::virtual_time::Delays;
use serde_json::{Value, json};
use std::collections::HashMap;

/// Where the disclosure stands among the facts.
pub(super) const DISCLOSURE: &str = "/disclosure";

/// What a line of the shop means, by the script.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Means {
    /// Agrees to all that the agent has said since the shop's last line.
    Affirms,
    /// Takes note, without plainly agreeing.
    Notes,
    /// Rejects what stands at places that begin so.
    Denies(String),
    /// Says it itself.
    Says(Fact),
    /// States the total, in cents.
    Total(u64),
    /// The same, and whether it was understood is a matter of luck.
    TotalUnclear(u64),
    Subtotal(u64),
    /// The total stated before no longer stands.
    NoTotal,
    /// No order.
    Cancels,
    /// What it means for what was said before is a matter of taste.
    Unclear,
}

/// How the call must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Confirmed,
    /// Anything else.
    NotConfirmed,
    /// Both would be true.
    Either,
}

/// A line of the shop.
#[derive(Clone, Debug)]
pub(super) struct Says {
    pub(super) text: String,
    /// What the transcription writes, where that is something else.
    pub(super) written: Option<String>,
    pub(super) writing: Option<Writing>,
    pub(super) means: Vec<Means>,
    pub(super) is_noise: bool,
}

/// The shop says this.
pub(super) fn says(text: impl Into<String>, means: Vec<Means>) -> Says {
    Says {
        text: text.into(),
        written: None,
        writing: None,
        means,
        is_noise: false,
    }
}

impl Says {
    pub(super) fn written_as(mut self, written: impl Into<String>) -> Self {
        self.written = Some(written.into());
        self
    }

    pub(super) fn written_after(mut self, ms: u64, copies: usize) -> Self {
        self.writing = Some(Writing { ms, copies });
        self
    }
}

/// A line, of whichever side.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) id: String,
    pub(super) spoken: Spoken,
    /// The shop's: what is written down.
    pub(super) written: String,
    pub(super) means: Vec<Means>,
}

/// The conversation, ready to be held.
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) scenario: Scenario,
    pub(super) clips: Clips,
    pub(super) transcripts: Clips,
    pub(super) writings: HashMap<String, Writing>,
    pub(super) lines: Vec<Line>,
    pub(super) steps: Vec<(When, Act)>,
    pub(super) delays: Delays,
    pub(super) end: End,
    /// In cents.
    pub(super) max_total: Option<u64>,
}

/// A tool call.
pub(super) fn call(name: &str, arguments: Value) -> ToolCall {
    ToolCall {
        name: name.to_owned(),
        arguments,
    }
}

/// The recording of a total, in cents.
pub(super) fn total_call(subtotal: u64, total: u64) -> ToolCall {
    let dollars = |cents: u64| cents as f64 / 100.0;
    let arguments = json!({"subtotal": dollars(subtotal), "total": dollars(total)});
    call("confirm_total", arguments)
}
