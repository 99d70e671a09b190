//! The spoken lines (`fixtures/speech/`) and their recognition in telephone audio.
//!
//! The bridge passes μ-law through untouched, so a line is recognised by its bytes: short
//! stretches that occur once in all clips are anchors, and from an anchor on the audio is
//! compared with the clip byte by byte. Audio that was changed on the way is not recognised.

use anyhow::{Context, bail};
use orderline::audio::ulaw::BYTES_PER_MS;
use orderline::audio::wav::Wav;
use std::collections::VecDeque;
use std::collections::hash_map::{Entry, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Bytes of an anchor. Speech never repeats 16 samples by chance; silence does, and is no anchor.
const ANCHOR: usize = 16;
/// Distance of the anchors in a clip.
const ANCHOR_STEP: usize = 16;
/// Distinct bytes an anchor must have.
const ANCHOR_DISTINCT: usize = 8;
/// How much audio is kept to look back from an anchor.
const HISTORY: usize = 16_000;
/// An alignment is lost when less than half of so many bytes agree.
const WINDOW: usize = 160;
/// A jump to within the first so many bytes of the same clip says the line again.
const BEGINNING: usize = 2_400;

/// One spoken line.
#[derive(Debug)]
pub struct Clip {
    /// The name scenarios use: the path of the file below `speech/`, without `.wav`.
    pub id: String,
    /// The words.
    pub text: String,
    /// μ-law at 8 kHz.
    pub audio: Vec<u8>,
}

impl Clip {
    /// Length in milliseconds.
    pub fn ms(&self) -> u64 {
        self.audio.len() as u64 / BYTES_PER_MS
    }
}

/// All spoken lines; cheap to clone.
#[derive(Clone, Debug)]
pub struct Clips(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clips: Vec<Clip>,
    by_id: HashMap<String, usize>,
    /// Clip and offset of every anchor.
    anchors: HashMap<[u8; ANCHOR], (usize, usize)>,
}

impl Clips {
    /// Every line.
    pub fn all(&self) -> &[Clip] {
        &self.0.clips
    }

    /// Reads `lines.tsv` (id, voice, text) in this folder and the WAV file of each line.
    pub fn load(dir: &Path) -> anyhow::Result<Self> {
        let list = dir.join("lines.tsv");
        let list = std::fs::read_to_string(&list)
            .with_context(|| format!("cannot read {}", list.display()))?;
        let mut clips = Vec::new();
        for line in list
            .lines()
            .filter(|l| !l.is_empty() && !l.starts_with('#'))
        {
            let fields: Vec<&str> = line.split('\t').collect();
            let [id, _voice, text] = fields[..] else {
                bail!("lines.tsv: not `id<TAB>voice<TAB>text`: {line}")
            };
            let path = dir.join(format!("{id}.wav"));
            let bytes =
                std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let wav = Wav::parse(&bytes).with_context(|| format!("{}", path.display()))?;
            if (wav.rate, wav.channels) != (8000, 1) {
                bail!(
                    "{}: {} Hz, {} channels; clips are 8 kHz mono",
                    path.display(),
                    wav.rate,
                    wav.channels
                );
            }
            clips.push(Clip {
                id: id.to_owned(),
                text: text.to_owned(),
                audio: wav.to_ulaw(),
            });
        }
        Self::new(clips)
    }

    /// A set of clips with distinct ids.
    pub fn new(clips: Vec<Clip>) -> anyhow::Result<Self> {
        let mut by_id = HashMap::new();
        let mut found: HashMap<[u8; ANCHOR], Option<(usize, usize)>> = HashMap::new();
        for (index, clip) in clips.iter().enumerate() {
            if by_id.insert(clip.id.clone(), index).is_some() {
                bail!("clip `{}` is listed twice", clip.id);
            }
            for (offset, stretch) in clip.audio.windows(ANCHOR).enumerate().step_by(ANCHOR_STEP) {
                let key: [u8; ANCHOR] = stretch.try_into()?;
                if !distinctive(&key) {
                    continue;
                }
                match found.entry(key) {
                    Entry::Vacant(slot) => _ = slot.insert(Some((index, offset))),
                    Entry::Occupied(mut slot) => _ = slot.insert(None),
                }
            }
        }
        let anchors = found
            .into_iter()
            .filter_map(|(key, place)| Some((key, place?)))
            .collect();
        Ok(Self(Arc::new(Inner {
            clips,
            by_id,
            anchors,
        })))
    }

    /// The clip with this id.
    pub fn get(&self, id: &str) -> Option<&Clip> {
        self.0
            .by_id
            .get(id)
            .and_then(|&index| self.0.clips.get(index))
    }

    /// All of them.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Clip> {
        self.0.clips.iter()
    }
}

fn distinctive(stretch: &[u8; ANCHOR]) -> bool {
    let mut sorted = *stretch;
    sorted.sort_unstable();
    sorted.windows(2).filter(|pair| pair[0] != pair[1]).count() + 1 >= ANCHOR_DISTINCT
}

