//! One picture of a call: both directions of the line as waveforms over time, what was said as
//! labelled blocks, interruptions and tool calls as marked lines. Long calls wrap like sheet
//! music. Drawn as SVG and rendered with a font of its own, so it looks the same everywhere.

mod row;
mod story;
mod text;
mod wave;

use crate::timeline::Event;
use anyhow::Context;
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};
use row::Row;
use std::fmt::Write as _;
use story::Story;
use text::{BOLD, REGULAR, escape};

const WIDTH: f64 = 1600.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 36.0;
const HEADER: f64 = 112.0;
const FOOTER: f64 = 14.0;
/// A row shows at most so much, so that a sentence fits into its block.
const ROW_MS: u64 = 32_000;

const PAPER: &str = "#fcfbf8";
const INK: &str = "#1f2933";
const MUTED: &str = "#75808c";
const GRID: &str = "#ebe7df";
const AGENT: &str = "#2a6496";
const AGENT_TINT: &str = "#e6eff7";
const SHOP: &str = "#b0651c";
const SHOP_TINT: &str = "#f9eee2";
const TOOL: &str = "#6b4c9a";
const CUT: &str = "#c2323c";
const GOOD: &str = "#2f7d52";

/// What is drawn.
pub struct Picture<'a> {
    /// Name of the scenario.
    pub title: &'a str,
    /// One sentence about it.
    pub about: &'a str,
    /// Status of the outcome.
    pub status: &'a str,
    /// Total of the outcome.
    pub total: Option<f64>,
    /// The call's timeline.
    pub events: &'a [Event],
    /// What the shop heard, μ-law from the answer on.
    pub agent: &'a [u8],
    /// What the shop said, μ-law from the answer on.
    pub shop: &'a [u8],
}

impl Picture<'_> {
    /// The picture as a PNG file.
    pub fn to_png(&self) -> anyhow::Result<Vec<u8>> {
        let mut options = Options {
            font_family: text::FAMILY.to_owned(),
            ..Options::default()
        };
        for font in [REGULAR.data, BOLD.data] {
            options.fontdb_mut().load_font_data(font.to_vec());
        }
        let tree = Tree::from_str(&self.to_svg(), &options).context("the picture is no SVG")?;
        let size = tree.size().to_int_size();
        let mut pixels =
            Pixmap::new(size.width(), size.height()).context("the picture is too big")?;
        resvg::render(&tree, Transform::default(), &mut pixels.as_mut());
        pixels.encode_png().context("the picture cannot be encoded")
    }

    fn to_svg(&self) -> String {
        let story = Story::new(self.events, self.agent.len().max(self.shop.len()));
        let count = story.duration_ms.div_ceil(ROW_MS);
        // Whole seconds, so that every row starts at a labelled one.
        let row_ms = story.duration_ms.div_ceil(count).next_multiple_of(1000);
        let gain = wave::gain(self.agent, self.shop);
        let mut body = String::new();
        let mut y = HEADER;
        for index in 0..count {
            let row = Row {
                from_ms: index * row_ms,
                ms: row_ms,
                story: &story,
                gain,
                last: index + 1 == count,
            };
            y = row.draw(&mut body, y, self.agent, self.shop);
        }
        let height = y + FOOTER;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='{height:.0}' font-family='{}'>\n\
             <rect width='100%' height='100%' fill='{PAPER}'/>\n{}{body}</svg>\n",
            text::FAMILY,
            self.header(&story)
        )
    }

    fn header(&self, story: &Story) -> String {
        let mut out = String::new();
        let _ = write!(
            out,
            "<text x='{LEFT}' y='48' font-size='26' font-weight='bold' fill='{INK}'>{}</text>\n\
             <text x='{LEFT}' y='75' font-size='15' fill='{MUTED}'>{}</text>\n",
            escape(self.title),
            escape(&text::fitted(self.about, &REGULAR, 15.0, 960.0))
        );
        let seconds = story.duration_ms.div_ceil(1000);
        let mut facts = vec![("duration", format!("{}:{:02}", seconds / 60, seconds % 60))];
        if let Some(total) = self.total {
            facts.push(("total", format!("${total:.2}")));
        }
        let colour = match self.status {
            "confirmed" => GOOD,
            "failed" | "no outcome" => CUT,
            _ => SHOP,
        };
        let status = self.status.replace('_', " ");
        let chip = BOLD.width(&status, 16.0) + 28.0;
        let mut x = WIDTH - RIGHT - chip;
        let _ = write!(
            out,
            "<rect x='{x:.1}' y='27' width='{chip:.1}' height='34' rx='17' fill='{colour}'/>\n\
             <text x='{:.1}' y='49.5' font-size='16' font-weight='bold' fill='{PAPER}' text-anchor='middle'>{}</text>\n",
            x + chip / 2.0,
            escape(&status)
        );
        x -= 30.0;
        for (name, value) in facts {
            let _ = write!(
                out,
                "<text x='{x:.1}' y='46' font-size='20' font-weight='bold' fill='{INK}' text-anchor='end'>{value}</text>\n\
                 <text x='{x:.1}' y='62' font-size='12' fill='{MUTED}' text-anchor='end'>{name}</text>\n"
            );
            x -= BOLD.width(&value, 20.0).max(REGULAR.width(name, 12.0)) + 30.0;
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::What;

    #[test]
    fn a_call_that_nobody_answered_has_a_picture_too() {
        let ended = What::Ended {
            by: "network".to_owned(),
            status: "busy".to_owned(),
        };
        let events = [
            Event {
                ms: 0,
                what: What::Ringing,
            },
            Event {
                ms: 900,
                what: ended,
            },
        ];
        let picture = Picture {
            title: "busy & <gone>",
            about: "The line is busy.",
            status: "busy",
            total: None,
            events: &events,
            agent: &[],
            shop: &[],
        };
        assert!(picture.to_svg().contains("busy &amp; &lt;gone&gt;"));
        assert_eq!(picture.to_png().unwrap().get(1..4), Some(&b"PNG"[..]));
    }
}
