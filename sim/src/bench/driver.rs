//! The load on real sockets: one thread, one epoll, and an account of what it costs itself.

use super::frames::{self, Message, Reader, Side};
use super::load::Load;
use super::phone::Phone;
use super::process;
use super::script::Mix;
use super::tally::Tally;
use anyhow::Context;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};
use std::io::{ErrorKind, Read, Write};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use tokio::sync::oneshot;

const WAKE: Token = Token(usize::MAX);
const SCRATCH: usize = 1 << 17;
/// Audio that has not arrived so long after a window is lost.
const ON_ITS_WAY: Duration = Duration::from_millis(700);

/// The thread that drives the load; it ends when this is dropped.
pub struct Driver {
    commands: Option<Sender<Command>>,
    waker: Arc<Waker>,
    thread: Option<JoinHandle<()>>,
}

/// A window of time, measured.
#[derive(Debug, Default)]
pub struct Window {
    pub tally: Tally,
    pub seconds: f64,
    /// CPU time of the generator's own thread.
    pub own_cpu_seconds: f64,
    /// Cores that whatever else runs on this machine had meanwhile.
    pub others: f64,
    /// Sockets that the bridge closed.
    pub closed: u64,
}

enum Command {
    Phone(std::net::TcpStream, Vec<u8>, Box<Phone>),
    Model(std::net::TcpStream, Vec<u8>),
    Mix(Mix),
    Begin,
    End,
    Connected(oneshot::Sender<usize>),
    Report(oneshot::Sender<Window>),
}

