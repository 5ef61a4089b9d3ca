//! What fixes are worth, for a terminal and for scripts.

use serde_json::{Value, json};

use super::text::{Page, Paint, Terminal};
use super::{numbers, words};
use crate::advise::{Advice, Row, Worth, steps};
use crate::analysis::{Analysis, Starts, Validity};
use crate::record::Record;
use crate::stats::interval::Estimate;

/// The version of the JSON that this build prints.
const ADVICE_VERSION: u32 = 1;

/// The advice as text, ending with a line break.
pub fn advice_text(
    record: &Record,
    analysis: &Analysis,
    advice: &Advice,
    terminal: Terminal,
) -> String {
    let mut page = Page::new(terminal);
    page.sentence("", &words::about_run(record, analysis), 0);
    page.blank();
    for sentence in answer(advice) {
        page.sentence("", &sentence, 0);
    }
    page.blank();
    page.table(
        &format!(
            "What each fix saves at every start, {}",
            words::metric_label(advice.metric, &record.suite)
        ),
        [
            "fix",
            "saves\nms",
            "95 % interval\nms",
            "its first start\ncosts ms",
            "pays with\nstart",
        ],
        advice.rows.iter().map(of_row).collect(),
    );
    page.blank();
    page.sentence("now:", &format!("{}.", advice.about_now), 5);
    page.section("What each needs");
    for row in &advice.rows {
        let needs = format!("{}: {}", row.fix.title(), row.fix.needs());
        page.sentence("-", &needs, 2);
    }
    let best = advice.best();
    let is_left = |row: &&Row| best.iter().all(|known| known.fix != row.fix);
    for row in best
        .iter()
        .copied()
        .chain(advice.worthwhile().filter(is_left))
    {
        page.section(&format!("To do it: {}", row.fix.title()));
        for step in steps(row.fix, record) {
            page.sentence("", &format!("{}:", step.place), 0);
            page.verbatim(&step.lines);
        }
    }
    if let Validity::Invalid(reasons) = &analysis.validity {
        page.blank();
        let invalid = page.painted(Paint::Bad, "Invalid:");
        page.sentence(&invalid, "these figures are not to be trusted", 9);
        page.list(reasons);
    }
    if !analysis.warnings.is_empty() {
        page.section("Warnings");
        page.list(&analysis.warnings);
    }
    page.into_text()
}

/// The same for scripts.
pub fn advice_json(record: &Record, analysis: &Analysis, advice: &Advice) -> String {
    let json = json!({
        "format_version": ADVICE_VERSION,
        "app": analysis.app,
        "metric": advice.metric.name(),
        "blocks": analysis.blocks,
        "now": advice.about_now,
        "now_ms": advice.now_ms,
        "best": advice.best().into_iter().map(|row| row.fix.title()).collect::<Vec<_>>(),
        "fixes": advice.rows.iter().map(|row| json!({
            "fix": row.fix.title(),
            "scenario": row.fix.scenario(),
            "saved_ms": estimate(&row.saved_ms),
            "first_start_cost_ms": row.first_ms.as_ref().map(estimate),
            "starts": match row.starts {
                Starts::After { estimate, .. } => Some(estimate),
                Starts::AtOnce => Some(1.0),
                Starts::Never | Starts::Unknown => None,
            },
            "worth": match row.worth {
                Worth::Saves => "saves",
                Worth::Unclear => "unclear",
                Worth::Costs => "costs",
            },
            "needs": row.fix.needs(),
            "steps": steps(row.fix, record).into_iter().map(|step| json!({
                "place": step.place,
                "lines": step.lines,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "valid": analysis.validity == Validity::Valid,
        "warnings": analysis.warnings,
    });
    format!("{json:#}\n")
}

fn estimate(of: &Estimate) -> Value {
    json!({
        "estimate": of.estimate,
        "low": of.interval.map(|interval| interval.low()),
        "high": of.interval.map(|interval| interval.high()),
    })
}

fn answer(advice: &Advice) -> Vec<String> {
    let now = format!("{} ms", numbers::time(advice.now_ms));
    if advice
        .rows
        .iter()
        .all(|row| row.saved_ms.interval.is_none())
    {
        return vec!["There are too few blocks to tell; give a longer --budget.".to_owned()];
    }
    let best = advice.best();
    let Some((best, others)) = best.split_first() else {
        // That bytecode is not what a start lacks would be more than an interval around zero says.
        let highs = advice.rows.iter().filter_map(|row| row.saved_ms.interval);
        let most = highs.map(|interval| interval.high()).fold(0.0, f64::max);
        return vec![format!(
            "No fix saves anything that can be told from noise. A start takes {now} now; by their intervals \
             a fix saves at most {} ms of it.",
            numbers::time(most)
        )];
    };
    let mut all = vec![format!(
        "Best: {}. It saves {} of the {now} that a start takes now.",
        best.fix.title(),
        numbers::amount(&best.saved_ms),
    )];
    let others: Vec<&str> = others.iter().map(|row| row.fix.title()).collect();
    if !others.is_empty() {
        all.push(format!(
            "No worse, as far as can be told: {}.",
            others.join(", ")
        ));
    }
    all
}

fn of_row(row: &Row) -> [String; 5] {
    let (saved, ends) = numbers::difference(&row.saved_ms);
    let first = match &row.first_ms {
        Some(cost) => numbers::difference(cost).0,
        None => "-".to_owned(),
    };
    let starts = match row.starts {
        Starts::After { .. } => words::starts(&row.starts).replace(" starts", ""),
        Starts::AtOnce | Starts::Never | Starts::Unknown => words::starts(&row.starts),
    };
    [
        row.fix.title().to_owned(),
        saved,
        ends.unwrap_or_else(|| numbers::UNKNOWN.to_owned()),
        first,
        starts,
    ]
}
