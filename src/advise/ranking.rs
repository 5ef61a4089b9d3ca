//! From the record of the fixes' launches to what each saves.

use super::fixes::Fix;
use crate::analysis::{Analysis, Contrast, Starts, starts};
use crate::record::Record;
use crate::stats::interval::{Estimate, Interval};
use crate::suite::Metric;

/// What the fixes are worth, the one that saves most first.
#[derive(Debug, Clone)]
pub struct Advice {
    /// By which they were compared.
    pub metric: Metric,
    /// How the app starts now, in words.
    pub about_now: String,
    /// The median of its starts, milliseconds.
    pub now_ms: f64,
    pub rows: Vec<Row>,
}

/// One fix.
#[derive(Debug, Clone)]
pub struct Row {
    pub fix: Fix,
    /// By each start, but for the first where that is another; milliseconds.
    pub saved_ms: Estimate,
    /// What the first start costs more than one now, where it is another; milliseconds.
    pub first_ms: Option<Estimate>,
    /// With which start it has paid.
    pub starts: Starts,
    pub worth: Worth,
}

/// Does a fix save anything?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    Saves,
    /// Nothing that can be told from noise.
    Unclear,
    /// Starts are slower.
    Costs,
}

/// The ranking of a record's fixes. `None` if it has none, or not one block of them.
pub fn advice(record: &Record, analysis: &Analysis) -> Option<Advice> {
    let metric = *record.suite.measure.metrics.first()?;
    let baseline = &record.suite.measure.baseline;
    let now = analysis
        .scenarios
        .iter()
        .find(|each| each.name == *baseline)?;
    let measured = now.metrics.iter().find(|each| each.metric == metric)?;
    let shift = |scenario: &str| {
        let is_wanted = |each: &&Contrast| {
            each.baseline == *baseline && each.scenario == scenario && each.metric == metric
        };
        let mut contrasts = analysis.contrasts.iter();
        contrasts.find(is_wanted).map(|each| each.shift_ms)
    };
    let mut rows: Vec<Row> = Fix::ALL
        .into_iter()
        .filter_map(|fix| {
            let saved_ms = negated(shift(fix.scenario())?);
            let first_ms = match fix.first_start() {
                Some(first) => Some(shift(first)?),
                None => None,
            };
            Some(Row {
                fix,
                saved_ms,
                first_ms,
                starts: paid_after(first_ms, &saved_ms),
                worth: worth(&saved_ms),
            })
        })
        .collect();
    // It is tried whatever the app: without it, these are other scenarios of the same names.
    if rows.iter().all(|row| row.fix != Fix::Compile) {
        return None;
    }
    rows.sort_by(|a, b| b.saved_ms.estimate.total_cmp(&a.saved_ms.estimate));
    Some(Advice {
        metric,
        about_now: now.about.clone().unwrap_or_default(),
        now_ms: measured.median_ms,
        rows,
    })
}

impl Advice {
    /// The fixes that save anything, the one that saves most first.
    pub fn worthwhile(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(|row| row.worth == Worth::Saves)
    }

    /// Of these, those that save as much as the first, as far as noise lets them be told apart: the one
    /// that is simplest to do first.
    pub fn best(&self) -> Vec<&Row> {
        let Some(first) = self.worthwhile().next() else {
            return Vec::new();
        };
        let mut best: Vec<&Row> = self
            .worthwhile()
            .filter(|row| overlap(&row.saved_ms, &first.saved_ms))
            .collect();
        best.sort_by_key(|row| row.fix);
        best
    }
}

fn overlap(one: &Estimate, other: &Estimate) -> bool {
    match (one.interval, other.interval) {
        (Some(one), Some(other)) => one.low() <= other.high() && other.low() <= one.high(),
        _ => true,
    }
}

fn negated(estimate: Estimate) -> Estimate {
    Estimate {
        estimate: -estimate.estimate,
        interval: estimate
            .interval
            .and_then(|interval| Interval::new(-interval.high(), -interval.low())),
    }
}

fn paid_after(first_ms: Option<Estimate>, saved_ms: &Estimate) -> Starts {
    let nothing = Estimate {
        estimate: 0.0,
        interval: Interval::new(0.0, 0.0),
    };
    starts(&first_ms.unwrap_or(nothing), saved_ms)
}

fn worth(saved_ms: &Estimate) -> Worth {
    match saved_ms.interval {
        Some(interval) if interval.low() > 0.0 => Worth::Saves,
        Some(interval) if interval.high() < 0.0 => Worth::Costs,
        Some(_) | None => Worth::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(low: f64, estimate: f64, high: f64) -> Estimate {
        Estimate {
            estimate,
            interval: Interval::new(low, high),
        }
    }

    #[test]
    fn a_fix_without_a_first_start_pays_at_once_if_it_saves_anything() {
        let saved = estimate(10.0, 12.0, 14.0);
        assert_eq!(paid_after(None, &saved), Starts::AtOnce);
        assert_eq!(worth(&saved), Worth::Saves);
        let lost = negated(saved);
        assert_eq!(
            lost.interval.map(|i| (i.low(), i.high())),
            Some((-14.0, -10.0))
        );
        assert_eq!(paid_after(None, &lost), Starts::Never);
        assert_eq!(worth(&lost), Worth::Costs);
        assert_eq!(worth(&estimate(-1.0, 1.0, 3.0)), Worth::Unclear);
    }

    #[test]
    fn of_fixes_that_noise_does_not_tell_apart_the_simplest_is_the_best() {
        let row = |fix, saved: Estimate| Row {
            fix,
            worth: worth(&saved),
            saved_ms: saved,
            first_ms: None,
            starts: Starts::Unknown,
        };
        let advice = Advice {
            metric: Metric::Exit,
            about_now: String::new(),
            now_ms: 400.0,
            rows: vec![
                row(Fix::Prefix, estimate(90.0, 101.0, 110.0)),
                row(Fix::Compile, estimate(91.0, 100.0, 109.0)),
                row(Fix::CompilePackages, estimate(50.0, 60.0, 70.0)),
                row(Fix::Chown, estimate(-10.0, 0.0, 10.0)),
            ],
        };
        let fixes = |rows: Vec<&Row>| rows.iter().map(|row| row.fix).collect::<Vec<_>>();
        assert_eq!(fixes(advice.best()), [Fix::Compile, Fix::Prefix]);
        assert_eq!(
            fixes(advice.worthwhile().collect()),
            [Fix::Prefix, Fix::Compile, Fix::CompilePackages]
        );
    }

    #[test]
    fn a_first_start_is_paid_back_by_later_ones() {
        let first = estimate(100.0, 120.0, 140.0);
        let Starts::After { estimate, .. } = paid_after(Some(first), &estimate(10.0, 12.0, 14.0))
        else {
            panic!("it costs something");
        };
        assert_eq!(estimate, 11.0);
    }
}
