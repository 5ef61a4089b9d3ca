//! `trace.html`: one file that needs nothing else. The answer comes first, then a chart that can be
//! hovered, zoomed and searched, then tables and a picture that need no script.
//!
//! Names of modules come from the app that was traced. They are escaped in markup and data alike.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde_json::{Value, json};

use super::super::charts::{ChartError, waterfall_chart};
use super::super::html::{head, script};
use super::super::numbers;
use super::words;
use crate::trace::{Difference, Findings, Lane, Part, Phase, Place, Profile, ms};

const TRACE_STYLE: &str = include_str!("trace.css");
const SCRIPT: &str = include_str!("trace.js");
/// Modules in a table; the chart has all of them.
const MODULES: usize = 200;

/// The page as HTML.
///
/// # Errors
/// When a picture cannot be drawn.
pub fn page(findings: &Findings) -> Result<String, ChartError> {
    let pictures = findings
        .profiles
        .iter()
        .map(|profile| {
            let chart = waterfall_chart(profile);
            Ok((chart.inline_svg()?, chart.caption))
        })
        .collect::<Result<Vec<_>, ChartError>>()?;
    let warnings = words::warnings(findings);
    let answer = findings
        .profiles
        .first()
        .map_or(String::new(), words::answer);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            (head(&format!("{}: {answer}", findings.app), TRACE_STYLE, SCRIPT))
            body {
                header {
                    h1 { "Where the time of starting " strong { (findings.app) } " goes" }
                    p.answer { (answer) }
                    @for profile in findings.profiles.iter().take(1) {
                        p.quiet { (words::about(findings, profile)) }
                    }
                }
                main {
                    @for warning in &warnings { p.alarm { (warning) "." } }
                    @if let (Some(difference), [ours, theirs, ..]) = (&findings.difference, &findings.profiles[..]) {
                        (compared(difference, ours, theirs))
                    }
                    h2 { "A typical traced launch" }
                    (chart())
                    @for (profile, (picture, caption)) in findings.profiles.iter().zip(&pictures) {
                        h2 { "Under " (profile.scenario) }
                        (parts(profile))
                        (of_groups(profile))
                        @if let Some(sentence) = words::compiling(profile) { p { (sentence) } }
                        @if let Some(sentence) = words::beside(profile) { p { (sentence) } }
                        h3 { "Modules" }
                        (modules(profile))
                        figure {
                            div.scroll tabindex="0" { (PreEscaped(picture)) }
                            @if !caption.is_empty() { figcaption { (caption) } }
                        }
                    }
                }
                footer {
                    p {
                        "Traced by coldsnake " (env!("CARGO_PKG_VERSION")) ", seed " (findings.seed)
                        ". Times of traced launches say where the time goes, and not how long a start takes."
                    }
                }
                (script("traces", &data(findings), SCRIPT))
            }
        }
    };
    Ok(page.into_string())
}

/// What the script brings to life.
fn chart() -> Markup {
    html! {
        noscript { p.quiet { "The chart here needs JavaScript; all tables and pictures below do not." } }
        section #chart hidden {
            div.controls {
                label { "Launch " select #lane {} }
                fieldset {
                    legend.hidden { "Chart" }
                    label { input type="radio" name="view" value="flame" checked; " flame" }
                    label { input type="radio" name="view" value="waterfall"; " waterfall" }
                }
                label { "Search " input #search type="search" autocomplete="off" spellcheck="false"; }
                button #whole type="button" { "Whole launch" }
            }
            p.legend #legend {}
            div.canvas #frame tabindex="0" role="application" aria-label="Chart of a launch" aria-describedby="keys" {
                canvas #canvas {}
            }
            p.status #status role="status" { "\u{a0}" }
            p.small.quiet #keys {
                "Click or Enter: zoom in. Escape: zoom out. Arrow keys: to what is around, inside, before, "
                "after. / searches, n goes to the next match."
            }
        }
    }
}

