//! Keys that the agent may press on a telephone.

use super::payment;
use thiserror::Error;

/// The most keys and pauses at once.
const MAX_DIGITS: usize = 32;

/// Keys to press, in this order: 0-9, * and #; a comma is a pause of half a second.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Digits(String);

/// These may not be pressed.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
pub enum DigitsError {
    /// None, or too many.
    #[error("must be 1 to {MAX_DIGITS} keys")]
    Length,
    /// A character that is no key.
    #[error("must be of the keys 0-9, *, # and , (a pause of half a second)")]
    Key,
    /// A card number, however it is spread over the keys.
    #[error("must not be payment data")]
    Card,
}

impl Digits {
    /// Checks the keys.
    ///
    /// # Errors
    /// What they must be instead.
    pub fn parse(keys: &str) -> Result<Self, DigitsError> {
        let is_key = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | ',');
        if !keys.chars().all(is_key) {
            return Err(DigitsError::Key);
        }
        if !(1..=MAX_DIGITS).contains(&keys.len()) {
            return Err(DigitsError::Length);
        }
        let numbers: String = keys.chars().filter(char::is_ascii_digit).collect();
        if payment::has_card_digits(&numbers) {
            return Err(DigitsError::Card);
        }
        Ok(Self(keys.to_owned()))
    }

    /// The keys as they were given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_and_pauses_are_taken_and_nothing_else() {
        assert_eq!(Digits::parse("1,*#").map(|d| d.as_str().len()), Ok(4));
        for keys in ["", &"1".repeat(33)] {
            assert_eq!(Digits::parse(keys), Err(DigitsError::Length), "{keys}");
        }
        for keys in ["one", "1 2", "A", "٣", "+1"] {
            assert_eq!(Digits::parse(keys), Err(DigitsError::Key), "{keys}");
        }
        for keys in ["4111111111111111", "4111*1111,,,1111#1111"] {
            assert_eq!(Digits::parse(keys), Err(DigitsError::Card), "{keys}");
        }
    }
}
