//! `coldsnake export`: a record in the format of another program.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::exit::{Failed, Status};
use super::output::{deliver, open, say};
use crate::analysis::Validity;
use crate::report::{Existing, ExportFormat, Selection, export, write_file};
use crate::suite::Metric;

/// Write a record in the format of another program
///
/// A scenario is what the others call a benchmark or a command. The twin's launches are in csv only.
/// Launches that failed have no time; how many a format leaves out is said on standard error.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake export RUN --format hyperfine --out shop.json\n  \
    coldsnake export RUN --format pyperf --out shop.json\n  \
    coldsnake export RUN --format bencher --only warm,cold --out bencher.json\n  \
    coldsnake export RUN --format csv --metric import > launches.csv\n  \
    coldsnake export RUN --format markdown >> \"$GITHUB_STEP_SUMMARY\"")]
pub struct Args {
    /// Records (record.jsonl), or the folders of runs; of several, benchmarks are called APP/SCENARIO
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// Whose format
    #[arg(long, value_enum)]
    format: Target,
    /// The metric [default: the first of the suite; csv and markdown: all of them]
    #[arg(long, value_parser = metric())]
    metric: Option<Metric>,
    /// Only these scenarios [default: all]
    #[arg(long, value_name = "SCENARIO", value_delimiter = ',')]
    only: Vec<String>,
    /// The file, which must not exist yet [default: standard output]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file, if it exists
    #[arg(long, requires = "out")]
    force: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Target {
    /// JSON of hyperfine 1.x, as its --export-json
    Hyperfine,
    /// JSON of hyperfine 2.x
    #[value(name = "hyperfine-2")]
    Hyperfine2,
    /// pyperf's JSON
    Pyperf,
    /// Bencher Metric Format: the median, with its interval
    Bencher,
    /// Input for its tool customSmallerIsBetter: the median
    GithubActionBenchmark,
    /// One line a launch
    Csv,
    /// The contrasts and claims, for a pull request
    Markdown,
}

impl From<Target> for ExportFormat {
    fn from(target: Target) -> Self {
        match target {
            Target::Hyperfine => Self::Hyperfine,
            Target::Hyperfine2 => Self::Hyperfine2,
            Target::Pyperf => Self::Pyperf,
            Target::Bencher => Self::Bencher,
            Target::GithubActionBenchmark => Self::GithubActionBenchmark,
            Target::Csv => Self::Csv,
            Target::Markdown => Self::Markdown,
        }
    }
}

fn metric() -> impl TypedValueParser<Value = Metric> {
    PossibleValuesParser::new(Metric::ALL.map(Metric::name))
        .try_map(|name| Metric::from_name(&name).ok_or("there is no such metric"))
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let mut records = Vec::new();
    for path in &args.records {
        let (record, analysis) = open(path)?;
        if let Validity::Invalid(reasons) = &analysis.validity {
            say(&format!(
                "the figures of {} are not to be believed: {}",
                path.display(),
                reasons.join("; ")
            ));
        }
        records.push((record, analysis));
    }
    let selection = Selection {
        metric: args.metric,
        scenarios: args.only.clone(),
    };
    let exported = export(&records, args.format.into(), &selection)?;
    for sentence in &exported.left_out {
        say(sentence);
    }
    let existing = match args.force {
        true => Existing::Replace,
        false => Existing::Keep,
    };
    match &args.out {
        Some(path) => write_file(path, exported.text.as_bytes(), existing)?,
        None => deliver(&exported.text)?,
    }
    Ok(Status::Done)
}
