//! The report's own words: labels, and the few sentences that no analysis writes.

use super::draw::{Scale, Spacing, round_label};
use super::numbers;
use crate::analysis::{
    Analysis, Band, BreakEven, Contrast, Decision, Pairing, ScenarioSummary, Starts, Validity,
};
use crate::record::Record;
use crate::record::format::{Isolation, StopReason};
use crate::stats::bounds::Verdict;
use crate::suite::{Goal, Metric, Readiness, Suite};

/// What a metric of this suite is, in a few words.
pub fn metric_label(metric: Metric, suite: &Suite) -> &'static str {
    match (metric, &suite.app.ready) {
        (Metric::Ready, Readiness::Tcp { .. }) => "ready (spawn to first accepted connection)",
        (Metric::Ready, Readiness::Stdout { .. }) => "ready (spawn to its line on standard output)",
        (Metric::Ready, Readiness::Notify) => "ready (spawn to READY=1)",
        (Metric::Ready, Readiness::Http { .. } | Readiness::Exit) => {
            "ready (spawn to first good response)"
        }
        (Metric::Exit, _) => "exit (spawn to exit)",
        (Metric::Import, _) => "import (around the import statement)",
    }
}

/// How a finding on a metric begins.
pub fn metric_finding(metric: Metric) -> &'static str {
    match metric {
        Metric::Ready => "Ready after",
        Metric::Exit => "Start to exit takes",
        Metric::Import => "The import takes",
    }
}

/// What an axis of a metric's times means.
pub fn time_axis(metric: Metric, scale: &Scale) -> String {
    let spacing = match scale.spacing() {
        Spacing::Linear => "",
        Spacing::Logarithmic => ", logarithmic",
    };
    format!("{metric}, ms{spacing}")
}

/// A verdict's word.
pub fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Supported => "supported",
        Verdict::Refuted => "refuted",
        Verdict::Inconclusive => "inconclusive",
    }
}

/// "80 to 120 ms".
pub fn band(band: Band) -> String {
    match (band.low, band.high) {
        (Some(low), Some(high)) if low == -high => format!("± {} ms", numbers::time(high)),
        (Some(low), Some(high)) => format!("{} to {} ms", round_label(low), round_label(high)),
        (Some(low), None) => format!("at least {} ms", round_label(low)),
        (None, Some(high)) => format!("at most {} ms", round_label(high)),
        (None, None) => "anything".to_owned(),
    }
}

/// "36 starts [31, 44]".
pub fn starts(starts: &Starts) -> String {
    match starts {
        Starts::After {
            estimate,
            low,
            high,
        } => {
            let range = match high.filter(|high| high.is_finite()) {
                Some(high) => format!("[{}, {}]", numbers::starts(*low), numbers::starts(high)),
                None => format!("[{}, no upper limit]", numbers::starts(*low)),
            };
            format!("{} starts {range}", numbers::starts(*estimate))
        }
        Starts::AtOnce => "at once".to_owned(),
        Starts::Never => "never".to_owned(),
        Starts::Unknown => "not known".to_owned(),
    }
}

/// A fix's balance in a sentence.
pub fn break_even(data: &BreakEven) -> String {
    let cost = numbers::amount(&data.first_start_cost_ms);
    let saved = numbers::amount(&data.saved_per_start_ms);
    let pair = format!("{} instead of {}", data.scenario, data.from);
    match data.starts {
        Starts::After { .. } => format!(
            "{pair}: paid back after {}; the first start costs {cost} more, each later one saves \
             {saved}",
            starts(&data.starts)
        ),
        Starts::AtOnce => format!(
            "{pair}: pays at once; the first start is no slower, each later one saves {saved}"
        ),
        Starts::Never => format!(
            "{pair}: never pays back; the first start costs {cost} more, and later ones save \
             nothing: {saved}"
        ),
        Starts::Unknown => format!(
            "{pair}: the first start costs {cost} more; whether later ones save anything cannot be \
             told from noise: {saved}"
        ),
    }
}

/// Why the run ended.
pub fn stop_reason(reason: Option<StopReason>) -> &'static str {
    match reason {
        Some(StopReason::Precision) => "stopped when every interval was as narrow as asked",
        Some(StopReason::Decided) => "stopped when everything was decided",
        Some(StopReason::Budget) => "stopped when the time was used up",
        Some(StopReason::MaxBlocks) => "stopped at the greatest number of blocks",
        Some(StopReason::Interrupted) => "interrupted",
        Some(StopReason::Failures) => "stopped because the app failed to launch too often",
        None => "broken off: the record has no end",
    }
}

