//! Recordings as they are committed: the audio of a simulated call is silence and clips of
//! `fixtures/speech`, so it is kept as places in them, and the text around it gzipped. 300 kB a
//! minute become some ten. Whatever else is heard is kept as it is.
//!
//! Base64 in the text becomes `\u{1}…\u{1}`, which no JSON has, around parts that end with `;`:
//! `sN` is N bytes of silence, `cN@A:ID` N bytes of a clip from its byte A, `lBASE64` anything.

use crate::clips::Clips;
use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use orderline::audio::ulaw::SILENCE;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{Read, Write};

/// Around what stands for base64.
const MARK: char = '\u{1}';
/// Shorter base64 stays as it is, in characters.
const MIN_BASE64: usize = 64;
/// Bytes that agree where a clip is recognised, and a shorter silence is none.
const ANCHOR: usize = 16;
/// The largest recording that is unpacked, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// The recording again, byte for byte.
pub fn unpack(packed: &[u8], clips: &Clips) -> anyhow::Result<String> {
    let mut short = String::new();
    let mut reader = GzDecoder::new(packed).take(MAX_BYTES);
    reader
        .read_to_string(&mut short)
        .context("not gzipped text")?;
    let mut text = String::new();
    for (at, piece) in short.split(MARK).enumerate() {
        if at % 2 == 0 {
            text += piece;
        } else {
            text += &STANDARD.encode(audio(piece, clips)?);
        }
    }
    Ok(text)
}

fn audio(parts: &str, clips: &Clips) -> anyhow::Result<Vec<u8>> {
    let mut audio = Vec::new();
    for part in parts.split_terminator(';') {
        let (kind, rest) = part.split_at_checked(1).unwrap_or_default();
        match kind {
            "s" => audio.resize(audio.len() + rest.parse::<usize>()?, SILENCE),
            "l" => audio.extend(STANDARD.decode(rest)?),
            "c" => {
                let place = rest.split_once('@').and_then(|(length, rest)| {
                    let (from, id) = rest.split_once(':')?;
                    Some((length.parse().ok()?, from.parse().ok()?, id))
                });
                let (length, from, id): (usize, usize, &str) = place.context("no place")?;
                let clip = clips.get(id).with_context(|| format!("no clip {id}"))?;
                let end = from.checked_add(length).context("no place")?;
                let part = clip.audio.get(from..end);
                audio.extend(part.with_context(|| format!("{id} has become shorter"))?);
            }
            _ => bail!("{part:?} is no part of a packed recording"),
        }
    }
    Ok(audio)
}

/// The next long base64: what is before it, itself, and what is behind it.
fn next_base64(text: &str) -> Option<(&str, &str, &str)> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let mut from = 0;
    loop {
        let start = from + text.get(from..)?.find(is_base64)?;
        let rest = text.get(start..)?;
        let length = rest.find(|c| !is_base64(c)).unwrap_or(rest.len());
        if length >= MIN_BASE64 {
            let (base64, behind) = rest.split_at(length);
            return Some((text.get(..start)?, base64, behind));
        }
        from = start + length;
    }
}

/// Packs recordings. Knows where every stretch of [`ANCHOR`] bytes is found among the clips.
pub struct Packer<'a> {
    audio: Vec<(&'a str, &'a [u8])>,
    at: HashMap<&'a [u8], (usize, usize)>,
}

impl<'a> Packer<'a> {
    /// One that knows these clips.
    pub fn of(clips: &'a Clips) -> Self {
        let audio: Vec<(&str, &[u8])> = clips
            .all()
            .iter()
            .map(|clip| (clip.id.as_str(), clip.audio.as_slice()))
            .collect();
        let mut at = HashMap::new();
        for (clip, (_, audio)) in audio.iter().enumerate() {
            for (offset, stretch) in audio.windows(ANCHOR).enumerate() {
                at.entry(stretch).or_insert((clip, offset));
            }
        }
        Self { audio, at }
    }

    /// A recording, packed.
    pub fn pack(&self, text: &str) -> anyhow::Result<Vec<u8>> {
        ensure!(!text.contains(MARK), "this is no NDJSON");
        let mut short = String::new();
        let mut rest = text;
        while let Some((before, base64, behind)) = next_base64(rest) {
            short += before;
            match STANDARD.decode(base64) {
                Ok(audio) => {
                    let _ = write!(short, "{MARK}{}{MARK}", self.parts(&audio));
                }
                Err(_) => short += base64,
            }
            rest = behind;
        }
        short += rest;
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(short.as_bytes())?;
        Ok(packed.finish()?)
    }

    fn parts(&self, audio: &[u8]) -> String {
        let mut parts = String::new();
        let mut unknown = Vec::new();
        let mut rest = audio;
        while let Some((first, others)) = rest.split_first() {
            let silence = rest.iter().take_while(|byte| **byte == SILENCE).count();
            let (length, part) = if silence >= ANCHOR {
                (silence, format!("s{silence};"))
            } else if let Some((length, from, id)) = self.find(rest) {
                (length, format!("c{length}@{from}:{id};"))
            } else {
                unknown.push(*first);
                rest = others;
                continue;
            };
            put_literal(&mut parts, &mut unknown);
            parts += &part;
            rest = rest.get(length..).unwrap_or_default();
        }
        put_literal(&mut parts, &mut unknown);
        parts
    }

    /// How much of the beginning is from which place of a clip.
    fn find(&self, audio: &[u8]) -> Option<(usize, usize, &'a str)> {
        let (clip, from) = self.at.get(audio.get(..ANCHOR)?)?;
        let (id, clip) = self.audio.get(*clip)?;
        let same = clip.iter().skip(*from).zip(audio);
        let length = same.take_while(|(a, b)| a == b).count();
        Some((length, *from, id))
    }
}

fn put_literal(parts: &mut String, unknown: &mut Vec<u8>) {
    if !unknown.is_empty() {
        let _ = write!(parts, "l{};", STANDARD.encode(&unknown));
        unknown.clear();
    }
}
