//! May we dial, and what may be shown. Pure decisions.

pub mod gate;
pub mod redact;
pub mod secret;
