//! One ledger of what the phone was sent, is playing, and has played.
//!
//! It knows two kinds of *heard*. The estimate, for telling the model where it was cut off: each
//! piece starts at the later of its arrival and the end of what was queued before it, plays at
//! 8 bytes per millisecond, and is moved by every mark that comes back. And the proof, for evidence:
//! only what an echoed mark covers that was not flushed by `clear`.
//!
//! All times are milliseconds of the stream's own clock (`twilio::stream_clock`), on which
//! an echo tells when the phone came to its mark, without the jitter of the way back. A mark in
//! front of the first piece of a reply tells when the phone began with it; the marks that `clear`
//! throws away tell when the phone stopped. Between the two a cut is placed to a frame.

mod held;
mod piece;
mod told;

use super::ulaw::BYTES_PER_MS;
use held::Held;
use piece::Piece;
use std::collections::VecDeque;
pub use told::{Again, Cut, Doubt, Heard, Marks, Place, Resumed, Stop};

/// How exactly the stream's clock places a mark, in samples: one frame.
const FRAME: u64 = 20 * BYTES_PER_MS;
/// How much later than expected a mark must be to count as late, in samples.
const LATE: u64 = 2 * FRAME;
/// Audio that one mark stands for, if it comes in shorter pieces, in bytes: 400 ms. Where the phone is
/// between two marks, its clock tells; every mark is two messages.
const PIECE: usize = 3_200;
/// The same where the way varies, and longer pieces are divided: 200 ms bound a stop more closely.
const SHORT_PIECE: usize = 1_600;
/// Items that are remembered as partly heard.
const REACHED: usize = 4;
/// Answers of the phone that are remembered.
const TRIPS: usize = 9;
/// So many marks in a row that are late are a stall of the line, if they stand for so much audio, in
/// samples; fewer were late themselves, and held up those behind them.
const STALLED_MARKS: usize = 3;
const STALLED: u64 = 1_200 * BYTES_PER_MS;
/// How much is said again after a pause of which the phone has not told where it stopped, in samples.
const REPEAT: u64 = 500 * BYTES_PER_MS;

/// What the phone was sent and has played.
#[derive(Debug, Default)]
pub struct Playback {
    /// Sent and not proven to have played, oldest first.
    pieces: VecDeque<Piece>,
    /// When everything sent so far will have played, by estimate; in samples.
    ends_at: u64,
    /// The audio that plays without a gap up to `ends_at`: when its first piece was sent, and when it
    /// started; in samples.
    run: (u64, u64),
    /// A mark of it has come back.
    observed: bool,
    /// Everything takes the same time on its way, so that a mark that is late was late itself.
    is_steady: bool,
    /// By how much the way varies, in samples, once that is known.
    spread: Option<u64>,
    /// How much later than placed an echo may have been, in samples.
    lag: u64,
    /// How late the newest marks were, and how much audio they stand for, in samples.
    late: Vec<(u64, u64)>,
    /// Rises with every `clear`, so that an echo of an older mark is recognised.
    generation: u32,
    next_mark: u64,
    /// The mark of the newest piece has still to be asked for.
    owes_mark: bool,
    /// How long the phone took to begin, newest last; in samples.
    trips: VecDeque<u64>,
    /// How long it took to stop. That says less, for what had played a little sooner than thought looks
    /// the same: good enough for a doubt, not for an estimate.
    stops: VecDeque<u64>,
    /// What is held back.
    held: Option<Held>,
    /// What was held back last, and where the model was told that it was cut off.
    last: Option<(Held, Option<Cut>)>,
    /// How far items were heard before a part of them was said again: by item, in bytes, newest last.
    reached: VecDeque<(String, u64)>,
}

impl Playback {
    /// With marks that are told from those of lower generations.
    pub fn of_generation(generation: u32) -> Self {
        Self {
            generation,
            ..Self::default()
        }
    }

