//! Sentences on what the receipts show, and what it costs for each 1,000 lines.

use super::model::{ByOrigin, Contrast, ScenarioSummary};
use super::receipts::{compiled_in_vain, read_from_pycs, receipts_of};
use super::words;
use crate::record::Record;
use crate::stats::interval::{Estimate, Interval};
use crate::suite::{Bytecode, Prefix, Scenario, WriteBytecode};

/// More names than this make a sentence unreadable.
const MOST_NAMES: usize = 6;

/// The findings, most important first.
pub fn findings(
    record: &Record,
    summaries: &[ScenarioSummary],
    contrasts: &[Contrast],
) -> Vec<String> {
    let scenarios = || record.suite.scenarios.iter().zip(summaries);
    let mut all = Vec::new();
    all.extend(scenarios().filter_map(|(scenario, seen)| hidden_by_prefix(scenario, seen)));
    all.extend(scenarios().filter_map(|(scenario, _)| at_every_start(record, scenario)));
    all.extend(scenarios().flat_map(|(scenario, _)| left_by_commands(record, scenario)));
    all.extend(
        scenarios()
            .filter_map(|(scenario, seen)| per_thousand_lines(record, scenario, seen, contrasts)),
    );
    all
}

/// A prefix hides every `__pycache__`, the standard library's and site-packages' too.
fn hidden_by_prefix(scenario: &Scenario, seen: &ScenarioSummary) -> Option<String> {
    let compiled = seen.receipt.compiled;
    if compiled.total() == 0 {
        return None;
    }
    let (start, end) = match scenario.prefix {
        Prefix::Empty => (
            format!("the first start under a prefix ({})", scenario.name),
            "a prefix hides every existing __pycache__",
        ),
        Prefix::Unwritable => (
            format!(
                "every start under a prefix that cannot be written ({})",
                scenario.name
            ),
            "it hides every existing __pycache__ and keeps nothing",
        ),
        Prefix::Unset | Prefix::Warm => return None,
    };
    let modules = words::count(compiled.total(), "module", "modules");
    Some(match among(compiled) {
        Some(others) => format!("{start} compiled {modules}, {others} among them: {end}"),
        None => format!("{start} compiled {modules}, all of them the app's"),
    })
}

/// "117 of the standard library and 117 of site-packages"
fn among(compiled: ByOrigin) -> Option<String> {
    let parts: Vec<String> = [
        (compiled.stdlib, "of the standard library"),
        (compiled.site_packages, "of site-packages"),
    ]
    .iter()
    .filter(|(number, _)| *number > 0)
    .map(|(number, origin)| format!("{} {origin}", words::thousands(*number)))
    .collect();
    (!parts.is_empty()).then(|| words::list(&parts, parts.len()))
}

/// Modules that are compiled at every start, as what was compiled is not kept.
fn at_every_start(record: &Record, scenario: &Scenario) -> Option<String> {
    let (_, receipts) = receipts_of(record, &scenario.name);
    let line = receipts.first()?;
    let of = |origin: &str| -> Vec<String> {
        let modules = compiled_in_vain(line).filter(|module| module.origin == origin);
        let mut names: Vec<String> = modules.map(|module| module.name.clone()).collect();
        names.sort();
        names
    };
    let (app, packages, stdlib) = (of("app"), of("site-packages"), of("stdlib"));
    let all = app.len() + packages.len() + stdlib.len();
    if all == 0 || (app.is_empty() && scenario.prefix != Prefix::Unset) {
        return None;
    }
    let mut errnos: Vec<String> = line
        .modules
        .iter()
        .filter_map(|module| module.write.as_deref())
        .filter(|write| *write != "written")
        .map(gloss)
        .collect();
    errnos.sort();
    errnos.dedup();
    let why = if !errnos.is_empty() {
        let reasons = words::list(&errnos, errnos.len());
        format!("none of it can be written: {reasons}")
    } else if scenario.flags.write() == WriteBytecode::Forbidden {
        "-B forbids writing".to_owned()
    } else if line.dont_write_bytecode || scenario.write == WriteBytecode::Forbidden {
        "PYTHONDONTWRITEBYTECODE forbids writing".to_owned()
    } else {
        "nothing was written, and why was not seen: a start is watched from `sitecustomize` on"
            .to_owned()
    };
    let mut origins = vec![(app.len(), "of the app")];
    // A prefix hides what is installed; that is said of the prefix.
    if scenario.prefix == Prefix::Unset {
        origins.push((packages.len(), "of site-packages"));
        origins.push((stdlib.len(), "of the standard library"));
    }
    origins.retain(|(number, _)| *number > 0);
    let all = origins.iter().map(|(number, _)| number).sum::<usize>();
    let modules = words::count(all as u64, "module", "modules");
    let whose = match &origins[..] {
        [(_, whose)] => format!("{modules} {whose}"),
        several => {
            let part = |(number, whose): &(usize, &str)| {
                format!("{} {whose}", words::thousands(*number as u64))
            };
            let parts: Vec<String> = several.iter().map(part).collect();
            format!("{modules} ({})", words::list(&parts, parts.len()))
        }
    };
    let named = if app.is_empty() { &packages } else { &app };
    let are = if all == 1 { "is" } else { "are" };
    let names = if named.is_empty() { &stdlib } else { named };
    Some(format!(
        "under {} {whose} {are} compiled at every start ({}); {why}",
        scenario.name,
        words::list(names, MOST_NAMES),
    ))
}

