//! The first words.

mod support;

use orderline::call::input::Input;
use serde_json::json;
use support::{Bench, STREAM, sentence};

const GREETING: &str = "Hi, I'm an AI assistant calling for a customer.";

fn audio() -> Vec<u8> {
    vec![0x55; 16_000]
}

/// A call for which the greeting's audio is kept; the phone is not there yet.
fn known() -> Bench {
    let mut bench = Bench::without_filler(&[], support::request());
    bench.voice();
    bench.line_loaded(support::GREETING, &audio());
    bench
}

#[test]
fn the_first_call_has_the_model_speak_it_and_keeps_it() {
    let mut bench = Bench::answered(&[]);
    assert!(bench.cues()[0].contains(GREETING), "{:?}", bench.cues());
    bench.agent_says(GREETING);
    let [(key, kept)] = &bench.lines_kept[..] else {
        panic!("{:?}", bench.lines_kept)
    };
    assert_eq!(*key, bench.line_keys[0]);
    assert_eq!(kept.len(), 9 * 300 * 8);
    assert_eq!(bench.responses_wanted(), 2, "the order follows at once");
    assert!(bench.cues()[1].contains("place an order"));
}

#[test]
fn what_says_more_than_the_greeting_is_not_kept() {
    let mut bench = Bench::answered(&[]);
    bench.agent_says(&format!("{GREETING} How are you?"));
    assert!(bench.lines_kept.is_empty());
    assert_eq!(bench.responses_wanted(), 1);
}

