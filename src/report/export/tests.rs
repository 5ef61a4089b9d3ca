//! What is exported of records that no run of the program leaves.

use super::super::fixture;
use super::*;

const FORMATS: [ExportFormat; 7] = [
    ExportFormat::Hyperfine,
    ExportFormat::Hyperfine2,
    ExportFormat::Pyperf,
    ExportFormat::Bencher,
    ExportFormat::GithubActionBenchmark,
    ExportFormat::Csv,
    ExportFormat::Markdown,
];

#[test]
fn the_same_record_gives_the_same_bytes() {
    for format in FORMATS {
        let once = || export(&[fixture::lernmanager()], format, &Selection::default()).unwrap();
        assert_eq!(once(), once(), "{format:?}");
        assert!(once().text.ends_with('\n'), "{format:?}");
    }
}

#[test]
fn a_record_without_any_time_has_nothing_for_formats_of_times() {
    for format in FORMATS {
        let exported = export(&[fixture::failed()], format, &Selection::default());
        match format {
            ExportFormat::Csv | ExportFormat::Markdown => assert!(exported.is_ok()),
            _ => assert!(
                matches!(exported, Err(ExportError::Nothing { .. })),
                "{format:?}: {exported:?}"
            ),
        }
    }
}

#[test]
fn one_block_has_a_median_and_neither_an_interval_nor_a_deviation() {
    let exported = |format| {
        let text = export(&[fixture::measured(1)], format, &Selection::default())
            .unwrap()
            .text;
        serde_json::from_str::<serde_json::Value>(&text).unwrap()
    };
    let hyperfine = exported(ExportFormat::Hyperfine);
    assert!(hyperfine["results"][0]["stddev"].is_null());
    let bencher = exported(ExportFormat::Bencher);
    let latency = &bencher.as_object().unwrap().values().next().unwrap()["latency"];
    assert_eq!(latency.as_object().unwrap().len(), 1, "{latency}");
    let entry = &exported(ExportFormat::GithubActionBenchmark)[0];
    assert!(entry["range"].is_null(), "{entry}");
}

#[test]
fn numbers_that_are_none_break_no_table() {
    let text = export(
        &[fixture::odd()],
        ExportFormat::Markdown,
        &Selection::default(),
    )
    .unwrap()
    .text;
    for line in text.lines().filter(|line| line.starts_with("| `")) {
        assert_eq!(line.matches('|').count(), 7, "{line}");
    }
}

#[test]
fn the_same_app_twice_is_refused_where_names_must_be_distinct() {
    let twice = [fixture::lernmanager(), fixture::lernmanager()];
    for format in FORMATS {
        let exported = export(&twice, format, &Selection::default());
        match format {
            ExportFormat::Csv | ExportFormat::Markdown => assert!(exported.is_ok()),
            _ => assert!(matches!(exported, Err(ExportError::SameName { .. }))),
        }
    }
}
