//! From numbers to places on the sheet, and the numbers worth a tick.

use super::super::numbers;
use super::text::{Look, width};

/// A range with a greater ratio than this is shown logarithmically: scenarios that differ
/// several times over must both be readable.
const LOG_FROM: f64 = 2.5;

/// An axis: a range of numbers over a range of places.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    spacing: Spacing,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    /// No ticks are closer to each other.
    finest: f64,
}

/// What equal distances mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spacing {
    /// Equal differences.
    Linear,
    /// Equal ratios.
    Logarithmic,
}

/// A mark on an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    pub place: f64,
    pub label: String,
}

impl Scale {
    /// Linear, over these values and a little more.
    pub fn linear(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = range(values);
        let pad = (high - low) * 0.04;
        Self {
            spacing: Spacing::Linear,
            low: low - pad,
            high: high + pad,
            from,
            to,
            finest: 0.0,
        }
    }

    /// Counts: exactly from `low` to `high`, with whole numbers at the ticks.
    pub fn counts(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self {
            finest: 1.0,
            ..Self::exact(low, high, from, to)
        }
    }

    /// The same with equal distances for equal ratios. `low` is above zero.
    pub fn log_counts(low: f64, high: f64, from: f64, to: f64) -> Self {
        Self {
            spacing: Spacing::Logarithmic,
            ..Self::counts(low, high, from, to)
        }
    }

    /// Exactly from `low` to `high`.
    pub fn exact(low: f64, high: f64, from: f64, to: f64) -> Self {
        let (low, high) = range([low, high]);
        Self {
            spacing: Spacing::Linear,
            low,
            high,
            from,
            to,
            finest: 0.0,
        }
    }

    /// Over these times, logarithmically when they differ much.
    pub fn times(values: impl IntoIterator<Item = f64>, from: f64, to: f64) -> Self {
        let (low, high) = range(values);
        if low > 0.0 && high / low >= LOG_FROM {
            let pad = (high / low).powf(0.04);
            Self {
                spacing: Spacing::Logarithmic,
                low: low / pad,
                high: high * pad,
                from,
                to,
                finest: 0.0,
            }
        } else {
            Self::linear([low, high], from, to)
        }
    }

    /// What equal distances mean.
    pub fn spacing(&self) -> Spacing {
        self.spacing
    }

    /// Where a number lies.
    pub fn place(&self, value: f64) -> f64 {
        let share = match self.spacing {
            Spacing::Linear => (value - self.low) / (self.high - self.low),
            Spacing::Logarithmic => (value / self.low).ln() / (self.high / self.low).ln(),
        };
        self.from + share * (self.to - self.from)
    }

    /// The number that lies at a place.
    pub fn value(&self, place: f64) -> f64 {
        let share = (place - self.from) / (self.to - self.from);
        match self.spacing {
            Spacing::Linear => self.low + share * (self.high - self.low),
            Spacing::Logarithmic => self.low * (self.high / self.low).powf(share),
        }
    }

    /// Where a number lies, or the end that it lies beyond.
    pub fn clamped(&self, value: f64) -> f64 {
        let (left, right) = (self.from.min(self.to), self.from.max(self.to));
        self.place(value).clamp(left, right)
    }

    /// Is the number on the axis?
    pub fn holds(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }

    /// Round numbers, as many as have room for their labels.
    pub fn ticks(&self, labels: Labels) -> Vec<Tick> {
        match self.spacing {
            Spacing::Linear => self.linear_ticks(labels),
            Spacing::Logarithmic => self.log_ticks(labels),
        }
    }

    fn tick(&self, value: f64) -> Tick {
        Tick {
            place: self.place(value),
            label: round_label(value),
        }
    }

    /// The smallest step of 1, 2 or 5 at which no labels touch.
    fn linear_ticks(&self, labels: Labels) -> Vec<Tick> {
        let span = self.high - self.low;
        let smallest = 10f64.powf((span / 20.0).log10().floor());
        (0..15)
            .map(|index| smallest * [1.0, 2.0, 5.0][index % 3] * 10f64.powi(index as i32 / 3))
            .filter(|step| *step >= self.finest)
            .map(|step| {
                let first = (self.low / step).ceil();
                (0..=(span / step) as u32 + 1)
                    .map(|count| (first + f64::from(count)) * step)
                    .filter(|value| *value <= self.high)
                    .map(|value| self.tick(value))
                    .collect::<Vec<_>>()
            })
            .find(|ticks| {
                ticks
                    .windows(2)
                    .all(|pair| labels.apart(&pair[0], &pair[1]))
            })
            .unwrap_or_default()
    }

