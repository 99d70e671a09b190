//! `sim simulate FILE.wav`: a recording streamed into a Realtime session in real time, without
//! Twilio. Reports the events, the synthesized audio, the transcript and the tokens, and writes
//! the answer to a WAV file.

use crate::live::shortened;
use crate::play::{Play, Plays};
use crate::rig::{self, root};
use crate::scenario::Scenario;
use crate::{folder, realtime};
use anyhow::{Context, anyhow, bail};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use orderline::audio::ulaw;
use orderline::audio::wav::Wav;
use orderline::call::prompt;
use orderline::call::request::CallRequest;
use orderline::order::tools;
use orderline::realtime::session::Session;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

const REAL: &str = "https://api.openai.com/v1";
/// How Twilio would send it.
const FRAME: usize = 160;
/// When nothing has come for so long after the recording's end, the answer is complete.
const QUIET: Duration = Duration::from_secs(4);
const LIMIT: Duration = Duration::from_secs(120);

/// What `sim simulate` is asked for.
#[derive(clap::Args)]
pub struct Options {
    /// Recording of what the shop says: any rate, mono or stereo, 16-bit PCM or μ-law
    file: PathBuf,
    /// Scenario whose scripted model answers; with OPENAI_API_KEY set, the real Realtime API does
    #[arg(long, default_value = "happy-delivery")]
    scenario: String,
}

/// What came back.
#[derive(Default)]
struct Report {
    events: BTreeMap<String, usize>,
    answer: Vec<u8>,
    chunks: usize,
    transcript: Vec<String>,
    tokens: BTreeMap<String, u64>,
    errors: Vec<String>,
}

/// Streams the recording; whether the session went without an error.
pub async fn run(options: Options) -> anyhow::Result<bool> {
    let name = options.file.display();
    let bytes = std::fs::read(&options.file).with_context(|| format!("cannot read {name}"))?;
    let wav = Wav::parse(&bytes).with_context(|| name.to_string())?;
    let audio = wav.to_ulaw();
    let seconds = audio.len() as f64 / 8000.0;
    println!(
        "{name}: {} Hz, {} channel(s), {seconds:.1} s",
        wav.rate, wav.channels
    );

    let clips = rig::clips()?;
    let scenario = rig::scenarios(&clips, &[options.scenario])?
        .pop()
        .context("no such scenario")?;
    let session = session_of(&scenario)?;
    let plays: Plays = Arc::new(vec![Arc::new(Play::new(scenario))]);
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let (base, key) = match variable("OPENAI_API_KEY") {
        Some(key) => (
            variable("OPENAI_BASE_URL").unwrap_or_else(|| REAL.to_owned()),
            key,
        ),
        None => (
            format!("http://{}/v1", listener.local_addr()?),
            "simulated".to_owned(),
        ),
    };
    let model = variable("OPENAI_REALTIME_MODEL").unwrap_or_else(|| "gpt-realtime-2.1".to_owned());
    println!("session at {base}, model {model}\n");
    let server = realtime::serve(listener, key.clone(), plays, clips);
    let report = tokio::select! {
        ended = server => bail!("the simulated Realtime server ended: {ended:?}"),
        report = converse(&base, &key, &model, &session, &audio) => report?,
    };
    report.finish()
}

/// The session of a real call for this order, except that the server answers by itself: there is
/// no call to decide whose turn it is.
fn session_of(scenario: &Scenario) -> anyhow::Result<String> {
    let body = serde_json::to_vec(&scenario.request)?;
    let request = CallRequest::parse(&body).map_err(|errors| anyhow!("the request: {errors:?}"))?;
    let session = Session {
        instructions: &prompt::instructions(Some(&request)),
        voice: "marin",
        transcribe_model: "gpt-4o-mini-transcribe",
        language: &request.language,
        tools: &tools::definitions(),
    };
    let mut event: Value = serde_json::from_str(&session.to_event("session"))?;
    let turns = &mut event["session"]["audio"]["input"]["turn_detection"];
    turns["create_response"] = json!(true);
    turns["interrupt_response"] = json!(true);
    Ok(event.to_string())
}

