//! `sim e2e`: every scenario against one Worker in real workerd, one call more, its log, and then the
//! gate before dialling, the rate of dialling and the delivery of outcomes.

use crate::clips::{Clip, Clips};
use crate::live::follow;
use crate::play::{Play, Plays};
use crate::rig::{HANDOFF_NUMBER, Peers, Rig, root};
use crate::scenario::Scenario;
use crate::{
    before_dialling, call_more, calls_per_second, checks, delivery, folder, privacy, recording,
    rig, verify,
};
use anyhow::{Context, bail};
use futures_util::future::join_all;
use orderline::realtime::client;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};

/// Where the folder of every run is.
const RESULTS: &str = "target/e2e";
/// In the folder of a run: what `npm run replay` reads.
const RECORDING: &str = "recording.ndjson";
/// Calls at the same time: two cores must keep every media clock.
const AT_ONCE: usize = 8;
const CALL_LIMIT: Duration = Duration::from_secs(180);
const OUTCOME_LIMIT: Duration = Duration::from_secs(30);
/// What has a Worker of its own.
const APART: [&str; 3] = [
    before_dialling::NAME,
    calls_per_second::NAME,
    delivery::NAME,
];

/// What became of one scenario.
struct Verdict {
    name: String,
    seconds: f64,
    status: String,
    wrong: Vec<String>,
    folder: PathBuf,
}

/// Plays the named scenarios, or all; whether all passed.
pub async fn run(names: &[String]) -> anyhow::Result<bool> {
    let (passed, _) = play(names).await?;
    Ok(passed)
}

async fn play(names: &[String]) -> anyhow::Result<(bool, Vec<Verdict>)> {
    let root = root();
    let results = root.join(RESULTS);
    if results.exists() {
        std::fs::remove_dir_all(&results)?;
    }
    std::fs::create_dir_all(&results)?;
    if let [name] = names
        && APART.contains(&name.as_str())
    {
        let verdict = play_apart(name, &results).await;
        print_verdict(&verdict);
        return Ok((verdict.wrong.is_empty(), vec![verdict]));
    }
    let clips = rig::clips()?;
    let mut scenarios = rig::scenarios(&clips, names)?;
    println!("{} scenarios, {AT_ONCE} at a time", scenarios.len());
    // The long ones first, so that none is left to run alone.
    scenarios.sort_by_key(|scenario| Reverse(spoken_ms(scenario, &clips)));
    scenarios.push(call_more::scenario()?);
    let changes = [("RECORD", "1".to_owned())];
    let log = results.join("worker.log");
    let mut rig = Rig::start_with(&changes, scenarios, clips, &Peers::Simulated, &log).await?;

    let gate = Semaphore::new(AT_ONCE);
    let (more, plays) = rig.plays.split_last().context("no plays")?;
    let played = plays.iter().map(|play| async {
        let _turn = gate.acquire().await;
        let verdict = play_one(&rig, play, &results).await;
        print_verdict(&verdict);
        verdict
    });
    let mut verdicts = join_all(played).await;
    if plays.iter().any(|play| call_more::has_greeted(play)) {
        let mut verdict = play_one(&rig, more, &results).await;
        verdict.wrong.extend(call_more::differences(more));
        print_verdict(&verdict);
        verdicts.push(verdict);
    }
    let broken = rig.broken();

    std::fs::write(
        results.join("client-events.json"),
        client_events(&rig.plays)?,
    )?;
    let leaks = leaks(&rig);
    if leaks.is_empty() {
        println!("ok    no private value in the Worker's log");
    } else {
        println!(
            "FAIL  private values in the Worker's log\n        {}",
            leaks.join("\n        ")
        );
    }
    if let Some(broken) = &broken {
        println!("FAIL  {broken}");
    }
    drop(rig);
    if names.is_empty() {
        for name in APART {
            let verdict = play_apart(name, &results).await;
            print_verdict(&verdict);
            verdicts.push(verdict);
        }
    }
    let scenarios_failed = verdicts
        .iter()
        .filter(|verdict| !verdict.wrong.is_empty())
        .count();
    let passed = verdicts.len() - scenarios_failed + usize::from(leaks.is_empty());
    let failed = scenarios_failed + usize::from(!leaks.is_empty()) + usize::from(broken.is_some());
    if failed > 0 {
        println!(
            "\nSee events.ndjson of each run, and {}",
            show(&results.join("worker.log"))
        );
    }
    println!("\n{passed} passed, {failed} failed");
    Ok((failed == 0, verdicts))
}

