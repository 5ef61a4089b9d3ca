//! The page, looked into.

use serde_json::Value;

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
        "id=\"scenarios\"",
        "id=\"differences\"",
        "id=\"claims\"",
        "id=\"break-even\"",
        "id=\"receipts\"",
        "id=\"validity\"",
        "id=\"method\"",
        "id=\"repeat\"",
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
        "http:", "https:", " src=", "url(", "@import", "<link", "import(", "fetch(",
    ] {
        assert!(!html.contains(outside), "{outside}");
    }
    assert!(
        html.contains(
            "content=\"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-"
        )
    );
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
    assert!(!html.contains("<script>alert"));
    assert!(html.contains("&lt;script&gt;"));
    let data = data(&html);
    let labels = data["series"].as_array().unwrap().iter();
    let evil = format!("{evil} (twin)");
    assert_eq!(labels.filter(|each| each["label"] == evil).count(), 2);
}

#[test]
fn a_page_of_ten_thousand_launches_is_small_and_has_every_one() {
    let (record, analysis) = fixture::measured(715);
    assert!(record.launches.len() >= 10_000);
    let html = page(&record, &analysis).unwrap();
    assert!(html.len() <= 1_500_000, "{} bytes", html.len());
    let known = |series: &Value| series["ms"].as_array().map_or(0, Vec::len);
    let data = data(&html);
    let launches: usize = data["series"].as_array().unwrap().iter().map(known).sum();
    assert_eq!(launches, record.launches.len());
}

/// What the script knows.
fn data(html: &str) -> Value {
    let (_, rest) = html.split_once("id=\"data\">").unwrap();
    let (data, _) = rest.split_once("</script>").unwrap();
    serde_json::from_str(data).unwrap()
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
    let mut ids: Vec<&str> = html
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    for part in html.split(" href=\"#").skip(1) {
        assert!(ids.contains(&part.split('"').next().unwrap()));
    }
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
        let (static_part, _) = html.split_once("<script>").unwrap();
        assert!(html.ends_with("</html>") && !static_part.contains("NaN"));
    }
    let (record, analysis) = fixture::odd();
    assert!(page(&record, &analysis).unwrap().contains("role=\"alert\""));
}

#[test]
fn the_same_record_gives_the_same_page() {
    assert!(rendered() == rendered());
}
