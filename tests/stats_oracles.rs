//! The statistics against other people's: scipy's answers, published tables, and enumeration.

use coldsnake::stats::interval::Level;
use coldsnake::stats::meta_analysis::{GroupEffect, pool};
use coldsnake::stats::signed_rank::{NullDistribution, critical_rank, smallest_n};
use coldsnake::stats::{drift, hodges_lehmann, modality, signed_rank, two_sample};
use serde_json::Value;

fn cases(text: &str, key: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(text).unwrap();
    let cases = all[key].as_array().unwrap().clone();
    assert!(!cases.is_empty());
    cases
}

fn signed_rank_cases(key: &str) -> Vec<Value> {
    cases(include_str!("data/signed_rank_scipy.json"), key)
}

fn rank_cases(key: &str) -> Vec<Value> {
    cases(include_str!("data/ranks_scipy.json"), key)
}

fn other_cases(key: &str) -> Vec<Value> {
    cases(include_str!("data/stats_scipy.json"), key)
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|x| x.as_f64().unwrap())
        .collect()
}

#[track_caller]
fn close(got: f64, want: &Value, relative: f64) {
    let want = want.as_f64().unwrap();
    assert!(
        (got - want).abs() <= relative * want.abs().max(1e-300),
        "{got} instead of {want}"
    );
}

#[test]
fn exact_p_values_are_scipys() {
    let cases = signed_rank_cases("tests");
    let exact: Vec<_> = cases
        .iter()
        .filter(|case| case["method"] == "exact")
        .collect();
    assert_eq!(exact.len(), 46);
    for case in exact {
        let test = signed_rank::test(&numbers(&case["differences"])).unwrap();
        assert!(test.exact);
        close(test.p_value, &case["p_value"], 1e-12);
    }
}

#[test]
fn exact_p_values_are_scipys_up_to_the_most_differences_for_which_ours_are_exact() {
    let cases = rank_cases("large");
    let sizes = cases.iter().map(|case| numbers(&case["differences"]).len());
    assert_eq!(sizes.max(), Some(signed_rank::EXACT_LIMIT));
    for case in cases {
        let test = signed_rank::test(&numbers(&case["differences"])).unwrap();
        assert!(test.exact);
        close(test.p_value, &case["counted"], 1e-12);
        // scipy's far tail is a difference from 1, so it is right to so many decimals only.
        let scipys = case["scipys"].as_f64().unwrap();
        assert!((test.p_value - scipys).abs() < 1e-13, "{scipys}");
    }
}

#[test]
fn critical_ranks_are_those_of_whole_number_counts_at_the_levels_of_several_contrasts() {
    let cases = rank_cases("critical_ranks");
    let without = cases.iter().filter(|case| case["rank"] == 0).count();
    assert!((1..cases.len() / 2).contains(&without));
    for case in cases {
        let n = case["n"].as_u64().unwrap() as usize;
        let level = Level::from_alpha(case["alpha"].as_f64().unwrap()).unwrap();
        let rank = critical_rank(n, level).unwrap_or(0);
        assert_eq!(
            Some(rank as u64),
            case["rank"].as_u64(),
            "n = {n}, {level:?}"
        );
    }
}

#[test]
fn two_samples_are_tested_as_scipy_does_and_shifted_as_enumeration_says() {
    for case in rank_cases("two_samples") {
        let (x, y) = (numbers(&case["x"]), numbers(&case["y"]));
        close(two_sample::p_value(&x, &y).unwrap(), &case["p_value"], 1e-9);
        let shift = two_sample::shift(&x, &y, Level::P95).unwrap();
        close(shift.estimate, &case["shift"], 1e-12);
    }
}

#[test]
fn p_values_with_ties_zeros_or_many_differences_are_scipys_asymptotic_ones() {
    let cases = signed_rank_cases("tests");
    let normal: Vec<_> = cases
        .iter()
        .filter(|case| case["method"] == "asymptotic")
        .collect();
    assert!(normal.len() >= 15);
    let mut with_zeros = 0;
    for case in normal {
        let test = signed_rank::test(&numbers(&case["differences"])).unwrap();
        assert!(!test.exact);
        with_zeros += usize::from(test.zeros > 0);
        close(test.p_value, &case["p_value"], 1e-9);
    }
    assert!(with_zeros > 5);
}

