//! The bytecode below a folder: counted, remembered, and brought back to what it was.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use walkdir::WalkDir;

use super::copy::{CopyError, at, set_modified};

/// What was seen of bytecode below a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Census {
    /// Files named `*.pyc`.
    pub pycs: u64,
    /// Folders named `__pycache__`.
    pub pycache_folders: u64,
}

/// Counts the bytecode below a folder. A folder that isn't there has none.
pub fn census(folder: &Path) -> Census {
    let mut census = Census::default();
    for entry in WalkDir::new(folder).into_iter().flatten() {
        if entry.file_type().is_dir() {
            census.pycache_folders += u64::from(entry.file_name() == "__pycache__");
        } else {
            census.pycs += u64::from(is_pyc(entry.path()));
        }
    }
    census
}

/// The bytecode that a scenario starts with at each launch. Taken once, with the files' contents;
/// [`Pristine::restore`] removes what a launch added and mends what it changed.
#[derive(Debug, Clone, Default)]
pub struct Pristine {
    /// Every folder made for bytecode, and every pyc, by path below the folder.
    folders: Vec<PathBuf>,
    files: BTreeMap<PathBuf, Pyc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pyc {
    bytes: Vec<u8>,
    modified: SystemTime,
    permissions: fs::Permissions,
}

impl Pristine {
    /// Remembers the bytecode below a folder.
    ///
    /// # Errors
    /// When a pyc cannot be read.
    pub fn take(folder: &Path) -> Result<Self, CopyError> {
        let mut pristine = Self::default();
        for entry in WalkDir::new(folder).into_iter().flatten() {
            let Ok(relative) = entry.path().strip_prefix(folder) else {
                continue;
            };
            if entry.file_type().is_dir() && entry.file_name() == "__pycache__" {
                pristine.folders.push(relative.to_owned());
            } else if entry.file_type().is_file() && is_pyc(entry.path()) {
                let metadata = fs::metadata(entry.path()).map_err(at(entry.path()))?;
                pristine.files.insert(
                    relative.to_owned(),
                    Pyc {
                        bytes: fs::read(entry.path()).map_err(at(entry.path()))?,
                        modified: metadata.modified().map_err(at(entry.path()))?,
                        permissions: metadata.permissions(),
                    },
                );
            }
        }
        Ok(pristine)
    }

    /// Brings the bytecode below the folder back to what was remembered.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn restore(&self, folder: &Path) -> Result<(), CopyError> {
        let mut missing: BTreeMap<&Path, &Pyc> = self
            .files
            .iter()
            .map(|(path, pyc)| (path.as_path(), pyc))
            .collect();
        for entry in WalkDir::new(folder)
            .contents_first(true)
            .into_iter()
            .flatten()
        {
            let Ok(relative) = entry.path().strip_prefix(folder) else {
                continue;
            };
            if entry.path_is_symlink() {
                // Nothing of ours is a link, and writing through one would reach anything.
                if entry.file_name() == "__pycache__" || is_pyc(entry.path()) {
                    fs::remove_file(entry.path()).map_err(at(entry.path()))?;
                }
            } else if entry.file_type().is_dir() {
                let ours = self.folders.iter().any(|folder| folder == relative);
                if entry.file_name() == "__pycache__" && !ours {
                    fs::remove_dir_all(entry.path()).map_err(at(entry.path()))?;
                }
            } else if is_pyc(entry.path()) {
                match missing.get(relative) {
                    // Size and time are what CPython itself goes by (and every write renames a
                    // new file over the old one, with a new time).
                    Some(pyc) if unchanged(entry.path(), pyc) => {
                        missing.remove(relative);
                    }
                    Some(_) => {}
                    None => fs::remove_file(entry.path()).map_err(at(entry.path()))?,
                }
            }
        }
        for (relative, pyc) in missing {
            let path = folder.join(relative);
            if let Some(parent) = path.parent() {
                make_folders(parent, folder)?;
            }
            // What is there is removed, not written through: the app may have put a hard link to
            // something else in its place.
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(at(&path)(error));
                }
                Ok(()) | Err(_) => {}
            }
            fs::File::create_new(&path)
                .and_then(|mut file| file.write_all(&pyc.bytes))
                .map_err(at(&path))?;
            inherit_owner(&path, folder)?;
            fs::set_permissions(&path, pyc.permissions.clone()).map_err(at(&path))?;
            set_modified(&path, pyc.modified).map_err(at(&path))?;
        }
        Ok(())
    }
}

