//! Ratios, by the logarithms of their pairs.

use super::interval::{Estimate, Interval};

/// The estimate of ln(b/a) and its interval, exponentiated. `None` when the estimate is, or when a
/// time isn't positive and finite, or a ratio overflows.
pub(super) fn of_logarithms(
    pairs: &[(f64, f64)],
    estimate: impl FnOnce(&[f64]) -> Option<Estimate>,
) -> Option<Estimate> {
    let logs: Option<Vec<f64>> = pairs
        .iter()
        .map(|&(baseline, scenario)| {
            let positive = baseline > 0.0 && scenario > 0.0;
            // ln of the quotient, not a difference of logs: near 1 the latter loses digits. An
            // infinite or vanished quotient has a non-finite logarithm, which estimates refuse.
            positive.then(|| (scenario / baseline).ln())
        })
        .collect();
    let log = estimate(&logs?)?;
    let ratio = log.estimate.exp();
    ratio.is_finite().then(|| Estimate {
        estimate: ratio,
        interval: log
            .interval
            .and_then(|i| Interval::new(i.low().exp(), i.high().exp())),
    })
}
