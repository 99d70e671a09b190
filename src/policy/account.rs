//! What an account keeps between calls, and the one step in which a call is allowed: open calls, the
//! day's calls and spending, recent orders, idempotency keys, the calls that wait for their turn, and
//! the numbers not to be called.
//!
//! The shell gives it [`Rows`] and the time, and runs [`handle`] in one go: nothing else touches the
//! rows between its first look and its last write, which is what makes the counts exact.
//!
//! A call is open from its claim until its end is reported. What never is, is over with its lease;
//! its reservation then counts as spent.

mod queue;
mod wire;

use super::gate::{self, Attempt, DAY_MS, Policy, Reason, Standing};
use super::idempotency::{self, Claim, Entry};
use super::pace::SECOND_MS;
use crate::realtime::prices::MicroDollars;
use crate::timestamp::timestamp;
use crate::twilio::number::E164;
pub use queue::{Turn, WAIT_MS, parse_turns};
use wire::Words;
pub use wire::parse_claimed;

/// For how long the same order needs `force`, in ms.
pub const DUPLICATE_MS: u64 = 30 * 60 * 1000;
/// A call whose end was not reported so long after its longest duration is over, in ms.
const LEASE_GRACE_MS: u64 = 2 * 60 * 1000;
/// The most numbers listed at once.
pub const MAX_LISTED: usize = 500;

/// Names of rows.
const STATE: &str = "account";
const PACE: &str = "pace";
const KEY: &str = "key:";
const ORDER: &str = "order:";
const NUMBER: &str = "number:";

/// The rows could not be read or written; ours, and nothing may be dialled.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the account's storage failed")]
pub struct RowsFailed;

/// Named texts, each with the time (ms since the Unix epoch) from which it is forgotten.
pub trait Rows {
    /// The text of this name.
    fn get(&self, name: &str) -> Result<Option<String>, RowsFailed>;
    /// Writes or replaces one.
    fn put(&mut self, name: &str, text: &str, until: u64) -> Result<(), RowsFailed>;
    /// Forgets one.
    fn remove(&mut self, name: &str) -> Result<(), RowsFailed>;
    /// Forgets all whose time has come.
    fn expire(&mut self, now: u64) -> Result<(), RowsFailed>;
    /// Names and texts in the order of names, from behind `after` until before `end`, at most `limit`.
    fn list(
        &self,
        after: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, String)>, RowsFailed>;
}

/// What the account is asked.
#[derive(Clone, Debug)]
pub enum Ask {
    /// May this be dialled? Takes a slot if so. Answers [`Claimed`].
    Claim(Attempt),
    /// Twilio placed the call of this attempt. Told by whoever asked Twilio, and once more by the call
    /// itself when it is over: the one may have been lost meanwhile.
    Placed {
        /// The attempt.
        id: String,
        /// The call.
        sid: String,
        /// How long ago Twilio answered, in ms.
        age_ms: u64,
        /// For how long the SID of one that was queued is found under its id, in ms.
        keep_ms: u64,
    },
    /// Nothing rang for this attempt.
    Release(String),
    /// The call is to be queued, with its request in JSON: its turn is yet to come, or Twilio had too
    /// much to do.
    Keep(Attempt, String),
    /// Is it these calls' turn? Answers [`Turn`]s.
    Start(Vec<String>),
    /// Twilio had too much to do for a call that was queued.
    Again(String),
    /// No call was placed, or none that is known of.
    Failed {
        /// The attempt.
        id: String,
        /// Certainly nothing rang.
        silent: bool,
        /// The problem in JSON.
        problem: String,
    },
    /// What is with this call that was queued? Answers its state, or nothing.
    Look(String),
    /// Erase it, if it was not placed. Answers its state then.
    Cancel(String),
    /// A call is over.
    Settle(Bill),
    /// Do not call this number again.
    Suppress {
        /// The number.
        number: E164,
        /// Who wants that.
        by: SuppressedBy,
    },
    /// This number may be called again.
    Unsuppress(E164),
    /// Is this number suppressed? Answers its entry in JSON, or nothing.
    Suppressed(E164),
    /// The list, from behind this number. Answers JSON, `{suppressions, next}`.
    Suppressions(Option<E164>),
}

/// Yes, with what the idempotency key says; or what speaks against it.
pub type Claimed = Result<Claim, Vec<Reason>>;

/// How a call ended, as far as the account cares.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bill {
    /// The attempt that became the call.
    pub id: String,
    /// What it cost.
    pub cost: MicroDollars,
    /// Whether somebody picked up; if not, the same order may be tried again at once.
    pub reached: bool,
}

/// Who does not want a number called.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SuppressedBy {
    /// The user of the API.
    Api,
    /// The shop, on the phone.
    Shop,
}

/// The counts.
#[derive(Debug, Default)]
struct Account {
    /// Day of the Unix epoch that the two counts are of.
    day: u64,
    calls: u64,
    spent: MicroDollars,
    open: Vec<OpenCall>,
}

