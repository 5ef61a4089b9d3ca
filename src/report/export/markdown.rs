//! Markdown for a pull request: what was measured, the contrasts, the claims.

use super::super::{numbers, words};
use super::Selection;
use crate::analysis::{Analysis, Contrast, Validity};
use crate::record::Record;
use crate::stats::interval::Estimate;
use crate::suite::Metric;

/// A section for each record, with a table for each metric.
pub fn text(records: &[(Record, Analysis)], selection: &Selection) -> String {
    let sections: Vec<String> = records
        .iter()
        .map(|(record, analysis)| section(record, analysis, selection))
        .collect();
    sections.join("\n")
}

fn section(record: &Record, analysis: &Analysis, selection: &Selection) -> String {
    let mut text = format!("### How long {} takes to start\n", analysis.app);
    if let Validity::Invalid(reasons) = &analysis.validity {
        text += "\n**These figures are not to be believed:**\n\n";
        for reason in reasons {
            text += &format!("- {}\n", plain(reason));
        }
    }
    for &measured in &record.suite.measure.metrics {
        if selection.has_metric(measured) {
            text += "\n";
            text += &table(record, analysis, measured, selection);
        }
    }
    if !analysis.claims.is_empty() {
        text += "\n| Claim | Expected | Measured | Verdict |\n|---|---|---|---|\n";
        for claim in &analysis.claims {
            text += &row([
                plain(&claim.text),
                plain(&claim.expected),
                plain(&claim.measured),
                words::verdict(claim.verdict).to_owned(),
            ]);
        }
    }
    text += &format!(
        "\n{} Intervals: 95 %, simultaneously for each metric. {}\n",
        plain(&words::about_run(record, analysis)),
        plain(&format!(
            "Measured by coldsnake {} on {} CPUs ({}), Linux {}.",
            record.header.coldsnake,
            analysis.host.all_cpus(),
            analysis.host.cpu_model,
            analysis.host.kernel
        ))
    );
    text
}

fn table(record: &Record, analysis: &Analysis, metric: Metric, selection: &Selection) -> String {
    let mut text = format!(
        "| {} | Median | Compared with | Difference, ms | Ratio | p |\n|---|--:|---|--:|--:|--:|\n",
        words::metric_label(metric, &record.suite)
    );
    let scenarios = analysis.scenarios.iter();
    for scenario in scenarios.filter(|each| selection.has_scenario(&each.name)) {
        let mut metrics = scenario.metrics.iter();
        let median = metrics
            .find(|each| each.metric == metric)
            .map_or_else(unknown, |each| {
                format!("{} ms", numbers::time(each.median_ms))
            });
        let of_scenario: Vec<&Contrast> = analysis
            .contrasts
            .iter()
            .filter(|each| each.metric == metric && each.scenario == scenario.name)
            .collect();
        let failed = match scenario.failures {
            0 => String::new(),
            failed => format!(" ({failed} of {} launches failed)", scenario.launches),
        };
        let name = format!("{}{failed}", code(&scenario.name));
        if of_scenario.is_empty() {
            let nothing = String::new;
            text += &row([name, median, nothing(), nothing(), nothing(), nothing()]);
            continue;
        }
        for (index, contrast) in of_scenario.into_iter().enumerate() {
            // A claim may compare a scenario with another one than its baseline.
            let (name, median) = match index {
                0 => (name.clone(), median.clone()),
                _ => (String::new(), String::new()),
            };
            let [from, difference, ratio, p_value] = compared(contrast);
            text += &row([name, median, from, difference, ratio, p_value]);
        }
    }
    for twin in &analysis.noise_floor {
        if twin.metric == metric && selection.has_scenario(&twin.scenario) {
            let [from, difference, ratio, p_value] = compared(twin);
            let name = format!("{} again", code(&twin.scenario));
            text += &row([name, String::new(), from, difference, ratio, p_value]);
        }
    }
    text
}

fn compared(contrast: &Contrast) -> [String; 4] {
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    [
        code(&contrast.baseline),
        with(shift, ends),
        ratio(&contrast.ratio),
        match contrast.p_value {
            tiny if tiny < 0.0001 => "< 0.0001".to_owned(),
            other => numbers::fixed(other, 4),
        },
    ]
}

fn ratio(ratio: &Estimate) -> String {
    let ends = numbers::ends(ratio)
        .map(|(low, high)| format!("[{}, {}]", numbers::ratio(low), numbers::ratio(high)));
    with(numbers::ratio(ratio.estimate), ends)
}

fn with(number: String, ends: Option<String>) -> String {
    match ends {
        Some(ends) => format!("{number} {ends}"),
        None if number == numbers::UNKNOWN => number,
        None => format!("{number} (no interval)"),
    }
}

fn unknown() -> String {
    numbers::UNKNOWN.to_owned()
}

/// Names of scenarios hold no backtick.
fn code(name: &str) -> String {
    format!("`{name}`")
}

/// Text in which nothing is a table's border, a tag, a link, emphasis, or another line's start.
fn plain(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.replace('\\', "\\\\")
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
        .replace('*', "\\*")
        .replace('_', "\\_")
        .replace('`', "\\`")
        .replace("](", "]\\(")
}

fn row<const COLUMNS: usize>(cells: [String; COLUMNS]) -> String {
    format!("| {} |\n", cells.join(" | "))
}
