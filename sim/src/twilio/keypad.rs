//! The keys that somebody presses on the line, by their tones (DTMF, ITU-T Q.23). It knows only the
//! samples that were played.
//!
//! A receiver may take a key whose tones last 40 ms and whose pause before it does, too (Q.24). The
//! line is listened to in blocks of 20 ms: a key is two blocks in a row, behind one without it.

use orderline::audio::ulaw;
use std::f64::consts::TAU;

const SAMPLES_PER_SEC: f64 = 8_000.0;
const BLOCK: usize = 160;
/// Blocks in a row that make a key.
const BLOCKS: usize = 2;
/// Key by its row and column of frequencies.
const KEYS: [[char; 4]; 4] = [
    ['1', '2', '3', 'A'],
    ['4', '5', '6', 'B'],
    ['7', '8', '9', 'C'],
    ['*', '0', '#', 'D'],
];
const ROWS: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
/// The two tones carry at least this part of all sound: speech has more than two. A tone that is
/// 1.5 % off, the most a receiver has to take, falls short of it; ours are exact.
const SHARE: f64 = 0.85;
/// Quieter tones are no keys, in dB below a full-scale sine.
const LEAST_DB: f64 = -35.0;
/// By how much one tone may be louder than the other, in dB.
const TWIST_DB: f64 = 6.0;

/// Listens to what is played.
#[derive(Default)]
pub struct Keypad {
    /// Samples of a block that is not complete.
    block: Vec<f64>,
    /// The key in the newest block, and in how many in a row.
    now: Option<char>,
    blocks: usize,
}

impl Keypad {
    /// The next samples that were played; the keys that are certain now.
    pub fn hear(&mut self, played: &[u8]) -> Vec<char> {
        let mut keys = Vec::new();
        for byte in played {
            self.block
                .push(f64::from(ulaw::decode(*byte)) / f64::from(i16::MAX));
            if self.block.len() == BLOCK {
                let key = key_in(&self.block);
                self.block.clear();
                self.blocks = if key == self.now { self.blocks + 1 } else { 1 };
                self.now = key;
                keys.extend(key.filter(|_| self.blocks == BLOCKS));
            }
        }
        keys
    }
}

fn key_in(block: &[f64]) -> Option<char> {
    let (row, low) = loudest(block, ROWS);
    let (column, high) = loudest(block, COLUMNS);
    let all = block.iter().map(|x| x * x).sum::<f64>() / block.len() as f64;
    let db = |power: f64| 10.0 * (power / 0.5).log10();
    let is_key = (low + high) >= SHARE * all
        && db(low.min(high)) >= LEAST_DB
        && db(low.max(high)) - db(low.min(high)) <= TWIST_DB;
    is_key.then(|| KEYS[row][column])
}

/// Which frequency is the loudest, and its power: half a sine's amplitude squared.
fn loudest(block: &[f64], frequencies: [f64; 4]) -> (usize, f64) {
    let powers = frequencies.map(|hz| power(block, hz));
    (0..frequencies.len())
        .map(|n| (n, powers[n]))
        .fold(
            (0, 0.0),
            |best, next| if next.1 > best.1 { next } else { best },
        )
}

/// Power of one frequency, after Goertzel.
fn power(block: &[f64], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / SAMPLES_PER_SEC).cos();
    let (newest, older) = block.iter().fold((0.0, 0.0), |(newest, older), x| {
        (x + turn * newest - older, newest)
    });
    let magnitude = newest * newest + older * older - turn * newest * older;
    let samples = block.len() as f64;
    2.0 * magnitude / (samples * samples)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clips::Clips;
    use orderline::audio::ulaw::SILENCE;
    use std::path::Path;

    /// Two sines of these amplitudes.
    fn tones(hz: [f64; 2], amplitudes: [f64; 2], ms: usize) -> Vec<u8> {
        let sample = |n: usize| {
            let sine = |hz: f64| (TAU * hz * n as f64 / SAMPLES_PER_SEC).sin();
            let both = amplitudes[0] * sine(hz[0]) + amplitudes[1] * sine(hz[1]);
            ulaw::encode((both * f64::from(i16::MAX)) as i16)
        };
        (0..ms * 8).map(sample).collect()
    }

    fn silence(ms: usize) -> Vec<u8> {
        vec![SILENCE; ms * 8]
    }

    fn keys(audio: &[u8]) -> String {
        let mut keypad = Keypad::default();
        // Odd pieces make no difference.
        audio
            .chunks(77)
            .flat_map(|piece| keypad.hear(piece))
            .collect()
    }

    #[test]
    fn every_key_is_known_wherever_it_begins_and_however_loud_it_is() {
        for (row, low) in ROWS.into_iter().enumerate() {
            for (column, high) in COLUMNS.into_iter().enumerate() {
                for (before, amplitude) in [(0, 0.4), (7, 0.1), (13, 0.03)] {
                    let audio = [
                        silence(before),
                        tones([low, high], [amplitude, amplitude * 0.7], 70),
                        silence(70),
                    ];
                    assert_eq!(keys(&audio.concat()), KEYS[row][column].to_string());
                }
            }
        }
    }

    #[test]
    fn a_key_pressed_twice_is_two_keys_and_one_held_is_one() {
        let two = |ms| tones([697.0, 1336.0], [0.2, 0.2], ms);
        let twice = [two(70), silence(70), two(70), silence(70)].concat();
        assert_eq!(keys(&twice), "22");
        assert_eq!(keys(&two(900)), "2");
    }

    #[test]
    fn what_is_too_short_too_quiet_or_no_pair_is_no_key() {
        let pair = [697.0, 1336.0];
        let short = [tones(pair, [0.2, 0.2], 25), silence(100)].concat();
        assert_eq!(keys(&short), "");
        assert_eq!(keys(&tones(pair, [0.005, 0.005], 200)), "");
        assert_eq!(keys(&tones(pair, [0.3, 0.05], 200)), "", "twisted");
        assert_eq!(keys(&tones([697.0, 770.0], [0.2, 0.2], 200)), "");
        assert_eq!(keys(&tones([720.0, 1380.0], [0.2, 0.2], 200)), "");
    }

    #[test]
    fn no_committed_line_has_a_key_in_it() {
        let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/speech"));
        let clips = Clips::load(fixtures).unwrap();
        for clip in clips.iter() {
            assert_eq!(keys(&clip.audio), "", "{}", clip.id);
        }
    }
}
