//! Machines of a few files.

use std::fs;

use tempfile::TempDir;

use super::*;

/// A machine of these files.
fn machine(files: &[(&str, &str)]) -> (TempDir, Machine) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let machine = Machine::below(folder.path());
    (folder, machine)
}

fn seen<T>(files: &[(&str, &str)], look: impl Fn(&Machine) -> T) -> T {
    let (_folder, machine) = machine(files);
    look(&machine)
}

#[test]
fn of_a_machine_without_files_nothing_is_known() {
    let host = seen(&[], Machine::observe);
    assert_eq!(host.cpu_model, "unknown");
    assert_eq!(host.virtualization, "none");
    assert_eq!(
        (host.turbo, host.smt, host.power, host.traced_by),
        (None, None, None, None)
    );
    assert_eq!((host.heat_throttles, host.cpus_online), (None, None));
    assert!(host.siblings.is_empty() && host.other_runs.is_empty());
}

#[test]
fn a_machine_is_known_by_its_name_if_somebody_gave_it_one() {
    let name = |text: &str| seen(&[("proc/sys/kernel/hostname", text)], |m| m.observe().name);
    assert_eq!(name("web-1.example\n").as_deref(), Some("web-1.example"));
    assert_eq!(name("(none)\n"), None);
    assert_eq!(name("\n"), None);
    assert_eq!(seen(&[], |m| m.observe().name), None);
}

#[test]
fn turbo_is_seen_wherever_a_driver_shows_it() {
    let turbo = |path: &str, text: &str| seen(&[(path, text)], |m| m.turbo());
    let intel = "sys/devices/system/cpu/intel_pstate/no_turbo";
    assert_eq!(turbo(intel, "0\n"), Some("on"));
    assert_eq!(turbo(intel, "1\n"), Some("off"));
    for boost in ["cpufreq/boost", "cpufreq/policy0/boost"] {
        let boost = format!("sys/devices/system/cpu/{boost}");
        assert_eq!(turbo(&boost, "1\n"), Some("on"));
        assert_eq!(turbo(&boost, "0\n"), Some("off"));
    }
}

#[test]
fn threads_of_a_core_are_seen() {
    let files = [
        ("sys/devices/system/cpu/smt/active", "1\n"),
        ("sys/devices/system/cpu/online", "0-3\n"),
        (
            "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
            "0,2\n",
        ),
        (
            "sys/devices/system/cpu/cpu1/topology/thread_siblings_list",
            "1,3\n",
        ),
        (
            "sys/devices/system/cpu/cpu2/topology/thread_siblings_list",
            "0,2\n",
        ),
        (
            "sys/devices/system/cpu/cpu3/topology/thread_siblings_list",
            "1,3\n",
        ),
        ("sys/devices/system/cpu/cpuidle/current_driver", "none\n"),
    ];
    let host = seen(&files, Machine::observe);
    assert_eq!(host.smt.as_deref(), Some("on"));
    assert_eq!(host.siblings, ["0,2", "1,3"]);
    assert_eq!(host.cpus_online, Some(4));
    let alone = [(
        "sys/devices/system/cpu/cpu0/topology/thread_siblings_list",
        "0\n",
    )];
    assert_eq!(seen(&alone, |m| m.siblings()), [""; 0]);
    assert_eq!(seen(&alone, |m| m.cores().len()), 1);
}

#[test]
fn slowing_down_for_heat_is_counted_over_all_cores() {
    let count = "thermal_throttle/core_throttle_count";
    let files = [
        (&*format!("sys/devices/system/cpu/cpu0/{count}"), "3\n"),
        (&*format!("sys/devices/system/cpu/cpu10/{count}"), "4\n"),
    ];
    assert_eq!(seen(&files, Machine::heat_throttles), Some(7));
}

