//! github-action-benchmark's input for its tool `customSmallerIsBetter`.
//!
//! The action compares `value` alone with the one before. `range` stands in brackets behind it in its
//! chart and its comments, and `extra`, which may have several lines, in the chart's tooltip.

use serde::Serialize;

use super::benchmark::{Benchmark, version};

#[derive(Serialize)]
struct Entry<'a> {
    name: &'a str,
    unit: &'static str,
    value: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<String>,
    extra: String,
}

/// The median of each benchmark, in milliseconds.
pub fn text(benchmarks: &[Benchmark]) -> String {
    let entries: Vec<Entry> = benchmarks.iter().filter_map(entry).collect();
    // These are strings and finite numbers, which always can be written.
    serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n"
}

fn entry<'a>(benchmark: &'a Benchmark) -> Option<Entry<'a>> {
    let median = benchmark.median_ms()?;
    Some(Entry {
        name: &benchmark.name,
        unit: "ms",
        value: thousandth(median.estimate),
        range: median.interval.map(|ends| {
            format!(
                "95 % interval {} to {}",
                thousandth(ends.low()),
                thousandth(ends.high())
            )
        }),
        extra: extra(benchmark),
    })
}

/// To a microsecond.
fn thousandth(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

fn extra(benchmark: &Benchmark) -> String {
    let header = &benchmark.record.header;
    let mut lines = vec![
        format!(
            "{}, median of {} launches",
            benchmark.metric,
            benchmark.samples.len()
        ),
        format!("app: {}", benchmark.record.suite.app.name),
    ];
    if let Some(interpreter) = benchmark.interpreter {
        lines.push(format!("interpreter: {}", version(interpreter)));
    }
    lines.push(format!("CPU: {}", header.host.cpu_model));
    lines.push(format!("coldsnake {}", header.coldsnake));
    lines.join("\n")
}
