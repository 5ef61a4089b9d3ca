//! The record's lines: the wire format, version by version.
//!
//! A record is JSON Lines. The first line is a [`Header`], then come [`ReceiptLine`]s and
//! [`LaunchLine`]s in the order in which they happened, [`CountLine`]s if instructions were asked
//! for, and, if the run came to its end, one [`End`]. Every line is written whole and flushed before the next launch, so what an
//! interrupted run measured can be read. `results/README.md` describes the fields for people.
//!
//! # History
//! - **1** (0.1.0): the first.
//!
//! This build reads version 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::shard::Shard;

/// The version that this build writes.
pub const FORMAT_VERSION: u32 = 1;

/// One line of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Line {
    Run(Box<Header>),
    Receipt(Box<ReceiptLine>),
    Launch(Box<LaunchLine>),
    Count(CountLine),
    End(End),
}

/// The first line: everything about the run that holds for all its launches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub format_version: u32,
    /// The version of coldsnake that measured.
    pub coldsnake: String,
    /// RFC 3339, UTC, whole seconds.
    pub started: String,
    /// The command line, to repeat the run.
    pub command_line: Vec<String>,
    pub seed: u64,
    /// The suite's TOML after the command line's options were applied.
    pub suite: SuiteText,
    pub host: Host,
    /// Which CPUs the harness and the launched processes ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Those of the scenarios, each once.
    pub interpreters: Vec<Interpreter>,
    pub environment: Environment,
    pub isolation: Isolation,
    /// Lines of Python below the app's source, for figures per 1,000 lines.
    pub app_lines: u64,
    /// What the kernel counts, and what it refuses to count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counters: Option<Counters>,
    /// The revisions of the app's source that scenarios name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub revisions: Vec<Revision>,
    /// What all other scenarios were launched from; only beside revisions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_tree: Option<WorkingTree>,
    /// The part of a run that this is, if it is not all of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// The shards that the record was put together from, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<MergedShard>,
}

/// What a shard's own record said of it, in a record that was put together from several.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MergedShard {
    /// "2/4"
    pub shard: Shard,
    /// RFC 3339, UTC, whole seconds.
    pub started: String,
    pub host: Host,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub affinity: Option<Affinity>,
    /// Its last line, if it came to its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<End>,
    /// Lines of it that could not be read.
    #[serde(default, skip_serializing_if = "is_none_at_all")]
    pub unread_lines: u64,
}

/// The app's source at a revision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// As the suite names it: "v1.2".
    pub name: String,
    /// The commit that it led to, in hexadecimal.
    pub commit: String,
    /// When it was committed: RFC 3339.
    pub committed: String,
    /// Files below the app's folders that differ from the working tree's.
    pub changed: u64,
    /// Sentences on what is not of that revision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}

/// The app's source as it lay there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkingTree {
    /// The commit that is checked out, in hexadecimal; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Files below the app's folders that differ from that commit's.
    pub modified: u64,
    /// Files there that git neither knows nor ignores. They are part of every state.
    pub untracked: u64,
}

/// The suite that was measured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteText {
    /// The file it came from, as the user named it.
    pub origin: String,
    pub text: String,
    /// SHA-256 of `text`, in hexadecimal. Runs with different hashes are different experiments.
    pub sha256: String,
}

/// CPUs, written as taskset(1) takes them: "0,2-3"; empty where they could not be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affinity {
    pub harness: String,
    pub children: String,
    /// Why so.
    pub why: String,
}

/// Facts about the machine, as far as they bear on timings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Host {
    /// As the kernel knows it (`/proc/sys/kernel/hostname`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    pub kernel: String,
    pub cpu_model: String,
    pub cpus: u32,
    pub memory_mib: u64,
    /// "none", "virtual machine" or "container", as far as can be seen from inside.
    pub virtualization: String,
    /// cpufreq's governor of CPU 0, if there is one.
    pub governor: Option<String>,
    /// Load average over one minute when the run started.
    pub load_1min: f64,
    /// CPUs of the machine that are online; the load is theirs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpus_online: Option<u32>,
    /// "on" or "off", where cpufreq or intel_pstate tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turbo: Option<String>,
    /// Threads of one core share what it can do: "on" or "off".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smt: Option<String>,
    /// The CPUs that are threads of one core, core by core: "0,4".
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub siblings: Vec<String>,
    /// How often cores were slowed down for their heat since the machine started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat_throttles: Option<u64>,
    /// "mains" or "battery", where there is a battery.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<String>,
    /// Name and id of the process that traces coldsnake: a debugger, strace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traced_by: Option<String>,
    /// Ids of other coldsnakes that were running.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_runs: Vec<u32>,
    /// Steal time as a share of all CPUs' time while the scenarios were prepared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub steal_before: Option<f64>,
}

