//! One conversation, measured from outside: by the log of the wires and by what really happened at
//! the far end. Nothing here comes from the product's own reports.

use super::ledger::{Ledger, Played};
use super::log::{Entry, Seen};
use super::truth::{Kind, Said};
use orderline::audio::ulaw::BYTES_PER_MS;
use std::collections::BTreeSet;

const TICK_MS: u64 = 20;
const TICK_BYTES: u64 = TICK_MS * BYTES_PER_MS;
/// An item with less left than this when the far end begins to speak cannot be interrupted, in ms.
const LEAST_LEFT_MS: usize = 500;
/// A long interruption must have silenced the agent after this, in ms.
const YIELD_MS: u64 = 1_000;
/// After a short one the rest may go on for so long, in ms: it takes words to know that it was one.
const SHORT_YIELD_MS: u64 = 2_500;
/// What is sent to the phone within so many ms of a decision belongs to it.
const DECISION_MS: u64 = 50;
/// Without a message to tell it, a decision has reached the phone after this, in ms.
const REACHED_MS: u64 = 350;
/// How much of an item may be played twice when it is resumed, in ms.
const OVERLAP_MS: usize = 60;
/// Words arrive at the latest so long after a turn, in ms.
const WORDS_MS: u64 = 3_000;

/// How a `truncate` compares with what was played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Truncation {
    /// What the bridge told minus what was played, in ms.
    pub(super) error_ms: f64,
    /// Another item was queued before or behind it.
    pub(super) queued: bool,
    /// When the bridge told it, in ms.
    pub(super) at: u64,
}

/// What the agent did about somebody's sound.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reaction {
    pub(super) kind: Kind,
    /// When it began at the phone, in ms since the call was placed.
    pub(super) at: u64,
    /// The server's network heard it.
    pub(super) audible: bool,
    /// How much of it the bridge had heard when it sent `clear`, and how long it had heard that, in ms;
    /// and whether `clear` came before `speech_started`. On a line of constant delay that is the time
    /// from the first sample at the bridge. Where messages take different times it is not: what the
    /// network puts between two frames nobody can hear through, and frames that come in one burst would
    /// look as if they were heard in no time.
    pub(super) clear: Option<(u64, bool)>,
    /// From its first sample at the bridge to `clear`, in ms, whatever the network did meanwhile.
    pub(super) clear_wall_ms: Option<u64>,
    /// `speech_started` was the first to tell of it while much was still to be played: whether
    /// `clear` was sent in the same poll.
    pub(super) same_poll: Option<bool>,
    /// The agent did what it should.
    pub(super) good: bool,
    /// For people: what it did.
    pub(super) story: String,
    /// The longest pause in what went on, in ms.
    pub(super) pause_ms: u64,
    /// How much was played twice, in ms.
    pub(super) overlap_ms: usize,
}

/// A `clear` that nobody at the far end gave reason for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FalseStop {
    pub(super) at: u64,
    /// The sound that it fell into, if it was one.
    pub(super) sound: Option<Kind>,
}

/// Everything measured of one conversation.
#[derive(Debug, Default)]
pub(super) struct Measured {
    pub(super) truncations: Vec<Truncation>,
    /// Audio that was played although its response was cut off: ms, and when.
    pub(super) stale: Vec<(u64, u64)>,
    pub(super) reactions: Vec<Reaction>,
    pub(super) false_stops: Vec<FalseStop>,
    /// The longest time without a sound of either, in ms, and when it began.
    pub(super) silence: (u64, u64),
    pub(super) length_ms: u64,
    pub(super) agent_ms: u64,
    pub(super) clears: usize,
    /// Played audio that is of no item, in ms.
    pub(super) unknown_ms: u64,
}

