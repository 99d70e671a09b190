//! The account's questions, answers and rows as texts of words between spaces. No word has a space in
//! it: they are numbers, digests, identifiers and words of ours; `-` stands for none. Serde would do
//! it, at three times the size.

use super::super::gate::{Attempt, Reason};
use super::super::idempotency::{Claim, Entry};
use super::{Account, Ask, Bill, Claimed, OpenCall, SuppressedBy};
use crate::twilio::number::E164;
use std::fmt::Write;
use std::str::SplitAsciiWhitespace;

const NONE: &str = "-";

/// The words of a text, one after another.
pub(super) struct Words<'a>(SplitAsciiWhitespace<'a>);

impl<'a> Words<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self(text.split_ascii_whitespace())
    }

    fn word(&mut self) -> Option<&'a str> {
        self.0.next()
    }

    fn text(&mut self) -> Option<String> {
        self.word().map(str::to_owned)
    }

    fn optional(&mut self) -> Option<String> {
        self.word().filter(|word| *word != NONE).map(str::to_owned)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        self.word()?.parse().ok()
    }

    /// All that is left.
    fn minutes(&mut self) -> Option<Vec<u16>> {
        let mut minutes = Vec::new();
        while let Some(word) = self.word() {
            minutes.push(word.parse().ok()?);
        }
        Some(minutes)
    }

    fn flag(&mut self) -> Option<bool> {
        self.word().map(|word| word == "true")
    }

    fn phone(&mut self) -> Option<E164> {
        E164::parse(self.word()?).ok()
    }
}

impl Words<'_> {
    /// Reads what [`attempt_to_text`] wrote, to the end.
    pub(super) fn attempt(&mut self) -> Option<Attempt> {
        Some(Attempt {
            id: self.text()?,
            to: self.phone()?,
            order: self.text()?,
            force: self.flag()?,
            dry_run: self.flag()?,
            longest_ms: self.number()?,
            reserve: self.number()?,
            key: match (self.optional(), self.optional()) {
                (Some(key), Some(body)) => Some((key, body)),
                _ => None,
            },
            local: self.minutes()?,
        })
    }
}

pub(super) fn attempt_to_text(attempt: &Attempt) -> String {
    let Attempt {
        id,
        order,
        force,
        dry_run,
        longest_ms,
        reserve,
        ..
    } = attempt;
    let to = attempt.to.as_str();
    let key = or_none(attempt.key.as_ref().map(|(key, _)| key));
    let body = or_none(attempt.key.as_ref().map(|(_, body)| body));
    let mut text =
        format!("{id} {to} {order} {force} {dry_run} {longest_ms} {reserve} {key} {body}");
    for minute in &attempt.local {
        let _ = write!(text, " {minute}");
    }
    text
}

fn or_none(text: Option<&String>) -> &str {
    text.map_or(NONE, String::as_str)
}

impl Ask {
    /// As a text.
    pub fn to_text(&self) -> String {
        match self {
            Self::Claim(attempt) => format!("claim {}", attempt_to_text(attempt)),
            Self::Placed {
                id,
                sid,
                age_ms,
                keep_ms,
            } => format!("placed {id} {sid} {age_ms} {keep_ms}"),
            Self::Release(id) => format!("release {id}"),
            Self::Keep(attempt, request) => {
                format!("keep {}\n{request}", attempt_to_text(attempt))
            }
            Self::Start(ids) => format!("start {}", ids.join(" ")),
            Self::Again(id) => format!("again {id}"),
            Self::Failed {
                id,
                silent,
                problem,
            } => format!("failed {id} {silent}\n{problem}"),
            Self::Look(id) => format!("look {id}"),
            Self::Cancel(id) => format!("cancel {id}"),
            Self::Settle(Bill { id, cost, reached }) => format!("settle {id} {cost} {reached}"),
            Self::Suppress { number, by } => {
                format!("suppress {} {}", number.as_str(), by.word())
            }
            Self::Unsuppress(number) => format!("unsuppress {}", number.as_str()),
            Self::Suppressed(number) => format!("suppressed {}", number.as_str()),
            Self::Suppressions(after) => {
                format!("suppressions {}", after.as_ref().map_or(NONE, E164::as_str))
            }
        }
    }

