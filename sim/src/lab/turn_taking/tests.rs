//! The instruments, on conversations made by hand: what is known to be wrong must be measured so.

use super::super::signals::Random;
use super::log::{Entry, Seen};
use super::measure::{Truncation, measure};
use super::truth::{Kind, Said};
use super::*;
use crate::realtime::ears::Ears;
use crate::realtime::vad::Turn;
use orderline::audio::ulaw::SILENCE;
use serde_json::json;

/// How long a message to the phone takes, and one from it, in ms.
const WAY: u64 = 60;

/// A conversation being made; times are ms.
#[derive(Default)]
struct Tape {
    entries: Vec<Entry>,
    said: Vec<Said>,
}

/// The agent's audio of an item: bytes as random as speech.
fn audio(item: u64, ms: usize) -> Vec<u8> {
    let mut random = Random::new(item);
    (0..ms * 8)
        .map(|_| u8::try_from(random.below(255)).unwrap())
        .collect()
}

impl Tape {
    fn seen(&mut self, sent: u64, at: u64, what: Seen) {
        self.entries.push(Entry {
            sent,
            frames: 0,
            at,
            what,
        });
    }

    /// The bridge gets an item of its own response.
    fn item(&mut self, at: u64, item: u64, ms: usize) {
        let what = Seen::Delta {
            response: format!("r{item}"),
            item: format!("i{item}"),
            audio: audio(item, ms),
        };
        self.seen(at, at, what);
    }

    /// The bridge sends audio.
    fn media(&mut self, sent: u64, audio: &[u8]) {
        self.seen(sent, sent + WAY, Seen::Media(audio.to_vec()));
    }

    fn clear(&mut self, sent: u64) {
        self.seen(sent, sent + WAY, Seen::Clear);
    }

    fn truncate(&mut self, sent: u64, item: u64, ms: u64) {
        let item = format!("i{item}");
        self.seen(sent, sent, Seen::Truncate { item, ms });
    }

    fn started(&mut self, at: u64) {
        self.seen(at, at, Seen::SpeechStarted);
    }

    fn says(&mut self, kind: Kind, text: &str, from: u64, to: u64) {
        self.said.push(Said::test(kind, text, from, to));
    }

    /// Ticks for so long, and measures.
    fn measure(mut self, ms: u64) -> Measured {
        for at in (0..ms).step_by(20) {
            self.seen(at, at, Seen::Tick);
            self.seen(at, at + WAY, Seen::Frame);
        }
        self.entries.sort_by_key(|entry| entry.at);
        let frames = self.entries.iter().filter(|e| e.what == Seen::Frame);
        let frames: Vec<u64> = frames.map(|frame| frame.at).collect();
        for entry in &mut self.entries {
            entry.frames = frames.partition_point(|at| *at <= entry.sent);
        }
        measure(&self.entries, &self.said)
    }
}

/// An item of 4 s that the phone plays from 60 ms on.
fn speaking() -> Tape {
    let mut tape = Tape::default();
    tape.item(0, 1, 4_000);
    tape.media(0, &audio(1, 4_000));
    tape
}

/// The rest of the item from this ms on.
fn rest(ms: usize) -> Vec<u8> {
    audio(1, 4_000)[ms * 8..].to_vec()
}

#[test]
fn a_truncation_is_compared_with_what_was_played_when_the_phone_stopped() {
    let mut tape = speaking();
    // The phone stops at 1070: the ticks of 60 to 1060 were played, 1020 ms.
    tape.clear(1_010);
    tape.truncate(1_010, 1, 1_100);
    let measured = tape.measure(3_000);
    let known = Truncation {
        error_ms: 80.0,
        queued: false,
        at: 1_010,
    };
    assert_eq!(measured.truncations, [known]);
    assert_eq!((measured.agent_ms, measured.stale.len()), (1_020, 0));
}