/// Measures a conversation.
pub(super) fn measure(entries: &[Entry], said: &[Said]) -> Measured {
    let wires = Wires::new(entries);
    let ledger = Ledger::of(entries);
    let sounds: Vec<Sound> = said.iter().filter_map(|said| wires.sound(said)).collect();
    let truncations = truncations(&wires, &ledger);
    let reactions = reactions(&wires, &ledger, &sounds);
    let mut stale = decided_stale(&wires, &ledger);
    stale.extend(interrupted_stale(&wires, &ledger, &sounds));
    let agent_bytes: usize = ledger.played.iter().map(|p| p.to - p.from).sum();
    let unknown = ledger.played.iter().filter(|p| p.item.is_none());
    let unknown: usize = unknown.map(|p| p.to - p.from).sum();
    Measured {
        truncations,
        stale,
        reactions,
        false_stops: false_stops(&wires, &ledger, &sounds),
        silence: longest_silence(&wires, &ledger, &sounds),
        length_ms: wires.ticks.len() as u64 * TICK_MS,
        agent_ms: agent_bytes as u64 / BYTES_PER_MS,
        clears: wires.clears.len(),
        unknown_ms: unknown as u64 / BYTES_PER_MS,
    }
}

/// A sound of the far end in time.
struct Sound {
    kind: Kind,
    text: String,
    audible: bool,
    /// At the phone, in ms.
    from: u64,
    to: u64,
    /// At the bridge, in ms.
    heard_from: u64,
    heard_to: u64,
    /// The number of its first frame.
    first: usize,
}

