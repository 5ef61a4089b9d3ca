//! Which fix is worth what, for one app: each that applies is a scenario, launched in the same blocks
//! as the app as it is now, so that they can be ranked by what they were seen to save.
//!
//! [`fixes`] goes from how the app starts now to scenarios, [`ranking`] from the record of their
//! launches to what each fix saves, costs and needs, and [`steps`] says what to paste.

mod fixes;
mod lines;
mod ranking;
mod steps;

pub use fixes::{Fix, Now, Ownership, PrefixNow, scenarios};
pub use lines::{compileall, prefix_in_unit};
pub use ranking::{Advice, Row, Worth, advice};
pub use steps::{Step, steps};
