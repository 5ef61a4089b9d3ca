//! From a record to contrasts, the noise floor, break-even and verdicts. Never launches anything.
//!
//! [`blocks`] pairs launches; [`contrasts`] estimates effects from the pairs; claims, break-even,
//! findings, validity and warnings are read off those and off the receipts. [`interim`] answers
//! what a running measurement needs to know, [`compare`] holds two records against each other,
//! [`across`] many of them side by side, [`summary`] writes what scripts may rely on, and [`check`] says it in one word.

mod across;
mod blocks;
mod break_even;
mod calibration;
mod check;
mod claims;
mod compare;
mod conditions;
mod contrasts;
mod counters;
mod disturbance;
mod evidence;
mod findings;
mod foreign;
mod guard;
mod interim;
mod machine;
mod model;
mod order;
mod procedure;
mod receipts;
mod regression;
mod scenarios;
mod shards;
mod summary;
#[cfg(test)]
mod tests;
mod validity;
mod verdicts;
mod warnings;
mod words;

pub use across::{
    ACROSS_VERSION, Across, AcrossError, By, Common, Effect, Experiment, Given, LeftOut, Member,
    Pool, Pooled, Row, across,
};
pub use break_even::starts;
pub use calibration::{Calibration, Foretold, Known, Stretch, Truth, calibrate};
pub use check::Outcome;
pub use compare::{Comparison, Difference, Unlike, UnlikeRecords, compare};
pub use conditions::{Condition, conditions};
pub use counters::REPEATABLE_WITHIN;
pub use foreign::{ForeignComparison, ForeignContrast, ForeignRefusal, Side, compare_foreign};
pub use guard::{Guard, GuardError, GuardOutcome, Guarded, Yardstick, guard, guard_records};
pub use interim::{Headline, Interim, Standing, Width, interim};
pub use model::*;
pub use words::{decimals_of, grouped, outwards};

use crate::record::Record;
use blocks::{Blocks, Ending};

/// Everything that can be said of a record. The same record always gives the same analysis.
pub fn analyse(record: &Record) -> Analysis {
    let blocks = Blocks::new(&record.suite, &record.launches);
    // Each takes a second or so for a million launches.
    let ((scenarios, disturbance, order), (noise_floor, contrasts)) = rayon::join(
        || {
            (
                scenarios::summaries(record, &blocks),
                disturbance::disturbance(record),
                order::orders(record, &blocks),
            )
        },
        || {
            (
                contrasts::noise_floor(&blocks),
                contrasts::contrasts(&blocks),
            )
        },
    );
    Analysis {
        // A suite has no name of its own: it is known by the file it came from.
        suite: record.header.suite.origin.clone(),
        app: record.suite.app.name.clone(),
        app_lines: record.header.app_lines,
        seed: record.header.seed,
        blocks: blocks.complete(Ending::of(record)),
        stop_reason: record.end.as_ref().map(|end| end.stop_reason),
        host: record.header.host.clone(),
        interpreters: record.header.interpreters.clone(),
        counting: counters::counting(record),
        break_even: break_even::break_even(record, &blocks),
        claims: claims::decisions(record, &blocks),
        findings: findings::findings(record, &scenarios, &contrasts),
        validity: validity::validity(record, &noise_floor),
        warnings: warnings::warnings(
            record,
            &blocks,
            &scenarios,
            &contrasts,
            &noise_floor,
            (&disturbance, &order),
        ),
        disturbance,
        order,
        scenarios,
        noise_floor,
        contrasts,
    }
}
