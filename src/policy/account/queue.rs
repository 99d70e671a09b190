//! Calls that wait for their turn. Each has two rows: `wait:ID` with the request, until its turn comes,
//! and `call:ID` with its state as one word and what belongs to it:
//!
//! `queued`, `started TIME REQUEST` (Twilio is being asked), `placed SID`; why it was not placed:
//! `failed PROBLEM`, `refused REASONS` (by the gate, when its turn had come), `late`; or, where it may
//! have been, `unclear PROBLEM`, `lost` (nobody has told); or `erased TOMBSTONE`.
//!
//! A message of the queue is nothing but an id, and may come twice: only one finds its call `queued`.
//! Once Twilio is being asked nothing leads back, but that Twilio certainly did nothing.

use super::wire::{Words, attempt_to_text, claimed_to_text};
use super::{
    Account, Entry, LEASE_GRACE_MS, NUMBER, OpenCall, PACE, Policy, Rows, RowsFailed, answer_key,
    undo,
};
use crate::policy::erasure;
use crate::policy::gate::{self, Attempt, Standing};
use crate::policy::idempotency::KEEP_MS;
use crate::policy::pace::{BUSY_MS, Pace, SECOND_MS};

/// Names of rows; `;` follows `:`.
const WAIT: &str = "wait:";
const WAIT_END: &str = "wait;";
const CALL: &str = "call:";

/// States that are compared.
const QUEUED: &str = "queued";
const STARTED: &str = "started ";
const LATE: &str = "late";
const LOST: &str = "lost";

/// For so long a call may wait for its turn, in ms: who ordered dinner wants it today.
pub const WAIT_MS: u64 = 30 * 60 * 1000;
/// After so long nobody will tell any more what Twilio answered, in ms.
const LOST_AFTER_MS: u64 = 60_000;

/// What a message of the queue is told.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Turn {
    /// Place the call now; its request in JSON.
    Go(String),
    /// Ask again after so many ms: for this one, and those behind it.
    Wait(u64),
    /// It is being placed: look again later, should its end not be told.
    Busy,
    /// There is nothing to do.
    Done,
}

/// Reads the answer to [`super::Ask::Start`]: one for each id, up to the first that has to wait.
pub fn parse_turns(text: &str) -> Vec<Turn> {
    let turn = |line: &str| match line.split_once(' ').unwrap_or((line, "")) {
        ("go", request) => Turn::Go(request.to_owned()),
        ("wait", ms) => Turn::Wait(ms.parse().unwrap_or(1_000)),
        ("busy", _) => Turn::Busy,
        _ => Turn::Done,
    };
    text.lines().map(turn).collect()
}

fn pace(rows: &impl Rows) -> Result<Pace, RowsFailed> {
    let text = rows.get(PACE)?.unwrap_or_default();
    Pace::parse(&text).ok_or(RowsFailed)
}

/// Takes a place for a call that need not wait; whether there is one, and nobody waits for it.
pub(super) fn start_now(
    rows: &mut impl Rows,
    policy: &Policy,
    now: u64,
    id: &str,
) -> Result<bool, RowsFailed> {
    let mut pace = pace(rows)?;
    let free = rows.list(WAIT, WAIT_END, 1)?.is_empty()
        && pace.start(id, policy.calls_per_second, now).is_ok();
    if free {
        rows.put(PACE, &pace.to_text(), u64::MAX)?;
    }
    Ok(free)
}

/// Twilio has answered, or never will.
pub(super) fn ended(
    rows: &mut impl Rows,
    now: u64,
    id: &str,
    hold_ms: u64,
) -> Result<(), RowsFailed> {
    let mut pace = pace(rows)?;
    pace.ended(id, now, hold_ms);
    rows.put(PACE, &pace.to_text(), u64::MAX)
}

/// Keeps the request of a call that was allowed until its turn comes.
pub(super) fn keep(
    rows: &mut impl Rows,
    now: u64,
    attempt: &Attempt,
    request: &str,
) -> Result<(), RowsFailed> {
    let kept = format!("{now} {}\n{request}", attempt_to_text(attempt));
    // Twilio may have been asked, and have had too much to do.
    ended(rows, now, &attempt.id, BUSY_MS)?;
    wait(rows, now, attempt, &kept)?;
    answer_key(rows, now, &attempt.id, |entry| {
        entry.sid = Some(attempt.id.clone());
    })
}

