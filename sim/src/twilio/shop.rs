//! The people in the shop: they hear the agent, and follow their scenario's rules. A state
//! machine stepped with the samples of each tick; it knows no sockets and no clock.

use super::ear::{Ear, Heard};
use super::keypad::Keypad;
use crate::clips::Clips;
use crate::scenario::ShopRule;
use crate::timeline::What;
use orderline::audio::ulaw::{BYTES_PER_MS, SILENCE};
use std::collections::{BTreeSet, VecDeque};

/// Whoever is at the far end of the line.
pub trait FarEnd: Send {
    /// The next samples were played on the open stream; what it says is as long.
    fn step(&mut self, played: &[u8]) -> Step;

    /// What was still to be played will not be: `clear`, or the end of the stream.
    fn cut_off(&mut self) -> Vec<What>;
}

/// One shop on one call.
pub struct Shop {
    clips: Clips,
    ear: Ear,
    keypad: Keypad,
    /// Keys that were heard and nobody has reacted to.
    keys: String,
    /// Rules that have not fired.
    rules: Vec<ShopRule>,
    /// Lines heard to their end that nobody has reacted to.
    unanswered: BTreeSet<String>,
    /// The line it said last.
    last: Option<String>,
    /// Bytes since the shop's own last word, or since the beginning.
    silence: u64,
    act: Option<Act>,
}

impl FarEnd for Shop {
    fn step(&mut self, played: &[u8]) -> Step {
        let mut step = Step::default();
        let heard = self.ear.hear(played);
        step.events = self.note(heard);
        for key in self.keypad.hear(played) {
            self.keys.push(key);
            step.events.push(What::AgentPresses { key });
        }
        self.silence += played.len() as u64;
        if self.act.is_none() {
            self.act = self.next_act();
        }
        self.go_on(played.len(), &mut step);
        step.said.resize(played.len(), SILENCE);
        step
    }

    fn cut_off(&mut self) -> Vec<What> {
        let heard = self.ear.cut_off();
        self.note(heard)
    }
}

/// A rule being carried out.
struct Act {
    rule: ShopRule,
    /// Pause left, in bytes.
    pause: u64,
    begun: bool,
    /// Audio still to say.
    speech: VecDeque<u8>,
}

/// What a tick brought.
#[derive(Default)]
pub struct Step {
    /// What the shop says, as long as what it heard.
    pub said: Vec<u8>,
    pub events: Vec<What>,
    pub deed: Option<Deed>,
}

/// What the shop does besides speaking.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Presses a key.
    Press(String),
    /// Hangs up, perhaps after a last key.
    HangUp,
    /// The line is lost.
    LineDrops,
}

impl Shop {
    /// A shop that has not picked up.
    pub fn new(rules: Vec<ShopRule>, clips: Clips) -> Self {
        let ear = Ear::new(clips.clone());
        Self {
            clips,
            ear,
            keypad: Keypad::default(),
            keys: String::new(),
            rules,
            unanswered: BTreeSet::new(),
            last: None,
            silence: 0,
            act: None,
        }
    }

    fn note(&mut self, heard: Heard) -> Vec<What> {
        self.unanswered.extend(heard.complete);
        heard.events
    }

    fn next_act(&mut self) -> Option<Act> {
        let index = self.rules.iter().position(|rule| self.holds(rule))?;
        let mut rule = self.rules.get(index)?.clone();
        if !rule.repeat {
            self.rules.remove(index);
        }
        // Whatever it says answers those who did not understand.
        for other in self.rules.iter().filter(|other| other.again) {
            if let Some(line) = &other.heard {
                self.unanswered.remove(line);
            }
        }
        if rule.again {
            rule.say.clone_from(&self.last);
        } else if rule.say.is_some() {
            self.last.clone_from(&rule.say);
        }
        if let Some(line) = &rule.heard {
            self.unanswered.remove(line);
        }
        if rule.pressed.is_some() {
            self.keys.clear();
        }
        let clip = rule.say.as_deref().and_then(|line| self.clips.get(line));
        let speech = clip
            .map(|clip| clip.audio.iter().copied().collect())
            .unwrap_or_default();
        Some(Act {
            pause: rule.after_ms * BYTES_PER_MS,
            begun: false,
            speech,
            rule,
        })
    }

    fn holds(&self, rule: &ShopRule) -> bool {
        if let Some(line) = &rule.heard {
            return self.ear.is_quiet() && self.unanswered.contains(line);
        }
        if let Some(line) = &rule.hearing {
            let heard = self.ear.hearing();
            return heard.is_some_and(|(now, ms)| now == line && ms >= rule.at_ms);
        }
        if let Some(keys) = &rule.pressed {
            return self.keys == *keys;
        }
        if let Some(ms) = rule.quiet_ms {
            return self.silence.min(self.ear.silence()) >= ms * BYTES_PER_MS;
        }
        rule.answered
    }

    fn go_on(&mut self, bytes: usize, step: &mut Step) {
        let Some(act) = &mut self.act else { return };
        if act.pause > 0 {
            act.pause = act.pause.saturating_sub(bytes as u64);
            return;
        }
        if !act.begun {
            act.begun = true;
            if let Some(clip) = act
                .rule
                .say
                .as_deref()
                .and_then(|line| self.clips.get(line))
            {
                let (line, text) = (clip.id.clone(), clip.text.clone());
                step.events.push(What::ShopSpeaks {
                    line,
                    text,
                    duration_ms: clip.ms(),
                });
            }
        }
        if !act.speech.is_empty() {
            step.said = act.speech.drain(..bytes.min(act.speech.len())).collect();
            self.silence = 0;
            return;
        }
        if let Some(digit) = act.rule.dtmf.take() {
            step.events.push(What::Dtmf {
                digit: digit.clone(),
            });
            step.deed = Some(Deed::Press(digit));
            return;
        }
        step.deed = match &act.rule {
            rule if rule.line_drops => Some(Deed::LineDrops),
            rule if rule.hang_up => Some(Deed::HangUp),
            _ => None,
        };
        self.act = None;
    }
}

