//! The sentences that text and page share.

use super::super::numbers;
use crate::trace::{
    Difference, Ending, Findings, LEAST_ACCOUNTED, MOST_OVERHEAD, Part, Phase, Place, Profile,
    Stopped,
};

/// So many parts stand in the answer.
const PARTS: usize = 3;

/// A share as "61 %", or "0.4 %" where it is small.
pub fn percent(share: f64) -> String {
    let percent = share * 100.0;
    let decimals = usize::from(percent.abs() < 9.95);
    format!("{} %", numbers::fixed(percent, decimals))
}

/// What a start is timed to.
pub fn until(profile: &Profile) -> &'static str {
    match profile.ending {
        Ending::Ready => "to ready",
        Ending::Exit => "from start to exit",
    }
}

/// "1 module", "12 modules".
pub fn modules(count: usize) -> String {
    match count {
        1 => "1 module".to_owned(),
        _ => format!("{} modules", numbers::fixed(count as f64, 0)),
    }
}

fn launches(count: usize) -> String {
    match count {
        1 => "1 launch".to_owned(),
        _ => format!("{count} launches"),
    }
}

/// A part as what it is spent on.
fn spent_on(profile: &Profile, part: Part) -> String {
    match part {
        Part::Start => "starting the interpreter".to_owned(),
        Part::Module(phase) => {
            format!("{} {}", phase.doing(), modules(profile.modules_in(phase)))
        }
        Part::Program => "the program outside of imports".to_owned(),
        Part::Tracer => "tracing".to_owned(),
        Part::End => "ending the interpreter".to_owned(),
    }
}

/// The answer: what a start takes, and where most of it goes.
pub fn answer(profile: &Profile) -> String {
    let mut parts: Vec<Part> = Part::ALL
        .into_iter()
        .filter(|part| *part != Part::Tracer)
        .collect();
    parts.sort_by(|a, b| profile.part_ms(*b).total_cmp(&profile.part_ms(*a)));
    let most: Vec<String> = parts
        .into_iter()
        .take(PARTS)
        .filter(|part| profile.share(*part) >= 0.005)
        .enumerate()
        .map(|(index, part)| {
            let of = if index == 0 { " of it goes" } else { "" };
            format!(
                "{}{of} into {}",
                percent(profile.share(part)),
                spent_on(profile, part)
            )
        })
        .collect();
    let most = match &most[..] {
        [] => String::new(),
        [one] => format!("; when traced, {one}"),
        [first @ .., last] => format!("; when traced, {} and {last}", first.join(", ")),
    };
    format!(
        "{} ms {}{most}.",
        numbers::time(profile.untraced_ms),
        until(profile)
    )
}

/// What the figures of the answer are.
pub fn about(findings: &Findings, profile: &Profile) -> String {
    format!(
        "The time is the median of {} of {} under {} ({}) that were not traced; shares and all times \
         below are medians of as many traced ones, which took {} ms{}.",
        launches(profile.blocks),
        findings.app,
        profile.scenario,
        profile.interpreter,
        numbers::time(profile.traced_ms),
        overhead(profile).map_or(String::new(), |overhead| format!(": {overhead}")),
    )
}

/// What tracing cost, "tracing adds 2.9 % [1.2, 4.4]".
pub fn overhead(profile: &Profile) -> Option<String> {
    let estimate = profile.overhead?;
    let percent = |ratio: f64| numbers::fixed((ratio - 1.0) * 100.0, 1);
    let ends = match estimate.interval {
        Some(interval) => format!(
            "[{}, {}]",
            percent(interval.low()),
            percent(interval.high())
        ),
        None => "(too few launches for an interval)".to_owned(),
    };
    Some(format!(
        "tracing adds {} % {ends}",
        percent(estimate.estimate)
    ))
}

/// What the parts sum to.
pub fn sum(profile: &Profile) -> String {
    format!(
        "In every traced launch the parts sum to at least {} % of the time {}; their medians, which need \
         not add up, sum to {} ms.",
        numbers::fixed(profile.accounted * 100.0, 2),
        until(profile),
        numbers::time(profile.sum_ms())
    )
}

/// A part's name, with what it is where that does not say it.
pub fn part(part: Part) -> &'static str {
    match part {
        Part::Program => "program, outside of imports",
        other => other.name(),
    }
}

