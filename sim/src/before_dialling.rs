//! `sim e2e before-dialling`: what the Worker in real workerd refuses to dial, and that it counts
//! exactly: hundreds of requests at the same time, and never one call too many.
//!
//! The phones ring until they are cancelled, so that a call that was let through stays open. What
//! rang is counted by the simulated Twilio, whatever the Worker says.

use crate::api::Reply;
use crate::play::Play;
use crate::rig::{self, Peers, Rig};
use crate::scenario::Scenario;
use crate::timeline::What;
use anyhow::{Context, bail, ensure};
use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep};

/// Its name among the scenarios.
pub const NAME: &str = "before-dialling";

/// Requests at the same time.
const AT_ONCE: usize = 200;
const MAX_CONCURRENT_CALLS: usize = 7;
/// Of which all but one fit at once.
const MAX_CALLS_PER_DAY: usize = 8;
/// The Worker lets a phone ring for 45 s; one that has stopped makes room.
const RING_LIMIT: Duration = Duration::from_secs(45);
/// How long a cancelled call may take to give back its line.
const FREE_LIMIT: Duration = Duration::from_secs(15);

/// Each wave of requests has phones of its own.
const WAVES: usize = 4;

/// Everything that is not as it has to be.
pub async fn wrong(folder: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let scenarios: anyhow::Result<Vec<_>> =
        (0..WAVES * AT_ONCE).map(|n| phone(&number(n))).collect();
    let changes = [
        ("MAX_CONCURRENT_CALLS", MAX_CONCURRENT_CALLS.to_string()),
        ("MAX_CALLS_PER_DAY", MAX_CALLS_PER_DAY.to_string()),
        ("ALLOWED_COUNTRIES", "+1,+7".to_owned()),
        ("QUIET_HOURS", an_hour_around(minute_of_the_day()?)),
    ];
    let log = folder.join("worker.log");
    let (clips, peers) = (rig::clips()?, Peers::Simulated);
    let rig = Rig::start_with(&changes, scenarios?, clips, &peers, &log).await?;
    let mut checks = Checks {
        rig: &rig,
        wrong: Vec::new(),
    };
    checks.questions().await?;
    checks.suppressions().await?;
    checks.waves().await?;
    Ok(checks.wrong)
}

struct Checks<'a> {
    rig: &'a Rig,
    wrong: Vec<String>,
}

