//! The record's launches, sorted into a row for each arm.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::numbers;
use super::series::{Series, Values};
use crate::analysis::Analysis;
use crate::record::{Arm, Launch, Record, Role};
use crate::stats::describe::quantile_of_sorted;
use crate::suite::{Metric, Scenario, Suite};

/// The launches of one arm.
#[derive(Debug, Clone)]
pub struct Row {
    /// The scenario's name; the twin says that it is one.
    pub label: String,
    pub role: Role,
    /// Its scenario's place in the suite.
    pub scenario: usize,
    /// Which of the scenarios' colours.
    pub colour: usize,
    /// In the order of the record.
    pub samples: Vec<Sample>,
    /// When launches failed, in seconds.
    pub failures: Vec<f64>,
    /// The analysis's median; for the twin, that of its samples.
    pub median_ms: Option<f64>,
    /// The middle 80 %.
    pub middle_ms: Option<(f64, f64)>,
}

/// What one launch measured.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub block: u32,
    /// Since the first launch.
    pub at_s: f64,
    pub ms: f64,
    /// CPU time that belongs to it.
    pub cpu_ms: f64,
}

/// Which of the scenarios' colours is this one's: each has its own, but the same scenario has the same
/// under every interpreter.
pub fn colour(suite: &Suite, name: &str) -> usize {
    let Some(scenario) = suite.scenario(name) else {
        return 0;
    };
    let is_it = |each: &Scenario| {
        each.name == name
            || each.python != scenario.python && each.differs_at_most_by_interpreter(scenario)
    };
    suite.scenarios.iter().position(is_it).unwrap_or_default()
}

/// Where these scenarios stand in the suite.
pub fn places(record: &Record, names: [&str; 2]) -> Vec<usize> {
    let scenarios = || record.suite.scenarios.iter();
    names
        .into_iter()
        .filter_map(|name| scenarios().position(|each| each.name == name))
        .collect()
}

/// A row for each scenario in the suite's order, the twin's below the baseline's.
pub fn rows(record: &Record, analysis: &Analysis, metric: Metric) -> Vec<Row> {
    // One walk over the record, which may hold a million launches, and not one for each row.
    let mut by_arm: BTreeMap<Arm, Vec<&Launch>> = BTreeMap::new();
    for launch in &record.launches {
        if launch.kind == metric.launch_kind() {
            by_arm.entry(launch.arm).or_default().push(launch);
        }
    }
    let mut rows = Vec::new();
    for (scenario, about) in record.suite.scenarios.iter().enumerate() {
        for role in [Role::Itself, Role::Twin] {
            let launches = by_arm.remove(&Arm { scenario, role });
            // Only the baseline has a twin.
            if role == Role::Twin && launches.is_none() {
                continue;
            }
            let launches = launches.unwrap_or_default();
            let mut row = Row {
                label: match role {
                    Role::Itself => about.name.clone(),
                    Role::Twin => format!("{} (twin)", about.name),
                },
                role,
                scenario,
                colour: colour(&record.suite, &about.name),
                samples: launches
                    .iter()
                    .filter_map(|launch| sample(launch, metric))
                    .collect(),
                failures: launches
                    .iter()
                    .filter(|launch| sample(launch, metric).is_none())
                    .map(|launch| launch.at.as_secs_f64())
                    .collect(),
                median_ms: None,
                middle_ms: None,
            };
            row.summarise(analysis, metric);
            rows.push(row);
        }
    }
    rows
}

impl Row {
    fn summarise(&mut self, analysis: &Analysis, metric: Metric) {
        let mut sorted: Vec<f64> = self.samples.iter().map(|sample| sample.ms).collect();
        sorted.sort_by(f64::total_cmp);
        self.median_ms = quantile_of_sorted(&sorted, 0.5);
        self.middle_ms = quantile_of_sorted(&sorted, 0.1).zip(quantile_of_sorted(&sorted, 0.9));
        let summary = analysis
            .scenarios
            .iter()
            .find(|summary| summary.name == self.label && self.role == Role::Itself)
            .and_then(|summary| summary.metrics.iter().find(|each| each.metric == metric));
        // The table's figures, so that chart and table agree. They are over complete blocks.
        if let Some(summary) = summary.filter(|summary| summary.median_ms.is_finite()) {
            self.median_ms = Some(summary.median_ms);
            if summary.p10_ms.is_finite() && summary.p90_ms.is_finite() {
                self.middle_ms = Some((summary.p10_ms, summary.p90_ms));
            }
        }
    }

    /// How far a sample lies from the row's median, as a share of it.
    pub fn deviation(&self, sample: &Sample) -> Option<f64> {
        let centre = self.median_ms.filter(|centre| *centre > 0.0)?;
        Some(sample.ms / centre - 1.0)
    }

    /// "median 240 ms".
    pub fn median(&self) -> String {
        match self.median_ms {
            Some(median) => format!("median {} ms", numbers::time(median)),
            None => "no successful launch".to_owned(),
        }
    }

    /// "2 of 20 launches failed", or nothing.
    pub fn failed(&self) -> Option<String> {
        let failures = self.failures.len();
        let all = failures + self.samples.len();
        (failures > 0).then(|| format!("{failures} of {all} launches failed"))
    }
}

fn sample(launch: &Launch, metric: Metric) -> Option<Sample> {
    if launch.failure.is_some() {
        return None;
    }
    let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
    launch.times.metric(metric).map(|time| Sample {
        block: launch.block,
        at_s: launch.at.as_secs_f64(),
        ms: ms(time),
        cpu_ms: ms(launch.usage.cpu()),
    })
}

/// What a page says of the dots in each row of a chart that draws every `thinned`th sample.
pub fn series(rows: &[Row], metric: Metric, thinned: impl Fn(&Row) -> usize) -> Vec<Series> {
    let of = |row: &Row| {
        let shown = || row.samples.iter().step_by(thinned(row));
        Series {
            label: row.label.clone(),
            metric,
            blocks: shown().map(|sample| sample.block).collect(),
            values: Values::Launches {
                ms: shown().map(|sample| sample.ms).collect(),
                cpu_ms: shown().map(|sample| sample.cpu_ms).collect(),
                at_s: shown().map(|sample| sample.at_s).collect(),
            },
        }
    };
    rows.iter().map(of).collect()
}

/// Limits beyond which a value is drawn at the chart's edge, so that one odd launch does not
/// squeeze all others together: three times the interquartile range beyond the quartiles
/// (Tukey's outer fences).
pub fn fences(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    let mut sorted: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (
        quantile_of_sorted(&sorted, 0.25)?,
        quantile_of_sorted(&sorted, 0.75)?,
    );
    let reach = 3.0 * (high - low);
    let inside = |value: &&f64| (low - reach..=high + reach).contains(*value);
    Some((
        *sorted.iter().find(inside)?,
        *sorted.iter().rev().find(inside)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fences_leave_out_what_lies_far_off_and_nothing_else() {
        let values = (0..20).map(f64::from).chain([1e4]);
        assert_eq!(fences(values), Some((0.0, 19.0)));
        assert_eq!(fences([3.0]), Some((3.0, 3.0)));
        assert_eq!(fences([f64::NAN]), None);
    }
}
