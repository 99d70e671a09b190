//! Interruptions and silence.

mod support;

use serde_json::json;
use support::{Bench, STREAM, base64};

#[test]
fn the_shop_silences_the_agent_at_once_and_the_model_learns_where() {
    let mut bench = Bench::greeted(&[]);
    let item = bench.agent_says("I would like to order one large pizza please");
    bench.advance(1_000);
    bench.event(json!({ "type": "input_audio_buffer.speech_started" }));
    assert_eq!(bench.clears(), 1);
    assert!(
        bench.sent("response.cancel").is_empty(),
        "generation had finished"
    );
    let truncate = bench.sent("conversation.item.truncate")[0].clone();
    assert_eq!(
        (
            truncate["item_id"].as_str(),
            truncate["audio_end_ms"].as_u64()
        ),
        (Some(item.as_str()), Some(1_000))
    );
}

#[test]
fn a_response_that_is_being_generated_is_cancelled_and_its_rest_is_dropped() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "one two three four");
    bench.advance(500);
    bench.event(json!({ "type": "input_audio_buffer.speech_started" }));
    assert_eq!(
        bench.sent("response.cancel")[0]["response_id"],
        json!(response)
    );
    bench.agent_speaks(&response, "item_x", "five six");
    bench.done(&response, "cancelled");
    bench.play_out();
    assert!(
        !bench.call.live(bench.now).contains("five"),
        "late words were never heard"
    );
}

#[test]
fn replies_that_wait_behind_each_other_are_cut_each_at_its_place() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "one two");
    bench.agent_speaks(&response, "item_y", "three four");
    bench.done(&response, "completed");
    bench.advance(300);
    bench.event(json!({ "type": "input_audio_buffer.speech_started" }));
    let ends: Vec<(String, u64)> = bench
        .sent("conversation.item.truncate")
        .iter()
        .map(|e| {
            (
                e["item_id"].as_str().unwrap().to_owned(),
                e["audio_end_ms"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(ends, [("item_x".to_owned(), 300), ("item_y".to_owned(), 0)]);
}

#[test]
fn marks_that_come_back_from_a_clear_prove_nothing() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("I would like to order one large pizza please");
    bench.advance(400);
    bench.shop_says("Hold on.");
    bench.advance(5_000);
    let live = bench.call.live(bench.now);
    assert!(!live.contains("would like to order"), "{live}");
    assert_eq!(
        live.matches("\"cut\":true").count(),
        1,
        "the transcript shows the cut: {live}"
    );
}

#[test]
fn the_shop_may_speak_while_nobody_is_heard() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("Hello.");
    bench.play_out();
    bench.shop_says("Yes?");
    assert_eq!(bench.clears(), 0);
    assert!(bench.sent("conversation.item.truncate").is_empty());
}

#[test]
fn a_greeting_that_was_cut_before_the_disclosure_is_made_up_for() {
    let mut bench = Bench::answered(&[]);
    bench.agent_says("Hi, I'm an AI assistant calling for a customer.");
    bench.advance(300);
    bench.shop_says("Tony's Pizza, hello?");
    assert!(
        bench.cues().last().unwrap().contains("AI assistant"),
        "{:?}",
        bench.cues()
    );
    bench.agent_says("I'm an AI assistant calling for a customer.");
    bench.play_out();
    bench.shop_says("Okay.");
    assert_eq!(
        bench
            .cues()
            .iter()
            .filter(|c| c.contains("not been heard yet"))
            .count(),
        1,
        "said once, heard once"
    );
}

#[test]
fn silence_is_broken_twice_and_then_the_call_ends_politely() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("What sizes do you have?");
    bench.play_out();
    for n in 1..=2 {
        bench.advance(3_499);
        assert_eq!(
            bench.cues().iter().filter(|c| c.contains("silent")).count(),
            n - 1
        );
        bench.advance(1);
        assert_eq!(
            bench.cues().iter().filter(|c| c.contains("silent")).count(),
            n
        );
        bench.agent_says("Are you still there?");
        bench.play_out();
    }
    bench.advance(3_500);
    bench.agent_says("I'll try again later, goodbye.");
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
    bench.stop();
    assert_eq!(bench.outcome()["endReason"], "silence");
    assert_eq!(bench.outcome()["metrics"]["silencePrompts"], 2);
}

#[test]
fn the_agents_own_speech_and_the_shops_are_no_silence() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says(
        "This is a rather long sentence that takes far more than three and a half seconds to say",
    );
    bench.advance(5_000);
    assert_eq!(bench.responses_wanted(), 2);
    bench.play_out();
    bench.event(json!({ "type": "input_audio_buffer.speech_started" }));
    bench.advance(10_000);
    assert_eq!(bench.responses_wanted(), 2);
}

#[test]
fn a_missed_pause_of_the_shop_does_not_hold_the_call_forever() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("Hello?");
    bench.play_out();
    bench.event(json!({ "type": "input_audio_buffer.speech_started" }));
    bench.advance(60_000 + 3_500);
    assert!(bench.cues().last().unwrap().contains("silent"));
}

#[test]
fn audio_passes_untouched_and_in_order() {
    let mut bench = Bench::greeted(&[]);
    for payload in ["AAAA", "////", "/////w==", "//8="] {
        bench.phone(
            json!({ "event": "media", "streamSid": STREAM, "media": { "payload": payload } }),
        );
    }
    let sent: Vec<&str> = bench
        .sent("input_audio_buffer.append")
        .iter()
        .map(|e| e["audio"].as_str().unwrap())
        .collect();
    assert_eq!(sent, ["AAAA", "////", "/////w==", "//8="]);
}

#[test]
fn a_hole_in_the_audio_is_filled_with_silence_so_that_the_turn_can_end() {
    let mut bench = Bench::greeted(&[]);
    for at in [20, 40, 1_060, 1_080, 90_000] {
        let media = json!({ "payload": base64(160), "timestamp": at.to_string() });
        bench.phone(json!({ "event": "media", "streamSid": STREAM, "media": media }));
    }
    let ms: Vec<usize> = bench
        .sent("input_audio_buffer.append")
        .iter()
        .map(|e| e["audio"].as_str().unwrap().len() / 4 * 3 / 8)
        .collect();
    assert_eq!(ms, [20, 20, 999, 20, 20, 9_999, 20]);
}

#[test]
fn audio_of_a_response_nobody_knows_is_not_played() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_speaks("resp_unknown", "item_unknown", "What is this?");
    bench.play_out();
    assert!(!bench.call.live(bench.now).contains("What is this"));
}
