mod queue;

use super::gate::tests::{NOW, attempt, policy};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

#[derive(Default)]
struct Shelf {
    rows: BTreeMap<String, (String, u64)>,
    broken: bool,
}

impl Rows for Shelf {
    fn get(&self, name: &str) -> Result<Option<String>, RowsFailed> {
        let found = self.rows.get(name).map(|(text, _)| text.clone());
        if self.broken {
            Err(RowsFailed)
        } else {
            Ok(found)
        }
    }

    fn put(&mut self, name: &str, text: &str, until: u64) -> Result<(), RowsFailed> {
        self.rows.insert(name.into(), (text.into(), until));
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), RowsFailed> {
        self.rows.remove(name);
        Ok(())
    }

    fn expire(&mut self, now: u64) -> Result<(), RowsFailed> {
        self.rows.retain(|_, (_, until)| *until > now);
        Ok(())
    }

    fn list(
        &self,
        after: &str,
        end: &str,
        limit: usize,
    ) -> Result<Vec<(String, String)>, RowsFailed> {
        let rows = self.rows.iter();
        let found = rows.filter(|(name, _)| name.as_str() > after && name.as_str() < end);
        let pairs = found.map(|(name, (text, _))| (name.clone(), text.clone()));
        Ok(pairs.take(limit).collect())
    }
}

impl Shelf {
    fn ask(&mut self, now: u64, ask: &Ask) -> String {
        // As it goes over the wire.
        let text = ask.to_text();
        let ask = Ask::parse(&text).unwrap();
        assert_eq!(ask.to_text(), text);
        handle(self, &policy(), now, ask).unwrap()
    }

    fn claim(&mut self, now: u64, attempt: Attempt) -> Claimed {
        parse_claimed(&self.ask(now, &Ask::Claim(attempt))).unwrap()
    }

    /// `fresh`, what the key says, or the codes of the reasons.
    fn word(&mut self, now: u64, attempt: Attempt) -> String {
        match self.claim(now, attempt) {
            Ok(claim) => format!("{claim:?}"),
            Err(reasons) => {
                let codes: Vec<&str> = reasons.iter().map(|reason| reason.code).collect();
                codes.join(" ")
            }
        }
    }

    fn settle(&mut self, now: u64, id: &str, cost: MicroDollars, reached: bool) {
        let id = id.to_owned();
        self.ask(now, &Ask::Settle(Bill { id, cost, reached }));
    }

    fn standing(&self, now: u64) -> Standing {
        Account::load(self, now).unwrap().standing()
    }
}

fn keyed(id: &str, key: &str) -> Attempt {
    Attempt {
        key: Some((key.into(), "body".into())),
        ..attempt(id)
    }
}

#[test]
fn a_slot_is_free_again_when_the_call_is_over_or_never_was() {
    let mut shelf = Shelf::default();
    for id in ["a", "b", "c"] {
        assert_eq!(shelf.word(NOW, attempt(id)), "Fresh");
    }
    assert_eq!(shelf.word(NOW, attempt("d")), "concurrent_calls");
    shelf.settle(NOW, "a", 500_000, true);
    shelf.settle(NOW, "a", 500_000, true);
    assert_eq!(shelf.standing(NOW).spent, 2_500_000);
    assert_eq!(shelf.word(NOW, attempt("d")), "Fresh");
    assert_eq!(shelf.word(NOW, attempt("e")), "concurrent_calls");
    shelf.ask(NOW, &Ask::Release("b".into()));
    assert_eq!(shelf.word(NOW, attempt("e")), "Fresh");
}

#[test]
fn a_call_that_is_never_reported_is_over_with_its_lease_and_counts_as_reserved() {
    let mut shelf = Shelf::default();
    for id in ["a", "b", "c"] {
        shelf.claim(NOW, attempt(id)).unwrap();
    }
    let over = NOW + 600_000 + LEASE_GRACE_MS;
    assert_eq!(shelf.word(over - 1, attempt("d")), "concurrent_calls");
    assert_eq!(shelf.word(over, attempt("d")), "Fresh");
    shelf.settle(over, "a", 9_000_000, true);
    let standing = shelf.standing(over);
    assert_eq!((standing.open, standing.spent), (1, 4_000_000));
}

