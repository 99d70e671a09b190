//! What the API shows of a call that was queued.

use super::problem::Problem;
use crate::policy::account::parse_claimed;
use crate::twilio::sid::CallSid;

/// How many digits an id has: 128 bits in hexadecimal.
const ID_DIGITS: usize = 32;

/// Nothing rang.
const NOT_PLACED: &str = "not_placed";
/// Whether it rang is not known.
const UNKNOWN: &str = "unknown";

/// Where a call that was queued stands.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Queued {
    /// Its turn is yet to come: this document.
    Waiting(String),
    /// It is this call by now.
    Placed(CallSid),
    /// It was not placed, or nobody knows: this document says why.
    NotPlaced(String),
    /// It was erased: this document is left.
    Erased(String),
}

/// Whether this may be the id of a call that was queued.
pub fn is_id(text: &str) -> bool {
    text.len() == ID_DIGITS
        && (text.bytes()).all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Reads the state that the account knows; none if it knows no such call.
pub fn read(id: &str, state: &str, base_url: &str) -> Option<Queued> {
    let (word, rest) = state.split_once(' ').unwrap_or((state, ""));
    let (status, problem) = match word {
        "queued" => return Some(Queued::Waiting(waiting(id, base_url))),
        "placed" => return CallSid::parse(rest).ok().map(Queued::Placed),
        "erased" => return Some(Queued::Erased(rest.to_owned())),
        "failed" => (NOT_PLACED, rest.to_owned()),
        "refused" => {
            let reasons = parse_claimed(state)?.err()?;
            (NOT_PLACED, Problem::not_allowed(reasons).to_json())
        }
        "late" => (NOT_PLACED, Problem::waited_too_long().to_json()),
        "unclear" => (UNKNOWN, rest.to_owned()),
        "lost" => (UNKNOWN, Problem::no_answer_from_twilio().to_json()),
        _ => return None,
    };
    Some(Queued::NotPlaced(format!(
        r#"{{"id":"{id}","status":"{status}","problem":{problem}}}"#
    )))
}

/// Where to look for the call.
pub fn url(id: &str, base_url: &str) -> String {
    format!("{base_url}/api/calls/{id}")
}

/// A call whose turn is yet to come. Nothing in it needs escaping.
pub fn waiting(id: &str, base_url: &str) -> String {
    let url = url(id, base_url);
    format!(r#"{{"id":"{id}","status":"queued","url":"{url}"}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    fn shown(state: &str) -> Option<Queued> {
        read(ID, state, "https://h")
    }

    #[test]
    fn every_state_is_shown() {
        let waiting = r#"{"id":"0123456789abcdef0123456789abcdef","status":"queued","url":"https://h/api/calls/0123456789abcdef0123456789abcdef"}"#;
        assert_eq!(shown("queued"), Some(Queued::Waiting(waiting.into())));
        let sid = CallSid::parse(&format!("CA{ID}")).unwrap();
        assert_eq!(shown(&format!("placed CA{ID}")), Some(Queued::Placed(sid)));
        assert_eq!(shown("erased {}"), Some(Queued::Erased("{}".into())));
        for (state, status, expected) in [
            (r#"failed {"a":1}"#, NOT_PLACED, r#""problem":{"a":1}}"#),
            ("refused suppressed -", NOT_PLACED, r#""code":"suppressed""#),
            ("late", NOT_PLACED, "waited-too-long"),
            (r#"unclear {"a":1}"#, UNKNOWN, r#""problem":{"a":1}}"#),
            ("lost", UNKNOWN, "twilio-unreachable"),
        ] {
            let Some(Queued::NotPlaced(json)) = shown(state) else {
                panic!("{state}");
            };
            let parsed: serde_json::Value = serde_json::from_str(&json).unwrap();
            assert_eq!(parsed["status"], status);
            assert!(json.contains(expected), "{json}");
        }
        for unknown in ["", "placed X", "fresh"] {
            assert_eq!(shown(unknown), None);
        }
    }

    #[test]
    fn ids_are_not_sids() {
        assert!(is_id(ID));
        for bad in [
            "",
            "CA0123456789abcdef0123456789abcdef",
            "0123456789ABCDEF0123456789abcdef",
        ] {
            assert!(!is_id(bad), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(state in "(queued|placed|refused|failed|[a-z]*)( [ -~]{0,30})?") {
            let _ = shown(&state);
        }
    }
}
