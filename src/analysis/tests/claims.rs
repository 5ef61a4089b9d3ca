use super::*;
use crate::stats::bounds::Verdict;

/// The decision on a claim on `before` → `later`, which truly saves `saving` ms.
fn decide(expect: &str, saving: f64, noise: Noise) -> Decision {
    let record = record(&claimed(expect), 40, noise, |scenario, _| match scenario {
        "before" => 200.0 + saving,
        _ => 200.0,
    });
    analyse(&record).claims.remove(0)
}

fn words(decision: &Decision) -> (Verdict, String) {
    let Decision {
        expected,
        measured,
        reason,
        verdict,
        ..
    } = decision;
    (*verdict, format!("{expected} | {measured} | {reason}"))
}

/// Expectation, true saving, verdict, words.
type Case = (&'static str, f64, Verdict, &'static str);

#[test]
fn each_form_of_expectation_has_its_verdicts_and_words() {
    use Verdict::{Inconclusive, Refuted, Supported};
    let cases: [Case; 19] = [
        (
            r#"{ saves = "100ms", within = "20%" }"#,
            27.0,
            Refuted,
            "saves 100 ms ± 20 % | saves 27.0 ms [27.0, 27.0] | less than 80 ms",
        ),
        (
            r#"{ saves = "100ms", within = "20%" }"#,
            95.0,
            Supported,
            "saves 100 ms ± 20 % | saves 95.0 ms [95.0, 95.0] | between 80 and 120 ms",
        ),
        (
            r#"{ saves = "100ms", within = "5ms" }"#,
            130.0,
            Refuted,
            "saves 100 ms ± 5 ms | saves 130 ms [130, 130] | more than 105 ms",
        ),
        (
            r#"{ saves = "100ms", within = "20%" }"#,
            -12.0,
            Refuted,
            "saves 100 ms ± 20 % | costs 12.0 ms [12.0, 12.0] | saves less than 80 ms",
        ),
        (
            r#"{ costs = "10ms", within = "50%" }"#,
            -12.0,
            Supported,
            "costs 10 ms ± 50 % | costs 12.0 ms [12.0, 12.0] | between 5 and 15 ms",
        ),
        (
            r#"{ costs = "10ms", within = "50%" }"#,
            -27.0,
            Refuted,
            "costs 10 ms ± 50 % | costs 27.0 ms [27.0, 27.0] | more than 15 ms",
        ),
        (
            r#"{ costs = "10ms", within = "50%" }"#,
            27.0,
            Refuted,
            "costs 10 ms ± 50 % | saves 27.0 ms [27.0, 27.0] | costs less than 5 ms",
        ),
        (
            r#"{ saves-between = ["20ms", "40ms"] }"#,
            27.0,
            Supported,
            "saves 20 to 40 ms | saves 27.0 ms [27.0, 27.0] | between 20 and 40 ms",
        ),
        (
            r#"{ saves-between = ["20ms", "40ms"] }"#,
            41.0,
            Refuted,
            "saves 20 to 40 ms | saves 41.0 ms [41.0, 41.0] | more than 40 ms",
        ),
        (
            r#"{ saves-at-least = "20ms" }"#,
            20.0,
            Supported,
            "saves at least 20 ms | saves 20.0 ms [20.0, 20.0] | at least 20 ms",
        ),
        (
            r#"{ saves-at-least = "20ms" }"#,
            19.9,
            Refuted,
            "saves at least 20 ms | saves 19.9 ms [19.9, 19.9] | less than 20 ms",
        ),
        (
            r#"{ saves-at-most = "20ms" }"#,
            19.0,
            Supported,
            "saves at most 20 ms | saves 19.0 ms [19.0, 19.0] | at most 20 ms",
        ),
        (
            r#"{ saves-at-most = "20ms" }"#,
            20.5,
            Refuted,
            "saves at most 20 ms | saves 20.5 ms [20.5, 20.5] | more than 20 ms",
        ),
        (
            r#"{ costs-at-most = "5ms" }"#,
            -4.0,
            Supported,
            "costs at most 5 ms | costs 4.00 ms [4.00, 4.00] | at most 5 ms",
        ),
        (
            r#"{ costs-at-most = "5ms" }"#,
            -6.0,
            Refuted,
            "costs at most 5 ms | costs 6.00 ms [6.00, 6.00] | more than 5 ms",
        ),
        (
            r#"{ no-effect-within = "2%" }"#,
            1.0,
            Supported,
            "no effect: within ± 2 % of before's median | saves 1.00 ms [1.00, 1.00] | at most 4.02 ms either way",
        ),
        (
            r#"{ no-effect-within = "2ms" }"#,
            -3.0,
            Refuted,
            "no effect: within ± 2 ms | costs 3.00 ms [3.00, 3.00] | costs more than 2 ms",
        ),
        (
            r#"{ no-effect-within = "2ms" }"#,
            3.0,
            Refuted,
            "no effect: within ± 2 ms | saves 3.00 ms [3.00, 3.00] | saves more than 2 ms",
        ),
        (
            r#"{ no-effect-within = "2ms" }"#,
            0.0,
            Supported,
            "no effect: within ± 2 ms | saves 0 ms [0, 0] | at most 2 ms either way",
        ),
    ];
    for (expect, saving, verdict, text) in cases {
        let decision = decide(expect, saving, Noise::None);
        assert_eq!(
            words(&decision),
            (verdict, text.to_owned()),
            "{expect} {saving}"
        );
    }
    // Under noise, a bound at the truth itself cannot be decided.
    for expect in [
        r#"{ saves = "30ms", within = "3ms" }"#,
        r#"{ costs = "1ms", within = "28ms" }"#,
        r#"{ saves-between = ["27ms", "90ms"] }"#,
        r#"{ saves-at-least = "27ms" }"#,
        r#"{ saves-at-most = "27ms" }"#,
        r#"{ no-effect-within = "27ms" }"#,
    ] {
        let decision = decide(expect, 27.0, Noise::Usual);
        let reaches = decision.reason.contains("the interval");
        assert_eq!(
            (decision.verdict, reaches),
            (Inconclusive, true),
            "{decision:?}"
        );
    }
}

