//! What is left of a call that was erased: that it was, and when. Nothing private.

use crate::timestamp::timestamp;

/// How a tombstone begins; no outcome does.
const BEGINS: &str = r#"{"status":"erased","#;

/// What a listing shows of it.
pub const SUMMARY: &str = r#"{"status":"erased"}"#;

/// What stands in place of an outcome; `id` is the call's SID, or the id of one that never got so far.
pub fn tombstone(id: &str, now: u64) -> String {
    let time = timestamp(now).unwrap_or_default();
    format!(r#"{BEGINS}"callId":"{id}","erasedAt":"{time}"}}"#)
}

/// Whether this is what is left of a call that was erased.
pub fn is_tombstone(json: &str) -> bool {
    json.starts_with(BEGINS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_says_what_was_erased_and_when() {
        let json = tombstone("CA0123456789abcdef0123456789abcdef", 1_795_348_800_000);
        assert_eq!(
            json,
            r#"{"status":"erased","callId":"CA0123456789abcdef0123456789abcdef","erasedAt":"2026-11-22T12:00:00Z"}"#
        );
        assert!(is_tombstone(&json));
        assert!(!is_tombstone(r#"{"schemaVersion":1,"status":"erased"}"#));
    }
}
