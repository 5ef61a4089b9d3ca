//! What an analysis finds. Everything here is computed from a record alone.

use serde::Serialize;

use crate::record::format::{Counters, Host, Interpreter, StopReason};
use crate::stats::bounds::Verdict;
use crate::stats::drift::PositionEffect;
use crate::stats::interval::{Estimate, Interval};
use crate::suite::{LaunchKind, Metric};

/// The findings of one record.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub suite: String,
    pub app: String,
    /// Lines of Python below the app's source.
    pub app_lines: u64,
    pub seed: u64,
    /// Complete blocks.
    pub blocks: u32,
    /// `None`: the record breaks off, the run was killed.
    pub stop_reason: Option<StopReason>,
    pub host: Host,
    pub interpreters: Vec<Interpreter>,
    pub scenarios: Vec<ScenarioSummary>,
    /// The twin against the baseline, for each metric.
    pub noise_floor: Vec<Contrast>,
    /// Each scenario against the baseline for each metric, then the pairs that claims name.
    pub contrasts: Vec<Contrast>,
    /// What was counted; `None` for records that say nothing of counters.
    pub counting: Option<Counting>,
    pub break_even: Vec<BreakEven>,
    pub claims: Vec<Decision>,
    /// What the machine did to launches, as far as it shows.
    pub disturbance: Disturbance,
    /// Whether it matters when a launch came, for each metric.
    pub order: Vec<Order>,
    /// Sentences on what the receipts show, most important first.
    pub findings: Vec<String>,
    pub validity: Validity,
    /// Sentences on what limits the figures.
    pub warnings: Vec<String>,
}

/// How many launches something else on the machine disturbed. A launch may have several reasons.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Disturbance {
    /// All of them, the twin's and failed ones, too.
    pub launches: u64,
    pub disturbed: u64,
    pub by_steal: u64,
    pub by_others: u64,
    pub by_preemption: u64,
    /// Of all CPUs' time while launches ran, the part that other processes used; `None` if no
    /// launch tells.
    pub others_share: Option<f64>,
}

/// Effects of when a launch came.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    pub metric: Metric,
    /// Of its place in the block; `None` with fewer than five complete blocks.
    pub position: Option<PositionEffect>,
    /// Of its place in the run; `None` with fewer than ten launches of the baseline.
    pub drift: Option<Drift>,
}

/// How the baseline's launches changed over the run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Drift {
    pub launches: u64,
    /// Spearman's correlation of times with their order.
    pub rho: f64,
    /// Of that, against launches that could as well have come in any order.
    pub p_value: f64,
    /// Autocorrelation from one launch to the next.
    pub lag1: f64,
    /// Median of the last quarter over that of the first, less 1.
    pub change: f64,
}

/// May the figures be believed?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Validity {
    Valid,
    /// A condition was not met, or the twin differs from the baseline. Sentences.
    Invalid(Vec<String>),
}

/// One scenario by itself.
#[derive(Debug, Clone)]
pub struct ScenarioSummary {
    pub name: String,
    pub about: Option<String>,
    pub launches: u32,
    pub failures: u32,
    /// In the suite's order of metrics.
    pub metrics: Vec<MetricSummary>,
    pub receipt: ReceiptSummary,
}

/// One metric of one scenario, over all its complete blocks, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct MetricSummary {
    pub metric: Metric,
    pub median_ms: f64,
    pub mean_ms: f64,
    pub p10_ms: f64,
    pub p90_ms: f64,
    /// User and system time of the same launches.
    pub cpu_median_ms: f64,
    /// Median of the peak resident memory of the same launches.
    pub memory_median_mib: f64,
    /// Launches that gave the metric.
    pub launches: u32,
    /// Modules compiled, in the receipt of this kind of launch.
    pub compiled: u64,
    /// Pycs written, in the same receipt.
    pub written: u64,
}

/// What the untimed launch of a scenario showed.
#[derive(Debug, Clone, Default)]
pub struct ReceiptSummary {
    /// By origin: app, site-packages, standard library.
    pub read: ByOrigin,
    pub compiled: ByOrigin,
    pub written: ByOrigin,
    pub writes_failed: ByOrigin,
    /// The errnos with which writing failed.
    pub errnos: Vec<String>,
    /// The app's modules that were read from a pyc, sorted.
    pub app_cached: Vec<String>,
    pub prefix_pycs: u64,
    pub prefix_pycache_folders: u64,
    pub violations: Vec<String>,
}

/// A count of modules, split by where they come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ByOrigin {
    pub app: u64,
    pub site_packages: u64,
    pub stdlib: u64,
}

impl ByOrigin {
    /// All three together.
    pub fn total(self) -> u64 {
        self.app + self.site_packages + self.stdlib
    }
}

