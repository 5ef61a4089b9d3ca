//! Which CPUs coldsnake and the launched processes run on.
//!
//! While a launch runs, coldsnake waits for it, reads its pipes and tries its port. On the launch's
//! own CPU that takes time away from it, and moves it elsewhere. So the two are kept apart where
//! that takes nothing from the app (sched_setaffinity(2)): an app that starts workers or threads
//! must find at least two cores, as where it is deployed.

use std::io;
use std::str::FromStr;

use nix::errno::Errno;
use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
use thiserror::Error;

use crate::record::Cpus;
use crate::record::format::Affinity as Recorded;

/// With fewer cores than this, keeping one for coldsnake would leave the app only one.
const FEWEST_CORES: usize = 3;

/// What the user wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Choice {
    /// Apart where there are cores enough.
    #[default]
    Automatic,
    /// Where the kernel puts them.
    Anywhere,
    /// Just so. Without CPUs for coldsnake it takes those that are left, if there are any.
    Fixed {
        harness: Option<Cpus>,
        children: Cpus,
    },
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let cpus = |text: &str| {
            text.parse::<Cpus>().map_err(|error| {
                format!(
                    "{error}\n  give auto, none, the app's CPUs, or coldsnake's and the app's, \
                     such as 0:1-3"
                )
            })
        };
        Ok(match (text, text.split_once(':')) {
            ("auto", _) => Self::Automatic,
            ("none", _) => Self::Anywhere,
            (_, Some((harness, children))) => Self::Fixed {
                harness: Some(cpus(harness)?),
                children: cpus(children)?,
            },
            (children, None) => Self::Fixed {
                harness: None,
                children: cpus(children)?,
            },
        })
    }
}

/// A choice that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum AffinityError {
    #[error("--affinity names CPU {cpus}, which coldsnake may not use; it may use {allowed}")]
    NotAllowed { cpus: Cpus, allowed: Cpus },
    #[error("--affinity: the CPUs that coldsnake may use cannot be told: {0}")]
    Unknown(String),
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affinity {
    /// What coldsnake may use while it measures.
    harness: Cpus,
    /// What launched processes may use.
    children: Cpus,
    /// What both may use otherwise.
    allowed: Cpus,
    why: String,
}

impl Affinity {
    /// Decides by what this thread may use, and by which CPUs are threads of one core.
    ///
    /// # Errors
    /// When the user names a CPU that does not exist or is not allowed.
    pub fn decide(choice: &Choice, cores: &[Cpus]) -> Result<Self, AffinityError> {
        match allowed() {
            Ok(allowed) => Self::among(choice, &allowed, cores),
            // More CPUs than `cpu_set_t` holds, or a sandbox. By itself coldsnake pins nothing then.
            Err(error) => match choice {
                Choice::Fixed { .. } => Err(AffinityError::Unknown(error.to_string())),
                Choice::Automatic | Choice::Anywhere => Ok(Self {
                    harness: Cpus::default(),
                    children: Cpus::default(),
                    allowed: Cpus::default(),
                    why: format!("the CPUs that may be used cannot be told: {error}"),
                }),
            },
        }
    }

    fn among(choice: &Choice, allowed: &Cpus, cores: &[Cpus]) -> Result<Self, AffinityError> {
        let with = |harness: Cpus, children: Cpus, why: &str| Self {
            harness,
            children,
            allowed: allowed.clone(),
            why: why.to_owned(),
        };
        let together = |why: &str| with(allowed.clone(), allowed.clone(), why);
        Ok(match choice {
            Choice::Anywhere => together("asked for by --affinity none"),
            Choice::Fixed { harness, children } => {
                for named in harness.iter().chain([children]) {
                    let cpus = named.without(allowed);
                    if !cpus.is_empty() {
                        let allowed = allowed.clone();
                        return Err(AffinityError::NotAllowed { cpus, allowed });
                    }
                }
                let left = allowed.without(children);
                let left = if left.is_empty() {
                    allowed.clone()
                } else {
                    left
                };
                let harness = harness.clone().unwrap_or(left);
                with(harness, children.clone(), "asked for by --affinity")
            }
            Choice::Automatic => {
                let usable = usable_cores(allowed, cores);
                match usable.first() {
                    Some(first) if usable.len() >= FEWEST_CORES => with(
                        first.iter().take(1).collect(),
                        // Its other threads stay idle: they share what the core can do.
                        allowed.without(first),
                        "coldsnake has a core of its own",
                    ),
                    _ => together(
                        "fewer than three cores: with one of them for coldsnake, the app would \
                         have only one",
                    ),
                }
            }
        })
    }

    /// What launched processes are to be pinned to; nothing where they would run there anyway. They
    /// inherit what this thread is pinned to.
    pub(super) fn for_children(&self) -> Option<CpuSet> {
        let inherited = self.harness == self.allowed && self.children == self.allowed;
        (!inherited).then(|| set_of(&self.children))
    }

