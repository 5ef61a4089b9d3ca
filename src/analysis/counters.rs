//! What was counted and not timed: instructions of launches made for it, and the kernel's counters
//! of the timed ones.
//!
//! A count repeats where a time does not, so there is no interval here, only how far the counts of
//! one scenario lie apart: (greatest − least) / median.

use super::model::{CountContrast, CountSummary, Counting, LaunchCounts};
use super::words;
use crate::record::{Count, Instructions, Launch, Record, Role};
use crate::stats::describe::median;
use crate::suite::LaunchKind;

/// Counts of one scenario that lie no further apart repeat well enough to be compared.
pub const REPEATABLE_WITHIN: f64 = 0.001;

impl CountSummary {
    /// Do its counts repeat? `None`: there is only one.
    pub fn is_repeatable(&self) -> Option<bool> {
        Some(self.spread? <= REPEATABLE_WITHIN)
    }
}

impl Counting {
    /// Do the counts of all scenarios repeat? `None`: there is one that was counted only once, or
    /// there is none.
    pub fn is_repeatable(&self) -> Option<bool> {
        let all = self.instructions.iter().map(CountSummary::is_repeatable);
        let all: Option<Vec<bool>> = all.collect();
        all.filter(|all| !all.is_empty())
            .map(|all| all.into_iter().all(|repeatable| repeatable))
    }
}

/// `None` for a record that says nothing of counters: those of older builds.
pub fn counting(record: &Record) -> Option<Counting> {
    let kernel = record.header.counters.clone()?;
    let instructions = summaries(record);
    Some(Counting {
        kernel,
        contrasts: contrasts(record, &instructions),
        instructions,
        launches: launches(record),
    })
}

/// (scenario, kind), in the suite's order.
fn cells(record: &Record) -> Vec<(usize, LaunchKind)> {
    let kinds = record.suite.launch_kinds();
    let scenarios = 0..record.suite.scenarios.len();
    kinds
        .into_iter()
        .flat_map(|kind| scenarios.clone().map(move |scenario| (scenario, kind)))
        .collect()
}

fn counts_of(
    record: &Record,
    scenario: usize,
    kind: LaunchKind,
) -> impl Iterator<Item = &Count> + Clone {
    let counts = record.counts.iter();
    counts.filter(move |count| count.scenario == scenario && count.kind == kind)
}

fn instructions_of(
    record: &Record,
    scenario: usize,
    kind: LaunchKind,
) -> impl Iterator<Item = &Instructions> + Clone {
    counts_of(record, scenario, kind).filter_map(|count| count.outcome.as_ref().ok())
}

fn name(record: &Record, scenario: usize) -> &str {
    let scenario = record.suite.scenarios.get(scenario);
    scenario.map_or("", |scenario| scenario.name.as_str())
}

/// Instructions of each scenario and kind of launch, in the suite's order.
pub(super) fn summaries(record: &Record) -> Vec<CountSummary> {
    let summary = |(scenario, kind)| {
        let counts: Vec<f64> = instructions_of(record, scenario, kind)
            .map(|counted| counted.count as f64)
            .collect();
        let middle = median(&counts)?;
        let least = counts.iter().copied().fold(f64::INFINITY, f64::min);
        let greatest = counts.iter().copied().fold(0.0, f64::max);
        Some(CountSummary {
            scenario: name(record, scenario).to_owned(),
            kind,
            launches: counts.len() as u32,
            median: middle,
            least,
            greatest,
            spread: (counts.len() > 1 && middle > 0.0).then(|| (greatest - least) / middle),
        })
    };
    cells(record).into_iter().filter_map(summary).collect()
}

