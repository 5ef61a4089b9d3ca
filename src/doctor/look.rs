//! One folder's modules: each with the verdict that CPython reaches, from the folder's names, from
//! `stat`, and from pycs. No source is executed, and none is read but for its hash.
//!
//! Names are looked up as `FileFinder` does (`Lib/importlib/_bootstrap_external.py`): a package
//! before a module, a shared object before a source before a pyc. Nothing but a file counts as one,
//! so that a pipe or a device by a module's name is never opened.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::dir::{Dir, Entry, Type};
use nix::errno::Errno;
use nix::fcntl::AtFlags;
use nix::sys::stat::{Mode, fstatat};

use super::bytecode::Found;
use super::files::{Buffer, FOLDER, entries, find, name_of, type_of};
use super::rules::{Bodies, INSTALLED, Part, Prefix, Rules};
use super::verdict::{Evidence, Fate, Pyc, Verdict};
use super::writing::{Obstructed, Writing};

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
struct Candidates {
    extension: Option<usize>,
    source: Option<usize>,
    pyc: Option<usize>,
}

impl Look<'_> {
    /// Where the bytecode of a folder's modules lies (`cache_from_source`).
    pub fn cache_of(&self, folder: &Path) -> PathBuf {
        match self.prefix {
            Some(prefix) => prefix.path.join(folder.strip_prefix("/").unwrap_or(folder)),
            None => folder.join("__pycache__"),
        }
    }

    /// Looks at a folder, and names the folders in it that may hold modules. `buffer` is for reading
    /// files; what is in it does not matter.
    pub fn folder(&self, task: &Task, buffer: &mut Buffer) -> (Folder, Vec<Task>) {
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
        let listed = Dir::open(&here, FOLDER, Mode::empty()).and_then(|mut folder| {
            let entries = entries(&mut folder)?;
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
        let is_environment = entries.iter().any(|e| name_of(e) == VENV_MARK);
        // An app may lie in the folder of its environment.
        let (holds_modules, holds_folders) = match task.place {
            Place::OnPath => (true, true),
            Place::Within => (!is_environment, !is_environment),
            Place::Environment => (false, true),
        };
        let mut inside = Vec::new();
        let mut named: BTreeMap<&[u8], Candidates> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let name = name_of(entry);
            match kind_of(&folder, entry, &mut seen) {
                Some(Type::Directory) if is_environment && name == VENV_LIBRARY => {
                    inside.push(task.within(name, Place::Environment));
                }
                Some(Type::Directory) if is_environment && VENV_OTHERS.contains(&name) => {}
                Some(Type::Directory) if holds_folders && self.is_entered(&folder, name, task) => {
                    inside.push(task.within(name, Place::Within));
                }
                Some(Type::Directory) => {}
                Some(Type::File) if !holds_modules => {}
                Some(Type::File) => self.sort_in(index, name, &mut named, &mut seen),
                _ if is_module_like(name) => seen.specials += 1,
                _ => {}
            }
        }
        let mut caches: Option<Found> = None;
        for (stem, files) in &named {
            if is_shadowed(&folder, stem, &entries) {
                continue;
            }
            let module = if let Some(index) = files.extension {
                plain(&entries[index], Verdict::Extension)
            } else if let Some(index) = files.source {
                let cache = caches.get_or_insert_with(|| self.cache(&folder, task));
                self.source(&folder, &entries[index], stem, cache, &mut seen, buffer)
            } else if let Some(index) = files.pyc {
                self.sourceless(&folder, &entries[index], buffer)
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

    fn is_entered(&self, folder: &Dir, name: &[u8], task: &Task) -> bool {
        if name == b"." || name == b".." || PASSED_OVER.contains(&name) {
            return false;
        }
        let holds = |file: &[u8]| {
            let path = [name, b"/", file].concat();
            fstatat(folder, path.as_slice(), AtFlags::empty()).is_ok()
        };
        let is_installed = INSTALLED.iter().any(|known| name == known.as_bytes());
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

    fn sort_in<'e>(
        &self,
        index: usize,
        name: &'e [u8],
        named: &mut BTreeMap<&'e [u8], Candidates>,
        seen: &mut Folder,
    ) {
        let module = |stem: &[u8]| !stem.is_empty() && !stem.contains(&b'.');
        if let Some(stem) = name.strip_suffix(b".py") {
            if module(stem) {
                named.entry(stem).or_default().source = Some(index);
            }
        } else if let Some(stem) = name.strip_suffix(b".pyc") {
            if module(stem) {
                named.entry(stem).or_default().pyc = Some(index);
            }
        } else if name.ends_with(b".so") {
            let stems = self.rules.suffixes.iter();
            let stems = stems.filter_map(|suffix| name.strip_suffix(suffix.as_bytes()));
            if let Some(stem) = stems.min_by_key(|stem| stem.len())
                && module(stem)
            {
                named.entry(stem).or_default().extension = Some(index);
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
            (Place::Environment, _) if INSTALLED.iter().all(|known| name != *known) => {
                Place::Environment
            }
            (Place::Environment, _) => Place::OnPath,
            (_, place)
                if INSTALLED.iter().any(|known| name == *known) && place == Place::Within =>
            {
                Place::OnPath
            }
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
fn is_shadowed(folder: &Dir, stem: &[u8], entries: &[Entry]) -> bool {
    let is_there =
        find(entries, stem).is_some_and(|entry| !matches!(entry.file_type(), Some(Type::File)));
    is_there && {
        let package = [stem, b"/__init__.py"].concat();
        fstatat(folder, package.as_slice(), AtFlags::empty()).is_ok()
    }
}

/// What an entry is, behind links. Counts links to folders, which are not followed.
fn kind_of(folder: &Dir, entry: &Entry, seen: &mut Folder) -> Option<Type> {
    match entry.file_type() {
        Some(Type::Symlink) => match followed(folder, entry)? {
            Type::Directory => {
                seen.links += 1;
                None
            }
            other => Some(other),
        },
        Some(known) => Some(known),
        None => {
            let flags = AtFlags::AT_SYMLINK_NOFOLLOW;
            let found = fstatat(folder, entry.file_name(), flags).ok()?;
            match type_of(&found)? {
                Type::Symlink => followed(folder, entry).filter(|t| *t != Type::Directory),
                known => Some(known),
            }
        }
    }
}

/// What a link leads to.
fn followed(folder: &Dir, entry: &Entry) -> Option<Type> {
    let found = fstatat(folder, entry.file_name(), AtFlags::empty()).ok()?;
    type_of(&found)
}

pub(super) fn plain(entry: &Entry, verdict: Verdict) -> Module {
    Module {
        file: OsString::from_vec(name_of(entry).to_vec()),
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
    let is_installed = || {
        folder
            .iter()
            .any(|name| INSTALLED.iter().any(|known| name == *known))
    };
    match part {
        Part::App if is_installed() => Part::SitePackages,
        other => other,
    }
}
