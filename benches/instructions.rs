//! Instructions that a call spends on one message, as callgrind counts them: what a change costs is
//! seen to a per cent, on a busy machine as on an idle one.
//!
//! Each case brings a call to where it is to be measured and then feeds it its messages as the
//! Worker does: the input, every output, the next deadline. Their whole count is divided by their
//! number, so that what is done now and then is in it. `benches/instructions.json` has the counts
//! that are agreed upon.
//!
//! ```text
//! npm run instructions             the table; fails where a message costs 3 % more than agreed, or less
//! npm run instructions -- --keep   agrees upon what is counted now
//! ```
//!
//! The code is compiled as for the Worker, in one piece. A count follows from that code,
//! the compiler and the C library: the environment is empty, every input is the same in every run,
//! and Valgrind shows a program the same processor wherever there is AVX2. One without it moves a
//! count by one per cent, another path of the project by 0.2.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a failure here is a failed measurement"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use orderline::audio::ulaw;
use orderline::call::Call;
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::twilio::media;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;
use support::{Bench, STREAM, sentence};

/// How much a count may differ from what is agreed upon, in per cent.
const TOLERANCE: f64 = 3.0;
/// Where counts can be compared.
const TARGET: &str = "x86_64 linux";
/// Frames of a case: ten seconds.
const FRAMES: usize = 500;
/// A fifth of a second.
const FIRST_FRAMES: usize = 10;
/// Bytes of μ-law in 20 ms.
const FRAME: usize = 160;

/// Brings a call to where it is to be measured.
type Setup = fn() -> Case;

/// By name.
const CASES: [(&str, Setup); 12] = [
    ("frame, nobody speaks", nobody_speaks),
    ("frame, the shop speaks", shop_speaks),
    ("the shop begins to speak", shop_begins),
    ("frame, the agent speaks", agent_speaks),
    ("frame, the agent’s echo", agent_echoes),
    ("frame, both speak", both_speak),
    ("delta of 200 ms of audio", || audio_delta(200)),
    ("delta of 100 ms of audio", || audio_delta(100)),
    ("delta of one word", word_delta),
    ("words of the shop", shop_words),
    ("echo of a mark", mark),
    ("speech_started, to clear", speech_started),
];

/// A call, and what comes: when, and which text from whom.
struct Case {
    bench: Bench,
    messages: Vec<(u64, Leg, String)>,
}

#[derive(Clone, Copy)]
enum Leg {
    Phone,
    Model,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let place = args.iter().position(|arg| arg == "--case");
    if let Some(name) = place.and_then(|at| args.get(at + 1)) {
        let known = CASES.iter().find(|(known, _)| known == name);
        let (_, case) = known.expect("a case");
        let Case {
            mut bench,
            messages,
        } = case();
        let socket = *bench.connects.last().unwrap();
        let sent = measured(&mut bench.call, socket, &messages);
        println!("{} {sent}", messages.len());
        return;
    }
    let here = [std::env::consts::ARCH, std::env::consts::OS].join(" ");
    if here != TARGET {
        println!("Not counted: the counts are those of {TARGET}, and this is {here}.");
        return;
    }
    let counts = CASES.map(|(name, _)| (name, count(name)));
    let agreed = agreed();
    if !table(&counts, &agreed) {
        println!("\nNothing differs by more than {TOLERANCE} %.");
    } else if !args.iter().any(|arg| arg == "--keep") {
        let (then, now) = (&agreed["rustc"], rustc());
        if then != &now {
            println!("\nNot judged: the counts are those of {then}, and this is {now}.");
            return;
        }
        println!(
            "\nMore than {TOLERANCE} % off. If it is meant, or cheaper: npm run instructions -- --keep"
        );
        std::process::exit(1);
    }
    if args.iter().any(|arg| arg == "--keep") {
        keep(&counts);
    }
}

/// Feeds a call as the Worker does; bytes of what it wants sent. Only this is counted.
#[inline(never)]
fn measured(call: &mut Call, socket: u32, messages: &[(u64, Leg, String)]) -> usize {
    feed(call, socket, messages)
}

