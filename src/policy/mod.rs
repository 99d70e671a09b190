//! May we dial, did we dial already, what may be shown, and to whom. Pure decisions.

pub mod account;
pub mod callback;
pub mod erasure;
pub mod gate;
pub mod idempotency;
pub mod number_plan;
pub mod pace;
pub mod quiet;
pub mod redact;
pub mod secret;
