//! From a record to contrasts, the noise floor, break-even and verdicts. Never launches anything.

mod model;

pub use model::*;

/// stub
#[derive(Debug)]
pub struct Interim {}
impl Interim {
    pub fn is_within(&self, _: f64) -> bool {
        false
    }
}
pub fn interim(_: &crate::suite::Suite, _: &[crate::record::Launch]) -> Interim {
    Interim {}
}
