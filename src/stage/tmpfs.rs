//! Folders on a tmpfs: mounted in the private namespace where there is one, else made on the
//! tmpfs that Linux systems keep for shared memory (shm_overview(7)).

use std::fs;
use std::path::{Path, PathBuf};

use nix::sys::statfs::{
    BTRFS_SUPER_MAGIC, EXT4_SUPER_MAGIC, FsType, OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, statfs,
};
use nix::unistd::Uid;
use tempfile::TempDir;

use super::StageError;
use super::copy::{WriteBits, at, set_write_bits};
use super::folder::make_root;
use super::isolation::Isolation;
use super::tree::Place;
use crate::suite::Medium;

/// Where Linux systems keep a tmpfs that every user can write.
pub(super) const SHARED_MEMORY: &str = "/dev/shm";
const TMPFS: &str = "tmpfs";
/// linux/magic.h; nix does not have it for musl.
const XFS_SUPER_MAGIC: FsType = FsType(0x5846_5342);

/// The folder of a run on the shared memory's tmpfs, made when a scenario needs it.
#[derive(Debug, Default)]
pub(super) struct SharedMemory {
    /// With the lock that says that it is in use, held until the folder is gone.
    folder: Option<(TempDir, fs::File)>,
}

impl SharedMemory {
    /// An empty folder of that name on the tmpfs.
    fn folder(
        &mut self,
        scenario: &str,
        name: &Path,
        isolation: &Isolation,
    ) -> Result<PathBuf, StageError> {
        let none = |reason: String| StageError::NoTmpfs {
            scenario: scenario.to_owned(),
            reason,
        };
        if !matches!(kind(Path::new(SHARED_MEMORY)), Ok(TMPFS_MAGIC)) {
            return Err(none(format!("{SHARED_MEMORY} is not one")));
        }
        let folder = match self.folder.take() {
            Some(folder) => folder,
            None => {
                let made = make_root(Path::new(SHARED_MEMORY))
                    .map_err(|error| none(format!("it cannot be written ({error})")))?;
                isolation.admit(made.0.path())?;
                made
            }
        };
        let path = self.folder.insert(folder).0.path().join(name);
        fs::create_dir_all(&path).map_err(at(&path))?;
        Ok(path)
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // An ordinary user cannot remove what lies in folders that were made read-only.
        if let Some((folder, _)) = &self.folder
            && !Uid::effective().is_root()
        {
            let _ = set_write_bits(folder.path(), WriteBits::On);
        }
    }
}

/// A folder on a tmpfs, and where it is: at `at`, an empty folder below `root`, if one can be
/// mounted there, else at the same path below a folder on the shared memory's tmpfs.
///
/// # Errors
/// When none can be mounted, or without a namespace, when there is none that can be written.
pub(super) fn put_on_tmpfs(
    scenario: &str,
    root: &Path,
    at: &Path,
    isolation: &mut Isolation,
    shared: &mut SharedMemory,
) -> Result<PathBuf, StageError> {
    let Some(namespace) = &mut isolation.namespace else {
        return shared.folder(scenario, at.strip_prefix(root).unwrap_or(at), isolation);
    };
    namespace
        .mount_tmpfs(at)
        .map_err(|error| StageError::NoTmpfs {
            scenario: scenario.to_owned(),
            reason: format!("mounting one: {error}"),
        })?;
    Ok(at.to_owned())
}

/// What is wrong with the file systems of a place, as a sentence, if something is.
pub(super) fn misplaced(what: &str, place: &Place, medium: Medium) -> Option<String> {
    let found = filesystems(place);
    let is_tmpfs = |found: &String| found == TMPFS;
    match medium {
        Medium::Tmpfs if !found.iter().all(is_tmpfs) => Some(format!(
            "{what} is on a file system of the kind {} instead of a tmpfs",
            found.join(" over ")
        )),
        Medium::Disk if found.iter().any(is_tmpfs) => Some(format!(
            "{what} is on a tmpfs instead of a disk; name a folder on a disk with TMPDIR"
        )),
        Medium::Stage | Medium::Tmpfs | Medium::Disk => None,
    }
}

/// The names of the file systems that a place's files lie on: the layer's, and that of what lies
/// below it.
pub(super) fn filesystems(place: &Place) -> Vec<String> {
    let below = place.below(Path::new("."));
    [Some(place.layer.clone()), below]
        .into_iter()
        .flatten()
        .map(|path| filesystem(&path))
        .collect()
}

/// The name of the file system that a folder lies on, as statfs(2) tells its kind; the number
/// where it has no name here.
fn filesystem(path: &Path) -> String {
    match kind(path) {
        Ok(TMPFS_MAGIC) => TMPFS.to_owned(),
        Ok(EXT4_SUPER_MAGIC) => "ext2, ext3 or ext4".to_owned(),
        Ok(XFS_SUPER_MAGIC) => "xfs".to_owned(),
        Ok(BTRFS_SUPER_MAGIC) => "btrfs".to_owned(),
        Ok(OVERLAYFS_SUPER_MAGIC) => "overlay".to_owned(),
        Ok(FsType(number)) => format!("{number:#x}"),
        Err(error) => format!("unknown ({error})"),
    }
}

fn kind(path: &Path) -> nix::Result<FsType> {
    Ok(statfs(path)?.filesystem_type())
}
