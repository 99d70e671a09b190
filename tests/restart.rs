//! The object's memory is lost, and the call goes on from its snapshot: when that is written, what of a
//! former life still counts, and the one outcome that is true.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failure in a test is a failed test"
)]

mod support;

use orderline::call::input::Input;
use orderline::call::record::{self, Record};
use orderline::call::{Call, Settings};
use orderline::twilio::twiml::Twiml;
use serde_json::json;
use support::{Bench, FILLER_MS, HANDOFF, config};

/// By then what the agent was heard to say is kept as well.
const KEPT_MS: u64 = 3_000;

/// The order that was read back before is confirmed, and the call ends.
fn ends_confirmed(bench: &mut Bench) {
    bench.play_out();
    bench.conclude();
    bench.play_out();
    bench.stop();
    let outcome = bench.outcome();
    assert_eq!(outcome["status"], "confirmed", "{}", outcome["warnings"]);
}

#[test]
fn what_the_agent_said_is_kept_soon_and_with_one_write() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.advance(KEPT_MS);
    let before = bench.saves.len();
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_question", "Is that all right?");
    bench.done(&response, "completed");
    bench.play_out();
    assert_eq!(bench.saves.len(), before);
    bench.advance(KEPT_MS);
    assert_eq!(bench.saves.len(), before + 1);
    let kept = bench.saves.last().unwrap();
    assert!(kept.contains("Is that all right?"));
}

#[test]
fn what_the_shop_said_is_kept_behind_the_answer_and_with_it_what_it_answers() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    let before = bench.saves.len();
    bench.shop_says("We have no pepperoni today.");
    assert_eq!(bench.saves.len(), before);
    bench.advance(125);
    assert_eq!(bench.saves.len(), before + 1);
    let kept = bench.saves.last().unwrap();
    assert!(kept.contains("no pepperoni today"));
    let record = Record::parse(kept).unwrap();
    let mut agent = record.transcript.agent_turns();
    assert!(agent.any(|turn| turn.heard_text().contains("pepperoni")));
}

#[test]
fn a_call_that_lost_its_memory_goes_on_when_twilio_asks() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.advance(KEPT_MS);
    bench.restart(false);
    assert!(bench.outcomes.is_empty());
    let connects = bench.connects.len();
    bench.to_model.clear();
    bench.stream_again();
    assert_eq!(bench.connects.len(), connects + 1);
    assert_eq!(bench.audio_ms() % 300, FILLER_MS as u64 % 300, "the filler");
    bench.model_up();
    assert!(bench.cues()[0].contains("pepperoni"), "the order");
    assert_eq!(bench.responses_wanted(), 1);
    ends_confirmed(&mut bench);
}

#[test]
fn marks_of_two_lives_from_the_same_snapshot_are_told_apart() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.advance(KEPT_MS);
    let kept = bench.saves.len();
    let generation = |bench: &mut Bench| {
        bench.saves.truncate(kept);
        bench.restart(true);
        bench.model_up();
        bench.agent_says("Are you still there?");
        let (generation, _) = bench.mark().unwrap().split_once('-').unwrap();
        generation.to_owned()
    };
    let first = generation(&mut bench);
    bench.advance(1_000);
    assert_ne!(first, generation(&mut bench));
}

#[test]
fn a_call_that_lost_its_memory_and_not_its_stream_goes_on_at_once() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.advance(KEPT_MS);
    let clears = bench.clears();
    bench.restart(true);
    assert_eq!(
        bench.clears(),
        clears + 1,
        "what may still play is of before"
    );
    bench.model_up();
    assert_eq!(
        bench
            .cues()
            .iter()
            .filter(|cue| cue.contains("interrupted"))
            .count(),
        1
    );
    ends_confirmed(&mut bench);
}

#[test]
fn a_snapshot_that_is_older_than_the_stream_has_twilio_open_another() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.advance(KEPT_MS);
    let older = bench.saves.len();
    bench.stream_lost();
    bench.saves.truncate(older);
    bench.phone_closed = false;
    let clears = bench.clears();
    bench.restart(true);
    assert!(bench.phone_closed);
    assert_eq!(bench.clears(), clears, "nothing is said to the old one");
    bench.input(Input::PhoneClosed);
    bench.stream_again();
    bench.model_up();
    ends_confirmed(&mut bench);
}