#[inline]
fn feed(call: &mut Call, socket: u32, messages: &[(u64, Leg, String)]) -> usize {
    let mut sent = 0;
    for (now, leg, text) in messages {
        let message = match leg {
            Leg::Phone => Input::Phone(text),
            Leg::Model => Input::Model { socket, text },
        };
        let due = call.next_deadline().filter(|due| due <= now);
        let inputs = due.map(|at| (at, Input::Deadline)).into_iter();
        for (at, input) in inputs.chain([(*now, message)]) {
            call.handle(at, input);
            while let Some(output) = call.poll() {
                if let Output::Phone(text) | Output::Model(text) = &output {
                    sent += text.len();
                }
            }
        }
    }
    sent
}

/// Instructions per message of a case.
fn count(name: &str) -> u64 {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("instructions.callgrind");
    let own = std::env::current_exe().unwrap();
    // Where scripts/setup.mjs unpacks it, if the system has none.
    let unpacked = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/valgrind/usr");
    let unpacked = unpacked.exists().then_some(unpacked);
    let valgrind = unpacked.as_ref().map(|usr| usr.join("bin/valgrind"));
    let valgrind = valgrind.unwrap_or_else(|| "valgrind".into());
    let library = unpacked.map(|usr| ("VALGRIND_LIB", usr.join("libexec/valgrind")));
    let run = Command::new(valgrind)
        .env_clear()
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .envs(library)
        .args(["--tool=callgrind", "--collect-atstart=no"])
        .arg("--toggle-collect=instructions::measured*")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .args([own.as_os_str(), "--case".as_ref(), name.as_ref()])
        .output()
        .unwrap_or_else(|error| panic!("valgrind: {error}"));
    let said = String::from_utf8_lossy(&run.stdout);
    let messages = said.split(' ').next().and_then(|n| n.parse::<u64>().ok());
    let errors = String::from_utf8_lossy(&run.stderr);
    let messages = messages.unwrap_or_else(|| panic!("{name}: {errors}"));
    let profile = std::fs::read_to_string(&out).unwrap();
    let total = profile
        .lines()
        .find_map(|line| line.strip_prefix("totals: "));
    let total: u64 = total.and_then(|total| total.trim().parse().ok()).unwrap();
    assert!(total > 0, "{name}: nothing was counted");
    total / messages
}

/// Prints what was counted beside what is agreed upon; whether one of them is too far off.
fn table(counts: &[(&str, u64)], agreed: &Value) -> bool {
    println!(
        "{:<26} {:>10} {:>10} {:>8}",
        "instructions per", "agreed", "now", "change"
    );
    let mut is_off = false;
    for (name, now) in counts {
        let Some(then) = agreed["counts"][name].as_u64() else {
            println!("{name:<26} {:>10} {now:>10} {:>8}", "-", "new");
            is_off = true;
            continue;
        };
        let change = (*now as f64 / then as f64 - 1.0) * 100.0;
        let is_far = change.abs() > TOLERANCE;
        is_off |= is_far;
        let mark = if is_far { " !" } else { "" };
        println!("{name:<26} {then:>10} {now:>10} {change:>+6.1} %{mark}");
    }
    is_off
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.json")
}

fn agreed() -> Value {
    let text = std::fs::read_to_string(path()).unwrap_or_default();
    serde_json::from_str(&text).unwrap_or_default()
}

fn keep(counts: &[(&str, u64)]) {
    let counts: Map<String, Value> = (counts.iter())
        .map(|(name, count)| ((*name).to_owned(), json!(count)))
        .collect();
    let agreed = json!({ "rustc": rustc(), "counts": counts });
    let text = serde_json::to_string_pretty(&agreed).unwrap() + "\n";
    std::fs::write(path(), text).unwrap();
    println!("\nAgreed upon: benches/instructions.json");
}

fn rustc() -> String {
    let said = Command::new("rustc").arg("--version").output();
    let said = said.map(|said| String::from_utf8_lossy(&said.stdout).into_owned());
    said.unwrap_or_default().trim().to_owned()
}

