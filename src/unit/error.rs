//! What is wrong with a unit: the file, the line, the offending text, and what would be right.

use std::fmt;
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Where something stands in a unit file or a drop-in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as it was named.
    pub file: PathBuf,
    /// Counted from 1; of a continued line, where it begins.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file.display(), self.line)
    }
}

/// A unit that systemd would not start, or that is none.
#[derive(Debug, Error)]
pub enum UnitError {
    /// The file's name is none of a service.
    #[error("{} is not the name of a service\n  give a file whose name ends in .service", .0.display())]
    Name(PathBuf),
    /// A file cannot be read.
    #[error("cannot read the unit's file {}: {source}", path.display())]
    Read {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The file is read, but says something that cannot be.
    #[error("{place}: {message}\n  {:>4} | {excerpt}\n  {help}", place.line)]
    Content {
        place: Place,
        message: String,
        /// The line of the file.
        excerpt: String,
        /// What would be right.
        help: String,
    },
    /// Something that must be there is not.
    #[error("{}: {message}\n  {help}", path.display())]
    Missing {
        path: PathBuf,
        message: String,
        help: String,
    },
}

impl UnitError {
    pub(super) fn read(path: &Path) -> impl FnOnce(std::io::Error) -> Self + use<> {
        let path = path.to_owned();
        move |source| Self::Read { path, source }
    }
}
