//! Several apps that were measured under the same scenarios, side by side.

use super::{numbers, words};
use crate::analysis::{Analysis, Starts};
use crate::stats::interval::Estimate;
use thiserror::Error;

/// The scenarios that a record must have.
const WARM: &str = "warm";
const COLD: &str = "cold";
const FIRST: &str = "prefix-first";
const LATER: &str = "prefix-warm";

/// A record that has not what an overview shows.
#[derive(Debug, Error)]
pub enum OverviewError {
    #[error(
        "{app} has no contrast between {COLD} and the baseline {WARM}: an overview needs \
         records with the scenarios {WARM} (the baseline), {COLD}, {FIRST} and {LATER}"
    )]
    NoContrast { app: String },
    #[error(
        "{app} has no break-even of {LATER} against {COLD}: an overview needs records with the \
         scenarios {COLD}, {FIRST} and {LATER}, of which {COLD} compiles modules at every start, or \
         is compared with {LATER} by a claim"
    )]
    NoBreakEven { app: String },
}

/// One app.
#[derive(Debug, Clone)]
pub struct Row {
    pub app: String,
    pub blocks: u32,
    pub metric: &'static str,
    pub warm_ms: f64,
    /// What a start with everything cached saves against a cold one.
    pub saved_ms: Estimate,
    /// What the first start under a prefix costs more than a cold one.
    pub first_ms: Estimate,
    pub starts: Starts,
}

impl Row {
    /// The row of a record.
    ///
    /// # Errors
    /// When its scenarios are others.
    pub fn of(analysis: &Analysis) -> Result<Self, OverviewError> {
        let app = analysis.app.clone();
        let contrast = analysis
            .contrasts
            .iter()
            .find(|each| each.baseline == WARM && each.scenario == COLD)
            .ok_or(OverviewError::NoContrast { app: app.clone() })?;
        let balance = analysis
            .break_even
            .iter()
            .find(|each| each.from == COLD && each.first == FIRST && each.scenario == LATER)
            .ok_or(OverviewError::NoBreakEven { app: app.clone() })?;
        let warm = analysis.scenarios.iter().find(|each| each.name == WARM);
        let warm = warm.and_then(|warm| {
            let mut metrics = warm.metrics.iter();
            metrics.find(|each| each.metric == contrast.metric)
        });
        Ok(Self {
            app,
            blocks: contrast.blocks,
            metric: contrast.metric.name(),
            warm_ms: warm.map_or(f64::NAN, |warm| warm.median_ms),
            saved_ms: contrast.shift_ms,
            first_ms: balance.first_start_cost_ms,
            starts: balance.starts,
        })
    }
}

/// The table, in Markdown.
pub fn overview_table(rows: &[Row]) -> String {
    let mut text = String::from(
        "| App | Metric | Blocks | Warm median | The cache saves per start | The prefix's first \
         start costs | Break-even |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        text.push_str(&format!(
            "| {} | {} | {} | {} ms | {} | {} | {} |\n",
            row.app,
            row.metric,
            row.blocks,
            numbers::time(row.warm_ms),
            numbers::amount(&row.saved_ms),
            numbers::amount(&row.first_ms),
            words::starts(&row.starts),
        ));
    }
    text
}
