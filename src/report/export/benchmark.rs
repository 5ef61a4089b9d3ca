//! What other programs call a benchmark: one scenario's launches by one metric.

use std::time::Duration;

use crate::record::format::Interpreter;
use crate::record::{Launch, Record, Role};
use crate::stats::interval::{Estimate, Level};
use crate::stats::median;
use crate::suite::{Metric, Scenario};

/// A scenario's launches that gave the metric. The twin's are not among them: it is there to show how
/// much two samples of the same differ, and a second benchmark of the baseline would be taken for one.
#[derive(Debug, Clone)]
pub struct Benchmark<'a> {
    /// The scenario's name, which is unique in its suite; of several records, with the app's before it.
    pub name: String,
    pub record: &'a Record,
    pub scenario: &'a Scenario,
    pub metric: Metric,
    /// `None` if the record does not tell.
    pub interpreter: Option<&'a Interpreter>,
    /// In the order in which they were launched.
    pub samples: Vec<Sample<'a>>,
    /// Launches that gave no time.
    pub failed: usize,
}

/// A launch, and its time.
#[derive(Debug, Clone, Copy)]
pub struct Sample<'a> {
    pub launch: &'a Launch,
    /// Above zero.
    pub time: Duration,
}

/// A benchmark for each scenario, in the suite's order, with or without samples.
pub fn benchmarks(record: &Record, metric: Metric, with_app: bool) -> Vec<Benchmark<'_>> {
    let suite = &record.suite;
    let mut all: Vec<Benchmark> = suite
        .scenarios
        .iter()
        .map(|scenario| Benchmark {
            name: match with_app {
                true => format!("{}/{}", suite.app.name, scenario.name),
                false => scenario.name.clone(),
            },
            record,
            scenario,
            metric,
            interpreter: record.interpreter(scenario),
            samples: Vec::new(),
            failed: 0,
        })
        .collect();
    for launch in &record.launches {
        let of_metric = launch.kind == metric.launch_kind() && launch.arm.role == Role::Itself;
        let Some(benchmark) = all.get_mut(launch.arm.scenario).filter(|_| of_metric) else {
            continue;
        };
        match time(launch, metric) {
            Some(time) => benchmark.samples.push(Sample { launch, time }),
            None => benchmark.failed += 1,
        }
    }
    all
}

/// The metric, if the launch gave it. A failed launch gives none, and nothing starts in no time.
pub fn time(launch: &Launch, metric: Metric) -> Option<Duration> {
    match launch.failure {
        Some(_) => None,
        None => launch.times.metric(metric).filter(|time| !time.is_zero()),
    }
}

/// "cpython 3.11.7"
pub fn version(interpreter: &Interpreter) -> String {
    format!("{} {}", interpreter.implementation, interpreter.version)
}

impl Benchmark<'_> {
    /// The times in milliseconds, in the order of the launches.
    pub fn times_ms(&self) -> Vec<f64> {
        let times = self.samples.iter();
        times
            .map(|sample| sample.time.as_nanos() as f64 / 1e6)
            .collect()
    }

    /// The median with its interval (95 %), milliseconds.
    pub fn median_ms(&self) -> Option<Estimate> {
        median::estimate(&self.times_ms(), Level::P95)
    }

    /// What is to be said of launches without a time.
    pub fn without_time(&self) -> Option<String> {
        let launches = self.failed + self.samples.len();
        match (self.failed, launches) {
            (0, 0) => Some(format!(
                "{} was not launched for {}, and is left out",
                self.name, self.metric
            )),
            (0, _) => None,
            (failed, _) if failed == launches => Some(format!(
                "{} is left out: all of its {launches} launches failed, and have no time",
                self.name
            )),
            (failed, _) => Some(format!(
                "{}: {failed} of {launches} launches failed, and are left out, as they have no time",
                self.name
            )),
        }
    }
}
