//! May this number be dialled now? One decision out of the request, the policy, what the account has
//! open and has spent, and the callee's local time: no clock, no I/O, the same answer every time.

use super::number_plan::{self, Class};
use super::quiet::Quiet;
use crate::realtime::prices::MicroDollars;
use crate::twilio::number::E164;
use serde::Serialize;

/// What the operator allows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Policy {
    /// Countries that may be called, as [`number_plan::country`] names them.
    pub countries: Vec<String>,
    /// When nobody is called, by the callee's clock.
    pub quiet: Option<Quiet>,
    /// Calls at the same time.
    pub max_concurrent: u64,
    /// Calls placed on one day (UTC).
    pub max_calls_per_day: u64,
    /// Spending on one day (UTC).
    pub max_cost_per_day: MicroDollars,
    /// Calls started in any second; at least 1.
    pub calls_per_second: u64,
}

/// A request to dial.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Names the attempt, and its call while it is open; unguessable and new each time.
    pub id: String,
    /// The shop.
    pub to: E164,
    /// Digest of the number and the items.
    pub order: String,
    /// Order the same again on purpose.
    pub force: bool,
    /// Only ask: nothing is taken.
    pub dry_run: bool,
    /// The callee's local time in minutes since midnight, in every zone it may be in; empty if that
    /// is not known.
    pub local: Vec<u16>,
    /// How long the call may take at most, ringing included, in ms.
    pub longest_ms: u64,
    /// What the call may cost, as far as can be told before.
    pub reserve: MicroDollars,
    /// The idempotency key, and the body it came with, as digests.
    pub key: Option<(String, String)>,
}

/// Where the account stands.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Standing {
    /// The number is on the suppression list.
    pub suppressed: bool,
    /// The same order was placed a short while ago.
    pub ordered: bool,
    /// Calls that are open.
    pub open: u64,
    /// Calls placed today.
    pub calls: u64,
    /// Spent today, what the open calls may cost included.
    pub spent: MicroDollars,
}

/// One reason against dialling. Quotes nothing private.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    /// The reason in one word.
    pub code: &'static str,
    /// JSON pointer of the field of the request that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pointer: Option<&'static str>,
    /// The reason in a sentence, and what to do about it.
    pub detail: &'static str,
    /// Seconds after which this reason may be gone; absent if waiting does not help.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

const fn reason(code: &'static str, pointer: Option<&'static str>, detail: &'static str) -> Reason {
    Reason {
        code,
        pointer,
        detail,
        retry_after: None,
    }
}

/// Every reason, in the order in which they are told.
static REASONS: [Reason; 12] = [
    reason(
        "premium_rate",
        Some("/to"),
        "premium-rate numbers are not dialled",
    ),
    reason(
        "emergency",
        Some("/to"),
        "emergency and service numbers are not dialled",
    ),
    reason("short_number", Some("/to"), "short numbers are not dialled"),
    reason(
        "country_not_allowed",
        Some("/to"),
        "this country is not called; ALLOWED_COUNTRIES lists those that are",
    ),
    reason(
        "suppressed",
        Some("/to"),
        "this number is on the suppression list and is not called",
    ),
    reason(
        "unknown_timezone",
        Some("/timezone"),
        "the number does not tell the shop's time zone, which QUIET_HOURS needs; send `timezone`",
    ),
    reason(
        "quiet_hours",
        Some("/timezone"),
        "it is within QUIET_HOURS at the shop, or may be; `timezone` says which zone the shop is in",
    ),
    reason(
        "duplicate_order",
        Some("/force"),
        "the same items were ordered from this number within the last 30 minutes; send `force` to order them again",
    ),
    reason(
        "concurrent_calls",
        None,
        "as many calls are open as MAX_CONCURRENT_CALLS allows",
    ),
    reason(
        "daily_calls",
        None,
        "as many calls were placed today (UTC) as MAX_CALLS_PER_DAY allows",
    ),
    reason(
        "daily_cost",
        None,
        "with what this call may cost, today's spending (UTC) would exceed MAX_COST_PER_DAY",
    ),
    // What is not known here is a reason all the same.
    reason("refused", None, "the call is not allowed"),
];

impl Reason {
    /// The reason of this code.
    pub fn named(code: &str, retry_after: Option<u32>) -> Self {
        let [.., other] = &REASONS;
        let found = REASONS.iter().find(|reason| reason.code == code);
        Self {
            retry_after,
            ..*found.unwrap_or(other)
        }
    }
}

