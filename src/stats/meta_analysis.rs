//! One effect from several hosts: random-effects meta-analysis.
//!
//! Each of k groups (hosts) has an estimate yᵢ of its own true effect θᵢ, with a standard error sᵢ. The
//! true effects vary around μ with variance τ²: yᵢ ~ (μ, sᵢ² + τ²). With weights wᵢ = 1/(sᵢ² + τ²),
//!
//! - μ̂ = Σwᵢyᵢ / Σwᵢ.
//! - **τ²** is Paule and Mandel's: the root of Σwᵢ(yᵢ − μ̂)² = k − 1, which falls as τ² grows; 0 where
//!   it is below k − 1 at τ² = 0 already. The root is at most Σ(yᵢ − ȳ)²/(k − 1): there wᵢ ≤ 1/τ², so the
//!   sum is at most Σ(yᵢ − ȳ)²/τ² = k − 1. So bisection finds it. Source: Paule & Mandel (1982),
//!   "Consensus values and weighting factors", Journal of Research of the National Bureau of Standards 87,
//!   377–385.
//! - The **interval** of μ is μ̂ ± t(k − 1)·√(max(1, q)/Σwᵢ) with q = Σwᵢ(yᵢ − μ̂)²/(k − 1): Hartung and
//!   Knapp's, not allowed to be narrower than one without q. Paule and Mandel's τ² makes q = 1, or leaves
//!   it below where τ² = 0; so the greater of 1 and q is always 1, and drops out here. Source: Hartung &
//!   Knapp (2001), "A refined method for the meta-analysis of controlled clinical trials with binary outcome",
//!   Statistics in Medicine 20, 3875–3889.
//! - The **prediction interval**, in which the true effect of a further group lies, is
//!   μ̂ ± t(k − 1)·√(1/Σwᵢ + τ²), from three groups on. Source: Higgins, Thompson & Spiegelhalter (2009),
//!   "A re-evaluation of random-effects meta-analysis", Journal of the Royal Statistical Society A 172, 137–159.
//!   They take t(k − 2), which with three groups is twelve times the scatter, and says nothing; t(k − 1) is what the
//!   mean's interval takes. `tests/stats_simulations.rs` has what it covers.
//! - **Q** = Σ(yᵢ − μ̂₀)²/sᵢ² with the weights of τ² = 0 has a χ²(k − 1) distribution if all true effects are
//!   the same. Source: Cochran (1954), "The combination of estimates from different experiments",
//!   Biometrics 10, 101–129.
//! - **I²** = max(0, (Q − (k − 1))/Q): the share of the scatter that chance does not explain. Source: Higgins &
//!   Thompson (2002), "Quantifying heterogeneity in a meta-analysis", Statistics in Medicine 21, 1539–1558.

use statrs::distribution::{ChiSquared, ContinuousCDF, StudentsT};

use super::interval::{Interval, Level};

/// Halvings until a bracket is as narrow as a float.
const HALVINGS: u32 = 200;

/// Of two groups the scatter is hardly known.
const FEWEST_TO_PREDICT: usize = 3;

/// What one group says of the effect.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupEffect {
    /// In any unit.
    pub estimate: f64,
    /// In the same unit.
    pub standard_error: f64,
}

impl GroupEffect {
    /// From an interval of n independent values, as if it were the estimate ± t(n − 1)·s: s is its
    /// half-width over that quantile.
    ///
    /// `None` with fewer than two values, a width of zero, or an estimate that isn't finite.
    pub fn from_interval(
        estimate: f64,
        interval: Interval,
        n: usize,
        level: Level,
    ) -> Option<Self> {
        let freedom = n.checked_sub(1)?;
        Self::new(estimate, interval.half_width() / quantile(freedom, level)?)
    }

    /// `None` unless both are finite and the error is above zero.
    pub fn new(estimate: f64, standard_error: f64) -> Option<Self> {
        let variance = standard_error * standard_error;
        let usable = estimate.is_finite() && variance.is_normal() && standard_error > 0.0;
        usable.then_some(Self {
            estimate,
            standard_error,
        })
    }
}

/// How much groups differ.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Heterogeneity {
    /// Cochran's Q.
    pub q: f64,
    /// Of Q, if all groups had the same true effect.
    pub p_value: f64,
    /// I², a share from 0 to 1.
    pub i_squared: f64,
}

/// The effect over all groups.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PooledEffect {
    /// μ̂, the mean of the groups' true effects.
    pub estimate: f64,
    /// Its interval.
    pub interval: Interval,
    /// Where a further group's true effect lies; `None` with fewer than three groups.
    pub prediction: Option<Interval>,
    /// τ: the standard deviation of the groups' true effects.
    pub tau: f64,
    pub heterogeneity: Heterogeneity,
}

/// Cochran's Q, its p-value and I². `None` with fewer than two groups, or where numbers overflow.
pub fn heterogeneity(groups: &[GroupEffect]) -> Option<Heterogeneity> {
    let freedom = groups.len().checked_sub(1).filter(|freedom| *freedom > 0)? as f64;
    let q = scatter(groups, 0.0);
    let p_value = ChiSquared::new(freedom).ok()?.sf(q);
    q.is_finite().then_some(Heterogeneity {
        q,
        p_value,
        i_squared: if q > freedom { (q - freedom) / q } else { 0.0 },
    })
}

