//! `cpu = 0.25`: how much CPU time the app gets.

use std::fmt;
use std::time::Duration;

use super::error::SuiteError;
use super::validate::SuiteFile;
use super::wire::WireCpu;
use toml::Spanned;

/// The kernel hands a quota out for each period of this length; its own default
/// (Documentation/scheduler/sched-bwc.rst), and that of systemd and of container runtimes.
const PERIOD: Duration = Duration::from_millis(100);
/// The kernel refuses quotas below a millisecond.
const SMALLEST: f64 = 0.01;
const GREATEST: f64 = 1024.0;

/// CPU time for each 100 ms, all CPUs together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CpuQuota {
    microseconds: u64,
}

impl CpuQuota {
    /// The quota of so many CPUs, 0.01 to 1024.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the bounds leave a number between 1,000 and 102,400,000"
    )]
    pub fn of_cpus(cpus: f64) -> Option<Self> {
        (SMALLEST..=GREATEST).contains(&cpus).then(|| Self {
            microseconds: (cpus * PERIOD.as_micros() as f64).round() as u64,
        })
    }

    /// CPU time for each period, in microseconds.
    pub fn microseconds(self) -> u64 {
        self.microseconds
    }

    /// The length of a period, in microseconds.
    pub fn period_microseconds(self) -> u64 {
        PERIOD.as_micros() as u64
    }
}

impl fmt::Display for CpuQuota {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let share = self.microseconds as f64 / PERIOD.as_micros() as f64;
        write!(formatter, "{share} CPUs")
    }
}

impl SuiteFile {
    pub(super) fn cpu(
        &self,
        given: Option<&Spanned<WireCpu>>,
    ) -> Result<Option<CpuQuota>, SuiteError> {
        let Some(given) = given else {
            return Ok(None);
        };
        let cpus = match given.get_ref() {
            WireCpu::Cpus(cpus) => Some(*cpus),
            WireCpu::Percentage(text) => text
                .trim()
                .strip_suffix('%')
                .and_then(|number| number.trim().parse::<f64>().ok())
                .map(|percent| percent / 100.0),
        };
        cpus.and_then(CpuQuota::of_cpus).map(Some).ok_or_else(|| {
            self.wrong(
                given,
                "this is no share of a CPU that can be given",
                "`cpu` is a number of CPUs from 0.01 to 1024, such as 0.25, or a percentage of \
                 one, such as \"25%\"",
            )
        })
    }
}
