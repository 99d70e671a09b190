//! What was heard on the line. The agent's words count only as far as their audio was proven to
//! have played; the shop's words are what the transcription wrote down.

use super::anchors::Anchors;
use super::payment::{self, Asked};
use super::sentence;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// Who speaks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Our agent.
    Agent,
    /// Whoever answers at the shop.
    #[serde(rename = "human")]
    Shop,
}

/// One turn of the conversation.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each may come at any time")]
pub struct Turn {
    /// The Realtime item.
    pub id: String,
    /// Who speaks.
    pub role: Role,
    /// When it began, in ms since the call was answered.
    pub at_ms: u64,
    /// Shop: when its last sound ended, in ms since the call was answered, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_ms: Option<u64>,
    /// All words: for the agent also those that were not heard.
    text: String,
    /// Agent: bytes of μ-law received for this turn.
    received: u64,
    /// Agent: bytes proven to have played.
    heard: u64,
    /// Agent: all of its audio has been received.
    complete: bool,
    /// Agent: cut off before its end.
    pub cut: bool,
    /// Shop: the words are still being written down.
    pub pending: bool,
    /// Agent: where words and audio stood together, until all of it was heard.
    #[serde(default, skip_serializing_if = "Anchors::is_empty")]
    anchors: Anchors,
    /// Shop: it only acknowledged, in the middle of a turn of the agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledges: Option<Acknowledges>,
    /// It is in the event log as it stands here, and never changes again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    settled: bool,
}

/// What an acknowledgement was given to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledges {
    /// The agent's turn.
    pub turn: String,
    /// How much of it had been heard, in ms.
    pub heard_ms: u64,
    /// How many characters of its words that was at most, as far as was known then.
    #[serde(default)]
    pub heard_chars: u64,
}

/// The conversation, oldest turn first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Transcript {
    turns: Vec<Turn>,
    /// Settled turns that were dropped for newer ones, until the event log has been told, which is
    /// before every snapshot.
    #[serde(skip)]
    dropped: Vec<String>,
}

/// Turns kept, and bytes of their words; a longer call loses its middle, never its beginning (the
/// disclosure) or its end. Both sides of the longest call say 30 kB in 200 turns, if they talk all the
/// time (`tests/flat.rs`). A turn that is dropped is in the event log, once it was settled.
const MAX_TURNS: usize = 400;
const MAX_BYTES: usize = 96 * 1024;
/// Nobody speaks faster, in characters a second.
const MAX_CHARS_PER_SEC: u64 = 15;
/// Bytes of μ-law a second.
const BYTES_PER_SEC: u64 = 8_000;
/// Stands for words of the agent that nobody may have heard.
const UNCLEAR: &str = "[unclear]";
/// Characters kept of one turn.
const MAX_TURN_CHARS: usize = 4_000;
/// Turns in which one card number may be read piece by piece, or pressed key by key.
const PIECES_WITHIN: usize = 12;
const KEYS_WITHIN: usize = 24;
/// What came behind a turn of the agent until nothing more is learnt of how much of it was heard:
/// so many turns if it was cut off, and if nobody knows.
const CUT_SETTLES_AFTER: usize = 2;
const AGENT_SETTLES_AFTER: usize = 8;

impl Turn {
    /// A turn as the event log has it: all of its words were heard.
    pub fn settled(id: String, role: Role, at_ms: u64, text: String, heard_ms: u64) -> Self {
        let heard = heard_ms.saturating_mul(BYTES_PER_SEC) / 1_000;
        Self {
            id,
            role,
            at_ms,
            ended_ms: None,
            text,
            received: heard.max(1),
            heard: heard.max(1),
            complete: true,
            cut: false,
            pending: false,
            anchors: Anchors::default(),
            acknowledges: None,
            settled: true,
        }
    }

