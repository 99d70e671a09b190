//! A whole order, and what each part of it needs.

mod support;

use orderline::twilio::twiml::Twiml;
use serde_json::json;
use support::{Bench, READ_BACK, SID, STREAM, TOKEN};

#[test]
fn a_heard_and_affirmed_order_is_confirmed() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.play_out();
    bench.stop();
    let outcome = bench.outcome();
    assert_eq!(outcome["status"], "confirmed", "{outcome:#}");
    assert_eq!(outcome["endReason"], "goodbye");
    assert_eq!(
        outcome["order"]["totals"],
        json!({ "subtotal": 17.5, "total": 20.1 })
    );
    assert_eq!(
        outcome["order"]["customer"],
        json!({ "name": "Dana", "phone": "+13105550142" })
    );
    assert_eq!(outcome["usage"]["inputText"], 400, "four responses");
    assert_eq!(outcome["warnings"], json!([]));
    assert!(outcome["disclosure"]["heardAt"].is_string());
}

#[test]
fn the_goodbye_is_heard_to_its_end_before_the_line_is_ended() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    assert_eq!(bench.hang_ups, 0, "the goodbye still plays");
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn the_line_is_held_while_the_shop_speaks_into_the_goodbye() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.advance(300);
    let item = bench.shop_speaks();
    bench.play_out();
    assert_eq!(bench.clears(), 0, "nobody cuts off a goodbye");
    assert_eq!(bench.hang_ups, 0, "its words are not written down yet");
    bench.transcribed(&item, "Bye bye.");
    assert_eq!(bench.hang_ups, 1);
    bench.stop();
    assert_eq!(bench.outcome()["status"], "confirmed");
}

#[test]
fn an_objection_into_the_goodbye_reopens_the_conversation() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    let wanted = bench.responses_wanted();
    bench.shop_says("Wait, no, that's wrong. We can't do that.");
    assert_eq!(bench.responses_wanted(), wanted + 1);
    bench.play_out();
    assert_eq!(bench.hang_ups, 0);
    bench.stop();
    assert_eq!(bench.outcome()["status"], "unconfirmed");
    assert!(
        bench.outcome()["warnings"]
            .to_string()
            .contains("contradicted")
    );
}

#[test]
fn messages_of_another_stream_change_nothing() {
    let mut bench = Bench::greeted(&[]);
    let other = "MZ00000000000000000000000000000009";
    bench.phone(json!({ "event": "stop", "streamSid": other, "stop": {} }));
    bench.phone(json!({ "event": "media", "streamSid": other, "media": { "payload": "AAAA" } }));
    bench.phone(json!({ "event": "media", "streamSid": STREAM, "media": { "payload": "" } }));
    assert!(bench.sent("input_audio_buffer.append").is_empty());
    assert!(bench.outcomes.is_empty());
}

#[test]
fn a_line_is_ended_even_if_the_last_mark_never_comes() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.marks_lost = true;
    bench.advance(4_000);
    assert_eq!(bench.hang_ups, 1);
    assert!(!bench.phone_closed);
    bench.advance(6_000);
    assert!(
        bench.phone_closed,
        "Twilio did not end the stream, so we do"
    );
}

#[test]
fn end_call_without_a_word_gets_a_goodbye_first() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.tool(&response, "end_call", json!({ "reason": "closed" }));
    bench.done(&response, "completed");
    assert!(bench.cues().last().unwrap().contains("goodbye"));
    assert_eq!(
        bench.sent("response.create").last().unwrap()["response"]["tool_choice"],
        "none"
    );
    assert_eq!(bench.hang_ups, 0);
    bench.agent_says("Goodbye!");
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn a_total_waits_for_the_words_that_prove_it() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    let item = bench.shop_speaks();
    let call = bench.confirm_total();
    assert_eq!(
        bench.output_of(&call),
        None,
        "the transcription is still on its way"
    );
    bench.transcribed(&item, "Yes, twenty ten.");
    assert_eq!(bench.output_of(&call).unwrap()["ok"], true);
}

#[test]
fn a_total_whose_words_never_come_is_refused_in_time() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.shop_speaks();
    let call = bench.confirm_total();
    bench.advance(3_000);
    let output = bench.output_of(&call).unwrap();
    assert_eq!(output["ok"], false);
    assert!(output["missing"].to_string().contains("total"), "{output}");
}

