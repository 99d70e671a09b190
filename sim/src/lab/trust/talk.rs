//! One conversation before it is held: who says what when, what the model calls, and what is true
//! after each line. The same seed gives the same conversation.

use super::super::signals::Random;
use super::ears::Writing;
use super::far_end::{Act, When};
use super::order::{Order, Piece, fact, plain_words, tells};
use super::plan::{DISCLOSURE, End, Line, Means, Plan, Says, call, says, total_call};
use super::speech::{self, Spoken, Voices};
use super::spoken::{chance, pick};
use crate::clips::{Clip, Clips};
use crate::realtime::SORRY;
use crate::scenario::{Expect, ModelRule, Network, Scenario, ToolCall};
use crate::virtual_time::{Delays, Marks};
use serde_json::{Value, json};
use std::collections::HashMap;

/// What the model does when its total is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It reads everything back again, and the shop answers again.
    ReadsBack,
    /// It says goodbye all the same.
    GivesUp,
}

/// A conversation in the making.
pub(super) struct Talk<'a> {
    voices: &'a Voices,
    pub(super) random: Random,
    pub(super) order: Order,
    pub(super) lines: Vec<Line>,
    pub(super) steps: Vec<(When, Act)>,
    model: Vec<ModelRule>,
    writings: HashMap<String, Writing>,
    newest_agent: String,
    newest_shop: String,
    pub(super) end: End,
    /// Set once the request is made otherwise than from the order.
    pub(super) request: Option<Value>,
    pub(super) max_total: Option<u64>,
    goodbye: String,
}

/// The greeting that the product asks for; its first words disclose.
const GREETING: [&str; 2] = ["Hi, I'm an AI", "assistant calling for a customer."];
impl<'a> Talk<'a> {
    pub(super) fn new(voices: &'a Voices, seed: u64) -> Self {
        let mut random = Random::new(seed);
        let order = Order::new(&mut random);
        Self {
            voices,
            random,
            order,
            lines: Vec::new(),
            steps: Vec::new(),
            model: Vec::new(),
            writings: HashMap::new(),
            newest_agent: String::new(),
            newest_shop: String::new(),
            end: End::Either,
            request: None,
            max_total: None,
            goodbye: String::new(),
        }
    }

