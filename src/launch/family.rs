//! A process and whatever it started: nothing of it outlives the launch.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;

/// How long killed processes may take to disappear.
const BURIAL_LIMIT: Duration = Duration::from_secs(5);

/// How far a process's parents are followed.
const GENERATIONS: usize = 64;

/// While it exists, orphans of the launched processes become children of this one (prctl(2),
/// `PR_SET_CHILD_SUBREAPER`), so that even a daemon that left its process group can be found.
///
/// Children that were there before are spared: a shell's `exec` keeps the shell's, and a container's
/// first process may have anybody's.
#[derive(Debug)]
pub struct Subreaper {
    inherited: Vec<libc::pid_t>,
}

impl Subreaper {
    /// Makes this process the one that inherits orphans.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn become_one() -> std::io::Result<Self> {
        nix::sys::prctl::set_child_subreaper(true)?;
        Ok(Self {
            inherited: children(),
        })
    }

    /// Kills what is left of a launch whose first process has ended and been waited for: the rest
    /// of its group, and orphans outside it.
    pub fn bury(&self, group: libc::pid_t) {
        signal_group(group, Signal::SIGKILL);
        let deadline = Instant::now() + BURIAL_LIMIT;
        loop {
            // Every child that wasn't inherited belongs to a launch: set-up commands are over.
            let mut left = children();
            left.retain(|child| !self.inherited.contains(child));
            if left.is_empty() || Instant::now() > deadline {
                return;
            }
            for child in left.into_iter().map(Pid::from_raw) {
                let _ = kill(child, Signal::SIGKILL);
                let _ = waitpid(child, Some(WaitPidFlag::WNOHANG));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Sends a signal to all processes of the group. A group that is gone already is no error.
pub fn signal_group(group: libc::pid_t, signal: Signal) {
    let _ = killpg(Pid::from_raw(group), signal);
}

/// The processes whose parent is this thread (proc(5), `children`).
fn children() -> Vec<libc::pid_t> {
    std::fs::read_to_string("/proc/thread-self/children")
        .unwrap_or_default()
        .split_whitespace()
        .filter_map(|text| text.parse().ok())
        .collect()
}

/// Does a process of this group, or one descended from it, hold a socket with one of these inodes?
pub fn holds_socket(group: libc::pid_t, inodes: &[u64]) -> bool {
    if has_socket(group, inodes) {
        return true;
    }
    let Ok(processes) = procfs::process::all_processes() else {
        return false;
    };
    processes
        .flatten()
        .filter(|process| belongs(process.pid, group))
        .any(|process| has_socket(process.pid, inodes))
}

/// Is this process of the group, or descended from it? One that is gone already is not.
pub fn belongs(pid: libc::pid_t, group: libc::pid_t) -> bool {
    let mut pid = pid;
    for _ in 0..GENERATIONS {
        if pid == group {
            return true;
        }
        let Some(stat) = procfs::process::Process::new(pid)
            .ok()
            .and_then(|process| process.stat().ok())
        else {
            return false;
        };
        // Orphans of the launch are children of this process, which has no others: set-up
        // commands are over by now.
        if stat.pgrp == group || u32::try_from(stat.ppid) == Ok(std::process::id()) {
            return true;
        }
        pid = stat.ppid;
        if pid <= 1 {
            return false;
        }
    }
    false
}

fn has_socket(pid: libc::pid_t, inodes: &[u64]) -> bool {
    let Ok(descriptors) = std::fs::read_dir(format!("/proc/{pid}/fd")) else {
        return false;
    };
    descriptors.flatten().any(|entry| {
        std::fs::read_link(entry.path())
            .ok()
            .as_deref()
            .and_then(Path::to_str)
            .and_then(|link| {
                link.strip_prefix("socket:[")?
                    .strip_suffix(']')?
                    .parse()
                    .ok()
            })
            .is_some_and(|inode: u64| inodes.contains(&inode))
    })
}
