//! The socket to the Realtime API. Opened by `fetch`, because `new WebSocket` cannot carry an
//! `Authorization` header.

use super::call_do::Session;
use super::outgoing;
use crate::call::input::Input;
use crate::call::output::LogLine;
use futures::channel::oneshot;
use std::cell::Cell;
use std::rc::Rc;
use worker::js_sys::Reflect;
use worker::wasm_bindgen::closure::Closure;
use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{Fetch, Headers, Response, Result, WebSocket, web_sys};

/// What a socket that broke without a close frame is reported as.
const BROKEN: u16 = 1006;

/// Name at the object's state.
const MODEL: &str = "orderlineModel";

/// Opens a socket and feeds the session with its events until it is gone.
pub(super) async fn run(session: Rc<Session>, number: u32) {
    let code = match connect(&session).await {
        Ok(response) if response.status_code() == 101 => listen(&session, number, response).await,
        Ok(mut response) => {
            // Drained, so that the connection is free again; the text may quote the key.
            let _ = response.text().await;
            Some(response.status_code())
        }
        Err(_) => {
            session.log(&LogLine::warn("model_unreachable"));
            Some(BROKEN)
        }
    };
    if let Some(code) = code {
        session.input(Input::ModelClosed {
            socket: number,
            code,
        });
    }
}

async fn connect(session: &Session) -> Result<Response> {
    let Some(config) = &session.config else {
        return Err(worker::Error::RustError("not configured".into()));
    };
    let model: String = form_urlencoded::byte_serialize(config.model.as_bytes()).collect();
    let headers = Headers::new();
    headers.set("upgrade", "websocket")?;
    headers.set(
        "authorization",
        &format!("Bearer {}", config.openai_api_key),
    )?;
    let url = format!("{}/realtime?model={model}", config.openai_base_url);
    Fetch::Request(outgoing::request(&url, &headers, None)?)
        .send()
        .await
}

/// The close code, or nothing if the session did not want the socket any more.
async fn listen(session: &Rc<Session>, number: u32, response: Response) -> Option<u16> {
    let Some(socket) = response.websocket() else {
        return Some(BROKEN);
    };
    let (gone, code) = oneshot::channel();
    // Listeners first, and no await before `accept`: the server's first message comes at once.
    let listeners = Listeners::of(session, number, &socket, gone);
    if listeners.is_none() || socket.accept().is_err() {
        return Some(BROKEN);
    }
    if !session.model_connected(number, &socket) {
        let _ = socket.close(Some(1000), Some("late"));
        return None;
    }
    session.input(Input::ModelOpened { socket: number });
    let code = code.await.unwrap_or(BROKEN);
    drop(listeners);
    Some(code)
}

type Listener = Closure<dyn FnMut(JsValue)>;

/// What the socket calls, as long as this lives. Not [`WebSocket::events`], which makes a task of each
/// event: dozens a second, while the agent speaks.
struct Listeners {
    socket: web_sys::WebSocket,
    by_event: [(&'static str, Listener); 3],
}

impl Listeners {
    fn of(
        session: &Rc<Session>,
        number: u32,
        socket: &WebSocket,
        gone: oneshot::Sender<u16>,
    ) -> Option<Self> {
        let feed = {
            let session = Rc::clone(session);
            move |event: JsValue| {
                let data = event
                    .dyn_into()
                    .map(|event: web_sys::MessageEvent| event.data());
                // Realtime sends text only.
                if let Some(text) = data.ok().and_then(|data| data.as_string()) {
                    let (socket, text) = (number, text.as_str());
                    session.input(Input::Model { socket, text });
                }
            }
        };
        let gone = Rc::new(Cell::new(Some(gone)));
        let end = move |code: fn(JsValue) -> u16| {
            let gone = Rc::clone(&gone);
            move |event| {
                if let Some(gone) = gone.take() {
                    let _ = gone.send(code(event));
                }
            }
        };
        let code = |event: JsValue| {
            let close = event.dyn_into();
            close.map_or(BROKEN, |close: web_sys::CloseEvent| close.code())
        };
        let by_event = [
            (
                "message",
                Closure::wrap_assert_unwind_safe(Box::new(feed) as Box<dyn FnMut(JsValue)>),
            ),
            (
                "close",
                Closure::wrap_assert_unwind_safe(Box::new(end(code))),
            ),
            (
                "error",
                Closure::wrap_assert_unwind_safe(Box::new(end(|_| BROKEN))),
            ),
        ];
        let socket: &web_sys::WebSocket = socket.as_ref();
        for (name, listener) in &by_event {
            let listener = listener.as_ref().unchecked_ref();
            socket
                .add_event_listener_with_callback(name, listener)
                .ok()?;
        }
        let socket = socket.clone();
        Some(Self { socket, by_event })
    }
}

impl Drop for Listeners {
    fn drop(&mut self) {
        for (name, listener) in &self.by_event {
            let listener = listener.as_ref().unchecked_ref();
            let _ = self
                .socket
                .remove_event_listener_with_callback(name, listener);
        }
    }
}

/// A socket whose listener is gone. When an instance of the module breaks, the runtime keeps its
/// sockets open, and nobody is left to close the model's: it is found again at the object's state,
/// which outlives the instance.
pub(super) struct Orphan {
    state: JsValue,
}

impl Orphan {
    /// Of the object with this state.
    pub(super) fn of(state: &JsValue) -> Self {
        Self {
            state: state.clone(),
        }
    }

    /// This is the object's socket to the model from now on.
    pub(super) fn remember(&self, socket: &WebSocket) {
        let socket: &web_sys::WebSocket = socket.as_ref();
        let _ = Reflect::set(&self.state, &MODEL.into(), socket);
    }

    /// Closes what an instance before this one left open.
    pub(super) fn close(&self) {
        let left = Reflect::get(&self.state, &MODEL.into()).unwrap_or_default();
        if let Ok(socket) = left.dyn_into::<web_sys::WebSocket>() {
            let _ = WebSocket::from(socket).close(Some(1000), Some("gone"));
        }
    }
}
