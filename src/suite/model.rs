//! The validated suite: what the rest of the program works with.
//!
//! A value of these types is consistent: names are unique, every scenario that a claim or the
//! baseline names exists, and a metric that a claim uses is one that gets measured.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::cpu::CpuQuota;
use super::flags::{Flags, Optimization};
use super::pattern::Pattern;
use super::quantity::{Fraction, Margin};

/// An app, the scenarios it is launched under, and the claims to decide.
#[derive(Debug, Clone)]
pub struct Suite {
    pub app: App,
    pub measure: Measure,
    pub scenarios: Vec<Scenario>,
    pub claims: Vec<Claim>,
}

impl Suite {
    /// The scenario of that name.
    pub fn scenario(&self, name: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|s| s.name == name)
    }

    /// The kinds of launches that the metrics need, in a fixed order.
    pub fn launch_kinds(&self) -> Vec<LaunchKind> {
        let metrics = self.measure.metrics.iter();
        let mut kinds: Vec<_> = metrics.map(|metric| metric.launch_kind()).collect();
        kinds.sort();
        kinds.dedup();
        kinds
    }

    /// The baseline, then the scenarios that differ from it in nothing but the interpreter: one
    /// for each other interpreter that has such a scenario.
    pub fn baselines(&self) -> Vec<&Scenario> {
        let mut found: Vec<&Scenario> = self.scenario(&self.measure.baseline).into_iter().collect();
        let Some(&baseline) = found.first() else {
            return found;
        };
        for scenario in &self.scenarios {
            let is_known = found.iter().any(|known| known.python == scenario.python);
            if !is_known && scenario.differs_at_most_by_interpreter(baseline) {
                found.push(scenario);
            }
        }
        found
    }

    /// The scenario that this one is compared with: of another revision than the baseline's, the
    /// one like it at the baseline's revision; else the baseline of its own interpreter. The
    /// baselines of other interpreters, and scenarios of an interpreter without one, are compared
    /// with the baseline, which itself is compared with none.
    pub fn reference(&self, scenario: &str) -> Option<&str> {
        let baseline = &self.measure.baseline;
        let scenario = self.scenario(scenario)?;
        if scenario.name == *baseline {
            return None;
        }
        if let Some(counterpart) = self.counterpart(scenario) {
            return Some(counterpart.name.as_str());
        }
        let baselines = self.baselines();
        let own = baselines.iter().find(|each| each.python == scenario.python);
        own.filter(|own| own.name != scenario.name)
            .map(|own| own.name.as_str())
            .or(Some(baseline))
    }

    /// The scenario of that name, and those that differ from it in nothing but the interpreter.
    pub fn across_interpreters(&self, name: &str) -> Vec<&Scenario> {
        let Some(named) = self.scenario(name) else {
            return Vec::new();
        };
        let all = self.scenarios.iter();
        all.filter(|each| each.name == name || each.differs_at_most_by_interpreter(named))
            .collect()
    }

    /// The scenario that differs from this one in nothing but that its source is that of the
    /// baseline's revision. None for one of that revision.
    pub fn counterpart(&self, scenario: &Scenario) -> Option<&Scenario> {
        let revision = &self.scenario(&self.measure.baseline)?.revision;
        let mut scenarios = self.scenarios.iter();
        scenarios
            .find(|each| each.revision == *revision && each.differs_by_revision_alone(scenario))
    }

    /// The revisions that scenarios name, each once.
    pub fn revisions(&self) -> Vec<&str> {
        let mut found: Vec<&str> = Vec::new();
        for name in self.scenarios.iter().filter_map(|s| s.revision.as_deref()) {
            if !found.contains(&name) {
                found.push(name);
            }
        }
        found
    }

    /// The pairs of scenarios that are compared, for each metric that is measured: every
    /// scenario with its [reference](Self::reference), then the pairs that only a claim names.
    pub fn contrasts(&self) -> Vec<ContrastSpec> {
        let mut all = Vec::new();
        for &metric in &self.measure.metrics {
            for scenario in &self.scenarios {
                if let Some(reference) = self.reference(&scenario.name) {
                    all.push(ContrastSpec {
                        from: reference.to_owned(),
                        to: scenario.name.clone(),
                        metric,
                    });
                }
            }
        }
        for contrast in self.claimed_contrasts() {
            if !all.contains(contrast) {
                all.push(contrast.clone());
            }
        }
        all
    }

    /// The contrasts that claims are about, in the order of the claims.
    pub fn claimed_contrasts(&self) -> impl Iterator<Item = &ContrastSpec> {
        self.claims
            .iter()
            .filter_map(|claim| match &claim.expectation {
                Expectation::Contrast { contrast, .. } => Some(contrast),
                Expectation::Receipt { .. } => None,
            })
    }
}

