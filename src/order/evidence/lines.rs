//! The heard turns, what answered each, and what they prove of a field.

use super::fields::{self, Field};
use super::{FieldEvidence, Proof, Quote};
use crate::order::answer::{self, Answer};
use crate::order::backchannel;
use crate::order::do_not_call::asks_not_to_be_called;
use crate::order::mention::{Counted, Mention};
use crate::order::own_words;
use crate::order::spoken::Spoken;
use crate::order::state::OrderState;
use crate::order::transcript::{Role, Transcript, Turn};
use std::ops::Range;

/// How many turns of the shop may pass until it answers.
const ANSWER_WITHIN: usize = 3;
/// A question of the agent that asks about what it read back, and not about something new.
const ASKS_BACK: [&str; 13] = [
    "how much",
    "come to",
    "correct",
    "is that right",
    "that's right",
    "is that okay",
    "get that",
    "got that",
    "got it",
    "all good",
    "everything",
    "total",
    "sound good",
];
/// The same at the end of the question; before it they begin something else.
const TAGS: [&str; 2] = ["right", "okay"];
/// Asks whether the shop has it.
const ASKS_WHETHER: [&str; 7] = [
    "did you get",
    "did you catch",
    "got that",
    "got it",
    "is that right",
    "is that correct",
    "all good",
];

/// Words that were heard, and what they say of the order's items.
pub(super) struct Said {
    pub(super) words: Spoken,
    pub(super) items: Counted,
}

impl Said {
    /// What the agent said.
    fn by_agent(words: Spoken, order: &OrderState) -> Self {
        let items = Counted::by_agent(&words, &order.items);
        Self { words, items }
    }

    /// What the shop said, to an agent of these words.
    fn by_shop(words: Spoken, order: &OrderState, agent: &[&Spoken]) -> Self {
        let items = Counted::by_shop(&words, &order.items, agent);
        Self { words, items }
    }
}

/// A heard turn.
struct Line<'a> {
    turn: &'a Turn,
    said: Said,
    /// What the other made of it, where, and in which words.
    answer: Option<(Answer, usize, Range<usize>)>,
    /// Agent: what had been heard of it when the shop agreed to that, and the shop's turn.
    affirmed: Vec<(Said, usize)>,
    /// Shop: it repeats the agent, and may be an echo of it.
    repeats: bool,
    /// Shop: it asks whether something else would do, and the agent does not decline.
    replaces: bool,
}

/// The heard turns of a call, oldest first, for what they prove of its order.
pub struct Lines<'a> {
    order: &'a OrderState,
    heard: Vec<Line<'a>>,
    /// The shop's last objection that stands whatever was asked.
    last_objection: Option<(usize, Range<usize>)>,
}

/// Whether a turn of the shop can be evidence. An acknowledgement came before the agent had said
/// what it would answer: for what comes after it, it counts only if it objects.
pub(super) fn counts(turn: &Turn, words: &Spoken) -> bool {
    turn.acknowledges.is_none() || matches!(answer::find(words).0, Answer::Objects { .. })
}

impl<'a> Lines<'a> {
    /// What was heard so far.
    pub fn new(order: &'a OrderState, transcript: &'a Transcript) -> Self {
        let heard = transcript.turns().iter();
        let heard = heard.filter(|turn| !turn.heard_text().is_empty());
        let parsed: Vec<(&Turn, Spoken)> = heard
            .map(|turn| (turn, Spoken::parse(turn.heard_text())))
            .collect();
        let agent = parsed.iter().filter(|(turn, _)| turn.role == Role::Agent);
        let agent: Vec<&Spoken> = agent.map(|(_, words)| words).collect();
        let said = |(turn, words): &(&'a Turn, Spoken)| Line {
            turn,
            said: match turn.role {
                Role::Agent => Said::by_agent(words.clone(), order),
                Role::Shop => Said::by_shop(words.clone(), order, &agent),
            },
            answer: None,
            affirmed: Vec::new(),
            repeats: false,
            replaces: false,
        };
        let mut lines: Vec<Line<'a>> = parsed.iter().map(said).collect();
        let shops =
            |line: &Line<'_>| line.turn.role == Role::Shop && counts(line.turn, &line.said.words);
        let last_objection = lines
            .iter()
            .enumerate()
            .rev()
            .filter(|(_, line)| shops(line))
            .find_map(|(at, _)| Some((at, takes_back(&lines, at)?)));
        for at in 0..lines.len() {
            let is_agent = |line: &Line<'_>| line.turn.role == Role::Agent;
            if lines.get(at).is_some_and(is_agent) {
                let (answer, affirmed) = (answer_of_shop(&lines, at), affirmed(&lines, at, order));
                if let Some(line) = lines.get_mut(at) {
                    (line.answer, line.affirmed) = (answer, affirmed);
                }
            } else {
                let answer = answer_of_agent(&lines, at);
                let (repeats, replaces) = (repeats(&lines, at), replaces(&lines, at, order));
                if let Some(line) = lines.get_mut(at) {
                    (line.answer, line.repeats, line.replaces) = (answer, repeats, replaces);
                }
            }
        }
        Self {
            order,
            heard: lines,
            last_objection,
        }
    }

