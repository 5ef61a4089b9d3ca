//! A control group with a CPU quota (cgroups(7)), which a launched process enters before its exec.
//!
//! Both versions are known: `cpu.max` of the unified hierarchy, and `cpu.cfs_quota_us` of the
//! older one (Documentation/admin-guide/cgroup-v2.rst, Documentation/scheduler/sched-bwc.rst).

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use procfs::process::Process;

use crate::record::Throttling;
use crate::suite::CpuQuota;

/// Begins the names of our groups.
const NAME_PREFIX: &str = "coldsnake-";
/// A group cannot be removed while a process of it is still on its way out.
const REMOVALS: u32 = 20;
const BETWEEN_REMOVALS: Duration = Duration::from_millis(25);

/// Which of the kernel's two interfaces a group has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// A group of ours; it is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    folder: PathBuf,
    version: Version,
    quota: CpuQuota,
    entrance: Arc<File>,
    /// Says that the group is in use: what a killed run left is not locked.
    _lock: File,
}

impl Group {
    /// Makes a group of that name with that quota, below the group that this process is in, or
    /// below one above it.
    ///
    /// # Errors
    /// A clause that says why there can be none.
    pub fn make(name: &str, quota: CpuQuota) -> Result<Self, String> {
        let mut reasons = Vec::new();
        for parent in parents()? {
            sweep(&parent.folder);
            let made = parent
                .hand_on_cpu()
                .and_then(|()| Self::below(&parent.folder, parent.version, name, quota));
            match made {
                Ok(group) => return Ok(group),
                Err(error) => reasons.push(format!("{}: {error}", parent.folder.display())),
            }
        }
        Err(match reasons.into_iter().next() {
            Some(reason) => format!("no control group can be made in {reason}"),
            None => "no control group here has the cpu controller".to_owned(),
        })
    }

    fn below(parent: &Path, version: Version, name: &str, quota: CpuQuota) -> io::Result<Self> {
        let folder = parent.join(format!("{NAME_PREFIX}{name}"));
        fs::create_dir(&folder)?;
        let made = Self::set(&folder, version, quota);
        if made.is_err() {
            let _ = fs::remove_dir(&folder);
        }
        made
    }

    fn set(folder: &Path, version: Version, quota: CpuQuota) -> io::Result<Self> {
        let lock = File::open(folder)?;
        lock.lock()?;
        let (share, period) = (quota.microseconds(), quota.period_microseconds());
        match version {
            Version::One => {
                fs::write(folder.join("cpu.cfs_period_us"), period.to_string())?;
                fs::write(folder.join("cpu.cfs_quota_us"), share.to_string())?;
            }
            Version::Two => {
                let kind = folder.join("cgroup.type");
                // Below a group that holds processes itself, as this one's may do, no other kind can
                // be entered (cgroup-v2.rst, "Threads").
                if fs::read_to_string(&kind).is_ok_and(|kind| kind.trim() == "domain invalid") {
                    fs::write(&kind, "threaded")?;
                }
                fs::write(folder.join("cpu.max"), format!("{share} {period}"))?;
            }
        }
        let entrance = File::options()
            .write(true)
            .open(folder.join("cgroup.procs"))?;
        Ok(Self {
            folder: folder.to_owned(),
            version,
            quota,
            entrance: Arc::new(entrance),
            _lock: lock,
        })
    }

    /// What a process writes "0" to in order to enter.
    pub fn entrance(&self) -> Arc<File> {
        Arc::clone(&self.entrance)
    }

    /// What is wrong with the group, as a sentence, if something is.
    pub fn not_as_made(&self) -> Option<String> {
        let read = |name: &str| fs::read_to_string(self.folder.join(name)).unwrap_or_default();
        let found = match self.version {
            Version::One => format!(
                "{} {}",
                read("cpu.cfs_quota_us").trim(),
                read("cpu.cfs_period_us").trim()
            ),
            Version::Two => read("cpu.max").trim().to_owned(),
        };
        let wanted = format!(
            "{} {}",
            self.quota.microseconds(),
            self.quota.period_microseconds()
        );
        (found != wanted).then(|| {
            format!("the control group's quota and period are {found:?} instead of {wanted:?}")
        })
    }

