//! Writes a record line by line, so that a run that is cut short keeps what it measured.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::format::Line;
use super::model::Record;

/// A record that could not be written any further.
#[derive(Debug, Error)]
#[error(
    "cannot write the record {}: {source}\n  the {lines} lines before it are kept; \
     make room, or choose another folder with --out", path.display()
)]
pub struct WriteError {
    path: PathBuf,
    lines: u64,
    source: std::io::Error,
}

/// Takes the lines of a record, one after the other: a [`RecordWriter`], or a list.
pub trait Lines {
    /// Appends one line, whole or not at all.
    ///
    /// # Errors
    /// When there is no room for the line; those before it stay.
    fn write(&mut self, line: Line) -> Result<(), WriteError>;

    /// Makes sure that what was written outlives the machine. Called between blocks: within one,
    /// it would disturb the next launch.
    ///
    /// # Errors
    /// When that cannot be had.
    fn sync(&mut self) -> Result<(), WriteError>;
}

/// A record in memory. See [`Record::from_lines`](super::Record::from_lines).
impl Lines for Vec<Line> {
    fn write(&mut self, line: Line) -> Result<(), WriteError> {
        self.push(line);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        Ok(())
    }
}

/// An open record.
#[derive(Debug)]
pub struct RecordWriter {
    file: File,
    path: PathBuf,
    lines: u64,
    /// The length of all whole lines: what the file is cut back to when a line does not fit.
    length: u64,
}

impl RecordWriter {
    /// Creates the record; an existing file is not overwritten.
    ///
    /// # Errors
    /// When the file exists or cannot be created.
    pub fn create(path: &Path) -> Result<Self, WriteError> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|source| WriteError {
                path: path.to_owned(),
                lines: 0,
                source,
            })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            lines: 0,
            length: 0,
        })
    }

    fn error(&self, source: std::io::Error) -> WriteError {
        WriteError {
            path: self.path.clone(),
            lines: self.lines,
            source,
        }
    }
}

impl Lines for RecordWriter {
    fn write(&mut self, line: Line) -> Result<(), WriteError> {
        let mut bytes = serde_json::to_vec(&line).map_err(|error| self.error(error.into()))?;
        bytes.push(b'\n');
        if let Err(source) = self.file.write_all(&bytes) {
            // Half a line would be a damaged one. Cutting it off needs no room, and if even
            // that fails, the reader still names the line and reads the others.
            let _ = self.file.set_len(self.length);
            let _ = self.file.seek(SeekFrom::Start(self.length));
            return Err(self.error(source));
        }
        self.length += bytes.len() as u64;
        self.lines += 1;
        Ok(())
    }

    fn sync(&mut self) -> Result<(), WriteError> {
        self.file.sync_data().map_err(|source| self.error(source))
    }
}

impl Record {
    /// The text of a record's file, of what could be read.
    ///
    /// # Errors
    /// When a line cannot be written as JSON, as no line of a record that was read can.
    pub fn to_text(&self) -> serde_json::Result<Vec<u8>> {
        let header = Line::Run(Box::new(self.header.clone()));
        let receipts = self.receipts.iter();
        let receipts = receipts.map(|receipt| Line::Receipt(Box::new(receipt.clone())));
        let launches = self.launches.iter();
        let launches = launches.map(|launch| Line::Launch(Box::new(launch.to_line(&self.suite))));
        let counts = self.counts.iter();
        let counts = counts.map(|count| Line::Count(count.to_line(&self.suite)));
        let end = self.end.iter().map(|end| Line::End(end.clone()));
        let lines = std::iter::once(header).chain(receipts);
        let mut text = Vec::new();
        for line in lines.chain(launches).chain(counts).chain(end) {
            serde_json::to_writer(&mut text, &line)?;
            text.push(b'\n');
        }
        Ok(text)
    }
}
