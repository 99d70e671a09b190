//! What was heard on the line. The agent's words count only as far as their audio was proven to
//! have played; the shop's words are what the transcription wrote down.

use super::anchors::Anchors;
use super::spoken::Spoken;
use super::{payment, sentence};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

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
pub struct Turn {
    /// The Realtime item.
    pub id: String,
    /// Who speaks.
    pub role: Role,
    /// When it began, in ms since the call was answered.
    pub at_ms: u64,
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
}

/// What an acknowledgement was given to.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Acknowledges {
    /// The agent's turn.
    pub turn: String,
    /// How much of it had been heard, in ms.
    pub heard_ms: u64,
}

/// The conversation, oldest turn first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Transcript {
    turns: Vec<Turn>,
}

/// Turns kept; a longer call loses its middle, never its beginning (the disclosure) or its end.
const MAX_TURNS: usize = 400;
/// Nobody speaks faster, in characters a second.
const MAX_CHARS_PER_SEC: u64 = 15;
/// Bytes of μ-law a second.
const BYTES_PER_SEC: u64 = 8_000;
/// Characters kept of one turn.
const MAX_TURN_CHARS: usize = 4_000;

impl Turn {
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
        let (chars, received) = self.end();
        let share = chars
            .saturating_mul(self.heard)
            .checked_div(received)
            .unwrap_or(0)
            .min(self.anchors.chars_at(self.heard, (chars, received)));
        let sayable = self.heard.saturating_mul(MAX_CHARS_PER_SEC) / BYTES_PER_SEC;
        let share = if self.complete {
            share
        } else {
            share.min(sayable)
        };
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

    /// The shop's turns.
    pub fn shop_turns(&self) -> impl Iterator<Item = &Turn> {
        self.turns.iter().filter(|turn| turn.role == Role::Shop)
    }

    /// The turn with this id.
    pub fn get(&self, id: &str) -> Option<&Turn> {
        self.turns.iter().rfind(|turn| turn.id == id)
    }

    /// The words of the shop that are still being written down never will be.
    pub fn settle(&mut self) {
        for turn in &mut self.turns {
            turn.pending = false;
        }
    }

    /// More of the agent's words.
    pub fn agent_words(&mut self, id: &str, at_ms: u64, words: &str) {
        let turn = self.turn(id, Role::Agent, at_ms);
        let (chars, received) = turn.end();
        push_bounded(&mut turn.text, words);
        if turn.end().0 > chars && !turn.is_heard_out() {
            turn.anchors.add(chars, received);
        }
        // A card number may be complete only with this piece.
        if let Cow::Owned(clean) = payment::without_cards(&turn.text) {
            turn.text = clean;
            // They count characters that are gone.
            turn.anchors.clear();
        }
    }

    /// More of the agent's audio was received: `bytes` in all for this turn.
    pub fn agent_audio(&mut self, id: &str, at_ms: u64, bytes: u64) {
        self.turn(id, Role::Agent, at_ms).received = bytes;
    }

    /// So much of the agent's turn is proven to have played.
    pub fn agent_heard(&mut self, id: &str, bytes: u64) {
        if let Some(turn) = self.find(id) {
            turn.heard = turn.heard.max(bytes.min(turn.received));
            turn.forget_anchors();
        }
    }

    /// All of the audio of the agent's turn has been received.
    pub fn agent_complete(&mut self, id: &str) {
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

    /// The shop finished a turn; its words come later.
    pub fn shop_turn(&mut self, id: &str, at_ms: u64) {
        self.turn(id, Role::Shop, at_ms).pending = true;
    }

    /// The shop's words, or nothing if they could not be written down.
    pub fn shop_words(&mut self, id: &str, at_ms: u64, words: &str) {
        let turn = self.turn(id, Role::Shop, at_ms);
        turn.pending = false;
        turn.text.clear();
        let words: String = words.trim().chars().take(MAX_TURN_CHARS).collect();
        push_bounded(&mut turn.text, &without_cards(&words));
    }

    /// The shop's turn only acknowledged the agent's, of which `heard_bytes` had been heard by then.
    pub fn acknowledge(&mut self, shop_id: &str, agent_id: &str, heard_bytes: u64) {
        if let Some(turn) = self.find_shop(shop_id) {
            turn.acknowledges = Some(Acknowledges {
                turn: agent_id.to_owned(),
                heard_ms: to_ms(heard_bytes),
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
            .retain(|turn| turn.role != Role::Shop || turn.id != shop_id);
    }

    /// A key the shop pressed.
    pub fn shop_key(&mut self, at_ms: u64, digit: &str) {
        let id = format!("dtmf_{at_ms}");
        self.shop_words(&id, at_ms, &format!("[pressed {digit}]"));
    }

    /// Whether words of the shop are still being written down.
    pub fn is_pending(&self) -> bool {
        self.turns.iter().any(|turn| turn.pending)
    }

    /// The turn with this id, new at the end if there is none.
    fn turn(&mut self, id: &str, role: Role, at_ms: u64) -> &mut Turn {
        let known = self.turns.iter().rposition(|turn| turn.id == id);
        let at = known.unwrap_or_else(|| {
            if self.turns.len() >= MAX_TURNS {
                self.turns.remove(MAX_TURNS / 4);
            }
            self.turns.push(Turn {
                id: id.to_owned(),
                role,
                at_ms,
                text: String::new(),
                received: 0,
                heard: 0,
                complete: false,
                cut: false,
                pending: false,
                anchors: Anchors::default(),
                acknowledges: None,
            });
            self.turns.len() - 1
        });
        #[expect(
            clippy::indexing_slicing,
            reason = "the position was just found or made"
        )]
        &mut self.turns[at]
    }

    fn find(&mut self, id: &str) -> Option<&mut Turn> {
        self.turns.iter_mut().rfind(|turn| turn.id == id)
    }

    fn find_shop(&mut self, id: &str) -> Option<&mut Turn> {
        self.find(id).filter(|turn| turn.role == Role::Shop)
    }
}

/// The length of so much μ-law.
fn to_ms(bytes: u64) -> u64 {
    bytes.saturating_mul(1_000) / BYTES_PER_SEC
}

/// The words without card numbers, also those that were said as words.
fn without_cards(words: &str) -> Cow<'_, str> {
    if Spoken::parse(words)
        .digit_runs()
        .iter()
        .any(|run| payment::has_card(run))
        && !payment::has_card(words)
    {
        return Cow::Borrowed(payment::REPLACEMENT);
    }
    payment::without_cards(words)
}

fn push_bounded(text: &mut String, more: &str) {
    let room = MAX_TURN_CHARS.saturating_sub(text.chars().count());
    text.extend(more.chars().take(room));
}

#[cfg(test)]
mod tests;
