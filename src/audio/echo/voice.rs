//! Whether a fifth of a second, at 4 kHz and with its high frequencies raised, is speech: asked of a
//! network that has heard nothing before.

use orderline_silero::{STEP, Silero};

/// From so probable on it is speech. Lower than for a network that has listened all along: it
/// has 200 ms, and half of the band.
const SPEECH: f32 = 0.3;

/// Full scale of 16 bits.
const FULL: f32 = 32_768.0;

/// Half of a symmetrical low-pass at a quarter of the rate, its middle first; every other tap is zero.
const TAPS: [f32; 4] = [1.0, 0.606, -0.142, 0.036];

pub(super) fn is_speech(emphasised: &[f32], emphasis: f32) -> bool {
    let mut last = 0.0;
    let plain: Vec<f32> = emphasised
        .iter()
        .map(|sample| {
            last = sample + emphasis * last;
            last / FULL
        })
        .collect();
    let twice = upsampled(&plain);
    let mut network = Silero::new();
    let (steps, _) = twice.as_chunks::<STEP>();
    steps.iter().any(|step| network.step(step) >= SPEECH)
}

/// At twice the rate.
fn upsampled(samples: &[f32]) -> Vec<f32> {
    let at = |index: Option<usize>| {
        let sample = index.and_then(|index| samples.get(index));
        sample.copied().unwrap_or(0.0)
    };
    let [middle, near, far, farthest] = TAPS;
    (0..samples.len())
        .flat_map(|n| {
            let pair =
                |before: usize, after: usize| at(n.checked_sub(before)) + at(n.checked_add(after));
            let between = near * pair(0, 1) + far * pair(1, 2) + farthest * pair(2, 3);
            [middle * at(Some(n)), between]
        })
        .collect()
}
