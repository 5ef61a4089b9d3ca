//! What of an app's files is in memory when it is launched.
//!
//! Which files those are is learned from the receipts' launches. Before each later launch they are
//! evicted, or, where it is another scenario that evicts, read again: the page cache is shared by
//! all scenarios of a run.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{sync, syncfs};

use super::StageError;
use super::residency::{Pages, Residency, evict, read, residency};
use crate::record::Eviction;
use crate::suite::{LaunchKind, PageCache, Suite};

const DROP_CACHES: &str = "/proc/sys/vm/drop_caches";
/// The page cache, and dentries and inodes besides (proc_sys_vm(5)).
const EVERYTHING: &str = "3";
/// More than this share of the pages that can be evicted must not stay.
const MAY_STAY: f64 = 0.05;
/// A page that is just being read stays; a moment later it need not.
const TRIES: u32 = 5;
const BETWEEN_TRIES: Duration = Duration::from_millis(10);
/// How many files a message names.
const NAMED: usize = 3;

/// May the page cache of the whole machine be dropped?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropCaches {
    Allowed,
    Forbidden,
}

/// What is done about the page cache before a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Treatment {
    Nothing,
    Read,
    Evict,
    DropAll,
}

/// A scenario's page cache.
#[derive(Debug)]
pub(super) struct PageCacheState {
    treatment: Treatment,
    known: Vec<(LaunchKind, Vec<Known>)>,
}

/// A file that launches open.
#[derive(Debug)]
struct Known {
    path: PathBuf,
    hold: Hold,
}

/// Did the file's pages go when they were first evicted? They do not where another process has
/// mapped them, as this one has the C library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    Free,
    Held,
}

impl PageCacheState {
    /// What a scenario of this suite needs.
    ///
    /// # Errors
    /// When the machine's page cache would have to be dropped, and must or can not be.
    pub fn of(
        scenario: &str,
        page_cache: PageCache,
        suite: &Suite,
        allowed: DropCaches,
    ) -> Result<Self, StageError> {
        let others_evict = suite
            .scenarios
            .iter()
            .any(|scenario| scenario.page_cache != PageCache::Kept);
        let treatment = match page_cache {
            PageCache::Kept if others_evict => Treatment::Read,
            PageCache::Kept => Treatment::Nothing,
            PageCache::Cold => Treatment::Evict,
            PageCache::Dropped => {
                if allowed == DropCaches::Forbidden {
                    return Err(StageError::DropCachesNotAllowed {
                        scenario: scenario.to_owned(),
                    });
                }
                File::options()
                    .write(true)
                    .open(DROP_CACHES)
                    .map_err(|error| StageError::CannotDropCaches {
                        scenario: scenario.to_owned(),
                        reason: format!("{DROP_CACHES} cannot be written ({error})"),
                    })?;
                Treatment::DropAll
            }
        };
        Ok(Self {
            treatment,
            known: Vec::new(),
        })
    }

    /// Must the files be known that launches open?
    pub fn wants_files(&self) -> bool {
        self.treatment != Treatment::Nothing
    }

    /// Takes note of the files that a launch of this kind opened, and evicts them for the first
    /// time. Says what is wrong, if something is.
    pub fn learn(
        &mut self,
        kind: LaunchKind,
        files: impl IntoIterator<Item = PathBuf>,
        written: &[PathBuf; 2],
    ) -> Option<String> {
        let known = files.into_iter().map(|path| Known {
            path,
            hold: Hold::Free,
        });
        let mut known: Vec<Known> = known.collect();
        let cold = matches!(self.treatment, Treatment::Evict | Treatment::DropAll);
        let (mut seen, mut held) = (false, false);
        if cold {
            self.clear(&known, written);
            for file in &mut known {
                match residency(&file.path) {
                    Some(Residency::Seen { resident, .. }) if resident > Pages(0) => {
                        file.hold = Hold::Held;
                        held = true;
                    }
                    Some(Residency::Seen { .. }) => seen = true,
                    Some(Residency::Unseen { .. }) | None => {}
                }
            }
        }
        self.known.retain(|(other, _)| *other != kind);
        self.known.push((kind, known));
        let sentence = if held {
            "none of the files that the app opens can be evicted from the page cache; on a tmpfs \
             none can: name a folder on a disk with TMPDIR"
        } else {
            "the kernel does not tell this user which of the files that the app opens are in the \
             page cache: run as their owner, or as root"
        };
        (cold && !seen).then(|| sentence.to_owned())
    }

