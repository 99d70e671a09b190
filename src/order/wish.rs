//! What the customer asked for beside what was ordered: what may take its place, what never, and
//! where the order differs.

use super::request::OrderRequest;
use super::spoken::Spoken;
use super::state::{Address, Customer, DeliveryMethod, Item, OrderState};
use crate::json::FieldError;
use serde::{Deserialize, Serialize};

/// What may be ordered instead of a part of an item.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Substitution {
    /// Position of the item in the request.
    pub item: usize,
    /// The topping, crust, size or name that may be replaced.
    pub of: String,
    /// By one of these; if there are none, it may be left out.
    pub with: Vec<String>,
}

/// What the model is to do about a difference.
const ADVICE: &str =
    "if the shop has nothing that is allowed, call escalate_to_human, or end the call";

impl OrderRequest {
    /// What is wrong with an item that is to be saved: it is none of those asked for, or holds what
    /// the customer must not get. Pointers are those of the tool.
    pub fn check_item(&self, item: &Item) -> Vec<FieldError> {
        let forbidden = self.forbidden(item);
        // Free words may ask for more than the list; what the list lacks shows at the end.
        if !forbidden.is_empty() || self.open {
            return forbidden;
        }
        let tries = (0..self.items.len()).map(|wanted| self.differences(wanted, item));
        tries.min_by_key(Vec::len).unwrap_or_default()
    }

    /// What is wrong with who the order is for.
    pub fn check_customer(&self, customer: &Customer, method: DeliveryMethod) -> Vec<FieldError> {
        let digits = |text: &str| {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let national = digits.strip_prefix('1').filter(|d| d.len() == 10);
            national.map_or_else(|| digits.clone(), str::to_owned)
        };
        let wrong = [
            (
                "/name",
                self.name
                    .as_ref()
                    .is_some_and(|name| !same(name, &customer.name)),
            ),
            (
                "/phone",
                self.phone
                    .as_ref()
                    .is_some_and(|phone| digits(phone) != digits(&customer.phone)),
            ),
            (
                "/delivery_method",
                self.delivery_method.is_some_and(|wanted| wanted != method),
            ),
        ];
        wrong_fields(&wrong)
    }

    /// What is wrong with where to deliver.
    pub fn check_address(&self, address: &Address) -> Vec<FieldError> {
        let Some(wanted) = &self.address else {
            return Vec::new();
        };
        let wrong = [
            ("/street", !same(&wanted.street, &address.street)),
            ("/city", !same(&wanted.city, &address.city)),
            (
                "/state",
                !super::mention::same_state(&wanted.state, &address.state),
            ),
            ("/zip", !same(&wanted.zip, &address.zip)),
        ];
        wrong_fields(&wrong)
    }

    /// Where the order differs from what was asked for: pointers into the outcome, and no values.
    pub fn deviations(&self, order: &OrderState) -> Vec<FieldError> {
        let mut found = Vec::new();
        for (at, item) in order.items.iter().enumerate() {
            if !self.forbidden(item).is_empty() {
                found.push(FieldError::new(
                    format!("/order/items/{at}"),
                    "holds what the customer must not get",
                ));
            }
        }
        if !self.is_free() {
            found.extend(self.unmatched(&order.items));
        }
        if let (Some(customer), Some(method)) = (&order.customer, order.delivery_method) {
            let wrong = self.check_customer(customer, method).into_iter();
            found.extend(wrong.map(|error| {
                let part = if error.pointer == "/delivery_method" {
                    ""
                } else {
                    "/customer"
                };
                FieldError::new(format!("/order{part}{}", error.pointer), NOT_ASKED_FOR)
            }));
        }
        if let (Some(DeliveryMethod::Delivery), Some(address)) =
            (order.delivery_method, &order.address)
        {
            let wrong = self.check_address(address).into_iter();
            found.extend(wrong.map(|error| {
                FieldError::new(format!("/order/address{}", error.pointer), NOT_ASKED_FOR)
            }));
        }
        found
    }

    /// Nothing but free words: the conversation establishes what is ordered.
    fn is_free(&self) -> bool {
        self.items.is_empty()
    }

    /// Items that nobody asked for, and how many of those asked for are not there. Each is matched
    /// once; exact ones first, so that a substitution takes no other's place.
    fn unmatched(&self, items: &[Item]) -> Vec<FieldError> {
        let mut wanted: Vec<usize> = (0..self.items.len()).collect();
        let mut left: Vec<usize> = (0..items.len()).collect();
        for exact in [true, false] {
            left.retain(|at| {
                let Some(item) = items.get(*at) else {
                    return false;
                };
                let fits = |wish: &usize| {
                    let kept = !exact
                        || self.items.get(*wish).is_some_and(|w| {
                            w.toppings.len() == item.toppings.len() && is_literal(w, item)
                        });
                    kept && self.differences(*wish, item).is_empty()
                };
                let place = wanted.iter().position(fits);
                place.map(|place| wanted.remove(place)).is_none()
            });
        }
        let mut found = Vec::new();
        if !wanted.is_empty() {
            found.push(FieldError::new(
                "/order/items",
                format!("lack {} of the items asked for", wanted.len()),
            ));
        }
        if !self.open {
            let extra = left.into_iter();
            found.extend(
                extra.map(|at| FieldError::new(format!("/order/items/{at}"), NOT_ASKED_FOR)),
            );
        }
        found
    }