/// The log by kind of message.
struct Wires<'a> {
    /// When the phone ticked.
    ticks: Vec<u64>,
    /// When the bridge got what was said at each tick.
    frames: Vec<u64>,
    clears: Vec<&'a Entry>,
    starts: Vec<u64>,
    words: Vec<(u64, &'a str)>,
    /// When the bridge cut off an item or a response, and its id.
    decisions: Vec<(u64, &'a str)>,
    truncates: Vec<(u64, &'a str, u64)>,
    /// All messages to the phone.
    to_phone: Vec<&'a Entry>,
    /// When the model ended the call.
    closing: Option<u64>,
}

impl<'a> Wires<'a> {
    fn new(entries: &'a [Entry]) -> Self {
        let mut wires = Self {
            ticks: Vec::new(),
            frames: Vec::new(),
            clears: Vec::new(),
            starts: Vec::new(),
            words: Vec::new(),
            decisions: Vec::new(),
            truncates: Vec::new(),
            to_phone: Vec::new(),
            closing: None,
        };
        for entry in entries {
            match &entry.what {
                Seen::Tick => wires.ticks.push(entry.at),
                Seen::Frame => wires.frames.push(entry.at),
                Seen::Media(_) => wires.to_phone.push(entry),
                Seen::Clear => {
                    wires.clears.push(entry);
                    wires.to_phone.push(entry);
                }
                Seen::SpeechStarted => wires.starts.push(entry.at),
                Seen::Words(words) => wires.words.push((entry.at, words)),
                Seen::Truncate { item, ms } => {
                    wires.truncates.push((entry.sent, item, *ms));
                    wires.decisions.push((entry.sent, item));
                }
                Seen::Cancel { response } => wires.decisions.push((entry.sent, response)),
                Seen::EndCall => _ = wires.closing.get_or_insert(entry.at),
                Seen::Delta { .. } | Seen::Done { .. } => {}
            }
        }
        wires
    }

    fn sound(&self, said: &Said) -> Option<Sound> {
        let tick = |byte: u64| usize::try_from(byte / TICK_BYTES).unwrap_or(usize::MAX);
        let (first, last) = (tick(said.from), tick(said.to.saturating_sub(1)));
        let last = last.min(self.ticks.len().min(self.frames.len()).checked_sub(1)?);
        Some(Sound {
            kind: said.kind,
            text: said.text.clone(),
            audible: said.network_ms.is_some(),
            from: *self.ticks.get(first)?,
            to: self.ticks.get(last)? + TICK_MS,
            heard_from: *self.frames.get(first)?,
            heard_to: *self.frames.get(last)?,
            first,
        })
    }

    /// How much of a sound, after its first frame, the bridge had heard when it sent this, and how long
    /// it had heard that, in ms.
    fn heard_of(&self, sound: &Sound, sent: &Entry) -> u64 {
        let newest = sent.frames.checked_sub(1).filter(|n| *n >= sound.first);
        let arrived = newest.and_then(|newest| Some((newest, self.frames.get(newest)?)));
        arrived.map_or(0, |(newest, arrived)| {
            (newest - sound.first) as u64 * TICK_MS + sent.sent - arrived
        })
    }

    /// The first `clear` sent between two times.
    fn clear(&self, from: u64, to: u64) -> Option<&'a Entry> {
        let between = |clear: &&&Entry| (from..=to).contains(&clear.sent);
        self.clears.iter().find(between).copied()
    }

    /// When the bridge learned the words of a sound; never, if it did not.
    fn words_of(&self, sound: &Sound) -> u64 {
        let of = |(at, words): &&(u64, &str)| *at > sound.heard_from && words.contains(&sound.text);
        let words = self.words.iter().find(of);
        words.map_or(u64::MAX, |(at, _)| *at)
    }

    /// When a decision of the bridge was effective at the phone.
    fn reached(&self, decided: u64) -> u64 {
        let soon = decided..=decided + DECISION_MS;
        let message = self
            .to_phone
            .iter()
            .find(|entry| soon.contains(&entry.sent));
        message.map_or(decided + REACHED_MS, |entry| entry.at)
    }
}

fn truncations(wires: &Wires<'_>, ledger: &Ledger) -> Vec<Truncation> {
    let truncation = |(sent, id, ms): &(u64, &str, u64)| {
        let item = ledger.find(id)?;
        let clear = wires.clears.iter().rposition(|clear| clear.sent <= *sent);
        let (stopped, dropped) = clear
            .and_then(|clear| ledger.cleared.get(clear))
            .map_or((*sent, &[][..]), |(at, items)| (*at, items));
        let heard = ledger.heard(item, stopped);
        let first = ledger.played.iter().position(|p| p.item == Some(item));
        let before = match first {
            // It began in the tick in which another ended, or in the one after.
            Some(first) => first.checked_sub(1).and_then(|before| {
                let (before, first) = (ledger.played.get(before)?, ledger.played.get(first)?);
                (before.at + TICK_MS >= first.at).then_some(())
            }),
            None => Some(()),
        };
        Some(Truncation {
            error_ms: *ms as f64 - heard as f64 / BYTES_PER_MS as f64,
            queued: before.is_some() || dropped.len() > 1,
            at: *sent,
        })
    };
    wires.truncates.iter().filter_map(truncation).collect()
}

/// Audio of items that the bridge itself declared cut off, played after that.
fn decided_stale(wires: &Wires<'_>, ledger: &Ledger) -> Vec<(u64, u64)> {
    let mut done = BTreeSet::new();
    let mut stale = Vec::new();
    for (decided, id) in &wires.decisions {
        let of = |item: &&super::ledger::Item| item.id == *id || item.response == *id;
        let items = ledger.items.iter().enumerate().filter(|(_, item)| of(item));
        for (number, _) in items {
            if !done.insert(number) {
                continue;
            }
            // Cut off by an earlier `clear` and not sent again: nothing of it is on its way.
            let last_clear = wires.clears.iter().rfind(|clear| clear.sent <= *decided);
            let sent_again = |p: &&Played| {
                p.item == Some(number) && last_clear.is_some_and(|c| p.sent >= c.sent)
            };
            let resumed = last_clear.is_none() || ledger.played.iter().any(|p| sent_again(&p));
            let from = match last_clear {
                Some(clear) if !resumed || clear.sent == *decided => clear.at,
                _ => wires.reached(*decided),
            };
            let late = |p: &&Played| p.item == Some(number) && p.at > from;
            stale.extend(sum_of(ledger.played.iter().filter(late)));
        }
    }
    stale
}

/// Audio of an interrupted response that the bridge sent once more although it knew the words.
fn interrupted_stale(wires: &Wires<'_>, ledger: &Ledger, sounds: &[Sound]) -> Vec<(u64, u64)> {
    let mut stale = Vec::new();
    for sound in sounds.iter().filter(|sound| sound.kind.is_real()) {
        let until = sound.heard_to + WORDS_MS;
        if wires.clear(sound.heard_from, until).is_none() {
            continue;
        }
        let words = wires.words_of(sound);
        let pending = pending(wires, ledger, sound);
        let late =
            |p: &&Played| p.item.is_some_and(|item| pending.contains(&item)) && p.sent > words;
        stale.extend(sum_of(ledger.played.iter().filter(late)));
    }
    stale
}

fn sum_of<'a>(played: impl Iterator<Item = &'a Played>) -> Option<(u64, u64)> {
    let mut first = None;
    let bytes: usize = played
        .inspect(|p| _ = first.get_or_insert(p.at))
        .map(|p| p.to - p.from)
        .sum();
    Some((bytes as u64 / BYTES_PER_MS, first?))
}

