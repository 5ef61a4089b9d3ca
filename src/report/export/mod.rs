//! A record in the formats of other programs: what their users plot, compare and keep.
//!
//! One file a format. Each takes what it can hold, and names nothing else; what a format cannot hold,
//! such as a launch that failed and has no time, is counted in [`Export::left_out`], to be told.
//! `results/README.md` describes each mapping.

mod bencher;
mod benchmark;
mod csv;
mod github_action_benchmark;
mod hyperfine;
mod hyperfine2;
mod markdown;
mod pyperf;
#[cfg(test)]
mod tests;

use thiserror::Error;

use crate::analysis::Analysis;
use crate::record::Record;
use crate::suite::Metric;
use benchmark::{Benchmark, benchmarks};

/// Whose format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// `hyperfine --export-json` of versions 1.x.
    Hyperfine,
    /// The same of versions 2.x.
    Hyperfine2,
    /// pyperf's JSON, version 1.0.
    Pyperf,
    /// Bencher Metric Format.
    Bencher,
    /// github-action-benchmark's `customSmallerIsBetter`.
    GithubActionBenchmark,
    /// One line a launch.
    Csv,
    /// The table of contrasts, for a pull request.
    Markdown,
}

/// What of the records is exported.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Without one it is the first of each suite, and all of them where the format can hold all (CSV
    /// and Markdown).
    pub metric: Option<Metric>,
    /// Names; all of them, if there are none.
    pub scenarios: Vec<String>,
}

impl Selection {
    fn has_metric(&self, metric: Metric) -> bool {
        self.metric.is_none_or(|only| only == metric)
    }

    fn has_scenario(&self, name: &str) -> bool {
        self.scenarios.is_empty() || self.scenarios.iter().any(|only| only == name)
    }
}

/// A record in another format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// What goes into the file, ending with a line break.
    pub text: String,
    /// Sentences on what the format does not hold.
    pub left_out: Vec<String>,
}

/// Records that cannot be exported as asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ExportError {
    #[error("{app} was not measured by {metric}, but by {}", measured.join(", "))]
    NotMeasured {
        app: String,
        metric: Metric,
        measured: Vec<&'static str>,
    },
    #[error("no scenario is called {name}; there are {}", there.join(", "))]
    NoScenario { name: String, there: Vec<String> },
    #[error("there is nothing to export: no launch of {app} gave {metric}")]
    Nothing { app: String, metric: Metric },
    #[error(
        "two records hold {name}, and in this format a name stands for one benchmark\n  \
         export them one by one, or as csv, which says for each launch which run it belongs to"
    )]
    SameName { name: String },
}

/// What is selected of the records, in this format. The same records give the same bytes.
///
/// # Errors
/// When a record has no such metric or none has such a scenario, no launch gave the metric, or two
/// benchmarks would have the same name.
pub fn export(
    records: &[(Record, Analysis)],
    format: ExportFormat,
    selection: &Selection,
) -> Result<Export, ExportError> {
    for (record, _) in records {
        not_measured(record, selection.metric)?;
    }
    no_scenario(records, selection)?;
    Ok(match format {
        ExportFormat::Csv => whole(csv::text(records, selection)),
        ExportFormat::Markdown => whole(markdown::text(records, selection)),
        ExportFormat::Hyperfine => each(records, selection, hyperfine::text)?,
        ExportFormat::Hyperfine2 => each(records, selection, hyperfine2::text)?,
        ExportFormat::Pyperf => each(records, selection, pyperf::text)?,
        ExportFormat::Bencher => each(records, selection, bencher::text)?,
        ExportFormat::GithubActionBenchmark => {
            each(records, selection, github_action_benchmark::text)?
        }
    })
}

fn no_scenario(records: &[(Record, Analysis)], selection: &Selection) -> Result<(), ExportError> {
    let scenarios = records
        .iter()
        .flat_map(|(record, _)| &record.suite.scenarios);
    let mut there: Vec<String> = scenarios.map(|scenario| scenario.name.clone()).collect();
    match selection
        .scenarios
        .iter()
        .find(|name| !there.contains(name))
    {
        Some(name) => {
            // Of several records, each once.
            let mut seen = std::collections::BTreeSet::new();
            there.retain(|name| seen.insert(name.clone()));
            let name = name.clone();
            Err(ExportError::NoScenario { name, there })
        }
        None => Ok(()),
    }
}

fn not_measured(record: &Record, metric: Option<Metric>) -> Result<(), ExportError> {
    let measured = &record.suite.measure.metrics;
    match metric {
        Some(metric) if !measured.contains(&metric) => Err(ExportError::NotMeasured {
            app: record.suite.app.name.clone(),
            metric,
            measured: measured.iter().map(|each| each.name()).collect(),
        }),
        Some(_) | None => Ok(()),
    }
}

/// In a format with a place for everything.
fn whole(text: String) -> Export {
    Export {
        text,
        left_out: Vec::new(),
    }
}

/// In a format of named benchmarks, each with the times of one metric.
fn each(
    records: &[(Record, Analysis)],
    selection: &Selection,
    text: fn(&[Benchmark]) -> String,
) -> Result<Export, ExportError> {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for (record, _) in records {
        // A suite has at least one metric.
        let first = record.suite.measure.metrics.first().copied();
        let Some(metric) = selection.metric.or(first) else {
            continue;
        };
        let all = benchmarks(record, metric, records.len() > 1).into_iter();
        for benchmark in all.filter(|each| selection.has_scenario(&each.scenario.name)) {
            left_out.extend(benchmark.without_time());
            kept.push(benchmark);
        }
    }
    let nothing = kept.first().map(|first| ExportError::Nothing {
        app: first.record.suite.app.name.clone(),
        metric: first.metric,
    });
    kept.retain(|each| !each.samples.is_empty());
    if let Some(nothing) = nothing.filter(|_| kept.is_empty()) {
        return Err(nothing);
    }
    let mut names: Vec<&str> = kept.iter().map(|each| each.name.as_str()).collect();
    names.sort_unstable();
    if let Some(same) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(ExportError::SameName {
            name: same[0].to_owned(),
        });
    }
    Ok(Export {
        text: text(&kept),
        left_out,
    })
}
