//! `coldsnake compare`: the contrasts of one record, or of two.

use std::path::PathBuf;

use super::exit::{Failed, Status};
use super::input::compare_if_foreign;
use super::output::{Format, open, print, show, stdout_terminal};
use crate::analysis::{Unlike, compare};
use crate::report::comparison;

/// Show the contrasts of one record, or compare two records scenario by scenario
///
/// Two records were not measured inside the same blocks: what the machine did between the runs is
/// part of the difference, and the result is labelled uncontrolled. Records of different apps,
/// suites, interpreters or hosts are refused.
///
/// Either may be JSON of hyperfine or pyperf instead, known by what is in it. Benchmarks are matched by
/// name with each other and with scenarios, or compared if each file has one only.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake compare coldsnake-runs/RUN
  coldsnake compare coldsnake-runs/BEFORE coldsnake-runs/AFTER")]
pub struct Args {
    /// A record.jsonl, or the folder of a run; or another program's file
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
    let unlike = if args.unlike {
        Unlike::Label
    } else {
        Unlike::Refuse
    };
    let second = args.second.as_deref();
    if let Some(status) = compare_if_foreign(&args.record, second, unlike, args.format)? {
        return Ok(status);
    }
    let (record, analysis) = open(&args.record)?;
    let Some(second) = &args.second else {
        show(&record, &analysis, args.format);
        return Ok(Status::Done);
    };
    let (second, _) = open(second)?;
    let compared = compare(&record, &second, unlike).map_err(|error| {
        Failed::bad_input(format!("{error}\n  --unlike compares them all the same"))
    })?;
    match args.format {
        Format::Text => print(&comparison(&compared, stdout_terminal())),
        Format::Json => print(&compared.to_json()),
    }
    Ok(Status::Done)
}