    /// The sentences that were heard to their end. Of a turn that was cut, what is left of the text may
    /// end within one.
    pub fn heard_sentences(&self) -> &str {
        let heard = self.heard_text();
        let chars = heard.chars().count();
        let whole = self.is_heard_out() && !self.cut || self.role == Role::Shop;
        let end = sentence::ends(&self.text, self.complete && !self.cut)
            .into_iter()
            .rfind(|end| *end <= chars);
        let end = if whole { Some(chars) } else { end }.unwrap_or(0);
        let at = heard
            .char_indices()
            .nth(end)
            .map_or(heard.len(), |(at, _)| at);
        heard.get(..at).unwrap_or_default()
    }

    /// Whether nothing that the agent said here may have been skipped.
    pub fn is_clear(&self) -> bool {
        !self.text.contains(UNCLEAR)
    }

    /// Whether the turn will not change any more; so many newer turns are behind it.
    fn is_final(&self, newer: usize) -> bool {
        match self.role {
            // A part of a card number is kept back until it is known whether it is one.
            Role::Shop if is_key(&self.id) => newer >= KEYS_WITHIN,
            Role::Shop if payment::is_piece(&self.text) => newer >= PIECES_WITHIN,
            Role::Shop => !self.pending && newer > 0,
            Role::Agent if self.is_heard_out() => newer > 0,
            Role::Agent if self.cut => newer >= CUT_SETTLES_AFTER,
            Role::Agent => newer >= AGENT_SETTLES_AFTER,
        }
    }

    /// Leaves of the turn what was heard.
    fn settle(&mut self) {
        if self.role == Role::Agent {
            let heard = self.heard_text().to_owned();
            self.cut |= heard.len() < self.text.len();
            self.text = heard;
            // To the millisecond, as the event has it.
            let heard = self.heard_ms().saturating_mul(BYTES_PER_SEC) / 1_000;
            (self.received, self.heard) = (heard.max(1), heard.max(1));
            self.complete = true;
            self.anchors.clear();
        }
        self.settled = true;
    }

    /// All words, heard or not.
    pub fn words(&self) -> &str {
        &self.text
    }

    /// The words that were heard. For the agent: as far as its audio is proven to have played, cut
    /// back to a whole word. What that is, is estimated twice, between the places where words and
    /// audio stood together and in proportion to the whole, and the smaller counts. While more audio
    /// may come, its words run ahead of it, so that no more count than anybody could have said in
    /// that time.
    pub fn heard_text(&self) -> &str {
        if self.role == Role::Shop || self.is_heard_out() {
            return &self.text;
        }
        self.first_words(self.chars_in(self.heard))
    }

    /// The words that will have been heard when what has come of its audio has played; those that were, if
    /// it was cut off.
    pub fn coming_text(&self) -> &str {
        if self.role == Role::Shop || self.cut {
            self.heard_text()
        } else if self.complete {
            &self.text
        } else {
            self.first_words(self.chars_in(self.received))
        }
    }

    /// What of these words had been heard when the shop acknowledged them.
    pub fn heard_before(&self, acknowledged: &Acknowledges) -> &str {
        let heard = self.heard_text();
        let first = self.first_words(acknowledged.heard_chars);
        heard.get(..first.len()).unwrap_or(heard)
    }

    /// How many characters are said in the first `heard` bytes of the audio, at most.
    fn chars_in(&self, heard: u64) -> u64 {
        let (chars, received) = self.end();
        let share = chars
            .saturating_mul(heard)
            .checked_div(received)
            .unwrap_or(0)
            .min(self.anchors.chars_at(heard, (chars, received)));
        if self.complete {
            share
        } else {
            share.min(heard.saturating_mul(MAX_CHARS_PER_SEC) / BYTES_PER_SEC)
        }
    }

