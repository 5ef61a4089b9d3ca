//! Why CPython writes no pyc into a folder. It swallows every error of that (`set_data` and
//! `_cache_bytecode` in `Lib/importlib/_bootstrap_external.py`), so what would stop it is looked for
//! here: without trying.

use std::path::{Path, PathBuf};

use nix::fcntl::AtFlags;
use nix::sys::stat::{FileStat, stat};
use nix::sys::statvfs::{FsFlags, Statvfs, statvfs};
use nix::unistd::{AccessFlags, faccessat};

use super::mounts::Mounts;
use super::rights::{May, Rights, Want};
use super::view::View;
use crate::unit::{Access, Lifetime, Permissions, Sandbox};

/// What keeps a pyc from being written, or from lasting.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// Python is told not to, by this variable or flag.
    DontWrite { by: String },
    /// A directive of the unit makes the folder read-only or hides it: EROFS.
    Sandbox { by: String },
    /// The folder lies on a mount that is read-only: EROFS.
    ReadOnlyMount { point: PathBuf, kind: String },
    /// Owner and mode of the folder, and its access control list if it has one: EACCES.
    Denied { owner: u32, mode: u32, list: List },
    /// Something that is no folder stands where the folder would be: ENOTDIR.
    NoFolder,
    /// No space is left, or no more files can be made: ENOSPC.
    Full { point: PathBuf },
    /// It is written, and each start finds the folder empty again.
    Emptied { by: String },
}

impl Obstacle {
    /// The word for it in reports.
    pub fn word(&self) -> &'static str {
        match self {
            Self::DontWrite { .. } => "dont-write",
            Self::Sandbox { .. } => "unit-sandbox",
            Self::ReadOnlyMount { .. } => "EROFS",
            Self::Denied { .. } => "EACCES",
            Self::NoFolder => "ENOTDIR",
            Self::Full { .. } => "ENOSPC",
            Self::Emptied { .. } => "volatile",
        }
    }
}

/// Has a folder an access control list?
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum List {
    None,
    There,
}

/// An obstacle, and the folder that was looked at: the one that was asked for, or the nearest above
/// it that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstructed {
    pub by: Obstacle,
    pub at: PathBuf,
}

/// What decides whether the app can write.
#[derive(Debug, Clone)]
pub struct Writing {
    pub rights: Rights,
    pub view: View,
    pub mounts: Mounts,
    /// Of a service, unless its command runs outside of it.
    pub sandbox: Option<Sandbox>,
    /// The variable or the flag that forbids it.
    pub dont_write: Option<String>,
}

impl Writing {
    /// What would keep the app from making a file in a folder, which need not exist: then it would
    /// be made, with those above it that do not exist either.
    pub fn obstacle(&self, folder: &Path) -> Option<Obstructed> {
        let at = |by| {
            Some(Obstructed {
                by,
                at: folder.to_owned(),
            })
        };
        if let Some(by) = &self.dont_write {
            return at(Obstacle::DontWrite { by: by.clone() });
        }
        if let Some(sandbox) = &self.sandbox {
            match sandbox.access(folder) {
                Access::ReadOnly { by } | Access::Inaccessible { by } => {
                    return at(Obstacle::Sandbox { by: by.to_string() });
                }
                Access::Writable => {}
            }
            if let Lifetime::UntilStop { by } = sandbox.lifetime(folder) {
                return at(Obstacle::Emptied { by: by.to_string() });
            }
            if sandbox.own_folder(folder).is_some() {
                return None;
            }
        }
        if !self.view.is_itself(folder) {
            return None;
        }
        let (nearest, here, found) = self.nearest(folder)?;
        self.on_disk(&nearest, &here, &found)
            .map(|by| Obstructed { by, at: nearest })
    }

    fn on_disk(&self, nearest: &Path, here: &Path, found: &FileStat) -> Option<Obstacle> {
        if found.st_mode & libc::S_IFMT != libc::S_IFDIR {
            return Some(Obstacle::NoFolder);
        }
        let mount = |fallback: &str| match self.mounts.over(nearest) {
            Some(mount) => (mount.point.clone(), mount.kind.clone()),
            None => (nearest.to_owned(), fallback.to_owned()),
        };
        let system = statvfs(here).ok();
        let system = system.as_ref();
        if system.is_some_and(|system| system.flags().contains(FsFlags::ST_RDONLY)) {
            let (point, kind) = mount("file system");
            return Some(Obstacle::ReadOnlyMount { point, kind });
        }
        let permissions = Permissions::at(here)?;
        let denied = if self.rights.are_mine() {
            let wanted = AccessFlags::W_OK | AccessFlags::X_OK;
            faccessat(nix::fcntl::AT_FDCWD, here, wanted, AtFlags::AT_EACCESS).is_err()
        } else {
            self.rights.may(&permissions, Want::WriteInto) == May::No
        };
        if denied {
            return Some(Obstacle::Denied {
                owner: permissions.owner,
                mode: permissions.mode,
                list: if permissions.has_list() {
                    List::There
                } else {
                    List::None
                },
            });
        }
        let full = system.is_some_and(|system| is_full(system, &self.rights));
        full.then(|| Obstacle::Full { point: mount("").0 })
    }

    /// The folder or the nearest above it that exists: as the app knows it, as this process does,
    /// and what it is.
    fn nearest(&self, folder: &Path) -> Option<(PathBuf, PathBuf, FileStat)> {
        folder.ancestors().find_map(|path| {
            let here = self.view.here(path);
            let found = stat(&here).ok()?;
            Some((path.to_owned(), here, found))
        })
    }
}

/// Is there no block or no inode left for this user? Some blocks are kept for root.
fn is_full(system: &Statvfs, rights: &Rights) -> bool {
    let blocks = if rights.is_root() {
        system.blocks_free()
    } else {
        system.blocks_available()
    };
    // File systems without a table of inodes say that they have none at all.
    let no_inode = system.files() > 0 && system.files_free() == 0;
    system.blocks() > 0 && blocks == 0 || no_inode
}

/// The nearest folder above a path that the app may not go through, with its owner and mode.
pub fn closed_above(writing: &Writing, path: &Path) -> Option<(PathBuf, u32, u32)> {
    if writing.rights.are_mine() || !writing.view.is_itself(path) {
        return None;
    }
    let above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.into_iter().rev().find_map(|folder| {
        let found = Permissions::at(&writing.view.here(folder))?;
        (writing.rights.may(&found, Want::Enter) == May::No)
            .then(|| (folder.to_owned(), found.owner, found.mode))
    })
}
