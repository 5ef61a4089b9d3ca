//! A private copy of an app's source: times kept, bytecode left out.

use std::fs;
use std::io;
use std::os::unix::fs::{MetadataExt, lchown, symlink};
use std::path::{Path, PathBuf};

use thiserror::Error;
use walkdir::WalkDir;

/// Left out: bytecode, whose state is the scenario's to set, and what no app reads.
const LEFT_OUT: [&str; 3] = ["__pycache__", ".git", ".hg"];

/// A file that could not be copied or changed.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub struct CopyError {
    pub path: PathBuf,
    pub source: io::Error,
}

pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> CopyError + use<> {
    let path = path.to_owned();
    move |source| CopyError { path, source }
}

/// Copies the folder `from` to `to`, which must not exist. Modification times are kept, since a
/// pyc is checked against them; so are modes, and symbolic links as they are. Sockets, devices
/// and pipes are left out: opening one could wait for ever.
///
/// # Errors
/// The first file that cannot be read or written.
pub fn copy_tree(from: &Path, to: &Path) -> Result<(), CopyError> {
    let entries = WalkDir::new(from)
        .min_depth(0)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| {
            entry.depth() == 0 || !LEFT_OUT.iter().any(|name| entry.file_name() == *name)
        });
    let mut folders = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| CopyError {
            path: error.path().unwrap_or(from).to_owned(),
            source: error.into(),
        })?;
        // An entry of a walk below `from` always starts with it.
        let Ok(relative) = entry.path().strip_prefix(from) else {
            continue;
        };
        let target = if relative.as_os_str().is_empty() {
            to.to_owned()
        } else {
            to.join(relative)
        };
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir(&target).map_err(at(&target))?;
            folders.push((entry.path().to_owned(), target));
        } else if kind.is_symlink() {
            let link = fs::read_link(entry.path()).map_err(at(entry.path()))?;
            symlink(&link, &target).map_err(at(&target))?;
        } else if kind.is_file() && !is_bytecode(entry.path()) {
            fs::copy(entry.path(), &target).map_err(at(entry.path()))?;
            keep_times(entry.path(), &target)?;
        }
    }
    // A folder's time changes as it is filled, so these come last.
    for (source, target) in folders.iter().rev() {
        keep_times(source, target)?;
    }
    Ok(())
}

/// A pyc beside its source (sourceless, or written by Python 2).
fn is_bytecode(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pyc")
        && path.with_extension("py").exists()
}

fn keep_times(from: &Path, to: &Path) -> Result<(), CopyError> {
    let metadata = fs::metadata(from).map_err(at(from))?;
    let modified = metadata.modified().map_err(at(from))?;
    set_modified(to, modified).map_err(at(to))
}

/// Sets a file's or folder's modification time, whatever its mode is.
pub(super) fn set_modified(path: &Path, time: std::time::SystemTime) -> io::Result<()> {
    fs::File::open(path)?.set_modified(time)
}

/// Gives a folder and everything below it to a user.
///
/// # Errors
/// The first file that cannot be given.
pub fn give(folder: &Path, uid: u32, gid: u32) -> Result<(), CopyError> {
    for entry in WalkDir::new(folder).into_iter().flatten() {
        lchown(entry.path(), Some(uid), Some(gid)).map_err(at(entry.path()))?;
    }
    Ok(())
}

/// May its owner write to it?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WriteBits {
    On,
    Off,
}

/// Sets or takes the write bits of a folder and everything below it, and lets everybody read it.
///
/// # Errors
/// The first file whose mode cannot be changed.
pub fn set_write_bits(folder: &Path, bits: WriteBits) -> Result<(), CopyError> {
    use std::os::unix::fs::PermissionsExt;
    for entry in WalkDir::new(folder)
        .contents_first(true)
        .into_iter()
        .flatten()
    {
        if entry.path_is_symlink() {
            continue;
        }
        let mode = fs::metadata(entry.path()).map_err(at(entry.path()))?.mode();
        let readable = if entry.file_type().is_dir() {
            0o555
        } else {
            0o444
        };
        let mode = match bits {
            WriteBits::On => (mode | readable | 0o200) & 0o7777,
            WriteBits::Off => (mode | readable) & 0o7555,
        };
        fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode))
            .map_err(at(entry.path()))?;
    }
    Ok(())
}
