//! `report.html`: one file that needs nothing else, for a browser or a printer.
//!
//! The answer comes first; whoever wants to know why reads on. Everything that a suite or a
//! record says is escaped by maud; charts are the one thing put in as markup, and they escape
//! for themselves. Without its script it is whole: that one only sorts tables, leaves scenarios
//! out, and says what a dot stands for.

mod attached;
mod data;
mod method;
mod tables;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::attached::Attached;
use super::charts::{Chart, ChartError, charts};
use super::html::{head, places, script};
use super::theme::{Ink, Theme};
use super::{counts, words};
use crate::analysis::{Analysis, Decision, Validity};
use crate::record::Record;
use crate::suite::Suite;
use data::Shown;
use tables::of;

const STYLE: &str = include_str!("page/report.css");
const SCRIPT: &str = concat!(include_str!("sort.js"), include_str!("page/page.js"));

/// The page as HTML.
///
/// # Errors
/// When a chart cannot be drawn.
pub fn page(record: &Record, analysis: &Analysis) -> Result<String, ChartError> {
    page_of(
        record,
        analysis,
        &charts(record, analysis),
        &Attached::default(),
    )
}

/// The page with these charts, and with what goes with the record.
pub(super) fn page_of(
    record: &Record,
    analysis: &Analysis,
    charts: &[Chart],
    attached: &Attached,
) -> Result<String, ChartError> {
    let shown = Shown::of(charts);
    let drawn = charts
        .iter()
        .map(|chart| Ok((chart.name.as_str(), figure(chart, &shown)?)))
        .collect::<Result<Vec<_>, ChartError>>()?;
    let (answer, decision) = words::answer(record, analysis);
    let title = format!("{}: {answer}", analysis.app);
    let sections = sections(record, analysis, attached, &drawn);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&title, STYLE, SCRIPT))
            body {
                a.skip href="#main" { "To the results" }
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
                nav aria-label="Contents" {
                    ul { @for (id, title, _) in &sections { li { a href={ "#" (id) } { (title) } } } }
                }
                main #main {
                    (switches(&record.suite))
                    @for (id, title, inside) in &sections {
                        section aria-labelledby=(id) {
                            h2 id=(id) { (title) }
                            (inside)
                        }
                    }
                }
                footer {
                    p { "Measured " (record.header.started) " with coldsnake "
                        (record.header.coldsnake) "." }
                }
                div #tip role="status" {}
                (script("data", &shown.data(record), SCRIPT))
            }
        }
    };
    Ok(page.into_string())
}

/// A section's id, its title and what it holds.
type Section = (&'static str, &'static str, Markup);

/// Charts by name, drawn.
type Drawn<'a> = [(&'a str, Markup)];

fn sections(
    record: &Record,
    analysis: &Analysis,
    attached: &Attached,
    drawn: &Drawn,
) -> Vec<Section> {
    let suite = &record.suite;
    let mut sections = vec![
        ("scenarios", "Scenarios", scenarios(suite, analysis, drawn)),
        (
            "differences",
            "Paired differences",
            differences(suite, analysis),
        ),
    ];
    if !analysis.claims.is_empty() {
        let claims = html! {
            ul.claims { @for claim in &analysis.claims { (claim_item(suite, claim)) } }
            (all_of("claim-", drawn))
        };
        sections.push(("claims", "Claims", claims));
    }
    if !analysis.break_even.is_empty() {
        sections.push((
            "break-even",
            "Break-even",
            break_even(suite, analysis, drawn),
        ));
    }
    if let Some(counting) = counts::instructions(analysis) {
        let counted = html! {
            @for counted in counts::tables(suite, counting) {
                (tables::instructions(suite, &counted.title, counted.rows))
            }
            p.small.quiet { (counts::about(counting)) }
        };
        sections.push(("instructions", "Instructions", counted));
    }
    sections.extend(attached::sections(attached, drawn));
    if !analysis.findings.is_empty() {
        let findings = list(&analysis.findings);
        sections.push(("receipts", "What the receipts show", findings));
    }
    let validity = html! {
        p { (words::validity(analysis)) }
        @for floor in &analysis.noise_floor {
            p { "Noise floor of " (floor.metric) ": " (words::shift(floor)) "." }
        }
        p { (analysis.disturbance.sentence()) }
        (list(&analysis.warnings))
        (all_of("run-order-", drawn))
    };
    sections.push(("validity", "May the figures be believed?", validity));
    let method = method::method(record, analysis);
    sections.push(("method", "How it was measured", method));
    sections.push(("repeat", "Repeat it", method::repeat(record)));
    sections
}

