//! What the ear hears as speech, when it says so, and when it sleeps.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

use orderline::audio::ear::{Change, Ear};
use orderline::audio::ulaw::{SILENCE, decode, encode};
use orderline::audio::wav::Wav;
use orderline_silero::{STEP, Silero};
use proptest::prelude::*;
use std::f64::consts::TAU;

const MS: usize = 8;
const SECOND: usize = 8_000;

/// A fixture's sentence as μ-law; it begins and ends with sound.
fn sentence(name: &str) -> Vec<u8> {
    let path = format!("{}/fixtures/speech/{name}.wav", env!("CARGO_MANIFEST_DIR"));
    let wav = Wav::parse(&std::fs::read(path).unwrap()).unwrap();
    wav.samples.into_iter().map(encode).collect()
}

fn silence(samples: usize) -> Vec<u8> {
    vec![SILENCE; samples]
}

/// White noise of an RMS level in dB of full scale; the same in every run.
fn noise(dbfs: f64, samples: usize) -> Vec<u8> {
    let mut state = 1u32;
    // Uniform values have an RMS of 1/√3 of their peak.
    let peak = 32_768.0 * 10f64.powf(dbfs / 20.0) * 3f64.sqrt();
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (f64::from(state >> 8) / f64::from(1u32 << 23) - 1.0) * peak
    };
    std::iter::repeat_with(next)
        .take(samples)
        .map(linear)
        .collect()
}

/// Noise that is mostly low.
fn rumble(dbfs: f64, samples: usize) -> Vec<u8> {
    let mut low = 0.0;
    let smooth = |byte| {
        low = 0.95 * low + f64::from(decode(byte));
        linear(low * 0.31 * 10f64.powf((dbfs + 20.0) / 20.0))
    };
    noise(-20.0, samples).into_iter().map(smooth).collect()
}

/// Two sines of −16 dBFS each that sound for `on` of every `period` samples.
fn tones([a, b]: [f64; 2], on: usize, period: usize, samples: usize) -> Vec<u8> {
    let sine = |hz: f64, n: usize| (TAU * hz * n as f64 / 8_000.0).sin() * 7_300.0;
    (0..samples)
        .map(|n| {
            if n % period < on {
                linear(sine(a, n) + sine(b, n))
            } else {
                SILENCE
            }
        })
        .collect()
}

fn linear(value: f64) -> u8 {
    encode(value.clamp(-32_768.0, 32_767.0) as i16)
}

/// Adds sample by sample, as long as the first.
fn mixed(a: &[u8], b: &[u8]) -> Vec<u8> {
    let sum = |(a, b): (&u8, &u8)| encode(decode(*a).saturating_add(decode(*b)));
    a.iter().zip(b.iter().cycle()).map(sum).collect()
}

/// What the ear says about audio in frames of 20 ms, with the ms at which it says so.
fn changes(ear: &mut Ear, audio: &[u8]) -> Vec<(usize, Change)> {
    let frames = audio.chunks(160).enumerate();
    frames
        .filter_map(|(index, frame)| Some(((index + 1) * 20, ear.hear(frame)?)))
        .collect()
}

fn assert_hears_no_speech(audio: &[u8]) -> Ear {
    let mut ear = Ear::new();
    assert_eq!(changes(&mut ear, audio), []);
    ear
}

/// The step that the first start is decided in by a network that never sleeps.
fn first_start_without_a_gate(audio: &[u8]) -> usize {
    let mut silero = Silero::new();
    let steps = audio.as_chunks::<STEP>().0.iter();
    let speech: Vec<bool> = steps
        .map(|step| silero.step(&step.map(|b| f32::from(decode(b)) / 32_768.0)) >= 0.5)
        .collect();
    speech
        .windows(2)
        .position(|two| two == [true, true])
        .unwrap()
        + 1
}

#[test]
fn a_sentence_starts_and_stops_once() {
    let said = sentence("pickup/what-size");
    let audio = [silence(2 * SECOND), said.clone(), silence(SECOND)].concat();
    let mut ear = Ear::new();
    let heard = changes(&mut ear, &audio);
    let &[
        (start, Change::SpeechStarted { ago_ms }),
        (stop, Change::SpeechStopped { ago_ms: since }),
    ] = heard.as_slice()
    else {
        panic!("{heard:?}")
    };
    let end = 2_000 + said.len() / MS;
    assert!((2_000..=2_140).contains(&start), "told at {start}");
    assert!(
        (1_960..=2_060).contains(&(start - ago_ms as usize)),
        "{ago_ms} before {start}"
    );
    assert!(
        (end + 200..=end + 360).contains(&stop),
        "told at {stop}, ended at {end}"
    );
    assert!(
        (end - 60..=end + 140).contains(&(stop - since as usize)),
        "{since} before {stop}"
    );
    assert!(!ear.is_speech());
}

