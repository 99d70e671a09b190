//! What is held back while it is undecided whether the agent goes on, and where the phone stopped.
//!
//! The phone answers `clear` with the marks of all it throws away, at one moment. One that comes before
//! its audio can have played is such an answer, and tells when the phone stopped; those before it, in
//! the order of the audio, tell what had played by then. A mark may be late, and holds up those behind
//! it: then they say less, and the pieces between bound what they leave open.

use super::{BYTES_PER_MS, Cut, Doubt, FRAME, Piece, REPEAT};

/// How much longer than the way can take the mark of a `clear` may be, in samples.
const LATE_STOP: u64 = FRAME;

/// Audio held back. Times are in samples of the stream's clock.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) generation: u32,
    /// When the phone was told to stop, when that came on the quickest way, and when it stopped.
    pub(super) told_at: u64,
    expected_at: u64,
    pub(super) stopped_at: u64,
    /// It cannot have stopped before this.
    pub(super) not_before: u64,
    /// By how much the way varies, once that is known.
    pub(super) spread: Option<u64>,
    /// The phone has told when it stopped.
    is_exact: bool,
    /// It has told when it began.
    pub(super) observed: bool,
    /// It always takes the same time.
    pub(super) is_steady: bool,
    /// Thrown away by the phone, oldest first, and where each piece starts.
    pub(super) flushed: Vec<Piece>,
    /// Echoes of their marks as they came: which piece, and when.
    echoes: Vec<(usize, u64)>,
    /// Came since.
    pub(super) kept: Vec<Piece>,
    pub(super) kept_bytes: usize,
}

impl Held {
    /// From a time in ms on, when `clear` comes to the phone at `expected_at`.
    pub(super) fn new(generation: u32, now: u64, expected_at: u64) -> Self {
        Self {
            generation,
            told_at: now.saturating_mul(BYTES_PER_MS),
            expected_at,
            stopped_at: expected_at,
            not_before: 0,
            spread: None,
            is_exact: false,
            observed: false,
            is_steady: false,
            flushed: Vec::new(),
            echoes: Vec::new(),
            kept: Vec::new(),
            kept_bytes: 0,
        }
    }

    /// All its times but those that the phone has told.
    pub(super) fn estimates(&mut self) -> Vec<&mut u64> {
        let mut times = vec![
            &mut self.told_at,
            &mut self.expected_at,
            &mut self.not_before,
        ];
        times.extend((!self.is_exact).then_some(&mut self.stopped_at));
        for piece in &mut self.flushed {
            times.push(&mut piece.sent_at);
            times.extend((!self.observed).then_some(&mut piece.starts_at));
        }
        times
    }

    /// All audio, oldest first.
    pub(super) fn take_pieces(&mut self) -> Vec<Piece> {
        self.flushed.drain(..).chain(self.kept.drain(..)).collect()
    }

