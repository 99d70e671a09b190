//! Twilio's side of one measured call: its frames, what plays and when, and the echoes of marks
//! (`protocols.md` §2.9). Lean; `crate::twilio` is the strict one.

use super::frames::{self, Side};
use super::tag::{self, PIECE, Tag};
use crate::twilio::wire::Frames;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, VecDeque};
use std::io::Write;

/// Microseconds that a byte of μ-law plays.
const US_PER_BYTE: u64 = 125;
/// Pieces of audio whose place is remembered: a minute.
const REMEMBERED: usize = 3_000;

/// A call of the load, as Twilio knows it.
pub struct Phone {
    /// WebSocket bytes for the bridge.
    pub out: Vec<u8>,
    stream_sid: String,
    sequence: u64,
    /// Number of the next piece of audio.
    pub next: u32,
    playback: Playback,
    base64: Vec<u8>,
}

/// What a bridge sent.
#[derive(Debug, PartialEq)]
pub enum FromBridge<'a> {
    /// Base64.
    Media(&'a str),
    Mark(&'a str),
    Clear,
    Unknown,
}

impl Phone {
    /// A stream that opens: its first two frames are in `out`.
    pub fn open(
        account_sid: &str,
        call_sid: &str,
        stream_sid: &str,
        parameters: &BTreeMap<String, String>,
    ) -> Self {
        let mut phone = Self {
            out: Vec::new(),
            stream_sid: stream_sid.to_owned(),
            sequence: 1,
            next: 0,
            playback: Playback::default(),
            base64: vec![0; 4 * PIECE.div_ceil(3)],
        };
        let start = Frames::new(account_sid, call_sid, stream_sid).start(parameters);
        phone.send(&[Frames::connected().as_bytes()]);
        phone.send(&[start.as_bytes()]);
        phone
    }

    /// Sends 20 ms of audio.
    pub fn media(&mut self, call: u32, audio: &[u8]) {
        let mut piece = [0xFF; PIECE];
        for (to, from) in piece.iter_mut().zip(audio) {
            *to = *from;
        }
        let number = self.next;
        Tag { call, number }.put(&mut piece);
        self.next += 1;
        self.sequence += 1;
        let encoded = STANDARD.encode_slice(piece, &mut self.base64).unwrap_or(0);
        let mut head = [0; 160];
        let mut rest = head.as_mut_slice();
        // As the real one counts: chunks from 1, and a first timestamp that is not 0.
        let _ = write!(
            rest,
            r#"{{"event":"media","sequenceNumber":"{}","media":{{"track":"inbound","chunk":"{}","timestamp":"{}","payload":""#,
            self.sequence,
            number + 1,
            5 + u64::from(number) * 20,
        );
        let unused = rest.len();
        let head = head.get(..160 - unused).unwrap_or_default();
        let payload = self.base64.get(..encoded).unwrap_or_default();
        let parts = [
            head,
            payload,
            br#""},"streamSid":""#,
            self.stream_sid.as_bytes(),
            br#""}"#,
        ];
        frames::text(&mut self.out, Side::Client, &parts);
    }

    fn mark(&mut self, name: &str) {
        self.sequence += 1;
        let text = format!(
            r#"{{"event":"mark","sequenceNumber":"{}","streamSid":"{}","mark":{{"name":"{name}"}}}}"#,
            self.sequence, self.stream_sid
        );
        self.send(&[text.as_bytes()]);
    }

    fn send(&mut self, parts: &[&[u8]]) {
        frames::text(&mut self.out, Side::Client, parts);
    }

    /// Audio of the agent begins to play, or waits for what plays.
    pub fn play(&mut self, now: u64, audio: &[u8]) {
        self.playback.queue(now, audio);
    }

    /// A mark behind all of it; the echo comes when it has played.
    pub fn marked(&mut self, now: u64, name: &str) {
        self.playback
            .marks
            .push_back((self.playback.end, name.to_owned()));
        self.echo(now);
    }

    /// Echoes the marks that are due.
    pub fn echo(&mut self, now: u64) {
        let position = self.playback.position(now);
        while let Some((_, name)) = pop_if(&mut self.playback.marks, |(at, _)| *at <= position) {
            self.mark(&name);
        }
    }

    /// When the next mark is due.
    pub fn next_echo(&self) -> Option<u64> {
        let (at, _) = self.playback.marks.front()?;
        Some(self.playback.time_of(*at))
    }

    /// Throws away what has not played. Marks come back at once.
    pub fn clear(&mut self, now: u64) {
        self.playback.stop(now);
        for (_, name) in std::mem::take(&mut self.playback.marks) {
            self.mark(&name);
        }
    }

    /// How much of the pieces with these numbers has been heard, in bytes.
    pub fn heard(&self, now: u64, call: u32, numbers: std::ops::Range<u32>) -> u64 {
        let position = self.playback.position(now);
        let pieces = self.playback.pieces.iter();
        let ours = pieces.filter(|piece| {
            piece
                .tag
                .is_some_and(|tag| tag.call == call && numbers.contains(&tag.number))
        });
        ours.map(|piece| position.clamp(piece.from, piece.to) - piece.from)
            .sum()
    }

    /// Whether the agent is to be heard.
    pub fn is_playing(&self, now: u64) -> bool {
        self.playback.position(now) < self.playback.end
    }
}

/// Reads a message of a bridge.
pub fn read(text: &str) -> FromBridge<'_> {
    if let Some(payload) = field(text, "\"payload\":\"") {
        FromBridge::Media(payload)
    } else if text.contains("\"event\":\"mark\"") {
        field(text, "\"name\":\"").map_or(FromBridge::Unknown, FromBridge::Mark)
    } else if text.contains("\"event\":\"clear\"") {
        FromBridge::Clear
    } else {
        FromBridge::Unknown
    }
}

