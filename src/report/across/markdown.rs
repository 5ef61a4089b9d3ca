//! Many records side by side, as Markdown.

use super::super::changes::{cell, notes, with_ends};
use super::super::numbers::{self, UNKNOWN};
use super::words;
use crate::analysis::{Across, By, Effect, Experiment};

/// All experiments, the answers in words first.
pub fn across_markdown(across: &Across) -> String {
    let mut lines = Vec::new();
    for experiment in &across.experiments {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!(
            "**{}**: {}",
            cell(&words::heading(&experiment.common)),
            words::extent(experiment, across.by)
        ));
        for effect in &experiment.effects {
            lines.push(String::new());
            lines.push(format!(
                "**{}** ({}).",
                cell(&words::finding(effect, experiment, across.by)),
                effect.metric
            ));
            lines.push(String::new());
            lines.extend(table(effect, experiment, across.by));
            if let Some(pooled) = &effect.pooled {
                lines.push(String::new());
                lines.push(words::heterogeneity(pooled, across.by));
            }
        }
        lines.extend(notes("Notes", &experiment.notes));
    }
    let left_out: Vec<String> = across.left_out.iter().map(ToString::to_string).collect();
    lines.extend(notes(
        "Left out, as their figures are not to be believed",
        &left_out,
    ));
    lines.join("\n") + "\n"
}

fn table(effect: &Effect, experiment: &Experiment, by: By) -> Vec<String> {
    let mut lines = vec![
        format!(
            "| {} | Blocks | {}, ms | Shift, ms | Change |",
            super::super::words::capitalised(by.word()),
            cell(&effect.baseline)
        ),
        "|---|--:|--:|--:|--:|".to_owned(),
    ];
    for (member, row) in words::shown(effect, experiment, by).0 {
        let name = cell(&member.name);
        lines.push(match row {
            None => format!("| {name} | 0 | {UNKNOWN} | {UNKNOWN} | {UNKNOWN} |"),
            Some(row) => format!(
                "| {name} | {} | {} | {} | {} |",
                row.blocks,
                numbers::time(row.baseline_median_ms),
                with_ends(numbers::difference(&row.shift_ms)),
                words::change_with_ends(&row.ratio),
            ),
        });
    }
    if let Some(pooled) = &effect.pooled {
        lines.push(format!(
            "| **mean of {}** | {} | | {} | {} |",
            words::count(pooled.members.into(), by),
            pooled.blocks,
            with_ends(numbers::difference(&pooled.shift_ms.mean)),
            words::change_with_ends(&pooled.ratio.mean),
        ));
        if let (Some((_, change)), Some(shift)) =
            (words::further(&pooled.ratio), pooled.shift_ms.prediction)
        {
            lines.push(format!(
                "| a further {} | | | {} | {change} % |",
                by.word(),
                words::ends(shift)
            ));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    #[test]
    fn names_of_hosts_cannot_leave_their_cells() {
        let mut across = fixture::hosts(2);
        across.experiments[0].members[0].name = "a|<img>\n@all".to_owned();
        let text = across_markdown(&across);
        assert!(text.contains("| a\\|&lt;img&gt; @\u{200b}all |"), "{text}");
    }
}
