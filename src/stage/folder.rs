//! The temporary folder of a run: for this user alone, gone afterwards, and swept away by a later
//! run if this one is killed.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use nix::sys::stat::{Mode, umask};
use nix::unistd::Uid;
use tempfile::TempDir;

use super::copy::{CopyError, WriteBits, at, set_write_bits};

/// Begins the name of the temporary folder.
const FOLDER_PREFIX: &str = "coldsnake-stage-";

/// This process's umask, until it is dropped.
pub struct Umask {
    before: Mode,
}

impl Umask {
    /// Sets it.
    pub fn set(bits: u32) -> Self {
        Self {
            before: umask(Mode::from_bits_truncate(bits)),
        }
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        umask(self.before);
    }
}

/// A temporary folder of the run, for this user alone, and the lock that says that it is in use.
///
/// # Errors
/// When it cannot be made.
pub fn make_root(parent: &Path) -> Result<(TempDir, fs::File), CopyError> {
    // Python resolves the links of a script's path; ours must be the same path.
    let parent = fs::canonicalize(parent).map_err(at(parent))?;
    loop {
        let root = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(at(&parent))?;
        let lock = fs::File::open(root.path()).map_err(at(root.path()))?;
        lock.lock().map_err(at(root.path()))?;
        // Another run may have swept it away before it was locked.
        if root.path().exists() {
            return Ok((root, lock));
        }
    }
}

/// Removes what runs left that were killed: folders of ours that nobody holds locked. Only folders
/// that nobody else could have put there or written into: the temporary folder is everybody's.
pub fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(FOLDER_PREFIX) {
            continue;
        }
        let path = entry.path();
        let ours = path.symlink_metadata().is_ok_and(|metadata| {
            metadata.is_dir()
                && metadata.uid() == Uid::effective().as_raw()
                && metadata.mode() & 0o022 == 0
        });
        if !ours {
            continue;
        }
        let Ok(folder) = fs::File::open(&path) else {
            continue;
        };
        if folder.try_lock().is_ok() {
            // Root needs no write bits, and must not follow what a user of its may have left.
            if !Uid::effective().is_root() {
                let _ = set_write_bits(&path, WriteBits::On);
            }
            let _ = fs::remove_dir_all(&path);
        }
    }
}
