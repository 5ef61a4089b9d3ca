//! The report for a terminal: tables, then sentences.
//!
//! Apart from what the analysis's sentences and the suite's names contain, it is plain ASCII:
//! the minus is the hyphen-minus everywhere, arrows are `->`.

use super::text::{Page, Paint, Terminal};
use super::{counts, numbers, words};
use crate::analysis::{Analysis, Contrast, Pairing, Validity};
use crate::record::Record;
use crate::stats::bounds::Verdict;
use crate::suite::Metric;

/// The whole report as text, ending with a line break.
pub fn terminal(record: &Record, analysis: &Analysis, terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    page.sentence("", &words::about_run(record, analysis), 0);
    if let Validity::Invalid(reasons) = &analysis.validity {
        page.blank();
        page.sentence(
            &page.painted(Paint::Bad, "INVALID"),
            "do not rely on these figures:",
            9,
        );
        page.list(reasons);
    }
    for &metric in &record.suite.measure.metrics {
        page.blank();
        page.table(
            words::metric_label(metric, &record.suite),
            HEADER,
            rows(record, analysis, metric),
        );
    }
    let failed = analysis.scenarios.iter().filter(|each| each.failures > 0);
    let failed: Vec<String> = failed.map(words::failures).collect();
    if !failed.is_empty() {
        page.section("Failed launches");
        page.list(&failed);
    }
    if let Some(sentence) = words::references(&record.suite) {
        page.blank();
        page.sentence("", &sentence, 0);
    }
    if !analysis.noise_floor.is_empty() {
        page.blank();
        page.sentence("", &words::noise_floor(&record.suite.measure.baseline), 0);
    }
    page.blank();
    page.sentence("", &analysis.disturbance.sentence(), 0);
    if !analysis.claims.is_empty() {
        page.section("Claims");
        claims(&mut page, analysis);
    }
    if !analysis.break_even.is_empty() {
        page.section("Break-even");
        let sentences: Vec<String> = analysis.break_even.iter().map(words::break_even).collect();
        page.list(&sentences);
    }
    if let Some(counting) = counts::instructions(analysis) {
        for counted in counts::tables(&record.suite, counting) {
            page.blank();
            page.table(&counted.title, counts::HEADER, counted.rows);
        }
        page.blank();
        page.sentence("", &counts::about(counting), 0);
    }
    if !analysis.findings.is_empty() {
        page.section("Findings");
        page.list(&analysis.findings);
    }
    if !analysis.warnings.is_empty() {
        page.section("Warnings");
        page.list(&analysis.warnings);
    }
    if analysis.validity == Validity::Valid {
        page.blank();
        page.sentence("", words::validity(analysis), 0);
    }
    page.into_text()
}

fn claims(page: &mut Page, analysis: &Analysis) {
    /// "inconclusive" and two spaces.
    const INDENT: usize = 14;
    for claim in &analysis.claims {
        let paint = match claim.verdict {
            Verdict::Supported => Paint::Good,
            Verdict::Refuted => Paint::Bad,
            Verdict::Inconclusive => Paint::Unsure,
        };
        let lead = page.painted(paint, words::verdict(claim.verdict));
        let cpu = claim.cpu.as_ref();
        let cpu = cpu.map_or(String::new(), |cpu| format!(" (CPU time: {cpu})"));
        let text = format!(
            "{}  \"{}\": {}, {}{cpu}",
            claim.id, claim.text, claim.measured, claim.reason
        );
        page.sentence(&lead, &text, INDENT);
    }
}

const HEADER: [&str; 7] = [
    "scenario",
    "median\nms",
    "shift\nms",
    "95 % interval\nms",
    "ratio",
    "compiled\nmodules",
    "written\npycs",
];

/// The baseline, its twin, the other scenarios against what each is compared with, then the pairs
/// that only claims name.
fn rows(record: &Record, analysis: &Analysis, metric: Metric) -> Vec<[String; 7]> {
    let baseline = &record.suite.measure.baseline;
    let of_metric = |all: &'_ [Contrast]| -> Vec<Contrast> {
        let those = all.iter().filter(|each| each.metric == metric);
        those.cloned().collect()
    };
    let contrasts = of_metric(&analysis.contrasts);
    let mut rows = Vec::new();
    for scenario in &analysis.scenarios {
        let summary = scenario.metrics.iter().find(|each| each.metric == metric);
        let median = summary.map_or(numbers::UNKNOWN.to_owned(), |each| {
            numbers::time(each.median_ms)
        });
        let contrast = contrasts
            .iter()
            .find(|each| each.scenario == scenario.name && words::is_in_table(each, &record.suite));
        let [shift, interval, ratio] = effect(contrast);
        let uncontrolled = match contrast.map(|each| each.pairing) {
            Some(Pairing::Uncontrolled) => " (uncontrolled)",
            _ => "",
        };
        rows.push([
            format!("{}{uncontrolled}", scenario.name),
            median,
            shift,
            interval,
            ratio,
            summary.map_or(String::new(), |each| each.compiled.to_string()),
            summary.map_or(String::new(), |each| each.written.to_string()),
        ]);
        if scenario.name == *baseline {
            for twin in of_metric(&analysis.noise_floor) {
                rows.push(without_receipt("noise floor (its twin)".to_owned(), &twin));
            }
        }
    }
    let others = contrasts.iter();
    for contrast in others.filter(|each| !words::is_in_table(each, &record.suite)) {
        rows.push(without_receipt(words::pair(contrast), contrast));
    }
    rows
}

fn without_receipt(name: String, contrast: &Contrast) -> [String; 7] {
    let [shift, interval, ratio] = effect(Some(contrast));
    let nothing = String::new;
    [
        name,
        nothing(),
        shift,
        interval,
        ratio,
        nothing(),
        nothing(),
    ]
}

fn effect(contrast: Option<&Contrast>) -> [String; 3] {
    let Some(contrast) = contrast else {
        return [const { String::new() }; 3];
    };
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    [
        shift,
        ends.unwrap_or_else(|| numbers::UNKNOWN.to_owned()),
        numbers::ratio(contrast.ratio.estimate),
    ]
}

#[cfg(test)]
mod tests;
