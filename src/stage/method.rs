//! How a run's stages hold what scenarios change, and how the user's own folders are protected.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, access};

use super::StageError;
use super::build::{Builder, Installed, Method, mount_error};
use super::copy::at;
use super::isolation::Holding;
use super::overlay::{Covered, Marks};
use super::tree::own_entries;
use super::workshop::Backing;
use crate::python::Part;

impl Builder<'_> {
    pub(super) fn choose_method(&mut self) -> Result<(), StageError> {
        let wanted = self.setting.backing;
        if wanted == Backing::Copy {
            return Ok(());
        }
        match self.overlay() {
            Ok((method, installed)) => {
                self.method = method;
                for (interpreter, installed) in self.interpreters.iter_mut().zip(installed) {
                    interpreter.installed = installed;
                }
                self.isolation.holding = Holding::Layers;
                Ok(())
            }
            Err(reason) if wanted == Backing::Overlay => Err(StageError::NoOverlay { reason }),
            Err(reason) => {
                self.isolation
                    .notes
                    .push(format!("the app was copied, as {reason}"));
                Ok(())
            }
        }
    }

    /// Can the user's folders be covered by layers? If so, with them what is installed for each
    /// interpreter.
    fn overlay(&self) -> Result<(Method, Vec<Installed>), String> {
        let Some(namespace) = &self.isolation.namespace else {
            let why = self.isolation.no_namespace.as_deref();
            return Err(why.unwrap_or("there is no mount namespace").to_owned());
        };
        let cover = |path: &Path| -> Result<Covered, String> {
            let covered = Covered::open(path)
                .map_err(|error| format!("{} cannot be covered: {error}", path.display()))?;
            if self.root.starts_with(&covered.path) {
                return Err(format!(
                    "the temporary folder lies in {}",
                    covered.path.display()
                ));
            }
            Ok(covered)
        };
        let app = &self.setting.suite.app;
        let sources: Vec<Covered> = app
            .sources
            .iter()
            .map(|path| cover(path))
            .collect::<Result<_, _>>()?;
        for source in &sources {
            // A layer's copy of a folder keeps its owner, and no other user can be named in a
            // user namespace.
            if let Some(foreign) = not_ours(&source.path) {
                return Err(format!("{} belongs to another user", foreign.display()));
            }
        }
        let is_inside = |path: &PathBuf| {
            fs::canonicalize(path)
                .is_ok_and(|path| sources.iter().any(|source| path.starts_with(&source.path)))
        };
        let directory = match &app.directory {
            // It is where the app starts, and no more: if our own folder lies in it, it stays as
            // it is.
            Some(directory) if !is_inside(directory) && !self.holds_our_folder(directory) => {
                Some(cover(directory)?)
            }
            Some(_) | None => None,
        };
        let installed = self
            .interpreters
            .iter()
            .map(|each| {
                let packages = each.installations.folders.iter();
                [(Part::Stdlib, &each.stdlib)]
                    .into_iter()
                    .chain(packages.map(|path| (Part::SitePackages, path)))
                    .map(|(part, path)| Ok((part, cover(path)?)))
                    .collect()
            })
            .collect::<Result<_, String>>()?;
        let marks = Marks::find(namespace, &self.root.join("trial"))
            .map_err(|error| format!("layers cannot be mounted here ({error})"))?;
        let method = Method::Overlay {
            marks,
            sources,
            directory,
            at_revisions: Vec::new(),
        };
        Ok((method, installed))
    }

    fn holds_our_folder(&self, folder: &Path) -> bool {
        fs::canonicalize(folder).is_ok_and(|folder| self.root.starts_with(folder))
    }

    /// What is the user's is read-only for launched processes, whoever they are.
    pub(super) fn protect(&mut self) -> Result<(), StageError> {
        let mut theirs = self.setting.suite.app.sources.clone();
        for each in &self.interpreters {
            theirs.push(each.stdlib.clone());
            theirs.extend(each.installations.folders.iter().cloned());
        }
        let mut protected = Vec::new();
        let Some(namespace) = &mut self.isolation.namespace else {
            return Ok(());
        };
        for path in theirs {
            let path = fs::canonicalize(&path).map_err(at(&path))?;
            // Interpreters may share what is installed.
            if protected.contains(&path) {
                continue;
            }
            namespace
                .bind_read_only(&path, &path)
                .map_err(mount_error(&path))?;
            protected.push(path);
        }
        Ok(())
    }
}

/// The first folder that is not this user's, for whom that matters.
fn not_ours(folder: &Path) -> Option<PathBuf> {
    let uid = Uid::effective();
    if uid.is_root() {
        return None;
    }
    own_entries(folder)
        .filter(|entry| entry.file_type().is_dir())
        .find(|entry| {
            // Both: in a user namespace all other users look like `nobody`, which this may be.
            entry.metadata().is_ok_and(|m| m.uid() != uid.as_raw())
                || access(entry.path(), AccessFlags::W_OK).is_err()
        })
        .map(walkdir::DirEntry::into_path)
}
