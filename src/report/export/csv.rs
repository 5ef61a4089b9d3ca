//! CSV, tidy: one line a launch, each column one thing. RFC 4180, but for lines that end with a line
//! feed alone, as Unix tools want them.
//!
//! Columns are named as the record's fields, with the same units. What a launch has not is empty.

use std::time::Duration;

use super::Selection;
use super::benchmark::{time, version};
use crate::analysis::Analysis;
use crate::record::{Launch, Record, Role};
use crate::suite::{LaunchKind, Metric};

const COLUMNS: [&str; 20] = [
    "app",
    "started",
    "block",
    "position",
    "scenario",
    "twin",
    "interpreter",
    "launch",
    "metric",
    "time_ms",
    "at_ms",
    "wall_ms",
    "cpu_ready_ms",
    "user_ms",
    "system_ms",
    "peak_memory_kib",
    "steal_ms",
    "others_ms",
    "violations",
    "failure",
];

/// Every launch that is selected; failed ones and the twin's, too.
pub fn text(records: &[(Record, Analysis)], selection: &Selection) -> String {
    let mut text = COLUMNS.join(",") + "\n";
    for (record, _) in records {
        let interpreters: Vec<String> = record
            .suite
            .scenarios
            .iter()
            .map(|scenario| {
                record
                    .interpreter(scenario)
                    .map_or_else(String::new, version)
            })
            .collect();
        let scenarios = &record.suite.scenarios;
        let selected = record.launches.iter().filter(|launch| {
            let scenario = scenarios.get(launch.arm.scenario);
            let metric = metric_of(record, launch.kind);
            scenario.is_none_or(|scenario| selection.has_scenario(&scenario.name))
                && metric.is_none_or(|metric| selection.has_metric(metric))
        });
        for launch in selected {
            let interpreter = interpreters.get(launch.arm.scenario);
            let cells = cells(record, launch, interpreter.map_or("", String::as_str));
            text += &cells.map(|cell| quoted(&cell)).join(",");
            text.push('\n');
        }
    }
    text
}

fn cells(record: &Record, launch: &Launch, interpreter: &str) -> [String; COLUMNS.len()] {
    let scenario = record.suite.scenarios.get(launch.arm.scenario);
    let metric = metric_of(record, launch.kind);
    let usage = &launch.usage;
    [
        record.suite.app.name.clone(),
        record.header.started.clone(),
        launch.block.to_string(),
        launch.position.to_string(),
        scenario.map_or_else(String::new, |each| each.name.clone()),
        (launch.arm.role == Role::Twin).to_string(),
        interpreter.to_owned(),
        launch.kind.name().to_owned(),
        metric.map_or_else(String::new, |metric| metric.name().to_owned()),
        maybe(metric.and_then(|metric| time(launch, metric))),
        ms(launch.at),
        ms(launch.times.wall),
        maybe(usage.cpu_ready),
        ms(usage.user),
        ms(usage.system),
        usage.peak_memory_kib.to_string(),
        ms(usage.steal),
        maybe(usage.others),
        launch.violations.join("; "),
        launch.failure.clone().unwrap_or_default(),
    ]
}

/// What launches of a kind are made for: a suite has one metric for each.
fn metric_of(record: &Record, kind: LaunchKind) -> Option<Metric> {
    let mut metrics = record.suite.measure.metrics.iter();
    metrics.find(|metric| metric.launch_kind() == kind).copied()
}

fn ms(duration: Duration) -> String {
    (duration.as_nanos() as f64 / 1e6).to_string()
}

fn maybe(duration: Option<Duration>) -> String {
    duration.map_or_else(String::new, ms)
}

/// A cell in quotation marks, if it needs them.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}
