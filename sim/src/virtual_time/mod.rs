//! One call with the real [`orderline::call::Call`] in virtual time: no sockets, no sleeping,
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
#[cfg(test)]
mod tests;

#[cfg(test)]
use crate::checks;
#[cfg(test)]
use crate::clips::Clips;
use crate::play::Play;
use crate::realtime::Shared;
#[cfg(test)]
use crate::scenario::Scenario;
use crate::timeline::What;
use crate::twilio::shop::FarEnd;
#[cfg(test)]
use crate::twilio::shop::Shop;
#[cfg(test)]
use crate::verify;
use bridge::Bridge;
pub use bridge::{Kept, ToBridge};
use model::Realtime;
pub use model::ToModel;
use phone::Phone;
pub use phone::ToPhone;
use post::Post;
pub use post::Sent;
#[cfg(test)]
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
    /// What a message to or from Twilio may take longer, in ms. Messages of one connection keep
    /// their order.
    pub jitter_ms: u64,
    /// The same for the Realtime server.
    pub model_jitter_ms: u64,
    /// What happens to the echoes of marks.
    pub marks: Marks,
    /// Decides the jitter of every message, and the fate of every mark.
    pub seed: u64,
}

/// Faults of mark echoes on their way. Late ones still come in the order of the marks, behind frames with
/// higher numbers than theirs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Marks {
    /// How many in a hundred never come.
    pub lost_percent: u64,
    /// How many in a hundred come late.
    pub late_percent: u64,
    /// By how much at most, in ms.
    pub late_ms: u64,
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            phone_ms: 30,
            model_ms: 20,
            jitter_ms: 0,
            model_jitter_ms: 0,
            marks: Marks::default(),
            seed: 0,
        }
    }
}

/// Something on its way to one of the parties.
#[derive(Debug)]
pub enum Delivery {
    Bridge(ToBridge),
    Phone(ToPhone),
    Model(ToModel),
}

/// Sees everything that arrives anywhere, in this order.
pub trait Witness {
    /// Something arrives, and is about to be handled; `now` in ms since the call was placed.
    fn arrives(&mut self, sent: Sent, now: u64, what: &Delivery);
}

impl Witness for () {
    fn arrives(&mut self, _sent: Sent, _now: u64, _what: &Delivery) {}
}

/// A call that is over.
pub struct Run {
    /// Its timeline, its line and what the bridge told the model.
    pub play: Arc<Play>,
    /// The outcome as the call wrote it, if it did.
    pub outcome: Option<String>,
    /// The events that the outcome follows from.
    #[cfg(test)]
    pub log: String,
    /// Everything that reached the call and everything it wanted done, a line each.
    pub trace: String,
    /// The call as the API showed it last, before its outcome.
    pub live: String,
    /// What earlier calls kept, and this one.
    #[cfg(test)]
    pub kept: Kept,
    /// What went wrong around the call, beyond what the timeline tells.
    pub faults: Vec<String>,
}

/// Plays a scenario to its end, after calls that kept this.
///
/// # Errors
/// When the product does not take the scenario's request, or the simulator the product's call.
#[cfg(test)]
pub fn run(scenario: Scenario, clips: &Clips, delays: Delays, kept: Kept) -> anyhow::Result<Run> {
    let play = Arc::new(Play::in_virtual_time(scenario));
    let shop = Shop::new(play.scenario.shop.clone(), clips.clone());
    let server = Shared::new(Arc::new(vec![Arc::clone(&play)]), clips.clone());
    hold_after(kept, play, Box::new(shop), server, delays, &mut ())
}

/// Holds the first call of all to its end, with anybody at the far end of the line.
///
/// # Errors
/// When the product does not take the request, or the simulator the product's call.
pub fn hold(
    play: Arc<Play>,
    far_end: Box<dyn FarEnd>,
    server: Arc<Shared>,
    delays: Delays,
    witness: &mut impl Witness,
) -> anyhow::Result<Run> {
    hold_after(Kept::new(), play, far_end, server, delays, witness)
}

/// The same, after calls that kept this.
fn hold_after(
    kept: Kept,
    play: Arc<Play>,
    far_end: Box<dyn FarEnd>,
    server: Arc<Shared>,
    delays: Delays,
    witness: &mut impl Witness,
) -> anyhow::Result<Run> {
    let mut post = Post::new(delays);
    let mut bridge = Bridge::new(&play.scenario.request, kept)?;
    let mut phone = Phone::dial(&mut post, &play, far_end, &bridge.create_call())?;
    let mut model = Realtime::new(server);
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
        let arrived = post.take();
        if let Some((sent, what)) = &arrived {
            witness.arrives(*sent, post.now(), what);
        }
        match arrived.map(|(_, what)| what) {
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
        #[cfg(test)]
        log: bridge.log,
        trace: bridge.trace,
        live: bridge.live,
        #[cfg(test)]
        kept: bridge.kept,
        faults,
    })
}

#[cfg(test)]
impl Run {
    /// Every way in which the call went otherwise than its scenario expects.
    pub fn differences(&self) -> Vec<String> {
        let outcome = self.outcome.as_deref().unwrap_or("null");
        let outcome: Value = serde_json::from_str(outcome).unwrap_or_default();
        let mut found = self.faults.clone();
        if let Some(outcome) = &self.outcome {
            let wrong = verify::check(outcome, &self.log);
            found.extend(wrong.iter().map(|finding| finding.to_string()));
        }
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
