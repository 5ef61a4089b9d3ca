//! Which arms are launched in the next blocks, and which sit out.
//!
//! An arm whose contrasts are all settled costs time and tells nothing more. So it sits out, and the
//! budget goes to the contrasts that are still open. The baseline and its twin never do. The order
//! among those that stay is the plan's, so as random as before; and each contrast is computed from
//! the blocks in which both of its arms were launched, so that it stays paired.
//!
//! With fixed-sample intervals nothing but their width decides about it, as about the end of a run:
//! for each contrast it is the same stopping rule, applied to it alone.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::analysis::{Interim, Standing, Width};
use crate::record::{Arm, Role};
use crate::suite::Suite;

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Outlook {
    pub blocks: u32,
    /// Since the first block began.
    pub elapsed: Duration,
}

/// The scenarios that take part in a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    /// Indices of scenarios.
    sitting_out: BTreeSet<usize>,
}

impl Roster {
    /// All of them.
    pub fn whole() -> Self {
        Self {
            sitting_out: BTreeSet::new(),
        }
    }

    /// Those that a contrast needs which is not settled. Where the time left is too short for all of
    /// them, claims come first, then effects that are not clear yet.
    pub fn of(suite: &Suite, interim: &Interim, outlook: Outlook) -> Self {
        let rank = |width: &&Width| {
            let mut claims = suite.claimed_contrasts();
            match width.standing {
                _ if claims.any(|contrast| contrast.is_between(&width.contrast)) => 0,
                Standing::Open => 1,
                Standing::Clear | Standing::Settled => 2,
            }
        };
        let mut open: Vec<&Width> = interim.open().collect();
        open.sort_by_key(rank);
        let ranks = open.chunk_by(|a, b| rank(a) == rank(b));
        let mut needed: Vec<&Width> = Vec::new();
        for same in ranks {
            let more = [needed.as_slice(), same].concat();
            if !needed.is_empty() && !is_enough_for(&more, suite, outlook) {
                break;
            }
            needed = more;
        }
        let names = |name: &str| {
            let mut contrasts = needed.iter().map(|width| &width.contrast);
            name == suite.measure.baseline
                || contrasts.any(|contrast| contrast.from == name || contrast.to == name)
        };
        let scenarios = suite.scenarios.iter().enumerate();
        Self {
            sitting_out: scenarios
                .filter(|(_, scenario)| !names(&scenario.name))
                .map(|(index, _)| index)
                .collect(),
        }
    }

    /// Is this arm launched?
    pub fn has(&self, arm: Arm) -> bool {
        arm.role == Role::Twin || !self.sitting_out.contains(&arm.scenario)
    }
}

/// Will the time left make all of these narrow enough? An interval's width falls with the square
/// root of the number of blocks.
fn is_enough_for(open: &[&Width], suite: &Suite, outlook: Outlook) -> bool {
    let measure = &suite.measure;
    let per_block = outlook.elapsed.as_secs_f64() / f64::from(outlook.blocks.max(1));
    let left = measure.budget.saturating_sub(outlook.elapsed).as_secs_f64();
    open.iter().all(|width| {
        let reached = width.half_width.unwrap_or(f64::INFINITY);
        let times = (reached / measure.precision.get()).powi(2) - 1.0;
        f64::from(width.blocks) * times * per_block <= left
    })
}
