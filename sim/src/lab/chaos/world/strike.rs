//! What each fault does to the call and its peers.

use super::{Event, World};
use crate::lab::chaos::faults::{CODES, ERRORS, Fault, STATUSES};
use crate::lab::chaos::model::Later;
use orderline::call::input::Input;
use orderline::call::record::Record;
use orderline::call::{Call, Settings};
use orderline::twilio::twiml::Twiml;
use serde_json::json;

impl World {
    /// Lets it happen.
    pub(super) fn fault(&mut self, fault: Fault) {
        let life = self.life;
        match fault {
            Fault::ModelCloses | Fault::ModelRefuses => {
                if fault == Fault::ModelRefuses {
                    self.refusals = u32::try_from(self.random.within(1, 6)).unwrap_or(1);
                }
                if let Some(socket) = self.model.socket {
                    let code = self.random.pick(&CODES).max(1_000);
                    self.at(0, Event::ModelCloses(life, socket, code));
                }
            }
            Fault::ModelFallsSilent => self.model.silent = true,
            Fault::ModelTalksNonsense => {
                if let Some(socket) = self.model.socket {
                    for text in [
                        "",
                        "{",
                        "null",
                        r#"{"type":7}"#,
                        r#"{"type":"response.done"}"#,
                        r#"{"type":"response.output_audio.delta","response_id":"r","item_id":"i","delta":"!"}"#,
                    ] {
                        self.input(Input::Model { socket, text });
                    }
                }
            }
            Fault::ModelErrs => {
                let code = self.random.pick(&ERRORS);
                let event = json!({ "type": "error", "error": { "type": "x", "code": code, "event_id": null } });
                self.model_says(vec![Later {
                    after_ms: 0,
                    response: None,
                    event,
                }]);
            }
            Fault::ResponseFails => {
                let code = self.random.pick(&ERRORS);
                let events = self.model.cut("failed", code).into_iter().flatten();
                let later = events.map(|event| Later {
                    after_ms: 0,
                    response: None,
                    event,
                });
                self.model_says(later.collect());
            }
            Fault::ModelFloods => self.flood(),
            Fault::StreamBreaks | Fault::StreamBreaksForGood => {
                if self.phone.open {
                    self.phone.close();
                    self.soon(Event::PhoneClosed(self.phone.stream));
                    self.asks &= fault == Fault::StreamBreaks;
                    let after = self.random.within(50, 3_000);
                    self.at(after, Event::StreamEnded { alive: true });
                }
            }
            Fault::ShopHangsUp => {
                if self.answered {
                    self.stop();
                }
            }
            Fault::FramesLost => self.phone.lose(1_000),
            Fault::FramesFlood => {
                for _ in 0..500 {
                    if self.phone.open {
                        let frame = self.phone.frame(20);
                        self.input(Input::Phone(&frame));
                    }
                }
            }
            Fault::MarksLost => self.phone.marks_lost = true,
            Fault::PhoneTalksNonsense => {
                let theirs = r#"{"event":"start","streamSid":"MZffffffffffffffffffffffffffffffff","start":{"callSid":"CAffffffffffffffffffffffffffffffff"}}"#;
                for text in [
                    "",
                    "{",
                    "[]",
                    theirs,
                    r#"{"event":"media"}"#,
                    r#"{"event":"stop","streamSid":"MZffffffffffffffffffffffffffffffff"}"#,
                ] {
                    self.input(Input::Phone(text));
                }
            }
            Fault::StatusesAgain => {
                for _ in 0..3 {
                    let status = self.random.pick(&STATUSES);
                    self.status(status);
                }
            }
            Fault::QuestionAgain => {
                let clock = self.clock();
                let token = format!("{:032x}", self.random.next());
                if self.answered
                    && !self.over
                    && let Some(call) = &mut self.call
                {
                    let twiml = call.stream_ended(clock, true, token);
                    self.handed_over |= matches!(twiml, Twiml::Dial { .. });
                }
                self.drive();
            }
            Fault::ForgetsAndStays | Fault::ForgetsAll | Fault::ForgetsTheNewest => {
                self.forget(fault)
            }
            Fault::StorageFails => {
                self.storage_fails = true;
                self.at(5_000, Event::StorageHeals);
            }
            Fault::ClockSteps => {
                let step = i64::try_from(self.random.within(0, 10_000)).unwrap_or(0) - 5_000;
                self.skew = self.skew.saturating_add(step);
                // What is read from a clock that was set back may be less.
                self.watch.forget_cost();
            }
            Fault::AlarmRings => {
                if self.outcome.is_none() {
                    self.input(Input::Alarm);
                }
            }
        }
    }

    fn flood(&mut self) {
        let Some((socket, active)) = self.model.socket.zip(self.model.active) else {
            return;
        };
        let response_id = format!("resp_{active}");
        let silence = orderline::twilio::media::encode(&[0x55; 8_000]);
        let event = json!({ "type": "response.output_audio.delta", "response_id": response_id, "item_id": "item_flood", "delta": silence });
        let text = event.to_string();
        for _ in 0..100 {
            self.model.tells(&event);
            let text = &text;
            self.input(Input::Model { socket, text });
        }
    }

    /// The object is made anew from a snapshot.
    fn forget(&mut self, fault: Fault) {
        // An outcome that is kept is all that is left of a call.
        if self.outcome.is_some() || self.call.is_none() {
            return;
        }
        let stays = fault == Fault::ForgetsAndStays;
        let newest = fault != Fault::ForgetsTheNewest || self.disk_before.is_empty();
        let snapshot = if newest {
            &self.disk
        } else {
            &self.disk_before
        };
        let Some(record) = Record::parse(snapshot) else {
            return self.watch.fail("the snapshot cannot be read".into());
        };
        self.call = Some(Call::restore(Settings::from(&self.config), record));
        self.life += 1;
        self.model.closed();
        let streaming = stays && self.phone.open;
        if !stays && self.phone.open {
            self.phone.close();
            let after = self.random.within(300, 4_000);
            self.at(after, Event::StreamEnded { alive: true });
        }
        // What was spent since the snapshot is not known any more.
        self.watch.forget_cost();
        self.input(Input::Restored { streaming });
    }
}
