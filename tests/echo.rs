//! An echo of the agent does not count as somebody speaking, and somebody speaking does, also over
//! the echo: many random calls through the ear, as the call asks. Prints what it measures.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "test code"
)]

use orderline::audio::ear::Ear;
use orderline::audio::echo::{Echo, Source};
use orderline::audio::ulaw::{SILENCE, decode, encode};
use orderline::audio::wav::Wav;
use std::f64::consts::{PI, TAU};
use std::ops::Range;

const MS: usize = 8;
const FRAME: usize = 20 * MS;
/// More of a sentence adds time to the test and no starts of speech.
const LONGEST: usize = 3_000 * MS;
/// When the agent begins to speak, and what follows its last word.
const BEGINNING: usize = 2_000 * MS;
const REST: usize = 1_000 * MS;

/// Numbers that are the same in every run (`SplitMix64`).
struct Random(u64);

impl Random {
    fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn within(&mut self, range: &Range<f64>) -> f64 {
        range.start + (range.end - range.start) * self.unit()
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[(self.unit() * all.len() as f64) as usize]
    }
}

/// What the agent says and what the shop says, the beginning of every sentence of the fixtures, at −20 dBFS.
struct Voices {
    agent: Vec<Vec<f64>>,
    shop: Vec<Vec<f64>>,
}

impl Voices {
    fn read() -> Self {
        let folder = format!("{}/fixtures/speech", env!("CARGO_MANIFEST_DIR"));
        let lines = std::fs::read_to_string(format!("{folder}/lines.tsv")).unwrap();
        let (mut agent, mut shop) = (Vec::new(), Vec::new());
        for line in lines.lines().filter(|line| !line.starts_with('#')) {
            let (id, rest) = line.split_once('\t').unwrap();
            let wav = std::fs::read(format!("{folder}/{id}.wav")).unwrap();
            let samples = Wav::parse(&wav).unwrap().samples.into_iter();
            let voice = if rest.starts_with("en-us+f3") {
                &mut agent
            } else {
                &mut shop
            };
            voice.push(samples.map(f64::from).take(LONGEST).collect());
        }
        Self { agent, shop }
    }
}

/// What the calls of a row have in common. Levels in dB, times in ms.
#[derive(Clone)]
struct Row {
    name: &'static str,
    calls: u64,
    /// Of the echo against what was sent; none without an echo.
    gain: Option<Range<f64>>,
    delay: Range<f64>,
    /// Reflections of the echo: delay and gain.
    reflections: &'static [(f64, f64)],
    /// Of the echo against the noise that a codec adds to it, which is as loud as the echo is at the moment
    /// (ITU-T P.810); none without a codec.
    codec: Option<f64>,
    /// Of what the shop says, in dBFS; none while it is silent.
    shop: Option<f64>,
    noise: Range<f64>,
}

const ECHO: Row = Row {
    name: "echo",
    calls: 10,
    gain: Some(-35.0..-12.0),
    delay: 30.0..400.0,
    reflections: &[],
    codec: None,
    shop: None,
    noise: -55.0..-45.0,
};

const SHOP: Row = Row {
    calls: 25,
    name: "shop",
    gain: None,
    shop: Some(-20.0),
    ..ECHO
};

const BOTH: Row = Row {
    calls: 25,
    name: "both",
    gain: Some(-30.0..-12.0),
    shop: Some(-20.0),
    ..ECHO
};

/// What was measured in a row.
#[derive(Default)]
struct Score {
    /// Starts of speech that the ear told of while only the echo was there, and how many were not taken
    /// for an echo.
    onsets: usize,
    stops: usize,
    /// From when an ear that hears the shop alone tells of it to the first answer that it is no echo,
    /// in ms; sorted.
    delays: Vec<i64>,
}

impl Score {
    fn within(&self, ms: i64) -> f64 {
        self.delays.iter().filter(|delay| **delay <= ms).count() as f64 / self.delays.len() as f64
    }

    fn print(&self, row: &Row) {
        let at = |part: usize| self.delays.get(self.delays.len() * part / 100);
        println!(
            "{:32} echo: {:3} onsets, {:2} taken for somebody   shop: {:3} starts, p50 {:?} p95 {:?} p98 {:?}  ≤ 40 {:.3}  ≤ 100 {:.3}",
            row.name,
            self.onsets,
            self.stops,
            self.delays.len(),
            at(50),
            at(95),
            at(98),
            self.within(40),
            self.within(100),
        );
    }
}

