//! What is compared, and what is claimed of it.

use std::time::Duration;

use super::Metric;
use crate::suite::quantity::{Fraction, Margin};

/// Two scenarios and the metric in which they are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContrastSpec {
    pub from: String,
    pub to: String,
    pub metric: Metric,
}

impl ContrastSpec {
    /// Is the other one about the same two scenarios, in whichever direction?
    pub fn is_between(&self, other: &Self) -> bool {
        let same = self.from == other.from && self.to == other.to;
        let mirrored = self.from == other.to && self.to == other.from;
        self.metric == other.metric && (same || mirrored)
    }
}

/// A statement to be decided.
#[derive(Debug, Clone)]
pub struct Claim {
    pub id: String,
    /// The words of whoever claims it.
    pub text: String,
    pub expectation: Expectation,
}

/// What must be seen for a claim to be supported.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// A paired effect inside bounds.
    Contrast {
        contrast: ContrastSpec,
        effect: Effect,
    },
    /// What a scenario's receipt must show.
    Receipt {
        scenario: String,
        evidence: Evidence,
    },
}

/// Bounds for an effect. A saving is positive when `to` is faster than `from`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// It saves this much, give or take the margin.
    SavesAbout {
        value: Duration,
        margin: Margin,
    },
    /// It costs this much, give or take the margin.
    CostsAbout {
        value: Duration,
        margin: Margin,
    },
    SavesBetween {
        low: Duration,
        high: Duration,
    },
    SavesAtLeast(Duration),
    SavesAtMost(Duration),
    CostsAtMost(Duration),
    /// It does not cost this share of the median of `from`, or more.
    MaxRegression(Fraction),
    /// No effect worth the name: the margin around zero (relative to the median of `from`).
    None {
        margin: Margin,
    },
}

/// Counts and names in a receipt. All that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Exactly these modules of the app are read from a pyc.
    pub cached: Option<Vec<String>>,
    /// Modules of the app that are compiled at each launch.
    pub app_compiled: Option<Count>,
    /// Modules, of whatever origin, that are compiled at each launch.
    pub compiled: Option<Count>,
    /// Pycs written by a launch.
    pub written: Option<Count>,
    /// Pycs below the prefix after a launch.
    pub prefix_pycs: Option<Count>,
    /// Folders named `__pycache__` below the prefix after a launch.
    pub prefix_pycache_folders: Option<Count>,
    /// What the median module takes to compile: CPU time, both ends included.
    pub compile_time: Option<(Duration, Duration)>,
    /// Modules compiled by a second `import` of the app's module in the same process.
    pub second_import_compiled: Option<Count>,
    /// Files opened by it.
    pub second_import_opened: Option<Count>,
    /// Pycs of each module of the app in one tree, after all interpreters of the run.
    pub pycs_per_module: Option<Count>,
}

/// Bounds for a count; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub at_least: u64,
    pub at_most: u64,
}

impl Count {
    /// Does the number lie within the bounds?
    pub fn contains(self, number: u64) -> bool {
        (self.at_least..=self.at_most).contains(&number)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at_least, self.at_most) {
            (low, high) if low == high => write!(formatter, "{low}"),
            (low, u64::MAX) => write!(formatter, "at least {low}"),
            (0, high) => write!(formatter, "at most {high}"),
            (low, high) => write!(formatter, "{low} to {high}"),
        }
    }
}
