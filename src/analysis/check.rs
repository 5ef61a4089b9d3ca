//! One word for the whole analysis, for CI.

use super::model::{Analysis, Validity};
use crate::stats::bounds::Verdict;

/// What a check comes to. Worse things hide better ones, in this order: invalid, refuted,
/// inconclusive, supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Every claim is supported; or there is none, and the record is valid.
    AllSupported,
    /// At least one claim is refuted.
    Refuted,
    /// No claim is refuted, and at least one is undecided.
    Inconclusive,
    /// The measurement itself is not to be believed, so no verdict is.
    Invalid,
}

impl Outcome {
    /// The outcome of an analysis.
    pub fn of(analysis: &Analysis) -> Self {
        let any = |verdict| analysis.claims.iter().any(|claim| claim.verdict == verdict);
        if analysis.validity != Validity::Valid {
            Self::Invalid
        } else if any(Verdict::Refuted) {
            Self::Refuted
        } else if any(Verdict::Inconclusive) {
            Self::Inconclusive
        } else {
            Self::AllSupported
        }
    }
}
