//! Two records against each other, scenario by scenario: before and after a change, say.
//!
//! Nothing pairs their launches, so whatever happened to the machine between the two runs is in
//! the difference. The contrasts are labelled [`Pairing::Uncontrolled`], their intervals (two
//! independent samples, 95 % simultaneously for each metric) know nothing of that drift, and the
//! note says so. Both versions as scenarios of one run is the way to a figure that holds.

use std::fmt;

use thiserror::Error;

use super::across::twice::share_launches;
use super::blocks::{Blocks, ms};
use super::contrasts::adjust;
use super::model::{Contrast, Pairing};
use crate::record::Record;
use crate::record::format::Host;
use crate::stats::interval::Level;
use crate::stats::{multiple, two_sample};
use crate::suite::{Metric, Scenario};

/// What to do with records of different experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unlike {
    /// They are not compared.
    Refuse,
    /// They are compared, and what differs is listed.
    Label,
}

/// Two records, compared.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The second record's scenario against the first's of the same name, for each metric that
    /// both measured. Baseline and scenario carry the same name; there are no differences block
    /// by block, and `blocks` is the smaller of the two numbers of launches.
    pub contrasts: Vec<Contrast>,
    /// What differs between the records besides their launches.
    pub differences: Vec<Difference>,
    /// Sentences on how far the figures may be trusted.
    pub notes: Vec<String>,
}

/// Something that should be the same in both records, and isn't.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// "app", "suite", "interpreter", "host's kernel", …
    pub what: String,
    pub first: String,
    pub second: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            first,
            second,
        } = self;
        write!(formatter, "{what}: {first} and {second}")
    }
}

/// The records are of different experiments.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "the records are not of the same experiment; they differ in\n  {}",
    listed(differences)
)]
pub struct UnlikeRecords {
    pub differences: Vec<Difference>,
}

fn listed(differences: &[Difference]) -> String {
    let lines: Vec<String> = differences.iter().map(Difference::to_string).collect();
    lines.join("\n  ")
}

/// Compares the second record with the first.
///
/// # Errors
/// When app, suite, interpreters or host differ, unless they are to be labelled.
pub fn compare(
    first: &Record,
    second: &Record,
    unlike: Unlike,
) -> Result<Comparison, UnlikeRecords> {
    let differences = comparable(first, second, unlike)?;
    let mut contrasts = Vec::new();
    let before = Blocks::new(&first.suite, &first.launches);
    let after = Blocks::new(&second.suite, &second.launches);
    for &metric in &first.suite.measure.metrics {
        let both = || {
            let scenarios = first.suite.scenarios.iter();
            scenarios.filter(|scenario| second.suite.scenario(&scenario.name).is_some())
        };
        let level = multiple::bonferroni(Level::P95, both().count());
        contrasts.extend(
            both().filter_map(|scenario| contrast(&before, &after, scenario, metric, level)),
        );
        adjust(&mut contrasts, metric, both().count());
    }
    Ok(Comparison {
        notes: notes(first, second, &differences, &contrasts),
        contrasts,
        differences,
    })
}

/// What differs between two records, if they may be compared all the same.
fn comparable(
    first: &Record,
    second: &Record,
    unlike: Unlike,
) -> Result<Vec<Difference>, UnlikeRecords> {
    let differences = differences(first, second);
    if unlike == Unlike::Refuse && !differences.is_empty() {
        return Err(UnlikeRecords { differences });
    }
    Ok(differences)
}

/// What differs between two records, and sentences on how far a comparison may be trusted.
///
/// # Errors
/// As [`compare`].
pub(super) fn differing(
    first: &Record,
    second: &Record,
    unlike: Unlike,
) -> Result<(Vec<Difference>, Vec<String>), UnlikeRecords> {
    let differences = comparable(first, second, unlike)?;
    let mut notes = reservations(&differences);
    notes.extend(itself(first, second));
    Ok((differences, notes))
}

fn contrast(
    before: &Blocks,
    after: &Blocks,
    scenario: &Scenario,
    metric: Metric,
    level: Level,
) -> Option<Contrast> {
    let series = |blocks: &Blocks| -> Option<(Vec<f64>, Vec<f64>)> {
        let measured = blocks.measured(blocks.arm(&scenario.name)?, metric);
        Some(
            measured
                .map(|(launch, time)| (time, ms(launch.usage.cpu())))
                .unzip(),
        )
    };
    let (first, first_cpu) = series(before)?;
    let (second, second_cpu) = series(after)?;
    Some(Contrast {
        baseline: scenario.name.clone(),
        scenario: scenario.name.clone(),
        metric,
        blocks: first.len().min(second.len()) as u32,
        shift_ms: two_sample::shift(&first, &second, level)?,
        ratio: two_sample::ratio(&first, &second, level)?,
        cpu_shift_ms: two_sample::shift(&first_cpu, &second_cpu, level),
        p_value: two_sample::p_value(&first, &second)?,
        pairing: Pairing::Uncontrolled,
        differences_ms: Vec::new(),
        differences_in: Vec::new(),
    })
}

