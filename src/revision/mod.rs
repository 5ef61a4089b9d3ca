//! The app's source at another revision, as git has it.
//!
//! The repository is read and never changed: no checkout, no worktree, no index is written. What is
//! found is how each of the app's folders differs from the working tree ([`Change`]), and a stage
//! makes these changes in a layer or a copy of its own. So whatever git does not know of (a `.env`, a
//! virtual environment, built files) is there at every revision, as it lies in the working tree.

mod apply;
mod git;
mod source;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use thiserror::Error;

pub use apply::{apply, first_unlike};

use crate::record::format::{self, WorkingTree};

/// The revisions that a suite's scenarios name. None, for most suites.
#[derive(Debug, Clone, Default)]
pub struct Revisions {
    pub all: Vec<Revision>,
    /// `None` without revisions.
    pub working_tree: Option<WorkingTree>,
}

/// The app's source at a revision.
#[derive(Debug, Clone)]
pub struct Revision {
    /// As the suite names it.
    pub name: String,
    /// The commit that it led to, in hexadecimal.
    pub commit: String,
    /// When it was committed: RFC 3339.
    pub committed: String,
    /// The app's folders that differ from the working tree.
    pub folders: Vec<Folder>,
    /// Sentences on what is not of that revision.
    pub notes: Vec<String>,
}

/// A folder of the app's, and what is different in it at a revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// Links resolved.
    pub path: PathBuf,
    pub changes: Vec<Change>,
}

/// What a file below a folder has to become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Relative to the folder.
    pub path: PathBuf,
    pub to: State,
}

/// A file's state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    File {
        bytes: Vec<u8>,
        mode: Executable,
        /// Seconds since 1970: a pyc is checked against it.
        modified: u64,
    },
    Link(OsString),
    /// There is none.
    Nothing,
}

/// May it be executed? Git knows no other modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Executable {
    Yes,
    No,
}

impl Revisions {
    /// The one of that name.
    pub fn named(&self, name: &str) -> Option<&Revision> {
        self.all.iter().find(|revision| revision.name == name)
    }

    /// What makes this folder one of the revision; of the working tree, what makes it the same in the
    /// same way: its own files once more, wherever some revision has another, so that none of two
    /// states is read through more layers.
    ///
    /// # Errors
    /// When a file of the working tree cannot be read.
    pub fn changes(&self, name: Option<&str>, folder: &Path) -> std::io::Result<Vec<Change>> {
        let of = |revision: &Revision| {
            let mut folders = revision.folders.iter();
            let found = folders.find(|each| each.path == folder);
            found.map_or(Vec::new(), |each| each.changes.clone())
        };
        let Some(name) = name else {
            let mut own: Vec<Change> = Vec::new();
            for change in self.all.iter().flat_map(of) {
                if own.iter().all(|known| known.path != change.path) {
                    own.extend(apply::as_it_is(folder, &change.path)?);
                }
            }
            return Ok(own);
        };
        Ok(self.named(name).map_or(Vec::new(), of))
    }

    /// For the record's header.
    pub fn described(&self) -> Vec<format::Revision> {
        let described = |revision: &Revision| format::Revision {
            name: revision.name.clone(),
            commit: revision.commit.clone(),
            committed: revision.committed.clone(),
            changed: revision
                .folders
                .iter()
                .map(|f| f.changes.len() as u64)
                .sum(),
            notes: revision.notes.clone(),
        };
        self.all.iter().map(described).collect()
    }
}

/// A revision that cannot be had.
#[derive(Debug, Error)]
pub enum RevisionError {
    #[error(
        "scenarios are to be measured at {revision}, and there is no git to ask for it: {source}\n  \
         install git, or measure the working tree alone"
    )]
    NoGit {
        revision: String,
        source: std::io::Error,
    },
    #[error(
        "{} is in no git repository, so there is no {revision} of it{}\n  \
         give a suite whose `source` lies in one",
        folder.display(),
        if reason.is_empty() { String::new() } else { format!(": {reason}") }
    )]
    NoRepository {
        folder: PathBuf,
        revision: String,
        reason: String,
    },
    #[error(
        "the app has no source folder of its own, so there is no {revision} of it\n  \
         give a suite whose `source` lies in a git repository"
    )]
    NoSource { revision: String },
    #[error("there is no revision `{revision}` in {}\n  {help}", repository.display())]
    Unknown {
        revision: String,
        repository: PathBuf,
        help: &'static str,
    },
    #[error(
        "the app's folder {} has no files at {revision}\n  \
         give a revision in which it has the same place",
        folder.display()
    )]
    NotThere { folder: PathBuf, revision: String },
    #[error("git cannot tell the app's source at {revision}: {reason}")]
    Git { revision: String, reason: String },
    #[error("cannot read {}: {source}", path.display())]
    Files {
        path: PathBuf,
        source: std::io::Error,
    },
}
