//! `coldsnake report`: charts and the page again, from the record alone.

use std::path::{Path, PathBuf};

use super::exit::{Failed, Status};
use super::output::{Format, open, show};
use crate::report::{AttachError, Attached, DoctorFile, TraceFile, write_run_with};

/// Make summary, charts and page again from a record, and print the tables
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake report coldsnake-runs/RUN
  coldsnake report coldsnake-runs/RUN --out public
  coldsnake report record.jsonl --format json > summary.json")]
pub struct Args {
    /// A record.jsonl, or the folder of a run
    record: PathBuf,
    /// Where the files go [default: the record's own folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Show a trace on the page, too: a trace.json, or the folder that `trace --out` made
    #[arg(long, value_name = "FILE")]
    trace: Option<PathBuf>,
    /// Show a diagnosis on the page, too: what `doctor --format json` printed
    #[arg(long, value_name = "FILE")]
    doctor: Option<PathBuf>,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let (record, analysis) = open(&args.record)?;
    let attached = attached(args, &analysis.app)?;
    let beside = if args.record.is_dir() {
        Some(args.record.as_path())
    } else {
        args.record.parent()
    };
    let folder = args.out.as_deref().or(beside).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| {
        Failed::bad_input(format!(
            "cannot make the folder {}: {error}\n  choose another one with --out",
            folder.display()
        ))
    })?;
    let summary = analysis.to_summary_json();
    write_run_with(folder, &summary, &record, &analysis, &attached)?;
    show(&record, &analysis, args.format);
    Ok(Status::Done)
}

fn attached(args: &Args, app: &str) -> Result<Attached, Failed> {
    let trace = args.trace.as_ref().map(|path| {
        let file = match path.is_dir() {
            true => path.join("trace.json"),
            false => path.clone(),
        };
        shown(&file, |text| TraceFile::read(text, app))
    });
    let doctor = args.doctor.as_ref();
    let doctor = doctor.map(|path| shown(path, DoctorFile::read));
    Ok(Attached {
        trace: trace.transpose()?,
        doctor: doctor.transpose()?,
    })
}

/// What a file holds.
fn shown<T>(path: &Path, read: impl Fn(&str) -> Result<T, AttachError>) -> Result<T, Failed> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Failed::bad_input(format!("cannot read {}: {error}", path.display())))?;
    read(&text)
        .map_err(|error| Failed::bad_input(format!("cannot show {}: {error}", path.display())))
}
