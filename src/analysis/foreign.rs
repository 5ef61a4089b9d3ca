//! Files of other programs against each other, or against a record, benchmark by benchmark.
//!
//! The same two-sample estimates as for [two records](super::compare), and as uncontrolled: nothing
//! pairs the launches. Of hosts and interpreters these files say little or nothing; what both sides say
//! and what differs is no experiment of the same thing, and is refused unless it is asked for.

use serde_json::{Value, json};
use thiserror::Error;

use super::blocks::Blocks;
use super::compare::{Difference, Unlike, UnlikeRecords};
use super::summary::{SUMMARY_VERSION, estimate_json};
use crate::record::Record;
use crate::record::foreign::{Facts, Foreign, Program};
use crate::stats::interval::{Estimate, Level};
use crate::stats::{multiple, two_sample};
use crate::suite::Metric;

/// One of the two things that are compared.
#[derive(Debug, Clone, Copy)]
pub enum Side<'a> {
    Record(&'a Record),
    Foreign(&'a Foreign),
}

/// Two sides, compared.
#[derive(Debug, Clone)]
pub struct ForeignComparison {
    /// What was timed; `None` if a file does not tell.
    pub metric: Option<Metric>,
    pub contrasts: Vec<ForeignContrast>,
    /// What differs between the sides besides their times, as far as both tell.
    pub differences: Vec<Difference>,
    /// Sentences on how far the figures may be trusted.
    pub notes: Vec<String>,
}

/// The second side's benchmark against the first's.
#[derive(Debug, Clone)]
pub struct ForeignContrast {
    /// The names are the same, unless each side has one benchmark only.
    pub first: String,
    pub second: String,
    /// Processes on each side.
    pub launches: (usize, usize),
    /// Second minus first, milliseconds: negative is faster. Simultaneous intervals (95 %).
    pub shift_ms: Estimate,
    /// Second over first.
    pub ratio: Estimate,
    /// Holm-adjusted.
    pub p_value: f64,
}

/// What cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ForeignRefusal {
    #[error(transparent)]
    Unlike(#[from] UnlikeRecords),
    #[error(
        "no benchmark has the same name on both sides\n  the first has {}\n  the second has {}\n  \
         whatever their names, two are compared if each side has one only",
        first.join(", "),
        second.join(", ")
    )]
    NoPair {
        first: Vec<String>,
        second: Vec<String>,
    },
    #[error("no launch of the record gave {metric}, so there is nothing to compare with")]
    NoTimes { metric: Metric },
}

/// One side's launches of one benchmark or scenario.
struct Series {
    name: String,
    times_ms: Vec<f64>,
    metric: Option<Metric>,
    facts: Facts,
    nonzero: usize,
}

/// Compares the second side with the first: benchmarks of the same name, or the only ones.
///
/// # Errors
/// When there is no such pair, or the sides are of different experiments and are not to be labelled.
pub fn compare_foreign(
    first: Side,
    second: Side,
    unlike: Unlike,
) -> Result<ForeignComparison, ForeignRefusal> {
    let before = series(first, second)?;
    let after = series(second, first)?;
    let pairs = pairs(&before, &after);
    if pairs.is_empty() {
        let names = |side: &[Series]| side.iter().map(|each| each.name.clone()).collect();
        return Err(ForeignRefusal::NoPair {
            first: names(&before),
            second: names(&after),
        });
    }
    let differences = differences(&pairs);
    if unlike == Unlike::Refuse && !differences.is_empty() {
        return Err(UnlikeRecords { differences }.into());
    }
    let level = multiple::bonferroni(Level::P95, pairs.len());
    let mut contrasts: Vec<ForeignContrast> = pairs
        .iter()
        .filter_map(|(a, b)| contrast(a, b, level))
        .collect();
    let p_values: Vec<f64> = contrasts.iter().map(|each| each.p_value).collect();
    for (contrast, adjusted) in contrasts
        .iter_mut()
        .zip(multiple::holm(&p_values).unwrap_or(p_values))
    {
        contrast.p_value = adjusted;
    }
    let metrics = |(a, b): &(&Series, &Series)| (a.metric == b.metric).then_some(a.metric)?;
    let metric = pairs.first().and_then(metrics);
    Ok(ForeignComparison {
        metric: metric.filter(|_| pairs.iter().all(|pair| metrics(pair) == metric)),
        notes: notes(first, second, &before, &after, &pairs, &differences),
        contrasts,
        differences,
    })
}

