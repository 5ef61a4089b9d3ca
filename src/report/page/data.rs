//! What the page's script knows of the dots: block and values of each.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::charts::{Chart, Series, Values};
use crate::record::Record;

/// The series of all charts, each once, and which of them each chart shows in its rows.
pub struct Shown<'a> {
    series: Vec<&'a Series>,
    by_chart: BTreeMap<&'a str, Vec<usize>>,
}

impl<'a> Shown<'a> {
    /// What these charts show. Two that show the same launches share them.
    pub fn of(charts: &'a [Chart]) -> Self {
        let mut series: Vec<&Series> = Vec::new();
        let mut by_chart = BTreeMap::new();
        for chart in charts {
            let places = chart.series.iter().map(|each| {
                let known = series.iter().position(|other| *other == each);
                known.unwrap_or_else(|| {
                    series.push(each);
                    series.len() - 1
                })
            });
            by_chart.insert(chart.name.as_str(), places.collect());
        }
        Self { series, by_chart }
    }

    /// The series of a chart, row by row.
    pub fn places(&self, chart: &Chart) -> &[usize] {
        self.by_chart
            .get(chart.name.as_str())
            .map_or(&[], Vec::as_slice)
    }

    /// For the script.
    pub fn data(&self, record: &Record) -> Value {
        let series: Vec<Value> = self.series.iter().map(|each| of_one(each)).collect();
        json!({ "baseline": record.suite.measure.baseline, "series": series })
    }
}

fn of_one(series: &Series) -> Value {
    let metric = series.metric.to_string();
    match &series.values {
        Values::Launches { ms, cpu_ms, at_s } => json!({
            "label": series.label,
            "metric": metric,
            "block": series.blocks,
            "ms": rounded(ms, 100.0),
            "cpu": rounded(cpu_ms, 100.0),
            "at": rounded(at_s, 10.0),
        }),
        Values::Savings(ms) => json!({
            "label": series.label,
            "metric": metric,
            "block": series.blocks,
            "saved": rounded(ms, 100.0),
        }),
    }
}

fn rounded(values: &[f64], parts: f64) -> Vec<f64> {
    values
        .iter()
        .map(|value| (value * parts).round() / parts)
        .collect()
}
