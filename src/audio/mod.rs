//! Telephone audio: G.711 μ-law, levels, WAV files. Pure, and knows no other part of the crate.

pub mod playback;
pub mod ulaw;
pub mod wav;