#[test]
fn estimates_and_intervals_are_those_of_enumeration_and_whole_number_counts() {
    for case in signed_rank_cases("estimates") {
        let differences = numbers(&case["differences"]);
        let level = Level::new(case["confidence"].as_f64().unwrap()).unwrap();
        let rank = critical_rank(differences.len(), level).unwrap_or(0);
        assert_eq!(Some(rank as u64), case["rank"].as_u64());
        let estimate = hodges_lehmann::estimate(&differences, level).unwrap();
        close(estimate.estimate, &case["estimate"], 1e-12);
        match estimate.interval {
            Some(interval) => {
                close(interval.low(), &case["interval"][0], 1e-12);
                close(interval.high(), &case["interval"][1], 1e-12);
            }
            None => assert!(case["interval"].is_null()),
        }
    }
}

/// McCornack (1965), "Extended tables of the Wilcoxon matched pair signed rank statistic", JASA 60,
/// 864–871 (as in Zar, "Biostatistical Analysis", table B.12): the largest T whose two-sided
/// probability doesn't exceed the level. A dash in the table is `None` here.
#[test]
fn critical_values_are_those_of_the_published_table() {
    let table = [
        // (n, two-sided 10 %, 5 %, 1 %)
        (5, Some(0), None, None),
        (6, Some(2), Some(0), None),
        (7, Some(3), Some(2), None),
        (8, Some(5), Some(3), Some(0)),
        (9, Some(8), Some(5), Some(1)),
        (10, Some(10), Some(8), Some(3)),
        (12, Some(17), Some(13), Some(7)),
        (15, Some(30), Some(25), Some(15)),
        (20, Some(60), Some(52), Some(37)),
        (25, Some(100), Some(89), Some(68)),
    ];
    for (n, ten, five, one) in table {
        for (level, want) in [(Level::P90, ten), (Level::P95, five), (Level::P99, one)] {
            // The critical rank counts from 1, so it is the table's T plus one.
            assert_eq!(
                critical_rank(n, level).map(|k| k - 1),
                want,
                "n = {n}, {level:?}"
            );
        }
    }
}

#[test]
fn five_six_and_eight_differences_are_needed_at_90_95_and_99_percent() {
    for (level, n) in [(Level::P90, 5), (Level::P95, 6), (Level::P99, 8)] {
        assert_eq!(smallest_n(level), n);
        assert_eq!(critical_rank(n - 1, level), None);
        assert_eq!(critical_rank(n, level), Some(1));
    }
    assert_eq!(critical_rank(0, Level::P95), None);
}

#[test]
fn the_null_distribution_is_that_of_all_sign_patterns() {
    for n in 0..=12 {
        let distribution = NullDistribution::new(n).unwrap();
        let largest = n * (n + 1) / 2;
        let mut counts = vec![0u32; largest + 1];
        for signs in 0..1u32 << n {
            let w: usize = (0..n).filter(|i| signs >> i & 1 == 1).map(|i| i + 1).sum();
            counts[w] += 1;
        }
        let mut total = 0;
        for (w, count) in counts.iter().enumerate() {
            total += count;
            let want = f64::from(total) / f64::from(1u32 << n);
            assert!(
                (distribution.cdf(w) - want).abs() < 1e-14,
                "n = {n}, w = {w}"
            );
        }
        assert_eq!(distribution.cdf(largest + 5), 1.0);
    }
}

#[test]
fn exact_and_normal_ranks_meet_where_one_takes_over_from_the_other() {
    let limit = signed_rank::EXACT_LIMIT;
    assert!(NullDistribution::new(limit + 1).is_none());
    for level in [Level::P90, Level::P95, Level::P99] {
        let below = critical_rank(limit - 1, level).unwrap() as f64;
        let exact = critical_rank(limit, level).unwrap() as f64;
        let normal = critical_rank(limit + 1, level).unwrap() as f64;
        // Ranks grow smoothly with n, so the step over the limit continues the one before.
        assert!(
            (normal / (2.0 * exact - below) - 1.0).abs() < 0.005,
            "{level:?}"
        );
    }
}

