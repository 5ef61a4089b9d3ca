//! Between a launch and its line in the record.

use std::collections::BTreeMap;
use std::time::Duration;

use super::format::{Counted, LaunchLine};
use super::model::{Arm, Eviction, Launch, Role, Surroundings, Throttling, Times, Usage};
use crate::suite::{LaunchKind, Metric, Suite};

fn ms(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1e6
}

/// `None` for what cannot be a duration: negative, infinite, not a number.
fn duration(ms: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(ms / 1e3).ok()
}

/// Its index.
pub(super) fn scenario_named(suite: &Suite, name: &str) -> Result<usize, String> {
    let mut scenarios = suite.scenarios.iter();
    scenarios
        .position(|scenario| scenario.name == name)
        .ok_or_else(|| format!("the suite has no scenario `{name}`"))
}

pub(super) fn kind_named(name: &str) -> Result<LaunchKind, String> {
    LaunchKind::from_name(name).ok_or_else(|| format!("there is no kind of launch `{name}`"))
}

impl Launch {
    /// The line that is written for this launch.
    pub fn to_line(&self, suite: &Suite) -> LaunchLine {
        let metrics: BTreeMap<String, f64> = Metric::ALL
            .into_iter()
            .filter_map(|metric| Some((metric.name().to_owned(), ms(self.times.metric(metric)?))))
            .collect();
        LaunchLine {
            block: self.block,
            position: self.position,
            scenario: suite
                .scenarios
                .get(self.arm.scenario)
                .map(|scenario| scenario.name.clone())
                .unwrap_or_default(),
            twin: self.arm.role == Role::Twin,
            launch: self.kind.name().to_owned(),
            at_ms: ms(self.at),
            metrics,
            accept_ms: self.times.accept.map(ms),
            cpu_ready_ms: self.usage.cpu_ready.map(ms),
            wall_ms: ms(self.times.wall),
            user_ms: ms(self.usage.user),
            system_ms: ms(self.usage.system),
            peak_memory_kib: self.usage.peak_memory_kib,
            minor_faults: self.usage.minor_faults,
            major_faults: self.usage.major_faults,
            voluntary_switches: self.usage.voluntary_switches,
            involuntary_switches: self.usage.involuntary_switches,
            blocks_read: self.usage.blocks_read,
            blocks_written: self.usage.blocks_written,
            steal_ms: ms(self.usage.steal),
            others_ms: self.usage.others.map(ms),
            evicted_kib: self.surroundings.eviction.map(|seen| seen.evicted_kib),
            resident_kib: self.surroundings.eviction.map(|seen| seen.resident_kib),
            unseen_kib: self.surroundings.eviction.map(|seen| seen.unseen_kib),
            throttled_periods: self.surroundings.throttling.map(|seen| seen.periods),
            throttled_ms: self.surroundings.throttling.map(|seen| ms(seen.time)),
            counted: Some(self.usage.counted).filter(|counted| *counted != Counted::default()),
            pycs_before: self.pycs_before,
            pycs_after: self.pycs_after,
            violations: self.violations.clone(),
            failure: self.failure.clone(),
        }
    }

    /// The launch that a line describes.
    ///
    /// # Errors
    /// A sentence on what the line says that cannot be.
    pub fn from_line(line: LaunchLine, suite: &Suite) -> Result<Self, String> {
        let scenario = scenario_named(suite, &line.scenario)?;
        let kind = kind_named(&line.launch)?;
        let time = |what: &str, value: f64| {
            duration(value).ok_or_else(|| format!("`{what}` is {value}, which is no time"))
        };
        let optional = |what: &str, value: Option<f64>| value.map(|v| time(what, v)).transpose();
        for name in line.metrics.keys() {
            if Metric::from_name(name).is_none() {
                return Err(format!("there is no metric `{name}`"));
            }
        }
        let metric =
            |metric: Metric| optional(metric.name(), line.metrics.get(metric.name()).copied());
        Ok(Self {
            block: line.block,
            position: line.position,
            arm: Arm {
                scenario,
                role: if line.twin { Role::Twin } else { Role::Itself },
            },
            kind,
            at: time("at_ms", line.at_ms)?,
            times: Times {
                ready: metric(Metric::Ready)?,
                accept: optional("accept_ms", line.accept_ms)?,
                import: metric(Metric::Import)?,
                exit: metric(Metric::Exit)?,
                wall: time("wall_ms", line.wall_ms)?,
            },
            usage: Usage {
                user: time("user_ms", line.user_ms)?,
                system: time("system_ms", line.system_ms)?,
                cpu_ready: optional("cpu_ready_ms", line.cpu_ready_ms)?,
                peak_memory_kib: line.peak_memory_kib,
                minor_faults: line.minor_faults,
                major_faults: line.major_faults,
                voluntary_switches: line.voluntary_switches,
                involuntary_switches: line.involuntary_switches,
                blocks_read: line.blocks_read,
                blocks_written: line.blocks_written,
                steal: time("steal_ms", line.steal_ms)?,
                others: optional("others_ms", line.others_ms)?,
                counted: line.counted.unwrap_or_default(),
            },
            surroundings: Surroundings {
                eviction: line.evicted_kib.map(|evicted_kib| Eviction {
                    evicted_kib,
                    resident_kib: line.resident_kib.unwrap_or_default(),
                    unseen_kib: line.unseen_kib.unwrap_or_default(),
                }),
                throttling: optional("throttled_ms", line.throttled_ms)?.map(|time| Throttling {
                    periods: line.throttled_periods.unwrap_or_default(),
                    time,
                }),
            },
            pycs_before: line.pycs_before,
            pycs_after: line.pycs_after,
            violations: line.violations,
            failure: line.failure,
        })
    }
}
