//! `sim replay`: goes through a recorded call again with the code as it is now, and compares every
//! output. The product's own [`Recorder`] makes the second recording; the two must be the same.
//!
//! `pack` is the form in which recordings are committed (`fixtures/recordings/`).

pub mod pack;
#[cfg(test)]
mod tests;

use crate::rig::{self, root};
use anyhow::{Context, bail, ensure};
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::record::Record;
use orderline::call::recording::{Recorder, VERSION};
use orderline::call::{Call, Settings};
use orderline::config::Config;
use orderline::twilio::media;
use orderline::twilio::webhook::Form;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What `sim replay` is asked for.
#[derive(clap::Args)]
pub struct Options {
    /// A recording as `GET /api/calls/{sid}/recording.ndjson` gave it, or a committed one
    file: PathBuf,
    /// Print every output, behind the number of the line that led to it
    #[arg(long)]
    outputs: bool,
}

/// Where committed recordings are.
pub fn folder() -> PathBuf {
    root().join("fixtures/recordings")
}

/// The first line; see `orderline::call::recording`.
#[derive(Deserialize)]
struct Head<'a> {
    recording: u32,
    new: bool,
    variables: BTreeMap<String, String>,
    #[serde(borrow)]
    record: &'a RawValue,
    out: String,
}

/// Every other line.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Line<'a> {
    at: u64,
    #[serde(borrow, rename = "in")]
    input: Cow<'a, str>,
    n: u32,
    code: u16,
    #[serde(borrow)]
    text: Cow<'a, str>,
    out: String,
}

/// A call that was gone through again.
#[derive(Debug, Default)]
pub struct Replay {
    /// Lines of the recording.
    pub lines: usize,
    /// Outputs, as often as the call wanted something done.
    pub outputs: usize,
    /// The outcome, as the code of now writes it.
    pub outcome: Option<String>,
    /// The first line whose outputs are others, counted from 1, and what differs.
    pub differs: Option<(usize, String)>,
}

/// Replays a file; whether it is the same.
pub fn run(options: &Options) -> anyhow::Result<bool> {
    let text = read(&options.file)?;
    let replay = replay(&text, |line, output| {
        if options.outputs {
            println!("{line} {output:?}");
        }
    })?;
    let name = options.file.display();
    match &replay.differs {
        None => println!(
            "{name}: {} lines, {} outputs, byte for byte the same",
            replay.lines, replay.outputs
        ),
        Some((line, what)) => println!("{name}, line {line}: {what}"),
    }
    Ok(replay.differs.is_none())
}

fn read(file: &Path) -> anyhow::Result<String> {
    let context = || format!("cannot read {}", file.display());
    if file.extension().is_some_and(|extension| extension == "gz") {
        let packed = std::fs::read(file).with_context(context)?;
        return pack::unpack(&packed, &rig::clips()?);
    }
    std::fs::read_to_string(file).with_context(context)
}

/// Goes through a recording; `show` sees every output with the number of its line.
///
/// # Errors
/// When it is no recording of this form.
pub fn replay(text: &str, mut show: impl FnMut(usize, &Output)) -> anyhow::Result<Replay> {
    let mut lines = text.lines();
    let head = lines.next().context("the recording is empty")?;
    let head: Head<'_> = serde_json::from_str(head).context("line 1 is no head")?;
    ensure!(
        head.recording == VERSION,
        "a recording of form {}",
        head.recording
    );
    let mut recorder = start(&head)?;
    let mut replay = Replay::default();
    // Outputs of the step that differs, to be told.
    let mut step = Vec::new();
    drain(&mut recorder, 1, &mut replay, &mut step, &mut show);
    let mut inputs = Vec::new();
    for (at, text) in lines.enumerate() {
        let number = at + 2;
        let line: Line<'_> =
            serde_json::from_str(text).with_context(|| format!("line {number}"))?;
        if line.input == "cut" {
            break;
        }
        apply(&mut recorder, &line).with_context(|| format!("line {number}"))?;
        step.push(String::new());
        drain(&mut recorder, number, &mut replay, &mut step, &mut show);
        inputs.push(line);
    }
    replay.lines = inputs.len() + 1;
    let again = recorder.take().context("nothing was recorded")?;
    let mut again = again.lines();
    let again_head: Head<'_> = serde_json::from_str(again.next().unwrap_or_default())?;
    let outs = std::iter::once((&head.out, again_head.out)).chain(
        inputs.iter().map(|line| &line.out).zip(again.map(|line| {
            serde_json::from_str::<Line<'_>>(line)
                .unwrap_or_default()
                .out
        })),
    );
    let mut differs = outs
        .enumerate()
        .filter(|(_, (recorded, now))| *recorded != now);
    replay.differs = differs.next().map(|(at, (recorded, now))| {
        let outputs = step.get(at).map_or("", String::as_str);
        let what = format!("outputs were {recorded} and are {now}; now they are\n{outputs}");
        (at + 1, what)
    });
    Ok(replay)
}

