//! Status callbacks of a call: one per subscribed status, in order or, with `messy_callbacks`, as
//! Twilio may also do: each twice, and neighbours swapped (`protocols.md` §2.5).

use super::Delivery;
use super::bridge::ToBridge;
use super::post::{Lane, Post};
use crate::twilio::status::{Status, Subscription};
use crate::twilio::webhook::Form;

/// Sends the callbacks of one call.
pub struct Callbacks {
    subscription: Option<Subscription>,
    messy: bool,
    sequence: u64,
    /// Waits for its successor, to be overtaken.
    held: Option<Form>,
}

impl Callbacks {
    /// None sent yet.
    pub fn new(subscription: Option<Subscription>, messy: bool) -> Self {
        Self {
            subscription,
            messy,
            sequence: 0,
            held: None,
        }
    }

    /// The call reached this status; after a terminal one, `form` has the call's length already.
    pub fn fire(&mut self, post: &mut Post, status: Status, mut form: Form) {
        let events = self.subscription.iter().flat_map(|s| &s.events);
        if !events.into_iter().any(|event| event == status.event()) {
            return;
        }
        form.push(("SequenceNumber".into(), self.sequence.to_string()));
        self.sequence += 1;
        if self.messy && self.held.is_none() {
            self.held = Some(form);
        } else {
            self.send(post, &form);
            self.flush(post);
        }
        if status.is_terminal() {
            self.flush(post);
        }
    }

    fn flush(&mut self, post: &mut Post) {
        if let Some(earlier) = self.held.take() {
            self.send(post, &earlier);
        }
    }

    fn send(&self, post: &mut Post, form: &Form) {
        let Some(subscription) = &self.subscription else {
            return;
        };
        for _ in 0..=u8::from(self.messy) {
            let webhook = ToBridge::webhook(&subscription.request, form, 0);
            post.send(Lane::Callbacks, Delivery::Bridge(webhook));
        }
    }
}