    /// The characters of the words that may be said in these bytes of the audio.
    fn whole_words(&self, bytes: Range<u64>) -> Range<u64> {
        let end = self.end();
        let places = |at: u64| {
            let in_proportion = end.0.saturating_mul(at).checked_div(end.1).unwrap_or(0);
            let anchored = self.anchors.chars_at(at, end);
            (in_proportion.min(anchored), in_proportion.max(anchored))
        };
        let (from, to) = (places(bytes.start).0, places(bytes.end).1);
        let mut words = 0..end.0;
        for (at, c) in (0..).zip(self.text.chars()) {
            if c.is_whitespace() && at <= from {
                words.start = at + 1;
            }
            if c.is_whitespace() && at > to {
                words.end = at;
                break;
            }
        }
        words
    }

    /// Puts other words in the place of these characters.
    fn replace(&mut self, chars: &Range<u64>, by: &str) {
        let at = |chars: u64| {
            let mut places = self.text.char_indices().map(|(at, _)| at);
            usize::try_from(chars).ok().and_then(|n| places.nth(n))
        };
        let from = at(chars.start).unwrap_or(self.text.len());
        let to = at(chars.end).unwrap_or(self.text.len());
        if from < to {
            self.text.replace_range(from..to, by);
            self.anchors.replace(chars, by.chars().count() as u64);
        }
    }

    /// So many characters of its words, cut back to a whole word.
    fn first_words(&self, share: u64) -> &str {
        let end = self
            .text
            .char_indices()
            .nth(usize::try_from(share).unwrap_or(usize::MAX))
            .map_or(self.text.len(), |(at, _)| at);
        let heard = self.text.get(..end).unwrap_or_default();
        if end == self.text.len() {
            return heard;
        }
        heard
            .rfind(char::is_whitespace)
            .and_then(|at| heard.get(..at))
            .unwrap_or_default()
    }

    /// When these bytes of its words were said, from and to, in ms since the call was answered: where
    /// they stand between the places where words and audio are known to have met, or else in
    /// proportion to the whole. An estimate, to the length of a word or two; a pause of the agent's
    /// is not counted.
    pub fn said_ms(&self, words: Range<usize>) -> (u64, u64) {
        let chars = |end: usize| {
            let text = self.text.get(..end).unwrap_or(&self.text);
            text.chars().count() as u64
        };
        let (from, to) = (chars(words.start), chars(words.end));
        let at = |chars: u64| match self.role {
            Role::Agent => to_ms(self.said_at(chars)),
            Role::Shop => {
                let lasted = self
                    .ended_ms
                    .map_or(0, |end| end.saturating_sub(self.at_ms));
                let all = self.end().0.max(1);
                lasted.saturating_mul(chars) / all
            }
        };
        (
            self.at_ms.saturating_add(at(from)),
            self.at_ms.saturating_add(at(to)),
        )
    }

    /// How much of the agent's turn is proven to have played, in ms of audio.
    pub fn heard_ms(&self) -> u64 {
        to_ms(self.heard)
    }

    /// The agent's turn has come and played to its end.
    fn is_heard_out(&self) -> bool {
        self.complete && self.received > 0 && self.heard >= self.received
    }

    /// The end of the turn so far: characters of its words, bytes of its audio.
    fn end(&self) -> (u64, u64) {
        (self.text.chars().count() as u64, self.received)
    }

    /// Behind which byte so many characters have been said, rounded up: the later of both estimates.
    fn said_at(&self, chars: u64) -> u64 {
        let end = self.end();
        let in_proportion = match end.0 {
            0 => 0,
            all => chars.saturating_mul(end.1).div_ceil(all),
        };
        in_proportion.max(self.anchors.bytes_at(chars, end))
    }

    /// Places are of use only while it matters where the turn was cut.
    fn forget_anchors(&mut self) {
        if self.is_heard_out() {
            self.anchors.clear();
        }
    }
}

impl Transcript {
    /// All turns.
    pub fn turns(&self) -> &[Turn] {
        &self.turns
    }

