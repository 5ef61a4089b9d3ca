//! May the figures be believed? Not when a condition did not hold, nor when the twin, which is
//! the baseline once more, differs from it by more than chance.

use std::collections::{BTreeMap, HashSet};

use super::model::{Contrast, Validity};
use super::words;
use crate::record::{Record, Role};

/// Below this the twin's difference is no chance: one run in a thousand would show it.
pub const TWIN_P_VALUE: f64 = 0.001;

/// Sentences that are shown; the rest is counted.
const MOST_SENTENCES: usize = 5;

/// The verdict on the record as a whole.
pub fn validity(record: &Record, noise_floor: &[Contrast]) -> Validity {
    let mut sentences: Vec<String> = noise_floor.iter().filter_map(failed_twin).collect();
    sentences.extend(violations(record));
    if sentences.is_empty() {
        return Validity::Valid;
    }
    let more = sentences.len().saturating_sub(MOST_SENTENCES);
    if more > 0 {
        sentences.truncate(MOST_SENTENCES);
        sentences.push(format!("and {more} more"));
    }
    Validity::Invalid(sentences)
}

/// Each violation once, with how often it was seen, receipts first.
fn violations(record: &Record) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for line in &record.receipts {
        for violation in &line.violations {
            let sentence = format!(
                "{}: {violation} (seen in an untimed {} launch)",
                line.scenario, line.launch
            );
            if known.insert(sentence.clone()) {
                sentences.push(sentence);
            }
        }
    }
    // A condition that never held is violated at each of a million launches: one sentence.
    let mut seen: BTreeMap<(usize, Role, &str), (u32, u64)> = BTreeMap::new();
    for launch in &record.launches {
        for violation in &launch.violations {
            let key = (launch.arm.scenario, launch.arm.role, violation.as_str());
            seen.entry(key).or_insert((launch.block, 0)).1 += 1;
        }
    }
    for ((scenario, role, violation), (block, times)) in seen {
        let name = name(record, scenario, role);
        let launches = words::count(times, "launch", "launches");
        sentences.push(format!(
            "{name}: {violation} ({launches}, first in block {block})"
        ));
    }
    sentences
}

/// The scenario's name, or "warm's twin".
pub fn name(record: &Record, scenario: usize, role: Role) -> String {
    let scenarios = &record.suite.scenarios;
    let name = scenarios.get(scenario).map_or("", |s| s.name.as_str());
    match role {
        Role::Itself => name.to_owned(),
        Role::Twin => format!("{name}'s twin"),
    }
}

fn failed_twin(twin: &Contrast) -> Option<String> {
    (twin.p_value < TWIN_P_VALUE).then(|| {
        format!(
            "the twin of {name}, the same scenario launched again in every block, takes {} than it \
             ({}; p = {}): what should be noise is not, so an effect of that size means nothing \
             here; look for what one launch leaves behind for the next",
            words::shift(&twin.shift_ms),
            twin.metric,
            words::p_value(twin.p_value),
            name = twin.baseline,
        )
    })
}

/// A twin whose interval leaves zero out, but not by more than chance does.
pub fn doubtful_twin(twin: &Contrast) -> Option<String> {
    let interval = twin.shift_ms.interval?;
    (twin.p_value >= TWIN_P_VALUE && !interval.contains(0.0)).then(|| {
        format!(
            "the twin of {name} takes {} than it ({}; p = {}): chance does that in one run of \
             twenty; if it happens again, look for what one launch leaves behind for the next",
            words::shift(&twin.shift_ms),
            twin.metric,
            words::p_value(twin.p_value),
            name = twin.baseline,
        )
    })
}
