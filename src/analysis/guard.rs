//! Has a change made starts slower, by so much? For each scenario one answer, with its figures.
//!
//! Of a record that holds both states of the source, the launches are paired, and the answers are
//! those of claims `{ max-regression = … }`. Of two records they are not: whatever happened to the
//! machine in between is part of the difference. Instructions have no interval; the least and the
//! greatest ratio of two counts stand in its place. [`regression`](super::regression) has the rule.

use thiserror::Error;

use super::blocks::Blocks;
use super::claims::on_effect;
use super::compare::{Unlike, UnlikeRecords, differing};
use super::counters::{self, REPEATABLE_WITHIN};
use super::model::{CountSummary, Decision, Pairing, Validity};
use super::regression::{judge, level_of};
use super::{Analysis, words};
use crate::record::Record;
use crate::stats::bounds::Verdict;
use crate::stats::describe::median;
use crate::stats::interval::{Estimate, Interval};
use crate::stats::two_sample;
use crate::suite::quantity::Fraction;
use crate::suite::{Claim, ContrastSpec, Effect, Expectation, LaunchKind, Metric, Suite};

/// What starts are held against each other by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Yardstick {
    Time,
    /// Instructions in user mode, which repeat where times do not.
    Instructions,
}

/// The answers, and what they are about.
#[derive(Debug, Clone)]
pub struct Guard {
    pub app: String,
    /// The share of a start that a change may cost.
    pub bound: Fraction,
    pub yardstick: Yardstick,
    pub pairing: Pairing,
    /// What the state before the change is called: "v1.2", "the baseline".
    pub then: String,
    pub lines: Vec<Guarded>,
    /// Why none of it may be believed; empty, if it may.
    pub invalid: Vec<String>,
    /// Sentences on how far the figures may be trusted.
    pub notes: Vec<String>,
}

/// One scenario by one metric.
#[derive(Debug, Clone)]
pub struct Guarded {
    pub scenario: String,
    /// The metric's name, or that of the launches that were counted.
    pub measured: &'static str,
    /// Medians: milliseconds, or instructions.
    pub then: Option<f64>,
    pub now: Option<f64>,
    /// What the change costs, as a share of a start before it. By instructions the ends are those of
    /// what was seen.
    pub change: Option<Estimate>,
    pub verdict: Verdict,
    /// In words.
    pub reason: String,
}

/// What it comes to. Worse things hide better ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GuardOutcome {
    Invalid,
    Regression,
    Inconclusive,
    NoRegression,
}

