//! A record in the formats of other programs: what their users plot, compare and keep.
//!
//! One file a format. Each takes what it can hold, and names nothing else; what a format cannot hold,
//! such as a launch that failed and has no time, is counted in [`Export::left_out`], to be told.
//! `results/README.md` describes each mapping.

mod bencher;
mod benchmark;
mod csv;
mod file;
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

pub use file::{Existing, WriteFileError, write_file};

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
    #[error("there is nothing to export: no launch of {app} gave {metric}")]
    Nothing { app: String, metric: Metric },
    #[error(
        "two records hold {name}, and in this format a name stands for one benchmark\n  \
         export them one by one, or as csv, which says for each launch which run it belongs to"
    )]
    SameName { name: String },
}

/// The records in this format. Without a metric it is the first of each suite, and all of them where
/// the format can hold all (CSV and Markdown).
///
/// The same records give the same bytes.
///
/// # Errors
/// When a record has no such metric, no launch gave it, or two benchmarks would have the same name.
pub fn export(
    records: &[(Record, Analysis)],
    format: ExportFormat,
    metric: Option<Metric>,
) -> Result<Export, ExportError> {
    for (record, _) in records {
        not_measured(record, metric)?;
    }
    Ok(match format {
        ExportFormat::Csv => whole(csv::text(records, metric)),
        ExportFormat::Markdown => whole(markdown::text(records, metric)),
        ExportFormat::Hyperfine => each(records, metric, hyperfine::text)?,
        ExportFormat::Hyperfine2 => each(records, metric, hyperfine2::text)?,
        ExportFormat::Pyperf => each(records, metric, pyperf::text)?,
        ExportFormat::Bencher => each(records, metric, bencher::text)?,
        ExportFormat::GithubActionBenchmark => {
            each(records, metric, github_action_benchmark::text)?
        }
    })
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
    metric: Option<Metric>,
    text: fn(&[Benchmark]) -> String,
) -> Result<Export, ExportError> {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    for (record, _) in records {
        let app = &record.suite.app.name;
        // A suite has at least one metric.
        let first = record.suite.measure.metrics.first().copied();
        let Some(metric) = metric.or(first) else {
            continue;
        };
        let before = kept.len();
        for benchmark in benchmarks(record, metric, records.len() > 1) {
            left_out.extend(benchmark.without_time());
            if !benchmark.samples.is_empty() {
                kept.push(benchmark);
            }
        }
        if kept.len() == before {
            let app = app.clone();
            return Err(ExportError::Nothing { app, metric });
        }
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
