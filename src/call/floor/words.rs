//! What the shop's turns become: an answer, a mere acknowledgement, or an echo of the agent that is
//! nobody's words.

use super::super::Call;
use super::super::output::{LogLine, Output};
use super::super::timers::Timer;
use super::{Doubt, Effect};
use crate::audio::echo::Source;
use crate::order::answer::{self, Answer};
use crate::order::backchannel::is_backchannel;
use crate::order::own_words::{quotes, repeats};
use crate::realtime::client;
use std::collections::VecDeque;

/// Who says "okay" this shortly before the agent's last word answers it, in ms.
const ANSWER_MS: u64 = 800;
/// Turns that are remembered until their words have come.
const MAX_REMEMBERED: usize = 32;
/// So many words of the agent in what a voice has said are an echo behind it.
const TELLING_WORDS: usize = 4;
/// An echo is of one of the agent's newest turns, some of which may have been cut off before they were
/// heard, or of the end of one and the beginning of the next. So many bytes of each are remembered.
const ECHOED_TURNS: usize = 6;
const MAX_ECHOED: usize = 2_000;

impl Call {
    /// The shop's turn is part of the conversation: it is the agent's turn.
    pub(in crate::call) fn shop_turn_taken(&mut self, now: u64, item_id: &str) {
        self.timers.stop(Timer::Commit);
        self.floor.turn_comes = false;
        self.floor.model_since = None;
        if self.floor.pause.is_some() {
            self.give_up_floor(now);
        }
        self.utterance(now);
        let Some(utterance) = self.floor.utterance.take() else {
            return;
        };
        if utterance.is_echo() {
            return self.forget_echo(item_id);
        }
        self.log(LogLine::debug("shop_turn"));
        let at = self.record.at_ms(utterance.began_at);
        self.record.transcript.shop_turn(item_id, at);
        let until = self.record.at_ms(utterance.ended_at);
        self.record.transcript.shop_until(item_id, until);
        let answers = match utterance.effect {
            Effect::Resumed { place: Some(place) } if place.rest_ms > ANSWER_MS => {
                let transcript = &mut self.record.transcript;
                transcript.acknowledge(item_id, &place.item_id, place.bytes);
                false
            }
            // The answer to what was said before is on its way.
            Effect::Resumed { place: None } => false,
            _ => true,
        };
        let has_voice = utterance.source == Source::Somebody;
        let may_be_echo = utterance.overlaps || self.floor.echo_at.is_some();
        let waits = answers && may_be_echo && !has_voice;
        if utterance.overlaps || !has_voice {
            let item_id = item_id.to_owned();
            remember(
                &mut self.floor.doubtful,
                Doubt {
                    item_id,
                    has_voice,
                    in_words: utterance.in_words,
                    waits,
                },
            );
        }
        if answers && !waits {
            self.answer_shop(now);
        }
    }

    /// It is the agent's turn to speak. Where there is no line, that of the next one decides.
    fn answer_shop(&mut self, now: u64) {
        if self.ending.is_closing() || !self.phone.is_streaming() {
            return;
        }
        if self.greeting_is_due() {
            self.greet(now);
        } else {
            self.want(None, true);
        }
    }

    /// Whether the words of a turn are the shop's, and not the agent's own, come back.
    pub(in crate::call) fn are_the_shops(&mut self, now: u64, item_id: &str, words: &str) -> bool {
        if self.floor.echoes.iter().any(|echo| echo == item_id) {
            return false;
        }
        let doubtful = &mut self.floor.doubtful;
        let at = doubtful.iter().position(|doubt| doubt.item_id == item_id);
        let Some(doubt) = at.and_then(|at| doubtful.remove(at)) else {
            return true;
        };
        // The first echo of a line is known by its words: who begins while the agent speaks can only
        // say what the agent says, word for word, if it is the agent.
        let is_first = self.floor.echo_at.is_none();
        let may_be_echo = !is_first || (doubt.in_words && count(words) >= TELLING_WORDS);
        if may_be_echo && self.repeats_agent(words, doubt.has_voice, is_first) {
            self.floor.echo_at.get_or_insert(now);
            self.record.transcript.remove(item_id);
            self.forget_echo(item_id);
            return false;
        }
        // Where only the model heard something, no words are nobody's.
        if doubt.waits && !words.trim().is_empty() {
            self.answer_shop(now);
        }
        true
    }

    /// The words of a turn that was taken for a mere acknowledgement say more: the agent stops
    /// after all.
    pub(in crate::call) fn reconsider(&mut self, now: u64, item_id: &str, words: &str) {
        let turn = self.record.transcript.get(item_id);
        if turn.is_some_and(|turn| turn.acknowledges.is_some()) && !is_backchannel(words) {
            self.record.transcript.not_acknowledgement(item_id);
            if !self.ending.is_closing() && !self.phone.gone {
                self.log(LogLine::info("reconsidered"));
                self.interrupt(now);
                self.want(None, true);
            }
        }
    }

    /// The agent is made to say these words, whatever of them will be heard.
    pub(in crate::call) fn note_words(&mut self, item_id: &str, words: &str) {
        let said = &mut self.floor.said;
        match said.last_mut().filter(|(id, _)| id == item_id) {
            Some((_, known)) if known.len().saturating_add(words.len()) <= MAX_ECHOED => {
                known.push_str(words);
            }
            Some(_) => {}
            None => {
                if said.len() >= ECHOED_TURNS {
                    said.remove(0);
                }
                said.push((item_id.to_owned(), words.to_owned()));
            }
        }
    }

    /// Whether the words are the agent's. A voice may say "no" when the agent has just said it, too, so
    /// that of a voice only longer words tell, and those that quote the agent and answer nothing.
    fn repeats_agent(&self, words: &str, has_voice: bool, to_the_letter: bool) -> bool {
        let count = count(words);
        let answers = is_backchannel(words) || answer::read(words) != Answer::Neither;
        let is_of = |said: &str| {
            if !to_the_letter && (!has_voice || count >= TELLING_WORDS) {
                repeats(words, said)
            } else {
                (count > 1 || !answers) && quotes(words, said)
            }
        };
        let said = || self.floor.said.iter().map(|(_, words)| words.as_str());
        let next = said().skip(1).chain([""]);
        said()
            .zip(next)
            .any(|(turn, next)| is_of(&format!("{turn} {next}")))
    }

    /// The model heard the agent itself, and took it for the shop.
    fn forget_echo(&mut self, item_id: &str) {
        self.log(LogLine::info("echo_forgotten"));
        remember(&mut self.floor.echoes, item_id.to_owned());
        let event_id = self.model.event_id();
        self.out
            .push_back(Output::Model(client::delete_item(&event_id, item_id)));
    }
}

fn count(words: &str) -> usize {
    words.split_whitespace().count()
}

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() >= MAX_REMEMBERED {
        list.pop_front();
    }
    list.push_back(entry);
}
