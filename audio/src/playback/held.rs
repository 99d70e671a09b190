//! What is held back while it is undecided whether the agent goes on, and where the phone stopped.
//!
//! The phone answers `clear` with the marks of all it throws away, at one moment. One that comes before
//! its audio can have played is such an answer, and tells when the phone stopped; those before it, in
//! the order of the audio, tell what had played by then.

use super::{BYTES_PER_MS, Cut, Doubt, FRAME, Piece};

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
            is_exact: false,
            observed: false,
            is_steady: false,
            flushed: Vec::new(),
            echoes: Vec::new(),
            kept: Vec::new(),
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

    /// All audio, oldest first. Where it was is kept: the phone may yet tell where it stopped.
    pub(super) fn take_pieces(&mut self) -> Vec<Piece> {
        let flushed = self.flushed.iter_mut().map(|piece| Piece {
            audio: std::mem::take(&mut piece.audio),
            ..piece.clone()
        });
        flushed.chain(self.kept.drain(..)).collect()
    }

    /// How far each item had played that it stopped in or behind, in bytes, oldest first.
    pub(super) fn reached(&self) -> Vec<(String, u64)> {
        let mut reached: Vec<(String, u64)> = Vec::new();
        let begun = |piece: &&Piece| piece.played(self.stopped_at) > 0;
        for piece in self.flushed.iter().filter(begun) {
            let bytes = piece.from.saturating_add(piece.played(self.stopped_at));
            match reached.last_mut() {
                Some((item, to)) if *item == piece.item_id => *to = bytes.max(*to),
                _ => reached.push((piece.item_id.clone(), bytes)),
            }
        }
        reached
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
        if piece.length == 0 && !self.observed {
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
            piece.is_some_and(|piece| piece.length > 0 && at + FRAME < piece.ends_at())
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
            // That long it takes, and a mark that came later was late itself.
            let latest = self.expected_at.saturating_add(FRAME);
            self.stopped_at = if at > latest { self.expected_at } else { at };
            return;
        }
        let ends = before
            .iter()
            .filter_map(|(index, _)| self.flushed.get(*index));
        let played_to = ends.map(Piece::ends_at).max().unwrap_or(0);
        self.stopped_at = at.max(played_to);
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
        let from = self.not_before;
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
