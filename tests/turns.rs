//! Interruptions and silence.

mod support;

use orderline::audio::ulaw;
use serde_json::json;
use support::{Bench, STREAM, base64};

#[test]
fn the_agent_pauses_at_once_and_stops_for_good_when_the_shop_goes_on() {
    let mut bench = Bench::greeted(&[]);
    let item = bench.agent_says("I would like to order one large pizza please");
    bench.advance(1_000);
    bench.model_hears(true);
    assert_eq!(bench.clears(), 1);
    assert!(bench.truncations().is_empty(), "it may have been a cough");
    bench.advance(1_400);
    assert_eq!(bench.truncations(), [(item, 1_000)]);
    assert!(
        bench.sent("response.cancel").is_empty(),
        "generation had finished"
    );
    bench.play_out();
    assert!(!bench.call.live(bench.now).contains("pizza please"));
}

#[test]
fn the_agent_goes_on_where_it_stopped_after_a_short_sound() {
    let mut bench = Bench::greeted(&[]);
    bench.silence(20);
    bench.agent_says("I would like to order one large pizza please");
    bench.silence(1_000);
    let wanted = bench.responses_wanted();
    let item = bench.shop_mutters();
    assert_eq!(
        bench.audio_ms(),
        9 * 300 + 9 * 300 - 1_000,
        "what was not heard is sent again"
    );
    bench.transcribed(&item, "Mm-hmm.");
    bench.play_out();
    assert!(bench.truncations().is_empty());
    assert_eq!(bench.responses_wanted(), wanted, "nothing was asked");
    let live = bench.live();
    let turns = live["transcript"].as_array().unwrap();
    let [agent, shop] = &turns[turns.len() - 2..] else {
        panic!("{live}")
    };
    assert_eq!(
        agent["text"],
        "I would like to order one large pizza please"
    );
    assert!(agent.get("cut").is_none());
    assert_eq!(shop["text"], "Mm-hmm.");
    bench.stop();
    let answers = &bench.outcome()["metrics"]["responseMs"]["turns"];
    assert_eq!(*answers, 1, "going on is no answer");
    assert_eq!(shop["acknowledges"]["heardMs"], 1_020, "{live}");
}

#[test]
fn words_that_turn_out_to_be_an_objection_stop_the_agent_after_all() {
    let mut bench = Bench::greeted(&[]);
    let item = bench.agent_says("I would like to order one large pizza please");
    bench.advance(1_000);
    let wanted = bench.responses_wanted();
    let turn = bench.shop_mutters();
    bench.advance(300);
    bench.transcribed(&turn, "No, wait.");
    assert_eq!(bench.clears(), 2);
    assert_eq!(bench.truncations(), [(item, 1_240)]);
    assert_eq!(bench.responses_wanted(), wanted + 1);
    assert!(bench.live()["transcript"][3].get("acknowledges").is_none());
}

#[test]
fn an_okay_into_the_last_word_is_an_answer() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("Is that right?");
    bench.advance(500);
    let wanted = bench.responses_wanted();
    let turn = bench.shop_mutters();
    bench.transcribed(&turn, "Yeah.");
    assert_eq!(bench.responses_wanted(), wanted + 1);
    bench.play_out();
    assert!(bench.live()["transcript"][3].get("acknowledges").is_none());
}

#[test]
fn a_response_that_is_being_generated_is_cancelled_and_its_rest_is_dropped() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "one two three four");
    bench.advance(500);
    bench.model_hears(true);
    bench.agent_speaks(&response, "item_x", "five ");
    assert!(bench.sent("response.cancel").is_empty());
    bench.advance(1_400);
    assert_eq!(
        bench.sent("response.cancel")[0]["response_id"],
        json!(response)
    );
    bench.agent_speaks(&response, "item_x", "six");
    bench.done(&response, "cancelled");
    bench.play_out();
    assert_eq!(bench.truncations(), [("item_x".to_owned(), 500)]);
    assert!(
        !bench.call.live(bench.now).contains("five"),
        "late words were never heard"
    );
}

#[test]
fn what_comes_during_a_pause_waits_behind_the_rest() {
    let mut bench = Bench::greeted(&[]);
    bench.silence(20);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "one two three ");
    bench.silence(500);
    bench.model_hears(true);
    bench.agent_speaks(&response, "item_x", "four five");
    bench.done(&response, "completed");
    let before = bench.audio_ms();
    bench.advance(600);
    assert_eq!(bench.audio_ms(), before, "the agent is held");
    bench.model_hears(false);
    assert_eq!(bench.audio_ms(), before + 5 * 300 - 500 + 20);
    bench.play_out();
    assert!(
        bench
            .call
            .live(bench.now)
            .contains("one two three four five")
    );
}

