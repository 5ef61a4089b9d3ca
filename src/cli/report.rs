//! `coldsnake report`: charts and the page again, from the record alone.

use std::path::{Path, PathBuf};

use super::exit::{Failed, Status};
use super::output::{Format, open, show, write};

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
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let (record, analysis) = open(&args.record)?;
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
    write(folder, &record, &analysis)?;
    show(&record, &analysis, args.format);
    Ok(Status::Done)
}