#[test]
fn a_read_back_that_was_cut_off_is_asked_for_again() {
    let mut bench = Bench::ordered(&[]);
    bench.advance(1_500);
    bench.shop_says("Twenty ten. Anything else?");
    let call = bench.confirm_total();
    let output = bench.output_of(&call).unwrap();
    assert_eq!(output["ok"], false);
    assert!(
        output["missing"].to_string().contains("phone +13105550142"),
        "{output}"
    );
    assert_eq!(
        bench.call.live(bench.now).matches("totals\":null").count(),
        1
    );
}

#[test]
fn a_total_without_a_clear_yes_is_recorded_and_the_model_is_told_once_to_ask_for_one() {
    let mut bench = Bench::ordered(&[]);
    bench.play_out();
    bench.shop_says("Twenty ten.");
    let call = bench.confirm_total();
    let output = bench.output_of(&call).unwrap();
    assert_eq!(output["ok"], false);
    assert_eq!(output["order"]["totals"]["total"], 20.1);
    assert!(
        output["missing"].to_string().contains("phone +13105550142"),
        "{output}"
    );
    bench.agent_says("Is that all right?");
    bench.play_out();
    bench.shop_says("Let me see.");
    let call = bench.confirm_total();
    assert_eq!(bench.output_of(&call).unwrap()["ok"], true, "asked once");
}

#[test]
fn a_model_that_only_calls_tools_is_unconfirmed() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    bench.tool(
        &response,
        "save_order_item",
        json!({ "size": "large", "toppings": ["pepperoni"] }),
    );
    bench.tool(
        &response,
        "set_customer",
        json!({ "name": "Dana", "phone": "+13105550142", "delivery_method": "pickup" }),
    );
    let total = bench.tool(
        &response,
        "confirm_total",
        json!({ "subtotal": 17.5, "total": 20.1 }),
    );
    bench.tool(&response, "end_call", json!({ "reason": "done" }));
    bench.done(&response, "completed");
    assert_eq!(bench.output_of(&total).unwrap()["ok"], false);
    bench.agent_says("Goodbye!");
    bench.play_out();
    bench.stop();
    let outcome = bench.outcome();
    assert_eq!(outcome["status"], "unconfirmed");
    assert_eq!(outcome["order"]["totals"], json!(null));
    assert!(
        outcome["warnings"]
            .to_string()
            .contains("/order/items/0 was not heard"),
        "{}",
        outcome["warnings"]
    );
}

#[test]
fn a_bad_argument_goes_back_to_the_model_and_not_into_the_order() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let call = bench.tool(&response, "save_order_item", json!({ "size": "family" }));
    bench.done(&response, "completed");
    let output = bench.output_of(&call).unwrap();
    assert_eq!(output["errors"][0]["pointer"], "/size");
    assert!(bench.call.live(bench.now).contains("\"items\":[]"));
    assert_eq!(
        bench.responses_wanted(),
        3,
        "the model goes on after the error"
    );
}

#[test]
fn a_tool_call_that_comes_twice_is_carried_out_once() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let call = json!({ "type": "response.output_item.done", "item": { "type": "function_call", "status": "completed", "name": "save_order_item",
        "call_id": "call_x", "arguments": "{\"size\":\"large\"}" } });
    bench.event(call.clone());
    bench.event(call);
    bench.done(&response, "completed");
    let outputs = bench
        .sent("conversation.item.create")
        .into_iter()
        .filter(|e| e["item"]["call_id"] == "call_x")
        .count();
    assert_eq!(outputs, 1);
}

#[test]
fn one_response_is_in_flight_at_a_time() {
    let mut bench = Bench::greeted(&[]);
    assert_eq!(bench.responses_wanted(), 2);
    bench.shop_says("Hello?");
    assert_eq!(
        bench.responses_wanted(),
        2,
        "one is asked for and has not begun"
    );
    let response = bench.agent_starts();
    assert_eq!(
        bench.sent("response.cancel").len(),
        1,
        "the shop spoke in the meantime: it is not wanted any more"
    );
    bench.done(&response, "cancelled");
    assert_eq!(bench.responses_wanted(), 3);
}

#[test]
fn a_conflict_with_a_response_we_know_nothing_of_is_resolved() {
    let mut bench = Bench::greeted(&[]);
    let refused = bench.sent("response.create").last().unwrap()["event_id"].clone();
    bench.event(json!({ "type": "error", "error": { "type": "invalid_request_error", "code": "conversation_already_has_active_response", "event_id": refused } }));
    assert_eq!(bench.responses_wanted(), 2);
    bench.advance(1_000);
    assert_eq!(bench.responses_wanted(), 3);
}