#[test]
fn a_goodbye_that_was_paused_is_said_to_its_end() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.shop_says("Yes. That's seventeen fifty, twenty ten with tax.");
    bench.confirm_total();
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_bye", "Thank you very much, goodbye!");
    bench.advance(200);
    bench.model_hears(true);
    bench.tool(&response, "end_call", json!({}));
    bench.done(&response, "completed");
    bench.advance(700);
    bench.model_hears(false);
    bench.advance(5_000);
    assert_eq!(bench.hang_ups, 1);
    bench.stop();
    assert_eq!(bench.outcome()["endReason"], "goodbye");
    assert_eq!(bench.outcome()["status"], "confirmed");
}

#[test]
fn replies_that_wait_behind_each_other_are_cut_each_at_its_place() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_x", "one two");
    bench.agent_speaks(&response, "item_y", "three four");
    bench.done(&response, "completed");
    bench.advance(300);
    bench.model_hears(true);
    bench.advance(1_400);
    let cuts = [("item_x".to_owned(), 300), ("item_y".to_owned(), 0)];
    assert_eq!(bench.truncations(), cuts);
}

#[test]
fn a_detector_that_says_it_twice_or_never_stops_changes_nothing() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("I would like to order one large pizza please");
    bench.advance(1_000);
    bench.model_hears(true);
    bench.model_hears(true);
    bench.advance(2_000);
    bench.model_hears(true);
    assert_eq!((bench.clears(), bench.truncations().len()), (1, 1));
    bench.model_hears(false);
    bench.model_hears(false);
    let commits = |bench: &Bench| bench.sent("input_audio_buffer.commit").len();
    assert_eq!(commits(&bench), 0);
    bench.advance(1_500);
    assert_eq!(commits(&bench), 1, "the turn that the model did not take");
    bench.advance(10_000);
    assert_eq!(commits(&bench), 1);
}

#[test]
fn marks_that_come_back_from_a_clear_prove_nothing() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("I would like to order one large pizza please");
    bench.advance(700);
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
fn a_shop_that_asked_to_wait_is_waited_for() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("What sizes do you have?");
    bench.play_out();
    bench.shop_says("One moment, let me check.");
    bench.agent_says("Sure.");
    bench.play_out();
    let silent = |bench: &Bench| bench.cues().iter().any(|cue| cue.contains("silent"));
    bench.advance(9_000);
    assert!(!silent(&bench));
    bench.advance(1_000);
    assert!(silent(&bench));
}

#[test]
fn a_monologue_ends_with_its_sentence() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let sentence = "one two three four five six seven eight nine ten eleven. ".repeat(12);
    bench.agent_speaks(&response, "item_x", &sentence);
    bench.done(&response, "cancelled");
    // The first sentence that ends after 30 s: the tenth of eleven words of 300 ms.
    let said = bench.audio_ms();
    assert!((32_900..=33_300).contains(&said), "{said}");
    assert_eq!(bench.truncations(), [("item_x".to_owned(), said)]);
    assert_eq!(bench.sent("response.cancel").len(), 1);
}

#[test]
fn keys_are_pressed_and_the_model_goes_on_when_they_were_heard() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let call = bench.tool(&response, "press_digits", json!({ "digits": "12" }));
    bench.done(&response, "completed");
    assert_eq!(bench.audio_ms(), 40 + 2 * 140);
    assert!(bench.output_of(&call).is_none(), "they are still sounding");
    let wanted = bench.responses_wanted();
    bench.play_out();
    assert_eq!(bench.output_of(&call).unwrap()["ok"], true);
    assert_eq!(bench.responses_wanted(), wanted + 1);
    assert!(bench.call.live(bench.now).contains("[pressed 12]"));
}

#[test]
fn keys_that_were_cut_off_are_told_as_that() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let digits = json!({ "digits": "1,,,,2" });
    let call = bench.tool(&response, "press_digits", digits);
    bench.done(&response, "completed");
    bench.advance(500);
    bench.model_hears(true);
    bench.advance(2_000);
    assert_eq!(bench.output_of(&call).unwrap()["ok"], false);
}

