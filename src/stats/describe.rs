//! A sample described: location, spread, tails, outliers. All in the sample's unit.

use super::modality;

/// MAD × this estimates the standard deviation of normal data: 1/Φ⁻¹(¾).
pub const MAD_TO_SD: f64 = 1.482_602_218_505_602;

/// The smallest sample for which the 99th percentile is given: with fewer than 100 values it
/// lies beyond all but the largest, and would be the maximum under another name.
pub const P99_SMALLEST_N: usize = 100;

/// What is shown of one scenario's sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The number of values.
    pub n: usize,
    /// The smallest value: a diagnostic only, as it keeps falling with n.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The median.
    pub median: f64,
    /// The arithmetic mean, Σx/n. Infinite when the sum overflows.
    pub mean: f64,
    /// The 10th percentile, type 7.
    pub p10: f64,
    /// The 90th percentile, type 7.
    pub p90: f64,
    /// The 99th percentile, type 7; from [`P99_SMALLEST_N`] values on.
    pub p99: Option<f64>,
    /// The median absolute deviation from the median, unscaled (see [`MAD_TO_SD`]).
    pub mad: f64,
    /// The standard deviation √(Σ(x − mean)²/(n − 1)); from two values on.
    pub sd: Option<f64>,
    /// Values beyond Tukey's fences, in input order. Labelled, never deleted.
    pub outliers: Vec<Outlier>,
    /// Correlation between one value and the next (see [`lag1_autocorrelation`]).
    pub lag1: Option<f64>,
    /// Whether the sample has more than one mode (see [`modality::is_multimodal`]).
    pub multimodal: Option<bool>,
}

impl Summary {
    /// Describes values given in run order. `None` for an empty or non-finite sample.
    pub fn of(values: &[f64]) -> Option<Self> {
        let sorted = super::sorted(values)?;
        let n = sorted.len();
        let median = quantile_of_sorted(&sorted, 0.5)?;
        let mean = mean(values);
        let deviations: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
        Some(Self {
            n,
            min: quantile_of_sorted(&sorted, 0.0)?,
            max: quantile_of_sorted(&sorted, 1.0)?,
            median,
            mean,
            p10: quantile_of_sorted(&sorted, 0.1)?,
            p90: quantile_of_sorted(&sorted, 0.9)?,
            p99: if n >= P99_SMALLEST_N {
                quantile_of_sorted(&sorted, 0.99)
            } else {
                None
            },
            // Infinite where a deviation overflowed; `quantile` would refuse the sample.
            mad: quantile(&deviations, 0.5).unwrap_or(f64::INFINITY),
            sd: (n >= 2).then(|| (squares / (n as f64 - 1.0)).sqrt()),
            outliers: outliers(values),
            lag1: lag1_autocorrelation(values),
            multimodal: modality::is_multimodal(values),
        })
    }

    /// How many outliers lie beyond the outer fences.
    pub fn severe_outliers(&self) -> usize {
        self.outliers
            .iter()
            .filter(|outlier| outlier.severity == Severity::Severe)
            .count()
    }

    /// How many outliers lie between the inner and the outer fences.
    pub fn mild_outliers(&self) -> usize {
        self.outliers.len() - self.severe_outliers()
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The median. `None` for an empty or non-finite sample.
pub fn median(values: &[f64]) -> Option<f64> {
    quantile(values, 0.5)
}

/// The q-quantile of type 7: linear between order statistics at h = (n − 1) q, the default of R
/// and numpy. Source: Hyndman & Fan (1996), "Sample quantiles in statistical packages", American
/// Statistician 50, 361–365. `None` for an empty or non-finite sample and q outside [0, 1].
pub fn quantile(values: &[f64], q: f64) -> Option<f64> {
    quantile_of_sorted(&super::sorted(values)?, q)
}

/// [`quantile`] of a sample that is ascending and finite already; with another order the answer
/// is meaningless, but still one of the values or between two. `None` for an empty one.
pub fn quantile_of_sorted(sorted: &[f64], q: f64) -> Option<f64> {
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let position = sorted.len().checked_sub(1)? as f64 * q;
    let below = *sorted.get(position.floor() as usize)?;
    let above = *sorted.get(position.ceil() as usize)?;
    let fraction = position.fract();
    // Weighted, as the gap between two huge neighbours may overflow; held between them, as rounding
    // may step outside when they are a bit apart. Not `clamp`, which panics on an unsorted pair.
    let between = below * (1.0 - fraction) + above * fraction;
    Some(between.max(below).min(above))
}

/// How far out an outlier is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// More than 1.5 interquartile ranges beyond a quartile.
    Mild,
    /// More than 3 interquartile ranges beyond a quartile.
    Severe,
}

/// Which tail an outlier is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Below the first quartile.
    Low,
    /// Above the third quartile.
    High,
}

/// One value beyond the fences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outlier {
    /// Its index in the input.
    pub index: usize,
    /// Mild or severe.
    pub severity: Severity,
    /// Low or high.
    pub side: Side,
}

