//! A record and an analysis as they might be, for tests of what shows them.

mod record;

use record::{host, interpreter, record};

use crate::analysis::*;
use crate::record::format::*;
use crate::record::{Arm, Record, Role, Times};
use crate::stats::bounds::Verdict;
use crate::stats::interval::{Estimate, Interval};
use crate::suite::*;

/// Name, shift of ready and of import, modules compiled, pycs written.
const SCENARIOS: [(&str, f64, f64, u64, u64); 6] = [
    ("warm", 0.0, 0.0, 0, 0),
    ("cold", 45.0, 40.0, 23, 23),
    ("read-only", 38.0, 35.0, 23, 0),
    ("vps-before", 22.0, 20.0, 20, 0),
    ("prefix-first", 820.0, 700.0, 412, 412),
    ("prefix-warm", -1.0, -0.5, 0, 0),
];

pub fn estimate(estimate: f64, half_width: f64) -> Estimate {
    Estimate {
        estimate,
        interval: Interval::new(estimate - half_width, estimate + half_width),
    }
}

/// The suite `lernmanager`, measured over 20 blocks on a drifting machine.
pub fn lernmanager() -> (Record, Analysis) {
    measured(20)
}

/// The same over any number of blocks.
pub fn measured(blocks: u32) -> (Record, Analysis) {
    let record = record(
        &SCENARIOS.map(|(name, ready, import, ..)| (name.to_owned(), ready, import)),
        blocks,
    );
    let analysis = analysis(&record, blocks);
    (record, analysis)
}

/// Twenty scenarios whose names are as long as names may be.
pub fn crowded() -> (Record, Analysis) {
    let scenarios: Vec<_> = (0..20)
        .map(|index| {
            let name = format!("{index:02}-a-name-of-forty-eight-characters-it-is-so-long");
            assert_eq!(name.len(), 50 - 1, "{name}");
            (
                name[..48].to_owned(),
                f64::from(19 - index) * 40.0,
                f64::from(19 - index) * 30.0,
            )
        })
        .collect();
    let record = record(&scenarios, 12);
    let mut analysis = analysis(&record, 12);
    for claim in &mut analysis.claims {
        claim.text = claim.text.repeat(6);
    }
    (record, analysis)
}

/// Every launch failed.
pub fn failed() -> (Record, Analysis) {
    let (mut record, mut analysis) = measured(3);
    for launch in &mut record.launches {
        launch.times = Times::default();
        launch.failure = Some("exit status 1".to_owned());
    }
    for scenario in &mut analysis.scenarios {
        scenario.failures = scenario.launches;
        scenario.metrics.clear();
    }
    analysis.blocks = 0;
    analysis.contrasts.clear();
    analysis.noise_floor.clear();
    analysis.break_even.clear();
    for claim in &mut analysis.claims {
        claim.effect = None;
        claim.verdict = Verdict::Inconclusive;
    }
    (record, analysis)
}

/// Every number that can be odd is.
pub fn odd() -> (Record, Analysis) {
    let (record, mut analysis) = measured(1);
    let nothing = Estimate {
        estimate: f64::NAN,
        interval: None,
    };
    for contrast in analysis
        .contrasts
        .iter_mut()
        .chain(&mut analysis.noise_floor)
    {
        contrast.shift_ms = nothing;
        contrast.ratio = nothing;
        contrast.differences_ms = vec![f64::NAN, f64::INFINITY, -3.0];
        contrast.differences_in = vec![0, 1, 2];
    }
    for scenario in &mut analysis.scenarios {
        for metric in &mut scenario.metrics {
            metric.median_ms = f64::INFINITY;
            metric.p10_ms = f64::NAN;
        }
    }
    for claim in &mut analysis.claims {
        if let Some(effect) = &mut claim.effect {
            effect.saving_ms = nothing;
            effect.band_ms = Band {
                low: None,
                high: Some(1e300),
            };
        }
    }
    analysis.break_even = [
        (Starts::AtOnce, estimate(-3.0, 1.0), estimate(0.0, 0.0)),
        (Starts::Never, estimate(800.0, 10.0), estimate(-2.0, 1.0)),
        (Starts::Unknown, estimate(800.0, 10.0), estimate(-2.0, 4.0)),
        (
            Starts::After {
                estimate: 1e12,
                low: f64::NAN,
                high: None,
            },
            nothing,
            nothing,
        ),
        (
            Starts::After {
                estimate: 1e12,
                low: 30.0,
                high: None,
            },
            estimate(800.0, 20.0),
            estimate(1e-9, 3.0),
        ),
        (
            Starts::After {
                estimate: 36.0,
                low: 30.0,
                high: Some(f64::INFINITY),
            },
            estimate(800.0, 20.0),
            estimate(22.0, 30.0),
        ),
    ]
    .map(|(starts, cost, saved)| BreakEven {
        first_start_cost_ms: cost,
        saved_per_start_ms: saved,
        starts,
        ..analysis.break_even[0].clone()
    })
    .to_vec();
    analysis.stop_reason = None;
    analysis.validity = Validity::Invalid(vec!["cold: 3 pycs were read".to_owned()]);
    (record, analysis)
}

