//! What breaks in the middle of a call: the model's socket, the media stream.
//! The call goes on, and whatever happens it has exactly one outcome, which is true.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "a failure in a test is a failed test"
)]

mod support;

use orderline::call::input::Input;
use orderline::twilio::twiml::Twiml;
use serde_json::json;
use support::{Bench, FILLER, FILLER_MS, HANDOFF, NEXT_TOKEN, TOKEN, request};

fn refused(bench: &mut Bench, code: u16) {
    let socket = *bench.connects.last().unwrap();
    bench.input(Input::ModelClosed { socket, code });
}

/// Words of the agent that were heard, turn by turn.
fn said(bench: &Bench) -> Vec<String> {
    let live = bench.live();
    let turns = live["transcript"].as_array().unwrap().iter();
    let agent = turns.filter(|turn| turn["role"] == "agent");
    agent
        .map(|turn| turn["text"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_lost_model_is_replaced_at_once_and_knows_what_was_said() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.agent_starts();
    bench.model_down(1011);
    assert_eq!(bench.connects.len(), 2);
    bench.to_model.clear();
    bench.model_up();
    let items = bench.sent("conversation.item.create");
    assert!(bench.cues()[0].contains("pepperoni"), "the order");
    assert!(
        items.iter().any(|e| e["item"]["role"] == "assistant"
            && e["item"]["content"][0]["type"] == "output_text")
    );
    assert!(items.iter().any(
        |e| e["item"]["role"] == "user" && e["item"]["content"][0]["text"] == "Sure, go ahead."
    ));
    assert!(bench.cues().last().unwrap().contains("interrupted"));
    assert_eq!(bench.responses_wanted(), 1);
}

#[test]
fn a_model_that_is_lost_while_nobody_waits_for_it_is_replaced_without_a_word() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.to_model.clear();
    bench.model_down(1006);
    bench.model_up();
    let played = bench.audio_ms();
    bench.advance(2_000);
    assert_eq!((bench.responses_wanted(), bench.audio_ms()), (0, played));
}

#[test]
fn a_gap_is_filled_and_the_model_knows_what_was_not_heard() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "I would like one large");
    bench.agent_words(&response, "item_x", " pizza for pickup.");
    bench.model_down(1006);
    assert_eq!(bench.audio_ms(), 5 * 300);
    bench.play_out();
    assert_eq!(
        bench.audio_ms(),
        5 * 300,
        "what was received is heard first"
    );
    bench.advance(300);
    assert_eq!(bench.audio_ms(), 5 * 300 + FILLER_MS as u64);
    bench.play_out();
    bench.to_model.clear();
    bench.model_up();
    assert!(bench.cues().iter().any(|note| note.contains("pickup")));
    assert!(
        said(&bench).last().unwrap().contains("one moment"),
        "{:?}",
        said(&bench)
    );
}

#[test]
fn the_gap_is_not_filled_while_the_shop_speaks() {
    let mut bench = Bench::greeted(&[]);
    bench.model_hears(true);
    bench.model_down(1006);
    let sentence = support::sentence("pickup/what-size");
    bench.line(&sentence);
    assert_eq!(bench.audio_ms(), 0);
    bench.silence(1_000);
    assert_eq!(bench.audio_ms(), FILLER_MS as u64);
}

#[test]
fn a_slow_model_is_covered_once_it_has_been_silent_for_three_seconds() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_starts();
    bench.advance(2_900);
    assert_eq!(bench.audio_ms(), 0);
    bench.advance(200);
    assert_eq!(bench.audio_ms(), FILLER_MS as u64);
}

#[test]
fn the_first_call_records_the_filler_when_the_line_is_gone() {
    let mut bench = Bench::without_filler(&[], request());
    bench.voice();
    bench.model_up();
    bench.stream_up();
    bench.agent_says("Hello! I'm an AI assistant calling for a customer.");
    bench.play_out();
    bench.stop();
    assert!(bench.outcomes.is_empty());
    assert!(bench.cues().last().unwrap().contains("The call is over"));
    let played = bench.audio_ms();
    bench.agent_says("Sorry, one moment, please.");
    assert_eq!(bench.outcomes.len(), 1);
    let (key, audio) = bench.lines_kept.last().unwrap();
    assert_eq!(*key, bench.line_keys[FILLER]);
    assert_eq!((audio.len(), bench.audio_ms()), (4 * 300 * 8, played));
    assert!(!bench.outcome().to_string().contains("one moment"));
}

