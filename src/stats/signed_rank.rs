//! Wilcoxon's signed-rank test for paired differences.
//!
//! Source: Wilcoxon (1945), "Individual comparisons by ranking methods", Biometrics Bulletin 1,
//! 80–83; Hollander, Wolfe & Chicken (2014), "Nonparametric Statistical Methods", chapter 3.
//!
//! W⁺ is the sum of the ranks of |dᵢ| over the positive dᵢ. When each dᵢ is as likely to be
//! positive as negative, given its size (which randomised order within a block guarantees under
//! "no effect"), every subset of the ranks 1..n is equally likely to be the positive one.

use statrs::distribution::{ContinuousCDF, Normal};

use super::interval::Level;
use super::ranks::mid_ranks;

/// Up to this many differences the null distribution is computed exactly; beyond, the normal
/// approximation with continuity correction. At 201 the critical ranks of the two at 90 to 99 %
/// are within 0.5 % of each other; further out the approximation errs to the wide side
/// (McCornack 1965), which is the safe one for Bonferroni's levels.
pub const EXACT_LIMIT: usize = 200;

/// The exact distribution of W⁺ for n differences without ties or zeros.
#[derive(Clone, Debug)]
pub struct NullDistribution {
    n: usize,
    /// P(W⁺ ≤ w) for w up to half the largest value; the rest follows from symmetry.
    lower: Vec<f64>,
}

impl NullDistribution {
    /// By dynamic programming over the ranks: Pₖ(w) = (Pₖ₋₁(w) + Pₖ₋₁(w − k)) / 2, O(n³) time.
    ///
    /// Probabilities and not counts, as 2ⁿ outgrows both u64 and exact f64; only sums of
    /// positive terms, so the relative error stays under n units in the last place even in the
    /// far tail. `None` beyond [`EXACT_LIMIT`].
    pub fn new(n: usize) -> Option<Self> {
        if n > EXACT_LIMIT {
            return None;
        }
        let half = n * (n + 1) / 4;
        let mut lower = vec![0.0; half + 1];
        lower[0] = 1.0;
        for rank in 1..=n {
            // Downwards, so that `w - rank` still holds the previous rank's probability.
            for w in (0..=half).rev() {
                let without = lower[w];
                let with = if w >= rank { lower[w - rank] } else { 0.0 };
                lower[w] = (without + with) / 2.0;
            }
        }
        let mut sum = 0.0;
        for probability in &mut lower {
            sum += *probability;
            *probability = sum;
        }
        Some(Self { n, lower })
    }

    /// The number of differences.
    pub fn n(&self) -> usize {
        self.n
    }

    /// P(W⁺ ≤ w) under the null.
    pub fn cdf(&self, w: usize) -> f64 {
        let largest = self.n * (self.n + 1) / 2;
        if let Some(&probability) = self.lower.get(w) {
            probability
        } else if w >= largest {
            1.0
        } else {
            // P(W ≤ w) = 1 − P(W ≥ w + 1) = 1 − P(W ≤ largest − w − 1): the index is under half.
            1.0 - self.lower[largest - w - 1]
        }
    }
}

/// The outcome of a two-sided signed-rank test of "no effect".
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SignedRankTest {
    /// W⁺, the sum of the ranks of the positive differences.
    pub w_plus: f64,
    /// The differences used: those that aren't zero.
    pub n: usize,
    /// The differences dropped for being zero.
    pub zeros: usize,
    /// Two-sided.
    pub p_value: f64,
    /// Whether the p-value is exact, and not the normal approximation.
    pub exact: bool,
}

