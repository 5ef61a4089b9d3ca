//! Many records side by side: what a scenario does on each host, under each interpreter, to each app.
//!
//! Records belong to one *experiment* if they agree in all of app, suite, interpreters and host but for what
//! they are told apart by; what tells them apart makes its *members*. A member's effect is that of the
//! differences inside of its blocks, all its records' together. Hosts are a sample of the hosts that there
//! are, so their effects are pooled ([`crate::stats::meta_analysis`]): shifts in milliseconds, ratios by their
//! logarithms. Interpreters and apps are a sample of nothing, and stand beside each other. Times as such are
//! never pooled.
//!
//! Every row's intervals of a metric hold together at 95 %, as those of one record do ([`super::contrasts`]),
//! and so do those of the pool.

mod effects;
mod groups;
mod json;
mod notes;
pub(super) mod twice;

pub use json::ACROSS_VERSION;

use std::fmt;

use thiserror::Error;

use super::model::{Analysis, Validity};
use crate::record::Record;
use crate::record::format::{Host, Interpreter};
use crate::stats::interval::{Estimate, Interval};
use crate::stats::meta_analysis::Heterogeneity;
use crate::suite::Metric;

/// What records are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Host,
    Interpreter,
    App,
}

impl By {
    /// "host", "interpreter", "app".
    pub fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Interpreter => "interpreter",
            Self::App => "app",
        }
    }

    /// The same of several.
    pub fn words(self) -> &'static str {
        match self {
            Self::Host => "hosts",
            Self::Interpreter => "interpreters",
            Self::App => "apps",
        }
    }
}

/// A record that was read, and what was found in it.
#[derive(Debug, Clone)]
pub struct Given {
    /// As the user named it.
    pub name: String,
    pub record: Record,
    pub analysis: Analysis,
}

/// Records side by side.
#[derive(Debug, Clone)]
pub struct Across {
    pub by: By,
    /// By the names of their apps; at least one.
    pub experiments: Vec<Experiment>,
    /// Records whose figures are not to be believed, or are of no single host where hosts are asked for, in the order in which they were given.
    pub left_out: Vec<LeftOut>,
}

/// A record that has no part in anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    pub name: String,
    /// Sentences, as the record's own report has them.
    pub reasons: Vec<String>,
}

/// Records that agree in all but one thing.
#[derive(Debug, Clone)]
pub struct Experiment {
    pub common: Common,
    /// At least one, in the order of their names, 3.9 before 3.11.
    pub members: Vec<Member>,
    /// In the suite's order.
    pub effects: Vec<Effect>,
    /// Sentences on how far the figures may be trusted.
    pub notes: Vec<String>,
}

/// What an experiment's records agree in; `None` is what tells its members apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    pub app: Option<String>,
    /// As the first record names it.
    pub suite: Option<String>,
    /// SHA-256, in hexadecimal.
    pub suite_sha256: Option<String>,
    /// "cpython 3.11.7"; several with commas in between.
    pub interpreters: Option<String>,
    pub host: Option<String>,
}

/// A host, an interpreter, or an app.
#[derive(Debug, Clone)]
pub struct Member {
    /// Unlike those of the others.
    pub name: String,
    /// The names of its records, by the time when they were started.
    pub records: Vec<String>,
    /// Complete blocks, of all of them.
    pub blocks: u32,
    /// Of its first record.
    pub host: Host,
    /// Of its first record, those that it is about.
    pub interpreters: Vec<Interpreter>,
}

/// What a scenario does in each member.
#[derive(Debug, Clone)]
pub struct Effect {
    pub baseline: String,
    pub scenario: String,
    pub metric: Metric,
    /// In the order of the members; `None` has nothing of it.
    pub rows: Vec<Option<Row>>,
    /// Over all hosts that can be pooled; of hosts only, and at least two.
    pub pooled: Option<Pooled>,
    /// The places of hosts that have a row and cannot be pooled, as they have no standard error.
    pub without_error: Vec<usize>,
}

/// An effect in one member.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// Pairs of launches.
    pub blocks: u32,
    /// Of the baseline's launches in these pairs.
    pub baseline_median_ms: f64,
    /// Scenario minus baseline.
    pub shift_ms: Estimate,
    /// Scenario over baseline.
    pub ratio: Estimate,
}

/// An effect over all hosts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pooled {
    /// Hosts.
    pub members: u32,
    /// Pairs of launches, of all of them.
    pub blocks: u32,
    pub shift_ms: Pool,
    pub ratio: Pool,
}

/// A mean over hosts, and how much they differ.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pool {
    /// Of the hosts' true effects.
    pub mean: Estimate,
    /// Where a further host's true effect lies; `None` with fewer than three hosts.
    pub prediction: Option<Interval>,
    /// The standard deviation of the hosts' true effects; of a ratio, that of its logarithm.
    pub tau: f64,
    pub heterogeneity: Heterogeneity,
}

/// Records that cannot be put side by side.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AcrossError {
    #[error(
        "{first} and {second} hold the same launches, which must not count twice\n  \
         name each record once, and either a merged record or those that it was made of"
    )]
    Twice { first: String, second: String },
    #[error("no record is left: none of them is valid\n  {}", reasons(.0))]
    NoneValid(Vec<LeftOut>),
    #[error("no record is left to put side by side\n  {}", reasons(.0))]
    NoneLeft(Vec<LeftOut>),
}

fn reasons(all: &[LeftOut]) -> String {
    let lines: Vec<String> = all.iter().map(LeftOut::to_string).collect();
    lines.join("\n  ")
}

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.name, self.reasons.join("; "))
    }
}

/// Puts records side by side. The same records give the same answer, in whatever order they are given, but for
/// the order of those that are left out.
///
/// # Errors
/// When two hold the same launches, or none is left.
pub fn across(given: &[Given], by: By) -> Result<Across, AcrossError> {
    if let Some((first, second)) = twice::same_launches(given) {
        return Err(AcrossError::Twice {
            first: given[first].name.clone(),
            second: given[second].name.clone(),
        });
    }
    let mut left_out = Vec::new();
    let mut invalid = 0;
    let mut valid = Vec::new();
    for each in given {
        let machines = each.record.hosts().len();
        match &each.analysis.validity {
            // Of whose effect it would be a row of, none could say.
            Validity::Valid if by == By::Host && machines > 1 => left_out.push(LeftOut {
                name: each.name.clone(),
                reasons: vec![format!(
                    "it mixes {machines} machines: name the records of its shards instead"
                )],
            }),
            Validity::Valid => valid.push(each),
            Validity::Invalid(reasons) => {
                invalid += 1;
                left_out.push(LeftOut {
                    name: each.name.clone(),
                    reasons: reasons.clone(),
                });
            }
        }
    }
    if valid.is_empty() {
        let mixed = left_out.len() > invalid;
        return Err(match mixed {
            true => AcrossError::NoneLeft(left_out),
            false => AcrossError::NoneValid(left_out),
        });
    }
    let experiments = groups::experiments(&valid, by)
        .into_iter()
        .map(|group| {
            let effects = effects::effects(&group, by);
            Experiment {
                notes: notes::notes(&group, by, &effects),
                members: group.members.iter().map(groups::Side::member).collect(),
                common: group.common,
                effects,
            }
        })
        .collect();
    Ok(Across {
        by,
        experiments,
        left_out,
    })
}
