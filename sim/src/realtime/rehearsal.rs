//! Rehearses every committed scenario with a faultless bridge and a patient shop on a virtual
//! clock: no script may end up in a dead end, whatever the real bridge does.

use super::connection::{Connection, Out};
use super::*;
use crate::clips::Recogniser;
use crate::play::Play;
use crate::scenario::{DialResult, Scenario, ShopRule, load_all};
use crate::timeline::What;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use orderline::audio::ulaw::SILENCE;
use std::collections::VecDeque;
use std::path::Path;

const FRAME_MS: u64 = 20;
const FRAME: usize = 160;

const DISCLOSURE: &str = "generic/disclosure";
/// Shorter sounds of the shop take no turn, in ms.
const ASIDE_MS: u64 = 500;

/// How the bridge begins.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Manner {
    /// It greets at once, and stops for the shop's hello.
    Eager,
    /// It greets at once and lets the hello pass.
    Deaf,
    /// It lets the shop speak first.
    Polite,
}

struct Rehearsal {
    manner: Manner,
    shared: Arc<Shared>,
    server: Connection,
    now: u64,
    /// Agent audio not yet played.
    playing: VecDeque<u8>,
    /// Shop audio not yet said.
    saying: VecDeque<u8>,
    ear: Recogniser,
    fired: Vec<usize>,
    /// A shop rule that was triggered, and when it acts.
    pending: Option<(u64, usize)>,
    quiet_since: u64,
    heard: Vec<String>,
    /// The model has said its first words.
    greeted: bool,
    /// They were cut off, and have to be said again.
    greets_again: bool,
    /// What the shop says now is no turn.
    aside: bool,
    /// Keys that the agent pressed.
    pressed: String,
    active: bool,
    wanted: bool,
    /// The bridge ends the call when the agent has finished.
    ending: bool,
    over: bool,
}

fn scenarios() -> (Vec<Scenario>, Clips) {
    let fixtures = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures"));
    let clips = Clips::load(&fixtures.join("speech")).unwrap();
    (
        load_all(&fixtures.join("scenarios"), &clips).unwrap(),
        clips,
    )
}

fn rehearse(scenario: Scenario, clips: &Clips, manner: Manner) -> Rehearsal {
    let plays: Plays = Arc::new(vec![Arc::new(Play::new(scenario))]);
    let shared = Shared::new(plays, clips.clone());
    let server = Connection::new(shared.clone(), "gpt-realtime-2.1", 0);
    let mut r = Rehearsal {
        manner,
        shared,
        server,
        now: 0,
        playing: VecDeque::new(),
        saying: VecDeque::new(),
        ear: Recogniser::new(clips.clone()),
        fired: Vec::new(),
        pending: None,
        quiet_since: 0,
        heard: Vec::new(),
        greeted: false,
        greets_again: false,
        aside: false,
        pressed: String::new(),
        active: false,
        wanted: false,
        ending: false,
        over: false,
    };
    r.configure();
    r.cue("They have just answered.");
    r.wanted = manner != Manner::Polite;
    while !r.over && r.now < 90_000 {
        r.frame();
    }
    r
}

impl Rehearsal {
    fn scenario(&self) -> &Scenario {
        &self.shared.plays[0].scenario
    }

    fn send(&mut self, event: &Value) {
        self.server.handle_text(self.now, &event.to_string());
    }

    fn configure(&mut self) {
        let tool = |name: &str| json!({"type": "function", "name": name, "parameters": {"type": "object"}});
        let tools = [
            "save_order_item",
            "set_customer",
            "set_address",
            "confirm_total",
            "end_call",
            "escalate_to_human",
            "press_digits",
            "do_not_call",
        ]
        .map(tool);
        let instructions = format!("You call for {}.", self.scenario().instructions_contain);
        self.send(&json!({"type": "session.update", "session": {"type": "realtime", "instructions": instructions, "tools": tools,
            "audio": {"input": {"format": {"type": "audio/pcmu"}, "turn_detection": {"type": "server_vad",
                "silence_duration_ms": 500, "create_response": false, "interrupt_response": false}},
                "output": {"format": {"type": "audio/pcmu"}}}}}));
    }