/// Of the same pairs of scenarios as the contrasts of times, each kind of launch once.
fn contrasts(record: &Record, summaries: &[CountSummary]) -> Vec<CountContrast> {
    let mut all: Vec<CountContrast> = Vec::new();
    for spec in record.suite.contrasts() {
        let kind = spec.metric.launch_kind();
        let of = |name: &str| {
            let mut summaries = summaries.iter();
            summaries.find(|each| each.scenario == name && each.kind == kind)
        };
        let is_known = all.iter().any(|known| {
            known.baseline == spec.from && known.scenario == spec.to && known.kind == kind
        });
        let (Some(from), Some(to), false) = (of(&spec.from), of(&spec.to), is_known) else {
            continue;
        };
        if from.least > 0.0 {
            all.push(CountContrast {
                baseline: spec.from.clone(),
                scenario: spec.to.clone(),
                kind,
                ratio: to.median / from.median,
                least: to.least / from.greatest,
                greatest: to.greatest / from.least,
            });
        }
    }
    all
}

/// Medians over the timed launches that did not fail, the twin's not among them.
fn launches(record: &Record) -> Vec<LaunchCounts> {
    let cells = cells(record).into_iter();
    cells
        .filter_map(|(scenario, kind)| {
            let launches = || {
                let launches = record.launches.iter();
                launches.filter(move |launch| {
                    launch.arm.scenario == scenario
                        && launch.arm.role == Role::Itself
                        && launch.kind == kind
                        && launch.failure.is_none()
                })
            };
            let median_of = |count: fn(&Launch) -> Option<u64>| {
                let counts = launches().filter_map(count);
                median(&counts.map(|count| count as f64).collect::<Vec<_>>())
            };
            let counts = LaunchCounts {
                scenario: name(record, scenario).to_owned(),
                kind,
                instructions: median_of(|launch| launch.usage.counted.instructions),
                cycles: median_of(|launch| launch.usage.counted.cycles),
                page_faults: median_of(|launch| launch.usage.counted.page_faults),
            };
            let none = (None, None, None);
            ((counts.instructions, counts.cycles, counts.page_faults) != none).then_some(counts)
        })
        .collect()
}

/// What limits the counts.
pub fn warnings(record: &Record) -> Vec<String> {
    let mut all = Vec::new();
    if let Some(counter) = record.suite.measure.counter
        && record.counts.is_empty()
    {
        all.push(format!(
            "{} were to be counted, and were not: the run ended before",
            counter.name()
        ));
    }
    for (scenario, kind) in cells(record) {
        let what = format!("{} ({} launches)", name(record, scenario), kind.name());
        let failures = counts_of(record, scenario, kind)
            .filter_map(|count| count.outcome.as_ref().err())
            .next();
        if let Some(failure) = failures {
            all.push(format!(
                "instructions of {what} could not be counted: {failure}"
            ));
        }
        let counted = instructions_of(record, scenario, kind);
        let forked = counted.clone().map(|counted| counted.forked).max();
        if let Some(forked) = forked.filter(|&forked| forked > 0) {
            all.push(format!(
                "{what} fork {}: valgrind's count of a forked process begins with its parent's up to \
                 the fork, so the sum is too high",
                words::count(forked.into(), "process", "processes")
            ));
        }
        let running = counted.filter_map(|counted| counted.running);
        if let Some(running) = running.reduce(f64::min) {
            all.push(format!(
                "the counter of instructions ran for {} of the time only, as others use the \
                 machine's counters too: counts of {what} are estimates",
                words::percent(running)
            ));
        }
    }
    for summary in summaries(record) {
        let what = format!("{} ({} launches)", summary.scenario, summary.kind.name());
        match summary.spread {
            Some(spread) if spread > REPEATABLE_WITHIN => all.push(format!(
                "instructions of {what} do not repeat: {} launches lie {} apart, where counts \
                 that are compared should repeat to {}; does the app's work depend on the time, on \
                 threads, on what it finds outside, or on the hash seed, which is not held fixed under \
                 -I and -E?",
                summary.launches,
                words::percent(spread),
                words::percent(REPEATABLE_WITHIN)
            )),
            None => all.push(format!(
                "instructions of {what} were counted once: whether the count repeats is not known"
            )),
            Some(_) => {}
        }
    }
    all
}
