//! How calls end: lost sockets, hand-offs, time limits, calls that never connect. Every one has
//! exactly one outcome, and it is true.

mod support;

use orderline::call::Call;
use orderline::call::Settings;
use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::record::Record;
use orderline::call::request::CallRequest;
use orderline::twilio::sid::CallSid;
use orderline::twilio::twiml::Twiml;
use orderline::twilio::webhook::{Form, webhook_url};
use serde_json::json;
use support::{Bench, config};

fn status(bench: &mut Bench, status: &str) {
    let form = Form::decode(format!("CallStatus={status}&SequenceNumber=1").as_bytes());
    form.status()
        .into_iter()
        .for_each(|status| bench.input(Input::Status(status)));
}

#[test]
fn calls_that_never_connect_have_an_outcome() {
    for (word, expected) in [
        ("busy", "busy"),
        ("no-answer", "no_answer"),
        ("failed", "failed"),
        ("canceled", "canceled"),
    ] {
        let mut bench = Bench::placed(&[]);
        for _ in 0..2 {
            status(&mut bench, "ringing");
            status(&mut bench, word);
        }
        assert_eq!(bench.outcome()["status"], expected);
        assert_eq!(bench.outcome()["cost"]["twilio"], 0.0);
        assert_eq!(bench.voice(), Twiml::HangUp, "it is over");
    }
}

#[test]
fn a_call_that_was_lost_before_it_began_has_failed() {
    let sid = CallSid::parse(&format!("CA{}", "0".repeat(32))).unwrap();
    let request = CallRequest::of_lost_call("+13105550142");
    assert!(request.is_some() && CallRequest::of_lost_call("anonymous").is_none());
    let mut call = Call::lost(
        Settings::from(&config(&[])),
        sid,
        request,
        "token".into(),
        5,
    );
    assert!(call.is_finished() && !call.claim_stream(6, "token"));
    let mut outcomes = Vec::new();
    while let Some(output) = call.poll() {
        if let Output::Outcome(finished) = output {
            outcomes.push(finished.json);
        }
    }
    let [outcome] = &outcomes[..] else {
        panic!("exactly one outcome");
    };
    assert!(
        outcome.contains(r#""status":"failed","endReason":"crashed""#),
        "{outcome}"
    );
}

#[test]
fn an_answered_call_whose_stream_never_comes_has_failed() {
    let mut bench = Bench::placed(&[]);
    bench.voice();
    status(&mut bench, "completed");
    assert_eq!(bench.outcome()["status"], "failed");
}

#[test]
fn the_last_words_are_waited_for() {
    let mut bench = Bench::greeted(&[]);
    let item = bench.shop_speaks();
    bench.stop();
    assert!(bench.outcomes.is_empty(), "the transcription is on its way");
    bench.transcribed(&item, "We are closed, bye.");
    assert_eq!(bench.outcome()["endReason"], "shop_hung_up");
    assert_eq!(bench.outcome()["status"], "unconfirmed");
}

#[test]
fn words_cut_off_by_the_hang_up_are_committed_and_waited_for() {
    let mut bench = Bench::greeted(&[]);
    bench.event(json!({ "type": "input_audio_buffer.speech_started" }));
    bench.stop();
    assert_eq!(bench.sent("input_audio_buffer.commit").len(), 1);
    bench.advance(2_500);
    assert_eq!(bench.outcomes.len(), 1, "but not for long");
}

#[test]
fn the_end_of_the_stream_says_why_even_if_the_end_of_the_call_comes_first() {
    for (stop, reason) in [(true, "shop_hung_up"), (false, "media_lost")] {
        let mut bench = Bench::greeted(&[]);
        status(&mut bench, "completed");
        bench.advance(200);
        if stop {
            bench.stop();
        } else {
            bench.input(Input::PhoneClosed);
        }
        assert_eq!(bench.outcome()["endReason"], reason);
    }
    let mut bench = Bench::greeted(&[]);
    status(&mut bench, "completed");
    bench.advance(1_500);
    assert_eq!(
        bench.outcome()["endReason"],
        "shop_hung_up",
        "the stream never said anything"
    );
}

#[test]
fn a_human_takes_over_where_there_is_one() {
    let mut bench = Bench::handing_over();
    assert!(!bench.phone_closed, "the words are heard first");
    bench.play_out();
    assert!(bench.phone_closed);
    assert_eq!(bench.hang_ups, 0);
    let twiml = bench.stream_ended();
    bench.drain();
    assert_eq!(
        twiml,
        Twiml::Dial {
            number: "+13105550199".into(),
            caller_id: "+13105550100".into(),
            action: webhook_url("https://calls.example.com", "dial-ended"),
        }
    );
    assert_eq!(bench.stream_ended(), twiml, "asked again, the same");
    bench.model_down(1000);
    assert!(
        bench.outcomes.is_empty(),
        "the call goes on without a model"
    );
    bench.call.dial_ended(bench.now + 60_000, true);
    bench.drain();
    assert_eq!(bench.outcome()["status"], "escalated");
}

#[test]
fn a_human_who_does_not_answer_is_no_escalation() {
    let mut bench = Bench::handing_over();
    bench.play_out();
    bench.stream_ended();
    let twiml = bench.call.dial_ended(bench.now, false);
    assert!(
        matches!(twiml, Twiml::SayAndHangUp { .. }),
        "not a word would be rude"
    );
    bench.drain();
    assert_eq!(bench.outcome()["status"], "unconfirmed");
    assert_eq!(bench.outcome()["endReason"], "handoff");
}

#[test]
fn without_a_human_the_call_ends_truthfully() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.tool(
        &response,
        "escalate_to_human",
        json!({ "reason": "refused" }),
    );
    bench.done(&response, "completed");
    bench.agent_says("I'm sorry, goodbye.");
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
    bench.stop();
    assert_eq!(
        (&bench.outcome()["status"], &bench.outcome()["endReason"]),
        (&json!("unconfirmed"), &json!("no_handoff"))
    );
}