/// There is nothing to hold against each other.
#[derive(Debug, Error)]
pub enum GuardError {
    #[error(
        "the record holds one state of the app, and nothing to compare it with\n  give --baseline \
         FILE, or measure both states with `coldsnake check --against GIT-REV`"
    )]
    OneState,
    #[error(
        "the records have no scenario in common\n  save a baseline anew from a run of the same suite"
    )]
    NothingInCommon,
    #[error(
        "instructions were not counted in {which}\n  measure with --counter instructions, or leave the \
         option out"
    )]
    NotCounted { which: &'static str },
    #[error("{0}\n  save a baseline anew, or compare them all the same with --unlike")]
    Unlike(#[from] UnlikeRecords),
}

impl Guard {
    pub fn outcome(&self) -> GuardOutcome {
        let any = |verdict| self.lines.iter().any(|line| line.verdict == verdict);
        if !self.invalid.is_empty() {
            GuardOutcome::Invalid
        } else if any(Verdict::Refuted) {
            GuardOutcome::Regression
        } else if any(Verdict::Inconclusive) {
            GuardOutcome::Inconclusive
        } else {
            GuardOutcome::NoRegression
        }
    }
}

/// The answers of a record that holds both states, held against this bound.
///
/// # Errors
/// When it holds one only, or no instructions were counted where they are the yardstick.
pub fn guard(
    record: &Record,
    analysis: &Analysis,
    bound: Fraction,
    yardstick: Yardstick,
) -> Result<Guard, GuardError> {
    let pairs = pairs(&record.suite);
    let Some(first) = pairs.first() else {
        return Err(GuardError::OneState);
    };
    let then = record
        .suite
        .scenario(&first.from)
        .and_then(|scenario| scenario.revision.clone());
    let lines = match yardstick {
        Yardstick::Time => timed(record, &pairs, bound),
        Yardstick::Instructions => {
            let counts = counters::summaries(record);
            if counts.is_empty() {
                return Err(GuardError::NotCounted { which: "this run" });
            }
            let states = |pair: &ContrastSpec, kind| {
                let of = |name: &str| {
                    let mut counts = counts.iter();
                    counts.find(|each| each.scenario == name && each.kind == kind)
                };
                (of(&pair.from), of(&pair.to))
            };
            counted(&pairs, bound, states)
        }
    };
    Ok(Guard {
        app: record.suite.app.name.clone(),
        bound,
        yardstick,
        pairing: Pairing::Paired,
        then: then.unwrap_or_else(|| first.from.clone()),
        lines,
        invalid: reasons(analysis),
        notes: analysis.warnings.clone(),
    })
}

/// The answers of two records: the second against the first, which is the baseline.
///
/// # Errors
/// When they are of different experiments, unless that is to be labelled; when they have nothing in
/// common, or no instructions were counted where they are the yardstick.
pub fn guard_records(
    first: (&Record, &Analysis),
    second: (&Record, &Analysis),
    bound: Fraction,
    yardstick: Yardstick,
    unlike: Unlike,
) -> Result<Guard, GuardError> {
    let (then, now) = (first.0, second.0);
    let (differences, mut notes) = differing(then, now, unlike)?;
    let both = now.suite.scenarios.iter();
    let both = both.filter(|scenario| then.suite.scenario(&scenario.name).is_some());
    let pairs: Vec<ContrastSpec> = both
        .flat_map(|scenario| {
            let metrics = now.suite.measure.metrics.iter();
            metrics
                .filter(|metric| then.suite.measure.metrics.contains(metric))
                .map(|&metric| ContrastSpec {
                    from: scenario.name.clone(),
                    to: scenario.name.clone(),
                    metric,
                })
        })
        .collect();
    if pairs.is_empty() {
        return Err(GuardError::NothingInCommon);
    }
    let lines = match yardstick {
        Yardstick::Time => uncontrolled(then, now, &pairs, bound),
        Yardstick::Instructions => {
            let (before, after) = (counters::summaries(then), counters::summaries(now));
            for (counts, which) in [(&before, "the baseline"), (&after, "this run")] {
                if counts.is_empty() {
                    return Err(GuardError::NotCounted { which });
                }
            }
            counted(&pairs, bound, |pair, kind| {
                let of = |counts: &'_ [CountSummary]| {
                    let mut counts = counts.iter();
                    counts.position(|each| each.scenario == pair.to && each.kind == kind)
                };
                (
                    of(&before).map(|place| &before[place]),
                    of(&after).map(|place| &after[place]),
                )
            })
        }
    };
    let mut invalid: Vec<String> = reasons(first.1)
        .into_iter()
        .map(|reason| format!("of the baseline: {reason}"))
        .collect();
    invalid.extend(reasons(second.1));
    if differences.is_empty() && yardstick == Yardstick::Instructions {
        // Instructions of the same program do not drift.
        notes.retain(|note| !note.starts_with("uncontrolled"));
    }
    notes.extend(second.1.warnings.iter().cloned());
    Ok(Guard {
        app: now.suite.app.name.clone(),
        bound,
        yardstick,
        pairing: Pairing::Uncontrolled,
        then: "the baseline".to_owned(),
        lines,
        invalid,
        notes,
    })
}

fn reasons(analysis: &Analysis) -> Vec<String> {
    match &analysis.validity {
        Validity::Valid => Vec::new(),
        Validity::Invalid(reasons) => reasons.clone(),
    }
}

/// What a record can be guarded by: what its claims guard, or else each scenario against itself at
/// the baseline's revision.
fn pairs(suite: &Suite) -> Vec<ContrastSpec> {
    let claimed: Vec<ContrastSpec> = suite
        .claims
        .iter()
        .filter_map(|claim| match &claim.expectation {
            Expectation::Contrast {
                contrast,
                effect: Effect::MaxRegression(_),
            } => Some(contrast.clone()),
            Expectation::Contrast { .. } | Expectation::Receipt { .. } => None,
        })
        .collect();
    if !claimed.is_empty() {
        return claimed;
    }
    let scenarios = suite.scenarios.iter();
    let both = scenarios.filter_map(|now| Some((suite.counterpart(now)?, now)));
    both.flat_map(|(then, now)| {
        let metrics = suite.measure.metrics.iter();
        metrics.map(|&metric| ContrastSpec {
            from: then.name.clone(),
            to: now.name.clone(),
            metric,
        })
    })
    .collect()
}

fn timed(record: &Record, pairs: &[ContrastSpec], bound: Fraction) -> Vec<Guarded> {
    let claims: Vec<Claim> = pairs
        .iter()
        .map(|contrast| Claim {
            id: String::new(),
            text: String::new(),
            expectation: Expectation::Contrast {
                contrast: contrast.clone(),
                effect: Effect::MaxRegression(bound),
            },
        })
        .collect();
    // How many are decided together is the suite's to say.
    let suite = Suite {
        claims,
        ..record.suite.clone()
    };
    let blocks = Blocks::new(&suite, &record.launches);
    let middle_of = |name: &str, metric| median(&times(&blocks, name, metric));
    suite
        .claims
        .iter()
        .zip(pairs)
        .map(|(claim, pair)| {
            let decided = on_effect(claim, pair, Effect::MaxRegression(bound), &blocks);
            Guarded {
                scenario: pair.to.clone(),
                measured: pair.metric.name(),
                then: middle_of(&pair.from, pair.metric),
                now: middle_of(&pair.to, pair.metric),
                change: share(&decided),
                verdict: decided.verdict,
                reason: sentence(&decided),
            }
        })
        .collect()
}

