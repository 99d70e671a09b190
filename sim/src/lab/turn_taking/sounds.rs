//! Sounds that are no words, synthesised: the same seed gives the same sound. Samples are −1 to 1
//! at 8 kHz.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sample arithmetic of a laboratory"
)]

use super::super::signals::{RATE, Random, at_level, digits, pink, tones, white};
use super::truth::Kind;
use orderline::audio::ulaw;
use std::f64::consts::TAU;

/// The sound of this kind; nothing for speech.
pub(super) fn make(kind: Kind, random: &mut Random) -> Vec<f32> {
    match kind {
        Kind::Cough => cough(random),
        Kind::Clatter => clatter(random),
        Kind::Digits => {
            let keys = 2 + random.below(4);
            at_level(
                digits(random, keys * RATE / 5),
                random.between(-24.0, -16.0),
            )
        }
        Kind::RingBack => at_level(tones(&[440.0, 480.0], 2.0, 6.0, 2 * RATE), -22.0),
        Kind::Music => {
            let seconds = random.between(3.0, 7.0);
            music(random, seconds)
        }
        _ => Vec::new(),
    }
}

/// Ten seconds of a line's noise at this level, dBFS.
pub(super) fn bed(random: &mut Random, level: f64) -> Vec<f32> {
    at_level(pink(random, 10 * RATE), level)
}

/// μ-law as samples.
pub(super) fn decoded(ulaw: &[u8]) -> Vec<f32> {
    let sample = |byte: &u8| f32::from(ulaw::decode(*byte)) / 32_768.0;
    ulaw.iter().map(sample).collect()
}

/// Breath through a throat: 200 to 300 ms of noise with a hard beginning and a soft end.
fn cough(random: &mut Random) -> Vec<f32> {
    let length = (random.between(0.2, 0.3) * RATE as f64) as usize;
    let mut low = 0.0;
    let noise = white(random, length).into_iter().enumerate();
    let shaped = noise.map(|(n, sample)| {
        let time = n as f64 / RATE as f64;
        let attack = (time / 0.008).min(1.0);
        let decay = (-time / 0.09).exp();
        low += 0.45 * (f64::from(sample) - low);
        (low * attack * decay) as f32
    });
    at_level(shaped.collect(), random.between(-26.0, -18.0))
}

/// Pans and plates: some strikes that ring for a few hundredths of a second.
fn clatter(random: &mut Random) -> Vec<f32> {
    let length = (random.between(0.3, 0.9) * RATE as f64) as usize;
    let mut sound = vec![0.0; length];
    for _ in 0..4 + random.below(6) {
        let start = random.below(length * 3 / 4);
        let partials: Vec<(f64, f64)> = (0..4)
            .map(|_| (random.between(900.0, 3_300.0), random.between(0.006, 0.04)))
            .collect();
        for (n, sample) in sound.iter_mut().skip(start).enumerate() {
            let time = n as f64 / RATE as f64;
            let ring = |(hz, decay): &(f64, f64)| (TAU * hz * time).sin() * (-time / decay).exp();
            *sample += partials.iter().map(ring).sum::<f64>() as f32;
        }
    }
    at_level(sound, random.between(-28.0, -18.0))
}

/// Plucked chords, four notes a second.
fn music(random: &mut Random, seconds: f64) -> Vec<f32> {
    const NOTES: [f64; 8] = [220.0, 261.6, 293.7, 329.6, 392.0, 440.0, 523.3, 587.3];
    let mut sound = vec![0.0; (seconds * RATE as f64) as usize];
    for start in (0..sound.len()).step_by(RATE / 4) {
        for _ in 0..=random.below(2) {
            let hz = NOTES
                .get(random.below(NOTES.len()))
                .copied()
                .unwrap_or(440.0);
            for (n, sample) in sound.iter_mut().skip(start).take(RATE).enumerate() {
                let time = n as f64 / RATE as f64;
                let harmonics = (1..5).map(|k| {
                    let k = f64::from(k);
                    (TAU * hz * k * time).sin() / k * (-time * 2.5 * k).exp()
                });
                *sample += (harmonics.sum::<f64>() * (time / 0.004).min(1.0)) as f32;
            }
        }
    }
    at_level(sound, random.between(-30.0, -22.0))
}

/// The agent's voice as it comes back from the far end.
pub(super) struct Echo {
    /// What was played and has not come back.
    delay: std::collections::VecDeque<f32>,
    gain: f32,
    low: [f32; 2],
}

impl Echo {
    /// `delay_ms` later, `loss_db` lower, and without its treble.
    pub(super) fn new(delay_ms: u64, loss_db: f64) -> Self {
        let delay = delay_ms as usize * RATE / 1_000;
        Self {
            delay: vec![0.0; delay].into(),
            gain: 10f64.powf(-loss_db / 20.0) as f32,
            low: [0.0; 2],
        }
    }

    /// What comes back while this is played.
    pub(super) fn step(&mut self, played: &[u8]) -> Vec<f32> {
        self.delay.extend(decoded(played));
        let back: Vec<f32> = self.delay.drain(..played.len()).collect();
        let Self {
            gain, low: [a, b], ..
        } = self;
        let filtered = back.into_iter().map(|sample| {
            *a += 0.6 * (sample - *a);
            *b += 0.6 * (*a - *b);
            *b * *gain
        });
        filtered.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::signals::level;
    use super::*;

    #[test]
    fn an_echo_is_late_and_low() {
        let tone: Vec<u8> = tones(&[500.0], 1.0, 1.0, RATE)
            .into_iter()
            .map(|s| ulaw::encode((s * 32_768.0) as i16))
            .collect();
        let mut echo = Echo::new(100, 20.0);
        let back: Vec<f32> = tone
            .chunks(160)
            .flat_map(|frame| echo.step(frame))
            .collect();
        assert!(back.iter().take(800).all(|s| *s == 0.0));
        let loss = level(decoded(&tone).into_iter()) - level(back.into_iter().skip(1_000));
        assert!((loss - 20.0).abs() < 1.5, "{loss} dB");
    }

    #[test]
    fn every_sound_has_its_length_and_is_the_same_again() {
        for (kind, ms) in [
            (Kind::Cough, 200..=300),
            (Kind::Clatter, 300..=900),
            (Kind::Digits, 400..=1_000),
            (Kind::RingBack, 2_000..=2_000),
            (Kind::Music, 3_000..=7_000),
        ] {
            let sound = make(kind, &mut Random::new(3));
            assert!(ms.contains(&(sound.len() / 8)), "{kind:?}");
            assert_eq!(sound, make(kind, &mut Random::new(3)));
        }
        assert!(make(Kind::Reply, &mut Random::new(3)).is_empty());
    }
}