fn wait(rows: &mut impl Rows, now: u64, attempt: &Attempt, kept: &str) -> Result<(), RowsFailed> {
    let id = &attempt.id;
    let mut account = Account::load(rows, now)?;
    let until = now.saturating_add(WAIT_MS);
    let call = account.open.iter_mut().find(|call| call.id == *id);
    let call = call.ok_or(RowsFailed)?;
    // A call that has to wait was let through for as long.
    if call.until < until.saturating_add(attempt.longest_ms) {
        lease(call, attempt, until);
        account.save(rows)?;
    }
    rows.put(&(WAIT.to_owned() + id), kept, now.saturating_add(WAIT_MS))?;
    put_state(rows, now, id, QUEUED)
}

/// The call is open for as long as it can last, from this time on.
fn lease(call: &mut OpenCall, attempt: &Attempt, from: u64) {
    let longest = attempt.longest_ms.saturating_add(LEASE_GRACE_MS);
    call.until = from.saturating_add(longest);
}

fn put_state(rows: &mut impl Rows, now: u64, id: &str, state: &str) -> Result<(), RowsFailed> {
    rows.put(&(CALL.to_owned() + id), state, now.saturating_add(KEEP_MS))
}

fn state(rows: &impl Rows, id: &str) -> Result<String, RowsFailed> {
    Ok(rows.get(&(CALL.to_owned() + id))?.unwrap_or_default())
}

/// A request that waits: since when, the attempt, and the request itself.
fn kept(text: &str) -> Option<(u64, Attempt, &str)> {
    let (head, request) = text.split_once('\n')?;
    let mut words = Words::of(head);
    Some((words.number()?, words.attempt()?, request))
}

/// Whose turn is it? Answers what [`parse_turns`] reads.
pub(super) fn start(
    rows: &mut impl Rows,
    policy: &Policy,
    now: u64,
    ids: &[String],
) -> Result<String, RowsFailed> {
    let (mut pace, mut account) = (pace(rows)?, Account::load(rows, now)?);
    let (mut turns, mut changed) = (String::new(), false);
    for id in ids {
        let turn = turn(rows, policy, now, id, &mut pace, &mut account, &mut changed)?;
        turns = turns + &turn + "\n";
        if turn.starts_with("wait") {
            break;
        }
    }
    rows.put(PACE, &pace.to_text(), u64::MAX)?;
    if changed {
        account.save(rows)?;
    }
    Ok(turns)
}

fn turn(
    rows: &mut impl Rows,
    policy: &Policy,
    now: u64,
    id: &str,
    pace: &mut Pace,
    account: &mut Account,
    changed: &mut bool,
) -> Result<String, RowsFailed> {
    let known = state(rows, id)?;
    if let Some(started) = known.strip_prefix(STARTED) {
        if !is_lost(started, now) {
            return Ok("busy".to_owned());
        }
        put_state(rows, now, id, LOST)?;
        return Ok("done".to_owned());
    }
    if known != QUEUED {
        return Ok("done".to_owned());
    }
    let text = rows.get(&(WAIT.to_owned() + id))?.unwrap_or_default();
    let why_not = match kept(&text) {
        Some((since, attempt, request)) if now < since.saturating_add(WAIT_MS) => {
            let reasons = reasons(rows, policy, now, since, &attempt)?;
            if reasons.is_empty() {
                if let Err(ms) = pace.start(id, policy.calls_per_second, now) {
                    return Ok(format!("wait {ms}"));
                }
                let call = account.open.iter_mut().find(|call| call.id == attempt.id);
                // A lease that was over meanwhile is not renewed: it counts as spent already.
                if let Some(call) = call {
                    lease(call, &attempt, now);
                    *changed = true;
                }
                rows.remove(&(WAIT.to_owned() + id))?;
                let started = format!("{STARTED}{now} {text}");
                // Not for a day: the request is in it.
                let until = now.saturating_add(WAIT_MS);
                rows.put(&(CALL.to_owned() + id), &started, until)?;
                return Ok(format!("go {request}"));
            }
            claimed_to_text(&Err(reasons))
        }
        _ => LATE.to_owned(),
    };
    undo(rows, account, id, true)?;
    *changed = true;
    forget(rows, id)?;
    put_state(rows, now, id, &why_not)?;
    Ok("done".to_owned())
}