#[test]
fn time_is_up_with_an_apology() {
    let mut bench = Bench::greeted(&[("MAX_CALL_MINUTES", "0.5")]);
    let item = bench.agent_says(&"blah ".repeat(120));
    bench.advance(30_000);
    assert_eq!(bench.clears(), 1, "the agent stops at once");
    assert_eq!(
        bench.sent("conversation.item.truncate")[0]["item_id"],
        json!(item)
    );
    assert!(bench.cues().last().unwrap().contains("time limit"));
    bench.agent_says("I'm sorry, I have to go. Goodbye.");
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
    bench.stop();
    assert_eq!(bench.outcome()["endReason"], "time_limit");
}

#[test]
fn a_model_that_says_no_goodbye_cannot_hold_the_line() {
    let mut bench = Bench::greeted(&[("MAX_CALL_MINUTES", "0.5")]);
    bench.advance(30_000);
    bench.advance(20_000);
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn the_alarm_gives_every_call_an_outcome() {
    let mut bench = Bench::greeted(&[]);
    let snapshot = bench.saves.last().unwrap().clone();
    let record: Record = serde_json::from_str(&snapshot).unwrap();
    bench.call = Call::restore(Settings::from(&config(&[])), record);
    bench.input(Input::Alarm);
    assert_eq!(bench.outcome()["endReason"], "crashed");
    assert_eq!(bench.outcome()["status"], "unconfirmed");
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn an_outcome_that_was_lost_before_it_was_kept_is_the_same_again() {
    let mut bench = Bench::greeted(&[]);
    bench.stop();
    let first = bench.outcome().clone();
    let record: Record = serde_json::from_str(bench.saves.last().unwrap()).unwrap();
    bench.outcomes.clear();
    bench.call = Call::restore(Settings::from(&config(&[])), record);
    bench.input(Input::Alarm);
    assert_eq!(bench.outcome(), &first);
}

#[test]
fn a_call_that_came_to_us_is_answered_and_has_an_outcome() {
    let settings = Settings::from(&config(&[]));
    let sid = orderline::twilio::sid::CallSid::parse(support::SID).unwrap();
    let mut bench = Bench::placed(&[]);
    bench.call = Call::new(settings, sid, None, support::TOKEN.into(), support::T0);
    bench.drain();
    bench.line_loaded(2 + support::FILLER, &[0x55; 800]);
    bench.connects.clear();
    assert!(matches!(bench.voice(), Twiml::ConnectStream { .. }));
    bench.model_up();
    bench.stream_up();
    assert!(bench.to_model.iter().any(|e| {
        e["session"]["instructions"]
            .as_str()
            .is_some_and(|i| i.contains("Somebody called this number"))
    }));
    bench.agent_says("Hi, I'm an AI assistant.");
    bench.play_out();
    bench.stop();
    assert_eq!(bench.outcome()["status"], "unconfirmed");
}

#[test]
fn a_model_that_says_nothing_at_all_is_unconfirmed() {
    let mut bench = Bench::answered(&[]);
    let response = bench.agent_starts();
    bench.tool(&response, "save_order_item", json!({ "size": "large" }));
    bench.tool(&response, "end_call", json!({ "reason": "done" }));
    bench.done(&response, "completed");
    bench.stop();
    assert_eq!(bench.outcome()["status"], "unconfirmed");
}

#[test]
fn a_model_in_a_loop_of_tools_can_still_end_the_call() {
    let mut bench = Bench::greeted(&[]);
    for _ in 0..201 {
        let response = bench.agent_starts();
        let call = bench.tool(&response, "save_order_item", json!({ "size": "no" }));
        bench.done(&response, "completed");
        assert_eq!(bench.output_of(&call).unwrap()["ok"], false);
    }
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_bye", "Bye.");
    bench.tool(&response, "end_call", json!({ "reason": "done" }));
    bench.done(&response, "completed");
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
}

/// A response that was billed: so many cents for what it says.
fn billed(bench: &mut Bench, cents: u64) {
    let response = bench.agent_starts();
    let usage = json!({ "output_token_details": { "audio_tokens": cents * 10_000 / 64 } });
    bench.event(json!({ "type": "response.done", "response": { "id": response, "status": "completed", "usage": usage } }));
}

#[test]
fn a_call_near_its_cost_limit_is_told_to_end_says_goodbye_and_ends_at_it() {
    // A started minute is 1.84 cents; audio of gpt-realtime-2.1 is 64 dollars a million tokens.
    let mut bench = Bench::greeted(&[("MAX_COST_PER_CALL", "1")]);
    billed(&mut bench, 70);
    assert!(!bench.cues().iter().any(|cue| cue.contains("must end soon")));
    let responses = bench.responses_wanted();
    billed(&mut bench, 10);
    let told = |bench: &Bench| {
        let cues = bench.cues();
        cues.iter()
            .filter(|cue| cue.contains("must end soon"))
            .count()
    };
    assert_eq!(told(&bench), 1);
    assert_eq!(bench.responses_wanted(), responses, "a note only");
    billed(&mut bench, 14);
    assert_eq!(told(&bench), 1, "told once");
    assert!(bench.cues().last().unwrap().contains("say goodbye"));
    assert_eq!(bench.hang_ups, 0);
    billed(&mut bench, 10);
    assert_eq!(bench.hang_ups, 1, "no more is spent");
    assert!(bench.live()["cost"].as_f64().unwrap() > 1.0);
    bench.stop();
    bench.advance(10_000);
    assert_eq!(bench.outcome()["endReason"], "cost_limit");
    assert_eq!(bench.outcome()["status"], "unconfirmed");
}

#[test]
fn minutes_count_as_well_as_tokens() {
    let mut bench = Bench::greeted(&[
        ("MAX_COST_PER_CALL", "0.06"),
        ("SILENCE_PROMPT_MS", "60000"),
    ]);
    bench.advance(150_000);
    assert!(bench.cues().iter().any(|cue| cue.contains("must end soon")) || bench.hang_ups > 0);
}

#[test]
fn what_comes_after_the_outcome_changes_nothing_if_it_has_to_be_written_again() {
    let mut bench = Bench::ordered(&[]);
    bench.stop();
    bench.advance(5_000);
    assert_eq!(bench.outcomes.len(), 1);
    bench.shop_says("Wait, that's twenty ten.");
    bench.event(
        json!({ "type": "response.done", "response": { "id": "resp_9", "status": "completed",
        "usage": { "input_tokens": 900, "output_tokens": 900 } } }),
    );
    bench.input(Input::Alarm);
    assert_eq!(bench.outcomes.len(), 2);
    assert_eq!(bench.outcomes[0], bench.outcomes[1]);
}

#[test]
fn a_goodbye_that_was_cut_off_by_the_cost_is_said_all_the_same() {
    let mut bench = Bench::ordered(&[("MAX_COST_PER_CALL", "1")]);
    bench.play_out();
    bench.shop_says("Yes. That's seventeen fifty, twenty ten with tax.");
    bench.confirm_total();
    let response = bench.agent_starts();
    bench.agent_speaks(
        &response,
        "item_bye",
        "Thank you very much, have a nice day, goodbye!",
    );
    bench.tool(&response, "end_call", json!({}));
    let wanted = bench.responses_wanted();
    let usage = json!({ "output_token_details": { "audio_tokens": 95u64 * 10_000 / 64 } });
    bench.event(json!({ "type": "response.done",
        "response": { "id": response, "status": "completed", "usage": usage } }));
    bench.advance(3_000);
    assert_eq!((bench.responses_wanted(), bench.hang_ups), (wanted + 1, 0));
}

#[test]
fn a_farewell_that_the_shop_interrupts_is_none() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.shop_says("Yes. That's seventeen fifty, twenty ten with tax.");
    bench.confirm_total();
    let response = bench.agent_starts();
    bench.tool(&response, "end_call", json!({}));
    bench.agent_speaks(&response, "item_bye", "Thank you very much, ");
    bench.advance(300);
    bench.model_hears(true);
    bench.advance(1_500);
    bench.done(&response, "cancelled");
    let wanted = bench.responses_wanted();
    bench.model_hears(false);
    bench.committed("item_q");
    bench.transcribed("item_q", "What was the name again?");
    bench.advance(3_000);
    assert_eq!((bench.responses_wanted(), bench.hang_ups), (wanted + 1, 0));
}

#[test]
fn a_goodbye_that_fails_cuts_off_nothing() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let words =
        "I am very sorry to hear that you are closed today, I will tell the customer about it.";
    bench.agent_speaks(&response, "item_l", words);
    let customer = json!({ "name": "Dana", "phone": "+13105550142", "delivery_method": "pickup" });
    bench.tool(&response, "set_customer", customer);
    bench.done(&response, "completed");
    let response = bench.agent_starts();
    bench.tool(&response, "end_call", json!({ "reason": "closed" }));
    bench.done(&response, "completed");
    let wanted = bench.responses_wanted();
    let response = bench.agent_starts();
    bench.event(
        json!({ "type": "response.done", "response": { "id": response, "status": "failed",
        "status_details": { "error": { "type": "server_error" } } } }),
    );
    assert_eq!((bench.responses_wanted(), bench.hang_ups), (wanted + 1, 0));
    let response = bench.agent_starts();
    bench.done(&response, "failed");
    assert_eq!(bench.hang_ups, 0, "the words still play");
    bench.play_out();
    bench.advance(3_000);
    assert_eq!(bench.agent_heard().last().unwrap(), words);
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn nobody_hangs_up_on_a_shop_that_speaks_after_the_goodbye() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.advance(300);
    let item = bench.shop_speaks();
    bench.play_out();
    bench.advance(100);
    bench.model_hears(true);
    bench.advance(300);
    bench.transcribed(&item, "Okay.");
    bench.advance(2_500);
    assert_eq!(bench.hang_ups, 0);
    bench.model_hears(false);
    bench.committed("item_bye");
    bench.transcribed("item_bye", "And thank you for calling.");
    bench.advance(3_000);
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn a_shop_that_hangs_up_before_the_handoff_is_dialled_ends_the_call() {
    let mut bench = Bench::handing_over();
    bench.advance(300);
    bench.stop();
    let form = Form::decode(b"CallStatus=completed&SequenceNumber=1");
    bench.input(Input::Status(form.status().unwrap()));
    let twiml = bench.call.stream_ended(bench.now, false, String::new());
    bench.drain();
    assert_eq!(twiml, Twiml::HangUp);
    bench.advance(30_000);
    assert_eq!(bench.outcomes.len(), 1);
}

#[test]
fn the_end_of_a_call_that_is_told_before_that_of_its_stream_is_the_shops() {
    let mut bench = Bench::greeted(&[]);
    bench.call.stream_ended(bench.now, false, String::new());
    bench.drain();
    bench.stop();
    bench.advance(5_000);
    assert_eq!(bench.outcome()["endReason"], "shop_hung_up");
}

#[test]
fn what_an_end_was_said_to_be_for_is_nothing_where_the_call_went_on() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_bye", "Thank you very much, goodbye!");
    bench.advance(200);
    bench.model_hears(true);
    bench.tool(
        &response,
        "end_call",
        json!({ "reason": "they are closed" }),
    );
    bench.done(&response, "completed");
    bench.advance(1_600);
    bench.model_hears(false);
    bench.committed("item_q");
    bench.transcribed("item_q", "No no, we are open.");
    bench.agent_says("Great.");
    bench.play_out();
    bench.stop();
    bench.advance(5_000);
    let outcome = bench.outcome().to_string();
    assert!(!outcome.contains("they are closed"), "{outcome}");
}
