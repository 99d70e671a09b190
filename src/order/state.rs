//! What the call has established so far. Only checked tool calls change it.

use super::money::Cents;
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
    /// Before taxes and fees.
    pub subtotal: Cents,
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
