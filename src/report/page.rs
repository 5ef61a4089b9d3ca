//! `report.html`: one file that needs nothing else, for a browser or a printer.
//!
//! The answer comes first; whoever wants to know why reads on. Everything that a suite or a
//! record says is escaped by maud; charts are the one thing put in as markup, and they escape
//! for themselves.

mod method;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::charts::{Chart, ChartError, charts};
use super::theme::dark_css;
use super::{counts, numbers, words};
use crate::analysis::{Analysis, Contrast, Decision, ScenarioSummary, Validity};
use crate::record::Record;
use crate::suite::{Metric, Suite};

const STYLE: &str = include_str!("page.css");

/// The page as HTML.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn page(record: &Record, analysis: &Analysis) -> Result<String, ChartError> {
    page_of(record, analysis, &charts(record, analysis))
}

/// The page with these charts.
pub(super) fn page_of(
    record: &Record,
    analysis: &Analysis,
    charts: &[Chart],
) -> Result<String, ChartError> {
    let drawn = charts
        .iter()
        .map(|chart| Ok((chart, chart.inline_svg()?)))
        .collect::<Result<Vec<_>, ChartError>>()?;
    let dark = format!(
        "@media screen and (prefers-color-scheme: dark) {{\n{}}}\n",
        dark_css()
    );
    let (answer, decision) = words::answer(record, analysis);
    let suite = &record.suite;
    let baseline = &suite.measure.baseline;
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (analysis.app) ": " (answer) }
                style { (PreEscaped(STYLE)) (PreEscaped(dark)) }
            }
            body {
                header {
                    h1 { "How long " strong { (analysis.app) } " takes to start" }
                    @if let Validity::Invalid(reasons) = &analysis.validity {
                        div.alarm role="alert" {
                            strong { (words::validity(analysis)) }
                            (list(reasons))
                        }
                    }
                    p.answer { (answer) }
                    @if let Some(decision) = decision { (asked(decision)) }
                    p.quiet { (words::about_run(record, analysis)) }
                }
                main {
                    @if !analysis.claims.is_empty() {
                        h2 { "Claims" }
                        ul.claims { @for claim in &analysis.claims { (claim_item(claim)) } }
                    }
                    h2 { "Scenarios" }
                    @for &metric in &record.suite.measure.metrics {
                        h3 { (words::metric_label(metric, &record.suite)) }
                        (table(suite, analysis, metric))
                    }
                    @if let Some(sentence) = words::references(suite) {
                        p.small.quiet { (sentence) }
                    }
                    @if !analysis.noise_floor.is_empty() {
                        p.small.quiet { (words::noise_floor(baseline)) }
                    }
                    (pairs(suite, analysis))
                    h2 { "Charts" }
                    @for (chart, svg) in &drawn {
                        figure {
                            // Reached by keyboard, so that it can be scrolled without a mouse.
                            div.scroll tabindex="0" { (PreEscaped(svg)) }
                            @if !chart.caption.is_empty() { figcaption { (chart.caption) } }
                        }
                    }
                    @if !analysis.break_even.is_empty() {
                        h2 { "Break-even" }
                        ul.plain {
                            @for data in &analysis.break_even { li { (words::break_even(data)) "." } }
                        }
                    }
                    @if let Some(counting) = counts::instructions(analysis) {
                        h2 { "Instructions" }
                        @for counted in counts::tables(suite, counting) {
                            h3 { (counted.title) }
                            (instructions(counted.rows))
                        }
                        p.small.quiet { (counts::about(counting)) }
                    }
                    @if !analysis.findings.is_empty() {
                        h2 { "What the receipts show" }
                        (list(&analysis.findings))
                    }
                    h2 { "May the figures be believed?" }
                    p { (words::validity(analysis)) }
                    @for floor in &analysis.noise_floor {
                        p { "Noise floor of " (floor.metric) ": " (words::shift(floor)) "." }
                    }
                    p { (analysis.disturbance.sentence()) }
                    (list(&analysis.warnings))
                    h2 { "How it was measured" }
                    (method::method(record, analysis))
                    h2 { "Repeat it" }
                    (method::repeat(record))
                }
                footer {
                    p { "Measured " (record.header.started) " with coldsnake "
                        (record.header.coldsnake) "." }
                }
            }
        }
    };
    Ok(page.into_string())
}