impl Host {
    /// CPUs of the whole machine, at least one: `cpus` may be a part of them. Load, steal and other
    /// processes' time are the whole machine's.
    pub fn all_cpus(&self) -> u32 {
        self.cpus_online.unwrap_or(self.cpus).max(1)
    }
}

/// An interpreter, asked by running it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Interpreter {
    /// What is launched: `sys.executable`, behind shims, or the wrapper that it needs.
    pub executable: String,
    /// "3.11.7"
    pub version: String,
    pub implementation: String,
    /// `sys.implementation.cache_tag`, "cpython-311"
    pub cache_tag: String,
    /// The pyc magic number, 3495 for 3.11.
    pub magic: u32,
}

/// What the launched processes found in their environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment {
    /// Passed on from the caller's environment, names only.
    pub passed: Vec<String>,
    /// `PYTHON*` variables of the caller that were held back.
    pub removed: Vec<String>,
}

/// How the conditions were made to hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Isolation {
    /// "current user" or "unprivileged"
    pub identity: String,
    pub uid: u32,
    /// "overlay": the app was at its own path, under a layer; "copy": it was a private copy.
    #[serde(default = "copy")]
    pub backing: String,
    /// What makes a read-only source read-only: "mount", "modes", "mount and modes".
    pub read_only_by: String,
    /// Sentences on what was tried and why it was or was not taken.
    pub notes: Vec<String>,
}

/// Before there were layers, every stage was a copy.
fn copy() -> String {
    "copy".to_owned()
}

/// Counters of perf_event_open(2), each tried once before the first launch.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Counters {
    /// Those that the launches' lines carry: "instructions", "cycles", "page_faults".
    pub counted: Vec<String>,
    /// The others, each with the name of the error that the kernel gave: "ENOENT".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, String>,
    /// The setting `kernel.perf_event_paranoid`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paranoid: Option<i32>,
    /// What counted for the lines of type `count`: "perf", or valgrind's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions_by: Option<String>,
}

/// Evidence from an untimed launch under a scenario.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ReceiptLine {
    pub scenario: String,
    /// "app" or "import"
    pub launch: String,
    /// What the interpreter said of itself.
    pub executable: String,
    /// `sys.implementation.cache_tag`: what it writes into the names of its pycs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cache_tag: Option<String>,
    pub pycache_prefix: Option<String>,
    pub dont_write_bytecode: bool,
    /// The scenario's flags, as they stood in the process's command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flags: Vec<String>,
    pub modules: Vec<ModuleReceipt>,
    /// A second `import` of the app's module in the same process; of an import's launch only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub second_import: Option<SecondImport>,
    /// Pycs below the stage's source and prefix before and after the launch.
    pub pycs_before: u64,
    pub pycs_after: u64,
    /// The kind of file system that the app's source is on: "tmpfs", "xfs", …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_filesystem: Option<String>,
    /// The same of the prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_filesystem: Option<String>,
    /// Below the prefix after the launch.
    pub prefix_pycs: u64,
    pub prefix_pycache_folders: u64,
    /// What did not hold, in sentences. Any makes the record invalid.
    pub violations: Vec<String>,
}

/// What happened to the bytecode of one module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModuleReceipt {
    pub name: String,
    /// "app", "site-packages" or "stdlib"
    pub origin: String,
    /// "read" (from a pyc) or "compiled"
    pub code: String,
    /// "written", or the errno's name with which writing failed; absent when it wasn't tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub write: Option<String>,
    /// CPU time that compiling it took, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compile_ms: Option<f64>,
    /// Lines of the source that was compiled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lines: Option<u64>,
}

