//! What must hold for any sample.

use coldsnake::stats::describe::{Summary, quantile};
use coldsnake::stats::interval::{Estimate, Interval, Level};
use coldsnake::stats::sequence::ConfidenceSequence;
use coldsnake::stats::{drift, hodges_lehmann, modality, multiple, signed_rank};
use proptest::prelude::*;

fn samples(sizes: std::ops::Range<usize>) -> impl Strategy<Value = Vec<f64>> {
    // Some from few values, so that ties and zeros are common; some with huge and tiny ones.
    let number = prop_oneof![
        3 => -1e3..1e3f64,
        2 => (-3i32..4).prop_map(f64::from),
        1 => -1e300..1e300f64,
        1 => -1e-300..1e-300f64,
    ];
    prop::collection::vec(number, sizes)
}

/// Whole numbers: shifts and scalings by whole numbers are exact, so equalities are, too.
fn whole_samples() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec((-100_000i32..100_000).prop_map(f64::from), 1..40)
}

fn mapped(estimate: Estimate, map: impl Fn(f64) -> f64) -> Estimate {
    let ends = |interval: Interval| {
        let (a, b) = (map(interval.low()), map(interval.high()));
        Interval::new(a.min(b), a.max(b)).unwrap()
    };
    Estimate {
        estimate: map(estimate.estimate),
        interval: estimate.interval.map(ends),
    }
}

fn estimate(differences: &[f64]) -> Estimate {
    hodges_lehmann::estimate(differences, Level::P95).unwrap()
}

fn each(differences: &[f64], map: impl Fn(f64) -> f64) -> Vec<f64> {
    differences.iter().map(|d| map(*d)).collect()
}

