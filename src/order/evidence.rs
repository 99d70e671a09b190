//! What the transcript proves of the order. The model's word counts for nothing here: a field is
//! proven when it was read back in words that were heard, and the shop answered without objecting;
//! or when the shop itself said it.

mod fields;
mod lines;
mod totals;

use super::state::{DeliveryMethod, OrderState};
use serde::Serialize;
use std::ops::Range;

pub use lines::Lines;

/// How well a field is established.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// Never heard on the line.
    Unproven,
    /// Read back, and rejected by the shop.
    Contradicted,
    /// Heard, but not answered.
    Stated,
    /// Heard, then affirmed by the shop; or said by the shop.
    Proven,
}

/// Words of a turn.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Quote {
    /// The turn.
    pub turn: String,
    /// Bytes of its heard text: the fewest words that say it.
    pub words: Range<usize>,
}

/// The evidence for one field of the order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldEvidence {
    /// JSON pointer into the outcome.
    pub pointer: String,
    /// How well it is established.
    pub proof: Proof,
    /// How well it must be for the order to be confirmed.
    pub needed: Proof,
    /// Where it was said, or something else in its place.
    pub said: Option<Quote>,
    /// What answered it.
    pub answered: Option<Quote>,
    /// What to read back, for the model; private, so not part of the outcome.
    pub read_back: String,
}

impl FieldEvidence {
    /// Whether it is established well enough, and not contradicted.
    pub fn is_enough(&self) -> bool {
        self.proof >= self.needed && self.proof != Proof::Contradicted
    }

    /// Whether it was heard at all, where that is needed.
    pub fn was_heard(&self) -> bool {
        self.proof >= self.needed.min(Proof::Stated) && self.proof != Proof::Contradicted
    }
}

/// The order cannot be complete without these.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Incomplete {
    /// No item was saved.
    NoItems,
    /// No customer was saved.
    NoCustomer,
    /// A delivery without an address.
    NoAddress,
}

impl Incomplete {
    /// For the outcome's warnings and the model.
    pub fn describe(self) -> &'static str {
        match self {
            Self::NoItems => "no order item was saved",
            Self::NoCustomer => "the customer's name, phone and delivery method were not saved",
            Self::NoAddress => "the delivery address was not saved",
        }
    }
}

/// What an order must have before it can be confirmed.
pub fn incomplete(order: &OrderState) -> Vec<Incomplete> {
    let mut missing = Vec::new();
    if order.items.is_empty() {
        missing.push(Incomplete::NoItems);
    }
    if order.customer.is_none() || order.delivery_method.is_none() {
        missing.push(Incomplete::NoCustomer);
    }
    if order.delivery_method == Some(DeliveryMethod::Delivery) && order.address.is_none() {
        missing.push(Incomplete::NoAddress);
    }
    missing
}

#[cfg(test)]
mod tests;
