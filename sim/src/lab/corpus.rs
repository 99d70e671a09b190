//! Telephone calls made of Asterisk's prompts, with labels; method 2 and 3 of hearing.md.
//!
//! The prompts come from Debian's packages by `scripts/lab-data.sh` (CC-BY-SA, not committed).

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "sample arithmetic of a laboratory"
)]

use super::signals::{RATE, Random, add, amplified, at_level, level, pink, white};
use anyhow::{Context, ensure};
use orderline::audio::wav::Wav;
use std::path::Path;

/// Samples per label: 4 ms, which divides both a frame of 20 ms and a step of 32 ms.
pub(super) const UNIT: usize = 32;

/// Labels per millisecond, inverted.
pub(super) const UNIT_MS: usize = 4;

const FRAME: usize = 160;
const CALLS: usize = 12;
const CALL_SECONDS: f64 = 62.0;
const BABBLE_STREAMS: usize = 9;

/// What 4 ms of a call are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    Speech,
    Pause,
    /// An edge, or so soft that either answer is right.
    Unscored,
}

/// One call: prompts with pauses, at its own level.
pub(super) struct Call {
    pub(super) samples: Vec<f32>,
    pub(super) labels: Vec<Label>,
    /// Units at which speech begins after at least 300 ms of pause.
    pub(super) onsets: Vec<usize>,
    /// RMS of the speech, dBFS.
    pub(super) speech_level: f64,
}

/// Noise that is added to a call.
#[derive(Clone, Copy, Debug)]
pub(super) enum Noise {
    White,
    Pink,
    Babble,
}

/// Everything that is read from the packages.
pub(super) struct Corpus {
    pub(super) calls: Vec<Call>,
    /// Prompts of no call, one after the other without pauses.
    held_out: Vec<Vec<f32>>,
    /// A minute from within every song of the hold music, by name.
    pub(super) songs: Vec<(String, Vec<f32>)>,
}

impl Corpus {
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let missing = "run scripts/lab-data.sh first";
        let mut held_out = Vec::new();
        let mut calls = Vec::new();
        let mut random = Random::new(1);
        for language in ["en_US_f_Allison", "es_MX_f_Allison", "fr_CA_f_June"] {
            let prompts = prompts(&folder.join("sounds").join(language)).context(missing)?;
            let (babble, spoken): (Vec<_>, Vec<_>) = prompts
                .into_iter()
                .enumerate()
                .partition(|(index, _)| index % 5 == 0);
            held_out.extend(babble.into_iter().map(|(_, prompt)| prompt));
            let spoken: Vec<Vec<f32>> = spoken.into_iter().map(|(_, prompt)| prompt).collect();
            ensure!(
                spoken.len() > 50,
                "{language} has {} prompts: {missing}",
                spoken.len()
            );
            calls.extend((0..CALLS / 3).map(|_| Call::new(&mut random, &spoken)));
        }
        let mut songs = wavs(&folder.join("moh")).context(missing)?;
        for (_, song) in &mut songs {
            song.drain(..(song.len().saturating_sub(60 * RATE)) / 2);
            song.truncate(60 * RATE);
        }
        ensure!(songs.len() == 5, "{} songs: {missing}", songs.len());
        Ok(Self {
            calls,
            held_out,
            songs,
        })
    }

    /// Nine people who talk at once, whom nobody of the calls is among.
    pub(super) fn babble(&self, random: &mut Random, samples: usize) -> Vec<f32> {
        let mut sum = vec![0.0; samples];
        for _ in 0..BABBLE_STREAMS {
            add(&mut sum, &self.voice(random, samples));
        }
        sum
    }

    /// One of them, without pauses, at −26 dBFS.
    pub(super) fn voice(&self, random: &mut Random, samples: usize) -> Vec<f32> {
        let mut stream = Vec::new();
        while stream.len() < samples {
            let prompt = self.held_out.get(random.below(self.held_out.len()));
            stream.extend(at_level(prompt.cloned().unwrap_or_default(), -26.0));
        }
        stream.truncate(samples);
        stream
    }

    /// A call with noise at `snr` dB below its speech.
    pub(super) fn noisy(&self, call: &Call, noise: Noise, snr: f64, seed: u64) -> Vec<f32> {
        let random = &mut Random::new(seed);
        let count = call.samples.len();
        let noise = match noise {
            Noise::White => white(random, count),
            Noise::Pink => pink(random, count),
            Noise::Babble => self.babble(random, count),
        };
        let mut samples = call.samples.clone();
        add(&mut samples, &at_level(noise, call.speech_level - snr));
        samples
    }
}