    /// Takes audio of an item that goes to the phone now; `from` is the number of bytes of the item
    /// that came before. Nothing to send while it is held back.
    pub fn send(&mut self, now: u64, item_id: &str, from: u64, audio: Vec<u8>) -> Option<Marks> {
        if let Some(held) = &mut self.held {
            held.kept.push(Piece {
                item_id: item_id.to_owned(),
                from,
                length: audio.len() as u64,
                audio,
                mark: 0,
                sent_at: 0,
                starts_at: 0,
            });
            return None;
        }
        if self.continues(now, item_id, from) {
            let after = self.extend(audio);
            return Some(Marks {
                before: None,
                after,
            });
        }
        let is_short = audio.len() < self.piece();
        let marks = self.place(now, item_id, from, audio);
        self.owes_mark = is_short;
        Some(Marks {
            after: marks.after.filter(|_| !is_short),
            ..marks
        })
    }

    /// Whether audio would belong to the newest piece, whose mark the phone has not got yet. The mark
    /// of one that others follow has to go first ([`Self::owed_mark`]).
    pub fn continues(&self, now: u64, item_id: &str, from: u64) -> bool {
        let newest = self.pieces.back().filter(|_| self.owes_mark);
        newest.is_some_and(|piece| piece.item_id == item_id && piece.to() == from)
            && self.new_start(now).is_none()
    }

    /// The mark of the newest piece, if the phone has not got it yet.
    pub fn owed_mark(&mut self) -> Option<String> {
        let owes = std::mem::take(&mut self.owes_mark);
        let piece = self.pieces.back().filter(|_| owes)?;
        Some(self.name(piece.mark))
    }

    fn extend(&mut self, audio: Vec<u8>) -> Option<String> {
        let enough = self.piece();
        let piece = self.pieces.back_mut()?;
        let length = audio.len() as u64;
        self.ends_at = self.ends_at.saturating_add(length);
        piece.length = piece.length.saturating_add(length);
        piece.audio.extend(audio);
        if piece.audio.len() < enough {
            return None;
        }
        self.owed_mark()
    }

    /// A piece of its own, with its mark.
    fn place(&mut self, now: u64, item_id: &str, from: u64, audio: Vec<u8>) -> Marks {
        let before = self.new_start(now).map(|_| {
            // The phone begins anew. What is queued behind other audio has its place already.
            self.observed = false;
            self.late.clear();
            self.run = (now.saturating_mul(BYTES_PER_MS), self.arrival(now));
            self.push(now, item_id, from, Vec::new())
        });
        let after = Some(self.push(now, item_id, from, audio));
        Marks { before, after }
    }

    /// Whether everything takes the same time on its way, or not.
    pub fn line_is_steady(&mut self, is_steady: bool) {
        self.is_steady = is_steady;
        if let Some(held) = &mut self.held {
            held.is_steady &= is_steady;
        }
    }

    /// The clock of what was sent was slow by so many ms: all that was that much later. What the phone
    /// has told of stands: its own frames tell when that was.
    pub fn shift(&mut self, slow_ms: u64) {
        let by = slow_ms.saturating_mul(BYTES_PER_MS);
        if by == 0 {
            return;
        }
        let is_estimate = !self.observed;
        let mut times = vec![&mut self.run.0];
        if is_estimate {
            times.extend([&mut self.ends_at, &mut self.run.1]);
        }
        for piece in &mut self.pieces {
            times.push(&mut piece.sent_at);
            times.extend(is_estimate.then_some(&mut piece.starts_at));
        }
        let last = self.last.iter_mut().map(|(held, _)| held);
        for held in self.held.iter_mut().chain(last) {
            times.extend(held.estimates());
        }
        for time in times {
            *time = time.saturating_add(by);
        }
        for took in self.trips.iter_mut().chain(&mut self.stops) {
            *took = took.saturating_sub(by);
        }
    }

    /// How much audio may go without a mark of its own, in bytes. Where the way varies, times say little,
    /// and what the phone has come to does.
    pub fn longest_piece(&self) -> usize {
        if self.varies() {
            SHORT_PIECE
        } else {
            usize::MAX
        }
    }

    fn varies(&self) -> bool {
        self.spread.is_some_and(|spread| spread > LATE)
    }

    /// As much audio has a mark of its own, in bytes.
    fn piece(&self) -> usize {
        if self.varies() { SHORT_PIECE } else { PIECE }
    }