#[test]
fn keys_of_which_no_mark_comes_back_do_not_hold_the_call() {
    let mut bench = Bench::greeted(&[]);
    bench.marks_lost = true;
    let response = bench.agent_starts();
    let call = bench.tool(&response, "press_digits", json!({ "digits": "1" }));
    bench.done(&response, "completed");
    bench.advance(3_000);
    assert_eq!(bench.output_of(&call).unwrap()["ok"], true);
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
    bench.model_hears(true);
    bench.advance(10_000);
    assert_eq!(bench.responses_wanted(), 2);
}

#[test]
fn a_missed_pause_of_the_shop_does_not_hold_the_call_forever() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("Hello?");
    bench.play_out();
    bench.model_hears(true);
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
        bench.now = support::T0 + at;
        let media = json!({ "payload": base64(160), "timestamp": at.to_string() });
        bench.phone(json!({ "event": "media", "streamSid": STREAM, "media": media }));
    }
    assert_eq!(bench.appended_ms(), [20, 20, 1_000, 10_040]);
}

#[test]
fn a_line_that_stalls_while_the_shop_speaks_falls_silent_for_the_model() {
    let mut bench = Bench::greeted(&[]);
    bench.silence(100);
    bench.model_hears(true);
    bench.silence(100);
    let appended = |bench: &Bench| bench.appended_ms().iter().sum::<u64>();
    assert_eq!(appended(&bench), 200);
    bench.advance(750);
    assert_eq!(appended(&bench), 1_200);
    bench.advance(750);
    assert_eq!(appended(&bench), 1_200, "once");
}

#[test]
fn a_burst_of_late_frames_shifts_nothing_and_a_flood_is_cut_off() {
    let mut bench = Bench::greeted(&[]);
    let media = |at: u64| json!({ "event": "media", "streamSid": STREAM, "media": { "payload": base64(160), "timestamp": at.to_string() } });
    let frames = |bench: &Bench| bench.appended_ms().iter().sum::<u64>() / 20;
    // Two seconds at once, each frame twice: late, not lost.
    for at in (0..2_000).step_by(20) {
        bench.phone(media(at));
        bench.phone(media(at));
    }
    assert_eq!(frames(&bench), 100 - 4, "the last four wait for a fifth");
    for at in (2_000..600_000).step_by(20) {
        bench.phone(media(at));
    }
    let seconds = (bench.now - support::T0) / 1_000 + 10;
    assert!(frames(&bench) <= seconds * 50 + 50);
}

#[test]
fn silence_goes_to_the_model_in_fewer_messages_and_every_sound_at_once() {
    let mut bench = Bench::greeted(&[]);
    bench.silence(3_000);
    let sent = bench.appended_ms();
    let together = sent.iter().position(|ms| *ms == 100).unwrap();
    assert!((50..60).contains(&together), "a second goes by: {sent:?}");
    assert!(sent[together..].iter().all(|ms| *ms == 100), "{sent:?}");
    assert!(sent.iter().sum::<u64>() > 2_900);
    // No voice waits: all that was kept goes with its first step.
    bench.line(&speech());
    let total: u64 = bench.appended_ms().iter().sum();
    assert_eq!(total, 3_000 + speech().len() as u64 / 8);
    let sent = bench.appended_ms();
    assert!(
        sent[sent.len() - 40..].iter().all(|ms| *ms <= 20),
        "{sent:?}"
    );
}

#[test]
fn short_deltas_share_marks_and_none_is_owed_for_long() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let before = bench.marks;
    bench.agent_words(&response, "item_short", "Good evening, a large pizza.");
    for _ in 0..24 {
        bench.agent_sounds(&response, "item_short", "", &[0x55; 160]);
    }
    assert_eq!(bench.marks - before, 1 + 1, "one in front, one for 480 ms");
    bench.done(&response, "completed");
    assert_eq!(bench.marks - before, 1 + 1 + 1);
    bench.play_out();
    let live = bench.live();
    let said = live["transcript"].as_array().unwrap().last().unwrap();
    assert_eq!(said["text"], "Good evening, a large pizza.");
}

#[test]
fn what_the_model_takes_for_speech_is_never_kept_waiting() {
    let mut bench = Bench::greeted(&[]);
    bench.silence(2_060);
    bench.model_hears(true);
    let before = bench.appended_ms().len();
    bench.silence(200);
    let sent = &bench.appended_ms()[before..];
    assert_eq!(sent[0], 60, "what has waited goes first");
    assert_eq!(sent[1..], [20; 9]);
}

#[test]
fn audio_of_a_response_nobody_knows_is_not_played() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_speaks("resp_unknown", "item_unknown", "What is this?");
    bench.play_out();
    assert!(!bench.call.live(bench.now).contains("What is this"));
}

