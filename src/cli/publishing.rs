//! Where verdicts go besides the terminal: a job's summary, JUnit XML, a baseline that is kept.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::exit::Failed;
use crate::record::RECORD_FILE;
use crate::report::{Existing, check_file, write_file};

/// What a GitHub workflow's job shows on its page; Markdown is appended to it.
const JOB_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Files to be written.
#[derive(Debug, clap::Args)]
pub struct Publishing {
    /// Write the verdicts as Markdown, too; without a FILE they are appended to the summary of a
    /// GitHub job ($GITHUB_STEP_SUMMARY)
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    summary: Option<Option<PathBuf>>,
    /// Write the verdicts as JUnit XML, too
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Replace files that exist
    #[arg(long)]
    force: bool,
}

enum Summary {
    Appended(PathBuf),
    Own(PathBuf),
}

impl Publishing {
    fn existing(&self) -> Existing {
        if self.force {
            Existing::Replace
        } else {
            Existing::Keep
        }
    }

    fn summary(&self) -> Result<Option<Summary>, Failed> {
        Ok(match &self.summary {
            None => None,
            Some(Some(file)) => Some(Summary::Own(file.clone())),
            Some(None) => {
                let file = std::env::var_os(JOB_SUMMARY).filter(|file| !file.is_empty());
                let file = file.ok_or_else(|| {
                    Failed::bad_input(format!(
                        "--summary names no file, and {JOB_SUMMARY} is not set\n  give --summary=FILE"
                    ))
                })?;
                Some(Summary::Appended(file.into()))
            }
        })
    }

    /// Can all of it be written? To be asked before what takes long.
    ///
    /// # Errors
    /// When a file exists and is not to be replaced, or its folder does not.
    pub fn check(&self, baseline: Option<&Path>) -> Result<(), Failed> {
        let own = match self.summary()? {
            Some(Summary::Own(file)) => Some(file),
            Some(Summary::Appended(_)) | None => None,
        };
        let files = [own.as_deref(), self.junit.as_deref(), baseline];
        for file in files.into_iter().flatten() {
            check_file(file, self.existing())?;
        }
        Ok(())
    }

    /// Writes what was asked for.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn publish(
        &self,
        markdown: impl FnOnce() -> String,
        junit: impl FnOnce() -> String,
    ) -> Result<(), Failed> {
        match self.summary()? {
            Some(Summary::Own(file)) => {
                write_file(&file, markdown().as_bytes(), self.existing())?;
            }
            Some(Summary::Appended(file)) => {
                // Other steps of the job have written there: what is there stays.
                let appended = OpenOptions::new()
                    .append(true)
                    .create(true)
                    .open(&file)
                    .and_then(|mut open| open.write_all(format!("{}\n", markdown()).as_bytes()));
                appended.map_err(|error| {
                    Failed::bad_input(format!("cannot write {}: {error}", file.display()))
                })?;
            }
            None => {}
        }
        if let Some(file) = &self.junit {
            write_file(file, junit().as_bytes(), self.existing())?;
        }
        Ok(())
    }

    /// Copies a record, given by its file or its run's folder.
    ///
    /// # Errors
    /// When it cannot be read, or the file cannot be written.
    pub fn keep(&self, record: &Path, file: &Path) -> Result<(), Failed> {
        let record = if record.is_dir() {
            record.join(RECORD_FILE)
        } else {
            record.to_owned()
        };
        let bytes = std::fs::read(&record).map_err(|error| {
            Failed::bad_input(format!("cannot read {}: {error}", record.display()))
        })?;
        Ok(write_file(file, &bytes, self.existing())?)
    }
}
