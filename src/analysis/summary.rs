//! `summary.json`: what scripts may rely on.
//!
//! Keys keep their names and their order within a format version; new ones may be added. An
//! interval that doesn't exist has `null` for its ends. Times are rounded to the nanosecond and
//! ratios to a millionth, so that 80 does not come out as 80.00000000000001.
//!
//! # History
//! - **1** (0.1.0): the first.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::compare::{Comparison, Difference};
use super::model::*;
use super::verdicts;
use crate::record::format::{Host, Interpreter, StopReason};
use crate::stats::interval::Estimate;

/// The version of `summary.json` that this build writes.
pub const SUMMARY_VERSION: u32 = 1;

impl Analysis {
    /// The text of `summary.json`. The same analysis gives the same bytes.
    pub fn to_summary_json(&self) -> String {
        let summary = Summary::of(self);
        // Serialising fails only for maps whose keys are no strings and for types that refuse;
        // there is neither here. An empty object would still be JSON.
        let mut text = serde_json::to_string_pretty(&summary).unwrap_or_else(|_| "{}".to_owned());
        text.push('\n');
        text
    }
}

impl Comparison {
    /// The comparison for scripts, its contrasts in the form that they have in `summary.json`.
    pub fn to_json(&self) -> String {
        let json = json!({
            "format_version": SUMMARY_VERSION,
            "contrasts": self.contrasts.iter().map(contrast).collect::<Vec<_>>(),
            "differences": self.differences.iter().map(Difference::json).collect::<Vec<_>>(),
            "notes": self.notes,
        });
        format!("{json:#}\n")
    }
}

impl Difference {
    pub(super) fn json(&self) -> Value {
        json!({ "what": self.what, "first": self.first, "second": self.second })
    }
}

/// An estimate in the form that it has in `summary.json`.
pub(super) fn estimate_json(estimate: &Estimate) -> Value {
    json!(SummaryEstimate::from(estimate))
}

#[derive(Serialize)]
struct Summary<'a> {
    format_version: u32,
    suite: &'a str,
    app: &'a str,
    seed: u64,
    blocks: u32,
    /// `null` when the record breaks off.
    stop_reason: Option<StopReason>,
    host: &'a Host,
    interpreters: &'a [Interpreter],
    scenarios: Vec<SummaryScenario<'a>>,
    noise_floor: Vec<SummaryContrast<'a>>,
    contrasts: Vec<SummaryContrast<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    counters: Option<SummaryCounters<'a>>,
    break_even: Vec<SummaryBreakEven<'a>>,
    claims: Vec<SummaryClaim<'a>>,
    valid: bool,
    invalid_because: &'a [String],
    warnings: &'a [String],
    findings: &'a [String],
    disturbance: SummaryDisturbance,
    order: Vec<SummaryOrder>,
}

#[derive(Serialize)]
struct SummaryScenario<'a> {
    name: &'a str,
    launches: u32,
    failures: u32,
    /// By name, in the suite's order.
    metrics: Map<String, Value>,
    receipt: SummaryReceipt<'a>,
}

#[derive(Serialize)]
struct SummaryReceipt<'a> {
    pycs_read: u64,
    compiled: u64,
    pycs_written: u64,
    writes_failed: u64,
    violations: &'a [String],
}

#[derive(Serialize)]
struct SummaryContrast<'a> {
    baseline: &'a str,
    scenario: &'a str,
    metric: &'static str,
    blocks: u32,
    shift_ms: SummaryEstimate,
    ratio: SummaryEstimate,
    p_value: f64,
    paired: bool,
    cpu_shift_ms: Option<SummaryEstimate>,
}

#[derive(Serialize)]
struct SummaryCounters<'a> {
    counted: &'a [String],
    refused: &'a BTreeMap<String, String>,
    instructions_by: Option<&'a str>,
    repeatable: Option<bool>,
    instructions: Vec<SummaryInstructions<'a>>,
    contrasts: Vec<SummaryCountContrast<'a>>,
    launches: Vec<SummaryLaunchCounts<'a>>,
}

#[derive(Serialize)]
struct SummaryInstructions<'a> {
    scenario: &'a str,
    launch: &'static str,
    launches: u32,
    median: f64,
    least: f64,
    greatest: f64,
    spread: Option<f64>,
    repeatable: Option<bool>,
}

