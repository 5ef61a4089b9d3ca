//! `coldsnake compare`: the contrasts of one record, or of two.

use std::path::PathBuf;

use super::exit::{Failed, Status};
use super::output::{Format, open, print, show, stdout_terminal};
use crate::analysis::{Unlike, compare};
use crate::report::comparison;

/// Show the contrasts of one record, or compare two records scenario by scenario
///
/// Two records were not measured inside the same blocks: what the machine did between the runs is
/// part of the difference, and the result is labelled uncontrolled. Records of different apps,
/// suites, interpreters or hosts are refused.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake compare coldsnake-runs/RUN
  coldsnake compare coldsnake-runs/BEFORE coldsnake-runs/AFTER")]
pub struct Args {
    /// A record.jsonl, or the folder of a run
    record: PathBuf,
    /// A second one, to compare with the first
    second: Option<PathBuf>,
    /// Compare records of different experiments too, and list what differs
    #[arg(long, requires = "second")]
    unlike: bool,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let (record, analysis) = open(&args.record)?;
    let Some(second) = &args.second else {
        show(&record, &analysis, args.format);
        return Ok(Status::Done);
    };
    let (second, _) = open(second)?;
    let unlike = if args.unlike {
        Unlike::Label
    } else {
        Unlike::Refuse
    };
    let compared = compare(&record, &second, unlike).map_err(|error| {
        Failed::bad_input(format!("{error}\n  --unlike compares them all the same"))
    })?;
    match args.format {
        Format::Text => print(&comparison(&compared, stdout_terminal())),
        Format::Json => print(&compared.to_json()),
    }
    Ok(Status::Done)
}