/// A line found in the audio.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Id of the clip.
    pub line: String,
    /// How far into the clip the newest byte is.
    pub clip_bytes: usize,
    /// Share of the clip's bytes so far that arrived unchanged. Below 0.9 nobody understands it.
    pub intact: f64,
    /// At least 98 % of the clip were reached.
    pub complete: bool,
}

/// Listens to one direction of a call.
pub struct Recogniser {
    clips: Clips,
    history: VecDeque<u8>,
    /// How often the newest byte came in a row.
    run: usize,
    hearing: Option<Hearing>,
}

/// The line that is being heard, or was heard last.
struct Hearing {
    clip: usize,
    /// Which bytes of the clip have arrived.
    heard: Vec<bool>,
    /// Clip position of the next byte, while the audio follows the clip.
    cursor: Option<usize>,
    /// Clip position after the newest byte that followed the clip.
    reached: usize,
    /// How many bytes before it have arrived.
    intact: usize,
    /// Whether the newest bytes agreed, newest last, and how many of them did.
    recent: VecDeque<bool>,
    agreeing: usize,
}

impl Recogniser {
    /// Hears nothing yet.
    pub fn new(clips: Clips) -> Self {
        Self {
            clips,
            history: VecDeque::with_capacity(HISTORY),
            run: 0,
            hearing: None,
        }
    }

    /// Appends audio just heard.
    pub fn push(&mut self, ulaw: &[u8]) {
        for &byte in ulaw {
            if self.history.len() == HISTORY {
                self.history.pop_front();
            }
            let repeats = self.history.back() == Some(&byte);
            self.run = if repeats { self.run + 1 } else { 1 };
            self.history.push_back(byte);
            // Audio that follows the line needs no other explanation.
            if !self.follow(byte) {
                self.look_for_anchor();
            }
        }
    }

    /// The line being heard or just heard.
    pub fn current(&self) -> Option<Match> {
        let hearing = self.hearing.as_ref()?;
        let clip = self.clips.0.clips.get(hearing.clip)?;
        Some(Match {
            line: clip.id.clone(),
            clip_bytes: hearing.reached,
            intact: hearing.intact as f64 / hearing.reached.max(1) as f64,
            complete: hearing.reached * 100 >= clip.audio.len() * 98,
        })
    }

    /// Forgets everything heard.
    pub fn reset(&mut self) {
        self.history.clear();
        self.run = 0;
        self.hearing = None;
    }

    /// Whether the byte is the one that comes next in the line.
    fn follow(&mut self, byte: u8) -> bool {
        let Some(hearing) = &mut self.hearing else {
            return false;
        };
        let Some(at) = hearing.cursor else {
            return false;
        };
        let Some(&wanted) = self.clips.0.clips[hearing.clip].audio.get(at) else {
            hearing.cursor = None;
            return false;
        };
        hearing.step(at, wanted == byte);
        wanted == byte
    }

    fn look_for_anchor(&mut self) {
        let Some(from) = self.history.len().checked_sub(ANCHOR) else {
            return;
        };
        // Silence has too few distinct bytes to be one, and is most of a call.
        if self.run + ANCHOR_DISTINCT > ANCHOR + 1 {
            return;
        }
        let mut key = [0; ANCHOR];
        key.iter_mut()
            .zip(self.history.range(from..))
            .for_each(|(k, &b)| *k = b);
        let Some(&(clip, offset)) = self.clips.0.anchors.get(&key) else {
            return;
        };
        let end = offset + ANCHOR;
        let audio = &self.clips.0.clips[clip].audio;
        let hearing = match &mut self.hearing {
            Some(h) if h.clip == clip && h.cursor == Some(end) => return,
            // The same line went on after a gap, or with a part missing.
            Some(h) if h.clip == clip && !(end < BEGINNING && h.reached > end + BEGINNING) => h,
            slot => slot.insert(Hearing::new(clip, audio.len())),
        };
        hearing.recent.clear();
        hearing.agreeing = 0;
        hearing.cursor = Some(end);
        hearing.reach(end);
        // What came right before the anchor belongs to the line as far as it agrees with it.
        for (at, &byte) in (0..end).rev().zip(self.history.iter().rev()) {
            if audio[at] != byte {
                break;
            }
            hearing.arrived(at);
        }
    }
}

impl Hearing {
    fn new(clip: usize, len: usize) -> Self {
        Self {
            clip,
            heard: vec![false; len],
            cursor: None,
            reached: 0,
            intact: 0,
            recent: VecDeque::with_capacity(WINDOW),
            agreeing: 0,
        }
    }

    fn arrived(&mut self, at: usize) {
        let known = std::mem::replace(&mut self.heard[at], true);
        self.intact += usize::from(!known && at < self.reached);
    }

    fn reach(&mut self, to: usize) {
        let count = |stretch: &[bool]| stretch.iter().filter(|&&heard| heard).count();
        if to < self.reached {
            self.intact -= count(&self.heard[to..self.reached]);
        } else {
            self.intact += count(&self.heard[self.reached..to]);
        }
        self.reached = to;
    }

