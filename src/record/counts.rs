//! Counts of instructions, and what the kernel's refusal to count means.

use std::fmt;

use super::convert::{kind_named, scenario_named};
use super::format::{CountLine, Counters};
use crate::suite::{LaunchKind, Suite};

/// Who counted instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CountSource {
    /// The machine's counters, by way of perf_event_open(2).
    Perf,
    /// Valgrind's tool cachegrind, which executes the program itself.
    Valgrind,
}

impl CountSource {
    /// The word used in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Perf => "perf",
            Self::Valgrind => "valgrind",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Perf, Self::Valgrind]
            .into_iter()
            .find(|source| source.name() == name)
    }
}

impl fmt::Display for CountSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A launch that was made for counting its instructions.
#[derive(Debug, Clone, PartialEq)]
pub struct Count {
    /// Index into the suite's scenarios.
    pub scenario: usize,
    pub kind: LaunchKind,
    pub round: u32,
    pub source: CountSource,
    /// The count, or why there is none.
    pub outcome: Result<Instructions, String>,
}

/// Instructions in user mode, of a process and of all that it started.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Instructions {
    pub count: u64,
    /// Processes that were forked without an exec, by valgrind: their counts hold their parent's.
    pub forked: u32,
    /// The share of the time in which the machine's counter ran, if that is not all of it.
    pub running: Option<f64>,
}

impl Count {
    /// The line that is written for this count.
    pub fn to_line(&self, suite: &Suite) -> CountLine {
        let counted = self.outcome.as_ref().ok();
        CountLine {
            scenario: suite
                .scenarios
                .get(self.scenario)
                .map(|scenario| scenario.name.clone())
                .unwrap_or_default(),
            launch: self.kind.name().to_owned(),
            round: self.round,
            source: self.source.name().to_owned(),
            instructions: counted.map(|counted| counted.count),
            forked: counted
                .map(|counted| counted.forked)
                .filter(|&forked| forked > 0),
            running: counted.and_then(|counted| counted.running),
            failure: self.outcome.as_ref().err().cloned(),
        }
    }

    /// The count that a line describes.
    ///
    /// # Errors
    /// A sentence on what the line says that cannot be.
    pub fn from_line(line: CountLine, suite: &Suite) -> Result<Self, String> {
        let source = CountSource::from_name(&line.source)
            .ok_or_else(|| format!("there is no source of counts `{}`", line.source))?;
        let outcome = match (line.instructions, line.failure) {
            (Some(count), None) => Ok(Instructions {
                count,
                forked: line.forked.unwrap_or_default(),
                running: line.running,
            }),
            (_, Some(failure)) => Err(failure),
            (None, None) => return Err("it has neither a count nor a failure".to_owned()),
        };
        Ok(Self {
            scenario: scenario_named(suite, &line.scenario)?,
            kind: kind_named(&line.launch)?,
            round: line.round,
            source,
            outcome,
        })
    }
}

/// The greatest `kernel.perf_event_paranoid` with which an ordinary user may count what happens in
/// user mode (Documentation/admin-guide/perf-security.rst; Debian's and Ubuntu's kernels have
/// values above it, which forbid everything).
const MOST_PARANOID: i32 = 2;

impl Counters {
    /// Why the kernel does not count this, if it does not: a clause, with what helps.
    pub fn why_refused(&self, event: &str) -> Option<String> {
        let error = self.refused.get(event)?;
        Some(match error.as_str() {
            "ENOENT" | "EOPNOTSUPP" | "ENODEV" | "ENXIO" => {
                format!(
                    "this machine has no such counter, as many virtual machines have none ({error})"
                )
            }
            "EACCES" | "EPERM" => match self.paranoid {
                Some(paranoid) if paranoid > MOST_PARANOID => format!(
                    "it is not permitted ({error}): kernel.perf_event_paranoid is {paranoid}, and at \
                     most {MOST_PARANOID} is needed (`sysctl kernel.perf_event_paranoid={MOST_PARANOID}`)"
                ),
                _ => format!(
                    "it is not permitted ({error}): a container's seccomp profile or a security \
                     module forbids perf_event_open"
                ),
            },
            "ENOSYS" => format!("this kernel has no perf events ({error})"),
            NOTHING => "the counter that the machine offers counts nothing, as in some virtual \
                        machines"
                .to_owned(),
            other => format!("perf_event_open failed with {other}"),
        })
    }
}

/// In place of an error's name: the counter could be opened, and stayed at zero.
pub const NOTHING: &str = "nothing counted";

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(error: &str, paranoid: Option<i32>) -> String {
        let counters = Counters {
            refused: [("instructions".to_owned(), error.to_owned())].into(),
            paranoid,
            ..Counters::default()
        };
        counters.why_refused("instructions").unwrap()
    }

    #[test]
    fn a_refusal_says_what_is_missing_and_what_helps() {
        assert!(refused("ENOENT", Some(2)).contains("many virtual machines"));
        let forbidden = refused("EACCES", Some(3));
        assert!(
            forbidden.contains("kernel.perf_event_paranoid is 3")
                && forbidden.contains("sysctl kernel.perf_event_paranoid=2"),
            "{forbidden}"
        );
        // The setting is not to blame: it would be no help to change it.
        for paranoid in [Some(1), Some(2), None] {
            let elsewhere = refused("EPERM", paranoid);
            assert!(elsewhere.contains("seccomp"), "{elsewhere}");
            assert!(!elsewhere.contains("sysctl"), "{elsewhere}");
        }
        assert!(refused("ENOSYS", None).contains("no perf events"));
        assert!(refused(NOTHING, None).contains("counts nothing"));
        assert!(refused("EMFILE", Some(2)).contains("EMFILE"));
    }

    #[test]
    fn what_is_counted_was_not_refused() {
        let counters = Counters {
            counted: vec!["page_faults".to_owned()],
            ..Counters::default()
        };
        assert_eq!(counters.why_refused("page_faults"), None);
    }
}