/// The effect over all groups, with the interval at this level. `None` with fewer than two groups, or
/// where numbers overflow.
pub fn pool(groups: &[GroupEffect], level: Level) -> Option<PooledEffect> {
    let heterogeneity = heterogeneity(groups)?;
    let tau_squared = paule_mandel(groups);
    let (estimate, weight) = weighted_mean(groups, tau_squared);
    let around = |width: f64| Interval::new(estimate - width, estimate + width);
    let freedom = groups.len() - 1;
    let quantile = quantile(freedom, level)?;
    let interval = around(quantile / weight.sqrt())?;
    let prediction = (groups.len() >= FEWEST_TO_PREDICT)
        .then(|| around(quantile * (1.0 / weight + tau_squared).sqrt()))
        .flatten();
    Some(PooledEffect {
        estimate,
        interval,
        prediction,
        tau: tau_squared.sqrt(),
        heterogeneity,
    })
}

/// Paule and Mandel's τ².
fn paule_mandel(groups: &[GroupEffect]) -> f64 {
    let freedom = groups.len() as f64 - 1.0;
    if scatter(groups, 0.0) <= freedom {
        return 0.0;
    }
    let mean = groups.iter().map(|group| group.estimate).sum::<f64>() / groups.len() as f64;
    let squares = groups.iter().map(|group| (group.estimate - mean).powi(2));
    let (mut low, mut high) = (0.0, squares.sum::<f64>() / freedom);
    for _ in 0..HALVINGS {
        let middle = 0.5 * low + 0.5 * high;
        if middle <= low || middle >= high {
            break;
        }
        if scatter(groups, middle) > freedom {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * low + 0.5 * high
}

/// Σwᵢ(yᵢ − μ̂)² at this τ².
fn scatter(groups: &[GroupEffect], tau_squared: f64) -> f64 {
    let (mean, _) = weighted_mean(groups, tau_squared);
    groups
        .iter()
        .map(|group| weight(group, tau_squared) * (group.estimate - mean).powi(2))
        .sum()
}

/// μ̂ and Σwᵢ at this τ².
fn weighted_mean(groups: &[GroupEffect], tau_squared: f64) -> (f64, f64) {
    let weights: f64 = groups.iter().map(|group| weight(group, tau_squared)).sum();
    let weighted: f64 = groups
        .iter()
        .map(|group| weight(group, tau_squared) * group.estimate)
        .sum();
    (weighted / weights, weights)
}

fn weight(group: &GroupEffect, tau_squared: f64) -> f64 {
    1.0 / (group.standard_error * group.standard_error + tau_squared)
}

/// The upper quantile of Student's t for a two-sided interval at this level. `None` without a degree
/// of freedom.
fn quantile(freedom: usize, level: Level) -> Option<f64> {
    let distribution = StudentsT::new(0.0, 1.0, freedom as f64).ok()?;
    let quantile = -distribution.inverse_cdf(level.alpha() / 2.0);
    (quantile.is_finite() && quantile > 0.0).then_some(quantile)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(all: &[(f64, f64)]) -> Vec<GroupEffect> {
        let group = |&(estimate, error): &(f64, f64)| GroupEffect::new(estimate, error).unwrap();
        all.iter().map(group).collect()
    }

    #[test]
    fn groups_that_agree_are_averaged_by_their_precision() {
        let pooled = pool(&groups(&[(10.0, 1.0), (10.3, 2.0)]), Level::P95).unwrap();
        assert_eq!(pooled.tau, 0.0);
        assert!((pooled.estimate - 10.06).abs() < 1e-12);
        assert_eq!(pooled.heterogeneity.i_squared, 0.0);
        assert_eq!(pooled.prediction, None);
    }

    #[test]
    fn groups_that_disagree_weigh_the_same_and_the_interval_is_that_of_their_scatter() {
        let pooled = pool(
            &groups(&[(0.0, 1e-6), (1.0, 1e-6), (5.0, 1e-6)]),
            Level::P95,
        )
        .unwrap();
        assert!((pooled.estimate - 2.0).abs() < 1e-6);
        // The standard deviation of 0, 1 and 5.
        assert!((pooled.tau - 7.0_f64.sqrt()).abs() < 1e-6);
        // t(2) = 4.302653
        let half = 4.302_653 * (7.0_f64 / 3.0).sqrt();
        assert!((pooled.interval.half_width() - half).abs() < 1e-5);
        let wide = 4.302_653 * (7.0_f64 / 3.0 + 7.0).sqrt();
        assert!((pooled.prediction.unwrap().half_width() - wide).abs() < 1e-5);
        assert!(pooled.heterogeneity.i_squared > 0.999 && pooled.heterogeneity.p_value < 1e-9);
    }

    #[test]
    fn an_error_is_the_half_width_over_students_quantile() {
        let interval = Interval::new(8.0, 12.0).unwrap();
        let group = GroupEffect::from_interval(9.5, interval, 10, Level::P95).unwrap();
        // t(9) = 2.262157
        assert!((group.standard_error - 2.0 / 2.262_157).abs() < 1e-6);
        assert_eq!(group.estimate, 9.5);
    }

    #[test]
    fn what_has_no_error_or_no_company_is_not_pooled() {
        let point = Interval::new(1.0, 1.0).unwrap();
        assert_eq!(GroupEffect::from_interval(1.0, point, 20, Level::P95), None);
        let wide = Interval::new(0.0, 2.0).unwrap();
        for n in [0, 1] {
            assert_eq!(GroupEffect::from_interval(1.0, wide, n, Level::P95), None);
        }
        for error in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-200, 1e200] {
            assert_eq!(GroupEffect::new(1.0, error), None, "{error}");
        }
        assert_eq!(GroupEffect::new(f64::NAN, 1.0), None);
        assert_eq!(pool(&[], Level::P95), None);
        assert_eq!(pool(&groups(&[(1.0, 1.0)]), Level::P95), None);
        let far = groups(&[(1e300, 1e-100), (-1e300, 1e-100)]);
        assert_eq!(pool(&far, Level::P95), None);
    }
}
