//! Twilio's identifiers: two letters and 32 hexadecimal digits.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Identifier of a call (`CA…`); also the name of its Durable Object.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct CallSid(String);

/// The text is not a SID of the expected kind; the sender's fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not a call SID: expected `CA` and 32 hexadecimal digits")]
pub struct SidError;

impl CallSid {
    /// Parses a call SID.
    pub fn parse(text: &str) -> Result<Self, SidError> {
        if is_sid(text, "CA") {
            Ok(Self(text.to_owned()))
        } else {
            Err(SidError)
        }
    }

    /// The SID as Twilio writes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for CallSid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for CallSid {
    type Error = SidError;

    fn try_from(text: String) -> Result<Self, SidError> {
        Self::parse(&text)
    }
}

impl From<CallSid> for String {
    fn from(sid: CallSid) -> Self {
        sid.0
    }
}

/// Whether the text is a SID with this two-letter prefix.
pub fn is_sid(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|hex| hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_exact_form_is_a_call_sid() {
        assert!(CallSid::parse("CA0123456789abcdef0123456789abcdef").is_ok());
        for bad in [
            "",
            "CA",
            "CA0123456789abcdef0123456789abcde",
            "MZ0123456789abcdef0123456789abcdef",
            "CA0123456789abcdef0123456789abcdeg",
            "CA0123456789abcdef0123456789abcdef0",
            "CA../../0123456789abcdef012345678",
        ] {
            assert_eq!(CallSid::parse(bad), Err(SidError), "{bad}");
        }
    }
}
