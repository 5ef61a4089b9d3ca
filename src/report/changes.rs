//! What a change costs, in words and in Markdown: for a pull request, and for the summary of a job.

use super::numbers;
use crate::analysis::{Analysis, Comparison, Contrast};
use crate::record::Record;
use crate::stats::interval::{Estimate, Interval};

/// Rows of a table that a pull request still bears.
const MOST_ROWS: usize = 40;

/// A record's contrasts as Markdown: the answer in words first, then a table.
pub fn contrasts_markdown(record: &Record, analysis: &Analysis) -> String {
    let rows: Vec<Row> = analysis
        .contrasts
        .iter()
        // Pairs that only claims name have no row of their own in other tables, either.
        .filter(|each| record.suite.reference(&each.scenario) == Some(each.baseline.as_str()))
        .filter(|each| {
            // Between two revisions only what differs by nothing else.
            record.suite.revisions().is_empty()
                || record
                    .suite
                    .scenario(&each.scenario)
                    .is_some_and(|scenario| record.suite.counterpart(scenario).is_some())
        })
        .map(|contrast| {
            let median = |name: &str| {
                let scenario = analysis.scenarios.iter().find(|each| each.name == name)?;
                let metrics = scenario.metrics.iter();
                let mut of_metric = metrics.filter(|each| each.metric == contrast.metric);
                of_metric.next().map(|each| each.median_ms)
            };
            Row::of(
                contrast,
                median(&contrast.baseline),
                median(&contrast.scenario),
            )
        })
        .collect();
    let mut lines = vec![answer(&rows), String::new()];
    lines.extend(table(&rows));
    lines.push(String::new());
    lines.push(format!(
        "{} blocks; {}. Intervals hold at 95 % together.",
        analysis.blocks,
        super::words::stop_reason(analysis.stop_reason)
    ));
    let invalid = match &analysis.validity {
        crate::analysis::Validity::Valid => &[][..],
        crate::analysis::Validity::Invalid(reasons) => reasons,
    };
    lines.extend(notes("**Invalid**: do not rely on these figures", invalid));
    lines.extend(notes("Warnings", &analysis.warnings));
    lines.join("\n") + "\n"
}

/// Two records against each other as Markdown.
pub fn comparison_markdown(comparison: &Comparison) -> String {
    let rows: Vec<Row> = comparison
        .contrasts
        .iter()
        .map(|contrast| Row {
            against: "the first record".to_owned(),
            ..Row::of(contrast, None, None)
        })
        .collect();
    let mut lines = vec![answer(&rows), String::new()];
    lines.extend(table(&rows));
    lines.extend(notes("Notes", &comparison.notes));
    lines.join("\n") + "\n"
}

struct Row {
    scenario: String,
    against: String,
    metric: &'static str,
    then: Option<f64>,
    now: Option<f64>,
    shift_ms: Estimate,
    change: Estimate,
}

impl Row {
    fn of(contrast: &Contrast, then: Option<f64>, now: Option<f64>) -> Self {
        Self {
            scenario: contrast.scenario.clone(),
            against: contrast.baseline.clone(),
            metric: contrast.metric.name(),
            then,
            now,
            shift_ms: contrast.shift_ms,
            change: less_one(&contrast.ratio),
        }
    }

    /// "12 % slower", by a change that is surely there.
    fn effect(&self) -> Option<String> {
        let ends = self.change.interval.filter(|ends| !ends.contains(0.0))?;
        let word = if ends.low() > 0.0 { "slower" } else { "faster" };
        let (change, _) = percent(&self.change);
        let size = change.trim_start_matches(['+', '−']);
        Some(format!("{size} {word}"))
    }
}

