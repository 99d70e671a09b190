//! The committed recordings give the same outputs, byte for byte, and a change is found.

use super::*;
use crate::clips::Clips;
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// Every committed recording, unpacked, with the name of its scenario.
static RECORDINGS: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let clips = rig::clips().unwrap();
    let files = std::fs::read_dir(folder()).unwrap();
    let mut recordings: Vec<(String, String)> = files
        .map(|file| {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = pack::unpack(&std::fs::read(&path).unwrap(), &clips).unwrap();
            (name.replace(".ndjson.gz", ""), text)
        })
        .collect();
    recordings.sort();
    recordings
});

fn pickup() -> &'static str {
    let pickup = RECORDINGS.iter().find(|(name, _)| name == "pickup");
    &pickup.unwrap().1
}

#[test]
fn every_scenario_has_its_recording() {
    let scenarios = rig::scenarios(&rig::clips().unwrap(), &[]).unwrap();
    let scenarios: BTreeSet<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
    let recorded: BTreeSet<&str> = RECORDINGS.iter().map(|(name, _)| name.as_str()).collect();
    let missing: Vec<_> = scenarios.difference(&recorded).collect();
    assert!(missing.is_empty(), "npm run record; missing: {missing:?}");
}

#[test]
fn every_recording_is_reproduced_byte_for_byte_and_ends_as_its_scenario_expects() {
    let scenarios = rig::scenarios(&rig::clips().unwrap(), &[]).unwrap();
    let mut wrong = String::new();
    for (name, text) in RECORDINGS.iter() {
        let replay = replay(text, |_, _| {}).unwrap();
        if let Some((line, what)) = &replay.differs {
            wrong += &format!("{name}, line {line}: {what}\n");
        }
        let outcome: Value = serde_json::from_str(&replay.outcome.unwrap_or_default()).unwrap();
        let expected = scenarios.iter().find(|scenario| scenario.name == *name);
        if expected.is_some_and(|scenario| outcome["status"] != scenario.expect.status) {
            wrong += &format!("{name}: ended as {}\n", outcome["status"]);
        }
    }
    let remedy = "if that is meant: npm run record";
    assert!(wrong.is_empty(), "{wrong}{remedy}");
}

/// Messages are what a call costs beside its minutes: of the shop's audio, the model gets at most two
/// for three frames, over everything the scenarios hold.
#[test]
fn silence_takes_fewer_messages() {
    let (mut frames, mut sent) = (0_u32, 0_u32);
    for (_, text) in RECORDINGS.iter() {
        let is_frame = |line: &&str| line.contains(r#"\"event\":\"media\""#);
        frames += u32::try_from(text.lines().filter(is_frame).count()).unwrap();
        replay(text, |_, output| {
            if let Output::Model(text) = output {
                sent += u32::from(text.contains("input_audio_buffer.append"));
            }
        })
        .unwrap();
    }
    assert!(frames > 3_000, "{frames}");
    assert!(sent * 3 <= frames * 2, "{sent} messages of {frames} frames");
}

#[test]
fn a_replay_says_at_which_line_it_begins_to_differ() {
    let lines: Vec<&str> = pickup().lines().collect();
    let words = |line: &&str| line.contains("input_audio_transcription.completed");
    let at = lines.iter().position(words).unwrap();
    let mut changed = lines.clone();
    let other = lines[at]
        .replace("pizza", "salad")
        .replace(". ", ", ")
        .replace("?", ".");
    let other = other.replace(r#"\"transcript\":\""#, r#"\"transcript\":\"Sorry, "#);
    changed[at] = &other;
    let (line, _) = replay(&changed.join("\n"), |_, _| {})
        .unwrap()
        .differs
        .unwrap();
    assert!((at + 1..lines.len()).contains(&line), "{line} of {at}");

    let last = lines.len() - 1;
    let digest: Line<'_> = serde_json::from_str(lines[last]).unwrap();
    let other = lines[last].replace(&*digest.out, "00000000");
    changed = lines.clone();
    changed[last] = &other;
    let (line, _) = replay(&changed.join("\n"), |_, _| {})
        .unwrap()
        .differs
        .unwrap();
    assert_eq!(line, last + 1);
}

#[test]
fn what_is_no_recording_is_refused_with_its_line() {
    let two: Vec<&str> = pickup().lines().take(2).collect();
    for (text, message) in [
        (String::new(), "empty"),
        ("{}\n".to_owned(), "line 1"),
        (
            two[0].replacen("\"recording\":1", "\"recording\":9", 1),
            "form 9",
        ),
        (
            format!("{}\n{{\"at\":1,\"in\":\"dance\"}}\n", two[0]),
            "line 2",
        ),
    ] {
        let error = format!("{:#}", replay(&text, |_, _| {}).unwrap_err());
        assert!(error.contains(message), "{error}");
    }
}

static CLIPS: LazyLock<Clips> = LazyLock::new(|| rig::clips().unwrap());
static PACKER: LazyLock<pack::Packer<'static>> = LazyLock::new(|| pack::Packer::of(&CLIPS));

proptest! {
    #[test]
    fn what_was_packed_is_unpacked(
        text in "[^\u{1}]{0,40}",
        clip in 0usize..20,
        from in 0usize..2_000,
        audio in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let said = CLIPS.all()[clip].audio.iter().skip(from).take(500).copied();
        let mixed: Vec<u8> = audio.iter().copied().chain(said).chain([0xFF; 40]).chain(audio.iter().copied()).collect();
        let text = format!("{text}\"{}\"{text}", media::encode(&mixed));
        let packed = PACKER.pack(&text).unwrap();
        prop_assert_eq!(pack::unpack(&packed, &CLIPS).unwrap(), text);
    }
}
