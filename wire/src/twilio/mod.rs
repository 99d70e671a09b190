//! Twilio on the wire: REST, webhooks, TwiML, Media Streams. Pure; source: `protocols.md` part 2.

pub mod media;
pub mod number;
pub mod rest;
pub mod sid;
pub mod signature;
pub mod stream_clock;
pub mod twiml;
pub mod webhook;