/// The string that follows `key`, which ends with its opening quote; nothing here is escaped.
pub fn field<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(key)?;
    rest.split_once('"').map(|(value, _)| value)
}

/// Takes the first if it is due.
pub fn pop_if<T>(queue: &mut VecDeque<T>, is_due: impl Fn(&T) -> bool) -> Option<T> {
    if queue.front().is_some_and(is_due) {
        queue.pop_front()
    } else {
        None
    }
}

/// The queue of one phone, by bytes since its stream began.
#[derive(Default)]
struct Playback {
    pieces: VecDeque<Piece>,
    /// Where what was queued ends.
    end: u64,
    /// Since when it plays without a gap, and from which byte.
    since: (u64, u64),
    marks: VecDeque<(u64, String)>,
}

struct Piece {
    tag: Option<Tag>,
    from: u64,
    to: u64,
}

impl Playback {
    fn position(&self, now: u64) -> u64 {
        let (at, from) = self.since;
        self.end.min(from + now.saturating_sub(at) / US_PER_BYTE)
    }

    fn time_of(&self, position: u64) -> u64 {
        let (at, from) = self.since;
        at + position.saturating_sub(from) * US_PER_BYTE
    }

    fn queue(&mut self, now: u64, audio: &[u8]) {
        if self.position(now) == self.end {
            self.since = (now, self.end);
        }
        for (tag, length) in tag::pieces(audio) {
            let from = self.end;
            self.end += length as u64;
            let to = self.end;
            self.pieces.push_back(Piece { tag, from, to });
        }
        let too_many = self.pieces.len().saturating_sub(REMEMBERED);
        self.pieces.drain(..too_many);
    }

    fn stop(&mut self, now: u64) {
        let position = self.position(now);
        self.pieces.retain(|piece| piece.from < position);
        if let Some(last) = self.pieces.back_mut() {
            last.to = last.to.min(position);
        }
        self.end = position;
        self.since = (now, position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000;

    fn audio(first: u32, pieces: u32) -> Vec<u8> {
        let mut audio = vec![0xFF; PIECE * pieces as usize];
        for (number, piece) in (first..).zip(audio.chunks_exact_mut(PIECE)) {
            Tag { call: 1, number }.put(piece);
        }
        audio
    }

    fn sent(phone: &mut Phone) -> Vec<String> {
        let mut reader = frames::Reader::default();
        reader.push(&std::mem::take(&mut phone.out));
        let mut all = Vec::new();
        while let Ok(Some(message)) = reader.next() {
            if let frames::Message::Text(text) = message {
                all.push(text.to_owned());
            }
        }
        all
    }

    #[test]
    fn its_frames_are_those_of_the_strict_simulator() {
        let mut phone = Phone::open("AC1", "CA1", "MZ1", &BTreeMap::new());
        phone.media(3, &[0xFF; 160]);
        let mut strict = Frames::new("AC1", "CA1", "MZ1");
        let mut piece = [0xFF; 160];
        Tag { call: 3, number: 0 }.put(&mut piece);
        let expected = [
            Frames::connected(),
            strict.start(&BTreeMap::new()),
            strict.media(&piece),
        ];
        for (ours, theirs) in sent(&mut phone).iter().zip(&expected) {
            let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
            assert_eq!(value(ours), value(theirs));
        }
    }

    #[test]
    fn marks_come_back_when_they_have_played_and_all_of_them_after_a_clear() {
        let mut phone = Phone::open("AC1", "CA1", "MZ1", &BTreeMap::new());
        phone.play(0, &audio(0, 5));
        phone.marked(0, "a");
        phone.play(10 * MS, &audio(5, 5));
        phone.marked(10 * MS, "b");
        sent(&mut phone);
        assert_eq!(phone.next_echo(), Some(100 * MS));
        phone.echo(100 * MS);
        assert!(sent(&mut phone)[0].contains("\"a\""));
        phone.clear(130 * MS);
        assert!(sent(&mut phone)[0].contains("\"b\""));
        assert_eq!(phone.heard(500 * MS, 1, 0..5), 800);
        assert_eq!(phone.heard(500 * MS, 1, 5..10), 240);
        assert!(!phone.is_playing(130 * MS));
    }

    #[test]
    fn audio_after_a_gap_plays_from_when_it_came() {
        let mut phone = Phone::open("AC1", "CA1", "MZ1", &BTreeMap::new());
        phone.play(0, &audio(0, 1));
        phone.play(500 * MS, &audio(1, 1));
        assert_eq!(phone.heard(510 * MS, 1, 0..2), 160 + 80);
    }
}