/// "20 blocks".
pub fn blocks(count: u32) -> String {
    match count {
        1 => "1 block".to_owned(),
        _ => format!("{} blocks", numbers::fixed(f64::from(count), 0)),
    }
}

/// What was run, on what, and what made read-only true, in two sentences.
pub fn about_run(record: &Record, analysis: &Analysis) -> String {
    let interpreters: Vec<String> = analysis
        .interpreters
        .iter()
        .map(|each| format!("{} {}", each.implementation, each.version))
        .collect();
    let with = match interpreters.is_empty() {
        true => String::new(),
        false => format!(" under {}", interpreters.join(", ")),
    };
    let isolation = &record.header.isolation;
    let intervals = match record.suite.measure.until {
        Goal::Precise => "",
        Goal::Decided => " Intervals and verdicts hold at every look (a confidence sequence).",
    };
    let revisions = revisions(record);
    format!(
        "{}{with}: {}, {}. Launched {} as {} (uid {}); read-only by {}.{intervals}{revisions}",
        analysis.app,
        blocks(analysis.blocks),
        stop_reason(analysis.stop_reason),
        where_launched(isolation),
        isolation.identity,
        isolation.uid,
        isolation.read_only_by
    )
}

/// Which states of the source were measured: a sentence with a space before it, or nothing.
fn revisions(record: &Record) -> String {
    let all = record.header.revisions.iter();
    let named: Vec<String> = all
        .map(|each| {
            let day = each.committed.get(..10).unwrap_or(&each.committed);
            format!(
                "{} is commit {} of {day} ({})",
                each.name,
                short(&each.commit),
                files(
                    each.changed,
                    "differs from the working tree",
                    "differ from the working tree"
                )
            )
        })
        .collect();
    let Some(tree) = record
        .header
        .working_tree
        .as_ref()
        .filter(|_| !named.is_empty())
    else {
        return String::new();
    };
    let head = tree
        .head
        .as_deref()
        .map_or("before its first commit".to_owned(), |head| {
            format!("on {}", short(head))
        });
    let modified = match tree.modified {
        0 => String::new(),
        count => format!(", with {}", files(count, "changed", "changed")),
    };
    format!(
        " {}; all else is the working tree {head}{modified}.",
        named.join("; ")
    )
}

/// As much of a commit's number as people write.
fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

fn files(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 file {one}"),
        _ => format!("{} files {many}", numbers::fixed(count as f64, 0)),
    }
}

/// How effects and their intervals were computed.
pub fn procedure(suite: &Suite) -> &'static str {
    match suite.measure.until {
        Goal::Precise => {
            "Shifts are Hodges-Lehmann estimates of the differences inside of blocks, with intervals \
             from the signed-rank test."
        }
        Goal::Decided => {
            "Shifts are centres of the differences inside of blocks, clipped in the scale of the first \
             ten, with intervals of a confidence sequence, which hold at every look."
        }
    }
}

/// "at its own path"
pub fn where_launched(isolation: &Isolation) -> &'static str {
    match isolation.backing.as_str() {
        "overlay" => "at its own path",
        _ => "in a private copy",
    }
}

/// "cold: 2 of 20 launches failed".
pub fn failures(scenario: &ScenarioSummary) -> String {
    let (failures, launches) = (scenario.failures, scenario.launches);
    format!(
        "{}: {failures} of {launches} launches failed",
        scenario.name
    )
}

/// What the noise floor is, for someone who has never heard of one.
pub fn noise_floor(baseline: &str) -> String {
    format!(
        "Noise floor: {baseline} is launched twice in every block. Its second launch differs \
         from the first by nothing but noise, so a shift of that size means nothing."
    )
}

/// What each row of a table is compared with, where that is not the baseline for all.
pub fn references(suite: &Suite) -> Option<String> {
    if let [revision, ..] = suite.revisions()[..] {
        let baseline = suite.scenario(&suite.measure.baseline)?;
        let state = match &baseline.revision {
            Some(revision) => format!("at {revision}"),
            None => format!("of the working tree instead of {revision}"),
        };
        return Some(format!(
            "Each scenario is compared with the one that differs from it only in being {state}."
        ));
    }
    let baselines = suite.baselines();
    let [first, others @ ..] = &baselines[..] else {
        return None;
    };
    let names: Vec<&str> = others.iter().map(|each| each.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "Each scenario is compared with the baseline of its own interpreter ({}, {}), and these \
             with that of the first, {}.",
            first.name,
            names.join(", "),
            first.name
        )
    })
}

