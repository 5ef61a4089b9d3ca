//! hyperfine's JSON as its versions 1.x write it, and as many programs read it. Times are in seconds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::benchmark::{Benchmark, Sample, version};
use crate::stats::describe::Summary;
use crate::suite::Metric;

#[derive(Serialize)]
struct Results<'a> {
    results: Vec<Outcome<'a>>,
}

/// The order of the fields is hyperfine's.
#[derive(Serialize)]
struct Outcome<'a> {
    command: &'a str,
    mean: f64,
    /// `null` with one time only.
    stddev: Option<f64>,
    median: f64,
    /// Means of the CPU time.
    user: f64,
    system: f64,
    min: f64,
    max: f64,
    times: Vec<f64>,
    memory_usage_byte: Vec<u64>,
    /// `null` if a signal ended the process.
    exit_codes: Vec<Option<i32>>,
    parameters: BTreeMap<&'static str, String>,
}

/// All benchmarks that have a time.
pub fn text(benchmarks: &[Benchmark]) -> String {
    let results = Results {
        results: benchmarks.iter().filter_map(outcome).collect(),
    };
    // These are strings and finite numbers, which always can be written.
    serde_json::to_string_pretty(&results).unwrap_or_default() + "\n"
}

fn outcome<'a>(benchmark: &'a Benchmark) -> Option<Outcome<'a>> {
    let samples = &benchmark.samples;
    let times: Vec<f64> = samples
        .iter()
        .map(|sample| sample.time.as_secs_f64())
        .collect();
    let summary = Summary::of(&times)?;
    let mean = |seconds: fn(&Sample) -> f64| {
        samples.iter().map(seconds).sum::<f64>() / samples.len() as f64
    };
    Some(Outcome {
        command: &benchmark.name,
        mean: summary.mean,
        stddev: summary.sd,
        median: summary.median,
        user: mean(|sample| sample.launch.usage.user.as_secs_f64()),
        system: mean(|sample| sample.launch.usage.system.as_secs_f64()),
        min: summary.min,
        max: summary.max,
        memory_usage_byte: samples
            .iter()
            .map(|sample| sample.launch.usage.peak_memory_kib.saturating_mul(1024))
            .collect(),
        exit_codes: vec![exit_code(benchmark.metric); samples.len()],
        parameters: parameters(benchmark),
        times,
    })
}

/// A launch that did not fail ended by itself with status 0, or, as a server, was ended by a signal.
pub(super) fn exit_code(metric: Metric) -> Option<i32> {
    match metric {
        Metric::Exit | Metric::Import => Some(0),
        Metric::Ready => None,
    }
}

/// What sets the benchmarks apart, and has no other place.
pub(super) fn parameters(benchmark: &Benchmark) -> BTreeMap<&'static str, String> {
    let mut parameters = BTreeMap::from([
        ("app", benchmark.record.suite.app.name.clone()),
        ("metric", benchmark.metric.name().to_owned()),
        ("scenario", benchmark.scenario.name.clone()),
    ]);
    if let Some(interpreter) = benchmark.interpreter {
        parameters.insert("python", version(interpreter));
    }
    parameters
}