    /// The evidence for every field of the order except the amounts.
    pub fn fields(&self) -> Vec<FieldEvidence> {
        let fields = fields::of(self.order).into_iter();
        fields.map(|field| self.find(field)).collect()
    }

    /// The turns of the shop that can be evidence, from a place on, each with the words of the agent
    /// right before it.
    pub(super) fn shop(
        &self,
        from: usize,
    ) -> impl Iterator<Item = (&'a Turn, &Spoken, Option<&Spoken>)> {
        let lines = self.heard.iter().enumerate().skip(from);
        let shop = lines.filter(|(_, line)| line.turn.role == Role::Shop);
        let before = |at: usize| {
            let line = self.heard.get(at.checked_sub(1)?)?;
            (line.turn.role == Role::Agent).then_some(&line.said.words)
        };
        shop.map(move |(at, line)| (line.turn, &line.said.words, before(at)))
            .filter(|(turn, words, _)| counts(turn, words))
    }

    /// The evidence for one field: what was said and answered last counts.
    fn find(&self, field: Field) -> FieldEvidence {
        let mut best: Option<(Found, usize)> = None;
        for (at, line) in self.heard.iter().enumerate() {
            // What was agreed to before something else was offered has to be said once more.
            if line.replaces
                && field.item().is_some()
                && let Some((found, _)) = &mut best
            {
                found.proof = found.proof.min(Proof::Stated);
            }
            let Some(mention) = field.mention(self.order, &line.said, line.turn.role) else {
                continue;
            };
            let found = match line.turn.role {
                Role::Agent => Some(self.read_back(&field, line, &mention)),
                Role::Shop => shop_says(line, &mention),
            };
            let Some((proof, answer)) = found else {
                continue;
            };
            // Said once more without an answer: what was answered before still holds.
            if proof != Proof::Stated
                || best
                    .as_ref()
                    .is_none_or(|(known, _)| known.proof != Proof::Proven)
            {
                let said = line.quote(&mention.at);
                let answered =
                    answer.and_then(|(at, words)| Some(self.heard.get(at)?.quote(&words)));
                best = Some((
                    Found {
                        proof,
                        said,
                        answered,
                    },
                    at,
                ));
            }
        }
        if let (Some((found, said_at)), Some((at, words))) = (&mut best, &self.last_objection)
            && at > said_at
        {
            // What need not be said, and was not said again, is open again.
            if field.needed == Proof::Unproven {
                (found.proof, found.answered) = (Proof::Unproven, None);
            } else {
                found.proof = Proof::Contradicted;
                found.answered = self.heard.get(*at).map(|line| line.quote(words));
            }
        }
        let (proof, said, answered) = best.map_or((Proof::Unproven, None, None), |(found, _)| {
            (found.proof, Some(found.said), found.answered)
        });
        FieldEvidence {
            pointer: field.pointer,
            proof,
            needed: field.needed,
            said,
            answered,
            read_back: field.read_back,
        }
    }

    /// Where an item was last said that had not been said so before.
    pub(super) fn changed_at(&self) -> usize {
        let items = fields::items(self.order);
        let changed = items.filter_map(|field| {
            let mut says = false;
            let mut changed = None;
            for (at, line) in self.heard.iter().enumerate() {
                let mention = field.mention(self.order, &line.said, line.turn.role);
                if let Some(mention) = mention {
                    changed = if mention.says && !says {
                        Some(at)
                    } else {
                        changed
                    };
                    says = mention.says;
                }
            }
            changed
        });
        changed.max().unwrap_or(0)
    }