/// The Python program under test.
#[derive(Debug, Clone)]
pub struct App {
    /// Its name, for people and for the cache folder of its virtual environment.
    pub name: String,
    /// The folders that hold its own modules; never written to. None, if it is all installed.
    pub sources: Vec<PathBuf>,
    /// Its working directory, if that is not the first of the sources.
    pub directory: Option<PathBuf>,
    /// Its interpreter, if the suite names one.
    pub python: Option<PathBuf>,
    /// Its pinned requirements; without them the interpreter is used as it is.
    pub requirements: Option<PathBuf>,
    /// The command, with placeholders.
    pub command: Vec<String>,
    /// The module whose import the metric `import` times.
    pub module: Option<String>,
    /// When it counts as started.
    pub ready: Readiness,
    /// How long one launch may take.
    pub timeout: Duration,
    /// What is added to the child's environment.
    pub env: BTreeMap<String, String>,
}

/// When an app counts as started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Readiness {
    /// It runs to its end, with exit status 0.
    Exit,
    /// It answers an HTTP request with the expected status.
    Http {
        path: String,
        status: u16,
        port: Port,
    },
    /// It accepts a connection.
    Tcp { port: Port },
    /// It writes a line to standard output that fits.
    Stdout { line: Pattern },
    /// It sends `READY=1` to `NOTIFY_SOCKET` (sd_notify(3)).
    Notify,
}

/// Where a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Port {
    /// A free one is picked for each launch and given by the placeholder `{port}`.
    Picked,
    /// The app listens there whatever it is told.
    Fixed(u16),
}

/// `[measure]`, with its defaults filled in.
#[derive(Debug, Clone)]
pub struct Measure {
    pub baseline: String,
    pub metrics: Vec<Metric>,
    /// How long the blocks may take together.
    pub budget: Duration,
    /// What ends the run before its budget does.
    pub until: Goal,
    /// Half-width of each contrast's ratio that is narrow enough.
    pub precision: Fraction,
    /// Not before this many blocks does `until` end the run, nor does a scenario sit out.
    pub min_blocks: u32,
    /// After this many blocks the run stops in any case.
    pub max_blocks: u32,
    /// What is counted in launches of its own, after the timed ones.
    pub counter: Option<Counter>,
}

/// What can be counted in a few extra launches, and repeats where times do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// Instructions in user mode.
    Instructions,
}

impl Counter {
    /// The word used in suites.
    pub fn name(self) -> &'static str {
        match self {
            Self::Instructions => "instructions",
        }
    }
}

/// What a run goes on for, within its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Each contrast's interval is as narrow as asked.
    Precise,
    /// Each claim is supported or refuted; where a suite has none, each contrast is known to be an
    /// effect, or to be none within the precision.
    Decided,
}

impl Goal {
    /// As suites and the command line have it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Precise => "precise",
            Self::Decided => "decided",
        }
    }
}

/// What is read off a launch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Metric {
    /// Spawn to first good response, or another sign of readiness.
    Ready,
    /// Spawn to exit.
    Exit,
    /// Around the import statement, inside the process.
    Import,
}

impl Metric {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 3] = [Self::Ready, Self::Exit, Self::Import];

    /// The word used in suites, records and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Exit => "exit",
            Self::Import => "import",
        }
    }

    /// The metric of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|metric| metric.name() == name)
    }

    /// The kind of launch that yields this metric.
    pub fn launch_kind(self) -> LaunchKind {
        match self {
            Self::Ready | Self::Exit => LaunchKind::App,
            Self::Import => LaunchKind::Import,
        }
    }
}

impl std::fmt::Display for Metric {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What a launch executes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LaunchKind {
    /// The app's command.
    App,
    /// `python -c` with one import statement between two readings of the clock.
    Import,
}

impl LaunchKind {
    /// The word used in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::Import => "import",
        }
    }

    /// The kind of launch of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::App, Self::Import]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

