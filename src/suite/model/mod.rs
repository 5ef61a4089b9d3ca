//! The validated suite: what the rest of the program works with. Here the suite, its app and what is
//! measured of it; scenarios and claims have files of their own.
//!
//! A value of these types is consistent: names are unique, every scenario that a claim or the
//! baseline names exists, and a metric that a claim uses is one that gets measured.

mod claim;
mod scenario;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

pub use self::claim::*;
pub use self::scenario::*;
use super::pattern::Pattern;
use super::quantity::Fraction;

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