/// The greeting of a shop: 1.2 s.
fn speech() -> Vec<u8> {
    support::sentence("shop/hello")
}

#[test]
fn our_own_detector_needs_no_word_of_the_models() {
    let mut bench = Bench::greeted(&[]);
    let item = bench.agent_says("I would like to order one large pizza with mushrooms please");
    bench.silence(1_000);
    bench.line(&speech()[..300 * 8]);
    assert_eq!(bench.clears(), 1);
    bench.line(&speech()[300 * 8..]);
    bench.silence(500);
    let [(cut, ms)] = &bench.truncations()[..] else {
        panic!("{:?}", bench.logs)
    };
    assert!(*cut == item && (1_060..1_200).contains(ms), "{ms}");
    // The model has not heard it: what was said is made a turn all the same.
    bench.silence(2_500);
    assert_eq!(bench.sent("input_audio_buffer.commit").len(), 1);
    bench.stop();
    let heard = &bench.outcome()["metrics"]["interruptions"][0];
    assert_eq!(
        (&heard["detector"], &heard["resumed"]),
        (&json!("local"), &json!(false))
    );
    assert!((64..200).contains(&heard["onsetToClearMs"].as_u64().unwrap()));
}

#[test]
fn a_short_sound_that_only_we_hear_is_gone_over() {
    let mut bench = Bench::greeted(&[]);
    let item = bench.agent_says("I would like to order one large pizza with mushrooms please");
    bench.silence(1_000);
    bench.line(&speech()[..350 * 8]);
    bench.silence(6_000);
    assert_eq!((bench.clears(), bench.truncations().len()), (1, 0));
    assert!(
        bench.call.live(bench.now).contains("with mushrooms please"),
        "{item}"
    );
    assert!(bench.sent("input_audio_buffer.commit").is_empty());
}

#[test]
fn a_word_of_the_models_that_comes_after_we_went_on_stops_nobody() {
    let mut bench = Bench::greeted(&[]);
    bench.agent_says("I would like to order one large pizza with mushrooms please");
    bench.silence(1_000);
    bench.line(&speech()[..350 * 8]);
    bench.silence(500);
    assert_eq!(bench.clears(), 1);
    bench.model_hears(true);
    bench.silence(300);
    bench.model_hears(false);
    bench.event(json!({ "type": "input_audio_buffer.committed", "item_id": "item_mm" }));
    bench.transcribed("item_mm", "Mm-hmm.");
    bench.silence(4_000);
    assert_eq!((bench.clears(), bench.truncations().len()), (1, 0));
    let live = bench.live();
    assert!(live["transcript"][3]["acknowledges"].is_object(), "{live}");
}

const READ_BACK: &str =
    "So that's one small mushroom pizza with thin crust, delivered to 77 Sunset Boulevard.";

/// A call in which the agent reads back, and what comes back of it: 150 ms later and 20 dB quieter.
fn echoing() -> (Bench, Vec<u8>) {
    let mut bench = Bench::greeted(&[]);
    bench.silence(500);
    let audio = support::sentence("shop-interrupts-read-back/read-back");
    let response = bench.agent_starts();
    bench.agent_sounds(&response, "item_read_back", READ_BACK, &audio);
    bench.done(&response, "completed");
    let quieter = |byte: &u8| ulaw::encode(ulaw::decode(*byte) / 10);
    let echo = [ulaw::SILENCE; 1_200]
        .into_iter()
        .chain(audio.iter().map(quieter));
    (bench, echo.collect())
}

#[test]
fn our_own_voice_on_the_line_stops_nobody_and_says_nothing() {
    let (mut bench, echo) = echoing();
    let wanted = bench.responses_wanted();
    bench.line(&echo[..8_000]);
    bench.model_hears(true);
    bench.line(&echo[8_000..]);
    bench.silence(700);
    bench.model_hears(false);
    bench.event(json!({ "type": "input_audio_buffer.committed", "item_id": "item_echo" }));
    bench.transcribed("item_echo", READ_BACK);
    assert_eq!((bench.clears(), bench.responses_wanted()), (0, wanted));
    let deleted = bench.sent("conversation.item.delete");
    assert_eq!(deleted[0]["item_id"], "item_echo");
    let said = bench.call.live(bench.now);
    assert_eq!(said.matches("Sunset Boulevard").count(), 1, "{said}");
}

