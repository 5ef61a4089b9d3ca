//! What can be said while a run is going on: how wide the intervals are, what is settled by them,
//! and what the headline is so far.
//!
//! By fixed-sample intervals a run stops by width, never by significance: to look at p-values until
//! one is small enough finds effects that aren't there. What decides is looked at by intervals that
//! are valid at every look ([`Procedure`]).

use std::fmt;

use super::blocks::{Blocks, Pairs};
use super::claims::on_effect;
use super::contrasts::{level, pairs};
use super::procedure::Procedure;
use super::words;
use crate::record::Launch;
use crate::stats::bounds::Verdict;
use crate::stats::interval::{Estimate, Level};
use crate::suite::{ContrastSpec, Expectation, Goal, Suite};

/// The half-width, as a share of an effect, at which it is clear.
const CLEAR_WITHIN: f64 = 0.1;

/// How well one contrast is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Width {
    pub contrast: ContrastSpec,
    /// Pairs so far.
    pub blocks: u32,
    /// √(high / low) − 1 of the ratio's simultaneous 95 % interval: 0.02 is ± 2 %. `None` while
    /// there is no interval.
    pub half_width: Option<f64>,
    pub standing: Standing,
}

/// Does a contrast need more blocks?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// It is not as precise as asked, but the interval of the effect is a tenth of it, or less, to either
    /// side: a first start that takes five times as long need not be known to 2 % as urgently.
    Clear,
    /// It is as precise, or as decided, as the suite asks.
    Settled,
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
    /// Is there nothing left that the run would go on for?
    pub fn is_settled(&self) -> bool {
        self.open().next().is_none()
    }

    /// The contrasts that need more blocks.
    pub fn open(&self) -> impl Iterator<Item = &Width> {
        let widths = self.widths.iter();
        widths.filter(|width| width.standing != Standing::Settled)
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
    let procedure = Procedure::of(suite);
    let widths = specs
        .iter()
        .map(|spec| {
            let level = level(&specs, spec.metric);
            let pairs = pairs_or_twin(&blocks, spec);
            let ratio = procedure.ratio(&pairs.both_ms(), level);
            Width {
                contrast: spec.clone(),
                blocks: pairs.times.len() as u32,
                half_width: ratio.as_ref().and_then(half_width),
                standing: standing(&blocks, spec, (&pairs, level), ratio.as_ref()),
            }
        })
        .collect();
    let mut interim = Interim {
        widths,
        headline: None,
    };
    let claimed = suite.claimed_contrasts().next();
    let asked = claimed.or(interim.widest().map(|width| &width.contrast));
    interim.headline = asked.and_then(|contrast| {
        let pairs = pairs_or_twin(&blocks, contrast);
        let level = level(&specs, contrast.metric);
        Some(Headline {
            contrast: contrast.clone(),
            blocks: pairs.times.len() as u32,
            shift_ms: procedure.estimate(&pairs.differences_ms(), level)?,
            ratio: procedure.ratio(&pairs.both_ms(), level)?,
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

/// What the suite's goal asks of a contrast with that ratio.
fn standing(
    blocks: &Blocks,
    spec: &ContrastSpec,
    (pairs, level): (&Pairs, Level),
    ratio: Option<&Estimate>,
) -> Standing {
    let suite = blocks.suite();
    let precision = suite.measure.precision.get();
    let is_clear = || {
        let shift = Procedure::of(suite).estimate(&pairs.differences_ms(), level);
        shift.is_some_and(|shift| {
            let width = shift.interval.map(|interval| interval.half_width());
            width.is_some_and(|width| width <= CLEAR_WITHIN * shift.estimate.abs())
        })
    };
    let is_settled = match suite.measure.until {
        Goal::Precise => ratio.and_then(half_width).is_some_and(|w| w <= precision),
        // What no claim names decides nothing.
        Goal::Decided if suite.claimed_contrasts().next().is_some() => {
            let mut claims = suite.claims.iter();
            claims.all(|claim| match &claim.expectation {
                Expectation::Contrast { contrast, effect } if contrast.is_between(spec) => {
                    on_effect(claim, contrast, *effect, blocks).verdict != Verdict::Inconclusive
                }
                Expectation::Contrast { .. } | Expectation::Receipt { .. } => true,
            })
        }
        Goal::Decided => ratio
            .and_then(|ratio| ratio.interval)
            .is_some_and(|interval| {
                let nearly_one =
                    1.0 / (1.0 + precision) <= interval.low() && interval.high() <= 1.0 + precision;
                nearly_one || !interval.contains(1.0)
            }),
    };
    if is_settled {
        Standing::Settled
    } else if is_clear() {
        Standing::Clear
    } else {
        Standing::Open
    }
}

/// √(high / low) − 1 of a ratio's interval.
pub fn half_width(ratio: &Estimate) -> Option<f64> {
    let interval = ratio.interval?;
    let width = (interval.high() / interval.low()).sqrt() - 1.0;
    width.is_finite().then_some(width)
}