/// The two-sided test. Zeros are dropped, as Wilcoxon did; ties of |d| share average ranks.
///
/// Without ties or zeros and up to [`EXACT_LIMIT`] the p-value is exact,
/// min(1, 2 P(W ≤ min(W⁺, W⁻))). Otherwise normal, with continuity correction and the variance
/// n(n+1)(2n+1)/24 − Σ(t³ − t)/48 over groups of t ties. The same as scipy's
/// `wilcoxon(d, zero_method="wilcox", correction=True, method="exact" | "asymptotic")`.
///
/// Nothing but zeros says nothing against "no effect": p = 1. `None` for an empty or non-finite
/// sample. Trap: ties are exact equality; differences that went through a unit conversion may
/// miss each other by the last bit, so subtract first, convert after.
pub fn test(differences: &[f64]) -> Option<SignedRankTest> {
    if differences.is_empty() || !super::all_finite(differences) {
        return None;
    }
    let used: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let zeros = differences.len() - used.len();
    let n = used.len();
    let sizes: Vec<f64> = used.iter().map(|d| d.abs()).collect();
    let (ranks, tie_term) = mid_ranks(&sizes);
    let w_plus = used
        .iter()
        .zip(&ranks)
        .filter(|(d, _)| **d > 0.0)
        .map(|(_, rank)| rank)
        .sum();
    if n == 0 {
        return Some(SignedRankTest {
            w_plus,
            n,
            zeros,
            p_value: 1.0,
            exact: true,
        });
    }
    let largest = (n as f64) * (n as f64 + 1.0) / 2.0;
    let smaller: f64 = f64::min(w_plus, largest - w_plus);
    let no_ties = zeros == 0 && tie_term == 0.0;
    let distribution = if no_ties {
        NullDistribution::new(n)
    } else {
        None
    };
    let exact = distribution.is_some();
    let p_value = match distribution {
        // Without ties the statistic is a whole number, so the cast loses nothing.
        Some(distribution) => 2.0 * distribution.cdf(smaller as usize),
        None => normal_p_value(smaller, n as f64, tie_term),
    };
    Some(SignedRankTest {
        w_plus,
        n,
        zeros,
        p_value: p_value.min(1.0),
        exact,
    })
}

fn normal_p_value(smaller: f64, n: f64, tie_term: f64) -> f64 {
    // Positive for every n ≥ 1: if all are tied, n(n+1)²/16 is left.
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - tie_term / 48.0;
    let distance = (n * (n + 1.0) / 4.0 - smaller - 0.5).max(0.0);
    2.0 * Normal::standard().sf(distance / variance.sqrt())
}

/// The rank k for which [A₍ₖ₎, A₍M+1−k₎] of the M = n(n+1)/2 sorted Walsh averages covers with at
/// least the level: the largest k with P(W ≤ k − 1) ≤ α/2.
///
/// `None` when even the whole range of averages covers with less (see [`smallest_n`]). Beyond
/// [`EXACT_LIMIT`] by the normal approximation with continuity correction.
pub fn critical_rank(n: usize, level: Level) -> Option<usize> {
    let tail = level.alpha() / 2.0;
    if let Some(distribution) = NullDistribution::new(n) {
        // The number of w with P(W ≤ w) ≤ α/2 is the largest such w plus one, which is k.
        // α/2 < ½, so k lies in the stored lower half.
        let rank = distribution.lower.partition_point(|p| *p <= tail);
        return (rank > 0).then_some(rank);
    }
    let n = n as f64;
    let mean = n * (n + 1.0) / 4.0;
    let sd = (n * (n + 1.0) * (2.0 * n + 1.0) / 24.0).sqrt();
    let rank = (mean + 0.5 + Normal::standard().inverse_cdf(tail) * sd).floor();
    (rank >= 1.0).then_some(rank as usize)
}

/// The smallest number of differences for which an exact interval exists at the level: the
/// smallest n with 2⁻ⁿ ≤ α/2. 5 at 90 %, 6 at 95 %, 8 at 99 %.
pub fn smallest_n(level: Level) -> usize {
    let mut probability = 1.0;
    let mut n = 0;
    // Ends: 2⁻ⁿ underflows to 0 at n = 1075.
    while probability > level.alpha() / 2.0 {
        probability /= 2.0;
        n += 1;
    }
    n
}
