//! The tones against a receiver of its own, which knows Q.23 and Q.24 and nothing of the sender.

use super::*;
use proptest::prelude::*;

const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
const LAYOUT: [&str; 4] = ["123A", "456B", "789C", "*0#D"];
/// G.711, table 6: one period of 1 kHz at 0 dBm0.
const MILLIWATT: [u8; 8] = [0x1E, 0x0B, 0x0B, 0x1E, 0x9E, 0x8B, 0x8B, 0x9E];

fn linear(audio: &[u8]) -> Vec<f64> {
    audio.iter().map(|b| f64::from(ulaw::decode(*b))).collect()
}

/// Power of one frequency (Goertzel), where a sine of peak A has A² / 2.
fn power(samples: &[f64], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / 8_000.0).cos();
    let (mut last, mut before) = (0.0, 0.0);
    for sample in samples {
        (last, before) = (sample + turn * last - before, last);
    }
    let n = f64::from(u32::try_from(samples.len()).unwrap());
    2.0 * (last * last + before * before - turn * last * before) / (n * n)
}

fn mean_square(samples: &[f64]) -> f64 {
    let n = f64::from(u32::try_from(samples.len()).unwrap());
    samples.iter().map(|s| s * s).sum::<f64>() / n
}

fn db(ratio: f64) -> f64 {
    10.0 * ratio.log10()
}

/// Ranges of samples that sound; the beat of two tones is shorter than 5 ms.
fn bursts(samples: &[f64]) -> Vec<(usize, usize)> {
    let mut bursts: Vec<(usize, usize)> = Vec::new();
    for (at, _) in samples.iter().enumerate().filter(|(_, s)| s.abs() > 800.0) {
        match bursts.last_mut() {
            Some((_, end)) if at - *end < 40 => *end = at + 1,
            _ => bursts.push((at, at + 1)),
        }
    }
    bursts
}

/// The inner 60 ms of a burst.
fn inside(samples: &[f64], (from, to): (usize, usize)) -> &[f64] {
    let middle = usize::midpoint(from, to);
    &samples[middle - 240..middle + 240]
}

fn strongest(samples: &[f64], group: [f64; 4]) -> Result<(usize, f64), String> {
    let mut by_power: Vec<(usize, f64)> = group
        .map(|hz| power(samples, hz))
        .into_iter()
        .enumerate()
        .collect();
    by_power.sort_by(|a, b| b.1.total_cmp(&a.1));
    let (first, second) = (by_power[0], by_power[1]);
    if db(first.1 / second.1) < 10.0 {
        return Err(format!("two tones of one group: {by_power:?}"));
    }
    if db(power(samples, group[first.0] * 2.0) / first.1) > -20.0 {
        return Err("speech: a second harmonic".into());
    }
    Ok(first)
}

fn key(samples: &[f64]) -> Result<char, String> {
    let ((row, low), (column, high)) = (strongest(samples, LOW)?, strongest(samples, HIGH)?);
    if db(low / high).abs() >= 3.0 {
        return Err(format!("a twist of {} dB", db(low / high)));
    }
    let all = mean_square(samples);
    if db((all - low - high).abs() / all) > -15.0 {
        return Err("noise beside the tones".into());
    }
    Ok(LAYOUT[row].as_bytes()[column] as char)
}

/// How many commas a silence holds beyond what belongs to the keys, in samples.
fn commas(silence: usize, without: usize) -> String {
    ",".repeat((silence.saturating_sub(without) + 2_000) / 4_000)
}

/// What a receiver hears.
fn heard(audio: &[u8]) -> Result<String, String> {
    let samples = linear(audio);
    let bursts = bursts(&samples);
    let mut keys = String::new();
    let mut silent_since = 0;
    for burst in &bursts {
        let (gap, tone) = (burst.0 - silent_since, burst.1 - burst.0);
        let (least, usual) = if silent_since == 0 {
            (320, 320)
        } else {
            (520, 560)
        };
        if gap < least || tone < 520 {
            return Err(format!("{tone} samples of tone after {gap} of silence"));
        }
        keys += &commas(gap, usual);
        keys.push(key(inside(&samples, *burst))?);
        silent_since = burst.1;
    }
    let usual = if bursts.is_empty() { 320 } else { 560 };
    keys += &commas(samples.len() - silent_since, usual);
    Ok(keys)
}

