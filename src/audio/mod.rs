//! Telephone audio: G.711 μ-law, hearing, playback, WAV files. Pure, and knows no other part of the
//! crate.

pub mod ear;
mod gate;
pub mod playback;
pub mod ulaw;
pub mod wav;
