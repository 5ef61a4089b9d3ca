//! Sentences on what limits the figures: how the run ended, which launches failed, and what the
//! machine was doing meanwhile.

use super::blocks::{Blocks, Ending, Pairs, time};
use super::contrasts::{level, pairs};
use super::counters;
use super::interim::{half_width, interim};
use super::machine;
use super::model::{Contrast, Disturbance, Order, ScenarioSummary};
use super::procedure::Procedure;
use super::shards;
use super::validity::{doubtful_twin, name};
use super::words;
use crate::record::format::StopReason;
use crate::record::{Arm, Record, Role};
use crate::suite::{ContrastSpec, Goal, LaunchKind, Metric};

/// Line numbers or names that are given; the rest is counted.
const MOST_NAMES: usize = 8;

/// All warnings, in the order of how much they take away.
pub fn warnings(
    record: &Record,
    blocks: &Blocks,
    summaries: &[ScenarioSummary],
    contrasts: &[Contrast],
    noise_floor: &[Contrast],
    (disturbed, orders): (&Disturbance, &[Order]),
) -> Vec<String> {
    let mut all = Vec::new();
    all.extend(ending(record));
    all.extend(shards::warnings(record));
    all.extend(revisions(record));
    all.extend(damage(record, blocks));
    all.extend(failures(record));
    all.extend(nothing_measured(record, summaries));
    all.extend(dropped_blocks(record, blocks));
    all.extend(too_few_blocks(record, contrasts));
    all.extend(not_precise(record, contrasts));
    all.extend(sitting_out(record, blocks));
    if noise_floor.is_empty() && !contrasts.is_empty() {
        all.push("the baseline's twin gave nothing: there is no noise floor".to_owned());
    }
    all.extend(noise_floor.iter().filter_map(doubtful_twin));
    all.extend(machine::warnings(record, blocks, disturbed, orders));
    all.extend(counters::warnings(record));
    all
}

/// What is not of the revision that a scenario names.
fn revisions(record: &Record) -> Vec<String> {
    let of_revisions = record.header.revisions.iter().flat_map(|each| &each.notes);
    let mut all: Vec<String> = of_revisions.cloned().collect();
    let untracked = record
        .header
        .working_tree
        .as_ref()
        .map(|tree| tree.untracked);
    if let Some(untracked) = untracked.filter(|count| *count > 0) {
        all.push(format!(
            "{} below the app's folders git does not know: they are there at every revision, and so \
             are those that it ignores",
            words::count(untracked, "file", "files")
        ));
    }
    all
}

fn ending(record: &Record) -> Option<String> {
    if record.header.is_merged() {
        // Of each of them it is said apart.
        return None;
    }
    match record.end.as_ref().map(|end| end.stop_reason) {
        None => Some("the record breaks off: the run was killed before it came to its end".into()),
        Some(StopReason::Interrupted) => Some("the run was interrupted".into()),
        Some(StopReason::Failures) => {
            Some("the run was stopped because the app failed to launch too often".into())
        }
        Some(
            StopReason::Precision
            | StopReason::Decided
            | StopReason::Budget
            | StopReason::MaxBlocks,
        ) => None,
    }
}

fn damage(record: &Record, blocks: &Blocks) -> Vec<String> {
    let mut all = Vec::new();
    let lines: Vec<String> = record.damaged.iter().map(|d| d.line.to_string()).collect();
    if let (Some(first), false) = (record.damaged.first(), lines.is_empty()) {
        let word = if lines.len() == 1 { "line" } else { "lines" };
        all.push(format!(
            "{word} {} of the record cannot be read and {} left out: {}",
            words::list(&lines, MOST_NAMES),
            if lines.len() == 1 { "is" } else { "are" },
            first.reason
        ));
    }
    if blocks.repeated() > 0 {
        all.push(format!(
            "{} left out, as the same block holds one like it before: was the record put together \
             from several?",
            words::count(blocks.repeated().into(), "launch is", "launches are")
        ));
    }
    all
}