fn drain(
    recorder: &mut Recorder,
    line: usize,
    replay: &mut Replay,
    step: &mut Vec<String>,
    show: &mut impl FnMut(usize, &Output),
) {
    if step.is_empty() {
        step.push(String::new());
    }
    while let Some(output) = recorder.poll() {
        show(line, &output);
        replay.outputs += 1;
        if let Some(text) = step.last_mut() {
            let told: String = format!("{output:?}").chars().take(400).collect();
            *text += &format!("  {told}\n");
        }
        if let Output::Outcome(finished) = output {
            replay.outcome = Some(finished.json);
        }
    }
}

/// The call as it was at the beginning of the recording. Its secrets are not there, and not needed.
fn start(head: &Head<'_>) -> anyhow::Result<Recorder> {
    let config = Config::read(|name| match name {
        "TWILIO_ACCOUNT_SID" => Some("AC00000000000000000000000000000000".to_owned()),
        "API_TOKEN" | "OPENAI_API_KEY" | "TWILIO_AUTH_TOKEN" => Some("none".to_owned()),
        name => head.variables.get(name).cloned(),
    });
    let config = config.map_err(|errors| anyhow::anyhow!("its variables: {errors:?}"))?;
    let settings = Settings::from(&config);
    let record = Record::parse(head.record.get()).context("its snapshot is of another form")?;
    let call = if head.new {
        let Record {
            sid,
            request,
            stream_token,
            placed_at,
            ..
        } = record;
        Call::new(settings, sid, request, stream_token, placed_at)
    } else {
        Call::restore(settings, record)
    };
    Ok(Recorder::of(call, head.new, Some("{}".to_owned())))
}

fn apply(recorder: &mut Recorder, line: &Line<'_>) -> anyhow::Result<()> {
    let (at, socket, text) = (line.at, line.n, &*line.text);
    let is_true = line.n == 1;
    let audio;
    let input = match &*line.input {
        "phone" => Input::Phone(text),
        "phone_closed" => Input::PhoneClosed,
        "model_opened" => Input::ModelOpened { socket },
        "model" => Input::Model { socket, text },
        "model_closed" => Input::ModelClosed {
            socket,
            code: line.code,
        },
        "line" => {
            let (key, payload) = text.split_once(' ').context("no key")?;
            audio = media::decode(payload).context("no base64")?;
            Input::Line { key, audio: &audio }
        }
        "status" => {
            let form = Form::decode(format!("CallStatus={text}").as_bytes());
            Input::Status(form.status().context("no status of a call")?)
        }
        "hung_up" => Input::HungUp { done: is_true },
        "restored" => Input::Restored { streaming: is_true },
        "alarm" => Input::Alarm,
        "deadline" => Input::Deadline,
        "claim_stream" => {
            recorder.claim_stream(at, text);
            return Ok(());
        }
        "voice" | "stream_ended" | "dial_ended" => {
            match &*line.input {
                "voice" => recorder.voice(at),
                "stream_ended" => recorder.stream_ended(at, is_true, text.to_owned()),
                _ => recorder.dial_ended(at, is_true),
            };
            return Ok(());
        }
        other => bail!("nothing is known of an input {other:?}"),
    };
    recorder.handle(at, input);
    Ok(())
}
