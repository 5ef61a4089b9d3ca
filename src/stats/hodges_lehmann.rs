//! The Hodges-Lehmann estimate of a paired effect, and its interval.
//!
//! The estimate is the *pseudomedian* of the differences: the median of the Walsh averages
//! (dᵢ + dⱼ)/2 over i ≤ j. For symmetric differences that is their median and mean; for skewed
//! ones it lies between the two. Efficiency .955 at the normal, breakdown point 29 %.
//! The interval inverts the signed-rank test: the values θ for which the test of d − θ doesn't
//! reject are those between the k-th Walsh average from below and the k-th from above.
//!
//! Source: Hodges & Lehmann (1963), "Estimates of location based on rank tests", Annals of
//! Mathematical Statistics 34, 598–611; Hollander, Wolfe & Chicken (2014), sections 3.2 and 3.3.
//! With tied differences the closed interval covers with at least the level.

use super::interval::{Estimate, Interval, Level};
use super::ratio::of_logarithms;
use super::selection::{Countable, kth};
use super::signed_rank;

/// So many averages for each value are listed, rather than counted once more.
const LISTED: u64 = 4;

/// The pseudomedian of the differences and its interval, in their unit.
///
/// The interval is `None` when there are fewer than [`signed_rank::smallest_n`] differences;
/// the whole is `None` for an empty or non-finite sample. O(n log n) time and O(n) memory.
pub fn estimate(differences: &[f64], level: Level) -> Option<Estimate> {
    let sorted = super::sorted(differences)?;
    let averages = WalshAverages { sorted: &sorted };
    let total = averages.total();
    let lower_middle = kth(&averages, total.div_ceil(2));
    let upper_middle = if total % 2 == 1 {
        lower_middle
    } else {
        kth(&averages, total / 2 + 1)
    };
    let interval = signed_rank::critical_rank(sorted.len(), level).and_then(|rank| {
        let rank = rank as u64;
        Interval::new(kth(&averages, rank), kth(&averages, total + 1 - rank))
    });
    Some(Estimate {
        estimate: average(lower_middle, upper_middle),
        interval,
    })
}

/// The ratio scenario/baseline from (baseline, scenario) pairs: the pseudomedian of ln(b/a) and
/// its interval, exponentiated. No unit; 0.8 means a fifth faster.
///
/// `None` when there is no pair, or when a time isn't positive and finite, or a ratio overflows.
pub fn ratio(pairs: &[(f64, f64)], level: Level) -> Option<Estimate> {
    of_logarithms(pairs, |logs| estimate(logs, level))
}

/// (a + b)/2 without overflow. Non-decreasing in both arguments even after rounding, on which
/// the counting below rests.
fn average(a: f64, b: f64) -> f64 {
    0.5 * a + 0.5 * b
}

/// The n(n+1)/2 Walsh averages of an ascending, finite, non-empty sample, as f64 computes them.
struct WalshAverages<'a> {
    sorted: &'a [f64],
}

impl Countable for WalshAverages<'_> {
    fn ends(&self) -> (f64, f64) {
        match self.sorted {
            [] => (f64::NAN, f64::NAN),
            [only] => (*only, *only),
            [first, .., last] => (*first, *last),
        }
    }

    fn total(&self) -> u64 {
        let n = self.sorted.len() as u64;
        n * (n + 1) / 2
    }

    fn few(&self) -> u64 {
        LISTED * self.sorted.len() as u64
    }

    /// For growing i the j that still fit only shrink, so one walk with two pointers sees all
    /// pairs in O(n).
    fn count_up_to(&self, limit: f64) -> u64 {
        let mut count = 0;
        let mut fitting = self.sorted.len();
        for (i, &low) in self.sorted.iter().enumerate() {
            while fitting > i && average(low, self.sorted[fitting - 1]) > limit {
                fitting -= 1;
            }
            if fitting <= i {
                break;
            }
            count += (fitting - i) as u64;
        }
        count
    }

    fn between(&self, low: f64, high: f64) -> Vec<f64> {
        let mut found = Vec::new();
        let (mut too_low, mut fitting) = (self.sorted.len(), self.sorted.len());
        for (i, &first) in self.sorted.iter().enumerate() {
            while fitting > i && average(first, self.sorted[fitting - 1]) > high {
                fitting -= 1;
            }
            while too_low > i && average(first, self.sorted[too_low - 1]) > low {
                too_low -= 1;
            }
            if fitting <= i {
                break;
            }
            let seconds = self.sorted[too_low.max(i)..fitting].iter();
            found.extend(seconds.map(|&second| average(first, second)));
        }
        found
    }
}