#[test]
fn a_day_allows_so_many_calls_and_so_much_money() {
    let mut shelf = Shelf::default();
    for id in ["a", "b", "c", "d", "e"] {
        assert_eq!(shelf.word(NOW, attempt(id)), "Fresh", "{id}");
        shelf.settle(NOW, id, 1, true);
    }
    assert_eq!(shelf.word(NOW, attempt("f")), "daily_calls");
    let tomorrow = (NOW / DAY_MS + 1) * DAY_MS;
    assert_eq!(shelf.word(tomorrow - 1, attempt("f")), "daily_calls");
    assert_eq!(shelf.word(tomorrow, attempt("f")), "Fresh");
    shelf.settle(tomorrow, "f", 9_000_000, true);
    assert_eq!(shelf.word(tomorrow, attempt("g")), "Fresh");
    assert_eq!(shelf.word(tomorrow, attempt("h")), "daily_cost");
    assert_eq!(shelf.word(NOW, attempt("h")), "daily_cost", "no day twice");
}

#[test]
fn a_call_that_goes_over_midnight_still_holds_its_slot_and_its_money() {
    let mut shelf = Shelf::default();
    let midnight = (NOW / DAY_MS + 1) * DAY_MS;
    shelf.claim(midnight - 1, attempt("a")).unwrap();
    let standing = shelf.standing(midnight);
    assert_eq!(
        (standing.open, standing.calls, standing.spent),
        (1, 0, 1_000_000)
    );
    shelf.ask(midnight, &Ask::Release("a".into()));
    assert_eq!(shelf.standing(midnight), Standing::default());
}

#[test]
fn the_same_order_needs_force_for_half_an_hour_unless_nobody_picked_up() {
    let same = |id: &str| Attempt {
        order: "same".into(),
        ..attempt(id)
    };
    let mut shelf = Shelf::default();
    assert_eq!(shelf.word(NOW, same("a")), "Fresh");
    assert_eq!(shelf.word(NOW, same("b")), "duplicate_order");
    shelf.settle(NOW, "a", 1, true);
    assert_eq!(
        shelf.word(NOW + DUPLICATE_MS - 1, same("b")),
        "duplicate_order"
    );
    let forced = Attempt {
        force: true,
        ..same("b")
    };
    assert_eq!(shelf.word(NOW + 1, forced), "Fresh");
    assert_eq!(shelf.word(NOW + DUPLICATE_MS, same("c")), "duplicate_order");
    // The line was busy: nothing was ordered.
    shelf.settle(NOW + 2, "b", 1, false);
    assert_eq!(shelf.word(NOW + 3, same("c")), "Fresh");
    shelf.ask(NOW + 3, &Ask::Release("c".into()));
    assert_eq!(shelf.word(NOW + 3, same("d")), "Fresh");
    assert_eq!(shelf.word(NOW + 3 + DUPLICATE_MS, same("e")), "Fresh");
}

#[test]
fn the_key_of_a_call_that_may_have_rung_is_lost_at_once_and_answered_when_the_call_has_told() {
    let mut shelf = Shelf::default();
    assert_eq!(shelf.word(NOW, keyed("a", "k")), "Fresh");
    shelf.ask(
        NOW,
        &Ask::Failed {
            id: "a".into(),
            silent: false,
            problem: "{}".into(),
        },
    );
    assert_eq!(shelf.word(NOW, keyed("b", "k")), "Lost");
    assert_eq!(
        shelf.ask(NOW, &Ask::Look("a".into())),
        "",
        "nobody has its id"
    );
    let sid = "CA1".to_owned();
    shelf.ask(
        NOW + 90_000,
        &Ask::Placed {
            id: "a".into(),
            sid: sid.clone(),
            age_ms: u64::MAX,
            keep_ms: 1,
        },
    );
    shelf.settle(NOW + 90_000, "a", 1, true);
    assert_eq!(
        shelf.claim(NOW + 90_000, keyed("b", "k")),
        Ok(Claim::Answered(sid))
    );
}

#[test]
fn a_key_is_answered_as_it_was_whatever_is_allowed_by_now() {
    let mut shelf = Shelf::default();
    assert_eq!(shelf.word(NOW, keyed("a", "k")), "Fresh");
    assert_eq!(shelf.word(NOW, keyed("b", "k")), "UnderWay");
    let other = Attempt {
        key: Some(("k".into(), "other".into())),
        ..attempt("b")
    };
    assert_eq!(shelf.word(NOW, other), "Conflict");
    let sid = "CA1".to_owned();
    shelf.ask(
        NOW,
        &Ask::Placed {
            id: "a".into(),
            sid: sid.clone(),
            age_ms: 0,
            keep_ms: 1,
        },
    );
    let number = attempt("a").to;
    shelf.ask(
        NOW,
        &Ask::Suppress {
            number,
            by: SuppressedBy::Api,
        },
    );
    assert_eq!(shelf.claim(NOW, keyed("b", "k")), Ok(Claim::Answered(sid)));
    assert_eq!(shelf.word(NOW, keyed("b", "new")), "suppressed");
    let asked = Attempt {
        dry_run: true,
        ..keyed("b", "k")
    };
    assert_eq!(
        shelf.word(NOW, asked),
        "suppressed",
        "a question has no key"
    );
    let later = NOW + idempotency::KEEP_MS;
    assert_eq!(shelf.word(later, keyed("b", "k")), "suppressed");
}

