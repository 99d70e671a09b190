//! One ledger of what the phone was sent, is playing, and has played.
//!
//! It knows two kinds of *heard*. The estimate, for telling the model where it was cut off: each
//! piece starts at the later of its sending and the end of what was queued before it, and plays at
//! 8 bytes per millisecond; echoed marks correct it when the line stalls. And the proof, for
//! evidence: only what an echoed mark covers that was not flushed by `clear`.

use super::ulaw::BYTES_PER_MS;
use std::collections::VecDeque;

/// What the phone was sent and has played. Times are milliseconds of the caller's clock.
#[derive(Debug, Default)]
pub struct Playback {
    /// Sent and not proven to have played, oldest first.
    pieces: VecDeque<Piece>,
    /// When everything sent so far will have played, by estimate.
    ends_at: u64,
    /// Rises with every `clear`, so that an echo of an older mark is recognised.
    generation: u32,
    next_mark: u64,
    /// The smallest delay seen between a piece's estimated end and its echo: the round trip.
    round_trip: Option<u64>,
}

#[derive(Debug)]
struct Piece {
    item_id: String,
    mark: u64,
    /// Bytes of the item before this piece and with it.
    from: u64,
    to: u64,
    sent_at: u64,
    ends_at: u64,
}

/// Proof that an item was heard so far.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Heard {
    /// The item.
    pub item_id: String,
    /// Bytes of it that have played.
    pub bytes: u64,
}

/// An item that `clear` cut off.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Cut {
    /// The item.
    pub item_id: String,
    /// Milliseconds of it that were heard, by estimate; never more than were received.
    pub heard_ms: u64,
    /// Milliseconds of it that were sent.
    pub sent_ms: u64,
}

impl Playback {
    /// Records a piece sent to the phone. `from` is the number of bytes of the item sent before.
    /// Returns the name of the mark to send after it.
    pub fn sent(&mut self, now: u64, item_id: &str, from: u64, bytes: u64) -> String {
        let starts_at = self.ends_at.max(now);
        self.ends_at = starts_at.saturating_add(bytes / BYTES_PER_MS);
        self.next_mark += 1;
        self.pieces.push_back(Piece {
            item_id: item_id.to_owned(),
            mark: self.next_mark,
            from,
            to: from.saturating_add(bytes),
            sent_at: now,
            ends_at: self.ends_at,
        });
        format!("g{}-{}", self.generation, self.next_mark)
    }

    /// Takes the echo of a mark. What it proves, item by item; nothing if the mark is unknown, of a
    /// piece proven before, or was flushed.
    pub fn echoed(&mut self, now: u64, name: &str) -> Vec<Heard> {
        let Some(mark) = self.current_mark(name) else {
            return Vec::new();
        };
        let mut heard: Vec<Heard> = Vec::new();
        let mut proven_end = None;
        while self.pieces.front().is_some_and(|piece| piece.mark <= mark) {
            let Some(piece) = self.pieces.pop_front() else {
                break;
            };
            proven_end = Some(piece.ends_at);
            match heard.last_mut() {
                Some(last) if last.item_id == piece.item_id => last.bytes = piece.to,
                _ => heard.push(Heard {
                    item_id: piece.item_id,
                    bytes: piece.to,
                }),
            }
        }
        if let Some(estimate) = proven_end {
            self.correct(now, estimate);
        }
        heard
    }

    /// The phone was told to throw away what it has not played: which items that cuts, oldest first.
    pub fn cleared(&mut self, now: u64) -> Vec<Cut> {
        let mut cuts: Vec<Cut> = Vec::new();
        for piece in &self.pieces {
            let (from_ms, to_ms) = (piece.from / BYTES_PER_MS, piece.to / BYTES_PER_MS);
            let unheard_ms = piece.ends_at.saturating_sub(now).min(to_ms - from_ms);
            let heard_ms = to_ms - unheard_ms;
            match cuts.last_mut() {
                Some(cut) if cut.item_id == piece.item_id => {
                    cut.heard_ms = cut.heard_ms.max(if unheard_ms < to_ms - from_ms {
                        heard_ms
                    } else {
                        cut.heard_ms
                    });
                    cut.sent_ms = to_ms;
                }
                _ => cuts.push(Cut {
                    item_id: piece.item_id.clone(),
                    heard_ms,
                    sent_ms: to_ms,
                }),
            }
        }
        self.pieces.clear();
        self.ends_at = now;
        self.generation += 1;
        cuts.retain(|cut| cut.heard_ms < cut.sent_ms);
        cuts
    }

    /// Whether the agent can be heard at this moment, by estimate.
    pub fn is_playing(&self, now: u64) -> bool {
        now < self.ends_at
    }

    /// When everything sent so far will have played, by estimate.
    pub fn ends_at(&self) -> u64 {
        self.ends_at
    }

    /// Whether everything sent is proven to have played.
    pub fn is_drained(&self) -> bool {
        self.pieces.is_empty()
    }

    fn current_mark(&self, name: &str) -> Option<u64> {
        let (generation, mark) = name.strip_prefix('g')?.split_once('-')?;
        (generation.parse() == Ok(self.generation))
            .then(|| mark.parse().ok())
            .flatten()
            .filter(|mark| *mark <= self.next_mark)
    }

