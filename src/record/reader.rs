//! Reads a record back. A damaged line costs that line, not the record.
//!
//! Lines are parsed on all CPUs, some megabytes of them at a time: of the time that a long record
//! takes until its report, parsing is the largest part.

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use serde::Deserialize;
use thiserror::Error;

use super::counts::Count;
use super::format::{End, FORMAT_VERSION, LaunchLine, Line, ReceiptLine};
use super::model::{DamagedLine, Launch, Record};
use crate::suite::{Suite, SuiteError, SuiteFile};

/// How the writer begins the line of a launch. Such a line is parsed as what it is at once: to look
/// for `type` first, serde would keep every value of the line in memory of its own, which takes
/// twice as long, and nearly all lines of a record are launches. Others may be written otherwise.
const LAUNCH: &[u8] = br#"{"type":"launch","#;

/// So many bytes of lines are read before they are parsed.
const BATCH: usize = 4 << 20;
/// No line of a record is as long as this, in bytes.
const LONGEST_LINE: usize = 64 << 20;
/// Fewer lines are not worth a task of their own.
const LINES_TOGETHER: usize = 500;

/// A line after the first, its names resolved.
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are launches, and each is moved once"
)]
enum Parsed {
    Receipt(Box<ReceiptLine>),
    Launch(Launch),
    Count(Count),
    End(End),
}

/// A record that cannot be used at all.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error(
        "cannot read the record {}: {source}\n  \
         give the record.jsonl in a run's folder, or the folder itself",
        path.display()
    )]
    Io {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "{} is not a record: its first line is not a run's header ({reason})\n  \
         give the record.jsonl in a run's folder, or the folder itself",
        path.display()
    )]
    NoHeader { path: PathBuf, reason: String },
    #[error(
        "there is no record.jsonl in {}\n  give the folder of a run{}, or its record.jsonl",
        folder.display(),
        run.as_ref().map_or(String::new(), |run| format!(", such as {}", run.display()))
    )]
    NoRecord {
        folder: PathBuf,
        /// One that lies in the folder, if there is any.
        run: Option<PathBuf>,
    },
    #[error(
        "{} has format version {found}, and this build reads version {FORMAT_VERSION}\n  \
         use a coldsnake that is as new as the one that wrote it",
        path.display()
    )]
    Version { path: PathBuf, found: u64 },
    #[error("the suite inside {} cannot be used: {source}", path.display())]
    Suite {
        path: PathBuf,
        source: Box<SuiteError>,
    },
}

impl Record {
    /// Reads `record.jsonl`, or the one in the folder of that name.
    ///
    /// # Errors
    /// When there is no such file, or its header cannot be read. Other lines that cannot be
    /// read are listed in [`Record::damaged`].
    pub fn read(path: &Path) -> Result<Self, ReadError> {
        let path = if path.is_dir() {
            let inside = path.join(super::RECORD_FILE);
            if inside
                .symlink_metadata()
                .is_err_and(|error| error.kind() == ErrorKind::NotFound)
            {
                return Err(ReadError::NoRecord {
                    folder: path.to_owned(),
                    run: last_run(path),
                });
            }
            inside
        } else {
            path.to_owned()
        };
        let io = |source| ReadError::Io {
            path: path.clone(),
            source,
        };
        let mut reader = BufReader::new(File::open(&path).map_err(io)?);
        let mut line = Vec::new();
        // What is no record, such as a device, may never have an end of line.
        let longest = LONGEST_LINE as u64;
        let length = reader
            .by_ref()
            .take(longest)
            .read_until(b'\n', &mut line)
            .map_err(io)?;
        if length == LONGEST_LINE {
            return Err(ReadError::NoHeader {
                path: path.clone(),
                reason: format!("it is longer than {} MiB", LONGEST_LINE >> 20),
            });
        }
        let mut record = Self::from_header(&path, &line)?;
        let mut number = 1;
        // The beginning of a line whose end is not read yet.
        let mut begun = Vec::new();
        loop {
            let mut batch = std::mem::take(&mut begun);
            let known = batch.len();
            let limit = BATCH as u64;
            let read = reader
                .by_ref()
                .take(limit)
                .read_to_end(&mut batch)
                .map_err(io)?;
            if read > 0 {
                let end = batch[known..].iter().rposition(|byte| *byte == b'\n');
                begun = batch.split_off(end.map_or(0, |last| known + last + 1));
                if begun.len() > LONGEST_LINE {
                    let reason = format!("it has a line longer than {} MiB", LONGEST_LINE >> 20);
                    return Err(io(io::Error::new(ErrorKind::InvalidData, reason)));
                }
            }
            let lines: Vec<&[u8]> = batch.split_inclusive(|byte| *byte == b'\n').collect();
            let parsed: Vec<Result<Parsed, String>> = lines
                .par_iter()
                .with_min_len(LINES_TOGETHER)
                .map(|line| parse(line, &record.suite))
                .collect();
            for parsed in parsed {
                number += 1;
                match parsed {
                    Ok(parsed) => record.take(parsed),
                    Err(reason) => record.damaged.push(DamagedLine {
                        line: number,
                        reason,
                    }),
                }
            }
            if read == 0 {
                break;
            }
        }
        Ok(record)
    }

