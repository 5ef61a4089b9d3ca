//! One file that the user named: written whole or not at all, and over another one only if that is asked
//! for.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::write::{write_new, write_whole};

/// What to do about a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays as it is, and nothing is written.
    Keep,
    Replace,
}

/// A file that was not written; what stood there is as it was.
#[derive(Debug, Error)]
pub enum WriteFileError {
    #[error("{} is there already\n  name another file, or replace it with --force", path.display())]
    Exists { path: PathBuf },
    #[error("{} is no ordinary file, and is not replaced\n  name another one", path.display())]
    NoFile { path: PathBuf },
    #[error("cannot write {}: {source}\n  name another file", path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Would [`write_file`] refuse to write it? To be asked before what takes long.
///
/// # Errors
/// When it is there, and is to be kept; when its folder is not there.
pub fn check_file(path: &Path, existing: Existing) -> Result<(), WriteFileError> {
    let path_of = || path.to_owned();
    if existing == Existing::Keep && path.symlink_metadata().is_ok() {
        return Err(WriteFileError::Exists { path: path_of() });
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let found = fs::metadata(folder).and_then(|found| match found.is_dir() {
        true => Ok(()),
        false => Err(io::Error::from(ErrorKind::NotADirectory)),
    });
    found.map_err(|source| WriteFileError::Write {
        path: path_of(),
        source,
    })
}

/// Writes a file, under another name first, then synced and renamed.
///
/// # Errors
/// When the file is there and is to be kept, is a folder, a device or a pipe, or cannot be written.
pub fn write_file(path: &Path, bytes: &[u8], existing: Existing) -> Result<(), WriteFileError> {
    let failed = |source| WriteFileError::Write {
        path: path.to_owned(),
        source,
    };
    // Not `exists`, which follows a link that leads nowhere.
    match (fs::symlink_metadata(path), existing) {
        (Err(error), _) if error.kind() == ErrorKind::NotFound => {}
        (Err(error), _) => return Err(failed(error)),
        (Ok(_), Existing::Keep) => {
            return Err(WriteFileError::Exists {
                path: path.to_owned(),
            });
        }
        (Ok(_), Existing::Replace) => {
            // The file behind a link, and not the link.
            let real = fs::canonicalize(path).map_err(failed)?;
            if !real.is_file() {
                return Err(WriteFileError::NoFile {
                    path: path.to_owned(),
                });
            }
            return write_whole(&real, bytes).map_err(failed);
        }
    }
    match write_new(path, bytes) {
        // Somebody else was faster.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(WriteFileError::Exists {
            path: path.to_owned(),
        }),
        written => written.map_err(failed),
    }
}