fn measure(row: &Row) -> Score {
    let voices = Voices::read();
    let mut score = Score::default();
    for call in 0..row.calls {
        play(row, &voices, &mut Random(call), &mut score);
    }
    score.delays.sort_unstable();
    score.print(row);
    score
}

/// One reply of the agent, once its echo, once a sentence of the shop that begins while the agent is audible.
fn play(row: &Row, voices: &Voices, random: &mut Random, score: &mut Score) {
    let reply = random.of(&voices.agent);
    let said = random.of(&voices.shop);
    let clock_error = random.within(&(-60.0..60.0));
    let delay = random.within(&row.delay);
    let corner = *random.of(&[2_000.0, 3_000.0]);
    let said_at = BEGINNING + (random.within(&(0.1..0.9)) * reply.len() as f64) as usize;
    let len = BEGINNING + reply.len().max(said_at - BEGINNING + said.len()) + REST;

    let noise_peak = 32_768.0 * linear(random.within(&row.noise)) * 3f64.sqrt();
    let mut line: Vec<f64> = (0..len)
        .map(|_| random.within(&(-noise_peak..noise_peak)))
        .collect();
    let mut shop_begins = len;
    if let Some(level) = row.shop {
        shop_begins = said_at;
        add(&mut line, said_at, said, linear(level + 20.0));
    }
    let shop_told = first_speech(&encoded(&line));
    if let Some(gain) = &row.gain {
        let gain = random.within(gain);
        let mut filtered = low_passed(reply, corner);
        for sample in &mut filtered {
            let noise = random.within(&(-1.0..1.0)) * 3f64.sqrt();
            *sample *= 1.0 + row.codec.map_or(0.0, |ratio| noise / linear(ratio));
        }
        for &(later, weaker) in [(0.0, 0.0)].iter().chain(row.reflections) {
            let at = BEGINNING + ((delay + later) * MS as f64) as usize;
            add(&mut line, at, &filtered, linear(gain + weaker));
        }
    }

    let (mut ear, mut echo) = (Ear::new(), Echo::new());
    // All at once, in pieces of 50 ms, as the model sends faster than it is heard.
    let mut at = (BEGINNING / MS) as u64;
    at = at.saturating_add_signed(clock_error as i64);
    for piece in encoded(reply).chunks(50 * MS) {
        echo.sent(at, piece);
        at += 50;
    }
    let (mut was_speech, mut is_taken, mut stopped) = (false, false, None);
    for (index, frame) in encoded(&line).chunks_exact(FRAME).enumerate() {
        let end = (index + 1) * FRAME;
        ear.hear(frame);
        echo.heard((end / MS) as u64, frame);
        let is_speech = ear.is_speech();
        let is_onset = is_speech && !was_speech;
        was_speech = is_speech;
        let is_somebody = is_speech && echo.source() == Source::Somebody;
        if end <= shop_begins {
            score.onsets += usize::from(is_onset);
            is_taken &= !is_onset;
            score.stops += usize::from(is_somebody && !is_taken);
            is_taken |= is_somebody;
        } else if is_somebody {
            stopped = Some(end);
            break;
        }
    }
    if let (Some(_), Some(told)) = (row.shop, shop_told) {
        let delay = stopped.map_or(99_999, |at| at as i64 / 8 - told as i64 / 8);
        score.delays.push(delay);
    }
}

/// Where the ear tells of the first speech, in samples.
fn first_speech(line: &[u8]) -> Option<usize> {
    let mut ear = Ear::new();
    let mut frames = line.chunks_exact(FRAME);
    frames
        .position(|frame| ear.hear(frame).is_some())
        .map(|index| (index + 1) * FRAME)
}

fn linear(db: f64) -> f64 {
    10f64.powf(db / 20.0)
}

fn encoded(line: &[f64]) -> Vec<u8> {
    line.iter()
        .map(|sample| encode(sample.clamp(-32_768.0, 32_767.0) as i16))
        .collect()
}

fn add(line: &mut [f64], at: usize, sound: &[f64], gain: f64) {
    for (sample, added) in line[at..].iter_mut().zip(sound) {
        *sample += gain * added;
    }
}

