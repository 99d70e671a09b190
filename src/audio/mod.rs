//! Telephone audio: G.711 μ-law, hearing, echo, playback, tones, WAV files. Pure, and knows no other
//! part of the crate.

pub mod dtmf;
pub mod ear;
pub mod echo;
mod gate;
mod music;
pub mod playback;
pub mod ulaw;
pub mod wav;
