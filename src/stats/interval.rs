//! Confidence levels, intervals, and an estimate with its interval.

/// A confidence level, strictly between 0 and 1.
///
/// What is stored is α = 1 − level, because Bonferroni's α/m may be so small that 1 − α/m
/// rounds to 1.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Level {
    alpha: f64,
}

impl Level {
    /// 90 %: the level of the interval for two one-sided tests at 5 % (see [`super::bounds`]).
    pub const P90: Self = Self { alpha: 1.0 - 0.90 };
    /// 95 %, the default for a contrast.
    pub const P95: Self = Self { alpha: 1.0 - 0.95 };
    /// 99 %.
    pub const P99: Self = Self { alpha: 1.0 - 0.99 };

    /// The level for a confidence in (0, 1): `0.95`, not `95`. `None` for anything else.
    pub fn new(confidence: f64) -> Option<Self> {
        Self::from_alpha(1.0 - confidence)
    }

    /// The level 1 − α for an error rate α in (0, 1). `None` for anything else.
    pub fn from_alpha(alpha: f64) -> Option<Self> {
        (alpha > 0.0 && alpha < 1.0).then_some(Self { alpha })
    }

    /// The error rate α = 1 − level, of both sides together.
    pub fn alpha(self) -> f64 {
        self.alpha
    }

    /// The confidence 1 − α. Rounds to 1 for α under about 1e-16; compute with
    /// [`alpha`](Self::alpha).
    pub fn confidence(self) -> f64 {
        1.0 - self.alpha
    }
}

/// A closed interval with finite, ordered ends, in the unit of what it is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    low: f64,
    high: f64,
}

impl Interval {
    /// `None` unless both ends are finite and `low <= high`.
    pub fn new(low: f64, high: f64) -> Option<Self> {
        (low.is_finite() && high.is_finite() && low <= high).then_some(Self { low, high })
    }

    /// The lower end.
    pub fn low(&self) -> f64 {
        self.low
    }

    /// The upper end.
    pub fn high(&self) -> f64 {
        self.high
    }

    /// Half of high − low: what a precision target is held against.
    pub fn half_width(&self) -> f64 {
        // Halved first: the difference of two finite numbers may overflow.
        self.high / 2.0 - self.low / 2.0
    }

    /// Whether the value lies inside, ends included. NaN doesn't.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }
}

/// A point estimate, and its interval where there is enough data for one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The point estimate.
    pub estimate: f64,
    /// `None` when the sample is too small for an interval at the asked level.
    pub interval: Option<Interval>,
}

#[cfg(test)]
mod tests {
    use super::{Interval, Level};

    #[test]
    fn a_level_lies_strictly_between_zero_and_one() {
        for refused in [0.0, 1.0, -0.5, 95.0, f64::NAN, f64::INFINITY] {
            assert_eq!(Level::new(refused), None, "{refused}");
        }
        assert_eq!(Level::new(0.95), Some(Level::P95));
        assert_eq!(Level::P95.confidence(), 0.95);
    }

    #[test]
    fn a_level_too_close_to_one_for_a_float_keeps_its_alpha() {
        let level = Level::from_alpha(1e-20).unwrap();
        assert_eq!((level.alpha(), level.confidence()), (1e-20, 1.0));
    }

    #[test]
    fn an_interval_is_finite_and_ordered() {
        assert_eq!(Interval::new(2.0, 1.0), None);
        assert_eq!(Interval::new(f64::NAN, 1.0), None);
        assert_eq!(Interval::new(0.0, f64::INFINITY), None);
        let widest = Interval::new(-f64::MAX, f64::MAX).unwrap();
        assert_eq!(widest.half_width(), f64::MAX);
    }

    #[test]
    fn an_interval_contains_its_ends_and_no_nan() {
        let interval = Interval::new(1.0, 2.0).unwrap();
        assert!(interval.contains(1.0) && interval.contains(2.0));
        assert!(!interval.contains(0.999) && !interval.contains(2.001));
        assert!(!interval.contains(f64::NAN));
    }
}