#[test]
fn a_voice_in_our_echo_stops_the_agent() {
    let (mut bench, mut echo) = echoing();
    for (sample, voice) in echo[24_000..].iter_mut().zip(speech()) {
        *sample = ulaw::encode(ulaw::decode(*sample).saturating_add(ulaw::decode(voice)));
    }
    bench.line(&echo[..24_000]);
    assert_eq!(bench.clears(), 0);
    bench.line(&echo[24_000..24_000 + 4_000]);
    assert_eq!(bench.clears(), 1);
}

#[test]
fn the_first_echo_of_a_line_is_known_by_its_words() {
    for (words, is_echo) in [
        ("one small mushroom pizza with", true),
        ("one small mushroom pizza, okay", false),
        ("small mushroom pizza", false),
    ] {
        let mut bench = Bench::greeted(&[]);
        let before = bench.shop_said().len();
        bench.agent_says(READ_BACK);
        bench.silence(500);
        // Our detector takes it for somebody.
        bench.line(&speech()[..2_400]);
        let item = bench.shop_mutters();
        bench.transcribed(&item, words);
        assert_eq!(bench.shop_said().len() == before, is_echo, "{words}");
        let deleted = bench.sent("conversation.item.delete");
        assert_eq!(deleted.len(), usize::from(is_echo), "{words}");
    }
}

#[test]
fn words_of_the_agent_that_were_cut_off_may_come_back() {
    let (mut bench, echo) = echoing();
    bench.line(&echo[..16_000]);
    bench.shop_says("No.");
    bench.agent_says("One moment, please, I will look that up for you.");
    bench.silence(500);
    bench.shop_says("Stop.");
    let item = bench.shop_mutters();
    bench.transcribed(&item, "crust, delivered to 77 Sunset Boulevard.");
    let said = bench.shop_said();
    assert!(
        !said.iter().any(|words| words.contains("Sunset")),
        "{said:?}"
    );
}

#[test]
fn on_a_line_that_seems_clear_the_model_is_believed_at_once() {
    for (clear_ms, clears) in [(500, 0), (3_000, 1)] {
        let (mut bench, echo) = echoing();
        bench.silence(clear_ms);
        let from = clear_ms * 8;
        bench.line(&echo[from..from + 120 * 8]);
        assert_eq!(bench.clears(), 0, "our own detector knows a copy");
        bench.model_hears(true);
        assert_eq!(bench.clears(), clears, "after {clear_ms} ms");
    }
}

#[test]
fn a_tool_call_that_was_cut_off_and_the_shops_turn_get_one_answer() {
    let mut bench = Bench::greeted(&[]);
    let before = bench.responses_wanted();
    let response = bench.agent_starts();
    let item = json!({ "size": "large", "toppings": ["pepperoni"] });
    bench.tool(&response, "save_order_item", item);
    bench.model_hears(true);
    bench.advance(1_500);
    bench.done(&response, "cancelled");
    bench.advance(100);
    bench.model_hears(false);
    bench.committed("item_q");
    bench.transcribed("item_q", "What size was that?");
    bench.agent_says("A large.");
    bench.advance(1_000);
    assert_eq!(bench.responses_wanted(), before + 1);
}

#[test]
fn of_two_totals_in_one_response_each_gets_its_answer() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    let item = bench.shop_speaks();
    let response = bench.agent_starts();
    let total = json!({ "subtotal": 17.5, "total": 20.1 });
    let calls = [0, 1].map(|_| bench.tool(&response, "confirm_total", total.clone()));
    bench.done(&response, "completed");
    bench.transcribed(&item, "Yes, seventeen fifty, twenty ten.");
    bench.advance(5_000);
    for call in calls {
        assert!(bench.output_of(&call).is_some());
    }
}

#[test]
fn a_stop_of_which_nothing_is_noted_changes_no_other() {
    let mut bench = Bench::greeted(&[]);
    bench.silence(500);
    bench.agent_says("I would like to order one large pizza please and some garlic bread");
    for (item, words) in [
        ("item_a", "Hold on there please, wait."),
        ("item_b", "Now tell me."),
    ] {
        bench.silence(800);
        bench.model_hears(true);
        bench.silence(1_400);
        bench.model_hears(false);
        bench.committed(item);
        bench.transcribed(item, words);
    }
    bench.silence(2_000);
    bench.stop();
    bench.advance(5_000);
    let stops = &bench.outcomes[0]["metrics"]["interruptions"];
    assert_eq!(stops.as_array().map(Vec::len), Some(1));
    assert!(stops[0]["truncationErrorMs"].is_number(), "{stops}");
}
