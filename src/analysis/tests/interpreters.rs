use super::*;
use crate::suite::Named;

/// The suite under two interpreters, of which the second takes half as long again.
fn under_two() -> Record {
    let interpreters = ["3.11.7", "3.12.1"].map(|version| Named {
        path: format!("/opt/{version}/bin/python3").into(),
        version: version.to_owned(),
    });
    let suite = SuiteFile::from_text(Path::new("suite.toml"), SUITE);
    let suite = suite.across(&interpreters).unwrap();
    record(
        suite.text(),
        20,
        Noise::None,
        |scenario, _| match scenario.split_once('@') {
            Some((name, "3.12")) => 1.5 * truth(name),
            _ => truth(scenario.trim_end_matches("@3.11")),
        },
    )
}

#[test]
fn an_effect_is_found_within_each_interpreter_and_the_interpreters_by_their_baselines() {
    let analysis = analyse(&under_two());
    let shift = |from: &str, to: &str| {
        let found = analysis
            .contrasts
            .iter()
            .find(|c| c.metric == Metric::Ready && c.baseline == from && c.scenario == to);
        found.unwrap().shift_ms.estimate
    };
    assert_eq!(shift("warm@3.11", "cold@3.11"), 45.0);
    assert_eq!(shift("warm@3.12", "cold@3.12"), 67.5);
    assert_eq!(shift("warm@3.11", "warm@3.12"), 100.0);
    // One for each scenario but the baseline.
    let of_ready = analysis
        .contrasts
        .iter()
        .filter(|c| c.metric == Metric::Ready);
    assert_eq!(of_ready.count(), 11);
}

#[test]
fn a_prefix_pays_back_under_its_own_interpreter() {
    let mut record = under_two();
    record.receipts = ["read-only@3.11", "read-only@3.12"]
        .map(|scenario| receipt(scenario, &["app compiled EACCES app"]))
        .to_vec();
    let pairs: Vec<_> = analyse(&record)
        .break_even
        .into_iter()
        .map(|b| (b.from, b.first, b.scenario))
        .collect();
    let under = |label: &str| {
        let name = |scenario: &str| format!("{scenario}@{label}");
        (name("read-only"), name("first"), name("later"))
    };
    assert_eq!(pairs, [under("3.11"), under("3.12")]);
}