/// What makes them different experiments.
fn differences(first: &Record, second: &Record) -> Vec<Difference> {
    let interpreters = |record: &Record| {
        let all = record.header.interpreters.iter();
        let names: Vec<String> = all
            .map(|each| {
                format!(
                    "{} {} ({})",
                    each.implementation, each.version, each.executable
                )
            })
            .collect();
        names.join(", ")
    };
    // Older records do not say it, which is no difference.
    let affinities = (&first.header.affinity, &second.header.affinity);
    let (ours, theirs) = match affinities {
        (Some(a), Some(b)) => (a.children.clone(), b.children.clone()),
        _ => (String::new(), String::new()),
    };
    // Of a record that was put together from shards, what holds of each of its machines.
    let of_hosts = |record: &Record, fact: &dyn Fn(&Host) -> String| {
        let mut facts: Vec<String> = record.hosts().into_iter().map(fact).collect();
        facts.sort();
        facts.dedup();
        facts.join(" and ")
    };
    let host = |fact: &dyn Fn(&Host) -> String| (of_hosts(first, fact), of_hosts(second, fact));
    let kernels = host(&|it| it.kernel.clone());
    let models = host(&|it| it.cpu_model.clone());
    let cpus = host(&|it| it.cpus.to_string());
    let memories = host(&|it| format!("{} MiB", it.memory_mib));
    let virtualizations = host(&|it| it.virtualization.clone());
    let governors = host(&|it| it.governor.clone().unwrap_or_else(|| "none".to_owned()));
    let sides = [
        (
            "app",
            first.suite.app.name.clone(),
            second.suite.app.name.clone(),
        ),
        (
            "suite (SHA-256)",
            first.header.suite.sha256.clone(),
            second.header.suite.sha256.clone(),
        ),
        ("interpreters", interpreters(first), interpreters(second)),
        ("host's kernel", kernels.0, kernels.1),
        ("host's CPU", models.0, models.1),
        ("host's CPUs", cpus.0, cpus.1),
        ("host's memory", memories.0, memories.1),
        (
            "host's virtualization",
            virtualizations.0,
            virtualizations.1,
        ),
        ("host's governor", governors.0, governors.1),
        ("app's CPUs", ours, theirs),
    ];
    let differing = sides
        .into_iter()
        .filter(|(_, first, second)| first != second);
    differing
        .map(|(what, first, second)| Difference {
            what: what.to_owned(),
            first,
            second,
        })
        .collect()
}

fn notes(
    first: &Record,
    second: &Record,
    differences: &[Difference],
    contrasts: &[Contrast],
) -> Vec<String> {
    let mut notes = reservations(differences);
    notes.extend(itself(first, second));
    let only = |here: &Record, there: &Record, which: &str| {
        let scenarios = here.suite.scenarios.iter().map(|s| s.name.clone());
        let missing: Vec<String> = scenarios
            .filter(|name| there.suite.scenario(name).is_none())
            .collect();
        (!missing.is_empty()).then(|| format!("only the {which} record has {}", missing.join(", ")))
    };
    notes.extend(only(first, second, "first"));
    notes.extend(only(second, first, "second"));
    if contrasts.is_empty() {
        notes.push("no scenario was measured by the same metric in both records".to_owned());
    }
    notes
}

/// That a run is compared with itself, which is no news: a baseline may have been kept from the very run that it
/// is to judge.
fn itself(first: &Record, second: &Record) -> Option<String> {
    share_launches(first, second).then(|| {
        "both records hold the same launches: a run differs from itself by nothing, whatever has become of \
         the app"
            .to_owned()
    })
}

/// What holds of any two records, and what of these as they differ so.
fn reservations(differences: &[Difference]) -> Vec<String> {
    let mut notes = vec![
        "uncontrolled: the two records were measured at different times, so the machine's drift \
         between them is part of every difference, and the intervals do not know of it; to be \
         sure, measure both as scenarios of one run"
            .to_owned(),
    ];
    if !differences.is_empty() {
        notes.push(format!(
            "the records are of different experiments, so a difference may have these reasons, \
             too: {}",
            differences
                .iter()
                .map(Difference::to_string)
                .collect::<Vec<_>>()
                .join("; ")
        ));
    }
    notes
}