/// A Butterworth low-pass of the fourth order, which also shifts the phases, as lines do.
fn low_passed(sound: &[f64], corner: f64) -> Vec<f64> {
    let angle = TAU * corner / 8_000.0;
    let mut sound = sound.to_vec();
    for quality in [0.5 / (PI / 8.0).cos(), 0.5 / (3.0 * PI / 8.0).cos()] {
        let alpha = angle.sin() / (2.0 * quality);
        let scale = 1.0 / (1.0 + alpha);
        let b = (1.0 - angle.cos()) / 2.0 * scale;
        let (a1, a2) = (-2.0 * angle.cos() * scale, (1.0 - alpha) * scale);
        let ([mut x1, mut x2], [mut y1, mut y2]) = ([0.0; 2], [0.0; 2]);
        for sample in &mut sound {
            let y = b * (*sample + 2.0 * x1 + x2) - a1 * y1 - a2 * y2;
            (x2, x1, y2, y1) = (x1, *sample, y1, y);
            *sample = y;
        }
    }
    sound
}

/// Early reflections of a handset or a room: delay in ms and level in dB.
const REFLECTIONS: &[(f64, f64)] = &[(1.5, -6.0), (4.0, -10.0)];

/// At most 2 % of the echoes are taken for somebody; 10 % where reflections reach beyond the filter. Of
/// the few of a row, one may be.
fn assert_stops(row: &Row, score: &Score) {
    let bar = if row.reflections.is_empty() { 50 } else { 10 };
    assert!(score.stops <= (score.onsets / bar).max(1), "{}", row.name);
}

#[test]
fn an_echo_alone_is_nobody() {
    let late = Row {
        name: "echo, late",
        delay: 400.0..800.0,
        ..ECHO
    };
    let loud = Row {
        name: "echo, loud, silent line",
        gain: Some(-12.0..-3.0),
        noise: -90.0..-80.0,
        ..ECHO
    };
    let codec = Row {
        name: "echo, codec",
        codec: Some(15.0),
        ..ECHO
    };
    let room = Row {
        name: "echo, room",
        reflections: REFLECTIONS,
        ..ECHO
    };
    let many = Row { calls: 50, ..ECHO };
    for row in [many, late, loud, codec, room] {
        let score = measure(&row);
        assert!(score.onsets * 10 >= row.calls as usize * 8, "{}", row.name);
        assert_stops(&row, &score);
    }
}

#[test]
fn the_shop_alone_is_somebody_as_soon_as_it_is_heard() {
    let silent = Row {
        name: "shop, silent line",
        noise: -90.0..-80.0,
        ..SHOP
    };
    for row in [SHOP, silent] {
        assert!(measure(&row).within(40) >= 0.98, "{}", row.name);
    }
    let quiet = Row {
        name: "shop, 12 dB quieter",
        shop: Some(-32.0),
        ..SHOP
    };
    assert!(measure(&quiet).within(100) >= 0.95);
}

#[test]
fn the_shop_over_an_echo_is_somebody() {
    let faint = Row {
        name: "both, shop 17 dB quieter",
        shop: Some(-37.0),
        noise: -65.0..-55.0,
        ..BOTH
    };
    let room = Row {
        name: "both, room",
        reflections: REFLECTIONS,
        ..BOTH
    };
    for row in [BOTH, faint, room] {
        let score = measure(&row);
        assert!(score.within(100) >= 0.95, "{}", row.name);
        assert_stops(&row, &score);
    }
}

/// Half a second of the line that ends at `end_ms`.
fn hear(echo: &mut Echo, end_ms: usize, sound: &[u8]) {
    for (index, frame) in sound[..25 * FRAME].chunks(FRAME).enumerate() {
        echo.heard((end_ms - 500 + (index + 1) * 20) as u64, frame);
    }
}

/// An agent's sentence as sent, and half a second from its middle as an echo of −20 dB.
fn sentence_and_echo() -> (Vec<u8>, Vec<u8>) {
    let reply = Voices::read().agent.swap_remove(0);
    let middle = low_passed(&reply, 3_000.0)[4_000..8_000].to_vec();
    let mut echo = vec![0.0; middle.len()];
    add(&mut echo, 0, &middle, linear(-20.0));
    (encoded(&reply), encoded(&echo))
}

