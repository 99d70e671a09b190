//! Telephone audio: G.711 μ-law, hearing, echo, playback, tones, WAV files, and base64, in which it goes
//! over both wires. Pure, and knows nothing of calls.
//!
//! It is a crate of its own because Cargo sets optimization per package: the Worker is built for
//! size, this for speed. 50 frames a second come by here.

pub mod base64;
pub mod dtmf;
pub mod ear;
pub mod echo;
mod gate;
mod music;
pub mod playback;
pub mod ulaw;
pub mod wav;