    /// Moves the estimate of what is still queued to fit an echo that came `now` for a piece
    /// estimated to end at `estimate`.
    fn correct(&mut self, now: u64, estimate: u64) {
        let delay = now.saturating_sub(estimate);
        let round_trip = self.round_trip.map_or(delay, |seen| seen.min(delay));
        self.round_trip = Some(round_trip);
        let mut end = now.saturating_sub(round_trip);
        for piece in &mut self.pieces {
            end = end
                .max(piece.sent_at)
                .saturating_add((piece.to - piece.from) / BYTES_PER_MS);
            piece.ends_at = end;
        }
        if !self.pieces.is_empty() {
            self.ends_at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SEC: u64 = 8_000;

    fn heard(item: &str, bytes: u64) -> Vec<Heard> {
        vec![Heard {
            item_id: item.into(),
            bytes,
        }]
    }

    fn cut(item: &str, heard_ms: u64, sent_ms: u64) -> Cut {
        Cut {
            item_id: item.into(),
            heard_ms,
            sent_ms,
        }
    }

    #[test]
    fn a_reply_is_heard_when_its_marks_come_back() {
        let mut p = Playback::default();
        let first = p.sent(0, "a", 0, SEC);
        let second = p.sent(10, "a", SEC, SEC);
        assert!(p.is_playing(1_999) && !p.is_playing(2_000));
        assert_eq!(p.echoed(1_060, &first), heard("a", SEC));
        assert_eq!(p.echoed(1_070, &first), [], "an echo proves once");
        assert!(!p.is_drained());
        assert_eq!(p.echoed(2_060, &second), heard("a", 2 * SEC));
        assert!(p.is_drained());
    }

    #[test]
    fn an_interruption_is_placed_where_the_audio_was() {
        let mut p = Playback::default();
        p.sent(0, "a", 0, SEC);
        p.sent(100, "a", SEC, SEC);
        assert_eq!(p.cleared(1_480), [cut("a", 1_480, 2_000)]);
        assert!(!p.is_playing(1_481));
    }

    #[test]
    fn replies_that_queue_behind_each_other_are_placed_one_after_the_other() {
        let mut p = Playback::default();
        p.sent(0, "a", 0, 2 * SEC);
        p.sent(50, "b", 0, 2 * SEC);
        assert_eq!(
            p.cleared(2_500),
            [cut("b", 500, 2_000)],
            "a was heard to its end"
        );
        p.sent(3_000, "c", 0, SEC);
        p.sent(3_000, "d", 0, SEC);
        assert_eq!(p.cleared(3_400), [cut("c", 400, 1_000), cut("d", 0, 1_000)]);
    }

    #[test]
    fn echoes_after_a_clear_prove_nothing() {
        let mut p = Playback::default();
        let mark = p.sent(0, "a", 0, SEC);
        p.cleared(100);
        assert_eq!(p.echoed(101, &mark), []);
        let next = p.sent(200, "b", 0, SEC);
        assert_eq!(p.echoed(210, &mark), []);
        assert_eq!(p.echoed(1_200, &next), heard("b", SEC));
        for nonsense in ["", "g", "g1", "g1-999", "x1-1", "g-1-1"] {
            assert_eq!(p.echoed(1_300, nonsense), [], "{nonsense}");
        }
    }

    #[test]
    fn a_constant_delay_of_the_line_does_not_shift_the_estimate() {
        for delay in [0, 60, 150] {
            let mut p = Playback::default();
            let first = p.sent(0, "a", 0, SEC);
            p.sent(0, "a", SEC, SEC);
            p.echoed(1_000 + 2 * delay, &first);
            assert_eq!(p.cleared(1_500), [cut("a", 1_500, 2_000)], "delay {delay}");
        }
    }

    #[test]
    fn a_stall_of_the_line_is_learned_from_the_marks() {
        let mut p = Playback::default();
        let first = p.sent(0, "a", 0, SEC);
        let second = p.sent(0, "a", SEC, SEC);
        p.sent(0, "a", 2 * SEC, SEC);
        p.echoed(1_100, &first);
        p.echoed(2_600, &second); // half a second late: the line stalled
        assert_eq!(p.cleared(3_000), [cut("a", 2_500, 3_000)]);
    }

    #[test]
    fn nothing_is_cut_when_everything_was_heard() {
        let mut p = Playback::default();
        p.sent(0, "a", 0, SEC);
        assert_eq!(p.cleared(1_200), []);
    }

    proptest! {
        /// Whatever is sent, echoed and cleared, in whatever order: heard ≤ sent, proof only grows,
        /// and what was cleared is never heard.
        #[test]
        fn proof_never_exceeds_what_was_sent(steps in proptest::collection::vec((0u8..4, 0u64..400), 1..60)) {
            let mut p = Playback::default();
            let (mut now, mut marks, mut sent, mut heard) = (0, Vec::new(), 0, 0);
            let mut item = 0;
            for (kind, n) in steps {
                now += n;
                match kind {
                    0 | 1 => {
                        marks.push(p.sent(now, &format!("i{item}"), sent, n * 8));
                        sent += n * 8;
                    }
                    2 => {
                        let pick = usize::try_from(n).unwrap() % marks.len().max(1);
                        for proof in marks.get(pick).map(|m| p.echoed(now, m)).unwrap_or_default() {
                            prop_assert_eq!(&proof.item_id, &format!("i{item}"));
                            prop_assert!(proof.bytes >= heard && proof.bytes <= sent);
                            heard = proof.bytes;
                        }
                    }
                    _ => {
                        for cut in p.cleared(now) {
                            prop_assert!(cut.heard_ms < cut.sent_ms && cut.sent_ms <= sent / 8);
                        }
                        prop_assert!(p.is_drained() && !p.is_playing(now));
                        (item, sent, heard) = (item + 1, 0, 0);
                    }
                }
            }
        }
    }
}