impl Checks<'_> {
    /// Quiet hours are an hour around now in UTC, so that the time zone alone decides.
    async fn questions(&mut self) -> anyhow::Result<()> {
        let shop = "+13105550123";
        for (to, timezone, expected) in [
            // Every zone of the United States and Canada is further west.
            (shop, None, ""),
            (shop, Some("Asia/Tokyo"), ""),
            (shop, Some("Etc/UTC"), "quiet_hours"),
            ("+74951234567", None, "unknown_timezone"),
            ("+74951234567", Some("America/Los_Angeles"), ""),
            ("+4930123456", None, "country_not_allowed"),
            ("+18765550123", Some("Asia/Tokyo"), "country_not_allowed"),
            ("+19005550123", None, "premium_rate"),
        ] {
            let request = json!({"to": to, "timezone": timezone, "orderHint": "x", "dryRun": true});
            let reply = self.rig.api.ask_to_place(&request, None).await?;
            let codes = codes(&reply);
            let allowed = reply.json.get("allowed") == Some(&json!(expected.is_empty()));
            let right = codes == expected || codes.contains(expected) && to != shop;
            self.check(
                reply.status == 200 && allowed && right,
                &format!("{request} answered {} {}", reply.status, reply.text),
            );
        }
        let unknown = json!({"to": shop, "timezone": "Mars/Base", "orderHint": "x"});
        let reply = self.rig.api.ask_to_place(&unknown, None).await?;
        let pointer = reply.json.pointer("/errors/0/pointer");
        self.check(
            reply.status == 422 && pointer == Some(&json!("/timezone")),
            &format!(
                "an unknown time zone answered {} {}",
                reply.status, reply.text
            ),
        );
        let quiet = json!({"to": shop, "timezone": "Etc/UTC", "orderHint": "x"});
        let reply = self.rig.api.ask_to_place(&quiet, None).await?;
        let half_an_hour = reply
            .retry_after
            .is_some_and(|s| (1_500..=1_800).contains(&s));
        self.check(
            reply.status == 429 && half_an_hour,
            &format!(
                "quiet hours answered {}, {:?}",
                reply.status, reply.retry_after
            ),
        );
        Ok(())
    }

    async fn suppressions(&mut self) -> anyhow::Result<()> {
        let api = &self.rig.api;
        let path = "/api/suppressions/+13105550124";
        let request = json!({"to": "+13105550124", "orderHint": "x"});
        let put = api.ask(Method::PUT, path).await?.status;
        let refused = api.ask_to_place(&request, None).await?;
        let one = api
            .ask(Method::GET, &path.replace('+', "%2B"))
            .await?
            .status;
        let list = api.ask(Method::GET, "/api/suppressions").await?.json;
        let number = list.pointer("/suppressions/0/number");
        let listed = number == Some(&json!("+13105550124"));
        let deleted = api.ask(Method::DELETE, path).await?.status;
        let gone = api.ask(Method::GET, path).await?.status;
        let found = (
            put,
            refused.status,
            codes(&refused),
            one,
            listed,
            deleted,
            gone,
        );
        let expected = (204, 422, "suppressed".to_owned(), 200, true, 204, 404);
        self.check(
            found == expected,
            &format!("suppressions: {found:?}, expected {expected:?}"),
        );
        Ok(())
    }

    async fn waves(&mut self) -> anyhow::Result<()> {
        let asked = self
            .wave(0, |n| json!({"to": number(n), "dryRun": true}), None)
            .await?;
        self.count(
            "allowed when asked",
            &asked,
            |r| r.json["allowed"] == true,
            AT_ONCE,
        );
        self.rings("questions", 0, 0);

        let started = Instant::now();
        let one = number(0);
        let keyed = self
            .wave(0, |_| json!({"to": one}), Some("one key"))
            .await?;
        self.rings("requests under one key", 0, 1);
        let sids: BTreeSet<String> = keyed.iter().filter_map(sid).collect();
        let waiting = |r: &Reply| r.status == 409 && r.retry_after.is_some();
        self.count(
            "answers under one key",
            &keyed,
            |r| r.status == 201 || waiting(r),
            AT_ONCE,
        );
        self.check(
            sids.len() == 1,
            &format!("one key was answered with {} calls", sids.len()),
        );

        let one = number(AT_ONCE);
        let same = self.wave(1, |_| json!({"to": one}), None).await?;
        self.rings("requests for the same order", 1, 1);
        let again = |r: &Reply| r.status == 422 && codes(r).contains("duplicate_order");
        self.count("duplicate orders", &same, again, AT_ONCE - 1);

        let free = MAX_CONCURRENT_CALLS - 2;
        let many = self.wave(2, |n| json!({"to": number(n)}), None).await?;
        self.rings("requests for free lines", 2, free);
        let full = |r: &Reply| {
            r.status == 429 && r.retry_after.is_some() && codes(r) == "concurrent_calls"
        };
        self.count("requests without a free line", &many, full, AT_ONCE - free);

        let call = many.iter().find_map(sid).context("no call")?;
        self.cancel(&call).await?;
        let last = self.wave(3, |n| json!({"to": number(n)}), None).await?;
        self.rings(
            "requests for the line that is free again",
            3,
            MAX_CALLS_PER_DAY - MAX_CONCURRENT_CALLS,
        );
        let refused = |r: &Reply| r.status == 429 && codes(r).contains("daily_calls");
        self.count("requests beyond the day's", &last, refused, AT_ONCE - 1);
        let took = started.elapsed();
        ensure!(
            took < RING_LIMIT,
            "the waves took {took:?}: phones stopped ringing, which proves nothing"
        );
        Ok(())
    }

    /// Requests to place calls, all at the same time; a wave's phones are numbered in a row.
    async fn wave(
        &self,
        wave: usize,
        request: impl Fn(usize) -> Value,
        key: Option<&str>,
    ) -> anyhow::Result<Vec<Reply>> {
        let requests: Vec<Value> = (wave * AT_ONCE..(wave + 1) * AT_ONCE)
            .map(|n| {
                let mut request = request(n);
                request["orderHint"] = json!("one large pepperoni");
                request
            })
            .collect();
        let ask = |request| self.rig.api.ask_to_place(request, key);
        try_join_all(requests.iter().map(ask)).await
    }

    /// The shop's line is given up, and the account has heard of it.
    async fn cancel(&self, sid: &str) -> anyhow::Result<()> {
        let account = self.rig.variable("TWILIO_ACCOUNT_SID");
        let path = format!("/2010-04-01/Accounts/{account}/Calls/{sid}.json");
        let update = reqwest::Client::new()
            .post(format!("{}{path}", self.rig.twilio_url))
            .basic_auth(account, Some(self.rig.variable("TWILIO_AUTH_TOKEN")))
            .form(&[("Status", "canceled")]);
        update.send().await?.error_for_status()?;
        let question = json!({"to": "+13105550123", "orderHint": "x", "dryRun": true});
        let deadline = Instant::now() + FREE_LIMIT;
        while self.rig.api.ask_to_place(&question, None).await?.json["allowed"] != true {
            if Instant::now() > deadline {
                bail!("a cancelled call still holds its line after {FREE_LIMIT:?}");
            }
            sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// What rang in a wave, as Twilio has it.
    fn rings(&mut self, what: &str, wave: usize, expected: usize) {
        let plays = self.rig.plays.iter().skip(wave * AT_ONCE).take(AT_ONCE);
        let rang = plays.map(dialled).sum::<usize>();
        println!("      {AT_ONCE} {what}: {rang} rang");
        self.check(
            rang == expected,
            &format!("{AT_ONCE} {what}: {rang} rang, not {expected}"),
        );
    }

    fn count(
        &mut self,
        what: &str,
        replies: &[Reply],
        is: impl Fn(&Reply) -> bool,
        expected: usize,
    ) {
        let found = replies.iter().filter(|reply| is(reply)).count();
        let other = replies
            .iter()
            .find(|reply| !is(reply) && reply.status != 201);
        let example = other.map(|reply| format!("; one answered {} {}", reply.status, reply.text));
        let wrong = format!(
            "{what}: {found}, not {expected}{}",
            example.unwrap_or_default()
        );
        self.check(found == expected, &wrong);
    }

    fn check(&mut self, right: bool, wrong: &str) {
        if !right {
            self.wrong.push(wrong.to_owned());
        }
    }
}

/// A phone that nobody picks up.
pub fn phone(to: &str) -> anyhow::Result<Scenario> {
    let text = format!(
        "about = \"It rings.\"\ninstructions_contain = \"-\"\nrequest = {{ to = \"{to}\" }}\n\
         network = {{ result = \"no-answer\", ring_ms = 600000 }}\nexpect = {{ status = \"no_answer\" }}"
    );
    Scenario::parse("phone", &text)
}

fn number(n: usize) -> String {
    format!("+1310556{n:04}")
}

/// How often it rang.
pub fn dialled(play: &Arc<Play>) -> usize {
    let events = play.timeline.events();
    let calls = events
        .iter()
        .filter(|event| matches!(event.what, What::Dialled { .. }));
    calls.count()
}

fn sid(reply: &Reply) -> Option<String> {
    Some(reply.json.get("sid")?.as_str()?.to_owned())
}

/// The codes of all reasons.
fn codes(reply: &Reply) -> String {
    let reasons = reply.json.get("reasons").and_then(Value::as_array);
    let codes = reasons
        .into_iter()
        .flatten()
        .filter_map(|reason| reason.get("code")?.as_str());
    codes.collect::<Vec<_>>().join(" ")
}

/// Of the day in UTC.
fn minute_of_the_day() -> anyhow::Result<u64> {
    Ok(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 60 % DAY)
}

const DAY: u64 = 24 * 60;

/// As `QUIET_HOURS` has it, half an hour to each side.
fn an_hour_around(minute: u64) -> String {
    let time = |minute: u64| format!("{:02}:{:02}", minute % DAY / 60, minute % 60);
    format!("{}-{}", time(minute + DAY - 30), time(minute + 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hour_goes_over_midnight() {
        assert_eq!(an_hour_around(10), "23:40-00:40");
        assert_eq!(an_hour_around(DAY - 1), "23:29-00:29");
        assert_eq!(an_hour_around(12 * 60), "11:30-12:30");
    }
}
