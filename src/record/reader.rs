//! Reads a record back. A damaged line costs that line, not the record.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

use super::counts::Count;
use super::format::{FORMAT_VERSION, LaunchLine, Line};
use super::model::{DamagedLine, Launch, Record};
use crate::suite::{SuiteError, SuiteFile};

/// How the writer begins the line of a launch. Such a line is parsed as what it is at once: to look
/// for `type` first, serde would keep every value of the line in memory of its own, which takes
/// twice as long, and nearly all lines of a record are launches. Others may be written otherwise.
const LAUNCH: &[u8] = br#"{"type":"launch","#;

/// A record that cannot be used at all.
#[derive(Debug, Error)]
pub enum ReadError {
    #[error("cannot read the record {}: {source}", path.display())]
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
            path.join(super::RECORD_FILE)
        } else {
            path.to_owned()
        };
        let io = |source| ReadError::Io {
            path: path.clone(),
            source,
        };
        let mut reader = BufReader::new(File::open(&path).map_err(io)?);
        let mut line = Vec::new();
        reader.read_until(b'\n', &mut line).map_err(io)?;
        let mut record = Self::from_header(&path, &line)?;
        for number in 2.. {
            line.clear();
            if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
                break;
            }
            if let Err(reason) = record.take(&line) {
                record.damaged.push(DamagedLine {
                    line: number,
                    reason,
                });
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

    fn take(&mut self, line: &[u8]) -> Result<(), String> {
        if line.last() != Some(&b'\n') {
            return Err("it breaks off in the middle".to_owned());
        }
        let broken = |error: serde_json::Error| error.to_string();
        let parsed = if line.starts_with(LAUNCH) {
            let launch: LaunchLine = serde_json::from_slice(line).map_err(broken)?;
            Line::Launch(Box::new(launch))
        } else {
            serde_json::from_slice(line).map_err(broken)?
        };
        self.add(parsed)
    }

    fn add(&mut self, line: Line) -> Result<(), String> {
        match line {
            Line::Run(_) => return Err("a second header".to_owned()),
            Line::Receipt(receipt) => self.receipts.push(*receipt),
            Line::Launch(line) => self.launches.push(Launch::from_line(*line, &self.suite)?),
            Line::Count(line) => self.counts.push(Count::from_line(line, &self.suite)?),
            Line::End(end) => self.end = Some(end),
        }
        Ok(())
    }
}
