//! What the phone really played: every byte with the item it comes from. The agent's audio is
//! tagged, so a stretch of it occurs in one item only, at one place.

use super::log::{Entry, Seen};
use std::collections::VecDeque;

/// Bytes that identify a place.
const ANCHOR: usize = 32;
/// Bytes that the phone plays in a tick.
const TICK: usize = 160;

/// The agent's audio of one item.
#[derive(Debug)]
pub(super) struct Item {
    pub(super) id: String,
    pub(super) response: String,
    pub(super) audio: Vec<u8>,
    /// When the bridge got its first piece.
    pub(super) first_at: u64,
    /// The server stopped before its end.
    pub(super) cancelled: bool,
}

/// Played in one go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Played {
    /// Number of the item; nothing when it is of no item.
    pub(super) item: Option<usize>,
    /// Its bytes.
    pub(super) from: usize,
    pub(super) to: usize,
    /// The tick that the phone played it in, and when the bridge sent it.
    pub(super) at: u64,
    pub(super) sent: u64,
}

struct Piece {
    item: Option<usize>,
    from: usize,
    to: usize,
    sent: u64,
}

/// The phone, played again.
#[derive(Default)]
pub(super) struct Ledger {
    pub(super) items: Vec<Item>,
    pub(super) played: Vec<Played>,
    /// Where the queue stood at every `clear`: its arrival, and the items in it.
    pub(super) cleared: Vec<(u64, Vec<usize>)>,
    queue: VecDeque<Piece>,
    /// Where the bridge's newest audio ended.
    cursor: Option<(usize, usize)>,
}

impl Ledger {
    /// Plays a whole log.
    pub(super) fn of(entries: &[Entry]) -> Self {
        let mut ledger = Self::default();
        entries.iter().for_each(|entry| ledger.feed(entry));
        ledger
    }

    fn feed(&mut self, entry: &Entry) {
        match &entry.what {
            Seen::Delta {
                response,
                item,
                audio,
            } => {
                if let Some(known) = self.items.iter_mut().find(|known| known.id == *item) {
                    known.audio.extend(audio);
                } else {
                    self.items.push(Item {
                        id: item.clone(),
                        response: response.clone(),
                        audio: audio.clone(),
                        first_at: entry.at,
                        cancelled: false,
                    });
                }
            }
            Seen::Done {
                response,
                cancelled: true,
            } => {
                for item in &mut self.items {
                    item.cancelled |= item.response == *response;
                }
            }
            Seen::Media(audio) => self.queue_up(entry.sent, audio),
            Seen::Clear => {
                let mut items: Vec<usize> = self.queue.iter().filter_map(|p| p.item).collect();
                items.dedup();
                self.cleared.push((entry.at, items));
                self.queue.clear();
            }
            Seen::Tick => self.tick(entry.at),
            _ => {}
        }
    }

    fn queue_up(&mut self, sent: u64, mut audio: &[u8]) {
        while !audio.is_empty() {
            let (item, from, length) = self.locate(audio);
            self.queue.push_back(Piece {
                item,
                from,
                to: from + length,
                sent,
            });
            self.cursor = item.map(|item| (item, from + length));
            audio = audio.get(length..).unwrap_or_default();
        }
    }

    /// Item, offset and length of the first of these bytes that belong together.
    fn locate(&self, audio: &[u8]) -> (Option<usize>, usize, usize) {
        let common = |item: usize, from: usize| {
            let rest = self.items.get(item).and_then(|item| item.audio.get(from..));
            let rest = rest.unwrap_or_default();
            audio.iter().zip(rest).take_while(|(a, b)| a == b).count()
        };
        if let Some((item, from)) = self.cursor {
            let length = common(item, from);
            let whole = self.items.get(item).map_or(0, |item| item.audio.len());
            let ends = length > 0 && from + length == whole;
            if ends || length >= ANCHOR.min(audio.len()) {
                return (Some(item), from, length);
            }
        }
        let anchor = audio.get(..ANCHOR.min(audio.len())).unwrap_or_default();
        for (item, of) in self.items.iter().enumerate().rev() {
            if let Some(from) = of.audio.windows(anchor.len()).position(|w| w == anchor) {
                return (Some(item), from, common(item, from));
            }
        }
        (None, 0, audio.len())
    }

    fn tick(&mut self, at: u64) {
        let mut left = TICK;
        while left > 0 {
            let Some(piece) = self.queue.front_mut() else {
                return;
            };
            let length = left.min(piece.to - piece.from);
            let played = Played {
                item: piece.item,
                from: piece.from,
                to: piece.from + length,
                at,
                sent: piece.sent,
            };
            piece.from += length;
            left -= length;
            if piece.from == piece.to {
                self.queue.pop_front();
            }
            self.played.push(played);
        }
    }

    /// How many different bytes of an item have been played when the time is `until`.
    pub(super) fn heard(&self, item: usize, until: u64) -> usize {
        let of = |played: &&Played| played.item == Some(item) && played.at <= until;
        let mut stretches: Vec<(usize, usize)> = self
            .played
            .iter()
            .filter(of)
            .map(|played| (played.from, played.to))
            .collect();
        stretches.sort_unstable();
        let (mut sum, mut end) = (0, 0);
        for (from, to) in stretches {
            sum += to.saturating_sub(from.max(end));
            end = end.max(to);
        }
        sum
    }

    /// Number of the item with this id.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.items.iter().position(|item| item.id == id)
    }
}
