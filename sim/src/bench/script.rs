//! What the calls of the load consist of.

use super::model::Line;
use super::tag::PIECE;
use super::tally::Situation;
use crate::clips::Clips;
use anyhow::Context;
use std::sync::Arc;

/// What happens on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Nobody speaks.
    Silence,
    /// Sound both ways without a pause, 20 ms at a time. The shop's is no speech, for a bridge that
    /// listens would let the agent fall silent; but it moves like speech, so that it has to listen.
    Both,
    /// An order by turns: the agent speaks, the shop answers.
    Order,
    /// Replies are cut off, in every [`Situation`] and with and without delay on the line.
    Cut,
}

/// 20 ms, in µs.
pub const TICK: u64 = 20_000;
/// What the model generates at once in a conversation, in bytes, and how often: four times as fast as
/// it plays.
pub const DELTA: (usize, u64) = (1_600, 50_000);
/// The same where a reply is cut off: the larger ones are worse for who reckons by them.
pub const LARGE_DELTA: (usize, u64) = (3_200, 100_000);
/// The same where both sides make sound: as the phone's frames.
pub const SMALL_DELTA: (usize, u64) = (PIECE, TICK);
/// What still comes after speech was heard, in deltas (`peers.md` §4.1).
pub const IN_FLIGHT: u32 = 2;
/// The model hears speech after so many pieces of it, and its end so many pieces later.
pub const START_PIECES: u32 = 10;
pub const STOP_PIECES: u32 = 25;
/// The shop answers so long after the agent's last word, in µs.
pub const PAUSE: u64 = 600_000;
/// If the agent has not answered so long after a turn, the shop speaks again, in µs.
pub const PATIENCE: u64 = 4_000_000;
/// One-way delay of every other call in [`Mix::Cut`], in ms.
pub const DELAY_MS: u64 = 60;

/// The lines of a plausible order, and of what cuts it off.
pub struct Lines {
    pub greeting: Arc<Line>,
    pub agent: Vec<Arc<Line>>,
    pub shop: Vec<Arc<Line>>,
    pub interruption: Arc<Line>,
    /// A long reply, and the parts of several.
    pub long: Arc<Line>,
    pub parts: Vec<Arc<Line>>,
    /// Loud and restless, and no speech.
    pub noise: Arc<Line>,
}

impl Lines {
    /// From the recorded lines of the scenarios.
    pub fn load(clips: &Clips) -> anyhow::Result<Self> {
        let line = |id: &str| {
            let clip = clips
                .get(id)
                .with_context(|| format!("there is no line {id}"))?;
            anyhow::Ok(Line::new(&clip.text, &clip.audio))
        };
        let all = |ids: &[&str]| {
            ids.iter()
                .map(|id| line(id))
                .collect::<anyhow::Result<Vec<_>>>()
        };
        let long = line("shop-interrupts-read-back/read-back-again")?;
        let part = |from_ms: usize, ms: usize| {
            let audio = long.audio.get(from_ms * 8..(from_ms + ms) * 8);
            Line::new("one part of it", audio.unwrap_or_default())
        };
        Ok(Self {
            greeting: line("generic/disclosure")?,
            agent: all(&[
                "generic/order-pickup",
                "pickup/order",
                "pickup/name",
                "pickup/read-back",
                "generic/goodbye",
            ])?,
            shop: all(&[
                "pickup/hello",
                "pickup/what-size",
                "pickup/who-for",
                "pickup/all-good",
                "pickup/total",
            ])?,
            interruption: line("shop-interrupts-read-back/hold-on")?,
            parts: vec![part(0, 1_600), part(1_600, 2_000), part(3_600, 3_000)],
            noise: noise(),
            long,
        })
    }

    /// Lines without a recording, for tests.
    #[cfg(test)]
    pub fn plain() -> Self {
        let line = |ms: usize| Line::new("some words of a line", &vec![0x55; ms * 8]);
        Self {
            greeting: line(400),
            agent: vec![line(1_000), line(2_000)],
            shop: vec![line(600)],
            interruption: line(1_000),
            long: line(8_000),
            parts: vec![line(1_600), line(2_000), line(3_000)],
            noise: noise(),
        }
    }
}

/// Bursts of noise, four in five parts loud: music would be loud for longer (`audio::ear`).
fn noise() -> Arc<Line> {
    let mut state = 1u32;
    let audio = (0..32_000usize).map(|at| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        // Codes from 0xA0 on are 8,000 and less; from 0xD8, 700.
        let (loudest, codes) = if at / 800 % 4 == 3 {
            (0xD8, 32)
        } else {
            (0xA8, 40)
        };
        let sign = if state >> 31 == 0 { 0x80 } else { 0 };
        let code = loudest + ((state >> 8) % codes) as u8;
        code ^ sign
    });
    Line::new("", &audio.collect::<Vec<u8>>())
}

/// When a reply is cut off, after it began, in µs.
pub fn cut_after(situation: Situation) -> u64 {
    match situation {
        Situation::Generating => 1_250_000,
        Situation::Playing => 2_450_000,
        Situation::Queued => 2_650_000,
    }
}

/// The situation of a call's nth cut.
pub fn situation(call: u32, nth: u32) -> Situation {
    // The delay alternates, so that all six pairs come.
    match (call / 2 + nth) % 3 {
        0 => Situation::Generating,
        1 => Situation::Playing,
        _ => Situation::Queued,
    }
}

/// The delay of a call in [`Mix::Cut`], in ms.
pub fn delay_ms(call: u32) -> u64 {
    if call.is_multiple_of(2) { 0 } else { DELAY_MS }
}
