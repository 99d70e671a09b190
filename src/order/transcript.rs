//! What was heard on the line. The agent's words count only as far as their audio was proven to
//! have played; the shop's words are what the transcription wrote down.

use super::payment;
use super::spoken::Spoken;
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
    /// The words that were heard. For the agent: in proportion to the audio proven to have played,
    /// cut back to a whole word. While more audio may come, its words run ahead of it, so that no
    /// more count than anybody could have said in that time.
    pub fn heard_text(&self) -> &str {
        if self.role == Role::Shop
            || (self.complete && self.received > 0 && self.heard >= self.received)
        {
            return &self.text;
        }
        let chars = self.text.chars().count() as u64;
        let share = chars
            .saturating_mul(self.heard)
            .checked_div(self.received)
            .unwrap_or(0)
            .min(chars);
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
        push_bounded(&mut turn.text, words);
        // A card number may be complete only with this piece.
        if let Cow::Owned(clean) = payment::without_cards(&turn.text) {
            turn.text = clean;
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
        }
    }

    /// All of the audio of the agent's turn has been received.
    pub fn agent_complete(&mut self, id: &str) {
        if let Some(turn) = self.find(id) {
            turn.complete = true;
        }
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
mod tests {
    use super::*;

    #[test]
    fn unheard_words_count_for_nothing() {
        let mut t = Transcript::default();
        t.agent_words("a", 0, "One large pizza to ");
        t.agent_words("a", 0, "Main Street.");
        t.agent_audio("a", 0, 16_000);
        assert_eq!(t.turns()[0].heard_text(), "");
        t.agent_heard("a", 8_000);
        t.agent_complete("a");
        assert_eq!(t.turns()[0].heard_text(), "One large");
        t.agent_cut("a");
        t.agent_heard("a", 99_000);
        assert_eq!(t.turns()[0].heard_text(), "One large pizza to Main Street.");
    }

    #[test]
    fn words_that_run_ahead_of_their_audio_were_not_heard() {
        let mut t = Transcript::default();
        t.agent_words("a", 0, "Hi, I'm an AI assistant calling for a customer.");
        t.agent_audio("a", 0, 1_600);
        t.agent_heard("a", 1_600);
        assert_eq!(t.turns()[0].heard_text(), "", "a fifth of a second");
        t.agent_audio("a", 0, 24_000);
        t.agent_heard("a", 24_000);
        t.agent_complete("a");
        assert_eq!(
            t.turns()[0].heard_text(),
            "Hi, I'm an AI assistant calling for a customer."
        );
    }

    #[test]
    fn card_numbers_said_in_words_are_cut_out_too() {
        let mut t = Transcript::default();
        t.shop_words(
            "s",
            0,
            "It's four one one one, one one one one, one one one one, one one one one.",
        );
        assert_eq!(t.turns()[0].heard_text(), "[card number removed]");
    }

    #[test]
    fn proof_of_hearing_never_shrinks_or_exceeds_what_was_received() {
        let mut t = Transcript::default();
        t.agent_audio("a", 0, 100);
        t.agent_heard("a", 80);
        t.agent_heard("a", 20);
        t.agent_words("a", 0, "0123456789");
        assert_eq!(t.turns()[0].heard, 80);
        t.agent_heard("unknown", 5);
        assert_eq!(t.turns().len(), 1);
    }

    #[test]
    fn the_shops_words_replace_the_place_kept_for_them() {
        let mut t = Transcript::default();
        t.shop_turn("s", 10);
        t.agent_words("a", 20, "Hi.");
        assert!(t.is_pending());
        t.shop_words("s", 99, " Hello? my card is 4111 1111 1111 1111 ");
        assert!(!t.is_pending());
        assert_eq!(
            (t.turns()[0].heard_text(), t.turns()[0].at_ms),
            ("Hello? my card is [card number removed]", 10)
        );
    }

    #[test]
    fn a_flood_of_turns_and_words_stays_bounded() {
        let mut t = Transcript::default();
        for i in 0..2_000 {
            t.shop_words(&i.to_string(), i, &"word ".repeat(2_000));
        }
        assert_eq!(t.turns().len(), MAX_TURNS);
        assert_eq!(
            (
                t.turns()[0].id.as_str(),
                t.turns()[MAX_TURNS - 1].id.as_str()
            ),
            ("0", "1999")
        );
        assert!(t.turns()[5].text.len() <= MAX_TURN_CHARS);
    }
}
