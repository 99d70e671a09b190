//! The HTTP surface without a server: which route a request means, and what a refusal says.

pub mod problem;
pub mod queued;
pub mod route;