#[test]
fn a_key_is_free_after_a_refusal_and_after_a_release_and_not_when_the_answer_was_lost() {
    let mut shelf = Shelf::default();
    let night = Attempt {
        local: vec![0],
        ..keyed("a", "k")
    };
    assert_eq!(shelf.word(NOW, night), "quiet_hours");
    assert_eq!(shelf.word(NOW, keyed("a", "k")), "Fresh");
    shelf.ask(NOW, &Ask::Release("a".into()));
    assert_eq!(shelf.word(NOW, keyed("b", "k")), "Fresh");
    assert_eq!(shelf.word(NOW + 60_000, keyed("c", "k")), "Lost");
    assert_eq!(shelf.standing(NOW + 60_000).open, 1);
}

#[test]
fn a_question_takes_nothing() {
    let mut shelf = Shelf::default();
    for _ in 0..10 {
        let asked = Attempt {
            dry_run: true,
            ..keyed("a", "k")
        };
        assert_eq!(shelf.word(NOW, asked), "Fresh");
    }
    assert_eq!(shelf.rows.len(), 0);
}

#[test]
fn suppressed_numbers_are_listed_page_by_page() {
    let mut shelf = Shelf::default();
    let number = |n: usize| E164::parse(&format!("+1310{n:07}")).unwrap();
    for n in 0..=MAX_LISTED {
        let by = if n == 0 {
            SuppressedBy::Shop
        } else {
            SuppressedBy::Api
        };
        shelf.ask(
            NOW,
            &Ask::Suppress {
                number: number(n),
                by,
            },
        );
    }
    shelf.claim(NOW, attempt("a")).unwrap();
    let page = |shelf: &mut Shelf, after| -> serde_json::Value {
        serde_json::from_str(&shelf.ask(NOW, &Ask::Suppressions(after))).unwrap()
    };
    let first = page(&mut shelf, None);
    let listed = first["suppressions"].as_array().unwrap();
    assert_eq!(listed.len(), MAX_LISTED);
    assert_eq!(
        listed[0].to_string(),
        r#"{"by":"shop","number":"+13100000000","since":"2026-11-22T18:00:00Z"}"#
    );
    let next = E164::parse(first["next"].as_str().unwrap()).unwrap();
    let second = page(&mut shelf, Some(next));
    assert_eq!(
        (
            second["suppressions"].as_array().unwrap().len(),
            &second["next"]
        ),
        (1, &serde_json::Value::Null)
    );

    // Who asked first stays.
    shelf.ask(
        NOW + 1,
        &Ask::Suppress {
            number: number(0),
            by: SuppressedBy::Api,
        },
    );
    assert!(shelf.ask(NOW, &Ask::Suppressed(number(0))).contains("shop"));
    shelf.ask(NOW, &Ask::Unsuppress(number(0)));
    assert_eq!(shelf.ask(NOW, &Ask::Suppressed(number(0))), "");
}

#[test]
fn nothing_is_allowed_when_the_rows_cannot_be_read() {
    let mut shelf = Shelf {
        broken: true,
        ..Shelf::default()
    };
    let ask = || Ask::Claim(attempt("a"));
    assert_eq!(handle(&mut shelf, &policy(), NOW, ask()), Err(RowsFailed));
    shelf.broken = false;
    shelf.put(STATE, "1 2", u64::MAX).unwrap();
    assert_eq!(handle(&mut shelf, &policy(), NOW, ask()), Err(RowsFailed));
}

#[derive(Clone, Debug)]
enum Step {
    Claim {
        key: Option<u8>,
        order: u8,
        force: bool,
        dry_run: bool,
    },
    Answer(usize),
    Settle {
        nth: usize,
        cost: u64,
        reached: bool,
    },
    Release(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (proptest::option::of(0u8..4), 0u8..6, any::<bool>(), proptest::bool::weighted(0.1))
            .prop_map(|(key, order, force, dry_run)| Step::Claim { key, order, force, dry_run }),
        1 => (0usize..30).prop_map(Step::Answer),
        2 => (0usize..40, 0u64..=1_000_000, any::<bool>())
            .prop_map(|(nth, cost, reached)| Step::Settle { nth, cost, reached }),
        1 => (0usize..40).prop_map(Step::Release),
        2 => prop_oneof![0u64..60_000, 0u64..20 * 60_000, 0u64..DAY_MS].prop_map(Step::Wait),
    ]
}

