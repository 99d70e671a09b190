//! `sim e2e calls-per-second`: 500 calls are asked for at once, and the Worker in real workerd places
//! every one exactly once, never more in a second than it may.
//!
//! What came, and when, is counted by the simulated Twilio: requests to place a call, those it turns
//! away as well, in every window of one second that begins with a request. All phones ring until the
//! end, so that the calls stay open.

use crate::api::Reply;
use crate::before_dialling::{dialled, phone};
use crate::rig::{self, Peers, Rig};
use anyhow::{Context, bail};
use futures_util::future::try_join_all;
use reqwest::Method;
use serde_json::json;
use std::path::Path;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Its name among the scenarios.
pub const NAME: &str = "calls-per-second";

/// Calls that are asked for at once.
const AT_ONCE: usize = 500;
const CALLS_PER_SECOND: usize = 50;
/// Every so many are asked for twice, under the same key.
const REPEATED: usize = 4;
/// Behind them: Twilio is too busy, Twilio fails, the request is taken back.
const BUSY: usize = AT_ONCE;
const FAILS: usize = AT_ONCE + 1;
const TAKEN_BACK: usize = AT_ONCE + 2;
const PHONES: usize = AT_ONCE + 3;
/// Everything is over long before; the Worker lets a phone ring for 45 s.
const LIMIT: Duration = Duration::from_secs(60);

/// Everything that is not as it has to be.
pub async fn wrong(folder: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let scenarios: anyhow::Result<Vec<_>> = (0..PHONES).map(|n| phone(&number(n))).collect();
    let changes = [
        ("CALLS_PER_SECOND", CALLS_PER_SECOND.to_string()),
        ("MAX_CONCURRENT_CALLS", PHONES.to_string()),
        ("MAX_CALLS_PER_DAY", PHONES.to_string()),
        ("MAX_COST_PER_DAY", "1000000".to_owned()),
        ("LOG_LEVEL", "warn".to_owned()),
    ];
    let log = folder.join("worker.log");
    let (clips, peers) = (rig::clips()?, Peers::Simulated);
    let rig = Rig::start_with(&changes, scenarios?, clips, &peers, &log).await?;
    let mut checks = Checks {
        rig: &rig,
        deadline: Instant::now() + LIMIT,
        wrong: Vec::new(),
    };
    checks.run().await?;
    Ok(checks.wrong)
}

struct Checks<'a> {
    rig: &'a Rig,
    deadline: Instant,
    wrong: Vec<String>,
}