#[test]
fn spearmans_rho_is_scipys() {
    for case in other_cases("spearman") {
        let got = drift::spearman(&numbers(&case["x"]), &numbers(&case["y"])).unwrap();
        close(got.rho, &case["rho"], 1e-12);
        close(got.p_value, &case["p_value"], 1e-8);
    }
}

#[test]
fn friedmans_chi_squared_is_scipys() {
    for case in other_cases("friedman") {
        let rows = case["rows"].as_array().unwrap().iter().map(numbers);
        let place = |value| drift::Placed { arm: 0, value };
        let blocks: Vec<Vec<_>> = rows
            .map(|row| row.into_iter().map(place).collect())
            .collect();
        let got = drift::position_effect(&blocks).unwrap();
        close(got.chi_squared, &case["chi_squared"], 1e-10);
        close(got.p_value, &case["p_value"], 1e-8);
    }
}

#[test]
fn the_dip_from_the_taut_string_is_hartigans() {
    for case in other_cases("dips") {
        let got = modality::dip(&numbers(&case["values"])).unwrap();
        let want = case["dip"].as_f64().unwrap();
        assert!(
            (got - want).abs() < 1e-9,
            "{}: {got} instead of {want}",
            case["kind"]
        );
    }
}

#[test]
fn pooled_effects_are_those_of_statsmodels_where_it_agrees_that_groups_differ() {
    let cases = cases(include_str!("data/meta_statsmodels.json"), "cases");
    assert_eq!(cases.len(), 33);
    let mut differing = 0;
    for case in &cases {
        let effects = numbers(&case["effects"]);
        let groups: Vec<GroupEffect> = effects
            .iter()
            .zip(numbers(&case["variances"]))
            .map(|(effect, variance)| GroupEffect::new(*effect, variance.sqrt()).unwrap())
            .collect();
        let level = Level::from_alpha(case["alpha"].as_f64().unwrap()).unwrap();
        let pooled = pool(&groups, level).unwrap();
        let tau_squared = case["tau2"].as_f64().unwrap();
        assert!((pooled.tau.powi(2) - tau_squared).abs() <= 1e-7 * tau_squared);
        close(pooled.estimate, &case["mean"], 1e-7);
        close(pooled.heterogeneity.q, &case["q"], 1e-9);
        close(pooled.heterogeneity.p_value, &case["q_p"], 1e-7);
        close(pooled.heterogeneity.i_squared, &case["i2"], 1e-9);
        close(pooled.interval.low(), &case["low_re"], 1e-7);
        close(pooled.interval.high(), &case["high_re"], 1e-7);
        if tau_squared > 0.0 {
            // Hartung and Knapp's own scale is 1 then.
            close(pooled.interval.low(), &case["low_hk"], 1e-7);
            close(pooled.interval.high(), &case["high_hk"], 1e-7);
            differing += 1;
        }
    }
    assert!(differing > 15, "only {differing}");
}

#[test]
fn the_trials_of_bcg_give_what_textbooks_print() {
    let cases = cases(include_str!("data/meta_statsmodels.json"), "cases");
    let trials = cases.iter().find(|case| case["name"] == "BCG").unwrap();
    let groups: Vec<GroupEffect> = numbers(&trials["effects"])
        .into_iter()
        .zip(numbers(&trials["variances"]))
        .map(|(effect, variance)| GroupEffect::new(effect, variance.sqrt()).unwrap())
        .collect();
    let pooled = pool(&groups, Level::P95).unwrap();
    let to_five = |value: f64| format!("{value:.5}");
    assert_eq!(to_five(pooled.tau.powi(2)), "0.31807");
    assert_eq!(to_five(pooled.estimate), "-0.71497");
    assert_eq!(to_five(pooled.interval.low()), "-1.10910");
    assert_eq!(to_five(pooled.interval.high()), "-0.32084");
}
