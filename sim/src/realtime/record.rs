//! Which call a session belongs to, and what is written down about it there. Until the session's
//! instructions tell, everything waits.

use super::Shared;
use super::model::{self, News, Reply, Script};
use crate::play::Play;
use crate::timeline::What;
use serde_json::Value;
use std::sync::Arc;

/// The session's side of a play.
pub struct Record {
    shared: Arc<Shared>,
    play: Option<usize>,
    early_whats: Vec<What>,
    early_events: Vec<Value>,
    /// The script of a session that belongs to no scenario.
    stray: Script,
}

impl Record {
    /// A session was opened; whose is not yet known.
    pub fn new(shared: Arc<Shared>) -> Self {
        let early_whats = vec![What::ModelConnected];
        Self {
            shared,
            play: None,
            early_whats,
            early_events: Vec::new(),
            stray: Script::default(),
        }
    }

    /// Finds the call by the session's instructions; what was kept goes there.
    pub fn find_play(&mut self, instructions: &str) {
        if self.play.is_some() {
            return;
        }
        self.play = model::find(self.shared.plays.iter().map(|p| &p.scenario), instructions);
        if let Some(play) = self.current() {
            std::mem::take(&mut self.early_whats)
                .into_iter()
                .for_each(|what| play.timeline.push(what));
            play.client_events
                .lock()
                .unwrap()
                .append(&mut self.early_events);
        }
    }

    /// Keeps a client event, its audio shortened.
    pub fn event(&mut self, event: &Value) {
        let mut event = event.clone();
        if let Some(Value::String(audio)) = event.get_mut("audio") {
            *audio = audio.chars().take(8).collect();
        }
        match self.current() {
            Some(play) => play.client_events.lock().unwrap().push(event),
            None => self.early_events.push(event),
        }
    }

    /// Something happened.
    pub fn note(&mut self, what: What) {
        match self.current() {
            Some(play) => play.timeline.push(what),
            None => self.early_whats.push(what),
        }
    }

    /// The client broke the protocol.
    pub fn violation(&mut self, detail: &str) {
        self.note(What::Violation {
            side: "realtime".to_owned(),
            detail: detail.to_owned(),
        });
    }

    /// The model's place in the script.
    pub fn script<T>(&mut self, f: impl FnOnce(&mut Script) -> T) -> T {
        match self.play.and_then(|n| self.shared.scripts.get(n)) {
            Some(script) => f(&mut script.lock().unwrap()),
            None => f(&mut self.stray),
        }
    }

    /// What the model does about the news.
    pub fn ask_model(&mut self, news: &[News]) -> Reply {
        let play = self.current();
        let rules = play.as_ref().map_or(&[][..], |p| &p.scenario.model);
        self.script(|script| script.reply(rules, news))
    }

    /// The call, once it is known.
    pub fn current(&self) -> Option<Arc<Play>> {
        self.play.and_then(|n| self.shared.plays.get(n)).cloned()
    }
}
