//! One row of the picture: from the top the agent's words and waveform, the marks' labels, the
//! shop's waveform and words, and the time.

use super::story::{Kind, Side, Story, Turn};
use super::text::{REGULAR, escape, fitted, wrapped};
use super::{
    AGENT, AGENT_TINT, CUT, GRID, INK, LEFT, MUTED, PAPER, RIGHT, SHOP, SHOP_TINT, TOOL, WIDTH,
    wave,
};
use std::fmt::Write as _;

const PLOT: f64 = WIDTH - LEFT - RIGHT;
const WORDS: f64 = 66.0;
const WORD_SIZE: f64 = 13.0;
const WORD_LINE: f64 = 15.5;
const WORD_LINES: usize = 4;
/// A short turn's words may be wider than the turn, where there is room.
const WORDS_MIN: f64 = 170.0;
const BAR: f64 = 4.0;
const WAVE: f64 = 72.0;
const FLAG: f64 = 18.0;
const FLAG_SIZE: f64 = 11.5;
const AXIS: f64 = 26.0;
const GAP: f64 = 26.0;

/// A stretch of the call.
pub(super) struct Row<'a> {
    pub(super) from_ms: u64,
    pub(super) ms: u64,
    pub(super) story: &'a Story,
    pub(super) gain: f64,
    pub(super) last: bool,
}

/// A mark's label: where it starts and ends, and its place among the lanes.
struct Flag<'a> {
    x: f64,
    from: f64,
    lane: usize,
    width: f64,
    text: String,
    kind: &'a Kind,
}