/// Items that the bridge had when the sound began, and that were not yet played to their end; all
/// of their response.
fn pending(wires: &Wires<'_>, ledger: &Ledger, sound: &Sound) -> BTreeSet<usize> {
    let items = || ledger.items.iter().enumerate();
    let open = items().filter(|(number, item)| {
        item.first_at <= sound.heard_from
            && ledger.heard(*number, sound.from.saturating_sub(1)) < item.audio.len()
            && !was_dropped(ledger, *number, sound.from)
            && !was_given_up(wires, ledger, *number, sound)
    });
    let responses: BTreeSet<&str> = open.map(|(_, item)| item.response.as_str()).collect();
    let of = |(_, item): &(usize, &super::ledger::Item)| responses.contains(item.response.as_str());
    items().filter(of).map(|(number, _)| number).collect()
}

/// The item was thrown away before this time, and did not come back.
fn was_dropped(ledger: &Ledger, item: usize, before: u64) -> bool {
    let dropped = ledger
        .cleared
        .iter()
        .rfind(|(at, items)| *at < before && items.contains(&item));
    dropped.is_some_and(|(at, _)| {
        let again = |p: &Played| p.item == Some(item) && p.at > *at;
        !ledger.played.iter().any(again)
    })
}

/// The bridge told the model before the sound that the item was cut off, and it was not played again.
/// One that was held back from its first byte on never got to the phone, so that no `clear` tells of it:
/// it is lost to what interrupted it then, not to every sound of the rest of the call.
fn was_given_up(wires: &Wires<'_>, ledger: &Ledger, item: usize, sound: &Sound) -> bool {
    let id = ledger.items.get(item).map(|item| item.id.as_str());
    let of = |(sent, of, _): &&(u64, &str, u64)| *sent < sound.heard_from && Some(*of) == id;
    wires.truncates.iter().find(of).is_some_and(|(sent, ..)| {
        let again = |p: &Played| p.item == Some(item) && p.sent > *sent;
        !ledger.played.iter().any(again)
    })
}

fn left_ms(ledger: &Ledger, pending: &BTreeSet<usize>, at: u64) -> usize {
    let left = |number: &usize| {
        let whole = ledger.items.get(*number).map_or(0, |item| item.audio.len());
        whole.saturating_sub(ledger.heard(*number, at.saturating_sub(1)))
    };
    pending.iter().map(left).sum::<usize>() / BYTES_PER_MS as usize
}

fn reactions(wires: &Wires<'_>, ledger: &Ledger, sounds: &[Sound]) -> Vec<Reaction> {
    // Closing words are heard to their end.
    let open = |sound: &Sound| wires.closing.is_none_or(|at| sound.heard_from < at);
    let interesting = |sound: &&Sound| {
        let person = sound.kind.is_real() || matches!(sound.kind, Kind::Backchannel | Kind::Cough);
        person && open(sound)
    };
    let reaction = |sound: &Sound| {
        let pending = pending(wires, ledger, sound);
        (left_ms(ledger, &pending, sound.from) >= LEAST_LEFT_MS)
            .then(|| react(wires, ledger, sounds, sound, &pending))
    };
    sounds
        .iter()
        .filter(interesting)
        .filter_map(reaction)
        .collect()
}

