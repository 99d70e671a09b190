//! One scenario with the real [`orderline::call::Call`] in virtual time: no sockets, no sleeping,
//! no wall clock, and the same seed gives the same call, byte for byte.
//!
//! `post` carries everything between the three parties, each way with a delay: `bridge` is the
//! call and what its Durable Object does with its outputs, `phone` is Twilio with the shop,
//! `model` is the Realtime server. The parties are stepped one event at a time, in the order of
//! arrival. Not here: HTTP, signatures, storage and REST errors; those are `sim e2e`.

mod bridge;
mod callbacks;
mod model;
mod phone;
mod post;
mod tests;

use crate::checks;
use crate::clips::Clips;
use crate::play::Play;
use crate::scenario::Scenario;
use crate::timeline::What;
use bridge::{Bridge, ToBridge};
use model::{Realtime, ToModel};
use phone::{Phone, ToPhone};
use post::Post;
use serde_json::Value;
use std::sync::Arc;

/// A call that is not over by then never ends.
const LIMIT_MS: u64 = 30 * 60_000;
/// So many steps in the same millisecond are a loop.
const MAX_STEPS_AT_ONCE: u32 = 10_000;

/// How long things take on their way.
#[derive(Clone, Copy, Debug)]
pub struct Delays {
    /// Between Twilio and the bridge, one way, in ms.
    pub phone_ms: u64,
    /// Between the Realtime server and the bridge, one way, in ms.
    pub model_ms: u64,
    /// What a message may take longer, in ms. Messages of one connection keep their order.
    pub jitter_ms: u64,
    /// Decides the jitter of every message.
    pub seed: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            phone_ms: 30,
            model_ms: 20,
            jitter_ms: 0,
            seed: 0,
        }
    }
}

/// Something on its way to one of the parties.
#[derive(Debug)]
enum Delivery {
    Bridge(ToBridge),
    Phone(ToPhone),
    Model(ToModel),
}

/// A call that is over.
pub struct Run {
    /// Its timeline, its line and what the bridge told the model.
    pub play: Arc<Play>,
    /// The outcome as the call wrote it, if it did.
    pub outcome: Option<String>,
    /// Everything that reached the call and everything it wanted done, a line each.
    pub trace: String,
    /// What went wrong around the call, beyond what the timeline tells.
    faults: Vec<String>,
}

/// Plays a scenario to its end.
///
/// # Errors
/// When the product does not take the scenario's request, or the simulator the product's call.
pub fn run(scenario: Scenario, clips: &Clips, delays: Delays) -> anyhow::Result<Run> {
    let play = Arc::new(Play::in_virtual_time(scenario));
    let mut post = Post::new(delays);
    let mut bridge = Bridge::new(&play.scenario.request)?;
    let mut phone = Phone::dial(&mut post, &play, clips, &bridge.create_call())?;
    let mut model = Realtime::new(&play, clips);
    let mut faults = Vec::new();
    let mut steps = 0;
    loop {
        let next = [
            post.next_at(),
            phone.deadline(),
            model.deadline(),
            bridge.deadline(),
        ];
        let Some(at) = next.into_iter().flatten().min() else {
            break;
        };
        steps = if at > post.now() { 0 } else { steps + 1 };
        if at > LIMIT_MS || steps > MAX_STEPS_AT_ONCE {
            faults.push(format!("the call is not over at {} ms", post.now()));
            break;
        }
        post.advance(at);
        play.timeline.set_ms(post.now());
        match post.take() {
            Some(Delivery::Bridge(event)) => bridge.handle(&mut post, event),
            Some(Delivery::Phone(event)) => phone.handle(&mut post, event),
            Some(Delivery::Model(event)) => model.handle(&mut post, event),
            None => {
                phone.tick(&mut post);
                model.tick(&mut post);
                bridge.wake(&mut post);
            }
        }
    }
    faults.extend(bridge.faults());
    Ok(Run {
        play,
        outcome: bridge.outcome,
        trace: bridge.trace,
        faults,
    })
}

impl Run {
    /// Every way in which the call went otherwise than its scenario expects.
    pub fn differences(&self) -> Vec<String> {
        let outcome = self.outcome.as_deref().unwrap_or("null");
        let outcome: Value = serde_json::from_str(outcome).unwrap_or_default();
        let mut found = self.faults.clone();
        found.extend(checks::outcome_differences(
            &self.play.scenario.expect,
            &outcome,
        ));
        found.extend(checks::call_differences(&self.play));
        found
    }

    /// All of the timeline, a JSON object per line.
    pub fn events(&self) -> String {
        let events = self.play.timeline.events();
        let lines = events
            .iter()
            .map(|event| serde_json::to_string(event).unwrap_or_default() + "\n");
        lines.collect()
    }
}

/// The bridge broke the protocol.
fn violation(play: &Play, side: &str, detail: String) {
    let side = side.into();
    play.timeline.push(What::Violation { side, detail });
}
