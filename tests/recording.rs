//! A recording has all that came in, and tells two calls apart that did something else.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod support;

use orderline::call::input::Input;
use orderline::call::recording::{MAX_BYTES, Recorder, variables};
use orderline::call::{Call, Settings};
use orderline::twilio::sid::CallSid;
use serde_json::{Value, json};
use support::{NEXT_TOKEN, SID, T0, TOKEN, config, request};

fn recorder(variables: Option<String>) -> Recorder {
    let settings = Settings::from(&config(&[]));
    let sid = CallSid::parse(SID).unwrap();
    let call = Call::new(settings, sid, Some(request()), TOKEN.into(), T0);
    Recorder::of(call, true, variables)
}

fn lines(mut recorder: Recorder) -> Vec<Value> {
    let text = recorder.take().unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Any call, polled after every step or only in the end.
fn played(is_polled: bool) -> Vec<Value> {
    let mut recorder = recorder(Some("{}".into()));
    let inputs = [
        Input::ModelOpened { socket: 1 },
        Input::Phone("{\"a\":\"é\u{1}\"}"),
        Input::ModelClosed {
            socket: 1,
            code: 1006,
        },
        Input::Deadline,
    ];
    recorder.voice(T0 + 1);
    assert!(recorder.claim_stream(T0 + 1, TOKEN));
    for (at, input) in (T0 + 2..).zip(inputs) {
        recorder.handle(at, input);
        while is_polled && recorder.poll().is_some() {}
    }
    recorder.stream_ended(T0 + 9, true, NEXT_TOKEN.into());
    lines(recorder)
}

#[test]
fn every_input_has_its_line_with_its_time() {
    let lines = played(true);
    let record = &lines[0]["record"];
    assert_eq!(
        (&record["sid"], &record["placed_at"]),
        (&json!(SID), &json!(T0))
    );
    assert_eq!(
        (&lines[0]["new"], &lines[0]["variables"]),
        (&json!(true), &json!({}))
    );
    let mut inputs: Vec<Value> = lines[1..].to_vec();
    for input in &mut inputs {
        let out = input.as_object_mut().unwrap().remove("out").unwrap();
        assert_eq!(out.as_str().map(str::len), Some(8));
    }
    let expected = json!([
        { "at": T0 + 1, "in": "voice" },
        { "at": T0 + 1, "in": "claim_stream", "text": TOKEN },
        { "at": T0 + 2, "in": "model_opened", "n": 1 },
        { "at": T0 + 3, "in": "phone", "text": "{\"a\":\"é\u{1}\"}" },
        { "at": T0 + 4, "in": "model_closed", "n": 1, "code": 1006 },
        { "at": T0 + 5, "in": "deadline" },
        { "at": T0 + 9, "in": "stream_ended", "n": 1, "text": NEXT_TOKEN },
    ]);
    assert_eq!(json!(inputs), expected);
}

#[test]
fn it_is_the_same_whenever_the_outputs_are_taken() {
    assert_eq!(played(true), played(false));
}

#[test]
fn another_input_is_seen_in_every_digest_behind_it() {
    let outs = |token: &str| -> Vec<Value> {
        let mut recorder = recorder(Some("{}".into()));
        recorder.voice(T0);
        recorder.claim_stream(T0, token);
        recorder.handle(T0, Input::PhoneClosed);
        let lines = lines(recorder);
        lines.iter().map(|line| line["out"].clone()).collect()
    };
    let (good, bad) = (outs(TOKEN), outs("guessed"));
    assert_eq!(good[..2], bad[..2]);
    assert!(good[2] != bad[2] && good[3] != bad[3]);
}

#[test]
fn nothing_is_recorded_unless_it_is_asked_for() {
    let mut recorder = recorder(None);
    recorder.voice(T0);
    assert_eq!(recorder.take(), None);
}

#[test]
fn the_variables_that_are_set_are_kept_and_no_secret() {
    let kept = variables(|name| {
        let set = [
            ("OPENAI_VOICE", "\"a\\"),
            ("PRICES", "{\"b\":1}"),
            ("API_TOKEN", "t"),
        ];
        let found = set.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.to_owned())
    });
    let kept: Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(
        kept,
        json!({ "OPENAI_VOICE": "\"a\\", "PRICES": "{\"b\":1}" })
    );
    assert_eq!(variables(|_| None), "{}");
}

#[test]
fn a_recording_is_bounded_and_says_where_it_was_cut() {
    let mut recorder = recorder(Some("{}".into()));
    let message = "x".repeat(1_000_000);
    for _ in 0..=MAX_BYTES / message.len() {
        recorder.handle(T0, Input::Phone(&message));
    }
    let text = recorder.take().unwrap();
    assert!(text.len() < MAX_BYTES + 1_000);
    assert!(text.lines().last().unwrap().contains(r#""in":"cut""#));
}
