//! The short way for what the phone sends, 50 messages a second: from JavaScript straight into the
//! call. The handler of [`worker::DurableObject`] costs a promise, a task and several proxies for each,
//! which is garbage for every call of the isolate; it remains for all else. `entry.js` calls this.

use super::call_do::Session;
use crate::call::input::Input;
use std::cell::RefCell;
use std::rc::{Rc, Weak};
use worker::js_sys::Reflect;
use worker::wasm_bindgen::JsValue;
use worker::wasm_bindgen::prelude::wasm_bindgen;

/// Name at an object's state, for `entry.js`.
const KEY: &str = "orderlineKey";

thread_local! {
    /// The sessions of this instance of the module, by a random key that no other instance gives.
    static SESSIONS: RefCell<Vec<(u32, Weak<Session>)>> = const { RefCell::new(Vec::new()) };
}

/// Makes a session known by a key at its object's state.
pub(super) fn register(session: &Rc<Session>, state: &JsValue) {
    let mut key = [0; 4];
    // Without a key all goes the long way.
    if getrandom::fill(&mut key).is_err() {
        return;
    }
    let key = u32::from_ne_bytes(key);
    if Reflect::set(state, &KEY.into(), &key.into()).is_ok() {
        SESSIONS.with_borrow_mut(|sessions| {
            sessions.retain(|(_, session)| session.strong_count() > 0);
            sessions.push((key, Rc::downgrade(session)));
        });
    }
}

/// What `entry.js` sees.
#[wasm_bindgen]
pub struct PhoneSocket;

#[wasm_bindgen]
impl PhoneSocket {
    /// Takes a text message. False, and nothing is done, where no call of this key is in memory.
    pub fn message(key: u32, text: &str) -> bool {
        let session = SESSIONS.with_borrow(|sessions| {
            let found = sessions.iter().find(|(of, _)| *of == key);
            found.and_then(|(_, session)| session.upgrade())
        });
        let session = session.filter(|session| session.call.borrow().is_some());
        if let Some(session) = &session {
            session.input(Input::Phone(text));
        }
        session.is_some()
    }
}