/// A call from its claim until its end.
#[derive(Debug)]
struct OpenCall {
    id: String,
    /// Digest of its idempotency key.
    key: Option<String>,
    order: String,
    /// Day it was claimed on.
    day: u64,
    /// End of its lease.
    until: u64,
    reserved: MicroDollars,
}

/// Answers a question. `now` is milliseconds since the Unix epoch.
///
/// # Errors
/// The rows failed; ours.
pub fn handle(
    rows: &mut impl Rows,
    policy: &Policy,
    now: u64,
    ask: Ask,
) -> Result<String, RowsFailed> {
    match ask {
        Ask::Claim(attempt) => {
            return Ok(wire::claimed_to_text(&claim(rows, policy, now, attempt)?));
        }
        Ask::Placed {
            id,
            sid,
            age_ms,
            keep_ms,
        } => {
            queue::ended(rows, now, &id, SECOND_MS.saturating_sub(age_ms))?;
            queue::placed(rows, now, &id, &sid, keep_ms)?;
            answer_key(rows, now, &id, |entry| entry.sid = Some(sid))?;
        }
        Ask::Release(id) => {
            queue::ended(rows, now, &id, SECOND_MS)?;
            queue::forget(rows, &id)?;
            release(rows, now, &id)?;
        }
        Ask::Keep(attempt, request) => queue::keep(rows, now, &attempt, &request)?,
        Ask::Start(ids) => return queue::start(rows, policy, now, &ids),
        Ask::Again(id) => queue::again(rows, now, &id)?,
        Ask::Failed {
            id,
            silent,
            problem,
        } => queue::failed(rows, now, &id, silent, &problem)?,
        Ask::Look(id) => return queue::look(rows, now, &id),
        Ask::Cancel(id) => return queue::cancel(rows, now, &id),
        Ask::Settle(bill) => settle(rows, now, &bill)?,
        Ask::Suppress { number, by } => {
            let name = NUMBER.to_owned() + number.as_str();
            // Who asked first, and when, stays.
            if rows.get(&name)?.is_none() {
                rows.put(&name, &entry_json(&number, now, by), u64::MAX)?;
            }
        }
        Ask::Unsuppress(number) => rows.remove(&(NUMBER.to_owned() + number.as_str()))?,
        Ask::Suppressed(number) => {
            let entry = rows.get(&(NUMBER.to_owned() + number.as_str()))?;
            return Ok(entry.unwrap_or_default());
        }
        Ask::Suppressions(after) => return suppressions(rows, after.as_ref()),
    }
    Ok(String::new())
}

/// The one step in which a call is allowed and its slot taken.
fn claim(
    rows: &mut impl Rows,
    policy: &Policy,
    now: u64,
    attempt: Attempt,
) -> Result<Claimed, RowsFailed> {
    rows.expire(now)?;
    let mut account = Account::load(rows, now)?;
    if let (false, Some((key, body))) = (attempt.dry_run, &attempt.key) {
        // Under its key a request is answered as it was, whatever is allowed by now.
        let entry = entry(rows, key)?;
        match idempotency::claim(entry.as_ref(), body, now) {
            Claim::Fresh => {}
            known => return Ok(Ok(known)),
        }
    }
    let order = ORDER.to_owned() + &attempt.order;
    let standing = Standing {
        suppressed: rows
            .get(&(NUMBER.to_owned() + attempt.to.as_str()))?
            .is_some(),
        ordered: rows.get(&order)?.is_some(),
        ..account.standing()
    };
    let reasons = gate::reasons(&attempt, policy, &standing, now);
    if !reasons.is_empty() {
        return Ok(Err(reasons));
    }
    if attempt.dry_run {
        return Ok(Ok(Claim::Fresh));
    }
    rows.put(&order, &attempt.id, now.saturating_add(DUPLICATE_MS))?;
    let key = match attempt.key {
        Some((key, body)) => {
            let entry = Entry {
                body,
                since: now,
                sid: None,
            };
            put_entry(rows, &key, &entry)?;
            Some(key)
        }
        None => None,
    };
    let starts = queue::start_now(rows, policy, now, &attempt.id)?;
    account.calls = account.calls.saturating_add(1);
    account.open.push(OpenCall {
        id: attempt.id,
        key,
        order: attempt.order,
        day: account.day,
        until: now
            .saturating_add(if starts { 0 } else { WAIT_MS })
            .saturating_add(attempt.longest_ms)
            .saturating_add(LEASE_GRACE_MS),
        reserved: attempt.reserve,
    });
    account.save(rows)?;
    Ok(Ok(if starts { Claim::Fresh } else { Claim::Later }))
}

/// What became of an open call is noted under its key, unless that has an answer.
fn answer_key(
    rows: &mut impl Rows,
    now: u64,
    id: &str,
    note: impl FnOnce(&mut Entry),
) -> Result<(), RowsFailed> {
    let account = Account::load(rows, now)?;
    let call = account.open.iter().find(|call| call.id == id);
    let Some(key) = call.and_then(|call| call.key.as_ref()) else {
        return Ok(());
    };
    match entry(rows, key)? {
        Some(mut entry) if entry.sid.is_none() => {
            note(&mut entry);
            put_entry(rows, key, &entry)
        }
        _ => Ok(()),
    }
}