/// An errno's name, and what it means here.
fn gloss(errno: &str) -> String {
    let meaning = match errno {
        "EACCES" => "no permission to write there",
        "EPERM" => "the operation is not permitted",
        "EROFS" => "the file system is read-only",
        "ENOSPC" => "the disk is full",
        "EDQUOT" => "the quota is used up",
        "ENOENT" | "ENOTDIR" => "there is no such folder",
        _ => return errno.to_owned(),
    };
    format!("{errno}, {meaning}")
}

/// What the scenario's commands left cached.
fn left_by_commands(record: &Record, scenario: &Scenario) -> Vec<String> {
    let (_, receipts) = receipts_of(record, &scenario.name);
    let Some(line) = receipts
        .first()
        .filter(|_| scenario.prefix == Prefix::Unset)
    else {
        return Vec::new();
    };
    [
        (&scenario.bytecode, "app", "of the app"),
        (&scenario.site_packages, "site-packages", "of site-packages"),
        (&scenario.stdlib, "stdlib", "of the standard library"),
    ]
    .into_iter()
    .filter_map(|(state, origin, whose)| {
        let Bytecode::By(command) = state else {
            return None;
        };
        let (name, command) = (&scenario.name, command.join(" "));
        let cached = read_from_pycs(line, origin);
        Some(match cached.len() {
            0 => format!("{name}: `{command}` left no module {whose} cached"),
            number => format!(
                "{name}: `{command}` left {} {whose} cached: {}",
                words::count(number as u64, "module", "modules"),
                words::list(&cached, MOST_NAMES)
            ),
        })
    })
    .collect()
}

/// What it costs to compile the app, where all of it is compiled and nothing else is.
fn per_thousand_lines(
    record: &Record,
    scenario: &Scenario,
    seen: &ScenarioSummary,
    contrasts: &[Contrast],
) -> Option<String> {
    let receipt = &seen.receipt;
    let only_the_app = receipt.compiled.app > 0
        && receipt.read.app == 0
        && receipt.compiled.total() == receipt.compiled.app;
    if scenario.prefix != Prefix::Unset || !only_the_app || record.header.app_lines == 0 {
        return None;
    }
    // The lines are the working tree's, and a scenario may be compared with another state of them.
    if !record.suite.revisions().is_empty() {
        return None;
    }
    let doing = if receipt.written.app == 0 {
        "compiling"
    } else {
        "compiling and writing"
    };
    let metric = record.suite.measure.metrics.first()?;
    let reference = record.suite.reference(&scenario.name)?;
    let contrast = contrasts.iter().find(|contrast| {
        contrast.metric == *metric
            && contrast.baseline == reference
            && contrast.scenario == scenario.name
    })?;
    let lines = record.header.app_lines;
    let shift = &contrast.shift_ms;
    let interval = shift.interval?;
    let name = &scenario.name;
    let compared = format!("{} than {reference} ({metric})", words::shift(shift));
    // Noise divided by lines is no rate.
    if interval.low() <= 0.0 {
        return Some(format!(
            "what {doing} the app at each start ({name}) costs cannot be told from noise: {compared}"
        ));
    }
    let per = |value: f64| value * 1000.0 / lines as f64;
    let rate = Estimate {
        estimate: per(shift.estimate),
        interval: Interval::new(per(interval.low()), per(interval.high())),
    };
    Some(format!(
        "{doing} the app at each start ({name}) takes {compared}: {} for each 1,000 of its {} lines",
        words::amount(&rate, words::decimals_of(&rate)),
        words::thousands(lines)
    ))
}
