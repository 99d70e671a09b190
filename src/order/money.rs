//! Money in whole cents, so that sums and comparisons are exact.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// An amount in the shop's currency, in cents.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct Cents(pub u64);

/// The largest amount an order may have: 100,000.00.
const MAX: f64 = 100_000.0;

impl Cents {
    /// An amount written as a decimal number, such as 20.1; `None` if it is negative, has more than
    /// two decimals, or is beyond every order.
    pub fn from_decimal(value: f64) -> Option<Self> {
        if !(0.0..=MAX).contains(&value) {
            return None;
        }
        let cents = (value * 100.0).round();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "bounded by MAX above"
        )]
        let whole = cents as u64;
        ((value * 100.0 - cents).abs() < 1e-6).then_some(Self(whole))
    }

    /// As a decimal number, for JSON.
    #[expect(
        clippy::cast_precision_loss,
        reason = "amounts are bounded far below 2^52"
    )]
    pub fn to_decimal(self) -> f64 {
        self.0 as f64 / 100.0
    }
}

/// As people write it, such as 20.10.
impl fmt::Display for Cents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Cents {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_f64(self.to_decimal())
    }
}

impl<'de> Deserialize<'de> for Cents {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Self::from_decimal(f64::deserialize(from)?)
            .ok_or_else(|| serde::de::Error::custom("not an amount of money"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_become_exact_cents() {
        for (decimal, cents) in [
            (0.0, Some(0)),
            (17.5, Some(1750)),
            (20.1, Some(2010)),
            (0.29, Some(29)),
            (1.005, None),
            (-1.0, None),
            (1e9, None),
            (f64::NAN, None),
        ] {
            assert_eq!(Cents::from_decimal(decimal), cents.map(Cents), "{decimal}");
        }
        assert_eq!(serde_json::to_string(&Cents(2010)).unwrap(), "20.1");
    }
}
