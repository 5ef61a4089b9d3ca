//! Claims on effects: bounds in milliseconds saved, and the interval against them.
//!
//! A saving is from − to, positive when `to` is faster. "About X" and "no effect" are claims of
//! equivalence, decided by the 90 % interval (two one-sided tests at 5 %); "between", "at least"
//! and "at most" by the 95 % interval. Each claim was made before the data were seen, so each is
//! decided by itself, not simultaneously with the others; but for those that guard against a
//! regression ([`regression`]).

use super::blocks::{Blocks, Pairs, differences_ms};
use super::contrasts::pairs;
use super::evidence;
use super::model::{Band, DecidedEffect, Decision};
use super::procedure::Procedure;
use super::regression;
use super::verdicts::{Edges, Limits, Side, decide};
use super::words;
use crate::record::Record;
use crate::stats::bounds::Verdict;
use crate::stats::describe;
use crate::stats::interval::{Estimate, Interval, Level};
use crate::suite::quantity::Margin;
use crate::suite::{Claim, ContrastSpec, Effect, Expectation, Suite};

/// Decides every claim of the suite, in its order.
pub fn decisions(record: &Record, blocks: &Blocks) -> Vec<Decision> {
    let claims = record.suite.claims.iter();
    claims
        .map(|claim| match &claim.expectation {
            Expectation::Contrast { contrast, effect } => {
                on_effect(claim, contrast, *effect, blocks)
            }
            Expectation::Receipt { scenario, evidence } => {
                evidence::on_receipt(claim, record, blocks, scenario, evidence)
            }
        })
        .collect()
}

/// Decides a claim on an effect.
pub fn on_effect(
    claim: &Claim,
    contrast: &ContrastSpec,
    effect: Effect,
    blocks: &Blocks,
) -> Decision {
    let procedure = Procedure::of(blocks.suite());
    let pairs = &pairs(blocks, contrast);
    let decision = |measured: String, reason: String, verdict, effect_found| Decision {
        id: claim.id.clone(),
        text: claim.text.clone(),
        expected: expected(effect, &contrast.from),
        measured,
        cpu: cpu(procedure, pairs, level(effect, blocks.suite())),
        reason,
        verdict,
        effect: effect_found,
    };
    let level = level(effect, blocks.suite());
    let savings: Vec<f64> = pairs.differences_ms().iter().map(|d| 0.0 - d).collect();
    let from_median = describe::median(&pairs.first_ms());
    let (Some(saved), Some(from_median)) = (procedure.estimate(&savings, level), from_median)
    else {
        let reason = format!(
            "there is no block in which both gave the metric {}",
            contrast.metric
        );
        let nothing = "nothing measured".to_owned();
        return decision(nothing, reason, Verdict::Inconclusive, None);
    };
    let saved = snapped(saved);
    let limits = limits(effect, from_median);
    let found = DecidedEffect {
        from: contrast.from.clone(),
        to: contrast.to.clone(),
        metric: contrast.metric,
        saving_ms: saved,
        level: level.confidence(),
        from_median_ms: from_median,
        band_ms: Band {
            low: limits.low,
            high: limits.high,
        },
    };
    match saved.interval {
        None => {
            let needed = procedure.smallest_n(level) as u64;
            let reason = format!(
                "no interval yet: needs at least {}",
                words::count(needed, "block", "blocks")
            );
            let measured = words::saving(&saved, words::decimals_of(&saved));
            decision(measured, reason, Verdict::Inconclusive, Some(found))
        }
        Some(interval) => {
            let decided = match effect {
                Effect::MaxRegression(_) => regression::decide(&saved, &interval, &limits),
                _ => decide(&saved, &interval, &limits),
            };
            decision(
                decided.measured,
                decided.reason,
                decided.verdict,
                Some(found),
            )
        }
    }
}

/// The effect in CPU time, in words; only where there is an interval.
fn cpu(procedure: Procedure, pairs: &Pairs, level: Level) -> Option<String> {
    let savings: Vec<f64> = differences_ms(&pairs.cpu).iter().map(|d| 0.0 - d).collect();
    let saved = procedure.estimate(&savings, level)?;
    saved.interval?;
    Some(words::saving(&saved, words::decimals_of(&saved)))
}

/// Which interval decides.
fn level(effect: Effect, suite: &Suite) -> Level {
    match effect {
        // One false alarm among them is enough for a check to fail.
        Effect::MaxRegression(_) => regression::level(suite),
        Effect::SavesAbout { .. } | Effect::CostsAbout { .. } | Effect::None { .. } => Level::P90,
        Effect::SavesBetween { .. }
        | Effect::SavesAtLeast(_)
        | Effect::SavesAtMost(_)
        | Effect::CostsAtMost(_) => Level::P95,
    }
}