#[test]
fn the_shops_hello_is_kept_until_the_model_is_ready() {
    let mut bench = Bench::placed(&[]);
    bench.voice();
    bench.stream_up();
    bench.phone(json!({ "event": "media", "streamSid": STREAM, "media": { "payload": "/////w==", "timestamp": "20" } }));
    assert!(bench.sent("input_audio_buffer.append").is_empty());
    bench.model_up();
    assert_eq!(
        bench.sent("input_audio_buffer.append")[0]["audio"],
        "/////w=="
    );
    assert_eq!(
        bench.to_model[0]["type"], "session.update",
        "no audio before the session is configured"
    );
    assert!(bench.cues()[0].contains("just answered"));
}

#[test]
fn a_bad_frame_or_event_is_logged_once_and_skipped() {
    let mut bench = Bench::greeted(&[]);
    for _ in 0..3 {
        bench.input(orderline::call::input::Input::Phone(
            "{\"event\":\"media\"}",
        ));
        bench.phone(
            json!({ "event": "media", "streamSid": STREAM, "media": { "payload": "\"}{" } }),
        );
        bench.event(json!({ "type": "response.done" }));
    }
    assert_eq!(
        bench
            .logs
            .iter()
            .filter(|l| l.contains("bad_phone_message"))
            .count(),
        1
    );
    assert_eq!(
        bench
            .logs
            .iter()
            .filter(|l| l.contains("bad_model_event"))
            .count(),
        1
    );
    bench.agent_says("Still here.");
    bench.play_out();
    assert!(bench.call.live(bench.now).contains("Still here."));
}

#[test]
fn the_same_question_of_twilio_gets_the_same_answer() {
    let mut bench = Bench::placed(&[]);
    let first = bench.voice();
    assert_eq!(bench.voice(), first);
    assert_eq!(bench.connects.len(), 1);
    let Twiml::ConnectStream { url, .. } = first else {
        panic!("{first:?}")
    };
    assert_eq!(
        url,
        format!("wss://calls.example.com/ws/media/{SID}/{TOKEN}")
    );
}

#[test]
fn a_stream_token_works_once_and_only_after_the_answer() {
    let mut bench = Bench::placed(&[]);
    assert!(
        !bench.call.claim_stream(bench.now, TOKEN),
        "not answered yet"
    );
    bench.voice();
    assert!(
        !bench
            .call
            .claim_stream(bench.now, "0123456789abcdef0123456789abcdee")
    );
    assert!(!bench.call.claim_stream(bench.now, ""));
    assert!(bench.call.claim_stream(bench.now, TOKEN));
    assert!(!bench.call.claim_stream(bench.now, TOKEN), "single use");
}

#[test]
fn no_log_line_carries_what_was_said_or_ordered() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.play_out();
    bench.stop();
    let logs = bench.logs.join("\n");
    for private in [
        "Dana",
        "310555",
        "pepperoni",
        "twenty",
        "goodbye!",
        READ_BACK,
        TOKEN,
    ] {
        assert!(!logs.contains(private), "{private} in {logs}");
    }
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let run = || {
        let mut bench = Bench::ordered(&[]);
        bench.conclude();
        bench.play_out();
        bench.stop();
        (
            bench.to_model,
            bench.to_phone,
            bench.saves,
            bench.logs,
            bench.outcomes,
        )
    };
    assert_eq!(run(), run());
}

#[test]
fn an_end_before_the_total_is_refused_once_without_a_reason() {
    let mut bench = Bench::greeted(&[]);
    let response = bench.agent_starts();
    let call = bench.tool(&response, "end_call", json!({}));
    bench.done(&response, "completed");
    let output = bench.output_of(&call).unwrap();
    assert_eq!(output["errors"][0]["pointer"], "/reason", "{output}");
    assert_eq!(bench.hang_ups, 0);
    let response = bench.agent_starts();
    bench.agent_speaks(&response, "item_bye", "Goodbye!");
    let call = bench.tool(
        &response,
        "end_call",
        json!({ "reason": "they are closed" }),
    );
    bench.done(&response, "completed");
    assert_eq!(bench.output_of(&call).unwrap()["ok"], true);
    bench.play_out();
    bench.stop();
    let outcome = bench.outcome();
    assert_eq!(outcome["status"], "unconfirmed");
    let warnings = outcome["warnings"].to_string();
    assert!(warnings.contains("they are closed"), "{warnings}");
}

