//! Keys of a telephone as tones (DTMF, ITU-T Q.23), in μ-law.
//!
//! A receiver takes a key whose tones last 40 ms with pauses of 40 ms (Q.24); ours are longer, for
//! packets get lost. The tones begin with a pause of that length, so that the agent's last word does
//! not run into the first key.

use super::ulaw::{self, BYTES_PER_MS, SILENCE};
use std::f64::consts::TAU;

const TONE_MS: u64 = 70;
const GAP_MS: u64 = 70;
const LEAD_MS: u64 = 40;
/// How long a comma waits.
const PAUSE_MS: u64 = 500;
/// The tones swell and fade so long, so that nothing clicks.
const RAMP_MS: u64 = 3;
/// Peak of a sine at −9 dBm0; two of them have −6 dBm0. A full-scale sine (32,636 of 16 bits) is
/// 3.17 dBm0 (G.711): 32,636 · 10^((−9 − 3.17) / 20).
const PEAK: f64 = 8_039.0;
const SAMPLES_PER_SEC: f64 = 8_000.0;

/// The keys by row and column, and their frequencies in Hz.
const KEYS: [&str; 4] = ["123", "456", "789", "*0#"];
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 3] = [1209.0, 1336.0, 1477.0];

/// Keys as μ-law at 8 kHz: 40 ms of silence, then for each of 0-9, * and # 70 ms of its two tones and
/// 70 ms of silence, for anything else (a comma) 500 ms of silence.
pub fn tones(keys: &str) -> Vec<u8> {
    let mut audio = Vec::new();
    silence(&mut audio, LEAD_MS);
    for key in keys.chars() {
        match frequencies(key) {
            Some(pair) => {
                audio.extend((0..samples(TONE_MS)).map(|n| sample(pair, n)));
                silence(&mut audio, GAP_MS);
            }
            None => silence(&mut audio, PAUSE_MS),
        }
    }
    audio
}

/// The two frequencies of a key, in Hz.
fn frequencies(key: char) -> Option<(f64, f64)> {
    KEYS.iter().zip(ROWS).find_map(|(keys, row)| {
        let (_, column) = keys.chars().zip(COLUMNS).find(|(c, _)| *c == key)?;
        Some((row, column))
    })
}

fn silence(audio: &mut Vec<u8>, ms: u64) {
    audio.extend((0..samples(ms)).map(|_| SILENCE));
}

/// Samples, and with μ-law bytes, of so much audio. A `u32`, for each is exact as an `f64`.
fn samples(ms: u64) -> u32 {
    u32::try_from(ms.saturating_mul(BYTES_PER_MS)).unwrap_or(u32::MAX)
}

/// The nth sample of a key's tones.
#[expect(
    clippy::cast_possible_truncation,
    reason = "both sines together stay below 16,078"
)]
fn sample((row, column): (f64, f64), n: u32) -> u8 {
    let seconds = f64::from(n) / SAMPLES_PER_SEC;
    let tones = sine(row * seconds) + sine(column * seconds);
    let to_edge = n.min(samples(TONE_MS).saturating_sub(n + 1));
    let ramp = (f64::from(to_edge) / f64::from(samples(RAMP_MS))).min(1.0);
    // Raised cosine, from 0 to 1.
    let swell = 0.5 - 0.5 * sine(0.25 + 0.5 * ramp);
    ulaw::encode((PEAK * swell * tones).round() as i16)
}

/// The sine of so many turns, to 10⁻⁷: `f64::sin`, good for every number there is, would be 8 kB of
/// the Worker.
fn sine(turns: f64) -> f64 {
    let part = turns - turns.round_ties_even();
    let rising = if part.abs() > 0.25 {
        0.5_f64.copysign(part) - part
    } else {
        part
    };
    let x = TAU * rising;
    let taylor = [110.0, 72.0, 42.0, 20.0, 6.0];
    x * taylor.iter().fold(1.0, |rest, n| 1.0 - x * x / n * rest)
}

#[cfg(test)]
mod tests;