async fn converse(
    base: &str,
    key: &str,
    model: &str,
    session: &str,
    audio: &[u8],
) -> anyhow::Result<Report> {
    let url = format!("{}/realtime?model={model}", base.replacen("http", "ws", 1));
    let mut request = url.into_client_request()?;
    request
        .headers_mut()
        .insert("authorization", format!("Bearer {key}").parse()?);
    let (mut socket, _) = connect_async(request)
        .await
        .context("no Realtime session")?;
    socket.send(Message::text(session)).await?;

    let mut report = Report::default();
    let (start, mut last) = (Instant::now(), Instant::now());
    let mut frames = audio.chunks(FRAME);
    let silence = [ulaw::SILENCE; FRAME];
    let mut clock = interval(Duration::from_millis(20));
    clock.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            _ = clock.tick() => {
                let frame = frames.next();
                if frame.is_some() {
                    last = Instant::now();
                } else if last.elapsed() > QUIET || start.elapsed() > LIMIT {
                    break;
                }
                // A phone line goes on after the last word; server VAD needs the silence.
                let payload = STANDARD.encode(frame.unwrap_or(&silence));
                let append = json!({"type": "input_audio_buffer.append", "audio": payload});
                socket.send(Message::text(append.to_string())).await?;
            }
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => {
                    last = Instant::now();
                    let event = serde_json::from_str(&text).context("the server sent no JSON")?;
                    report.read(&event, start.elapsed().as_secs_f64());
                }
                Some(Ok(Message::Close(frame))) => bail!("the server closed the session: {frame:?}"),
                Some(Ok(_)) => {}
                Some(Err(error)) => bail!("the session broke: {error}"),
                None => bail!("the session ended"),
            },
        }
    }
    Ok(report)
}

impl Report {
    fn read(&mut self, event: &Value, seconds: f64) {
        let field = |pointer: &str| {
            event
                .pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let kind = field("/type").to_owned();
        let mut detail = String::new();
        match kind.as_str() {
            "response.output_audio.delta" => {
                self.answer
                    .extend(STANDARD.decode(field("/delta")).unwrap_or_default());
                self.chunks += 1;
            }
            "response.output_audio_transcript.done" => {
                detail = field("/transcript").to_owned();
                self.transcript.push(format!("agent  {detail}"));
            }
            "conversation.item.input_audio_transcription.completed" => {
                detail = field("/transcript").to_owned();
                self.transcript.push(format!("shop   {detail}"));
            }
            "response.function_call_arguments.done" => {
                detail = format!("{} {}", field("/name"), field("/arguments"));
            }
            "response.done" => {
                detail = field("/response/status").to_owned();
                for (name, value) in event
                    .pointer("/response/usage")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    *self.tokens.entry(name.clone()).or_default() += value.as_u64().unwrap_or(0);
                }
            }
            "error" => {
                detail = field("/error/message").to_owned();
                self.errors.push(detail.clone());
            }
            _ => {}
        }
        // Deltas come by the hundred; they are counted.
        if !kind.ends_with(".delta") {
            println!("{seconds:6.1} s  {kind:<54} {}", shortened(&detail, 90));
        }
        *self.events.entry(kind).or_default() += 1;
    }

    fn finish(self) -> anyhow::Result<bool> {
        let folder = folder::create(&root(), "simulate")?;
        let path = folder.join("answer.wav");
        let samples = self.answer.iter().map(|&byte| ulaw::decode(byte)).collect();
        std::fs::write(
            &path,
            Wav {
                rate: 8000,
                channels: 1,
                samples,
            }
            .to_bytes(),
        )?;
        println!("\nEvents");
        for (kind, count) in &self.events {
            println!("{count:7}  {kind}");
        }
        println!("\nTranscript\n  {}", self.transcript.join("\n  "));
        println!("\nTokens");
        for (name, count) in self.tokens.iter().filter(|(_, count)| **count > 0) {
            println!("{count:7}  {name}");
        }
        let seconds = self.answer.len() as f64 / 8000.0;
        let shown = path.strip_prefix(root()).unwrap_or(&path).display();
        println!(
            "\n{} audio chunks, {seconds:.1} s of speech: {shown}",
            self.chunks
        );
        for error in &self.errors {
            println!("error: {error}");
        }
        Ok(self.errors.is_empty())
    }
}
