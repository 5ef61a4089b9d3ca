//! Paired effects: each scenario against the baseline, and the pairs that claims name.
//!
//! Per block dᵢ = scenario − baseline, and ln(scenario / baseline). Estimates are the
//! Hodges-Lehmann pseudomedian of the dᵢ, and exp of that of the logarithms (of a run that stopped
//! when decided: see [`Procedure`]). The intervals of a
//! metric's contrasts hold at 95 % together (Bonferroni: each at 1 − 0.05/m), and the p-values
//! are Holm's over the same contrasts.

use rayon::prelude::*;

use super::blocks::{Blocks, Pairs, differences_ms};
use super::model::{Contrast, Pairing};
use super::procedure::Procedure;
use crate::stats::interval::Level;
use crate::stats::multiple;
use crate::suite::{ContrastSpec, Metric};

/// The contrasts of a run, in the suite's order. One without a single pair is left out.
pub fn contrasts(blocks: &Blocks) -> Vec<Contrast> {
    let specs = blocks.suite().contrasts();
    let mut found: Vec<Contrast> = specs
        .par_iter()
        .filter_map(|spec| contrast(blocks, spec, level(&specs, spec.metric)))
        .collect();
    for &metric in &blocks.suite().measure.metrics {
        let planned = specs.iter().filter(|spec| spec.metric == metric).count();
        adjust(&mut found, metric, planned);
    }
    found
}

/// The level of each interval of a metric, so that all of them hold at 95 % together.
pub fn level(specs: &[ContrastSpec], metric: Metric) -> Level {
    let together = specs.iter().filter(|spec| spec.metric == metric).count();
    multiple::bonferroni(Level::P95, together)
}

/// The twin against the baseline for each metric, 95 % by itself. Baseline and scenario carry
/// the same name there: they are the same scenario.
pub fn noise_floor(blocks: &Blocks) -> Vec<Contrast> {
    let baseline = &blocks.suite().measure.baseline;
    let (Some(itself), Some(twin)) = (blocks.arm(baseline), blocks.twin()) else {
        return Vec::new();
    };
    let metrics = blocks.suite().measure.metrics.iter();
    metrics
        .filter_map(|&metric| {
            let spec = ContrastSpec {
                from: baseline.clone(),
                to: baseline.clone(),
                metric,
            };
            let pairs = blocks.pairs(itself, twin, metric);
            from_pairs(Procedure::of(blocks.suite()), &spec, &pairs, Level::P95)
        })
        .collect()
}

fn contrast(blocks: &Blocks, spec: &ContrastSpec, level: Level) -> Option<Contrast> {
    let procedure = Procedure::of(blocks.suite());
    from_pairs(procedure, spec, &pairs(blocks, spec), level)
}

/// The pairs of a contrast; none when it names a scenario that isn't there.
pub fn pairs(blocks: &Blocks, spec: &ContrastSpec) -> Pairs {
    match (blocks.arm(&spec.from), blocks.arm(&spec.to)) {
        (Some(from), Some(to)) => blocks.pairs(from, to, spec.metric),
        _ => Pairs::default(),
    }
}

/// The p-value is not adjusted yet.
fn from_pairs(
    procedure: Procedure,
    spec: &ContrastSpec,
    pairs: &Pairs,
    level: Level,
) -> Option<Contrast> {
    let differences = pairs.differences_ms();
    Some(Contrast {
        baseline: spec.from.clone(),
        scenario: spec.to.clone(),
        metric: spec.metric,
        blocks: differences.len() as u32,
        shift_ms: procedure.estimate(&differences, level)?,
        ratio: procedure.ratio(&pairs.both_ms(), level)?,
        cpu_shift_ms: procedure.estimate(&differences_ms(&pairs.cpu), level),
        p_value: procedure.p_value(&differences)?,
        pairing: Pairing::Paired,
        differences_ms: differences,
        differences_in: pairs.blocks.clone(),
    })
}

/// Holm's adjustment over a metric's planned contrasts. One that could not be computed counts
/// as if it had shown nothing: it must not make the others look better.
pub fn adjust(contrasts: &mut [Contrast], metric: Metric, planned: usize) {
    let mut of_metric: Vec<&mut f64> = contrasts
        .iter_mut()
        .filter(|contrast| contrast.metric == metric)
        .map(|contrast| &mut contrast.p_value)
        .collect();
    let mut p_values: Vec<f64> = of_metric.iter().map(|p_value| **p_value).collect();
    p_values.resize(planned.max(p_values.len()), 1.0);
    if let Some(adjusted) = multiple::holm(&p_values) {
        for (p_value, adjusted) in of_metric.iter_mut().zip(adjusted) {
            **p_value = adjusted;
        }
    }
}
