//! The Hodges-Lehmann shift of two independent samples, and Mann and Whitney's test.
//!
//! The estimate is the median of all m·n differences yⱼ − xᵢ. The interval inverts the test
//! (Moses): it runs from the k-th smallest to the k-th largest of these differences, where k is
//! the largest rank with P(U ≤ k − 1) ≤ α/2, here by the normal approximation with continuity
//! correction, k = ⌊mn/2 + ½ + z·√(mn(m + n + 1)/12)⌋ with z the α/2 quantile.
//!
//! Source: Hodges & Lehmann (1963), Annals of Mathematical Statistics 34, 598–611; Mann &
//! Whitney (1947), Annals of Mathematical Statistics 18, 50–60; Hollander, Wolfe & Chicken
//! (2014), sections 4.2 and 4.3.
//!
//! Both assume independent launches under either condition. On a machine that drifts they are
//! not, so the interval is too narrow by an unknown amount: a paired design has no such trouble.

use statrs::distribution::{ContinuousCDF, Normal};

use super::interval::{Estimate, Interval, Level};
use super::ranks::mid_ranks;
use super::selection::{Countable, kth};

/// So many differences for each value are listed, rather than counted once more.
const LISTED: u64 = 4;

/// The shift from `x` to `y`, in their unit: positive when y is larger.
///
/// The interval is `None` when the samples are too small for one at the level; the whole is
/// `None` when either sample is empty or not finite. O((m + n) log(m + n)) time, O(m + n) memory.
pub fn shift(x: &[f64], y: &[f64], level: Level) -> Option<Estimate> {
    let (x, y) = (super::sorted(x)?, super::sorted(y)?);
    let differences = Differences { x: &x, y: &y };
    let total = differences.total();
    let lower = kth(&differences, total.div_ceil(2));
    let upper = if total % 2 == 1 {
        lower
    } else {
        kth(&differences, total / 2 + 1)
    };
    let estimate = 0.5 * lower + 0.5 * upper;
    let interval = critical_rank(x.len(), y.len(), level).and_then(|rank| {
        Interval::new(kth(&differences, rank), kth(&differences, total + 1 - rank))
    });
    estimate
        .is_finite()
        .then_some(Estimate { estimate, interval })
}

/// The ratio y/x: the shift of the logarithms, exponentiated. No unit.
///
/// `None` when either sample is empty or holds what isn't positive and finite.
pub fn ratio(x: &[f64], y: &[f64], level: Level) -> Option<Estimate> {
    let logs = |values: &[f64]| values.iter().map(|value| value.ln()).collect::<Vec<f64>>();
    let log = shift(&logs(x), &logs(y), level)?;
    Some(Estimate {
        estimate: log.estimate.exp(),
        interval: log
            .interval
            .and_then(|i| Interval::new(i.low().exp(), i.high().exp())),
    })
}

/// The two-sided p-value of Mann and Whitney's test, by the normal approximation with continuity
/// correction and the variance corrected for ties, mn/12 · (N + 1 − Σ(t³ − t)/(N(N − 1))).
/// The same as scipy's `mannwhitneyu(x, y, method="asymptotic")`.
///
/// 1 when all values are tied. `None` when either sample is empty or not finite.
pub fn p_value(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.is_empty() || y.is_empty() || !super::all_finite(x) || !super::all_finite(y) {
        return None;
    }
    let all: Vec<f64> = x.iter().chain(y).copied().collect();
    let (ranks, tie_term) = mid_ranks(&all);
    let (m, n, total) = (x.len() as f64, y.len() as f64, all.len() as f64);
    let u = ranks.iter().take(x.len()).sum::<f64>() - m * (m + 1.0) / 2.0;
    let variance = m * n / 12.0 * (total + 1.0 - tie_term / (total * (total - 1.0)));
    if variance <= 0.0 {
        return Some(1.0);
    }
    let distance = ((u - m * n / 2.0).abs() - 0.5).max(0.0);
    Some((2.0 * Normal::standard().sf(distance / variance.sqrt())).min(1.0))
}

fn critical_rank(m: usize, n: usize, level: Level) -> Option<u64> {
    let (m, n) = (m as f64, n as f64);
    let sd = (m * n * (m + n + 1.0) / 12.0).sqrt();
    let z = Normal::standard().inverse_cdf(level.alpha() / 2.0);
    let rank = (m * n / 2.0 + 0.5 + z * sd).floor();
    (rank >= 1.0).then_some(rank as u64)
}

