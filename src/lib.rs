//! Orderline: a phone agent that orders food and proves what it reports.

pub mod audio;
