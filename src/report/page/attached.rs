//! The sections of what goes with a record: a trace, a diagnosis.

use maud::{Markup, html};
use serde_json::Value;

use super::super::attached::{Attached, DoctorFile, Fix, TraceFile};
use super::super::numbers;
use super::{Drawn, Section, all_of, list, tables};

/// A section for each that is there.
pub fn sections(attached: &Attached, drawn: &Drawn) -> Vec<Section> {
    let trace = attached.trace.as_ref();
    let doctor = attached.doctor.as_ref();
    let trace = trace.map(|of| ("trace", "Where the time goes", traced(of, drawn)));
    let doctor = doctor.map(|of| ("doctor", "What the doctor found", diagnosed(of)));
    trace.into_iter().chain(doctor).collect()
}

fn traced(trace: &TraceFile, drawn: &Drawn) -> Markup {
    let names: Vec<&str> = trace
        .scenarios
        .iter()
        .map(|each| each.name.as_str())
        .collect();
    let mut parts: Vec<&str> = Vec::new();
    for scenario in &trace.scenarios {
        for part in scenario.parts_ms.keys() {
            if !parts.contains(&part.as_str()) {
                parts.push(part);
            }
        }
    }
    let rows = parts.iter().map(|part| {
        let times = trace.scenarios.iter();
        let times = times.map(|each| each.parts_ms.get(*part).and_then(Value::as_f64));
        ((*part).to_owned(), times.collect())
    });
    html! {
        @for scenario in &trace.scenarios {
            p {
                "Under " (scenario.name) " (" (scenario.interpreter) ") a traced launch takes "
                (numbers::time(scenario.traced_ms)) " ms, the median of " (scenario.blocks)
                ". These launches are none of those above: tracing adds to a start."
            }
        }
        (tables::parts(&names, rows.collect()))
        (all_of("waterfall-", drawn))
    }
}

fn diagnosed(doctor: &DoctorFile) -> Markup {
    html! {
        p { (doctor.answer) }
        p.small.quiet { "Of " (doctor.subject) ", by the rights of " (doctor.user) "." }
        @for finding in &doctor.findings {
            h3 {
                (finding.cause)
                @if let Some(obstacle) = &finding.obstacle { ", " (obstacle) }
                ": " (finding.effect)
            }
            p {
                (finding.modules) @if finding.modules == 1 { " module" } @else { " modules" }
                @if !finding.examples.is_empty() { ", such as " (finding.examples.join(", ")) }
                "."
            }
            (list(&finding.evidence))
            @for fix in &finding.fixes { (remedy(fix)) }
        }
        (list(&doctor.notes))
    }
}

fn remedy(fix: &Fix) -> Markup {
    html! {
        p {
            strong { @if fix.works { "Works: " } @else { "Does not work: " } }
            (fix.what)
            @if let Some(because) = &fix.because { " — " (because) }
        }
        @if !fix.lines.is_empty() { pre { (fix.lines.join("\n")) } }
    }
}