/// What a side holds. A record's metric is the one that the other side timed, if it has it.
fn series(side: Side, other: Side) -> Result<Vec<Series>, ForeignRefusal> {
    let record = match side {
        Side::Record(record) => record,
        Side::Foreign(foreign) => {
            let benchmarks = foreign.benchmarks.iter();
            return Ok(benchmarks
                .map(|each| Series {
                    name: each.name.clone(),
                    times_ms: each.times_ms.clone(),
                    metric: each.metric,
                    facts: each.facts.clone(),
                    nonzero: each.nonzero,
                })
                .collect());
        }
    };
    let Some(metric) = metric(record, other) else {
        return Ok(Vec::new());
    };
    let blocks = Blocks::new(&record.suite, &record.launches);
    let all: Vec<Series> = record
        .suite
        .scenarios
        .iter()
        .filter_map(|scenario| {
            let measured = blocks.measured(blocks.arm(&scenario.name)?, metric);
            let times_ms: Vec<f64> = measured.map(|(_, time)| time).collect();
            (!times_ms.is_empty()).then(|| Series {
                name: scenario.name.clone(),
                times_ms,
                metric: Some(metric),
                facts: facts(record),
                nonzero: 0,
            })
        })
        .collect();
    match all.is_empty() {
        true => Err(ForeignRefusal::NoTimes { metric }),
        false => Ok(all),
    }
}

fn metric(record: &Record, other: Side) -> Option<Metric> {
    let measured = &record.suite.measure.metrics;
    let timed = match other {
        Side::Record(_) => None,
        Side::Foreign(foreign) => foreign.benchmarks.first().and_then(|each| each.metric),
    };
    timed
        .filter(|metric| measured.contains(metric))
        .or_else(|| measured.first().copied())
}

fn facts(record: &Record) -> Facts {
    let header = &record.header;
    Facts {
        // Which of several a scenario has is not worth a refusal.
        interpreter: match header.interpreters.as_slice() {
            [only] => Some(format!("{} {}", only.implementation, only.version)),
            _ => None,
        },
        cpu_model: Some(header.host.cpu_model.clone()).filter(|model| model != "unknown"),
        cpus: Some(u64::from(header.host.all_cpus())),
        hostname: None,
    }
}

fn pairs<'a>(before: &'a [Series], after: &'a [Series]) -> Vec<(&'a Series, &'a Series)> {
    if let ([first], [second]) = (before, after) {
        return vec![(first, second)];
    }
    before
        .iter()
        .filter_map(|a| Some((a, after.iter().find(|b| b.name == a.name)?)))
        .collect()
}

fn contrast(first: &Series, second: &Series, level: Level) -> Option<ForeignContrast> {
    let (a, b) = (&first.times_ms, &second.times_ms);
    Some(ForeignContrast {
        first: first.name.clone(),
        second: second.name.clone(),
        launches: (a.len(), b.len()),
        shift_ms: two_sample::shift(a, b, level)?,
        ratio: two_sample::ratio(a, b, level)?,
        p_value: two_sample::p_value(a, b)?,
    })
}

