//! What is true in the end, by the script and by what was really played: nothing here reads words.

use super::order::{self, Fact, PARTLY, fact};
use super::plan::{DISCLOSURE, Line, Means, Plan};
use super::playback::{self, Heard};
use crate::play::Line as Recording;
use orderline::audio::ulaw::BYTES_PER_MS;

/// Whoever speaks while the shop begins to is heard by nobody, or perhaps is; in bytes.
const OVERLAP: usize = 700 * BYTES_PER_MS as usize;

/// How far a fact is established.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// Rejected, or replaced by something else.
    Denied,
    /// Heard, and not answered.
    Heard,
    /// Heard, and the shop went on to something else.
    Passed,
    /// Whether the shop agreed is a matter of taste.
    Open,
    /// The shop agreed to it, or said it.
    Affirmed,
}

#[derive(Clone, Debug)]
struct Known {
    fact: Fact,
    standing: Standing,
    /// Said since the shop's last line.
    is_new: bool,
    /// Only a part of it was heard, which may do.
    partly: bool,
}

/// Something said, for people to read.
#[derive(Clone, Debug)]
pub(super) struct Turn {
    pub(super) ms: u64,
    pub(super) shop: bool,
    /// Of the agent: the words that were heard.
    pub(super) text: String,
    /// Of the shop: what was written down, where that is something else.
    pub(super) written: Option<String>,
    pub(super) cut: bool,
}

/// What happened.
#[derive(Debug, Default)]
pub(super) struct Truth {
    known: Vec<Known>,
    pub(super) cancelled: bool,
    pub(super) disclosed: bool,
    pub(super) turns: Vec<Turn>,
    /// When the shop's newest line began, in bytes.
    answered_at: Option<usize>,
}

/// One line, said once.
struct Said<'a> {
    line: &'a Line,
    began: usize,
    words: Vec<&'a Heard>,
}