/// A call in which it is the shop's turn, for three seconds of a quiet line: the network sleeps.
fn greeted() -> Bench {
    let mut bench = Bench::greeted(&[("SILENCE_PROMPT_MS", "60000")]);
    bench.agent_says("I'd like a large pepperoni pizza for pickup.");
    bench.play_out();
    bench.line(&hiss(3_000));
    bench
}

/// The line's own noise, which nobody hears; the same in every run.
fn hiss(ms: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ulaw::encode(i16::try_from(state >> 28).unwrap() - 8)
    };
    std::iter::repeat_with(next).take(ms * 8).collect()
}

/// What the shop says, again and again.
fn shop() -> impl Iterator<Item = u8> {
    let said = ["shop/what-would-you-like", "shop/name-address-phone"].map(sentence);
    said.concat().into_iter().cycle()
}

/// What the agent says, again and again.
fn agent() -> impl Iterator<Item = u8> {
    let said = ["generic/order-delivery", "generic/greeting-delivery"].map(sentence);
    said.concat().into_iter().cycle()
}

/// The call hears this in frames of 20 ms.
fn frames(bench: Bench, audio: impl Iterator<Item = u8>) -> Case {
    let audio: Vec<u8> = audio.take(FRAMES * FRAME).collect();
    let first = bench.now;
    let begin = first - support::T0;
    let message = |(n, frame): (usize, &[u8])| {
        let ms = 20 * n as u64;
        let (timestamp, chunk) = (begin + ms, 200 + n);
        // As Twilio writes them (`protocols.md` §2.9).
        let text = format!(
            r#"{{"event":"media","sequenceNumber":"{}","media":{{"track":"inbound","chunk":"{chunk}","timestamp":"{timestamp}","payload":"{}"}},"streamSid":"{STREAM}"}}"#,
            chunk + 1,
            media::encode(frame),
        );
        (first + ms + 20, Leg::Phone, text)
    };
    let messages = audio.chunks(FRAME).enumerate().map(message).collect();
    Case { bench, messages }
}

fn nobody_speaks() -> Case {
    frames(greeted(), hiss(10_000).into_iter())
}

fn shop_speaks() -> Case {
    let mut bench = greeted();
    bench.model_hears(true);
    frames(bench, shop())
}

/// The shop answers at once, and is known for somebody: all of the first fifth of a second.
fn shop_begins() -> Case {
    let mut bench = Bench::greeted(&[("SILENCE_PROMPT_MS", "60000")]);
    let response = bench.agent_starts();
    let audio: Vec<u8> = agent().take(3_000 * 8).collect();
    bench.agent_sounds(&response, "item_A", "So that is one", &audio);
    bench.line(&hiss(3_400));
    let mut case = frames(bench, shop());
    case.messages.truncate(FIRST_FRAMES);
    case
}

/// A call in which the agent has twelve seconds to say.
fn speaking() -> Bench {
    let mut bench = greeted();
    let response = bench.agent_starts();
    let audio: Vec<u8> = agent().take(12_000 * 8).collect();
    bench.agent_sounds(
        &response,
        "item_A",
        "So that is one large pepperoni",
        &audio,
    );
    bench
}

fn agent_speaks() -> Case {
    frames(speaking(), hiss(10_000).into_iter())
}

/// A fifth of the agent's voice, 120 ms later.
fn echo() -> impl Iterator<Item = u8> {
    let quieter = |byte| ulaw::encode(ulaw::decode(byte) / 5);
    std::iter::repeat_n(ulaw::SILENCE, 120 * 8).chain(agent().map(quieter))
}

fn agent_echoes() -> Case {
    frames(speaking(), echo())
}

/// The shop says "mm-hmm" all the time, and the agent goes on.
fn both_speak() -> Case {
    let mixed = |(a, b)| ulaw::encode(ulaw::decode(a).saturating_add(ulaw::decode(b)));
    frames(speaking(), echo().zip(shop()).map(mixed))
}