#[test]
fn what_was_played_twice_was_heard_once() {
    let mut tape = speaking();
    tape.clear(1_010);
    // 1020 ms were heard; it goes on 50 ms before that.
    tape.media(1_500, &rest(970));
    tape.clear(2_010);
    tape.truncate(2_010, 1, 1_490);
    // 1560 to 2060 are 26 ticks, 520 ms, the first 50 of which were known.
    let known = Truncation {
        error_ms: 0.0,
        queued: false,
        at: 2_010,
    };
    assert_eq!(tape.measure(3_000).truncations, [known]);
}

#[test]
fn replies_behind_each_other_are_told_apart() {
    let mut tape = speaking();
    tape.item(100, 2, 3_000);
    tape.media(100, &audio(2, 3_000));
    tape.clear(4_950);
    tape.truncate(4_950, 1, 4_000);
    tape.truncate(4_950, 2, 900);
    let measured = tape.measure(6_000);
    let errors: Vec<_> = measured
        .truncations
        .iter()
        .map(|t| (t.error_ms, t.queued))
        .collect();
    // Of the second 4060 to 5000 were played: 960 ms.
    assert_eq!(errors, [(0.0, false), (-60.0, true)]);
}

#[test]
fn audio_of_a_reply_that_was_cut_off_is_stale() {
    let mut tape = speaking();
    tape.clear(1_010);
    tape.truncate(1_010, 1, 1_020);
    tape.media(1_300, &rest(1_020)[..200 * 8]);
    assert_eq!(tape.measure(3_000).stale, [(200, 1_360)]);
}

#[test]
fn a_clear_that_is_too_late_leaves_stale_audio() {
    let mut tape = speaking();
    tape.truncate(1_010, 1, 1_020);
    tape.clear(1_500);
    // Without a message the decision counts from 1360 on; the phone stops at 1560, before its tick.
    assert_eq!(tape.measure(3_000).stale, [(180, 1_380)]);
}

#[test]
fn an_interruption_known_by_its_words_may_not_be_resumed() {
    for (words_at, stale) in [(1_900, 0), (1_700, 300)] {
        let mut tape = speaking();
        tape.says(Kind::Short, "No.", 1_000, 1_300);
        tape.clear(1_150);
        tape.media(1_800, &rest(1_160)[..300 * 8]);
        tape.seen(words_at, words_at, Seen::Words("No.".into()));
        let sum: u64 = tape.measure(4_000).stale.iter().map(|s| s.0).sum();
        assert_eq!(sum, stale, "words at {words_at}");
    }
}

#[test]
fn the_detector_that_came_first_is_told_apart_and_timed() {
    // The shop begins at 1000; the bridge hears it at 1060.
    for (started, cleared, clear, same_poll) in [
        (None, 1_150, Some((90, true)), None),
        (Some(1_200), 1_150, Some((90, true)), None),
        (Some(1_150), 1_150, Some((90, false)), Some(true)),
        (Some(1_150), 1_151, Some((91, false)), Some(false)),
    ] {
        let mut tape = speaking();
        tape.says(Kind::Interruption, "Hold on.", 1_000, 2_500);
        started.into_iter().for_each(|at| tape.started(at));
        tape.clear(cleared);
        let measured = tape.measure(4_000);
        let reaction = &measured.reactions[0];
        assert_eq!((reaction.clear, reaction.same_poll), (clear, same_poll));
        assert!(reaction.good && measured.false_stops.is_empty());
    }
}

#[test]
fn what_the_network_puts_between_frames_is_not_the_detectors_time() {
    let mut tape = speaking();
    tape.says(Kind::Interruption, "Hold on.", 1_000, 2_500);
    for at in (0..4_000).step_by(20) {
        tape.seen(at, at, Seen::Tick);
        let way = if at >= 1_040 { 240 } else { WAY };
        tape.seen(at, at + way, Seen::Frame);
    }
    tape.clear(1_305);
    let measured = tape.measure(0);
    let reaction = &measured.reactions[0];
    // The first four frames had come.
    assert_eq!(reaction.clear, Some((65, true)));
    assert_eq!(reaction.clear_wall_ms, Some(245));
}

