//! A source and its bytecode, as `SourceLoader.get_code` judges them.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags};
use nix::sys::stat::{FileStat, fstat, fstatat};

use super::files::{Buffer, Desk, Entry, Extent, Listing, Unread, open, open_folder};
use super::header::{self, Judged};
use super::look::{Look, Module, Task, plain};
use super::rights::{May, Want};
use super::rules::Bodies;
use super::verdict::{Evidence, Pyc, Verdict};
use crate::suite::Optimization;
use crate::unit::Permissions;

/// Longer files are not read: their hash is taken to be right, and their code to be sound.
const LONGEST: usize = 64 << 20;
/// The folder that bytecode is in.
pub(super) struct Cache {
    folder: OwnedFd,
    /// None where it may be gone through, but not listed.
    names: Option<Listing>,
    may_enter: May,
    mode: u32,
    owner: u32,
}

/// What the sources of a folder are judged by, beside themselves.
pub(super) struct Beside<'a> {
    folder: &'a OwnedFd,
    found: Found,
    /// Is it where the script lies that is run?
    main: Option<&'a OsStr>,
    /// The names of packages from the standard library's folder to this, if it lies there.
    in_stdlib: Option<Vec<&'a str>>,
}

/// Whether there is a folder of bytecode.
enum Found {
    Cache(Cache),
    Absent,
    /// It cannot be opened.
    Closed(Errno),
}

/// The source that a pyc must be of.
struct Against<'a> {
    stat: FileStat,
    folder: &'a OwnedFd,
    entry: Entry<'a>,
}