#[test]
fn every_key_is_heard() {
    let keys = "1234567890*#";
    assert_eq!(heard(&tones(keys)), Ok(keys.to_owned()));
    assert_eq!(heard(&tones(",,1,#,")), Ok(",,1,#,".to_owned()));
    assert_eq!(heard(&tones(",")), Ok(",".to_owned()));
}

#[test]
fn the_receiver_refuses_what_a_telephone_would() {
    let one = tones("1");
    let shortened: Vec<u8> = [&one[..560], &one[880..]].concat();
    assert!(heard(&shortened).is_err(), "30 ms of tone");
    let together: Vec<u8> = [&one[..920], &one[480..]].concat();
    assert!(heard(&together).is_err(), "10 ms of pause");
    let half = |b: u8| ulaw::decode(b) / 2;
    let pairs = one.iter().zip(tones("2"));
    let mixed: Vec<u8> = pairs
        .map(|(a, b)| ulaw::encode(half(*a) + half(b)))
        .collect();
    assert!(heard(&mixed).is_err(), "two keys at once");
}

#[test]
fn a_key_lasts_as_long_as_it_should() {
    let lengths = ["1", "12", ",", "1,2"].map(|keys| tones(keys).len());
    assert_eq!(
        lengths,
        [40 + 140, 40 + 280, 40 + 500, 40 + 780].map(|ms| ms * 8)
    );
    let audio = tones("5");
    let (from, to) = bursts(&linear(&audio))[0];
    assert!(audio[..320].iter().chain(&audio[880..]).all(|b| *b == 0xFF));
    assert!(from < 320 + 16 && to > 880 - 16, "{from} to {to}");
}

#[test]
fn each_tone_has_its_frequency_and_level() {
    let reference = mean_square(&linear(&MILLIWATT));
    for (row, keys) in LAYOUT.iter().enumerate() {
        for (column, key) in keys.chars().take(3).enumerate() {
            let samples = linear(&tones(&key.to_string()));
            let inside = inside(&samples, bursts(&samples)[0]);
            for hz in [LOW[row], HIGH[column]] {
                let level = db(power(inside, hz) / reference);
                assert!((level + 9.0).abs() < 0.5, "{key} {hz}: {level} dBm0");
                let peak = (-50..=50)
                    .map(|permille| hz * (1.0 + f64::from(permille) / 1_000.0))
                    .max_by(|a, b| power(inside, *a).total_cmp(&power(inside, *b)))
                    .unwrap();
                assert!((peak / hz - 1.0).abs() <= 0.005, "{key} {hz}: {peak}");
            }
        }
    }
}

#[test]
fn nothing_clicks() {
    for key in "1234567890*#".chars() {
        let samples = linear(&tones(&key.to_string()));
        let (row, column) = frequencies(key).unwrap();
        let slope = PEAK * TAU * (row + column) / 8_000.0;
        let steps: Vec<f64> = samples.windows(2).map(|w| (w[1] - w[0]).abs()).collect();
        // A code of μ-law is up to 1,024 wide at this level.
        assert!(steps.iter().all(|step| *step <= slope + 1_024.0), "{key}");
        let edges = steps[..320 + 4].iter().chain(&steps[880 - 5..]);
        let worst = edges.fold(0.0f64, |worst, step| worst.max(*step));
        assert!(worst < slope / 10.0, "{key}: {worst}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_pressed_is_what_is_heard(keys in "[0-9*#,]{1,32}") {
        prop_assert_eq!(heard(&tones(&keys)), Ok(keys));
    }
}