#[test]
fn what_never_got_to_the_phone_is_not_lost_again_with_every_sound() {
    let mut tape = speaking();
    tape.item(200, 2, 1_000);
    tape.truncate(600, 2, 0);
    tape.says(Kind::Cough, "", 1_000, 1_300);
    assert_eq!(tape.measure(6_000).reactions[0].story, "talked through");
}

#[test]
fn giving_way_has_its_time() {
    // The phone stops at `cleared` + 60 and has then played the tick before.
    for (kind, cleared, good) in [
        (Kind::Interruption, 1_930, true),
        (Kind::Interruption, 1_950, false),
        (Kind::Short, 3_430, true),
        (Kind::Short, 3_450, false),
    ] {
        let mut tape = speaking();
        tape.says(kind, "Stop.", 1_000, 2_200);
        tape.clear(cleared);
        let measured = tape.measure(5_000);
        assert_eq!(measured.reactions[0].good, good, "{kind:?} {cleared}");
    }
}

#[test]
fn an_agent_that_begins_anew_into_an_interruption_has_not_yielded() {
    let mut tape = speaking();
    tape.says(
        Kind::Interruption,
        "Hold on, please, one thing.",
        1_000,
        3_500,
    );
    tape.clear(1_150);
    tape.item(2_000, 2, 500);
    tape.media(2_100, &audio(2, 500));
    assert!(!tape.measure(5_000).reactions[0].good);
}

#[test]
fn closing_words_are_not_to_be_interrupted() {
    let mut tape = speaking();
    tape.seen(900, 900, Seen::EndCall);
    tape.says(Kind::Short, "No.", 1_000, 1_300);
    assert_eq!(tape.measure(5_000).reactions, []);
}

#[test]
fn a_backchannel_lets_the_reply_go_on_to_its_end() {
    // Stopped at 1210 with 1160 ms heard; then the rest from so many ms on, and how much of it.
    for (from, length, story) in [
        (1_160, 2_840, "resumed"),
        (1_110, 2_890, "resumed"),
        (1_090, 2_910, "70 ms were heard twice"),
        (1_260, 2_740, "100 ms were skipped"),
        (1_160, 2_740, "100 ms were never heard"),
    ] {
        let mut tape = speaking();
        tape.says(Kind::Backchannel, "Mm-hmm.", 1_000, 1_400);
        tape.clear(1_150);
        tape.media(1_800, &rest(from)[..length * 8]);
        let measured = tape.measure(6_000);
        let reaction = &measured.reactions[0];
        assert_eq!(
            (reaction.story.as_str(), reaction.good),
            (story, story == "resumed")
        );
        assert_eq!(reaction.pause_ms, 640);
    }
    let mut tape = speaking();
    tape.says(Kind::Cough, "", 1_000, 1_300);
    assert_eq!(tape.measure(6_000).reactions[0].story, "talked through");
    // The shop takes its own turn into the reply at 3000, which ends then; or long after it did.
    for (clear, story) in [
        (3_100, "talked through"),
        (2_000, "2000 ms were never heard"),
    ] {
        let mut tape = speaking();
        tape.says(Kind::Cough, "", 1_000, 1_300);
        tape.says(Kind::Reply, "Go on.", 3_000, 4_000);
        tape.clear(clear);
        assert_eq!(tape.measure(6_000).reactions[0].story, story);
    }
}

#[test]
fn a_clear_without_anybody_is_a_false_stop() {
    let mut tape = speaking();
    tape.says(Kind::Clatter, "", 1_000, 1_400);
    tape.says(Kind::Backchannel, "Yeah.", 2_500, 2_900);
    for at in [500, 1_200, 2_700] {
        tape.clear(at);
        tape.media(at + 100, &rest(500)[..2_000 * 8]);
    }
    // Nothing plays any more: nothing is stopped.
    tape.clear(6_200);
    let stops: Vec<_> = tape
        .measure(8_000)
        .false_stops
        .iter()
        .map(|s| (s.at, s.sound))
        .collect();
    assert_eq!(stops, [(500, None), (1_200, Some(Kind::Clatter))]);
}