/// Makes a folder below another, with those between them, all of the other's owner.
fn make_folders(path: &Path, below: &Path) -> Result<(), CopyError> {
    if path == below {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_folders(parent, below)?;
    }
    // Not through a link that the app put in a folder's place.
    if path
        .symlink_metadata()
        .is_ok_and(|metadata| metadata.is_dir())
    {
        return Ok(());
    }
    fs::create_dir(path).map_err(at(path))?;
    inherit_owner(path, below)
}

/// What root brings back must belong to whom it belonged before: a user who may write the source
/// could not remove or replace it otherwise.
fn inherit_owner(path: &Path, from: &Path) -> Result<(), CopyError> {
    let owner = fs::metadata(from).map_err(at(from))?;
    lchown(path, Some(owner.uid()), Some(owner.gid())).map_err(at(path))
}

/// Removes everything below a folder, and leaves the folder.
///
/// # Errors
/// The first file that cannot be removed.
pub fn empty(folder: &Path) -> Result<(), CopyError> {
    for entry in fs::read_dir(folder).map_err(at(folder))?.flatten() {
        let path = entry.path();
        let removed = if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        removed.map_err(at(&path))?;
    }
    Ok(())
}

fn unchanged(path: &Path, pyc: &Pyc) -> bool {
    fs::metadata(path).is_ok_and(|metadata| {
        metadata.len() == pyc.bytes.len() as u64
            && metadata.modified().is_ok_and(|time| time == pyc.modified)
    })
}

fn is_pyc(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "pyc")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: PathBuf, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    #[test]
    fn what_a_launch_adds_goes_and_what_it_changes_or_removes_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        write(root.join("__pycache__/kept.cpython-311.pyc"), "kept");
        write(root.join("__pycache__/changed.cpython-311.pyc"), "before");
        write(root.join("__pycache__/removed.cpython-311.pyc"), "removed");
        write(root.join("app.py"), "source");
        let pristine = Pristine::take(root).unwrap();

        write(
            root.join("__pycache__/changed.cpython-311.pyc"),
            "after that",
        );
        fs::remove_file(root.join("__pycache__/removed.cpython-311.pyc")).unwrap();
        write(root.join("__pycache__/added.cpython-311.pyc"), "added");
        write(
            root.join("package/__pycache__/added.cpython-311.pyc"),
            "added",
        );
        pristine.restore(root).unwrap();

        let read = |name: &str| fs::read_to_string(root.join("__pycache__").join(name)).unwrap();
        assert_eq!(read("kept.cpython-311.pyc"), "kept");
        assert_eq!(read("changed.cpython-311.pyc"), "before");
        assert_eq!(read("removed.cpython-311.pyc"), "removed");
        assert_eq!(
            census(root),
            Census {
                pycs: 3,
                pycache_folders: 1
            }
        );
        assert!(root.join("app.py").exists() && root.join("package").exists());
    }

    #[test]
    fn nothing_is_written_through_a_link_that_the_app_left() {
        let folder = tempfile::tempdir().unwrap();
        let (root, precious) = (folder.path().join("app"), folder.path().join("precious"));
        write(root.join("__pycache__/a.cpython-311.pyc"), "a");
        write(root.join("package/__pycache__/b.cpython-311.pyc"), "b");
        fs::write(&precious, "kept").unwrap();
        let pristine = Pristine::take(&root).unwrap();
        let pyc = root.join("__pycache__/a.cpython-311.pyc");
        fs::remove_file(&pyc).unwrap();
        std::os::unix::fs::symlink(&precious, &pyc).unwrap();
        pristine.restore(&root).unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
        assert!(!pyc.is_symlink() && fs::read_to_string(&pyc).unwrap() == "a");

        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::remove_dir_all(root.join("package")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, root.join("package")).unwrap();
        assert!(pristine.restore(&root).is_err());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn a_scenario_without_bytecode_loses_its_folders_too() {
        let folder = tempfile::tempdir().unwrap();
        let pristine = Pristine::take(folder.path()).unwrap();
        write(folder.path().join("__pycache__/a.cpython-311.pyc"), "a");
        pristine.restore(folder.path()).unwrap();
        assert_eq!(census(folder.path()), Census::default());
    }
}
