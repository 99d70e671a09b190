//! The Realtime server of one call: its sessions, by the number of the bridge's socket.

use super::Delivery;
use super::bridge::ToBridge;
use super::post::{Lane, Post};
use crate::realtime::Shared;
use crate::realtime::connection::{Connection, Out};
use std::collections::BTreeMap;
use std::sync::Arc;

const MODEL: &str = "gpt-realtime-2.1";

/// What reaches the server.
#[derive(Debug)]
pub enum ToModel {
    /// A socket is opened.
    Open { socket: u32 },
    /// A text frame.
    Text { socket: u32, text: String },
    /// The bridge closed the socket.
    Closed { socket: u32 },
}

/// The server.
pub struct Realtime {
    shared: Arc<Shared>,
    sessions: BTreeMap<u32, Connection>,
}

impl Realtime {
    /// A server without a session.
    pub fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            sessions: BTreeMap::new(),
        }
    }

    /// When [`Self::tick`] has something to do.
    pub fn deadline(&self) -> Option<u64> {
        self.sessions
            .values()
            .filter_map(Connection::deadline)
            .min()
    }

    /// Does what is due.
    pub fn tick(&mut self, post: &mut Post) {
        let sockets: Vec<u32> = self.sessions.keys().copied().collect();
        for socket in sockets {
            self.step(post, socket, |_| {});
        }
    }

    /// Something arrived. What arrives for a session that is over is lost.
    pub fn handle(&mut self, post: &mut Post, event: ToModel) {
        match event {
            ToModel::Open { socket } => {
                let session = Connection::new(Arc::clone(&self.shared), MODEL, 0);
                self.sessions.insert(socket, session);
                post.send(
                    Lane::ModelIn,
                    Delivery::Bridge(ToBridge::ModelOpened { socket }),
                );
                self.step(post, socket, |_| {});
            }
            ToModel::Text { socket, text } => {
                let now = post.now();
                self.step(post, socket, |session| session.handle_text(now, &text));
            }
            ToModel::Closed { socket } => {
                if let Some(mut session) = self.sessions.remove(&socket) {
                    session.closed(Some(1000));
                    // Our half of the closing handshake.
                    let closed = ToBridge::ModelClosed { socket, code: 1000 };
                    post.send(Lane::ModelIn, Delivery::Bridge(closed));
                }
            }
        }
    }

    fn step(&mut self, post: &mut Post, socket: u32, input: impl FnOnce(&mut Connection)) {
        let Some(session) = self.sessions.get_mut(&socket) else {
            return;
        };
        input(session);
        session.tick(post.now());
        while let Some(out) = session.poll() {
            match out {
                Out::Send(event) => {
                    let text = event.to_string();
                    let event = ToBridge::ModelText { socket, text };
                    post.send(Lane::ModelIn, Delivery::Bridge(event));
                }
                Out::Close { code, .. } => {
                    session.closed(Some(code));
                    self.sessions.remove(&socket);
                    let closed = ToBridge::ModelClosed { socket, code };
                    post.send(Lane::ModelIn, Delivery::Bridge(closed));
                    return;
                }
            }
        }
    }
}