    /// What a turn of the agent that mentions the field proves of it.
    fn read_back(&self, field: &Field, line: &Line<'a>, mention: &Mention) -> (Proof, At) {
        if !mention.says {
            return (Proof::Contradicted, None);
        }
        let answer = line.answer.clone();
        let at = answer.as_ref().map(|(_, at, words)| (*at, words.clone()));
        let by_half = || {
            let mention = |said: &Said| field.mention(self.order, said, Role::Agent);
            let says = |said: &Said| mention(said).is_some_and(|m| m.says);
            let (_, at) = line.affirmed.iter().find(|(said, _)| says(said))?;
            let words = answer::confirms(&self.heard.get(*at)?.said.words)?;
            Some((Proof::Proven, Some((*at, words))))
        };
        let Some((answer, shop_at, _)) = answer else {
            return by_half().unwrap_or((Proof::Stated, None));
        };
        let shop = self.heard.get(shop_at).map(|line| &line.said);
        let contrary = shop.and_then(|shop| field.mention(self.order, shop, Role::Shop));
        match answer {
            // What need not be said may be left out when the rest is said again.
            Answer::Objects { .. } if field.needed == Proof::Unproven => (Proof::Unproven, None),
            Answer::Objects { .. } => (Proof::Contradicted, at),
            _ if contrary.is_some_and(|mention| !mention.says) => (Proof::Contradicted, at),
            _ if shop.is_some_and(|shop| asks_with(&shop.words, field.asked_by)) => {
                by_half().unwrap_or((Proof::Stated, at))
            }
            // "Okay, one large pepperoni", of two pizzas.
            _ if shop.is_some_and(|shop| {
                let item = field.item();
                item.is_some_and(|item| shop.items.leaves_out(&shop.words, &self.order.items, item))
            }) =>
            {
                (Proof::Stated, at)
            }
            Answer::Affirms => (Proof::Proven, at),
            Answer::Neither => by_half().unwrap_or((Proof::Stated, at)),
        }
    }
}

/// The turn of an answer and its words.
type At = Option<(usize, Range<usize>)>;

struct Found {
    proof: Proof,
    said: Quote,
    answered: Option<Quote>,
}

impl Line<'_> {
    fn quote(&self, tokens: &Range<usize>) -> Quote {
        Quote {
            turn: self.turn.id.clone(),
            words: self.said.words.place(tokens.clone()),
        }
    }
}

/// What a turn of the shop that mentions the field proves of it. A question proves what the agent
/// answers; what objects is no statement; and what repeats the agent may be its echo.
fn shop_says(line: &Line<'_>, mention: &Mention) -> Option<(Proof, At)> {
    if !counts(line.turn, &line.said.words) {
        return None;
    }
    let objects = matches!(answer::find(&line.said.words).0, Answer::Objects { .. });
    if !answer::is_stated(&line.said.words, mention.at.start) {
        return match (&line.answer, mention.says) {
            (Some((Answer::Affirms, at, words)), true) => {
                Some((Proof::Proven, Some((*at, words.clone()))))
            }
            (Some((Answer::Affirms, at, words)), false) => {
                Some((Proof::Contradicted, Some((*at, words.clone()))))
            }
            _ => None,
        };
    }
    match mention.says {
        false => Some((Proof::Contradicted, None)),
        true if objects || line.repeats => None,
        true if answer::is_doubtful(
            &line.said.words,
            line.said.words.sentence(mention.at.start).0,
        ) =>
        {
            None
        }
        true => Some((Proof::Proven, None)),
    }
}

/// What a turn of the agent asks in the end.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Question {
    /// Whether what it read back is right, or what it costs.
    Back,
    /// Whether the shop needs more.
    More,
    /// Something else.
    Else,
}

impl Question {
    fn of(words: &Spoken) -> Option<Self> {
        let tags = words.find_any(&TAGS);
        if tags.iter().any(|at| at.end == words.len()) || asks_with(words, &ASKS_BACK) {
            return Some(Self::Back);
        }
        let asks = !words.is_empty() && words.is_asked(words.len() - 1);
        let asked = if answer::asks_for_more(words) {
            Self::More
        } else {
            Self::Else
        };
        asks.then_some(asked)
    }
}

/// Whether a sentence of the turn asks with one of these phrases.
fn asks_with(words: &Spoken, phrases: &[&str]) -> bool {
    let found = words.find_any(phrases);
    found.iter().any(|at| words.is_asked(at.start))
}