    /// Reads what [`Self::to_text`] wrote.
    pub fn parse(text: &str) -> Option<Self> {
        // Behind the first line stands JSON.
        let (text, json) = text.split_once('\n').unwrap_or((text, ""));
        let json = json.to_owned();
        let mut words = Words::of(text);
        Some(match words.word()? {
            "claim" => Self::Claim(words.attempt()?),
            "placed" => Self::Placed {
                id: words.text()?,
                sid: words.text()?,
                age_ms: words.number()?,
                keep_ms: words.number()?,
            },
            "release" => Self::Release(words.text()?),
            "keep" => Self::Keep(words.attempt()?, json),
            "start" => Self::Start(words.0.map(str::to_owned).collect()),
            "again" => Self::Again(words.text()?),
            "failed" => Self::Failed {
                id: words.text()?,
                silent: words.flag()?,
                problem: json,
            },
            "look" => Self::Look(words.text()?),
            "cancel" => Self::Cancel(words.text()?),
            "settle" => Self::Settle(Bill {
                id: words.text()?,
                cost: words.number()?,
                reached: words.flag()?,
            }),
            "suppress" => Self::Suppress {
                number: words.phone()?,
                by: match words.word()? {
                    "shop" => SuppressedBy::Shop,
                    _ => SuppressedBy::Api,
                },
            },
            "unsuppress" => Self::Unsuppress(words.phone()?),
            "suppressed" => Self::Suppressed(words.phone()?),
            "suppressions" => Self::Suppressions(words.phone()),
            _ => return None,
        })
    }
}

impl SuppressedBy {
    /// As one word.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Shop => "shop",
        }
    }
}

pub(super) fn claimed_to_text(claimed: &Claimed) -> String {
    match claimed {
        Ok(Claim::Fresh) => "fresh".to_owned(),
        Ok(Claim::Later) => "later".to_owned(),
        Ok(Claim::Answered(sid)) => format!("answered {sid}"),
        Ok(Claim::UnderWay) => "under_way".to_owned(),
        Ok(Claim::Lost) => "lost".to_owned(),
        Ok(Claim::Conflict) => "conflict".to_owned(),
        Err(reasons) => reasons.iter().fold("refused".to_owned(), |text, reason| {
            let wait = reason.retry_after.map(|seconds| seconds.to_string());
            format!("{text} {} {}", reason.code, or_none(wait.as_ref()))
        }),
    }
}

/// Reads the answer to [`Ask::Claim`].
pub fn parse_claimed(text: &str) -> Option<Claimed> {
    let mut words = Words::of(text);
    Some(Ok(match words.word()? {
        "fresh" => Claim::Fresh,
        "later" => Claim::Later,
        "answered" => Claim::Answered(words.text()?),
        "under_way" => Claim::UnderWay,
        "lost" => Claim::Lost,
        "conflict" => Claim::Conflict,
        "refused" => {
            let mut reasons = Vec::new();
            while let Some(code) = words.word() {
                let wait = words.optional().and_then(|wait| wait.parse().ok());
                reasons.push(Reason::named(code, wait));
            }
            return Some(Err(reasons));
        }
        _ => return None,
    }))
}

pub(super) fn entry_to_text(entry: &Entry) -> String {
    let sid = or_none(entry.sid.as_ref());
    format!("{} {} {sid}", entry.since, entry.body)
}

pub(super) fn entry(mut words: Words<'_>) -> Option<Entry> {
    Some(Entry {
        since: words.number()?,
        body: words.text()?,
        sid: words.optional(),
    })
}

impl Account {
    pub(super) fn to_text(&self) -> String {
        let mut text = format!("{} {} {}", self.day, self.calls, self.spent);
        for call in &self.open {
            let OpenCall {
                id,
                order,
                day,
                until,
                reserved,
                ..
            } = call;
            let key = or_none(call.key.as_ref());
            let _ = write!(text, " {id} {key} {order} {day} {until} {reserved}");
        }
        text
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut words = Words::of(text);
        let mut account = Self {
            day: words.number()?,
            calls: words.number()?,
            spent: words.number()?,
            open: Vec::new(),
        };
        while let Some(id) = words.text() {
            account.open.push(OpenCall {
                id,
                key: words.optional(),
                order: words.text()?,
                day: words.number()?,
                until: words.number()?,
                reserved: words.number()?,
            });
        }
        Some(account)
    }
}
