//! The interval of a median, from the order statistics of one sample.
//!
//! The number of values below the true median is binomial with p = ½, whatever the distribution of
//! the values is. So the interval from the k-th smallest to the k-th largest value covers the median
//! with probability 1 − 2·P(B ≤ k − 1) at least; k is the largest for which that is the level.
//!
//! Source: Thompson (1936), "On confidence ranges for the median and other expectation
//! distributions", Annals of Mathematical Statistics 7, 122–128; Hollander, Wolfe & Chicken (2014),
//! section 3.6.
//!
//! The values must be independent. On a machine that drifts they are not, and another run's median
//! may well lie outside: the interval is that of the median under the conditions of this run.

use statrs::distribution::{Binomial, DiscreteCDF};

use super::describe::quantile_of_sorted;
use super::interval::{Estimate, Interval, Level};

/// The median and its interval, in the values' unit.
///
/// The interval is `None` when there are too few values for one at the level: fewer than six at
/// 95 %. The whole is `None` for an empty or non-finite sample.
pub fn estimate(values: &[f64], level: Level) -> Option<Estimate> {
    let sorted = super::sorted(values)?;
    Some(Estimate {
        estimate: quantile_of_sorted(&sorted, 0.5)?,
        interval: rank(sorted.len(), level)
            .and_then(|rank| Interval::new(sorted[rank - 1], sorted[sorted.len() - rank])),
    })
}

/// The fewest values for which there is an interval: 6 at 95 %.
pub fn smallest_n(level: Level) -> usize {
    // Both ends miss with 2 · ½ⁿ.
    (1..)
        .find(|&n| rank(n, level).is_some())
        .unwrap_or(usize::MAX)
}

/// The k of the k-th smallest and the k-th largest value; `None` if even the extremes are too close.
fn rank(n: usize, level: Level) -> Option<usize> {
    let below = Binomial::new(0.5, n as u64).ok()?;
    // The smallest x with P(B ≤ x) ≥ α/2, so that P(B ≤ x − 1) < α/2.
    let rank = below.inverse_cdf(level.alpha() / 2.0) as usize;
    (rank > 0).then_some(rank)
}

#[cfg(test)]
mod tests {
    use super::{estimate, rank, smallest_n};
    use crate::stats::interval::Level;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn the_ranks_are_those_of_the_published_table() {
        // Conover (1999), "Practical Nonparametric Statistics", table A3; by hand for n = 6:
        // 2 · 2⁻⁶ = .031.
        for (n, want) in [
            (0, None),
            (1, None),
            (5, None),
            (6, Some(1)),
            (8, Some(1)),
            (9, Some(2)),
            (10, Some(2)),
            (15, Some(4)),
            (20, Some(6)),
            (30, Some(10)),
            (100, Some(40)),
        ] {
            assert_eq!(rank(n, Level::P95), want, "{n}");
        }
        assert_eq!(smallest_n(Level::P95), 6);
    }

    #[test]
    fn the_ends_are_values_of_the_sample() {
        let values = [9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0];
        let found = estimate(&values, Level::P95).unwrap();
        assert_eq!(found.estimate, 5.0);
        let interval = found.interval.unwrap();
        assert_eq!((interval.low(), interval.high()), (2.0, 8.0));
    }

    #[test]
    fn too_few_values_have_a_median_and_no_interval() {
        let found = estimate(&[1.0, 2.0], Level::P95).unwrap();
        assert_eq!(found.estimate, 1.5);
        assert_eq!(found.interval, None);
        assert_eq!(estimate(&[], Level::P95), None);
        assert_eq!(estimate(&[f64::NAN], Level::P95), None);
    }

    #[test]
    fn it_covers_as_often_as_the_binomial_says_whatever_the_shape_is() {
        // k = 6 of 20: 1 − 2·P(B ≤ 5) = .9586; five standard deviations of 4,000 trials are .016.
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let covered = (0..4_000).filter(|_| {
            let skewed: Vec<f64> = (0..20)
                .map(|_| -rng.random_range(f64::EPSILON..1.0).ln())
                .collect();
            let found = estimate(&skewed, Level::P95).unwrap().interval.unwrap();
            found.contains(std::f64::consts::LN_2)
        });
        let share = covered.count() as f64 / 4_000.0;
        assert!((0.9426..0.9746).contains(&share), "{share}");
    }

    #[test]
    fn a_million_values_take_no_time_to_rank() {
        // n/2 − 1.96·√n/2, by the normal approximation.
        let rank = rank(1_000_000, Level::P95).unwrap();
        assert!((499_019..=499_021).contains(&rank), "{rank}");
    }
}