impl Row<'_> {
    /// Draws the row below `y`; where the next one starts.
    pub(super) fn draw(&self, out: &mut String, y: f64, agent: &[u8], shop: &[u8]) -> f64 {
        let flags = self.flags();
        let lanes = flags.iter().map(|flag| flag.lane + 1).max().unwrap_or(0);
        let agent_wave = y + WORDS + BAR + 4.0;
        let labels = agent_wave + WAVE;
        let shop_wave = labels + (lanes as f64 * FLAG + 8.0).max(14.0);
        let shop_words = shop_wave + WAVE + 4.0;
        let axis = shop_words + BAR + WORDS + 2.0;

        self.draw_time(out, y, axis);
        for (audio, top, colour) in [(agent, agent_wave, AGENT), (shop, shop_wave, SHOP)] {
            let middle = top + WAVE / 2.0;
            let reach = (WAVE / 2.0 - 2.0) * self.gain;
            let path = wave::path(
                audio,
                (self.from_ms, self.ms),
                (LEFT, PLOT),
                (middle, reach),
            );
            let _ = writeln!(out, "<path d='{path}' fill='{colour}'/>");
        }
        for (name, top, colour) in [("Agent", agent_wave, AGENT), ("Shop", shop_wave, SHOP)] {
            let _ = writeln!(
                out,
                "<text x='{:.1}' y='{:.1}' font-size='15' font-weight='bold' fill='{colour}' text-anchor='end'>{name}</text>",
                LEFT - 14.0,
                top + WAVE / 2.0 + 5.0
            );
        }
        self.draw_turns(out, Side::Agent, y);
        self.draw_turns(out, Side::Shop, shop_words);
        for flag in &flags {
            draw_flag(
                out,
                flag,
                agent_wave,
                shop_wave + WAVE,
                labels + 4.0 + flag.lane as f64 * FLAG,
            );
        }
        axis + AXIS + GAP
    }

    fn draw_time(&self, out: &mut String, top: f64, axis: f64) {
        for second in self.from_ms.div_ceil(1000)..=(self.from_ms + self.ms) / 1000 {
            let x = self.x(second * 1000);
            let (length, colour) = if second % 5 == 0 {
                (axis - top, GRID)
            } else {
                (0.0, GRID)
            };
            let _ = writeln!(
                out,
                "<path d='M{x:.1} {:.1}V{:.1}' stroke='{colour}' stroke-width='1'/>",
                axis - length,
                axis + 5.0
            );
            if second % 5 == 0 {
                let _ = writeln!(
                    out,
                    "<text x='{x:.1}' y='{:.1}' font-size='12' fill='{MUTED}' text-anchor='middle'>{}:{:02}</text>",
                    axis + 19.0,
                    second / 60,
                    second % 60
                );
            }
        }
        let _ = writeln!(
            out,
            "<path d='M{LEFT} {axis:.1}h{PLOT:.1}' stroke='{MUTED}' stroke-width='1' opacity='0.5'/>"
        );
    }

    fn draw_turns(&self, out: &mut String, side: Side, y: f64) {
        let turns: Vec<&Turn> = self
            .story
            .of(side)
            .filter(|turn| self.shows(turn))
            .collect();
        let (colour, tint) = if side == Side::Agent {
            (AGENT, AGENT_TINT)
        } else {
            (SHOP, SHOP_TINT)
        };
        for (index, turn) in turns.iter().enumerate() {
            let (from, to) = (
                self.x(turn.from),
                self.x(turn.to).max(self.x(turn.from) + 3.0),
            );
            let limit = turns
                .get(index + 1)
                .map_or(LEFT + PLOT, |next| self.x(next.from) - 5.0);
            let width = (to - from).max(WORDS_MIN.min(limit - from));
            let lines = wrapped(
                self.words(turn),
                &REGULAR,
                WORD_SIZE,
                width - 12.0,
                WORD_LINES,
            );
            let text_width = lines
                .iter()
                .map(|line| REGULAR.width(line, WORD_SIZE))
                .fold(0.0, f64::max)
                + 12.0;
            let width = (to - from).max(text_width);
            let height = lines.len() as f64 * WORD_LINE + 6.0;
            // The bar lies on the waveform's side and is as long as the turn; the words hang on it.
            let (bar, block) = match side {
                Side::Agent => (y + WORDS, y + WORDS - height),
                Side::Shop => (y, y + BAR),
            };
            if !lines.is_empty() {
                let _ = writeln!(
                    out,
                    "<rect x='{from:.1}' y='{block:.1}' width='{width:.1}' height='{height:.1}' rx='3' fill='{tint}'/>"
                );
            }
            let _ = writeln!(
                out,
                "<rect x='{from:.1}' y='{bar:.1}' width='{:.1}' height='{BAR}' fill='{colour}'/>",
                to - from
            );
            for (number, line) in lines.iter().enumerate() {
                let _ = writeln!(
                    out,
                    "<text x='{:.1}' y='{:.1}' font-size='{WORD_SIZE}' fill='{INK}'>{}</text>",
                    from + 6.0,
                    block + 14.5 + number as f64 * WORD_LINE,
                    escape(line)
                );
            }
            if turn.cut && turn.to <= self.from_ms + self.ms {
                let _ = writeln!(
                    out,
                    "<rect x='{:.1}' y='{:.1}' width='4' height='{:.1}' fill='{CUT}'/>",
                    to - 4.0,
                    bar - 1.0,
                    BAR + 2.0
                );
            }
        }
    }

    /// The words stand where most of the turn is; the other row only shows that it goes on.
    fn words<'t>(&self, turn: &'t Turn) -> &'t str {
        let end = self.from_ms + self.ms;
        let here = turn.to.min(end).saturating_sub(turn.from.max(self.from_ms));
        let elsewhere = (turn.to - turn.from).saturating_sub(here);
        let begins_here = turn.from >= self.from_ms;
        if here > elsewhere || (here == elsewhere && begins_here) {
            &turn.text
        } else {
            "…"
        }
    }

    fn flags(&self) -> Vec<Flag<'_>> {
        let mut ends: Vec<f64> = Vec::new();
        let mut flags = Vec::new();
        for mark in self.story.marks.iter().filter(|mark| self.has(mark.ms)) {
            let x = self.x(mark.ms);
            let text = fitted(&mark.label, &REGULAR, FLAG_SIZE, PLOT / 2.0);
            let width = REGULAR.width(&text, FLAG_SIZE) + 12.0;
            let from = if x + width > LEFT + PLOT {
                x - width
            } else {
                x
            };
            let lane = ends
                .iter()
                .position(|&end| end + 4.0 < from)
                .unwrap_or(ends.len());
            ends.resize(ends.len().max(lane + 1), 0.0);
            if let Some(end) = ends.get_mut(lane) {
                *end = from + width;
            }
            flags.push(Flag {
                x,
                from,
                lane,
                width,
                text,
                kind: &mark.kind,
            });
        }
        flags
    }

    fn x(&self, ms: u64) -> f64 {
        let into = ms.saturating_sub(self.from_ms).min(self.ms);
        LEFT + PLOT * into as f64 / self.ms as f64
    }

    fn shows(&self, turn: &Turn) -> bool {
        turn.from < self.from_ms + self.ms && turn.to > self.from_ms
    }

    /// A mark at the very end belongs to the last row.
    fn has(&self, ms: u64) -> bool {
        ms >= self.from_ms && (ms < self.from_ms + self.ms || self.last)
    }
}

fn draw_flag(out: &mut String, flag: &Flag<'_>, top: f64, bottom: f64, y: f64) {
    let (colour, dash) = match flag.kind {
        Kind::Tool => (TOOL, "3 3"),
        Kind::Cut => (CUT, "none"),
        Kind::Note => (MUTED, "1 3"),
    };
    let _ = writeln!(
        out,
        "<path d='M{:.1} {top:.1}V{bottom:.1}' stroke='{colour}' stroke-width='1.5' stroke-dasharray='{dash}' opacity='0.75'/>\n\
         <rect x='{:.1}' y='{y:.1}' width='{:.1}' height='{:.1}' rx='3' fill='{colour}'/>\n\
         <text x='{:.1}' y='{:.1}' font-size='{FLAG_SIZE}' fill='{PAPER}'>{}</text>",
        flag.x,
        flag.from,
        flag.width,
        FLAG - 3.0,
        flag.from + 6.0,
        y + 11.5,
        escape(&flag.text)
    );
}
