//! The network in Rust against what it was made from: probabilities of the ONNX model and of its
//! byte weights in double precision, by `scripts/silero-reference.py golden`.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]

use orderline::audio::wav::Wav;
use orderline_silero::{STEP, Silero};

/// Rows of `silero/golden.tsv`: the ONNX model's probability, and the byte weights'.
fn golden(signal: &str) -> Vec<(f32, f32)> {
    include_str!("../silero/golden.tsv")
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            (fields[0] == signal).then(|| (fields[2].parse().unwrap(), fields[3].parse().unwrap()))
        })
        .collect()
}

fn probabilities(samples: &[i16]) -> Vec<f32> {
    let mut silero = Silero::new();
    let (steps, _) = samples.as_chunks::<STEP>();
    steps
        .iter()
        .map(|step| silero.step(&step.map(|s| f32::from(s) / 32768.0)))
        .collect()
}

/// The same integers as `synthetic()` of the script: a voice-like buzz in noise.
fn synthetic() -> Vec<i16> {
    let (mut noise, mut y, mut z) = (1u32, (0i32, 0i32), (0i32, 0i32));
    (0..16_000)
        .map(|n: i32| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let voiced = (n / 2_000) % 2 == 1;
            let pulse = if voiced && n % (70 + n / 1_000) == 0 {
                6_000
            } else {
                0
            };
            y = (pulse + ((28_000 * y.0 - 15_000 * y.1) >> 14), y.0);
            z = (pulse + ((16_000 * z.0 - 15_400 * z.1) >> 14), z.0);
            let hiss = i32::try_from(noise >> 24).unwrap() - 128;
            let sum = y.0 + z.0.div_euclid(2) + hiss;
            i16::try_from(sum.clamp(-32_768, 32_767)).unwrap()
        })
        .collect()
}

/// `within`: how far bytes may be from the weights they stand for. The inputs of the layers are rounded
/// to 15 bits, which float64 does not.
fn assert_matches(signal: &str, samples: &[i16], within: f32) {
    let (heard, golden) = (probabilities(samples), golden(signal));
    assert_eq!(heard.len(), golden.len());
    for (step, (heard, (onnx, bytes))) in heard.iter().zip(golden).enumerate() {
        assert!(
            (heard - bytes).abs() < 1e-3,
            "{signal} {step}: {heard}, in f64 {bytes}"
        );
        assert!(
            (heard - onnx).abs() < within,
            "{signal} {step}: {heard}, ONNX {onnx}"
        );
    }
}

#[test]
fn the_network_computes_its_weights() {
    // No speech: the network is in doubt, where the smallest difference shows.
    assert_matches("synthetic", &synthetic(), 0.1);
}

#[test]
fn the_network_hears_a_fixture_as_the_onnx_model_does() {
    let fixture = include_bytes!("../fixtures/speech/pickup/what-size.wav");
    let samples = Wav::parse(fixture).unwrap().samples;
    assert_matches("fixture", &samples, 0.08);
}
