//! The scripted model: which rule of the scenario answers what came in. Its state belongs to the
//! call, not to the session, so that a second session after a lost socket goes on.

use crate::scenario::{ModelRule, Scenario, ToolCall};
use std::collections::{HashMap, HashSet};

/// Line for what the model did not understand.
pub const SORRY: &str = "generic/sorry";
/// How often it says that on one call.
const SORRIES: u32 = 3;

/// What came into the conversation since the model's last response.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// The shop spoke; `line` is the clip, when all of it was understood.
    Heard { line: Option<String> },
    /// A system or user text item.
    Text(String),
    /// The output of a tool call.
    Output { tool: String, output: String },
}

/// What the model does.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// The rule that fired.
    pub rule: Option<usize>,
    pub say: Option<String>,
    pub calls: Vec<ToolCall>,
    pub drop_socket: Option<u16>,
}

/// Where the model is in its script, over all sessions of a call.
#[derive(Default)]
pub struct Script {
    fired: Vec<usize>,
    spoke: bool,
    /// Lines of the shop that were recognised.
    heard: HashSet<String>,
    sorries: u32,
    /// Tool calls without output, by call id.
    open_calls: HashMap<String, String>,
}

impl Script {
    /// Decides what to do about the news. The newest item counts most: the older ones are looked
    /// at only when no rule fits it.
    pub fn reply(&mut self, rules: &[ModelRule], news: &[News]) -> Reply {
        self.heard.extend(news.iter().filter_map(|item| match item {
            News::Heard { line } => line.clone(),
            News::Text(_) | News::Output { .. } => None,
        }));
        let opening = News::Text(String::new());
        let items = if news.is_empty() {
            std::slice::from_ref(&opening)
        } else {
            news
        };
        for item in items.iter().rev() {
            let fits = |(n, rule): &(usize, &ModelRule)| {
                (rule.repeat || !self.fired.contains(n)) && self.fits(rule, item)
            };
            if let Some((n, rule)) = rules.iter().enumerate().find(fits) {
                self.fired.push(n);
                let (say, calls) = (rule.say.clone(), rule.calls.clone());
                return Reply {
                    rule: Some(n),
                    say,
                    calls,
                    drop_socket: rule.drop_socket,
                };
            }
        }
        // After a tool's output it may well have nothing to add.
        if matches!(news.last(), Some(News::Output { .. })) || self.sorries == SORRIES {
            return Reply::default();
        }
        self.sorries += 1;
        Reply {
            say: Some(SORRY.to_owned()),
            ..Reply::default()
        }
    }

    /// A line was said to its end, as far as the model knows.
    pub fn said(&mut self) {
        self.spoke = true;
    }

    /// The response was cancelled: what the rule said may be said again.
    pub fn undo(&mut self, reply: &Reply) {
        if let Some(at) = self.fired.iter().rposition(|n| Some(*n) == reply.rule) {
            self.fired.remove(at);
        }
    }

    /// The model called a tool.
    pub fn called(&mut self, call_id: &str, tool: &str) {
        self.open_calls.insert(call_id.to_owned(), tool.to_owned());
    }

    /// An output arrived: the tool it is of, when the model waits for it.
    pub fn answered(&mut self, call_id: &str) -> Option<String> {
        self.open_calls.remove(call_id)
    }

    fn fits(&self, rule: &ModelRule, item: &News) -> bool {
        if rule.opening {
            return !self.spoke;
        }
        if rule.always {
            return true;
        }
        match item {
            News::Heard { line } => rule.heard.is_some() && rule.heard == *line,
            News::Text(text) => {
                let contains = |t: &String| text.to_lowercase().contains(&t.to_lowercase());
                let after = |line: &String| self.heard.contains(line);
                rule.text.as_ref().is_some_and(contains) && rule.after.as_ref().is_none_or(after)
            }
            News::Output { tool, output } => {
                // Blanks in JSON mean nothing.
                let bare = |s: &str| s.split_whitespace().collect::<String>();
                rule.tool.as_ref() == Some(tool)
                    && rule
                        .output
                        .as_ref()
                        .is_none_or(|o| bare(output).contains(&bare(o)))
            }
        }
    }
}