    /// Is this group among those that a process is in, by what its `/proc/self/cgroup` said? With
    /// a cgroup namespace that begins at another place, so only the last name is compared.
    pub fn is_among(&self, groups: &[String]) -> bool {
        let own = self.folder.file_name().unwrap_or_default();
        groups
            .iter()
            .any(|group| Path::new(group).file_name() == Some(own))
    }

    /// How the kernel has held the group's processes back, since it was made.
    pub fn throttling(&self) -> Throttling {
        let text = fs::read_to_string(self.folder.join("cpu.stat")).unwrap_or_default();
        let number = |key: &str| {
            text.lines()
                .filter_map(|line| line.split_once(' '))
                .find(|(name, _)| *name == key)
                .and_then(|(_, number)| number.trim().parse().ok())
                .unwrap_or(0)
        };
        Throttling {
            periods: number("nr_throttled"),
            time: match self.version {
                Version::One => Duration::from_nanos(number("throttled_time")),
                Version::Two => Duration::from_micros(number("throttled_usec")),
            },
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        for _ in 0..REMOVALS {
            match fs::remove_dir(&self.folder) {
                Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                    std::thread::sleep(BETWEEN_REMOVALS);
                }
                Ok(()) | Err(_) => return,
            }
        }
    }
}

/// A group in which one of ours may be made.
struct Parent {
    folder: PathBuf,
    version: Version,
    controller: Controller,
}

/// Do the groups below have the cpu controller?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Controller {
    HandedOn,
    /// It can be switched on for them.
    KeptBack,
}

impl Parent {
    fn hand_on_cpu(&self) -> io::Result<()> {
        match self.controller {
            Controller::HandedOn => Ok(()),
            Controller::KeptBack => fs::write(self.folder.join(HANDED_ON), "+cpu"),
        }
    }
}

/// The controllers that the groups below a group have.
const HANDED_ON: &str = "cgroup.subtree_control";

/// The groups in which one of ours may be made: the one that this process is in, then those
/// above it; and at last those that would have to be changed for it.
fn parents() -> Result<Vec<Parent>, String> {
    let unreadable = |error: procfs::ProcError| format!("/proc/self cannot be read: {error}");
    let this = Process::myself().map_err(unreadable)?;
    let groups = this.cgroups().map_err(unreadable)?;
    let mounts = this.mountinfo().map_err(unreadable)?;
    let mut parents = Vec::new();
    for mount in &mounts.0 {
        let version = match mount.fs_type.as_str() {
            "cgroup" if mount.super_options.contains_key("cpu") => Version::One,
            "cgroup2" => Version::Two,
            _ => continue,
        };
        let own = groups.0.iter().find(|group| match version {
            Version::One => group.controllers.iter().any(|name| name == "cpu"),
            Version::Two => group.hierarchy == 0,
        });
        let own = own.map_or("/", |group| group.pathname.as_str());
        let below = Path::new(own)
            .strip_prefix(&mount.root)
            .unwrap_or(Path::new(""));
        let own = mount
            .mount_point
            .join(below.strip_prefix("/").unwrap_or(below));
        for folder in own.ancestors() {
            if !folder.starts_with(&mount.mount_point) {
                break;
            }
            let controller = match version {
                Version::One => Some(Controller::HandedOn),
                Version::Two => controller(folder, folder == own),
            };
            parents.extend(controller.map(|controller| Parent {
                folder: folder.to_owned(),
                version,
                controller,
            }));
        }
    }
    parents.sort_by_key(|parent| parent.controller == Controller::KeptBack);
    Ok(parents)
}

/// What a group does with its cpu controller, if it has one. It is switched on in the group that this
/// process is in, and in no other: those above are somebody else's.
fn controller(folder: &Path, is_own: bool) -> Option<Controller> {
    let has = |file: &str| {
        fs::read_to_string(folder.join(file))
            .is_ok_and(|text| text.split_whitespace().any(|name| name == "cpu"))
    };
    if has(HANDED_ON) {
        return Some(Controller::HandedOn);
    }
    (is_own && has("cgroup.controllers")).then_some(Controller::KeptBack)
}

/// Removes groups of runs that were killed: those of ours that nobody holds locked.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(NAME_PREFIX) {
            continue;
        }
        let unused = File::open(entry.path()).is_ok_and(|folder| folder.try_lock().is_ok());
        if unused {
            // Only an empty group can be removed.
            let _ = fs::remove_dir(entry.path());
        }
    }
}