    pub(super) fn pick<T: ?Sized>(&mut self, of: &[&'static T]) -> &'static T {
        pick(&mut self.random, of)
    }

    pub(super) fn chance(&mut self, percent: usize) -> bool {
        chance(&mut self.random, percent)
    }

    /// A line of the agent, not yet said by any rule.
    pub(super) fn agent_line(&mut self, pieces: &[Piece]) -> String {
        let spoken = self.voices.agent(&mut self.random, pieces);
        self.add("agent", spoken, None, Vec::new())
    }

    fn shop_line(&mut self, says: Says) -> String {
        let spoken = if says.is_noise {
            speech::noise(&mut self.random)
        } else {
            self.voices.shop(&mut self.random, &says.text)
        };
        let written = says.written.unwrap_or(says.text);
        let id = self.add("shop", spoken, Some(written), says.means);
        if let Some(writing) = says.writing {
            self.writings.insert(id.clone(), writing);
        }
        id
    }

    fn add(
        &mut self,
        who: &str,
        spoken: Spoken,
        written: Option<String>,
        means: Vec<Means>,
    ) -> String {
        let id = format!("{who}/{}", self.lines.len());
        self.lines.push(Line {
            id: id.clone(),
            written: written.unwrap_or_else(|| spoken.text()),
            spoken,
            means,
        });
        id
    }

    /// The agent answers the shop's newest line.
    pub(super) fn agent(&mut self, pieces: &[Piece], calls: Vec<ToolCall>) {
        let line = self.agent_line(pieces);
        self.agent_says(line, calls);
    }

    /// The same, with a line that was made before.
    pub(super) fn agent_says(&mut self, line: String, calls: Vec<ToolCall>) {
        self.model.push(ModelRule {
            heard: Some(self.newest_shop.clone()),
            say: Some(line.clone()),
            calls,
            ..ModelRule::default()
        });
        self.newest_agent = line;
    }

    /// The model answers the shop's newest line with words that have no sound.
    pub(super) fn agent_writes(&mut self, pieces: &[Piece], calls: Vec<ToolCall>) {
        let line = self.add("agent", speech::written(pieces), None, Vec::new());
        self.agent_says(line, calls);
    }

    /// The model calls these at the shop's newest line, and says nothing.
    pub(super) fn calls(&mut self, calls: Vec<ToolCall>) {
        self.model.push(ModelRule {
            heard: Some(self.newest_shop.clone()),
            calls,
            ..ModelRule::default()
        });
    }

    /// Any rule of the model.
    pub(super) fn rule(&mut self, rule: ModelRule) {
        self.model.push(rule);
    }

    /// The shop answers the agent's newest line.
    pub(super) fn shop(&mut self, says: Says) {
        let after = 250 + self.random.below(900) as u64;
        let when = When::Heard(self.newest_agent.clone(), after);
        self.shop_when(when, says);
    }

    /// The shop speaks into the agent's newest line, behind this share of it.
    pub(super) fn shop_into(&mut self, share: f64, says: Says) {
        let line = self.lines.iter().find(|line| line.id == self.newest_agent);
        let ms = line.map_or(0, |line| line.spoken.ms_at(share));
        self.shop_when(When::Hearing(self.newest_agent.clone(), ms), says);
    }

    /// The shop speaks when nobody else does.
    pub(super) fn shop_into_silence(&mut self, ms: u64, says: Says) {
        self.shop_when(When::Quiet(ms), says);
    }

    pub(super) fn shop_when(&mut self, when: When, says: Says) {
        let line = self.shop_line(says);
        self.steps.push((when, Act::Say(line.clone())));
        self.newest_shop = line;
    }

    /// Somebody makes noise into the line.
    pub(super) fn noise(&mut self, when: When, written: &str) {
        let mut says = says(String::new(), Vec::new()).written_as(written);
        says.is_noise = true;
        self.shop_when(when, says);
    }

    pub(super) fn shop_hangs_up_when(&mut self, when: When) {
        self.steps.push((when, Act::HangUp));
    }

    pub(super) fn newest_agent(&self) -> String {
        self.newest_agent.clone()
    }

    /// The phone is picked up, and the agent says what it is and what it wants.
    pub(super) fn opens(&mut self) {
        let [discloses, rest] = GREETING;
        self.opens_as(&[
            tells(discloses, vec![fact(DISCLOSURE, "heard")]),
            plain_words(rest),
        ]);
        self.model
            .retain(|rule| rule.text.as_deref() != Some("silent"));
    }

    /// The same with other first words.
    pub(super) fn opens_as(&mut self, greeting: &[Piece]) {
        let greeting = self.agent_line(greeting);
        let way = if self.order.delivery {
            "delivery"
        } else {
            "pickup"
        };
        let wish = self.pick(&[
            "I'd like to place an order",
            "I want to order some pizza",
            "Can I place an order",
        ]);
        let intro = self.agent_line(&[
            plain_words(wish),
            tells(
                format!("for {way},"),
                vec![fact("/order/delivery_method", way)],
            ),
            plain_words("please."),
        ]);
        self.model.push(ModelRule {
            opening: true,
            say: Some(greeting.clone()),
            ..ModelRule::default()
        });
        self.model.push(ModelRule {
            text: Some("say exactly this".to_owned()),
            say: Some(greeting),
            repeat: true,
            ..ModelRule::default()
        });
        let hello = self.pick(&[
            "Hello, Tony's Pizza.",
            "Pizza Palace, how can I help you?",
            "Good evening, Bella Napoli.",
            "Hello?",
            "Luigi's, what can I get you?",
        ]);
        // Into the greeting, or behind it.
        let after = 900 + self.random.below(900) as u64;
        let after = if self.chance(30) {
            after + 3_500
        } else {
            after
        };
        self.shop_when(When::Answered(after), says(hello, Vec::new()));
        for trigger in [
            ModelRule {
                heard: Some(self.newest_shop.clone()),
                ..ModelRule::default()
            },
            // Where the greeting is another, nobody says that the order may begin.
            ModelRule {
                text: Some("silent".to_owned()),
                ..ModelRule::default()
            },
        ] {
            self.model.push(ModelRule {
                say: Some(intro.clone()),
                repeat: true,
                ..trigger
            });
        }
        // Told so once more, when the greeting had to be repeated, it answers what it heard.
        self.model.push(ModelRule {
            text: Some("place an order".to_owned()),
            say: Some(intro.clone()),
            ..ModelRule::default()
        });
        self.newest_agent = intro;
    }

    /// Ends the conversation from the agent's side with the next response.
    pub(super) fn goodbye(&mut self) -> (String, Vec<ToolCall>) {
        if self.goodbye.is_empty() {
            self.goodbye = self.agent_line(&[plain_words("Thank you, goodbye!")]);
        }
        let reason = json!({"reason": "done"});
        (self.goodbye.clone(), vec![call("end_call", reason)])
    }

    /// The agent says goodbye at the shop's newest line.
    pub(super) fn leaves(&mut self) {
        let (line, calls) = self.goodbye();
        self.agent_says(line, calls);
    }

    /// The model records a total at the shop's newest line, says goodbye once that is accepted, and
    /// deals with a refusal.
    pub(super) fn confirms(&mut self, subtotal: u64, total: u64, refused: Refused) {
        self.calls(vec![total_call(subtotal, total)]);
        self.after_total(subtotal, total, refused, None);
    }

    /// What follows the recording of a total. `answer` is what the shop says when everything is read
    /// back again.
    pub(super) fn after_total(
        &mut self,
        subtotal: u64,
        total: u64,
        refused: Refused,
        answer: Option<Says>,
    ) {
        let (goodbye, ends) = self.goodbye();
        let told = |output: Option<&str>, say: String, calls| ModelRule {
            tool: Some("confirm_total".to_owned()),
            output: output.map(str::to_owned),
            say: Some(say),
            calls,
            ..ModelRule::default()
        };
        self.model
            .push(told(Some(r#""ok":true"#), goodbye.clone(), ends.clone()));
        if refused == Refused::ReadsBack {
            let mut again = vec![plain_words("Let me repeat that:")];
            again.extend(self.order.all_said_fully(&mut self.random));
            again.push(plain_words("Is that correct, and what is the total?"));
            let again = self.agent_line(&again);
            self.model.push(told(None, again.clone(), Vec::new()));
            self.newest_agent = again;
            let answer = answer.unwrap_or_else(|| self.affirms_with_total());
            self.shop(answer);
            self.calls(vec![total_call(subtotal, total)]);
        }
        self.model.push(told(None, goodbye.clone(), ends));
        self.newest_agent = goodbye;
    }

    /// Ready to be held.
    pub(super) fn finish(mut self, family: &'static str, seed: u64) -> anyhow::Result<Plan> {
        let (goodbye, ends) = self.goodbye();
        let phrase = |talk: &mut Self, text: &str| talk.agent_line(&[plain_words(text)]);
        let still_there = phrase(&mut self, "Hello? Are you still there?");
        phrase(&mut self, "Sorry, could you repeat that?");
        if let Some(line) = self.lines.last_mut() {
            SORRY.clone_into(&mut line.id);
        }
        let late = phrase(&mut self, "I'm sorry, I have to end the call here.");
        let cued = |text: &str, say: &str| ModelRule {
            text: Some(text.to_owned()),
            say: Some(say.to_owned()),
            repeat: true,
            ..ModelRule::default()
        };
        self.model.extend([
            cued("stays silent", &goodbye),
            cued("silent", &still_there),
            cued("time limit", &late),
            cued("goodbye", &goodbye),
            cued("interrupted", SORRY),
        ]);
        // Whoever is asked for a reason gives one.
        self.model.push(ModelRule {
            tool: Some("end_call".to_owned()),
            output: Some(r#""ok":false"#.to_owned()),
            calls: ends,
            ..ModelRule::default()
        });
        let mut request = self
            .request
            .take()
            .unwrap_or_else(|| json!({"order": self.order.request()}));
        request["to"] = json!("+13105550199");
        if let Some(max) = self.max_total {
            request["maxTotal"] = json!(max as f64 / 100.0);
        }
        let clip = |id: &str, text: String, audio: &[u8]| Clip {
            id: id.to_owned(),
            text,
            audio: audio.to_vec(),
        };
        let all = self.lines.iter();
        let clips = all
            .map(|line| clip(&line.id, line.spoken.text(), &line.spoken.audio))
            .collect();
        let shops = self.lines.iter().filter(|line| line.id.starts_with("shop"));
        let transcripts = shops
            .map(|line| clip(&line.id, line.written.clone(), &line.spoken.audio))
            .collect();
        let phone_ms = [0, 30, 60, 120][self.random.below(4)];
        let delays = Delays {
            phone_ms,
            model_ms: 20,
            jitter_ms: [0, 0, 40, 120][self.random.below(4)],
            model_jitter_ms: 20,
            marks: Marks {
                lost_percent: [0, 0, 0, 5][self.random.below(4)],
                late_percent: [0, 0, 20][self.random.below(3)],
                late_ms: 200,
            },
            seed,
        };
        Ok(Plan {
            seed,
            scenario: Scenario {
                name: format!("{family} {seed}"),
                about: String::new(),
                request,
                instructions_contain: String::new(),
                network: Network::default(),
                shop: Vec::new(),
                model: self.model,
                faults: Vec::new(),
                expect: Expect::default(),
            },
            clips: Clips::new(clips)?,
            transcripts: Clips::new(transcripts)?,
            writings: self.writings,
            lines: self.lines,
            steps: self.steps,
            delays,
            end: self.end,
            max_total: self.max_total,
        })
    }
}
