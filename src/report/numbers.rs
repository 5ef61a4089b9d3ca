//! Numbers as people read them: as many digits as the measurement bears, and no more.
//!
//! The minus sign is U+2212 in charts and on the page, where figures are set in type; the
//! terminal's table has the hyphen-minus instead, so that its columns can be grepped and pasted.

use crate::analysis::{decimals_of, grouped, outwards};
use crate::stats::interval::Estimate;

/// What stands for a number that is not known.
pub const UNKNOWN: &str = "n/a";

/// The ends of an estimate's interval, if both are numbers.
pub fn ends(estimate: &Estimate) -> Option<(f64, f64)> {
    let interval = estimate.interval?;
    Some((interval.low(), interval.high()))
}

/// A time in milliseconds, without its unit: `1,060`, `239`, `12.4`, `0.83`.
pub fn time(ms: f64) -> String {
    fixed(ms, decimals_by_size(ms))
}

/// A difference and its interval, without unit: `+38` and `[+36, +40]`. Decimals and rounding are
/// the verdicts': outwards, so that an interval that leaves zero out does so as printed.
pub fn difference(estimate: &Estimate) -> (String, Option<String>) {
    let places = decimals_of(estimate);
    let ends = estimate.interval.map(|interval| {
        let shown = outwards(interval, places);
        let (low, high) = (signed(shown.low(), places), signed(shown.high(), places));
        format!("[{low}, {high}]")
    });
    (signed(estimate.estimate, places), ends)
}

/// An amount whose sign is said in words, with its interval: `27 ms [24, 30]`.
pub fn amount(estimate: &Estimate) -> String {
    let places = decimals_of(estimate);
    let number = fixed(estimate.estimate, places);
    match estimate.interval.map(|interval| outwards(interval, places)) {
        Some(shown) => format!(
            "{number} ms [{}, {}]",
            fixed(shown.low(), places),
            fixed(shown.high(), places)
        ),
        None => format!("{number} ms"),
    }
}

/// A ratio: `1.16`.
pub fn ratio(value: f64) -> String {
    fixed(value, if value.abs() < 10.0 { 2 } else { 1 })
}

/// A number of starts, counted up to the whole start after which it has paid.
pub fn starts(value: f64) -> String {
    fixed(value.ceil(), 0)
}

/// With this many decimals and a thousands separator; a negative zero loses its sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    // A number that long is a broken one; its size is all there is to say.
    if value.abs() >= 1e12 {
        return format!("{value:.1e}").replace('-', "−");
    }
    let digits = format!("{:.decimals$}", value.abs());
    let negative = value < 0.0 && digits.bytes().any(|b| (b'1'..=b'9').contains(&b));
    format!("{}{}", if negative { "−" } else { "" }, grouped(&digits))
}

/// Like [`fixed`], with a plus before what is greater than zero.
pub fn signed(value: f64, decimals: usize) -> String {
    let text = fixed(value, decimals);
    let nothing = !text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    if value > 0.0 && !nothing && value.is_finite() {
        format!("+{text}")
    } else {
        text
    }
}

/// Text with the hyphen-minus for every minus sign, and ASCII arrows.
pub fn plain(text: &str) -> String {
    text.replace('−', "-").replace('→', "->")
}

fn decimals_by_size(value: f64) -> usize {
    match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::interval::Interval;

    fn estimate(estimate: f64, low: f64, high: f64) -> Estimate {
        Estimate {
            estimate,
            interval: Interval::new(low, high),
        }
    }

    #[test]
    fn times_have_about_three_digits() {
        for (ms, text) in [
            (1060.4, "1,060"),
            (239.4, "239"),
            (99.97, "100"),
            (12.44, "12.4"),
            (0.834, "0.83"),
            (1_234_567.0, "1,234,567"),
            (0.0, "0.00"),
            (-1e300, "−1.0e300"),
            (f64::NAN, "n/a"),
            (f64::INFINITY, "n/a"),
        ] {
            assert_eq!(time(ms), text);
        }
    }

    #[test]
    fn the_width_of_an_interval_says_how_many_decimals_make_sense() {
        assert_eq!(
            difference(&estimate(38.26, 34.1, 42.4)),
            ("+38".into(), Some("[+34, +43]".into()))
        );
        assert_eq!(
            difference(&estimate(-1.04, -1.6, -0.5)),
            ("−1.0".into(), Some("[−1.6, −0.5]".into()))
        );
        assert_eq!(amount(&estimate(27.2, 24.0, 30.1)), "27 ms [24, 31]");
    }

    #[test]
    fn an_interval_that_leaves_zero_out_does_so_as_printed() {
        let (_, ends) = difference(&estimate(4.0, 0.3, 9.1));
        assert_eq!(ends.as_deref(), Some("[+0.3, +9.1]"));
    }

    #[test]
    fn zero_has_no_sign() {
        assert_eq!(signed(-0.2, 0), "0");
        assert_eq!(signed(0.2, 0), "0");
        assert_eq!(fixed(-0.0, 1), "0.0");
    }

    #[test]
    fn plain_text_has_no_typographic_minus() {
        assert_eq!(plain("a → b: −3"), "a -> b: -3");
    }
}
