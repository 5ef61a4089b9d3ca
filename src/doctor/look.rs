//! One folder's modules: each with the verdict that CPython reaches, from the folder's names, from
//! `stat`, and from pycs. No source is executed, and none is read but for its hash.
//!
//! Names are looked up as `FileFinder` does (`Lib/importlib/_bootstrap_external.py`): a package
//! before a module, a shared object before a source before a pyc. Nothing but a file counts as one,
//! so that a pipe or a device by a module's name is never opened.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, openat};
use nix::sys::stat::{Mode, fstatat};
use rustix::fs::FileType;

use super::bytecode::Beside;
use super::files::{Desk, Entry, FOLDER, Listing, type_of};
use super::rules::{Bodies, Prefix, Rules};
use super::verdict::{Evidence, Fate, Pyc, Verdict};
use super::writing::{Obstructed, Writing};
use crate::python::{Part, is_installed, is_package_folder};

/// Folders in which no import looks for anything.
const PASSED_OVER: [&[u8]; 2] = [b"__pycache__", b"node_modules"];
/// Marks a virtual environment (PEP 405), whose modules lie below this.
const VENV_MARK: &[u8] = b"pyvenv.cfg";
const VENV_LIBRARY: &[u8] = b"lib";
/// What else a virtual environment has in it.
const VENV_OTHERS: [&[u8]; 3] = [b"bin", b"include", b"share"];
const ARCHIVES: [&[u8]; 4] = [b".zip", b".egg", b".pyz", b".whl"];

/// How much of a folder holds modules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// All folders in it, packages or not.
    Everything,
    /// Its own modules, and packages: for a folder that holds more than an app, such as a home.
    Packages,
}

/// A folder to be looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Task {
    /// As the app knows it.
    pub path: PathBuf,
    pub part: Part,
    pub reach: Reach,
    pub place: Place,
}

/// What a folder is to imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Its modules have names without dots.
    OnPath,
    /// A package, or a folder that might be one.
    Within,
    /// The `lib` of a virtual environment.
    Environment,
}

/// A module, or an archive of modules.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// The file in its folder; nothing for a package without one.
    pub file: OsString,
    pub verdict: Verdict,
    pub evidence: Evidence,
    /// The pyc that CPython looks at, where it is there and had to be looked at for its mode.
    pub pyc: Option<Pyc>,
}

/// What was seen of a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folder {
    /// As the app knows it.
    pub path: PathBuf,
    pub part: Part,
    /// By their files' names.
    pub modules: Vec<Module>,
    /// What keeps bytecode of its modules from being written; looked for where one has none.
    pub obstructed: Option<Obstructed>,
    /// Interpreters of other versions whose bytecode is there.
    pub tags: BTreeSet<String>,
    /// Why it could not be listed.
    pub error: Option<Errno>,
    /// Links to folders, which are not followed.
    pub links: usize,
    /// Pipes, devices and sockets by modules' names.
    pub specials: usize,
}

/// How folders are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub rules: &'a Rules,
    pub writing: &'a Writing,
    pub prefix: Option<&'a Prefix>,
    pub bodies: Bodies,
}

/// Files by a module's name.
#[derive(Debug, Default)]
struct Candidates<'l> {
    extension: Option<Entry<'l>>,
    source: Option<Entry<'l>>,
    pyc: Option<Entry<'l>>,
}

