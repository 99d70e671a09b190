//! Calls that wait for their turn.

use super::super::super::pace;
use super::*;

/// The policy of an account that starts one call a second.
fn one_a_second() -> Policy {
    Policy {
        calls_per_second: 1,
        max_concurrent: 100,
        max_calls_per_day: 100,
        max_cost_per_day: 1_000_000_000,
        ..policy()
    }
}

/// An account under [`one_a_second`].
#[derive(Default)]
struct Line {
    shelf: Shelf,
    now: u64,
}

impl Line {
    /// One whose first call, `first`, has been placed.
    fn busy() -> Self {
        let mut line = Self {
            now: NOW,
            ..Self::default()
        };
        assert_eq!(line.post(attempt("first")), Ok(Claim::Fresh));
        line.placed("first");
        line
    }

    fn ask(&mut self, ask: &Ask) -> String {
        let ask = Ask::parse(&ask.to_text()).unwrap();
        handle(&mut self.shelf, &one_a_second(), self.now, ask).unwrap()
    }

    /// As `POST /api/call` does; what has to wait is queued.
    fn post(&mut self, attempt: Attempt) -> Claimed {
        let claimed = parse_claimed(&self.ask(&Ask::Claim(attempt.clone()))).unwrap();
        if claimed == Ok(Claim::Later) {
            let request = format!(r#"{{"of":"{}"}}"#, attempt.id);
            self.ask(&Ask::Keep(attempt, request));
        }
        claimed
    }

    fn start(&mut self, ids: &[&str]) -> Vec<Turn> {
        let ids = ids.iter().map(ToString::to_string).collect();
        parse_turns(&self.ask(&Ask::Start(ids)))
    }

    fn placed(&mut self, id: &str) {
        self.ask(&Ask::Placed {
            id: id.into(),
            sid: format!("CA-{id}"),
            age_ms: 0,
            keep_ms: DAY_MS,
        });
    }

    fn look(&mut self, id: &str) -> String {
        self.ask(&Ask::Look(id.into()))
    }

    fn cancel(&mut self, id: &str) -> String {
        self.ask(&Ask::Cancel(id.into()))
    }

    fn open(&self) -> u64 {
        self.shelf.standing(self.now).open
    }

    /// Whether the request of a queued call is kept anywhere.
    fn keeps(&self, id: &str) -> bool {
        let private = format!(r#"{{"of":"{id}"}}"#);
        let mut rows = self.shelf.rows.values();
        rows.any(|(text, _)| text.contains(&private))
    }
}

fn go(id: &str) -> Turn {
    Turn::Go(format!(r#"{{"of":"{id}"}}"#))
}

#[test]
fn a_call_above_the_rate_waits_for_its_turn_and_is_started_once() {
    let mut line = Line::busy();
    assert_eq!(line.post(attempt("a")), Ok(Claim::Later));
    assert_eq!((line.look("a").as_str(), line.keeps("a")), ("queued", true));
    assert_eq!(line.start(&["a"]), [Turn::Wait(SECOND_MS)]);
    line.now += SECOND_MS;
    // Its message came twice.
    assert_eq!(line.start(&["a", "a"]), [go("a"), Turn::Busy]);
    assert_eq!(line.look("a"), "queued", "Twilio is being asked");
    line.placed("a");
    assert_eq!(
        (line.look("a").as_str(), line.keeps("a")),
        ("placed CA-a", false)
    );
    assert_eq!(line.start(&["a", "unknown"]), [Turn::Done, Turn::Done]);
    assert_eq!(line.open(), 2);
}

#[test]
fn nobody_overtakes_who_waits() {
    let mut line = Line::busy();
    for id in ["a", "b"] {
        assert_eq!(line.post(attempt(id)), Ok(Claim::Later));
    }
    line.now += 10 * SECOND_MS;
    assert_eq!(line.post(attempt("c")), Ok(Claim::Later));
    assert_eq!(line.start(&["a", "b", "c"])[0], go("a"));
    line.placed("a");
    for id in ["b", "c"] {
        line.now += SECOND_MS;
        assert_eq!(line.start(&[id]), [go(id)]);
        line.placed(id);
    }
    line.now += SECOND_MS;
    assert_eq!(line.post(attempt("d")), Ok(Claim::Fresh));
}

#[test]
fn a_start_whose_end_nobody_tells_is_lost_and_never_made_again() {
    let mut line = Line::busy();
    line.post(attempt("a")).unwrap();
    line.now += SECOND_MS;
    assert_eq!(line.start(&["a"]), [go("a")]);
    line.now += 59_999;
    assert_eq!(line.start(&["a"]), [Turn::Busy]);
    line.now += 1;
    assert_eq!(line.look("a"), "lost");
    assert_eq!(line.start(&["a"]), [Turn::Done]);
    assert_eq!((line.look("a").as_str(), line.keeps("a")), ("lost", false));
    assert_eq!(line.open(), 2, "it may ring");
}

#[test]
fn a_call_that_twilio_had_no_time_for_waits_again() {
    let mut line = Line::busy();
    line.post(attempt("a")).unwrap();
    line.now += SECOND_MS;
    assert_eq!(line.start(&["a"]), [go("a")]);
    line.ask(&Ask::Again("a".into()));
    assert_eq!((line.look("a").as_str(), line.keeps("a")), ("queued", true));
    line.now += pace::BUSY_MS - 1;
    assert_eq!(line.start(&["a"]), [Turn::Wait(1)]);
    line.now += 1;
    assert_eq!(line.start(&["a"]), [go("a")]);
    // So does one that was not queued before.
    line.placed("a");
    line.now += SECOND_MS;
    let direct = keyed("b", "k");
    assert_eq!(line.post(direct.clone()), Ok(Claim::Fresh));
    line.ask(&Ask::Keep(direct, r#"{"of":"b"}"#.into()));
    line.now += pace::BUSY_MS - 1;
    assert_eq!(line.start(&["b"]), [Turn::Wait(1)]);
    assert_eq!(line.post(keyed("c", "k")), Ok(Claim::Answered("b".into())));
}

#[test]
fn a_call_that_was_not_placed_gives_everything_back_if_nothing_rang() {
    for silent in [true, false] {
        let mut line = Line::busy();
        line.post(keyed("a", "k")).unwrap();
        assert_eq!(line.post(keyed("b", "k")), Ok(Claim::Answered("a".into())));
        line.now += SECOND_MS;
        assert_eq!(line.start(&["a"]), [go("a")]);
        let (id, problem) = ("a".to_owned(), "{}".to_owned());
        line.ask(&Ask::Failed {
            id,
            silent,
            problem,
        });
        let word = if silent { "failed" } else { "unclear" };
        assert_eq!(
            (line.look("a"), line.keeps("a")),
            (format!("{word} {{}}"), false)
        );
        assert_eq!(line.open(), if silent { 1 } else { 2 });
        let again = line.post(keyed("b", "k"));
        let expected = if silent {
            Claim::Later
        } else {
            Claim::Answered("a".into())
        };
        assert_eq!(again, Ok(expected));
    }
}

#[test]
fn the_gate_is_asked_again_when_the_turn_has_come() {
    let number = attempt("a").to;
    let evening = Attempt {
        local: vec![20 * 60 + 59],
        ..attempt("b")
    };
    let mut line = Line::busy();
    line.post(attempt("a")).unwrap();
    line.post(evening).unwrap();
    let by = SuppressedBy::Api;
    line.ask(&Ask::Suppress { number, by });
    line.now += SECOND_MS;
    assert_eq!(line.start(&["a"]), [Turn::Done]);
    assert_eq!(line.look("a"), "refused suppressed -");
    line.ask(&Ask::Unsuppress(attempt("a").to));
    line.now += 60_000;
    assert_eq!(line.start(&["b"]), [Turn::Done]);
    assert!(line.look("b").starts_with("refused quiet_hours"));
    assert_eq!(
        (line.open(), line.keeps("a"), line.keeps("b")),
        (1, false, false)
    );
}

#[test]
fn a_call_waits_for_half_an_hour_at_most() {
    for expired in [false, true] {
        let mut line = Line::busy();
        line.post(attempt("a")).unwrap();
        line.now += WAIT_MS;
        if expired {
            line.shelf.expire(line.now).unwrap();
            assert_eq!((line.look("a").as_str(), line.keeps("a")), ("late", false));
        }
        assert_eq!(line.start(&["a"]), [Turn::Done]);
        assert_eq!((line.look("a").as_str(), line.open()), ("late", 0));
    }
    let mut line = Line::busy();
    line.post(attempt("a")).unwrap();
    line.now += WAIT_MS - 1;
    assert_eq!(line.start(&["a"]), [go("a")], "and rings as long as any");
    line.now += 600_000 + LEASE_GRACE_MS - 1;
    assert_eq!(line.open(), 1);
}

#[test]
fn a_call_that_waits_is_erased_and_its_key_places_no_other() {
    let mut line = Line::busy();
    line.post(keyed("a", "k")).unwrap();
    let erased = line.cancel("a");
    assert!(
        erased.starts_with(r#"erased {"status":"erased","callId":"a""#),
        "{erased}"
    );
    assert_eq!(
        (line.open(), line.keeps("a"), line.look("a")),
        (1, false, erased.clone())
    );
    assert_eq!(line.start(&["a"]), [Turn::Done]);
    assert_eq!(line.cancel("a"), erased);
    assert_eq!(line.post(keyed("b", "k")), Ok(Claim::Answered("a".into())));
    assert_eq!(line.cancel("unknown"), "");

    line.post(attempt("c")).unwrap();
    line.now += SECOND_MS;
    assert_eq!(line.start(&["c"]), [go("c")]);
    assert_eq!(line.cancel("c"), "queued", "Twilio is being asked");
    line.placed("c");
    assert_eq!(line.cancel("c"), "placed CA-c");
}

#[test]
fn a_call_that_was_lost_is_found_when_it_has_told_and_not_erased_before() {
    let mut line = Line::busy();
    line.post(attempt("a")).unwrap();
    line.now += SECOND_MS;
    assert_eq!(line.start(&["a"]), [go("a")]);
    line.now += 90_000;
    assert_eq!(line.start(&["a"]), [Turn::Done]);
    assert_eq!(line.look("a"), "lost");
    assert_eq!(line.cancel("a"), "queued", "it may be under way");
    line.placed("a");
    assert_eq!(line.cancel("a"), "placed CA-a");

    let mut line = Line::busy();
    line.post(attempt("b")).unwrap();
    line.now += SECOND_MS;
    assert_eq!(line.start(&["b"]), [go("b")]);
    line.now += 600_000 + LEASE_GRACE_MS;
    assert!(line.cancel("b").starts_with("erased "), "it never told");
}

#[test]
fn a_call_that_is_lost_does_not_wait_again() {
    // Within its lease, and after it.
    for late_ms in [60_000, 29 * 60_000] {
        let mut line = Line::busy();
        line.post(attempt("a")).unwrap();
        line.now += SECOND_MS;
        assert_eq!(line.start(&["a"]), [go("a")]);
        line.now += late_ms;
        assert_eq!(line.look("a"), "lost");
        line.ask(&Ask::Again("a".into()));
        assert_eq!(line.look("a"), "lost");
        assert_eq!(line.start(&["a"]), [Turn::Done]);
    }
}

#[test]
fn a_call_that_waits_counts_towards_every_limit() {
    let mut line = Line::busy();
    let policy = Policy {
        max_calls_per_day: 2,
        ..one_a_second()
    };
    line.post(attempt("a")).unwrap();
    let refused = handle(&mut line.shelf, &policy, NOW, Ask::Claim(attempt("b"))).unwrap();
    assert!(refused.starts_with("refused daily_calls"), "{refused}");
    line.ask(&Ask::Release("a".into()));
    assert_eq!((line.look("a").as_str(), line.keeps("a")), ("", false));
    let refused = handle(&mut line.shelf, &policy, NOW, Ask::Claim(attempt("b"))).unwrap();
    assert_eq!(refused, "later");
}

proptest! {
    /// Messages come in any order and number, the consumer dies anywhere, Twilio answers anything.
    #[test]
    fn however_often_messages_come_a_call_is_started_once_unless_twilio_had_no_time(
        steps in proptest::collection::vec((0usize..12, 0u8..8, 0u64..90_000), 1..150),
    ) {
        let mut line = Line::busy();
        let (mut posted, mut started, mut may_again) = ([false; 12], [0u32; 12], [0u32; 12]);
        for (n, what, wait) in steps {
            let id = format!("q{n}");
            match what {
                0 | 1 if !posted[n] => {
                    let claimed = line.post(attempt(&id));
                    posted[n] = true;
                    if claimed == Ok(Claim::Fresh) {
                        started[n] += 1;
                    }
                }
                5 => {
                    let state = line.shelf.rows.get(&format!("call:{id}"));
                    let restarts = state.is_some_and(|(text, _)| text.starts_with("started "));
                    line.ask(&Ask::Again(id));
                    may_again[n] += u32::from(restarts);
                }
                6 => line.placed(&id),
                7 => line.now += wait,
                _ => {
                    for turn in line.start(&[&id]) {
                        started[n] += u32::from(matches!(turn, Turn::Go(_)));
                    }
                }
            }
            prop_assert!(started[n] <= 1 + may_again[n], "{} was started {} times", n, started[n]);
        }
    }
}
