//! The answers of a guard: as text, Markdown and JSON.

use serde::Serialize;

use super::changes::{cell, notes, percent, with_ends};
use super::numbers;
use super::text::{Page, Paint, Terminal};
use crate::analysis::{Guard, GuardOutcome, Guarded, Pairing, Yardstick};
use crate::stats::bounds::Verdict;

/// Of the JSON.
pub const GUARD_VERSION: u32 = 1;

/// The answers as text, ending with a line break.
pub fn guard_text(guard: &Guard, terminal: Terminal) -> String {
    let mut page = Page::new(terminal);
    let paint = match guard.outcome() {
        GuardOutcome::NoRegression => Paint::Good,
        GuardOutcome::Regression | GuardOutcome::Invalid => Paint::Bad,
        GuardOutcome::Inconclusive => Paint::Unsure,
    };
    let lead = page.painted(paint, title(guard.outcome()));
    page.sentence(&lead, &about(guard), title(guard.outcome()).len() + 1);
    if !guard.invalid.is_empty() {
        page.section("Do not rely on these figures");
        page.list(&guard.invalid);
    }
    page.blank();
    let rows: Vec<[String; 6]> = guard
        .lines
        .iter()
        .map(|line| {
            let (change, ends) = change(line);
            [
                format!("{} ({})", line.scenario, line.measured),
                amount(guard, line.then),
                amount(guard, line.now),
                change,
                ends,
                verdict(line.verdict).to_owned(),
            ]
        })
        .collect();
    page.table(yardstick(guard), header(guard), rows);
    page.blank();
    let why: Vec<String> = guard
        .lines
        .iter()
        .map(|line| format!("{} ({}): {}", line.scenario, line.measured, line.reason))
        .collect();
    page.list(&why);
    if !guard.notes.is_empty() {
        page.section("Notes");
        page.list(&guard.notes);
    }
    page.into_text()
}

/// The same for a pull request or the summary of a job.
pub fn guard_markdown(guard: &Guard) -> String {
    let mark = match guard.outcome() {
        GuardOutcome::NoRegression => "✅",
        GuardOutcome::Regression => "❌",
        GuardOutcome::Inconclusive => "❔",
        GuardOutcome::Invalid => "⚠️",
    };
    let mut lines = vec![
        format!(
            "### {mark} {}: {} of {}",
            title(guard.outcome()),
            yardstick(guard),
            cell(&guard.app)
        ),
        String::new(),
        format!("{} {}", title(guard.outcome()), cell(&about(guard))),
        String::new(),
    ];
    let [_, then, now, change_title, ends_title, _] = header(guard).map(|h| h.replace('\n', ", "));
    lines.push(format!(
        "| Scenario | {} | {} | {change_title} | {ends_title} | Verdict |",
        cell(&then),
        cell(&now)
    ));
    lines.push("|---|--:|--:|--:|--:|---|".to_owned());
    for line in &guard.lines {
        let (change, ends) = change(line);
        lines.push(format!(
            "| {} ({}) | {} | {} | {change} | {} | {} |",
            cell(&line.scenario),
            line.measured,
            amount(guard, line.then),
            amount(guard, line.now),
            cell(&ends),
            verdict(line.verdict)
        ));
    }
    lines.extend(notes("Do not rely on these figures", &guard.invalid));
    lines.extend(notes("Notes", &guard.notes));
    lines.join("\n") + "\n"
}

/// The same for scripts, ending with a line break.
pub fn guard_json(guard: &Guard) -> String {
    let json = JsonGuard {
        format_version: GUARD_VERSION,
        app: &guard.app,
        outcome: outcome_word(guard.outcome()),
        max_regression: guard.bound.get(),
        by: match guard.yardstick {
            Yardstick::Time => "time",
            Yardstick::Instructions => "instructions",
        },
        against: &guard.then,
        paired: guard.pairing == Pairing::Paired,
        scenarios: guard
            .lines
            .iter()
            .map(|line| JsonGuarded {
                scenario: &line.scenario,
                measured: line.measured,
                then: line.then,
                now: line.now,
                change: line.change.as_ref().map(|change| JsonChange {
                    estimate: change.estimate,
                    low: numbers::ends(change).map(|(low, _)| low),
                    high: numbers::ends(change).map(|(_, high)| high),
                }),
                verdict: outcome_word(match line.verdict {
                    Verdict::Supported => GuardOutcome::NoRegression,
                    Verdict::Refuted => GuardOutcome::Regression,
                    Verdict::Inconclusive => GuardOutcome::Inconclusive,
                }),
                reason: &line.reason,
            })
            .collect(),
        invalid: &guard.invalid,
        notes: &guard.notes,
    };
    // All of it is text, numbers and lists.
    serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"
}

