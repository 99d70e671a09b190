//! What the call has established so far. Only checked tool calls change it.

use super::money::Cents;
use crate::json::FieldError;
use serde::{Deserialize, Serialize};

/// Size of an item.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Size {
    /// Small.
    Small,
    /// Medium.
    Medium,
    /// Large.
    Large,
    /// Extra large.
    Xl,
}

/// The words of the API and the tools for each size.
pub const SIZES: [(&str, Size); 4] = [
    ("small", Size::Small),
    ("medium", Size::Medium),
    ("large", Size::Large),
    ("xl", Size::Xl),
];

impl Size {
    /// As people say it.
    pub fn spoken(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
            Self::Xl => "extra large",
        }
    }
}

/// Delivery or pickup.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DeliveryMethod {
    /// The shop brings it.
    Delivery,
    /// The customer fetches it.
    Pickup,
}

/// The words of the API and the tools for each way to get the food.
pub const DELIVERY_METHODS: [(&str, DeliveryMethod); 2] = [
    ("delivery", DeliveryMethod::Delivery),
    ("pickup", DeliveryMethod::Pickup),
];

/// One line of an order.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Item {
    /// What it is, where it is no pizza: "garlic bread".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Size, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
    /// Crust, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crust: Option<String>,
    /// Toppings; empty for a plain one.
    pub toppings: Vec<String>,
    /// How many.
    pub quantity: u32,
    /// How it is to be made: "well done".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notes: Option<String>,
}

impl Default for Item {
    fn default() -> Self {
        Self {
            name: None,
            size: None,
            crust: None,
            toppings: Vec::new(),
            quantity: 1,
            notes: None,
        }
    }
}

/// Who the order is for.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Customer {
    /// Name for the order.
    pub name: String,
    /// Phone number the shop may call.
    pub phone: String,
}

/// Where to deliver.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Address {
    /// House number and street.
    pub street: String,
    /// City.
    pub city: String,
    /// State.
    pub state: String,
    /// Postal code.
    pub zip: String,
}

/// What it costs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Totals {
    /// Before taxes and fees, where the shop named it.
    pub subtotal: Option<Cents>,
    /// With taxes and fees.
    pub total: Cents,
}

/// The order as it stands.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct OrderState {
    /// The items.
    pub items: Vec<Item>,
    /// Delivery or pickup.
    pub delivery_method: Option<DeliveryMethod>,
    /// Who it is for.
    pub customer: Option<Customer>,
    /// Where to deliver.
    pub address: Option<Address>,
    /// What it costs, once read back and stated.
    pub totals: Option<Totals>,
}

/// The most items one order may have.
pub const MAX_ITEMS: usize = 20;

impl OrderState {
    /// Saves an item. The same item saved twice in a row is one item: a repeated call is more
    /// likely a model repeating itself than a customer wanting two, and those are a quantity.
    ///
    /// # Errors
    /// A problem for the model, when the item to replace is not there or the order is full.
    pub fn save_item(
        &mut self,
        item: Item,
        replaces: Option<usize>,
    ) -> Result<(), Vec<FieldError>> {
        let unchanged = match replaces {
            Some(position) => match position
                .checked_sub(1)
                .and_then(|at| self.items.get_mut(at))
            {
                Some(place) => std::mem::replace(place, item.clone()) == item,
                None => {
                    return Err(vec![FieldError::new(
                        "/replaces",
                        format!("there are only {} items", self.items.len()),
                    )]);
                }
            },
            None if self.items.contains(&item) => true,
            None if self.items.len() >= MAX_ITEMS => {
                return Err(vec![FieldError::new(
                    "",
                    format!("an order has at most {MAX_ITEMS} items"),
                )]);
            }
            None => {
                self.items.push(item);
                false
            }
        };
        self.forget_totals_unless(unchanged);
        Ok(())
    }

    /// Saves who the order is for.
    pub fn set_customer(&mut self, customer: Customer, delivery_method: DeliveryMethod) {
        let unchanged = self.delivery_method == Some(delivery_method);
        self.customer = Some(customer);
        self.delivery_method = Some(delivery_method);
        self.forget_totals_unless(unchanged);
    }

    /// Saves where to deliver.
    pub fn set_address(&mut self, address: Address) {
        let unchanged = self.address.as_ref() == Some(&address);
        self.address = Some(address);
        self.forget_totals_unless(unchanged);
    }

    /// A total belongs to the order it was stated for.
    fn forget_totals_unless(&mut self, unchanged: bool) {
        if !unchanged {
            self.totals = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_item_is_saved_once_and_a_correction_replaces() {
        let item = |topping: &str| Item {
            size: Some(Size::Large),
            toppings: vec![topping.into()],
            ..Item::default()
        };
        let mut order = OrderState::default();
        order.save_item(item("ham"), None).unwrap();
        order.save_item(item("ham"), None).unwrap();
        assert_eq!(order.items.len(), 1);
        order.save_item(item("olives"), Some(1)).unwrap();
        assert_eq!(order.items, [item("olives")]);
        assert_eq!(
            order.save_item(item("ham"), Some(2)).unwrap_err()[0].pointer,
            "/replaces"
        );
    }

    #[test]
    fn a_changed_order_forgets_its_total() {
        let totals = Totals {
            subtotal: Some(Cents(1)),
            total: Cents(2),
        };
        let item = Item {
            size: Some(Size::Small),
            ..Item::default()
        };
        let mut order = OrderState {
            items: vec![item.clone()],
            totals: Some(totals),
            ..OrderState::default()
        };
        order.save_item(item.clone(), None).unwrap();
        assert_eq!(order.totals, Some(totals));
        order
            .save_item(
                Item {
                    quantity: 2,
                    ..item
                },
                Some(1),
            )
            .unwrap();
        assert_eq!(order.totals, None);
    }
}