/// "costs 8 ms [4, 12], more than nothing for sure, …"
fn sentence(decided: &Decision) -> String {
    format!("{}, {}", decided.measured, decided.reason)
}

/// A saving in milliseconds as a cost in shares.
fn share(decided: &Decision) -> Option<Estimate> {
    let effect = decided.effect.as_ref()?;
    let of = effect.from_median_ms;
    let cost = words::mirrored(&effect.saving_ms);
    (of > 0.0).then(|| scaled(&cost, 1.0 / of))
}

fn scaled(estimate: &Estimate, by: f64) -> Estimate {
    Estimate {
        estimate: estimate.estimate * by,
        interval: estimate
            .interval
            .and_then(|ends| Interval::new(ends.low() * by, ends.high() * by)),
    }
}

fn times(blocks: &Blocks, name: &str, metric: Metric) -> Vec<f64> {
    let arm = blocks.arm(name).into_iter();
    arm.flat_map(|arm| blocks.measured(arm, metric))
        .map(|(_, time)| time)
        .collect()
}

fn uncontrolled(
    then: &Record,
    now: &Record,
    pairs: &[ContrastSpec],
    bound: Fraction,
) -> Vec<Guarded> {
    let before = Blocks::new(&then.suite, &then.launches);
    let after = Blocks::new(&now.suite, &now.launches);
    let level = level_of(pairs.len());
    pairs
        .iter()
        .map(|pair| {
            let first = times(&before, &pair.from, pair.metric);
            let second = times(&after, &pair.to, pair.metric);
            let of = median(&first).filter(|of| *of > 0.0);
            let shift = two_sample::shift(&first, &second, level);
            let change = of.zip(shift).map(|(of, shift)| scaled(&shift, 1.0 / of));
            let (verdict, reason) = by_shares(change.as_ref(), bound);
            Guarded {
                scenario: pair.to.clone(),
                measured: pair.metric.name(),
                then: of,
                now: median(&second),
                change,
                verdict,
                reason,
            }
        })
        .collect()
}

fn counted<'a>(
    pairs: &[ContrastSpec],
    bound: Fraction,
    states: impl Fn(&ContrastSpec, LaunchKind) -> (Option<&'a CountSummary>, Option<&'a CountSummary>),
) -> Vec<Guarded> {
    let mut lines: Vec<Guarded> = Vec::new();
    for pair in pairs {
        let kind = pair.metric.launch_kind();
        let is_known = |line: &Guarded| line.scenario == pair.to && line.measured == kind.name();
        if lines.iter().any(is_known) {
            continue;
        }
        let (then, now) = states(pair, kind);
        let both = then.zip(now).filter(|(then, _)| then.least > 0.0);
        let change = both.map(|(then, now)| Estimate {
            estimate: now.median / then.median - 1.0,
            interval: Interval::new(
                now.least / then.greatest - 1.0,
                now.greatest / then.least - 1.0,
            ),
        });
        let (verdict, mut reason) = by_shares(change.as_ref(), bound);
        let spread = |summary: Option<&CountSummary>| summary.and_then(|each| each.spread);
        let widest = [spread(then), spread(now)].into_iter().flatten();
        if let Some(spread) = widest.reduce(f64::max).filter(|s| *s > REPEATABLE_WITHIN) {
            reason += &format!(
                " (counts of one state lie {} apart)",
                words::percent(spread)
            );
        }
        lines.push(Guarded {
            scenario: pair.to.clone(),
            measured: kind.name(),
            then: then.map(|each| each.median),
            now: now.map(|each| each.median),
            change,
            verdict,
            reason,
        });
    }
    lines
}

/// The verdict on a change that is a share, and why.
fn by_shares(change: Option<&Estimate>, bound: Fraction) -> (Verdict, String) {
    let Some(change) = change else {
        return (Verdict::Inconclusive, "nothing was measured".to_owned());
    };
    let Some(ends) = change.interval else {
        let reason = "there are too few launches for an interval".to_owned();
        return (Verdict::Inconclusive, reason);
    };
    let verdict = judge(change.estimate, ends.low(), ends.high(), bound.get());
    let limit = format!("{} %", words::exact(bound.get() * 100.0));
    let reason = match verdict {
        Verdict::Supported => format!("costs less than {limit} for sure"),
        Verdict::Refuted => {
            format!("costs more than nothing for sure, and {limit} or more as estimated")
        }
        Verdict::Inconclusive if ends.low() > 0.0 => {
            format!("costs more than nothing for sure, and perhaps more than {limit}")
        }
        Verdict::Inconclusive => format!("it may cost nothing, and it may cost {limit} or more"),
    };
    (verdict, reason)
}
