//! What is sent to the phone: a piece of audio with its mark, and where it plays by estimate.

/// A piece of audio and the mark behind it; without audio, only a mark.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) item_id: String,
    /// Bytes of the item before this piece, and of it.
    pub(super) from: u64,
    pub(super) length: u64,
    /// μ-law; what was sent again later is there.
    pub(super) audio: Vec<u8>,
    pub(super) mark: u64,
    /// When it was sent, and when it starts to play; in samples.
    pub(super) sent_at: u64,
    pub(super) starts_at: u64,
}

impl Piece {
    pub(super) fn to(&self) -> u64 {
        self.from.saturating_add(self.length)
    }

    pub(super) fn ends_at(&self) -> u64 {
        self.starts_at.saturating_add(self.length)
    }

    /// Bytes of it that have played at this time.
    pub(super) fn played(&self, at: u64) -> u64 {
        at.saturating_sub(self.starts_at).min(self.length)
    }
}