    /// Brings the files of a launch of this kind into their state. Says what was evicted, and what
    /// is wrong, if something is.
    pub fn prepare(
        &self,
        kind: LaunchKind,
        written: &[PathBuf; 2],
    ) -> (Option<Eviction>, Option<String>) {
        let Some((_, files)) = self.known.iter().find(|(known, _)| *known == kind) else {
            return (None, None);
        };
        match self.treatment {
            Treatment::Nothing => (None, None),
            Treatment::Read => {
                for file in files {
                    read(&file.path);
                }
                (None, None)
            }
            Treatment::Evict | Treatment::DropAll => {
                self.clear(files, written);
                let mut after = count(files);
                for _ in 1..TRIES {
                    if !after.is_too_much() {
                        break;
                    }
                    std::thread::sleep(BETWEEN_TRIES);
                    self.clear(files, written);
                    after = count(files);
                }
                let eviction = Eviction {
                    evicted_kib: after.seen.kib().saturating_sub(after.resident.kib()),
                    resident_kib: after.resident.kib(),
                    unseen_kib: after.unseen.kib(),
                };
                (
                    Some(eviction),
                    after.is_too_much().then(|| after.sentence()),
                )
            }
        }
    }

    /// Evicts. What lies below the folders that launches write is written back first: dirty pages
    /// stay.
    fn clear(&self, files: &[Known], written: &[PathBuf; 2]) {
        if self.treatment == Treatment::DropAll {
            sync();
            // Whether it helped is seen by looking again.
            let _ = fs::write(DROP_CACHES, EVERYTHING);
            return;
        }
        for folder in written {
            if let Ok(folder) = File::open(folder) {
                let _ = syncfs(&folder);
            }
        }
        for file in files {
            evict(&file.path);
        }
    }
}

/// Files in the page cache, all together.
#[derive(Debug, Default)]
struct Count<'a> {
    /// Of all files about which the kernel tells.
    seen: Pages,
    resident: Pages,
    unseen: Pages,
    /// Of those that could be evicted at first.
    free: Pages,
    free_resident: Pages,
    stayed: Vec<&'a Path>,
}

impl Count<'_> {
    fn share(&self) -> f64 {
        self.free_resident.0 as f64 / self.free.0.max(1) as f64
    }

    fn is_too_much(&self) -> bool {
        self.share() > MAY_STAY
    }

    fn sentence(&self) -> String {
        let names: Vec<_> = self.stayed.iter().take(NAMED).collect();
        let names: Vec<_> = names
            .iter()
            .map(|path| path.display().to_string())
            .collect();
        let more = if self.stayed.len() > NAMED {
            ", …"
        } else {
            ""
        };
        format!(
            "{:.0} % of the pages that the app opens stayed in the page cache ({}{more})",
            self.share() * 100.0,
            names.join(", ")
        )
    }
}

fn count(files: &[Known]) -> Count<'_> {
    let mut count = Count::default();
    for file in files {
        match residency(&file.path) {
            Some(Residency::Seen { resident, all }) => {
                count.seen += all;
                count.resident += resident;
                if file.hold == Hold::Free {
                    count.free += all;
                    count.free_resident += resident;
                    if resident > Pages(0) {
                        count.stayed.push(&file.path);
                    }
                }
            }
            Some(Residency::Unseen { all }) => count.unseen += all,
            None => {}
        }
    }
    count
}
