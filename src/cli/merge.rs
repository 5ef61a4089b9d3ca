//! `coldsnake merge`: one record of the shards of a run.

use std::fs;
use std::path::PathBuf;

use super::exit::{Failed, Status};
use super::measure::{check_folder, make_folder};
use super::output::{Format, open, say, say_damage, show, write};
use crate::analysis::Validity;
use crate::record::{MergeError, Missing, Part, RECORD_FILE, Record, merge};
use crate::report::{Existing, write_file};

/// Put the records of a run's shards together into one
///
/// Shards are measured with `coldsnake run --seed N --shard 1/4` and so on, on as many machines. The
/// record is that of the whole run: all other commands take it like any other.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake merge shard-1 shard-2 shard-3 --out whole
  coldsnake merge shard-*/record.jsonl --out whole --allow-missing")]
pub struct Args {
    /// Records (record.jsonl), or the folders of runs: all shards of one run, in any order
    #[arg(required = true, value_name = "RECORD")]
    records: Vec<PathBuf>,
    /// The folder for the record and its report, which must not exist yet
    /// [default: coldsnake-runs/APP-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Merge what there is, if shards are missing
    #[arg(long)]
    allow_missing: bool,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    check_folder(args.out.as_deref())?;
    let mut parts = Vec::new();
    for path in &args.records {
        let record = Record::read(path)?;
        say_damage(path, &record);
        parts.push(Part::new(path, record));
    }
    let missing = match args.allow_missing {
        true => Missing::Allow,
        false => Missing::Refuse,
    };
    let whole = merge(parts, missing)?;
    let text = whole
        .to_text()
        .map_err(|error| Failed::bad_input(format!("cannot write the record: {error}")))?;
    let out = make_folder(args.out.as_deref(), &whole.suite)?;
    if let Err(error) = write_file(&out.join(RECORD_FILE), &text, Existing::Keep) {
        // A folder without a record is none of a run. It is empty, or else it is somebody's.
        let _ = fs::remove_dir(&out);
        return Err(error.into());
    }
    let (record, analysis) = open(&out)?;
    write(&out, &record, &analysis)?;
    show(&record, &analysis, args.format);
    say(&format!("record, page and charts are in {}", out.display()));
    Ok(match analysis.validity {
        Validity::Valid => Status::Done,
        Validity::Invalid(_) => Status::Invalid,
    })
}

impl From<MergeError> for Failed {
    fn from(error: MergeError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}
