//! What can happen to a call.

use crate::twilio::webhook::CallStatus;

/// Something that happened. Sockets to the model are numbered, so that the last words of an old
/// one are not taken for the new one's.
#[derive(Clone, Copy, Debug)]
pub enum Input<'a> {
    /// A message from Twilio's media stream.
    Phone(&'a str),
    /// The media socket is gone.
    PhoneClosed,
    /// The socket to the model is open.
    ModelOpened {
        /// Number of the socket.
        socket: u32,
    },
    /// An event from the model.
    Model {
        /// Number of the socket.
        socket: u32,
        /// The event as JSON.
        text: &'a str,
    },
    /// The socket to the model was refused or is gone.
    ModelClosed {
        /// Number of the socket.
        socket: u32,
        /// WebSocket close code, or HTTP status of a refused upgrade.
        code: u16,
    },
    /// The audio of a line, where it was kept.
    Line {
        /// Where.
        key: &'a str,
        /// μ-law.
        audio: &'a [u8],
    },
    /// A status callback.
    Status(CallStatus),
    /// Twilio answered our request to hang up.
    HungUp {
        /// Whether it did.
        done: bool,
    },
    /// The object lost its memory, and this call was brought back from its snapshot: its timers and
    /// its socket to the model are gone.
    Restored {
        /// The media socket is still there.
        streaming: bool,
    },
    /// The last safety net: whatever state the call is in, it must have an outcome now.
    Alarm,
    /// Time has passed; see [`super::Call::next_deadline`].
    Deadline,
}