    /// The record that consists of these lines, the first of them being the header.
    ///
    /// # Errors
    /// When the first line is no header, or there is none. Launches that cannot be used are listed
    /// in [`Record::damaged`].
    pub fn from_lines(lines: impl IntoIterator<Item = Line>) -> Result<Self, ReadError> {
        let nowhere = Path::new("memory");
        let mut lines = lines.into_iter();
        let first = lines.next().ok_or_else(|| ReadError::NoHeader {
            path: nowhere.to_owned(),
            reason: "there is no line".to_owned(),
        })?;
        let mut record = Self::begin(nowhere, first)?;
        for (line, number) in lines.zip(2..) {
            if let Err(reason) = record.add(line) {
                record.damaged.push(DamagedLine {
                    line: number,
                    reason,
                });
            }
        }
        Ok(record)
    }

    fn from_header(path: &Path, line: &[u8]) -> Result<Self, ReadError> {
        /// The part of the header that every version has.
        #[derive(Deserialize)]
        struct Versioned {
            format_version: u64,
        }
        let no_header = |reason: String| ReadError::NoHeader {
            path: path.to_owned(),
            reason,
        };
        let versioned: Versioned =
            serde_json::from_slice(line).map_err(|error| no_header(error.to_string()))?;
        if versioned.format_version != u64::from(FORMAT_VERSION) {
            return Err(ReadError::Version {
                path: path.to_owned(),
                found: versioned.format_version,
            });
        }
        match serde_json::from_slice(line) {
            Ok(line) => Self::begin(path, line),
            Err(error) => Err(no_header(error.to_string())),
        }
    }

    /// A record without launches, from its first line.
    fn begin(path: &Path, line: Line) -> Result<Self, ReadError> {
        let Line::Run(header) = line else {
            return Err(ReadError::NoHeader {
                path: path.to_owned(),
                reason: "it is a line of another kind".to_owned(),
            });
        };
        let origin = Path::new(&header.suite.origin);
        let suite = SuiteFile::from_text(origin, header.suite.text.as_str())
            .suite()
            .map_err(|source| ReadError::Suite {
                path: path.to_owned(),
                source: Box::new(source),
            })?;
        Ok(Self {
            header: *header,
            suite,
            receipts: Vec::new(),
            launches: Vec::new(),
            counts: Vec::new(),
            end: None,
            damaged: Vec::new(),
        })
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        let parsed = resolved(line, &self.suite)?;
        self.take(parsed);
        Ok(())
    }

    fn take(&mut self, parsed: Parsed) {
        match parsed {
            Parsed::Receipt(receipt) => self.receipts.push(*receipt),
            Parsed::Launch(launch) => self.launches.push(launch),
            Parsed::Count(count) => self.counts.push(count),
            Parsed::End(end) => self.end = Some(end),
        }
    }
}

/// The run in this folder whose name is the last: names of runs end with their time.
fn last_run(folder: &Path) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let runs = entries.filter_map(|entry| Some(entry.ok()?.path()));
    runs.filter(|run| run.join(super::RECORD_FILE).is_file())
        .max()
}

fn parse(line: &[u8], suite: &Suite) -> Result<Parsed, String> {
    if line.last() != Some(&b'\n') {
        return Err("it breaks off in the middle".to_owned());
    }
    let broken = |error: serde_json::Error| error.to_string();
    if line.starts_with(LAUNCH) {
        let launch: LaunchLine = serde_json::from_slice(line).map_err(broken)?;
        return Launch::from_line(launch, suite).map(Parsed::Launch);
    }
    resolved(serde_json::from_slice(line).map_err(broken)?, suite)
}

fn resolved(line: Line, suite: &Suite) -> Result<Parsed, String> {
    Ok(match line {
        Line::Run(_) => return Err("a second header".to_owned()),
        Line::Receipt(receipt) => Parsed::Receipt(receipt),
        Line::Launch(line) => Parsed::Launch(Launch::from_line(*line, suite)?),
        Line::Count(line) => Parsed::Count(Count::from_line(line, suite)?),
        Line::End(end) => Parsed::End(end),
    })
}