/// A day, in ms.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// When to ask again for a free line, in seconds: about as long as an order takes.
const LINE_RETRY_SEC: u64 = 60;

/// What a minute of a call may cost, for the reservation: twice the list prices of a talkative call
/// (`protocols.md` §1.11, §2.10).
const RESERVE_PER_MINUTE: MicroDollars = 250_000;

/// What is set aside for a call of at most so many ms.
pub fn reserve(max_call_ms: u64) -> MicroDollars {
    max_call_ms.saturating_mul(RESERVE_PER_MINUTE) / 60_000
}

/// Everything that speaks against dialling; nothing does if the list is empty. `now` is milliseconds
/// since the Unix epoch.
pub fn reasons(attempt: &Attempt, policy: &Policy, standing: &Standing, now: u64) -> Vec<Reason> {
    let mut reasons = Vec::new();
    let mut refuse = |code, retry_after| reasons.push(Reason::named(code, retry_after));
    match number_plan::class(&attempt.to) {
        Some(Class::PremiumRate) => refuse("premium_rate", None),
        Some(Class::Emergency) => refuse("emergency", None),
        Some(Class::ShortNumber) => refuse("short_number", None),
        None => {}
    }
    let country = number_plan::country(attempt.to.digits());
    if !policy.countries.iter().any(|allowed| allowed == country) {
        refuse("country_not_allowed", None);
    }
    if standing.suppressed {
        refuse("suppressed", None);
    }
    if let Some(quiet) = policy.quiet {
        if attempt.local.is_empty() {
            refuse("unknown_timezone", None);
        } else if quiet.covers_any(&attempt.local) {
            let wait = quiet.wait(&attempt.local);
            refuse("quiet_hours", wait.map(|minutes| u32::from(minutes) * 60));
        }
    }
    if standing.ordered && !attempt.force {
        refuse("duplicate_order", None);
    }
    // Waiting does not help where nothing is ever allowed.
    let unless = |never: bool, seconds: u64| {
        let seconds = u32::try_from(seconds).ok();
        seconds.filter(|_| !never)
    };
    if standing.open >= policy.max_concurrent {
        let wait = unless(policy.max_concurrent == 0, LINE_RETRY_SEC);
        refuse("concurrent_calls", wait);
    }
    let midnight = DAY_MS.saturating_sub(now % DAY_MS).div_ceil(1000);
    if standing.calls >= policy.max_calls_per_day {
        let wait = unless(policy.max_calls_per_day == 0, midnight);
        refuse("daily_calls", wait);
    }
    if standing.spent.saturating_add(attempt.reserve) > policy.max_cost_per_day {
        let wait = unless(attempt.reserve > policy.max_cost_per_day, midnight);
        refuse("daily_cost", wait);
    }
    reasons
}

