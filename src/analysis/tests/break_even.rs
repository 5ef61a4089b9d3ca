use super::*;
use crate::analysis::break_even::starts;
use crate::stats::interval::{Estimate, Interval};

fn estimate(estimate: f64, low: f64, high: f64) -> Estimate {
    Estimate {
        estimate,
        interval: Interval::new(low, high),
    }
}

#[test]
fn a_fix_has_paid_back_after_one_and_cost_over_saving_starts() {
    let found = starts(&estimate(800.0, 700.0, 900.0), &estimate(25.0, 20.0, 35.0));
    let expected = Starts::After {
        estimate: 33.0,
        low: 21.0,
        high: Some(46.0),
    };
    assert_eq!(found, expected);
}

#[test]
fn a_saving_that_may_be_none_has_no_upper_end() {
    let found = starts(&estimate(800.0, 700.0, 900.0), &estimate(25.0, -1.0, 35.0));
    assert!(
        matches!(found, Starts::After { high: None, .. }),
        "{found:?}"
    );
}

/// Three blocks have an estimate, which may be nothing but noise.
#[test]
fn nothing_is_known_without_intervals() {
    let alone = |estimate| Estimate {
        estimate,
        interval: None,
    };
    let known = estimate(25.0, 20.0, 35.0);
    for (cost, saved) in [
        (alone(800.0), known),
        (known, alone(25.0)),
        (alone(-5.0), alone(25.0)),
    ] {
        assert_eq!(starts(&cost, &saved), Starts::Unknown);
    }
}

#[test]
fn a_cheap_first_start_pays_at_once_and_no_saving_never() {
    let saved = estimate(25.0, 20.0, 35.0);
    assert_eq!(starts(&estimate(-5.0, -9.0, 1.0), &saved), Starts::AtOnce);
    let cost = estimate(800.0, 700.0, 900.0);
    assert_eq!(starts(&cost, &estimate(-2.0, -3.0, 0.0)), Starts::Never);
    // An interval that reaches above zero does not say "never".
    assert_eq!(starts(&cost, &estimate(0.0, -1.0, 1.0)), Starts::Unknown);
}

#[test]
fn the_fix_is_held_against_the_scenarios_that_it_mends() {
    let mut record = record(SUITE, 20, Noise::None, |scenario, _| truth(scenario));
    record.receipts = vec![
        receipt("warm", &["app read - app"]),
        receipt("cold", &["app compiled written app"]),
        receipt("read-only", &["app compiled EACCES app"]),
        receipt("before", &["app read - config", "app compiled EACCES app"]),
        receipt("first", &["app compiled written app"]),
    ];
    let analysis = analyse(&record);
    let pairs: Vec<_> = analysis
        .break_even
        .iter()
        .map(|b| (b.from.as_str(), b.first.as_str(), b.scenario.as_str()))
        .collect();
    assert_eq!(
        pairs,
        [
            ("read-only", "first", "later"),
            ("before", "first", "later")
        ]
    );
    let before = &analysis.break_even[1];
    assert_eq!(before.first_start_cost_ms.estimate, 773.0);
    assert_eq!(before.saved_per_start_ms.estimate, 27.0);
    let Starts::After { estimate, .. } = before.starts else {
        panic!("{before:?}");
    };
    assert_eq!(estimate, 1.0 + 773.0 / 27.0);
}

#[test]
fn what_a_claim_compares_the_fix_with_comes_first_and_stands_in_for_receipts() {
    let suite = claimed(r#"{ saves-at-least = "1ms" }"#);
    let mut record = record(&suite, 20, Noise::None, |scenario, _| truth(scenario));
    let froms = |record: &Record| -> Vec<String> {
        let found = analyse(record).break_even;
        found.into_iter().map(|b| b.from).collect()
    };
    assert_eq!(froms(&record), ["before"]);
    record.receipts = vec![
        receipt("read-only", &["app compiled EACCES app"]),
        receipt("before", &["app compiled EACCES app"]),
    ];
    assert_eq!(froms(&record), ["before", "read-only"]);
}
