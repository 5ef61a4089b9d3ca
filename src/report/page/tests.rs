//! The page, looked into.

use super::method::quoted;
use super::*;
use crate::report::fixture;

fn rendered() -> String {
    let (record, analysis) = fixture::lernmanager();
    page(&record, &analysis).unwrap()
}

#[test]
fn the_answer_comes_before_everything_else() {
    let html = rendered();
    let order = [
        "class=\"answer\"",
        ">Claims<",
        ">Scenarios<",
        ">Charts<",
        ">Break-even<",
        ">What the receipts show<",
        ">May the figures be believed?<",
        ">How it was measured<",
        ">Repeat it<",
    ];
    let places: Vec<usize> = order.iter().map(|part| html.find(part).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?}");
    assert!(html.contains("class=\"badge refuted\">refuted<"));
    assert!(html.contains("prefix-warm saves 2"));
}

#[test]
fn nothing_is_fetched_from_anywhere() {
    let html = rendered();
    // The names of XML's own vocabularies are no addresses to fetch from.
    let html = html.replace("http://www.w3.org/2000/svg", "");
    for outside in [
        "http:", "https:", "src=", "url(", "@import", "<link", "<script", "//",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn what_a_suite_says_is_text_and_never_markup() {
    let evil = "<script>alert(1)</script>";
    let (mut record, mut analysis) = fixture::lernmanager();
    analysis.app = evil.to_owned();
    for scenario in &mut analysis.scenarios {
        scenario.about = Some(format!("\"{evil}"));
    }
    for claim in &mut analysis.claims {
        claim.text = evil.to_owned();
        claim.measured = evil.to_owned();
        claim.reason = evil.to_owned();
        claim.expected = evil.to_owned();
    }
    analysis.findings = vec![evil.to_owned()];
    analysis.warnings = vec![evil.to_owned()];
    record.header.command_line = vec![evil.to_owned()];
    for scenario in &mut record.suite.scenarios {
        scenario.name = evil.to_owned();
    }
    let html = page(&record, &analysis).unwrap();
    assert!(!html.contains("<script"));
    assert!(html.contains("&lt;script&gt;"));
}

#[test]
fn every_chart_is_there_once_and_no_id_twice() {
    let (record, analysis) = fixture::lernmanager();
    let html = rendered();
    let charts = charts(&record, &analysis).len();
    assert_eq!(
        html.matches("<svg class=\"chart\" role=\"img\"").count(),
        charts
    );
    assert_eq!(html.matches("<figcaption>").count(), charts);
    let ids: Vec<&str> = html.split(" id=\"").skip(1).collect();
    assert!(ids.is_empty(), "ids of several charts could clash");
}

#[test]
fn the_command_can_be_pasted_and_has_the_seed() {
    let html = rendered();
    assert!(html.contains(
        "<pre>coldsnake run scenarios/lernmanager/suite.toml --budget 90s --seed 42</pre>"
    ));
    assert_eq!(quoted("it's"), r"'it'\''s'");
    assert_eq!(quoted(""), "''");
}

#[test]
fn odd_records_have_a_page_too() {
    for (record, analysis) in [fixture::odd(), fixture::failed(), fixture::crowded()] {
        let html = page(&record, &analysis).unwrap();
        assert!(html.ends_with("</html>") && !html.contains("NaN"));
    }
    let (record, analysis) = fixture::odd();
    assert!(page(&record, &analysis).unwrap().contains("role=\"alert\""));
}

#[test]
fn the_same_record_gives_the_same_page() {
    assert!(rendered() == rendered());
}
