//! A scenario's traced launches as one picture: medians of what each part and each module took, beside
//! the times of the launches that were not traced.
//!
//! A launch that was slow as a whole was slow in each of its parts, so each launch is first scaled to the
//! median of the launches. Medians are then taken part by part and phase by phase, so they need not add up
//! to the median of the whole; their sum is given. A module that a launch did not load took nothing there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::account::{Account, Ending};
use super::measure::Traces;
use super::modules::{Module, Place};
use super::ms;
use super::part::{Group, Loader, Part, Phase};
use crate::stats::describe::{median, quantile};
use crate::stats::hodges_lehmann;
use crate::stats::interval::{Estimate, Level};

/// What a module took, over the traced launches.
#[derive(Debug, Clone, PartialEq)]
pub struct ModuleProfile {
    pub name: String,
    pub place: Place,
    pub group: Group,
    pub loader: Loader,
    /// Below the folder that its group's modules lie in; empty if it has no file.
    pub file: String,
    /// Traced launches that loaded it, or tried to.
    pub launches: usize,
    /// Medians, in milliseconds, by [`Phase`], without what other modules took meanwhile.
    pub phases_ms: [f64; Phase::COUNT],
    /// All phases together: the median, in milliseconds.
    pub own_ms: f64,
    /// With what other modules took: the median, in milliseconds.
    pub inclusive_ms: f64,
    /// Lines that were compiled: the median.
    pub lines: f64,
    /// From the spawn until it was first looked for: the median, in milliseconds.
    pub begin_ms: f64,
}

impl ModuleProfile {
    /// The phase that took most.
    pub fn most(&self) -> (Phase, f64) {
        let mut most = (Phase::Execute, 0.0);
        for phase in Phase::ALL {
            let time = self.phases_ms[phase as usize];
            if time > most.1 {
                most = (phase, time);
            }
        }
        most
    }
}

/// A scenario's launches.
#[derive(Debug, Clone)]
pub struct Profile {
    pub scenario: String,
    /// As "cpython 3.11.2".
    pub interpreter: String,
    pub ending: Ending,
    /// Launches of each kind; as many were traced as were not.
    pub blocks: usize,
    /// Of the launches that were not traced, in milliseconds: what a start takes.
    pub untraced_ms: f64,
    /// Their 10th and 90th percentiles.
    pub untraced_range_ms: (f64, f64),
    /// The median of the traced launches, in milliseconds: what the parts are parts of.
    pub traced_ms: f64,
    /// How many times as long a traced launch takes.
    pub overhead: Option<Estimate>,
    /// Medians, in milliseconds, by [`Part`].
    pub parts_ms: [f64; Part::COUNT],
    /// What the parts of a launch sum to, as a share of that launch: the least over the launches.
    pub accounted: f64,
    /// The most own time first; equals by name.
    pub modules: Vec<ModuleProfile>,
    /// The modules of the path, by whose they are.
    pub groups: BTreeMap<Group, GroupProfile>,
    /// What was compiled on the path; `None` if nothing was.
    pub compiling: Option<Compiling>,
    /// Modules that were there before the hook: the median.
    pub loaded_before: f64,
    /// Processes on the path: the median.
    pub path_processes: f64,
    /// The launch whose time is nearest to the median, for pictures.
    pub typical: Account,
}

/// The median of numbers of which there is at least one and none is not a number.
fn median_of(values: impl IntoIterator<Item = f64>) -> f64 {
    let values: Vec<f64> = values.into_iter().collect();
    median(&values).unwrap_or(0.0)
}