/// A named set of controlled conditions.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    /// One sentence for people.
    pub about: Option<String>,
    /// The interpreter, by path or by a name on PATH; `None` is the run's.
    pub python: Option<PathBuf>,
    /// The revision of the app's source, as git takes it; `None` is the working tree as it is.
    pub revision: Option<String>,
    pub source: SourceAccess,
    /// Of the app's own modules.
    pub source_on: Medium,
    pub bytecode: Bytecode,
    /// Of the packages that are installed for the app.
    pub site_packages: Bytecode,
    /// Of the standard library.
    pub stdlib: Bytecode,
    pub prefix: Prefix,
    pub prefix_on: Medium,
    /// What `PYTHONDONTWRITEBYTECODE` says.
    pub write: WriteBytecode,
    pub page_cache: PageCache,
    /// How much CPU time the app gets; all there is, without one.
    pub cpu: Option<CpuQuota>,
    /// What stands between the interpreter and the app.
    pub flags: Flags,
    pub env: BTreeMap<String, String>,
}

impl Scenario {
    /// May the interpreter write pycs, after all that is said about it?
    pub fn writing(&self) -> WriteBytecode {
        match (self.write, self.flags.write()) {
            (WriteBytecode::Allowed, WriteBytecode::Allowed) => WriteBytecode::Allowed,
            _ => WriteBytecode::Forbidden,
        }
    }

    /// Are these the same conditions, but perhaps for the interpreter?
    pub fn differs_at_most_by_interpreter(&self, other: &Self) -> bool {
        fn conditions(scenario: &Scenario) -> impl PartialEq {
            let Scenario {
                name: _,
                about: _,
                python: _,
                revision,
                source,
                source_on,
                bytecode,
                site_packages,
                stdlib,
                prefix,
                prefix_on,
                write,
                page_cache,
                cpu,
                flags,
                env,
            } = scenario;
            (
                (revision.clone(), *source, *source_on),
                [bytecode.clone(), site_packages.clone(), stdlib.clone()],
                (*prefix, *prefix_on),
                (*write, *page_cache, *cpu),
                flags.clone(),
                env.clone(),
            )
        }
        conditions(self) == conditions(other)
    }

    /// Are these the same conditions, of two states of the app's source?
    pub fn differs_by_revision_alone(&self, other: &Self) -> bool {
        let at_ours = Self {
            revision: self.revision.clone(),
            ..other.clone()
        };
        self.revision != other.revision
            && self.python == other.python
            && self.differs_at_most_by_interpreter(&at_ours)
    }

    /// The level of optimisation of the bytecode that the interpreter looks for.
    pub fn optimization(&self) -> Optimization {
        self.flags.optimization()
    }
}

/// May the launched process write below the app's source folders?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceAccess {
    Writable,
    /// By whatever can be had: a mount, modes, or both.
    ReadOnly,
    /// By owner and modes: writing fails with EACCES.
    ReadOnlyModes,
    /// By a mount: writing fails with EROFS, whoever owns the files.
    ReadOnlyMount,
}

impl SourceAccess {
    /// Is it one of those that forbid writing?
    pub fn is_read_only(self) -> bool {
        self != Self::Writable
    }
}

/// The state of a tree's bytecode before each launch: of the app's own modules, of those in
/// site-packages, or of the standard library's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bytecode {
    /// Every module has a pyc that CPython accepts.
    Fresh,
    /// What is there is left as it is, and so is what isn't.
    AsFound,
    /// No module has one.
    Absent,
    /// Every module has one whose recorded source time is not the source's.
    StaleMtime,
    /// Every module has one that records the source's time, and another size.
    StaleSize,
    /// Hash-based, never checked (PEP 552).
    UncheckedHash,
    /// Hash-based, checked at each import (PEP 552).
    CheckedHash,
    /// Every module has one of the level of `-O`, and of no other.
    OtherOptimization,
    /// Every module is a pyc in the place of its source, which is gone.
    Sourceless,
    /// Every module has an empty file for a pyc.
    EmptyPyc,
    /// Every module has one of another interpreter under this one's name.
    WrongMagic,
    /// Every module has one with a good header and a body that breaks off.
    Corrupt,
    /// What this command leaves behind, run once as the owner of the source.
    By(Vec<String>),
    /// Exactly these modules have one that CPython accepts: dotted names, sorted, from the source
    /// folder on, or from that of what is installed.
    Only(Vec<String>),
}

/// The file of a module below a folder of modules, if it is there: `shop/models.py` or
/// `shop/models/__init__.py` for `shop.models`.
pub fn module_file(folder: &Path, module: &str) -> Option<PathBuf> {
    let path = folder.join(module.split('.').collect::<PathBuf>());
    let package = path.join("__init__.py");
    // Not `with_extension`, which knows nothing of names without one. A package wins, as it does
    // for the interpreter.
    let mut file = path.into_os_string();
    file.push(".py");
    [package, file.into()]
        .into_iter()
        .find(|file| file.is_file())
}