    /// Pins this thread, until the result is dropped.
    ///
    /// # Errors
    /// When the kernel refuses: the CPUs were taken away since they were looked at.
    pub fn pin(&self) -> io::Result<Pinned> {
        if self.harness == self.allowed {
            return Ok(Pinned { before: None });
        }
        sched_setaffinity(Pid::from_raw(0), &set_of(&self.harness))?;
        Ok(Pinned {
            before: Some(set_of(&self.allowed)),
        })
    }

    /// What the record says of it.
    pub fn recorded(&self) -> Recorded {
        Recorded {
            harness: self.harness.to_string(),
            children: self.children.to_string(),
            why: self.why.clone(),
        }
    }
}

/// While it exists, this thread runs on the harness's CPUs only.
#[derive(Debug)]
#[must_use = "the thread is free again when this is dropped"]
pub struct Pinned {
    before: Option<CpuSet>,
}

impl Drop for Pinned {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            // What follows is no measuring, and as well done on one CPU.
            let _ = sched_setaffinity(Pid::from_raw(0), before);
        }
    }
}

/// The cores of the CPUs that may be used, by their lowest CPU. Of a CPU of which no core is known
/// it is taken that it has one of its own.
fn usable_cores(allowed: &Cpus, cores: &[Cpus]) -> Vec<Cpus> {
    let core_of = |cpu: u32| {
        cores.iter().find(|core| core.contains(cpu)).map_or_else(
            || [cpu].into_iter().collect(),
            |core| core.shared_with(allowed),
        )
    };
    let mut usable: Vec<Cpus> = allowed.iter().map(core_of).collect();
    usable.sort();
    usable.dedup();
    usable
}

/// What this thread may use.
fn allowed() -> Result<Cpus, Errno> {
    let set = sched_getaffinity(Pid::from_raw(0))?;
    let cpus = 0..CpuSet::count();
    Ok(cpus
        .filter(|cpu| set.is_set(*cpu).unwrap_or(false))
        .filter_map(|cpu| u32::try_from(cpu).ok())
        .collect())
}

fn set_of(cpus: &Cpus) -> CpuSet {
    let mut set = CpuSet::new();
    for cpu in cpus.iter() {
        // Numbers beyond the set's size are not parsed, nor given by the kernel.
        let _ = set.set(cpu as usize);
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cpus(text: &str) -> Cpus {
        text.parse().unwrap()
    }

    fn decided(choice: &str, allowed: &str, cores: &[&str]) -> Result<(String, String), String> {
        let cores: Vec<Cpus> = cores.iter().map(|text| cpus(text)).collect();
        let choice = choice.parse().unwrap();
        Affinity::among(&choice, &cpus(allowed), &cores)
            .map(|affinity| affinity.recorded())
            .map(|recorded| (recorded.harness, recorded.children))
            .map_err(|error| error.to_string())
    }

    fn pair(harness: &str, children: &str) -> Result<(String, String), String> {
        Ok((harness.to_owned(), children.to_owned()))
    }

    #[test]
    fn with_three_cores_or_more_one_is_coldsnakes_own() {
        assert_eq!(decided("auto", "0-3", &[]), pair("0", "1-3"));
        assert_eq!(decided("auto", "2,5,7", &["2", "5", "7"]), pair("2", "5,7"));
        assert_eq!(
            decided("auto", "0-7", &["0,4", "1,5", "2,6", "3,7"]),
            pair("0", "1-3,5-7")
        );
    }

    #[test]
    fn with_fewer_cores_nothing_is_taken_from_the_app() {
        assert_eq!(decided("auto", "0", &["0"]), pair("0", "0"));
        assert_eq!(decided("auto", "0-1", &["0", "1"]), pair("0-1", "0-1"));
        // Four CPUs, but two cores.
        assert_eq!(decided("auto", "0-3", &["0-1", "2-3"]), pair("0-3", "0-3"));
    }

    #[test]
    fn what_is_asked_for_is_taken() {
        assert_eq!(decided("none", "0-7", &[]), pair("0-7", "0-7"));
        assert_eq!(decided("0:1", "0-3", &[]), pair("0", "1"));
        assert_eq!(decided("2-3", "0-3", &[]), pair("0-1", "2-3"));
        assert_eq!(decided("0-1", "0-1", &[]), pair("0-1", "0-1"));
    }

    #[test]
    fn a_cpu_that_is_not_there_is_refused_with_those_that_are() {
        let refused = decided("0:9", "0-1", &[]).unwrap_err();
        assert!(refused.contains("CPU 9"), "{refused}");
        assert!(refused.contains("it may use 0-1"), "{refused}");
        assert!(decided("7:1", "0-1", &[]).is_err());
    }

    #[test]
    fn what_is_no_choice_is_refused() {
        for text in ["", ":", "0:", ":1", "Auto", "0:1:2", "all"] {
            assert!(text.parse::<Choice>().is_err(), "{text}");
        }
    }
}
