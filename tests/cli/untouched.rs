//! Nothing of the user's is changed.

use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::Stdio;
use std::time::Duration;

use crate::project::{
    As, EXITING_APP, Project, fingerprint, is_root, make_environment, python, standard_library,
};

/// An app that tries its best to change the folder it came from, and leaves a file wherever it is
/// launched.
const VANDAL: &str = "\
import os, helper
original = os.environ['ORIGINAL']
if original == os.path.dirname(os.path.abspath(__file__)):
    # At its own path, what it does to its modules would be as if it had been deployed so.
    original = os.path.join(original, 'data')
for action in (
    lambda: open(os.path.join(original, 'new'), 'w').close(),
    lambda: open(os.path.join(original, 'other.py'), 'a').close(),
    lambda: os.utime(os.path.join(original, 'other.py')),
    lambda: open('new', 'w').close(),
    lambda: open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'newer'), 'w').close(),
):
    try:
        action()
    except OSError:
        pass
";

fn check(who: As) {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"cold\"\nbytecode = \"absent\"\n\
         [[scenario]]\nname = \"read-only\"\nsource = \"read-only\"\nbytecode = \"absent\"\n"
    ));
    let app = project.path().join("app");
    let suite = std::fs::read_to_string(project.path().join("suite.toml")).unwrap();
    project.write(
        "suite.toml",
        &suite.replace(
            "[measure]",
            &format!("env = {{ ORIGINAL = {app:?} }}\n[measure]"),
        ),
    );
    project.write("app/main.py", VANDAL);
    // A stale pyc of the user's own stays, too.
    project.write("app/__pycache__/helper.cpython-311.pyc", "not even a pyc");
    let before = fingerprint(&app);
    project.measure(who, 2).expect(0);
    assert_eq!(before, fingerprint(&app));
    project.expect_no_stage();
}

#[test]
fn the_apps_folder_is_the_same_after_roots_run_and_an_ordinary_users() {
    // An ordinary user's app runs as its owner, so what tells it where it came from could write
    // there; modes protect others' files only. The tests' folder is root's.
    if is_root() {
        check(As::Me);
        check(As::Ordinary);
    }
}

#[test]
fn the_interpreters_own_bytecode_is_the_same_after_a_run() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"first\"\nprefix = \"empty\"\n"
    ));
    let stdlib = standard_library(&python());
    let pycs = || {
        let mut all = fingerprint(&stdlib);
        all.retain(|path, _| path.contains("__pycache__"));
        all
    };
    let before = pycs();
    assert!(!before.is_empty());
    project.measure(As::Me, 2).expect(0);
    assert_eq!(before, pycs());
}

const EVERYTHING_CHANGES: &str = r#"
[[scenario]]
name = "absent"
bytecode = "absent"
site-packages = "absent"
stdlib = "absent"

[[scenario]]
name = "stale"
bytecode = "stale-size"
site-packages = "stale-mtime"
stdlib = "stale-mtime"

[[scenario]]
name = "sourceless"
bytecode = "sourceless"
prefix = "empty"
"#;

/// Source, virtual environment and standard library, before a run and after it was killed.
#[test]
fn nothing_is_changed_by_a_run_that_is_killed_whenever_that_is() {
    let suite = EXITING_APP.replace("command =", "python = \"venv/bin/python\"\ncommand =");
    let project = Project::new(&format!("{suite}{EVERYTHING_CHANGES}"));
    let venv = project.path().join("venv");
    make_environment(&venv);
    project.write("app/__pycache__/helper.cpython-311.pyc", "not even a pyc");
    let folders = [
        project.path().join("app"),
        venv,
        standard_library(&python()),
    ];
    let all = || folders.each_ref().map(|folder| fingerprint(folder));
    let before = all();
    let args = [
        "run",
        "suite.toml",
        "--quiet",
        "--out",
        "out",
        "--budget",
        "10min",
    ];
    for after in [300, 900, 2000, 4500] {
        let mut child = project
            .command(As::Me, &args)
            .process_group(0)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after));
        child.kill().unwrap();
        // It did not end by itself before, with whatever is wrong.
        assert_eq!(child.wait().unwrap().signal(), Some(9), "after {after} ms");
        assert!(before == all(), "killed after {after} ms");
        let _ = std::fs::remove_dir_all(project.path().join("out"));
    }
    // To its end, which sweeps away what the killed runs left.
    project
        .run(&[
            "run",
            "suite.toml",
            "--quiet",
            "--out",
            "out",
            "--blocks",
            "1",
        ])
        .expect(0);
    assert!(before == all());
    project.expect_no_stage();
}