impl Look<'_> {
    /// Where the bytecode of a folder's modules lies (`cache_from_source`).
    pub fn cache_of(&self, folder: &Path) -> PathBuf {
        match self.prefix {
            Some(prefix) => prefix.path.join(folder.strip_prefix("/").unwrap_or(folder)),
            None => folder.join("__pycache__"),
        }
    }

    /// Looks at a folder, and names the folders in it that may hold modules.
    pub fn folder(&self, task: &Task, desk: &mut Desk) -> (Folder, Vec<Task>) {
        let mut seen = Folder {
            path: task.path.clone(),
            part: part_of(task.part, &task.path),
            modules: Vec::new(),
            obstructed: None,
            tags: BTreeSet::new(),
            error: None,
            links: 0,
            specials: 0,
        };
        let here = self.writing.view.here(&task.path);
        let listed = openat(AT_FDCWD, &here, FOLDER, Mode::empty()).and_then(|folder| {
            let entries = Listing::of(&folder)?;
            Ok((folder, entries))
        });
        let (folder, entries) = match listed {
            Ok(listed) => listed,
            Err(error) => {
                // An archive on the path.
                if error == Errno::ENOTDIR {
                    seen.modules.push(nameless(Verdict::Zip));
                } else {
                    seen.error = Some(error);
                }
                return (seen, Vec::new());
            }
        };
        let is_environment = entries.find(VENV_MARK).is_some();
        // An app may lie in the folder of its environment.
        let (holds_modules, holds_folders) = match task.place {
            Place::OnPath => (true, true),
            Place::Within => (!is_environment, !is_environment),
            Place::Environment => (false, true),
        };
        let mut inside = Vec::new();
        let mut named: BTreeMap<&[u8], Candidates<'_>> = BTreeMap::new();
        for entry in entries.iter() {
            let name = entry.name;
            match kind_of(&folder, entry, &mut seen) {
                Some(FileType::Directory) if is_environment && name == VENV_LIBRARY => {
                    inside.push(task.within(name, Place::Environment));
                }
                Some(FileType::Directory) if is_environment && VENV_OTHERS.contains(&name) => {}
                Some(FileType::Directory)
                    if holds_folders && self.is_entered(&folder, name, task) =>
                {
                    inside.push(task.within(name, Place::Within));
                }
                Some(FileType::Directory) => {}
                Some(FileType::RegularFile) if !holds_modules => {}
                Some(FileType::RegularFile) => self.sort_in(entry, &mut named, &mut seen),
                _ if is_module_like(name) => seen.specials += 1,
                _ => {}
            }
        }
        let mut beside: Option<Beside<'_>> = None;
        for (stem, files) in &named {
            if is_shadowed(&folder, stem, &entries) {
                continue;
            }
            let module = if let Some(entry) = files.extension {
                plain(entry, Verdict::Extension)
            } else if let Some(entry) = files.source {
                let beside = beside.get_or_insert_with(|| self.beside(&folder, task));
                self.source(beside, entry, stem, &mut seen.tags, desk)
            } else if let Some(entry) = files.pyc {
                self.sourceless(&folder, entry, desk)
            } else {
                continue;
            };
            seen.modules.push(module);
        }
        if task.place == Place::Within
            && !named.contains_key(&b"__init__"[..])
            && !named.is_empty()
            && task.path.file_name().is_some_and(is_identifier)
        {
            seen.modules.insert(0, nameless(Verdict::Namespace));
        }
        let is_missed = |m: &Module| matches!(m.verdict.fate(), Fate::Compiled | Fate::Fatal);
        if seen.modules.iter().any(is_missed) {
            seen.obstructed = self.writing.obstacle(&self.cache_of(&task.path));
        }
        (seen, inside)
    }

    fn is_entered(&self, folder: &OwnedFd, name: &[u8], task: &Task) -> bool {
        if PASSED_OVER.contains(&name) {
            return false;
        }
        let holds = |file: &[u8]| {
            let path = [name, b"/", file].concat();
            fstatat(folder, path.as_slice(), AtFlags::empty()).is_ok()
        };
        let is_installed = is_package_folder(OsStr::from_bytes(name));
        match task.part {
            // The standard library's folder may have them in it, and they are on the path themselves.
            Part::Stdlib if is_installed => false,
            // No import finds a name with a dot in it. An app may lie in such a folder.
            Part::Stdlib | Part::SitePackages if name.contains(&b'.') => false,
            _ if name.starts_with(b".") => holds(VENV_MARK),
            _ if task.reach == Reach::Packages => holds(b"__init__.py"),
            _ => true,
        }
    }

    fn sort_in<'l>(
        &self,
        entry: Entry<'l>,
        named: &mut BTreeMap<&'l [u8], Candidates<'l>>,
        seen: &mut Folder,
    ) {
        let name = entry.name;
        let module = |stem: &[u8]| !stem.is_empty() && !stem.contains(&b'.');
        if let Some(stem) = name.strip_suffix(b".py") {
            if module(stem) {
                named.entry(stem).or_default().source = Some(entry);
            }
        } else if let Some(stem) = name.strip_suffix(b".pyc") {
            if module(stem) {
                named.entry(stem).or_default().pyc = Some(entry);
            }
        } else if name.ends_with(b".so") {
            let stems = self.rules.suffixes.iter();
            let stems = stems.filter_map(|suffix| name.strip_suffix(suffix.as_bytes()));
            if let Some(stem) = stems.min_by_key(|stem| stem.len())
                && module(stem)
            {
                named.entry(stem).or_default().extension = Some(entry);
            }
        } else if ARCHIVES.iter().any(|end| name.ends_with(end)) {
            seen.modules.push(Module {
                file: OsStr::from_bytes(name).to_owned(),
                verdict: Verdict::Zip,
                evidence: Evidence::None,
                pyc: None,
            });
        }
    }
}