fn scenarios(suite: &Suite, analysis: &Analysis, drawn: &Drawn) -> Markup {
    html! {
        p.small.quiet.with-script #keys hidden {
            "Point at a dot, or go to a chart with Tab and use the arrow keys, to see a launch's block \
             and its values; the others of its block are ringed. Headings sort the tables."
        }
        @for &metric in &suite.measure.metrics {
            h3 { (words::metric_label(metric, suite)) }
            (all_of(&format!("distribution-{metric}"), drawn))
            (tables::scenarios(suite, analysis, metric))
        }
    }
}

fn differences(suite: &Suite, analysis: &Analysis) -> Markup {
    html! {
        @for &metric in &suite.measure.metrics {
            h3 { (words::metric_label(metric, suite)) }
            (tables::differences(suite, analysis, metric))
        }
        @if let Some(sentence) = words::references(suite) {
            p.small.quiet { (sentence) }
        }
        @if !analysis.noise_floor.is_empty() {
            p.small.quiet { (words::noise_floor(&suite.measure.baseline)) }
        }
    }
}

fn break_even(suite: &Suite, analysis: &Analysis, drawn: &Drawn) -> Markup {
    html! {
        ul.plain {
            @for data in &analysis.break_even {
                li data-of=[of(suite, &[&data.from, &data.scenario])] { (words::break_even(data)) "." }
            }
        }
        (all_of("break-even", drawn))
        (tables::totals(suite, analysis))
    }
}

/// A checkbox for each scenario, shown by the script, without which they do nothing.
fn switches(suite: &Suite) -> Markup {
    html! {
        fieldset #switches.with-script hidden {
            legend { "Scenarios shown" }
            div {
                @for (place, scenario) in suite.scenarios.iter().enumerate() {
                    label title=[scenario.about.as_deref()] {
                        input type="checkbox" checked autocomplete="off" value=(place);
                        (swatch(suite, &scenario.name))
                        (scenario.name)
                    }
                }
                button #all type="button" { "all" }
            }
            p.hidden #shown role="status" {}
        }
    }
}

/// The scenario's colour, as an SVG so that it changes with the theme as the charts do.
fn swatch(suite: &Suite, name: &str) -> Markup {
    let colour = Theme::Light.colour(Ink::Scenario(super::charts::colour(suite, name)));
    let fill = format!("#{:02X}{:02X}{:02X}", colour.0, colour.1, colour.2);
    html! {
        svg.swatch.chart width="11" height="11" viewBox="0 0 10 10" aria-hidden="true" {
            circle cx="5" cy="5" r="5" fill=(fill) {}
        }
    }
}

/// The figures whose names begin so.
fn all_of(prefix: &str, drawn: &Drawn) -> Markup {
    html! { @for (_, figure) in drawn.iter().filter(|(name, _)| name.starts_with(prefix)) { (figure) } }
}

fn figure(chart: &Chart, shown: &Shown) -> Result<Markup, ChartError> {
    let svg = chart.inline_svg()?;
    Ok(html! {
        figure data-of=[places(&chart.of)] data-series=[places(shown.places(chart))] {
            // Reached by keyboard, so that it can be scrolled without a mouse.
            div.scroll tabindex="0" { (PreEscaped(svg)) }
            @if !chart.caption.is_empty() { figcaption { (chart.caption) } }
        }
    })
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

fn claim_item(suite: &Suite, claim: &Decision) -> Markup {
    let pair = claim.effect.as_ref();
    let pair = pair.and_then(|effect| of(suite, &[&effect.from, &effect.to]));
    html! {
        li data-of=[pair] {
            (badge(claim)) " " strong { (claim.id) } " " q { (claim.text) }
            p { (words::capitalised(&claim.measured)) " — " (claim.reason) "." }
            p.small.quiet {
                "Expected: " (claim.expected) "."
                @if let Some(cpu) = &claim.cpu { " In CPU time: " (cpu) "." }
            }
        }
    }
}

#[cfg(test)]
mod tests;