#[test]
fn the_gate_costs_no_onset() {
    let backgrounds = [
        silence(3 * SECOND),
        noise(-62.0, 3 * SECOND),
        noise(-50.0, 3 * SECOND),
        noise(-40.0, 3 * SECOND),
    ];
    let (mut gated, mut ungated) = (0, 0);
    for name in [
        "pickup/what-size",
        "shop/hello",
        "shop/anything-else",
        "shop-interrupts-read-back/hold-on",
    ] {
        for (index, background) in backgrounds.iter().enumerate() {
            // Shifted, so that the word begins anywhere in a step.
            for shift in [0, 100, 200] {
                let audio = [&background[shift..], &mixed(&sentence(name), background)].concat();
                let mut ear = Ear::new();
                let mut steps = audio.as_chunks::<STEP>().0.iter();
                let step = steps.position(|step| ear.hear(step).is_some()).unwrap();
                let without = first_start_without_a_gate(&audio);
                assert!(
                    step <= without + 1,
                    "{name} in {index} from {shift}: {step}, {without}"
                );
                gated += step;
                ungated += without;
            }
        }
    }
    assert!(gated <= ungated, "{gated} steps instead of {ungated}");
}

#[test]
fn it_does_not_matter_how_the_audio_is_cut() {
    let audio = [silence(SECOND), sentence("shop/hello"), silence(SECOND)].concat();
    let starts = |size: usize| {
        let mut ear = Ear::new();
        let pieces = audio.chunks(size).enumerate();
        let told: Vec<(usize, Change)> = pieces
            .filter_map(|(index, piece)| Some((index * size + piece.len(), ear.hear(piece)?)))
            .collect();
        let ages = told.into_iter().map(|(end, change)| match change {
            Change::SpeechStarted { ago_ms } | Change::SpeechStopped { ago_ms } => {
                end / MS - ago_ms as usize
            }
        });
        (ages.collect::<Vec<_>>(), ear.frames(), ear.network_runs())
    };
    let whole_steps = starts(STEP);
    for size in [1, 7, 80, 160, 161, 1_000] {
        assert_eq!(starts(size).0.len(), whole_steps.0.len(), "{size}");
        assert_eq!(
            (starts(size).1, starts(size).2),
            (whole_steps.1, whole_steps.2),
            "{size}"
        );
        for (a, b) in starts(size).0.iter().zip(&whole_steps.0) {
            assert!(a.abs_diff(*b) <= 1, "{size}: {a} ms, not {b} ms");
        }
    }
}

#[test]
fn digital_silence_lets_the_network_sleep_at_once() {
    let ear = assert_hears_no_speech(&silence(60 * SECOND));
    assert_eq!((ear.frames(), ear.network_runs()), (1_875, 12));
}

#[test]
fn steady_noise_is_learned_and_slept_through() {
    for level in [-52.0, -36.0] {
        let ear = assert_hears_no_speech(&noise(level, 60 * SECOND));
        assert!(
            ear.network_runs() < ear.frames() / 10,
            "{} at {level} dBFS",
            ear.network_runs()
        );
    }
}

#[test]
fn tones_are_not_speech() {
    assert_hears_no_speech(&tones([440.0, 480.0], 2 * SECOND, 6 * SECOND, 30 * SECOND));
    assert_hears_no_speech(&tones([480.0, 620.0], SECOND / 2, SECOND, 30 * SECOND));
    for (low, high) in [
        (697.0, 1209.0),
        (770.0, 1336.0),
        (852.0, 1477.0),
        (941.0, 1336.0),
    ] {
        assert_hears_no_speech(&tones([low, high], 100 * MS, 200 * MS, 10 * SECOND));
    }
}

#[test]
fn clicks_are_not_speech() {
    let mut audio = noise(-60.0, 30 * SECOND);
    for (index, click) in audio.chunks_mut(SECOND / 3).enumerate() {
        click[..5 + 7 * (index % 5)].fill(0x90 | u8::try_from(index % 2).unwrap() << 7);
    }
    assert_hears_no_speech(&audio);
}

