//! What is inside of the pictures, not only that there are some.

use super::*;
use crate::report::fixture;

fn by_name(name: &str, charts: Vec<Chart>) -> Chart {
    charts.into_iter().find(|chart| chart.name == name).unwrap()
}

fn marks(svg: &str) -> usize {
    // Of those beyond an axis, the hole is drawn as a dot, too.
    svg.lines()
        .filter(|line| line.contains("class=\"dots\"") && !line.contains("#FFFFFF"))
        .map(|line| line.matches("h0").count())
        .sum()
}

/// The text that an SVG shows, without its elements, white space squeezed.
fn shown(svg: &str) -> String {
    let mut text = String::new();
    for piece in svg.split("<text").skip(1) {
        let inside = piece.split_once('>').map_or("", |(_, rest)| rest);
        text.push_str(inside.split("</text").next().unwrap_or(""));
        text.push(' ');
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_record_has_a_chart_for_each_question() {
    let (record, analysis) = fixture::lernmanager();
    let names: Vec<String> = charts(&record, &analysis)
        .into_iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(
        names,
        [
            "claim-restart-100ms",
            "claim-prefix-like-writable",
            "distribution-ready",
            "distribution-import",
            "break-even",
            "run-order-ready",
            "run-order-import",
        ]
    );
}

#[test]
fn distributions_and_run_order_show_every_sample() {
    let (record, analysis) = fixture::lernmanager();
    let launches = record
        .launches
        .iter()
        .filter(|l| l.times.ready.is_some())
        .count();
    for name in ["distribution-ready", "run-order-ready"] {
        let svg = by_name(name, charts(&record, &analysis)).svg().unwrap();
        assert_eq!(marks(&svg), launches, "{name}");
        assert!(shown(&svg).contains("warm (twin)"));
        assert!(shown(&svg).contains("prefix-first"));
    }
}

#[test]
fn a_claim_is_shown_with_its_verdict_and_every_difference() {
    let (record, analysis) = fixture::lernmanager();
    let chart = by_name("claim-restart-100ms", charts(&record, &analysis));
    let svg = chart.svg().unwrap();
    assert_eq!(marks(&svg), 20);
    assert!(
        chart.title.starts_with("prefix-warm saves 2"),
        "{}",
        chart.title
    );
    assert!(
        chart
            .title
            .ends_with("the claims say 80 to 120 ms and 50 to 100 ms")
    );
    let text = shown(&svg);
    assert!(text.contains(&chart.title), "{text}");
    assert!(
        text.contains("restart-100ms refuted “~100ms per server restart”"),
        "{text}"
    );
    assert!(text.contains("80 to 120 ms") && text.contains("50 to 100 ms"));
}

#[test]
fn a_difference_far_off_is_named_and_does_not_squeeze_the_others() {
    let (record, mut analysis) = fixture::lernmanager();
    let pair = analysis.contrasts.last_mut().unwrap();
    pair.differences_ms[3] = -9000.0;
    let svg = by_name("claim-restart-100ms", charts(&record, &analysis))
        .svg()
        .unwrap();
    assert_eq!(marks(&svg), 20);
    assert!(shown(&svg).contains("Rings lie beyond the axis: +9,000 ms"));
    assert!(!shown(&svg).contains("5,000"));
}

#[test]
fn a_failed_launch_is_counted_and_crossed() {
    let (mut record, analysis) = fixture::lernmanager();
    let failed = record
        .launches
        .iter_mut()
        .find(|launch| launch.times.ready.is_some() && launch.arm.scenario == 1)
        .unwrap();
    failed.failure = Some("timed out".to_owned());
    let svg = by_name("run-order-ready", charts(&record, &analysis))
        .svg()
        .unwrap();
    assert!(shown(&svg).contains("1 of 20 launches failed (crosses)"));
    let svg = by_name("distribution-ready", charts(&record, &analysis))
        .svg()
        .unwrap();
    assert!(shown(&svg).contains("1 of 20 launches failed"));
}

#[test]
fn the_crossing_is_marked_with_its_range() {
    let (record, analysis) = fixture::lernmanager();
    let chart = by_name("break-even", charts(&record, &analysis));
    let text = shown(&chart.svg().unwrap());
    let starts = crate::report::words::starts(&analysis.break_even[0].starts);
    assert!(chart.title.contains(&starts), "{}", chart.title);
    assert!(text.contains(&starts), "{text}");
    assert!(text.contains("prefix-warm instead of vps-before"));
    assert!(text.contains("s more than without the fix, in total"));
}

#[test]
fn all_fixes_are_in_one_chart_and_each_has_its_line_and_its_row() {
    let (record, mut analysis) = fixture::lernmanager();
    let mut second = analysis.break_even[0].clone();
    second.from = "read-only".to_owned();
    second.starts = crate::analysis::Starts::Never;
    analysis.break_even.push(second);
    let chart = by_name("break-even", charts(&record, &analysis));
    assert!(
        chart
            .title
            .starts_with("prefix-warm instead of vps-before is paid back soonest: after "),
        "{}",
        chart.title
    );
    let svg = chart.svg().unwrap();
    // The places of vps-before, read-only and prefix-warm in the suite.
    for of in ["3 5", "2 5"] {
        assert_eq!(svg.matches(&format!("data-of=\"{of}\"")).count(), 2);
    }
    assert!(shown(&svg).contains("2 prefix-warm instead of read-only never"));
}

#[test]
fn no_odd_number_makes_a_panic_or_gets_into_a_picture() {
    let cases = [
        fixture::lernmanager(),
        fixture::measured(1),
        fixture::failed(),
        fixture::odd(),
        fixture::crowded(),
        {
            let (mut record, analysis) = fixture::measured(1);
            record.launches.clear();
            (record, analysis)
        },
    ];
    for (record, analysis) in cases {
        let all = charts(&record, &analysis);
        assert!(!all.is_empty());
        for chart in all {
            let svg = chart.svg().unwrap();
            for wrong in ["NaN", "inf", "=\"-\""] {
                assert!(!svg.contains(wrong), "{} has {wrong}", chart.name);
            }
            assert!(!svg.contains("width=\"-"), "{}", chart.name);
        }
    }
}

#[test]
fn nothing_is_drawn_beyond_the_edge() {
    let places = |svg: &str, attribute: &str| {
        svg.split(&format!(" {attribute}=\""))
            .skip(1)
            .filter_map(|rest| rest.split('"').next()?.parse::<f64>().ok())
            .collect::<Vec<_>>()
    };
    for (record, analysis) in [fixture::lernmanager(), fixture::crowded(), fixture::odd()] {
        for chart in charts(&record, &analysis) {
            let svg = chart.svg().unwrap();
            for x in ["x", "cx"].map(|name| places(&svg, name)).concat() {
                assert!((0.0..=1120.0).contains(&x), "{}: {x}", chart.name);
            }
            let height = places(&svg, "height")[0];
            for y in ["y", "cy"].map(|name| places(&svg, name)).concat() {
                assert!((0.0..=height).contains(&y), "{}: {y}", chart.name);
            }
        }
    }
}

#[test]
fn a_picture_can_be_drawn_of_odd_numbers_too() {
    let (record, analysis) = fixture::odd();
    for chart in charts(&record, &analysis) {
        assert!(chart.png(Theme::Dark).unwrap().starts_with(b"\x89PNG"));
    }
}

#[test]
fn the_same_record_gives_the_same_bytes() {
    let draw = || {
        let (record, analysis) = fixture::lernmanager();
        charts(&record, &analysis)
            .into_iter()
            .take(2)
            .map(|chart| (chart.svg().unwrap(), chart.png(Theme::Light).unwrap()))
            .collect::<Vec<_>>()
    };
    assert!(draw() == draw());
}

#[test]
fn an_svg_tells_its_finding_to_those_who_cannot_see_it() {
    let (record, mut analysis) = fixture::lernmanager();
    analysis.claims[0].measured = "saves <b>\"27\"</b> & more\u{1}".to_owned();
    let svg = by_name("claim-restart-100ms", charts(&record, &analysis))
        .svg()
        .unwrap();
    assert!(
        svg.contains("-title\">prefix-warm saves &lt;b&gt;&quot;27&quot;&lt;/b&gt; &amp; more")
    );
    assert!(!svg.contains("<b>") && !svg.contains('\u{1}'));
    assert!(svg.contains("prefers-color-scheme:dark"));
}

#[test]
fn names_of_charts_are_unique_and_fit_for_files() {
    let (record, mut analysis) = fixture::lernmanager();
    analysis.claims[3].id = "../restart 100ms".to_owned();
    analysis.claims[0].id = "---restart-100ms".to_owned();
    let names: Vec<String> = charts(&record, &analysis)
        .into_iter()
        .map(|c| c.name)
        .collect();
    assert_eq!(names[0], "claim----restart-100ms");
    assert_eq!(names[1], "claim----restart-100ms-2");
}
