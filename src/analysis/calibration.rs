//! What a machine can resolve, from a record whose effects are known.
//!
//! The blocks of one long run are cut into stretches, and each stretch is taken for a run of its own.
//! The twin against the baseline, which differ by nothing, shows how often an effect is seen that is
//! not there; the other scenarios show how often an interval holds the effect, and those whose effect a
//! claim gives (`costs`) by how much estimates are off.

use super::blocks::{Blocks, Pairs};
use super::contrasts::pairs;
use super::interim::half_width;
use crate::record::{Arm, Record};
use crate::stats::describe;
use crate::stats::hodges_lehmann;
use crate::stats::interval::{Estimate, Interval, Level};
use crate::stats::proportion::Proportion;
use crate::suite::{ContrastSpec, Effect, Expectation, LaunchKind, Metric};

/// Blocks of a stretch.
const SIZES: [u32; 4] = [20, 40, 80, 160];
/// The stretches in which known effects are looked for.
const KNOWN_IN: u32 = 20;
/// What is foretold is foretold for so long a run.
const FORETOLD_S: f64 = 60.0;
/// An effect of this many half-widths lies outside its interval in four of five runs:
/// (1.96 + 0.84) / 1.96, the normal's quantiles of 97.5 % and 80 %.
const POWER_80: f64 = 1.43;

/// What was found out.
#[derive(Debug, Clone)]
pub struct Calibration {
    pub metric: Metric,
    /// The baseline's median, milliseconds.
    pub baseline_ms: f64,
    /// Blocks with baseline and twin.
    pub blocks: u32,
    /// What one block of a comparison of two scenarios takes, its twin included, seconds.
    pub block_s: f64,
    /// By the length of a stretch; those that are too long for the record are left out.
    pub stretches: Vec<Stretch>,
    pub known: Vec<Known>,
    pub foretold: Option<Foretold>,
}

/// Runs of one length, all of them of the same app against itself.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    pub blocks: u32,
    /// How long a comparison of two scenarios for so many blocks takes.
    pub seconds: f64,
    /// Intervals of 95 % that leave zero out.
    pub false_alarms: Proportion,
    /// Median of the ratios' half-widths: 0.02 is ± 2 %.
    pub half_width: Option<f64>,
}

/// A scenario whose effect is known, or was found with all blocks.
#[derive(Debug, Clone)]
pub struct Known {
    pub scenario: String,
    pub truth: Truth,
    /// With all blocks, milliseconds.
    pub found_ms: Estimate,
    /// Intervals of 95 % of short stretches that hold the effect by all blocks: in milliseconds for a
    /// time that is given, and as a ratio for work, whose milliseconds change with the machine's speed.
    pub coverage: Proportion,
    /// Intervals of the same stretches that hold the true effect, bias and all; where it is given.
    pub holds_true: Option<Proportion>,
}

impl Known {
    /// How far the estimate from all blocks is off, milliseconds. By definition nothing where there is
    /// no other truth than that.
    pub fn bias_ms(&self) -> Estimate {
        let off = |ms: f64| ms - self.truth.ms();
        let interval = self.found_ms.interval;
        Estimate {
            estimate: off(self.found_ms.estimate),
            interval: interval.and_then(|i| Interval::new(off(i.low()), off(i.high()))),
        }
    }
}

/// Where the true effect comes from, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Truth {
    /// A claim gives it.
    Given(f64),
    /// There is nothing but the estimate from all blocks.
    Found(f64),
}

impl Truth {
    /// The effect, milliseconds.
    pub fn ms(self) -> f64 {
        match self {
            Self::Given(ms) | Self::Found(ms) => ms,
        }
    }
}

/// How far two scenarios must lie apart to be told apart in a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Foretold {
    pub blocks: u32,
    /// As a share: 0.014 is 1.4 %. Found in four of five runs.
    pub share: f64,
}

/// Calibrates by the first metric of a record. `None` where the baseline and its twin have no block in
/// common.
pub fn calibrate(record: &Record) -> Option<Calibration> {
    let blocks = Blocks::new(&record.suite, &record.launches);
    let &metric = record.suite.measure.metrics.first()?;
    let (baseline, twin) = (blocks.arm(&record.suite.measure.baseline)?, blocks.twin()?);
    let twins = blocks.pairs(baseline, twin, metric);
    let baseline_ms = describe::median(&twins.first_ms())?;
    let kinds = record.suite.launch_kinds();
    let block_s = 3.0
        * kinds
            .iter()
            .map(|&kind| launch_s(&blocks, [baseline, twin], kind) + overhead_s(record))
            .sum::<f64>();
    let stretches: Vec<Stretch> = SIZES
        .into_iter()
        .filter(|&size| twins.times.len() >= size as usize)
        .map(|size| stretch(&twins, size, block_s))
        .collect();
    let specs = record.suite.contrasts();
    let scenarios = specs
        .iter()
        .filter(|spec| spec.metric == metric && spec.from == record.suite.measure.baseline);
    Some(Calibration {
        metric,
        baseline_ms,
        blocks: twins.times.len() as u32,
        block_s,
        known: scenarios
            .filter_map(|spec| known(record, spec, &pairs(&blocks, spec)))
            .collect(),
        foretold: foretold(&twins, block_s),
        stretches,
    })
}

