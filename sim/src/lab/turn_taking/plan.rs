//! One conversation before it is held: the same seed gives the same plan.

use super::super::signals::Random;
use super::truth::Kind;
use crate::scenario::{Expect, ModelRule, Network, Scenario, ToolCall};
use crate::virtual_time::{Delays, Marks};
use serde_json::json;

/// The agent's long lines.
pub(super) const LINES: [&str; 9] = [
    "line-drops/details",
    "shop-interrupts-read-back/details",
    "happy-delivery/details",
    "long-silence/read-back",
    "model-socket-drops/read-back",
    "pickup/read-back",
    "shop-interrupts-read-back/read-back",
    "shop-interrupts-read-back/read-back-again",
    "happy-delivery/read-back",
];
/// Those of [`LINES`] that are no question: the agent goes on after a tool call.
const STATEMENTS: usize = 3;
/// The agent's other lines.
pub(super) const PHRASES: [&str; 5] = [
    "generic/greeting-delivery",
    "generic/still-there",
    "generic/goodbye",
    "generic/time-limit",
    "generic/sorry",
];
/// Noise below this level is that of a good line, dBFS.
const LEAST_NOISE: f64 = -50.0;
/// The shop takes longer to answer than the agent is to wait: it has to be asked. In ms.
pub(super) const THINKS_MS: u64 = 9_000;
const VOICES: [&str; 4] = ["m3", "m7", "m2", "f2"];

/// How messages travel between Twilio and the bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Way {
    /// All take this long, in ms.
    Constant(u64),
    /// Each takes up to 300 ms.
    Jitter,
}

/// All ways, in turn.
pub(super) const WAYS: [Way; 4] = [
    Way::Constant(0),
    Way::Constant(60),
    Way::Constant(150),
    Way::Jitter,
];

/// Something the far end does while the agent speaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// How long the agent must have spoken, in ms.
    pub(super) at_ms: u64,
    pub(super) kind: Kind,
    /// Which of the lines of its kind.
    pub(super) line: &'static str,
}

/// What the shop says in its own turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    /// After so much silence of the agent, in ms.
    pub(super) after_ms: u64,
    /// It asks the agent to wait, for so long; with music if `true`.
    pub(super) wait: Option<(u64, bool)>,
    pub(super) line: &'static str,
}

/// A conversation.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) seed: u64,
    pub(super) way: Way,
    pub(super) marks: Marks,
    /// The server's detector tells starts late, twice or not at all.
    pub(super) faulty_vad: bool,
    /// It tells the start of words at once: then ours is often the second.
    pub(super) keen_vad: bool,
    pub(super) voice: &'static str,
    /// Level of the line's noise, dBFS.
    pub(super) bed: Option<f64>,
    /// Delay in ms and loss in dB of the agent's own voice.
    pub(super) echo: Option<(u64, f64)>,
    /// The shop answers the phone with words, after so long.
    pub(super) hello_ms: Option<u64>,
    pub(super) events: Vec<Event>,
    pub(super) replies: Vec<Reply>,
    /// The agent's turns: a line, and whether another follows at once.
    lines: Vec<(&'static str, bool)>,
    /// The agent says goodbye; otherwise the shop hangs up.
    agent_ends: bool,
}

impl Plan {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Random::new(seed.wrapping_mul(0x9E37_79B9).wrapping_add(17));
        let random = &mut random;
        let chance = |random: &mut Random, percent: usize| random.below(100) < percent;
        let ms = |random: &mut Random, from: u64, to: u64| {
            from + random.below(usize::try_from(to - from).unwrap_or(1)) as u64
        };
        let way = WAYS[usize::try_from(seed).unwrap_or(0) % WAYS.len()];
        let mark_faults = seed / 4 % 4;
        let marks = Marks {
            lost_percent: if mark_faults & 1 == 1 { 10 } else { 0 },
            late_percent: if mark_faults & 2 == 2 { 25 } else { 0 },
            late_ms: 300,
        };
        let bed = match random.below(4) {
            0 => None,
            1 => Some(random.between(-65.0, -55.0)),
            _ => Some(random.between(LEAST_NOISE, -35.0)),
        };
        let echo = chance(random, 40).then(|| (ms(random, 30, 400), random.between(12.0, 35.0)));
        let sounds = chance(random, 40);
        let turns = 4 + random.below(3);
        let events = (0..turns - 1).map(|_| {
            let (kind, line) = event(random, sounds);
            // A queued reply may be the one that is hit.
            let late = chance(random, 30);
            Event {
                at_ms: if late {
                    ms(random, 4_500, 11_000)
                } else {
                    ms(random, 1_500, 4_500)
                },
                kind,
                line,
            }
        });
        let events = events.collect();
        let replies = (0..turns).map(|_| {
            let wait = chance(random, 10).then(|| (ms(random, 5_000, 10_000), chance(random, 50)));
            let lines = ["next", "go-on"];
            Reply {
                after_ms: if chance(random, 10) {
                    THINKS_MS
                } else {
                    ms(random, 300, 1_000)
                },
                wait,
                line: if wait.is_some() {
                    "moment"
                } else {
                    lines[random.below(lines.len())]
                },
            }
        });
        let replies = replies.collect();
        let mut queued = false;
        let lines = (0..=turns).map(|_| {
            // Two behind each other, not more.
            queued = !queued && chance(random, 55);
            let count = if queued { STATEMENTS } else { LINES.len() };
            (LINES[random.below(count)], queued)
        });
        let mut lines: Vec<(&'static str, bool)> = lines.collect();
        if let Some((_, queued)) = lines.last_mut() {
            // No goodbye behind a line that somebody may want to interrupt.
            *queued = false;
        }
        Self {
            seed,
            way,
            marks,
            faulty_vad: chance(random, 50),
            keen_vad: seed / 16 % 4 == 3,
            voice: VOICES[random.below(VOICES.len())],
            bed,
            echo,
            hello_ms: chance(random, 30).then(|| ms(random, 100, 900)),
            events,
            replies,
            lines,
            agent_ends: chance(random, 50),
        }
    }

