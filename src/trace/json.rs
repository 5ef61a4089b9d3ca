//! `trace.json`: the figures for scripts. `results/README.md` describes it, and a test holds that
//! against what is declared here.

use serde::Serialize;
use serde_json::{Map, Value};

use super::account::Ending;
use super::difference::{Difference, ModuleDifference};
use super::findings::Findings;
use super::measure::Stopped;
use super::part::{Part, Phase};
use super::profile::{Compiling, GroupProfile, ModuleProfile, Profile};
use crate::stats::interval::Estimate;

/// Of the file's format.
pub const TRACE_VERSION: u32 = 1;

/// By part or phase, in milliseconds; those that took nothing are left out.
type Times = Map<String, Value>;

#[derive(Serialize)]
struct JsonTrace<'a> {
    trace_version: u32,
    coldsnake: &'static str,
    app: &'a str,
    suite: &'a str,
    seed: u64,
    stopped: &'static str,
    scenarios: Vec<JsonScenario<'a>>,
    difference: Option<JsonDifference<'a>>,
}

#[derive(Serialize)]
struct JsonScenario<'a> {
    name: &'a str,
    interpreter: &'a str,
    until: &'static str,
    blocks: usize,
    untraced_ms: JsonSpread,
    traced_ms: f64,
    overhead: Option<JsonEstimate>,
    accounted: f64,
    sum_ms: f64,
    parts_ms: Times,
    groups: Vec<JsonGroup>,
    compiling: Option<JsonCompiling>,
    loaded_before: f64,
    processes: f64,
    modules: Vec<JsonModule<'a>>,
}

#[derive(Serialize)]
struct JsonSpread {
    median: f64,
    p10: f64,
    p90: f64,
}

#[derive(Serialize)]
struct JsonEstimate {
    estimate: f64,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Serialize)]
struct JsonGroup {
    group: &'static str,
    modules: f64,
    own_ms: f64,
    phases_ms: Times,
}

#[derive(Serialize)]
struct JsonCompiling {
    modules: f64,
    lines: f64,
    ms: f64,
    ms_per_1000_lines: f64,
}

#[derive(Serialize)]
struct JsonModule<'a> {
    name: &'a str,
    place: &'static str,
    group: &'static str,
    loader: &'static str,
    file: Option<&'a str>,
    launches: usize,
    begin_ms: f64,
    inclusive_ms: f64,
    own_ms: f64,
    phases_ms: Times,
    lines: f64,
}

#[derive(Serialize)]
struct JsonDifference<'a> {
    scenario: &'a str,
    against: &'a str,
    shift_ms: Option<JsonEstimate>,
    ratio: Option<JsonEstimate>,
    parts_ms: Times,
    modules: Vec<JsonChange<'a>>,
}

#[derive(Serialize)]
struct JsonChange<'a> {
    name: &'a str,
    place: &'static str,
    group: &'static str,
    own_ms: f64,
    phases_ms: Times,
}

/// The file's text.
pub fn trace_json(findings: &Findings) -> String {
    let trace = JsonTrace {
        trace_version: TRACE_VERSION,
        coldsnake: env!("CARGO_PKG_VERSION"),
        app: &findings.app,
        suite: &findings.origin,
        seed: findings.seed,
        stopped: match findings.stopped {
            Stopped::AllBlocks => "blocks",
            Stopped::Budget => "budget",
            Stopped::Interrupted => "interrupted",
        },
        scenarios: findings.profiles.iter().map(scenario).collect(),
        difference: findings.difference.as_ref().map(difference),
    };
    // Strings, numbers and maps with string keys: nothing that JSON does not have.
    let mut text = serde_json::to_string_pretty(&trace).unwrap_or_default();
    text.push('\n');
    text
}

fn scenario(profile: &Profile) -> JsonScenario<'_> {
    let (p10, p90) = profile.untraced_range_ms;
    JsonScenario {
        name: &profile.scenario,
        interpreter: &profile.interpreter,
        until: match profile.ending {
            Ending::Ready => "ready",
            Ending::Exit => "exit",
        },
        blocks: profile.blocks,
        untraced_ms: JsonSpread {
            median: rounded(profile.untraced_ms),
            p10: rounded(p10),
            p90: rounded(p90),
        },
        traced_ms: rounded(profile.traced_ms),
        overhead: profile.overhead.as_ref().map(estimate),
        accounted: rounded(profile.accounted),
        sum_ms: rounded(profile.sum_ms()),
        parts_ms: parts(&profile.parts_ms),
        groups: profile
            .groups
            .iter()
            .map(|(each, sums)| group(each.word(), sums))
            .collect(),
        compiling: profile.compiling.map(compiling),
        loaded_before: profile.loaded_before,
        processes: profile.path_processes,
        modules: profile.modules.iter().map(module).collect(),
    }
}

fn group(name: &'static str, sums: &GroupProfile) -> JsonGroup {
    JsonGroup {
        group: name,
        modules: sums.modules,
        own_ms: rounded(sums.own_ms),
        phases_ms: phases(&sums.phases_ms),
    }
}

fn compiling(compiling: Compiling) -> JsonCompiling {
    JsonCompiling {
        modules: compiling.modules,
        lines: compiling.lines,
        ms: rounded(compiling.ms),
        ms_per_1000_lines: rounded(compiling.ms_per_1000_lines()),
    }
}

fn module(module: &ModuleProfile) -> JsonModule<'_> {
    JsonModule {
        name: &module.name,
        place: module.place.name(),
        group: module.group.word(),
        loader: module.loader.name(),
        file: Some(module.file.as_str()).filter(|file| !file.is_empty()),
        launches: module.launches,
        begin_ms: rounded(module.begin_ms),
        inclusive_ms: rounded(module.inclusive_ms),
        own_ms: rounded(module.own_ms),
        phases_ms: phases(&module.phases_ms),
        lines: module.lines,
    }
}

fn difference(difference: &Difference) -> JsonDifference<'_> {
    JsonDifference {
        scenario: &difference.scenario,
        against: &difference.against,
        shift_ms: difference.shift_ms.as_ref().map(estimate),
        ratio: difference.ratio.as_ref().map(estimate),
        parts_ms: parts(&difference.parts_ms),
        modules: difference.modules.iter().map(change).collect(),
    }
}

fn change(module: &ModuleDifference) -> JsonChange<'_> {
    JsonChange {
        name: &module.name,
        place: module.place.name(),
        group: module.group.word(),
        own_ms: rounded(module.own_ms()),
        phases_ms: phases(&module.phases_ms),
    }
}

fn estimate(estimate: &Estimate) -> JsonEstimate {
    JsonEstimate {
        estimate: rounded(estimate.estimate),
        low: estimate.interval.map(|interval| rounded(interval.low())),
        high: estimate.interval.map(|interval| rounded(interval.high())),
    }
}

fn parts(times: &[f64; Part::COUNT]) -> Times {
    named(Part::ALL.iter().map(|part| part.key()).zip(times))
}

fn phases(times: &[f64; Phase::COUNT]) -> Times {
    named(Phase::ALL.iter().map(|phase| phase.name()).zip(times))
}

fn named<'a>(times: impl Iterator<Item = (&'static str, &'a f64)>) -> Times {
    times
        .map(|(name, &time)| (name.to_owned(), rounded(time)))
        .filter(|(_, time)| *time != 0.0)
        .map(|(name, time)| (name, time.into()))
        .collect()
}

/// To a tenth of a microsecond, which is finer than anything here is known.
fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}
