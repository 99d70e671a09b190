//! Orderline: a phone agent that orders food and proves what it reports.

pub mod audio;
pub mod call;
pub mod config;
pub mod http;
pub mod json;
pub mod order;
pub mod policy;
pub mod realtime;
pub mod twilio;

#[cfg(target_arch = "wasm32")]
mod worker;