/// The words of a turn of the shop that take the order back, whatever was asked.
fn takes_back(lines: &[Line<'_>], at: usize) -> Option<Range<usize>> {
    let line = lines.get(at)?;
    let words = &line.said.words;
    // "No onions" is what the agent ordered.
    let quoted = |at: usize| {
        let agents = lines.iter().filter(|line| line.turn.role == Role::Agent);
        let mut agents = agents.map(|line| &line.said.words);
        agents.any(|said| (0..said.len()).any(|i| (0..2).all(|n| words.same(at + n, said, i + n))))
    };
    // To want no more calls takes back no order.
    let denies = || {
        let at = answer::denies(words, quoted)?;
        (!asks_not_to_be_called(line.turn.heard_text())).then_some(at..at + 1)
    };
    // "Did you get the address?" "No."
    let lacks = || {
        let before = lines.get(at.checked_sub(1)?)?;
        let asked = before.turn.role == Role::Agent && asks_with(&before.said.words, &ASKS_WHETHER);
        match answer::find(words) {
            (Answer::Objects { firmly: false }, no) if asked => Some(no),
            _ => None,
        }
    };
    answer::takes_back(words).or_else(denies).or_else(lacks)
}

/// The shop's answer to a turn of the agent.
fn answer_of_shop(lines: &[Line<'_>], at: usize) -> Option<(Answer, usize, Range<usize>)> {
    let words = &lines.get(at)?.said.words;
    let mut said = vec![words];
    let mut question = Question::of(words);
    // "Okay" answers no "how long?", so that it is of the read-back.
    let asked_what = words.has_one_of(0..words.len(), &["what", "what's", "how", "when"]);
    let mut asked_else = question.is_some_and(|q| q != Question::Back) && !asked_what;
    let mut passed = 0;
    for (at, line) in lines.iter().enumerate().skip(at + 1) {
        if line.turn.role == Role::Agent {
            let words = &line.said.words;
            let asked = Question::of(words);
            asked_else |= asked.is_some_and(|q| q != Question::Back);
            question = asked.or(question);
            said.push(words);
            continue;
        }
        if !counts(line.turn, &line.said.words) {
            continue;
        }
        passed += 1;
        if passed > ANSWER_WITHIN {
            return None;
        }
        // "Okay, one minute" answers nothing yet.
        if backchannel::asks_to_wait(line.turn.heard_text()) {
            continue;
        }
        let (answer, words) = match answer::find_to(&line.said.words, said.iter().copied()) {
            (Answer::Objects { firmly: false }, no) => match question {
                None | Some(Question::Back) => (Answer::Objects { firmly: false }, no),
                Some(Question::Else) => (Answer::Neither, no),
                // Whoever needs nothing else has all of it.
                Some(Question::More) => {
                    let yes = line.said.words.with_yes();
                    match answer::find_to(&yes, said.iter().copied()).0 {
                        Answer::Affirms => return Some((Answer::Affirms, at, no)),
                        _ => (Answer::Neither, no),
                    }
                }
            },
            other => other,
        };
        // Whoever doubts has not agreed, whatever follows.
        let doubts = answer == Answer::Neither
            && answer::is_doubtful(&line.said.words, 0..line.said.words.len());
        // A "yes" to another question answers that.
        if doubts || answer != Answer::Neither && (answer != Answer::Affirms || !asked_else) {
            return Some((answer, at, words));
        }
    }
    None
}

/// The agent's answer to a turn of the shop: what it says next.
fn answer_of_agent(lines: &[Line<'_>], at: usize) -> Option<(Answer, usize, Range<usize>)> {
    let (at, line) = lines.iter().enumerate().nth(at + 1)?;
    if line.turn.role != Role::Agent {
        return None;
    }
    let words = answer::agrees(&line.said.words)?;
    Some((Answer::Affirms, at, words))
}

/// What had been heard of a turn of the agent each time the shop agreed in the middle of it.
fn affirmed(lines: &[Line<'_>], at: usize, order: &OrderState) -> Vec<(Said, usize)> {
    let Some(line) = lines.get(at) else {
        return Vec::new();
    };
    let agreed = lines
        .iter()
        .enumerate()
        .skip(at + 1)
        .filter_map(|(at, shop)| {
            let to = shop.turn.acknowledges.as_ref()?;
            if to.turn != line.turn.id {
                return None;
            }
            let said = Said::by_agent(Spoken::parse(line.turn.heard_before(to)), order);
            answer::confirms_to(&shop.said.words, Some(&said.words))?;
            Some((said, at))
        });
    agreed.collect()
}

/// Whether the shop asks if something else would do, and the agent does not decline.
fn replaces(lines: &[Line<'_>], at: usize, order: &OrderState) -> bool {
    let agents = lines
        .iter()
        .take(at)
        .filter(|line| line.turn.role == Role::Agent);
    let said: Vec<&Spoken> = agents.map(|line| &line.said.words).collect();
    let Some(words) = lines.get(at).map(|line| &line.said.words) else {
        return false;
    };
    let quoted = |at: usize| {
        let mut said = said.iter();
        said.any(|said| (0..said.len()).any(|i| words.same(at, said, i)))
    };
    // "Is large fine?", of an extra large one.
    let quoted = |place: usize| {
        let items = lines.get(at).map(|line| &line.said.items);
        quoted(place) && !items.is_some_and(|items| items.is_of_other_size(order, place))
    };
    let answer = lines.get(at + 1);
    let answer = answer.filter(|line| line.turn.role == Role::Agent);
    answer::offers(words, quoted) && answer.is_none_or(|line| !answer::declines(&line.said.words))
}

/// Whether the shop's words are those of the agent right before.
fn repeats(lines: &[Line<'_>], at: usize) -> bool {
    let shop = lines.get(at).map_or("", |line| line.turn.heard_text());
    let before = lines.iter().take(at).rev().take(3);
    let said: String = before
        .filter(|line| line.turn.role == Role::Agent)
        .map(|line| line.turn.words().to_owned() + " ")
        .collect();
    own_words::repeats(shop, &said)
}
