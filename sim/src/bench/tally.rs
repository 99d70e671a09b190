//! What was measured in a window of time, and what it comes to.

/// The three situations in which a reply is cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    /// It is still being generated.
    Generating,
    /// All of it was generated, and it still plays.
    Playing,
    /// Several replies wait behind each other.
    Queued,
}

/// What became of a reply that was cut off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    pub situation: Situation,
    /// One-way delay between Twilio and the bridge, in ms.
    pub delay_ms: u64,
    /// From the model's `speech_started` to the `clear`, in µs; none if there was none.
    pub clear_us: Option<u64>,
    /// By how much the model's belief of what was heard is wrong, over all its items, in ms.
    pub error_ms: u64,
    /// Audio of it that came to the phone after the `clear`, in ms.
    pub stale_ms: u64,
}

/// What was counted and timed.
#[derive(Debug, Default)]
pub struct Tally {
    /// Added by the bridge, in µs: shop to model, where there is a sound, and model to phone. Silence
    /// may be kept and sent together.
    pub inbound_us: Vec<u32>,
    pub outbound_us: Vec<u32>,
    /// How late the generator itself was with the shop's frames, in µs.
    pub late_us: Vec<u32>,
    pub inbound: Frames,
    pub outbound: Frames,
    /// Messages that carried the shop's audio to the model.
    pub appends: u64,
    /// Messages of the bridge, to the phone and to the model.
    pub messages: u64,
    /// Audio that the bridge threw away though nobody asked for it.
    pub clears: u64,
    /// Turns of the shop that the model took, and those that nobody answered.
    pub turns: u64,
    pub unanswered: u64,
    pub cuts: Vec<Cut>,
}

/// Pieces of 20 ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frames {
    pub sent: u64,
    pub arrived: u64,
}

impl Frames {
    /// Those that never arrived.
    pub fn lost(self) -> u64 {
        self.sent.saturating_sub(self.arrived)
    }
}

/// The value that `share` of the values do not exceed; 0 of none.
pub fn percentile<T: Copy + Default + Ord>(values: &[T], share: f64) -> T {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.max(1) - 1).copied().unwrap_or_default()
}

/// The middle one; of two, their mean.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let upper = sorted.get(middle).copied().unwrap_or(f64::NAN);
    match sorted.len() % 2 {
        0 => f64::midpoint(
            upper,
            sorted.get(middle.wrapping_sub(1)).copied().unwrap_or(upper),
        ),
        _ => upper,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_and_medians_are_those_of_the_textbook() {
        let values: Vec<u32> = (1..=100).rev().collect();
        assert_eq!(percentile(&values, 0.5), 50);
        assert_eq!(percentile(&values, 0.99), 99);
        assert_eq!(percentile::<u32>(&[], 0.5), 0);
        assert!((median(&[3.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
        assert!((median(&[4.0, 1.0]) - 2.5).abs() < 1e-9);
        assert!(median(&[]).is_nan());
    }
}