#[test]
fn a_model_that_gives_no_reason_twice_may_end_the_call() {
    let mut bench = Bench::greeted(&[]);
    for ok in [false, true] {
        let response = bench.agent_starts();
        bench.agent_speaks(&response, "item_bye", "Goodbye!");
        let call = bench.tool(&response, "end_call", json!({}));
        bench.done(&response, "completed");
        assert_eq!(bench.output_of(&call).unwrap()["ok"], ok);
    }
    bench.play_out();
    assert_eq!(bench.hang_ups, 1);
}

#[test]
fn an_item_that_no_substitution_allows_is_refused_with_what_to_do() {
    let mut bench = Bench::answered_for(json!({
        "items": [{ "size": "large", "toppings": ["pepperoni"], "substitutions": [{ "for": "pepperoni", "with": ["salami"] }] }],
        "allergens": ["peanuts"],
        "customer": { "name": "Dana", "phone": "+13105550142" }
    }));
    let response = bench.agent_starts();
    let mut save = |toppings: &[&str]| {
        let item = json!({ "size": "large", "toppings": toppings });
        bench.tool(&response, "save_order_item", item)
    };
    let [ham, nuts, salami] = [save(&["ham"]), save(&["peanuts"]), save(&["salami"])];
    let other = json!({ "name": "Dan", "phone": "+13105550142", "delivery_method": "pickup" });
    let customer = bench.tool(&response, "set_customer", other);
    bench.done(&response, "completed");
    let output = bench.output_of(&ham).unwrap();
    let detail = output["errors"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("instead only: salami") && detail.contains("escalate_to_human"));
    assert_eq!(
        bench.output_of(&nuts).unwrap()["errors"][0]["pointer"],
        "/toppings/0"
    );
    assert_eq!(bench.output_of(&salami).unwrap()["ok"], true);
    assert_eq!(
        bench.output_of(&customer).unwrap()["errors"][0]["pointer"],
        "/name"
    );
}

#[test]
fn an_order_that_lacks_what_was_asked_for_is_not_confirmed() {
    let mut bench = Bench::answered_for(json!({ "items": [
        { "size": "large", "toppings": ["pepperoni"] }, { "name": "garlic bread" }
    ] }));
    bench.agent_says("Hello! I'm an AI assistant calling for a customer.");
    bench.play_out();
    bench.shop_says("Sure, go ahead.");
    let response = bench.agent_starts();
    let item = json!({ "size": "large", "toppings": ["pepperoni"] });
    bench.tool(&response, "save_order_item", item);
    let customer = json!({ "name": "Dana", "phone": "+13105550142", "delivery_method": "pickup" });
    bench.tool(&response, "set_customer", customer);
    bench.agent_speaks(&response, "item_read_back", READ_BACK);
    bench.done(&response, "completed");
    bench.play_out();
    bench.shop_says("Yes. That's seventeen fifty, twenty ten with tax.");
    let call = bench.confirm_total();
    let output = bench.output_of(&call).unwrap();
    assert_eq!(output["missing"].as_array().unwrap().len(), 1, "{output}");
    assert!(
        output["missing"][0]
            .as_str()
            .unwrap()
            .contains("lack 1 of the items")
    );
    bench.stop();
    assert_eq!(bench.outcome()["status"], "unconfirmed");
}

#[test]
fn the_outcome_quotes_the_words_and_when_they_were_said() {
    let mut bench = Bench::ordered(&[]);
    bench.conclude();
    bench.play_out();
    bench.stop();
    let outcome = bench.outcome();
    assert_eq!(outcome["status"], "confirmed", "{outcome}");
    let transcript: Vec<&serde_json::Value> =
        outcome["evidence"].as_array().unwrap().iter().collect();
    let field = |pointer: &str| {
        let found = transcript.iter().find(|e| e["pointer"] == pointer);
        (*found.unwrap()).clone()
    };
    let said = field("/order/items/0/toppings/0")["said"].clone();
    assert_eq!(
        (&said["quote"], &said["role"]),
        (&json!("pepperoni"), &json!("agent"))
    );
    let ms = |at: &str| said[at].as_u64().unwrap();
    assert!(
        ms("atMs") <= ms("fromMs") && ms("fromMs") < ms("toMs"),
        "{said}"
    );
    let total = field("/order/totals/total");
    assert_eq!(total["said"]["quote"], "twenty ten");
    assert_eq!(field("/order/items/0")["answered"]["quote"], "Yes");
}