fn list(sentences: &[String]) -> Markup {
    html! {
        @if !sentences.is_empty() {
            ul.plain { @for sentence in sentences { li { (sentence) } } }
        }
    }
}

fn badge(claim: &Decision) -> Markup {
    let word = words::verdict(claim.verdict);
    // Told apart by word and border, by colour only besides.
    html! { span class={ "badge " (word) } { (word) } }
}

fn asked(claim: &Decision) -> Markup {
    html! { p { (badge(claim)) " " q { (claim.text) } " — " (claim.reason) "." } }
}

fn claim_item(claim: &Decision) -> Markup {
    html! {
        li {
            (badge(claim)) " " strong { (claim.id) } " " q { (claim.text) }
            p { (words::capitalised(&claim.measured)) " — " (claim.reason) "." }
            p.small.quiet {
                "Expected: " (claim.expected) "."
                @if let Some(cpu) = &claim.cpu { " In CPU time: " (cpu) "." }
            }
        }
    }
}

fn table(suite: &Suite, analysis: &Analysis, metric: Metric) -> Markup {
    let contrast = |scenario: &ScenarioSummary| {
        analysis.contrasts.iter().find(|each| {
            each.metric == metric
                && each.scenario == scenario.name
                && words::is_in_table(each, suite)
        })
    };
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    th scope="col" { "scenario" }
                    th scope="col" { "median" br; "ms" }
                    th scope="col" { "shift" br; "ms" }
                    th scope="col" { "95 % interval" br; "ms" }
                    th scope="col" { "ratio" }
                    th scope="col" { "CPU" br; "ms" }
                    th scope="col" { "compiled" br; "modules" }
                    th scope="col" { "written" br; "pycs" }
                    th scope="col" { "launches" }
                } }
                tbody {
                    @for scenario in &analysis.scenarios {
                        (row(scenario, contrast(scenario), metric))
                        @if scenario.name == suite.measure.baseline {
                            @for floor in analysis.noise_floor.iter().filter(|f| f.metric == metric) {
                                tr.twin {
                                    th scope="row" { "noise floor (its twin)" }
                                    td {}
                                    (effect(Some(floor)))
                                    td {} td {} td {} td {}
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn row(scenario: &ScenarioSummary, contrast: Option<&Contrast>, metric: Metric) -> Markup {
    let summary = scenario.metrics.iter().find(|each| each.metric == metric);
    let time = |ms: Option<f64>| ms.map_or(numbers::UNKNOWN.to_owned(), numbers::time);
    html! {
        tr {
            th scope="row" title=[scenario.about.as_deref()] { (scenario.name) }
            td { (time(summary.map(|each| each.median_ms))) }
            (effect(contrast))
            td { (time(summary.map(|each| each.cpu_median_ms))) }
            td { @if let Some(each) = summary { (each.compiled) } }
            td { @if let Some(each) = summary { (each.written) } }
            td {
                (summary.map_or(0, |each| each.launches))
                @if scenario.failures > 0 { ", " (scenario.failures) " failed" }
            }
        }
    }
}

fn instructions(rows: Vec<[String; 5]>) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr {
                    @for heading in counts::HEADER { th scope="col" { (heading) } }
                } }
                tbody {
                    @for [scenario, figures @ ..] in rows {
                        tr {
                            th scope="row" { (scenario) }
                            @for figure in figures { td { (figure) } }
                        }
                    }
                }
            }
        }
    }
}

/// Shift, interval and ratio.
fn effect(contrast: Option<&Contrast>) -> Markup {
    let Some(contrast) = contrast else {
        return html! { td {} td {} td {} };
    };
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    html! {
        td { (shift) }
        td { (ends.as_deref().unwrap_or(numbers::UNKNOWN)) }
        td { (numbers::ratio(contrast.ratio.estimate)) }
    }
}

/// The contrasts that have no place in the table.
fn pairs(suite: &Suite, analysis: &Analysis) -> Markup {
    let pairs: Vec<&Contrast> = analysis
        .contrasts
        .iter()
        .filter(|each| !words::is_in_table(each, suite))
        .collect();
    html! {
        @if !pairs.is_empty() {
            h3 { "Other pairs that claims are on" }
            ul.plain {
                @for pair in pairs {
                    li { (words::pair(pair)) ", " (pair.metric) ": " (words::shift(pair)) "." }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
