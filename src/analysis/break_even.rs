//! After how many starts a prefix has paid back its first one.
//!
//! With `first` the first start under the fix, `warm` each later one, and `from` a start without
//! it, n starts cost first + (n − 1)·warm with the fix and n·from without. They are equal at
//!
//! ```text
//! n = 1 + (first − from) / (from − warm) = 1 + cost / saved
//! ```
//!
//! counted with the first start. Cost and saving are paired Hodges-Lehmann estimates with 95 %
//! intervals; the range of n is taken at the corners, from low cost and high saving to high cost
//! and low saving, which is wider than 95 %.

use super::blocks::{Blocks, Pairs};
use super::model::{BreakEven, Starts};
use super::procedure::Procedure;
use super::receipts::{compiled_in_vain, receipts_of};
use crate::record::Record;
use crate::stats::interval::{Estimate, Level};
use crate::suite::{ContrastSpec, Expectation, Metric, Prefix, Scenario};

/// The balance of each prefix against each scenario that it is a fix for, by the first metric.
pub fn break_even(record: &Record, blocks: &Blocks) -> Vec<BreakEven> {
    let Some(&metric) = record.suite.measure.metrics.first() else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for warm in with_prefix(record, Prefix::Warm) {
        let Some(first) = first_start(record, warm) else {
            continue;
        };
        for from in mended(record, warm) {
            found.extend(balance(blocks, metric, &from.name, &first.name, &warm.name));
        }
    }
    found
}

fn with_prefix(record: &Record, prefix: Prefix) -> impl Iterator<Item = &Scenario> {
    let scenarios = record.suite.scenarios.iter();
    scenarios.filter(move |scenario| scenario.prefix == prefix)
}

/// The first start that belongs to later ones: under the same interpreter, whose pycs are no other's,
/// and as like them as possible, but with an empty prefix.
fn first_start<'a>(record: &'a Record, warm: &Scenario) -> Option<&'a Scenario> {
    let likeness = |scenario: &&Scenario| {
        let same = [
            scenario.source == warm.source,
            scenario.bytecode == warm.bytecode,
            scenario.site_packages == warm.site_packages,
            scenario.stdlib == warm.stdlib,
            scenario.source_on == warm.source_on,
            scenario.prefix_on == warm.prefix_on,
            scenario.page_cache == warm.page_cache,
            scenario.cpu == warm.cpu,
            scenario.flags == warm.flags,
            scenario.env == warm.env,
        ];
        // As a number whose digits are compared from the left: source access counts most.
        same.iter().fold(0, |sum, same| sum * 2 + u32::from(*same))
    };
    // The first of equals, where `max_by_key` takes the last.
    let candidates: Vec<&Scenario> = with_prefix(record, Prefix::Empty)
        .filter(|scenario| scenario.python == warm.python)
        .collect();
    candidates.into_iter().rev().max_by_key(likeness)
}

/// The scenarios that the prefix is a fix for: without one, modules are compiled at every
/// start and cannot be kept. What a claim on the fix compares it with comes first; without
/// any receipt it is all there is to go by.
fn mended<'a>(record: &'a Record, warm: &Scenario) -> Vec<&'a Scenario> {
    let compiles_in_vain = |scenario: &Scenario| {
        let (_, receipts) = receipts_of(record, &scenario.name);
        let mut receipts = receipts.iter();
        receipts.any(|line| compiled_in_vain(line).next().is_some())
    };
    let claimed = |scenario: &Scenario| {
        record.suite.claims.iter().any(|claim| {
            matches!(&claim.expectation, Expectation::Contrast { contrast: ContrastSpec { from, to, .. }, .. }
                if *from == scenario.name && *to == warm.name)
        })
    };
    let unset: Vec<&Scenario> = with_prefix(record, Prefix::Unset).collect();
    let (named, others): (Vec<_>, Vec<_>) = unset.into_iter().partition(|s| claimed(s));
    // Under another interpreter or other flags other bytecode is looked for, and the prefix is no
    // fix for that.
    let others = others
        .iter()
        .filter(|s| s.python == warm.python && s.flags == warm.flags);
    let in_vain: Vec<&Scenario> = named
        .iter()
        .chain(others)
        .copied()
        .filter(|scenario| compiles_in_vain(scenario))
        .collect();
    if in_vain.is_empty() { named } else { in_vain }
}

fn balance(
    blocks: &Blocks,
    metric: Metric,
    from: &str,
    first: &str,
    warm: &str,
) -> Option<BreakEven> {
    let pairs = |a: &str, b: &str| -> Option<Pairs> {
        Some(blocks.pairs(blocks.arm(a)?, blocks.arm(b)?, metric))
    };
    let procedure = Procedure::of(blocks.suite());
    let difference = |pairs: Pairs| procedure.estimate(&pairs.differences_ms(), Level::P95);
    let cost = difference(pairs(from, first)?)?;
    let saved = difference(pairs(warm, from)?)?;
    Some(BreakEven {
        from: from.to_owned(),
        first: first.to_owned(),
        scenario: warm.to_owned(),
        first_start_cost_ms: cost,
        saved_per_start_ms: saved,
        starts: starts(&cost, &saved),
    })
}

/// 1 + cost / saved, and its range at the corners of the two intervals.
pub fn starts(cost: &Estimate, saved: &Estimate) -> Starts {
    // Asked first: where later starts save nothing, a cheap first one is no reason to go on.
    if saved.interval.is_some_and(|saved| saved.high() <= 0.0) {
        return Starts::Never;
    }
    // Without intervals a point estimate may be nothing but noise.
    let (Some(costs), Some(saves)) = (cost.interval, saved.interval) else {
        return Starts::Unknown;
    };
    if saved.estimate <= 0.0 {
        return Starts::Unknown;
    }
    if cost.estimate <= 0.0 {
        return Starts::AtOnce;
    }
    let number = |cost: f64, saved: f64| 1.0 + cost.max(0.0) / saved;
    let high = (saves.low() > 0.0).then(|| number(costs.high(), saves.low()));
    Starts::After {
        estimate: number(cost.estimate, saved.estimate),
        low: number(costs.low(), saves.high()),
        high: high.filter(|high| high.is_finite()),
    }
}