    /// The agent's turns.
    pub fn agent_turns(&self) -> impl Iterator<Item = &Turn> {
        self.turns.iter().filter(|turn| turn.role == Role::Agent)
    }

    /// The turn with this id.
    pub fn get(&self, id: &str) -> Option<&Turn> {
        self.turns.iter().rfind(|turn| turn.id == id)
    }

    /// Settles the turns that will not change any more, all of them when the call is over; those
    /// that are newly settled, oldest first.
    pub fn settle_turns(&mut self, over: bool) -> Vec<Turn> {
        let len = self.turns.len();
        let mut newly = Vec::new();
        for (at, turn) in self.turns.iter_mut().enumerate() {
            if turn.settled {
                continue;
            }
            if !over && !turn.is_final(len - at - 1) {
                break;
            }
            turn.settle();
            newly.push(turn.clone());
        }
        newly
    }

    /// The settled turns that were dropped since this was asked before.
    pub fn take_dropped(&mut self) -> Vec<String> {
        std::mem::take(&mut self.dropped)
    }

    /// Adds a turn from the event log.
    pub fn push_settled(&mut self, turn: Turn) {
        self.turns.push(turn);
    }

    /// Forgets a turn that the event log says was dropped.
    pub fn drop_settled(&mut self, id: &str) {
        self.turns.retain(|turn| turn.id != id);
    }

    /// The words of the shop that are still being written down never will be.
    pub fn settle(&mut self) {
        for turn in &mut self.turns {
            turn.pending = false;
        }
    }

    /// More of the agent's words.
    pub fn agent_words(&mut self, id: &str, at_ms: u64, words: &str) {
        let Some(turn) = self.turn(id, Role::Agent, at_ms) else {
            return;
        };
        let (chars, received) = turn.end();
        push_bounded(&mut turn.text, words);
        if turn.end().0 > chars && !turn.is_heard_out() {
            turn.anchors.add(chars, received);
        }
        // A number may be complete only with this piece; a word may go on in the next one.
        let text = self.get(id).map_or("", |turn| turn.text.as_str());
        let judged = text
            .trim_end_matches(|c: char| c.is_alphabetic() || c == '\'')
            .len();
        self.clean_agent(id, judged);
    }

    /// Cuts payment data out of the first bytes of the agent's words.
    fn clean_agent(&mut self, id: &str, judged: usize) {
        // The agent has nobody's account to tell; it may repeat a card number.
        let card = || Asked::default().with_card(self.asked_before(id).is_card());
        let text = self.get(id).map_or("", |turn| turn.text.as_str());
        let (Some(text), Some(rest)) = (text.get(..judged), text.get(judged..)) else {
            return;
        };
        if let Cow::Owned(clean) = payment::without_payment_data(text, card) {
            let clean = clean + rest;
            if let Some(turn) = self.find(id) {
                turn.text = clean;
                // They count characters that are gone.
                turn.anchors.clear();
            }
        }
    }

    /// More of the agent's audio was received: `bytes` in all for this turn.
    pub fn agent_audio(&mut self, id: &str, at_ms: u64, bytes: u64) {
        if let Some(turn) = self.turn(id, Role::Agent, at_ms) {
            turn.received = bytes;
        }
    }

    /// So much of the agent's turn is proven to have played.
    pub fn agent_heard(&mut self, id: &str, bytes: u64) {
        if let Some(turn) = self.find(id) {
            turn.heard = turn.heard.max(bytes.min(turn.received));
            turn.forget_anchors();
        }
    }

    /// Nobody may have heard these bytes of the agent's turn, although what follows them is heard:
    /// the words said there are replaced by [`UNCLEAR`].
    pub fn agent_unclear(&mut self, id: &str, bytes: Range<u64>) {
        let Some(turn) = self.find(id) else {
            return;
        };
        let chars = turn.whole_words(bytes);
        turn.replace(&chars, UNCLEAR);
        for turn in &mut self.turns {
            if let Some(known) = turn.acknowledges.as_mut().filter(|known| known.turn == id) {
                known.heard_chars = known.heard_chars.min(chars.start);
            }
        }
    }