#[test]
fn a_machine_is_on_battery_when_its_battery_empties() {
    let power = |files: &[(&str, &str)]| {
        let paths: Vec<(String, &str)> = files
            .iter()
            .map(|(path, text)| (format!("sys/class/power_supply/{path}"), *text))
            .collect();
        let files: Vec<(&str, &str)> = paths.iter().map(|(path, text)| (&**path, *text)).collect();
        seen(&files, |m| m.power())
    };
    let battery = [("BAT0/type", "Battery\n"), ("BAT0/status", "Discharging\n")];
    let mains = [("AC/type", "Mains\n"), ("AC/online", "1\n")];
    assert_eq!(power(&battery), Some("battery"));
    assert_eq!(power(&[battery, mains].concat()), Some("mains"));
    let full = [("BAT0/type", "Battery\n"), ("BAT0/status", "Full\n")];
    assert_eq!(power(&full), Some("mains"));
    assert_eq!(power(&mains), None);
    let mouse = [&battery[..], &[("BAT0/scope", "Device\n")]].concat();
    assert_eq!(power(&mouse), None);
}

#[test]
fn a_tracer_is_named() {
    let status = |tracer: &str| format!("Name:\tcoldsnake\nTracerPid:\t{tracer}\nUid:\t0\n");
    let traced = |tracer: &str| {
        let files = [
            ("proc/self/status", &*status(tracer)),
            ("proc/4711/comm", "gdb\n"),
        ];
        seen(&files, Machine::traced_by)
    };
    assert_eq!(traced("0"), None);
    assert_eq!(traced("4711").as_deref(), Some("gdb (pid 4711)"));
    assert_eq!(traced("12").as_deref(), Some("another process (pid 12)"));
}

#[test]
fn other_runs_are_found_among_the_sockets() {
    let own = std::process::id();
    let sockets = format!(
        "Num       RefCount Protocol Flags    Type St Inode Path\n\
         0000000000000000: 00000002 00000000 00010000 0001 01 1 /run/dbus/system_bus_socket\n\
         0000000000000000: 00000002 00000000 00000000 0002 01 2 @coldsnake-run-77\n\
         0000000000000000: 00000002 00000000 00000000 0002 01 3 @coldsnake-run-{own}\n\
         0000000000000000: 00000002 00000000 00000000 0002 01 4 @coldsnake-run-x\n\
         0000000000000000: 00000003 00000000 00000000 0001 03 5\n\
         0000000000000000: 00000002 00000000 00000000 0002 01 6 @coldsnake-run-8\n"
    );
    assert_eq!(
        seen(&[("proc/net/unix", &sockets)], Machine::other_runs),
        [8, 77]
    );
    // A name may be any bytes, and takes the others' away from nobody.
    let root = tempfile::tempdir().unwrap();
    fs::create_dir_all(root.path().join("proc/net")).unwrap();
    let strange = [b"0: 2 0 0 2 1 9 @\xff\xfe\n", sockets.as_bytes()].concat();
    fs::write(root.path().join("proc/net/unix"), strange).unwrap();
    assert_eq!(Machine::below(root.path()).other_runs(), [8, 77]);
}

#[test]
fn a_run_is_seen_while_it_lasts() {
    let name = format!("@coldsnake-run-{}", std::process::id());
    let is_seen = || {
        fs::read_to_string("/proc/net/unix")
            .is_ok_and(|text| text.lines().any(|l| l.ends_with(&name)))
    };
    let presence = Presence::announce();
    // No /proc/net in some sandboxes.
    if fs::read_to_string("/proc/net/unix").is_err() {
        return;
    }
    assert!(is_seen());
    drop(presence);
    assert!(!is_seen());
}

#[test]
fn the_cpus_times_are_sums_of_their_columns() {
    let stat = "cpu  100 10 50 1000 20 3 4 30 9 0\ncpu0 1 1 1 1 1 1 1 1 1 1\n";
    let times = seen(&[("proc/stat", stat)], Machine::cpu_times);
    assert_eq!(times.busy.as_millis(), 1670);
    assert_eq!(times.steal.as_millis(), 300);
    assert_eq!(times.all.as_millis(), 12_170);
    let later = CpuTimes {
        busy: times.busy + times::STEP,
        ..times
    };
    assert_eq!(later.since(times).busy, times::STEP);
    assert_eq!(times.since(later), CpuTimes::default());
}
