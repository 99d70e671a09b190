//! The load without its sockets and its clock: calls both ways, what they say, and what is measured
//! of them. Time goes in, in µs; bytes come out, in [`Load::phone_out`] and [`Load::model_out`].

mod cutting;
mod turns;

#[cfg(test)]
use super::frames;
use super::model::{self, Line, Model};
use super::phone::{self, Phone, pop_if};
use super::script::{Lines, Mix, TICK};
use super::tag::{self, PIECE};
use super::tally::{Situation, Tally};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use orderline::audio::ulaw;
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

/// A piece of audio above this has a sound in it, in dBFS: what idle lines send is below.
const AUDIBLE_DBFS: f32 = -60.0;
/// Pieces of audio whose time of sending is remembered.
const RING: usize = 1 << 12;

/// All calls.
pub struct Load {
    pub tally: Tally,
    calls: Vec<Call>,
    models: Vec<Model>,
    timers: BinaryHeap<Reverse<(u64, u32, Timer)>>,
    mix: Mix,
    lines: Lines,
    /// Frames and latencies are counted.
    counting: bool,
    audio: Vec<u8>,
}

struct Call {
    phone: Phone,
    /// What the bridge is to get now.
    wire: Vec<u8>,
    model: Option<usize>,
    /// Timers of another epoch are void.
    epoch: u32,
    inbound: Journal,
    outbound: Journal,
    saying: Option<(Arc<Line>, usize)>,
    turn: Option<Turn>,
    cut: Option<CutOff>,
    /// Turns and cuts so far.
    nth: u32,
    cuts: u32,
    /// The agent or the shop last said something, in µs.
    active: u64,
    /// When the shop's next frame is due.
    tick: u64,
    delay: u64,
    to_bridge: VecDeque<(u64, Vec<u8>)>,
    from_bridge: VecDeque<(u64, String)>,
    /// The mark that a timer runs for.
    echo: Option<u64>,
}

/// The shop's turn: the pieces of its audio.
struct Turn {
    pieces: Range<u32>,
    announced: bool,
    words: String,
}

struct CutOff {
    situation: Situation,
    /// Items and pieces of audio that it is about.
    items: usize,
    first: u32,
    /// The model heard speech.
    at: Option<u64>,
    clear_us: Option<u64>,
    /// Heard of each item, in ms, when the phone fell silent.
    heard: Option<Vec<u64>>,
    stale: u64,
    /// Replies still to come behind this one.
    rest: VecDeque<Arc<Line>>,
}

/// When pieces were sent.
struct Journal {
    /// In µs, and whether there was a sound in it.
    sent_at: Vec<(u64, bool)>,
    window: Range<u32>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    Tick,
    Echo,
    ToBridge,
    FromBridge,
    Generate {
        epoch: u32,
    },
    /// The agent begins.
    Reply {
        epoch: u32,
    },
    /// The shop begins.
    Shop {
        epoch: u32,
    },
    Watch {
        epoch: u32,
    },
    Cut {
        epoch: u32,
    },
    Judge {
        epoch: u32,
    },
}

impl Journal {
    fn new() -> Self {
        Self {
            sent_at: vec![(0, false); RING],
            window: 0..0,
        }
    }

    fn sent(&mut self, now: u64, number: u32, sounds: bool) {
        if let Some(slot) = self.sent_at.get_mut(number as usize % RING) {
            *slot = (now, sounds);
        }
    }

    /// How long it took, in µs, and whether there was a sound in it; none if it came before.
    fn arrived(&mut self, now: u64, number: u32) -> Option<(u32, bool)> {
        let slot = self.sent_at.get_mut(number as usize % RING)?;
        let (sent, sounds) = std::mem::take(slot);
        let us = u32::try_from(now.saturating_sub(sent)).unwrap_or(u32::MAX);
        (sent > 0).then_some((us, sounds))
    }
}

