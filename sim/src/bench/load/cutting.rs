//! A reply is cut off, and what has become of it is judged.

use super::{Load, Timer};
use crate::bench::script::{IN_FLIGHT, STOP_PIECES, TICK};
use crate::bench::tally::Cut;
use std::ops::Range;
use std::sync::Arc;

impl Load {
    /// The model hears speech, and the shop begins to speak.
    pub(super) fn cut_off(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let Some(model) = call.model.and_then(|model| self.models.get_mut(model)) else {
            return;
        };
        let Some(cut) = &mut call.cut else {
            return;
        };
        cut.at = Some(now);
        cut.rest.clear();
        model.speech_started(u64::from(call.phone.next) * 20);
        if let Some(speaking) = &mut model.speaking {
            speaking.left = Some(IN_FLIGHT);
        }
        let line = Arc::clone(&self.lines.interruption);
        call.say(&line, true);
        let epoch = call.epoch;
        // Its end is heard, and told to the bridge, and what the bridge tells comes back.
        let stop = u64::from(STOP_PIECES) * TICK;
        let told = line.ms() * 1_000 + stop + 2 * call.delay + 700_000;
        self.set(now + told, number, Timer::Judge { epoch });
    }

    /// What has become of a reply that was cut off.
    pub(super) fn judge(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let Some(model) = call.model.and_then(|model| self.models.get_mut(model)) else {
            return;
        };
        let Some(cut) = call.cut.take() else {
            return;
        };
        let items = model.items.get(cut.items..).unwrap_or_default();
        let heard = cut.heard.unwrap_or_else(|| {
            let heard = |numbers: &Range<u32>| call.phone.heard(now, number, numbers.clone()) / 8;
            items.iter().map(|item| heard(&item.numbers)).collect()
        });
        let heard = heard.into_iter().chain(std::iter::repeat(0));
        let errors = items.iter().zip(heard);
        let error_ms = errors
            .map(|(item, heard)| item.believed_ms().abs_diff(heard))
            .sum();
        self.tally.cuts.push(Cut {
            situation: cut.situation,
            delay_ms: call.delay / 1_000,
            clear_us: cut.clear_us,
            error_ms,
            stale_ms: cut.stale,
        });
        // The line falls silent for the next.
        call.phone.clear(now);
        let epoch = call.epoch;
        self.set(now + 300_000, number, Timer::Reply { epoch });
        self.hand_over(now, number);
    }
}
