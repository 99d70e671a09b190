//! Ids that look like the real ones and never repeat on one server.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes the ids of a server; cheap to clone. Two servers make the same ones in the same order, so
/// that a call in virtual time can be played again byte for byte.
#[derive(Clone)]
pub struct Ids(Arc<AtomicU64>);

impl Ids {
    /// None made yet.
    pub fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1)))
    }

    /// A new id, such as `item_9E3779B97F4A7C15`.
    pub fn next(&self, prefix: &str) -> String {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        // An odd factor is a bijection: the ids are scattered and yet distinct.
        format!("{prefix}_{:016X}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}