impl Load {
    /// No calls.
    pub fn new(lines: Lines) -> Self {
        Self {
            tally: Tally::default(),
            calls: Vec::new(),
            models: Vec::new(),
            timers: BinaryHeap::new(),
            mix: Mix::Silence,
            lines,
            counting: false,
            audio: Vec::new(),
        }
    }

    /// A media stream opened; the number of its call.
    pub fn open_phone(&mut self, now: u64, phone: Phone) -> u32 {
        let number = self.calls.len() as u32;
        let mut call = Call {
            phone,
            wire: Vec::new(),
            model: None,
            epoch: 0,
            inbound: Journal::new(),
            outbound: Journal::new(),
            saying: None,
            turn: None,
            cut: None,
            nth: number,
            cuts: 0,
            active: now,
            // The calls' frames are spread over the 20 ms.
            tick: now + u64::from(number.wrapping_mul(7_919) % 20) * 1_000,
            delay: 0,
            to_bridge: VecDeque::new(),
            from_bridge: VecDeque::new(),
            echo: None,
        };
        if self.counting {
            call.inbound.window.end = u32::MAX;
            call.outbound.window.end = u32::MAX;
        }
        self.timers.push(Reverse((call.tick, number, Timer::Tick)));
        self.calls.push(call);
        self.hand_over(now, number);
        self.enter(now, number);
        number
    }

    /// A session opened; its number.
    pub fn open_model(&mut self) -> usize {
        self.models.push(Model::open());
        self.models.len() - 1
    }

    /// Bytes for the bridge.
    pub fn phone_out(&mut self, call: u32) -> Option<&mut Vec<u8>> {
        Some(&mut self.calls.get_mut(call as usize)?.wire)
    }

    /// The same, of a session.
    pub fn model_out(&mut self, model: usize) -> Option<&mut Vec<u8>> {
        Some(&mut self.models.get_mut(model)?.out)
    }

    /// The session of a call.
    pub fn model_of(&self, call: u32) -> Option<usize> {
        self.calls.get(call as usize)?.model
    }

    /// Calls whose model has heard something of them.
    pub fn connected(&self) -> usize {
        self.calls
            .iter()
            .filter(|call| call.model.is_some())
            .count()
    }

    /// When [`Self::tick`] has something to do.
    pub fn due(&self) -> Option<u64> {
        self.timers.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Another mix begins on every call.
    pub fn set_mix(&mut self, now: u64, mix: Mix) {
        self.mix = mix;
        for number in 0..self.calls.len() as u32 {
            self.enter(now, number);
        }
    }

    /// From now on it counts, from nothing; or no longer, but for what is on its way.
    pub fn count(&mut self, counting: bool) {
        self.counting = counting;
        if counting {
            self.tally = Tally::default();
        }
        for call in &mut self.calls {
            let out = call.model.and_then(|model| self.models.get(model));
            let (inbound, outbound) = (call.phone.next, out.map_or(0, |model| model.next));
            let windows = [
                (&mut call.inbound, inbound, &mut self.tally.inbound),
                (&mut call.outbound, outbound, &mut self.tally.outbound),
            ];
            for (journal, next, frames) in windows {
                if counting {
                    journal.window = next..u32::MAX;
                } else {
                    journal.window.end = next;
                    frames.sent += u64::from(next.saturating_sub(journal.window.start));
                }
            }
        }
    }

    /// Does what is due. A call whose output may have grown is given to `touched`.
    pub fn tick(&mut self, now: u64, mut touched: impl FnMut(u32)) {
        while let Some(&Reverse((at, number, timer))) = self.timers.peek()
            && at <= now
        {
            self.timers.pop();
            self.fire(now, number, timer);
            touched(number);
        }
    }

    fn set(&mut self, at: u64, number: u32, timer: Timer) {
        self.timers.push(Reverse((at, number, timer)));
    }

    fn fire(&mut self, now: u64, number: u32, timer: Timer) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        let epoch = call.epoch;
        match timer {
            Timer::Tick => self.frame(now, number),
            Timer::Echo => {
                call.echo = None;
                call.phone.echo(now);
                self.hand_over(now, number);
            }
            Timer::ToBridge => {
                while let Some((_, bytes)) = pop_if(&mut call.to_bridge, |(at, _)| *at <= now) {
                    call.wire.extend(bytes);
                }
            }
            Timer::FromBridge => {
                while let Some(call) = self.calls.get_mut(number as usize)
                    && let Some((_, text)) = pop_if(&mut call.from_bridge, |(at, _)| *at <= now)
                {
                    self.phone_heard(now, number, &text);
                }
                self.hand_over(now, number);
            }
            Timer::Generate { epoch: of } if of == epoch => self.generate(now, number),
            Timer::Reply { epoch: of } if of == epoch => self.reply(now, number),
            Timer::Shop { epoch: of } if of == epoch => self.shop_speaks(now, number),
            Timer::Watch { epoch: of } if of == epoch => self.watch(now, number),
            Timer::Cut { epoch: of } if of == epoch => self.cut_off(now, number),
            Timer::Judge { epoch: of } if of == epoch => self.judge(now, number),
            _ => {}
        }
    }