fn react(
    wires: &Wires<'_>,
    ledger: &Ledger,
    sounds: &[Sound],
    sound: &Sound,
    pending: &BTreeSet<usize>,
) -> Reaction {
    let first = wires.clear(sound.heard_from, sound.heard_to + 600);
    let started = wires
        .starts
        .iter()
        .find(|at| **at >= sound.heard_from)
        .copied();
    let started = started.filter(|at| *at <= sound.heard_to + 800);
    let clear = first.map(|clear| {
        let by_model = started.is_some_and(|started| started <= clear.sent);
        (wires.heard_of(sound, clear), !by_model)
    });
    let told_first = started.filter(|at| {
        let much = left_ms(ledger, pending, *at) >= LEAST_LEFT_MS;
        much && sound.kind.is_speech() && first.is_none_or(|clear| clear.sent >= *at)
    });
    let mut reaction = Reaction {
        kind: sound.kind,
        at: sound.from,
        audible: sound.audible,
        clear,
        clear_wall_ms: first.map(|clear| clear.sent - sound.heard_from),
        same_poll: told_first.map(|at| first.is_some_and(|clear| clear.sent == at)),
        good: false,
        story: String::new(),
        pause_ms: 0,
        overlap_ms: 0,
    };
    if sound.kind.is_real() {
        yields(ledger, sound, pending, &mut reaction);
    } else {
        goes_on(wires, ledger, sounds, sound, pending, &mut reaction);
    }
    reaction
}

/// Whether the agent gave way.
fn yields(ledger: &Ledger, sound: &Sound, pending: &BTreeSet<usize>, reaction: &mut Reaction) {
    let after = |p: &&Played| p.at >= sound.from;
    let old = |p: &&Played| p.item.is_some_and(|item| pending.contains(&item));
    let played = || ledger.played.iter().filter(after);
    let old_ms = played()
        .filter(old)
        .map(|p| p.at + TICK_MS - sound.from)
        .max();
    let old_ms = old_ms.unwrap_or(0);
    let over = played().any(|p| p.at > sound.from + YIELD_MS && p.at < sound.to);
    let limit = if sound.kind == Kind::Short {
        SHORT_YIELD_MS
    } else {
        YIELD_MS
    };
    reaction.good = old_ms <= limit && (sound.kind == Kind::Short || !over);
    reaction.story = format!(
        "the old reply was heard for {old_ms} ms more{}",
        if over {
            ", and the agent talked on"
        } else {
            ""
        }
    );
}

