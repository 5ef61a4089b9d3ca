//! The page's tables. A cell that is shown rounded carries its number, for sorting.

use maud::{Markup, html};

use super::super::html::places;
use super::super::{counts, numbers, words};
use crate::analysis::{Analysis, BreakEven, Contrast, ScenarioSummary, Starts};
use crate::suite::{Metric, Suite};

/// Restarts for which total times are told.
const RESTARTS: [f64; 4] = [1.0, 10.0, 100.0, 1000.0];

/// Columns of words, by their headings.
const TEXTS: [&str; 2] = ["against", "instead of"];

/// Where a scenario stands in the suite, for what is shown and hidden with it.
pub fn of(suite: &Suite, names: &[&str]) -> Option<String> {
    let scenarios = || suite.scenarios.iter();
    let places_of: Vec<usize> = names
        .iter()
        .filter_map(|name| scenarios().position(|each| each.name == **name))
        .collect();
    places(&places_of)
}

/// A table that can be scrolled by itself, by keyboard too.
fn table(caption: &str, headings: &[(&str, &str)], rows: Markup) -> Markup {
    html! {
        div.scroll tabindex="0" role="region" aria-label=(caption) {
            table.sortable {
                caption { (caption) }
                thead { tr {
                    @for (heading, unit) in headings {
                        th.text[TEXTS.contains(heading)] scope="col" {
                            (heading) @if !unit.is_empty() { br; (unit) }
                        }
                    }
                } }
                tbody { (rows) }
            }
        }
    }
}

fn figure(shown: &str, value: f64) -> Markup {
    let value = value.is_finite().then(|| value.to_string());
    html! { td data-v=[value] { (shown) } }
}

fn time(ms: Option<f64>) -> Markup {
    match ms {
        Some(ms) => figure(&numbers::time(ms), ms),
        None => html! { td { (numbers::UNKNOWN) } },
    }
}

/// Each scenario by itself, in one metric.
pub fn scenarios(suite: &Suite, analysis: &Analysis, metric: Metric) -> Markup {
    let caption = format!("Scenarios, {}", words::metric_label(metric, suite));
    let headings = [
        ("scenario", ""),
        ("median", "ms"),
        ("middle 80 %", "ms"),
        ("CPU", "ms"),
        ("compiled", "modules"),
        ("written", "pycs"),
        ("launches", ""),
    ];
    let rows = html! {
        @for scenario in &analysis.scenarios { (scenario_row(suite, scenario, metric)) }
    };
    table(&caption, &headings, rows)
}

fn scenario_row(suite: &Suite, scenario: &ScenarioSummary, metric: Metric) -> Markup {
    let summary = scenario.metrics.iter().find(|each| each.metric == metric);
    let middle = summary.map_or(numbers::UNKNOWN.to_owned(), |each| {
        let (low, high) = (numbers::time(each.p10_ms), numbers::time(each.p90_ms));
        format!("{low} to {high}")
    });
    html! {
        tr data-of=[of(suite, &[&scenario.name])] {
            th scope="row" title=[scenario.about.as_deref()] { (scenario.name) }
            (time(summary.map(|each| each.median_ms)))
            (figure(&middle, summary.map_or(f64::NAN, |each| each.p90_ms - each.p10_ms)))
            (time(summary.map(|each| each.cpu_median_ms)))
            td { @if let Some(each) = summary { (each.compiled) } }
            td { @if let Some(each) = summary { (each.written) } }
            td data-v=(summary.map_or(0, |each| each.launches)) {
                (summary.map_or(0, |each| each.launches))
                @if scenario.failures > 0 { ", " (scenario.failures) " failed" }
            }
        }
    }
}

/// Every contrast of one metric, the noise floor first.
pub fn differences(suite: &Suite, analysis: &Analysis, metric: Metric) -> Markup {
    let caption = format!(
        "Paired differences, {}; negative is faster",
        words::metric_label(metric, suite)
    );
    let headings = [
        ("scenario", ""),
        ("against", ""),
        ("shift", "ms"),
        ("95 % interval", "ms"),
        ("ratio", ""),
        ("pairs", "blocks"),
    ];
    let of_metric = |each: &&Contrast| each.metric == metric;
    let rows = html! {
        @for floor in analysis.noise_floor.iter().filter(of_metric) {
            (difference_row(suite, floor, "its twin (noise floor)"))
        }
        @for each in analysis.contrasts.iter().filter(of_metric) {
            (difference_row(suite, each, &each.baseline))
        }
    };
    table(&caption, &headings, rows)
}

