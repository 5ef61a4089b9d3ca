//! Does it matter when a launch came: its place in the block, and its place in the run?
//!
//! Contrasts are not harmed by either, as the order is shuffled and pairs stand in one block. Both
//! widen intervals, and say how far the figures of single scenarios hold.

use std::collections::BTreeMap;

use super::blocks::Blocks;
use super::model::{Drift, Order};
use super::words;
use crate::record::Record;
use crate::stats::describe::{lag1_autocorrelation, median};
use crate::stats::drift::{Placed, PositionEffect, over_run_order, position_effect};
use crate::suite::Metric;

/// Below this p-value an effect is said to be there: one run in a thousand shows it by chance.
const P_VALUE: f64 = 0.001;
/// Neighbouring launches that resemble each other this much are no independent sample.
const MOST_AUTOCORRELATION: f64 = 0.3;
/// Standard errors (1/√n each) that an autocorrelation must be away from chance.
const AUTOCORRELATION_ERRORS: f64 = 3.0;
/// A change over the run that is worth a word.
const LEAST_CHANGE: f64 = 0.02;

/// Both effects, for each metric.
pub fn orders(record: &Record, blocks: &Blocks) -> Vec<Order> {
    let metrics = record.suite.measure.metrics.iter();
    metrics
        .map(|&metric| Order {
            metric,
            position: position(blocks, metric),
            drift: drift(record, blocks, metric),
        })
        .collect()
}

/// Friedman's test on the launches of a block that gave the metric, in their order.
fn position(blocks: &Blocks, metric: Metric) -> Option<PositionEffect> {
    let mut by_block: BTreeMap<u32, Vec<(u32, Placed)>> = BTreeMap::new();
    for (index, arm) in blocks.planned_arms().into_iter().enumerate() {
        for (launch, value) in blocks.measured(arm, metric) {
            let placed = Placed { arm: index, value };
            let block = by_block.entry(launch.block).or_default();
            block.push((launch.position, placed));
        }
    }
    let placed: Vec<Vec<Placed>> = by_block
        .into_values()
        .map(|mut block| {
            block.sort_by_key(|(position, _)| *position);
            block.into_iter().map(|(_, placed)| placed).collect()
        })
        .collect();
    position_effect(&placed)
}

/// Of the baseline's launches, which are one in each block. Those of several shards have no order in
/// common.
fn drift(record: &Record, blocks: &Blocks, metric: Metric) -> Option<Drift> {
    if record.header.is_merged() {
        return None;
    }
    let arm = blocks.arm(&record.suite.measure.baseline)?;
    let times: Vec<f64> = blocks.measured(arm, metric).map(|(_, time)| time).collect();
    let correlation = over_run_order(&times)?;
    // At least 10 launches have a correlation, so a quarter has two.
    let quarter = times.len() / 4;
    let first = median(&times[..quarter])?;
    let last = median(&times[times.len() - quarter..])?;
    Some(Drift {
        launches: times.len() as u64,
        rho: correlation.rho,
        p_value: correlation.p_value,
        lag1: lag1_autocorrelation(&times)?,
        change: last / first - 1.0,
    })
}

/// Where they stand out. Drift is one of the machine, so one metric is enough.
pub fn warnings(record: &Record, orders: &[Order]) -> Vec<String> {
    let drifts = orders.iter().filter_map(|order| order.drift.as_ref());
    let mut all: Vec<String> = drifts
        .take(1)
        .filter_map(|drift| drifted(&record.suite.measure.baseline, drift))
        .collect();
    all.extend(orders.iter().filter_map(out_of_place));
    all
}

fn drifted(baseline: &str, drift: &Drift) -> Option<String> {
    let chance = AUTOCORRELATION_ERRORS / (drift.launches as f64).sqrt();
    let alike = drift.lag1 > MOST_AUTOCORRELATION && drift.lag1 > chance;
    let trend = drift.p_value < P_VALUE && drift.change.abs() > LEAST_CHANGE;
    let mut seen = Vec::new();
    if alike {
        seen.push(format!(
            "one launch of {baseline} is like the one before it (lag-1 autocorrelation {})",
            words::fixed(drift.lag1, 2)
        ));
    }
    if trend {
        let word = if drift.change > 0.0 { "longer" } else { "less" };
        seen.push(format!(
            "the last quarter of the launches of {baseline} took {} {word} than the first",
            words::percent(drift.change.abs())
        ));
    }
    (!seen.is_empty()).then(|| {
        format!(
            "the machine's speed drifted during the run: {}; contrasts are not harmed, as they are \
             paired within blocks, but medians of single scenarios are those of this hour",
            words::list(&seen, seen.len())
        )
    })
}

fn out_of_place(order: &Order) -> Option<String> {
    let (metric, effect) = (order.metric, order.position.as_ref()?);
    if effect.p_value >= P_VALUE {
        return None;
    }
    let ranks = effect.mean_ranks.iter().enumerate();
    let (slowest, _) = ranks.max_by(|a, b| a.1.total_cmp(b.1))?;
    let advice = match slowest {
        0 => {
            "; what comes before them, between blocks or as a launch of the other kind, slows them down: \
             look for what works in the background"
        }
        _ => "; a launch leaves work behind for the next one: look for what it starts or writes",
    };
    Some(format!(
        "the place within a block matters ({metric}; p = {}): launches at place {} are slowest, by \
         {} ms; contrasts are not harmed, as the order is shuffled, but are noisier for it{advice}",
        words::p_value(effect.p_value),
        slowest + 1,
        words::significant(effect.offsets.get(slowest).copied()?),
    ))
}