#[test]
fn a_filler_that_says_something_else_is_not_kept_and_the_outcome_does_not_wait_long() {
    let start = || {
        let mut bench = Bench::without_filler(&[], request());
        bench.voice();
        bench.model_up();
        bench.stream_up();
        bench.agent_says("Hello! I'm an AI assistant calling for a customer.");
        bench.play_out();
        bench.stop();
        bench
    };
    let mut bench = start();
    bench.agent_says("The call is over.");
    assert_eq!((bench.lines_kept.len(), bench.outcomes.len()), (0, 1));
    let mut bench = start();
    bench.advance(4_000);
    assert_eq!(bench.outcomes.len(), 1);
    let mut bench = start();
    bench.model_down(1006);
    assert_eq!(bench.outcomes.len(), 1);
}

#[test]
fn the_old_models_last_words_are_not_taken_for_the_new_ones() {
    let mut bench = Bench::greeted(&[]);
    bench.model_down(1006);
    bench.input(Input::Model {
        socket: 1,
        text: r#"{"type":"input_audio_buffer.speech_started"}"#,
    });
    bench.input(Input::ModelClosed {
        socket: 1,
        code: 1006,
    });
    assert_eq!(bench.connects.len(), 2);
}

#[test]
fn a_model_that_cannot_be_reached_is_tried_four_times_and_apologised_for_by_twilio() {
    let mut bench = Bench::greeted(&[]);
    bench.model_down(1006);
    let mut waited = Vec::new();
    for tried in 2..=4 {
        assert_eq!(bench.connects.len(), tried);
        refused(&mut bench, 503);
        let from = bench.now;
        while bench.connects.len() == tried {
            bench.advance(100);
        }
        waited.push(bench.now - from);
    }
    assert_eq!(waited, [500, 1_000, 2_000]);
    assert!(!bench.phone_closed);
    refused(&mut bench, 429);
    assert!(bench.phone_closed);
    let twiml = bench.stream_ended();
    assert!(matches!(twiml, Twiml::SayAndHangUp { .. }), "{twiml:?}");
    assert_eq!(bench.outcome()["endReason"], "model_lost");
}

#[test]
fn a_refusal_for_good_is_not_tried_again_and_a_human_takes_over_where_there_is_one() {
    let mut bench = Bench::greeted(&[HANDOFF]);
    bench.model_down(1006);
    refused(&mut bench, 401);
    assert!(bench.phone_closed);
    assert!(matches!(bench.stream_ended(), Twiml::Dial { .. }));
}

#[test]
fn a_model_that_never_answers_is_given_up() {
    let mut bench = Bench::placed(&[]);
    bench.voice();
    bench.advance(5_000);
    assert_eq!(bench.connects.len(), 2);
    bench.advance(10_500);
    bench.stream_up();
    assert!(bench.phone_closed);
    assert!(matches!(bench.stream_ended(), Twiml::SayAndHangUp { .. }));
}

#[test]
fn failed_responses_are_asked_for_again_and_then_on_a_new_session() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.done(&response, "failed");
    assert_eq!(bench.responses_wanted(), 3);
    let response = bench.agent_starts();
    bench.done(&response, "failed");
    assert_eq!(bench.connects.len(), 2);
    // One that was cut before its first word is no better.
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.done(&response, "incomplete");
    assert_eq!(bench.responses_wanted(), 3);
}

#[test]
fn a_limited_rate_is_waited_for() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let wanted = bench.responses_wanted();
    let details =
        json!({ "type": "failed", "error": { "type": "x", "code": "rate_limit_exceeded" } });
    bench.event(json!({ "type": "response.done", "response": { "id": response, "status": "failed", "status_details": details } }));
    assert_eq!(bench.responses_wanted(), wanted);
    bench.advance(1_000);
    assert_eq!(bench.responses_wanted(), wanted + 1);
    assert_eq!(bench.connects.len(), 1);
}

