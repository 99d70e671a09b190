//! What a picture tells: turns with their beginning and end, and marked moments.

use crate::timeline::{Event, What};
use orderline::audio::ulaw::BYTES_PER_MS;

/// Even a call without a word has a picture.
const SHORTEST_MS: u64 = 5_000;

/// A call, in milliseconds since the answer.
pub(super) struct Story {
    pub(super) duration_ms: u64,
    pub(super) turns: Vec<Turn>,
    pub(super) marks: Vec<Mark>,
}

/// Somebody speaks.
#[derive(Debug, PartialEq)]
pub(super) struct Turn {
    pub(super) side: Side,
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) text: String,
    /// Ended by `clear`.
    pub(super) cut: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Agent,
    Shop,
}

/// A moment worth a label.
#[derive(Debug, PartialEq)]
pub(super) struct Mark {
    pub(super) ms: u64,
    pub(super) kind: Kind,
    pub(super) label: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Tool,
    Cut,
    Note,
}

impl Story {
    /// Reads a timeline; `bytes` is the length of the longer audio track.
    pub(super) fn new(events: &[Event], bytes: usize) -> Self {
        let first = events.first().map_or(0, |event| event.ms);
        let answer = events
            .iter()
            .find(|event| event.what == What::Answered)
            .map_or(first, |event| event.ms);
        let mut story = Self {
            duration_ms: bytes as u64 / BYTES_PER_MS,
            turns: Vec::new(),
            marks: Vec::new(),
        };
        let mut speaking: Option<Turn> = None;
        let mut connected = false;
        for event in events {
            let ms = event.ms.saturating_sub(answer);
            match &event.what {
                What::AgentSpeaks { text, .. } => {
                    // The line's name may come only when enough of it was heard.
                    if let Some(turn) = speaking.as_mut().filter(|turn| turn.text.is_empty()) {
                        turn.text.clone_from(text);
                    } else {
                        story
                            .turns
                            .extend(speaking.take().map(|turn| Turn { to: ms, ..turn }));
                        speaking = Some(Turn {
                            side: Side::Agent,
                            from: ms,
                            to: ms,
                            text: text.clone(),
                            cut: false,
                        });
                    }
                }
                What::AgentStopped { played_ms, cut, .. } => {
                    let turn = speaking.take().map(|turn| Turn {
                        to: ms,
                        cut: *cut,
                        ..turn
                    });
                    let from = ms.saturating_sub(*played_ms);
                    let unknown = Turn {
                        side: Side::Agent,
                        from,
                        to: ms,
                        text: String::new(),
                        cut: *cut,
                    };
                    story.turns.push(turn.unwrap_or(unknown));
                }
                What::ShopSpeaks {
                    text, duration_ms, ..
                } => story.turns.push(Turn {
                    side: Side::Shop,
                    from: ms,
                    to: ms + duration_ms,
                    text: text.clone(),
                    cut: false,
                }),
                What::ModelConnected if !connected => connected = true,
                what => {
                    story
                        .marks
                        .extend(mark(what).map(|(kind, label)| Mark { ms, kind, label }))
                }
            }
            if event.ms >= answer {
                story.duration_ms = story.duration_ms.max(ms);
            }
        }
        let end = story.duration_ms;
        story
            .turns
            .extend(speaking.map(|turn| Turn { to: end, ..turn }));
        story.duration_ms = end.max(SHORTEST_MS);
        story.turns.sort_by_key(|turn| turn.from);
        story.marks.sort_by_key(|mark| mark.ms);
        story
    }

    /// The turns of one side.
    pub(super) fn of(&self, side: Side) -> impl Iterator<Item = &Turn> {
        self.turns.iter().filter(move |turn| turn.side == side)
    }
}

fn mark(what: &What) -> Option<(Kind, String)> {
    Some(match what {
        What::Tool { name, .. } => (Kind::Tool, name.clone()),
        What::Cleared { dropped_ms } => (
            Kind::Cut,
            format!("interrupted, {:.1} s unheard", *dropped_ms as f64 / 1000.0),
        ),
        What::Dtmf { digit } => (Kind::Note, format!("key {digit}")),
        What::AgentPresses { key } => (Kind::Note, format!("presses {key}")),
        What::NetworkSays { text } => (
            Kind::Note,
            format!("network: {}", crate::live::shortened(text, 40)),
        ),
        What::Dials { number } => (Kind::Note, format!("handed to {number}")),
        What::ModelConnected => (Kind::Note, "model back".to_owned()),
        What::ModelClosed {
            code,
            by_fault: true,
        } => (
            Kind::Cut,
            format!(
                "model lost{}",
                code.map(|code| format!(" ({code})")).unwrap_or_default()
            ),
        ),
        What::Fault { fault } => (Kind::Cut, fault.clone()),
        What::Violation { side, .. } => (Kind::Cut, format!("protocol breach towards {side}")),
        What::Ended { by, status } => (Kind::Note, format!("{status}, by the {by}")),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn speaks(ms: u64, text: &str) -> Event {
        Event {
            ms,
            what: What::AgentSpeaks {
                line: text.to_owned(),
                text: text.to_owned(),
            },
        }
    }

    #[test]
    fn a_line_recognised_late_is_one_turn() {
        let stopped = What::AgentStopped {
            line: "hello".to_owned(),
            played_ms: 900,
            missed_ms: 0,
            cut: true,
        };
        let events = [
            Event {
                ms: 100,
                what: What::Answered,
            },
            speaks(300, ""),
            speaks(700, "hello"),
            Event {
                ms: 1_200,
                what: stopped,
            },
        ];
        let story = Story::new(&events, 80_000);
        let turn = Turn {
            side: Side::Agent,
            from: 200,
            to: 1_100,
            text: "hello".to_owned(),
            cut: true,
        };
        assert_eq!(story.turns, [turn]);
        assert_eq!(story.duration_ms, 10_000);
    }
}
