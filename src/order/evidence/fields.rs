//! The fields of an order: how each is said, how well it must be proven, and what asks for it.

use super::Proof;
use super::lines::Said;
use crate::order::mention::{self, Mention, Part};
use crate::order::spoken::Spoken;
use crate::order::state::{DeliveryMethod, Item, OrderState};
use crate::order::transcript::Role;

/// A field of the order.
pub(super) struct Field {
    pub(super) pointer: String,
    pub(super) needed: Proof,
    /// What to read back, for the model.
    pub(super) read_back: String,
    /// Who asks with one of these has not got it yet.
    pub(super) asked_by: &'static [&'static str],
    what: What,
}

/// What a field is.
#[derive(Clone, Copy)]
enum What {
    Item(usize),
    Part(usize, Part),
    Phone,
    Name,
    Method,
    Address,
    Street,
    City,
    State,
    Zip,
}

impl Field {
    /// The item that it is, or is a part of.
    pub(super) fn item(&self) -> Option<usize> {
        match self.what {
            What::Item(at) | What::Part(at, _) => Some(at),
            _ => None,
        }
    }

    /// What a turn of this speaker says of the field.
    pub(super) fn mention(&self, order: &OrderState, said: &Said, role: Role) -> Option<Mention> {
        let Said { words: said, items } = said;
        let customer = order.customer.as_ref();
        let address = order.address.as_ref();
        match self.what {
            What::Item(at) => items.item(at),
            What::Part(at, part) => items.part(said, &order.items, at, part),
            What::Phone => mention::phone(said, &customer?.phone),
            What::Name => mention::name(said, &customer?.name, role),
            What::Method => mention::method(said, order.delivery_method?),
            // A shop that has it picked up brings it nowhere.
            What::Address | What::Street | What::City | What::State | What::Zip
                if role == Role::Shop && not_delivered(said).is_some() =>
            {
                not_delivered(said)
            }
            What::Address => mention::address(said, address?),
            What::Street => mention::street(said, &address?.street),
            What::City => mention::city(said, address?),
            What::State => mention::state(said, address?),
            What::Zip => mention::zip(said, address?),
        }
    }
}

fn not_delivered(said: &Spoken) -> Option<Mention> {
    mention::method(said, DeliveryMethod::Delivery).filter(|mention| !mention.says)
}

/// The items as a whole.
pub(super) fn items(order: &OrderState) -> impl Iterator<Item = Field> {
    let fields = of(order).into_iter();
    fields.filter(|field| matches!(field.what, What::Item(_)))
}

const ASKS_ITEM: [&str; 8] = [
    "what size",
    "which size",
    "how many",
    "what topping",
    "which topping",
    "what kind",
    "what crust",
    "what was the order",
];
const ASKS_PHONE: [&str; 5] = [
    "phone",
    "telephone",
    "callback",
    "your number",
    "the number",
];
const ASKS_NAME: [&str; 4] = ["what name", "the name", "your name", "last name"];
const ASKS_ADDRESS: [&str; 7] = [
    "address",
    "what street",
    "which street",
    "where to",
    "house number",
    "apartment",
    "zip",
];
const ASKS_METHOD: [&str; 3] = ["delivery or pickup", "pickup or delivery", "is that for"];

/// Every field that the order has, the amounts apart. A part of an item or of an address is reported
/// by itself; what must be proven is the whole, said in one turn.
pub(super) fn of(order: &OrderState) -> Vec<Field> {
    let mut fields = Vec::new();
    let mut push = |pointer: String, what, needed, asked_by, read_back: &str| {
        fields.push(Field {
            pointer,
            needed,
            read_back: read_back.to_owned(),
            asked_by,
            what,
        });
    };
    for (at, item) in order.items.iter().enumerate() {
        let words = describe_item(item);
        let whole = format!("/order/items/{at}");
        push(
            whole.clone(),
            What::Item(at),
            Proof::Proven,
            &ASKS_ITEM[..],
            &words,
        );
        for (name, part) in parts(item) {
            let pointer = format!("{whole}/{name}");
            push(
                pointer,
                What::Part(at, part),
                Proof::Unproven,
                &ASKS_ITEM,
                &words,
            );
        }
    }
    if let Some(customer) = &order.customer {
        let pointer = |part: &str| format!("/order/customer/{part}");
        let words = format!("phone {}", customer.phone);
        push(
            pointer("phone"),
            What::Phone,
            Proof::Proven,
            &ASKS_PHONE,
            &words,
        );
        // Not every shop wants a name: it has to be right if one was said.
        let words = format!("the name {}", customer.name);
        push(
            pointer("name"),
            What::Name,
            Proof::Unproven,
            &ASKS_NAME,
            &words,
        );
    }
    if let Some(method) = order.delivery_method {
        // An address that was read back says "delivery" by itself; pickup has to be said.
        let (needed, words) = match method {
            DeliveryMethod::Delivery => (Proof::Unproven, "that it is for delivery"),
            DeliveryMethod::Pickup => (Proof::Stated, "that it is for pickup"),
        };
        let pointer = "/order/delivery_method".to_owned();
        push(pointer, What::Method, needed, &ASKS_METHOD, words);
    }
    if let (Some(DeliveryMethod::Delivery), Some(address)) = (order.delivery_method, &order.address)
    {
        let words = format!(
            "delivery to {}, {}, {}",
            address.street, address.city, address.zip
        );
        // The street finds the house where the town is clear: the others must not be wrong.
        for (part, what, needed) in [
            ("", What::Address, Proof::Proven),
            ("/street", What::Street, Proof::Proven),
            ("/city", What::City, Proof::Unproven),
            ("/state", What::State, Proof::Unproven),
            ("/zip", What::Zip, Proof::Unproven),
        ] {
            let pointer = format!("/order/address{part}");
            push(pointer, what, needed, &ASKS_ADDRESS, &words);
        }
    }
    fields
}

fn parts(item: &Item) -> Vec<(String, Part)> {
    let mut parts = vec![("quantity".to_owned(), Part::Quantity)];
    let optional = [
        ("name", item.name.is_some(), Part::Name),
        ("size", item.size.is_some(), Part::Size),
        ("crust", item.crust.is_some(), Part::Crust),
        ("notes", item.notes.is_some(), Part::Notes),
    ];
    let there = optional.into_iter().filter(|(_, is_there, _)| *is_there);
    parts.extend(there.map(|(name, _, part)| (name.to_owned(), part)));
    let toppings = (0..item.toppings.len()).map(|at| (format!("toppings/{at}"), Part::Topping(at)));
    parts.extend(toppings);
    parts
}

fn describe_item(item: &Item) -> String {
    let mut words = vec![item.quantity.to_string()];
    words.extend(item.size.map(|size| size.spoken().to_owned()));
    words.extend(item.name.clone());
    words.extend(
        item.crust
            .clone()
            .map(|crust| format!("with {crust} crust")),
    );
    if !item.toppings.is_empty() {
        words.push(format!("with {}", item.toppings.join(", ")));
    }
    words.extend(item.notes.clone());
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_are_in_the_one_spelling() {
        let lists: [&[&str]; 5] = [
            &ASKS_ITEM,
            &ASKS_PHONE,
            &ASKS_NAME,
            &ASKS_ADDRESS,
            &ASKS_METHOD,
        ];
        for phrase in lists.concat() {
            let said = Spoken::parse(phrase);
            assert_eq!(said.find_any(&[phrase]).len(), 1, "{phrase}");
        }
    }
}
