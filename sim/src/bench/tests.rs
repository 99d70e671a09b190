//! The harness finds what is planted: a bridge that only passes messages, in virtual time, that may
//! lose every so many frames or be late.

use super::frames::{self, Reader, Side};
use super::load::{Load, texts};
use super::phone::{Phone, field, pop_if};
use super::script::{Lines, Mix};
use super::tally::{Situation, Tally, percentile};
use serde_json::Value;
use std::collections::{BTreeMap, VecDeque};

const MS: u64 = 1_000;

/// What is wrong with the bridge.
#[derive(Clone, Copy, Default)]
struct Planted {
    /// Of so many frames one is lost, each way.
    loses: Option<usize>,
    late_us: u64,
    /// It tells the model nothing of what was heard.
    forgets: bool,
    /// It goes on sending what comes after a clear.
    leaks: bool,
}

struct Bridge {
    planted: Planted,
    from_phone: Reader,
    from_model: Reader,
    frames: usize,
    deltas: usize,
    /// Reckoned from what was sent, as the phone plays it.
    sent_ms: u64,
    plays_since: u64,
    item: String,
    muted: bool,
    to_phone: VecDeque<(u64, String)>,
    to_model: VecDeque<(u64, String)>,
}

impl Bridge {
    fn new(planted: Planted) -> Self {
        Self {
            planted,
            from_phone: Reader::default(),
            from_model: Reader::default(),
            frames: 0,
            deltas: 0,
            sent_ms: 0,
            plays_since: 0,
            item: String::new(),
            muted: false,
            to_phone: VecDeque::new(),
            to_model: VecDeque::new(),
        }
    }

    fn loses(&self, count: usize) -> bool {
        self.planted
            .loses
            .is_some_and(|every| count.is_multiple_of(every))
    }