#[derive(Serialize)]
struct JsonGuard<'a> {
    format_version: u32,
    app: &'a str,
    outcome: &'static str,
    max_regression: f64,
    by: &'static str,
    against: &'a str,
    paired: bool,
    scenarios: Vec<JsonGuarded<'a>>,
    invalid: &'a [String],
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonGuarded<'a> {
    scenario: &'a str,
    measured: &'static str,
    then: Option<f64>,
    now: Option<f64>,
    change: Option<JsonChange>,
    verdict: &'static str,
    reason: &'a str,
}

#[derive(Serialize)]
struct JsonChange {
    estimate: f64,
    low: Option<f64>,
    high: Option<f64>,
}

/// What is said first.
fn title(outcome: GuardOutcome) -> &'static str {
    match outcome {
        GuardOutcome::NoRegression => "No regression",
        GuardOutcome::Regression => "Regression",
        GuardOutcome::Inconclusive => "Inconclusive",
        GuardOutcome::Invalid => "Invalid",
    }
}

fn outcome_word(outcome: GuardOutcome) -> &'static str {
    match outcome {
        GuardOutcome::NoRegression => "no-regression",
        GuardOutcome::Regression => "regression",
        GuardOutcome::Inconclusive => "inconclusive",
        GuardOutcome::Invalid => "invalid",
    }
}

/// "of 5 % of a start or more against v1.2 in 1 of 3 comparisons; …", after the title.
fn about(guard: &Guard) -> String {
    let percent = guard.bound.get() * 100.0;
    let bound = numbers::fixed(percent, decimals(percent));
    let of = |verdict| {
        guard
            .lines
            .iter()
            .filter(|line| line.verdict == verdict)
            .count()
    };
    let all = guard.lines.len();
    let unit = match guard.yardstick {
        Yardstick::Time => "",
        Yardstick::Instructions => " of the instructions",
    };
    let size = format!("of {bound} %{unit} or more against {}", guard.then);
    let claim = match guard.outcome() {
        GuardOutcome::NoRegression => size,
        GuardOutcome::Regression => {
            format!("{size}, in {} of {all} comparisons", of(Verdict::Refuted))
        }
        GuardOutcome::Inconclusive => format!(
            "whether there is a regression {size}, in {} of {all} comparisons",
            of(Verdict::Inconclusive)
        ),
        GuardOutcome::Invalid => format!("no answer whether there is a regression {size}"),
    };
    let pairing = match guard.pairing {
        Pairing::Paired => "measured inside the same blocks",
        Pairing::Uncontrolled => "uncontrolled: the two were measured at different times",
    };
    format!("{claim}; {pairing}.")
}

fn yardstick(guard: &Guard) -> &'static str {
    match guard.yardstick {
        Yardstick::Time => "start-up time",
        Yardstick::Instructions => "instructions",
    }
}

fn decimals(percent: f64) -> usize {
    (0..4)
        .find(|&places| {
            let factor = 10f64.powi(places);
            ((percent * factor).round() / factor - percent).abs() < 1e-9
        })
        .unwrap_or(4) as usize
}

fn header(guard: &Guard) -> [&'static str; 6] {
    match guard.yardstick {
        Yardstick::Time => [
            "scenario",
            "then\nms",
            "now\nms",
            "change",
            "interval\n%",
            "verdict",
        ],
        Yardstick::Instructions => [
            "scenario",
            "then\nmillions",
            "now\nmillions",
            "change",
            "seen\n%",
            "verdict",
        ],
    }
}

fn amount(guard: &Guard, value: Option<f64>) -> String {
    value.map_or(numbers::UNKNOWN.to_owned(), |value| match guard.yardstick {
        Yardstick::Time => numbers::time(value),
        Yardstick::Instructions => numbers::fixed(value / 1e6, 2),
    })
}

fn change(line: &Guarded) -> (String, String) {
    let unknown = || numbers::UNKNOWN.to_owned();
    line.change
        .as_ref()
        .map_or((unknown(), unknown()), |change| {
            let (change, ends) = percent(change);
            (change, ends.unwrap_or_else(unknown))
        })
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "no regression",
        Verdict::Refuted => "regression",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// The cost in a line, for a test's message.
pub(super) fn in_a_line(line: &Guarded) -> String {
    let change = line
        .change
        .as_ref()
        .map_or(numbers::UNKNOWN.to_owned(), |change| {
            with_ends(percent(change))
        });
    numbers::plain(&format!("{change}: {}", line.reason))
}
