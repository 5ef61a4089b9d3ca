//! Each scenario by itself: how often it was launched, and its times, shown beside the contrasts.

use super::blocks::{Blocks, ms};
use super::model::{MetricSummary, ReceiptSummary, ScenarioSummary};
use super::receipts;
use super::warnings::launches_of;
use crate::record::{Arm, Record};
use crate::stats::describe::{median, quantile_of_sorted};
use crate::suite::Metric;

/// One summary a scenario, in the suite's order. The twin's launches are not the baseline's.
pub fn summaries(record: &Record, blocks: &Blocks) -> Vec<ScenarioSummary> {
    let scenarios = record.suite.scenarios.iter();
    let metrics = &record.suite.measure.metrics;
    scenarios
        .filter_map(|scenario| {
            let arm = blocks.arm(&scenario.name)?;
            let (launches, failures) = launches_of(blocks, arm);
            Some(ScenarioSummary {
                name: scenario.name.clone(),
                about: scenario.about.clone(),
                launches,
                failures,
                metrics: metrics
                    .iter()
                    .filter_map(|&metric| {
                        let kind = metric.launch_kind();
                        let receipt = receipts::summary_of(record, &scenario.name, kind);
                        metric_summary(blocks, arm, metric, &receipt)
                    })
                    .collect(),
                receipt: receipts::summary(record, &scenario.name),
            })
        })
        .collect()
}

/// Over all launches that gave the metric; `None` when none did.
fn metric_summary(
    blocks: &Blocks,
    arm: Arm,
    metric: Metric,
    receipt: &ReceiptSummary,
) -> Option<MetricSummary> {
    let (mut times, mut cpu, mut memory) = (Vec::new(), Vec::new(), Vec::new());
    for (launch, time) in blocks.measured(arm, metric) {
        times.push(time);
        cpu.push(ms(launch.usage.cpu()));
        memory.push(launch.usage.peak_memory_kib as f64 / 1024.0);
    }
    let mean_ms = times.iter().sum::<f64>() / times.len() as f64;
    times.sort_by(f64::total_cmp);
    Some(MetricSummary {
        metric,
        median_ms: quantile_of_sorted(&times, 0.5)?,
        mean_ms,
        p10_ms: quantile_of_sorted(&times, 0.1)?,
        p90_ms: quantile_of_sorted(&times, 0.9)?,
        cpu_median_ms: median(&cpu)?,
        memory_median_mib: median(&memory)?,
        launches: times.len() as u32,
        compiled: receipt.compiled.total(),
        written: receipt.written.total(),
    })
}
