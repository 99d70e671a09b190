//! Orderline: a phone agent that orders food and proves what it reports.
//!
//! Compiled to WebAssembly for Cloudflare Workers. From the top down; an arrow never runs back up, and
//! the modules of the last lines know nothing of each other; `audio` and `base64` are in one crate of
//! their own, `twilio`, `realtime`, `json` and `url` in another, which are compiled for speed:
//!
//! ```text
//! worker   the Workers runtime: HTTP, Durable Object, sockets, storage (wasm32 only)
//!   │
//! call     the conversation, a state machine without I/O      http     routes, problem documents
//!   │
//! policy   may we dial, may we show it, and to whom            config   variables and secrets
//!   │
//! order    what was ordered, heard and proven      twilio     Twilio on the wire
//! realtime OpenAI Realtime on the wire             audio      μ-law, playback, WAV
//! json     reading JSON from outside               url        the parts of one
//! base64   there and back                          timestamp  as the API writes it
//! ```
//!
//! Everything but `worker` is pure: no clock, no randomness, no I/O; time is an argument. A frame
//! of the shop's audio walks `worker::call_do` → [`call::Call::handle`] → its phone leg → its model
//! leg → `worker::call_do`, and nowhere twice.

// Release builds wrap where an addition overflows, so that arithmetic cannot panic; a wrong length is
// a fault all the same where bytes from outside are counted.
#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod call;
pub mod config;
pub mod http;
#[allow(clippy::arithmetic_side_effects, reason = "positions in bounded words")]
pub mod order;
pub mod policy;
pub mod timestamp;
pub use orderline_audio::{self as audio, base64};
pub use orderline_wire::{json, realtime, twilio, url};

#[cfg(target_arch = "wasm32")]
mod worker;
