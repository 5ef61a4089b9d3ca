//! From launches to pairs: which launch of one arm stands beside which launch of another.
//!
//! A block counts for a contrast when both of its launches gave the metric. A failure in one arm
//! drops that block from the pair, and from that pair only: to keep the other arm's time, or to
//! drop the block everywhere, would let one arm's failures choose what the others are judged by.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::record::format::StopReason;
use crate::record::{Arm, Launch, Record, Role};
use crate::suite::{LaunchKind, Metric, Suite};

/// The launches of a run, by arm and kind, each in the order of the blocks.
///
/// Built in O(n log n) and O(n) memory, whatever numbers the blocks carry.
#[derive(Debug)]
pub struct Blocks<'a> {
    suite: &'a Suite,
    by_arm: BTreeMap<(Arm, LaunchKind), Vec<&'a Launch>>,
    /// Launches whose place in their block was taken already.
    repeated: u32,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// After a whole block.
    Whole,
    /// Perhaps in the middle of one.
    BrokenOff,
    /// Perhaps in the middle of several, as shards did that are put together; but no arm sat out, so a
    /// block is complete that holds them all.
    OfShards,
}

impl Ending {
    /// By what the record says of it.
    pub fn of(record: &Record) -> Self {
        if record.header.has_whole_blocks() {
            return Self::OfShards;
        }
        match record.end.as_ref().map(|end| end.stop_reason) {
            Some(
                StopReason::Precision
                | StopReason::Decided
                | StopReason::Budget
                | StopReason::MaxBlocks,
            ) => Self::Whole,
            Some(StopReason::Interrupted | StopReason::Failures) | None => Self::BrokenOff,
        }
    }
}

/// What two arms have in common.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    /// The metric, (from, to), in the order of the blocks. Both are above zero.
    pub times: Vec<(Duration, Duration)>,
    /// The block of each of them.
    pub blocks: Vec<u32>,
    /// CPU time, (from, to), where both sides count it up to the same moment.
    pub cpu: Vec<(Duration, Duration)>,
    /// Blocks in which both were launched and at least one gave no time.
    pub dropped: u32,
}

impl Pairs {
    /// To minus from, milliseconds, in the order of the blocks.
    pub fn differences_ms(&self) -> Vec<f64> {
        differences_ms(&self.times)
    }

    /// The times of the first arm, milliseconds.
    pub fn first_ms(&self) -> Vec<f64> {
        self.times.iter().map(|(from, _)| ms(*from)).collect()
    }

    /// Both times in milliseconds.
    pub fn both_ms(&self) -> Vec<(f64, f64)> {
        let both = |(from, to): &(Duration, Duration)| (ms(*from), ms(*to));
        self.times.iter().map(both).collect()
    }
}

impl<'a> Blocks<'a> {
    /// Sorts the launches of a record, or of as much of it as there is yet.
    pub fn new(suite: &'a Suite, launches: &'a [Launch]) -> Self {
        let mut by_arm: BTreeMap<_, Vec<&Launch>> = BTreeMap::new();
        for launch in launches {
            by_arm
                .entry((launch.arm, launch.kind))
                .or_default()
                .push(launch);
        }
        let mut repeated = 0;
        for series in by_arm.values_mut() {
            // Stable, and fast on what is sorted already, which a record is.
            series.sort_by_key(|launch| launch.block);
            let before = series.len();
            series.dedup_by_key(|launch| launch.block);
            repeated += (before - series.len()) as u32;
        }
        Self {
            suite,
            by_arm,
            repeated,
        }
    }