/// Undoes a claim.
fn release(rows: &mut impl Rows, now: u64, id: &str) -> Result<(), RowsFailed> {
    let mut account = Account::load(rows, now)?;
    undo(rows, &mut account, id, true)?;
    account.save(rows)
}

fn undo(
    rows: &mut impl Rows,
    account: &mut Account,
    id: &str,
    free_key: bool,
) -> Result<(), RowsFailed> {
    let Some(call) = account.take(id) else {
        return Ok(());
    };
    if call.day == account.day {
        account.calls = account.calls.saturating_sub(1);
    }
    if let (true, Some(key)) = (free_key, &call.key) {
        rows.remove(&(KEY.to_owned() + key))?;
    }
    forget_order(rows, &call)
}

/// Reported again, it changes nothing.
fn settle(rows: &mut impl Rows, now: u64, bill: &Bill) -> Result<(), RowsFailed> {
    let mut account = Account::load(rows, now)?;
    let Some(call) = account.take(&bill.id) else {
        return Ok(());
    };
    account.spent = account.spent.saturating_add(bill.cost);
    if !bill.reached {
        forget_order(rows, &call)?;
    }
    account.save(rows)
}

/// Unless the same was ordered again since, by force.
fn forget_order(rows: &mut impl Rows, call: &OpenCall) -> Result<(), RowsFailed> {
    let name = ORDER.to_owned() + &call.order;
    if rows.get(&name)?.as_ref() == Some(&call.id) {
        rows.remove(&name)?;
    }
    Ok(())
}

fn suppressions(rows: &impl Rows, after: Option<&E164>) -> Result<String, RowsFailed> {
    let after = NUMBER.to_owned() + after.map_or("", E164::as_str);
    // `;` follows `:`.
    let mut found = rows.list(&after, "number;", MAX_LISTED + 1)?;
    let more = found.len() > MAX_LISTED;
    found.truncate(MAX_LISTED);
    let next = match found.last() {
        Some((name, _)) if more => format!("{:?}", name.strip_prefix(NUMBER).unwrap_or_default()),
        _ => "null".to_owned(),
    };
    let mut json = String::from(r#"{"suppressions":["#);
    for (n, (_, entry)) in found.iter().enumerate() {
        json.push_str(if n > 0 { "," } else { "" });
        json.push_str(entry);
    }
    Ok(format!(r#"{json}],"next":{next}}}"#))
}

/// An entry of the list as the API shows it; nothing in it needs escaping.
fn entry_json(number: &E164, now: u64, by: SuppressedBy) -> String {
    let since = timestamp(now).unwrap_or_default();
    let (number, by) = (number.as_str(), by.word());
    format!(r#"{{"number":"{number}","since":"{since}","by":"{by}"}}"#)
}

impl Account {
    /// The counts as they are now: of today, without calls whose lease is over.
    fn load(rows: &impl Rows, now: u64) -> Result<Self, RowsFailed> {
        let mut account = match rows.get(STATE)? {
            Some(text) => Self::parse(&text).ok_or(RowsFailed)?,
            None => Self::default(),
        };
        let today = now / DAY_MS;
        // A clock that was set back starts no day twice.
        if today > account.day {
            (account.day, account.calls, account.spent) = (today, 0, 0);
        }
        let spent = &mut account.spent;
        account.open.retain(|call| {
            let over = call.until <= now;
            if over {
                *spent = spent.saturating_add(call.reserved);
            }
            !over
        });
        Ok(account)
    }

    fn save(&self, rows: &mut impl Rows) -> Result<(), RowsFailed> {
        rows.put(STATE, &self.to_text(), u64::MAX)
    }

    fn standing(&self) -> Standing {
        let reserved = self.open.iter().map(|call| call.reserved);
        Standing {
            open: self.open.len() as u64,
            calls: self.calls,
            spent: reserved.fold(self.spent, u64::saturating_add),
            ..Standing::default()
        }
    }

    fn take(&mut self, id: &str) -> Option<OpenCall> {
        let at = self.open.iter().position(|call| call.id == id)?;
        Some(self.open.swap_remove(at))
    }
}

/// A text that is there and cannot be read is a failure, not a key that is free.
fn entry(rows: &impl Rows, key: &str) -> Result<Option<Entry>, RowsFailed> {
    match rows.get(&(KEY.to_owned() + key))? {
        Some(text) => wire::entry(Words::of(&text)).map(Some).ok_or(RowsFailed),
        None => Ok(None),
    }
}

fn put_entry(rows: &mut impl Rows, key: &str, entry: &Entry) -> Result<(), RowsFailed> {
    let until = entry.since.saturating_add(idempotency::KEEP_MS);
    rows.put(&(KEY.to_owned() + key), &wire::entry_to_text(entry), until)
}

#[cfg(test)]
mod tests;