/// Whether everything that was being said was said to its end.
fn goes_on(
    wires: &Wires<'_>,
    ledger: &Ledger,
    sounds: &[Sound],
    sound: &Sound,
    pending: &BTreeSet<usize>,
    reaction: &mut Reaction,
) {
    // What cuts it off later is a matter of its own, be it an interruption or the shop's own turn, which
    // it takes between two replies of the agent and so into the second.
    let next = sounds.iter().find(|other| {
        other.from > sound.from && (other.kind.is_real() || other.kind == Kind::Reply)
    });
    let until = next.map(|next| next.from);
    let mut stories = Vec::new();
    for number in pending {
        let Some(item) = ledger.items.get(*number) else {
            continue;
        };
        let of = |p: &&Played| p.item == Some(*number);
        let played: Vec<Played> = ledger.played.iter().filter(of).copied().collect();
        let total: usize = played.iter().map(|p| p.to - p.from).sum();
        let heard = ledger.heard(*number, u64::MAX);
        let overlap_ms = (total - heard) / BYTES_PER_MS as usize;
        reaction.overlap_ms = reaction.overlap_ms.max(overlap_ms);
        let missing = item.audio.len() - heard;
        let skipped = played.windows(2).filter_map(|pair| match pair {
            [a, b] => b.from.checked_sub(a.to),
            _ => None,
        });
        let skipped = skipped.sum::<usize>() / BYTES_PER_MS as usize;
        let last = played.last().map_or(0, |p| p.at);
        let cut_later = until.is_some_and(|until| last + 400 >= until && last > sound.to);
        if skipped > 0 {
            stories.push(format!("{skipped} ms were skipped"));
        } else if missing > 0 && !cut_later {
            stories.push(format!(
                "{} ms were never heard",
                missing / BYTES_PER_MS as usize
            ));
        } else if item.cancelled && !cut_later {
            stories.push("the reply was cancelled".to_owned());
        }
        if overlap_ms > OVERLAP_MS {
            stories.push(format!("{overlap_ms} ms were heard twice"));
        }
    }
    let during = ledger.played.iter().filter(|p| {
        p.item.is_some_and(|item| pending.contains(&item)) && p.at + TICK_MS >= sound.from
    });
    let ticks: Vec<u64> = during.map(|p| p.at).collect();
    reaction.pause_ms = ticks
        .windows(2)
        .filter_map(|pair| match pair {
            [a, b] => Some(b.saturating_sub(a + TICK_MS)),
            _ => None,
        })
        .max()
        .unwrap_or(0);
    reaction.good = stories.is_empty();
    if stories.is_empty() {
        let clear = wires.clear(sound.heard_from, sound.heard_to + 600);
        stories.push(clear.map_or("talked through", |_| "resumed").to_owned());
    }
    reaction.story = stories.join(", ");
}

/// Clears that fall into no sound of a person, nor into the time that its words take.
fn false_stops(wires: &Wires<'_>, ledger: &Ledger, sounds: &[Sound]) -> Vec<FalseStop> {
    let caused = |clear: &Entry| {
        sounds
            .iter()
            .filter(|sound| sound.kind.is_person())
            .any(|sound| {
                let words = wires.words_of(sound).saturating_add(DECISION_MS);
                let until = words
                    .min(sound.heard_to + WORDS_MS)
                    .max(sound.heard_to + 1_000);
                (sound.heard_from..=until).contains(&clear.sent)
            })
    };
    let sound_at = |at: u64| {
        let during =
            |s: &&Sound| !s.kind.is_person() && (s.heard_from..=s.heard_to + 500).contains(&at);
        sounds.iter().rfind(during).map(|sound| sound.kind)
    };
    // Where nothing was to be played, nobody noticed.
    let stops = wires.clears.iter().zip(&ledger.cleared);
    stops
        .filter(|(clear, (_, dropped))| !dropped.is_empty() && !caused(clear))
        .map(|(clear, _)| FalseStop {
            at: clear.sent,
            sound: sound_at(clear.sent),
        })
        .collect()
}

/// The longest time in which neither makes a sound, save where the agent was asked to wait.
fn longest_silence(wires: &Wires<'_>, ledger: &Ledger, sounds: &[Sound]) -> (u64, u64) {
    let (Some(begin), Some(end)) = (wires.ticks.first(), wires.ticks.last()) else {
        return (0, 0);
    };
    let mut stretches: Vec<(u64, u64)> = ledger
        .played
        .iter()
        .map(|p| (p.at, p.at + TICK_MS))
        .collect();
    for (sound, next) in sounds
        .iter()
        .zip(sounds.iter().skip(1).map(Some).chain([None]))
    {
        let to = if sound.kind == Kind::Wait {
            let back = sounds
                .iter()
                .find(|s| s.from > sound.from && s.kind.is_speech());
            back.or(next).map_or(*end, |back| back.from)
        } else {
            sound.to
        };
        stretches.push((sound.from, to));
    }
    stretches.push((end + TICK_MS, end + TICK_MS));
    stretches.sort_unstable();
    let (mut longest, mut quiet_from) = ((0, *begin), *begin);
    for (from, to) in stretches {
        longest = longest.max((from.saturating_sub(quiet_from), quiet_from));
        quiet_from = quiet_from.max(to);
    }
    longest
}
