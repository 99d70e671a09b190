//! Phone numbers in E.164.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A phone number in E.164: `+`, a country code that does not start with 0, 8 to 15 digits in all.
///
/// `Debug` shows only the last two digits, so that a number cannot slip into a log.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct E164(String);

/// The text is not an E.164 number; the sender's fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "must be an E.164 phone number: `+`, then 8 to 15 digits without spaces, such as +13105550123"
)]
pub struct NumberError;

impl E164 {
    /// Parses an E.164 number; spaces, dashes and brackets are refused.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = text.strip_prefix('+').ok_or(NumberError)?;
        let valid = (8..=15).contains(&digits.len())
            && digits.bytes().all(|b| b.is_ascii_digit())
            && !digits.starts_with('0');
        if valid {
            Ok(Self(text.to_owned()))
        } else {
            Err(NumberError)
        }
    }

    /// With the leading `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Without the leading `+`.
    pub fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }
}

impl fmt::Debug for E164 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tail: String = self
            .0
            .chars()
            .skip(self.0.len().saturating_sub(2))
            .collect();
        write!(f, "E164(…{tail})")
    }
}

impl TryFrom<String> for E164 {
    type Error = NumberError;

    fn try_from(text: String) -> Result<Self, NumberError> {
        Self::parse(&text)
    }
}

impl From<E164> for String {
    fn from(number: E164) -> Self {
        number.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_e164_is_a_number() {
        assert!(E164::parse("+13105550123").is_ok());
        assert!(E164::parse("+4930123456").is_ok());
        for bad in [
            "",
            "13105550123",
            "+0310555012",
            "+1310555",
            "+1 310 555 0123",
            "+1310555012345678",
            "+1310555O123",
            "+１３１０５５５０１２３",
        ] {
            assert_eq!(E164::parse(bad), Err(NumberError), "{bad}");
        }
    }

    #[test]
    fn debug_output_hides_the_number() {
        assert_eq!(
            format!("{:?}", E164::parse("+13105550123").unwrap()),
            "E164(…23)"
        );
    }
}