/// What the model says in the course of a reply, as Realtime writes it (`protocols.md` §1.6).
fn delta(kind: &str, n: usize, delta: &str) -> String {
    format!(
        r#"{{"type":"response.{kind}.delta","event_id":"event_CdNrVPyjUo2sOJu2f{n:04}","response_id":"resp_CdNrVcTP4v5kOJu2f0001","item_id":"item_CdNrVqSq7Zt8OJu2f0001","output_index":0,"content_index":0,"delta":{}}}"#,
        json!(delta)
    )
}

/// A call in which the model has begun to speak.
fn replying() -> Bench {
    let mut bench = greeted();
    let response = json!({ "id": "resp_CdNrVcTP4v5kOJu2f0001", "status": "in_progress" });
    bench.event(json!({ "type": "response.created", "response": response }));
    bench.event(serde_json::from_str(&delta("output_audio_transcript", 0, "So")).unwrap());
    bench.event(serde_json::from_str(&delta("output_audio", 0, &support::base64(800))).unwrap());
    bench
}

/// A reply of 20 s, which the model makes four times as fast as it is said.
fn audio_delta(ms: usize) -> Case {
    let bench = replying();
    let audio: Vec<u8> = agent().take(20_000 * 8).collect();
    let pieces = audio.chunks(ms * 8).enumerate();
    let message = |(n, piece)| {
        let text = delta("output_audio", n + 1, &media::encode(piece));
        (bench.now + (n * ms / 4) as u64, Leg::Model, text)
    };
    let messages = pieces.map(message).collect();
    Case { bench, messages }
}

fn word_delta() -> Case {
    let bench = replying();
    let words = support::READ_BACK.split_inclusive(' ').enumerate();
    let message = |(n, word)| {
        let text = delta("output_audio_transcript", n + 1, word);
        (bench.now + 50 * n as u64, Leg::Model, text)
    };
    let messages = words.map(message).collect();
    Case { bench, messages }
}

/// What the shop says, turn by turn, is written down and kept: of a call with a little order.
fn shop_words() -> Case {
    let mut bench = Bench::ordered(&[("SILENCE_PROMPT_MS", "60000")]);
    bench.play_out();
    let item = bench.shop_speaks();
    let words = support::READ_BACK.split_inclusive(['.', ',']).enumerate();
    let message = |(n, words): (usize, &str)| {
        let text = json!({
            "type": "conversation.item.input_audio_transcription.completed",
            "event_id": format!("event_CdNrVPyjUo2sOJu2f{n:04}"),
            "item_id": if n == 0 { item.clone() } else { format!("item_CdNrVqSq7Zt8OJu2f{n:04}") },
            "content_index": 0,
            "transcript": words,
            "usage": { "type": "duration", "seconds": 2 },
        });
        let at = bench.now + 1_000 * n as u64;
        (at, Leg::Model, text.to_string())
    };
    let messages = words.map(message).collect();
    Case { bench, messages }
}

/// The phone plays a reply of 20 s, with a mark for every 400 ms.
fn mark() -> Case {
    let Case {
        mut bench,
        messages,
    } = audio_delta(200);
    let first = bench.now;
    let socket = *bench.connects.last().unwrap();
    feed(&mut bench.call, socket, &messages);
    let message = |n: usize| {
        let text = format!(
            r#"{{"event":"mark","sequenceNumber":"{n}","streamSid":"{STREAM}","mark":{{"name":"g0-{n}"}}}}"#
        );
        (first + 5_000 + 400 * n as u64, Leg::Phone, text)
    };
    let messages = (1..=messages.len() / 2).map(message).collect();
    Case { bench, messages }
}

/// The model hears the shop while the agent speaks, who stops at once: all of that moment.
fn speech_started() -> Case {
    let Case {
        mut bench,
        messages,
    } = agent_speaks();
    let socket = *bench.connects.last().unwrap();
    feed(&mut bench.call, socket, &messages[..100]);
    let started = json!({
        "type": "input_audio_buffer.speech_started",
        "event_id": "event_CdNrVPyjUo2sOJu2f0001",
        "item_id": "item_CdNrVqSq7Zt8OJu2f0002",
        "audio_start_ms": 9_000,
    });
    let messages = vec![(messages[100].0, Leg::Model, started.to_string())];
    Case { bench, messages }
}
