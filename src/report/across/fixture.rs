//! Hosts that were never measured.

use crate::analysis::*;
use crate::record::format::Host;
use crate::stats::interval::{Estimate, Interval, Level};
use crate::stats::meta_analysis::{GroupEffect, pool};
use crate::suite::Metric;

/// So many hosts, on which `cold` and `prefix-warm` have been launched beside `warm`.
pub fn hosts(count: u32) -> Across {
    let members = (0..count).map(|index| Member {
        name: format!("web-{}.fra1.example.net", index + 1),
        records: vec![format!("runs/{index}")],
        blocks: 40,
        host: Host::default(),
        interpreters: Vec::new(),
    });
    let experiment = Experiment {
        common: Common {
            app: Some("shop".to_owned()),
            suite: Some("suite.toml".to_owned()),
            suite_sha256: Some("0".repeat(64)),
            interpreters: Some("cpython 3.11.7".to_owned()),
            host: None,
        },
        members: members.collect(),
        effects: vec![
            effect("cold", count, 0.12, 0.02),
            effect("prefix-warm", count, -0.01, 0.001),
        ],
        notes: vec!["a note".to_owned()],
    };
    Across {
        by: By::Host,
        experiments: vec![experiment],
        left_out: Vec::new(),
    }
}

fn effect(scenario: &str, count: u32, change: f64, spread: f64) -> Effect {
    let around = |middle: f64, half: f64| Estimate {
        estimate: middle,
        interval: Interval::new(middle - half, middle + half),
    };
    let each = |index: u32| {
        // Golden-ratio steps: scattered, and the same every time.
        let share = (f64::from(index) * 0.618).fract() - 0.5;
        (
            1.0 + change + spread * 4.0 * share,
            0.008 + 0.004 * share.abs(),
        )
    };
    let rows = (0..count).map(|index| {
        let (ratio, half) = each(index);
        Some(Row {
            blocks: 40,
            baseline_median_ms: 240.0 + 7.0 * f64::from(index),
            shift_ms: around((ratio - 1.0) * 240.0, half * 240.0),
            ratio: around(ratio, half),
        })
    });
    let pooled = |scale: f64, log: bool| {
        let groups: Vec<GroupEffect> = (0..count)
            .filter_map(|index| {
                let (ratio, half) = each(index);
                let value = if log { ratio.ln() } else { ratio - 1.0 };
                GroupEffect::new(value * scale, half / 2.0 * scale)
            })
            .collect();
        let found = pool(&groups, Level::P95)?;
        let back = |value: f64| if log { value.exp() } else { value };
        let ends = |i: Interval| Interval::new(back(i.low()), back(i.high()));
        Some(Pool {
            mean: Estimate {
                estimate: back(found.estimate),
                interval: ends(found.interval),
            },
            prediction: found.prediction.and_then(ends),
            tau: found.tau,
            heterogeneity: found.heterogeneity,
        })
    };
    Effect {
        baseline: "warm".to_owned(),
        scenario: scenario.to_owned(),
        metric: Metric::Ready,
        rows: rows.collect(),
        pooled: pooled(240.0, false)
            .zip(pooled(1.0, true))
            .map(|(shift_ms, ratio)| Pooled {
                members: count,
                blocks: 40 * count,
                shift_ms,
                ratio,
            }),
        without_error: Vec::new(),
    }
}
