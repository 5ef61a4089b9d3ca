//! Warnings on the machine: its conditions, steal time, heat, disturbed launches, memory, modes.

use super::blocks::Blocks;
use super::conditions::{self, MOST_STEAL};
use super::disturbance;
use super::model::{Disturbance, Order};
use super::order;
use super::shards;
use super::words;
use crate::record::{Record, Sitting};
use crate::stats::modality::is_multimodal;

/// Of the machine's memory; beyond it a launch may push out what the next one needs.
const MOST_MEMORY: f64 = 0.5;
/// What the machine did to the figures, as far as the record shows it.
pub fn warnings(
    record: &Record,
    blocks: &Blocks,
    disturbed: &Disturbance,
    orders: &[Order],
) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(shards::of_sittings(record, |sitting| {
        let conditions = conditions::warnings(sitting);
        let meanwhile = beside_others(sitting).into_iter().chain(heat(sitting));
        conditions.chain(meanwhile).collect()
    }));
    all.extend(steal(record));
    all.extend(disturbance::warning(disturbed));
    all.extend(order::warnings(record, orders));
    all.extend(modes(record, blocks));
    all.extend(memory(record, blocks));
    all
}

fn beside_others(sitting: &Sitting) -> Option<String> {
    let end = sitting.end?;
    let (beside, blocks) = (end.blocks_beside_others, u64::from(end.blocks));
    (beside > 0).then(|| {
        format!(
            "another coldsnake was running on the machine during {} of {}: the two disturbed each \
             other; measure one after the other",
            words::thousands(beside.into()),
            words::count(blocks, "block", "blocks")
        )
    })
}

fn heat(sitting: &Sitting) -> Option<String> {
    let before = sitting.host.heat_throttles?;
    let times = sitting.end?.heat_throttles?.saturating_sub(before);
    (times > 0).then(|| {
        format!(
            "the CPU was slowed down for its heat {} during the run: let it cool, or switch turbo \
             off",
            words::count(times, "time", "times")
        )
    })
}

/// Steal is the whole machine's, so it is held against wall time × CPUs.
fn steal(record: &Record) -> Option<String> {
    let (mut stolen, mut passed) = (0.0, 0.0);
    for launch in &record.launches {
        stolen += launch.usage.steal.as_secs_f64();
        let cpus = f64::from(record.header.host_of(launch.block).all_cpus());
        passed += launch.times.wall.as_secs_f64() * cpus;
    }
    let share = stolen / passed;
    (share.is_finite() && share > MOST_STEAL).then(|| {
        format!(
            "the hypervisor gave {} of the machine's time to others while launches ran (steal): \
             wall times are longer and noisier than they would be; CPU times are less affected",
            words::percent(share)
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
    let there = record.header.host_of(greatest.block).memory_mib;
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