/// What both sides of a pair say, and differs. Each once.
fn differences(pairs: &[(&Series, &Series)]) -> Vec<Difference> {
    let mut all = Vec::new();
    for (a, b) in pairs {
        let cpus = |facts: &Facts| facts.cpus.map(|cpus| cpus.to_string());
        let metric = |series: &Series| series.metric.map(|metric| metric.to_string());
        for (what, first, second) in [
            ("what is timed", metric(a), metric(b)),
            (
                "interpreter",
                a.facts.interpreter.clone(),
                b.facts.interpreter.clone(),
            ),
            (
                "host's CPU",
                a.facts.cpu_model.clone(),
                b.facts.cpu_model.clone(),
            ),
            ("host's CPUs", cpus(&a.facts), cpus(&b.facts)),
            (
                "host's name",
                a.facts.hostname.clone(),
                b.facts.hostname.clone(),
            ),
        ] {
            if let (Some(first), Some(second)) = (first, second) {
                let difference = Difference {
                    what: what.to_owned(),
                    first,
                    second,
                };
                if difference.first != difference.second && !all.contains(&difference) {
                    all.push(difference);
                }
            }
        }
    }
    all
}

fn notes(
    first: Side,
    second: Side,
    before: &[Series],
    after: &[Series],
    pairs: &[(&Series, &Series)],
    differences: &[Difference],
) -> Vec<String> {
    let mut notes = vec![
        "uncontrolled: the two sides were measured at different times, so the machine's drift between \
         them is part of every difference, and the intervals do not know of it; to be sure, measure \
         both as scenarios of one run"
            .to_owned(),
    ];
    if !differences.is_empty() {
        notes.push(format!(
            "the sides are of different experiments, so a difference may have these reasons, too: {}",
            differences
                .iter()
                .map(Difference::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        ));
    }
    for (side, series, which) in [(first, before, "first"), (second, after, "second")] {
        notes.extend(about(side, series, which));
        for each in series.iter().filter(|each| each.nonzero > 0) {
            notes.push(format!(
                "{} of {} launches of {} ended with another status than 0, and are in the figures",
                each.nonzero,
                each.times_ms.len(),
                each.name
            ));
        }
        let single: Vec<&str> = series
            .iter()
            .filter(|each| {
                !pairs
                    .iter()
                    .any(|(a, b)| a.name == each.name || b.name == each.name)
            })
            .map(|each| each.name.as_str())
            .collect();
        if !single.is_empty() {
            notes.push(format!("only the {which} has {}", single.join(", ")));
        }
    }
    notes
}

/// What a side's times are, and what its file leaves open.
fn about(side: Side, series: &[Series], which: &str) -> Option<String> {
    let metric = series.first().and_then(|each| each.metric);
    let program = match side {
        Side::Record(_) => {
            return metric.map(|metric| format!("the {which} is a record: its times are {metric}"));
        }
        Side::Foreign(foreign) => foreign.program,
    };
    Some(match program {
        Program::Hyperfine => format!(
            "the {which} is hyperfine's, which does not say on which machine and under which interpreter \
             it was measured"
        ),
        Program::Pyperf => {
            let untold = match metric {
                Some(_) => "",
                None => ", which does not say what its values time",
            };
            format!(
                "the {which} is pyperf's{untold}: a process counts with the mean of its values, as they \
                 are not independent of each other"
            )
        }
    })
}

impl ForeignComparison {
    /// For scripts: the keys of a comparison of two records.
    pub fn to_json(&self) -> String {
        let contrast = |each: &ForeignContrast| -> Value {
            json!({
                "baseline": each.first,
                "scenario": each.second,
                "metric": self.metric.map(Metric::name),
                "blocks": each.launches.0.min(each.launches.1),
                "shift_ms": estimate_json(&each.shift_ms),
                "ratio": estimate_json(&each.ratio),
                "p_value": each.p_value,
                "paired": false,
            })
        };
        let comparison = json!({
            "format_version": SUMMARY_VERSION,
            "contrasts": self.contrasts.iter().map(contrast).collect::<Vec<_>>(),
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
            "notes": self.notes,
        });
        format!("{comparison:#}\n")
    }
}
