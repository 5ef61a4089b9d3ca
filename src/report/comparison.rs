//! Two records against each other, as text.

use super::numbers;
use super::text::{Page, Terminal};
use crate::analysis::Comparison;
use crate::suite::Metric;

const HEADER: [&str; 6] = [
    "scenario",
    "launches",
    "shift\nms",
    "95 % interval\nms",
    "ratio",
    "p",
];

/// The comparison as text, ending with a line break.
pub fn comparison(comparison: &Comparison, terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    page.sentence(
        "",
        "The second record against the first, uncontrolled: their launches did not run inside \
         the same blocks.",
        0,
    );
    if !comparison.differences.is_empty() {
        page.section("What differs between the records");
        let differences: Vec<String> = comparison
            .differences
            .iter()
            .map(ToString::to_string)
            .collect();
        page.list(&differences);
    }
    for metric in Metric::ALL {
        let rows: Vec<[String; 6]> = comparison
            .contrasts
            .iter()
            .filter(|contrast| contrast.metric == metric)
            .map(|contrast| {
                let (shift, ends) = numbers::difference(&contrast.shift_ms);
                [
                    contrast.scenario.clone(),
                    contrast.blocks.to_string(),
                    shift,
                    ends.unwrap_or_else(|| numbers::UNKNOWN.to_owned()),
                    numbers::ratio(contrast.ratio.estimate),
                    numbers::fixed(contrast.p_value, 4),
                ]
            })
            .collect();
        if !rows.is_empty() {
            page.blank();
            page.table(metric.name(), HEADER, rows);
        }
    }
    if !comparison.notes.is_empty() {
        page.section("Notes");
        page.list(&comparison.notes);
    }
    page.into_text()
}