    /// The shop's next 20 ms.
    fn frame(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        if self.counting {
            let late = now.saturating_sub(call.tick);
            self.tally
                .late_us
                .push(u32::try_from(late).unwrap_or(u32::MAX));
        }
        call.tick += TICK;
        let mut audio: &[u8] = &[];
        if let Some((line, at)) = &mut call.saying {
            if *at >= line.audio.len() && self.mix == Mix::Both {
                *at = 0;
            }
            audio = line.audio.get(*at..).unwrap_or_default();
            audio = audio.get(..PIECE).unwrap_or(audio);
            *at += PIECE;
        }
        let sent = call.phone.next;
        let sounds = ulaw::dbfs(audio) > AUDIBLE_DBFS;
        call.inbound.sent(now, sent, sounds);
        call.phone.media(number, audio);
        let tick = call.tick;
        self.set(tick, number, Timer::Tick);
        self.hand_over(now, number);
    }

    /// What the phone has to send goes to the bridge, or waits for as long as the line takes; and a
    /// timer runs for the next mark.
    fn hand_over(&mut self, now: u64, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        if call.delay == 0 && call.to_bridge.is_empty() {
            call.wire.append(&mut call.phone.out);
        } else if !call.phone.out.is_empty() {
            let at = now + call.delay;
            call.to_bridge
                .push_back((at, std::mem::take(&mut call.phone.out)));
            self.timers.push(Reverse((at, number, Timer::ToBridge)));
        }
        if let Some(next) = call.phone.next_echo()
            && call.echo.is_none_or(|echo| next < echo)
        {
            call.echo = Some(next);
            self.timers.push(Reverse((next, number, Timer::Echo)));
        }
    }

    /// A message of the bridge to the phone.
    pub fn phone_text(&mut self, now: u64, number: u32, text: &str) {
        self.tally.messages += 1;
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        if let (phone::FromBridge::Clear, Some(cut)) = (phone::read(text), &mut call.cut)
            && let Some(at) = cut.at
        {
            cut.clear_us.get_or_insert(now.saturating_sub(at));
        }
        if call.delay > 0 || !call.from_bridge.is_empty() {
            let at = now + call.delay;
            call.from_bridge.push_back((at, text.to_owned()));
            self.set(at, number, Timer::FromBridge);
        } else {
            self.phone_heard(now, number, text);
            self.hand_over(now, number);
        }
    }

