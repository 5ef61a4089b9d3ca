//! "No regression beyond 5 %": a cost against zero and against a bound.
//!
//! Two errors matter to whoever guards a branch: to let something pass that costs the bound or more,
//! and to stop something that costs nothing. With the cost's interval [l, h], its estimate c and the
//! bound b,
//!
//! ```text
//! no regression   h < b              the bound and all above it are excluded
//! regression      l > 0 and c ≥ b    no cost at all is excluded, and the estimate reaches the bound
//! inconclusive    otherwise
//! ```
//!
//! The interval is one of 90 %, so each error is made in at most 5 % of runs: at a cost of b or more
//! h < b is an interval that missed, and at no cost l > 0 is. "The whole interval lies above b" would
//! be the stronger statement; but of a change that costs just b it could be said in 5 % of runs at
//! most, however long they are, and the bound would mean much more than it says. In between (0 < cost < b)
//! neither answer is an error, and the estimate decides.
//!
//! Several guards are decided together: each interval is one of 1 − 0.10/m (Bonferroni), so that all
//! of them together raise a false alarm in at most 5 % of runs. That a bad one of them passes is no
//! likelier by that, but less.

use super::verdicts::{Decided, Limits};
use super::words;
use crate::stats::bounds::Verdict;
use crate::stats::interval::{Estimate, Interval, Level};
use crate::stats::multiple;
use crate::suite::{Effect, Expectation, Suite};

/// Of each interval, if so many are guarded together.
pub fn level_of(guards: usize) -> Level {
    multiple::bonferroni(Level::P90, guards)
}

/// The same for the guards among a suite's claims.
pub fn level(suite: &Suite) -> Level {
    let is_guard = |expectation: &Expectation| {
        matches!(
            expectation,
            Expectation::Contrast {
                effect: Effect::MaxRegression(_),
                ..
            }
        )
    };
    let claims = suite.claims.iter();
    level_of(claims.filter(|claim| is_guard(&claim.expectation)).count())
}

/// The rule, in whatever unit: supported means that there is no regression.
pub fn judge(cost: f64, low: f64, high: f64, bound: f64) -> Verdict {
    if high < bound {
        Verdict::Supported
    } else if low > 0.0 && cost >= bound {
        Verdict::Refuted
    } else {
        Verdict::Inconclusive
    }
}

/// The verdict on a saving, and its words, with as many decimals as it takes for them to agree.
pub fn decide(saved: &Estimate, interval: &Interval, limits: &Limits) -> Decided {
    let verdict = judge_saving(saved.estimate, interval, limits);
    let decimals = (words::decimals_of(saved)..=words::MOST_DECIMALS)
        .find(|&decimals| {
            let estimate = words::rounded(saved.estimate, decimals, words::Rounding::Nearest);
            let shown = words::outwards(*interval, decimals);
            judge_saving(estimate, &shown, &limits.shown(decimals)) == verdict
        })
        .unwrap_or(words::MOST_DECIMALS);
    let bound = words::exact(bound(&limits.shown(decimals)));
    Decided {
        verdict,
        measured: words::saving(saved, decimals),
        reason: match verdict {
            // "saves 14 ms, less than 4 ms for sure" would be about two things.
            Verdict::Supported if !words::costs(saved, decimals) => {
                format!("surely no cost of {bound} ms or more")
            }
            Verdict::Supported => format!("less than {bound} ms for sure"),
            Verdict::Refuted => {
                format!("more than nothing for sure, and {bound} ms or more as estimated")
            }
            Verdict::Inconclusive if interval.high() < 0.0 => {
                format!("more than nothing for sure, and perhaps more than {bound} ms")
            }
            Verdict::Inconclusive => {
                format!("it may cost nothing, and it may cost {bound} ms or more")
            }
        },
    }
}

fn judge_saving(saved: f64, interval: &Interval, limits: &Limits) -> Verdict {
    judge(
        0.0 - saved,
        0.0 - interval.high(),
        0.0 - interval.low(),
        bound(limits),
    )
}

/// The greatest cost, milliseconds.
fn bound(limits: &Limits) -> f64 {
    limits.low.map_or(f64::INFINITY, |low| 0.0 - low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::verdicts::{Edges, Side};

    #[test]
    fn what_may_cost_the_bound_does_not_pass_and_what_may_cost_nothing_is_no_regression() {
        let verdict = |cost, low, high| judge(cost, low, high, 5.0);
        assert_eq!(verdict(1.0, -1.0, 3.0), Verdict::Supported);
        assert_eq!(verdict(-9.0, -12.0, -8.0), Verdict::Supported);
        // It is slower for sure, and by less than the bound for sure.
        assert_eq!(verdict(3.0, 2.0, 4.0), Verdict::Supported);
        assert_eq!(verdict(5.0, 3.0, 7.0), Verdict::Refuted);
        assert_eq!(verdict(9.0, 8.0, 10.0), Verdict::Refuted);
        assert_eq!(verdict(4.0, 2.0, 6.0), Verdict::Inconclusive);
        assert_eq!(verdict(6.0, -1.0, 13.0), Verdict::Inconclusive);
        assert_eq!(verdict(1.0, -3.0, 5.0), Verdict::Inconclusive);
    }

    #[test]
    fn words_do_not_contradict_the_verdict() {
        let limits = Limits {
            low: Some(-5.0),
            high: None,
            side: Side::Costs,
            edges: Edges::Computed,
        };
        let decided = |estimate: f64, low, high| {
            let interval = Interval::new(low, high).unwrap();
            let estimate = Estimate {
                estimate,
                interval: Some(interval),
            };
            decide(&estimate, &interval, &limits)
        };
        let just = decided(-3.0, -4.96, -1.0);
        assert_eq!(just.verdict, Verdict::Supported);
        assert!(just.measured.contains("4.9"), "{just:?}");
        let slower = decided(-8.0, -12.0, -4.0);
        assert_eq!(slower.verdict, Verdict::Refuted);
        assert_eq!(slower.measured, "costs 8 ms [4, 12]");
    }
}