/// Does this contrast stand in its scenario's row? Others are pairs that only claims name.
pub fn is_in_table(contrast: &Contrast, suite: &Suite) -> bool {
    suite.reference(&contrast.scenario) == Some(contrast.baseline.as_str())
}

/// The headline's noise floor as a figure: "+0.4 ms [−2.1, +2.9]".
pub fn shift(contrast: &Contrast) -> String {
    let (shift, ends) = numbers::difference(&contrast.shift_ms);
    match ends {
        Some(ends) => format!("{shift} ms {ends}"),
        None => format!("{shift} ms"),
    }
}

/// "faster" or "slower"; `None` while the interval holds zero.
fn direction(contrast: &Contrast) -> Option<&'static str> {
    let (low, high) = numbers::ends(&contrast.shift_ms)?;
    match (low > 0.0, high < 0.0) {
        (true, _) => Some("slower"),
        (_, true) => Some("faster"),
        _ => None,
    }
}

/// The answer, to stand before everything else, and the claim it belongs to, if there is one.
///
/// The first claim on an effect is what was asked first. Without any, it is the greatest effect
/// on the headline metric.
pub fn answer<'a>(record: &Record, analysis: &'a Analysis) -> (String, Option<&'a Decision>) {
    let decided = analysis
        .claims
        .iter()
        .find_map(|claim| Some((claim, claim.effect.as_ref()?)));
    if let Some((claim, effect)) = decided {
        let sentence = format!(
            "{} against {} ({}).",
            found(&effect.to, &claim.measured),
            effect.from,
            effect.metric
        );
        return (sentence, Some(claim));
    }
    if let Some(claim) = analysis.claims.first() {
        return (format!("{}.", capitalised(&claim.measured)), Some(claim));
    }
    let headline = record.suite.measure.metrics.first();
    let greatest = analysis
        .contrasts
        .iter()
        .filter(|each| Some(&each.metric) == headline && each.shift_ms.estimate.is_finite())
        .max_by(|a, b| {
            let size = |each: &Contrast| each.shift_ms.estimate.abs();
            size(a).total_cmp(&size(b))
        });
    let sentence = match greatest {
        Some(contrast) => format!(
            "The greatest difference: {} is {} than {} ({}, {}).",
            contrast.scenario,
            direction(contrast).unwrap_or(match contrast.shift_ms.interval {
                Some(_) => "not measurably slower or faster",
                None => "not yet known to be slower or faster",
            }),
            contrast.baseline,
            shift(contrast),
            contrast.metric
        ),
        None => "Nothing could be compared.".to_owned(),
    };
    (sentence, None)
}

/// A scenario and what was measured of it, as the beginning of a sentence.
pub fn found(scenario: &str, measured: &str) -> String {
    match measured.starts_with("saves ") || measured.starts_with("costs ") {
        true => format!("{scenario} {measured}"),
        false => format!("{scenario}: {measured}"),
    }
}

/// How a contrast's pair is written.
pub fn pair(contrast: &Contrast) -> String {
    let uncontrolled = match contrast.pairing {
        Pairing::Paired => "",
        Pairing::Uncontrolled => " (uncontrolled)",
    };
    format!(
        "{} → {}{uncontrolled}",
        contrast.baseline, contrast.scenario
    )
}

/// May the figures be believed, in one sentence.
pub fn validity(analysis: &Analysis) -> &'static str {
    let floors = || {
        analysis
            .noise_floor
            .iter()
            .map(|floor| floor.shift_ms.interval)
    };
    match analysis.validity {
        Validity::Valid if analysis.noise_floor.is_empty() => {
            "Valid: every scenario's conditions held; there is no twin to compare with."
        }
        Validity::Valid if floors().any(|floor| floor.is_none()) => {
            "Valid: every scenario's conditions held; there are too few blocks to compare the \
             twin with the baseline."
        }
        Validity::Valid if floors().flatten().any(|floor| !floor.contains(0.0)) => {
            "Valid: every scenario's conditions held; the twin differs from the baseline more \
             than its interval allows, by chance or not: see the warnings."
        }
        Validity::Valid => {
            "Valid: every scenario's conditions held, and the twin agrees with the baseline."
        }
        Validity::Invalid(_) => "INVALID: do not rely on these figures.",
    }
}

/// With its first letter in upper case.
pub fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
