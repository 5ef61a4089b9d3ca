//! Bencher Metric Format. Its built-in measure `latency` is in nanoseconds.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::benchmark::Benchmark;

#[derive(Serialize)]
struct Latency {
    value: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_value: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upper_value: Option<u64>,
}

/// The median of each benchmark, with its interval (95 %) where there are launches enough for one.
pub fn text(benchmarks: &[Benchmark]) -> String {
    let mut all = Map::new();
    for benchmark in benchmarks {
        let Some(median) = benchmark.median_ms() else {
            continue;
        };
        let latency = Latency {
            value: nanoseconds(median.estimate),
            lower_value: median.interval.map(|ends| nanoseconds(ends.low())),
            upper_value: median.interval.map(|ends| nanoseconds(ends.high())),
        };
        all.insert(benchmark.name.clone(), json!({ "latency": latency }));
    }
    format!("{:#}\n", Value::Object(all))
}

/// Whole ones, as launches are timed.
fn nanoseconds(ms: f64) -> u64 {
    (ms * 1e6).round() as u64
}