#[test]
fn less_than_half_of_a_conversation_needs_the_network() {
    let mut audio = Vec::new();
    for name in [
        "shop/hello",
        "shop/what-would-you-like",
        "pickup/what-size",
        "pickup/total",
        "shop/anything-else",
    ] {
        let answer = silence(3 * SECOND);
        audio.extend([sentence(name), answer].concat());
    }
    let mut ear = Ear::new();
    assert_eq!(changes(&mut ear, &audio).len() % 2, 0);
    assert!(
        ear.network_runs() * 2 < ear.frames(),
        "{} of {}",
        ear.network_runs(),
        ear.frames()
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever bytes come in whatever pieces: no panic, starts and stops alternate, every whole
    /// step is taken once, and what a fresh network hears again is bounded.
    #[test]
    fn any_bytes_in_any_pieces(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..700), 0..60)) {
        let (mut ear, mut speaks, mut bytes) = (Ear::new(), false, 0);
        for piece in pieces {
            bytes += piece.len();
            match ear.hear(&piece) {
                Some(Change::SpeechStarted { ago_ms }) => {
                    prop_assert!(!speaks && ago_ms as usize <= bytes / MS);
                    speaks = true;
                }
                Some(Change::SpeechStopped { ago_ms }) => {
                    prop_assert!(speaks && ago_ms as usize <= bytes / MS);
                    speaks = false;
                }
                None => {}
            }
            prop_assert_eq!(ear.is_speech(), speaks);
            prop_assert_eq!(ear.frames() as usize, bytes / STEP);
            prop_assert!(ear.network_runs() <= ear.frames() * 2);
        }
    }
}

/// A network that has heard speech and then quiet is slow to hear the next word: 130 ms instead of 50.
#[test]
fn after_long_quiet_a_word_is_heard_as_soon_as_at_first() {
    for level in [-58.0, -48.0] {
        let before = [sentence("lab/m2-next"), rumble(level, 15 * SECOND)].concat();
        let mut late = Vec::new();
        for word in ["m2-yeah", "m7-yeah", "m7-wait", "m7-okay", "m2-no", "f2-no"] {
            for phase in [0, 64, 128, 192] {
                let quiet = &before[..before.len() - phase];
                let line = [quiet, &sentence(&format!("lab/{word}"))].concat();
                let changes = changes(&mut Ear::new(), &line);
                let start = |(_, change): &&_| matches!(change, Change::SpeechStarted { .. });
                let (at, _) = changes.iter().rfind(start).unwrap();
                late.push((at * MS).checked_sub(quiet.len()).unwrap() / MS);
            }
        }
        let mean = late.iter().sum::<usize>() / late.len();
        assert!(mean < 80, "{mean} ms at {level} dBFS: {late:?}");
    }
}

/// How many of the frames of a line are taken for music.
fn music_share(line: &[u8]) -> f64 {
    let mut ear = Ear::new();
    let mut frames = 0;
    for frame in line.chunks(160) {
        ear.hear(frame);
        frames += usize::from(ear.is_music());
    }
    frames as f64 / (line.len() / 160) as f64
}

#[test]
fn music_is_told_from_noise_and_speech() {
    for level in [-30.0, -36.0, -42.0, -50.0] {
        let share = music_share(&noise(level, 30 * SECOND));
        assert!(share < 0.001, "noise of {level} dBFS: {share}");
        let share = music_share(&rumble(level, 60 * SECOND));
        assert!(share < 0.02, "rumble of {level} dBFS: {share}");
    }
    assert!(music_share(&silence(10 * SECOND)) == 0.0);
    assert!(music_share(&sentence("pickup/read-back")) < 0.001);
    // A note every half second, in two voices, that rings for two seconds and fades by 12 dB in each half.
    let sine = |hz: f64, n: usize| (TAU * hz * n as f64 / 8_000.0).sin();
    let sounds = |note: usize, n: usize| {
        let pitch = 262.0 * 2f64.powf([0.0, 4.0, 7.0, 12.0, 9.0, 5.0][note % 6] / 12.0);
        let fade = 0.25f64.powf((n - note * 4_000) as f64 / 4_000.0);
        (sine(pitch, n) + sine(pitch * 1.5, n)) * 3_000.0 * fade
    };
    let music: Vec<u8> = (0..20 * SECOND)
        .map(|n| {
            let newest = n / 4_000;
            linear(
                (newest.saturating_sub(3)..=newest)
                    .map(|note| sounds(note, n))
                    .sum(),
            )
        })
        .collect();
    let share = music_share(&music);
    assert!(share > 0.7, "music: {share}");
}