    /// All of the audio of the agent's turn has been received.
    pub fn agent_complete(&mut self, id: &str) {
        self.clean_agent(id, self.get(id).map_or(0, |turn| turn.text.len()));
        if let Some(turn) = self.find(id) {
            turn.complete = true;
            turn.forget_anchors();
        }
    }

    /// The first end of a sentence of this turn of the agent that is said at or behind `bytes` of its
    /// audio, in bytes; nothing while no such end is known.
    pub fn sentence_end_after(&self, id: &str, bytes: u64) -> Option<u64> {
        let turn = self
            .get(id)
            .filter(|turn| turn.role == Role::Agent && turn.received > 0)?;
        sentence::ends(&turn.text, turn.complete)
            .into_iter()
            .map(|end| turn.said_at(end as u64))
            .find(|at| *at >= bytes)
    }

    /// The agent's turn was cut off.
    pub fn agent_cut(&mut self, id: &str) {
        if let Some(turn) = self.find(id) {
            turn.cut = true;
        }
    }

    /// No more comes of the agent's turn: cut off, unless all of it had been received.
    pub fn agent_broke_off(&mut self, id: &str) {
        if let Some(turn) = self.find(id) {
            turn.cut |= !turn.complete;
        }
    }

    /// The shop finished a turn; its words come later.
    pub fn shop_turn(&mut self, id: &str, at_ms: u64) {
        if let Some(turn) = self.turn(id, Role::Shop, at_ms) {
            turn.pending = true;
        }
    }

    /// The shop's turn sounded until then.
    pub fn shop_until(&mut self, id: &str, ended_ms: u64) {
        if let Some(turn) = self.find_shop(id) {
            turn.ended_ms = Some(ended_ms);
        }
    }

    /// The shop's words, or nothing if they could not be written down.
    pub fn shop_words(&mut self, id: &str, at_ms: u64, words: &str) {
        let words: String = words.trim().chars().take(MAX_TURN_CHARS).collect();
        let words = payment::without_payment_data(&words, || self.asked_before(id));
        let Some(turn) = self.turn(id, Role::Shop, at_ms) else {
            return;
        };
        turn.pending = false;
        turn.text.clear();
        push_bounded(&mut turn.text, &words);
        if is_key(&turn.id) {
            self.cut_split_card(KEYS_WITHIN);
        } else if payment::is_piece(&turn.text) {
            self.cut_split_card(PIECES_WITHIN);
        }
    }

    /// What was asked for in the turn before this one, or is spoken of lately.
    fn asked_before(&self, id: &str) -> Asked {
        let at = self.turns.iter().rposition(|turn| turn.id == id);
        let before = self.turns.iter().take(at.unwrap_or(self.turns.len()));
        let mut lately = before.rev().take(PIECES_WITHIN).map(Turn::words);
        let asked = lately.next().map(Asked::by).unwrap_or_default();
        asked.with_card(lately.any(payment::names_card))
    }

    /// Cuts out a card number that was read in several turns.
    fn cut_split_card(&mut self, within: usize) {
        let from = self.turns.len().saturating_sub(within);
        let is_open = |turn: &Turn| turn.role == Role::Shop && !turn.settled;
        let lately = || self.turns.iter().skip(from);
        let card = lately().any(|turn| Asked::by(&turn.text).is_card());
        let texts: Vec<&str> = lately()
            .map(|turn| {
                if is_open(turn) {
                    turn.text.as_str()
                } else {
                    ""
                }
            })
            .collect();
        let Some((number, span)) = payment::split_card(&texts, card) else {
            return;
        };
        for (at, turn) in self.turns.iter_mut().skip(from).enumerate() {
            if !span.contains(&at) || turn.settled {
                continue;
            }
            // The agent may have repeated what it heard.
            let min = if turn.role == Role::Shop { 1 } else { 3 };
            if let Cow::Owned(clean) = payment::without_pieces(&turn.text, &number, min) {
                turn.text = clean;
                turn.anchors.clear();
            }
        }
    }

