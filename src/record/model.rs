//! A record as the analysis reads it: the lines of [`super::format`] with names resolved.
//!
//! A launch takes a fixed number of bytes here, however long its scenario's name is: a record
//! may hold a million of them.

use std::time::Duration;

use super::counts::Count;
use super::format::{Counted, End, Header, Interpreter, ReceiptLine};
use crate::suite::{LaunchKind, Metric, Scenario, Suite};

/// One run, read back.
#[derive(Debug, Clone)]
pub struct Record {
    pub header: Header,
    pub suite: Suite,
    pub receipts: Vec<ReceiptLine>,
    pub launches: Vec<Launch>,
    /// Launches for counting instructions, if that was asked for.
    pub counts: Vec<Count>,
    /// `None`: the run was killed before it could write its last line.
    pub end: Option<End>,
    /// Lines that could not be read; the rest was.
    pub damaged: Vec<DamagedLine>,
}

impl Record {
    /// A scenario's interpreter: the one that its `python` key names, or the one that no key names.
    pub fn interpreter(&self, scenario: &Scenario) -> Option<&Interpreter> {
        let all = &self.header.interpreters;
        if let [only] = all.as_slice() {
            return Some(only);
        }
        let named_by = |each: &Interpreter, scenario: &Scenario| {
            let python = scenario.python.as_deref();
            python.is_some_and(|python| python.as_os_str() == each.executable.as_str())
        };
        all.iter().find(|each| match scenario.python {
            Some(_) => named_by(each, scenario),
            None => {
                let scenarios = &self.suite.scenarios;
                !scenarios.iter().any(|other| named_by(each, other))
            }
        })
    }
}

/// A line that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedLine {
    /// Counted from 1.
    pub line: usize,
    pub reason: String,
}

/// One launch: its place in the plan, and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Launch {
    pub block: u32,
    pub position: u32,
    pub arm: Arm,
    pub kind: LaunchKind,
    /// Since the first block began.
    pub at: Duration,
    pub times: Times,
    pub usage: Usage,
    pub surroundings: Surroundings,
    /// Pycs below source and prefix, before and after.
    pub pycs_before: u64,
    pub pycs_after: u64,
    pub violations: Vec<String>,
    pub failure: Option<String>,
}

/// Which scenario a launch belongs to, and in which role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Arm {
    /// Index into the suite's scenarios.
    pub scenario: usize,
    pub role: Role,
}

/// Is this the arm itself, or the baseline once more?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    Itself,
    Twin,
}

/// The times of a launch, all counted from its spawn.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Times {
    pub ready: Option<Duration>,
    pub accept: Option<Duration>,
    /// Around the import statement; the one that isn't counted from the spawn.
    pub import: Option<Duration>,
    /// The process's end, when it ended by itself as expected.
    pub exit: Option<Duration>,
    /// The process's end, however it came.
    pub wall: Duration,
}

impl Times {
    /// The metric, if this launch yielded it.
    pub fn metric(&self, metric: Metric) -> Option<Duration> {
        match metric {
            Metric::Ready => self.ready,
            Metric::Exit => self.exit,
            Metric::Import => self.import,
        }
    }
}

/// What a launch used (getrusage(2) by way of wait4(2), and perf_event_open(2)).
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Usage {
    pub user: Duration,
    pub system: Duration,
    /// CPU time until the process was ready.
    pub cpu_ready: Option<Duration>,
    pub peak_memory_kib: u64,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
    pub blocks_read: u64,
    pub blocks_written: u64,
    /// Of the whole machine, during the launch.
    pub steal: Duration,
    /// CPU time of other processes on the machine, where it was looked at.
    pub others: Option<Duration>,
    /// By the kernel's counters, of which there may be none.
    pub counted: Counted,
}

/// What the stage saw of conditions that only some scenarios set.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Surroundings {
    /// Under a CPU quota.
    pub throttling: Option<Throttling>,
    /// With a cold page cache.
    pub eviction: Option<Eviction>,
}

/// What was done about the page cache before a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Eviction {
    /// What was not in memory any more, of the files that the launch opens.
    pub evicted_kib: u64,
    /// What stayed.
    pub resident_kib: u64,
    /// Of files about which the kernel does not tell.
    pub unseen_kib: u64,
}

/// How the kernel held a launch's processes back (`cpu.stat` of their control group).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttling {
    /// Periods in which the quota was used up.
    pub periods: u64,
    /// For how long, all CPUs together.
    pub time: Duration,
}

impl Usage {
    /// CPU time that belongs to the metric: until readiness where that is known, else all of it.
    pub fn cpu(&self) -> Duration {
        self.cpu_ready.unwrap_or(self.user + self.system)
    }
}
