//! Several interpreters over one tree: each leaves pycs under its own tag.
//!
//! Each is launched over a tree of its own, so that it finds the state that its scenario promises.
//! A pyc's name is made of the module's and the interpreter's tag, so what they leave in one tree is
//! the union of the names.

use std::collections::{BTreeMap, BTreeSet};

use super::super::receipts::receipts_of;
use super::counts::condition;
use super::{Condition, Outcome};
use crate::record::Record;
use crate::suite::Evidence;

/// The condition on pycs of each module, if the claim has one.
pub(super) fn condition_across(
    evidence: &Evidence,
    record: &Record,
    scenario: &str,
) -> Option<Condition> {
    const WHAT: &str = "pycs of each module of the app";
    let wanted = evidence.pycs_per_module?;
    let scenarios = record.suite.across_interpreters(scenario);
    let mut tags: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for scenario in &scenarios {
        let (_, lines) = receipts_of(record, &scenario.name);
        for line in lines {
            let Some(tag) = line.cache_tag.as_deref() else {
                continue;
            };
            let there = line.modules.iter().filter(|module| {
                let lies = module.code == "read" || module.write.as_deref() == Some("written");
                module.origin == "app" && lies
            });
            let names = there.map(|module| module.name.as_str());
            tags.entry(tag).or_default().extend(names);
        }
    }
    let modules: BTreeSet<&str> = tags.values().flatten().copied().collect();
    let each: Vec<i128> = modules
        .iter()
        .map(|module| tags.values().filter(|names| names.contains(module)).count() as i128)
        .collect();
    let mut found = condition(wanted, WHAT, &each);
    if !each.is_empty() {
        let of_tags: Vec<String> = tags
            .iter()
            .map(|(tag, names)| format!("{} {tag}", names.len()))
            .collect();
        found.measured += &format!(
            " ({} in all: {})",
            each.iter().sum::<i128>(),
            of_tags.join(", ")
        );
    }
    if let [_] = scenarios[..] {
        let tag = tags.keys().next().copied().unwrap_or("one");
        found.outcome = Outcome::Open(format!(
            "measured under {tag} only: needs another interpreter in the run (--python A --python B)"
        ));
    }
    Some(found)
}