impl Driver {
    /// Starts the thread.
    pub fn start(load: Load) -> anyhow::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
        let (commands, received) = channel();
        let thread = std::thread::Builder::new()
            .name("load".into())
            .spawn(move || Loop::new(poll, load, received).run())?;
        Ok(Self {
            commands: Some(commands),
            waker,
            thread: Some(thread),
        })
    }

    fn send(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
            let _ = self.waker.wake();
        }
    }

    /// A media stream after its handshake, and bytes that were read with it.
    pub fn phone(&self, stream: std::net::TcpStream, rest: Vec<u8>, phone: Phone) {
        self.send(Command::Phone(stream, rest, Box::new(phone)));
    }

    /// A session after its handshake.
    pub fn model(&self, stream: std::net::TcpStream, rest: Vec<u8>) {
        self.send(Command::Model(stream, rest));
    }

    /// Another mix begins.
    pub fn mix(&self, mix: Mix) {
        self.send(Command::Mix(mix));
    }

    /// Calls whose model has heard something of them.
    pub async fn connected(&self) -> anyhow::Result<usize> {
        let (sender, answer) = oneshot::channel();
        self.send(Command::Connected(sender));
        answer.await.context("the load ended")
    }

    /// From now on it counts and times.
    pub fn begin(&self) {
        self.send(Command::Begin);
    }

    /// Until now; what is on its way may still come.
    pub async fn end(&self) -> anyhow::Result<Window> {
        self.send(Command::End);
        tokio::time::sleep(ON_ITS_WAY).await;
        let (sender, answer) = oneshot::channel();
        self.send(Command::Report(sender));
        answer.await.context("the load ended")
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.waker.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Loop {
    poll: Poll,
    load: Load,
    commands: Receiver<Command>,
    started: Instant,
    sockets: Vec<Option<Socket>>,
    /// Sockets by call and by session.
    phones: Vec<usize>,
    models: Vec<usize>,
    scratch: Vec<u8>,
    window: Window,
    began: Option<(Instant, f64)>,
}

struct Socket {
    stream: TcpStream,
    reader: Reader,
    unsent: Vec<u8>,
    role: Role,
}

#[derive(Clone, Copy)]
enum Role {
    Phone(u32),
    Model(usize),
}

impl Loop {
    fn new(poll: Poll, load: Load, commands: Receiver<Command>) -> Self {
        Self {
            poll,
            load,
            commands,
            started: Instant::now(),
            sockets: Vec::new(),
            phones: Vec::new(),
            models: Vec::new(),
            scratch: vec![0; SCRATCH],
            window: Window::default(),
            began: None,
        }
    }

    /// µs since the start; never 0.
    fn now(&self) -> u64 {
        1 + u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX - 1)
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(1_024);
        let mut touched = Vec::new();
        loop {
            let due = self.load.due();
            let wait = due.map(|due| Duration::from_micros(due.saturating_sub(self.now())));
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != ErrorKind::Interrupted
            {
                return;
            }
            for event in &events {
                match event.token() {
                    WAKE => {
                        if !self.obey() {
                            return;
                        }
                    }
                    Token(index) => {
                        if event.is_readable() || event.is_read_closed() {
                            self.read(index);
                        }
                        self.flush(index);
                    }
                }
            }
            let now = self.now();
            self.load.tick(now, |call| touched.push(call));
            for call in touched.drain(..) {
                let model = self.load.model_of(call);
                let model = model.and_then(|model| self.models.get(model).copied());
                let phone = self.phones.get(call as usize).copied();
                for index in [phone, model].into_iter().flatten() {
                    self.flush(index);
                }
            }
        }
    }

    /// False when nobody gives commands any more.
    fn obey(&mut self) -> bool {
        loop {
            let command = match self.commands.try_recv() {
                Ok(command) => command,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            };
            let now = self.now();
            match command {
                Command::Phone(stream, rest, phone) => {
                    let number = self.load.open_phone(now, *phone);
                    self.phones.push(self.sockets.len());
                    self.open(stream, &rest, Role::Phone(number));
                }
                Command::Model(stream, rest) => {
                    let number = self.load.open_model();
                    self.models.push(self.sockets.len());
                    self.open(stream, &rest, Role::Model(number));
                }
                Command::Mix(mix) => {
                    self.load.set_mix(now, mix);
                    for index in 0..self.sockets.len() {
                        self.flush(index);
                    }
                }
                Command::Begin => {
                    self.load.count(true);
                    self.window = Window::default();
                    self.began = Some((Instant::now(), process::own_thread_seconds()));
                }
                Command::End => {
                    self.load.count(false);
                    if let Some((at, cpu)) = self.began.take() {
                        self.window.seconds = at.elapsed().as_secs_f64();
                        self.window.own_cpu_seconds = process::own_thread_seconds() - cpu;
                    }
                }
                Command::Connected(answer) => {
                    let _ = answer.send(self.load.connected());
                }
                Command::Report(answer) => {
                    self.window.tally = std::mem::take(&mut self.load.tally);
                    let _ = answer.send(std::mem::take(&mut self.window));
                }
            }
        }
    }

    fn open(&mut self, stream: std::net::TcpStream, rest: &[u8], role: Role) {
        let index = self.sockets.len();
        let _ = stream.set_nonblocking(true);
        let _ = stream.set_nodelay(true);
        let mut stream = TcpStream::from_std(stream);
        let both = Interest::READABLE | Interest::WRITABLE;
        let registered = self
            .poll
            .registry()
            .register(&mut stream, Token(index), both);
        let mut reader = Reader::default();
        reader.push(rest);
        self.sockets.push(registered.is_ok().then_some(Socket {
            stream,
            reader,
            unsent: Vec::new(),
            role,
        }));
        self.messages(index);
        self.flush(index);
    }

    fn read(&mut self, index: usize) {
        loop {
            let Some(Some(socket)) = self.sockets.get_mut(index) else {
                return;
            };
            match socket.stream.read(&mut self.scratch) {
                Ok(0) => return self.close(index),
                Ok(length) => {
                    socket
                        .reader
                        .push(self.scratch.get(..length).unwrap_or_default());
                    self.messages(index);
                    // A short read has emptied the socket.
                    if length < SCRATCH {
                        return;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.close(index),
            }
        }
    }

    fn messages(&mut self, index: usize) {
        let now = self.now();
        let Some(Some(socket)) = self.sockets.get_mut(index) else {
            return;
        };
        let side = match socket.role {
            Role::Phone(_) => Side::Client,
            Role::Model(_) => Side::Server,
        };
        loop {
            match (socket.reader.next(), socket.role) {
                (Ok(Some(Message::Text(text))), Role::Phone(call)) => {
                    self.load.phone_text(now, call, text);
                }
                (Ok(Some(Message::Text(text))), Role::Model(model)) => {
                    self.load.model_text(now, model, text);
                }
                (Ok(Some(Message::Ping(payload))), _) => {
                    frames::pong(&mut socket.unsent, side, payload);
                }
                (Ok(Some(Message::Other)), _) => {}
                (Ok(None), _) => return,
                (Ok(Some(Message::Close)) | Err(_), _) => return self.close(index),
            }
        }
    }

    fn flush(&mut self, index: usize) {
        let Some(Some(socket)) = self.sockets.get_mut(index) else {
            return;
        };
        let out = match socket.role {
            Role::Phone(call) => self.load.phone_out(call),
            Role::Model(model) => self.load.model_out(model),
        };
        let Some(out) = out else {
            return;
        };
        if socket.unsent.is_empty() {
            // Without a copy: `out` is left with the other's room.
            std::mem::swap(&mut socket.unsent, out);
        } else {
            socket.unsent.append(out);
        }
        while !socket.unsent.is_empty() {
            match socket.stream.write(&socket.unsent) {
                Ok(length) if length == socket.unsent.len() => socket.unsent.clear(),
                Ok(length) => drop(socket.unsent.drain(..length)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return self.close(index),
            }
        }
    }

    fn close(&mut self, index: usize) {
        if let Some(socket) = self.sockets.get_mut(index)
            && socket.take().is_some()
        {
            self.window.closed += 1;
        }
    }
}
