//! `Idempotency-Key`: a request that is repeated under its key never rings twice.
//!
//! A key is bound to the first body it came with. While that request is under way, and after its
//! call was placed (or may have been), the same request gets the same answer; another body under
//! the key is a conflict. A request after which certainly nothing rang gives its key back.

use sha2::{Digest, Sha256};

/// How long a key is remembered, in ms.
pub const KEEP_MS: u64 = 24 * 60 * 60 * 1000;
/// After so long a request that is still under way was lost, in ms; whether it rang is unknown.
const LOST_AFTER_MS: u64 = 60_000;
/// The longest key, in characters.
const MAX_KEY_CHARS: usize = 255;

/// What is remembered under a key.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Digest of the body the key came with first.
    pub body: String,
    /// When that was, in ms since the Unix epoch.
    pub since: u64,
    /// The SID of the call that was placed, or the id of the one that was queued, once there is one.
    pub sid: Option<String>,
}

impl Entry {
    /// Its request has ended, and whether it rang is not known.
    pub fn lose(&mut self) {
        self.since = self.since.saturating_sub(LOST_AFTER_MS);
    }
}

/// What a request under a key may do.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Claim {
    /// Go ahead: the key is its own now.
    Fresh,
    /// The same, but the call's turn is yet to come.
    Later,
    /// It was answered before, with this call's SID, or the id of one that was queued: answer the same.
    Answered(String),
    /// The first one is still under way.
    UnderWay,
    /// The first one was lost, and may have rung.
    Lost,
    /// The key belongs to another body.
    Conflict,
}

/// Decides about a request under a key.
pub fn claim(entry: Option<&Entry>, body: &str, now: u64) -> Claim {
    match entry {
        Some(entry) if now.saturating_sub(entry.since) >= KEEP_MS => Claim::Fresh,
        Some(entry) if entry.body != body => Claim::Conflict,
        Some(Entry { sid: Some(sid), .. }) => Claim::Answered(sid.clone()),
        Some(entry) if now.saturating_sub(entry.since) >= LOST_AFTER_MS => Claim::Lost,
        Some(_) => Claim::UnderWay,
        None => Claim::Fresh,
    }
}

/// Whether a key can be used: 1 to 255 ASCII characters, spaces among them.
pub fn is_key(key: &str) -> bool {
    (1..=MAX_KEY_CHARS).contains(&key.len())
        && key.bytes().all(|b| b.is_ascii_graphic() || b == b' ')
}

/// SHA-256 in hexadecimal digits: keys and bodies are compared and stored as digests only.
pub fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .fold(String::with_capacity(64), |hex, b| {
            hex + &format!("{b:02x}")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_belongs_to_its_first_request_for_a_day() {
        let under_way = Entry {
            body: "a".into(),
            since: 1_000,
            sid: None,
        };
        let answered = Entry {
            sid: Some("CA1".into()),
            ..under_way.clone()
        };
        for (entry, body, now, expected) in [
            (None, "a", 0, Claim::Fresh),
            (Some(&under_way), "a", 1_001, Claim::UnderWay),
            (Some(&under_way), "b", 1_001, Claim::Conflict),
            (Some(&under_way), "a", 61_000, Claim::Lost),
            (Some(&answered), "a", 61_000, Claim::Answered("CA1".into())),
            (Some(&answered), "b", 61_000, Claim::Conflict),
            (Some(&answered), "b", 1_000 + KEEP_MS, Claim::Fresh),
        ] {
            assert_eq!(claim(entry, body, now), expected, "{body} at {now}");
        }
    }

    #[test]
    fn keys_are_visible_and_short() {
        for good in ["a", "order 17/b", &"x".repeat(255)] {
            assert!(is_key(good), "{good}");
        }
        for bad in ["", "ü", "a\nb", &"x".repeat(256)] {
            assert!(!is_key(bad), "{bad}");
        }
        assert_eq!(
            digest(b""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
    }
}
