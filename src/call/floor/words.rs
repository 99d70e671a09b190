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
/// An echo is of one of the agent's newest turns.
const ECHOED_TURNS: usize = 3;

impl Call {
    /// The shop's turn is part of the conversation: it is the agent's turn.
    pub(in crate::call) fn shop_turn_taken(&mut self, now: u64, item_id: &str) {
        self.timers.stop(Timer::Commit);
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
                    waits,
                },
            );
        }
        if answers && !waits {
            self.answer_shop(now);
        }
    }

    /// It is the agent's turn to speak.
    fn answer_shop(&mut self, now: u64) {
        if self.ending.is_closing() || self.phone.gone {
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
        if self.floor.echo_at.is_some() && self.repeats_agent(words, doubt.has_voice) {
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

    /// Whether the words are the agent's. A voice may say "no" when the agent has just said it, too, so
    /// that of a voice only longer words tell, and those that quote the agent and answer nothing.
    fn repeats_agent(&self, words: &str, has_voice: bool) -> bool {
        let turns: Vec<_> = self.record.transcript.agent_turns().collect();
        let latest = turns.iter().rev().take(ECHOED_TURNS).rev();
        let said: String = latest.map(|turn| turn.words().to_owned() + " ").collect();
        let count = words.split_whitespace().count();
        if !has_voice || count >= TELLING_WORDS {
            return repeats(words, &said);
        }
        let answers = is_backchannel(words) || answer::read(words) != Answer::Neither;
        (count > 1 || !answers) && quotes(words, &said)
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

fn remember<T>(list: &mut VecDeque<T>, entry: T) {
    if list.len() >= MAX_REMEMBERED {
        list.pop_front();
    }
    list.push_back(entry);
}
