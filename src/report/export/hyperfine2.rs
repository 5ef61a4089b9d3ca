//! hyperfine's JSON since its version 2.0, which it calls schema version 2: a list of measurements, and
//! a summary for each metric. Times are in seconds, memory in bytes.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::benchmark::{Benchmark, Sample};
use super::hyperfine::{exit_code, parameters};
use crate::stats::describe;

const SCHEMA_VERSION: u32 = 2;
/// What hyperfine calls the time that it shows.
const TIME: &str = "time_wall_clock";

#[derive(Serialize)]
struct File<'a> {
    schema_version: u32,
    metadata: Metadata<'a>,
    primary_metric: &'static str,
    results: Vec<Outcome<'a>>,
}

/// Without `hyperfine_version`: it was not hyperfine that measured.
#[derive(Serialize)]
struct Metadata<'a> {
    coldsnake_version: &'a str,
    start_time: &'a str,
    platform: Value,
}

#[derive(Serialize)]
struct Outcome<'a> {
    command: String,
    name: &'a str,
    measurements: Vec<Value>,
    parameters: BTreeMap<&'static str, Value>,
    summary: Map<String, Value>,
}

/// A metric as hyperfine names it, its unit, and what it is of a launch.
type Quantity = (&'static str, &'static str, fn(&Sample) -> f64);

const QUANTITIES: [Quantity; 5] = [
    (TIME, "second", |sample| sample.time.as_secs_f64()),
    ("time_cpu", "second", |sample| {
        let usage = &sample.launch.usage;
        (usage.user + usage.system).as_secs_f64()
    }),
    ("time_user", "second", |sample| {
        sample.launch.usage.user.as_secs_f64()
    }),
    ("time_system", "second", |sample| {
        sample.launch.usage.system.as_secs_f64()
    }),
    ("memory_peak_resident", "byte", |sample| {
        sample.launch.usage.peak_memory_kib as f64 * 1024.0
    }),
];

/// All benchmarks.
pub fn text(benchmarks: &[Benchmark]) -> String {
    // Of several records, each result says by its parameters what it is; the file has one start.
    let Some(header) = benchmarks.first().map(|first| &first.record.header) else {
        return String::new();
    };
    let file = File {
        schema_version: SCHEMA_VERSION,
        metadata: Metadata {
            coldsnake_version: &header.coldsnake,
            start_time: &header.started,
            platform: json!({ "os": "Linux" }),
        },
        primary_metric: TIME,
        results: benchmarks.iter().map(outcome).collect(),
    };
    // These are strings and finite numbers, which always can be written.
    serde_json::to_string_pretty(&file).unwrap_or_default() + "\n"
}

fn outcome<'a>(benchmark: &'a Benchmark) -> Outcome<'a> {
    let samples = &benchmark.samples;
    let parameters = parameters(benchmark).into_iter();
    Outcome {
        command: benchmark.record.suite.app.command.join(" "),
        name: &benchmark.name,
        measurements: samples
            .iter()
            .map(|sample| measurement(sample, exit_code(benchmark.metric)))
            .collect(),
        parameters: parameters
            .map(|(name, value)| (name, json!({ "value": value })))
            .collect(),
        summary: QUANTITIES
            .iter()
            .filter_map(|(name, unit, of)| {
                let values: Vec<f64> = samples.iter().map(of).collect();
                let summary = describe::Summary::of(&values)?;
                let statistics = json!({
                    "unit": unit,
                    "count": summary.n,
                    "mean": summary.mean,
                    "stddev": summary.sd,
                    "median": summary.median,
                    "min": summary.min,
                    "max": summary.max,
                });
                Some(((*name).to_owned(), statistics))
            })
            .collect(),
    }
}

fn measurement(sample: &Sample, exit_code: Option<i32>) -> Value {
    let mut measured = Map::new();
    for (name, unit, of) in QUANTITIES {
        measured.insert(
            name.to_owned(),
            json!({ "value": of(sample), "unit": unit }),
        );
    }
    measured.insert("exit_code".to_owned(), exit_code.into());
    Value::Object(measured)
}
