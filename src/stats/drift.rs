//! Checks on the order of launches: drift over the run, and an effect of the position in a block.
//!
//! Neither biases a randomised paired contrast; both say how noisy the machine was, and a strong
//! one is a reason to distrust anything that compares launches far apart.

use statrs::distribution::{ContinuousCDF, FisherSnedecor, StudentsT};

use super::describe::median;
use super::ranks::mid_ranks;

/// The smallest sample whose rank correlation gets a p-value: under 10 the t approximation is
/// off by more than a tenth of it.
pub const SMALLEST_N: usize = 10;

/// A rank correlation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Correlation {
    /// Spearman's ρ, between −1 and 1.
    pub rho: f64,
    /// Two-sided, against no association.
    pub p_value: f64,
}

/// Spearman's rank correlation of values with their run order: is there a monotone drift?
///
/// Valid as a test if the values are exchangeable under "no drift". Serially correlated ones
/// aren't (see [`lag1_autocorrelation`](super::describe::lag1_autocorrelation)): then a small p
/// says that the machine wandered, not that it would have gone on in that direction.
pub fn over_run_order(values: &[f64]) -> Option<Correlation> {
    let order: Vec<f64> = (0..values.len()).map(|i| i as f64).collect();
    spearman(&order, values)
}

/// Spearman's ρ, Pearson's correlation of the mid-ranks, with p from t = ρ√((n − 2)/(1 − ρ²)) on
/// n − 2 degrees of freedom: scipy's `spearmanr`, except that p is at least 2/n!, which is that
/// of perfect order, where the approximation says 0.
/// Source: Spearman (1904), American Journal of Psychology 15, 72–101; Kendall & Gibbons (1990),
/// "Rank Correlation Methods", chapter 4.
///
/// `None` when the lengths differ, there are fewer than [`SMALLEST_N`], a value isn't finite, or
/// either side is constant.
pub fn spearman(x: &[f64], y: &[f64]) -> Option<Correlation> {
    let n = x.len();
    if n != y.len() || n < SMALLEST_N || !super::all_finite(x) || !super::all_finite(y) {
        return None;
    }
    let (x, y) = (mid_ranks(x).0, mid_ranks(y).0);
    let centre = (n as f64 + 1.0) / 2.0;
    let products = |a: &[f64], b: &[f64]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| (a - centre) * (b - centre))
            .sum()
    };
    let scale = (products(&x, &x) * products(&y, &y)).sqrt();
    if scale == 0.0 {
        return None;
    }
    let rho = (products(&x, &y) / scale).clamp(-1.0, 1.0);
    let freedom = n as f64 - 2.0;
    let t = rho.abs() * (freedom / ((1.0 - rho) * (1.0 + rho))).sqrt();
    let least = (2..=n).fold(2.0, |p, k| p / k as f64);
    let p_value = StudentsT::new(0.0, 1.0, freedom).ok()?.sf(t) * 2.0;
    Some(Correlation {
        rho,
        p_value: if t.is_finite() {
            p_value.max(least)
        } else {
            least
        },
    })
}

/// One launch: which arm, and what was measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// The arm's index. Arms are any small numbers; each should occur once in a block.
    pub arm: usize,
    /// The value measured.
    pub value: f64,
}

/// An effect of the position in the block.
#[derive(Clone, Debug, PartialEq)]
pub struct PositionEffect {
    /// For each position, the mean rank within the block of what is left after its arm's median
    /// is taken off; (k + 1)/2 for each without an effect.
    pub mean_ranks: Vec<f64>,
    /// For each position, the median of what is left: how much longer a launch there takes.
    pub offsets: Vec<f64>,
    /// Friedman's χ², corrected for ties.
    pub chi_squared: f64,
    /// From Iman & Davenport's F.
    pub p_value: f64,
    /// The complete blocks used.
    pub blocks: usize,
}

/// Friedman's rank test of position, blocks given in launch order.
///
/// Which arm stands where differs from block to block, so first each arm's median over all
/// blocks is subtracted. That uses no positions, so under "no effect" and with orders drawn
/// uniformly every order of the remainders within a block stays equally likely.
///
/// χ² = 12/(b k (k+1)) Σⱼ(Rⱼ − b(k+1)/2)², divided by 1 − Σ(t³ − t)/(b k (k² − 1)); then
/// F = (b − 1)χ²/(b(k − 1) − χ²) on k − 1 and (b − 1)(k − 1) degrees of freedom, as χ² itself is
/// conservative. Sources: Friedman (1937), JASA 32, 675–701; Iman & Davenport (1980),
/// Communications in Statistics A9, 571–595.
///
/// Blocks shorter than the longest (failed launches) are left out. `None` when a value isn't
/// finite, fewer than 5 complete blocks are left, blocks have fewer than two launches, or all
/// remainders are tied.
pub fn position_effect(blocks: &[Vec<Placed>]) -> Option<PositionEffect> {
    let k = blocks.iter().map(Vec::len).max()?;
    let complete: Vec<&Vec<Placed>> = blocks.iter().filter(|block| block.len() == k).collect();
    if k < 2 || complete.len() < 5 {
        return None;
    }
    let mut by_arm = std::collections::BTreeMap::<usize, Vec<f64>>::new();
    for placed in complete.iter().copied().flatten() {
        by_arm.entry(placed.arm).or_default().push(placed.value);
    }
    let mut medians = std::collections::BTreeMap::new();
    for (arm, values) in &by_arm {
        medians.insert(*arm, median(values)?);
    }
    let mut sums = vec![0.0; k];
    let mut left = vec![Vec::with_capacity(complete.len()); k];
    let mut tie_terms = 0.0;
    for block in &complete {
        let remainders: Vec<f64> = block
            .iter()
            .map(|placed| placed.value - medians.get(&placed.arm).copied().unwrap_or(0.0))
            .collect();
        for (values, remainder) in left.iter_mut().zip(&remainders) {
            values.push(*remainder);
        }
        let (ranks, tie_term) = mid_ranks(&remainders);
        tie_terms += tie_term;
        for (sum, rank) in sums.iter_mut().zip(ranks) {
            *sum += rank;
        }
    }
    let (b, width) = (complete.len() as f64, k as f64);
    let expected = b * (width + 1.0) / 2.0;
    let spread: f64 = sums.iter().map(|sum| (sum - expected).powi(2)).sum();
    let untied = 1.0 - tie_terms / (b * width * (width * width - 1.0));
    if untied <= 0.0 {
        return None;
    }
    let chi_squared = 12.0 * spread / (b * width * (width + 1.0)) / untied;
    Some(PositionEffect {
        mean_ranks: sums.iter().map(|sum| sum / b).collect(),
        offsets: left
            .iter()
            .map(|values| median(values))
            .collect::<Option<_>>()?,
        chi_squared,
        p_value: friedman_p_value(chi_squared, b, width)?,
        blocks: complete.len(),
    })
}

fn friedman_p_value(chi_squared: f64, b: f64, k: f64) -> Option<f64> {
    let left = b * (k - 1.0) - chi_squared;
    // All blocks agree: of the (k!)^b orders, k! do so. F is infinite there.
    let least = (2..=k as usize).fold(1.0, |p, i| p / (i as f64).powf(b - 1.0));
    if left <= 1e-9 * b * (k - 1.0) {
        return Some(least);
    }
    let f = (b - 1.0) * chi_squared / left;
    let distribution = FisherSnedecor::new(k - 1.0, (b - 1.0) * (k - 1.0)).ok()?;
    Some(distribution.sf(f).clamp(least.min(1.0), 1.0))
}
