//! What hearing.md did not cover: other voices, lost packets, our own echo, a television, and the
//! scenarios of this project. All but the last are reported without a bar.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and samples of a laboratory"
)]

use super::corpus::{self, Call, Corpus};
use super::score::{self, Counts, Delays};
use super::signals::{RATE, Random, add, amplified, at_level, pink, through_the_line};
use super::table::{Table, Verdict};
use anyhow::Context;
use orderline::audio::ulaw::SILENCE;
use orderline::audio::wav::Wav;
use std::path::Path;

const MINUTE: usize = 60 * RATE;
const FRAME: usize = 160;

pub(super) fn measure(root: &Path, corpus: &Corpus, table: &mut Table) -> anyhow::Result<()> {
    let voices = root.join("target/lab/voices");
    for group in ["male", "child", "whisper", "singing"] {
        other_voices(&voices.join(group), group, table)?;
    }
    lost_packets(corpus, table);
    own_echo(root, table)?;
    television(corpus, table);
    scenarios(root, table)
}

/// Synthetic voices, on a clean line and with pink noise 10 dB below.
fn other_voices(folder: &Path, group: &str, table: &mut Table) -> anyhow::Result<()> {
    let sentences = corpus::wavs(folder).context("run scripts/lab-data.sh first")?;
    let sentences: Vec<Vec<f32>> = sentences
        .into_iter()
        .map(|(_, sentence)| sentence)
        .collect();
    let random = &mut Random::new(11);
    let calls: Vec<Call> = (0..3).map(|_| Call::new(random, &sentences)).collect();
    for snr in [None, Some(10.0)] {
        let (mut counts, mut onsets) = (Counts::default(), Delays::default());
        for call in &calls {
            let mut samples = call.samples.clone();
            if let Some(snr) = snr {
                add(
                    &mut samples,
                    &at_level(pink(random, MINUTE), call.speech_level - snr),
                );
            }
            let (says, _) = score::heard(&through_the_line(&samples));
            counts.add(&call.labels, &says);
            onsets.add(score::ear_delays(&call.onsets, &says));
        }
        let line = snr.map_or("clean", |_| "10 dB");
        table.note(
            &format!("Synthetic voices, {group}, {line}: ear"),
            summary(&counts, &onsets),
        );
    }
    Ok(())
}

fn summary(counts: &Counts, onsets: &Delays) -> String {
    let (p50, p90) = (onsets.percentile(50), onsets.percentile(90));
    let (missed, all) = (onsets.missed(), onsets.len());
    format!("{counts}; onset p50 {p50} p90 {p90} ms, {missed} of {all} missed")
}

/// The prompts with frames of 20 ms replaced by silence, alone or three in a row.
fn lost_packets(corpus: &Corpus, table: &mut Table) {
    for (percent, burst) in [(1.0, 1), (3.0, 1), (10.0, 1), (5.0, 3)] {
        let random = &mut Random::new(12);
        let (mut counts, mut onsets) = (Counts::default(), Delays::default());
        for call in &corpus.calls {
            let mut ulaw = through_the_line(&call.samples);
            let mut frames = ulaw.chunks_mut(FRAME);
            while let Some(frame) = frames.next() {
                if random.between(0.0, 100.0 * f64::from(burst)) < percent {
                    frame.fill(SILENCE);
                    frames
                        .by_ref()
                        .take(burst as usize - 1)
                        .for_each(|frame| frame.fill(SILENCE));
                }
            }
            let (says, _) = score::heard(&ulaw);
            counts.add(&call.labels, &says);
            onsets.add(score::ear_delays(&call.onsets, &says));
        }
        let name = format!("Prompts, {percent} % of packets lost, {burst} in a row: ear");
        table.note(&name, summary(&counts, &onsets));
    }
}