impl Checks<'_> {
    async fn run(&mut self) -> anyhow::Result<()> {
        self.rig.twilio.trouble(&number(BUSY), 429);
        self.rig.twilio.trouble(&number(FAILS), 500);
        let first = try_join_all((0..AT_ONCE).map(|n| self.post(n))).await?;
        let names = self.names(&first)?;
        // While they wait.
        let mut behind = Vec::new();
        for n in AT_ONCE..PHONES {
            behind.push(self.post(n).await?);
        }
        let behind = self.names(&behind)?;
        self.take_back(&behind[TAKEN_BACK - AT_ONCE]).await?;
        // That puts a second message on the queue.
        let again = (0..AT_ONCE).step_by(REPEATED).map(|n| self.post(n));
        let again = try_join_all(again).await?;
        let same = first.iter().step_by(REPEATED).zip(&again);
        let other = same.filter(|(a, b)| a.status != b.status || a.text != b.text);
        self.check(other.count() == 0, "the same request got another answer");

        for name in names.iter().chain([&behind[BUSY - AT_ONCE]]) {
            self.until(name, r#""callId":"CA"#).await?;
        }
        let failed = &behind[FAILS - AT_ONCE];
        self.until(failed, "urn:orderline:twilio-failed").await?;
        self.count(first.iter().filter(|reply| reply.status == 202).count());
        let log = self.rig.worker.log_text();
        self.check(!log.contains(&number(0)[1..8]), "a number is in the log");
        Ok(())
    }

    async fn post(&self, n: usize) -> anyhow::Result<Reply> {
        let request = json!({"to": number(n), "orderHint": "one large pepperoni"});
        let key = format!("key {n}");
        self.rig.api.ask_to_place(&request, Some(&key)).await
    }

    /// Under what each call is found: its SID, or the id of one that was queued.
    fn names(&mut self, replies: &[Reply]) -> anyhow::Result<Vec<String>> {
        let name = |reply: &Reply| {
            let key = if reply.status == 202 { "id" } else { "sid" };
            let name = reply.json.get(key)?.as_str()?.to_owned();
            let url = reply.json.get("url")?.as_str()?;
            (matches!(reply.status, 201 | 202) && url.ends_with(&name)).then_some(name)
        };
        let named = replies.iter().map(|reply| {
            name(reply).with_context(|| format!("answered {} {}", reply.status, reply.text))
        });
        named.collect()
    }

    /// A call that waits is erased, and stays so.
    async fn take_back(&mut self, id: &str) -> anyhow::Result<()> {
        let path = format!("/api/calls/{id}");
        let waiting = self.rig.api.ask(Method::GET, &path).await?;
        let erased = self.rig.api.ask(Method::DELETE, &path).await?;
        let gone = self.rig.api.ask(Method::GET, &path).await?;
        let events = format!("{path}/events");
        let events = self.rig.api.ask(Method::GET, &events).await?;
        let found = [waiting, erased, gone, events].map(|reply| (reply.status, reply.json));
        let statuses = found.each_ref().map(|(status, _)| *status);
        self.check(
            statuses == [200, 200, 410, 410] && found[0].1["status"] == "queued",
            &format!("taking back a call answered {found:?}"),
        );
        Ok(())
    }

    /// Waits until a call's state has this text.
    async fn until(&self, name: &str, text: &str) -> anyhow::Result<()> {
        let path = format!("/api/calls/{name}");
        loop {
            let reply = self.rig.api.ask(Method::GET, &path).await?;
            if reply.status == 200 && reply.text.contains(text) {
                return Ok(());
            }
            if Instant::now() > self.deadline {
                bail!("no {text} after {LIMIT:?}: {} {}", reply.status, reply.text);
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    /// What Twilio was asked, and what rang.
    fn count(&mut self, queued: usize) {
        let asked = self.rig.twilio.asked();
        let second = Duration::from_secs(1);
        let within = |from: std::time::Instant| {
            let window = asked
                .iter()
                .filter(|(at, _)| *at >= from && *at < from + second);
            window.count()
        };
        let most = asked.iter().map(|(from, _)| within(*from)).max();
        let most = most.unwrap_or_default();
        let half = AT_ONCE / 2;
        let middle = asked.iter().skip(half / 2).take(half).map(|(at, _)| *at);
        let took = middle.clone().min().zip(middle.max());
        let took = took.map_or(second, |(first, last)| last - first);
        println!(
            "      {AT_ONCE} asked for at once, {queued} queued; at most {most} in a second, {:.0} a second in the middle half",
            f64::from(u32::try_from(half).unwrap_or_default()) / took.as_secs_f64()
        );
        // The rate is reached, if not by every machine, and never passed.
        self.check(
            (CALLS_PER_SECOND / 2..=CALLS_PER_SECOND).contains(&most),
            &format!("{most} in a second, not {CALLS_PER_SECOND}"),
        );
        let enough = queued > AT_ONCE / 2;
        self.check(enough, &format!("only {queued} were queued: no proof"));
        for n in 0..PHONES {
            let requests = asked.iter().filter(|(_, to)| *to == number(n)).count();
            let expected = match n {
                BUSY => (2, 1),
                FAILS => (1, 0),
                TAKEN_BACK => (0, 0),
                _ => (1, 1),
            };
            let rang = self.rig.plays.get(n).map_or(0, dialled);
            let found = (requests, rang);
            self.check(
                found == expected,
                &format!("phone {n}: asked for and rang {found:?}, not {expected:?}"),
            );
        }
    }

    fn check(&mut self, right: bool, wrong: &str) {
        if !right {
            self.wrong.push(wrong.to_owned());
        }
    }
}

fn number(n: usize) -> String {
    format!("+1310557{n:04}")
}
