//! `coldsnake calibrate`: what this machine can resolve.

use std::path::PathBuf;
use std::time::Duration;

use super::exit::{Failed, Status};
use super::measure::measure;
use super::output::{Format, open, print, say, stdout_terminal, write};
use super::run;
use crate::analysis::{Validity, calibrate};
use crate::report::{calibration, calibration_json};
use crate::suite::{Goal, SuiteFile, bundled};

/// A sketch in a minute.
const SKETCH: Duration = Duration::from_secs(60);
/// Enough for some six hundred runs of 20 blocks, where a launch takes 10 ms.
const THOROUGH: Duration = Duration::from_secs(20 * 60);

/// Tell what this machine can resolve
///
/// Launches a small app against itself and with effects that are known, and says how often effects
/// are seen that are not there, how often intervals hold the true effect, how wide they are after
/// which time, and what can be told apart in a minute.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake calibrate\n  \
    coldsnake calibrate --thorough --out calibration\n  \
    coldsnake calibrate calibration")]
pub struct Args {
    /// Measure nothing, but tell it from this record (record.jsonl, or the folder of a run)
    #[arg(conflicts_with_all = ["thorough", "budget", "python", "seed", "out"])]
    record: Option<PathBuf>,
    /// For 20 minutes instead of one: figures that one can publish
    #[arg(long, conflicts_with = "budget")]
    thorough: bool,
    /// How long the launches may take together, such as 5min [default: 1min; with --thorough, 20min]
    #[arg(long, value_name = "TIME", value_parser = run::duration)]
    budget: Option<Duration>,
    /// The Python interpreter [default: python3 on PATH]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Seed of the launches' order, an integer; random if left out, and recorded
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The run's folder, which must not exist yet [default: coldsnake-runs/calibration-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    if let Some(record) = &args.record {
        return tell(args, record.clone(), |validity| match validity {
            Validity::Valid => Status::Done,
            Validity::Invalid(_) => Status::Invalid,
        });
    }
    let unpacked = tempfile::tempdir()
        .map_err(|error| Failed::bad_input(format!("cannot make a temporary folder: {error}")))?;
    let path = bundled::CALIBRATION
        .unpack(unpacked.path())
        .map_err(|error| {
            Failed::bad_input(format!("cannot unpack the calibration's suite: {error}"))
        })?;
    let usual = if args.thorough { THOROUGH } else { SKETCH };
    let options = run::Args {
        budget: Some(args.budget.unwrap_or(usual)),
        python: args.python.iter().cloned().collect(),
        seed: args.seed,
        out: args.out.clone(),
        quiet: args.quiet,
        ..run::Args::default()
    };
    let origin = format!("{} (bundled)", bundled::CALIBRATION.name);
    let file = SuiteFile::read(&path)?;
    let (out, stop_reason) = measure(&options, file, origin, &options.python)?;
    tell(args, out, |validity| run::status(stop_reason, validity))
}

fn tell(
    args: &Args,
    folder: PathBuf,
    status: impl FnOnce(&Validity) -> Status,
) -> Result<Status, Failed> {
    let (record, analysis) = open(&folder)?;
    if record.suite.measure.until == Goal::Decided {
        return Err(Failed::bad_input(format!(
            "{} was measured until decided, so its number of blocks is no other than what it found\n  \
             measure with `--until precise` to calibrate",
            folder.display()
        )));
    }
    if args.record.is_none() {
        write(&folder, &record, &analysis)?;
    }
    let found = calibrate(&record).ok_or_else(|| {
        Failed::bad_input(format!(
            "{} has no block in which the baseline and its twin were launched\n  measure for longer, with \
             `coldsnake run --budget` or `coldsnake calibrate`",
            folder.display()
        ))
    })?;
    match args.format {
        Format::Text => print(&calibration(&record, &analysis, &found, stdout_terminal())),
        Format::Json => print(&calibration_json(&analysis, &found)),
    }
    if args.record.is_none() {
        say(&format!(
            "record, page and charts are in {}",
            folder.display()
        ));
    }
    Ok(status(&analysis.validity))
}