/// A call that was let through, as an onlooker notes it.
struct Seen {
    id: String,
    key: Option<u8>,
    order: u8,
    at: u64,
    over: bool,
    reached: bool,
    released: bool,
}

proptest! {
    #[test]
    fn no_text_panics(text in "(claim|settle|refused|-|[a-z]*)( [-+0-9a-z]{0,12}){0,12}") {
        let _ = (Ask::parse(&text), parse_claimed(&text), Account::parse(&text));
    }

    /// The onlooker keeps its own books, from the answers alone.
    #[test]
    fn no_order_of_events_lets_one_call_too_many_through(steps in proptest::collection::vec(step(), 1..120)) {
        let (mut shelf, policy, mut now) = (Shelf::default(), policy(), NOW);
        let mut seen: Vec<Seen> = Vec::new();
        let mut settled: BTreeMap<u64, u64> = BTreeMap::new();
        for (n, step) in steps.into_iter().enumerate() {
            match step {
                Step::Claim { key, order, force, dry_run } => {
                    let id = format!("c{n}");
                    let attempt = Attempt {
                        order: order.to_string(),
                        force,
                        dry_run,
                        key: key.map(|key| (key.to_string(), "body".into())),
                        ..attempt(&id)
                    };
                    let before = shelf.rows.clone();
                    let claimed = shelf.claim(now, attempt);
                    if dry_run {
                        let kept: Vec<_> = before.into_iter().filter(|(_, (_, until))| *until > now).collect();
                        prop_assert!(shelf.rows.clone().into_iter().eq(kept), "a question changed something");
                    } else if claimed == Ok(Claim::Fresh) {
                        let twice = seen.iter().any(|call| {
                            key.is_some() && call.key == key && !call.released && now - call.at < idempotency::KEEP_MS
                        });
                        prop_assert!(!twice, "two calls for one key");
                        // Nobody picked up, or nothing rang: the newest of the same order decides.
                        let last = seen.iter().rev().find(|call| call.order == order);
                        let again = last.is_some_and(|call| {
                            call.reached && !call.released && now - call.at < DUPLICATE_MS
                        });
                        prop_assert!(force || !again, "the same order twice");
                        seen.push(Seen { id, key, order, at: now, over: false, reached: true, released: false });
                    }
                }
                Step::Answer(nth) => {
                    let id = seen.get(nth).map_or_else(|| "-".to_owned(), |call| call.id.clone());
                    let sid = "CA1".to_owned();
                    shelf.ask(now, &Ask::Placed { id, sid, age_ms: 0, keep_ms: 1 });
                }
                Step::Settle { nth, cost, reached } => {
                    if let Some(call) = seen.get_mut(nth) {
                        shelf.settle(now, &call.id, cost, reached);
                        let leased = now < call.at + 600_000 + LEASE_GRACE_MS;
                        if !call.over && leased {
                            (call.over, call.reached) = (true, reached);
                            *settled.entry(now / DAY_MS).or_default() += cost;
                        }
                    }
                }
                Step::Release(nth) => {
                    if let Some(call) = seen.get_mut(nth) {
                        shelf.ask(now, &Ask::Release(call.id.clone()));
                        let leased = now < call.at + 600_000 + LEASE_GRACE_MS;
                        if !call.over && leased {
                            (call.over, call.released) = (true, true);
                        }
                    }
                }
                Step::Wait(ms) => now += ms,
            }
            let today = now / DAY_MS;
            let open = seen.iter().filter(|call| !call.over && now < call.at + 600_000 + LEASE_GRACE_MS).count() as u64;
            let placed = seen.iter().filter(|call| !call.released && call.at / DAY_MS == today).count() as u64;
            let spent = settled.get(&today).copied().unwrap_or_default() + open * 1_000_000;
            prop_assert!(open <= policy.max_concurrent, "{open} open");
            prop_assert!(placed <= policy.max_calls_per_day, "{placed} placed today");
            prop_assert!(spent <= policy.max_cost_per_day, "{spent} spent today");
            let standing = shelf.standing(now);
            prop_assert_eq!((standing.open, standing.calls), (open, placed));
            prop_assert!(standing.spent >= spent);
        }
    }
}
