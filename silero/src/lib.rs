//! Silero's voice activity network for 8 kHz audio, in plain Rust without dependencies.
//!
//! Out of 256 new samples (32 ms) and the 32 before them it makes the probability of speech:
//!
//! ```text
//! 288 samples, mirrored by 32 at the end
//!   → magnitudes of 4 frames × 65 frequencies
//!   → 128 channels × 4 frames → 64 × 2 → 64 × 1 → 128 × 1   convolutions over time, ReLU
//!   → 128 LSTM cells → ReLU → 1 → sigmoid
//! ```
//!
//! It is a crate of its own because Cargo sets optimization per package: the Worker is built for
//! size, this for speed, and the tests of the workspace need it optimized too.
//!
//! The weights are Silero's (MIT, `LICENSE-WEIGHTS`), made into bytes by `scripts/extract-silero.py`.

mod lanes;
mod layers;
mod spectrum;
mod weights;

use lanes::Lanes;
pub use lanes::dot;
use layers::Whole;
use spectrum::SPAN;
pub use weights::Weights;

/// Samples per step.
pub const STEP: usize = 256;

/// Samples of the step before that the network was trained to see again. Without them it silently
/// hears worse.
const CONTEXT: usize = 32;

/// Inputs and cells of the LSTM.
const CELLS: usize = 128;

/// One listener: the state of the network between steps.
#[derive(Clone, Debug)]
pub struct Silero {
    context: [f32; CONTEXT],
    hidden: [Lanes; CELLS / 4],
    cells: [Lanes; CELLS / 4],
}

impl Default for Silero {
    fn default() -> Self {
        Self::new()
    }
}

impl Silero {
    /// A listener that has heard nothing. Every call needs its own.
    pub fn new() -> Self {
        Self {
            context: [0.0; CONTEXT],
            hidden: [Lanes::ZERO; CELLS / 4],
            cells: [Lanes::ZERO; CELLS / 4],
        }
    }

    /// The probability that these 32 ms are speech. Samples are −1 to 1.
    // Inlined into the Worker it would be optimized for size, as the Worker is.
    #[inline(never)]
    pub fn step(&mut self, samples: &[f32; STEP]) -> f32 {
        let weights = Weights::get();
        let magnitudes = weights.spectrum.magnitudes(&self.with_context(samples));
        let four = weights.conv1.to_four_frames(&Whole::new(&magnitudes));
        let two = weights.conv2.to_two_frames(&Whole::new(&four));
        let one: [Lanes; 16] = weights.conv3.to_one_frame(&Whole::new(two.as_flattened()));
        let features: [Lanes; CELLS / 4] = weights.conv4.to_one_frame(&Whole::new(&one));
        self.remember(weights, &features);

        let terms = self.hidden.iter().zip(&weights.output);
        let [a, b, c, d] = terms
            .fold(Lanes::ZERO, |sum, (h, w)| sum.add_product(h.relu(), *w))
            .to_array();
        let [probability, ..] = Lanes::splat(a + b + (c + d) + weights.output_bias)
            .sigmoid()
            .to_array();
        probability
    }

    /// The context, the samples, and their end mirrored; keeps the context of the next step.
    fn with_context(&mut self, samples: &[f32; STEP]) -> [f32; SPAN] {
        let mut span = [0.0; SPAN];
        let mirrored = samples.iter().rev().skip(1);
        let values = self.context.iter().chain(samples).chain(mirrored);
        for (to, from) in span.iter_mut().zip(values) {
            *to = *from;
        }
        if let Some(last) = samples.last_chunk() {
            self.context = *last;
        }
        span
    }

    /// The LSTM. Its gates stand behind each other: input, forget, cell, output.
    fn remember(&mut self, weights: &Weights, features: &[Lanes; CELLS / 4]) {
        let mut gates = [[Lanes::ZERO; CELLS / 4]; 4];
        let inputs = Whole::new([*features, self.hidden].as_flattened());
        weights.lstm.multiply(&inputs, gates.as_flattened_mut());
        let [input, forget, cell, output] = &gates;
        let inner = input.iter().zip(forget).zip(cell);
        for (c, ((i, f), g)) in self.cells.iter_mut().zip(inner) {
            *c = f.sigmoid().mul(*c).add_product(i.sigmoid(), g.tanh());
        }
        // Not in the loop above, where each cell would wait for the one before.
        for (h, (c, o)) in self.hidden.iter_mut().zip(self.cells.iter().zip(output)) {
            *h = o.sigmoid().mul(c.tanh());
        }
    }
}
