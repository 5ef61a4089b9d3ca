//! Facts about the machine, read from /proc and /sys.

use std::time::Duration;

use super::format::Host;

/// Looks at the machine. What cannot be read is said to be unknown; nothing here fails.
pub fn observe() -> Host {
    let cpuinfo = read("/proc/cpuinfo");
    let field = |name: &str| {
        cpuinfo
            .lines()
            .find(|line| line.starts_with(name))
            .and_then(|line| line.split_once(':'))
            .map(|(_, value)| value.trim().to_owned())
    };
    let memory_kib: u64 = read("/proc/meminfo")
        .lines()
        .find_map(|line| {
            line.strip_prefix("MemTotal:")?
                .split_whitespace()
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or(0);
    Host {
        kernel: read("/proc/sys/kernel/osrelease").trim().to_owned(),
        cpu_model: field("model name").unwrap_or_else(|| "unknown".to_owned()),
        cpus: std::thread::available_parallelism().map_or(1, |n| n.get() as u32),
        memory_mib: memory_kib / 1024,
        virtualization: virtualization(&cpuinfo).to_owned(),
        governor: std::fs::read_to_string("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
            .ok()
            .map(|text| text.trim().to_owned()),
        load_1min: read("/proc/loadavg")
            .split_whitespace()
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or(0.0),
    }
}

/// The machine's steal time since boot, all CPUs together (proc(5), /proc/stat, field `steal`).
pub fn steal() -> Duration {
    let ticks: u64 = read("/proc/stat")
        .lines()
        .next()
        .and_then(|line| line.split_whitespace().nth(8)?.parse().ok())
        .unwrap_or(0);
    // The kernel reports in units of USER_HZ, which is 100 on every platform Linux has today.
    Duration::from_millis(ticks * 10)
}

fn virtualization(cpuinfo: &str) -> &'static str {
    if std::path::Path::new("/.dockerenv").exists()
        || std::path::Path::new("/run/.containerenv").exists()
    {
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

fn read(path: &str) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}
