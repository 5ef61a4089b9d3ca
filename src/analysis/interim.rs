//! What can be said while a run is going on: how wide the intervals are, and what the headline
//! is so far.
//!
//! A run stops by width, never by significance: to look at p-values until one is small enough
//! finds effects that aren't there.

use std::fmt;

use super::blocks::{Blocks, Pairs};
use super::contrasts::{level, pairs};
use super::words;
use crate::record::Launch;
use crate::stats::hodges_lehmann;
use crate::stats::interval::{Estimate, Level};
use crate::suite::{ContrastSpec, Expectation, Suite};

/// How well one contrast is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Width {
    pub contrast: ContrastSpec,
    /// Pairs so far.
    pub blocks: u32,
    /// √(high / low) − 1 of the ratio's simultaneous 95 % interval: 0.02 is ± 2 %. `None` while
    /// there is no interval.
    pub half_width: Option<f64>,
}

/// How far a run has come.
#[derive(Debug, Clone, PartialEq)]
pub struct Interim {
    /// Of all contrasts, in the suite's order.
    pub widths: Vec<Width>,
    /// `None` before the first pair.
    pub headline: Option<Headline>,
}

/// The contrast that is asked for first, so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Headline {
    pub contrast: ContrastSpec,
    /// Pairs so far.
    pub blocks: u32,
    /// Milliseconds, `to` minus `from`: negative is faster. The interval is as wide as the one
    /// that the stopping rule looks at.
    pub shift_ms: Estimate,
    /// `to` over `from`.
    pub ratio: Estimate,
}

impl Interim {
    /// Is every contrast known to ± `precision` (0.02 for 2 %)? Not while one has no interval.
    pub fn is_within(&self, precision: f64) -> bool {
        let narrow = |width: &Width| width.half_width.is_some_and(|w| w <= precision);
        !self.widths.is_empty() && self.widths.iter().all(narrow)
    }

    /// The contrast that is known worst: one without an interval is worse than any, and of equals
    /// it is the first.
    pub fn widest(&self) -> Option<&Width> {
        let size = |width: &&Width| width.half_width.unwrap_or(f64::INFINITY);
        // `max_by` would take the last of equals.
        let backwards = self.widths.iter().rev();
        backwards.max_by(|a, b| size(a).total_cmp(&size(b)))
    }
}

/// "saves 27 ms [24, 30]: prefix-warm against vps-before (ready)", for a line of progress: what
/// matters comes first, as a narrow terminal cuts off the end.
impl fmt::Display for Interim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(headline) = &self.headline else {
            return formatter.write_str("nothing to compare yet");
        };
        let ContrastSpec { from, to, metric } = &headline.contrast;
        let saved = words::mirrored(&headline.shift_ms);
        let saving = words::saving(&saved, words::decimals_of(&saved));
        if from == to {
            write!(formatter, "{saving}: {to}'s twin ({metric})")
        } else {
            write!(formatter, "{saving}: {to} against {from} ({metric})")
        }
    }
}

/// How far a run has come, from its launches so far. A suite of one scenario has no contrast:
/// there it is the twin against the baseline that has to become narrow.
///
/// The headline is the contrast of the first claim that has one, else the one that is known worst.
pub fn interim(suite: &Suite, launches: &[Launch]) -> Interim {
    let blocks = Blocks::new(suite, launches);
    let mut specs = suite.contrasts();
    if specs.is_empty() {
        let baseline = &suite.measure.baseline;
        let metrics = suite.measure.metrics.iter();
        specs = metrics
            .map(|&metric| ContrastSpec {
                from: baseline.clone(),
                to: baseline.clone(),
                metric,
            })
            .collect();
    }
    let widths = specs
        .iter()
        .map(|spec| {
            let level = level(&specs, spec.metric);
            width(spec, &pairs_or_twin(&blocks, spec), level)
        })
        .collect();
    let mut interim = Interim {
        widths,
        headline: None,
    };
    let claimed = suite.claims.iter().find_map(|claim| {
        let Expectation::Contrast { contrast, .. } = &claim.expectation else {
            return None;
        };
        Some(contrast)
    });
    let asked = claimed.or(interim.widest().map(|width| &width.contrast));
    interim.headline = asked.and_then(|contrast| {
        let pairs = pairs_or_twin(&blocks, contrast);
        let level = level(&specs, contrast.metric);
        Some(Headline {
            contrast: contrast.clone(),
            blocks: pairs.times.len() as u32,
            shift_ms: hodges_lehmann::estimate(&pairs.differences_ms(), level)?,
            ratio: hodges_lehmann::ratio(&pairs.both_ms(), level)?,
        })
    });
    interim
}

/// The pairs of a contrast; of a scenario with itself, those with its twin.
fn pairs_or_twin(blocks: &Blocks, spec: &ContrastSpec) -> Pairs {
    match (spec.from == spec.to, blocks.arm(&spec.from), blocks.twin()) {
        (true, Some(itself), Some(twin)) => blocks.pairs(itself, twin, spec.metric),
        _ => pairs(blocks, spec),
    }
}

fn width(spec: &ContrastSpec, pairs: &Pairs, level: Level) -> Width {
    Width {
        contrast: spec.clone(),
        blocks: pairs.times.len() as u32,
        half_width: hodges_lehmann::ratio(&pairs.both_ms(), level)
            .as_ref()
            .and_then(half_width),
    }
}

/// √(high / low) − 1 of a ratio's interval.
pub fn half_width(ratio: &Estimate) -> Option<f64> {
    let interval = ratio.interval?;
    let width = (interval.high() / interval.low()).sqrt() - 1.0;
    width.is_finite().then_some(width)
}