/// The rows of the parts that took any time, and of what they sum to in a launch: what it is, ms, share, modules.
pub fn part_rows(profile: &Profile, name: impl Fn(Part) -> String) -> Vec<[String; 4]> {
    let taken = Part::ALL.into_iter();
    let taken = taken.filter(|part| profile.part_ms(*part) > 0.0);
    let mut rows: Vec<[String; 4]> = taken
        .map(|part| {
            let count = match part {
                Part::Module(phase) => profile.modules_in(phase).to_string(),
                Part::Start => numbers::fixed(profile.loaded_before, 0),
                Part::Program | Part::Tracer | Part::End => String::new(),
            };
            [
                name(part),
                numbers::time(profile.part_ms(part)),
                percent(profile.share(part)),
                count,
            ]
        })
        .collect();
    rows.push([
        "sum in each launch".to_owned(),
        numbers::time(profile.traced_ms * profile.accounted),
        percent(profile.accounted),
        String::new(),
    ]);
    rows
}

/// The rows of the parts of two scenarios, and what the first takes longer, in ms.
pub fn changed_rows(difference: &Difference, ours: &Profile, theirs: &Profile) -> Vec<[String; 4]> {
    let taken = Part::ALL.into_iter();
    taken
        .filter(|part| ours.part_ms(*part) > 0.0 || theirs.part_ms(*part) > 0.0)
        .map(|part| {
            [
                self::part(part).to_owned(),
                numbers::time(ours.part_ms(part)),
                numbers::time(theirs.part_ms(part)),
                signed(difference.parts_ms[part.index()]),
            ]
        })
        .collect()
}

/// A difference in milliseconds with as many digits as a time.
pub fn signed(ms: f64) -> String {
    let decimals = match ms.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        _ => 2,
    };
    numbers::signed(ms, decimals)
}

/// What compiling took for each 1,000 lines.
pub fn compiling(profile: &Profile) -> Option<String> {
    let compiling = profile.compiling?;
    Some(format!(
        "Compiling took {} ms for {} lines in {}: {} ms per 1,000 lines.",
        numbers::time(compiling.ms),
        numbers::fixed(compiling.lines, 0),
        modules(compiling.modules.round() as usize),
        numbers::time(compiling.ms_per_1000_lines())
    ))
}

/// What the modules beside the path took, in milliseconds.
pub fn beside_ms(profile: &Profile) -> f64 {
    let modules = profile.modules_at(Place::Beside);
    modules.map(|module| module.own_ms).sum()
}

/// What was imported beside the path.
pub fn beside(profile: &Profile) -> Option<String> {
    let count = profile.modules_at(Place::Beside).count();
    let own = beside_ms(profile);
    (count > 0).then(|| {
        format!(
            "In other threads and processes {} took {} ms beside that; they are in none of the sums.",
            modules(count),
            numbers::time(own)
        )
    })
}

/// A phase and its time, "compile 12.3".
pub fn mostly((phase, time): (Phase, f64)) -> String {
    format!("{phase} {}", numbers::time(time))
}

/// What to beware of.
pub fn warnings(findings: &Findings) -> Vec<String> {
    let mut warnings = Vec::new();
    match findings.stopped {
        Stopped::AllBlocks => {}
        Stopped::Budget => warnings.push(format!(
            "the time was used up after {} of each kind; --budget gives more",
            findings
                .profiles
                .first()
                .map_or(String::new(), |profile| launches(profile.blocks))
        )),
        Stopped::Interrupted => warnings.push("interrupted before all blocks".to_owned()),
    }
    for profile in &findings.profiles {
        let name = &profile.scenario;
        if profile.accounted < LEAST_ACCOUNTED {
            warnings.push(format!(
                "under {name} the parts of a launch sum to no more than {}",
                percent(profile.accounted)
            ));
        }
        let surely = |low: f64| low - 1.0 > MOST_OVERHEAD;
        if let Some(interval) = profile.overhead.and_then(|overhead| overhead.interval)
            && surely(interval.low())
        {
            warnings.push(format!(
                "under {name} tracing takes more than {}: short phases look longer than they are",
                percent(MOST_OVERHEAD)
            ));
        }
        if profile.path_processes > 1.0 {
            warnings.push(format!(
                "under {name} the time goes through {} processes: an interpreter that replaced another, \
                 or the worker that loads the app; what else happened at the same time is beside it",
                numbers::fixed(profile.path_processes, 0)
            ));
        }
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_has_its_sign_and_about_three_digits() {
        let texts = [123.4, -12.34, 0.5, 0.0].map(signed);
        assert_eq!(texts, ["+123", "−12.3", "+0.50", "0.00"]);
    }
}
