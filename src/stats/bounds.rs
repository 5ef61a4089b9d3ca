//! Claims: an interval held against bounds, with three possible verdicts.
//!
//! Which interval to pass. "About X" and "no effect" are claims of *equivalence*. Two one-sided
//! tests at α each, of "the effect is below the lower bound" and "above the upper bound", both
//! reject exactly when the 1 − 2α interval lies within the bounds: so the interval to pass for a
//! test at 5 % is the **90 %** one, not the 95 %, and the error rate is still 5 % and not 10 %,
//! as at any true effect only one of the two nulls can be true.
//! Source: Schuirmann (1987), "A comparison of the two one-sided tests procedure and the power
//! approach", J. Pharmacokinetics and Biopharmaceutics 15, 657–680.
//! One-sided claims ("at least", "at most") look at one end only, so the 90 % interval gives
//! them, too, an error rate of 5 % a side. [`equivalence_level`] computes the level.

use super::interval::{Interval, Level};

/// What the data say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every effect in the interval agrees with the claim.
    Supported,
    /// No effect in the interval agrees with the claim.
    Refuted,
    /// Some do, some don't: more data, or a wider claim, is needed. Never read as "equal".
    Inconclusive,
}

/// What a claim says of an effect, in the effect's own unit. All bounds are closed.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bounds {
    /// "About X" and "between X and Y": low ≤ effect ≤ high.
    Within {
        /// The smallest effect that agrees with the claim.
        low: f64,
        /// The largest effect that agrees with the claim.
        high: f64,
    },
    /// effect ≥ the bound.
    AtLeast(f64),
    /// effect ≤ the bound.
    AtMost(f64),
}

/// The level 1 − 2α of the interval whose lying within the bounds is the pair of one-sided tests
/// at α: 90 % for α = 0.05. `None` unless 0 < α < ½.
pub fn equivalence_level(alpha: f64) -> Option<Level> {
    Level::from_alpha(2.0 * alpha)
}

impl Bounds {
    /// "About `target`": target ± margin. `None` when either isn't finite, or margin < 0.
    pub fn about(target: f64, margin: f64) -> Option<Self> {
        if margin >= 0.0 {
            Self::between(target - margin, target + margin)
        } else {
            None
        }
    }

    /// "Between `low` and `high`". `None` unless both are finite and low ≤ high.
    pub fn between(low: f64, high: f64) -> Option<Self> {
        let interval = Interval::new(low, high)?;
        Some(Self::Within {
            low: interval.low(),
            high: interval.high(),
        })
    }

    /// The interval against the bounds: wholly inside → supported; wholly outside → refuted;
    /// otherwise inconclusive.
    ///
    /// At the boundary: bounds and interval are both closed, so an interval that reaches exactly
    /// to a bound from inside is inside, and one that touches a bound from outside shares a point
    /// with the claim and is inconclusive. Bounds that nothing can satisfy (a NaN, or low > high,
    /// which the constructors refuse) are always inconclusive.
    pub fn judge(&self, interval: &Interval) -> Verdict {
        let (low, high) = match *self {
            Self::Within { low, high } => (low, high),
            Self::AtLeast(low) => (low, f64::INFINITY),
            Self::AtMost(high) => (f64::NEG_INFINITY, high),
        };
        // `low <= high` guards the second branch alone: a NaN bound makes every comparison false,
        // but upside-down bounds have everything outside.
        let possible = low <= high;
        if low <= interval.low() && interval.high() <= high {
            Verdict::Supported
        } else if possible && (interval.high() < low || high < interval.low()) {
            Verdict::Refuted
        } else {
            Verdict::Inconclusive
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bounds, Verdict, equivalence_level};
    use crate::stats::interval::{Interval, Level};

    fn judged(bounds: Bounds, low: f64, high: f64) -> Verdict {
        bounds.judge(&Interval::new(low, high).unwrap())
    }

    #[test]
    fn an_interval_inside_the_bounds_supports_the_claim() {
        let about = Bounds::about(100.0, 20.0).unwrap();
        assert_eq!(judged(about, 90.0, 110.0), Verdict::Supported);
        assert_eq!(judged(Bounds::AtLeast(5.0), 6.0, 1e300), Verdict::Supported);
        assert_eq!(judged(Bounds::AtMost(5.0), -1e300, 4.0), Verdict::Supported);
    }

    #[test]
    fn an_interval_wholly_outside_refutes_it() {
        let about = Bounds::about(100.0, 20.0).unwrap();
        assert_eq!(judged(about, 60.0, 79.9), Verdict::Refuted);
        assert_eq!(judged(about, 120.1, 130.0), Verdict::Refuted);
        assert_eq!(judged(Bounds::AtLeast(5.0), 3.0, 4.0), Verdict::Refuted);
        assert_eq!(judged(Bounds::AtMost(5.0), 6.0, 7.0), Verdict::Refuted);
    }

    #[test]
    fn an_interval_across_a_bound_or_around_both_decides_nothing() {
        let about = Bounds::about(100.0, 20.0).unwrap();
        assert_eq!(judged(about, 70.0, 100.0), Verdict::Inconclusive);
        assert_eq!(judged(about, 70.0, 130.0), Verdict::Inconclusive);
        assert_eq!(
            judged(Bounds::AtLeast(5.0), 4.0, 6.0),
            Verdict::Inconclusive
        );
        assert_eq!(judged(Bounds::AtMost(5.0), 4.0, 6.0), Verdict::Inconclusive);
    }

    #[test]
    fn reaching_a_bound_from_inside_supports_and_touching_it_from_outside_decides_nothing() {
        let between = Bounds::between(1.0, 2.0).unwrap();
        assert_eq!(judged(between, 1.0, 2.0), Verdict::Supported);
        assert_eq!(judged(between, 0.0, 1.0), Verdict::Inconclusive);
        assert_eq!(judged(between, 2.0, 3.0), Verdict::Inconclusive);
        assert_eq!(judged(Bounds::AtLeast(5.0), 5.0, 6.0), Verdict::Supported);
        assert_eq!(
            judged(Bounds::AtLeast(5.0), 4.0, 5.0),
            Verdict::Inconclusive
        );
        assert_eq!(judged(Bounds::AtMost(5.0), 4.0, 5.0), Verdict::Supported);
        assert_eq!(judged(Bounds::AtMost(5.0), 5.0, 6.0), Verdict::Inconclusive);
    }

    #[test]
    fn impossible_bounds_are_refused_and_never_refute() {
        assert_eq!(Bounds::between(2.0, 1.0), None);
        assert_eq!(Bounds::about(1.0, -1.0), None);
        assert_eq!(Bounds::about(f64::NAN, 1.0), None);
        assert_eq!(Bounds::about(1.0, f64::NAN), None);
        let upside_down = Bounds::Within {
            low: 2.0,
            high: 1.0,
        };
        assert_eq!(judged(upside_down, 5.0, 6.0), Verdict::Inconclusive);
        assert_eq!(
            judged(Bounds::AtLeast(f64::NAN), 5.0, 6.0),
            Verdict::Inconclusive
        );
    }

    #[test]
    fn one_sided_tests_at_five_percent_take_the_ninety_percent_interval() {
        let level = equivalence_level(0.05).unwrap();
        assert!((level.alpha() - Level::P90.alpha()).abs() < 1e-15);
        assert_eq!(equivalence_level(0.5), None);
    }
}
