//! The suites inside the binary, with the real app and its packages.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::project::{As, EXITING_APP, Ended, Project, end, fate, python};

/// Runs a bundled suite for one block into `out`.
fn run(project: &Project, suite: &str, cache: &str) -> Ended {
    let args = [
        "run",
        suite,
        "--blocks",
        "1",
        "--out",
        "out",
        "--python",
        &python(),
    ];
    let _ = fs::remove_dir_all(project.path().join("out"));
    end(project
        .command(As::Me, &args)
        .env("XDG_CACHE_HOME", project.path().join(cache)))
}

#[test]
fn the_default_suite_makes_its_environment_once_and_its_app_works() {
    let project = Project::new(EXITING_APP);
    let first = run(&project, "lernmanager", "cache").expect(0);
    assert!(
        first
            .stderr
            .contains("installing the app's pinned packages"),
        "{}",
        first.stderr
    );
    let fates = |scenario: &str| {
        let receipt = project.receipt(scenario);
        ["app", "config", "flask", "json"].map(|module| fate(&receipt, module))
    };
    let [read, written] = ["read", "compiled written"];
    assert_eq!(fates("warm"), [read; 4]);
    assert_eq!(fates("cold"), [written, written, read, read]);
    assert_eq!(fates("vps-before")[1..], [read; 3]);
    assert!(fates("vps-before")[0].starts_with("compiled E"));
    assert!(fates("read-only")[0].starts_with("compiled E"));
    assert_eq!(fates("prefix-first"), [written; 4]);
    assert_eq!(fates("prefix-warm"), [read; 4]);
    for claim in [
        "survives-unwritable",
        "three-pycs",
        "compiles-once",
        "prefix-layout",
        "more-pycs",
    ] {
        assert!(
            first.stdout.contains(&format!("supported     {claim} ")),
            "{}",
            first.stdout
        );
    }
    assert!(
        first
            .stdout
            .contains("a prefix hides every existing __pycache__"),
        "{}",
        first.stdout
    );

    let second = run(&project, "lernmanager-full", "cache").expect(0);
    assert!(!second.stderr.contains("installing"), "{}", second.stderr);
    for scenario in ["precompiled", "unchecked-hash", "checked-hash"] {
        assert_eq!(fates(scenario), [read; 4], "{scenario}");
    }
    assert!(fates("stale")[0].starts_with("compiled E"));
    assert_eq!(fates("dont-write")[..2], ["compiled", "compiled"]);
    assert!(
        fates("prefix-unwritable")
            .iter()
            .all(|fate| fate.starts_with("compiled E"))
    );

    // The app that is measured is one that works.
    let venvs = fs::read_dir(project.path().join("cache/coldsnake/venvs"))
        .unwrap()
        .flatten();
    let venv: Vec<PathBuf> = venvs
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    let tests = concat!(env!("CARGO_MANIFEST_DIR"), "/scenarios/lernmanager/tests");
    let mut command = Command::new(venv[0].join("bin/python"));
    command
        .args(["-B", "-m", "unittest", "discover", "-s", tests])
        .current_dir(project.path());
    end(command.env("HOME", project.path()))
        .expect(0)
        .says(&["OK"]);
}

#[test]
fn the_suite_without_packages_needs_no_network() {
    let project = Project::new(EXITING_APP);
    let ended = run(&project, "httpserver", "cache").expect(0);
    assert!(
        ended.stdout.contains("supported     compiles-once"),
        "{}",
        ended.stdout
    );
    assert!(!project.path().join("cache").exists());
}
