//! What is wrong with a suite: the file, the line, the offending text, and what would be right.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// A suite that cannot be used.
#[derive(Debug, Error)]
pub enum SuiteError {
    /// The file cannot be read.
    #[error("cannot read the suite {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// What the command line asks of the suite cannot be.
    #[error("{message}\n  {help}")]
    Option { message: String, help: String },
    /// The file is read, but says something that cannot be.
    #[error("{}:{line}: {message}\n  {line:>4} | {excerpt}\n  {help}", path.display())]
    Content {
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        message: String,
        /// The line of the file.
        excerpt: String,
        /// What would be right.
        help: String,
    },
}

impl SuiteError {
    /// An error at a byte offset of the suite's text.
    pub(super) fn at(
        path: &Path,
        text: &str,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Self {
        let offset = offset.min(text.len());
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let excerpt = text.lines().nth(line - 1).unwrap_or_default().trim_end();
        Self::Content {
            path: path.to_owned(),
            line,
            message: message.into(),
            excerpt: excerpt.to_owned(),
            help: help.into(),
        }
    }
}
