//! How a call goes on: who speaks when, in each mix.

use super::{CutOff, Load, Timer};
use crate::bench::script::{
    DELTA, LARGE_DELTA, Mix, PATIENCE, PAUSE, SMALL_DELTA, START_PIECES, STOP_PIECES, cut_after,
    delay_ms, situation,
};
use crate::bench::tally::Situation;
use std::collections::VecDeque;
use std::sync::Arc;

impl Load {
    /// A call begins with the mix that runs.
    pub(super) fn enter(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        call.epoch += 1;
        let turn = call.turn.take();
        (call.saying, call.cut) = (None, None);
        call.active = now;
        call.delay = if self.mix == Mix::Cut {
            delay_ms(number) * 1_000
        } else {
            0
        };
        if let Some(model) = call.model.and_then(|model| self.models.get_mut(model)) {
            model.finish("completed");
            // Or the bridge would wait for its end.
            if let Some(turn) = turn.filter(|turn| turn.announced) {
                model.speech_stopped(u64::from(call.phone.next) * 20, &turn.words);
            }
        }
        let epoch = call.epoch;
        // Not all at once.
        let spread = u64::from(number.wrapping_mul(2_654_435_761) >> 16 & 0xFF) << 12;
        match self.mix {
            Mix::Silence => {}
            Mix::Both => {
                call.saying = Some((Arc::clone(&self.lines.noise), spread as usize % 25_600));
                self.set(now + 1 + spread / 50, number, Timer::Reply { epoch });
            }
            Mix::Order => {
                self.set(now + 3 * spread, number, Timer::Shop { epoch });
                self.set(now + 3 * spread + PATIENCE, number, Timer::Watch { epoch });
            }
            Mix::Cut => self.set(now + spread, number, Timer::Reply { epoch }),
        }
    }

    /// The model listens to the shop's turn; this was the newest piece of audio.
    pub(super) fn follow_turn(&mut self, now: u64, number: u32, newest: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let model = call.model.and_then(|model| self.models.get_mut(model));
        let (Some(turn), Some(model)) = (&mut call.turn, model) else {
            return;
        };
        let at_ms = u64::from(newest) * 20;
        if !turn.announced && newest >= turn.pieces.start + START_PIECES {
            turn.announced = true;
            model.speech_started(at_ms);
            if model.interrupts {
                model.finish("cancelled");
            }
        }
        if turn.announced && newest >= turn.pieces.end + STOP_PIECES {
            model.speech_stopped(at_ms, &turn.words);
            call.turn = None;
            call.active = now;
            self.tally.turns += u64::from(self.counting);
            if model.creates {
                self.answer(now, number);
            }
        }
    }

    /// A response was asked for.
    pub(super) fn answer(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get(number as usize) else {
            return;
        };
        let epoch = call.epoch;
        // Behind a reply that was cut off comes the next when it has been judged.
        if call.cut.is_none() {
            self.set(now, number, Timer::Reply { epoch });
        }
    }

    /// The agent begins to speak.
    pub(super) fn reply(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let model = call.model.and_then(|model| self.models.get_mut(model));
        let Some(model) = model.filter(|model| model.speaking.is_none()) else {
            return;
        };
        let epoch = call.epoch;
        call.active = now;
        match self.mix {
            Mix::Silence => model.begin(now, &self.lines.greeting, DELTA.0, DELTA.1, false),
            Mix::Both => model.begin(now, &self.lines.long, SMALL_DELTA.0, SMALL_DELTA.1, true),
            Mix::Order => {
                let agent = &self.lines.agent;
                if let Some(line) = agent.get(call.nth as usize % agent.len().max(1)) {
                    model.begin(now, line, DELTA.0, DELTA.1, false);
                }
            }
            Mix::Cut => {
                if call.cut.is_some() {
                    return;
                }
                // Nothing else is to be heard, or it would be cut off as well.
                if call.phone.is_playing(now) {
                    return self.set(now + 100_000, number, Timer::Reply { epoch });
                }
                let situation = situation(number, call.cuts);
                call.cuts += 1;
                let (items, first) = (model.items.len(), model.next);
                let mut rest: VecDeque<_> = match situation {
                    Situation::Queued => self.lines.parts.iter().cloned().collect(),
                    _ => [Arc::clone(&self.lines.long)].into(),
                };
                let (piece, every) = match situation {
                    Situation::Generating => LARGE_DELTA,
                    _ => DELTA,
                };
                if let Some(line) = rest.pop_front() {
                    model.begin(now, &line, piece, every, false);
                }
                call.cut = Some(CutOff {
                    situation,
                    items,
                    first,
                    at: None,
                    clear_us: None,
                    heard: None,
                    stale: 0,
                    rest,
                });
                self.set(now + cut_after(situation), number, Timer::Cut { epoch });
            }
        }
        self.generate(now, number);
    }

    pub(super) fn generate(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let Some(model) = call.model.and_then(|model| self.models.get_mut(model)) else {
            return;
        };
        let Some(length) = model
            .speaking
            .as_ref()
            .map(|speaking| speaking.line.ms() * 1_000)
        else {
            return;
        };
        let epoch = call.epoch;
        if let Some(numbers) = model.generate() {
            for number in numbers {
                call.outbound.sent(now, number, true);
            }
            if let Some(speaking) = &model.speaking {
                let due = speaking.due;
                self.set(due, number, Timer::Generate { epoch });
            }
            return;
        }
        // It is over.
        if let Some(next) = call.cut.as_mut().and_then(|cut| cut.rest.pop_front()) {
            model.begin(now, &next, DELTA.0, DELTA.1, false);
            self.generate(now, number);
        } else if self.mix == Mix::Order {
            let ends_at = now.max(call.active + length) + PAUSE;
            call.active = ends_at;
            self.set(ends_at, number, Timer::Shop { epoch });
        }
    }

    /// The shop says its next line.
    pub(super) fn shop_speaks(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        if call.turn.is_some() {
            return;
        }
        call.active = now;
        call.nth += 1;
        let shop = &self.lines.shop;
        if let Some(line) = shop.get(call.nth as usize % shop.len().max(1)) {
            call.say(line, false);
        }
    }

    /// Nobody has said anything for a while: an order goes on all the same.
    pub(super) fn watch(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let speaks = call
            .model
            .and_then(|model| self.models.get(model)?.speaking.as_ref());
        if speaks.is_none() && call.turn.is_none() && now >= call.active + PATIENCE {
            self.tally.unanswered += u64::from(self.counting);
            self.shop_speaks(now, number);
        }
        let Some(call) = self.calls.get(number as usize) else {
            return;
        };
        let epoch = call.epoch;
        self.set(now + PATIENCE / 2, number, Timer::Watch { epoch });
    }
}
