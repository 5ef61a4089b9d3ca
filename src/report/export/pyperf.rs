//! pyperf's JSON, version 1.0: a run for each launch, with one value, in seconds.
//!
//! pyperf checks what it reads: values are above zero; metadata are numbers or strings, the strings
//! neither empty nor of several lines; some names have a type of their own (`cpu_count` is free, but
//! `command_max_rss` is a whole number of bytes, `duration` a number of seconds). Runs of one benchmark
//! must agree in the interpreter and the machine, which those of one scenario do.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use super::benchmark::{Benchmark, Sample};
use crate::record::Record;

/// What pyperf reads since its version 1.0.
const VERSION: &str = "1.0";

#[derive(Serialize)]
struct Suite {
    version: &'static str,
    benchmarks: Vec<Measured>,
}

#[derive(Serialize)]
struct Measured {
    metadata: Map<String, Value>,
    runs: Vec<Run>,
}

#[derive(Serialize)]
struct Run {
    metadata: RunMetadata,
    values: [f64; 1],
}

#[derive(Serialize)]
struct RunMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<String>,
    /// Seconds, from spawn until the process was gone.
    duration: f64,
    /// Bytes.
    command_max_rss: u64,
}

/// All benchmarks, on one line, as pyperf writes them: there may be a hundred thousand runs.
pub fn text(benchmarks: &[Benchmark]) -> String {
    let suite = Suite {
        version: VERSION,
        benchmarks: benchmarks
            .iter()
            .map(|benchmark| Measured {
                metadata: metadata(benchmark),
                runs: benchmark
                    .samples
                    .iter()
                    .map(|sample| run(benchmark.record, sample))
                    .collect(),
            })
            .collect(),
    };
    // These are strings and finite numbers, which always can be written.
    serde_json::to_string(&suite).unwrap_or_default() + "\n"
}

fn run(record: &Record, sample: &Sample) -> Run {
    let launch = sample.launch;
    Run {
        metadata: RunMetadata {
            date: date(record, sample),
            duration: launch.times.wall.as_secs_f64(),
            command_max_rss: launch.usage.peak_memory_kib.saturating_mul(1024),
        },
        values: [sample.time.as_secs_f64()],
    }
}

/// When it was launched, in UTC; `None` if the record's start is no time.
fn date(record: &Record, sample: &Sample) -> Option<String> {
    let started: Timestamp = record.header.started.parse().ok()?;
    let at = SignedDuration::try_from(sample.launch.at).ok()?;
    let launched = started.checked_add(at).ok()?;
    Some(launched.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string())
}

fn metadata(benchmark: &Benchmark) -> Map<String, Value> {
    let record = benchmark.record;
    let header = &record.header;
    let mut all = Map::new();
    let mut text = |name: &str, value: &str| {
        let line = value.split_whitespace().collect::<Vec<_>>().join(" ");
        if !line.is_empty() {
            all.insert(name.to_owned(), line.into());
        }
    };
    text("name", &benchmark.name);
    text("unit", "second");
    text(
        "description",
        benchmark.scenario.about.as_deref().unwrap_or_default(),
    );
    text("command", &record.suite.app.command.join(" "));
    if let Some(interpreter) = benchmark.interpreter {
        text("python_implementation", &interpreter.implementation);
        text("python_version", &interpreter.version);
        text("python_executable", &interpreter.executable);
        text("python_cache_tag", &interpreter.cache_tag);
    }
    text("cpu_model_name", &header.host.cpu_model);
    text("platform", &format!("Linux-{}", header.host.kernel));
    if let Some(affinity) = &header.affinity {
        text("cpu_affinity", &affinity.children);
    }
    text("coldsnake_version", &header.coldsnake);
    text("coldsnake_app", &record.suite.app.name);
    text("coldsnake_scenario", &benchmark.scenario.name);
    text("coldsnake_metric", benchmark.metric.name());
    text("coldsnake_suite_sha256", &header.suite.sha256);
    all.insert("coldsnake_seed".to_owned(), header.seed.into());
    all.insert("cpu_count".to_owned(), header.host.all_cpus().into());
    if header.host.load_1min >= 0.0 {
        all.insert("load_avg_1min".to_owned(), header.host.load_1min.into());
    }
    all.insert("loops".to_owned(), 1.into());
    all
}