#[test]
fn a_mark_of_a_former_life_proves_nothing() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "One large pizza.");
    bench.restart(true);
    bench.model_up();
    bench.agent_says("Two small pizzas, please.");
    for n in 1..40 {
        let mark = json!({ "name": format!("g0-{n}") });
        bench.phone(json!({ "event": "mark", "streamSid": bench.stream, "mark": mark }));
    }
    assert!(!bench.live().to_string().contains("Two small"));
    bench.play_out();
    assert!(bench.live().to_string().contains("Two small"));
}

#[test]
fn a_call_that_lost_its_memory_and_is_not_asked_for_ends_with_the_truth() {
    let mut bench = Bench::ordered(&[]);
    bench.restart(false);
    bench.advance(20_000);
    assert_eq!(bench.outcome()["endReason"], "media_lost");
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn a_call_that_was_ending_when_it_lost_its_memory_has_ended() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.play_out();
    bench.restart(false);
    assert_eq!(bench.outcome()["endReason"], "goodbye");
    assert_eq!(bench.outcome()["status"], "confirmed");
}

#[test]
fn a_call_that_rings_or_was_handed_over_goes_on_without_its_memory() {
    let mut ringing = Bench::placed(&[]);
    let lines = std::mem::take(&mut ringing.line_keys);
    ringing.restart(false);
    assert!(ringing.outcomes.is_empty());
    assert_eq!(ringing.line_keys, lines, "it greets at once all the same");
    assert!(matches!(ringing.voice(), Twiml::ConnectStream { .. }));

    let mut handed = Bench::handing_over();
    handed.play_out();
    handed.stream_ended();
    handed.restart(false);
    handed.now += 20 * 60_000;
    handed.input(Input::Alarm);
    assert!(handed.outcomes.is_empty(), "the human still talks");
    handed.call.dial_ended(handed.now, true);
    handed.drain();
    assert_eq!(handed.outcome()["status"], "escalated");
}

#[test]
fn the_time_limit_holds_across_a_restart() {
    let mut bench = Bench::greeted(&[]);
    let answered = bench.now;
    bench.restart(true);
    bench.model_up();
    for _ in 0..610 {
        bench.agent_says("Hello?");
        bench.advance(1_000);
    }
    assert!(bench.now - answered > 10 * 60_000);
    assert!(bench.hang_ups > 0);
    bench.stop();
    assert_eq!(bench.outcome()["endReason"], "time_limit");
}

#[test]
fn a_snapshot_of_another_form_is_not_read() {
    let bench = Bench::placed(&[]);
    let snapshot = bench.saves.last().unwrap();
    assert!(Record::parse(snapshot).is_some());
    let version = format!("\"version\":{}", record::VERSION);
    assert!(Record::parse(&snapshot.replace(&version, "\"version\":0")).is_none());
    assert!(Record::parse("{}").is_none());
}

#[test]
fn a_finished_call_that_is_looked_at_again_writes_no_second_outcome() {
    let mut bench = Bench::greeted(&[]);
    bench.stop();
    assert_eq!(bench.outcomes.len(), 1);
    let record = Record::parse(bench.saves.last().unwrap()).unwrap();
    bench.call = Call::restore(Settings::from(&config(&[])), record);
    bench.input(Input::Restored { streaming: false });
    assert_eq!(bench.outcomes.len(), 1);
    assert_eq!(bench.hang_ups, 0);
}

#[test]
fn a_handoff_that_is_pending_goes_on_after_a_restart_on_a_living_stream() {
    let mut bench = Bench::handing_over();
    bench.advance(300);
    let record = Record::parse(bench.saves.last().unwrap()).unwrap();
    let settings = Settings::from(&config(&[HANDOFF]));
    bench.call = Call::restore(settings, record);
    bench.input(Input::Restored { streaming: true });
    assert!(bench.phone_closed, "Twilio is to ask whom to dial");
    assert!(matches!(bench.stream_ended(), Twiml::Dial { .. }));
}

#[test]
fn the_gap_after_a_restart_is_filled_when_the_filler_is_there() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    let before = bench.audio_ms();
    bench.restart(true);
    bench.advance(500);
    assert!(bench.audio_ms() > before, "no model opens");
}
