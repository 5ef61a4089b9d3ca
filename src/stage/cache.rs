//! The bytecode of a tree: counted, remembered, and brought back to what it was.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use walkdir::WalkDir;

use super::copy::{CopyError, at, set_modified};
use super::tree::{Place, own_entries};

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

/// The bytecode that a scenario starts with at each launch. [`Pristine::restore`] removes what a
/// launch added and mends what it changed.
///
/// A launch leaves a tree of thousands of files as it was, or adds to a few folders. So the
/// folders' times of change are remembered, and only folders whose time is another are looked
/// into: CPython and compileall write a pyc under a temporary name and rename it, which changes
/// the folder.
#[derive(Debug, Clone, Default)]
pub struct Pristine {
    /// Every folder for bytecode, by path below the tree.
    folders: BTreeSet<PathBuf>,
    files: BTreeMap<PathBuf, Pyc>,
    /// Every folder of the layer in which changes show, and when it last changed.
    stamps: BTreeMap<PathBuf, Stamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pyc {
    bytes: Bytes,
    length: u64,
    modified: SystemTime,
    permissions: fs::Permissions,
}

/// Where a pyc's contents are, should a launch change it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Bytes {
    Remembered(Vec<u8>),
    /// In the lower layer, which no launch can change.
    Below,
}

/// A folder's time of last change, in seconds and nanoseconds.
type Stamp = (i64, i64);

/// Something that is not as it was remembered, by path below the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Difference {
    /// A pyc, or a link in the place of one.
    Added(PathBuf),
    /// A folder for bytecode and so many pycs in it.
    AddedFolder(PathBuf, u64),
    Changed(PathBuf),
    Missing(PathBuf),
}

impl Difference {
    /// The folder that has changed by it, and changes again when it is mended.
    fn folder(&self) -> Option<&Path> {
        let (Self::Added(path)
        | Self::AddedFolder(path, _)
        | Self::Changed(path)
        | Self::Missing(path)) = self;
        path.parent()
    }
}

#[derive(Debug, Default)]
struct Differences {
    differences: Vec<Difference>,
    /// Folders whose time of change was another.
    looked_into: Vec<PathBuf>,
}

impl Pristine {
    /// Remembers the bytecode of a tree.
    ///
    /// # Errors
    /// When a pyc cannot be read.
    pub fn take(place: &Place) -> Result<Self, CopyError> {
        let mut pristine = Self::default();
        let folder = &place.path;
        for entry in own_entries(folder) {
            let Ok(relative) = entry.path().strip_prefix(folder) else {
                continue;
            };
            if entry.file_type().is_dir() && place.is_for_bytecode(relative) {
                pristine.folders.insert(relative.to_owned());
            } else if entry.file_type().is_file() && is_pyc(entry.path()) {
                let metadata = fs::metadata(entry.path()).map_err(at(entry.path()))?;
                let bytes = if place.below(relative).is_some_and(|below| below.exists())
                    && !place.layer.join(relative).exists()
                {
                    Bytes::Below
                } else {
                    Bytes::Remembered(fs::read(entry.path()).map_err(at(entry.path()))?)
                };
                let pyc = Pyc {
                    bytes,
                    length: metadata.len(),
                    modified: metadata.modified().map_err(at(entry.path()))?,
                    permissions: metadata.permissions(),
                };
                pristine.files.insert(relative.to_owned(), pyc);
            }
        }
        for entry in own_entries(&place.layer) {
            if entry.file_type().is_dir()
                && let Ok(relative) = entry.path().strip_prefix(&place.layer)
            {
                pristine.remember_stamp(place, relative);
            }
        }
        Ok(pristine)
    }

    fn remember_stamp(&mut self, place: &Place, folder: &Path) {
        if let Some(stamp) = stamp(&place.layer.join(folder)) {
            self.stamps.insert(folder.to_owned(), stamp);
        }
    }

    /// The pycs of the tree as it was remembered.
    pub fn pycs(&self) -> u64 {
        self.files.len() as u64
    }

    /// The pycs of the tree now.
    pub fn pycs_now(&self, place: &Place) -> u64 {
        let differences = self.differences(place).differences;
        differences
            .iter()
            .fold(self.pycs(), |pycs, difference| match difference {
                Difference::Added(_) => pycs + 1,
                Difference::AddedFolder(_, inside) => pycs + inside,
                Difference::Changed(_) => pycs,
                Difference::Missing(_) => pycs.saturating_sub(1),
            })
    }