/// The agent's own sentences at −18 dBFS, as they come back from the far end.
fn own_echo(root: &Path, table: &mut Table) -> anyhow::Result<()> {
    let agent: Vec<Vec<f32>> = spoken_lines(root)?
        .into_iter()
        .filter(|line| line.agent)
        .map(|line| line.samples)
        .collect();
    let mut said: Vec<f32> = agent
        .into_iter()
        .flat_map(|line| at_level(line, -18.0))
        .collect();
    said.truncate(MINUTE);
    for loss in [10.0, 20.0, 30.0, 40.0, 50.0] {
        // 120 ms later, which a detector without memory of what was sent cannot tell from speech.
        let delayed: Vec<f32> = vec![0.0; 960]
            .into_iter()
            .chain(amplified(said.clone(), -loss))
            .collect();
        let (says, _) = score::heard(&through_the_line(&delayed));
        let seconds = score::seconds_per_minute(&says);
        table.note(
            &format!("Echo of the agent, {loss} dB lower: ear"),
            format!("{seconds:.1} s/min"),
        );
    }
    Ok(())
}

/// One voice over music, as from a set in the room; then the same under somebody who speaks up.
fn television(corpus: &Corpus, table: &mut Table) {
    let random = &mut Random::new(13);
    for level in [-36.0, -44.0, -52.0] {
        let mut samples = at_level(corpus.voice(random, MINUTE), level);
        if let Some((_, song)) = corpus.songs.first() {
            add(&mut samples, &at_level(song.clone(), level - 3.0));
        }
        // The room: reflections after 23, 41 and 67 ms.
        let dry = samples.clone();
        for (delay, gain) in [(184, 0.5), (328, 0.35), (536, 0.25)] {
            for (sample, before) in samples.iter_mut().skip(delay).zip(&dry) {
                *sample += gain * before;
            }
        }
        let (says, _) = score::heard(&through_the_line(&at_level(samples, level)));
        let seconds = score::seconds_per_minute(&says);
        table.note(
            &format!("Television in the room, {level} dBFS: ear"),
            format!("{seconds:.1} s/min"),
        );
    }
}

struct Spoken {
    scenario: String,
    agent: bool,
    samples: Vec<f32>,
}

/// The lines of fixtures/speech in the order of their list.
fn spoken_lines(root: &Path) -> anyhow::Result<Vec<Spoken>> {
    let folder = root.join("fixtures/speech");
    let list = std::fs::read_to_string(folder.join("lines.tsv"))?;
    let read = |line: &str| {
        let mut fields = line.split('\t');
        let (id, voice) = (fields.next().unwrap_or(""), fields.next().unwrap_or(""));
        let wav = Wav::parse(&std::fs::read(folder.join(format!("{id}.wav")))?)?;
        let samples = wav.samples.into_iter().map(|s| f32::from(s) / 32_768.0);
        Ok(Spoken {
            scenario: id.split('/').next().unwrap_or("").to_owned(),
            agent: voice == "en-us+f3",
            samples: samples.collect(),
        })
    };
    list.lines()
        .filter(|line| !line.starts_with('#'))
        .map(read)
        .collect()
}

/// The shop's side of the scenarios: its lines, and silence while the agent speaks and while either
/// thinks.
fn scenarios(root: &Path, table: &mut Table) -> anyhow::Result<()> {
    let lines = spoken_lines(root)?;
    let mut samples = Vec::new();
    for line in lines
        .iter()
        .filter(|line| !["generic", "lab"].contains(&line.scenario.as_str()))
    {
        if line.agent {
            samples.resize(samples.len() + line.samples.len(), 0.0);
        } else {
            samples.extend(&line.samples);
        }
        samples.resize(samples.len() + RATE / 2, 0.0);
    }
    for (line, noise) in [("silent line", None), ("line noise −55 dBFS", Some(-55.0))] {
        let mut samples = samples.clone();
        if let Some(level) = noise {
            add(
                &mut samples,
                &at_level(pink(&mut Random::new(14), MINUTE), level),
            );
        }
        let (says, runs) = score::heard(&through_the_line(&samples));
        let (share, speech) = (
            runs as f64 / says.len() as f64,
            score::seconds_per_minute(&says),
        );
        let measured = format!(
            "network runs {:.0} % of steps; {speech:.0} s/min are speech",
            100.0 * share
        );
        table.must(
            &format!("Scenarios, {line}: ear"),
            measured,
            "< 50 %",
            Verdict::new(share < 0.5, false),
        );
    }
    Ok(())
}