/// Plays the named scenarios, or all, and keeps what was recorded of those that passed; whether all
/// did.
pub async fn record(names: &[String]) -> anyhow::Result<bool> {
    let (passed, verdicts) = play(names).await?;
    let clips = rig::clips()?;
    let packer = recording::pack::Packer::of(&clips);
    let folder = recording::folder();
    std::fs::create_dir_all(&folder)?;
    let mut bytes = 0;
    for verdict in verdicts.iter().filter(|verdict| verdict.wrong.is_empty()) {
        // The gate before dialling is no call.
        if let Ok(text) = std::fs::read_to_string(verdict.folder.join(RECORDING)) {
            let packed = packer.pack(&text)?;
            bytes += packed.len();
            std::fs::write(folder.join(format!("{}.ndjson.gz", verdict.name)), packed)?;
        }
    }
    println!("{} kB in {}", bytes / 1000, show(&folder));
    Ok(passed)
}

async fn play_apart(name: &str, results: &Path) -> Verdict {
    let started = Instant::now();
    let folder = results.join(name);
    let wrong = match name {
        delivery::NAME => delivery::wrong(&folder).await,
        calls_per_second::NAME => calls_per_second::wrong(&folder).await,
        _ => before_dialling::wrong(&folder).await,
    };
    Verdict {
        name: name.to_owned(),
        seconds: started.elapsed().as_secs_f64(),
        status: String::new(),
        wrong: wrong.unwrap_or_else(|error| vec![format!("{error:#}")]),
        folder,
    }
}

/// How long all lines of a scenario take.
fn spoken_ms(scenario: &Scenario, clips: &Clips) -> u64 {
    let shop = scenario.shop.iter().map(|rule| rule.say.as_deref());
    let model = scenario.model.iter().map(|rule| rule.say.as_deref());
    let lines = shop.chain(model).flatten();
    lines.filter_map(|line| clips.get(line)).map(Clip::ms).sum()
}

async fn play_one(rig: &Rig, play: &Arc<Play>, results: &Path) -> Verdict {
    let started = Instant::now();
    let name = play.scenario.name.clone();
    let folder = results.join(&name);
    let mut status = String::new();
    let mut wrong = Vec::new();
    if let Err(error) = observe(rig, play, &folder, &mut status, &mut wrong).await {
        wrong.push(format!("{error:#}"));
    }
    wrong.extend(checks::call_differences(play));
    if let Err(error) = folder::write_call(&folder, play) {
        wrong.push(format!("{error:#}"));
    }
    // A picture of every failure; drawing all of them would only cost time.
    if !wrong.is_empty() {
        let _ = folder::write_picture(&folder, play, None);
    }
    Verdict {
        name,
        seconds: started.elapsed().as_secs_f64(),
        status,
        wrong,
        folder,
    }
}

/// Somebody calls our number; returns when the call is over.
async fn ring_in(rig: &Rig, play: &Arc<Play>) -> anyhow::Result<String> {
    let from = play.scenario.to().context("`request.to`: who calls")?;
    let hook = |name: &str| format!("{}/twilio/{name}", rig.worker.url);
    let (voice, status) = (hook("voice"), hook("status"));
    let arriving = rig
        .twilio
        .ring_in(play.clone(), from, &voice, Some(&status));
    Ok(timeout(CALL_LIMIT, arriving).await?)
}

/// Places the call, waits for its end and reads the outcome; notes how it differs from the expected one.
async fn observe(
    rig: &Rig,
    play: &Arc<Play>,
    folder: &Path,
    status: &mut String,
    wrong: &mut Vec<String>,
) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    let sid = if play.scenario.network.inbound {
        ring_in(rig, play).await?
    } else {
        rig.api.place(&play.scenario.request).await?
    };
    if !follow(&play.timeline, CALL_LIMIT, |_| {}).await {
        bail!("the call is not over after {} s", CALL_LIMIT.as_secs());
    }
    let outcome = rig.api.outcome(&sid, OUTCOME_LIMIT).await?;
    let events = rig.api.events(&sid).await?;
    folder::write_outcome(folder, &outcome, &events)?;
    let found = verify::check(&outcome.text, &events);
    wrong.extend(found.iter().map(ToString::to_string));
    outcome.status().clone_into(status);
    wrong.extend(checks::outcome_differences(
        &play.scenario.expect,
        &outcome.json,
    ));
    wrong.extend(replayed(rig, &sid, &outcome.text, folder).await?);
    if outcome.json["endReason"] == "do_not_call" && !is_suppressed(rig, play).await? {
        wrong.push("the shop asked not to be called again, and may be called".to_owned());
    }
    if rig.api.call(&sid).await?.text != outcome.text {
        wrong.push("the outcome, read again, is another one".to_owned());
    }
    if outcome.json.get("callId").and_then(Value::as_str) != Some(&sid) {
        wrong.push(format!("/callId: expected {sid}"));
    }
    Ok(())
}

