//! From a record to contrasts, the noise floor, break-even and verdicts. Never launches anything.

mod model;

pub use model::*;