    /// The roundest numbers first, then what still fits in between them.
    fn log_ticks(&self, labels: Labels) -> Vec<Tick> {
        const MANTISSAS: [f64; 12] = [1.0, 5.0, 2.0, 3.0, 7.0, 4.0, 1.5, 2.5, 6.0, 8.0, 9.0, 1.2];
        let decades = self.low.log10().floor() as i32..=self.high.log10().ceil() as i32;
        let mut ticks: Vec<Tick> = Vec::new();
        for mantissa in MANTISSAS {
            for decade in decades.clone() {
                let value = mantissa * 10f64.powi(decade);
                let tick = self.tick(value);
                let is_whole = self.finest == 0.0 || value % self.finest == 0.0;
                if is_whole
                    && self.holds(value)
                    && ticks.iter().all(|other| labels.apart(&tick, other))
                {
                    ticks.push(tick);
                }
            }
        }
        ticks
    }
}

/// How an axis's labels lie to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Labels {
    /// Side by side, below a horizontal axis.
    Beside,
    /// One above the other, at a vertical axis.
    Stacked,
}

impl Labels {
    fn apart(self, one: &Tick, other: &Tick) -> bool {
        let needed = match self {
            Self::Beside => {
                let half = |tick: &Tick| width(&tick.label, Look::QUIET) / 2.0;
                half(one) + half(other) + 14.0
            }
            Self::Stacked => 2.0 * Look::QUIET.line_height(),
        };
        (one.place - other.place).abs() >= needed
    }
}

/// The number of decimals that tells ticks apart, for a label.
pub fn round_label(value: f64) -> String {
    let places = (0..4)
        .find(|&places| {
            let scaled = value * 10f64.powi(places);
            (scaled - scaled.round()).abs() < 1e-6 * scaled.abs().max(1.0)
        })
        .unwrap_or(4);
    numbers::fixed(value, places as usize)
}

/// The least and the greatest number, apart from each other in any case.
fn range(values: impl IntoIterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values
        .into_iter()
        .filter(|value| value.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| {
            (low.min(value), high.max(value))
        });
    if low > high {
        (0.0, 1.0)
    } else if high - low < 1e-9 * high.abs().max(1e-3) {
        let pad = (high.abs() * 0.05).max(0.5);
        (low - pad, high + pad)
    } else {
        (low, high)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::theme::register_fonts;
    use super::*;

    #[test]
    fn times_that_differ_much_lie_on_a_logarithmic_axis() {
        let scale = |values: [f64; 2]| Scale::times(values, 0.0, 100.0).spacing();
        assert_eq!(scale([240.0, 300.0]), Spacing::Linear);
        assert_eq!(scale([240.0, 1060.0]), Spacing::Logarithmic);
        assert_eq!(scale([0.0, 1060.0]), Spacing::Linear);
    }

    #[test]
    fn ticks_do_not_touch_and_there_are_at_least_two() {
        register_fonts().unwrap();
        for (low, high) in [
            (0.0, 1.0),
            (228.0, 262.0),
            (200.0, 1100.0),
            (-40.0, 125.0),
            (1e-3, 1e6),
        ] {
            for width in [150.0, 680.0] {
                let ticks = Scale::times([low, high], 0.0, width).ticks(Labels::Beside);
                assert!(ticks.len() >= 2, "{low} {high} {width}: {ticks:?}");
                for (index, tick) in ticks.iter().enumerate() {
                    let others = &ticks[..index];
                    assert!(others.iter().all(|other| Labels::Beside.apart(tick, other)));
                }
            }
        }
    }

    #[test]
    fn one_value_or_none_makes_an_axis_all_the_same() {
        for values in [vec![], vec![5.0], vec![f64::NAN], vec![f64::INFINITY, 0.0]] {
            let scale = Scale::times(values, 0.0, 100.0);
            assert!(scale.place(0.5).is_finite());
        }
    }

    #[test]
    fn labels_have_the_decimals_they_need() {
        assert_eq!(round_label(0.1 + 0.2), "0.3");
        assert_eq!(round_label(1500.0), "1,500");
        assert_eq!(round_label(-20.0), "−20");
    }
}
