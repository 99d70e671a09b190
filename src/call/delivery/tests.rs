//! When attempts are made, and what is said of them.

use super::*;
use crate::json;
use proptest::prelude::*;
use serde_json::{Value, json};

const T0: u64 = 1_795_348_800_000;
const HOUR: u64 = 60 * 60 * 1000;
const DOWN: Answer = Answer::Status(503, None);
const TIMEOUT: Answer = Answer::None("timeout");

/// The first attempt is under way.
fn delivery() -> Delivery {
    let mut delivery = Delivery::new("https://shop.example.com:8443/hooks?key=s3cret".into(), T0);
    assert!(delivery.begin(T0));
    delivery
}

/// The times of all attempts since the first, in ms, if each takes `took` ms and is answered so.
fn attempts(answer: Answer, took: u64, random: impl Fn(usize) -> u32) -> Vec<u64> {
    let mut delivery = delivery();
    let mut times = vec![0];
    loop {
        let now = T0 + times.last().unwrap() + took;
        delivery.answered(now, answer, random(times.len()));
        let Some(next) = delivery.next_at() else {
            assert_eq!(delivery.status, Status::Failed);
            return times;
        };
        assert!(next >= now && !delivery.begin(next - 1) && delivery.begin(next));
        times.push(next - T0);
        assert!(times.len() < 1_000);
    }
}

#[test]
fn attempts_grow_rare_and_the_last_is_a_day_after_the_first() {
    // In the middle of the jitter.
    let minutes: Vec<u64> = attempts(DOWN, 0, |_| 200)
        .iter()
        .map(|ms| ms / 60_000)
        .collect();
    assert_eq!(minutes, [0, 0, 5, 35, 155, 455, 755, 1055, 1355, 1440]);
    let last = attempts(TIMEOUT, PATIENCE_MS, |_| 400);
    assert_eq!(last.last(), Some(&(24 * HOUR)));
    assert_eq!(last.get(1), Some(&(PATIENCE_MS + 6_000)));
}

#[test]
fn only_2xx_is_delivered_and_only_410_is_final() {
    for status in 100..=599 {
        let mut delivery = delivery();
        delivery.answered(T0 + 50, Answer::Status(status, None), 0);
        let expected = match status {
            200..=299 => Status::Delivered,
            410 => Status::Failed,
            _ => Status::Pending,
        };
        assert_eq!(delivery.status, expected, "{status}");
        assert_eq!(delivery.next_at().is_some(), expected == Status::Pending);
    }
    let mut delivery = delivery();
    delivery.answered(T0 + 50, TIMEOUT, 0);
    assert_eq!(delivery.status, Status::Pending);
}

#[test]
fn retry_after_makes_a_pause_longer_never_shorter_and_not_longer_than_the_day() {
    for (header, pause) in [
        (Some("120"), 120_000),
        (Some(" 7 "), 7_000),
        (Some("1"), 4_000),
        (Some("-5"), 4_000),
        (Some("Wed, 21 Oct 2026 07:28:00 GMT"), 4_000),
        (Some("99999999999999999999"), 4_000),
        (Some("18446744073709551615"), 24 * HOUR),
        (None, 4_000),
    ] {
        let mut delivery = delivery();
        delivery.answered(T0, Answer::of(429, header), 0);
        assert_eq!(delivery.next_at(), Some(T0 + pause), "{header:?}");
    }
}