#[derive(Serialize)]
struct SummaryCountContrast<'a> {
    baseline: &'a str,
    scenario: &'a str,
    launch: &'static str,
    ratio: f64,
    least: f64,
    greatest: f64,
}

#[derive(Serialize)]
struct SummaryLaunchCounts<'a> {
    scenario: &'a str,
    launch: &'static str,
    instructions_median: Option<f64>,
    cycles_median: Option<f64>,
    page_faults_median: Option<f64>,
}

#[derive(Serialize)]
struct SummaryBreakEven<'a> {
    scenario: &'a str,
    first_start_cost_ms: SummaryEstimate,
    saved_per_start_ms: SummaryEstimate,
    /// Counted with the first start. 1 when it pays at once, `null` when it never does or it is
    /// not known; a high end of `null` is infinite.
    starts: Option<SummaryEstimate>,
    pays: &'static str,
    from: &'a str,
    first: &'a str,
}

#[derive(Serialize)]
struct SummaryClaim<'a> {
    id: &'a str,
    text: &'a str,
    expected: &'a str,
    measured: &'a str,
    verdict: &'static str,
    reason: &'a str,
    cpu_measured: Option<&'a str>,
}

#[derive(Serialize)]
struct SummaryDisturbance {
    launches: u64,
    disturbed: u64,
    share: f64,
    by_steal: u64,
    by_others: u64,
    by_preemption: u64,
    others_share: Option<f64>,
}

#[derive(Serialize)]
struct SummaryOrder {
    metric: &'static str,
    position: Option<SummaryPosition>,
    drift: Option<SummaryDrift>,
}

#[derive(Serialize)]
struct SummaryPosition {
    blocks: u64,
    p_value: f64,
    offsets_ms: Vec<f64>,
}

#[derive(Serialize)]
struct SummaryDrift {
    launches: u64,
    p_value: f64,
    rho: f64,
    lag1: f64,
    change: f64,
}

#[derive(Serialize)]
struct SummaryEstimate {
    estimate: f64,
    low: Option<f64>,
    high: Option<f64>,
}

/// To a millionth; never a negative zero.
pub(super) fn millionth(value: f64) -> f64 {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded.is_finite() {
        rounded + 0.0
    } else {
        value
    }
}

impl From<&Estimate> for SummaryEstimate {
    fn from(estimate: &Estimate) -> Self {
        Self {
            estimate: millionth(estimate.estimate),
            low: estimate.interval.map(|interval| millionth(interval.low())),
            high: estimate.interval.map(|interval| millionth(interval.high())),
        }
    }
}

impl<'a> Summary<'a> {
    fn of(analysis: &'a Analysis) -> Self {
        Self {
            format_version: SUMMARY_VERSION,
            suite: &analysis.suite,
            app: &analysis.app,
            seed: analysis.seed,
            blocks: analysis.blocks,
            stop_reason: analysis.stop_reason,
            host: &analysis.host,
            interpreters: &analysis.interpreters,
            scenarios: analysis.scenarios.iter().map(scenario).collect(),
            noise_floor: analysis.noise_floor.iter().map(contrast).collect(),
            contrasts: analysis.contrasts.iter().map(contrast).collect(),
            counters: analysis.counting.as_ref().map(counters),
            break_even: analysis.break_even.iter().map(break_even).collect(),
            claims: analysis.claims.iter().map(claim).collect(),
            valid: analysis.validity == Validity::Valid,
            invalid_because: match &analysis.validity {
                Validity::Valid => &[],
                Validity::Invalid(sentences) => sentences,
            },
            warnings: &analysis.warnings,
            findings: &analysis.findings,
            disturbance: disturbance(&analysis.disturbance),
            order: analysis.order.iter().map(order).collect(),
        }
    }
}

fn scenario(scenario: &ScenarioSummary) -> SummaryScenario<'_> {
    let metrics = scenario.metrics.iter().map(|metric| {
        let values = json!({
            "median_ms": millionth(metric.median_ms),
            "mean_ms": millionth(metric.mean_ms),
            "p10_ms": millionth(metric.p10_ms),
            "p90_ms": millionth(metric.p90_ms),
            "cpu_median_ms": millionth(metric.cpu_median_ms),
            "memory_median_mib": millionth(metric.memory_median_mib),
        });
        (metric.metric.name().to_owned(), values)
    });
    let receipt = &scenario.receipt;
    SummaryScenario {
        name: &scenario.name,
        launches: scenario.launches,
        failures: scenario.failures,
        metrics: metrics.collect(),
        receipt: SummaryReceipt {
            pycs_read: receipt.read.total(),
            compiled: receipt.compiled.total(),
            pycs_written: receipt.written.total(),
            writes_failed: receipt.writes_failed.total(),
            violations: &receipt.violations,
        },
    }
}