proptest! {
    // A failure prints its input; no file of them is kept.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn selection_without_enumeration_finds_the_same_walsh_averages(
        differences in samples(1..60),
    ) {
        let mut averages = Vec::new();
        for (i, a) in differences.iter().enumerate() {
            averages.extend(differences[i..].iter().map(|b| 0.5 * a + 0.5 * b));
        }
        averages.sort_by(f64::total_cmp);
        let m = averages.len();
        let got = estimate(&differences);
        let middle = 0.5 * averages[(m - 1) / 2] + 0.5 * averages[m / 2];
        prop_assert_eq!(got.estimate, middle);
        let rank = signed_rank::critical_rank(differences.len(), Level::P95);
        let interval = rank.and_then(|k| Interval::new(averages[k - 1], averages[m - k]));
        prop_assert_eq!(got.interval, interval);
    }

    #[test]
    fn the_estimate_moves_with_a_shift(d in whole_samples(), shift in -1000i32..1000) {
        let shift = f64::from(shift);
        prop_assert_eq!(estimate(&each(&d, |x| x + shift)), mapped(estimate(&d), |x| x + shift));
    }

    #[test]
    fn the_estimate_scales_with_the_unit_and_flips_with_the_arms(
        d in whole_samples(),
        scale in -64i32..64,
    ) {
        let scale = f64::from(scale);
        prop_assert_eq!(estimate(&each(&d, |x| x * scale)), mapped(estimate(&d), |x| x * scale));
    }

    #[test]
    fn the_order_of_the_blocks_does_not_matter(
        (d, shuffled) in samples(1..40).prop_flat_map(|d| (Just(d.clone()), Just(d).prop_shuffle())),
    ) {
        prop_assert_eq!(estimate(&d), estimate(&shuffled));
    }

    #[test]
    fn the_estimate_lies_in_its_interval_and_a_higher_level_is_wider(d in samples(8..60)) {
        let narrow = hodges_lehmann::estimate(&d, Level::P90).unwrap();
        let wide = hodges_lehmann::estimate(&d, Level::P99).unwrap().interval.unwrap();
        let interval = narrow.interval.unwrap();
        prop_assert!(interval.contains(narrow.estimate));
        prop_assert!(wide.low() <= interval.low() && interval.high() <= wide.high());
    }

    #[test]
    fn the_interval_excludes_zero_exactly_when_the_exact_test_rejects(
        d in prop::collection::vec(-1.0..2.0f64, 6..30),
    ) {
        let test = signed_rank::test(&d).unwrap();
        prop_assume!(test.exact);
        let excludes = !estimate(&d).interval.unwrap().contains(0.0);
        prop_assert_eq!(excludes, test.p_value <= Level::P95.alpha());
    }

    #[test]
    fn a_ratio_is_the_inverse_of_that_of_the_arms_swapped(
        pairs in prop::collection::vec((0.1..1e3f64, 0.1..1e3f64), 6..30),
    ) {
        let swapped: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
        let ratio = hodges_lehmann::ratio(&pairs, Level::P95).unwrap();
        let inverse = hodges_lehmann::ratio(&swapped, Level::P95).unwrap();
        prop_assert!((ratio.estimate * inverse.estimate - 1.0).abs() < 1e-12);
        let (there, back) = (ratio.interval.unwrap(), inverse.interval.unwrap());
        prop_assert!((there.low() * back.high() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_p_value_is_a_probability_and_the_same_for_both_directions(d in samples(1..40)) {
        let test = signed_rank::test(&d).unwrap();
        let flipped = signed_rank::test(&each(&d, |x| -x)).unwrap();
        prop_assert!(test.p_value > 0.0 && test.p_value <= 1.0);
        prop_assert_eq!(test.p_value, flipped.p_value);
    }

    #[test]
    fn holms_p_values_are_no_smaller_and_keep_the_order(
        p in prop::collection::vec(0.0..=1.0f64, 0..12),
    ) {
        let adjusted = multiple::holm(&p).unwrap();
        for (i, a) in adjusted.iter().enumerate() {
            prop_assert!(*a >= p[i] && *a <= 1.0);
            for (j, b) in adjusted.iter().enumerate() {
                prop_assert!(p[i] > p[j] || a <= b);
            }
        }
    }

    #[test]
    fn what_the_sequence_does_not_reject_is_an_interval(
        pilot in prop::collection::vec(-5.0..5.0f64, 10),
        d in prop::collection::vec(prop_oneof![-5.0..5.0f64, -100.0..100.0f64], 15..80),
        level in prop_oneof![Just(Level::P95), Just(Level::P99), Just(Level::P90)],
    ) {
        let mut sequence = ConfidenceSequence::from_pilot(&pilot, level).unwrap();
        prop_assert!(d.iter().all(|x| sequence.update(*x)));
        if let Some(interval) = sequence.interval() {
            for step in 0..=600 {
                let theta = f64::from(step) - 300.0;
                let inside = interval.low() < theta && theta < interval.high();
                prop_assert_eq!(inside, !sequence.rejects(theta), "{}", theta);
            }
        }
    }

    #[test]
    fn any_finite_sample_is_described_in_order(values in samples(1..60)) {
        let s = Summary::of(&values).unwrap();
        let ordered = [s.min, s.p10, s.median, s.p90, s.max];
        prop_assert!(ordered.is_sorted(), "{:?}", ordered);
        prop_assert_eq!(s.mild_outliers() + s.severe_outliers(), s.outliers.len());
    }

    #[test]
    fn the_dip_ignores_the_unit_and_the_direction(
        values in prop::collection::vec(-1000i32..1000, 4..60),
    ) {
        let dip = |scale: f64| {
            let scaled: Vec<f64> = values.iter().map(|v| f64::from(*v) * scale).collect();
            modality::dip(&scaled).unwrap()
        };
        prop_assert!((dip(1.0) - dip(-8.0)).abs() < 1e-9);
        prop_assert!(dip(1.0) >= 0.5 / values.len() as f64);
    }

    #[test]
    fn one_nan_makes_every_statistic_refuse(mut values in samples(20..40), at in 0usize..20) {
        values[at] = f64::NAN;
        prop_assert!(Summary::of(&values).is_none());
        prop_assert!(quantile(&values, 0.5).is_none());
        prop_assert!(hodges_lehmann::estimate(&values, Level::P95).is_none());
        prop_assert!(signed_rank::test(&values).is_none());
        prop_assert!(modality::dip(&values).is_none());
        prop_assert!(modality::is_multimodal(&values).is_none());
        prop_assert!(drift::over_run_order(&values).is_none());
        prop_assert!(ConfidenceSequence::from_pilot(&values, Level::P95).is_none());
    }
}

#[test]
fn empty_samples_are_refused() {
    assert!(hodges_lehmann::estimate(&[], Level::P95).is_none());
    assert!(hodges_lehmann::ratio(&[], Level::P95).is_none());
    assert!(signed_rank::test(&[]).is_none());
    assert!(drift::over_run_order(&[]).is_none());
    assert!(drift::position_effect(&[]).is_none());
}

#[test]
fn times_that_are_not_positive_have_no_ratio() {
    for pair in [
        (0.0, 1.0),
        (1.0, 0.0),
        (-1.0, 1.0),
        (1.0, f64::INFINITY),
        (f64::NAN, 1.0),
    ] {
        assert!(
            hodges_lehmann::ratio(&[(1.0, 2.0), pair], Level::P95).is_none(),
            "{pair:?}"
        );
    }
}

#[test]
fn too_few_differences_give_an_estimate_without_interval() {
    let estimate = hodges_lehmann::estimate(&[1.0, 2.0, 4.0], Level::P95).unwrap();
    assert_eq!(
        estimate,
        Estimate {
            estimate: 2.25,
            interval: None
        }
    );
}

#[test]
fn only_zeros_say_nothing_against_no_effect() {
    let test = signed_rank::test(&[0.0; 12]).unwrap();
    assert_eq!((test.n, test.zeros, test.p_value), (0, 12, 1.0));
}