/// The m·n differences yⱼ − xᵢ of two ascending, finite, non-empty samples, as f64 computes them.
struct Differences<'a> {
    x: &'a [f64],
    y: &'a [f64],
}

impl Countable for Differences<'_> {
    fn ends(&self) -> (f64, f64) {
        let (Some(x_low), Some(x_high)) = (self.x.first(), self.x.last()) else {
            return (f64::NAN, f64::NAN);
        };
        let (Some(y_low), Some(y_high)) = (self.y.first(), self.y.last()) else {
            return (f64::NAN, f64::NAN);
        };
        (y_low - x_high, y_high - x_low)
    }

    fn total(&self) -> u64 {
        self.x.len() as u64 * self.y.len() as u64
    }

    fn few(&self) -> u64 {
        LISTED * (self.x.len() + self.y.len()) as u64
    }

    /// For growing xᵢ more of the yⱼ fit.
    fn count_up_to(&self, limit: f64) -> u64 {
        let mut fitting = 0;
        let mut count = 0;
        for x in self.x {
            while self.y.get(fitting).is_some_and(|y| y - x <= limit) {
                fitting += 1;
            }
            count += fitting as u64;
        }
        count
    }

    fn between(&self, low: f64, high: f64) -> Vec<f64> {
        let mut found = Vec::new();
        let (mut too_low, mut fitting) = (0, 0);
        for x in self.x {
            while self.y.get(fitting).is_some_and(|y| y - x <= high) {
                fitting += 1;
            }
            while self.y.get(too_low).is_some_and(|y| y - x <= low) {
                too_low += 1;
            }
            found.extend(self.y[too_low..fitting].iter().map(|y| y - x));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::{p_value, ratio, shift};
    use crate::stats::interval::Level;

    /// 15 and 12 values without ties, their differences enumerated.
    fn samples() -> (Vec<f64>, Vec<f64>) {
        let x = (0..15).map(|i| f64::from(i * i % 17) + f64::from(i) / 64.0);
        let y = (0..12).map(|i| 4.0 + f64::from(i * 7 % 13) + f64::from(i) / 128.0);
        (x.collect(), y.collect())
    }

    #[test]
    fn the_shift_is_the_median_of_all_differences_and_its_ends_are_two_of_them() {
        let (x, y) = samples();
        let mut all: Vec<f64> = y
            .iter()
            .flat_map(|y| x.iter().map(move |x| y - x))
            .collect();
        all.sort_by(f64::total_cmp);
        let found = shift(&x, &y, Level::P95).unwrap();
        assert_eq!(found.estimate, (all[89] + all[90]) / 2.0);
        // k = floor(90 + 0.5 - 1.959964 * sqrt(180 * 28 / 12)) = floor(50.33)
        let interval = found.interval.unwrap();
        assert_eq!((interval.low(), interval.high()), (all[49], all[130]));
    }

    #[test]
    fn the_test_agrees_with_hand_computation() {
        // U = 0 of 4 × 5: z = (10 − 0.5)/√(20·10/12) = 2.32702, p = 0.019964.
        let p = p_value(&[1.0, 2.0, 3.0, 4.0], &[5.0, 6.0, 7.0, 8.0, 9.0]).unwrap();
        assert!((p - 0.019_964).abs() < 5e-6, "{p}");
        assert_eq!(p_value(&[1.0; 5], &[1.0; 5]), Some(1.0));
        assert_eq!(p_value(&[], &[1.0]), None);
    }

    #[test]
    fn too_small_and_unusable_samples_are_answers() {
        assert_eq!(
            shift(&[1.0, 2.0], &[3.0], Level::P95).unwrap().interval,
            None
        );
        assert_eq!(shift(&[], &[1.0], Level::P95), None);
        assert_eq!(shift(&[f64::NAN], &[1.0], Level::P95), None);
        assert_eq!(ratio(&[0.0, 1.0], &[1.0], Level::P95), None);
    }

    #[test]
    fn a_hundred_thousand_values_a_side_are_no_trouble() {
        let x: Vec<f64> = (0..100_000).map(f64::from).collect();
        let y: Vec<f64> = x.iter().map(|x| x + 50.0).collect();
        assert_eq!(shift(&x, &y, Level::P95).unwrap().estimate, 50.0);
    }
}
