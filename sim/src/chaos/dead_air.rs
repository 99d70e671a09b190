//! How long the shop heard nobody after a loss, from what was on the line sample by sample.

use crate::play::Play;
use crate::timeline::{Event, What};
use orderline::audio::ulaw;

/// Bytes of a frame of 20 ms.
const FRAME: usize = 160;
const FRAME_MS: u64 = 20;
/// Frames below this level are silence, in dB relative to full scale.
const FLOOR_DBFS: f32 = -50.0;
/// A pause of so many frames is still the same talk.
const PAUSE: usize = 20;
/// A talk may lose so much at its end and still be whole, in ms.
const TOLERANCE_MS: u64 = 120;

/// From the loss of the model to the agent's voice, in ms, without the time in which the shop
/// speaks. Where the agent is audible when it happens, the time counts from where that talk breaks
/// off; a talk that comes to its end leaves the word to the shop, and nothing is lost. Where it has
/// come to its end before, the time counts from the shop's answer. None when nothing comes.
pub fn after_lost_model(play: &Play, fault_ms: u64) -> Option<u64> {
    let line = Line::of(play)?;
    let at = line.frame(fault_ms);
    let mut silent_from = at;
    if *line.agent.get(at)? {
        silent_from = at + line.agent.iter().skip(at).position(|voiced| !voiced)?;
        if ends_whole(play, line.ms(silent_from)) {
            return Some(0);
        }
    } else if line.is_the_shops(play, at) {
        silent_from = line.answer(at).unwrap_or(at);
    }
    line.silence(silent_from, silent_from)
}

/// The same after the loss of the stream: the voice has to come on another one.
pub fn after_lost_stream(play: &Play, fault_ms: u64) -> Option<u64> {
    let line = Line::of(play)?;
    let events = play.timeline.events();
    let again = |event: &&Event| event.ms >= fault_ms && event.what == What::StreamStarted;
    let again = events.iter().find(again)?.ms;
    line.silence(line.frame(fault_ms), line.frame(again))
}

/// Who was audible, frame by frame since the answer.
struct Line {
    answered_ms: u64,
    agent: Vec<bool>,
    shop: Vec<bool>,
}

impl Line {
    fn of(play: &Play) -> Option<Self> {
        let events = play.timeline.events();
        let answered = events.iter().find(|event| event.what == What::Answered)?;
        let line = play.line.lock().ok()?;
        Some(Self {
            answered_ms: answered.ms,
            agent: voiced(&line.to_shop),
            shop: voiced(&line.from_shop),
        })
    }

    fn frame(&self, ms: u64) -> usize {
        usize::try_from(ms.saturating_sub(self.answered_ms) / FRAME_MS).unwrap_or(usize::MAX)
    }

    fn ms(&self, frame: usize) -> u64 {
        self.answered_ms + frame as u64 * FRAME_MS
    }

    /// Whether the shop has the word here, and has not said anything yet.
    fn is_the_shops(&self, play: &Play, at: usize) -> bool {
        let voice = |voiced: &[bool]| voiced.get(..at)?.iter().rposition(|voiced| *voiced);
        let Some(last) = voice(&self.agent) else {
            return false;
        };
        voice(&self.shop).is_none_or(|shop| shop < last) && ends_whole(play, self.ms(last + 1))
    }

    /// Where the shop answers what was said before this frame, unless the agent speaks first.
    fn answer(&self, at: usize) -> Option<usize> {
        let voice = |voiced: &[bool]| voiced.iter().skip(at).position(|voiced| *voiced);
        let shop = voice(&self.shop)?;
        let first = voice(&self.agent).is_none_or(|agent| shop < agent);
        first.then_some(at + shop)
    }

    /// From a frame to the agent's first voice at or after another, without the shop's words.
    fn silence(&self, from: usize, earliest: usize) -> Option<u64> {
        let voice = self
            .agent
            .iter()
            .skip(earliest)
            .position(|voiced| *voiced)?;
        let silent = self.shop.get(from..earliest + voice)?;
        Some(silent.iter().filter(|voiced| !**voiced).count() as u64 * FRAME_MS)
    }
}