    /// By how much the time on the way varies, in ms; nothing if it is not known.
    pub fn line_varies(&mut self, spread_ms: Option<u64>) {
        self.spread = spread_ms.map(|ms| ms.saturating_mul(BYTES_PER_MS));
    }

    /// So much later than it was said to be, in ms, an echo may have been.
    pub fn clock_lags(&mut self, lag_ms: u64) {
        self.lag = lag_ms.saturating_mul(BYTES_PER_MS);
    }

    /// Whether the phone has told enough for what is held back to be placed to a frame.
    pub fn is_known(&self) -> bool {
        self.held
            .as_ref()
            .is_none_or(|held| held.flushed.is_empty() || held.is_known())
    }

    /// When audio that is sent now starts to play, unless it follows what already plays.
    pub fn new_start(&self, now: u64) -> Option<u64> {
        let arrival = self.arrival(now);
        (self.ends_at <= arrival).then_some(arrival / BYTES_PER_MS)
    }

    /// Takes the echo of a mark. What it proves, item by item; nothing if the mark is unknown, of a
    /// piece proven before, or was flushed.
    pub fn echoed(&mut self, at: u64, name: &str) -> Vec<Heard> {
        let at = at.saturating_mul(BYTES_PER_MS);
        let Some((generation, mark)) = parse_mark(name) else {
            return Vec::new();
        };
        if generation != self.generation {
            let last = self.last.as_mut().map(|(held, _)| held);
            let held = [self.held.as_mut(), last].into_iter().flatten();
            let told = held.filter(|held| held.generation == generation);
            let stops: Vec<u64> = told.filter_map(|held| held.echoed(at, mark)).collect();
            for stop in stops {
                learn(&mut self.stops, stop);
            }
            return Vec::new();
        }
        let Some(known) = self.pieces.iter().position(|piece| piece.mark == mark) else {
            return Vec::new();
        };
        let mut heard: Vec<Heard> = Vec::new();
        let mut proven = None;
        for piece in self.pieces.drain(..=known) {
            match heard.last_mut() {
                Some(last) if last.item_id == piece.item_id => last.bytes = piece.to(),
                _ => heard.push(Heard {
                    item_id: piece.item_id.clone(),
                    bytes: piece.to(),
                }),
            }
            proven = Some(piece);
        }
        if let Some(piece) = proven {
            self.correct(at, &piece);
        }
        heard
    }

    /// Holds back what comes, until [`Self::resume`] or [`Self::drop_held`]. Where the agent was, if
    /// it is speaking: then the phone has to be told to throw away what it has not played.
    pub fn hold(&mut self, now: u64) -> Option<Place> {
        let is_steady = self.is_steady && !self.trips.is_empty();
        let mut held = Held::new(self.generation, now, self.arrival(now));
        held.observed = self.observed;
        held.is_steady = is_steady;
        // The pieces were placed so much too early.
        held.not_before = self.earliest(now).saturating_sub(self.lag);
        let rest = self.ends_at.saturating_sub(held.stopped_at);
        let mut place = None;
        if rest > 0 {
            held.flushed = self.pieces.drain(..).collect();
            let begun = held
                .flushed
                .iter()
                .rfind(|piece| piece.starts_at <= held.stopped_at);
            place = begun.or_else(|| held.flushed.first()).map(|piece| Place {
                item_id: piece.item_id.clone(),
                bytes: piece.from.saturating_add(piece.played(held.stopped_at)),
                rest_ms: rest / BYTES_PER_MS,
            });
            self.ends_at = held.stopped_at;
            self.generation += 1;
            self.owes_mark = false;
        }
        self.held = Some(held);
        place
    }

    /// Whether audio is held back.
    pub fn is_held(&self) -> bool {
        self.held.is_some()
    }

    /// Whether audio of this item is at the phone and will play.
    pub fn plays(&self, item_id: &str) -> bool {
        self.pieces.iter().any(|piece| piece.item_id == item_id)
    }

