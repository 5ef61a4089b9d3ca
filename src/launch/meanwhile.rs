//! What the machine did besides a launch while it ran.

use std::time::Duration;

use nix::sys::resource::{Usage as Rusage, UsageWho, getrusage};

use crate::record::Usage;
use crate::record::host::{CpuTimes, Machine};

/// From before a launch until everything of it has been waited for.
#[derive(Debug)]
pub struct Meanwhile {
    machine: Machine,
    times: CpuTimes,
    own: Option<Duration>,
}

impl Meanwhile {
    pub fn begin() -> Self {
        let machine = Machine::this();
        Self {
            times: machine.cpu_times(),
            machine,
            own: own(),
        }
    }

    /// Adds what was seen. Others are whoever is neither this process nor was waited for by it; of
    /// those waited for only the sum matters, so orphans of the launch count as its own.
    pub fn end(self, usage: &mut Usage) {
        let passed = self.machine.cpu_times().since(self.times);
        usage.steal = passed.steal;
        usage.others = self
            .own
            .zip(own())
            .map(|(before, now)| passed.busy.saturating_sub(now.saturating_sub(before)));
    }
}

/// CPU time of this process and of all children that it has waited for (getrusage(2)).
fn own() -> Option<Duration> {
    let time = |usage: Rusage| {
        let micros = |time: nix::sys::time::TimeVal| {
            Duration::from_secs(time.tv_sec().unsigned_abs())
                + Duration::from_micros(time.tv_usec().unsigned_abs())
        };
        micros(usage.user_time()) + micros(usage.system_time())
    };
    let of = |who| getrusage(who).ok().map(time);
    Some(of(UsageWho::RUSAGE_SELF)? + of(UsageWho::RUSAGE_CHILDREN)?)
}
