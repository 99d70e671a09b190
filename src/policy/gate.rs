//! Numbers that are never dialled: premium-rate, emergency and short ones.

use crate::twilio::number::E164;

/// Why a number is not dialled.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The call would be charged at a special rate.
    PremiumRate,
    /// An emergency or service number.
    Emergency,
    /// Too short for a subscriber's number in its country.
    ShortNumber,
}

impl Refusal {
    /// What the caller of the API is told.
    pub fn describe(self) -> &'static str {
        match self {
            Self::PremiumRate => "premium-rate numbers are not dialled",
            Self::Emergency => "emergency and service numbers are not dialled",
            Self::ShortNumber => "short numbers are not dialled",
        }
    }
}

/// Prefixes of premium-rate, shared-cost and satellite services: national number plans, and the
/// ITU's international service codes.
const PREMIUM: [&str; 47] = [
    "979", "808", "870", "878", "881", "882", "883", "888", // North America; international
    "449", "44870", "44871", "44872", "44873", "4484", "44118", "4470", // United Kingdom
    "49900", "49137", "49118", "49180", // Germany
    "3389", "33118", "3381", "3382", // France
    "34803", "34806", "34807", "34905", "34907", "34118", // Spain
    "39892", "39894", "39895", "39899", "39144", "39166", // Italy
    "41900", "41901", "41906", "43900", "43930", "43939", // Switzerland, Austria
    "6119", "81990", "31900", "31906", "31909", // Australia, Netherlands
];

/// Whether the number must not be dialled.
pub fn refusal(to: &E164) -> Option<Refusal> {
    let digits = to.digits();
    if let Some(national) = digits.strip_prefix('1') {
        if national.len() != 10 {
            return Some(Refusal::ShortNumber);
        }
        let (area, exchange) = (
            national.get(..3).unwrap_or_default(),
            national.get(3..6).unwrap_or_default(),
        );
        // 211 to 911 are service codes, not area codes.
        if area.ends_with("11") {
            return Some(Refusal::Emergency);
        }
        if area == "900" || area == "976" || exchange == "976" {
            return Some(Refusal::PremiumRate);
        }
    }
    PREMIUM
        .iter()
        .any(|prefix| digits.starts_with(prefix))
        .then_some(Refusal::PremiumRate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shops_are_dialled_and_traps_are_not() {
        for (number, expected) in [
            ("+13105550123", None),
            ("+442079460000", None),
            ("+4930123456", None),
            ("+19005550123", Some(Refusal::PremiumRate)),
            ("+13109765550", Some(Refusal::PremiumRate)),
            ("+449098790000", Some(Refusal::PremiumRate)),
            ("+881612345678", Some(Refusal::PremiumRate)),
            ("+19115550123", Some(Refusal::Emergency)),
            ("+1310555012", Some(Refusal::ShortNumber)),
        ] {
            assert_eq!(refusal(&E164::parse(number).unwrap()), expected, "{number}");
        }
    }
}