    fn step(&mut self, at: usize, agrees: bool) {
        self.cursor = Some(at + 1);
        if agrees {
            self.arrived(at);
            self.reach(at + 1);
        }
        if self.recent.len() == WINDOW && self.recent.pop_front() == Some(true) {
            self.agreeing -= 1;
        }
        self.recent.push_back(agrees);
        self.agreeing += usize::from(agrees);
        if self.recent.len() == WINDOW && self.agreeing * 2 < WINDOW {
            self.cursor = None;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use orderline::audio::ulaw::SILENCE;

    /// Noise that is the same in every run.
    pub(crate) fn noise(seed: u32, len: usize) -> Vec<u8> {
        let mut state = seed.wrapping_mul(2_654_435_769) | 1;
        (0..len)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (state >> 8) as u8
            })
            .collect()
    }

    fn clip(id: &str, seed: u32, len: usize) -> Clip {
        Clip {
            id: id.into(),
            text: id.into(),
            audio: noise(seed, len),
        }
    }

    fn two() -> Clips {
        Clips::new(vec![clip("a", 1, 16_000), clip("b", 2, 12_345)]).unwrap()
    }

    fn heard(pieces: &[&[u8]]) -> Option<Match> {
        let mut ear = Recogniser::new(two());
        pieces.iter().for_each(|piece| ear.push(piece));
        ear.current()
    }

    #[test]
    fn a_whole_line_is_recognised_in_silence() {
        let clips = two();
        let hush = [SILENCE; 1600];
        let m = heard(&[&hush, &clips.get("b").unwrap().audio, &hush]).unwrap();
        assert_eq!(
            m,
            Match {
                line: "b".into(),
                clip_bytes: 12_345,
                intact: 1.0,
                complete: true
            }
        );
        assert_eq!(heard(&[&hush]), None);
    }

    #[test]
    fn half_a_line_is_half_a_line() {
        let clips = two();
        let m = heard(&[&clips.get("a").unwrap().audio[..8_000], &[SILENCE; 4_000]]).unwrap();
        assert!(!m.complete && m.intact > 0.98, "{m:?}");
        assert!((7_980..=8_080).contains(&m.clip_bytes), "{m:?}");
    }

    #[test]
    fn a_pause_in_the_line_does_no_harm() {
        let clips = two();
        let audio = &clips.get("a").unwrap().audio;
        let m = heard(&[&audio[..5_000], &[SILENCE; 700], &audio[5_000..]]).unwrap();
        assert_eq!((m.clip_bytes, m.complete), (16_000, true));
        assert!(m.intact > 0.995, "{m:?}");
    }

    #[test]
    fn lost_pieces_are_missed() {
        let clips = two();
        let audio = &clips.get("a").unwrap().audio;
        let kept: Vec<u8> = audio
            .chunks(160)
            .enumerate()
            .filter(|(i, _)| i % 5 != 4)
            .flat_map(|(_, c)| c.to_vec())
            .collect();
        let m = heard(&[&kept]).unwrap();
        assert!(m.intact < 0.85, "{m:?}");
    }

    #[test]
    fn changed_samples_are_noticed() {
        let clips = two();
        let louder: Vec<u8> = clips
            .get("a")
            .unwrap()
            .audio
            .iter()
            .map(|b| b.wrapping_sub(1))
            .collect();
        assert_eq!(heard(&[&louder]), None);
        let mut damaged = clips.get("a").unwrap().audio.clone();
        damaged
            .chunks_mut(4)
            .skip(1)
            .step_by(2)
            .for_each(|c| c[0] ^= 1);
        assert!(heard(&[&damaged]).is_none_or(|m| m.intact < 0.9));
    }

    #[test]
    fn the_newest_line_wins_and_may_be_said_again() {
        let clips = two();
        let (a, b) = (
            &clips.get("a").unwrap().audio,
            &clips.get("b").unwrap().audio,
        );
        assert_eq!(heard(&[a, b]).unwrap().line, "b");
        let m = heard(&[a, &a[..4_000]]).unwrap();
        assert_eq!(
            (m.line.as_str(), m.clip_bytes, m.complete),
            ("a", 4_000, false)
        );
    }

    #[test]
    fn every_committed_line_is_recognised_from_start_to_end() {
        let clips = Clips::load(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/speech"
        )))
        .unwrap();
        for clip in &clips.0.clips {
            let mut ear = Recogniser::new(clips.clone());
            let early = clip.audio.len().min(4_000);
            ear.push(&clip.audio[..early]);
            let m = ear
                .current()
                .unwrap_or_else(|| panic!("{} is not recognised in 500 ms", clip.id));
            assert!(m.line == clip.id && m.intact > 0.95, "{}: {m:?}", clip.id);
            ear.push(&clip.audio[early..]);
            ear.push(&[SILENCE; 800]);
            let m = ear.current().unwrap();
            assert!(
                m.line == clip.id && m.complete && m.intact > 0.99,
                "{}: {m:?}",
                clip.id
            );
        }
    }

    #[test]
    fn reset_forgets() {
        let clips = two();
        let mut ear = Recogniser::new(clips.clone());
        ear.push(&clips.get("a").unwrap().audio);
        ear.reset();
        assert_eq!(ear.current(), None);
    }
}