    /// Brings the tree's bytecode back to what was remembered.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn restore(&mut self, place: &Place) -> Result<(), CopyError> {
        let Differences {
            differences,
            looked_into,
        } = self.differences(place);
        for difference in &differences {
            match difference {
                Difference::Added(path) => remove(&place.path.join(path))?,
                Difference::AddedFolder(path, _) => {
                    let path = place.path.join(path);
                    fs::remove_dir_all(&path).map_err(at(&path))?;
                }
                Difference::Changed(path) | Difference::Missing(path) => {
                    self.bring_back(place, path)?;
                }
            }
        }
        // What was mended has changed its folder once more, and what else the app added stays.
        let mended = differences.iter().filter_map(Difference::folder);
        for folder in looked_into.iter().map(PathBuf::as_path).chain(mended) {
            match stamp(&place.layer.join(folder)) {
                Some(stamp) => self.stamps.insert(folder.to_owned(), stamp),
                None => self.stamps.remove(folder),
            };
        }
        Ok(())
    }

    fn bring_back(&self, place: &Place, relative: &Path) -> Result<(), CopyError> {
        let Some(pyc) = self.files.get(relative) else {
            return Ok(());
        };
        let folder = &place.path;
        let path = folder.join(relative);
        let bytes = match (&pyc.bytes, place.below(relative)) {
            (Bytes::Remembered(bytes), _) => bytes.clone(),
            (Bytes::Below, Some(below)) => fs::read(&below).map_err(at(&path))?,
            (Bytes::Below, None) => return Ok(()),
        };
        if let Some(parent) = path.parent() {
            make_folders(parent, folder)?;
        }
        // What is there is removed, not written through: the app may have put a hard link to
        // something else in its place.
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(at(&path)(error)),
            Ok(()) | Err(_) => {}
        }
        fs::File::create_new(&path)
            .and_then(|mut file| file.write_all(&bytes))
            .map_err(at(&path))?;
        inherit_owner(&path, folder)?;
        fs::set_permissions(&path, pyc.permissions.clone()).map_err(at(&path))?;
        set_modified(&path, pyc.modified).map_err(at(&path))
    }

    fn differences(&self, place: &Place) -> Differences {
        let mut differences = Differences::default();
        for (folder, before) in &self.stamps {
            match stamp(&place.layer.join(folder)) {
                Some(now) if now == *before => {}
                Some(_) => self.look_into(place, folder, &mut differences),
                None => self.miss_all_below(folder, &mut differences),
            }
        }
        differences
    }

    /// A folder of the layer that has changed, or that is new.
    fn look_into(&self, place: &Place, folder: &Path, differences: &mut Differences) {
        let Ok(entries) = fs::read_dir(place.layer.join(folder)) else {
            return;
        };
        differences.looked_into.push(folder.to_owned());
        let mut present = BTreeSet::new();
        for entry in entries.flatten() {
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            let relative = folder.join(entry.file_name());
            if kind.is_dir() {
                self.look_at_folder(place, relative, differences);
                continue;
            }
            if !kind.is_file() && !kind.is_symlink() {
                // Where an overlay's lower layer has a file that is gone, a device stands for it
                // (overlayfs, "whiteouts and opaque directories").
                continue;
            }
            if kind.is_symlink() && place.is_for_bytecode(&relative) || is_pyc(&relative) {
                // What a link leads to is none of ours.
                match self.files.get(&relative) {
                    Some(pyc) if unchanged(&place.path.join(&relative), pyc) => {}
                    Some(_) => differences
                        .differences
                        .push(Difference::Changed(relative.clone())),
                    None => differences
                        .differences
                        .push(Difference::Added(relative.clone())),
                }
                present.insert(relative);
            }
        }
        for (path, pyc) in self.files_in(folder) {
            let hidden = || !place.path.join(path).exists();
            if !present.contains(path) && (pyc.bytes != Bytes::Below || hidden()) {
                differences
                    .differences
                    .push(Difference::Missing(path.clone()));
            }
        }
    }

    fn look_at_folder(&self, place: &Place, relative: PathBuf, differences: &mut Differences) {
        if self.stamps.contains_key(&relative) {
            // It is looked at by itself.
            return;
        }
        let is_new = !self.folders.contains(&relative);
        if place.is_for_bytecode(&relative) && is_new {
            let inside = census(&place.layer.join(&relative)).pycs;
            differences
                .differences
                .push(Difference::AddedFolder(relative, inside));
        } else {
            self.look_into(place, &relative, differences);
        }
    }

    fn miss_all_below(&self, folder: &Path, differences: &mut Differences) {
        differences.looked_into.push(folder.to_owned());
        for (path, _) in self.files_in(folder) {
            differences
                .differences
                .push(Difference::Missing(path.clone()));
        }
    }

    /// The remembered pycs that lie right in a folder.
    fn files_in<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = (&'a PathBuf, &'a Pyc)> {
        self.files
            .range(folder.to_owned()..)
            .take_while(move |(path, _)| path.starts_with(folder))
            .filter(move |(path, _)| path.parent() == Some(folder))
    }
}

fn remove(path: &Path) -> Result<(), CopyError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(path)(error)),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn stamp(folder: &Path) -> Option<Stamp> {
    let metadata = fs::symlink_metadata(folder).ok()?;
    metadata
        .is_dir()
        .then(|| (metadata.ctime(), metadata.ctime_nsec()))
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

fn unchanged(path: &Path, pyc: &Pyc) -> bool {
    // Not of what a link leads to: nothing of ours is one.
    fs::symlink_metadata(path).is_ok_and(|metadata| {
        metadata.is_file()
            && metadata.len() == pyc.length
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
        let place = Place::plain(root);
        let mut pristine = Pristine::take(&place).unwrap();

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
        assert_eq!(pristine.pycs_now(&place), 4);
        pristine.restore(&place).unwrap();

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
        let place = Place::plain(&root);
        let mut pristine = Pristine::take(&place).unwrap();
        let pyc = root.join("__pycache__/a.cpython-311.pyc");
        fs::remove_file(&pyc).unwrap();
        std::os::unix::fs::symlink(&precious, &pyc).unwrap();
        pristine.restore(&place).unwrap();
        assert_eq!(fs::read_to_string(&precious).unwrap(), "kept");
        assert!(!pyc.is_symlink() && fs::read_to_string(&pyc).unwrap() == "a");

        let elsewhere = folder.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::remove_dir_all(root.join("package")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, root.join("package")).unwrap();
        assert!(pristine.restore(&place).is_err());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn a_scenario_without_bytecode_loses_its_folders_too() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::plain(folder.path());
        let mut pristine = Pristine::take(&place).unwrap();
        write(folder.path().join("__pycache__/a.cpython-311.pyc"), "a");
        pristine.restore(&place).unwrap();
        assert_eq!(census(folder.path()), Census::default());
    }
}
