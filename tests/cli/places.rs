//! Where the copies and the prefix lie, as root and as an ordinary user.

use crate::project::{As, EXITING_APP, Project, end, is_root, seen};

const PLACES: &str = r#"
[[scenario]]
name = "source-in-memory"
source-on = "tmpfs"

[[scenario]]
name = "read-only-in-memory"
source = "read-only"
source-on = "tmpfs"
bytecode = "absent"

[[scenario]]
name = "prefix-in-memory-empty"
source = "read-only"
prefix = "empty"
prefix-on = "tmpfs"

[[scenario]]
name = "all-in-memory"
source = "read-only"
source-on = "tmpfs"
prefix = "warm"
prefix-on = "tmpfs"

[[scenario]]
name = "unwritable-in-memory"
prefix = "unwritable"
prefix-on = "tmpfs"
"#;

/// What becomes of `helper`, whether the source lies on a tmpfs, and whether a prefix does; there is
/// none where it does not.
const SEEN: [(&str, &str, bool, bool); 5] = [
    ("source-in-memory", "read", true, false),
    ("read-only-in-memory", "compiled DENIED", true, false),
    ("prefix-in-memory-empty", "compiled written", false, true),
    ("all-in-memory", "read", true, true),
    ("unwritable-in-memory", "compiled DENIED", false, true),
];

fn check(who: As, stage: &str) {
    let project = Project::new(&format!("{EXITING_APP}{PLACES}"));
    project.give_to(who);
    project.measure_staged(who, stage, 2).expect(0);
    for (scenario, wanted, source, prefix) in SEEN {
        let receipt = project.receipt(scenario);
        assert_eq!(seen(&receipt, "helper"), wanted, "{scenario}");
        // Where the tests' temporary folder is a tmpfs itself, so is what lies in it.
        if source {
            assert_eq!(receipt["source_filesystem"], "tmpfs", "{scenario}");
        }
        if prefix {
            assert_eq!(receipt["prefix_filesystem"], "tmpfs", "{scenario}");
        } else {
            assert!(receipt["prefix_filesystem"].is_null(), "{scenario}");
        }
    }
    project.expect_no_violation();
    project.expect_no_stage();
}

#[test]
fn a_tmpfs_holds_what_it_is_to_hold_for_whoever_runs_the_tests_under_a_layer() {
    check(As::Me, "overlay");
}

#[test]
fn a_tmpfs_holds_what_it_is_to_hold_for_whoever_runs_the_tests_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn a_tmpfs_holds_what_it_is_to_hold_for_an_ordinary_user_under_a_layer() {
    check(As::Ordinary, "overlay");
}

#[test]
fn a_tmpfs_holds_what_it_is_to_hold_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

#[test]
fn nothing_of_a_run_is_left_on_the_shared_memory() {
    if !is_root() {
        return;
    }
    let project = Project::new(&format!("{EXITING_APP}{PLACES}"));
    end(&mut project.confined(&["--blocks", "1"], "true")).expect(0);
    let isolation = &project.record()[0]["isolation"];
    assert_eq!(isolation["backing"], "copy");
    let notes = isolation["notes"].to_string();
    assert!(notes.contains("a mount namespace cannot be had"), "{notes}");
    let place = project.receipt("prefix-in-memory-empty")["pycache_prefix"].clone();
    let place = std::path::PathBuf::from(place.as_str().unwrap());
    assert!(place.ancestors().any(|folder| folder.ends_with("shm")));
    assert!(!place.exists(), "{}", place.display());
    assert!(!place.parent().unwrap().parent().unwrap().exists());
}

#[test]
fn copies_that_are_to_lie_on_a_disk_and_do_not_are_a_violation() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"on-disk\"\nsource-on = \"disk\"\n\
         prefix = \"warm\"\nprefix-on = \"disk\"\n"
    ));
    let mut command = project.measuring(As::Me, &["--blocks", "1"]);
    command.env("TMPDIR", "/dev/shm");
    end(&mut command).expect(4).says(&[
        "scenario `on-disk`: the app's source is on a tmpfs instead of a disk",
        "scenario `on-disk`: the prefix is on a tmpfs instead of a disk",
        "TMPDIR",
    ]);
}

#[test]
fn a_machine_without_a_tmpfs_is_told() {
    if !is_root() {
        return;
    }
    // Hidden, where an ordinary user cannot mount another.
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"memory\"\nsource-on = \"tmpfs\"\n"
    ));
    let mut outer = project.confined(&["--blocks", "1"], "mount --bind /proc \"$0/dev/shm\"");
    end(&mut outer).expect(4).says(&[
        "there is no tmpfs for scenario `memory`",
        "/dev/shm",
        "run as root",
    ]);
    project.expect_no_stage();
}

#[test]
fn a_place_for_no_prefix_is_refused_with_its_line() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"nothing\"\nprefix-on = \"tmpfs\"\n"
    ));
    project.measure(As::Me, 1).expect(2).says(&[
        "suite.toml:18: ",
        "there is no prefix that could lie there",
        "add `prefix`",
    ]);
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"nothing\"\nsource-on = \"moon\"\n"
    ));
    project
        .measure(As::Me, 1)
        .expect(2)
        .says(&["`source-on` is one of: stage, disk, tmpfs"]);
}