/// What a second `import` of a module did.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecondImport {
    pub module: String,
    /// Modules that were compiled.
    pub compiled: u64,
    /// Files that were opened.
    pub opened: u64,
}

/// One launch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LaunchLine {
    /// Counted from 0.
    pub block: u32,
    /// Place within the block, counted from 0.
    pub position: u32,
    pub scenario: String,
    /// The second launch of the baseline in this block.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub twin: bool,
    /// "app" or "import"
    pub launch: String,
    /// Milliseconds since the first block began.
    pub at_ms: f64,
    /// Metrics in milliseconds, by name: "ready", "exit", "import".
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metrics: BTreeMap<String, f64>,
    /// Spawn to the first accepted connection, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_ms: Option<f64>,
    /// CPU time of the process until it was ready, milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_ready_ms: Option<f64>,
    /// Spawn to the end of the process, milliseconds, however it ended.
    pub wall_ms: f64,
    pub user_ms: f64,
    pub system_ms: f64,
    pub peak_memory_kib: u64,
    pub minor_faults: u64,
    pub major_faults: u64,
    pub voluntary_switches: u64,
    pub involuntary_switches: u64,
    pub blocks_read: u64,
    pub blocks_written: u64,
    /// The machine's steal time during the launch, milliseconds, all CPUs together.
    pub steal_ms: f64,
    /// CPU time that neither the launch nor the harness used meanwhile, milliseconds, all CPUs
    /// together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others_ms: Option<f64>,
    /// With a cold page cache: what was not in memory at the launch, of the files that it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evicted_kib: Option<u64>,
    /// What stayed of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resident_kib: Option<u64>,
    /// The size of those about which the kernel does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unseen_kib: Option<u64>,
    /// Under a CPU quota: periods of 100 ms in which it was used up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_periods: Option<u64>,
    /// For how long the processes were held back then, milliseconds, all CPUs together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled_ms: Option<f64>,
    /// What the kernel counted, as far as it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counted: Option<Counted>,
    /// Pycs below source and prefix, before and after.
    pub pycs_before: u64,
    pub pycs_after: u64,
    /// What did not hold around this launch. Any makes the record invalid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// Why the launch gave no metrics.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// Counts of the kernel, in user mode, from the process's exec on, with all that it started: until
/// it was ready where that ends the timing, else until all of it was gone.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Counted {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cycles: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_faults: Option<u64>,
    /// The share of the time in which the counters ran, where they had to take turns with others:
    /// counts are scaled up by it then (perf_event_open(2), `PERF_FORMAT_TOTAL_TIME_RUNNING`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<f64>,
}

/// Instructions of one launch that was made for counting them, and not timed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CountLine {
    pub scenario: String,
    /// "app" or "import"
    pub launch: String,
    /// Each scenario is counted several times, counted from 0.
    pub round: u32,
    /// "perf" or "valgrind"
    pub source: String,
    /// In user mode, of the process and of all that it started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<u64>,
    /// By valgrind: processes that were forked and never called exec, whose counts hold their
    /// parent's up to the fork.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked: Option<u32>,
    /// By perf: as in [`Counted`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running: Option<f64>,
    /// Why there is no count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}

/// The last line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    pub stop_reason: StopReason,
    /// Complete blocks.
    pub blocks: u32,
    /// From the beginning of the first block to the end of the last one.
    pub elapsed_s: f64,
    /// As the host's, at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heat_throttles: Option<u64>,
    /// Blocks at whose end another coldsnake was running.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blocks_beside_others: u32,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn is_none_at_all(number: &u64) -> bool {
    *number == 0
}

/// Which rule ended the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StopReason {
    /// Every contrast's interval is as narrow as asked.
    Precision,
    /// Every claim is decided.
    Decided,
    /// The time is used up.
    Budget,
    /// The greatest number of blocks is reached.
    MaxBlocks,
    /// Ctrl-C, or a termination signal.
    Interrupted,
    /// The app failed to launch too often.
    Failures,
}
