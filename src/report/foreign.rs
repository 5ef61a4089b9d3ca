//! Files of other programs against each other, or against a record, as text.

use super::numbers;
use super::text::{Page, Terminal};
use crate::analysis::{ForeignComparison, ForeignContrast};
use crate::suite::Metric;

const HEADER: [&str; 6] = [
    "benchmark",
    "launches",
    "shift\nms",
    "95 % interval\nms",
    "ratio",
    "p",
];

/// The comparison as text, ending with a line break.
pub fn foreign_comparison(comparison: &ForeignComparison, terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    page.sentence(
        "",
        "The second file against the first, uncontrolled: their launches did not run inside the same \
         blocks.",
        0,
    );
    if !comparison.differences.is_empty() {
        page.section("What differs between the files");
        let differences = comparison.differences.iter().map(ToString::to_string);
        page.list(&differences.collect::<Vec<_>>());
    }
    page.blank();
    page.table(
        comparison.metric.map_or("time", Metric::name),
        HEADER,
        comparison.contrasts.iter().map(row).collect(),
    );
    page.section("Notes");
    page.list(&comparison.notes);
    page.into_text()
}

fn row(contrast: &ForeignContrast) -> [String; 6] {
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    let (first, second) = contrast.launches;
    [
        match contrast.first == contrast.second {
            true => contrast.first.clone(),
            false => format!("{} → {}", contrast.first, contrast.second),
        },
        match first == second {
            true => first.to_string(),
            false => format!("{first}, {second}"),
        },
        shift,
        ends.unwrap_or_else(|| numbers::UNKNOWN.to_owned()),
        numbers::ratio(contrast.ratio.estimate),
        numbers::fixed(contrast.p_value, 4),
    ]
}