/// Whether the agent's talk that ended about then was a whole line.
fn ends_whole(play: &Play, end_ms: u64) -> bool {
    let events = play.timeline.events();
    // The ear says so a little later, when the pause has become a silence.
    let mut ends = events
        .iter()
        .filter(|event| event.ms + TOLERANCE_MS >= end_ms);
    ends.find_map(|event| match &event.what {
        What::AgentStopped { line, cut, .. } => Some(!line.is_empty() && !cut),
        _ => None,
    })
    .unwrap_or(false)
}

/// Which frames have a voice in them; short pauses belong to it.
fn voiced(audio: &[u8]) -> Vec<bool> {
    let mut voiced: Vec<bool> = audio
        .chunks(FRAME)
        .map(|frame| level(frame) > FLOOR_DBFS)
        .collect();
    let mut last: Option<usize> = None;
    for at in 0..voiced.len() {
        if !voiced[at] {
            continue;
        }
        if let Some(last) = last.filter(|last| at - last <= PAUSE) {
            voiced[last..at].fill(true);
        }
        last = Some(at);
    }
    voiced
}

fn level(frame: &[u8]) -> f32 {
    let sum: f32 = frame
        .iter()
        .map(|&byte| (f32::from(ulaw::decode(byte)) / 32_768.0).powi(2))
        .sum();
    10.0 * (sum / frame.len().max(1) as f32).max(1e-12).log10()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;

    const VOICE: u8 = 0x10;

    /// A call answered at 0 with these stretches on the line: who speaks, for how many ms.
    fn call(stretches: &[(&str, usize)], stops: &[(u64, bool)]) -> Play {
        let scenario = Scenario::parse(
            "x",
            "about = 'a'\ninstructions_contain = 'b'\nrequest = { to = '+1' }\nexpect = { status = '' }",
        )
        .unwrap();
        let play = Play::in_virtual_time(scenario);
        play.timeline.push(What::Answered);
        for (who, ms) in stretches {
            let mut line = play.line.lock().unwrap();
            let byte = |speaks: bool| if speaks { VOICE } else { ulaw::SILENCE };
            let bytes = ms * 8;
            line.to_shop.extend(vec![byte(*who == "agent"); bytes]);
            line.from_shop.extend(vec![byte(*who == "shop"); bytes]);
        }
        for (ms, cut) in stops {
            play.timeline.set_ms(*ms);
            play.timeline.push(What::AgentStopped {
                line: "a".into(),
                played_ms: 0,
                missed_ms: 0,
                cut: *cut,
            });
        }
        play
    }

    #[test]
    fn silence_counts_and_the_shop_s_own_words_do_not() {
        let line = [("", 1_000), ("shop", 2_000), ("", 600), ("agent", 500)];
        assert_eq!(after_lost_model(&call(&line, &[]), 400), Some(1_200));
        assert_eq!(after_lost_model(&call(&line[..3], &[]), 400), None);
    }

    #[test]
    fn a_talk_that_breaks_off_counts_and_a_whole_one_does_not() {
        let line = [("agent", 2_000), ("", 3_000), ("agent", 1_000)];
        assert_eq!(
            after_lost_model(&call(&line, &[(2_200, true)]), 1_000),
            Some(3_000)
        );
        assert_eq!(
            after_lost_model(&call(&line, &[(2_200, false)]), 1_000),
            Some(0)
        );
    }

    #[test]
    fn where_the_shop_has_the_word_its_thinking_does_not_count() {
        let line = [
            ("agent", 1_000),
            ("", 1_500),
            ("shop", 800),
            ("", 700),
            ("agent", 500),
        ];
        let waited = |cut| after_lost_model(&call(&line, &[(1_200, cut)]), 1_600);
        assert_eq!((waited(false), waited(true)), (Some(700), Some(1_600)));
        let unasked = [line[0], line[1], line[4]];
        assert_eq!(
            after_lost_model(&call(&unasked, &[(1_200, false)]), 1_600),
            Some(900),
            "the agent goes on by itself"
        );
    }

    #[test]
    fn after_a_lost_stream_only_a_new_one_counts() {
        let play = call(&[("agent", 1_000), ("", 2_000), ("agent", 1_000)], &[]);
        assert_eq!(after_lost_stream(&play, 500), None);
        play.timeline.set_ms(2_500);
        play.timeline.push(What::StreamStarted);
        assert_eq!(after_lost_stream(&play, 500), Some(2_500));
    }
}