fn figures(headings: &[&str], rows: Vec<Vec<String>>) -> Markup {
    html! {
        div.scroll tabindex="0" {
            table {
                thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (index, cell) in row.iter().enumerate() {
                                @if index == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn parts(profile: &Profile) -> Markup {
    let rows = words::part_rows(profile, |part| format!("{}: {}", part.name(), part.about()));
    let rows = rows.into_iter().map(Vec::from).collect();
    html! {
        (figures(&["part", "ms", "share", "modules"], rows))
        p.small.quiet { (words::sum(profile)) }
    }
}

fn of_groups(profile: &Profile) -> Markup {
    let mut headings = vec!["modules of", "number", "all, ms"];
    headings.extend(Phase::ALL.map(Phase::name));
    let rows = profile
        .groups
        .iter()
        .map(|(group, sums)| {
            let mut row = vec![
                group.word().to_owned(),
                numbers::fixed(sums.modules, 0),
                numbers::time(sums.own_ms),
            ];
            row.extend(sums.phases_ms.map(numbers::time));
            row
        })
        .collect();
    figures(&headings, rows)
}

fn modules(profile: &Profile) -> Markup {
    let rows = profile
        .modules
        .iter()
        .take(MODULES)
        .map(|module| {
            let aside = match module.place {
                Place::Path => "",
                Place::Beside => " (beside)",
            };
            vec![
                format!("{}{aside}", module.name),
                module.group.word().to_owned(),
                numbers::time(module.own_ms),
                numbers::time(module.inclusive_ms),
                words::mostly(module.most()),
            ]
        })
        .collect();
    html! {
        details {
            summary { "The " (profile.modules.len().min(MODULES)) " that took most" }
            (figures(&["module", "of", "own ms", "with its imports", "mostly"], rows))
        }
    }
}

fn compared(difference: &Difference, ours: &Profile, theirs: &Profile) -> Markup {
    let rows = words::changed_rows(difference, ours, theirs);
    let rows = rows.into_iter().map(Vec::from).collect();
    let changes = difference
        .modules
        .iter()
        .take(MODULES)
        .map(|module| {
            let (phase, change) = module.most();
            vec![
                module.name.clone(),
                module.group.word().to_owned(),
                words::signed(module.own_ms()),
                format!("{phase} {}", words::signed(change)),
            ]
        })
        .collect();
    let names = [
        "part, ms",
        difference.scenario.as_str(),
        difference.against.as_str(),
        "difference",
    ];
    html! {
        h2 { (difference.scenario) " against " (difference.against) }
        @if let Some(shift) = &difference.shift_ms {
            p { "Of launches that were not traced: " (shifted(shift)) "." }
        }
        (figures(&names, rows))
        details {
            summary { "Modules that changed most" }
            (figures(&["module", "of", "difference, ms", "mostly"], changes))
        }
    }
}

fn shifted(shift: &crate::stats::interval::Estimate) -> String {
    let (shift, ends) = numbers::difference(shift);
    format!("{shift} ms {}", ends.unwrap_or_default())
}

/// What the script draws: lanes of frames (depth, kind, name, begin, end), times in microseconds.
fn data(findings: &Findings) -> Value {
    let lanes: Vec<Value> = findings
        .profiles
        .iter()
        .flat_map(|profile| {
            let lanes = profile.typical.lanes.iter();
            lanes.map(move |lane| frames(profile, lane))
        })
        .collect();
    json!({ "lanes": lanes })
}

fn frames(profile: &Profile, lane: &Lane) -> Value {
    let micros = |time: std::time::Duration| (ms(time) * 1e4).round() / 10.0;
    let mut all: Vec<Value> = Vec::new();
    let (begin, end) = match lane.place {
        Place::Path => {
            let begin = micros(lane.begin);
            all.push(json!([0, "other", Part::Start.name(), 0, begin]));
            (0.0, micros(profile.typical.total))
        }
        Place::Beside => (micros(lane.begin), micros(lane.end)),
    };
    all.push(json!([
        0,
        "program",
        Part::Program.name(),
        micros(lane.begin),
        micros(lane.end)
    ]));
    let mut depths = Vec::with_capacity(lane.nodes.len());
    for node in &lane.nodes {
        let depth: u32 = node.parent.map_or(1, |parent| depths[parent] + 1);
        depths.push(depth);
        all.push(json!([
            depth,
            node.kind.name(),
            node.module,
            micros(node.begin),
            micros(node.end)
        ]));
    }
    if lane.place == Place::Path && lane.end < profile.typical.total {
        let over = micros(lane.end);
        all.push(json!([0, "other", Part::End.name(), over, end]));
    }
    let files: serde_json::Map<String, Value> = profile
        .typical
        .modules
        .iter()
        .filter(|((place, _), module)| *place == lane.place && !module.file.is_empty())
        .map(|((_, name), module)| {
            let text = format!("{}: {}", module.group.word(), module.file);
            (name.clone(), text.into())
        })
        .collect();
    json!({
        "name": format!("{}, {}", profile.scenario, lane.label),
        "begin": begin,
        "end": end,
        "frames": all,
        "files": files,
    })
}

#[cfg(test)]
mod tests {
    use super::super::fixture::findings;
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_elsewhere() {
        let page = page(&findings("shop.cart")).unwrap();
        for outside in ["http://", "https://", "src=", "@import", "url("] {
            let found = page.matches(outside).count();
            // The namespace of SVG is a name, and nothing is loaded from it.
            let names = page.matches("http://www.w3.org/2000/svg").count();
            let allowed = if outside == "http://" { names } else { 0 };
            assert_eq!(found, allowed, "{outside}");
        }
        assert!(page.contains("shop.cart"));
    }

    #[test]
    fn a_modules_name_cannot_leave_the_scripts_data() {
        let page = page(&findings("</script><script>alert(1)</script>")).unwrap();
        assert!(!page.contains("<script>alert"));
        let (_, rest) = page.split_once("id=\"traces\">").unwrap();
        let data = rest.split_once("</script>").unwrap().0;
        let data: Value = serde_json::from_str(data).unwrap();
        let frames = data["lanes"][0]["frames"].as_array().unwrap();
        assert!(
            frames
                .iter()
                .any(|frame| frame[2] == "</script><script>alert(1)</script>")
        );
    }

    #[test]
    fn the_same_findings_give_the_same_page() {
        let once = page(&findings("m")).unwrap();
        assert_eq!(once, page(&findings("m")).unwrap());
    }
}