impl Profile {
    /// The picture of a scenario; `None` without a launch.
    pub fn of(
        scenario: &str,
        interpreter: String,
        ending: Ending,
        traces: &Traces,
    ) -> Option<Self> {
        let untraced: Vec<f64> = traces.pairs.iter().map(|pair| ms(pair.untraced)).collect();
        let accounts: Vec<&Account> = traces.pairs.iter().map(|pair| &pair.traced).collect();
        let traced_ms = median_of(accounts.iter().map(|account| ms(account.total)));
        let typical = accounts
            .iter()
            .min_by(|a, b| {
                let apart = |account: &Account| (ms(account.total) - traced_ms).abs();
                apart(a).total_cmp(&apart(b))
            })
            .copied()?;
        let pairs: Vec<(f64, f64)> = untraced
            .iter()
            .zip(&accounts)
            .map(|(&untraced, account)| (untraced, ms(account.total)))
            .collect();
        let median_launch = Duration::try_from_secs_f64(traced_ms / 1e3).ok()?;
        let scaled: Vec<Account> = accounts
            .iter()
            .map(|account| account.scaled_to(median_launch))
            .collect();
        let parts_ms = Part::ALL
            .map(|part| median_of(scaled.iter().map(|account| ms(account.parts[part.index()]))));
        Some(Self {
            scenario: scenario.to_owned(),
            interpreter,
            ending,
            blocks: accounts.len(),
            untraced_ms: median_of(untraced.iter().copied()),
            untraced_range_ms: (quantile(&untraced, 0.1)?, quantile(&untraced, 0.9)?),
            traced_ms,
            overhead: hodges_lehmann::ratio(&pairs, Level::P95),
            parts_ms,
            accounted: accounts
                .iter()
                .map(|account| account.accounted())
                .fold(f64::INFINITY, f64::min),
            modules: modules(&scaled),
            groups: groups(&scaled),
            compiling: compiling(&scaled),
            loaded_before: median_of(accounts.iter().map(|account| account.loaded_before as f64)),
            path_processes: median_of(accounts.iter().map(|account| account.path_processes as f64)),
            typical: typical.clone(),
        })
    }

    /// A part's median, in milliseconds.
    pub fn part_ms(&self, part: Part) -> f64 {
        self.parts_ms[part.index()]
    }

    /// What the medians of the parts sum to, in milliseconds.
    pub fn sum_ms(&self) -> f64 {
        self.parts_ms.iter().sum()
    }

    /// A part as a share of the traced launch.
    pub fn share(&self, part: Part) -> f64 {
        self.part_ms(part) / self.traced_ms.max(f64::MIN_POSITIVE)
    }

    /// The modules of the path, or those beside it.
    pub fn modules_at(&self, place: Place) -> impl Iterator<Item = &ModuleProfile> {
        self.modules
            .iter()
            .filter(move |module| module.place == place)
    }

    /// Modules of the path in which a phase happened.
    pub fn modules_in(&self, phase: Phase) -> usize {
        self.modules_at(Place::Path)
            .filter(|module| module.phases_ms[phase as usize] > 0.0)
            .count()
    }
}

/// What compiling took: medians.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Compiling {
    pub modules: f64,
    pub lines: f64,
    pub ms: f64,
}

impl Compiling {
    /// Milliseconds for each 1,000 lines.
    pub fn ms_per_1000_lines(&self) -> f64 {
        self.ms / (self.lines / 1e3).max(f64::MIN_POSITIVE)
    }
}

