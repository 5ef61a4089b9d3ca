//! One interval against one pair of limits: the verdict, and the words for it.
//!
//! Rounding must not contradict a verdict: from "saves 79.6 ms [79.2, 79.9]" against "at least
//! 80 ms" nobody should read "80 ms [79, 80]". So decimals are added until the figures as they
//! are printed, the interval rounded outwards, give the verdict that the figures themselves give.

use super::words;
use crate::stats::bounds::{Bounds, Verdict};
use crate::stats::interval::{Estimate, Interval};

/// What a claim allows, in milliseconds saved.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// `None`: anything below `high`.
    pub low: Option<f64>,
    /// `None`: anything above `low`.
    pub high: Option<f64>,
    pub side: Side,
    pub edges: Edges,
}

/// Does the claim speak of a saving, of a cost, or of no effect?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Saves,
    Costs,
    Neither,
}

/// Where the limits come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edges {
    /// The suite gives them: they are printed as they are.
    Given,
    /// They are a share of something measured: they are rounded like a measurement.
    Computed,
}

/// A verdict and its words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub verdict: Verdict,
    /// "saves 27 ms [24, 30]"
    pub measured: String,
    /// "less than 80 ms"
    pub reason: String,
}

/// Decides. The estimate's interval is given apart, as there must be one.
pub fn decide(saved: &Estimate, interval: &Interval, limits: &Limits) -> Decided {
    let verdict = limits.judge(interval);
    let decimals = (words::decimals_of(saved)..=words::MOST_DECIMALS)
        .find(|&decimals| {
            let shown = limits.shown(decimals);
            shown.judge(&words::outwards(*interval, decimals)) == verdict
        })
        .unwrap_or(words::MOST_DECIMALS);
    let claim = limits.shown(decimals);
    Decided {
        verdict,
        measured: words::saving(saved, decimals),
        reason: claim.reason(saved, interval, verdict, decimals),
    }
}

impl Limits {
    /// The verdict on an interval.
    pub fn judge(&self, interval: &Interval) -> Verdict {
        let bounds = match (self.low, self.high) {
            (Some(low), Some(high)) => Bounds::Within { low, high },
            (Some(low), None) => Bounds::AtLeast(low),
            (None, Some(high)) => Bounds::AtMost(high),
            // Nothing is claimed; no suite says so.
            (None, None) => return Verdict::Inconclusive,
        };
        bounds.judge(interval)
    }

    /// The limits as they are printed beside figures of that many decimals.
    pub(super) fn shown(&self, decimals: usize) -> Self {
        let round = |edge: f64| match self.edges {
            Edges::Given => edge,
            Edges::Computed => {
                let decimals = decimals.max(words::decimals_of_size(edge));
                words::rounded(edge, decimals, words::Rounding::Nearest)
            }
        };
        Self {
            low: self.low.map(round),
            high: self.high.map(round),
            ..*self
        }
    }

    fn reason(
        &self,
        saved: &Estimate,
        interval: &Interval,
        verdict: Verdict,
        decimals: usize,
    ) -> String {
        if self.side == Side::Neither {
            return self.reason_for_no_effect(interval, verdict);
        }
        // Said from the claim's side: a limit of −15 ms saved is one of 15 ms cost.
        let (low, high, reaches_below, reaches_above) = match self.side {
            Side::Costs => {
                let mirror = |edge: Option<f64>| edge.map(|edge| 0.0 - edge);
                let (below, above) = self.reaches(interval);
                (mirror(self.high), mirror(self.low), above, below)
            }
            _ => {
                let (below, above) = self.reaches(interval);
                (self.low, self.high, below, above)
            }
        };
        let ms = |edge: Option<f64>| edge.map_or(String::new(), words::exact);
        let measured_costs = words::costs(saved, decimals);
        // "costs 12 ms: less than 80 ms" would be read as a cost of less than 80 ms.
        let verb = match (self.side, measured_costs) {
            (Side::Saves, true) => "saves ",
            (Side::Costs, false) => "costs ",
            _ => "",
        };
        match (verdict, low, high) {
            (Verdict::Supported, Some(_), Some(_)) => {
                format!("{verb}between {} and {} ms", ms(low), ms(high))
            }
            (Verdict::Supported, _, None) => format!("{verb}at least {} ms", ms(low)),
            (Verdict::Supported, None, _) => format!("{verb}at most {} ms", ms(high)),
            (Verdict::Refuted, ..) if reaches_below == Reach::Beyond => {
                format!("{verb}less than {} ms", ms(low))
            }
            (Verdict::Refuted, ..) => format!("{verb}more than {} ms", ms(high)),
            (Verdict::Inconclusive, ..) => {
                let below = format!("below {} ms", ms(low));
                let above = format!("above {} ms", ms(high));
                let kind = match self.side {
                    Side::Costs if !measured_costs => " of the cost",
                    Side::Saves if measured_costs => " of the saving",
                    _ => "",
                };
                let ends = match (reaches_below, reaches_above) {
                    (Reach::Beyond, Reach::Beyond) => format!("{below} and {above}"),
                    (Reach::Beyond, Reach::Within) => below,
                    _ => above,
                };
                format!("the interval{kind} reaches {ends}")
            }
        }
    }

    fn reason_for_no_effect(&self, interval: &Interval, verdict: Verdict) -> String {
        let edge = words::exact(self.high.unwrap_or(0.0));
        match verdict {
            Verdict::Supported => format!("at most {edge} ms either way"),
            Verdict::Refuted if interval.low() > 0.0 => format!("saves more than {edge} ms"),
            Verdict::Refuted => format!("costs more than {edge} ms"),
            Verdict::Inconclusive => match self.reaches(interval) {
                (Reach::Beyond, Reach::Beyond) => {
                    format!("the interval reaches beyond ± {edge} ms on both sides")
                }
                (Reach::Beyond, Reach::Within) => {
                    format!("the interval reaches beyond a cost of {edge} ms")
                }
                _ => format!("the interval reaches beyond a saving of {edge} ms"),
            },
        }
    }

    /// Does the interval reach below and above the limits?
    fn reaches(&self, interval: &Interval) -> (Reach, Reach) {
        let reach = |beyond| if beyond { Reach::Beyond } else { Reach::Within };
        (
            reach(self.low.is_some_and(|low| interval.low() < low)),
            reach(self.high.is_some_and(|high| interval.high() > high)),
        )
    }
}

/// How far an interval goes in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Within,
    Beyond,
}

/// The verdict's word in `summary.json`.
pub fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "supported",
        Verdict::Refuted => "refuted",
        Verdict::Inconclusive => "inconclusive",
    }
}
