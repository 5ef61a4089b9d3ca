//! Owners, modes and mounts: who may write where in a stage.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;

use nix::unistd::Uid;

use super::StageError;
use super::build::{Builder, Method, mount_error};
use super::copy::{CopyError, WriteBits, at, give, set_write_bits};
use super::isolation::Isolation;
use super::namespace::bind_read_only;
use super::scene::Stage;
use super::tree::{Protection, Tree, own_entries};
use crate::launch::User;
use crate::python::Part;
use crate::suite::{Prefix, SourceAccess};

impl Builder<'_> {
    /// Owners, modes and mounts: who may write where.
    pub(super) fn set_access(&mut self, stage: &mut Stage) -> Result<(), StageError> {
        let access = stage.scenario.source;
        let unwritable_prefix = stage.scenario.prefix == Prefix::Unwritable;
        let _inside = stage.enter()?;
        for tree in &mut stage.trees {
            match (tree.part, access) {
                (_, SourceAccess::Writable) => {
                    self.let_write(tree)?;
                    continue;
                }
                (Part::App, SourceAccess::ReadOnlyModes) => {
                    set_write_bits(tree.path(), WriteBits::Off)?;
                    continue;
                }
                (Part::App, SourceAccess::ReadOnlyMount) => self.let_write(tree)?,
                // Layers keep the user's modes, which a copy of all attributes would cost more
                // than the mount that is to come.
                _ if stage.view.is_some() => let_read(tree.path())?,
                _ => set_write_bits(tree.path(), WriteBits::Off)?,
            }
            let path = tree.path().to_owned();
            if make_read_only(self.isolation, stage.view.is_some(), &path)? {
                tree.kept.protection = Protection::Mount;
            } else if access == SourceAccess::ReadOnlyMount {
                return Err(StageError::NotAsAsked {
                    scenario: stage.scenario.name.clone(),
                    what: "a read-only mount cannot be had here; ask for \"read-only\"".to_owned(),
                });
            }
        }
        if unwritable_prefix {
            let prefix = stage.prefix().to_owned();
            set_write_bits(&prefix, WriteBits::Off)?;
            make_read_only(self.isolation, stage.view.is_some(), &prefix)?;
        }
        if let User::Unprivileged { uid, gid } = stage.user {
            let mut theirs = vec![&stage.home, &stage.tmp];
            theirs.extend(self.has_own_directory(stage).then_some(&stage.directory));
            for folder in theirs {
                lchown(folder, Some(uid), Some(gid)).map_err(at(folder))?;
            }
            if !unwritable_prefix {
                give(stage.prefix(), uid, gid)?;
            }
        }
        Ok(())
    }

    /// Is the working directory one of our folders, or has it a layer of its own? In a source it is
    /// seen to with the source, and any other is the user's.
    fn has_own_directory(&self, stage: &Stage) -> bool {
        let directory = &stage.directory;
        let is_covered = match &self.method {
            Method::Overlay {
                directory: layer, ..
            } => layer.as_ref().is_some_and(|layer| layer.path == *directory),
            Method::Copy => false,
        };
        let mut trees = stage.trees.iter();
        is_covered
            || directory.starts_with(self.root)
                && !trees.any(|tree| directory.starts_with(tree.path()))
    }

    /// Whoever launches the app may write the tree.
    fn let_write(&self, tree: &Tree) -> Result<(), CopyError> {
        let owner = match self.isolation.user {
            User::Unprivileged { uid, gid } => Some((uid, gid)),
            User::Current => None,
        };
        for entry in own_entries(tree.path()) {
            let is_folder = entry.file_type().is_dir();
            // To write bytecode it takes the folders; of what is installed nothing else is written.
            if !is_folder && tree.part != Part::App {
                continue;
            }
            let path = entry.path();
            match owner {
                Some((uid, gid)) => lchown(path, Some(uid), Some(gid)).map_err(at(path))?,
                None if is_folder => {
                    let mode = fs::metadata(path).map_err(at(path))?.mode();
                    if mode & 0o200 == 0 {
                        let mode = fs::Permissions::from_mode((mode | 0o200) & 0o7777);
                        fs::set_permissions(path, mode).map_err(at(path))?;
                    }
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// Makes a folder read-only by a mount, if there can be one.
fn make_read_only(
    isolation: &mut Isolation,
    in_view: bool,
    path: &Path,
) -> Result<bool, StageError> {
    let mounted = match (&mut isolation.namespace, in_view) {
        (_, true) => bind_read_only(path),
        (Some(namespace), false) => namespace.bind_read_only(path, path),
        (None, false) => return Ok(false),
    };
    mounted.map_err(mount_error(path))?;
    Ok(true)
}

/// Everybody may read the tree: it may be another user who launches the app.
fn let_read(folder: &Path) -> Result<(), CopyError> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    for entry in own_entries(folder) {
        if entry.path_is_symlink() {
            continue;
        }
        let path = entry.path();
        let mode = fs::metadata(path).map_err(at(path))?.mode();
        let wanted = if entry.file_type().is_dir() {
            mode | 0o555
        } else {
            mode | 0o444
        };
        if wanted != mode {
            let mode = fs::Permissions::from_mode(wanted & 0o7777);
            fs::set_permissions(path, mode).map_err(at(path))?;
        }
    }
    Ok(())
}