fn difference_row(suite: &Suite, contrast: &Contrast, against: &str) -> Markup {
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    let is_floor = contrast.scenario == contrast.baseline;
    let ends = ends.as_deref().unwrap_or(numbers::UNKNOWN);
    html! {
        tr.twin[is_floor] data-of=[of(suite, &[&contrast.baseline, &contrast.scenario])] {
            th scope="row" { (contrast.scenario) }
            td.text { (against) }
            (figure(&shift, contrast.shift_ms.estimate))
            (figure(ends, contrast.shift_ms.interval.map_or(f64::NAN, |i| i.low())))
            (figure(&numbers::ratio(contrast.ratio.estimate), contrast.ratio.estimate))
            td { (contrast.blocks) }
        }
    }
}

/// What so many restarts take in total, with each fix and without it.
pub fn totals(suite: &Suite, analysis: &Analysis) -> Markup {
    let Some(&metric) = suite.measure.metrics.first() else {
        return html! {};
    };
    let median = |name: &str| {
        let scenario = analysis.scenarios.iter().find(|each| each.name == name)?;
        let summary = scenario.metrics.iter().find(|each| each.metric == metric)?;
        Some(summary.median_ms).filter(|ms| ms.is_finite())
    };
    let headings = [
        ("fix", ""),
        ("instead of", ""),
        ("restarts", ""),
        ("without it", "s"),
        ("with it", "s"),
        ("difference", "s"),
    ];
    let rows = html! {
        @for data in &analysis.break_even {
            @if let Some(without_ms) = median(&data.from) { (total_rows(suite, data, without_ms)) }
        }
    };
    table("Total time of so many restarts", &headings, rows)
}

fn total_rows(suite: &Suite, data: &BreakEven, without_ms: f64) -> Markup {
    let (cost, saved) = (
        data.first_start_cost_ms.estimate,
        data.saved_per_start_ms.estimate,
    );
    let mut restarts = RESTARTS.to_vec();
    if let Starts::After { estimate, .. } = data.starts
        && (1.0..1e9).contains(&estimate)
    {
        restarts.push(estimate.ceil());
        restarts.sort_by(f64::total_cmp);
        restarts.dedup();
    }
    let seconds = |s: f64| numbers::fixed(s, 2);
    let signed = |s: f64| numbers::signed(s, 2);
    html! {
        @for count in restarts {
            @let without = count * without_ms / 1e3;
            @let more = (cost - (count - 1.0) * saved) / 1e3;
            tr data-of=[of(suite, &[&data.from, &data.scenario])] {
                th scope="row" { (data.scenario) }
                td.text { (data.from) }
                (figure(&numbers::fixed(count, 0), count))
                (figure(&seconds(without), without))
                (figure(&seconds(without + more), without + more))
                (figure(&signed(more), more))
            }
        }
    }
}

/// What each part of a traced launch takes, in a column for each scenario.
pub fn parts(scenarios: &[&str], rows: Vec<(String, Vec<Option<f64>>)>) -> Markup {
    let mut headings = vec![("part", "")];
    headings.extend(scenarios.iter().map(|name| (*name, "ms")));
    let rows = html! {
        @for (part, times) in rows {
            tr {
                th scope="row" { (part) }
                @for ms in times { (time(ms)) }
            }
        }
    };
    table("Parts of a traced launch, medians", &headings, rows)
}

/// Instructions, for which shifts and intervals have no meaning.
pub fn instructions(suite: &Suite, title: &str, rows: Vec<[String; 5]>) -> Markup {
    let headings = counts::HEADER.map(|heading| (heading, ""));
    let rows = html! {
        @for [scenario, figures @ ..] in rows {
            tr data-of=[of(suite, &[&scenario])] {
                th scope="row" { (scenario) }
                @for figure in figures { td { (figure) } }
            }
        }
    };
    table(title, &headings, rows)
}
