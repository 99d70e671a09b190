//! OpenAI Realtime (GA, WebSocket) on the wire. Pure; source: `protocols.md` part 1.

pub mod client;
pub mod prices;
pub mod server;
pub mod session;
pub mod usage;
