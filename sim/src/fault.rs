//! What goes wrong on a call on purpose. A scenario names its faults (`[[faults]]`), and when: so
//! long after the shop picked up. Each waits until a socket of its kind is open, so that none is
//! lost; when it strikes, it is written into the call's timeline.

use crate::play::Play;
use serde::{Deserialize, Serialize};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::sleep;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", tag = "fault")]
pub enum Fault {
    /// The Realtime server closes its socket; 1006 drops the connection without a word.
    ModelCloses { code: u16 },
    /// It drops the connection, and answers the next upgrades, of whatever call, with this status.
    ModelRefuses { status: u16, times: u32 },
    /// It drops the connection, and lets the next upgrade wait so long.
    ModelOpensSlowly { ms: u64 },
    /// The session neither hears nor says anything any more; its socket stays open.
    ModelFallsSilent,
    /// The session sends so many events that mean nothing, as fast as it can.
    ModelFloods { events: u32 },
    /// The media socket's connection is reset, without `stop`.
    StreamLost,
    /// Nothing passes on the media socket any more, either way, and nobody is told.
    StreamHalfOpen,
    /// The media socket is not read for so long.
    StreamNotRead { ms: u64 },
    /// A second media socket is opened with the URL and the signature of the first.
    SecondStream,
    /// The shop hangs up, and frames go on after `stop`.
    FramesAfterStop,
    /// Signed webhooks and a signed upgrade for a call that nobody knows.
    UnknownCall,
    /// Every signed webhook of this call is sent again.
    Replay,
    /// The tone D, which breaks the build of the Worker that has the panic switch.
    Panic,
}

/// A fault of a scenario.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct TimedFault {
    /// How long after the answer, in ms.
    pub after_ms: u64,
    #[serde(flatten)]
    pub fault: Fault,
}

/// The faults of one call that wait for a socket.
pub struct Faults {
    pub stream: Waiting,
    pub model: Waiting,
}

/// Faults of one kind of socket; the socket that is open takes them.
pub struct Waiting {
    send: UnboundedSender<Fault>,
    receive: Arc<Mutex<UnboundedReceiver<Fault>>>,
}

/// The one socket that is to suffer.
pub type Victim = OwnedMutexGuard<UnboundedReceiver<Fault>>;

impl Fault {
    fn is_of_the_model(self) -> bool {
        matches!(
            self,
            Self::ModelCloses { .. }
                | Self::ModelRefuses { .. }
                | Self::ModelOpensSlowly { .. }
                | Self::ModelFallsSilent
                | Self::ModelFloods { .. }
        )
    }

    /// For people: the fault as a scenario writes it.
    pub fn name(self) -> String {
        let json = serde_json::to_value(self).unwrap_or_default();
        let fields = json.as_object().into_iter().flatten();
        let words = fields.map(|(key, value)| match value.as_str() {
            Some(name) => name.to_owned(),
            None => format!("{key} {value}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            stream: Waiting::new(),
            model: Waiting::new(),
        }
    }
}

impl Waiting {
    fn new() -> Self {
        let (send, receive) = unbounded_channel();
        Self {
            send,
            receive: Arc::new(Mutex::new(receive)),
        }
    }

    /// Takes the part of the victim, unless another socket still has it.
    pub fn victim(&self) -> Option<Victim> {
        Arc::clone(&self.receive).try_lock_owned().ok()
    }
}

/// The next fault; never, for a socket that is no victim.
pub async fn next(victim: &mut Option<Victim>) -> Fault {
    if let Some(victim) = victim
        && let Some(fault) = victim.recv().await
    {
        return fault;
    }
    std::future::pending().await
}

/// The shop picked up: the faults of the scenario take their course.
pub fn schedule(play: &Arc<Play>) {
    for TimedFault { after_ms, fault } in play.scenario.faults.clone() {
        let play = Arc::clone(play);
        let task = tokio::spawn(async move {
            sleep(Duration::from_millis(after_ms)).await;
            strike(&play, fault);
        });
        drop(task);
    }
}

/// The fault happens as soon as there is a socket for it.
pub fn strike(play: &Play, fault: Fault) {
    let waiting = if fault.is_of_the_model() {
        &play.faults.model
    } else {
        &play.faults.stream
    };
    // The other end lives as long as this one.
    let _ = waiting.send.send(fault);
}

/// Upgrades of the Realtime server that will not go well, whoever asks.
#[derive(Default)]
pub struct Upgrades(std::sync::Mutex<Vec<Upgrade>>);

/// What becomes of one upgrade.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Answered with this status.
    Refused(u16),
    /// Answered after so many ms.
    Slow(u64),
}

impl Upgrades {
    /// What the fault means for the next upgrades.
    pub fn expect(&self, fault: Fault) {
        let mut upgrades = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match fault {
            Fault::ModelRefuses { status, times } => {
                upgrades.extend((0..times).map(|_| Upgrade::Refused(status)));
            }
            Fault::ModelOpensSlowly { ms } => upgrades.push(Upgrade::Slow(ms)),
            _ => {}
        }
    }

    /// What becomes of the upgrade that was just asked for; nothing special mostly.
    pub fn next(&self) -> Option<Upgrade> {
        let mut upgrades = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (!upgrades.is_empty()).then(|| upgrades.remove(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_read_from_a_scenario_and_named_like_there() {
        #[derive(Deserialize)]
        struct File {
            faults: Vec<TimedFault>,
        }
        let file: File = toml::from_str(
            "faults = [{ after_ms = 100, fault = 'stream-lost' }, { after_ms = 5, fault = 'model-refuses', status = 429, times = 2 }]",
        )
        .unwrap();
        let names: Vec<String> = file.faults.iter().map(|timed| timed.fault.name()).collect();
        assert_eq!(names, ["stream-lost", "model-refuses status 429 times 2"]);
        assert_eq!(file.faults[0].after_ms, 100);
        assert!(toml::from_str::<File>("faults = [{ after_ms = 1, fault = 'x' }]").is_err());
    }

    #[tokio::test]
    async fn a_fault_waits_for_its_socket_and_strikes_one() {
        let faults = Faults::default();
        faults.model.send.send(Fault::ModelFallsSilent).unwrap();
        let mut first = faults.model.victim();
        assert!(faults.model.victim().is_none());
        assert_eq!(next(&mut first).await, Fault::ModelFallsSilent);
        drop(first);
        assert!(faults.model.victim().is_some());
    }

    #[test]
    fn refusals_are_used_up() {
        let upgrades = Upgrades::default();
        upgrades.expect(Fault::ModelRefuses {
            status: 503,
            times: 2,
        });
        upgrades.expect(Fault::ModelOpensSlowly { ms: 700 });
        let all: Vec<_> = std::iter::from_fn(|| upgrades.next()).collect();
        let refused = Upgrade::Refused(503);
        assert_eq!(all, [refused, refused, Upgrade::Slow(700)]);
    }
}