/// What speaks against the call by now: its place, its reservation and its order are its own.
fn reasons(
    rows: &impl Rows,
    policy: &Policy,
    now: u64,
    since: u64,
    attempt: &Attempt,
) -> Result<Vec<gate::Reason>, RowsFailed> {
    let to = NUMBER.to_owned() + attempt.to.as_str();
    let standing = Standing {
        suppressed: rows.get(&to)?.is_some(),
        ..Standing::default()
    };
    let waited = now.saturating_sub(since) / 60_000 % (24 * 60);
    let waited = u16::try_from(waited).unwrap_or_default();
    let mut attempt = attempt.clone();
    for minutes in &mut attempt.local {
        *minutes = minutes.saturating_add(waited) % (24 * 60);
    }
    Ok(gate::reasons(&attempt, policy, &standing, now))
}

fn is_lost(started: &str, now: u64) -> bool {
    let at = Words::of(started).number().unwrap_or_default();
    now.saturating_sub(at) >= LOST_AFTER_MS
}

/// Twilio placed the call.
pub(super) fn placed(
    rows: &mut impl Rows,
    now: u64,
    id: &str,
    sid: &str,
    keep_ms: u64,
) -> Result<(), RowsFailed> {
    if state(rows, id)?.is_empty() {
        return Ok(());
    }
    let until = now.saturating_add(keep_ms);
    rows.put(&(CALL.to_owned() + id), &format!("placed {sid}"), until)
}

/// Twilio had too much to do, and did nothing: the call waits again.
pub(super) fn again(rows: &mut impl Rows, now: u64, id: &str) -> Result<(), RowsFailed> {
    ended(rows, now, id, BUSY_MS)?;
    let known = state(rows, id)?;
    // A call that is lost may have been told to be: it does not come back.
    let started = known.strip_prefix(STARTED);
    let started = started.filter(|started| !is_lost(started, now));
    let text = started.and_then(|text| Some(text.split_once(' ')?.1));
    match text.and_then(|text| Some((kept(text)?.1, text))) {
        Some((attempt, text)) => wait(rows, now, &attempt, text),
        None => Ok(()),
    }
}

/// No call was placed; `silent` if certainly nothing rang.
pub(super) fn failed(
    rows: &mut impl Rows,
    now: u64,
    id: &str,
    silent: bool,
    problem: &str,
) -> Result<(), RowsFailed> {
    ended(rows, now, id, SECOND_MS)?;
    if silent {
        let mut account = Account::load(rows, now)?;
        undo(rows, &mut account, id, true)?;
        account.save(rows)?;
    } else {
        answer_key(rows, now, id, Entry::lose)?;
    }
    if state(rows, id)?.is_empty() {
        return Ok(());
    }
    let word = if silent { "failed" } else { "unclear" };
    put_state(rows, now, id, &format!("{word} {problem}"))
}

/// The state of a call that was queued, for whoever asks; nothing if it is not known. Not the request.
pub(super) fn look(rows: &impl Rows, now: u64, id: &str) -> Result<String, RowsFailed> {
    let known = state(rows, id)?;
    Ok(match known.strip_prefix(STARTED) {
        Some(started) if is_lost(started, now) => LOST.to_owned(),
        Some(_) => QUEUED.to_owned(),
        None if known == QUEUED && rows.get(&(WAIT.to_owned() + id))?.is_none() => LATE.to_owned(),
        None => known,
    })
}

/// Erases what is kept of a call that is not being placed; its state then. One that may be under way,
/// for all that is known, is as one that is being placed.
pub(super) fn cancel(rows: &mut impl Rows, now: u64, id: &str) -> Result<String, RowsFailed> {
    let known = state(rows, id)?;
    let is = |word: &str| known.starts_with(word);
    if known.is_empty() || is("placed") || is("erased") {
        return Ok(known);
    }
    let mut account = Account::load(rows, now)?;
    let is_open = account.open.iter().any(|call| call.id == id);
    if known != QUEUED && (is_open || is(STARTED) && look(rows, now, id)? != LOST) {
        return Ok(QUEUED.to_owned());
    }
    if known == QUEUED {
        // Under its key the request is not placed again.
        undo(rows, &mut account, id, false)?;
        account.save(rows)?;
    }
    forget(rows, id)?;
    let erased = format!("erased {}", erasure::tombstone(id, now));
    put_state(rows, now, id, &erased)?;
    Ok(erased)
}

/// Forgets a request that waits.
pub(super) fn forget(rows: &mut impl Rows, id: &str) -> Result<(), RowsFailed> {
    rows.remove(&(WAIT.to_owned() + id))?;
    rows.remove(&(CALL.to_owned() + id))
}