    /// What was heard of each item, oldest first.
    pub(super) fn cuts(&self) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = Vec::new();
        for piece in self.flushed.iter().chain(&self.kept) {
            let played = if piece.mark == 0 {
                0
            } else {
                piece.played(self.stopped_at)
            };
            let heard_ms = piece.from.saturating_add(played) / BYTES_PER_MS;
            let received_ms = piece.to() / BYTES_PER_MS;
            match cuts.last_mut() {
                Some(cut) if cut.item_id == piece.item_id => {
                    if played > 0 {
                        cut.heard_ms = heard_ms;
                    }
                    cut.received_ms = received_ms;
                }
                _ => cuts.push(Cut {
                    item_id: piece.item_id.clone(),
                    heard_ms,
                    received_ms,
                }),
            }
        }
        cuts.retain(|cut| cut.heard_ms < cut.received_ms);
        cuts
    }

    /// Takes the echo of a mark that `clear` may have thrown away. How long the phone took to stop, if
    /// this tells.
    pub(super) fn echoed(&mut self, at: u64, mark: u64) -> Option<u64> {
        let index = self.flushed.iter().position(|piece| piece.mark == mark)?;
        self.echoes.push((index, at));
        let piece = self.flushed.get(index)?;
        if piece.audio.is_empty() && !self.observed {
            // The phone began here. Where everything takes the same time that was known, and a mark
            // that came later was late itself.
            self.observed = true;
            let began_at = piece.starts_at;
            if !self.is_steady || at < began_at {
                for piece in self.flushed.iter_mut().skip(index) {
                    piece.starts_at = piece.starts_at.saturating_add(at).saturating_sub(began_at);
                }
            }
            return None;
        }
        let was_exact = self.is_exact;
        self.place_stop();
        (!was_exact && self.is_exact).then(|| at.saturating_sub(self.told_at))
    }

    /// The first echo that tells of the stop, by its place among all.
    fn first_of_stop(&self) -> Option<usize> {
        self.echoes.iter().position(|(index, at)| {
            let piece = self.flushed.get(*index);
            piece.is_some_and(|piece| !piece.audio.is_empty() && at + FRAME < piece.ends_at())
        })
    }

    fn place_stop(&mut self) {
        let Some(first) = self.first_of_stop() else {
            return;
        };
        self.is_exact = true;
        // Without its beginning, the moment of its end alone would only disturb the estimate.
        if !self.observed {
            return;
        }
        let (before, told) = self.echoes.split_at(first);
        let at = told.first().map_or(self.stopped_at, |(_, at)| *at);
        if self.is_steady {
            self.stopped_at = self.stop_told(at);
            return;
        }
        // Up to where it had played, and when the newest mark came that was late and so says nothing.
        let (mut since, mut late_at) = (0, None);
        let is_held_up = |late_at: Option<u64>, at| late_at.is_some_and(|late| at <= late + FRAME);
        for (index, came_at) in before {
            let ends_at = self.flushed.get(*index).map_or(0, Piece::ends_at);
            if *came_at > ends_at + FRAME || is_held_up(late_at, *came_at) {
                late_at = Some(*came_at);
            } else {
                since = ends_at;
            }
        }
        let stopped_at = if is_held_up(late_at, at) {
            let earliest = self.expected_at.min(at);
            let latest = earliest.saturating_add(self.spread.unwrap_or(u64::MAX));
            u64::midpoint(earliest.max(since), latest.min(at).max(since))
        } else {
            self.stop_told(at)
        };
        self.stopped_at = stopped_at.max(since);
    }

    /// When the phone stopped, if it says so at this time: then, unless that is later than the way
    /// can take. The mark was late itself then, and half of the time is the best guess: the longest
    /// it can have been wrong by is least.
    fn stop_told(&self, at: u64) -> u64 {
        let took = at.saturating_sub(self.expected_at);
        match self.spread {
            Some(spread) if took > spread.saturating_add(LATE_STOP) => {
                self.expected_at.saturating_add(spread.min(took / 2))
            }
            _ => at,
        }
    }

    /// So many pieces have played whole: their marks came before the moment at which the phone threw
    /// away the others.
    fn played(&self) -> usize {
        let first = self.first_of_stop();
        let stop = first.and_then(|first| self.echoes.get(first));
        let most = stop.map_or(self.flushed.len(), |(index, _)| *index);
        let pairs = self.echoes.iter().zip(self.echoes.iter().skip(1));
        let mut apart = pairs.filter(|((_, at), (_, next))| *next > at.saturating_add(FRAME));
        let covered = apart.next_back().map_or(0, |((index, _), _)| index + 1);
        covered.min(most)
    }

    /// What may have been skipped when the phone goes on here: what the phone can have been stopped
    /// before, although its marks say that it was not. On a line that is not steady a mark that was late
    /// itself looks like any other.
    pub(super) fn doubts(&self, goes_on_at: u64) -> Vec<Doubt> {
        if self.is_steady {
            return Vec::new();
        }
        let from = self.stopped_at.saturating_sub(REPEAT).max(self.not_before);
        let mut doubts: Vec<Doubt> = Vec::new();
        for piece in self.flushed.iter().skip(self.played()) {
            let at = |time| piece.from.saturating_add(piece.played(time));
            let bytes = at(from)..at(goes_on_at);
            match doubts.last_mut() {
                _ if bytes.is_empty() => {}
                Some(last) if last.item_id == piece.item_id => last.bytes.end = bytes.end,
                _ => doubts.push(Doubt {
                    item_id: piece.item_id.clone(),
                    bytes,
                }),
            }
        }
        doubts
    }

    /// Whether it is known to a frame what was heard.
    pub(super) fn is_known(&self) -> bool {
        self.observed && (self.is_exact || self.is_steady)
    }
}
