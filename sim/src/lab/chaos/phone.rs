//! The phone: what it is sent it plays, byte by byte, and echoes the marks.

use super::audio::{self, BYTES_PER_MS, Played};
use serde_json::{Value, json};
use std::collections::VecDeque;

enum Queued {
    Audio(Vec<u8>),
    Mark(String),
}

/// One phone, over all streams of its call.
#[derive(Default)]
pub(super) struct Phone {
    /// Number of the stream, and whether it runs.
    pub(super) stream: u32,
    pub(super) open: bool,
    started_at: u64,
    /// End of the newest frame, in ms since the stream's start.
    sent_ms: u64,
    /// Of the newest message.
    sequence: u64,
    queue: VecDeque<Queued>,
    /// When the first piece in the queue began to play.
    head_at: u64,
    pub(super) played: Played,
    pub(super) marks_lost: bool,
    /// Generation of the newest mark, and of the newest when the phone was cleared.
    generation: u32,
    cleared: Option<u32>,
}

impl Phone {
    pub(super) fn stream_sid(&self) -> String {
        format!("MZ{:032x}", self.stream)
    }

    /// The next stream; its `start`.
    pub(super) fn start(&mut self, now: u64, call_sid: &str) -> String {
        self.stream += 1;
        self.open = true;
        self.started_at = now;
        self.sent_ms = 0;
        self.sequence = 0;
        self.queue.clear();
        self.cleared = None;
        let start = json!({ "callSid": call_sid, "mediaFormat": { "encoding": "audio/x-mulaw" } });
        self.message("start", start)
    }

    pub(super) fn close(&mut self) {
        self.open = false;
        self.queue.clear();
    }

    /// So many ms of silence from the line.
    pub(super) fn frame(&mut self, ms: usize) -> String {
        let payload = orderline::twilio::media::encode(&vec![0xFF; ms * BYTES_PER_MS]);
        let timestamp = self.sent_ms.to_string();
        self.sent_ms += ms as u64;
        let media = json!({ "payload": payload, "timestamp": timestamp });
        self.message("media", media)
    }

    /// Audio that never arrives.
    pub(super) fn lose(&mut self, ms: u64) {
        self.sent_ms += ms;
    }

    /// How far the line's own clock is behind, in ms.
    pub(super) fn behind(&self, now: u64) -> u64 {
        now.saturating_sub(self.started_at)
            .saturating_sub(self.sent_ms)
    }

    /// Takes a message of the call's; what is wrong with it.
    pub(super) fn take(&mut self, now: u64, text: &str) -> Result<Vec<String>, String> {
        let message: Value = serde_json::from_str(text).map_err(|e| format!("bad JSON: {e}"))?;
        if !self.open {
            return Ok(Vec::new());
        }
        if message["streamSid"] != self.stream_sid().as_str() {
            return Err("a message for another stream".into());
        }
        let mut echoes = self.play(now);
        if self.queue.is_empty() {
            self.head_at = now;
        }
        match message["event"].as_str().unwrap_or_default() {
            "media" => {
                let payload = message["media"]["payload"].as_str().unwrap_or_default();
                let audio = audio::decode(payload);
                if audio.is_empty() {
                    return Err("an empty payload".into());
                }
                if self
                    .cleared
                    .is_some_and(|cleared| self.generation <= cleared)
                {
                    return Err("audio after `clear` without a mark of its own".into());
                }
                self.queue.push_back(Queued::Audio(audio));
            }
            "mark" => {
                let name = message["mark"]["name"].as_str().unwrap_or_default();
                let number = name
                    .strip_prefix('g')
                    .and_then(|name| name.split('-').next());
                self.generation = number.and_then(|n| n.parse().ok()).unwrap_or(0);
                self.queue.push_back(Queued::Mark(name.to_owned()));
            }
            "clear" => {
                self.cleared = Some(self.generation);
                if let Some(Queued::Audio(audio)) = self.queue.front() {
                    let ms = usize::try_from(now - self.head_at).unwrap_or(0);
                    self.played.add(audio, ms * BYTES_PER_MS);
                }
                let flushed = self.queue.drain(..).filter_map(|queued| match queued {
                    Queued::Mark(name) => Some(name),
                    Queued::Audio(_) => None,
                });
                let flushed: Vec<String> = flushed.collect();
                echoes.extend(flushed.iter().map(|name| self.echo(name)));
            }
            other => return Err(format!("an unknown event {other}")),
        }
        Ok(echoes)
    }

    /// Plays what is due; its marks, in order.
    pub(super) fn play(&mut self, now: u64) -> Vec<String> {
        let mut echoes = Vec::new();
        while let Some(first) = self.queue.front() {
            let ms = match first {
                Queued::Audio(audio) => (audio.len() / BYTES_PER_MS) as u64,
                Queued::Mark(_) => 0,
            };
            if self.head_at + ms > now {
                break;
            }
            self.head_at += ms;
            match self.queue.pop_front() {
                Some(Queued::Audio(audio)) => self.played.add(&audio, audio.len()),
                Some(Queued::Mark(name)) => echoes.push(self.echo(&name)),
                None => {}
            }
        }
        echoes
    }

    pub(super) fn is_quiet(&self) -> bool {
        self.queue.is_empty()
    }

    /// When the next mark is reached.
    pub(super) fn next_mark_at(&self) -> Option<u64> {
        let mut at = self.head_at;
        for queued in &self.queue {
            match queued {
                Queued::Audio(audio) => at += (audio.len() / BYTES_PER_MS) as u64,
                Queued::Mark(_) => return Some(at),
            }
        }
        None
    }

    /// How much is queued, in ms.
    pub(super) fn queued_ms(&self) -> u64 {
        let bytes = self.queue.iter().map(|queued| match queued {
            Queued::Audio(audio) => audio.len(),
            Queued::Mark(_) => 0,
        });
        (bytes.sum::<usize>() / BYTES_PER_MS) as u64
    }

    fn echo(&mut self, name: &str) -> String {
        self.message("mark", json!({ "name": name }))
    }

    fn message(&mut self, event: &str, body: Value) -> String {
        self.sequence += 1;
        json!({
            "event": event, "sequenceNumber": self.sequence.to_string(),
            "streamSid": self.stream_sid(), event: body,
        })
        .to_string()
    }
}