#[test]
fn a_model_lost_before_its_first_word_begins_again() {
    let mut bench = Bench::answered(&[]);
    bench.model_down(1006);
    bench.model_up();
    assert_eq!(
        bench
            .cues()
            .iter()
            .filter(|cue| cue.contains("just answered"))
            .count(),
        2
    );
    assert_eq!(bench.responses_wanted(), 2);
}

#[test]
fn a_goodbye_is_heard_to_its_end_even_without_a_model() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.model_down(1006);
    assert_eq!(bench.hang_ups, 0);
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn a_stream_that_comes_after_the_model_was_given_up_is_closed_at_once() {
    let mut bench = Bench::placed(&[HANDOFF]);
    bench.voice();
    refused(&mut bench, 401);
    bench.advance(10_000);
    bench.phone_closed = false;
    bench.stream_up();
    assert!(bench.phone_closed);
    assert!(matches!(bench.stream_ended(), Twiml::Dial { .. }));
}

#[test]
fn a_model_that_thinks_is_not_lost() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    for _ in 0..6 {
        bench.advance(1_000);
        bench.event(json!({ "type": "response.function_call_arguments.delta", "response_id": response, "delta": "{" }));
    }
    assert_eq!(bench.connects.len(), 1);
}

#[test]
fn a_lost_stream_is_opened_again_and_the_agent_goes_on() {
    let mut bench = Bench::ordered(&[]);
    bench.advance(2_000);
    bench.stream_lost();
    assert!(bench.outcomes.is_empty() && bench.hang_ups == 0);
    assert_eq!(bench.connects.len(), 1, "the model is still there");
    let (item, heard_ms) = bench.truncations().last().unwrap().clone();
    assert_eq!(item, "item_read_back");
    assert!((1_800..=2_000).contains(&heard_ms), "{heard_ms}");
    assert!(bench.cues().last().unwrap().contains("interrupted"));
    // The filler plays on the new stream.
    bench.play_out();
    bench.agent_says(support::READ_BACK);
    bench.conclude();
    bench.play_out();
    bench.stop();
    let outcome = bench.outcome();
    assert_eq!(
        (&outcome["status"], &outcome["attempts"]),
        (&json!("confirmed"), &json!(2))
    );
}

#[test]
fn a_stream_token_works_once_and_only_the_newest() {
    let mut bench = Bench::greeted(&[]);
    assert!(!bench.call.claim_stream(bench.now, TOKEN));
    bench.input(Input::PhoneClosed);
    let twiml = bench.stream_ended();
    assert_eq!(bench.stream_ended(), twiml, "asked again, the same");
    assert!(!bench.call.claim_stream(bench.now, TOKEN));
    assert!(bench.call.claim_stream(bench.now, NEXT_TOKEN));
    assert!(!bench.call.claim_stream(bench.now, NEXT_TOKEN));
    assert!(!bench.call.claim_stream(bench.now, ""));
}

#[test]
fn a_question_that_is_asked_twice_does_not_stop_a_stream_that_runs() {
    let mut bench = Bench::greeted(&[]);
    bench.stream_ended();
    bench.agent_says("One large pizza.");
    bench.play_out();
    assert_eq!(said(&bench).last().unwrap(), "One large pizza.");
}

#[test]
fn a_line_that_does_not_come_back_is_ended_with_the_truth() {
    let mut bench = Bench::ordered(&[]);
    bench.input(Input::PhoneClosed);
    bench.advance(19_900);
    assert!(bench.outcomes.is_empty());
    bench.advance(200);
    assert_eq!(bench.outcome()["status"], "unconfirmed");
    assert_eq!(bench.outcome()["endReason"], "media_lost");
    assert_eq!(bench.outcome()["order"]["items"][0]["size"], "large");
    assert!(bench.model_closed > 0 && bench.hang_ups > 0);
}

#[test]
fn after_three_lost_streams_the_shop_hears_an_apology() {
    let mut bench = Bench::ordered(&[]);
    for _ in 0..3 {
        bench.stream_lost();
    }
    bench.input(Input::PhoneClosed);
    assert!(matches!(bench.stream_ended(), Twiml::SayAndHangUp { .. }));
    let outcome = bench.outcome();
    assert_eq!(
        (&outcome["endReason"], &outcome["attempts"]),
        (&json!("media_lost"), &json!(4))
    );
}

