//! Snapshots that older versions wrote are read by this one, and their calls go on. When
//! `record::VERSION` rises, one of the new form joins `fixtures/snapshots/`.

#![allow(clippy::unwrap_used, reason = "a failure in a test is a failed test")]

mod support;

use orderline::call::input::Input;
use orderline::call::output::Output;
use orderline::call::record::{Record, VERSION};
use orderline::call::{Call, Settings};
use orderline::twilio::twiml::Twiml;
use std::fs;
use support::{NEXT_TOKEN, config};

fn snapshot(version: u32) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/snapshots");
    fs::read_to_string(format!("{folder}/v{version}.json")).unwrap()
}

#[test]
fn a_call_goes_on_from_every_form_of_snapshot() {
    for version in 2..=VERSION {
        let text = snapshot(version);
        assert!(text.contains(&format!("\"version\":{version}")));
        let record = Record::parse(&text).unwrap_or_else(|| panic!("v{version}"));
        assert!(!record.order.items.is_empty(), "v{version}");
        let turns = record.transcript.turns().len();
        assert!(turns > 2, "v{version}");
        let now = record.answered_at.unwrap() + 60_000;
        let mut call = Call::restore(Settings::from(&config(&[])), record);
        call.handle(now, Input::Restored { streaming: false });
        let twiml = call.stream_ended(now + 100, true, NEXT_TOKEN.into());
        assert!(matches!(twiml, Twiml::ConnectStream { .. }), "v{version}");
        let outputs: Vec<Output> = std::iter::from_fn(|| call.poll()).collect();
        let connects = |output: &Output| matches!(output, Output::ConnectModel { .. });
        assert!(outputs.iter().any(connects), "v{version}");
        let newest = outputs.iter().rev().find_map(|output| match output {
            Output::Save(text) => Record::parse(text),
            _ => None,
        });
        let newest = newest.unwrap();
        assert_eq!(
            (newest.version, newest.transcript.turns().len()),
            (VERSION, turns)
        );
    }
}