impl Truth {
    pub(super) fn of(plan: &Plan, recording: &Recording) -> Self {
        let (agents, shops): (Vec<Line>, Vec<Line>) = plan
            .lines
            .iter()
            .cloned()
            .partition(|line| !line.id.starts_with("shop"));
        let by_agent = playback::words(&recording.to_shop, &agents);
        let by_shop = playback::words(&recording.from_shop, &shops);
        let mut said = self::said(&by_agent, &agents);
        said.extend(self::said(&by_shop, &shops));
        said.sort_by_key(|said| said.began);
        let mut truth = Self::default();
        // The agent's words and the shop's lines, each at its own time.
        let mut events: Vec<(usize, bool, Event<'_>)> = Vec::new();
        for said in &said {
            let is_shop = said.line.id.starts_with("shop");
            truth.turns.push(turn(said, is_shop));
            if is_shop {
                let whole = said.words.len() == said.line.spoken.words.len();
                events.push((said.began, true, Event::Shop(said.line, whole)));
            } else {
                for heard in &said.words {
                    let told = said.facts_at(heard);
                    events.extend(told.map(|fact| (heard.at, false, Event::Tells(fact))));
                }
            }
        }
        events.sort_by_key(|(at, is_shop, _)| (*at, *is_shop));
        for (at, _, event) in events {
            match event {
                Event::Tells(fact) => truth.tells(fact, at),
                Event::Shop(line, true) => truth.answers(line, at),
                // Nobody waited for the end of it.
                Event::Shop(_, false) => truth.unsettle(),
            }
        }
        truth
    }

    fn tells(&mut self, fact: &Fact, at: usize) {
        if fact.pointer == DISCLOSURE {
            self.disclosed = true;
            return;
        }
        if let Some(place) = fact.pointer.strip_prefix(PARTLY) {
            let whole = order::fact(place, &fact.value);
            if self.standing(place, &whole.value).is_none() {
                self.known.push(Known {
                    fact: whole,
                    standing: Standing::Open,
                    is_new: false,
                    partly: true,
                });
            }
            return;
        }
        // Said while the shop began to speak: perhaps somebody listened.
        let during = self.answered_at.is_some_and(|began| at <= began + OVERLAP);
        let standing = if during {
            Standing::Open
        } else {
            Standing::Heard
        };
        if let Some(known) = self.known.iter_mut().find(|known| known.fact == *fact) {
            known.is_new = !during;
            let partly = std::mem::take(&mut known.partly);
            // What was agreed to stays so when it is said again.
            if partly || known.standing == Standing::Denied {
                known.standing = standing;
            }
            return;
        }
        self.known.push(Known {
            fact: fact.clone(),
            standing,
            is_new: !during,
            partly: false,
        });
    }

    fn answers(&mut self, line: &Line, at: usize) {
        let affirms = line.means.contains(&Means::Affirms);
        let notes = line.means.contains(&Means::Notes);
        let mut affirmed = Vec::new();
        self.answered_at = Some(at);
        for known in &mut self.known {
            let answered = known.is_new;
            known.is_new = false;
            known.standing = match (known.standing, answered) {
                (_, true) if affirms => {
                    affirmed.push(known.fact.clone());
                    Standing::Affirmed
                }
                (Standing::Passed | Standing::Heard, false) if affirms || notes => Standing::Open,
                (Standing::Heard | Standing::Passed, true) if notes => Standing::Open,
                (Standing::Heard, true) => Standing::Passed,
                (standing, _) => standing,
            };
        }
        for fact in affirmed {
            self.replaces(&fact);
        }
        for means in &line.means {
            match means {
                Means::Denies(place) => {
                    let denied = self
                        .known
                        .iter_mut()
                        .filter(|k| k.fact.pointer.starts_with(place));
                    denied.for_each(|known| known.standing = Standing::Denied);
                }
                Means::Says(fact) => self.says(fact, Standing::Affirmed),
                Means::Total(cents) => self.says(&total(*cents), Standing::Affirmed),
                Means::TotalUnclear(cents) => self.says(&total(*cents), Standing::Open),
                Means::Subtotal(cents) => {
                    let said = fact("/order/totals/subtotal", &cents.to_string());
                    self.says(&said, Standing::Affirmed);
                }
                Means::NoTotal => self.stand("/order/totals", Standing::Denied),
                Means::Cancels => {
                    self.cancelled = true;
                    self.unsettle_all();
                }
                Means::Unclear => self.unsettle_all(),
                Means::Affirms | Means::Notes => {}
            }
        }
    }

    fn says(&mut self, fact: &Fact, standing: Standing) {
        self.replaces(fact);
        self.known.retain(|known| known.fact != *fact);
        self.known.push(Known {
            fact: fact.clone(),
            standing,
            is_new: false,
            partly: false,
        });
    }

    /// Another value at the same place no longer stands.
    fn replaces(&mut self, fact: &Fact) {
        let other = |known: &&mut Known| {
            known.fact.pointer == fact.pointer && known.fact.value != fact.value
        };
        let others = self.known.iter_mut().filter(other);
        others.for_each(|known| known.standing = Standing::Denied);
    }

    fn stand(&mut self, place: &str, standing: Standing) {
        let there = self.known.iter_mut();
        let there = there.filter(|known| known.fact.pointer.starts_with(place));
        there.for_each(|known| known.standing = standing);
    }

    fn unsettle(&mut self) {
        let new = self.known.iter_mut().filter(|known| known.is_new);
        new.for_each(|known| known.standing = known.standing.max(Standing::Open));
    }

    fn unsettle_all(&mut self) {
        let heard = self.known.iter_mut();
        let heard = heard.filter(|known| known.standing > Standing::Denied);
        heard.for_each(|known| known.standing = Standing::Open);
    }

    /// How far a value at a place is established; nothing if it was never said.
    pub(super) fn standing(&self, pointer: &str, value: &str) -> Option<Standing> {
        let there = |known: &&Known| known.fact.pointer == pointer && known.fact.value == value;
        self.known.iter().find(there).map(|known| known.standing)
    }

    /// Whether anything was said of a place.
    pub(super) fn mentions(&self, place: &str) -> bool {
        self.known
            .iter()
            .any(|known| known.fact.pointer.starts_with(place))
    }

    /// The value at a place that the shop agreed to.
    pub(super) fn affirmed(&self, pointer: &str) -> Option<&str> {
        let there =
            |known: &&Known| known.fact.pointer == pointer && known.standing == Standing::Affirmed;
        let known = self.known.iter().rev().find(there)?;
        Some(&known.fact.value)
    }

    /// Whether somebody said these words, a word more or less at the end of what was cut. What is not
    /// clear of them may be anything.
    pub(super) fn was_said(&self, quote: &str, plan: &Plan) -> bool {
        let mut pieces = quote.split("[unclear]");
        pieces.all(|piece| self.was_said_clearly(piece, plan))
    }

    fn was_said_clearly(&self, quote: &str, plan: &Plan) -> bool {
        let bare = |text: &str| -> Vec<String> {
            let words = text.split_whitespace().map(super::order::plain);
            words.filter(|word| !word.is_empty()).collect()
        };
        let quote = bare(quote);
        let within = |text: &str, more: usize| {
            let text = bare(text);
            quote.len() <= text.len() + more
                && (0..=text.len()).any(|from| {
                    let rest = &text[from..];
                    let shared = quote.len().min(rest.len());
                    shared + more >= quote.len() && rest[..shared] == quote[..shared]
                })
        };
        quote.is_empty()
            || self.turns.iter().any(|turn| {
                let written = turn.written.as_ref().unwrap_or(&turn.text);
                // One word may have been on its way when the agent was cut off.
                within(written, usize::from(turn.cut))
            })
            || plan
                .lines
                .iter()
                .any(|line| line.id.starts_with("shop") && within(&line.written, 0))
    }
}

fn total(cents: u64) -> Fact {
    fact("/order/totals/total", &cents.to_string())
}

enum Event<'a> {
    Tells(&'a Fact),
    Shop(&'a Line, bool),
}

impl<'a> Said<'a> {
    /// The facts that this word completes, if no word of their piece is missing.
    fn facts_at(&self, heard: &Heard) -> impl Iterator<Item = &'a Fact> {
        let word = &self.line.spoken.words[heard.word];
        let was_heard = |number| self.words.iter().any(|heard| heard.word == number);
        let whole = (word.piece..heard.word).all(was_heard);
        word.facts.iter().filter(move |_| whole)
    }
}

/// The agent's lines, each time they were said.
fn said<'a>(heard: &'a [Heard], lines: &'a [Line]) -> Vec<Said<'a>> {
    let mut said: Vec<(usize, Said<'a>)> = Vec::new();
    for word in heard {
        match said.last_mut() {
            Some((time, said)) if *time == word.time => {
                // What goes on after a pause may go back a little.
                if said.words.iter().all(|known| known.word != word.word) {
                    said.words.push(word);
                }
            }
            _ => said.push((
                word.time,
                Said {
                    line: &lines[word.line],
                    began: word.began,
                    words: vec![word],
                },
            )),
        }
    }
    said.into_iter().map(|(_, said)| said).collect()
}

fn turn(said: &Said<'_>, shop: bool) -> Turn {
    let words = &said.line.spoken.words;
    let heard: Vec<&str> = said
        .words
        .iter()
        .map(|heard| words[heard.word].text.as_str())
        .collect();
    let text = said.line.spoken.text();
    Turn {
        ms: said.began as u64 / BYTES_PER_MS,
        shop,
        text: heard.join(" "),
        written: (shop && said.line.written != text).then(|| said.line.written.clone()),
        cut: said.words.len() < words.len(),
    }
}