#[test]
fn without_a_model_a_line_that_nobody_asks_about_is_ended() {
    let mut bench = Bench::ordered(&[]);
    for _ in 0..10 {
        refused(&mut bench, 503);
        bench.advance(2_000);
    }
    assert!(bench.phone_closed && bench.outcomes.is_empty());
    bench.advance(21_000);
    assert_eq!(bench.outcome()["endReason"], "model_lost");
    assert!(bench.hang_ups > 0);
}

#[test]
fn a_filler_that_broke_off_is_not_kept() {
    let mut bench = Bench::without_filler(&[], request());
    bench.voice();
    bench.model_up();
    bench.stream_up();
    bench.agent_says("Hello! I'm an AI assistant calling for a customer.");
    bench.play_out();
    bench.stop();
    let response = bench.agent_starts();
    bench.agent_words(&response, "item_f", "Sorry, one moment, please.");
    bench.agent_audio(&response, "item_f", 300);
    bench.done(&response, "failed");
    assert!(bench.lines_kept.is_empty());
}

#[test]
fn a_session_that_was_good_for_long_makes_the_next_loss_a_first_one() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.shop_says("One moment please.");
    bench.agent_says("Sure.");
    bench.play_out();
    bench.model_down(1006);
    bench.model_up();
    bench.model_hears(true);
    bench.advance(11_000);
    let connects = bench.connects.len();
    bench.model_down(1006);
    bench.advance(1_000);
    assert_eq!(
        (bench.connects.len(), bench.phone_closed),
        (connects + 1, false)
    );
}

#[test]
fn a_stream_that_breaks_during_a_pause_is_a_cut() {
    let mut bench = Bench::greeted(&[]);
    let item =
        bench.agent_says("I would like to order one large pizza please and some garlic bread");
    bench.advance(1_000);
    bench.model_hears(true);
    bench.advance(300);
    assert!(bench.truncations().is_empty());
    bench.stream_lost();
    let (cut, _) = bench.truncations().pop().unwrap();
    assert_eq!(cut, item);
}

#[test]
fn what_only_a_lost_session_heard_is_no_part_of_the_next_turn() {
    let mut bench = Bench::greeted(&[]);
    bench.model_hears(true);
    bench.advance(200);
    bench.model_down(1006);
    bench.advance(1_500);
    bench.model_up();
    bench.agent_says("Sorry, what does it cost?");
    bench.play_out();
    bench.advance(2_000);
    let wanted = bench.responses_wanted();
    let item = bench.shop_speaks();
    bench.transcribed(&item, "It is twenty ten.");
    assert_eq!(bench.responses_wanted(), wanted + 1);
}

#[test]
fn responses_that_are_refused_again_and_again_end_the_session() {
    for code in [
        "rate_limit_exceeded",
        "conversation_already_has_active_response",
    ] {
        let mut bench = Bench::greeted(&[]);
        let connects = bench.connects.len();
        for _ in 0..10 {
            let id = bench.sent("response.create").last().unwrap()["event_id"].clone();
            bench.event(
                json!({ "type": "error", "error": { "type": "x", "code": code, "event_id": id } }),
            );
            bench.advance(1_000);
        }
        assert!(bench.connects.len() > connects, "{code}");
    }
}

#[test]
fn a_response_that_does_not_end_is_overdue_though_the_shop_speaks() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "One large pizza please.");
    bench.play_out();
    let connects = bench.connects.len();
    for _ in 0..3 {
        bench.shop_says("Hello? Are you there?");
        bench.advance(2_000);
    }
    assert!(bench.connects.len() > connects);
}

#[test]
fn a_new_session_counts_what_still_plays_as_heard() {
    let words = "I would like one large pepperoni pizza for pickup by Dana at six, please.";
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", words);
    bench.done(&response, "completed");
    bench.advance(900);
    bench.to_model.clear();
    bench.model_down(1006);
    bench.advance(400);
    bench.model_up();
    let items = bench.sent("conversation.item.create");
    let told = items.last().unwrap()["item"]["content"][0]["text"].clone();
    assert_eq!(told, words);
    bench.play_out();
    assert_eq!(bench.agent_heard().last().unwrap(), words);
}
