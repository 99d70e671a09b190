//! What is on its way, and when it arrives: the only clock of a call in virtual time.

use super::{Delays, Delivery, Marks};
use std::collections::BTreeMap;

/// One way of one connection: what is sent later arrives later.
#[derive(Clone, Copy, Debug)]
pub enum Lane {
    /// The media stream and its socket, to the bridge.
    StreamIn,
    /// The same, to Twilio.
    StreamOut,
    /// Webhooks that ask for TwiML, and their answers.
    Documents,
    /// Status callbacks: a queue of their own, so that they overtake and are overtaken.
    Callbacks,
    /// REST, both ways.
    Rest,
    /// Echoes of marks, which the media stream's other messages may overtake.
    Echoes,
    /// The model's socket, to the bridge.
    ModelIn,
    /// The same, to the Realtime server.
    ModelOut,
}

const LANES: usize = Lane::ModelOut as usize + 1;

/// When something was sent.
#[derive(Clone, Copy, Debug)]
pub struct Sent {
    /// In ms since the call was placed.
    pub at: u64,
    /// So many things had arrived anywhere by then: their order where the time is the same.
    pub after: u64,
}

/// Everything on its way, in the order of arrival.
pub struct Post {
    now: u64,
    delays: Delays,
    random: u64,
    /// By the time of arrival, and by the order of sending where that is the same.
    due: BTreeMap<(u64, u64), (Sent, Delivery)>,
    sent: u64,
    taken: u64,
    last_arrival: [u64; LANES],
    last_sent: [Option<u64>; LANES],
}

impl Post {
    /// Nothing is on its way at 0 ms.
    pub fn new(delays: Delays) -> Self {
        Self {
            now: 0,
            random: delays.seed,
            delays,
            due: BTreeMap::new(),
            sent: 0,
            taken: 0,
            last_arrival: [0; LANES],
            last_sent: [None; LANES],
        }
    }

    /// Milliseconds since the call was placed.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Time passes; it does not go back.
    pub fn advance(&mut self, to: u64) {
        self.now = self.now.max(to);
    }

    /// Something happens at its own place in so many ms.
    pub fn after(&mut self, ms: u64, delivery: Delivery) {
        self.put(self.now + ms, delivery);
    }

    /// Something goes over the network.
    pub fn send(&mut self, lane: Lane, delivery: Delivery) {
        let at = self.arrival(lane);
        self.put(at, delivery);
    }

    /// The echo of a mark goes over the media stream.
    pub fn send_echo(&mut self, delivery: Delivery) {
        let at = self.arrival(Lane::StreamIn);
        let Marks {
            lost_percent,
            late_percent,
            late_ms,
        } = self.delays.marks;
        let late = self.next_random() % 100 < late_percent;
        let later = self.next_random() % (late_ms + 1);
        if self.next_random() % 100 < lost_percent {
            return;
        }
        let last = &mut self.last_arrival[Lane::Echoes as usize];
        *last = (*last).max(at + if late { later } else { 0 });
        let at = *last;
        self.put(at, delivery);
    }

    /// When what is sent now arrives: not before what was sent earlier, and with what was sent at
    /// the same moment, as TCP does it.
    fn arrival(&mut self, lane: Lane) -> u64 {
        let sent_before = self.last_sent[lane as usize].replace(self.now);
        if sent_before == Some(self.now) {
            return self.last_arrival[lane as usize];
        }
        let Delays {
            phone_ms,
            model_ms,
            jitter_ms,
            model_jitter_ms,
            ..
        } = self.delays;
        let (delay, jitter) = match lane {
            Lane::ModelIn | Lane::ModelOut => (model_ms, model_jitter_ms),
            _ => (phone_ms, jitter_ms),
        };
        let jitter = self.next_random() % (jitter + 1);
        let last = &mut self.last_arrival[lane as usize];
        *last = (*last).max(self.now + delay + jitter);
        *last
    }

    /// When the next thing arrives.
    pub fn next_at(&self) -> Option<u64> {
        self.due.first_key_value().map(|(key, _)| key.0)
    }

    /// The next thing that has arrived, and when it was sent.
    pub fn take(&mut self) -> Option<(Sent, Delivery)> {
        let first = self.due.first_entry()?;
        let arrived = (first.key().0 <= self.now).then(|| first.remove())?;
        self.taken += 1;
        Some(arrived)
    }

    fn put(&mut self, at: u64, delivery: Delivery) {
        self.sent += 1;
        let sent = Sent {
            at: self.now,
            after: self.taken,
        };
        self.due.insert((at, self.sent), (sent, delivery));
    }

    /// `SplitMix64`.
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}
