//! What about a machine makes its figures noisy before anything is launched: as advice while
//! something can be done about it, and as a warning in the report.

use super::words;
use crate::record::Cpus;
use crate::record::Sitting;
use crate::record::format::{Affinity, Host};

/// Of the machine's time; more than this is another guest's doing and worth knowing.
pub(super) const MOST_STEAL: f64 = 0.02;
/// The governor that asks for the same speed at all times (Documentation/admin-guide/pm/cpufreq.rst).
const STEADY_GOVERNOR: &str = "performance";
/// Governors under which somebody else decides, not always to the worse.
const SOMEBODY_ELSES: &str = "userspace";

/// One thing that disturbs.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Busy { load: f64, cpus: u32 },
    Steal { share: f64 },
    Governor { name: String },
    Turbo,
    Battery,
    Tracer { name: String },
    OtherRuns { pids: Vec<u32> },
    SharedCore { harness: String, children: String },
}

/// What disturbs on this machine, by how much one can do about it.
pub fn conditions(host: &Host, affinity: Option<&Affinity>) -> Vec<Condition> {
    let mut all = Vec::new();
    // The load is the whole machine's; `cpus` may be a part of it.
    let cpus = host.all_cpus();
    if host.load_1min > f64::from(cpus) {
        let load = host.load_1min;
        all.push(Condition::Busy { load, cpus });
    }
    if !host.other_runs.is_empty() {
        let pids = host.other_runs.clone();
        all.push(Condition::OtherRuns { pids });
    }
    if let Some(name) = host.traced_by.clone() {
        all.push(Condition::Tracer { name });
    }
    if host.power.as_deref() == Some("battery") {
        all.push(Condition::Battery);
    }
    let governor = host.governor.clone();
    if let Some(name) = governor.filter(|name| name != STEADY_GOVERNOR && name != SOMEBODY_ELSES) {
        all.push(Condition::Governor { name });
    }
    if host.turbo.as_deref() == Some("on") {
        all.push(Condition::Turbo);
    }
    if let Some(share) = host.steal_before.filter(|share| *share > MOST_STEAL) {
        all.push(Condition::Steal { share });
    }
    all.extend(affinity.and_then(|affinity| shared_core(host, affinity)));
    all
}

/// Those of a sitting.
pub(super) fn warnings(sitting: &Sitting) -> impl Iterator<Item = String> {
    let all = conditions(sitting.host, sitting.affinity);
    all.into_iter().map(|condition| condition.warning())
}

/// Are CPUs that were meant to be apart threads of one core?
fn shared_core(host: &Host, affinity: &Affinity) -> Option<Condition> {
    let (harness, children): (Cpus, Cpus) = (
        affinity.harness.parse().ok()?,
        affinity.children.parse().ok()?,
    );
    if !harness.shared_with(&children).is_empty() {
        return None;
    }
    let cores = host.siblings.iter().filter_map(|core| core.parse().ok());
    let shared = |core: &Cpus| {
        !core.shared_with(&harness).is_empty() && !core.shared_with(&children).is_empty()
    };
    cores
        .into_iter()
        .any(|core| shared(&core))
        .then(|| Condition::SharedCore {
            harness: affinity.harness.clone(),
            children: affinity.children.clone(),
        })
}

impl Condition {
    /// What is so and what to do about it, in one short line.
    pub fn advice(&self) -> String {
        match self {
            Self::Busy { load, cpus } => format!(
                "the machine is busy (load {} on {}): stop what else runs, or give a longer --budget",
                words::significant(*load),
                words::count((*cpus).into(), "CPU", "CPUs")
            ),
            Self::Steal { share } => format!(
                "the hypervisor gives {} of the machine's time to others (steal): another hour may \
                 be quieter",
                words::percent(*share)
            ),
            Self::Governor { name } => format!(
                "the CPU's frequency governor is {name}: `cpupower frequency-set -g performance` \
                 keeps its speed the same"
            ),
            Self::Turbo => "turbo is on, so the speed depends on heat and on other cores: see \
                 intel_pstate/no_turbo or cpufreq/boost below /sys/devices/system/cpu"
                .to_owned(),
            Self::Battery => {
                "the machine runs on battery, which slows it down: plug it in".to_owned()
            }
            Self::Tracer { name } => {
                format!(
                    "coldsnake is traced by {name}, which slows down every launch: run it without"
                )
            }
            Self::OtherRuns { pids } => format!(
                "{} measuring ({}), and both disturb each other: let one end first",
                another(pids),
                ids(pids)
            ),
            Self::SharedCore { harness, children } => format!(
                "coldsnake (CPU {harness}) and the app (CPU {children}) share a core: give \
                 --affinity CPUs of different cores"
            ),
        }
    }

    /// What was so and what it means for the figures.
    fn warning(&self) -> String {
        match self {
            Self::Busy { load, cpus } => format!(
                "the machine was busy when the run started: load {} on {}",
                words::significant(*load),
                words::count((*cpus).into(), "CPU", "CPUs")
            ),
            Self::Steal { share } => format!(
                "the hypervisor gave {} of the machine's time to others before the launches began \
                 (steal)",
                words::percent(*share)
            ),
            Self::Governor { name } => format!(
                "the CPU's frequency governor was {name}: its speed changed with what was asked of \
                 it"
            ),
            Self::Turbo => {
                "turbo was on: the CPU's speed depended on its heat and on what other cores did"
                    .to_owned()
            }
            Self::Battery => {
                "the machine ran on battery: it may have been slower than it is otherwise"
                    .to_owned()
            }
            Self::Tracer { name } => {
                format!("coldsnake was traced by {name}: launches take longer than without it")
            }
            Self::OtherRuns { pids } => format!(
                "{} running on the machine when the run started: the two disturbed each other",
                if pids.len() == 1 {
                    "another coldsnake was".to_owned()
                } else {
                    format!("{} other coldsnakes were", pids.len())
                }
            ),
            Self::SharedCore { harness, children } => format!(
                "coldsnake (CPU {harness}) and the app (CPU {children}) shared a core, so they were \
                 not quite apart"
            ),
        }
    }
}

fn another(pids: &[u32]) -> String {
    match pids.len() {
        1 => "another coldsnake is".to_owned(),
        several => format!("{several} other coldsnakes are"),
    }
}

/// "pid 4711", "pids 4711 and 4712".
fn ids(pids: &[u32]) -> String {
    /// Ids that are named.
    const MOST_IDS: usize = 4;
    let word = if pids.len() == 1 { "pid" } else { "pids" };
    let pids: Vec<String> = pids.iter().map(u32::to_string).collect();
    format!("{word} {}", words::list(&pids, MOST_IDS))
}
