//! Quantities as a suite writes them: a number and its unit in one string, `"90s"`, `"2%"`.
//!
//! A bare number is refused on purpose: `timeout = 30` has been read as seconds by
//! one tool and as milliseconds by the next.

use std::time::Duration;

use thiserror::Error;

/// A text that is no quantity of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{text}` is not {wanted}")]
pub struct QuantityError {
    /// What the user wrote.
    pub text: String,
    /// What would have been right, with an example.
    pub wanted: &'static str,
}

/// What a duration looks like, for messages.
pub const DURATION_FORM: &str = "a duration: a number with ms, s, min or h, such as \"90s\"";
/// What a share looks like, for messages.
pub const FRACTION_FORM: &str = "a percentage, such as \"2%\"";
const MARGIN_FORM: &str = "a margin: a percentage or a duration, such as \"20%\" or \"5ms\"";

/// The longest duration that is accepted: 30 days. Longer ones are typing errors, and would
/// overflow the kernel's milliseconds in `poll(2)`.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

/// Reads a non-negative duration such as `"90s"`, `"1.5min"`, `"250ms"`.
///
/// # Errors
/// When the text is not a finite, non-negative number with a unit, or longer than 30 days.
pub fn parse_duration(text: &str) -> Result<Duration, QuantityError> {
    let error = || QuantityError {
        text: text.to_owned(),
        wanted: DURATION_FORM,
    };
    let (number, unit) = split(text).ok_or_else(error)?;
    let seconds = match unit {
        "us" | "µs" => number / 1e6,
        "ms" => number / 1e3,
        "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(error()),
    };
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(error()),
    }
}

/// Writes a duration so that [`parse_duration`] reads the same value, to the microsecond.
pub fn format_duration(duration: Duration) -> String {
    let micros = duration.as_micros();
    if micros.is_multiple_of(1_000_000) {
        format!("{}s", micros / 1_000_000)
    } else {
        format!("{}ms", micros as f64 / 1e3)
    }
}

/// A share of something, 0.02 for `"2%"`. Finite, not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Fraction(f64);

impl Fraction {
    /// So many percent.
    pub const fn percent(percent: u8) -> Self {
        Self(percent as f64 / 100.0)
    }

    /// The share as a number: 0.02 for two percent.
    pub fn get(self) -> f64 {
        self.0
    }

    /// Reads `"2%"`.
    ///
    /// # Errors
    /// When the text is not a finite, non-negative number followed by `%`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        match split(text) {
            Some((number, "%")) => Ok(Self(number / 100.0)),
            _ => Err(QuantityError {
                text: text.to_owned(),
                wanted: FRACTION_FORM,
            }),
        }
    }
}

impl std::fmt::Display for Fraction {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Rounded to a ten-thousandth of a percent, so that 0.02 does not print as 2.0000000000000004.
        write!(
            formatter,
            "{}%",
            (self.0 * 100.0 * 10_000.0).round() / 10_000.0
        )
    }
}

/// How far from a value still counts as that value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Margin {
    /// A share of the value.
    Relative(Fraction),
    /// A time.
    Absolute(Duration),
}

impl Margin {
    /// Reads `"20%"` or `"5ms"`.
    ///
    /// # Errors
    /// When the text is neither a percentage nor a duration.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        Fraction::parse(text)
            .map(Self::Relative)
            .or_else(|_| parse_duration(text).map(Self::Absolute))
            .map_err(|error| QuantityError {
                wanted: MARGIN_FORM,
                ..error
            })
    }

    /// The margin around `value_ms`, in milliseconds.
    pub fn around_ms(self, value_ms: f64) -> f64 {
        match self {
            Self::Relative(fraction) => fraction.get() * value_ms.abs(),
            Self::Absolute(duration) => duration.as_secs_f64() * 1e3,
        }
    }
}

impl std::fmt::Display for Margin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Relative(fraction) => fraction.fmt(formatter),
            Self::Absolute(duration) => formatter.write_str(&format_duration(*duration)),
        }
    }
}

/// Splits `"90 s"` into 90 and `"s"`; `None` unless the number is finite and not negative.
fn split(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
    let number: f64 = text[..end].parse().ok()?;
    (number.is_finite()).then_some((number, text[end..].trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_carry_their_unit() {
        assert_eq!(parse_duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration("1.5min"), Ok(Duration::from_secs(90)));
        assert_eq!(parse_duration(" 250 ms "), Ok(Duration::from_millis(250)));
        for wrong in [
            "",
            "90",
            "-1s",
            "s",
            "1e3s",
            "NaNs",
            "1 fortnight",
            "1..2s",
            "99999999h",
        ] {
            assert!(parse_duration(wrong).is_err(), "{wrong:?} was accepted");
        }
    }

    #[test]
    fn a_written_duration_reads_back() {
        for text in ["90s", "250ms", "1.5ms", "0s"] {
            let duration = parse_duration(text).unwrap();
            assert_eq!(format_duration(duration), text);
        }
    }

    #[test]
    fn shares_are_percentages() {
        assert_eq!(Fraction::parse("2%").unwrap().get(), 0.02);
        assert_eq!(Fraction::parse("2%").unwrap().to_string(), "2%");
        assert!(Fraction::parse("0.02").is_err());
        assert!(Fraction::parse("-2%").is_err());
    }

    #[test]
    fn margins_are_relative_or_absolute() {
        assert_eq!(Margin::parse("20%").unwrap().around_ms(100.0), 20.0);
        assert_eq!(Margin::parse("5ms").unwrap().around_ms(100.0), 5.0);
        assert!(Margin::parse("5").is_err());
    }
}
