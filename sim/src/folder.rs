//! The folder a run leaves behind: what a person wants to read, hear and see of a call.

use crate::api::Outcome;
use crate::picture::Picture;
use crate::play::Play;
use crate::timeline::What;
use anyhow::Context;
use orderline::audio::wav::Wav;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Creates `runs/<UTC time>-<name>`.
pub fn create(root: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    let path = root.join("runs").join(format!("{}-{name}", stamp(seconds)));
    fs::create_dir_all(&path).with_context(|| format!("cannot create {}", path.display()))?;
    Ok(path)
}

/// Writes `outcome.json`, `proof.ndjson` (the events it follows from) and `transcript.txt`.
pub fn write_outcome(folder: &Path, outcome: &Outcome, events: &str) -> anyhow::Result<()> {
    fs::write(folder.join("outcome.json"), outcome.pretty() + "\n")?;
    fs::write(folder.join("proof.ndjson"), events)?;
    if let Some(text) = outcome_transcript(&outcome.json) {
        fs::write(folder.join("transcript.txt"), text)?;
    }
    Ok(())
}

/// Writes `events.ndjson`, `call.wav` (agent left, shop right), and the transcript as the line
/// heard it where the outcome had none.
pub fn write_call(folder: &Path, play: &Play) -> anyhow::Result<()> {
    let mut events = String::new();
    for event in play.timeline.events() {
        events += &serde_json::to_string(&event)?;
        events.push('\n');
    }
    fs::write(folder.join("events.ndjson"), events)?;
    let wav = {
        let line = play.line.lock().unwrap();
        Wav::stereo_from_ulaw(&line.to_shop, &line.from_shop)
    };
    fs::write(folder.join("call.wav"), wav.to_bytes())?;
    let transcript = folder.join("transcript.txt");
    if !transcript.exists() {
        fs::write(transcript, line_transcript(play))?;
    }
    Ok(())
}

/// Draws `call.png`.
pub fn write_picture(folder: &Path, play: &Play, outcome: Option<&Outcome>) -> anyhow::Result<()> {
    let events = play.timeline.events();
    let line = play.line.lock().unwrap();
    let total = outcome
        .and_then(|outcome| outcome.json.pointer("/order/totals/total"))
        .and_then(Value::as_f64);
    let picture = Picture {
        title: &play.scenario.name,
        about: &play.scenario.about,
        status: outcome.map_or("no outcome", Outcome::status),
        total,
        events: &events,
        agent: &line.to_shop,
        shop: &line.from_shop,
    };
    fs::write(folder.join("call.png"), picture.to_png()?)?;
    Ok(())
}

fn outcome_transcript(outcome: &Value) -> Option<String> {
    let turns = outcome.get("transcript")?.as_array()?;
    let lines = turns.iter().filter_map(|turn| {
        let text = turn.get("text")?.as_str()?;
        let role = turn.get("role")?.as_str()?;
        Some(format!(
            "{:<6} {text}\n",
            if role == "agent" { "agent" } else { "shop" }
        ))
    });
    Some(lines.collect())
}

fn line_transcript(play: &Play) -> String {
    let events = play.timeline.events();
    let lines = events.iter().filter_map(|event| match &event.what {
        What::ShopSpeaks { text, .. } => Some(("shop", text.clone())),
        What::AgentSpeaks { text, .. } if !text.is_empty() => Some(("agent", text.clone())),
        What::AgentPresses { key } => Some(("agent", format!("[presses {key}]"))),
        _ => None,
    });
    lines
        .map(|(who, text)| format!("{who:<6} {text}\n"))
        .collect()
}

/// `2026-01-31T235959Z` of seconds since 1970, after Hinnant's `civil_from_days`.
fn stamp(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400 + 719_468, seconds % 86_400);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_after_the_time() {
        assert_eq!(stamp(0), "1970-01-01T000000Z");
        assert_eq!(stamp(951_827_696), "2000-02-29T123456Z");
        assert_eq!(stamp(1_798_761_599), "2026-12-31T235959Z");
    }
}
