//! May we dial, did we dial already, and what may be shown. Pure decisions.

pub mod gate;
pub mod idempotency;
pub mod redact;
pub mod secret;
