//! What a call keeps in memory does not grow with its length: an hour of talk on both sides, with
//! real speech, interruptions and tool calls, four times as long as a call may be configured to last.
//!
//! What may grow has a bound: the event log (384 KiB, `call::events`) and the transcript (400 turns,
//! 96 KiB, `order::transcript`). The longest call there may be reaches neither.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failure here is a failed test"
)]

mod support;

use orderline::audio::ulaw::SILENCE;
use orderline::call::{Call, Settings};
use orderline::twilio::sid::CallSid;
use orderline_silero::{STEP, Silero};
use serde_json::json;
use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use std::alloc::System;
use support::{Bench, FILLER, FILLER_MS, SID, T0, TOKEN, config, request, sentence};

#[global_allocator]
static MEMORY: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const MINUTE: u64 = 60_000;
const KIB: usize = 1024;
/// The longest call that can be configured, in minutes.
const LONGEST: u64 = 14;
/// How much more than after ten minutes a call may keep after an hour: the log twice, for a text that
/// grows has room for as much again, and the transcript with what belongs to its turns.
const MAX_GROWTH: usize = (2 * 384 + 3 * 96) * KIB;
/// How much it may go up and down once its bounds are reached.
const MAX_SWING: usize = 16 * KIB;
/// The largest snapshot: the log with its quotes escaped, and the transcript.
const MAX_SNAPSHOT: usize = (384 * 5 / 4 + 3 * 96) * KIB;

/// What the shop says in its turn, and the agent in its.
struct Voices {
    shop: Vec<u8>,
    agent: Vec<u8>,
}

#[test]
fn an_hour_of_talk_fits_where_a_quarter_does() {
    let voices = Voices {
        shop: sentence("shop/what-would-you-like"),
        agent: sentence("generic/order-delivery")
            .into_iter()
            .take(4_000 * 8)
            .collect(),
    };
    // The network's weights are there once for all calls.
    Silero::new().step(&[0.0; STEP]);
    let before = live();
    let mut bench = call();
    let mut kept = Vec::new();
    let (mut saves, mut largest) = (0, 0);
    let mut round = 0;
    for minute in 1..=60 {
        while bench.now < T0 + minute * MINUTE {
            talk(&mut bench, &voices, round);
            round += 1;
            saves += bench.saves.len();
            largest = bench
                .saves
                .iter()
                .map(String::len)
                .fold(largest, usize::max);
            forget(&mut bench);
        }
        assert!(
            !bench.phone_closed && bench.hang_ups == 0,
            "ended in minute {minute}"
        );
        let log = bench.call.events();
        if minute == LONGEST {
            let is_whole = !log.contains("\"truncated\"") && !log.contains("\"turn_dropped\"");
            assert!(is_whole, "the longest call has lost something");
        }
        kept.push(live() - before);
        println!(
            "{minute:2} min {:5} KiB, log {:3} KiB",
            (live() - before) / KIB,
            log.len() / KIB
        );
    }
    let [ten, hour] = [10, 60].map(|minute| kept[minute - 1]);
    assert!(
        hour <= ten + MAX_GROWTH,
        "{ten} bytes after 10 minutes, {hour} after an hour"
    );
    // Both bounds are reached by now.
    let late = &kept[49..];
    let (least, most) = (late.iter().min().unwrap(), late.iter().max().unwrap());
    assert!(
        most - least <= MAX_SWING,
        "from {least} to {most} bytes in the last ten minutes"
    );
    assert!(
        bench.call.events().contains("\"truncated\""),
        "the log is not full"
    );
    assert!(largest <= MAX_SNAPSHOT, "a snapshot of {largest} bytes");
    println!(
        "{round} rounds, {saves} saves, largest snapshot {} KiB",
        largest / KIB
    );
}

/// Bytes that are allocated.
fn live() -> usize {
    let stats = MEMORY.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// A call that was answered, and may last longer than the configuration lets it.
fn call() -> Bench {
    let mut bench = Bench::placed(&[]);
    let mut config = config(&[
        ("MAX_COST_PER_CALL", "1000"),
        ("SILENCE_PROMPT_MS", "60000"),
    ]);
    config.max_call_ms = 61 * MINUTE;
    let sid = CallSid::parse(SID).unwrap();
    bench.call = Call::new(
        Settings::from(&config),
        sid,
        Some(request()),
        TOKEN.into(),
        T0,
    );
    bench.drain();
    bench.line_loaded(FILLER, &[SILENCE; FILLER_MS * 8]);
    bench.voice();
    bench.model_up();
    bench.stream_up();
    bench.agent_says("Hello! I'm an AI assistant calling for a customer.");
    bench.play_out();
    bench
}

/// What only the test keeps.
fn forget(bench: &mut Bench) {
    bench.to_model = Vec::new();
    bench.to_phone = Vec::new();
    bench.saves = Vec::new();
    bench.logs = Vec::new();
}

/// The shop says something, the agent answers, and sometimes is interrupted. In the longest call there
/// may be nobody pauses; after it there are longer turns, to reach the bounds sooner.
fn talk(bench: &mut Bench, voices: &Voices, round: usize) {
    let size = SIZES[round % 3];
    let is_dense = bench.now < T0 + LONGEST * MINUTE;
    let times = if is_dense { 1 } else { 3 };
    let said = format!(
        "And what else can I get you, with that {size} pizza? We have salads, wings, garlic bread and drinks, and today the second {size} pizza is half the price. "
    )
    .repeat(times);
    shop(
        bench,
        voices,
        round.is_multiple_of(6),
        &format!("item_S{round:04}"),
        &said,
    );
    if round.is_multiple_of(2) && bench.responses_wanted() > 0 {
        bench.to_model.clear();
        let response = bench.agent_starts();
        let arguments = json!({ "size": SIZES[round / 2 % 3], "toppings": ["olives"] });
        bench.tool(&response, "save_order_item", arguments);
        bench.done(&response, "completed");
    }
    answer(bench, voices, &format!("item_A{round:04}"), size);
    if round.is_multiple_of(5) {
        // The shop does not wait for the end.
        bench.silence(1_000);
        shop(
            bench,
            voices,
            true,
            &format!("item_I{round:04}"),
            "Wait, we have no olives today.",
        );
        answer(bench, voices, &format!("item_B{round:04}"), size);
    }
    bench.silence(if is_dense { 4_200 } else { 13_000 });
}

/// The model makes the response that was asked for.
fn answer(bench: &mut Bench, voices: &Voices, item: &str, size: &str) {
    assert_eq!(bench.responses_wanted(), 1, "{item}");
    bench.to_model.clear();
    let response = bench.agent_starts();
    let words = format!(
        "No drinks, thank you. A {size} one with olives, please, thin crust, not cut, and that's all for today. How long will it take until it is ready?"
    );
    bench.agent_sounds(&response, item, &words, &voices.agent);
    bench.done(&response, "completed");
}

const SIZES: [&str; 3] = ["small", "medium", "large"];

/// A turn of the shop, with its voice on the line or known to the model alone.
fn shop(bench: &mut Bench, voices: &Voices, aloud: bool, item: &str, words: &str) {
    bench.event(json!({ "type": "input_audio_buffer.speech_started", "item_id": item }));
    if aloud {
        bench.line(&voices.shop);
    } else {
        bench.silence(1_400);
    }
    bench.silence(700);
    bench.event(json!({ "type": "input_audio_buffer.speech_stopped", "item_id": item }));
    bench.event(json!({ "type": "input_audio_buffer.committed", "item_id": item }));
    bench.transcribed(item, words);
}
