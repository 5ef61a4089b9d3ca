//! Have two records launches in common? A glob may name a record twice, or one that was merged and those that
//! it was made of; their launches would count double.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::Given;
use crate::record::{Launch, Record};

/// The places of two records that hold the same launch.
pub fn same_launches(given: &[Given]) -> Option<(usize, usize)> {
    let mut known: HashMap<u64, usize> = HashMap::new();
    for (index, each) in given.iter().enumerate() {
        for launch in each.record.launches.iter().filter(|l| l.failure.is_none()) {
            let first = *known
                .entry(fingerprint(&each.record, launch))
                .or_insert(index);
            if first != index {
                return Some((first, index));
            }
        }
    }
    None
}

/// Have two records a launch in common?
pub fn share_launches(first: &Record, second: &Record) -> bool {
    let prints = |record: &Record| -> HashSet<u64> {
        let worked = record.launches.iter().filter(|l| l.failure.is_none());
        worked.map(|launch| fingerprint(record, launch)).collect()
    };
    !prints(first).is_disjoint(&prints(second))
}

/// Times are known to the nanosecond, so no two launches agree in all of this. Block and time of day are not
/// in it: whoever merges records may have to change them.
fn fingerprint(record: &Record, launch: &Launch) -> u64 {
    let mut hasher = DefaultHasher::new();
    let scenario = record.suite.scenarios.get(launch.arm.scenario);
    scenario.map(|each| &each.name).hash(&mut hasher);
    launch.arm.role.hash(&mut hasher);
    let (times, usage) = (&launch.times, &launch.usage);
    (
        times.ready,
        times.accept,
        times.import,
        times.exit,
        times.wall,
    )
        .hash(&mut hasher);
    (usage.user, usage.system, usage.cpu_ready).hash(&mut hasher);
    (
        usage.peak_memory_kib,
        usage.minor_faults,
        usage.voluntary_switches,
    )
        .hash(&mut hasher);
    hasher.finish()
}