    fn cue(&mut self, text: &str) {
        self.send(&json!({"type": "conversation.item.create", "item": {"type": "message", "role": "system",
            "content": [{"type": "input_text", "text": text}]}}));
        self.wanted = true;
    }

    fn frame(&mut self) {
        self.now += FRAME_MS;
        self.server.tick(self.now);
        while let Some(out) = self.server.poll() {
            match out {
                Out::Send(event) => self.receive(&event),
                Out::Close { code, .. } => {
                    self.server.closed(Some(code));
                    self.server = Connection::new(self.shared.clone(), "gpt-realtime-2.1", 0);
                    self.active = false;
                    self.configure();
                    self.cue("The connection was interrupted.");
                }
            }
        }
        if self.wanted && !self.active {
            self.wanted = false;
            self.active = true;
            self.send(&json!({"type": "response.create"}));
        }
        if self.playing.is_empty() && self.saying.is_empty() {
            if self.ending {
                self.over = true;
            }
            if self.now - self.quiet_since == 3_500 {
                self.cue("The shop has been silent.");
            }
        } else {
            self.quiet_since = self.now;
        }
        let said: Vec<u8> = next_frame(&mut self.saying);
        let audio = STANDARD.encode(said);
        self.send(&json!({"type": "input_audio_buffer.append", "audio": audio}));
        let played = next_frame(&mut self.playing);
        self.ear.push(&played);
        self.shop();
    }

    fn receive(&mut self, event: &Value) {
        match event["type"].as_str().unwrap() {
            "response.output_audio.delta" => {
                self.playing
                    .extend(STANDARD.decode(event["delta"].as_str().unwrap()).unwrap());
            }
            "input_audio_buffer.speech_started"
                if self.manner == Manner::Deaf && self.heard.is_empty() => {}
            "input_audio_buffer.speech_started" | "input_audio_buffer.speech_stopped"
                if self.aside => {}
            "input_audio_buffer.speech_started" => {
                self.greets_again |= self.greeted && !self.heard.iter().any(|l| l == DISCLOSURE);
                self.playing.clear();
            }
            "input_audio_buffer.speech_stopped" => {
                self.wanted = true;
                if std::mem::take(&mut self.greets_again) {
                    let audio = &self.shared.clips.get(DISCLOSURE).unwrap().audio;
                    self.playing.extend(audio);
                    self.cue("Now place an order.");
                }
            }
            "response.done" => {
                self.active = false;
                if !self.greeted && !self.scenario().network.inbound {
                    self.greeted = true;
                    self.cue("Now place an order.");
                }
                for item in event["response"]["output"].as_array().unwrap() {
                    let Some(name) = item["name"].as_str() else {
                        continue;
                    };
                    if name == "press_digits" {
                        let arguments = item["arguments"].as_str().unwrap();
                        let arguments: Value = serde_json::from_str(arguments).unwrap();
                        self.pressed += arguments["digits"].as_str().unwrap();
                    }
                    self.ending |= matches!(name, "end_call" | "escalate_to_human" | "do_not_call");
                    self.send(&json!({"type": "conversation.item.create", "item": {"type": "function_call_output",
                        "call_id": item["call_id"], "output": "{\"ok\":true}"}}));
                    self.wanted = true;
                }
            }
            _ => {}
        }
    }