impl Task {
    fn within(&self, name: &[u8], place: Place) -> Self {
        // What lies below a virtual environment's `lib` is no module until site-packages.
        let name = OsStr::from_bytes(name);
        let place = match (self.place, place) {
            (Place::Environment, _) if !is_package_folder(name) => Place::Environment,
            (Place::Environment, _) => Place::OnPath,
            (_, place) if is_package_folder(name) && place == Place::Within => Place::OnPath,
            (_, place) => place,
        };
        Self {
            path: self.path.join(name),
            part: self.part,
            reach: match place {
                Place::Environment | Place::OnPath => Reach::Everything,
                Place::Within => self.reach,
            },
            place,
        }
    }
}

/// Does a package take this name, so that no module of it is found?
fn is_shadowed(folder: &OwnedFd, stem: &[u8], entries: &Listing) -> bool {
    let is_there = entries
        .find(stem)
        .is_some_and(|entry| entry.kind != FileType::RegularFile);
    is_there && {
        let package = [stem, b"/__init__.py"].concat();
        fstatat(folder, package.as_slice(), AtFlags::empty()).is_ok()
    }
}

/// What an entry is, behind links. Counts links to folders, which are not followed.
fn kind_of(folder: &OwnedFd, entry: Entry<'_>, seen: &mut Folder) -> Option<FileType> {
    match entry.kind {
        FileType::Symlink => match followed(folder, entry)? {
            FileType::Directory => {
                seen.links += 1;
                None
            }
            other => Some(other),
        },
        FileType::Unknown => {
            let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
            let found = fstatat(folder, entry.name, flags).ok()?;
            match type_of(&found) {
                FileType::Symlink => {
                    followed(folder, entry).filter(|kind| *kind != FileType::Directory)
                }
                known => Some(known),
            }
        }
        known => Some(known),
    }
}

/// What a link leads to.
fn followed(folder: &OwnedFd, entry: Entry<'_>) -> Option<FileType> {
    let found = fstatat(folder, entry.name, AtFlags::empty()).ok()?;
    Some(type_of(&found))
}

pub(super) fn plain(entry: Entry<'_>, verdict: Verdict) -> Module {
    Module {
        file: OsString::from_vec(entry.name.to_vec()),
        verdict,
        evidence: Evidence::None,
        pyc: None,
    }
}

/// What has no file in the folder, since it is the folder.
fn nameless(verdict: Verdict) -> Module {
    Module {
        file: OsString::new(),
        verdict,
        evidence: Evidence::None,
        pyc: None,
    }
}

fn is_module_like(name: &[u8]) -> bool {
    name.ends_with(b".py") || name.ends_with(b".pyc")
}

/// Can an import name it?
fn is_identifier(name: &OsStr) -> bool {
    name.to_str().is_some_and(|name| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}

/// Whose the modules of a folder are: what lies in a folder of installed packages is installed.
fn part_of(part: Part, folder: &Path) -> Part {
    match part {
        Part::App if is_installed(folder) => Part::SitePackages,
        other => other,
    }
}