/// Every module that any of the launches had.
fn modules(accounts: &[Account]) -> Vec<ModuleProfile> {
    let keys: BTreeSet<&(Place, String)> = accounts
        .iter()
        .flat_map(|account| account.modules.keys())
        .collect();
    let mut all: Vec<ModuleProfile> = keys
        .into_iter()
        .filter_map(|key| {
            let seen: Vec<_> = accounts
                .iter()
                .map(|account| account.modules.get(key))
                .collect();
            let known = seen.iter().copied().flatten().next()?;
            let time = |of: &dyn Fn(&Module) -> Duration| {
                median_of(
                    seen.iter()
                        .map(|module| module.map_or(0.0, |each| ms(of(each)))),
                )
            };
            let there = || seen.iter().copied().flatten();
            Some(ModuleProfile {
                name: key.1.clone(),
                place: key.0,
                group: known.group,
                loader: known.loader,
                file: known.file.clone(),
                launches: there().count(),
                phases_ms: Phase::ALL.map(|phase| time(&|module| module.phases[phase as usize])),
                own_ms: time(&|module| module.own()),
                inclusive_ms: time(&|module| module.inclusive),
                lines: median_of(seen.iter().map(|m| m.map_or(0.0, |each| each.lines as f64))),
                begin_ms: median_of(there().map(|module| ms(module.begin))),
            })
        })
        .collect();
    all.sort_by(|a, b| {
        let by_time = b.own_ms.total_cmp(&a.own_ms);
        by_time.then_with(|| (a.place, &a.name).cmp(&(b.place, &b.name)))
    });
    all
}

/// Each launch's sums over the modules of a group that lie on the path; of these the medians.
fn groups(accounts: &[Account]) -> BTreeMap<Group, GroupProfile> {
    let in_group = |account: &'_ Account, group: Group| -> Vec<Module> {
        let modules = account.modules.iter();
        modules
            .filter(|((place, _), module)| *place == Place::Path && module.group == group)
            .map(|(_, module)| module.clone())
            .collect()
    };
    let mut all = BTreeMap::new();
    for group in Group::ALL {
        let launches: Vec<Vec<Module>> = accounts
            .iter()
            .map(|account| in_group(account, group))
            .collect();
        let sum = |of: &dyn Fn(&Module) -> Duration| {
            let sums = launches.iter().map(|modules| modules.iter().map(of).sum());
            median_of(sums.map(ms))
        };
        let profile = GroupProfile {
            modules: median_of(launches.iter().map(|modules| modules.len() as f64)),
            own_ms: sum(&Module::own),
            phases_ms: Phase::ALL.map(|phase| sum(&|module| module.phases[phase as usize])),
        };
        if profile.modules > 0.0 {
            all.insert(group, profile);
        }
    }
    all
}

/// The modules of a group: medians.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroupProfile {
    pub modules: f64,
    /// All phases together, in milliseconds.
    pub own_ms: f64,
    pub phases_ms: [f64; Phase::COUNT],
}

