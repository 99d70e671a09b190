//! The one timer of a call's object. A call sets it anew some times a second, which with a future is a
//! task and a promise each time.

use super::call_do::Session;
use super::now_ms;
use crate::call::input::Input;
use std::cell::Cell;
use std::rc::Weak;
use worker::js_sys;
use worker::wasm_bindgen::JsCast;
use worker::wasm_bindgen::closure::Closure;
use worker::web_sys::WorkerGlobalScope;

/// Tells a call that its deadline has come.
pub(super) struct Timer {
    ring: Closure<dyn FnMut()>,
    /// When it rings, in ms since 1970, and its handle.
    running: Cell<Option<(u64, i32)>>,
}

impl Timer {
    /// That of this session.
    pub(super) fn of(session: Weak<Session>) -> Self {
        let ring = move || {
            if let Some(session) = session.upgrade() {
                session.timer.running.set(None);
                session.input(Input::Deadline);
            }
        };
        Self {
            ring: Closure::wrap_assert_unwind_safe(Box::new(ring)),
            running: Cell::new(None),
        }
    }

    /// Rings when this is due, unless it rings earlier: then it is set again.
    pub(super) fn set(&self, due: u64) {
        if self.running.get().is_some_and(|(rings, _)| rings <= due) {
            return;
        }
        self.stop();
        let ms = i32::try_from(due.saturating_sub(now_ms())).unwrap_or(i32::MAX);
        let ring = self.ring.as_ref().unchecked_ref();
        // What comes next tries again.
        let handle = scope().set_timeout_with_callback_and_timeout_and_arguments_0(ring, ms.max(1));
        self.running.set(handle.ok().map(|handle| (due, handle)));
    }

    /// Does not ring: while a timer runs, the object stays in memory.
    pub(super) fn stop(&self) {
        if let Some((_, handle)) = self.running.take() {
            scope().clear_timeout_with_handle(handle);
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.stop();
    }
}

fn scope() -> WorkerGlobalScope {
    js_sys::global().unchecked_into()
}