#[test]
fn the_message_is_the_same_at_every_attempt_but_for_its_time() {
    let sid = CallSid::parse("CA0123456789abcdef0123456789abcdef").unwrap();
    let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    let secrets = [secret];
    let mut delivery = delivery();
    let first = delivery.message(&sid, r#"{"status":"busy"}"#, &secrets, T0 + 999);
    delivery.answered(T0 + 1_000, DOWN, 0);
    assert!(delivery.begin(T0 + 5_000));
    let second = delivery.message(&sid, r#"{"status":"busy"}"#, &secrets, T0 + 5_000);
    assert_eq!(
        first.body,
        r#"{"type":"call.outcome","timestamp":"2026-11-22T12:00:00Z","data":{"status":"busy"}}"#
    );
    assert_eq!(first.body, second.body);
    let header = |message: &Message, name: &str| {
        let mut headers = message.headers.iter();
        headers.find(|(n, _)| *n == name).unwrap().1.clone()
    };
    let id = "outcome_CA0123456789abcdef0123456789abcdef";
    for (message, time) in [(&first, "1795348800"), (&second, "1795348805")] {
        assert_eq!(header(message, "webhook-id"), id);
        assert_eq!(header(message, "webhook-timestamp"), time);
        let signature = callback::sign(&secrets, id, time, &message.body);
        assert_eq!(header(message, "webhook-signature"), signature);
    }
}

#[test]
fn the_api_shows_how_it_stands_and_of_the_url_only_the_host() {
    let mut delivery = delivery();
    let shown = |delivery: &Delivery| {
        let text = delivery.shown_in(r#"{"status":"busy","events":{}}"#);
        assert!(!text.contains("s3cret"));
        let mut value: Value = serde_json::from_str(&text).unwrap();
        let delivery = value["delivery"].take();
        assert_eq!(
            value,
            json!({"status": "busy", "events": {}, "delivery": null})
        );
        delivery
    };
    let host = "shop.example.com";
    let at = "2026-11-22T12:00:30Z";
    assert_eq!(
        shown(&delivery),
        json!({"status": "pending", "host": host, "attempts": 1, "lastAnswer": null, "nextAttemptAt": at})
    );
    delivery.answered(T0 + 10_000, TIMEOUT, 0);
    assert_eq!(shown(&delivery)["lastAnswer"], "timeout");
    let mut failed = delivery.clone();
    failed.answered(T0 + 30_000, Answer::Status(410, None), 0);
    assert_eq!(
        shown(&failed),
        json!({"status": "failed", "host": host, "attempts": 1, "lastAnswer": "410", "failedAt": at})
    );
    assert!(delivery.begin(T0 + 29_000));
    delivery.answered(T0 + 30_000, Answer::Status(204, None), 0);
    assert_eq!(
        shown(&delivery),
        json!({"status": "delivered", "host": host, "attempts": 2, "lastAnswer": "204", "deliveredAt": at})
    );
}

#[test]
fn a_delivery_is_read_as_it_was_stored() {
    let mut delivery = delivery();
    let stored = |delivery: &Delivery| serde_json::to_string(delivery).unwrap();
    let under_way = stored(&delivery);
    assert_eq!(
        under_way,
        r#""pending 1795348800000 1 1795348830000  https://shop.example.com:8443/hooks?key=s3cret""#
    );
    assert_eq!(json::read(&under_way), Some(delivery.clone()));
    for answer in [DOWN, TIMEOUT, Answer::Status(204, None)] {
        delivery.answered(T0 + 1, answer, 7);
        assert_eq!(json::read(&stored(&delivery)), Some(delivery.clone()));
    }
    for bad in [
        "",
        "sent 1 1 1 503 https://a.example",
        "pending 1 1 -1 503 https://a.example",
        "pending 1 1 1 503",
    ] {
        assert_eq!(read(bad), None, "{bad}");
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "(pending |failed )?[0-9 ]{0,40}.{0,10}") {
        let _ = read(&text);
    }

    #[test]
    fn every_schedule_ends_a_day_after_the_first_attempt_and_jitters_within_bounds(
        took in 0..=PATIENCE_MS,
        wait in proptest::option::of(0..2 * 24 * HOUR),
        random in proptest::collection::vec(any::<u32>(), 64),
    ) {
        let times = attempts(Answer::Status(500, wait), took, |n| random[n % 64]);
        // Its answer may be what comes a day after the first attempt.
        let last = times.last().copied().unwrap_or(0);
        prop_assert!(last <= 24 * HOUR && last + took >= 24 * HOUR, "{last}");
        prop_assert!(times.len() <= 12, "{}", times.len());
        for (n, pair) in times.windows(2).enumerate() {
            let pause = pair[1] - pair[0] - took;
            let base = PAUSES_MS[n.min(4)];
            let longest = (base * 12 / 10).max(wait.unwrap_or(0));
            prop_assert!(pause <= longest);
            prop_assert!(pause >= base * 8 / 10 || pair[1] == 24 * HOUR);
        }
    }

    /// However often the alarm rings.
    #[test]
    fn no_attempt_begins_while_another_is_under_way(
        rings in proptest::collection::vec(0..20_000u64, 1..200),
        took in 0..=PATIENCE_MS,
        random in any::<u32>(),
    ) {
        let mut delivery = delivery();
        let (mut now, mut under_way) = (T0, Some(T0));
        for ring in rings {
            now += ring;
            if let Some(since) = under_way.filter(|since| since + took <= now) {
                delivery.answered(since + took, DOWN, random);
                under_way = None;
            }
            if delivery.begin(now) {
                prop_assert_eq!(under_way, None);
                under_way = Some(now);
            }
        }
    }
}