/// How the call differs here, from its recording, from what it was there.
async fn replayed(
    rig: &Rig,
    sid: &str,
    outcome: &str,
    folder: &Path,
) -> anyhow::Result<Option<String>> {
    let recorded = timeout(OUTCOME_LIMIT, rig.api.recording(sid));
    let text = recorded.await.context("there is no recording")??;
    std::fs::write(folder.join(RECORDING), &text)?;
    let replay = recording::replay(&text, |_, _| {})?;
    Ok(match replay.differs {
        Some((line, what)) => Some(format!("{RECORDING}, line {line}: {what}")),
        None if replay.outcome.as_deref() != Some(outcome) => {
            Some("the replay has another outcome".to_owned())
        }
        None => None,
    })
}

/// Whether the gate would not call the shop again: the account is told when the outcome is kept.
async fn is_suppressed(rig: &Rig, play: &Play) -> anyhow::Result<bool> {
    let mut request = play.scenario.request.clone();
    request["dryRun"] = true.into();
    let told = timeout(OUTCOME_LIMIT, async {
        loop {
            let reply = rig.api.ask_to_place(&request, None).await?;
            let reasons = reply.json["reasons"].as_array();
            if reasons.is_some_and(|all| all.iter().any(|reason| reason["code"] == "suppressed")) {
                return anyhow::Ok(());
            }
            sleep(Duration::from_millis(100)).await;
        }
    });
    Ok(matches!(told.await, Ok(Ok(()))))
}

fn print_verdict(verdict: &Verdict) {
    let word = if verdict.wrong.is_empty() {
        "ok  "
    } else {
        "FAIL"
    };
    println!(
        "{word}  {:<28} {:6.1} s  {}",
        verdict.name, verdict.seconds, verdict.status
    );
    for wrong in &verdict.wrong {
        println!("        {wrong}");
    }
    if !verdict.wrong.is_empty() {
        println!("        in {}", show(&verdict.folder));
    }
}

/// Private values that the Worker printed.
fn leaks(rig: &Rig) -> Vec<String> {
    let log = rig.worker.log_text();
    let mut values: BTreeSet<String> = rig
        .plays
        .iter()
        .flat_map(|play| privacy::private_values(play))
        .collect();
    values.extend(rig.secrets());
    for number in [HANDOFF_NUMBER, rig.variable("TWILIO_FROM_NUMBER")] {
        values.extend(privacy::forms_of_number(number));
    }
    privacy::find(&log, &values)
}

/// One example of every shape of client event, for `tests/vendor`.
fn client_events(plays: &Plays) -> anyhow::Result<String> {
    let mut shapes = BTreeMap::new();
    for play in plays.iter() {
        for event in play.client_events.lock().unwrap().iter() {
            shapes
                .entry(shape("", event).to_string())
                .or_insert_with(|| event.clone());
        }
    }
    // What only some calls send is type-checked as well.
    let built = [
        client::append_audio("AAAA"),
        client::system_item("e1", "text"),
        client::shop_item("e2", "text"),
        client::agent_item("e3", "text"),
        client::tool_output("e4", "call_1", "{}"),
        client::create_response("e5", true),
        client::create_response("e6", false),
        client::cancel_response("e7", "resp_1"),
        client::truncate("e8", "item_1", 640),
        client::delete_item("e9", "item_2"),
        client::COMMIT_AUDIO.to_owned(),
    ];
    for event in built {
        let event: Value = serde_json::from_str(&event)?;
        shapes.entry(shape("", &event).to_string()).or_insert(event);
    }
    Ok(serde_json::to_string_pretty(
        &shapes.into_values().collect::<Vec<_>>(),
    )?)
}

/// The event with what only varies left out: numbers, ids, audio and texts; words of the protocol stay.
fn shape(key: &str, value: &Value) -> Value {
    let of_a_word = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_' | '-' | '.' | '/');
    let word = |text: &str| !key.ends_with("id") && key != "audio" && text.chars().all(of_a_word);
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| (key.clone(), shape(key, value)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| shape(key, item)).collect(),
        Value::String(text) if word(text) => value.clone(),
        Value::String(_) => "text".into(),
        Value::Number(_) => 0.into(),
        other => other.clone(),
    }
}

fn show(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_that_differ_in_ids_and_numbers_have_one_shape() {
        let event = |id: &str, ms: u64, kind: &str| json!({"type": kind, "item_id": id, "audio": id, "audio_end_ms": ms});
        assert_eq!(
            shape("", &event("a", 1, "x")),
            shape("", &event("b", 2, "x"))
        );
        assert_ne!(
            shape("", &event("a", 1, "x")),
            shape("", &event("a", 1, "y"))
        );
    }
}
