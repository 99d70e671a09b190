//! Ids that look like the real ones and never repeat.

use std::sync::atomic::{AtomicU64, Ordering};

static NEXT: AtomicU64 = AtomicU64::new(1);

/// A new id, such as `item_9E3779B97F4A7C15`.
pub fn new(prefix: &str) -> String {
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    // An odd factor is a bijection: the ids are scattered and yet distinct.
    format!("{prefix}_{:016X}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))
}