#[cfg(test)]
mod tests {
    use super::super::ear::tests::speech;
    use super::*;
    use orderline::audio::dtmf;

    /// A shop with rules in a scenario's notation.
    fn shop(rules: &str) -> Shop {
        #[derive(serde::Deserialize)]
        struct File {
            shop: Vec<ShopRule>,
        }
        let file: File = toml::from_str(rules).unwrap();
        let lines = ["hello", "total", "yes", "sorry"].map(|id| speech(id, 1_000));
        Shop::new(file.shop, Clips::new(lines.into()).unwrap())
    }

    /// Plays audio; returns what the shop said and did, with the ms at which it began.
    fn play(shop: &mut Shop, audio: &[u8]) -> Vec<(usize, String)> {
        let mut seen = Vec::new();
        for (tick, frame) in audio.chunks(160).enumerate() {
            let step = shop.step(frame);
            assert_eq!(step.said.len(), frame.len());
            for event in step.events {
                if let What::ShopSpeaks { line, .. } = event {
                    seen.push((tick * 20, line));
                }
            }
            seen.extend(step.deed.map(|deed| (tick * 20, format!("{deed:?}"))));
        }
        seen
    }

    fn silence(ms: usize) -> Vec<u8> {
        vec![SILENCE; ms * 8]
    }

    fn line(id: &str) -> Vec<u8> {
        speech(id, 1_000).audio
    }

    fn seen(list: &[(usize, &str)]) -> Vec<(usize, String)> {
        list.iter()
            .map(|(ms, what)| (*ms, (*what).to_string()))
            .collect()
    }

    #[test]
    fn the_shop_greets_answers_and_hangs_up() {
        let mut shop = shop(
            "shop = [{ answered = true, after_ms = 100, say = 'hello' },
                     { heard = 'total', say = 'yes', hang_up = true }]",
        );
        assert_eq!(play(&mut shop, &silence(1_200)), seen(&[(100, "hello")]));
        let audio = [line("total"), silence(1_500)].concat();
        assert_eq!(
            play(&mut shop, &audio),
            seen(&[(1_180, "yes"), (2_180, "HangUp")])
        );
        assert!(play(&mut shop, &silence(5_000)).is_empty());
    }

    #[test]
    fn what_the_shop_says_is_the_clip_and_nothing_else() {
        let mut shop = shop("shop = [{ answered = true, say = 'hello' }]");
        let said: Vec<u8> = silence(1_100)
            .chunks(160)
            .flat_map(|frame| shop.step(frame).said)
            .collect();
        assert_eq!(said, [line("hello"), silence(100)].concat());
    }

    #[test]
    fn an_interruption_waits_for_its_place_in_the_line() {
        let mut shop = shop("shop = [{ hearing = 'total', at_ms = 600, say = 'sorry' }]");
        let heard = play(&mut shop, &line("total"));
        assert_eq!(heard, seen(&[(580, "sorry")]));
    }

    #[test]
    fn a_line_cut_short_was_not_heard() {
        let mut shop = shop("shop = [{ heard = 'total', say = 'yes' }]");
        play(&mut shop, &line("total")[..4_000]);
        assert_eq!(shop.cut_off().len(), 1);
        assert!(play(&mut shop, &silence(3_000)).is_empty());
        let again = play(&mut shop, &[line("total"), silence(400)].concat());
        assert_eq!(again, seen(&[(1_180, "yes")]));
    }

    #[test]
    fn each_time_a_line_is_heard_answers_one_rule() {
        let mut shop =
            shop("shop = [{ heard = 'total', say = 'sorry' }, { heard = 'total', say = 'yes' }]");
        let audio = [line("total"), silence(3_000)].concat();
        assert_eq!(play(&mut shop, &audio), seen(&[(1_180, "sorry")]));
        assert_eq!(play(&mut shop, &audio), seen(&[(1_180, "yes")]));
    }

    #[test]
    fn only_the_right_keys_lead_on() {
        let rules = "shop = [{ pressed = '12', say = 'yes' }]";
        let press = |keys: &str| [dtmf::tones(keys), silence(100)].concat();
        let mut right = shop(rules);
        assert!(play(&mut right, &press("1")).is_empty());
        assert_eq!(play(&mut right, &press("2")).len(), 1);
        assert!(play(&mut shop(rules), &press("112")).is_empty());
        assert!(play(&mut shop(rules), &press("3")).is_empty());
    }

    #[test]
    fn quiet_counts_from_the_last_word_of_either_side() {
        let mut shop = shop(
            "shop = [{ quiet_ms = 2000, say = 'hello' }, { quiet_ms = 1000, hang_up = true }]",
        );
        let heard = play(&mut shop, &[line("total"), silence(4_000)].concat());
        assert_eq!(heard, seen(&[(1_980, "HangUp"), (2_980, "hello")]));
    }

    #[test]
    fn keys_come_after_the_words_and_lines_drop_last() {
        let mut shop =
            shop("shop = [{ answered = true, say = 'yes', dtmf = '1', line_drops = true }]");
        let heard = play(&mut shop, &silence(1_200));
        assert_eq!(
            heard,
            seen(&[(0, "yes"), (1_000, "Press(\"1\")"), (1_020, "LineDrops")])
        );
    }
}