    /// The shop's turn only acknowledged the agent's, of which `heard_bytes` had been heard by then.
    pub fn acknowledge(&mut self, shop_id: &str, agent_id: &str, heard_bytes: u64) {
        let heard_chars = self
            .get(agent_id)
            .map_or(0, |turn| turn.chars_in(heard_bytes));
        if let Some(turn) = self.find_shop(shop_id) {
            turn.acknowledges = Some(Acknowledges {
                turn: agent_id.to_owned(),
                heard_ms: to_ms(heard_bytes),
                heard_chars,
            });
        }
    }

    /// The shop's turn says more than an acknowledgement.
    pub fn not_acknowledgement(&mut self, shop_id: &str) {
        if let Some(turn) = self.find_shop(shop_id) {
            turn.acknowledges = None;
        }
    }

    /// The shop's turn was nobody's: our own voice came back.
    pub fn remove(&mut self, shop_id: &str) {
        self.turns
            .retain(|turn| turn.role != Role::Shop || turn.id != shop_id || turn.settled);
    }

    /// A key the shop pressed.
    pub fn shop_key(&mut self, at_ms: u64, digit: &str) {
        let id = format!("{KEY}{at_ms}");
        self.shop_words(&id, at_ms, &format!("[pressed {digit}]"));
    }

    /// Whether words of the shop are still being written down.
    pub fn is_pending(&self) -> bool {
        self.turns.iter().any(|turn| turn.pending)
    }

    fn is_full(&self) -> bool {
        let bytes: usize = self.turns.iter().map(|turn| turn.text.len()).sum();
        self.turns.len() >= MAX_TURNS || bytes >= MAX_BYTES
    }

    /// The turn with this id, new at the end if there is none; nothing if it is settled.
    fn turn(&mut self, id: &str, role: Role, at_ms: u64) -> Option<&mut Turn> {
        let known = self.turns.iter().rposition(|turn| turn.id == id);
        let at = known.unwrap_or_else(|| {
            while self.is_full() {
                let oldest = self.turns.remove(self.turns.len() / 4);
                if oldest.settled {
                    self.dropped.push(oldest.id);
                }
            }
            self.turns.push(Turn {
                id: id.to_owned(),
                role,
                at_ms,
                ended_ms: None,
                text: String::new(),
                received: 0,
                heard: 0,
                complete: false,
                cut: false,
                pending: false,
                anchors: Anchors::default(),
                acknowledges: None,
                settled: false,
            });
            self.turns.len() - 1
        });
        self.turns.get_mut(at).filter(|turn| !turn.settled)
    }

    /// The turn with this id, unless it is settled.
    fn find(&mut self, id: &str) -> Option<&mut Turn> {
        let found = self.turns.iter_mut().rfind(|turn| turn.id == id);
        found.filter(|turn| !turn.settled)
    }

    fn find_shop(&mut self, id: &str) -> Option<&mut Turn> {
        self.find(id).filter(|turn| turn.role == Role::Shop)
    }
}

/// The length of so much μ-law.
fn to_ms(bytes: u64) -> u64 {
    bytes.saturating_mul(1_000) / BYTES_PER_SEC
}

/// What the ids of turns that are pressed keys begin with.
const KEY: &str = "dtmf_";

fn is_key(id: &str) -> bool {
    id.starts_with(KEY)
}

fn push_bounded(text: &mut String, more: &str) {
    let room = MAX_TURN_CHARS.saturating_sub(text.chars().count());
    text.extend(more.chars().take(room));
}

#[cfg(test)]
mod tests;
