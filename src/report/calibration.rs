//! What a machine can resolve, for a terminal and for scripts.

use serde_json::{Value, json};

use super::text::{Page, Terminal};
use super::{numbers, words};
use crate::analysis::{Analysis, Calibration, Known, Stretch, Truth, Validity};
use crate::record::Record;
use crate::stats::interval::Level;
use crate::stats::proportion::Proportion;

/// The version of the JSON that this build prints.
const CALIBRATION_VERSION: u32 = 1;

/// The calibration as text, ending with a line break.
pub fn calibration(
    record: &Record,
    analysis: &Analysis,
    found: &Calibration,
    terminal: Terminal,
) -> String {
    let mut page = Page::new(terminal);
    page.sentence("", &words::about_run(record, analysis), 0);
    page.blank();
    page.table(
        "The same app against itself (A/A)",
        [
            "blocks",
            "seconds",
            "runs",
            "false\nalarms %",
            "95 % interval\n%",
            "half-width\n± %",
        ],
        found.stretches.iter().map(of_stretch).collect(),
    );
    if !found.known.is_empty() {
        page.blank();
        page.table(
            "Known effects",
            [
                "scenario",
                "true\nms",
                "bias\nms",
                "95 % interval\nms",
                "runs",
                "coverage\n%",
                "95 % interval\n%",
            ],
            found.known.iter().map(of_known).collect(),
        );
    }
    page.blank();
    page.sentence("", &explanation(found), 0);
    page.blank();
    for sentence in conclusions(found) {
        page.sentence("", &sentence, 0);
    }
    page.blank();
    page.sentence("", &analysis.disturbance.sentence(), 0);
    if let Validity::Invalid(reasons) = &analysis.validity {
        page.section("Invalid");
        page.list(reasons);
    }
    page.into_text()
}

/// The same for scripts.
pub fn calibration_json(analysis: &Analysis, found: &Calibration) -> String {
    let json = json!({
        "format_version": CALIBRATION_VERSION,
        "host": analysis.host,
        "metric": found.metric.name(),
        "baseline_ms": found.baseline_ms,
        "blocks": found.blocks,
        "block_s": found.block_s,
        "stretches": found.stretches.iter().map(|stretch| json!({
            "blocks": stretch.blocks,
            "seconds": stretch.seconds,
            "false_alarms": share(stretch.false_alarms),
            "half_width": stretch.half_width,
        })).collect::<Vec<_>>(),
        "known": found.known.iter().map(|known| json!({
            "scenario": known.scenario,
            "true_ms": known.truth.ms(),
            "given": matches!(known.truth, Truth::Given(_)),
            "found_ms": {
                "estimate": known.found_ms.estimate,
                "low": known.found_ms.interval.map(|i| i.low()),
                "high": known.found_ms.interval.map(|i| i.high()),
            },
            "bias_ms": known.bias_ms().estimate,
            "coverage": share(known.coverage),
            "holds_true": known.holds_true.map(share),
        })).collect::<Vec<_>>(),
        "in_60_s": found.foretold.map(|foretold| json!({
            "blocks": foretold.blocks,
            "apart": foretold.share,
        })),
        "valid": analysis.validity == Validity::Valid,
        "warnings": analysis.warnings,
    });
    format!("{json:#}\n")
}

fn share(of: Proportion) -> Value {
    let interval = of.interval(Level::P95);
    json!({
        "hits": of.hits,
        "runs": of.trials,
        "low": interval.map(|i| i.low()),
        "high": interval.map(|i| i.high()),
    })
}

fn of_stretch(stretch: &Stretch) -> [String; 6] {
    let [found, ends] = percent(stretch.false_alarms);
    [
        stretch.blocks.to_string(),
        numbers::fixed(stretch.seconds, 1),
        stretch.false_alarms.trials.to_string(),
        found,
        ends,
        stretch.half_width.map_or(numbers::UNKNOWN.to_owned(), |w| {
            numbers::fixed(w * 100.0, 1)
        }),
    ]
}

fn of_known(known: &Known) -> [String; 7] {
    let [coverage, ends] = percent(known.coverage);
    let (bias, interval) = match known.truth {
        Truth::Given(_) => numbers::difference(&known.bias_ms()),
        // There is no truth from which it could be off.
        Truth::Found(_) => (String::new(), Some(String::new())),
    };
    [
        known.scenario.clone(),
        match known.truth {
            Truth::Given(ms) => numbers::signed(ms, 0),
            Truth::Found(ms) => format!("{} (as found)", numbers::signed(ms, 1)),
        },
        bias,
        interval.unwrap_or_else(|| numbers::UNKNOWN.to_owned()),
        known.coverage.trials.to_string(),
        coverage,
        ends,
    ]
}

fn percent(of: Proportion) -> [String; 2] {
    let found = of.share().map(|share| numbers::fixed(share * 100.0, 1));
    let ends = of.interval(Level::P95).map(|interval| {
        format!(
            "[{}, {}]",
            numbers::fixed(interval.low() * 100.0, 1),
            numbers::fixed(interval.high() * 100.0, 1)
        )
    });
    [found, ends].map(|text| text.unwrap_or_else(|| numbers::UNKNOWN.to_owned()))
}

fn explanation(found: &Calibration) -> String {
    format!(
        "The {} blocks are cut into runs of that many blocks each. Two equal apps should differ in 5 % \
         of them. Of runs of 20 blocks, 95 % should have an interval that holds the effect by all blocks \
         (coverage); how far that one is off the truth is the bias. The intervals beside say how sure \
         these shares are. Seconds are those of a comparison of two scenarios.",
        found.blocks
    )
}

/// Below this even a share of 0 or 1 says little of 5 %.
const ENOUGH_RUNS: u32 = 40;

fn conclusions(found: &Calibration) -> Vec<String> {
    let mut all = Vec::new();
    match found.stretches.first() {
        Some(stretch) => all.push(agreement(
            stretch.false_alarms,
            0.05,
            "False alarms",
            ["agree with", "are fewer than", "are more than"],
        )),
        None => all.push(format!(
            "There are too few blocks to cut into runs: 20 are needed, and there are {}. Give a longer \
             --budget.",
            found.blocks
        )),
    }
    for known in found.known.iter().filter(|known| known.coverage.trials > 0) {
        all.push(agreement(
            known.coverage,
            0.95,
            &format!("The coverage of {}", known.scenario),
            ["agrees with", "is less than", "is more than"],
        ));
    }
    if let Some(foretold) = found.foretold {
        all.push(format!(
            "In 60 s you can tell {} % apart: so large a difference is found in four of five runs, of \
             an app that takes {} ms.",
            numbers::fixed(foretold.share * 100.0, 1),
            numbers::time(found.baseline_ms)
        ));
    }
    all
}

/// Does the nominal share lie in the interval? In words for that, for less, and for more.
fn agreement(of: Proportion, nominal: f64, what: &str, words: [&str; 3]) -> String {
    let [agrees, less, more] = words;
    let verdict = match of.interval(Level::P95) {
        Some(interval) if of.trials >= ENOUGH_RUNS => {
            if interval.contains(nominal) {
                agrees
            } else if interval.high() < nominal {
                less
            } else {
                more
            }
        }
        Some(_) | None => {
            return format!(
                "{what}: too few runs to tell ({}); give a longer --budget.",
                of.trials
            );
        }
    };
    let percent = numbers::fixed(nominal * 100.0, 0);
    format!("{what} {verdict} the nominal {percent} %.")
}
