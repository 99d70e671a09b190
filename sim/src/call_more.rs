//! One call more, after the scenarios: its first words must come from where an earlier call kept
//! them, and so begin with the line, not with the model; also when it has rung for so long that the
//! runtime has let go of its object.

use crate::play::Play;
use crate::scenario::Scenario;
use crate::timeline::What;

/// The greeting may begin so long after the stream's `start`, in ms.
const MAX_FIRST_AUDIO_MS: u64 = 50;
/// The first words of a call that was placed.
const GREETING: &str = "generic/disclosure";

/// No rule of the model says the greeting.
const SCENARIO: &str = r#"
about = "One call more: it greets at once, with what an earlier call kept."
instructions_contain = "Ingrid Solberg"

[network]
ring_ms = 12_000

[request]
to = "+13105550115"

[request.order]
items = [{ size = "large", crust = "regular", toppings = ["cheese"], quantity = 1 }]
delivery_method = "delivery"
customer = { name = "Ingrid Solberg", phone = "+13105550155" }
address = { street = "6 Canyon Drive", city = "Los Angeles", state = "CA", zip = "90068" }

[[shop]]
heard = "generic/order-delivery"
after_ms = 200
hang_up = true

[[model]]
text = "place an order"
say = "generic/order-delivery"

[expect]
status = "unconfirmed"
heard = ["generic/disclosure", "generic/order-delivery"]

[expect.outcome]
endReason = "shop_hung_up"
"#;

/// The call.
pub fn scenario() -> anyhow::Result<Scenario> {
    Scenario::parse("call-more", SCENARIO)
}

/// Whether this call has kept the greeting, or another before it.
pub fn has_greeted(play: &Play) -> bool {
    let greeted = |what: &What| matches!(what, What::AgentStopped { line, cut: false, .. } if line == GREETING);
    let events = play.timeline.events();
    events.iter().any(|event| greeted(&event.what))
}

/// How its beginning differs from what it has to be.
pub fn differences(play: &Play) -> Option<String> {
    match play.timeline.first_audio_ms() {
        Some(ms) if ms <= MAX_FIRST_AUDIO_MS => None,
        Some(ms) => Some(format!(
            "its first audio came {ms} ms after `start`, allowed are {MAX_FIRST_AUDIO_MS}"
        )),
        None => Some("it had no audio".to_owned()),
    }
}