/// Seconds after which the same request may pass; nothing if waiting alone does not help.
pub fn retry_after(reasons: &[Reason]) -> Option<u32> {
    let waits: Option<Vec<u32>> = reasons.iter().map(|reason| reason.retry_after).collect();
    waits?.into_iter().max()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A Sunday, 18:00 UTC.
    pub(crate) const NOW: u64 = 1_795_370_400_000;

    pub(crate) fn policy() -> Policy {
        Policy {
            countries: vec!["1".into(), "44".into()],
            quiet: Quiet::parse("21:00-08:00"),
            max_concurrent: 3,
            max_calls_per_day: 5,
            max_cost_per_day: 10_000_000,
            calls_per_second: 1_000,
        }
    }

    pub(crate) fn attempt(id: &str) -> Attempt {
        Attempt {
            id: id.into(),
            to: E164::parse("+13105550123").unwrap(),
            order: format!("order-{id}"),
            force: false,
            dry_run: false,
            local: vec![12 * 60],
            longest_ms: 600_000,
            reserve: 1_000_000,
            key: None,
        }
    }

    fn codes(attempt: &Attempt, standing: &Standing) -> Vec<String> {
        let found = reasons(attempt, &policy(), standing, NOW);
        found.into_iter().map(|r| r.code.to_owned()).collect()
    }

    #[test]
    fn nothing_speaks_against_a_shop_at_noon() {
        assert_eq!(codes(&attempt("a"), &Standing::default()), [""; 0]);
    }

    #[test]
    fn every_reason_has_its_word() {
        let to = |number: &str| Attempt {
            to: E164::parse(number).unwrap(),
            ..attempt("a")
        };
        let local = |local: &[u16]| Attempt {
            local: local.to_vec(),
            ..attempt("a")
        };
        let none = Standing::default();
        for (attempt, standing, code) in [
            (to("+19005550123"), none, "premium_rate"),
            (to("+19115550123"), none, "emergency"),
            (to("+1310555012"), none, "short_number"),
            (to("+4930123456"), none, "country_not_allowed"),
            (to("+18765550123"), none, "country_not_allowed"),
            (local(&[]), none, "unknown_timezone"),
            (local(&[21 * 60]), none, "quiet_hours"),
            (local(&[12 * 60, 7 * 60]), none, "quiet_hours"),
            (
                attempt("a"),
                Standing {
                    suppressed: true,
                    ..none
                },
                "suppressed",
            ),
            (
                attempt("a"),
                Standing {
                    ordered: true,
                    ..none
                },
                "duplicate_order",
            ),
            (
                attempt("a"),
                Standing { open: 3, ..none },
                "concurrent_calls",
            ),
            (attempt("a"), Standing { calls: 5, ..none }, "daily_calls"),
            (
                attempt("a"),
                Standing {
                    spent: 9_000_001,
                    ..none
                },
                "daily_cost",
            ),
        ] {
            assert_eq!(codes(&attempt, &standing), [code]);
            assert_eq!(Reason::named(code, None).code, code);
        }
        let forced = Attempt {
            force: true,
            ..attempt("a")
        };
        assert_eq!(
            codes(
                &forced,
                &Standing {
                    ordered: true,
                    ..none
                }
            ),
            [""; 0]
        );
        assert_eq!(
            codes(
                &attempt("a"),
                &Standing {
                    open: 2,
                    calls: 4,
                    spent: 9_000_000,
                    ..none
                }
            ),
            [""; 0]
        );
    }

    #[test]
    fn all_reasons_are_told_at_once() {
        let attempt = Attempt {
            to: E164::parse("+499005550123").unwrap(),
            local: vec![0],
            ..attempt("a")
        };
        let standing = Standing {
            suppressed: true,
            ordered: true,
            open: 9,
            calls: 9,
            spent: 99_000_000,
        };
        assert_eq!(
            codes(&attempt, &standing),
            [
                "premium_rate",
                "country_not_allowed",
                "suppressed",
                "quiet_hours",
                "duplicate_order",
                "concurrent_calls",
                "daily_calls",
                "daily_cost"
            ]
        );
    }

    #[test]
    fn waiting_is_offered_only_where_it_helps() {
        let full = Standing {
            open: 3,
            calls: 5,
            ..Standing::default()
        };
        let found = reasons(&attempt("a"), &policy(), &full, NOW);
        assert_eq!(retry_after(&found), Some(6 * 3600), "until midnight");
        let night = Attempt {
            local: vec![7 * 60],
            ..attempt("a")
        };
        let found = reasons(&night, &policy(), &Standing::default(), NOW);
        assert_eq!(retry_after(&found), Some(3600));
        let also = Standing {
            suppressed: true,
            ..full
        };
        assert_eq!(retry_after(&reasons(&night, &policy(), &also, NOW)), None);
        let never = Policy {
            max_concurrent: 0,
            max_calls_per_day: 0,
            max_cost_per_day: 0,
            ..policy()
        };
        let found = reasons(&attempt("a"), &never, &Standing::default(), NOW);
        assert!(found.len() == 3 && found.iter().all(|reason| reason.retry_after.is_none()));
    }

    #[test]
    fn without_quiet_hours_no_time_zone_is_needed() {
        let policy = Policy {
            quiet: None,
            ..policy()
        };
        let nowhere = Attempt {
            local: vec![],
            ..attempt("a")
        };
        assert_eq!(reasons(&nowhere, &policy, &Standing::default(), NOW), []);
    }

    proptest! {
        #[test]
        fn no_reason_quotes_the_number(digits in "[1-9][0-9]{7,14}", local in proptest::collection::vec(0u16..1440, 0..3), now: u64) {
            let attempt = Attempt { to: E164::parse(&format!("+{digits}")).unwrap(), local, ..attempt("a") };
            let standing = Standing { suppressed: true, ordered: true, open: 9, calls: 9, spent: u64::MAX };
            let found = reasons(&attempt, &policy(), &standing, now);
            let text = serde_json::to_string(&found).unwrap();
            prop_assert!(!text.contains(&digits));
        }
    }
}
