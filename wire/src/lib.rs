//! What goes over both wires: Twilio's messages and requests, OpenAI Realtime's events, and the JSON that
//! both are made of. Pure, and knows nothing of calls.
//!
//! It is a crate of its own because Cargo sets optimization per package: the Worker is built for
//! size, this for speed. Every message comes by here.

#![cfg_attr(not(test), deny(clippy::arithmetic_side_effects))]

pub mod json;
pub mod realtime;
pub mod twilio;
pub mod url;
use orderline_audio::base64;