    /// Goes on where the phone stopped: a frame before that, three where messages take different
    /// times, and half a second before where the phone has not told.
    pub fn resume(&mut self, now: u64) -> Resumed {
        let Some(mut held) = self.held.take() else {
            return Resumed::default();
        };
        let exact = held.is_known();
        let repeat = match (exact, held.is_steady) {
            (true, true) => FRAME,
            (true, false) => 3 * FRAME,
            (false, _) => REPEAT,
        };
        let goes_on_at = held.stopped_at.saturating_sub(repeat);
        let mut again = Vec::new();
        let doubts = held.doubts(goes_on_at);
        let pieces: Vec<Piece> = held.take_pieces();
        self.remember_heard();
        self.last = Some((held, None));
        for mut piece in pieces {
            let played = if piece.mark == 0 {
                0
            } else {
                piece.played(goes_on_at)
            };
            let rest = piece.audio.split_off(
                usize::try_from(played)
                    .unwrap_or(usize::MAX)
                    .min(piece.audio.len()),
            );
            if rest.is_empty() && !exact {
                continue;
            }
            let mut from = piece.from.saturating_add(played);
            // What has played to its end gets a mark of its own: its old one was thrown away.
            let longest = self.longest_piece().min(rest.len()).max(1);
            let parts = rest
                .chunks(longest)
                .chain(rest.is_empty().then_some(rest.as_slice()));
            for part in parts {
                let starts_at = self.new_start(now);
                let marks = self.place(now, &piece.item_id, from, part.to_vec());
                from = from.saturating_add(part.len() as u64);
                again.push(Again {
                    marks,
                    audio: part.to_vec(),
                    starts_at,
                });
            }
        }
        Resumed { again, doubts }
    }

    /// Drops what is held back: which items that cuts, oldest first.
    pub fn drop_held(&mut self) -> Vec<Cut> {
        let Some(held) = self.held.take() else {
            return Vec::new();
        };
        self.remember_heard();
        let cuts = self.cuts(&held);
        self.last = Some((held, cuts.first().cloned()));
        cuts
    }

    /// What of its items is cut off, wherever they were stopped before.
    fn cuts(&self, held: &Held) -> Vec<Cut> {
        let mut cuts = held.cuts();
        for cut in &mut cuts {
            let before = self.reached.iter().find(|(item, _)| *item == cut.item_id);
            let before_ms = before.map_or(0, |(_, bytes)| bytes / BYTES_PER_MS);
            cut.heard_ms = cut.heard_ms.max(before_ms);
        }
        cuts.retain(|cut| cut.heard_ms < cut.received_ms);
        cuts
    }

    /// Before something takes the place of what was held back last: where the phone stopped then.
    fn remember_heard(&mut self) {
        let known = self.last.as_ref().filter(|(held, _)| held.is_known());
        for (item, bytes) in known.map(|(held, _)| held.reached()).unwrap_or_default() {
            let before = self.reached.iter().position(|(known, _)| *known == item);
            let before = before.and_then(|at| self.reached.remove(at));
            let most = before.map_or(bytes, |(_, before)| bytes.max(before));
            if self.reached.len() == REACHED {
                self.reached.pop_front();
            }
            self.reached.push_back((item, most));
        }
    }

    /// Where the phone stopped when it was told to the last time. Nothing if it has not told.
    pub fn newest_stop(&self) -> Option<Stop> {
        let (held, told) = self.last.as_ref().filter(|(held, _)| held.is_known())?;
        let error_ms = told.as_ref().map(|told| {
            let known = self
                .cuts(held)
                .into_iter()
                .find(|cut| cut.item_id == told.item_id);
            let heard_ms = known.map_or(told.received_ms, |cut| cut.heard_ms);
            told.heard_ms
                .cast_signed()
                .saturating_sub(heard_ms.cast_signed())
        });
        let stale_ms = held.stopped_at.saturating_sub(held.told_at) / BYTES_PER_MS;
        Some(Stop { stale_ms, error_ms })
    }

    /// Whether the agent can be heard at this moment, by estimate.
    pub fn is_playing(&self, now: u64) -> bool {
        now.saturating_mul(BYTES_PER_MS) < self.ends_at
    }