impl Call {
    pub(super) fn new(random: &mut Random, prompts: &[Vec<f32>]) -> Self {
        let (mut samples, mut labels) = (Vec::new(), Vec::new());
        let length = (CALL_SECONDS * RATE as f64) as usize;
        while samples.len() < length {
            let pause = (random.between(0.3, 2.0) * RATE as f64) as usize / UNIT;
            samples.resize(samples.len() + pause * UNIT, 0.0);
            labels.resize(labels.len() + pause, Label::Pause);
            let prompt = prompts
                .get(random.below(prompts.len()))
                .map_or(&[][..], Vec::as_slice);
            labels.extend(raw_labels(prompt));
            samples.extend(prompt);
            samples.resize(labels.len() * UNIT, 0.0);
        }
        fill(&mut labels, Label::Speech, 100);
        let onsets = onsets(&labels);
        fill(&mut labels, Label::Unscored, 240);
        blur_edges(&mut labels);
        let target = random.between(-34.0, -16.0);
        let gain = target - speech_level(&samples, &labels);
        Self {
            samples: amplified(samples, gain),
            labels,
            onsets,
            speech_level: target,
        }
    }
}

/// The level of what is labelled as speech, dBFS.
pub(super) fn speech_level(samples: &[f32], labels: &[Label]) -> f64 {
    let units = samples.chunks(UNIT).zip(labels);
    let speech = units.filter(|(_, label)| **label == Label::Speech);
    level(speech.flat_map(|(unit, _)| unit.iter().copied()))
}

/// Frames of 20 ms within 30 dB of the prompt's 95th percentile are speech; 10 dB more are unsure.
fn raw_labels(prompt: &[f32]) -> Vec<Label> {
    let levels: Vec<f64> = prompt
        .chunks(FRAME)
        .map(|f| level(f.iter().copied()))
        .collect();
    let mut sorted = levels.clone();
    sorted.sort_by(f64::total_cmp);
    let loud = sorted.get(sorted.len() * 95 / 100).copied().unwrap_or(0.0);
    let label = |level: f64| match loud - level {
        below if below < 30.0 => Label::Speech,
        below if below < 40.0 => Label::Unscored,
        _ => Label::Pause,
    };
    let frames = levels.into_iter().map(label);
    frames.flat_map(|label| [label; FRAME / UNIT]).collect()
}

/// Relabels what is no speech for at most `longest` ms between speech.
fn fill(labels: &mut [Label], with: Label, longest: usize) {
    let mut last_speech: Option<usize> = None;
    for at in 0..labels.len() {
        if labels.get(at) != Some(&Label::Speech) {
            continue;
        }
        if let Some(last) = last_speech
            && (at - last - 1) * UNIT_MS <= longest
            && let Some(gap) = labels.get_mut(last + 1..at)
        {
            gap.fill(with);
        }
        last_speech = Some(at);
    }
}

fn onsets(labels: &[Label]) -> Vec<usize> {
    let mut onsets = Vec::new();
    let mut quiet = 0;
    for (at, label) in labels.iter().enumerate() {
        if *label == Label::Speech {
            if quiet * UNIT_MS >= 300 {
                onsets.push(at);
            }
            quiet = 0;
        } else {
            quiet += 1;
        }
    }
    onsets
}

/// 40 ms on both sides of every edge of speech are not scored.
fn blur_edges(labels: &mut [Label]) {
    let is_edge =
        |pair: &[Label]| matches!(pair, [a, b] if (*a == Label::Speech) != (*b == Label::Speech));
    let edges: Vec<usize> = (1..)
        .zip(labels.windows(2))
        .filter(|(_, pair)| is_edge(pair))
        .map(|(at, _)| at)
        .collect();
    for edge in edges {
        let around = edge.saturating_sub(40 / UNIT_MS)..(edge + 40 / UNIT_MS).min(labels.len());
        if let Some(around) = labels.get_mut(around) {
            around.fill(Label::Unscored);
        }
    }
}

/// Sentences: what lasts 0.8 to 6 seconds and is not a tone or an animal.
fn prompts(folder: &Path) -> anyhow::Result<Vec<Vec<f32>>> {
    const OTHER: [&str; 6] = ["beep", "tone", "monkey", "silence", "join", "leave"];
    let is_sentence = |name: &str, samples: &[f32]| {
        (RATE * 4 / 5..RATE * 6).contains(&samples.len())
            && !OTHER.iter().any(|other| name.contains(other))
    };
    let wavs = wavs(folder)?.into_iter();
    Ok(wavs
        .filter(|(name, s)| is_sentence(name, s))
        .map(|(_, s)| s)
        .collect())
}

/// The WAV files of a folder by name, as 8 kHz mono.
pub(super) fn wavs(folder: &Path) -> anyhow::Result<Vec<(String, Vec<f32>)>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut paths: Vec<_> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "wav"));
    paths.sort();
    let read = |path: &Path| {
        let wav = Wav::parse(&std::fs::read(path)?)?;
        ensure!(
            wav.rate == 8_000 && wav.channels == 1,
            "{}: not 8 kHz mono",
            path.display()
        );
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let samples = wav.samples.into_iter().map(|s| f32::from(s) / 32_768.0);
        Ok((name, samples.collect()))
    };
    paths.iter().map(|path| read(path)).collect()
}