/// Failures of each arm: of the twin apart, as its failures are the baseline's.
fn failures(record: &Record) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::<(usize, Role), (u64, u64, &str)>::new();
    for launch in &record.launches {
        let key = (launch.arm.scenario, launch.arm.role);
        let (launches, failed, reason) = counts.entry(key).or_default();
        *launches += 1;
        if let Some(failure) = &launch.failure {
            *failed += 1;
            if reason.is_empty() {
                *reason = failure;
            }
        }
    }
    let failed = counts.into_iter().filter(|(_, (_, failed, _))| *failed > 0);
    failed
        .map(|((scenario, role), (launches, failed, reason))| {
            format!(
                "{failed} of {} of {} failed ({}), the first with: {reason}",
                words::count(launches, "launch", "launches"),
                name(record, scenario, role),
                words::percent(failed as f64 / launches as f64)
            )
        })
        .collect()
}

fn nothing_measured(record: &Record, summaries: &[ScenarioSummary]) -> Vec<String> {
    let mut all = Vec::new();
    for summary in summaries {
        for &metric in &record.suite.measure.metrics {
            if !summary.metrics.iter().any(|each| each.metric == metric) {
                all.push(format!(
                    "no launch of {} gave the metric {metric}: its contrasts are missing",
                    summary.name
                ));
            }
        }
    }
    all
}

/// Blocks that a contrast cannot use, as one of its two launches failed.
fn dropped_blocks(record: &Record, blocks: &Blocks) -> Vec<String> {
    // Only a launch that gave nothing drops a block; mostly there is none, and no pair to walk.
    let gave_nothing = |metric: &Metric| {
        let mut launches = record.launches.iter();
        launches.any(|it| it.kind == metric.launch_kind() && time(it, *metric).is_none())
    };
    let metrics = record.suite.measure.metrics.iter().copied();
    let metrics: Vec<Metric> = metrics.filter(gave_nothing).collect();
    let mut all = Vec::new();
    let mut tell = |pairs: Pairs, from: &str, to: &str, metric: Metric| {
        if pairs.dropped > 0 && !pairs.times.is_empty() {
            all.push(format!(
                "{} left out of {to} against {from} ({metric}), as one of the two launches gave no \
                 time; {} remain",
                words::count(pairs.dropped.into(), "block is", "blocks are"),
                words::thousands(pairs.times.len() as u64)
            ));
        }
    };
    if let (Some(itself), Some(twin)) = (blocks.arm(&record.suite.measure.baseline), blocks.twin())
    {
        for &metric in &metrics {
            let (from, to) = (
                name(record, itself.scenario, Role::Itself),
                name(record, twin.scenario, Role::Twin),
            );
            tell(blocks.pairs(itself, twin, metric), &from, &to, metric);
        }
    }
    let mut specs = record.suite.contrasts();
    specs.retain(|spec| metrics.contains(&spec.metric));
    for spec in specs {
        tell(pairs(blocks, &spec), &spec.from, &spec.to, spec.metric);
    }
    all
}

fn too_few_blocks(record: &Record, contrasts: &[Contrast]) -> Option<String> {
    // A run until its claims are decided asks nothing of the other contrasts.
    let is_wanted = |contrast: &&Contrast| {
        let mut claimed = record.suite.claimed_contrasts().peekable();
        let own = ContrastSpec {
            from: contrast.baseline.clone(),
            to: contrast.scenario.clone(),
            metric: contrast.metric,
        };
        record.suite.measure.until == Goal::Precise
            || claimed.peek().is_none()
            || claimed.any(|spec| spec.is_between(&own))
    };
    let without = contrasts
        .iter()
        .filter(is_wanted)
        .filter(|c| c.shift_ms.interval.is_none());
    let most = without.clone().map(|contrast| contrast.blocks).max()?;
    let specs = record.suite.contrasts();
    let metrics = record.suite.measure.metrics.iter();
    let needed = metrics
        .map(|&metric| Procedure::of(&record.suite).smallest_n(level(&specs, metric)))
        .max()?;
    Some(format!(
        "{} no interval: at least {} are needed for it, and there are {most}",
        words::count(without.count() as u64, "contrast has", "contrasts have"),
        words::count(needed as u64, "block", "blocks"),
    ))
}

