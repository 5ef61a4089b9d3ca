//! A tree of modules whose bytecode a scenario sets: one of the app's sources, a site-packages,
//! the standard library.

use std::fs::File;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::cache::Pristine;
use super::copy::CopyError;
use crate::python::{Part, is_installed, is_package_folder};
use crate::suite::Bytecode;

/// Folders that hold no modules of the app.
const PASSED_OVER: [&str; 2] = [".git", ".hg"];
/// Marks a virtual environment (PEP 405).
const VENV_MARK: &str = "pyvenv.cfg";

/// Where a tree lies, and where what was changed of it shows.
#[derive(Debug, Clone)]
pub struct Place {
    /// As the launched process sees it.
    pub path: PathBuf,
    /// The upper layer of an overlay; without one, the path itself.
    pub layer: PathBuf,
    /// The lower layer as it is without the overlay.
    lower: Option<Arc<File>>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Bytecode lies in `__pycache__` beside its source (PEP 3147).
    Modules,
    /// `PYTHONPYCACHEPREFIX`: every folder is for bytecode.
    Prefix,
}

impl Place {
    /// Modules in a folder that is written to as it is.
    pub fn plain(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            layer: path.to_owned(),
            lower: None,
            kind: Kind::Modules,
        }
    }

    /// A folder for `PYTHONPYCACHEPREFIX`.
    pub fn prefix(path: &Path) -> Self {
        Self {
            kind: Kind::Prefix,
            ..Self::plain(path)
        }
    }

    /// Modules below an overlay.
    pub fn overlaid(path: &Path, layer: &Path, lower: Arc<File>) -> Self {
        Self {
            layer: layer.to_owned(),
            lower: Some(lower),
            ..Self::plain(path)
        }
    }

    /// A file of the lower layer, in whatever mount namespace this process is.
    pub fn below(&self, relative: &Path) -> Option<PathBuf> {
        let lower = self.lower.as_ref()?;
        Some(descriptor_path(lower).join(relative))
    }

    /// Is a folder there for bytecode alone?
    pub fn is_for_bytecode(&self, relative: &Path) -> bool {
        match self.kind {
            Kind::Modules => relative.file_name().is_some_and(|n| n == "__pycache__"),
            Kind::Prefix => !relative.as_os_str().is_empty(),
        }
    }
}

/// The path of an open folder: it holds in another mount namespace too, and has nothing in it that
/// mount(2) would take for a separator.
pub fn descriptor_path(folder: &File) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd()))
}

/// Can a launch change the tree?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// It may, and what it does is undone before the next.
    None,
    /// A read-only mount keeps it from doing so, whoever it is.
    Mount,
}

/// A place whose bytecode each launch finds as it was.
#[derive(Debug)]
pub struct Kept {
    pub place: Place,
    pub protection: Protection,
    pristine: Pristine,
}

impl Kept {
    /// A place of which nothing is remembered yet.
    pub fn new(place: Place) -> Self {
        Self {
            place,
            protection: Protection::None,
            pristine: Pristine::default(),
        }
    }

    /// Its bytecode is now what each launch is to find.
    ///
    /// # Errors
    /// When a pyc cannot be read.
    pub fn remember(&mut self) -> Result<(), CopyError> {
        self.pristine = Pristine::take(&self.place)?;
        Ok(())
    }

    /// Brings its bytecode back to what was remembered.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub fn reset(&mut self) -> Result<(), CopyError> {
        match self.protection {
            Protection::None => self.pristine.restore(&self.place),
            Protection::Mount => Ok(()),
        }
    }

    /// Pycs that were remembered.
    pub fn pycs(&self) -> u64 {
        self.pristine.pycs()
    }

    /// Pycs that are there now.
    pub fn pycs_now(&self) -> u64 {
        match self.protection {
            Protection::None => self.pristine.pycs_now(&self.place),
            Protection::Mount => self.pristine.pycs(),
        }
    }
}

/// A tree in a stage.
#[derive(Debug)]
pub struct Tree {
    pub part: Part,
    pub state: Bytecode,
    /// The user's folder that it stands for.
    original: PathBuf,
    pub kept: Kept,
}

impl Tree {
    /// A tree with whatever bytecode lies in it.
    pub fn new(part: Part, state: Bytecode, original: &Path, place: Place) -> Self {
        Self {
            part,
            state,
            original: original.to_owned(),
            kept: Kept::new(place),
        }
    }

    /// Where its modules lie, as the launched process sees it.
    pub fn path(&self) -> &Path {
        &self.kept.place.path
    }

    /// The tree's own file for one of the user's, if that is one of its modules, and not one of a
    /// tree that lies in it.
    pub fn file(&self, of_the_users: &Path) -> Option<PathBuf> {
        let inside = of_the_users.strip_prefix(&self.original).ok()?;
        (!is_installed(inside)).then(|| self.path().join(inside))
    }
}

/// What lies below a folder of modules, without what belongs to another tree: packages installed
/// in it or in a virtual environment that lies in it.
pub fn own_entries(folder: &Path) -> impl Iterator<Item = DirEntry> {
    WalkDir::new(folder)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_foreign(entry))
        .flatten()
}

fn is_foreign(entry: &DirEntry) -> bool {
    if !entry.file_type().is_dir() {
        return false;
    }
    let name = entry.file_name();
    let is_passed_over = PASSED_OVER.iter().any(|one| name == *one);
    is_package_folder(name) || is_passed_over || entry.path().join(VENV_MARK).is_file()
}