    fn phone_heard(&mut self, now: u64, number: u32, text: &str) {
        let Some(call) = self.calls.get_mut(number as usize) else {
            return;
        };
        match phone::read(text) {
            phone::FromBridge::Media(payload) => {
                self.audio.clear();
                if STANDARD.decode_vec(payload, &mut self.audio).is_err() {
                    return;
                }
                for (tag, length) in tag::pieces(&self.audio) {
                    let Some(tag) = tag.filter(|tag| tag.call == number) else {
                        continue;
                    };
                    if let Some(cut) = &mut call.cut
                        && cut.heard.is_some()
                        && tag.number >= cut.first
                    {
                        cut.stale += length as u64 / 8;
                    }
                    if let Some((us, _)) = call.outbound.arrived(now, tag.number)
                        && call.outbound.window.contains(&tag.number)
                    {
                        self.tally.outbound.arrived += 1;
                        self.tally.outbound_us.push(us);
                    }
                }
                call.phone.play(now, &self.audio);
            }
            phone::FromBridge::Mark(name) => call.phone.marked(now, name),
            phone::FromBridge::Clear => {
                if let Some(cut) = &mut call.cut
                    && cut.at.is_some()
                {
                    if cut.heard.is_none() {
                        let model = call.model.and_then(|model| self.models.get(model));
                        let items = model.and_then(|model| model.items.get(cut.items..));
                        let items = items.unwrap_or_default().iter();
                        let heard = |numbers: &Range<u32>| {
                            call.phone.heard(now, number, numbers.clone()) / 8
                        };
                        cut.heard = Some(items.map(|item| heard(&item.numbers)).collect());
                    }
                } else if call.phone.is_playing(now) {
                    self.tally.clears += 1;
                }
                call.phone.clear(now);
            }
            phone::FromBridge::Unknown => {}
        }
    }

    /// A message of the bridge to the model; the call that it belongs to, once that is known.
    pub fn model_text(&mut self, now: u64, index: usize, text: &str) -> Option<u32> {
        self.tally.messages += 1;
        let model = self.models.get_mut(index)?;
        match model.read(text) {
            model::FromBridge::Append(payload) => self.model_heard(now, index, payload),
            model::FromBridge::Respond if model.speaking.is_some() => {
                model.refuse("conversation_already_has_active_response", &Value::Null);
            }
            model::FromBridge::Respond => match model.call {
                Some(call) => self.answer(now, call),
                // A bridge may keep the shop's audio to itself until the agent has greeted.
                None => model.say_at_once(now, &self.lines.greeting),
            },
            model::FromBridge::Other => {}
        }
        self.models.get(index)?.call
    }

    fn model_heard(&mut self, now: u64, index: usize, payload: &str) {
        self.tally.appends += u64::from(self.counting);
        self.audio.clear();
        if STANDARD.decode_vec(payload, &mut self.audio).is_err() {
            return;
        }
        let mut newest = None;
        for (tag, _) in tag::pieces(&self.audio) {
            let Some(tag) = tag else {
                continue;
            };
            let Some(call) = self.calls.get_mut(tag.call as usize) else {
                continue;
            };
            call.model = Some(index);
            newest = Some(tag);
            if let Some((us, sounds)) = call.inbound.arrived(now, tag.number)
                && call.inbound.window.contains(&tag.number)
            {
                self.tally.inbound.arrived += 1;
                if sounds {
                    self.tally.inbound_us.push(us);
                }
            }
        }
        let (Some(tag), Some(model)) = (newest, self.models.get_mut(index)) else {
            return;
        };
        model.call = Some(tag.call);
        self.follow_turn(now, tag.call, tag.number);
    }
}

impl Call {
    fn say(&mut self, line: &Arc<Line>, announced: bool) {
        let pieces = (line.audio.len() / PIECE) as u32;
        let first = self.phone.next;
        self.saying = Some((Arc::clone(line), 0));
        self.turn = Some(Turn {
            pieces: first..first + pieces,
            announced,
            words: line.words.concat(),
        });
    }
}

/// Texts in these bytes; for who drives a load without sockets.
#[cfg(test)]
pub fn texts(reader: &mut frames::Reader, bytes: &[u8]) -> Vec<String> {
    reader.push(bytes);
    let mut all = Vec::new();
    while let Ok(Some(message)) = reader.next() {
        if let frames::Message::Text(text) = message {
            all.push(text.to_owned());
        }
    }
    all
}
