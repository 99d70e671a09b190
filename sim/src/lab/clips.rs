//! The clips that are measured, as the far end receives them, and what the ONNX model says to them.

#![allow(clippy::cast_precision_loss, reason = "seconds of a laboratory")]

use super::corpus::{Call, Corpus, Noise};
use super::signals::{self, RATE, Random, at_level, through_the_line};
use anyhow::Context;
use std::path::Path;
use std::process::Command;

const MINUTE: usize = 60 * RATE;

/// μ-law of one row of the table. A row of calls has several, one of non-speech has one.
pub(super) struct Clip<'a> {
    pub(super) row: String,
    pub(super) ulaw: Vec<u8>,
    /// Where the labels are; nothing when no step is speech.
    pub(super) call: Option<&'a Call>,
    /// Probabilities of the ONNX model, when Python could be asked.
    pub(super) onnx: Option<Vec<f32>>,
    /// Probabilities of weights.bin in double precision, of some clips.
    pub(super) exact: Option<Vec<f32>>,
}

impl<'a> Clip<'a> {
    fn new(row: &str, samples: &[f32], call: Option<&'a Call>) -> Self {
        Self {
            row: row.to_owned(),
            ulaw: through_the_line(samples),
            call,
            onnx: None,
            exact: None,
        }
    }
}

/// Every call at one signal-to-noise ratio: once with each noise, or alone.
pub(super) fn calls<'a>(corpus: &'a Corpus, row: &str, snr: Option<f64>) -> Vec<Clip<'a>> {
    let noises = [Noise::White, Noise::Pink, Noise::Babble];
    let calls = (0..).zip(&corpus.calls);
    let clips = calls.flat_map(|(index, call)| match snr {
        None => vec![Clip::new(row, &call.samples, Some(call))],
        Some(snr) => (0..)
            .zip(noises)
            .map(|(seed, noise)| {
                let samples = corpus.noisy(call, noise, snr, 100 * seed + index);
                Clip::new(row, &samples, Some(call))
            })
            .collect(),
    });
    clips.collect()
}

/// A minute of everything that a line carries beside speech.
pub(super) fn non_speech(corpus: &Corpus) -> Vec<Clip<'_>> {
    let random = &mut Random::new(2);
    let comfort = at_level(signals::white(random, MINUTE), -52.0);
    let sounds = |n: usize| (n / (5 * RATE)).is_multiple_of(2);
    let comfort = (0..)
        .zip(comfort)
        .map(|(n, s)| if sounds(n) { s } else { 0.0 });
    let mut rows: Vec<(String, Vec<f32>)> = corpus
        .songs
        .iter()
        .map(|(name, song)| (format!("hold music, {name}"), song.clone()))
        .collect();
    let mut row = |name: &str, samples| rows.push((name.to_owned(), samples));
    row("DTMF digits", signals::digits(random, MINUTE));
    row(
        "ring-back 440+480",
        signals::tones(&[440.0, 480.0], 2.0, 6.0, MINUTE),
    );
    row(
        "busy 480+620",
        signals::tones(&[480.0, 620.0], 0.5, 1.0, MINUTE),
    );
    row("clicks", signals::clicks(random, MINUTE));
    row("digital silence", vec![0.0; MINUTE]);
    row("comfort noise −52 dBFS, 5 s on/off", comfort.collect());
    row(
        "pink line noise −36 dBFS",
        at_level(signals::pink(random, MINUTE), -36.0),
    );
    row(
        "babble −36 dBFS",
        at_level(corpus.babble(random, MINUTE), -36.0),
    );
    rows.iter()
        .map(|(name, samples)| Clip::new(name, samples, None))
        .collect()
}

/// Asks `scripts/silero-reference.py` about all clips, when there is a Python with onnxruntime.
pub(super) fn ask_onnx(root: &Path, clips: &mut [Clip<'_>]) -> anyhow::Result<bool> {
    let folder = root.join("target/lab/hearing");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    // The first calls are the clean ones, whose arithmetic is checked too.
    let name = |index: usize| format!("{}-{index:03}", if index < 12 { "clean" } else { "other" });
    for (index, clip) in clips.iter().enumerate() {
        std::fs::write(folder.join(name(index)).with_extension("ulaw"), &clip.ulaw)?;
    }
    let environment = root.join("target/venv/bin/python");
    let python = if environment.exists() {
        environment
    } else {
        "python3".into()
    };
    let script = root.join("scripts/silero-reference.py");
    let asked = Command::new(python)
        .arg(script)
        .arg("probabilities")
        .arg(&folder)
        .output();
    if !asked.is_ok_and(|asked| asked.status.success()) {
        return Ok(false);
    }
    for (index, clip) in clips.iter_mut().enumerate() {
        let file = folder.join(name(index));
        clip.onnx = Some(floats(&file.with_extension("onnx"))?);
        clip.exact = floats(&file.with_extension("exact")).ok();
    }
    Ok(true)
}

fn floats(path: &Path) -> anyhow::Result<Vec<f32>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let (floats, _) = bytes.as_chunks();
    Ok(floats.iter().map(|b| f32::from_le_bytes(*b)).collect())
}