    /// Something on the line could be taken for speech.
    pub(super) fn has_noise(&self) -> bool {
        self.has_line_noise()
            || self.echo.is_some()
            || self.events.iter().any(|e| !e.kind.is_person())
    }

    /// The line's noise can be heard.
    pub(super) fn has_line_noise(&self) -> bool {
        self.bed.is_some_and(|level| level >= LEAST_NOISE)
    }

    pub(super) fn delays(&self) -> Delays {
        let (phone_ms, jitter_ms) = match self.way {
            Way::Constant(ms) => (ms, 0),
            Way::Jitter => (0, 300),
        };
        Delays {
            phone_ms,
            model_ms: 20,
            jitter_ms,
            model_jitter_ms: 20,
            marks: self.marks,
            seed: self.seed,
        }
    }

    /// What the model says: a line whenever it is asked, and something fitting when the bridge
    /// tells it why.
    pub(super) fn scenario(&self) -> Scenario {
        let says = |line: &str| ModelRule {
            say: Some(line.to_owned()),
            ..ModelRule::default()
        };
        let cued = |text: &str, line: &str| ModelRule {
            text: Some(text.to_owned()),
            repeat: true,
            ..says(line)
        };
        let mut model = vec![
            ModelRule {
                opening: true,
                ..says("generic/greeting-delivery")
            },
            cued("stays silent", "generic/goodbye"),
            cued("silent", "generic/still-there"),
            cued("time limit", "generic/time-limit"),
            cued("goodbye", "generic/goodbye"),
        ];
        model.extend(self.lines.iter().map(|(line, goes_on)| ModelRule {
            always: true,
            calls: if *goes_on {
                vec![call(
                    "save_order_item",
                    json!({"size": "large", "crust": "regular", "toppings": ["pepperoni"]}),
                )]
            } else {
                Vec::new()
            },
            ..says(line)
        }));
        model.push(if self.agent_ends {
            ModelRule {
                always: true,
                repeat: true,
                calls: vec![call("end_call", json!({"reason": "done"}))],
                ..says("generic/goodbye")
            }
        } else {
            ModelRule {
                always: true,
                repeat: true,
                ..says("model-socket-drops/read-back")
            }
        });
        Scenario {
            name: format!("conversation {}", self.seed),
            about: String::new(),
            request: json!({"to": "+13105550199", "order": {
                "items": [{"size": "large", "crust": "regular", "toppings": ["pepperoni"], "quantity": 1}],
                "delivery_method": "pickup", "customer": {"name": "Dana Whitfield", "phone": "+13105550142"}}}),
            instructions_contain: "Dana Whitfield".to_owned(),
            network: Network::default(),
            shop: Vec::new(),
            model,
            faults: Vec::new(),
            expect: Expect::default(),
        }
    }
}

fn call(name: &str, arguments: serde_json::Value) -> ToolCall {
    ToolCall {
        name: name.to_owned(),
        arguments,
    }
}

fn event(random: &mut Random, sounds: bool) -> (Kind, &'static str) {
    const KINDS: [(Kind, &[&str]); 9] = [
        (Kind::Interruption, &["hold-on", "not-what"]),
        (Kind::Short, &["no", "wait", "stop"]),
        (Kind::Backchannel, &["mm-hmm", "okay", "yeah", "uh-huh"]),
        (Kind::Backchannel, &["mm-hmm", "okay", "yeah", "uh-huh"]),
        (Kind::Cough, &[""]),
        (Kind::Clatter, &[""]),
        (Kind::Digits, &[""]),
        (Kind::RingBack, &[""]),
        (Kind::Music, &[""]),
    ];
    let (kind, lines) = KINDS[random.below(if sounds { KINDS.len() } else { 5 })];
    (kind, lines[random.below(lines.len())])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_plan_and_every_kind_occurs() {
        let plans: Vec<Plan> = (0..100).map(Plan::new).collect();
        assert_eq!(format!("{:?}", plans[7]), format!("{:?}", Plan::new(7)));
        assert!(
            WAYS.iter()
                .all(|way| plans.iter().filter(|p| p.way == *way).count() == 25)
        );
        for kind in [
            Kind::Interruption,
            Kind::Short,
            Kind::Backchannel,
            Kind::Cough,
            Kind::Clatter,
            Kind::Digits,
            Kind::RingBack,
            Kind::Music,
        ] {
            assert!(
                plans
                    .iter()
                    .any(|p| p.events.iter().any(|e| e.kind == kind)),
                "{kind:?}"
            );
        }
        assert!(
            plans
                .iter()
                .any(|p| p.marks.lost_percent > 0 && p.marks.late_percent > 0)
        );
        assert!(plans.iter().any(|p| !p.has_noise()));
    }
}
