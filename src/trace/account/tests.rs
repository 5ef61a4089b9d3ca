//! Launches of a few moments, written by hand.

use super::super::parse::parse;
use super::super::part::{Loader, Phase};
use super::*;

fn at(nanos: u64) -> Duration {
    Duration::from_nanos(nanos)
}

fn whose(file: &str) -> (Group, String) {
    match file.strip_prefix("/lib/") {
        Some(rest) => (Group::Stdlib, rest.to_owned()),
        None => (Group::App, file.to_owned()),
    }
}

fn accounted(lines: &str, until: u64, ending: Ending) -> Account {
    let log = parse(lines.as_bytes()).unwrap();
    let horizon = Horizon {
        spawned: at(50),
        until: at(until),
        ending,
    };
    let account = account(&log, &horizon, &whose).unwrap();
    assert_eq!(account.accounted(), 1.0, "{account:?}");
    account
}

fn part(account: &Account, part: Part) -> u128 {
    account.parts[part.index()].as_nanos()
}

/// One module, compiled in 20, executed in 30.
const ONE: &str = "process\t7\t1\t70\t100\t30\nin\t7\t70\ntracer\t100\t110\t\n\
                   find\t120\t130\tm\tSourceFileLoader\t/lib/m.py\ncompile\t130\t150\tm\t9\n\
                   execute\t150\t180\tm\nimport\t120\t182\tm\n";

#[test]
fn every_moment_of_a_launch_belongs_to_a_part() {
    let account = accounted(&format!("{ONE}end\t7\t300\n"), 340, Ending::Exit);
    let parts: Vec<u128> = Part::ALL.iter().map(|&each| part(&account, each)).collect();
    assert_eq!(parts, [50, 10, 0, 0, 20, 0, 0, 30, 2, 128, 10, 40]);
    let module = &account.modules[&(Place::Path, "m".to_owned())];
    assert_eq!(
        (module.group, module.file.as_str()),
        (Group::Stdlib, "m.py")
    );
    assert_eq!((module.own(), module.inclusive), (at(62), at(62)));
    assert_eq!(
        (module.lines, module.begin, module.end),
        (9, at(70), at(132))
    );
}

#[test]
fn of_a_server_nothing_counts_that_comes_after_its_readiness() {
    let account = accounted(ONE, 160, Ending::Ready);
    assert_eq!(part(&account, Part::Module(Phase::Execute)), 10);
    assert_eq!(part(&account, Part::End), 0);
}

#[test]
fn an_exit_that_nobody_announced_has_no_end() {
    let account = accounted(ONE, 340, Ending::Exit);
    assert_eq!(part(&account, Part::End), 0);
    assert_eq!(part(&account, Part::Program), 168);
}

#[test]
fn what_a_thread_imports_is_beside_the_path() {
    let lines =
        format!("{ONE}in\t7\t71\nfind\t200\t205\tt\tBuiltinImporter\t\nimport\t200\t210\tt\n");
    let account = accounted(&lines, 340, Ending::Exit);
    assert_eq!(part(&account, Part::Program), 168);
    let module = &account.modules[&(Place::Beside, "t".to_owned())];
    assert_eq!((module.own(), module.group), (at(10), Group::Stdlib));
    let labels: Vec<&str> = account
        .lanes
        .iter()
        .map(|lane| lane.label.as_str())
        .collect();
    assert_eq!(labels, ["main thread", "thread 2"]);
}

#[test]
fn a_servers_parent_leaves_the_work_to_a_worker_that_imports() {
    let worker = "fork\t8\t7\t70\t200\nin\t8\t70\nfind\t210\t220\tapp\tSourceFileLoader\t/app.py\n\
                  execute\t220\t290\tapp\nimport\t210\t290\tapp\n";
    let lines = format!("{ONE}{worker}");
    let account = accounted(&lines, 300, Ending::Ready);
    assert_eq!(account.path_processes, 2);
    assert_eq!(part(&account, Part::Module(Phase::Execute)), 100);
    // Where the exit counts, the path is the launched process's own.
    let account = accounted(&lines, 300, Ending::Exit);
    assert_eq!(account.path_processes, 1);
    assert_eq!(account.lanes[1].label, "process 2");
}

#[test]
fn an_interpreter_in_the_place_of_another_goes_on_as_that_one() {
    let lines = format!(
        "{ONE}process\t7\t1\t75\t400\t31\nin\t7\t75\nfind\t410\t420\tn\t-\t\nimport\t410\t420\tn\nend\t7\t500\n"
    );
    let account = accounted(&lines, 520, Ending::Exit);
    assert_eq!(account.path_processes, 2);
    assert_eq!(part(&account, Part::End), 20);
    let missing = &account.modules[&(Place::Path, "n".to_owned())];
    assert_eq!(missing.loader, Loader::Missing);
}

#[test]
fn a_loader_that_is_not_importlibs_executes() {
    let lines =
        "process\t7\t1\t70\t100\t30\nin\t7\t70\nfind\t120\t130\tm\tMagic\t\nimport\t120\t190\tm\n";
    let account = accounted(lines, 200, Ending::Exit);
    assert_eq!(part(&account, Part::Module(Phase::Execute)), 60);
    assert_eq!(part(&account, Part::Module(Phase::Machinery)), 0);
}

#[test]
fn another_clock_is_noticed() {
    let log = parse(ONE.as_bytes()).unwrap();
    let horizon = |spawned, until| Horizon {
        spawned: at(spawned),
        until: at(until),
        ending: Ending::Exit,
    };
    for wrong in [horizon(150, 400), horizon(10, 90)] {
        assert_eq!(account(&log, &wrong, &whose), Err(AccountError::OtherClock));
    }
}
