//! Random numbers from a seed (splitmix64): the same seed, the same faults at the same moments.

/// A sequence of random numbers.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed, for this use of it.
    pub fn new(seed: u64, purpose: &str) -> Self {
        let purpose = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self(seed ^ purpose)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From `from` to just below `to`.
    pub fn within(&mut self, from: u64, to: u64) -> u64 {
        from + self.next() % (to - from).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_and_a_purpose_make_one_sequence() {
        let take = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            [random.within(0, 1_000_000), random.within(0, 1_000_000)]
        };
        assert_eq!(take(1, "a"), take(1, "a"));
        assert_ne!(take(1, "a"), take(2, "a"));
        assert_ne!(take(1, "a"), take(1, "b"));
        let mut random = Random::new(3, "range");
        assert!((0..1_000).all(|_| (5..9).contains(&random.within(5, 9))));
    }
}
