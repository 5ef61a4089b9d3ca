//! `coldsnake check`: verdicts, for CI. The exit status says it.

use std::path::PathBuf;

use super::exit::{Failed, Status};
use super::output::{Format, open, show};
use crate::analysis::Outcome;

/// Print the verdicts of a record; the exit status says whether all claims are supported
///
/// 0: all claims are supported. 1: one is refuted. 3: none is refuted, one is inconclusive.
/// 4: the measurement is invalid.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake check coldsnake-runs/RUN
  coldsnake check coldsnake-runs/RUN --format json > verdicts.json")]
pub struct Args {
    /// A record.jsonl, or the folder of a run
    record: PathBuf,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let (record, analysis) = open(&args.record)?;
    show(&record, &analysis, args.format);
    Ok(match Outcome::of(&analysis) {
        Outcome::AllSupported => Status::Done,
        Outcome::Refuted => Status::Refuted,
        Outcome::Inconclusive => Status::Inconclusive,
        Outcome::Invalid => Status::Invalid,
    })
}