/// What is to be said first.
fn answer(rows: &[Row]) -> String {
    let effects: Vec<String> = rows
        .iter()
        .filter_map(|row| {
            let effect = row.effect()?;
            Some(format!(
                "**{} is {effect} than {}** ({})",
                cell(&row.scenario),
                cell(&row.against),
                row.metric
            ))
        })
        .collect();
    match (rows, &effects[..]) {
        ([], _) => "**Nothing was compared.**".to_owned(),
        ([only], []) => format!(
            "**No difference was found between {} and {}** ({}).",
            cell(&only.scenario),
            cell(&only.against),
            only.metric
        ),
        (_, []) => format!("**No difference was found** in {} comparisons.", rows.len()),
        (_, found) => format!("{}.", found.join("; ")),
    }
}

fn table(rows: &[Row]) -> Vec<String> {
    if rows.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![
        "| Scenario | Against | Metric | Then, ms | Now, ms | Shift, ms | Change |".to_owned(),
        "|---|---|---|--:|--:|--:|--:|".to_owned(),
    ];
    lines.extend(rows.iter().take(MOST_ROWS).map(|row| {
        let time = |ms: Option<f64>| ms.map_or(numbers::UNKNOWN.to_owned(), numbers::time);
        format!(
            "| {} | {} | {} | {} | {} | {} | {} |",
            cell(&row.scenario),
            cell(&row.against),
            row.metric,
            time(row.then),
            time(row.now),
            with_ends(numbers::difference(&row.shift_ms)),
            with_ends(percent(&row.change)),
        )
    }));
    if rows.len() > MOST_ROWS {
        lines.push(format!("\nand {} more rows", rows.len() - MOST_ROWS));
    }
    lines
}

/// A list under a title that can be opened; nothing, if it is empty.
pub(super) fn notes(title: &str, sentences: &[String]) -> Vec<String> {
    if sentences.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), format!("{title}:"), String::new()];
    lines.extend(sentences.iter().map(|each| format!("- {}", cell(each))));
    lines
}

/// A ratio as a change: 1.05 is one of 0.05.
pub(super) fn less_one(ratio: &Estimate) -> Estimate {
    Estimate {
        estimate: ratio.estimate - 1.0,
        interval: ratio
            .interval
            .and_then(|ends| Interval::new(ends.low() - 1.0, ends.high() - 1.0)),
    }
}

/// A share with its interval: "+5.2 %" and "[+1.0, +9.1]".
pub(super) fn percent(share: &Estimate) -> (String, Option<String>) {
    let hundred = Estimate {
        estimate: share.estimate * 100.0,
        interval: share
            .interval
            .and_then(|ends| Interval::new(ends.low() * 100.0, ends.high() * 100.0)),
    };
    let (number, ends) = numbers::difference(&hundred);
    (format!("{number} %"), ends)
}

pub(super) fn with_ends((number, ends): (String, Option<String>)) -> String {
    match ends {
        Some(ends) => format!("{number} {ends}"),
        None => number,
    }
}

/// Text that cannot end a cell or begin anything else of Markdown's or HTML's.
pub(super) fn cell(text: &str) -> String {
    let mut safe = String::new();
    for letter in text.chars() {
        match letter {
            '|' | '*' | '_' | '`' | '[' | ']' | '\\' | '~' | '#' => {
                safe.push('\\');
                safe.push(letter);
            }
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            // A name of somebody there would tell him.
            '@' => safe.push_str("@\u{200b}"),
            letter if letter.is_control() => safe.push(' '),
            letter => safe.push(letter),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn what_is_slower_for_sure_is_said_first() {
        let (record, analysis) = fixture::lernmanager();
        let text = contrasts_markdown(&record, &analysis);
        let first = text.lines().next().unwrap();
        assert!(
            first.starts_with("**") && first.contains("slower than"),
            "{first}"
        );
        let rows = text.lines().filter(|line| line.starts_with("| ")).count();
        assert!(rows > 1, "{text}");
    }

    #[test]
    fn names_cannot_leave_their_cells() {
        assert_eq!(cell("a|b"), "a\\|b");
        assert_eq!(cell("<img onerror=x>"), "&lt;img onerror=x&gt;");
        assert_eq!(cell("two\nlines"), "two lines");
        assert_eq!(cell("warm@main"), "warm@\u{200b}main");
    }
}