    fn phone(&mut self, now: u64, bytes: &[u8]) {
        for text in texts(&mut self.from_phone, bytes) {
            let Some(payload) = field(&text, "\"payload\":\"") else {
                continue;
            };
            self.frames += 1;
            if !self.loses(self.frames) {
                let append =
                    format!(r#"{{"type":"input_audio_buffer.append","audio":"{payload}"}}"#);
                self.to_model
                    .push_back((now + self.planted.late_us, append));
            }
        }
    }

    fn model(&mut self, now: u64, bytes: &[u8]) {
        for text in texts(&mut self.from_model, bytes) {
            let event: Value = serde_json::from_str(&text).unwrap();
            match event["type"].as_str().unwrap() {
                "response.created" => self.muted = false,
                "response.output_audio.delta" if !self.muted || self.planted.leaks => {
                    let (delta, item) = (event["delta"].as_str().unwrap(), &event["item_id"]);
                    if *item != self.item.as_str() {
                        self.item = item.as_str().unwrap().to_owned();
                        (self.sent_ms, self.plays_since) = (0, now + self.planted.late_us);
                    }
                    self.deltas += 1;
                    self.sent_ms += delta.len() as u64 * 3 / 4 / 8;
                    if !self.loses(self.deltas) {
                        let media = format!(
                            r#"{{"event":"media","streamSid":"MZ1","media":{{"payload":"{delta}"}}}}"#
                        );
                        self.to_phone.push_back((now + self.planted.late_us, media));
                    }
                }
                "input_audio_buffer.speech_started" => {
                    self.muted = true;
                    let clear = r#"{"event":"clear","streamSid":"MZ1"}"#.to_owned();
                    self.to_phone.push_back((now + self.planted.late_us, clear));
                    let heard = (now + self.planted.late_us - self.plays_since) / MS;
                    let heard = heard.min(self.sent_ms);
                    if !self.planted.forgets {
                        let truncate = format!(
                            r#"{{"type":"conversation.item.truncate","item_id":"{}","content_index":0,"audio_end_ms":{heard}}}"#,
                            self.item
                        );
                        self.to_model.push_back((now, truncate));
                    }
                }
                _ => {}
            }
        }
    }
}

/// One call of this mix through such a bridge for some virtual seconds, counted from the fourth on.
fn measured(mix: Mix, planted: Planted) -> Tally {
    measured_after(Mix::Silence, mix, planted)
}

/// The same with another mix in the first three seconds.
fn measured_after(before: Mix, mix: Mix, planted: Planted) -> Tally {
    let mut load = Load::new(Lines::plain());
    let mut bridge = Bridge::new(planted);
    let phone = Phone::open("AC1", "CA1", "MZ1", &BTreeMap::new());
    let call = load.open_phone(1, phone);
    let model = load.open_model();
    load.set_mix(1, before);
    for now in (1..14_000 * MS).step_by(250) {
        if now == 250 * 12_000 + 1 {
            load.set_mix(now, mix);
        }
        if now == 250 * 16_000 + 1 {
            load.count(true);
        }
        if now == 250 * 48_000 + 1 {
            load.count(false);
        }
        load.tick(now, |_| {});
        let from_phone = std::mem::take(load.phone_out(call).unwrap());
        bridge.phone(now, &from_phone);
        let from_model = std::mem::take(load.model_out(model).unwrap());
        bridge.model(now, &from_model);
        while let Some((_, text)) = pop_if(&mut bridge.to_model, |(at, _)| *at <= now) {
            load.model_text(now, model, &text);
        }
        while let Some((_, text)) = pop_if(&mut bridge.to_phone, |(at, _)| *at <= now) {
            load.phone_text(now, call, &text);
        }
    }
    load.tally
}

fn worst_error(tally: &Tally) -> u64 {
    tally.cuts.iter().map(|cut| cut.error_ms).max().unwrap()
}

#[test]
fn a_clean_bridge_loses_nothing_and_adds_nothing() {
    let tally = measured(Mix::Both, Planted::default());
    assert_eq!((tally.inbound.sent, tally.inbound.lost()), (400, 0));
    assert_eq!((tally.outbound.sent, tally.outbound.lost()), (400, 0));
    assert_eq!(percentile(&tally.inbound_us, 1.0), 0);
    assert_eq!(percentile(&tally.outbound_us, 1.0), 0);
    assert_eq!((tally.appends, tally.clears), (400, 0));
}

#[test]
fn one_lost_frame_in_a_hundred_is_found() {
    let loses = Some(100);
    let tally = measured(
        Mix::Both,
        Planted {
            loses,
            ..Planted::default()
        },
    );
    assert_eq!((tally.inbound.sent, tally.inbound.lost()), (400, 4));
    assert_eq!((tally.outbound.sent, tally.outbound.lost()), (400, 4));
}

#[test]
fn a_delay_of_50_ms_is_found() {
    let late_us = 50 * MS;
    let tally = measured(
        Mix::Both,
        Planted {
            late_us,
            ..Planted::default()
        },
    );
    assert_eq!(percentile(&tally.inbound_us, 0.5), 50_000);
    assert_eq!(percentile(&tally.outbound_us, 0.5), 50_000);
    assert_eq!(tally.inbound.lost() + tally.outbound.lost(), 0);
    let cut = measured(
        Mix::Cut,
        Planted {
            late_us,
            ..Planted::default()
        },
    );
    assert!(cut.cuts.iter().all(|cut| cut.clear_us == Some(50_000)));
}

#[test]
fn a_reply_that_is_cut_off_as_it_should_be_has_no_error() {
    let tally = measured(Mix::Cut, Planted::default());
    assert!(!tally.cuts.is_empty());
    assert!(
        tally
            .cuts
            .iter()
            .all(|cut| cut.stale_ms == 0 && cut.clear_us == Some(0))
    );
    let first = tally.cuts.iter().map(|cut| cut.error_ms).min();
    assert!(first <= Some(1), "{:?}", tally.cuts);
}

#[test]
fn a_bridge_that_does_not_truncate_and_one_that_talks_on_are_found() {
    let forgets = measured(
        Mix::Cut,
        Planted {
            forgets: true,
            ..Planted::default()
        },
    );
    assert!(worst_error(&forgets) > 1_000, "{:?}", forgets.cuts);
    let leaks = measured(
        Mix::Cut,
        Planted {
            leaks: true,
            ..Planted::default()
        },
    );
    assert!(
        leaks.cuts.iter().any(|cut| cut.stale_ms == 800),
        "{:?}",
        leaks.cuts
    );
}

#[test]
fn what_still_plays_is_not_cut_off_in_the_place_of_a_reply() {
    let forgets = Planted {
        forgets: true,
        ..Planted::default()
    };
    for before in [Mix::Silence, Mix::Order] {
        let tally = measured_after(before, Mix::Cut, forgets);
        assert!(!tally.cuts.is_empty());
        for cut in &tally.cuts {
            // All that was generated, less what was heard.
            let error = match cut.situation {
                Situation::Generating => 6_000 - 1_250,
                Situation::Playing => 8_000 - 2_450,
                Situation::Queued => 6_600 - 2_650,
            };
            assert!(cut.error_ms.abs_diff(error) <= 1, "{before:?}: {cut:?}");
        }
    }
}

#[test]
fn an_order_goes_on_by_turns() {
    let tally = measured(Mix::Order, Planted::default());
    assert!(tally.turns >= 2, "{} turns", tally.turns);
    assert_eq!(
        (tally.unanswered, tally.clears, tally.inbound.lost()),
        (0, 0, 0)
    );
}

#[test]
fn a_ping_is_answered() {
    let mut out = Vec::new();
    frames::pong(&mut out, Side::Client, b"x");
    assert_eq!(out, [0x8A, 0x81, 0, 0, 0, 0, b'x']);
}
