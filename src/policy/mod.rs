//! May we dial, did we dial already, and what may be shown. Pure decisions.

pub mod account;
pub mod erasure;
pub mod gate;
pub mod idempotency;
pub mod number_plan;
pub mod quiet;
pub mod redact;
pub mod secret;
