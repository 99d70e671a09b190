//! A phone network and a Realtime server on loopback, and the commands that use them.

mod play;
mod scenario;
mod timeline;

fn main() {}
