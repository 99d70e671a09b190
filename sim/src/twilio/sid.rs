//! Identifiers as Twilio makes them: two letters and 32 hexadecimal digits.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A new identifier: `CA` for calls, `MZ` for media streams.
pub fn new(prefix: &str) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let count = NEXT.fetch_add(1, Ordering::Relaxed);
    // A `RandomState` is keyed by the system's randomness: nothing here has to resist an attacker.
    let random = |salt: u64| {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u64(count ^ salt);
        hasher.finish()
    };
    format!("{prefix}{:016x}{:016x}", random(0), random(u64::MAX))
}

#[cfg(test)]
mod tests {
    #[test]
    fn identifiers_have_the_right_form_and_differ() {
        let (a, b) = (super::new("CA"), super::new("CA"));
        assert_ne!(a, b);
        assert_eq!(a.len(), 34);
        assert!(a.starts_with("CA") && a[2..].bytes().all(|c| c.is_ascii_hexdigit()));
    }
}
