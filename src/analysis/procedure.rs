//! By which procedure an effect gets its interval.
//!
//! A run that stops by width may use the interval for a fixed number of blocks: width says nothing
//! about where the interval lies. One that stops as soon as something is decided looks at just
//! that, so it needs an interval that is valid at every look.

use crate::stats::interval::{Estimate, Level};
use crate::stats::sequence::ConfidenceSequence;
use crate::stats::{hodges_lehmann, sequence, signed_rank};
use crate::suite::{Goal, Suite};

/// The statistics of paired differences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Procedure {
    /// Hodges-Lehmann and the signed-rank test, for a number of blocks that no result decides.
    FixedSample,
    /// The confidence sequence, whatever decides when to stop.
    Sequential,
}

impl Procedure {
    /// The one that a suite's stopping rule asks for.
    pub fn of(suite: &Suite) -> Self {
        match suite.measure.until {
            Goal::Precise => Self::FixedSample,
            Goal::Decided => Self::Sequential,
        }
    }

    /// The effect by these differences, in the order of the blocks and in their unit. `None` where
    /// there is no difference.
    pub fn estimate(self, differences: &[f64], level: Level) -> Option<Estimate> {
        match self {
            Self::FixedSample => hodges_lehmann::estimate(differences, level),
            Self::Sequential => sequence::estimate(differences, level),
        }
    }

    /// The ratio of the second to the first of each pair.
    pub fn ratio(self, pairs: &[(f64, f64)], level: Level) -> Option<Estimate> {
        match self {
            Self::FixedSample => hodges_lehmann::ratio(pairs, level),
            Self::Sequential => sequence::ratio(pairs, level),
        }
    }

    /// Of no effect, from 0 to 1. `None` where there is no difference.
    pub fn p_value(self, differences: &[f64]) -> Option<f64> {
        match self {
            Self::FixedSample => Some(signed_rank::test(differences)?.p_value),
            // There is no evidence in a pilot.
            Self::Sequential => (!differences.is_empty()).then(|| {
                ConfidenceSequence::of(differences, Level::P95)
                    .map_or(1.0, |sequence| sequence.p_value())
            }),
        }
    }

    /// So many blocks are needed for an interval, or a few more.
    pub fn smallest_n(self, level: Level) -> usize {
        match self {
            Self::FixedSample => signed_rank::smallest_n(level),
            Self::Sequential => sequence::smallest_n(level),
        }
    }
}