/// What a launch of these arms takes on average until it is gone, seconds. A server is ready earlier.
fn launch_s(blocks: &Blocks, arms: [Arm; 2], kind: LaunchKind) -> f64 {
    let launches = arms.iter().flat_map(|arm| blocks.launches(*arm, kind));
    let walls: Vec<f64> = launches.map(|l| l.times.wall.as_secs_f64()).collect();
    walls.iter().sum::<f64>() / walls.len().max(1) as f64
}

/// What a launch takes besides its own time, seconds: resetting its stage, looking for pycs.
fn overhead_s(record: &Record) -> f64 {
    let launched: f64 = record
        .launches
        .iter()
        .map(|l| l.times.wall.as_secs_f64())
        .sum();
    let elapsed = match (&record.end, record.launches.last()) {
        (Some(end), _) => end.elapsed_s,
        (None, Some(last)) => (last.at + last.times.wall).as_secs_f64(),
        (None, None) => 0.0,
    };
    ((elapsed - launched) / record.launches.len().max(1) as f64).max(0.0)
}

fn stretch(twins: &Pairs, size: u32, block_s: f64) -> Stretch {
    let differences = twins.differences_ms();
    let runs = || differences.chunks_exact(size as usize);
    let widths: Vec<f64> = twins
        .both_ms()
        .chunks_exact(size as usize)
        .filter_map(relative_half_width)
        .collect();
    Stretch {
        blocks: size,
        seconds: f64::from(size) * block_s,
        false_alarms: Proportion::count(
            runs()
                .filter_map(interval)
                .map(|interval| !interval.contains(0.0)),
        ),
        half_width: describe::median(&widths),
    }
}

fn known(record: &Record, spec: &ContrastSpec, pairs: &Pairs) -> Option<Known> {
    let differences = pairs.differences_ms();
    let found_ms = hodges_lehmann::estimate(&differences, Level::P95)?;
    let claimed = record
        .suite
        .claims
        .iter()
        .find_map(|claim| match &claim.expectation {
            Expectation::Contrast {
                contrast,
                effect: Effect::CostsAbout { value, .. },
            } if contrast == spec => Some(value.as_secs_f64() * 1e3),
            Expectation::Contrast { .. } | Expectation::Receipt { .. } => None,
        });
    let runs = || differences.chunks_exact(KNOWN_IN as usize);
    let holding = |ms: f64| {
        let intervals = runs().filter_map(interval);
        Proportion::count(intervals.map(|interval| interval.contains(ms)))
    };
    let coverage = match claimed {
        Some(_) => holding(found_ms.estimate),
        None => {
            let both = pairs.both_ms();
            let ratio = hodges_lehmann::ratio(&both, Level::P95)?.estimate;
            let intervals = both
                .chunks_exact(KNOWN_IN as usize)
                .filter_map(|run| hodges_lehmann::ratio(run, Level::P95)?.interval);
            Proportion::count(intervals.map(|interval| interval.contains(ratio)))
        }
    };
    Some(Known {
        scenario: spec.to.clone(),
        truth: claimed.map_or(Truth::Found(found_ms.estimate), Truth::Given),
        found_ms,
        coverage,
        holds_true: claimed.map(holding),
    })
}

/// From stretches as long as the foretold run, or else from the whole record: the width of an interval
/// falls with the square root of the number of blocks.
fn foretold(twins: &Pairs, block_s: f64) -> Option<Foretold> {
    let pairs = twins.both_ms();
    let blocks = (FORETOLD_S / block_s).floor();
    let size = (blocks as usize).clamp(1, pairs.len().max(1));
    let widths: Vec<f64> = pairs
        .chunks_exact(size)
        .filter_map(relative_half_width)
        .collect();
    let width = describe::median(&widths)? * (size as f64 / blocks).sqrt();
    (blocks >= 1.0).then_some(Foretold {
        blocks: blocks as u32,
        share: POWER_80 * width,
    })
}

fn interval(differences: &[f64]) -> Option<Interval> {
    hodges_lehmann::estimate(differences, Level::P95)?.interval
}

fn relative_half_width(pairs: &[(f64, f64)]) -> Option<f64> {
    half_width(&hodges_lehmann::ratio(pairs, Level::P95)?)
}