/// A metric of one arm, block by block.
fn times(record: &Record, arm: Arm, metric: Metric) -> Vec<f64> {
    let launches = record.launches.iter().filter(|launch| launch.arm == arm);
    launches
        .filter_map(|launch| launch.times.metric(metric))
        .map(|time| time.as_secs_f64() * 1e3)
        .collect()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[sorted.len() / 2]
}

fn contrast(record: &Record, from: Arm, to: Arm, metric: Metric) -> Contrast {
    let (before, after) = (times(record, from, metric), times(record, to, metric));
    let differences: Vec<f64> = before.iter().zip(&after).map(|(a, b)| b - a).collect();
    let name = |arm: Arm| record.suite.scenarios[arm.scenario].name.clone();
    let shift = median(&differences);
    Contrast {
        baseline: name(from),
        scenario: name(to),
        metric,
        blocks: differences.len() as u32,
        shift_ms: estimate(shift, 3.2),
        ratio: estimate(median(&after) / median(&before), 0.01),
        cpu_shift_ms: Some(estimate(shift * 0.9, 2.0)),
        p_value: 0.001,
        pairing: Pairing::Paired,
        differences_in: (0..differences.len() as u32).collect(),
        differences_ms: differences,
    }
}

fn analysis(record: &Record, blocks: u32) -> Analysis {
    let arm = |scenario| Arm {
        scenario,
        role: Role::Itself,
    };
    let twin = Arm {
        scenario: 0,
        role: Role::Twin,
    };
    let count = record.suite.scenarios.len();
    let metrics = &record.suite.measure.metrics;
    let mut contrasts = Vec::new();
    for &metric in metrics {
        for scenario in 1..count {
            contrasts.push(contrast(record, arm(0), arm(scenario), metric));
        }
    }
    let (before, fix) = (3, (count - 1).min(5));
    let pair = contrast(record, arm(before), arm(fix), Metric::Ready);
    let saved = -pair.shift_ms.estimate;
    contrasts.push(pair);
    let name = |scenario: usize| record.suite.scenarios[scenario].name.clone();
    let effect = |low, high| {
        Some(DecidedEffect {
            from: name(before),
            to: name(fix),
            metric: Metric::Ready,
            saving_ms: estimate(saved, 2.9),
            level: 0.9,
            from_median_ms: 150.0,
            band_ms: Band { low, high },
        })
    };
    let none = contrasts[count - 2].clone();
    let measured = format!(
        "saves {saved:.0} ms [{:.0}, {:.0}]",
        saved - 2.9,
        saved + 2.9
    );
    let claim =
        |id: &str, text: &str, expected: &str, measured: &str, reason: &str, verdict, effect| {
            Decision {
                id: id.to_owned(),
                text: text.to_owned(),
                expected: expected.to_owned(),
                measured: measured.to_owned(),
                cpu: Some("saves 25 ms [23, 27]".to_owned()),
                reason: reason.to_owned(),
                verdict,
                effect,
            }
        };
    Analysis {
        suite: "scenarios/lernmanager/suite.toml".to_owned(),
        app: "lernmanager".to_owned(),
        app_lines: 6120,
        seed: 42,
        blocks,
        stop_reason: Some(StopReason::Precision),
        host: host(),
        disturbance: Disturbance {
            launches: record.launches.len() as u64,
            ..Disturbance::default()
        },
        order: Vec::new(),
        interpreters: vec![interpreter()],
        scenarios: (0..count).map(|index| summary(record, index, metrics)).collect(),
        noise_floor: metrics
            .iter()
            .map(|&metric| contrast(record, arm(0), twin, metric))
            .collect(),
        contrasts,
        counting: None,
        break_even: vec![BreakEven {
            from: name(before),
            first: name((count - 2).min(4)),
            scenario: name(fix),
            first_start_cost_ms: estimate(798.0, 12.0),
            saved_per_start_ms: estimate(saved, 2.9),
            starts: Starts::After {
                estimate: 1.0 + 798.0 / saved,
                low: 1.0 + 786.0 / (saved + 2.9),
                high: Some(1.0 + 810.0 / (saved - 2.9)),
            },
        }],
        claims: vec![
            claim("restart-100ms", "~100ms per server restart", "saves 100 ms ± 20 %", &measured, "less than 80 ms", Verdict::Refuted, effect(Some(80.0), Some(120.0))),
            claim("restart-50-100ms", "~50-100ms improvement", "saves 50 to 100 ms", &measured, "less than 50 ms", Verdict::Refuted, effect(Some(50.0), Some(100.0))),
            claim("survives-unwritable", "if save fails (permissions), continues anyway", "0 pycs written, at least 1 module compiled at each start", "0 pycs written, 23 modules compiled", "as expected", Verdict::Supported, None),
            claim("prefix-like-writable", "a prefix is as good as a writable source", "no effect beyond ± 2 ms", "saves 1 ms [−2, 4]", "the interval reaches beyond ± 2 ms", Verdict::Inconclusive,
                Some(DecidedEffect {
                    from: none.baseline.clone(), to: none.scenario.clone(), metric: Metric::Ready,
                    saving_ms: estimate(-none.shift_ms.estimate, 3.2), level: 0.9, from_median_ms: 150.0,
                    band_ms: Band { low: Some(-2.0), high: Some(2.0) },
                })),
        ],
        findings: vec![
            "read-only: 23 modules of the app are compiled at every start, and none of them can be saved (EROFS).".to_owned(),
            "vps-before: only analytics_queue, config and models are read from a pyc; the admin's script cached these and no others.".to_owned(),
            "prefix-warm: 412 pycs lie below the prefix, 389 of them from the standard library and site-packages.".to_owned(),
        ],
        validity: Validity::Valid,
        warnings: vec![
            "The machine's speed drifted by 5 % over the run; the paired estimates are not affected, the medians are.".to_owned(),
            "warm: 1 of 20 launches is an outlier (labelled, not removed).".to_owned(),
        ],
    }
}

