//! `sim e2e delivery`: outcomes that are sent by the Worker in real workerd to receivers of every
//! kind: one that is there, one that was down, one that hangs, one that wants no more.
//!
//! The lines are busy, so that each call is over at once. All deliveries run at the same time.

use crate::api::Reply;
use crate::receiver::{Arrival, ELSEWHERE, RETRY_AFTER_SEC, Receiver};
use crate::rig::{self, Peers, Rig};
use crate::scenario::Scenario;
use crate::worker::free_port;
use crate::{privacy, verify};
use anyhow::{Context, bail};
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// Its name among the scenarios.
pub const NAME: &str = "delivery";

/// The receiver knows the second: secrets are being changed.
const SECRETS: [&str; 2] = [
    "whsec_b2xkZXIgc2VjcmV0IG9mIHRoZSByZWNlaXZlcg==",
    "whsec_bmV3ZXIgc2VjcmV0IG9mIHRoZSByZWNlaXZlcg==",
];
/// Part of every URL; nobody else may see it.
const KEY: &str = "k3yOfTheReceiver";
/// A delivery that is to be stopped, or repeated, is by then.
const LIMIT: Duration = Duration::from_secs(60);
/// The second attempt comes so long after the first was answered: 5 s and the jitter, and for the
/// earliest what the first took to arrive.
const EARLIEST: Duration = Duration::from_millis(3_500);
const LATEST: Duration = Duration::from_secs(6);

/// A receiver, by what it answers, and how its delivery has to stand after each attempt.
const CASES: [(&str, &[(&str, &str)]); 6] = [
    ("204", &[("delivered", "204")]),
    ("503", &[("pending", "503"), ("delivered", "204")]),
    ("hang", &[("pending", "timeout"), ("delivered", "204")]),
    ("429", &[("pending", "429"), ("delivered", "204")]),
    ("302", &[("pending", "302"), ("delivered", "204")]),
    ("410", &[("failed", "410")]),
];

/// Everything that is not as it has to be.
pub async fn wrong(folder: &Path) -> anyhow::Result<Vec<String>> {
    std::fs::create_dir_all(folder)?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let base = format!("http://{}", listener.local_addr()?);
    let receiver = Receiver::new(SECRETS[1]);
    let serving = tokio::spawn(Arc::clone(&receiver).serve(listener));
    let fallback = format!("{base}/204/fallback?key={KEY}");
    let changes = [
        ("OUTCOME_WEBHOOK_SECRET", SECRETS.join(", ")),
        ("OUTCOME_WEBHOOK_URL", fallback),
    ];
    let scenarios: anyhow::Result<Vec<_>> = (0..CASES.len() + 3).map(phone).collect();
    let log = folder.join("worker.log");
    let (clips, peers) = (rig::clips()?, Peers::Simulated);
    let rig = Rig::start_with(&changes, scenarios?, clips, &peers, &log).await?;
    let test = Test {
        rig: &rig,
        receiver,
        base,
    };
    let cases = CASES.iter().enumerate().map(|(n, case)| test.case(n, case));
    let n = CASES.len();
    let (cases, fallback, returns, erased) = tokio::join!(
        join_all(cases),
        test.fallback(n),
        test.returns(n + 1),
        test.erased(n + 2),
    );
    let all = cases.into_iter().chain([fallback, returns, erased]);
    let mut wrong: Vec<String> = all
        .filter_map(|result| result.err().map(|error| format!("{error:#}")))
        .collect();
    if !test.receiver.arrivals(ELSEWHERE).is_empty() {
        wrong.push("a redirect was followed".to_owned());
    }
    let secret = [KEY.to_owned(), SECRETS[0].to_owned(), SECRETS[1].to_owned()];
    wrong.extend(privacy::find(&rig.worker.log_text(), &secret));
    serving.abort();
    Ok(wrong)
}

struct Test<'a> {
    rig: &'a Rig,
    receiver: Arc<Receiver>,
    base: String,
}