/// The play that a session belongs to, by the customer's name in its instructions.
pub fn find<'a>(
    mut scenarios: impl Iterator<Item = &'a Scenario>,
    instructions: &str,
) -> Option<usize> {
    scenarios.position(|s| instructions.contains(&s.instructions_contain))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Vec<ModelRule> {
        let text = r#"
            about = "a"
            instructions_contain = "Ann"
            request = { to = "+13105550100" }
            expect = { status = "confirmed" }
            model = [
                { opening = true, say = "greeting" },
                { heard = "hello", say = "greeting" },
                { heard = "what", say = "order", calls = [{ name = "save_order_item", arguments = {} }] },
                { tool = "confirm_total", output = "\"ok\":true", say = "bye" },
                { text = "silent", say = "still-there", repeat = true },
            ]"#;
        Scenario::parse("x", text).unwrap().model
    }

    fn heard(line: &str) -> News {
        News::Heard {
            line: Some(line.into()),
        }
    }

    fn output(output: &str) -> News {
        News::Output {
            tool: "confirm_total".into(),
            output: output.into(),
        }
    }

    fn says(script: &mut Script, news: &[News]) -> Option<String> {
        script.reply(&rules(), news).say
    }

    #[test]
    fn it_opens_once_and_follows_what_it_hears() {
        let mut s = Script::default();
        assert_eq!(
            says(&mut s, &[News::Text("They have just answered.".into())]).unwrap(),
            "greeting"
        );
        s.said();
        assert_eq!(says(&mut s, &[heard("hello")]).unwrap(), "greeting");
        let order = s.reply(&rules(), &[heard("hello"), heard("what")]);
        assert_eq!(
            (order.say.as_deref(), order.calls.len()),
            (Some("order"), 1)
        );
        assert_eq!(
            says(&mut s, &[News::Text("The shop is SILENT.".into())]).unwrap(),
            "still-there"
        );
        assert_eq!(
            says(&mut s, &[News::Text("Still silent.".into())]).unwrap(),
            "still-there"
        );
    }

    #[test]
    fn a_cue_does_not_hide_what_the_shop_said() {
        let mut s = Script::default();
        s.said();
        assert_eq!(
            says(&mut s, &[heard("what"), News::Text("Go on.".into())]).unwrap(),
            "order"
        );
    }

    #[test]
    fn a_cue_may_mean_something_else_after_what_the_shop_said() {
        let mut rules = rules();
        rules[4].after = Some("what".into());
        let cue = || News::Text("The shop is silent.".into());
        let mut s = Script::default();
        s.said();
        assert_eq!(s.reply(&rules, &[cue()]).say.unwrap(), SORRY);
        let reply = s.reply(&rules, &[heard("what"), cue()]);
        assert_eq!(reply.say.unwrap(), "still-there");
        assert_eq!(s.reply(&rules, &[cue()]).say.unwrap(), "still-there");
    }

    #[test]
    fn a_refused_total_is_no_reason_to_say_goodbye() {
        let mut s = Script::default();
        s.said();
        assert_eq!(says(&mut s, &[output(r#"{"ok":false}"#)]), None);
        assert_eq!(says(&mut s, &[output(r#"{ "ok": true }"#)]).unwrap(), "bye");
    }

    #[test]
    fn it_asks_three_times_and_then_is_quiet() {
        let mut s = Script::default();
        s.said();
        let said: Vec<_> = (0..5)
            .map(|_| says(&mut s, &[News::Heard { line: None }]))
            .collect();
        assert_eq!(said.iter().flatten().count(), 3);
        assert!(said[3].is_none());
    }

    #[test]
    fn what_was_cancelled_may_be_said_again() {
        let mut s = Script::default();
        let first = s.reply(&rules(), &[]);
        s.undo(&first);
        assert_eq!(says(&mut s, &[]).unwrap(), "greeting");
    }
}