impl Look<'_> {
    /// What belongs to a folder of modules.
    pub(super) fn beside<'a>(&'a self, folder: &'a OwnedFd, task: &'a Task) -> Beside<'a> {
        let main = self.rules.main.as_deref();
        let main = main.filter(|main| main.parent() == Some(task.path.as_path()));
        let inside = task.path.strip_prefix(&self.rules.stdlib).ok();
        Beside {
            folder,
            found: self.cache(folder, task),
            main: main.and_then(Path::file_name),
            in_stdlib: inside.map(|inside| inside.iter().filter_map(OsStr::to_str).collect()),
        }
    }

    /// The folder of bytecode that belongs to a folder of modules.
    fn cache(&self, folder: &OwnedFd, task: &Task) -> Found {
        let opened = match self.prefix {
            Some(prefix) if prefix.emptied.is_some() => return Found::Absent,
            Some(_) => {
                let here = self.writing.view.here(&self.cache_of(&task.path));
                open_folder(AT_FDCWD, &here)
            }
            // What lies in a checkout says nothing of the installed app.
            None if !self.counts(task) => return Found::Absent,
            None => open_folder(folder, Path::new("__pycache__")),
        };
        let (folder, names) = match opened {
            Ok(opened) => opened,
            Err(Errno::ENOENT | Errno::ENOTDIR) => return Found::Absent,
            Err(error) => return Found::Closed(error),
        };
        let stat = fstat(&folder).ok();
        let may_enter = match &stat {
            Some(_) if self.writing.rights.are_mine() => May::Yes,
            Some(stat) => self
                .writing
                .rights
                .may(&Permissions::of(&folder, stat), Want::Enter),
            None => May::Unknown,
        };
        Found::Cache(Cache {
            folder,
            names,
            may_enter,
            mode: stat.map_or(0, |stat| stat.st_mode & 0o7777),
            owner: stat.map_or(0, |stat| stat.st_uid),
        })
    }

    /// Do the modes that are found of a folder count?
    fn counts(&self, task: &Task) -> bool {
        self.writing.view.is_itself(&task.path)
    }

    /// A source, and its bytecode (`SourceLoader.get_code`).
    pub(super) fn source(
        &self,
        beside: &Beside<'_>,
        entry: Entry<'_>,
        stem: &[u8],
        tags: &mut BTreeSet<String>,
        desk: &mut Desk,
    ) -> Module {
        let mut module = plain(entry, Verdict::Absent);
        if beside.main == Some(module.file.as_os_str()) {
            module.verdict = Verdict::Main;
            return module;
        }
        if self.is_frozen(beside, stem) {
            module.verdict = Verdict::Frozen;
            return module;
        }
        let cache = match &beside.found {
            Found::Cache(cache) => cache,
            Found::Absent => return module,
            Found::Closed(error) => {
                module.verdict = Verdict::Unreadable;
                module.evidence = Evidence::Error(*error as i32);
                return module;
            }
        };
        let level = self.rules.level.tag().as_bytes();
        let wanted = [stem, b".", self.rules.tag.as_bytes(), level, b".pyc"].concat();
        if let Some(names) = &cache.names
            && names.find(&wanted).is_none()
        {
            self.look_for_others(names, stem, &mut module, tags);
            return module;
        }
        let Ok(stat) = fstatat(beside.folder, entry.name, AtFlags::empty()) else {
            return module;
        };
        let against = Against {
            stat,
            folder: beside.folder,
            entry,
        };
        let (verdict, evidence, pyc) = self.pyc(cache, &wanted, &against, desk);
        Module {
            verdict,
            evidence,
            pyc,
            ..module
        }
    }

    /// Is it in the interpreter's own program, wherever its source lies?
    fn is_frozen(&self, beside: &Beside<'_>, stem: &[u8]) -> bool {
        let Some(mut parts) = beside.in_stdlib.clone() else {
            return false;
        };
        match std::str::from_utf8(stem) {
            Ok("__init__") => {}
            Ok(stem) => parts.push(stem),
            Err(_) => return false,
        }
        self.rules.frozen.contains(&parts.join("."))
    }

    /// There is no pyc by the name that is wanted: is there one of another level, or of another
    /// interpreter?
    fn look_for_others(
        &self,
        names: &Listing,
        stem: &[u8],
        module: &mut Module,
        tags: &mut BTreeSet<String>,
    ) {
        let start = [stem, b"."].concat();
        for entry in names.starting_with(&start) {
            let rest = entry.name.strip_prefix(start.as_slice());
            let Some(middle) = rest.and_then(|rest| rest.strip_suffix(b".pyc")) else {
                continue;
            };
            let middle = String::from_utf8_lossy(middle);
            let (tag, level) = match middle.split_once(".opt-") {
                None => (&*middle, Optimization::None),
                Some((tag, "1")) => (tag, Optimization::One),
                Some((tag, "2")) => (tag, Optimization::Two),
                Some(_) => continue,
            };
            if tag == self.rules.tag {
                module.verdict = Verdict::WrongOptimization;
                module.evidence = Evidence::Level(level);
                return;
            }
            if !tag.is_empty() && !tag.contains('.') {
                tags.insert(tag.to_owned());
                module.evidence = Evidence::OtherTag;
            }
        }
    }

    fn pyc(
        &self,
        cache: &Cache,
        name: &[u8],
        source: &Against<'_>,
        desk: &mut Desk,
    ) -> (Verdict, Evidence, Option<Pyc>) {
        let unreadable = |evidence| (Verdict::Unreadable, evidence, None);
        let listed = cache.names.as_ref().and_then(|names| names.find(name));
        let kind = listed.map(|entry| entry.kind);
        let read = open(&cache.folder, name, kind).and_then(|file| {
            let extent = desk.buffer.fill(&file, self.at_most())?;
            Ok((file, extent))
        });
        let (file, extent) = match read {
            Ok(read) => read,
            Err(Unread::Absent) => return (Verdict::Absent, Evidence::None, None),
            Err(Unread::NotAFile) => return unreadable(Evidence::NotAFile),
            Err(Unread::Error(error)) => return unreadable(Evidence::Error(error as i32)),
        };
        let rights = &self.writing.rights;
        let mut pyc = None;
        // What this process has read, it may read.
        if !rights.are_mine()
            && let Ok(found) = fstat(&file)
        {
            pyc = Some(Pyc::of(&found));
            let closed = if cache.may_enter == May::No {
                Some((cache.mode, cache.owner))
            } else if rights.may(&Permissions::of(&file, &found), Want::Read) == May::No {
                Some((found.st_mode & 0o7777, found.st_uid))
            } else {
                None
            };
            if let Some((mode, owner)) = closed {
                return (Verdict::Unreadable, Evidence::Mode { mode, owner }, pyc);
            }
        }
        let (verdict, evidence) = self.judge(desk, extent, Some(source));
        (verdict, evidence, pyc)
    }

    fn at_most(&self) -> usize {
        match self.bodies {
            Bodies::Checked => LONGEST,
            Bodies::Trusted => header::LENGTH,
        }
    }

    /// Judges a pyc that was read onto the desk, by its header and its code; and by the source that it
    /// must be of, if there is one.
    fn judge(
        &self,
        desk: &mut Desk,
        extent: Extent,
        source: Option<&Against<'_>>,
    ) -> (Verdict, Evidence) {
        let rules = self.rules;
        let pyc = desk.buffer.content();
        let start = pyc.get(..header::LENGTH).unwrap_or(pyc);
        let judged = header::judge(start, rules.magic, rules.hash_check);
        match (judged, source) {
            (Judged::Refused(verdict, evidence), _) => return (verdict, evidence),
            (Judged::IfUnchanged { modified, size }, Some(source)) => {
                let (now_modified, now_size) = recorded(&source.stat);
                if modified != now_modified {
                    let (recorded, now) = (modified, now_modified);
                    return (Verdict::StaleMtime, Evidence::Mtime { recorded, now });
                }
                if size != now_size {
                    let (recorded, now) = (size, now_size);
                    return (Verdict::StaleSize, Evidence::Size { recorded, now });
                }
            }
            (Judged::IfHash(hash), Some(source)) => match self.has_hash(source, hash) {
                Ok(true) => {}
                Ok(false) => return (Verdict::StaleHash, Evidence::None),
                Err(error) => return (Verdict::Unreadable, Evidence::Error(error as i32)),
            },
            (Judged::IfUnchanged { .. } | Judged::IfHash(_), None) | (Judged::Trusted, _) => {}
        }
        if self.bodies == Bodies::Trusted {
            return (Verdict::Hit, Evidence::None);
        }
        if extent == Extent::Beginning {
            return (Verdict::Hit, Evidence::TooLong);
        }
        let body = pyc.get(header::LENGTH..).unwrap_or_default();
        match desk.checker.check(body, rules.dialect) {
            Ok(()) => (Verdict::Hit, Evidence::None),
            Err(fault) => (Verdict::Corrupt, Evidence::Body(fault)),
        }
    }

    /// Does a source have this hash? One that is too long to be read is taken to have it. It is read
    /// into a buffer of its own: the code is still to be looked at.
    fn has_hash(&self, source: &Against<'_>, hash: [u8; 8]) -> Result<bool, Errno> {
        let mut buffer = Buffer::default();
        let entry = source.entry;
        let read = open(source.folder, entry.name, Some(entry.kind))
            .and_then(|file| Ok(buffer.fill(&file, LONGEST)?));
        match read {
            Ok(Extent::Beginning) => Ok(true),
            Ok(Extent::Whole) => Ok(self.rules.hash.hash(buffer.content()) == hash),
            Err(Unread::Error(error)) => Err(error),
            Err(Unread::Absent | Unread::NotAFile) => Err(Errno::ENOENT),
        }
    }

    /// A pyc in place of a source: refused, it fails (`SourcelessFileLoader.get_code`).
    pub(super) fn sourceless(&self, folder: &OwnedFd, entry: Entry<'_>, desk: &mut Desk) -> Module {
        let mut module = plain(entry, Verdict::Sourceless);
        let read = open(folder, entry.name, Some(entry.kind))
            .and_then(|file| Ok(desk.buffer.fill(&file, self.at_most())?));
        match read {
            Ok(extent) => {
                let (verdict, evidence) = self.judge(desk, extent, None);
                if verdict != Verdict::Hit {
                    module.verdict = Verdict::Corrupt;
                    module.evidence = evidence;
                }
            }
            Err(Unread::Error(error)) => {
                module.verdict = Verdict::Corrupt;
                module.evidence = Evidence::Error(error as i32);
            }
            Err(Unread::Absent | Unread::NotAFile) => {}
        }
        module
    }
}

/// What a pyc of this source would record: the lower 32 bits of its time and its size.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "CPython keeps the lower 32 bits of both"
)]
fn recorded(source: &FileStat) -> (u32, u32) {
    // `int()` of a float cuts towards zero.
    let before_1970 = source.st_mtime < 0 && source.st_mtime_nsec > 0;
    let modified = source.st_mtime + i64::from(before_1970);
    (modified as u32, source.st_size as u32)
}