/// Values beyond Tukey's fences, Q₁ − k·IQR and Q₃ + k·IQR with k = 1.5 (mild) and 3 (severe),
/// in input order. Source: Tukey (1977), "Exploratory Data Analysis", section 2D.
///
/// A label and no verdict: 0.7 % of a large normal sample is labelled mild, and timings have
/// long right tails. Empty for fewer than 4 values (no quartiles to speak of) and for a
/// non-finite sample.
pub fn outliers(values: &[f64]) -> Vec<Outlier> {
    if values.len() < 4 {
        return Vec::new();
    }
    let quartiles = (quantile(values, 0.25), quantile(values, 0.75));
    let (Some(first), Some(third)) = quartiles else {
        return Vec::new();
    };
    let range = third - first;
    let label = |(index, &value): (usize, &f64)| {
        let side = if value < first { Side::Low } else { Side::High };
        let beyond = f64::max(first - value, value - third);
        let severity = if beyond > 3.0 * range {
            Severity::Severe
        } else if beyond > 1.5 * range {
            Severity::Mild
        } else {
            return None;
        };
        Some(Outlier {
            index,
            severity,
            side,
        })
    };
    values.iter().enumerate().filter_map(label).collect()
}

/// The lag-1 autocorrelation in run order, r₁ = Σ(xₜ − x̄)(xₜ₊₁ − x̄) / Σ(xₜ − x̄)².
///
/// Under independence about normal with mean −1/n and standard deviation 1/√n (Bartlett 1946).
/// On a drifting machine it is far above that, and the textbook error of a mean is then far too
/// small. `None` for fewer than 3 values, a constant or a non-finite sample.
pub fn lag1_autocorrelation(values: &[f64]) -> Option<f64> {
    if values.len() < 3 || !super::all_finite(values) {
        return None;
    }
    let mean = mean(values);
    let products: f64 = values
        .windows(2)
        .map(|w| (w[0] - mean) * (w[1] - mean))
        .sum();
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    Some(products / squares).filter(|r| r.is_finite())
}

#[cfg(test)]
mod tests {
    use super::{Severity, Side, Summary, lag1_autocorrelation, outliers, quantile};

    #[test]
    fn the_quantile_is_numpys_default() {
        // numpy.quantile([1, 2, 4, 8, 16], [0.1, 0.25, 0.5, 0.9])
        let values = [16.0, 1.0, 8.0, 2.0, 4.0];
        for (q, want) in [(0.1, 1.4), (0.25, 2.0), (0.5, 4.0), (0.9, 12.8)] {
            assert!((quantile(&values, q).unwrap() - want).abs() < 1e-12, "{q}");
        }
        assert_eq!(quantile(&values, 1.5), None);
        assert_eq!(quantile(&values, f64::NAN), None);
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[-f64::MAX, f64::MAX], 0.5), Some(0.0));
    }

    #[test]
    fn a_summary_agrees_with_numpy() {
        let summary = Summary::of(&[2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]).unwrap();
        assert_eq!((summary.n, summary.min, summary.max), (8, 2.0, 9.0));
        assert_eq!((summary.median, summary.mean, summary.mad), (4.5, 5.0, 0.5));
        assert!((summary.sd.unwrap() - (32.0f64 / 7.0).sqrt()).abs() < 1e-12);
        assert!((summary.p10 - 3.4).abs() < 1e-12 && (summary.p90 - 7.6).abs() < 1e-12);
        assert_eq!(summary.p99, None);
    }

    #[test]
    fn the_99th_percentile_needs_a_hundred_values() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(Summary::of(&values[..99]).unwrap().p99, None);
        assert!((Summary::of(&values).unwrap().p99.unwrap() - 98.01).abs() < 1e-9);
    }

    #[test]
    fn a_single_value_has_no_spread_to_estimate() {
        let summary = Summary::of(&[3.0]).unwrap();
        assert_eq!((summary.median, summary.mad, summary.sd), (3.0, 0.0, None));
        assert_eq!((summary.lag1, summary.multimodal), (None, None));
    }

    #[test]
    fn non_finite_samples_are_refused() {
        assert_eq!(Summary::of(&[]), None);
        assert_eq!(Summary::of(&[1.0, f64::NAN]), None);
        assert_eq!(Summary::of(&[1.0, f64::INFINITY]), None);
        assert!(Summary::of(&[-f64::MAX, f64::MAX, f64::MAX]).is_some());
    }

    #[test]
    fn outliers_are_labelled_by_fence_and_side() {
        // Q1 = 10, Q3 = 12, IQR = 2: fences at 7 and 15 (mild), 4 and 18 (severe).
        let values = [10.0, 18.5, 11.0, 12.0, 6.5, 10.0, 11.0, 12.0, 11.0];
        let labels: Vec<_> = outliers(&values)
            .iter()
            .map(|o| (o.index, o.severity, o.side))
            .collect();
        assert_eq!(
            labels,
            [
                (1, Severity::Severe, Side::High),
                (4, Severity::Mild, Side::Low)
            ]
        );
        let summary = Summary::of(&values).unwrap();
        assert_eq!((summary.mild_outliers(), summary.severe_outliers()), (1, 1));
    }

    #[test]
    fn a_value_on_the_fence_is_no_outlier() {
        let values = [10.0, 15.0, 11.0, 12.0, 11.0, 10.0, 11.0, 12.0, 11.0];
        assert_eq!(quantile(&values, 0.25), Some(11.0));
        assert!(outliers(&[10.0, 12.0, 10.0, 12.0, 10.0, 12.0, 11.0, 15.0, 7.0]).is_empty());
    }

    #[test]
    fn a_trend_correlates_with_itself_and_an_alternation_against() {
        let trend: Vec<f64> = (0..50).map(f64::from).collect();
        assert!(lag1_autocorrelation(&trend).unwrap() > 0.9);
        let alternation: Vec<f64> = (0..50).map(|i| f64::from(i % 2)).collect();
        assert!(lag1_autocorrelation(&alternation).unwrap() < -0.9);
        assert_eq!(lag1_autocorrelation(&[1.0, 1.0, 1.0]), None);
    }
}