/// An echo, and 160 ms of something beside it at its end: whether that is a voice.
fn is_voice(beside: &[f64]) -> bool {
    let (sent, returned) = sentence_and_echo();
    let mut line: Vec<f64> = returned.iter().map(|b| f64::from(decode(*b))).collect();
    let mut echo = Echo::new();
    echo.sent(1_000, &sent);
    hear(&mut echo, 2_200, &encoded(&line));
    assert_eq!(echo.source(), Source::Echo);
    add(&mut line, 4_000 - 160 * MS, &beside[..160 * MS], 1.0);
    echo.sent(5_000, &sent);
    hear(&mut echo, 6_200, &encoded(&line));
    assert_eq!(echo.source(), Source::Somebody);
    echo.is_voice()
}

#[test]
fn what_is_beside_an_echo_is_a_voice_or_mere_sound() {
    let tones = |a: f64, b: f64| -> Vec<f64> {
        let sine = |hz: f64, n: usize| (TAU * hz * n as f64 / 8_000.0).sin() * 3_000.0;
        (0..2_000).map(|n| sine(a, n) + sine(b, n)).collect()
    };
    assert!(!is_voice(&tones(440.0, 480.0)) && !is_voice(&tones(770.0, 1_336.0)));
    let mut random = Random(3);
    let hiss: Vec<f64> = (0..2_000)
        .map(|_| random.within(&(-4_000.0..4_000.0)))
        .collect();
    assert!(!is_voice(&hiss));
    let shop = Voices::read().shop;
    let voices = shop.iter().filter(|said| is_voice(said)).count();
    assert!(voices * 10 >= shop.len() * 8, "{voices} of {}", shop.len());
}

#[test]
fn silence_is_nobody() {
    let mut echo = Echo::new();
    assert_eq!(echo.source(), Source::Nobody);
    hear(&mut echo, 1_000, &[SILENCE; 4_000]);
    assert_eq!(echo.source(), Source::Nobody);
}

#[test]
fn what_was_never_sent_is_no_echo() {
    let (_, returned) = sentence_and_echo();
    let mut echo = Echo::new();
    hear(&mut echo, 1_000, &returned);
    assert_eq!(echo.source(), Source::Somebody);
}

#[test]
fn what_was_cleared_before_it_played_is_no_echo() {
    let (sent, returned) = sentence_and_echo();
    let mut echo = Echo::new();
    echo.sent(1_000, &sent);
    let mut cleared = echo.clone();
    cleared.cleared(1_400);
    for (echo, expected) in [(&mut echo, Source::Echo), (&mut cleared, Source::Somebody)] {
        hear(echo, 2_200, &returned);
        assert_eq!(echo.source(), expected);
    }
}

#[test]
fn an_echo_is_known_again_at_another_lag_and_upside_down() {
    let (sent, returned) = sentence_and_echo();
    let inverted: Vec<u8> = returned.iter().map(|byte| byte ^ 0x80).collect();
    let mut echo = Echo::new();
    for (at, heard_at, sound) in [
        (1_000, 1_530, &returned),
        (9_000, 10_200, &returned),
        (17_000, 17_450, &inverted),
    ] {
        echo.sent(at, &sent);
        hear(&mut echo, heard_at + 500, sound);
        assert_eq!(echo.source(), Source::Echo, "heard at {heard_at}");
    }
}

#[test]
fn an_echo_from_beyond_a_second_is_not_looked_for() {
    let (sent, returned) = sentence_and_echo();
    let mut echo = Echo::new();
    echo.sent(1_000, &sent);
    hear(&mut echo, 3_100, &returned);
    assert_eq!(echo.source(), Source::Somebody);
}

#[test]
fn a_hole_in_the_line_makes_nobody_of_its_noise() {
    let mut random = Random(1);
    let (sent, returned) = sentence_and_echo();
    let noise: Vec<f64> = (0..4_000)
        .map(|_| random.within(&(-250.0..250.0)))
        .collect();
    let mut line = noise.clone();
    let returned: Vec<f64> = returned
        .iter()
        .map(|byte| f64::from(decode(*byte)))
        .collect();
    add(&mut line, 0, &returned, 1.0);
    let mut echo = Echo::new();
    echo.sent(2_000, &sent);
    hear(&mut echo, 2_400, &encoded(&noise));
    // 200 ms are missing.
    hear(&mut echo, 3_100, &encoded(&line));
    assert_eq!(echo.source(), Source::Echo);
}
