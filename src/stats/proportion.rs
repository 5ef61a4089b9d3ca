//! Shares of a number of trials.

use statrs::distribution::{Beta, ContinuousCDF};

use super::interval::{Interval, Level};

/// So many of so many trials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proportion {
    pub hits: u32,
    pub trials: u32,
}

impl Proportion {
    /// Counts those that are so.
    pub fn count(trials: impl IntoIterator<Item = bool>) -> Self {
        let none = Self { hits: 0, trials: 0 };
        trials.into_iter().fold(none, |sum, is_hit| Self {
            hits: sum.hits + u32::from(is_hit),
            trials: sum.trials + 1,
        })
    }

    /// From 0 to 1; `None` without a trial.
    pub fn share(self) -> Option<f64> {
        (self.trials > 0).then(|| f64::from(self.hits) / f64::from(self.trials))
    }

    /// The exact interval of the probability behind it, from the quantiles of beta distributions.
    /// `None` without a trial.
    ///
    /// Source: Clopper & Pearson (1934), "The use of confidence or fiducial limits illustrated in the
    /// case of the binomial", Biometrika 26, 404–413.
    pub fn interval(self, level: Level) -> Option<Interval> {
        if self.hits > self.trials || self.trials == 0 {
            return None;
        }
        let (hits, misses) = (f64::from(self.hits), f64::from(self.trials - self.hits));
        let quantile = |a: f64, b: f64, p: f64| Some(Beta::new(a, b).ok()?.inverse_cdf(p));
        let tail = level.alpha() / 2.0;
        let low = match self.hits {
            0 => 0.0,
            _ => quantile(hits, misses + 1.0, tail)?,
        };
        let high = match self.trials - self.hits {
            0 => 1.0,
            _ => quantile(hits + 1.0, misses, 1.0 - tail)?,
        };
        Interval::new(low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_one_of_the_tables() {
        // By bisection of the binomial distribution, summed term by term.
        for (hits, trials, low, high) in [
            (0, 20, 0.0, 0.168_433_5),
            (1, 20, 0.001_265_1, 0.248_732_8),
            (15, 300, 0.028_251_2, 0.081_127_4),
            (20, 20, 0.831_566_5, 1.0),
        ] {
            let interval = Proportion { hits, trials }.interval(Level::P95).unwrap();
            assert!(
                (interval.low() - low).abs() < 2e-6,
                "{hits}/{trials}: {interval:?}"
            );
            assert!(
                (interval.high() - high).abs() < 2e-6,
                "{hits}/{trials}: {interval:?}"
            );
        }
    }

    #[test]
    fn nothing_is_said_without_a_trial_and_of_more_hits_than_trials() {
        for (hits, trials) in [(0, 0), (2, 1)] {
            assert_eq!(Proportion { hits, trials }.interval(Level::P95), None);
        }
        assert_eq!(Proportion::count([]).share(), None);
        assert_eq!(Proportion::count([true, false]).share(), Some(0.5));
    }
}