    /// Where an item differs from one that was asked for, beyond what may take its place.
    fn differences(&self, wish: usize, item: &Item) -> Vec<FieldError> {
        let Some(wanted) = self.items.get(wish) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        let mut wrong = |pointer: String, of: &str| {
            let instead = self.instead(wish, of);
            let allowed = if instead.is_empty() {
                "nothing else is allowed".to_owned()
            } else {
                format!("instead only: {}", instead.join(", "))
            };
            found.push(FieldError::new(
                pointer,
                format!("the customer asked for {of}; {allowed}; {ADVICE}"),
            ));
        };
        if item.quantity != wanted.quantity {
            wrong("/quantity".into(), &wanted.quantity.to_string());
        }
        if let Some(size) = wanted.size
            && item
                .size
                .is_none_or(|other| !self.allows(wish, size.spoken(), other.spoken()))
        {
            wrong("/size".into(), size.spoken());
        }
        for (pointer, wish_text, text) in [
            ("/crust", &wanted.crust, &item.crust),
            ("/name", &wanted.name, &item.name),
        ] {
            if let Some(of) = wish_text
                && text
                    .as_ref()
                    .is_none_or(|other| !self.allows(wish, of, other))
            {
                wrong(pointer.into(), of);
            }
        }
        if let (None, Some(name)) = (&wanted.name, &item.name)
            && !Spoken::parse(name).has_phrase("pizza")
        {
            wrong("/name".into(), "a pizza");
        }
        if wanted.toppings.is_empty() && self.open {
            return found;
        }
        for of in &wanted.toppings {
            let is_there = item
                .toppings
                .iter()
                .any(|topping| self.allows(wish, of, topping));
            let optional = self
                .substitution(wish, of)
                .is_some_and(|s| s.with.is_empty());
            if !is_there && !optional {
                wrong("/toppings".into(), of);
            }
        }
        for (at, topping) in item.toppings.iter().enumerate() {
            let meant = wanted
                .toppings
                .iter()
                .any(|of| self.allows(wish, of, topping));
            let plain = wanted.toppings.is_empty() && same(topping, "cheese");
            if !meant && !plain {
                let list = wanted.toppings.join(", ");
                wrong(
                    format!("/toppings/{at}"),
                    if list.is_empty() {
                        "no toppings"
                    } else {
                        &list
                    },
                );
            }
        }
        if item.toppings.len() > wanted.toppings.len().max(1) && found.is_empty() {
            found.push(FieldError::new(
                "/toppings",
                "one topping more than the customer asked for",
            ));
        }
        found
    }

    fn allows(&self, wish: usize, of: &str, other: &str) -> bool {
        same(of, other) || self.instead(wish, of).iter().any(|with| same(with, other))
    }

    fn instead(&self, wish: usize, of: &str) -> &[String] {
        self.substitution(wish, of)
            .map_or(&[], |s| s.with.as_slice())
    }

    fn substitution(&self, wish: usize, of: &str) -> Option<&Substitution> {
        let never = self.never_substitute.iter().any(|never| same(never, of));
        let mut found = self.substitutions.iter();
        found.find(|s| !never && s.item == wish && same(&s.of, of))
    }

    /// What of an item the customer must not get.
    fn forbidden(&self, item: &Item) -> Vec<FieldError> {
        let toppings = item.toppings.iter().enumerate();
        let toppings = toppings.map(|(at, text)| (format!("/toppings/{at}"), text));
        let others = [("/name", &item.name), ("/crust", &item.crust)];
        let others = others
            .into_iter()
            .filter_map(|(pointer, text)| Some((pointer.to_owned(), text.as_ref()?)));
        toppings
            .chain(others)
            .filter(|(_, text)| self.allergens.iter().any(|allergen| holds(text, allergen)))
            .map(|(pointer, _)| {
                FieldError::new(
                    pointer,
                    format!("the customer is allergic to it and must never get it; {ADVICE}"),
                )
            })
            .collect()
    }
}

const NOT_ASKED_FOR: &str = "is not what was asked for";

/// Whether every topping and the crust are those asked for, without a substitution.
fn is_literal(wanted: &Item, item: &Item) -> bool {
    let has = |topping: &String| item.toppings.iter().any(|other| same(topping, other));
    let crust = wanted
        .crust
        .as_ref()
        .is_none_or(|crust| item.crust.as_ref().is_some_and(|c| same(crust, c)));
    wanted.toppings.iter().all(has) && crust && (wanted.size.is_none() || wanted.size == item.size)
}

/// Whether a text names the allergen, and not that it is left out: "peanut free", "no peanuts".
pub(super) fn holds(text: &str, allergen: &str) -> bool {
    let said = Spoken::parse(text);
    let left_out = |at: &std::ops::Range<usize>| {
        said.is_one_of(at.end, &["free"])
            || at.start > 0 && said.is_one_of(at.start - 1, &["no", "without"])
    };
    said.find(allergen).iter().any(|at| !left_out(at))
}

/// Whether two texts are the same in their one spelling; "thin" is "thin crust".
pub(super) fn same(a: &str, b: &str) -> bool {
    let (a, b) = (Spoken::parse(a), Spoken::parse(b));
    let len = |said: &Spoken| {
        said.len() - usize::from(said.len() > 1 && said.is_word(said.len() - 1, "crust"))
    };
    len(&a) == len(&b) && (0..len(&a)).all(|at| a.same(at, &b, at))
}

fn wrong_fields(fields: &[(&str, bool)]) -> Vec<FieldError> {
    let wrong = fields.iter().filter(|(_, is_wrong)| *is_wrong);
    wrong
        .map(|(pointer, _)| {
            FieldError::new(
                *pointer,
                "must be as in the customer's order; say and record exactly that",
            )
        })
        .collect()
}

#[cfg(test)]
mod tests;
