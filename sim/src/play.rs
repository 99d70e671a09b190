//! A scenario being played: what the simulated Twilio and the simulated Realtime server share
//! about one call. Twilio finds its play by the number dialled, the Realtime server by the
//! session's instructions.

use crate::fault::Faults;
use crate::scenario::Scenario;
use crate::timeline::Timeline;
use std::sync::{Arc, Mutex};

/// One call of one scenario.
pub struct Play {
    pub scenario: Scenario,
    pub timeline: Timeline,
    /// What was on the line since the answer, written by the simulated Twilio.
    pub line: Mutex<Line>,
    /// Every JSON event the bridge sent to the Realtime server (audio payloads shortened).
    pub client_events: Mutex<Vec<serde_json::Value>>,
    /// What is to go wrong and waits for its socket.
    pub faults: Faults,
}

/// Both directions of the line from the answer on, μ-law, sample by sample at 8 kHz.
#[derive(Default)]
pub struct Line {
    /// What the shop heard: the agent, and the network's own announcements.
    pub to_shop: Vec<u8>,
    /// What the shop said.
    pub from_shop: Vec<u8>,
}

/// All calls of a run.
pub type Plays = Arc<Vec<Arc<Play>>>;

impl Play {
    /// A play that has not begun.
    pub fn new(scenario: Scenario) -> Self {
        Self::on(Timeline::new(), scenario)
    }

    /// A play whose clock is set by whoever runs it.
    pub fn in_virtual_time(scenario: Scenario) -> Self {
        Self::on(Timeline::virtual_time(), scenario)
    }

    fn on(timeline: Timeline, scenario: Scenario) -> Self {
        Self {
            scenario,
            timeline,
            line: Mutex::default(),
            client_events: Mutex::default(),
            faults: Faults::default(),
        }
    }
}
