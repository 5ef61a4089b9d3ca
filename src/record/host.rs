//! Facts about the machine, read from /proc and /sys.

mod noise;
mod presence;
mod times;

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::cpus::Cpus;
use super::format::Host;

pub use presence::Presence;
pub use times::{CpuTimes, STEP};

/// A machine as its files show it. What cannot be read is not known; nothing here fails.
#[derive(Debug, Clone)]
pub struct Machine {
    root: PathBuf,
}

impl Machine {
    /// The one that this process runs on.
    pub fn this() -> Self {
        Self::below(Path::new("/"))
    }

    /// One whose /proc and /sys lie below another folder, for tests.
    fn below(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Looks at the machine.
    pub fn observe(&self) -> Host {
        let cpuinfo = self.read("proc/cpuinfo").unwrap_or_default();
        let field = |name: &str| {
            cpuinfo
                .lines()
                .find(|line| line.starts_with(name))
                .and_then(|line| line.split_once(':'))
                .map(|(_, value)| value.trim().to_owned())
        };
        let meminfo = self.read("proc/meminfo").unwrap_or_default();
        let memory_kib: u64 = meminfo
            .lines()
            .find_map(|line| {
                line.strip_prefix("MemTotal:")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        let load = self.read("proc/loadavg").unwrap_or_default();
        Host {
            name: self.name(),
            kernel: self.read("proc/sys/kernel/osrelease").unwrap_or_default(),
            cpu_model: field("model name").unwrap_or_else(|| "unknown".to_owned()),
            cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
            memory_mib: memory_kib / 1024,
            virtualization: self.virtualization(&cpuinfo).to_owned(),
            governor: self.read("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            load_1min: load
                .split_whitespace()
                .next()
                .and_then(|text| text.parse().ok())
                .unwrap_or(0.0),
            cpus_online: self
                .parsed::<Cpus>("sys/devices/system/cpu/online")
                .map(|cpus| cpus.count() as u32),
            turbo: self.turbo().map(str::to_owned),
            smt: self.smt().map(str::to_owned),
            siblings: self.siblings(),
            heat_throttles: self.heat_throttles(),
            power: self.power().map(str::to_owned),
            traced_by: self.traced_by(),
            other_runs: self.other_runs(),
            steal_before: None,
        }
    }

    /// `None` where nobody gave it one, which the kernel writes as "(none)".
    fn name(&self) -> Option<String> {
        let name = self.read("proc/sys/kernel/hostname")?;
        (!name.is_empty() && name != "(none)").then_some(name)
    }

    fn virtualization(&self, cpuinfo: &str) -> &'static str {
        if self.root.join(".dockerenv").exists() || self.root.join("run/.containerenv").exists() {
            return "container";
        }
        let hypervisor = cpuinfo
            .lines()
            .find(|line| line.starts_with("flags"))
            .is_some_and(|line| line.split_whitespace().any(|flag| flag == "hypervisor"));
        if hypervisor {
            "virtual machine"
        } else {
            "none"
        }
    }

    /// A file's text without the white space around it. Names that processes chose may be no text.
    fn read(&self, path: &str) -> Option<String> {
        let bytes = std::fs::read(self.root.join(path)).ok()?;
        Some(String::from_utf8_lossy(&bytes).trim().to_owned())
    }

    fn parsed<T: FromStr>(&self, path: &str) -> Option<T> {
        self.read(path)?.parse().ok()
    }

    /// The names in a folder, sorted: the kernel's order is no order.
    fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.join(folder));
        let mut names: Vec<String> = entries
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }
}

#[cfg(test)]
mod tests;
