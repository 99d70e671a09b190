//! What the ledger tells: what to send, what was heard, and where it was cut off.

/// The marks to send around a piece of audio.
#[derive(Debug, Eq, PartialEq)]
pub struct Marks {
    /// In front, when the phone was not playing: comes back at once.
    pub before: Option<String>,
    /// Behind, unless the audio is so short that more should come first.
    pub after: Option<String>,
}

/// A piece of audio to send again.
#[derive(Debug, Eq, PartialEq)]
pub struct Again {
    /// The marks around it.
    pub marks: Marks,
    /// μ-law.
    pub audio: Vec<u8>,
    /// When it starts to play, by estimate; nothing when it follows the piece before it.
    pub starts_at: Option<u64>,
}

/// What was held back, to go on with.
#[derive(Debug, Default, Eq, PartialEq)]
pub struct Resumed {
    /// What to send, oldest first.
    pub again: Vec<Again>,
    /// What may have been skipped.
    pub doubts: Vec<Doubt>,
}

/// A part of an item that nobody may have heard, although what is behind it is heard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Doubt {
    /// The item.
    pub item_id: String,
    /// Bytes of it.
    pub bytes: std::ops::Range<u64>,
}

/// Proof that an item was heard so far.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heard {
    /// The item.
    pub item_id: String,
    /// Bytes of it that have played.
    pub bytes: u64,
}

/// An item that was cut off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cut {
    /// The item.
    pub item_id: String,
    /// Milliseconds of it that were heard, by estimate; never more than were received.
    pub heard_ms: u64,
    /// Milliseconds of it that were received.
    pub received_ms: u64,
}

/// How the phone stopped when it was told to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stop {
    /// How long it played on after it was told, in ms: `clear` takes its time.
    pub stale_ms: u64,
    /// By how much later the model was told that the agent was cut off, in ms.
    pub error_ms: Option<i64>,
}

/// Where the agent was when it was stopped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Place {
    /// The item.
    pub item_id: String,
    /// Bytes of it that had played, by estimate.
    pub bytes: u64,
    /// Milliseconds that were still to play.
    pub rest_ms: u64,
}