    fn shop(&mut self) {
        let line = self.ear.current().filter(|m| m.intact > 0.9);
        let quiet = self.playing.is_empty();
        if let Some(m) = line.as_ref().filter(|m| m.complete)
            && self.heard.last() != Some(&m.line)
        {
            self.heard.push(m.line.clone());
        }
        let holds = |(n, rule): &(usize, &ShopRule)| {
            let heard = |wanted: &String| {
                line.as_ref()
                    .is_some_and(|m| m.line == *wanted && m.complete && quiet)
            };
            let hearing = |wanted: &String| {
                line.as_ref().is_some_and(|m| {
                    m.line == *wanted && m.clip_bytes as u64 >= rule.at_ms * 8 && !quiet
                })
            };
            !self.fired.contains(n)
                && (rule.answered
                    || rule.heard.as_ref().is_some_and(heard)
                    || rule.hearing.as_ref().is_some_and(hearing)
                    || quiet && rule.pressed.as_ref() == Some(&self.pressed)
                    || rule
                        .quiet_ms
                        .is_some_and(|ms| self.now - self.quiet_since >= ms))
        };
        if self.pending.is_none() && self.saying.is_empty() {
            let rule = self.scenario().shop.iter().enumerate().find(holds);
            self.pending = rule.map(|(n, rule)| (self.now + rule.after_ms, n));
            self.fired.extend(self.pending.map(|(_, n)| n));
        }
        if let Some((_, n)) = self.pending.filter(|(at, _)| *at <= self.now) {
            self.pending = None;
            let rule = self.scenario().shop[n].clone();
            self.over |= rule.hang_up || rule.line_drops;
            if let Some(line) = rule.say {
                let clip = self.shared.clips.get(&line).unwrap();
                self.aside = clip.ms() < ASIDE_MS;
                self.saying.extend(&clip.audio);
            }
        }
    }
}

fn next_frame(queue: &mut VecDeque<u8>) -> Vec<u8> {
    let mut frame: Vec<u8> = queue.drain(..queue.len().min(FRAME)).collect();
    frame.resize(FRAME, SILENCE);
    frame
}

fn each_comes_to_its_end(manner: Manner, which: &str) {
    let (scenarios, clips) = scenarios();
    for scenario in scenarios
        .into_iter()
        .filter(|s| s.network.result == DialResult::Answered && s.name.contains(which))
    {
        let (name, status) = (scenario.name.clone(), scenario.expect.status.clone());
        let expected = scenario.expect.heard.clone();
        let r = rehearse(scenario, &clips, manner);
        let whats: Vec<What> = r.shared.plays[0]
            .timeline
            .events()
            .into_iter()
            .map(|e| e.what)
            .collect();
        let tool = |wanted: &str| {
            whats
                .iter()
                .any(|w| matches!(w, What::Tool { name, .. } if name == wanted))
        };
        assert!(r.over, "{name} does not end; heard {:?}", r.heard);
        assert!(
            (5_000..=50_000).contains(&r.now),
            "{name} takes {} ms",
            r.now
        );
        assert!(
            expected.iter().all(|line| r.heard.contains(line)),
            "{name}: heard only {:?}",
            r.heard
        );
        assert!(
            !r.heard.iter().any(|line| line == model::SORRY),
            "{name}: something was not understood: {:?}",
            r.heard
        );
        assert!(
            !whats.iter().any(|w| matches!(w, What::Violation { .. })),
            "{name}: {whats:?}"
        );
        match status.as_str() {
            "confirmed" => assert!(
                tool("save_order_item")
                    && tool("set_customer")
                    && tool("confirm_total")
                    && tool("end_call"),
                "{name}"
            ),
            "escalated" => assert!(tool("escalate_to_human"), "{name}"),
            _ => {}
        }
    }
}

#[test]
fn every_scenario_comes_to_its_end() {
    each_comes_to_its_end(Manner::Eager, "");
}

#[test]
fn greeting_and_hello_may_overlap() {
    each_comes_to_its_end(Manner::Deaf, "happy-delivery");
}

#[test]
fn the_shop_may_speak_first() {
    each_comes_to_its_end(Manner::Polite, "happy-delivery");
}
