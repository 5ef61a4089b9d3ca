//! Many records side by side, as text.

use super::super::numbers::{self, UNKNOWN};
use super::super::text::{Page, Terminal};
use super::words;
use crate::analysis::{Across, By, Effect, Experiment, Row};

const NOTHING: &str = "";

/// All experiments as text, ending with a line break.
pub fn across_text(across: &Across, terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    for (index, experiment) in across.experiments.iter().enumerate() {
        if index > 0 {
            page.blank();
        }
        one(&mut page, experiment, across.by);
    }
    if !across.left_out.is_empty() {
        page.section("Left out, as their figures are not to be believed");
        let sentences: Vec<String> = across.left_out.iter().map(ToString::to_string).collect();
        page.list(&sentences);
    }
    page.into_text()
}

fn one(page: &mut Page, experiment: &Experiment, by: By) {
    page.sentence(NOTHING, &words::heading(&experiment.common), 0);
    page.sentence(NOTHING, &words::extent(experiment, by), 0);
    for effect in &experiment.effects {
        page.blank();
        table(page, effect, experiment, by);
    }
    if experiment.effects.is_empty() {
        page.blank();
        page.sentence(
            NOTHING,
            "There is but one scenario, so nothing is compared.",
            0,
        );
    }
    page.section("Notes");
    page.list(&experiment.notes);
}

fn table(page: &mut Page, effect: &Effect, experiment: &Experiment, by: By) {
    let header = [
        by.word(),
        "blocks",
        "baseline\nms",
        "shift\nms",
        "95 % interval\nms",
        "change\n%",
        "95 % interval\n%",
    ];
    let (shown, elsewhere) = words::shown(effect, experiment, by);
    let mut rows: Vec<[String; 7]> = shown
        .into_iter()
        .map(|(member, row)| cells(&member.name, row))
        .collect();
    if let Some(pooled) = &effect.pooled {
        let (shift, shift_ends) = numbers::difference(&pooled.shift_ms.mean);
        let (change, change_ends) = words::change(&pooled.ratio.mean);
        rows.push([
            format!("mean of {}", words::count(pooled.members.into(), by)),
            pooled.blocks.to_string(),
            NOTHING.to_owned(),
            shift,
            known(shift_ends),
            bare(&change),
            known(change_ends),
        ]);
        if let (Some((_, change)), Some(shift)) =
            (words::further(&pooled.ratio), pooled.shift_ms.prediction)
        {
            rows.push([
                format!("a further {}", by.word()),
                NOTHING.to_owned(),
                NOTHING.to_owned(),
                NOTHING.to_owned(),
                words::ends(shift),
                NOTHING.to_owned(),
                change,
            ]);
        }
    }
    page.table(&words::subject(effect), header, rows);
    page.sentence(
        NOTHING,
        &format!("{}.", words::finding(effect, experiment, by)),
        0,
    );
    if !elsewhere.is_empty() {
        let not = format!(
            "Not measured by {}: {}.",
            effect.metric,
            elsewhere.join(", ")
        );
        page.sentence(NOTHING, &not, 0);
    }
    if let Some(pooled) = &effect.pooled {
        page.sentence(NOTHING, &words::heterogeneity(pooled, by), 0);
    }
}

fn cells(name: &str, row: Option<&Row>) -> [String; 7] {
    let unknown = || UNKNOWN.to_owned();
    let Some(row) = row else {
        return [
            name.to_owned(),
            "0".to_owned(),
            unknown(),
            unknown(),
            unknown(),
            unknown(),
            unknown(),
        ];
    };
    let (shift, shift_ends) = numbers::difference(&row.shift_ms);
    let (change, change_ends) = words::change(&row.ratio);
    [
        name.to_owned(),
        row.blocks.to_string(),
        numbers::time(row.baseline_median_ms),
        shift,
        known(shift_ends),
        bare(&change),
        known(change_ends),
    ]
}

/// Without the sign that stands in the column's heading.
fn bare(percent: &str) -> String {
    percent.trim_end_matches(" %").to_owned()
}

fn known(ends: Option<String>) -> String {
    ends.unwrap_or_else(|| UNKNOWN.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::super::text::Colour;
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_table_of_hosts_fits_a_terminal_of_80_and_of_120_columns() {
        for width in [80, 120] {
            let terminal = Terminal {
                width,
                colour: Colour::Never,
            };
            for hosts in [1, 2, 3, 12] {
                let text = across_text(&fixture::hosts(hosts), terminal);
                for line in text.lines() {
                    assert!(line.chars().count() <= width, "{line}");
                }
                let rows = text.lines().filter(|line| line.starts_with("web-"));
                assert_eq!(rows.count(), 2 * hosts as usize, "{text}");
                assert_eq!(text.contains("mean of"), hosts > 1, "{text}");
                assert_eq!(text.contains("a further host"), hosts > 2, "{text}");
            }
        }
    }
}