/// The paired effect of a scenario against a baseline.
#[derive(Debug, Clone)]
pub struct Contrast {
    pub baseline: String,
    pub scenario: String,
    pub metric: Metric,
    /// Pairs that went into it.
    pub blocks: u32,
    /// Scenario minus baseline, milliseconds: negative is faster. The interval is simultaneous
    /// over the metric's contrasts (95 %), but for the noise floor's, which is by itself.
    pub shift_ms: Estimate,
    /// Scenario over baseline.
    pub ratio: Estimate,
    /// The same in CPU time (user and system), milliseconds.
    pub cpu_shift_ms: Option<Estimate>,
    /// Holm-adjusted over the metric's contrasts.
    pub p_value: f64,
    /// Did the launches run inside the same blocks?
    pub pairing: Pairing,
    /// Scenario minus baseline block by block, in the order of the blocks, milliseconds.
    pub differences_ms: Vec<f64>,
    /// The block of each difference; none of two records'.
    pub differences_in: Vec<u32>,
}

/// How two sets of launches relate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pairing {
    /// Inside the same blocks.
    Paired,
    /// From two records: drift between them is not controlled.
    Uncontrolled,
}

/// What was counted and not timed.
#[derive(Debug, Clone)]
pub struct Counting {
    /// What the kernel counts, and who counted instructions.
    pub kernel: Counters,
    /// Instructions, of launches that were made for counting them.
    pub instructions: Vec<CountSummary>,
    /// Each scenario's instructions against those of its baseline, then the pairs that claims name.
    pub contrasts: Vec<CountContrast>,
    /// The kernel's counters in the timed launches.
    pub launches: Vec<LaunchCounts>,
}

/// Instructions in user mode of one scenario's launches of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct CountSummary {
    pub scenario: String,
    pub kind: LaunchKind,
    /// Launches that were counted.
    pub launches: u32,
    pub median: f64,
    pub least: f64,
    pub greatest: f64,
    /// (greatest − least) / median; `None` with only one count.
    pub spread: Option<f64>,
}

/// Instructions of a scenario over those of another one.
#[derive(Debug, Clone, PartialEq)]
pub struct CountContrast {
    pub baseline: String,
    pub scenario: String,
    pub kind: LaunchKind,
    /// Of the medians.
    pub ratio: f64,
    /// The least and the greatest ratio of two of the counts. They are bounds of what was seen,
    /// and no interval.
    pub least: f64,
    pub greatest: f64,
}

/// Medians of the kernel's counters over a scenario's timed launches of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct LaunchCounts {
    pub scenario: String,
    pub kind: LaunchKind,
    pub instructions: Option<f64>,
    pub cycles: Option<f64>,
    pub page_faults: Option<f64>,
}

/// After how many starts a prefix has paid back its first one.
#[derive(Debug, Clone)]
pub struct BreakEven {
    /// The scenario that is left behind, such as `vps-before`.
    pub from: String,
    /// The first start of the fix.
    pub first: String,
    /// Its later starts.
    pub scenario: String,
    /// What the first start costs more than a start of `from`, milliseconds.
    pub first_start_cost_ms: Estimate,
    /// What each later start saves, milliseconds.
    pub saved_per_start_ms: Estimate,
    pub starts: Starts,
}

/// A number of starts, counted with the first one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Starts {
    /// By the point estimates, with the range by the intervals; the upper end may be infinite.
    After {
        estimate: f64,
        low: f64,
        high: Option<f64>,
    },
    /// The first start is no slower: it pays at once.
    AtOnce,
    /// Later starts save nothing, by the whole interval: it never pays.
    Never,
    /// Whether later starts save anything cannot be told from noise.
    Unknown,
}

/// A claim and its verdict.
#[derive(Debug, Clone)]
pub struct Decision {
    pub id: String,
    pub text: String,
    /// What was expected, in words: "saves 100 ms ± 20 %".
    pub expected: String,
    /// What was seen, in words: "saves 27 ms [24, 30]".
    pub measured: String,
    /// The same in CPU time, which a busy machine disturbs less. For a claim on a contrast.
    pub cpu: Option<String>,
    /// Why the verdict is what it is, in words: "less than 80 ms".
    pub reason: String,
    pub verdict: Verdict,
    /// For a claim on a contrast: what the charts draw.
    pub effect: Option<DecidedEffect>,
}

/// The numbers behind a decision on a contrast. A saving is positive.
#[derive(Debug, Clone)]
pub struct DecidedEffect {
    pub from: String,
    pub to: String,
    pub metric: Metric,
    /// Saved by `to`, milliseconds, with the interval that decided.
    pub saving_ms: Estimate,
    /// Confidence level of that interval.
    pub level: f64,
    /// The median of `from`, milliseconds: what shares are of.
    pub from_median_ms: f64,
    /// The claim's band, in milliseconds saved; an open end is infinite.
    pub band_ms: Band,
}

/// The claim's band; open ends are `None`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Band {
    pub low: Option<f64>,
    pub high: Option<f64>,
}

impl Band {
    /// Both ends known?
    pub fn closed(self) -> Option<Interval> {
        Interval::new(self.low?, self.high?)
    }
}