/// The claim in milliseconds saved.
fn limits(effect: Effect, from_median_ms: f64) -> Limits {
    let ms = |duration: std::time::Duration| duration.as_nanos() as f64 / 1e6;
    // 7 % of 100 is 7.000000000000001 in binary: bounds are meant to the nanosecond.
    let nanos = |value: f64| (value * 1e6).round() / 1e6;
    let within = |low: f64, high: f64, side, edges| Limits {
        low: Some(nanos(low)),
        high: Some(nanos(high)),
        side,
        edges,
    };
    match effect {
        Effect::SavesAbout { value, margin } => {
            let (value, margin) = (ms(value), margin.around_ms(ms(value)));
            within(value - margin, value + margin, Side::Saves, Edges::Given)
        }
        Effect::CostsAbout { value, margin } => {
            let (value, margin) = (ms(value), margin.around_ms(ms(value)));
            within(-value - margin, -value + margin, Side::Costs, Edges::Given)
        }
        Effect::SavesBetween { low, high } => within(ms(low), ms(high), Side::Saves, Edges::Given),
        Effect::SavesAtLeast(bound) => Limits {
            low: Some(nanos(ms(bound))),
            high: None,
            side: Side::Saves,
            edges: Edges::Given,
        },
        Effect::SavesAtMost(bound) => Limits {
            low: None,
            high: Some(nanos(ms(bound))),
            side: Side::Saves,
            edges: Edges::Given,
        },
        Effect::CostsAtMost(bound) => Limits {
            low: Some(0.0 - nanos(ms(bound))),
            high: None,
            side: Side::Costs,
            edges: Edges::Given,
        },
        Effect::MaxRegression(bound) => Limits {
            low: Some(0.0 - nanos(bound.get() * from_median_ms)),
            high: None,
            side: Side::Costs,
            edges: Edges::Computed,
        },
        Effect::None { margin } => {
            let edges = match margin {
                Margin::Relative(_) => Edges::Computed,
                Margin::Absolute(_) => Edges::Given,
            };
            let margin = margin.around_ms(from_median_ms);
            within(-margin, margin, Side::Neither, edges)
        }
    }
}

/// Ends of an interval are times or averages of two, so multiples of half a nanosecond; what
/// binary adds to that is taken away, so that "at least 80 ms" is not missed by 1e-14.
fn snapped(saved: Estimate) -> Estimate {
    let snap = |value: f64| {
        let scaled = value * 1e7;
        // Beyond 2⁵³ there is nothing to snap to.
        if scaled.abs() < 9e15 {
            scaled.round() / 1e7 + 0.0
        } else {
            value
        }
    };
    Estimate {
        estimate: snap(saved.estimate),
        interval: saved
            .interval
            .and_then(|interval| Interval::new(snap(interval.low()), snap(interval.high()))),
    }
}

/// The claim in words.
fn expected(effect: Effect, from: &str) -> String {
    let ms = |duration: std::time::Duration| {
        format!("{} ms", words::exact(duration.as_nanos() as f64 / 1e6))
    };
    let margin = |margin: Margin| match margin {
        Margin::Relative(fraction) => format!("{} %", words::exact(fraction.get() * 100.0)),
        Margin::Absolute(duration) => ms(duration),
    };
    match effect {
        Effect::SavesAbout { value, margin: m } => format!("saves {} ± {}", ms(value), margin(m)),
        Effect::CostsAbout { value, margin: m } => format!("costs {} ± {}", ms(value), margin(m)),
        Effect::SavesBetween { low, high } => {
            let low = words::exact(low.as_nanos() as f64 / 1e6);
            format!("saves {low} to {}", ms(high))
        }
        Effect::SavesAtLeast(bound) => format!("saves at least {}", ms(bound)),
        Effect::SavesAtMost(bound) => format!("saves at most {}", ms(bound)),
        Effect::CostsAtMost(bound) => format!("costs at most {}", ms(bound)),
        Effect::MaxRegression(bound) => format!(
            "costs less than {} % of {from}'s median",
            words::exact(bound.get() * 100.0)
        ),
        Effect::None {
            margin: m @ Margin::Relative(_),
        } => format!("no effect: within ± {} of {from}'s median", margin(m)),
        Effect::None { margin: m } => format!("no effect: within ± {}", margin(m)),
    }
}
