//! Seeded noise, tones and clicks, and the telephone line they go through. Samples are −1 to 1 at
//! 8 kHz.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sample arithmetic of a laboratory"
)]

use orderline::audio::ulaw;
use std::f64::consts::TAU;

pub(super) const RATE: usize = 8_000;

/// `SplitMix64`: the same numbers everywhere.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let a = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let b = (a ^ (a >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        b ^ (b >> 31)
    }

    /// From `from` up to `to`.
    pub(super) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// A number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count.max(1) as u64) as usize
    }

    /// Mean 0, deviation 1.
    fn normal(&mut self) -> f64 {
        let (u, v) = (self.between(1e-12, 1.0), self.between(0.0, 1.0));
        (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
    }
}

pub(super) fn white(random: &mut Random, samples: usize) -> Vec<f32> {
    (0..samples).map(|_| random.normal() as f32).collect()
}

/// −3 dB per octave, by Paul Kellet's economy filter.
pub(super) fn pink(random: &mut Random, samples: usize) -> Vec<f32> {
    let (mut a, mut b, mut c) = (0.0, 0.0, 0.0);
    let mut next = || {
        let white = random.normal();
        a = 0.997_65 * a + white * 0.099_046;
        b = 0.963_00 * b + white * 0.296_516_4;
        c = 0.570_00 * c + white * 1.052_691_3;
        a + b + c + white * 0.1848
    };
    (0..samples).map(|_| next() as f32).collect()
}

/// Sines of −16 dBFS each that sound for the first `on` of every `period` seconds.
pub(super) fn tones(hz: &[f64], on: f64, period: f64, samples: usize) -> Vec<f32> {
    let at = |n: usize| {
        let time = n as f64 / RATE as f64;
        let sum: f64 = hz.iter().map(|hz| (TAU * hz * time).sin()).sum();
        if time % period < on { 0.224 * sum } else { 0.0 }
    };
    (0..samples).map(|n| at(n) as f32).collect()
}

/// Random DTMF digits: 100 ms of tone, 100 ms of pause.
pub(super) fn digits(random: &mut Random, samples: usize) -> Vec<f32> {
    let mut out = Vec::new();
    while out.len() < samples {
        let low = [697.0, 770.0, 852.0, 941.0].get(random.below(4)).copied();
        let high = [1_209.0, 1_336.0, 1_477.0].get(random.below(3)).copied();
        let pair = [low.unwrap_or(697.0), high.unwrap_or(1_209.0)];
        out.extend(tones(&pair, 0.1, 0.2, RATE / 5));
    }
    out.truncate(samples);
    out
}

/// Clicks of 1 to 8 ms and −30 to −6 dBFS, two to five a second, over faint noise.
pub(super) fn clicks(random: &mut Random, samples: usize) -> Vec<f32> {
    let mut out = at_level(white(random, samples), -65.0);
    let mut at = 0;
    while at < samples {
        let height = decibels(random.between(-30.0, -6.0));
        let length = random.below(56) + 8;
        for sample in out.iter_mut().skip(at).take(length) {
            *sample += (height * random.between(-1.0, 1.0)) as f32;
        }
        at += (random.between(0.2, 0.5) * RATE as f64) as usize;
    }
    out
}

/// Amplitude of a level.
pub(super) fn decibels(level: f64) -> f64 {
    10f64.powf(level / 20.0)
}

/// RMS level in dBFS.
pub(super) fn level(samples: impl Iterator<Item = f32>) -> f64 {
    let (count, sum) = samples.fold((0usize, 0.0), |(count, sum), s| {
        (count + 1, sum + f64::from(s) * f64::from(s))
    });
    10.0 * (sum / count.max(1) as f64).max(1e-12).log10()
}

/// The same at an RMS level of `target` dBFS.
pub(super) fn at_level(samples: Vec<f32>, target: f64) -> Vec<f32> {
    let gain = target - level(samples.iter().copied());
    amplified(samples, gain)
}

/// The same, `gain` dB louder.
pub(super) fn amplified(mut samples: Vec<f32>, gain: f64) -> Vec<f32> {
    let factor = decibels(gain) as f32;
    samples.iter_mut().for_each(|s| *s *= factor);
    samples
}

/// Adds `other`, over and over again, to `samples`.
pub(super) fn add(samples: &mut [f32], other: &[f32]) {
    for (sample, other) in samples.iter_mut().zip(other.iter().cycle()) {
        *sample += other;
    }
}

/// What the far end receives: 250–3450 Hz, then true G.711 μ-law.
pub(super) fn through_the_line(samples: &[f32]) -> Vec<u8> {
    // Butterworth of fourth order at both ends: the Q of its two sections.
    let sections = [0.541_196_1, 1.306_563];
    let mut filters: Vec<Section> = sections
        .iter()
        .flat_map(|q| {
            [
                Section::new(250.0, *q, true),
                Section::new(3_450.0, *q, false),
            ]
        })
        .collect();
    let filtered = samples.iter().map(|sample| {
        let value = f64::from(*sample);
        filters
            .iter_mut()
            .fold(value, |value, filter| filter.next(value))
    });
    filtered
        .map(|value| ulaw::encode((value * 32_768.0).round().clamp(-32_768.0, 32_767.0) as i16))
        .collect()
}

/// A second-order filter of the Audio EQ Cookbook, transposed direct form II.
struct Section {
    forward: [f64; 3],
    back: [f64; 2],
    state: [f64; 2],
}

impl Section {
    fn new(hz: f64, q: f64, high_pass: bool) -> Self {
        let angle = TAU * hz / RATE as f64;
        let alpha = angle.sin() / (2.0 * q);
        let (cos, scale) = (angle.cos(), 1.0 / (1.0 + alpha));
        let edge = if high_pass { 1.0 + cos } else { 1.0 - cos };
        let middle = if high_pass { -edge } else { edge };
        Self {
            forward: [edge / 2.0 * scale, middle * scale, edge / 2.0 * scale],
            back: [-2.0 * cos * scale, (1.0 - alpha) * scale],
            state: [0.0; 2],
        }
    }

    fn next(&mut self, x: f64) -> f64 {
        let ([b0, b1, b2], [a1, a2], [s1, s2]) = (self.forward, self.back, self.state);
        let y = b0 * x + s1;
        self.state = [b1 * x - a1 * y + s2, b2 * x - a2 * y];
        y
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_passes_speech_and_stops_what_is_beside_it() {
        for (hz, passes) in [
            (100.0, false),
            (1_000.0, true),
            (3_000.0, true),
            (3_900.0, false),
        ] {
            let sent = tones(&[hz], 1.0, 1.0, RATE);
            let received = through_the_line(&sent);
            let loss = level(sent.into_iter()) - f64::from(ulaw::dbfs(&received));
            assert_eq!(loss < 3.0, passes, "{hz} Hz: {loss} dB");
        }
    }

    #[test]
    fn noises_have_the_level_asked_for_and_are_the_same_again() {
        for noise in [white, pink] {
            let make = || at_level(noise(&mut Random::new(7), RATE), -36.0);
            assert!((level(make().into_iter()) - -36.0).abs() < 1e-3);
            assert_eq!(make(), make());
        }
    }
}
