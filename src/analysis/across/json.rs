//! Many records side by side, for scripts.
//!
//! Keys keep their names and their order within a format version; new ones may be added.
//!
//! # History
//! - **1** (0.1.0): the first.

use serde::Serialize;
use serde_json::Value;

use super::super::summary::{estimate_json, millionth};
use super::*;

/// The version that this build writes.
pub const ACROSS_VERSION: u32 = 1;

#[derive(Serialize)]
struct JsonAcross<'a> {
    format_version: u32,
    by: &'static str,
    experiments: Vec<JsonExperiment<'a>>,
    left_out: Vec<JsonLeftOut<'a>>,
}

#[derive(Serialize)]
struct JsonExperiment<'a> {
    app: Option<&'a str>,
    suite: Option<&'a str>,
    suite_sha256: Option<&'a str>,
    interpreters: Option<&'a str>,
    host: Option<&'a str>,
    members: Vec<JsonMember<'a>>,
    effects: Vec<JsonEffect<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonMember<'a> {
    name: &'a str,
    records: &'a [String],
    blocks: u32,
    host: &'a Host,
    interpreters: &'a [Interpreter],
}

#[derive(Serialize)]
struct JsonEffect<'a> {
    baseline: &'a str,
    scenario: &'a str,
    metric: &'static str,
    rows: Vec<JsonRow<'a>>,
    pooled: Option<JsonPooled>,
}

#[derive(Serialize)]
struct JsonRow<'a> {
    member: &'a str,
    blocks: u32,
    baseline_median_ms: Option<f64>,
    shift_ms: Option<Value>,
    ratio: Option<Value>,
}

#[derive(Serialize)]
struct JsonPooled {
    members: u32,
    blocks: u32,
    shift_ms: JsonPool,
    ratio: JsonPool,
}

#[derive(Serialize)]
struct JsonPool {
    estimate: f64,
    low: Option<f64>,
    high: Option<f64>,
    prediction_low: Option<f64>,
    prediction_high: Option<f64>,
    tau: f64,
    i_squared: f64,
    q: f64,
    q_p_value: f64,
}

#[derive(Serialize)]
struct JsonLeftOut<'a> {
    record: &'a str,
    reasons: &'a [String],
}

impl Across {
    /// For scripts. The same records give the same bytes.
    pub fn to_json(&self) -> String {
        let json = JsonAcross {
            format_version: ACROSS_VERSION,
            by: self.by.word(),
            experiments: self.experiments.iter().map(experiment).collect(),
            left_out: self
                .left_out
                .iter()
                .map(|each| JsonLeftOut {
                    record: &each.name,
                    reasons: &each.reasons,
                })
                .collect(),
        };
        // Serialising fails only for maps whose keys are no strings, of which there are none.
        let mut text = serde_json::to_string_pretty(&json).unwrap_or_else(|_| "{}".to_owned());
        text.push('\n');
        text
    }
}

fn experiment(of: &Experiment) -> JsonExperiment<'_> {
    JsonExperiment {
        app: of.common.app.as_deref(),
        suite: of.common.suite.as_deref(),
        suite_sha256: of.common.suite_sha256.as_deref(),
        interpreters: of.common.interpreters.as_deref(),
        host: of.common.host.as_deref(),
        members: of
            .members
            .iter()
            .map(|member| JsonMember {
                name: &member.name,
                records: &member.records,
                blocks: member.blocks,
                host: &member.host,
                interpreters: &member.interpreters,
            })
            .collect(),
        effects: of
            .effects
            .iter()
            .map(|effect| JsonEffect {
                baseline: &effect.baseline,
                scenario: &effect.scenario,
                metric: effect.metric.name(),
                rows: of
                    .members
                    .iter()
                    .zip(&effect.rows)
                    .map(|(member, each)| row(member, each.as_ref()))
                    .collect(),
                pooled: effect.pooled.as_ref().map(|pooled| JsonPooled {
                    members: pooled.members,
                    blocks: pooled.blocks,
                    shift_ms: pool(&pooled.shift_ms),
                    ratio: pool(&pooled.ratio),
                }),
            })
            .collect(),
        notes: &of.notes,
    }
}

fn row<'a>(member: &'a Member, row: Option<&Row>) -> JsonRow<'a> {
    JsonRow {
        member: &member.name,
        blocks: row.map_or(0, |row| row.blocks),
        baseline_median_ms: row.map(|row| millionth(row.baseline_median_ms)),
        shift_ms: row.map(|row| estimate_json(&row.shift_ms)),
        ratio: row.map(|row| estimate_json(&row.ratio)),
    }
}

fn pool(pool: &Pool) -> JsonPool {
    let ends = |interval: Option<Interval>| {
        interval
            .map(|ends| (millionth(ends.low()), millionth(ends.high())))
            .unzip()
    };
    let ((low, high), (prediction_low, prediction_high)) =
        (ends(pool.mean.interval), ends(pool.prediction));
    JsonPool {
        estimate: millionth(pool.mean.estimate),
        low,
        high,
        prediction_low,
        prediction_high,
        tau: millionth(pool.tau),
        i_squared: millionth(pool.heterogeneity.i_squared),
        q: millionth(pool.heterogeneity.q),
        q_p_value: pool.heterogeneity.p_value,
    }
}
