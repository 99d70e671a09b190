//! A call as it happens: waiting for its end, and one terminal line per event.

use crate::timeline::{Event, Timeline, What};
use std::io::IsTerminal;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, timeout_at};

/// Shows every event once, in order, until the call has ended; whether it ended in time.
pub async fn follow(timeline: &Timeline, within: Duration, mut show: impl FnMut(&Event)) -> bool {
    let deadline = Instant::now() + within;
    let mut news = timeline.subscribe();
    let mut shown = 0;
    loop {
        let events = timeline.events();
        events.iter().skip(shown).for_each(&mut show);
        shown = events.len();
        if events
            .iter()
            .any(|event| matches!(event.what, What::Ended { .. }))
        {
            return true;
        }
        // The news only says that there is some: a reader that lags behind misses nothing.
        match timeout_at(deadline, news.recv()).await {
            Ok(Ok(_) | Err(RecvError::Lagged(_))) => {}
            Ok(Err(RecvError::Closed)) | Err(_) => return false,
        }
    }
}

/// Turns events into lines for a terminal.
pub struct Display {
    colours: bool,
    /// The first event's time: the clock that is shown starts there.
    start: Option<u64>,
}

/// ANSI codes, by meaning.
const AGENT: &str = "1;34";
const SHOP: &str = "1;33";
const TOOL: &str = "35";
const CUT: &str = "31";
const DIM: &str = "2";

impl Display {
    /// Colours are for terminals only.
    pub fn new() -> Self {
        Self {
            colours: std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none(),
            start: None,
        }
    }

    /// Prints what happened.
    pub fn show(&mut self, event: &Event) {
        let start = *self.start.get_or_insert(event.ms);
        let Some((who, colour, text)) = describe(&event.what) else {
            return;
        };
        let seconds = event.ms.saturating_sub(start) as f64 / 1000.0;
        let (clock, who) = (format!("{seconds:6.1} s"), format!("{who:<6}"));
        let text = if matches!(colour, AGENT | SHOP) {
            text
        } else {
            self.paint(colour, &text)
        };
        println!(
            "{}  {}  {text}",
            self.paint(DIM, &clock),
            self.paint(colour, &who)
        );
    }

    /// Text in a colour, where colours are shown.
    pub fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours {
            format!("\x1b[{colour}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// Who acts, the colour, and what is said or done; nothing for what a person need not see.
fn describe(what: &What) -> Option<(&'static str, &'static str, String)> {
    Some(match what {
        What::Dialled { to } => ("phone", DIM, format!("dials {to}")),
        What::Ringing => ("phone", DIM, "rings".to_owned()),
        What::Answered => ("phone", DIM, "answered".to_owned()),
        What::StreamStarted => ("phone", DIM, "audio flows".to_owned()),
        What::StreamStopped => ("phone", DIM, "audio ends".to_owned()),
        What::ShopSpeaks { text, .. } => ("shop", SHOP, text.clone()),
        What::AgentSpeaks { text, .. } if text.is_empty() => return None,
        What::AgentSpeaks { text, .. } => ("agent", AGENT, text.clone()),
        What::AgentStopped {
            played_ms,
            cut: true,
            ..
        } => (
            "agent",
            CUT,
            format!(
                "stops: interrupted after {:.1} s",
                *played_ms as f64 / 1000.0
            ),
        ),
        What::AgentStopped {
            line, played_ms, ..
        } if line.is_empty() => (
            "agent",
            AGENT,
            format!("(spoke {:.1} s)", *played_ms as f64 / 1000.0),
        ),
        What::AgentStopped { .. } | What::FirstAudio => return None,
        What::AgentPresses { key } => ("agent", AGENT, format!("[presses {key}]")),
        What::Cleared { dropped_ms } => (
            "phone",
            CUT,
            format!("clear: {:.1} s never heard", *dropped_ms as f64 / 1000.0),
        ),
        What::Dtmf { digit } => ("shop", SHOP, format!("[key {digit}]")),
        What::NetworkSays { text } => ("phone", DIM, format!("says: {text}")),
        What::Dials { number } => ("phone", TOOL, format!("hands the call to {number}")),
        What::Tool { name, arguments } => {
            ("tool", TOOL, format!("{name} {}", shortened(arguments, 96)))
        }
        What::ToolResult { name, output } => {
            ("", DIM, format!("{name} -> {}", shortened(output, 96)))
        }
        What::ModelConnected => ("model", DIM, "connected".to_owned()),
        What::ModelClosed { code, by_fault } => {
            let code = code.map(|code| format!(" ({code})")).unwrap_or_default();
            let (colour, how) = if *by_fault {
                (CUT, "connection lost")
            } else {
                (DIM, "disconnected")
            };
            ("model", colour, format!("{how}{code}"))
        }
        What::Fault { fault } => ("fault", CUT, fault.clone()),
        What::Violation { side, detail } => (
            "ERROR",
            CUT,
            format!("protocol breach towards {side}: {detail}"),
        ),
        What::Ended { by, status } => (
            "phone",
            DIM,
            format!("call over: {status}, ended by the {by}"),
        ),
    })
}

/// The beginning of a text, on one line.
pub fn shortened(text: &str, limit: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= limit {
        return line;
    }
    let mut cut: String = line.chars().take(limit.saturating_sub(1)).collect();
    cut.truncate(cut.trim_end().len());
    cut + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_on_one_line() {
        assert_eq!(shortened("a\n  b", 10), "a b");
        assert_eq!(shortened("one two three", 9), "one two…");
    }
}