#[test]
fn a_greeting_that_was_cut_off_is_not_kept() {
    let mut bench = Bench::answered(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", GREETING);
    bench.advance(300);
    bench.model_hears(true);
    bench.advance(1_400);
    bench.done(&response, "completed");
    bench.advance(5_000);
    assert_eq!(bench.cues().len(), 1, "the shop has the floor");
}

#[test]
fn later_calls_play_it_when_the_line_opens_without_the_model() {
    let mut bench = known();
    bench.stream_up();
    assert_eq!(bench.audio_ms(), 2_000, "the model is not there yet");
    bench.model_up();
    let said = &bench.sent("conversation.item.create")[0]["item"];
    assert_eq!(said["role"], "assistant");
    assert_eq!(said["content"][0]["text"], GREETING);
    assert!(bench.cues()[0].contains("place an order"));
    assert_eq!(bench.responses_wanted(), 1);
    bench.play_out();
    let live = bench.live();
    assert_eq!(live["transcript"][0]["text"], GREETING);
    bench.stop();
    assert!(bench.outcome()["disclosure"]["heardAt"].is_string());
    assert_eq!(bench.outcome()["metrics"]["firstAudioMs"], 0);
}

#[test]
fn a_greeting_that_was_cut_before_the_disclosure_is_said_again() {
    let mut bench = known();
    bench.model_up();
    bench.stream_up();
    bench.advance(200);
    bench.shop_says("Hello, Tony's Pizza, how can I help?");
    assert_eq!(bench.clears(), 1);
    assert_eq!(bench.audio_ms(), 4_000);
    bench.play_out();
    bench.shop_says("Okay.");
    assert_eq!(bench.audio_ms(), 4_000, "said once, heard once");
    bench.stop();
    assert!(bench.outcome()["disclosure"]["heardAt"].is_string());
}

/// It was taken for said, and its words for heard with the first mark of what came after it.
#[test]
fn a_greeting_that_is_due_while_the_line_is_gone_is_said_on_the_next() {
    let mut bench = known();
    bench.model_up();
    bench.stream_up();
    bench.advance(200);
    bench.model_hears(true);
    bench.advance(1_600);
    bench.input(Input::PhoneClosed);
    bench.event(json!({ "type": "input_audio_buffer.committed", "item_id": "item_S" }));
    bench.transcribed("item_S", "Tony's Pizza, hello?");
    assert_eq!(bench.audio_ms(), 2_000, "there is nobody to hear it");
    bench.stream_again();
    assert_eq!(bench.audio_ms(), 4_000);
    bench.play_out();
    bench.stop();
    assert!(bench.outcome()["disclosure"]["heardAt"].is_string());
}

#[test]
fn a_greeting_of_which_a_word_may_have_been_skipped_discloses_nothing() {
    let mut bench = Bench::answered(&[]);
    bench.agent_says(GREETING);
    // Frames are lost, and so the first mark is placed too early.
    bench.silence(500);
    bench.advance(250);
    let item = bench.shop_mutters();
    bench.transcribed(&item, "Mm-hmm.");
    bench.play_out();
    let said = &bench.live()["transcript"][0]["text"];
    assert!(said.as_str().unwrap().contains("[unclear]"), "{said}");
    bench.agent_says("I would like to order a pizza.");
    bench.play_out();
    bench.shop_says("Sure, which one?");
    let cues = bench.cues();
    assert!(cues.last().unwrap().contains("AI"), "{cues:?}");
    bench.stop();
    assert!(bench.outcome()["disclosure"]["heardAt"].is_null());
}

#[test]
fn without_its_audio_the_model_says_it_again() {
    let mut bench = Bench::answered(&[]);
    bench.agent_says(GREETING);
    bench.advance(300);
    bench.shop_says("Tony's Pizza, hello?");
    // It was complete before it was cut off, so that its audio is known by now.
    assert_eq!(bench.audio_ms(), 2 * 9 * 300);
}

#[test]
fn audio_that_comes_too_late_or_is_no_greeting_is_ignored() {
    let mut bench = Bench::answered(&[]);
    bench.line_loaded(support::GREETING, &audio());
    assert_eq!(bench.audio_ms(), 0);
    let mut bench = Bench::placed(&[]);
    bench.voice();
    bench.line_loaded(support::GREETING, &vec![0; 1_000_000]);
    bench.line_loaded(support::GREETING, &[]);
    bench.phone(json!({ "event": "connected" }));
    bench.stream_up();
    assert_eq!(bench.audio_ms(), 0, "{STREAM}");
}

#[test]
fn a_greeting_that_was_cut_off_is_not_kept_though_its_response_was_complete() {
    let mut bench = Bench::answered(&[]);
    let response = bench.agent_starts();
    bench.agent_words(&response, "item_g", GREETING);
    bench.agent_audio(&response, "item_g", 900);
    bench.advance(300);
    bench.model_hears(true);
    bench.advance(1_500);
    assert_eq!(bench.sent("response.cancel").len(), 1);
    // The server was faster than the cancellation.
    bench.agent_item_ends(&response, "item_g", "completed");
    bench.done(&response, "completed");
    assert!(bench.lines_kept.is_empty());
}

#[test]
fn a_greeting_that_plays_is_not_said_again_by_a_session_that_comes_late() {
    let mut bench = known();
    bench.stream_up();
    let said = bench.audio_ms();
    assert!(said > 0);
    bench.advance(200);
    let socket = *bench.connects.last().unwrap();
    bench.input(Input::ModelClosed { socket, code: 503 });
    bench.advance(400);
    bench.model_up();
    assert_eq!(bench.audio_ms(), said);
}

#[test]
fn a_shop_that_speaks_into_the_greeting_is_answered_once() {
    let mut bench = known();
    bench.stream_up();
    bench.silence(200);
    let hello = sentence("shop/hello");
    let (begin, rest) = hello.split_at(4_000);
    bench.line(begin);
    bench.model_up();
    bench.model_hears(true);
    bench.line(rest);
    bench.silence(500);
    bench.model_hears(false);
    assert_eq!(bench.responses_wanted(), 0, "its turn comes in a moment");
    bench.committed("item_hello");
    bench.transcribed("item_hello", "Tony's Pizza, how can I help?");
    assert_eq!(bench.responses_wanted(), 1);
    bench.agent_says("I would like to order one large pepperoni pizza.");
    bench.play_out();
    assert_eq!(bench.responses_wanted(), 1);
}