fn compiling(accounts: &[Account]) -> Option<Compiling> {
    let compiled: Vec<Vec<&Module>> = accounts
        .iter()
        .map(|account| {
            let on_path = account.modules.iter();
            on_path
                .filter(|((place, _), _)| *place == Place::Path)
                .map(|(_, module)| module)
                .filter(|module| !module.phases[Phase::Compile as usize].is_zero())
                .collect()
        })
        .collect();
    let time = |modules: &Vec<&Module>| {
        let times = modules.iter().map(|m| m.phases[Phase::Compile as usize]);
        ms(times.sum())
    };
    let lines = |modules: &Vec<&Module>| modules.iter().map(|m| m.lines).sum::<u64>() as f64;
    let compiling = Compiling {
        modules: median_of(compiled.iter().map(|modules| modules.len() as f64)),
        lines: median_of(compiled.iter().map(lines)),
        ms: median_of(compiled.iter().map(time)),
    };
    (compiling.modules > 0.0).then_some(compiling)
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::account::{Horizon, account};
    use super::super::measure::Pair;
    use super::super::parse::parse;
    use super::*;

    /// A launch that compiles `m` for so long, in microseconds; `m` imports `n`.
    pub fn launch(compile: u64) -> Account {
        let at = |micros: u64| micros * 1000;
        let (a, b) = (at(1200), at(1200 + compile));
        let lines = format!(
            "process\t7\t1\t70\t{}\t30\nin\t7\t70\nfind\t{}\t{a}\tm\tSourceFileLoader\t/s/m.py\n\
             compile\t{a}\t{b}\tm\t500\nfind\t{b}\t{b}\tn\tBuiltinImporter\t\nimport\t{b}\t{}\tn\n\
             execute\t{b}\t{}\tm\nimport\t{}\t{}\tm\nend\t7\t{}\n",
            at(1000),
            at(1100),
            b + at(50),
            b + at(100),
            at(1100),
            b + at(100),
            b + at(200),
        );
        let log = parse(lines.as_bytes()).unwrap();
        let horizon = Horizon {
            spawned: Duration::ZERO,
            until: Duration::from_nanos(b + at(300)),
            ending: Ending::Exit,
        };
        account(&log, &horizon, &|file| (Group::App, file.to_owned())).unwrap()
    }

    /// Launches that compile for so long; each takes a tenth longer than one that is not traced.
    pub fn profile(scenario: &str, compile: &[u64]) -> Profile {
        let pairs = compile.iter().map(|&compile| {
            let traced = launch(compile);
            Pair {
                untraced: traced.total.mul_f64(1.0 / 1.1),
                traced,
            }
        });
        let traces = Traces {
            pairs: pairs.collect(),
        };
        Profile::of(scenario, "cpython 3.11.2".to_owned(), Ending::Exit, &traces).unwrap()
    }

    #[test]
    fn parts_and_modules_have_the_median_over_the_launches() {
        let profile = profile("cold", &[100, 900, 300, 200, 400, 300]);
        assert_eq!(profile.blocks, 6);
        let compile = Part::Module(Phase::Compile);
        assert!((profile.part_ms(compile) - 0.3).abs() < 1e-9);
        assert_eq!(profile.accounted, 1.0);
        let overhead = profile.overhead.unwrap();
        assert!((overhead.estimate - 1.1).abs() < 1e-6 && overhead.interval.is_some());
        let names: Vec<&str> = profile.modules.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["m", "n"]);
        let module = &profile.modules[0];
        assert_eq!(module.most().0, Phase::Compile);
        // n's 50 microseconds are a part of m, and not its own.
        assert!((module.inclusive_ms - module.own_ms - 0.05).abs() < 1e-9);
        assert!((profile.typical.total.as_secs_f64() * 1e3 - profile.traced_ms).abs() < 1e-9);
    }

    #[test]
    fn a_launch_that_was_slow_as_a_whole_changes_no_share() {
        let one = launch(300);
        let slow = one.scaled_to(3 * one.total);
        let pair = |traced: &Account| Pair {
            untraced: traced.total,
            traced: traced.clone(),
        };
        let traces = Traces {
            pairs: [&one, &slow, &slow, &one, &one].map(pair).to_vec(),
        };
        let mixed = Profile::of("cold", String::new(), Ending::Exit, &traces).unwrap();
        assert!((mixed.sum_ms() - mixed.traced_ms).abs() < 1e-5);
        assert!((mixed.part_ms(Part::Module(Phase::Compile)) - 0.3).abs() < 1e-5);
    }

    #[test]
    fn compiling_is_given_for_a_thousand_lines() {
        let compiling = profile("cold", &[300]).compiling.unwrap();
        assert_eq!((compiling.modules, compiling.lines), (1.0, 500.0));
        assert!((compiling.ms_per_1000_lines() - 0.6).abs() < 1e-9);
    }

    #[test]
    fn groups_sum_up_their_modules() {
        let profile = profile("cold", &[300]);
        let of = |group| profile.groups[&group].modules;
        assert_eq!((of(Group::App), of(Group::Stdlib)), (1.0, 1.0));
        let sum: f64 = profile.groups.values().map(|group| group.own_ms).sum();
        let phases = Phase::ALL.map(|phase| profile.part_ms(Part::Module(phase)));
        assert!((sum - phases.iter().sum::<f64>()).abs() < 1e-9);
    }

    #[test]
    fn without_a_launch_there_is_no_profile() {
        let none = Traces { pairs: Vec::new() };
        assert!(Profile::of("cold", String::new(), Ending::Exit, &none).is_none());
    }
}
