//! Audio that tells where it is from: every four bytes name the item and the place in it, so that the
//! phone knows what it has really played.

use orderline::twilio::media;
use std::collections::BTreeMap;

/// Bytes of a millisecond.
pub(super) const BYTES_PER_MS: usize = 8;
/// Bytes that name one place.
const GROUP: usize = 4;
/// How long a word is, in ms.
pub(super) const WORD_MS: usize = 120;

/// So many ms of an item, from this byte on.
pub(super) fn of(item: u8, from: usize, ms: usize) -> Vec<u8> {
    let first = from / GROUP;
    let groups = ms * BYTES_PER_MS / GROUP;
    (first..first + groups)
        .flat_map(|place| {
            let [high, low] = u16::try_from(place).unwrap_or(u16::MAX).to_be_bytes();
            [item, high, low, 0x55]
        })
        .collect()
}

/// What was played of every item.
#[derive(Default)]
pub(super) struct Played(BTreeMap<u8, Vec<bool>>);

impl Played {
    /// This much of a payload was played; it may begin in the middle of a group.
    pub(super) fn add(&mut self, audio: &[u8], bytes: usize) {
        let played = audio.get(..bytes.min(audio.len())).unwrap_or(audio);
        // Groups end with 0x55; what is cut off at the front is part of a group that is lost.
        let start = played
            .iter()
            .take(GROUP)
            .position(|byte| *byte == 0x55)
            .map_or(0, |at| (at + 1) % GROUP);
        for group in played.get(start..).unwrap_or_default().chunks_exact(GROUP) {
            let &[item, high, low, _] = group else {
                continue;
            };
            let place = usize::from(u16::from_be_bytes([high, low]));
            let places = self.0.entry(item).or_default();
            if places.len() <= place {
                places.resize(place + 1, false);
            }
            places[place] = true;
        }
    }

    /// How much of an item was played, in bytes.
    pub(super) fn bytes(&self, item: u8) -> usize {
        self.0.get(&item).map_or(0, |places| {
            places.iter().filter(|played| **played).count() * GROUP
        })
    }

    /// Whether an item of this length was played without a hole; a frame may be missing at a cut.
    pub(super) fn whole(&self, item: u8, bytes: usize) -> bool {
        // A pause may cut two groups, which are then told twice in parts.
        self.bytes(item) + 8 * GROUP >= bytes
    }
}

/// The bytes of a payload.
pub(super) fn decode(payload: &str) -> Vec<u8> {
    media::decode(payload).unwrap_or_default()
}