/// The run ended before the intervals were as narrow as asked. Their width falls with the square
/// root of the number of blocks, so the time grows with the square of what is missing.
fn not_precise(record: &Record, contrasts: &[Contrast]) -> Option<String> {
    // A shard alone is not meant to be.
    if record.header.shard.is_some() {
        return None;
    }
    let end = record.end.as_ref()?;
    let why = match end.stop_reason {
        StopReason::Budget => "the time was used up",
        StopReason::MaxBlocks => "the greatest number of blocks was reached",
        StopReason::Precision
        | StopReason::Decided
        | StopReason::Interrupted
        | StopReason::Failures => return None,
    };
    if record.suite.measure.until == Goal::Decided {
        // Shards use up their time in any case.
        if record.header.is_merged() && interim(&record.suite, &record.launches).is_settled() {
            return None;
        }
        return Some(format!("{why} before everything was decided"));
    }
    let asked = record.suite.measure.precision.get();
    let width = |contrast: &Contrast| half_width(&contrast.ratio);
    let (widest, reached) = contrasts
        .iter()
        .filter_map(|contrast| Some((contrast, width(contrast)?)))
        .max_by(|a, b| a.1.total_cmp(&b.1))?;
    if reached <= asked {
        return None;
    }
    let mut sentence = format!(
        "{why} before every interval was as narrow as asked: {} against {} ({}) is known to ± {}, \
         asked was ± {}",
        widest.scenario,
        widest.baseline,
        widest.metric,
        words::percent(reached),
        words::percent(asked)
    );
    if asked > 0.0 {
        let more = (reached / asked).powi(2);
        match end.stop_reason {
            StopReason::MaxBlocks => {
                let blocks = (f64::from(end.blocks) * more).ceil();
                sentence += &format!("; about {} blocks would be needed", words::fixed(blocks, 0));
            }
            _ => {
                let seconds = end.elapsed_s * more;
                let (seconds, each) = match record.header.shards.len() {
                    0 => (seconds, ""),
                    shards => (seconds / shards as f64, " for each shard"),
                };
                sentence += &format!(
                    "; a budget of about {}{each} would be needed",
                    words::about_seconds(seconds)
                );
            }
        }
    }
    Some(sentence)
}

/// Scenarios that were not launched in every block. Their own times are of other moments than the
/// baseline's, unlike their contrasts.
fn sitting_out(record: &Record, blocks: &Blocks) -> Option<String> {
    let ending = Ending::of(record);
    let named: Vec<String> = record
        .suite
        .scenarios
        .iter()
        .filter_map(|scenario| {
            let arm = blocks.arm(&scenario.name)?;
            let kinds = record.suite.launch_kinds();
            let sat_out = kinds
                .iter()
                .map(|kind| blocks.sat_out(arm, *kind, ending))
                .max()?;
            (sat_out > 0).then(|| format!("{} ({sat_out})", scenario.name))
        })
        .collect();
    (!named.is_empty()).then(|| {
        format!(
            "sat out some blocks, as what was asked of them was known, or claims on others came \
             first: {}; their medians are of the blocks before, their shifts and ratios of the \
             blocks in which both were launched",
            words::list(&named, MOST_NAMES)
        )
    })
}

/// The launches of a scenario of both kinds, its twin's not counted, and how many failed.
pub fn launches_of(blocks: &Blocks, arm: Arm) -> (u32, u32) {
    let kinds = [LaunchKind::App, LaunchKind::Import];
    let launches = kinds.iter().flat_map(|kind| blocks.launches(arm, *kind));
    launches.fold((0, 0), |(all, failed), launch| {
        (all + 1, failed + u32::from(launch.failure.is_some()))
    })
}
