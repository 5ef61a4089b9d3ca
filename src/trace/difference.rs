//! Two scenarios that were launched in the same blocks, module by module: what the one takes longer than
//! the other. Differences are taken within blocks, and the median over the blocks is given.

use std::collections::BTreeSet;
use std::time::Duration;

use super::account::Account;
use super::measure::Traces;
use super::modules::{Module, Place};
use super::ms;
use super::part::{Group, Part, Phase};
use crate::stats::describe::median;
use crate::stats::hodges_lehmann;
use crate::stats::interval::{Estimate, Level};

/// What a module takes longer, in milliseconds; negative if it takes less.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleDifference {
    pub name: String,
    pub place: Place,
    pub group: Group,
    /// Medians by [`Phase`].
    pub phases_ms: [f64; Phase::COUNT],
}

impl ModuleDifference {
    /// All of its phases.
    pub fn own_ms(&self) -> f64 {
        self.phases_ms.iter().sum()
    }

    /// The phase that changed most.
    pub fn most(&self) -> (Phase, f64) {
        let mut most = (Phase::Execute, 0.0);
        for phase in Phase::ALL {
            let change: f64 = self.phases_ms[phase as usize];
            if change.abs() > f64::abs(most.1) {
                most = (phase, change);
            }
        }
        most
    }
}

/// What a scenario takes longer than another, in milliseconds.
#[derive(Debug, Clone)]
pub struct Difference {
    pub scenario: String,
    pub against: String,
    /// Of the launches that were not traced.
    pub shift_ms: Option<Estimate>,
    pub ratio: Option<Estimate>,
    /// Of the traced launches: medians by [`Part`].
    pub parts_ms: [f64; Part::COUNT],
    /// The greatest change first; equals by name. Those that did not change are left out.
    pub modules: Vec<ModuleDifference>,
}

impl Difference {
    /// Compares a scenario with another of the same blocks.
    pub fn of((scenario, ours): (&str, &Traces), (against, theirs): (&str, &Traces)) -> Self {
        let pairs: Vec<_> = ours.pairs.iter().zip(&theirs.pairs).collect();
        let times: Vec<(f64, f64)> = pairs
            .iter()
            .map(|(ours, theirs)| (ms(theirs.untraced), ms(ours.untraced)))
            .collect();
        let shifts: Vec<f64> = times.iter().map(|(theirs, ours)| ours - theirs).collect();
        let accounts: Vec<(&Account, &Account)> = pairs
            .iter()
            .map(|(ours, theirs)| (&ours.traced, &theirs.traced))
            .collect();
        let parts_ms =
            Part::ALL.map(|part| change(&accounts, |account| account.parts[part.index()]));
        Self {
            scenario: scenario.to_owned(),
            against: against.to_owned(),
            shift_ms: hodges_lehmann::estimate(&shifts, Level::P95),
            ratio: hodges_lehmann::ratio(&times, Level::P95),
            parts_ms,
            modules: modules(&accounts),
        }
    }
}

/// The median of the differences within blocks.
fn change(accounts: &[(&Account, &Account)], of: impl Fn(&Account) -> Duration) -> f64 {
    let changes: Vec<f64> = accounts
        .iter()
        .map(|(ours, theirs)| ms(of(ours)) - ms(of(theirs)))
        .collect();
    median(&changes).unwrap_or(0.0)
}

fn modules(accounts: &[(&Account, &Account)]) -> Vec<ModuleDifference> {
    let keys: BTreeSet<&(Place, String)> = accounts
        .iter()
        .flat_map(|(ours, theirs)| ours.modules.keys().chain(theirs.modules.keys()))
        .collect();
    let mut all: Vec<ModuleDifference> = keys
        .into_iter()
        .filter_map(|key| {
            let known = accounts
                .iter()
                .find_map(|(ours, theirs)| ours.modules.get(key).or(theirs.modules.get(key)))?;
            let of = |account: &Account, phase: Phase| {
                let module: Option<&Module> = account.modules.get(key);
                module.map_or(Duration::ZERO, |module| module.phases[phase as usize])
            };
            Some(ModuleDifference {
                name: key.1.clone(),
                place: key.0,
                group: known.group,
                phases_ms: Phase::ALL.map(|phase| change(accounts, |account| of(account, phase))),
            })
        })
        .filter(|module| module.phases_ms.iter().any(|change| *change != 0.0))
        .collect();
    all.sort_by(|a, b| {
        let by_change = b.own_ms().abs().total_cmp(&a.own_ms().abs());
        by_change.then_with(|| (a.place, &a.name).cmp(&(b.place, &b.name)))
    });
    all
}

#[cfg(test)]
mod tests {
    use super::super::measure::Pair;
    use super::super::profile::tests::launch;
    use super::*;

    fn traces(compile: &[u64]) -> Traces {
        let pairs = compile.iter().map(|&compile| {
            let traced = launch(compile);
            Pair {
                untraced: traced.total,
                traced,
            }
        });
        Traces {
            pairs: pairs.collect(),
        }
    }

    #[test]
    fn what_changed_is_given_for_each_part_and_module() {
        let slow = traces(&[500, 700, 600, 650, 500, 520]);
        let fast = traces(&[100, 300, 200, 250, 100, 120]);
        let difference = Difference::of(("cold", &slow), ("warm", &fast));
        assert!((difference.shift_ms.unwrap().estimate - 0.4).abs() < 1e-9);
        assert!(difference.ratio.unwrap().estimate > 1.0);
        let compile = difference.parts_ms[Part::Module(Phase::Compile).index()];
        assert!((compile - 0.4).abs() < 1e-9);
        assert_eq!(difference.modules.len(), 1);
        let module = &difference.modules[0];
        assert_eq!(
            (module.name.as_str(), module.most().0),
            ("m", Phase::Compile)
        );
    }
}