    /// When everything sent so far will have played, by estimate.
    pub fn ends_at(&self) -> u64 {
        self.ends_at.div_ceil(BYTES_PER_MS)
    }

    /// Whether everything sent is proven to have played, and nothing is held back.
    pub fn is_drained(&self) -> bool {
        self.pieces.is_empty() && self.held.is_none()
    }

    /// When what is sent now arrives at the phone, in samples.
    fn arrival(&self, now: u64) -> u64 {
        let (sent_at, started_at) = self.run;
        // The mark in front may have been lost, and those behind it tell.
        let run = self.observed.then(|| started_at.saturating_sub(sent_at));
        let trip = self.trips.iter().min().copied().or(run).unwrap_or(0);
        now.saturating_mul(BYTES_PER_MS).saturating_add(trip)
    }

    /// When what is sent now can arrive at the phone at the earliest, in samples. One answer or two may
    /// have been late themselves.
    fn earliest(&self, now: u64) -> u64 {
        let answers = || self.trips.iter().chain(&self.stops);
        let enough = answers().nth(2).and_then(|_| answers().min());
        now.saturating_mul(BYTES_PER_MS)
            .saturating_add(enough.copied().unwrap_or(0))
    }

    fn push(&mut self, now: u64, item_id: &str, from: u64, audio: Vec<u8>) -> String {
        let starts_at = self.ends_at.max(self.arrival(now));
        let length = audio.len() as u64;
        self.ends_at = starts_at.saturating_add(length);
        self.next_mark += 1;
        self.pieces.push_back(Piece {
            item_id: item_id.to_owned(),
            from,
            length,
            audio,
            mark: self.next_mark,
            sent_at: now.saturating_mul(BYTES_PER_MS),
            starts_at,
        });
        self.name(self.next_mark)
    }

    fn name(&self, mark: u64) -> String {
        format!("g{}-{mark}", self.generation)
    }

    /// Moves the estimate of what is still queued to fit the echo of this piece's mark.
    fn correct(&mut self, at: u64, piece: &Piece) {
        let expected = piece.ends_at();
        // What may have been later, because frames are missing, says nothing against what was expected.
        let at = expected.clamp(at, at.saturating_add(self.lag));
        let trusted = self.is_steady && !self.trips.is_empty();
        if piece.length == 0 {
            learn(&mut self.trips, at.saturating_sub(piece.sent_at));
        }
        // The mark in front travels with the audio behind it.
        let is_first = !std::mem::replace(&mut self.observed, true);
        let ended_at = if at <= expected || (is_first && !trusted) {
            // It cannot have been later than its echo; and where the line is not steady, a first
            // echo is the best there is.
            self.late.clear();
            at
        } else {
            self.late.push((at - expected, piece.length));
            let audio: u64 = self.late.iter().map(|(_, audio)| audio).sum();
            if self.late.len() < STALLED_MARKS || audio < STALLED {
                return;
            }
            let stall = self.late.iter().map(|(late, _)| *late).min().unwrap_or(0);
            self.late.clear();
            if stall <= LATE {
                return;
            }
            expected.saturating_add(stall)
        };
        let (sent_at, started_at) = self.run;
        self.run.1 = started_at.saturating_add(ended_at).saturating_sub(expected);
        if ended_at < expected {
            // The first mark of this run was late, and what was learned from it too long.
            let trip = self.run.1.saturating_sub(sent_at);
            if let Some(newest) = self.trips.back_mut() {
                *newest = trip.min(*newest);
            }
        }
        let mut end = ended_at;
        for piece in &mut self.pieces {
            piece.starts_at = end.max(piece.sent_at);
            end = piece.ends_at();
        }
        self.ends_at = end;
    }
}

fn learn(answers: &mut VecDeque<u64>, took: u64) {
    if answers.len() == TRIPS {
        answers.pop_front();
    }
    answers.push_back(took);
}

/// Generation and number of a mark of ours.
fn parse_mark(name: &str) -> Option<(u32, u64)> {
    let (generation, mark) = name.strip_prefix('g')?.split_once('-')?;
    Some((generation.parse().ok()?, mark.parse().ok()?))
}

#[cfg(test)]
mod tests;
