//! Numbers in sentences: how many digits, which way rounded, singular and plural.

use crate::stats::interval::{Estimate, Interval};

/// Decimals beyond which a time in milliseconds says nothing: launches are timed in nanoseconds,
/// and an average of two of them has one digit more.
pub const MOST_DECIMALS: usize = 7;

/// Which way to round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rounding {
    Nearest,
    Down,
    Up,
}

/// The value rounded to that many decimals; never a negative zero.
pub fn rounded(value: f64, decimals: usize, rounding: Rounding) -> f64 {
    let factor = 10f64.powi(decimals.min(15) as i32);
    let scaled = value * factor;
    if !scaled.is_finite() {
        return value;
    }
    let nearest = scaled.round();
    // 0.3 × 10 may be a hair above 3, and 3 it is: rounding up must not make 4 of it.
    let is_whole = (scaled - nearest).abs() <= f64::max(1e-9, scaled.abs() * 1e-15);
    let whole = match rounding {
        _ if is_whole => nearest,
        Rounding::Nearest => nearest,
        Rounding::Down => scaled.floor(),
        Rounding::Up => scaled.ceil(),
    };
    whole / factor + 0.0
}

/// A number with that many decimals, a thousands separator and a proper minus sign.
pub fn fixed(value: f64, decimals: usize) -> String {
    let value = rounded(value, decimals, Rounding::Nearest);
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{}", grouped(&format!("{:.decimals$}", value.abs())))
}

/// Digits with a thousands separator: "1,234.5" of "1234.5".
pub fn grouped(digits: &str) -> String {
    let (whole, rest) = digits.split_at(digits.find('.').unwrap_or(digits.len()));
    let mut text = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + rest
}

/// A number with up to six decimals, trailing zeros left out: "80", "0.5".
pub fn exact(value: f64) -> String {
    let text = fixed(value, 6);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A number to three significant digits, whole ones kept: "0.0123", "1.23", "123", "1,234".
pub fn significant(value: f64) -> String {
    fixed(value, decimals_of_size(value))
}

/// Decimals that show three significant digits of a number of this size.
pub fn decimals_of_size(value: f64) -> usize {
    decimals_from(value.abs() / 100.0)
}

/// Decimals that suit an estimate: as many as its interval's width makes meaningful, or three
/// significant digits where there is no interval. More where rounding outwards would take zero
/// into an interval that leaves it out.
pub fn decimals_of(estimate: &Estimate) -> usize {
    let Some(interval) = estimate.interval else {
        return decimals_of_size(estimate.estimate);
    };
    let fewest = match interval.half_width() {
        0.0 => decimals_of_size(estimate.estimate),
        half_width => decimals_from(half_width / 2.5),
    };
    (fewest..MOST_DECIMALS)
        .find(|&decimals| outwards(interval, decimals).contains(0.0) == interval.contains(0.0))
        .unwrap_or(MOST_DECIMALS)
}

/// Decimals at which the last digit is worth no more than `step`.
fn decimals_from(step: f64) -> usize {
    if step.is_finite() && step > 0.0 {
        (-step.log10()).ceil().clamp(0.0, MOST_DECIMALS as f64) as usize
    } else {
        0
    }
}

/// Rounded outwards: what is shown never claims more than what was found.
pub fn outwards(interval: Interval, decimals: usize) -> Interval {
    let low = rounded(interval.low(), decimals, Rounding::Down);
    let high = rounded(interval.high(), decimals, Rounding::Up);
    Interval::new(low, high).unwrap_or(interval)
}

/// "27 ms [24, 30]", or the estimate alone where there is no interval.
pub fn amount(amount: &Estimate, decimals: usize) -> String {
    let estimate = fixed(amount.estimate, decimals);
    match amount.interval.map(|interval| outwards(interval, decimals)) {
        Some(ends) => format!(
            "{estimate} ms [{}, {}]",
            fixed(ends.low(), decimals),
            fixed(ends.high(), decimals)
        ),
        None => format!("{estimate} ms"),
    }
}

/// The same effect the other way round: a shift as a saving.
pub fn mirrored(estimate: &Estimate) -> Estimate {
    Estimate {
        // Not the bare minus sign, which makes −0 of 0.
        estimate: 0.0 - estimate.estimate,
        interval: estimate
            .interval
            .and_then(|interval| Interval::new(0.0 - interval.high(), 0.0 - interval.low())),
    }
}

/// "saves 27 ms [24, 30]", and for a negative saving "costs 12 ms [9, 15]".
pub fn saving(saved: &Estimate, decimals: usize) -> String {
    if costs(saved, decimals) {
        format!("costs {}", amount(&mirrored(saved), decimals))
    } else {
        format!("saves {}", amount(saved, decimals))
    }
}

/// Is it below zero as printed, so that [`saving`] speaks of a cost?
pub fn costs(saved: &Estimate, decimals: usize) -> bool {
    rounded(saved.estimate, decimals, Rounding::Nearest) < 0.0
}

/// "12 ms [9, 15] more" or "12 ms [9, 15] less": a shift, where positive is more.
pub fn shift(shift: &Estimate) -> String {
    let decimals = decimals_of(shift);
    if costs(shift, decimals) {
        format!("{} less", amount(&mirrored(shift), decimals))
    } else {
        format!("{} more", amount(shift, decimals))
    }
}

/// "3.2 %"
pub fn percent(share: f64) -> String {
    let value = share * 100.0;
    format!("{} %", fixed(value, decimals_from(value.abs() / 10.0)))
}

/// "1 block", "3 blocks", "1,234 blocks".
pub fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{} {word}", thousands(number))
}

/// "1,234,567"
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.char_indices() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// "a", "a and b", "a, b and c"; beyond `most`, "a, b and 3 more".
pub fn list(items: &[String], most: usize) -> String {
    let shown = if items.len() > most {
        &items[..most]
    } else {
        items
    };
    let rest = items.len() - shown.len();
    match shown {
        [] => String::new(),
        _ if rest > 0 => format!("{} and {rest} more", shown.join(", ")),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// A time for people: "90 s", "6 min", "3 h".
pub fn about_seconds(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{} s", fixed(s, 0)),
        s if s < 7200.0 => format!("{} min", fixed(s / 60.0, 0)),
        s => format!("{} h", fixed(s / 3600.0, 0)),
    }
}

/// "0.032", and "1.2e−7" where that would be all zeros.
pub fn p_value(p_value: f64) -> String {
    if p_value > 0.0 && p_value < 1e-4 {
        format!("{p_value:.1e}").replace('-', "−")
    } else {
        fixed(p_value, 4)
    }
}
