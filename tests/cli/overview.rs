//! Several apps in one table and one chart.

use std::fs;

use crate::project::{As, EXITING_APP, Project};

const RECORDS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

#[test]
fn two_records_give_a_table_with_two_rows_and_a_chart_in_both_forms() {
    let project = Project::new(EXITING_APP);
    let (black, pytest) = (
        format!("{RECORDS}/pypi/black"),
        format!("{RECORDS}/pypi/pytest"),
    );
    let ended = project.run(&["overview", &black, &pytest, "--out", "all"]);
    let ended = ended.expect(0);
    for row in ["| App | Metric |", "| black | exit |", "| pytest | exit |"] {
        assert!(ended.stdout.contains(row), "{}", ended.stdout);
    }
    let file = |name: &str| fs::read(project.path().join("all").join(name)).unwrap();
    assert!(file("chart.png").starts_with(b"\x89PNG"));
    let svg = String::from_utf8(file("chart.svg")).unwrap();
    assert!(
        svg.contains("black") && svg.contains("A bytecode cache saves"),
        "{svg}"
    );
}

#[test]
fn a_record_without_the_scenarios_is_refused_with_what_is_needed() {
    let project = Project::new(EXITING_APP);
    project.measure(As::Me, 2).expect(0);
    let ended = project.run(&["overview", "out", "--out", "all"]);
    ended.expect(2).says(&["prefix-first", "warm"]);
    assert!(!project.path().join("all").exists());
    project.run(&["overview"]).expect(2);
    project.run(&["overview", "nowhere"]).expect(2);
}
