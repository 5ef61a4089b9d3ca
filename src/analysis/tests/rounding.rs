use proptest::prelude::*;

use crate::analysis::verdicts::{Edges, Limits, Side, decide};
use crate::analysis::words;
use crate::stats::interval::{Estimate, Interval};

/// The numbers in a sentence. A comma before a digit separates thousands, one before a space numbers.
fn numbers(text: &str) -> Vec<f64> {
    text.replace('−', "-")
        .replace(", ", "; ")
        .replace(',', "")
        .split(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))
        .filter_map(|word| word.parse().ok())
        .collect()
}

fn limits() -> impl Strategy<Value = Limits> {
    let edge = (-2_000_000_i64..2_000_000).prop_map(|micros| micros as f64 / 1e3);
    let side = prop_oneof![Just(Side::Saves), Just(Side::Costs)];
    (edge.clone(), edge, 0..3, side).prop_map(|(a, b, open, side)| Limits {
        low: (open != 1).then_some(f64::min(a, b)),
        high: (open != 2).then_some(f64::max(a, b)),
        side,
        edges: Edges::Given,
    })
}

proptest! {
    #[test]
    fn what_is_printed_gives_the_verdict_that_was_found(
        limits in limits(),
        near in -3_i64..3,
        half_nanos in 0_i64..100_000_000,
        share in 0.0..1.0,
    ) {
        // Next to a limit, where rounding can do harm.
        let edge = limits.low.or(limits.high).unwrap();
        let low = (edge * 2e6).round() + near as f64;
        let (low, high) = match near % 2 {
            0 => (low / 2e6, (low + half_nanos as f64) / 2e6),
            _ => ((low - half_nanos as f64) / 2e6, low / 2e6),
        };
        let interval = Interval::new(low, high).unwrap();
        let saved = Estimate { estimate: low + share * (high - low), interval: Some(interval) };
        let decided = decide(&saved, &interval, &limits);
        prop_assert_eq!(decided.verdict, limits.judge(&interval));

        let shown = numbers(&decided.measured);
        prop_assert_eq!(shown.len(), 3, "{}", decided.measured);
        let shown = if decided.measured.starts_with("costs") {
            Interval::new(-shown[2], -shown[1])
        } else {
            Interval::new(shown[1], shown[2])
        };
        prop_assert_eq!(limits.judge(&shown.unwrap()), decided.verdict, "{:?}", decided);
        prop_assert!(!decided.measured.contains("−0 "), "{}", decided.measured);
    }

    #[test]
    fn an_interval_is_rounded_outwards(low in -1e6..1e6_f64, width in 0.0..1e3_f64, decimals in 0..4_usize) {
        let interval = Interval::new(low, low + width).unwrap();
        let shown = words::outwards(interval, decimals);
        let slack = 1e-8;
        prop_assert!(shown.low() <= interval.low() + slack && shown.high() >= interval.high() - slack);
        let step = 10f64.powi(-(decimals as i32)) + slack;
        prop_assert!(shown.low() > interval.low() - step && shown.high() < interval.high() + step);
    }
}

#[test]
fn no_number_is_minus_zero_and_minus_is_a_minus_sign() {
    assert_eq!(words::fixed(-0.4, 0), "0");
    assert_eq!(words::fixed(-0.0, 1), "0.0");
    assert_eq!(words::fixed(-1.25, 1), "−1.3");
    assert_eq!(words::exact(-0.0), "0");
    assert_eq!(words::exact(120.5), "120.5");
    let nothing = Estimate {
        estimate: -0.01,
        interval: Interval::new(-3.2, 2.9),
    };
    assert_eq!(words::saving(&nothing, 0), "saves 0 ms [−4, 3]");
}

#[test]
fn digits_follow_the_width_of_the_interval() {
    let estimate = |estimate, half| Estimate {
        estimate,
        interval: Interval::new(estimate - half, estimate + half),
    };
    let saving = |e: Estimate| words::saving(&e, words::decimals_of(&e));
    assert_eq!(saving(estimate(27.04, 2.9)), "saves 27 ms [24, 30]");
    assert_eq!(saving(estimate(-12.3, 2.8)), "costs 12 ms [9, 16]");
    // Rounded outwards to [0, 6], it would say that there may be no effect.
    assert_eq!(saving(estimate(2.95, 2.9)), "saves 2.95 ms [0.05, 5.85]");
    assert_eq!(
        saving(estimate(1234.5, 40.0)),
        "saves 1,235 ms [1,194, 1,275]"
    );
    assert_eq!(
        saving(estimate(0.1234, 0.01)),
        "saves 0.123 ms [0.113, 0.134]"
    );
}

#[test]
fn lists_name_some_and_count_the_rest() {
    let names: Vec<String> = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
    assert_eq!(words::list(&names, 4), "a, b, c and d");
    assert_eq!(words::list(&names, 2), "a, b and 2 more");
    assert_eq!(words::list(&names[..1], 2), "a");
    assert_eq!(words::list(&[], 2), "");
    assert_eq!(words::thousands(1_234_567), "1,234,567");
}