    /// The suite that was measured.
    pub fn suite(&self) -> &'a Suite {
        self.suite
    }

    /// Launches that are left out because their block holds one like them already.
    pub fn repeated(&self) -> u32 {
        self.repeated
    }

    /// An arm's launches of one kind, in the order of the blocks.
    pub fn launches(&self, arm: Arm, kind: LaunchKind) -> &[&'a Launch] {
        self.by_arm.get(&(arm, kind)).map_or(&[], Vec::as_slice)
    }

    /// An arm's launches that gave the metric, in the order of the blocks.
    pub fn measured(&self, arm: Arm, metric: Metric) -> impl Iterator<Item = (&'a Launch, f64)> {
        self.launches(arm, metric.launch_kind())
            .iter()
            .filter_map(move |launch| Some((*launch, ms(time(launch, metric)?))))
    }

    /// The arm of that name.
    pub fn arm(&self, scenario: &str) -> Option<Arm> {
        let position = |name| self.suite.scenarios.iter().position(|s| s.name == name);
        position(scenario).map(|scenario| Arm {
            scenario,
            role: Role::Itself,
        })
    }

    /// The baseline's twin.
    pub fn twin(&self) -> Option<Arm> {
        let baseline = self.arm(&self.suite.measure.baseline)?;
        Some(Arm {
            role: Role::Twin,
            ..baseline
        })
    }

    /// Every arm of a run: each scenario, and the baseline's twin.
    pub fn planned_arms(&self) -> Vec<Arm> {
        let scenarios = 0..self.suite.scenarios.len();
        let itself = scenarios.map(|scenario| Arm {
            scenario,
            role: Role::Itself,
        });
        itself.chain(self.twin()).collect()
    }

    /// How many blocks came to their end: those that hold the baseline and its twin, for each kind of
    /// launch that the metrics need. What else was to be launched in a block, none says; so where the
    /// run broke off, its last block must hold as many launches as the one before.
    pub fn complete(&self, ending: Ending) -> u32 {
        let mut launched: BTreeMap<u32, (usize, usize)> = BTreeMap::new();
        let baseline = self.arm(&self.suite.measure.baseline);
        let always: Vec<Arm> = baseline.into_iter().chain(self.twin()).collect();
        for ((arm, _), launches) in &self.by_arm {
            for launch in launches {
                let (all, of_baseline) = launched.entry(launch.block).or_default();
                *all += 1;
                *of_baseline += usize::from(always.contains(arm));
            }
        }
        let wanted = always.len() * self.suite.launch_kinds().len();
        let planned = self.planned_arms().len() * self.suite.launch_kinds().len();
        if ending == Ending::OfShards {
            return launched.values().filter(|(all, _)| *all == planned).count() as u32;
        }
        let mut latest = launched.values().rev();
        let last = latest.next();
        let before = latest.next().map_or(planned, |(all, _)| *all);
        let cut_off = ending == Ending::BrokenOff
            && last.is_some_and(|(all, held)| *held == wanted && *all < before);
        let held = launched.values().filter(|(_, held)| *held == wanted);
        held.count() as u32 - u32::from(cut_off)
    }

    /// How many blocks an arm sat out: those in which the twin was launched, and this arm was not.
    /// Where the run broke off, its last block says nothing about it. In shards none sits out.
    pub fn sat_out(&self, arm: Arm, kind: LaunchKind, ending: Ending) -> u32 {
        if ending == Ending::OfShards {
            return 0;
        }
        let blocks = |arm| self.launches(arm, kind).iter().map(|launch| launch.block);
        let there: BTreeSet<u32> = blocks(arm).collect();
        let twin: Vec<u32> = self.twin().into_iter().flat_map(blocks).collect();
        let end = match ending {
            Ending::Whole | Ending::OfShards => twin.len(),
            Ending::BrokenOff => twin.len().saturating_sub(1),
        };
        let missing = twin[..end].iter().filter(|block| !there.contains(block));
        missing.count() as u32
    }

    /// The pairs of two arms, by one walk along both.
    pub fn pairs(&self, from: Arm, to: Arm, metric: Metric) -> Pairs {
        let kind = metric.launch_kind();
        let (mut left, mut right) = (self.launches(from, kind), self.launches(to, kind));
        let mut pairs = Pairs::default();
        while let ([a, left_rest @ ..], [b, right_rest @ ..]) = (left, right) {
            if a.block <= b.block {
                left = left_rest;
            }
            if b.block <= a.block {
                right = right_rest;
            }
            if a.block != b.block {
                continue;
            }
            let (Some(from), Some(to)) = (time(a, metric), time(b, metric)) else {
                pairs.dropped += 1;
                continue;
            };
            pairs.times.push((from, to));
            pairs.blocks.push(a.block);
            // CPU time until readiness and CPU time until the end are not the same thing.
            if a.usage.cpu_ready.is_some() == b.usage.cpu_ready.is_some() {
                pairs.cpu.push((a.usage.cpu(), b.usage.cpu()));
            }
        }
        pairs
    }
}

/// The metric, if the launch gave it. A failed launch gives none, whatever its line holds, and
/// nothing starts in no time at all.
pub fn time(launch: &Launch, metric: Metric) -> Option<Duration> {
    match launch.failure {
        Some(_) => None,
        None => launch.times.metric(metric).filter(|time| !time.is_zero()),
    }
}

/// Milliseconds.
pub fn ms(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

/// To minus from, milliseconds.
pub fn differences_ms(pairs: &[(Duration, Duration)]) -> Vec<f64> {
    // Subtracted in whole nanoseconds, converted afterwards: differences that are equal must
    // come out equal to the last bit, or the rank tests would not see their ties.
    let difference = |(from, to): &(Duration, Duration)| {
        (to.as_nanos() as i128 - from.as_nanos() as i128) as f64 / 1e6
    };
    pairs.iter().map(difference).collect()
}
