//! All folders of a subject, looked at by several threads.
//!
//! The cost: a listing of each folder and of its `__pycache__`, a `stat` of each source, and a pyc
//! that is read. What is kept is some hundred bytes for each module, and nothing of what files hold.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use nix::sched::{CloneFlags, unshare};

use super::files::Desk;
use super::look::{Folder, Look, Module, Task};
use super::subject::Subject;
use super::verdict::{Evidence, Verdict};
use crate::python::Part;

/// More threads than this wait for each other in the kernel.
const THREADS: usize = 8;
/// Fewer folders than this are looked at by this thread alone.
const ALONE: usize = 4;
/// So many entries of a prefix are looked at.
const ENTRIES: usize = 1_000_000;

/// What was seen of a subject.
#[derive(Debug)]
pub struct Audit {
    /// By their paths.
    pub folders: Vec<Folder>,
    pub leftovers: Leftovers,
}

/// Bytecode below a prefix of sources that are not there any more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leftovers {
    pub pycs: usize,
    pub bytes: u64,
    /// The folders that are gone, the first of them by name.
    pub gone: Option<PathBuf>,
    /// Of those, folders at which an AppImage was mounted.
    pub app_images: usize,
}

impl Audit {
    /// Looks at all that a subject names. Nothing is executed, and nothing is written.
    pub fn of(subject: &Subject) -> Self {
        let never = AtomicBool::new(false);
        Self::with(subject, walk(subject, &never))
    }

    /// The same, unless it is told to stop before it is done.
    pub(super) fn unless(stop: &AtomicBool, subject: &Subject) -> Option<Self> {
        let folders = walk(subject, stop);
        (!stop.load(Ordering::Relaxed)).then(|| Self::with(subject, folders))
    }

    fn with(subject: &Subject, mut folders: Vec<Folder>) -> Self {
        folders.extend(builtin(subject));
        let leftovers = match &subject.prefix {
            Some(prefix) if prefix.emptied.is_none() => leftovers(subject, &prefix.path),
            _ => Leftovers::default(),
        };
        Self { folders, leftovers }
    }
}

/// What is in the interpreter's own program and written in C.
fn builtin(subject: &Subject) -> Option<Folder> {
    let names = subject.interpreter.builtin.iter();
    let modules: Vec<Module> = names
        .map(|name| Module {
            file: name.into(),
            verdict: Verdict::Builtin,
            evidence: Evidence::None,
            pyc: None,
        })
        .collect();
    (!modules.is_empty()).then(|| Folder {
        path: PathBuf::new(),
        part: Part::Stdlib,
        modules,
        obstructed: None,
        tags: BTreeSet::new(),
        error: None,
        links: 0,
        specials: 0,
    })
}

/// Folders level by level: those of one level are shared out.
fn walk(subject: &Subject, stop: &AtomicBool) -> Vec<Folder> {
    let look = &subject.look();
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = threads.min(THREADS);
    let mut known: HashSet<PathBuf> = HashSet::new();
    let mut folders = Vec::new();
    let mut level = subject.tasks.clone();
    while !level.is_empty() && !stop.load(Ordering::Relaxed) {
        level.retain(|task| known.insert(task.path.clone()));
        let looked = if level.len() < ALONE || threads < 2 {
            let mut desk = Desk::default();
            level
                .iter()
                .map(|task| look.folder(task, &mut desk))
                .collect()
        } else {
            shared_out(look, &level, threads, stop)
        };
        level = Vec::new();
        for (folder, inside) in looked {
            folders.push(folder);
            level.extend(inside);
        }
    }
    folders.sort_by(|a, b| a.path.cmp(&b.path));
    folders
}

fn shared_out(
    look: &Look<'_>,
    level: &[Task],
    threads: usize,
    stop: &AtomicBool,
) -> Vec<(Folder, Vec<Task>)> {
    let next = AtomicUsize::new(0);
    let work = || {
        // A table of open files of its own: threads that share one wait for each other at each file
        // that is opened, read and closed. Where this is forbidden, they wait.
        let _ = unshare(CloneFlags::CLONE_FILES);
        let mut desk = Desk::default();
        let mut looked = Vec::new();
        while let Some(task) = level.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            looked.push(look.folder(task, &mut desk));
        }
        looked
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let mut looked = Vec::with_capacity(level.len());
        for worker in workers {
            match worker.join() {
                Ok(some) => looked.extend(some),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        looked
    })
}

/// What a prefix holds of folders that are not there any more.
fn leftovers(subject: &Subject, prefix: &Path) -> Leftovers {
    let view = &subject.writing.view;
    let here = view.here(prefix);
    let mut found = Leftovers::default();
    let mut entries = 0;
    let mut folders = vec![(PathBuf::from("/"), here)];
    while let Some((mirrored, folder)) = folders.pop() {
        let Ok(listed) = fs::read_dir(&folder) else {
            continue;
        };
        let is_gone = !view.here(&mirrored).is_dir();
        let mut pycs = 0;
        for entry in listed.flatten() {
            entries += 1;
            if entries > ENTRIES {
                return found;
            }
            let name = entry.file_name();
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => {
                    folders.push((mirrored.join(&name), entry.path()));
                }
                Ok(kind) if kind.is_file() && is_gone && is_pyc(&name) => {
                    pycs += 1;
                    found.bytes += entry.metadata().map_or(0, |metadata| metadata.len());
                }
                _ => {}
            }
        }
        if pycs > 0 {
            found.pycs += pycs;
            found.app_images += usize::from(is_app_image(&mirrored));
            if found.gone.as_ref().is_none_or(|gone| mirrored < *gone) {
                found.gone = Some(mirrored);
            }
        }
    }
    found
}

fn is_pyc(name: &std::ffi::OsStr) -> bool {
    Path::new(name).extension().is_some_and(|end| end == "pyc")
}

/// Does this lie where an AppImage is mounted: `/tmp/.mount_NameXXXXXX`, another folder at each
/// start?
pub fn is_app_image(folder: &Path) -> bool {
    folder
        .iter()
        .any(|name| name.as_encoded_bytes().starts_with(b".mount_"))
}