fn summary(record: &Record, index: usize, metrics: &[Metric]) -> ScenarioSummary {
    let arm = Arm {
        scenario: index,
        role: Role::Itself,
    };
    let known = SCENARIOS.get(index).copied().unwrap_or(SCENARIOS[1]);
    ScenarioSummary {
        name: record.suite.scenarios[index].name.clone(),
        about: Some("root owns the source; the service user cannot write".to_owned()),
        launches: (record.launches.len() / (record.suite.scenarios.len() + 1)) as u32,
        failures: 0,
        metrics: metrics
            .iter()
            .map(|&metric| {
                let mut times = times(record, arm, metric);
                times.sort_by(f64::total_cmp);
                let last = times.len() - 1;
                MetricSummary {
                    metric,
                    median_ms: median(&times),
                    mean_ms: times.iter().sum::<f64>() / times.len() as f64,
                    p10_ms: times[last / 10],
                    p90_ms: times[last * 9 / 10],
                    cpu_median_ms: median(&times) * 0.9,
                    memory_median_mib: 41.3,
                    launches: times.len() as u32,
                    compiled: known.3,
                    written: known.4,
                }
            })
            .collect(),
        receipt: ReceiptSummary {
            compiled: ByOrigin {
                app: known.3.min(23),
                stdlib: known.3.saturating_sub(23),
                site_packages: 0,
            },
            written: ByOrigin {
                app: known.4,
                ..ByOrigin::default()
            },
            ..ReceiptSummary::default()
        },
    }
}
