//! What must hold of Orderline for any bytes from outside: a function for each fuzzer of
//! `fuzz_targets/`, which panics if it does not hold.
//!
//! `wire` is what Twilio and the model send, and what we send them; `documents` what callers of the
//! API, the operator and our own storage hand in; `words` what was heard; `call` a whole call.
//! `tests/seeds.rs` replays every committed seed on any toolchain; `npm run fuzz` looks for more.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a panic is how a fuzzer is told that something does not hold"
)]

pub mod call;
pub mod documents;
pub mod wire;
pub mod words;

/// A fuzzer: its name, and what must hold of any bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 17] = [
    ("call", call::sequence),
    ("config", documents::config),
    ("events", documents::events),
    ("form", wire::form),
    ("json", documents::json),
    ("media", wire::media),
    ("order", documents::order),
    ("payment", words::payment),
    ("realtime", wire::realtime),
    ("rest", wire::rest),
    ("signature", wire::signature),
    ("snapshot", documents::snapshot),
    ("tool", documents::tool),
    ("twiml", wire::twiml),
    ("url", wire::url),
    ("wav", documents::wav),
    ("words", words::words),
];

/// The text, if it is one: sockets and forms hand over nothing else.
fn text(data: &[u8]) -> Option<&str> {
    std::str::from_utf8(data).ok()
}