#[test]
fn a_noisy_effect_of_27_ms_is_not_about_100_and_is_between_20_and_40() {
    let about = decide(r#"{ saves = "100ms", within = "20%" }"#, 27.0, Noise::Usual);
    assert_eq!(about.verdict, Verdict::Refuted);
    let between = decide(
        r#"{ saves-between = ["20ms", "40ms"] }"#,
        27.0,
        Noise::Usual,
    );
    assert_eq!(between.verdict, Verdict::Supported);
    let effect = between.effect.unwrap();
    assert_eq!(
        (effect.from.as_str(), effect.to.as_str()),
        ("before", "later")
    );
    assert_eq!(effect.level, 0.95);
    assert_eq!(
        (effect.band_ms.low, effect.band_ms.high),
        (Some(20.0), Some(40.0))
    );
    let narrower = about.effect.unwrap();
    assert_eq!(narrower.level, 0.9);
    let width = |effect: &crate::stats::interval::Estimate| effect.interval.unwrap().half_width();
    assert!(width(&narrower.saving_ms) <= width(&effect.saving_ms));
}

#[test]
fn too_few_blocks_decide_nothing() {
    let suite = claimed(r#"{ saves-at-least = "20ms" }"#);
    let record = record(&suite, 5, Noise::None, |scenario, _| truth(scenario));
    let decision = analyse(&record).claims.remove(0);
    assert_eq!(
        words(&decision),
        (
            Verdict::Inconclusive,
            "saves at least 20 ms | saves 27.0 ms | no interval yet: needs at least 6 blocks"
                .to_owned()
        )
    );
}

#[test]
fn nothing_measured_decides_nothing() {
    let suite = claimed(r#"{ saves-at-least = "20ms" }"#);
    let decision = analyse(&record(&suite, 0, Noise::None, |_, _| 1.0))
        .claims
        .remove(0);
    assert_eq!(decision.verdict, Verdict::Inconclusive);
    assert_eq!(decision.measured, "nothing measured");
    assert!(decision.effect.is_none());
}

#[test]
fn the_worst_that_was_found_is_the_outcome() {
    let outcome = |expect: &str, twin: f64| {
        let record = record(
            &claimed(expect),
            40,
            Noise::Usual,
            |scenario, role| match role {
                Role::Twin => 200.0 + twin,
                Role::Itself => truth(scenario),
            },
        );
        Outcome::of(&analyse(&record))
    };
    let (supported, refuted) = (
        r#"{ saves-at-least = "5ms" }"#,
        r#"{ saves-at-least = "95ms" }"#,
    );
    assert_eq!(outcome(supported, 0.0), Outcome::AllSupported);
    assert_eq!(outcome(refuted, 0.0), Outcome::Refuted);
    assert_eq!(
        outcome(r#"{ saves-at-least = "27ms" }"#, 0.0),
        Outcome::Inconclusive
    );
    assert_eq!(outcome(refuted, 15.0), Outcome::Invalid);
}
