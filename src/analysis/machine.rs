//! Warnings on the machine: drift, position in the block, steal time, load, memory, modes.

use std::collections::BTreeMap;

use super::blocks::Blocks;
use super::words;
use crate::record::Record;
use crate::stats::describe::lag1_autocorrelation;
use crate::stats::drift::{Placed, position_effect};
use crate::stats::modality::is_multimodal;
use crate::suite::Metric;

/// Of the machine's time; more than this is another guest's doing and worth knowing.
const MOST_STEAL: f64 = 0.02;
/// Of the machine's memory; beyond it a launch may push out what the next one needs.
const MOST_MEMORY: f64 = 0.5;
/// Below this p-value the position in the block is said to matter: one run in a thousand.
const POSITION_P_VALUE: f64 = 0.001;
/// Neighbouring launches that resemble each other this much are no independent sample.
const MOST_AUTOCORRELATION: f64 = 0.3;
/// Standard errors (1/√n each) that an autocorrelation must be away from chance.
const AUTOCORRELATION_ERRORS: f64 = 3.0;

/// What the machine did to the figures, as far as the record shows it.
pub fn warnings(record: &Record, blocks: &Blocks) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(load(record));
    all.extend(steal(record));
    if let Some(&metric) = record.suite.measure.metrics.first() {
        all.extend(drift(record, blocks, metric));
        all.extend(position(blocks, metric));
    }
    all.extend(modes(record, blocks));
    all.extend(memory(record, blocks));
    all
}

fn load(record: &Record) -> Option<String> {
    let host = &record.header.host;
    (host.cpus > 0 && host.load_1min > f64::from(host.cpus)).then(|| {
        format!(
            "the machine was busy when the run started: load {} on {}",
            words::significant(host.load_1min),
            words::count(host.cpus.into(), "CPU", "CPUs")
        )
    })
}

/// Steal is the whole machine's, so it is held against wall time × CPUs.
fn steal(record: &Record) -> Option<String> {
    let (mut stolen, mut passed) = (0.0, 0.0);
    for launch in &record.launches {
        stolen += launch.usage.steal.as_secs_f64();
        passed += launch.times.wall.as_secs_f64();
    }
    let share = stolen / (passed * f64::from(record.header.host.cpus.max(1)));
    (share.is_finite() && share > MOST_STEAL).then(|| {
        format!(
            "the hypervisor gave {} of the machine's time to others while launches ran (steal): \
             wall times are longer and noisier than they would be; CPU times are less affected",
            words::percent(share)
        )
    })
}

fn drift(record: &Record, blocks: &Blocks, metric: Metric) -> Option<String> {
    let baseline = &record.suite.measure.baseline;
    let times = blocks.measured(blocks.arm(baseline)?, metric);
    let times: Vec<f64> = times.map(|(_, time)| time).collect();
    let lag1 = lag1_autocorrelation(&times)?;
    let chance = AUTOCORRELATION_ERRORS / (times.len() as f64).sqrt();
    (lag1 > MOST_AUTOCORRELATION && lag1 > chance).then(|| {
        format!(
            "the machine's speed drifted during the run: one launch of {baseline} is like the one \
             before it (lag-1 autocorrelation {}); contrasts are not harmed, as they are paired \
             within blocks, but medians of single scenarios are those of this hour",
            words::fixed(lag1, 2)
        )
    })
}

fn position(blocks: &Blocks, metric: Metric) -> Option<String> {
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
    let effect = position_effect(&placed)?;
    (effect.p_value < POSITION_P_VALUE).then(|| {
        let slowest = effect
            .mean_ranks
            .iter()
            .enumerate()
            .max_by(|a, b| a.1.total_cmp(b.1))
            .map_or(0, |(index, _)| index + 1);
        format!(
            "the place within a block matters ({metric}; p = {}): launches at place {slowest} are \
             slowest; contrasts are not harmed, as the order is shuffled, but are noisier for it",
            words::p_value(effect.p_value)
        )
    })
}

fn modes(record: &Record, blocks: &Blocks) -> Vec<String> {
    let mut all = Vec::new();
    for &metric in &record.suite.measure.metrics {
        let several = |name: &str| {
            let times = blocks.measured(blocks.arm(name)?, metric);
            is_multimodal(&times.map(|(_, time)| time).collect::<Vec<_>>())
        };
        let scenarios = record.suite.scenarios.iter().map(|s| &s.name);
        let names: Vec<String> = scenarios
            .filter(|name| several(name) == Some(true))
            .cloned()
            .collect();
        if !names.is_empty() {
            all.push(format!(
                "the times of {} ({metric}) have more than one mode: no single figure describes \
                 them, look at their distribution",
                words::list(&names, names.len())
            ));
        }
    }
    all
}

fn memory(record: &Record, blocks: &Blocks) -> Option<String> {
    let launches = record.launches.iter();
    let greatest = launches.max_by_key(|launch| launch.usage.peak_memory_kib)?;
    let used = greatest.usage.peak_memory_kib / 1024;
    let there = record.header.host.memory_mib;
    let scenario = blocks.suite().scenarios.get(greatest.arm.scenario)?;
    (there > 0 && used as f64 > MOST_MEMORY * there as f64).then(|| {
        format!(
            "a launch of {} used {} MiB of the machine's {}: paging may have slowed it",
            scenario.name,
            words::thousands(used),
            words::thousands(there)
        )
    })
}
