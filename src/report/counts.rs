//! Counts in words and rows: the same ones for the terminal and the page.

use super::numbers;
use crate::analysis::{Analysis, CountContrast, CountSummary, Counting, REPEATABLE_WITHIN};
use crate::record::format::Counters;
use crate::suite::{LaunchKind, Readiness, Suite};

/// The columns of a table of instructions; the first one is the scenario's name.
pub const HEADER: [&str; 5] = [
    "scenario",
    "instructions\nmillions",
    "spread\n%",
    "ratio",
    "launches\ncounted",
];

/// Instructions of one kind of launch.
pub struct Counted {
    pub title: String,
    pub rows: Vec<[String; 5]>,
}

/// A table for each kind of launch that was counted.
pub fn tables(suite: &Suite, counting: &Counting) -> Vec<Counted> {
    let kinds = [LaunchKind::App, LaunchKind::Import].into_iter();
    kinds
        .filter_map(|kind| {
            let of_kind = counting
                .instructions
                .iter()
                .filter(|each| each.kind == kind);
            let mut rows: Vec<_> = of_kind.map(|each| row(suite, counting, each)).collect();
            if rows.is_empty() {
                return None;
            }
            let pairs = counting.contrasts.iter();
            let pairs = pairs.filter(|each| each.kind == kind && !is_in_row(suite, each));
            rows.extend(pairs.map(pair));
            Some(Counted {
                title: title(suite, kind, counting),
                rows,
            })
        })
        .collect()
}

fn title(suite: &Suite, kind: LaunchKind, counting: &Counting) -> String {
    let is_read_when_ready = counting.kernel.instructions_by.as_deref() == Some("perf");
    let until = match (kind, &suite.app.ready) {
        (LaunchKind::Import, _) => "import: the interpreter's start and the module's import",
        (LaunchKind::App, Readiness::Exit) => "app: start to exit",
        (LaunchKind::App, _) if is_read_when_ready => "app: start to the sign of readiness",
        (LaunchKind::App, _) => "app: start to the sign of readiness, and its end",
    };
    format!("instructions ({until})")
}

/// Is this contrast that of a scenario with what it is always compared with?
fn is_in_row(suite: &Suite, contrast: &CountContrast) -> bool {
    suite.reference(&contrast.scenario) == Some(contrast.baseline.as_str())
}

fn row(suite: &Suite, counting: &Counting, summary: &CountSummary) -> [String; 5] {
    let mut contrasts = counting.contrasts.iter();
    let contrast = contrasts.find(|each| {
        each.kind == summary.kind && each.scenario == summary.scenario && is_in_row(suite, each)
    });
    [
        summary.scenario.clone(),
        numbers::fixed(summary.median / 1e6, 3),
        summary
            .spread
            .map_or(numbers::UNKNOWN.to_owned(), |spread| {
                numbers::fixed(spread * 100.0, 4)
            }),
        contrast.map_or(String::new(), |each| numbers::fixed(each.ratio, 4)),
        summary.launches.to_string(),
    ]
}

fn pair(contrast: &CountContrast) -> [String; 5] {
    let nothing = String::new;
    [
        format!("{} → {}", contrast.baseline, contrast.scenario),
        nothing(),
        nothing(),
        numbers::fixed(contrast.ratio, 4),
        nothing(),
    ]
}

/// Who counted, and whether it repeats.
pub fn about(counting: &Counting) -> String {
    let by = match counting.kernel.instructions_by.as_deref() {
        None => "",
        Some("perf") => " by the machine's counter (perf_event_open)",
        Some(valgrind) => &format!(" by {valgrind}"),
    };
    let within = numbers::fixed(REPEATABLE_WITHIN * 100.0, 1);
    let repeats = match counting.is_repeatable() {
        Some(true) => format!("counts of a scenario lie within {within} % of each other"),
        Some(false) => format!("not all counts of a scenario lie within {within} % of each other"),
        None => "whether they repeat is not known".to_owned(),
    };
    format!(
        "Counted{by} in launches of their own, which are not timed: {repeats}. They are what is \
         executed in user mode, and no measure of how long it takes."
    )
}

/// What the kernel counts in each timed launch, and what it refuses to.
pub fn kernel(counters: &Counters) -> String {
    let readable = |name: &str| name.replace('_', " ");
    let counted: Vec<String> = counters.counted.iter().map(|name| readable(name)).collect();
    let mut text = match counted.as_slice() {
        [] => "none of the kernel's".to_owned(),
        _ => format!("{} by perf_event_open, in each launch", counted.join(", ")),
    };
    let mut reasons: Vec<(String, Vec<String>)> = Vec::new();
    for name in counters.refused.keys() {
        let Some(why) = counters.why_refused(name) else {
            continue;
        };
        match reasons.iter_mut().find(|(known, _)| *known == why) {
            Some((_, names)) => names.push(readable(name)),
            None => reasons.push((why, vec![readable(name)])),
        }
    }
    for (why, names) in reasons {
        text += &format!("; no {}: {why}", names.join(" and "));
    }
    text
}

/// The counts, if instructions were counted.
pub fn instructions(analysis: &Analysis) -> Option<&Counting> {
    let counting = analysis.counting.as_ref()?;
    (!counting.instructions.is_empty()).then_some(counting)
}
