//! What the CPUs did, all together.

use std::time::Duration;

use super::Machine;

/// How exact [`CpuTimes`] are: the kernel reports in units of USER_HZ, which is 100 on every
/// platform that Linux has today.
pub const STEP: Duration = Duration::from_millis(STEP_MS);
const STEP_MS: u64 = 10;

/// The shortest time of all CPUs together of which a share is told.
const SHORTEST: Duration = Duration::from_secs(2);

/// Time since the machine started, all CPUs together (proc(5), `/proc/stat`, `cpu`).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CpuTimes {
    /// Spent on processes, interrupts and other guests of this machine.
    pub busy: Duration,
    /// Wanted by this machine and given to others by the hypervisor.
    pub steal: Duration,
    /// All of it, idle or not.
    pub all: Duration,
}

impl Machine {
    /// The time so far.
    pub fn cpu_times(&self) -> CpuTimes {
        let stat = self.read("proc/stat").unwrap_or_default();
        let words = stat.lines().next().unwrap_or_default().split_whitespace();
        // user nice system idle iowait irq softirq steal; what follows is in `user` and `nice`.
        let ticks: Vec<u64> = words
            .skip(1)
            .take(8)
            .map(|word| word.parse().unwrap_or(0))
            .collect();
        let sum = |columns: &[usize]| {
            let ticks = columns.iter().filter_map(|column| ticks.get(*column));
            Duration::from_millis(ticks.fold(0, |sum: u64, each| {
                sum.saturating_add(each.saturating_mul(STEP_MS))
            }))
        };
        CpuTimes {
            busy: sum(&[0, 1, 2, 5, 6]),
            steal: sum(&[7]),
            all: sum(&[0, 1, 2, 3, 4, 5, 6, 7]),
        }
    }
}

impl CpuTimes {
    /// Steal as a share of all CPUs' time; `None` for less than [`SHORTEST`], of which the steps
    /// would be too large a part.
    pub fn steal_share(self) -> Option<f64> {
        let share = self.steal.as_secs_f64() / self.all.as_secs_f64();
        (self.all >= SHORTEST).then(|| (share * 1e4).round() / 1e4)
    }

    /// What has passed since an earlier reading. The kernel's counts may go back a little (proc(5)).
    pub fn since(self, earlier: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(earlier.busy),
            steal: self.steal.saturating_sub(earlier.steal),
            all: self.all.saturating_sub(earlier.all),
        }
    }
}