#[test]
fn silence_counts_unless_the_agent_was_asked_to_wait() {
    // The agent ends at 4060.
    let tape = speaking();
    assert_eq!(tape.measure(11_000).silence, (6_940, 4_060));
    let mut tape = speaking();
    tape.says(Kind::Wait, "One moment.", 5_000, 6_000);
    tape.says(Kind::Reply, "Go on.", 14_000, 15_000);
    assert_eq!(tape.measure(17_000).silence, (2_000, 15_000));
}

#[test]
fn audio_is_found_however_it_was_cut() {
    let mut tape = Tape::default();
    tape.item(0, 1, 1_000);
    tape.item(0, 2, 1_000);
    let both = [audio(1, 1_000), audio(2, 1_000), vec![0x55; 800]].concat();
    for piece in both.chunks(333) {
        tape.media(0, piece);
    }
    let measured = tape.measure(3_000);
    assert_eq!((measured.agent_ms, measured.unknown_ms), (2_100, 100));
}

#[test]
fn a_transcript_is_what_was_said_and_else_the_echo() {
    let lab = Lab::new().unwrap();
    let line = lab.clips.get(plan::LINES[0]).unwrap();
    let mut truth = Truth::default();
    truth.echo_bytes = Some(800);
    // The agent's audio is tagged in its last bits.
    let tagged: Vec<u8> = line.audio.iter().map(|byte| byte ^ 1).collect();
    truth.plays(&tagged);
    truth.says(Kind::Short, "No, wait.", 16_000, 4_000);
    assert_eq!(truth.transcript(14_000, 24_000, &lab.voice), "No, wait.");
    let echo = truth.transcript(800, 8_800 + 16_000, &lab.voice);
    assert!(
        line.text.starts_with(&echo) && echo.split(' ').count() > 4,
        "{echo}"
    );
    assert_eq!(truth.echo_transcripts, [echo]);
    truth.echo_bytes = None;
    assert_eq!(truth.transcript(30_000, 40_000, &lab.voice), "");
}

#[test]
fn the_server_hears_every_line_of_the_shop() {
    let lab = Lab::new().unwrap();
    let ears = |faulty| {
        let truth = Arc::new(Mutex::new(Truth::default()));
        let mut ears = LabEars::new(truth, Arc::clone(&lab.voice), 1, (faulty, false));
        ears.configure(&json!({"type": "server_vad", "silence_duration_ms": 500}));
        ears
    };
    let plans: Vec<Plan> = (0..60).map(Plan::new).collect();
    for plan in &plans {
        for event in plan.events.iter().filter(|event| event.kind.is_speech()) {
            let line = format!("lab/{}-{}", plan.voice, event.line);
            let clip = lab.clips.get(&line).unwrap();
            let turns = ears(false)
                .push(&[&[SILENCE; 8_000], &clip.audio[..], &[SILENCE; 16_000]].concat());
            assert!(
                matches!(turns[..], [Turn::Started { .. }, Turn::Stopped { .. }]),
                "{line}: {turns:?}"
            );
        }
    }
    let clip = lab.clips.get("lab/m3-no").unwrap();
    let mut faulty = ears(true);
    let mut told: Vec<usize> = Vec::new();
    for _ in 0..60 {
        let turns = faulty.push(&[&clip.audio[..], &[SILENCE; 16_000]].concat());
        told.extend(turns.iter().step_by(2).map(|_| faulty.announcements()));
    }
    assert!(
        [0, 1, 2].iter().all(|times| told.contains(times)),
        "{told:?}"
    );
}

#[test]
fn the_same_seed_gives_the_same_conversation() {
    let lab = Lab::new().unwrap();
    let [first, second] = [(); 2].map(|()| lab.hold(2).unwrap());
    assert!(first.run.trace == second.run.trace);
    assert_eq!(
        format!("{:?}", first.measured),
        format!("{:?}", second.measured)
    );
    let measured = &first.measured;
    assert!(measured.agent_ms > 20_000 && measured.clears > 0 && measured.unknown_ms == 0);
    assert_eq!(first.faults(), Vec::<String>::new());
}
