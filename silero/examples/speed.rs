//! 10 000 steps, for `scripts/silero-speed.mjs` to time in V8. It prints nothing: on
//! wasm32-unknown-unknown nothing can.

use orderline_silero::{STEP, Silero};
use std::hint::black_box;

fn main() {
    let mut silero = Silero::new();
    let mut noise = 1u32;
    let samples: [f32; STEP] = std::array::from_fn(|_| {
        noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f32::from(noise.to_be_bytes()[0]) / 1_280.0 - 0.1
    });
    for _ in 0..10_000 {
        black_box(silero.step(black_box(&samples)));
    }
}
