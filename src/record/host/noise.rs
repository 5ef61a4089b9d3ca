//! What makes a machine's speed vary: turbo, threads that share a core, heat, a battery, a tracer.

use super::Machine;
use crate::record::cpus::Cpus;

const CPUS: &str = "sys/devices/system/cpu";
const SUPPLIES: &str = "sys/class/power_supply";

impl Machine {
    /// "on" or "off": may cores run faster than their nominal frequency while others idle?
    ///
    /// Documentation/admin-guide/pm/intel_pstate.rst (`no_turbo`) and cpufreq.rst (`boost`, which
    /// some drivers have for each policy).
    pub(super) fn turbo(&self) -> Option<&'static str> {
        let flag = |path: String, on: &str| Some(on_off(self.read(&path)? == on));
        flag(format!("{CPUS}/intel_pstate/no_turbo"), "0")
            .or_else(|| flag(format!("{CPUS}/cpufreq/boost"), "1"))
            .or_else(|| flag(format!("{CPUS}/cpufreq/policy0/boost"), "1"))
    }

    /// "on" or "off" (Documentation/ABI/testing/sysfs-devices-system-cpu, `smt/active`).
    pub(super) fn smt(&self) -> Option<&'static str> {
        Some(on_off(self.read(&format!("{CPUS}/smt/active"))? == "1"))
    }

    /// The CPUs of each core, for all cores that are known (`topology/thread_siblings_list`).
    pub fn cores(&self) -> Vec<Cpus> {
        let mut cores: Vec<Cpus> = self
            .cpu_folders()
            .filter_map(|cpu| self.parsed(&format!("{cpu}/topology/thread_siblings_list")))
            .collect();
        cores.sort();
        cores.dedup();
        cores
    }

    /// The cores of several threads, as the record has them.
    pub(super) fn siblings(&self) -> Vec<String> {
        let several = self.cores().into_iter().filter(|core| core.count() > 1);
        several.map(|core| core.to_string()).collect()
    }

    /// How often cores were slowed down for their heat since the machine started, all together
    /// (`thermal_throttle/core_throttle_count`; x86 only).
    pub fn heat_throttles(&self) -> Option<u64> {
        let counts = self
            .cpu_folders()
            .filter_map(|cpu| self.parsed(&format!("{cpu}/thermal_throttle/core_throttle_count")));
        counts.fold(None, |sum, count: u64| {
            Some(sum.unwrap_or(0).saturating_add(count))
        })
    }

    /// "battery" or "mains"; `None` without a battery that feeds the machine
    /// (Documentation/ABI/testing/sysfs-class-power).
    pub(super) fn power(&self) -> Option<&'static str> {
        let (mut batteries, mut discharging, mut plugged) = (false, false, false);
        for name in self.names(SUPPLIES) {
            let value = |key: &str| self.read(&format!("{SUPPLIES}/{name}/{key}"));
            // A mouse has a battery, too.
            if value("scope").as_deref() == Some("Device") {
                continue;
            }
            if value("type").as_deref() == Some("Battery") {
                batteries = true;
                discharging |= value("status").as_deref() == Some("Discharging");
            } else {
                plugged |= value("online").as_deref() == Some("1");
            }
        }
        batteries.then_some(if discharging && !plugged {
            "battery"
        } else {
            "mains"
        })
    }

    /// Who traces this process (proc(5), `TracerPid`): "gdb (pid 4711)".
    pub(super) fn traced_by(&self) -> Option<String> {
        let status = self.read("proc/self/status")?;
        let pid = status
            .lines()
            .find_map(|line| line.strip_prefix("TracerPid:"))?
            .trim();
        if pid == "0" {
            return None;
        }
        // Not to be seen from inside a container that the tracer is outside of.
        let name = self.read(&format!("proc/{pid}/comm"));
        let name = name.unwrap_or_else(|| "another process".to_owned());
        Some(format!("{name} (pid {pid})"))
    }

    fn cpu_folders(&self) -> impl Iterator<Item = String> {
        let is_cpu = |name: &String| {
            name.strip_prefix("cpu")
                .is_some_and(|number| number.parse::<u32>().is_ok())
        };
        self.names(CPUS)
            .into_iter()
            .filter(is_cpu)
            .map(|name| format!("{CPUS}/{name}"))
    }
}

fn on_off(on: bool) -> &'static str {
    if on { "on" } else { "off" }
}