impl Test<'_> {
    /// One receiver, followed to the end of the delivery.
    async fn case(&self, n: usize, (plan, steps): &(&str, &[(&str, &str)])) -> anyhow::Result<()> {
        let path = format!("/{plan}/{n}");
        let url = format!("{}{path}?key={KEY}", self.base);
        let sid = self.place(n, Some(&url)).await?;
        let followed = async {
            for (attempt, (status, answer)) in steps.iter().enumerate() {
                self.stands(&sid, attempt + 1, status, answer).await?;
            }
            let arrivals = self.arrivals(&path, steps.len())?;
            self.check_message(&sid, &arrivals).await?;
            let first_took = if *plan == "hang" { 10 } else { 0 };
            let wait = if *plan == "429" { RETRY_AFTER_SEC } else { 0 };
            if let [first, second] = arrivals.as_slice() {
                let pause = second.at - first.at;
                let least =
                    EARLIEST.max(Duration::from_secs(wait)) + Duration::from_secs(first_took);
                if pause < least {
                    bail!("the second attempt came after {pause:?}, {least:?} is the least");
                }
            }
            Ok(())
        };
        followed
            .await
            .with_context(|| format!("a receiver that answers {plan}"))
    }

    /// The request does not say where to; the variable does.
    async fn fallback(&self, n: usize) -> anyhow::Result<()> {
        let sid = self.place(n, None).await?;
        self.stands(&sid, 1, "delivered", "204").await?;
        let arrivals = self.arrivals("/204/fallback", 1)?;
        self.check_message(&sid, &arrivals).await
    }

    /// Nobody listens until the first attempt has failed.
    async fn returns(&self, n: usize) -> anyhow::Result<()> {
        let (port, path) = (free_port()?, "/204/returned");
        let url = format!("http://127.0.0.1:{port}{path}?key={KEY}");
        let sid = self.place(n, Some(&url)).await?;
        let returned = async {
            self.stands(&sid, 1, "pending", "unreachable").await?;
            let listener = TcpListener::bind(("127.0.0.1", port)).await?;
            let serving = tokio::spawn(Arc::clone(&self.receiver).serve(listener));
            let stands = self.stands(&sid, 2, "delivered", "204").await;
            serving.abort();
            stands?;
            let arrivals = self.arrivals(path, 1)?;
            self.check_message(&sid, &arrivals).await
        };
        returned.await.context("a receiver that was down")
    }

    /// What was erased is not sent any more.
    async fn erased(&self, n: usize) -> anyhow::Result<()> {
        let path = "/503.503.503/erased";
        let url = format!("{}{path}?key={KEY}", self.base);
        let sid = self.place(n, Some(&url)).await?;
        self.stands(&sid, 1, "pending", "503").await?;
        let tombstone = self.rig.api.ask(Method::DELETE, &call(&sid)).await?;
        if tombstone.status != 200 || tombstone.json.get("delivery").is_some() {
            bail!("DELETE answered {} {}", tombstone.status, tombstone.text);
        }
        // It would have come by then.
        sleep(2 * LATEST).await;
        let count = self.receiver.arrivals(path).len();
        if count != 1 {
            bail!("an erased call was sent {count} times");
        }
        Ok(())
    }

    async fn place(&self, n: usize, url: Option<&str>) -> anyhow::Result<String> {
        let request =
            json!({"to": number(n), "orderHint": "one large pepperoni", "callbackUrl": url});
        self.rig.api.place(&request).await
    }

    /// Waits until the API says so of an attempt.
    async fn stands(
        &self,
        sid: &str,
        attempts: usize,
        status: &str,
        answer: &str,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + LIMIT;
        loop {
            let reply = self.rig.api.ask(Method::GET, &call(sid)).await?;
            let delivery = &reply.json["delivery"];
            let found = [
                &delivery["status"],
                &delivery["lastAnswer"],
                &delivery["host"],
            ];
            if delivery["attempts"] == attempts && found == [status, answer, "127.0.0.1"] {
                return shows_only_that(&reply, status);
            }
            if Instant::now() > deadline || delivery["attempts"].as_u64() > Some(attempts as u64) {
                bail!("attempt {attempts}: expected {status} after {answer}, found {delivery}");
            }
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn arrivals(&self, path: &str, count: usize) -> anyhow::Result<Vec<Arrival>> {
        let arrivals = self.receiver.arrivals(path);
        if arrivals.len() != count {
            bail!("{} attempts arrived, not {count}", arrivals.len());
        }
        Ok(arrivals)
    }

    /// Every attempt brought the same: the outcome as the API has it, under the call's own id.
    async fn check_message(&self, sid: &str, arrivals: &[Arrival]) -> anyhow::Result<()> {
        let outcome = self.rig.api.call(sid).await?;
        let events = self.rig.api.events(sid).await?;
        let found = verify::check(&outcome.text, &events);
        if let Some(finding) = found.first() {
            bail!("the outcome with its delivery is not verified: {finding}");
        }
        let mut expected = outcome.json;
        if let Some(members) = expected.as_object_mut() {
            members.remove("delivery");
        }
        let contents: BTreeSet<_> = arrivals.iter().map(|one| (&one.id, &one.body)).collect();
        if contents.len() != 1 {
            bail!("{} messages are not one and the same", arrivals.len());
        }
        for Arrival {
            id, body, wrong, ..
        } in arrivals
        {
            if let Some(wrong) = wrong {
                bail!("the receiver refused it: {wrong}");
            }
            let message: Value = serde_json::from_str(body)?;
            if message["data"] != expected || !id.contains(sid) {
                bail!("{id} brought another outcome than the API has");
            }
        }
        Ok(())
    }
}

/// Nothing of the URL but its host, and the one time that belongs to the status.
fn shows_only_that(reply: &Reply, status: &str) -> anyhow::Result<()> {
    let time = match status {
        "pending" => "nextAttemptAt",
        "delivered" => "deliveredAt",
        _ => "failedAt",
    };
    let delivery = reply.json["delivery"].as_object().context("no delivery")?;
    let fields: BTreeSet<&str> = delivery.keys().map(String::as_str).collect();
    let expected = BTreeSet::from(["attempts", "host", "lastAnswer", "status", time]);
    if fields != expected || reply.text.contains(KEY) {
        bail!("the API shows {fields:?} of a delivery that is {status}");
    }
    Ok(())
}

fn call(sid: &str) -> String {
    format!("/api/calls/{sid}")
}

/// A phone whose line is busy.
fn phone(n: usize) -> anyhow::Result<Scenario> {
    let text = format!(
        "about = \"It is busy.\"\ninstructions_contain = \"-\"\nrequest = {{ to = \"{}\" }}\n\
         network = {{ result = \"busy\" }}\nexpect = {{ status = \"busy\" }}",
        number(n)
    );
    Scenario::parse("phone", &text)
}

fn number(n: usize) -> String {
    format!("+1310557{n:04}")
}