fn contrast(contrast: &Contrast) -> SummaryContrast<'_> {
    SummaryContrast {
        baseline: &contrast.baseline,
        scenario: &contrast.scenario,
        metric: contrast.metric.name(),
        blocks: contrast.blocks,
        shift_ms: (&contrast.shift_ms).into(),
        ratio: (&contrast.ratio).into(),
        p_value: contrast.p_value,
        paired: contrast.pairing == Pairing::Paired,
        cpu_shift_ms: contrast.cpu_shift_ms.as_ref().map(Into::into),
    }
}

fn counters(counting: &Counting) -> SummaryCounters<'_> {
    let instructions = counting
        .instructions
        .iter()
        .map(|each| SummaryInstructions {
            scenario: &each.scenario,
            launch: each.kind.name(),
            launches: each.launches,
            median: each.median,
            least: each.least,
            greatest: each.greatest,
            spread: each.spread,
            repeatable: each.is_repeatable(),
        });
    let contrasts = counting.contrasts.iter().map(|each| SummaryCountContrast {
        baseline: &each.baseline,
        scenario: &each.scenario,
        launch: each.kind.name(),
        ratio: millionth(each.ratio),
        least: millionth(each.least),
        greatest: millionth(each.greatest),
    });
    let launches = counting.launches.iter().map(|each| SummaryLaunchCounts {
        scenario: &each.scenario,
        launch: each.kind.name(),
        instructions_median: each.instructions,
        cycles_median: each.cycles,
        page_faults_median: each.page_faults,
    });
    SummaryCounters {
        counted: &counting.kernel.counted,
        refused: &counting.kernel.refused,
        instructions_by: counting.kernel.instructions_by.as_deref(),
        repeatable: counting.is_repeatable(),
        instructions: instructions.collect(),
        contrasts: contrasts.collect(),
        launches: launches.collect(),
    }
}

fn break_even(found: &BreakEven) -> SummaryBreakEven<'_> {
    SummaryBreakEven {
        scenario: &found.scenario,
        first_start_cost_ms: (&found.first_start_cost_ms).into(),
        saved_per_start_ms: (&found.saved_per_start_ms).into(),
        pays: match found.starts {
            Starts::After { .. } => "after",
            Starts::AtOnce => "at-once",
            Starts::Never => "never",
            Starts::Unknown => "unknown",
        },
        starts: match found.starts {
            Starts::After {
                estimate,
                low,
                high,
            } => Some(SummaryEstimate {
                estimate: millionth(estimate),
                low: Some(millionth(low)),
                high: high.map(millionth),
            }),
            Starts::AtOnce => Some(SummaryEstimate {
                estimate: 1.0,
                low: Some(1.0),
                high: None,
            }),
            Starts::Never | Starts::Unknown => None,
        },
        from: &found.from,
        first: &found.first,
    }
}

fn disturbance(found: &Disturbance) -> SummaryDisturbance {
    SummaryDisturbance {
        launches: found.launches,
        disturbed: found.disturbed,
        share: millionth(found.share()),
        by_steal: found.by_steal,
        by_others: found.by_others,
        by_preemption: found.by_preemption,
        others_share: found.others_share.map(millionth),
    }
}

fn order(order: &Order) -> SummaryOrder {
    SummaryOrder {
        metric: order.metric.name(),
        position: order.position.as_ref().map(|effect| SummaryPosition {
            blocks: effect.blocks as u64,
            p_value: effect.p_value,
            offsets_ms: effect.offsets.iter().copied().map(millionth).collect(),
        }),
        drift: order.drift.map(|drift| SummaryDrift {
            launches: drift.launches,
            p_value: drift.p_value,
            rho: millionth(drift.rho),
            lag1: millionth(drift.lag1),
            change: millionth(drift.change),
        }),
    }
}

fn claim(decision: &Decision) -> SummaryClaim<'_> {
    SummaryClaim {
        id: &decision.id,
        text: &decision.text,
        expected: &decision.expected,
        measured: &decision.measured,
        verdict: verdicts::word(decision.verdict),
        reason: &decision.reason,
        cpu_measured: decision.cpu.as_deref(),
    }
}