/// `PYTHONPYCACHEPREFIX` (bpo-33499, Python 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Unset,
    /// An empty folder at each launch: the first start.
    Empty,
    /// Filled by an untimed launch: every later start.
    Warm,
    /// A folder that cannot be written.
    Unwritable,
}

/// Where a folder of a stage lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// In the temporary folder, on whatever file system that is.
    Stage,
    /// The same, and it must not be a tmpfs.
    Disk,
    Tmpfs,
}

/// Which of the app's files are in memory when it is launched?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageCache {
    /// Those that the launch before left there: as a rule, all.
    Kept,
    /// None of those that it opens.
    Cold,
    /// Nothing of the whole machine's.
    Dropped,
}

/// Does the interpreter write pycs (`PYTHONDONTWRITEBYTECODE`)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteBytecode {
    #[default]
    Allowed,
    Forbidden,
}

/// Two scenarios and the metric in which they are compared.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ContrastSpec {
    pub from: String,
    pub to: String,
    pub metric: Metric,
}

impl ContrastSpec {
    /// Is the other one about the same two scenarios, in whichever direction?
    pub fn is_between(&self, other: &Self) -> bool {
        let same = self.from == other.from && self.to == other.to;
        let mirrored = self.from == other.to && self.to == other.from;
        self.metric == other.metric && (same || mirrored)
    }
}

/// A statement to be decided.
#[derive(Debug, Clone)]
pub struct Claim {
    pub id: String,
    /// The words of whoever claims it.
    pub text: String,
    pub expectation: Expectation,
}

/// What must be seen for a claim to be supported.
#[derive(Debug, Clone)]
pub enum Expectation {
    /// A paired effect inside bounds.
    Contrast {
        contrast: ContrastSpec,
        effect: Effect,
    },
    /// What a scenario's receipt must show.
    Receipt {
        scenario: String,
        evidence: Evidence,
    },
}

/// Bounds for an effect. A saving is positive when `to` is faster than `from`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// It saves this much, give or take the margin.
    SavesAbout {
        value: Duration,
        margin: Margin,
    },
    /// It costs this much, give or take the margin.
    CostsAbout {
        value: Duration,
        margin: Margin,
    },
    SavesBetween {
        low: Duration,
        high: Duration,
    },
    SavesAtLeast(Duration),
    SavesAtMost(Duration),
    CostsAtMost(Duration),
    /// It does not cost this share of the median of `from`, or more.
    MaxRegression(Fraction),
    /// No effect worth the name: the margin around zero (relative to the median of `from`).
    None {
        margin: Margin,
    },
}

/// Counts and names in a receipt. All that are given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Exactly these modules of the app are read from a pyc.
    pub cached: Option<Vec<String>>,
    /// Modules of the app that are compiled at each launch.
    pub app_compiled: Option<Count>,
    /// Modules, of whatever origin, that are compiled at each launch.
    pub compiled: Option<Count>,
    /// Pycs written by a launch.
    pub written: Option<Count>,
    /// Pycs below the prefix after a launch.
    pub prefix_pycs: Option<Count>,
    /// Folders named `__pycache__` below the prefix after a launch.
    pub prefix_pycache_folders: Option<Count>,
    /// What the median module takes to compile: CPU time, both ends included.
    pub compile_time: Option<(Duration, Duration)>,
    /// Modules compiled by a second `import` of the app's module in the same process.
    pub second_import_compiled: Option<Count>,
    /// Files opened by it.
    pub second_import_opened: Option<Count>,
    /// Pycs of each module of the app in one tree, after all interpreters of the run.
    pub pycs_per_module: Option<Count>,
}

/// Bounds for a count; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    pub at_least: u64,
    pub at_most: u64,
}

impl Count {
    /// Does the number lie within the bounds?
    pub fn contains(self, number: u64) -> bool {
        (self.at_least..=self.at_most).contains(&number)
    }
}

impl std::fmt::Display for Count {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.at_least, self.at_most) {
            (low, high) if low == high => write!(formatter, "{low}"),
            (low, u64::MAX) => write!(formatter, "at least {low}"),
            (0, high) => write!(formatter, "at most {high}"),
            (low, high) => write!(formatter, "{low} to {high}"),
        }
    }
}
