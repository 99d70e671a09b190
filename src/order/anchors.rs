//! Where the words and the audio of a turn of the agent stood together: between two such places the
//! words are spread evenly over the audio.

use serde::{Deserialize, Serialize};

/// Most places kept of one turn; of more, those that are nearest to others go.
const MAX_ANCHORS: usize = 256;

/// A place in a turn: characters of its words, bytes of its audio.
type Place = (u64, u64);

/// The known places, both numbers rising. In JSON a list of pairs.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(transparent)]
pub(super) struct Anchors(Vec<Place>);

impl Anchors {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// So many characters stand in the place of these.
    pub(super) fn replace(&mut self, chars: &std::ops::Range<u64>, by: u64) {
        for (place, _) in &mut self.0 {
            if *place >= chars.end {
                *place = (*place - chars.end)
                    .saturating_add(chars.start)
                    .saturating_add(by);
            } else {
                *place = (*place).min(chars.start);
            }
        }
    }

    /// More words come behind `chars`, when `bytes` of audio were received. Without new audio since
    /// the last place this says nothing: the words up to here belong to audio that is still to come.
    pub(super) fn add(&mut self, chars: u64, bytes: u64) {
        if bytes <= self.0.last().map_or(0, |(_, bytes)| *bytes) {
            return;
        }
        if self.0.len() >= MAX_ANCHORS {
            self.drop_closest();
        }
        self.0.push((chars, bytes));
    }

    /// Drops the place whose neighbours are closest together; never the last, which new ones follow.
    fn drop_closest(&mut self) {
        let gaps = self.0.windows(3).map(|places| match places {
            [(_, before), _, (_, after)] => after.saturating_sub(*before),
            _ => u64::MAX,
        });
        if let Some((at, _)) = gaps.enumerate().min_by_key(|(_, gap)| *gap) {
            self.0.remove(at + 1);
        }
    }

    /// How many characters are said in the first `bytes`, rounded down. The turn ends at `end` so
    /// far.
    pub(super) fn chars_at(&self, bytes: u64, end: Place) -> u64 {
        let reached = self.stretches(end).find(|(_, to)| bytes <= to.1);
        reached.map_or(end.0, |(from, to)| {
            let chars = to.0.saturating_sub(from.0);
            let into = chars.saturating_mul(bytes.saturating_sub(from.1));
            let share = into.checked_div(to.1.saturating_sub(from.1)).unwrap_or(0);
            from.0.saturating_add(share)
        })
    }

    /// In how many bytes the first `chars` are said, rounded up: the least for which
    /// [`Anchors::chars_at`] gives so many.
    pub(super) fn bytes_at(&self, chars: u64, end: Place) -> u64 {
        let reached = self.stretches(end).find(|(_, to)| chars <= to.0);
        reached.map_or(end.1, |(from, to)| {
            let bytes = to.1.saturating_sub(from.1);
            let into = bytes.saturating_mul(chars.saturating_sub(from.0));
            let all = to.0.saturating_sub(from.0);
            let share = if all == 0 { 0 } else { into.div_ceil(all) };
            from.1.saturating_add(share)
        })
    }

    fn stretches(&self, end: Place) -> impl Iterator<Item = (Place, Place)> {
        let from = [(0, 0)].into_iter().chain(self.0.iter().copied());
        let to = self.0.iter().copied().chain([end]);
        from.zip(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn anchors(places: &[Place]) -> Anchors {
        let mut anchors = Anchors::default();
        for (chars, bytes) in places {
            anchors.add(*chars, *bytes);
        }
        anchors
    }

    #[test]
    fn between_two_places_the_words_are_spread_evenly() {
        let a = anchors(&[(0, 0), (10, 8_000), (40, 16_000)]);
        let at = |bytes| a.chars_at(bytes, (50, 24_000));
        assert_eq!(
            [0, 4_000, 8_000, 12_000, 16_000, 20_000, 24_000, 99_000].map(at),
            [0, 5, 10, 25, 40, 45, 50, 50]
        );
        let back = |chars| a.bytes_at(chars, (50, 24_000));
        assert_eq!(
            [0, 5, 10, 25, 50, 51].map(back),
            [0, 4_000, 8_000, 12_000, 24_000, 24_000]
        );
    }

    #[test]
    fn words_without_new_audio_belong_to_the_audio_that_follows() {
        let ahead = anchors(&[(0, 0), (10, 0), (20, 8_000), (30, 8_000), (40, 8_000)]);
        assert_eq!(ahead.0, [(20, 8_000)]);
        assert_eq!(ahead.chars_at(12_000, (60, 16_000)), 40);
    }

    #[test]
    fn words_after_all_of_the_audio_have_no_place_before_its_end() {
        let late = anchors(&[(0, 8_000), (10, 8_000)]);
        assert_eq!(late.chars_at(7_999, (20, 8_000)), 0);
        assert_eq!(late.bytes_at(10, (20, 8_000)), 8_000);
    }

    #[test]
    fn many_places_are_thinned_out_evenly() {
        let mut a = Anchors::default();
        for i in 1..=2_000 {
            a.add(i * 2, i * 100);
        }
        assert_eq!(a.0.len(), MAX_ANCHORS);
        assert_eq!(a.0.last(), Some(&(4_000, 200_000)));
        let widest = a.0.windows(2).map(|w| w[1].1 - w[0].1).max();
        assert!(widest <= Some(4 * 200_000 / 256), "{widest:?}");
    }

    proptest! {
        #[test]
        fn both_directions_agree(steps in prop::collection::vec((0u64..50, 0u64..5_000), 0..20), chars in 0u64..2_000, bytes in 0u64..200_000) {
            let mut a = Anchors::default();
            let mut end = (0, 0);
            for (c, b) in steps {
                a.add(end.0, end.1);
                end = (end.0 + c, end.1 + b);
            }
            prop_assert!(a.chars_at(bytes, end) <= end.0);
            prop_assert!(a.chars_at(bytes, end) <= a.chars_at(bytes + 1, end));
            let least = a.bytes_at(chars.min(end.0), end);
            prop_assert!(least <= end.1);
            // What was said in less is less.
            if least > 0 {
                prop_assert!(a.chars_at(least - 1, end) < chars.min(end.0));
            }
        }

        #[test]
        fn no_place_overflows(places in prop::collection::vec(any::<(u64, u64)>(), 0..10), at: u64, end: (u64, u64)) {
            let a = anchors(&places);
            let _ = (a.chars_at(at, end), a.bytes_at(at, end));
        }
    }
}
