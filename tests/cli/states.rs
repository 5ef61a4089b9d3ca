//! Each state of the bytecode cache, as root and as an ordinary user: its effect is seen in the
//! receipt.

use std::process::Command;

use crate::project::{
    As, EXITING_APP, Project, end, fate, is_root, make_environment, seen, with_environment,
};

const STATES: &str = r#"
[[scenario]]
name = "absent"
bytecode = "absent"

[[scenario]]
name = "read-only"
source = "read-only"
bytecode = "absent"

[[scenario]]
name = "precompiled"
source = "read-only"

[[scenario]]
name = "unchecked-hash"
source = "read-only"
bytecode = "unchecked-hash"

[[scenario]]
name = "checked-hash"
source = "read-only"
bytecode = "checked-hash"

[[scenario]]
name = "stale"
source = "read-only"
bytecode = "stale-mtime"

[[scenario]]
name = "by-admin"
source = "read-only"
bytecode = { by = ["{python}", "-c", "import other"] }

[[scenario]]
name = "dont-write"
bytecode = "absent"
dont-write-bytecode = true

[[scenario]]
name = "prefix-first"
source = "read-only"
prefix = "empty"

[[scenario]]
name = "prefix-warm"
source = "read-only"
prefix = "warm"

[[scenario]]
name = "prefix-unwritable"
source = "read-only"
prefix = "unwritable"
"#;

/// What becomes of `helper` and `other` under each scenario; DENIED stands for EROFS or EACCES.
const FATES: [(&str, &str, &str); 12] = [
    ("warm", "read", "read"),
    ("absent", "compiled written", "compiled written"),
    ("read-only", "compiled DENIED", "compiled DENIED"),
    ("precompiled", "read", "read"),
    ("unchecked-hash", "read", "read"),
    ("checked-hash", "read", "read"),
    ("stale", "compiled DENIED", "compiled DENIED"),
    ("by-admin", "compiled DENIED", "read"),
    ("dont-write", "compiled", "compiled"),
    ("prefix-first", "compiled written", "compiled written"),
    ("prefix-warm", "read", "read"),
    ("prefix-unwritable", "compiled DENIED", "compiled DENIED"),
];

fn check(who: As, stage: &str) -> Project {
    let project = Project::new(&format!("{EXITING_APP}{STATES}"));
    project.give_to(who);
    project.measure_staged(who, stage, 2).expect(0);
    assert_eq!(project.record()[0]["isolation"]["backing"], stage);
    for (scenario, helper, other) in FATES {
        let receipt = project.receipt(scenario);
        assert_eq!(
            (seen(&receipt, "helper"), seen(&receipt, "other")),
            (helper.to_owned(), other.to_owned()),
            "{scenario}"
        );
    }
    for launch in project.lines("launch") {
        let count = |key: &str| launch[key].as_u64().unwrap();
        let (before, after) = (count("pycs_before"), count("pycs_after"));
        match launch["scenario"].as_str().unwrap() {
            "warm" | "precompiled" | "unchecked-hash" | "checked-hash" | "stale" => {
                assert_eq!((before, after), (3, 3), "{launch}");
            }
            "absent" => assert_eq!((before, after), (0, 2), "{launch}"),
            "read-only" | "dont-write" => assert_eq!((before, after), (0, 0), "{launch}"),
            "by-admin" => assert_eq!((before, after), (1, 1), "{launch}"),
            // Three of the source, hidden by the prefix, and all of the standard library's.
            "prefix-first" => assert!(before == 3 && after > 3 + 2, "{launch}"),
            "prefix-warm" => assert!(before > 3 + 2 && after == before, "{launch}"),
            "prefix-unwritable" => assert_eq!((before, after), (3, 3), "{launch}"),
            other => panic!("{other}"),
        }
    }
    project.expect_no_violation();
    project.expect_no_stage();
    project
}

#[test]
fn what_one_process_compiles_another_may_read() {
    let project = Project::new(&format!(
        "{EXITING_APP}bytecode = \"absent\"\n\n[[scenario]]\nname = \"first\"\nprefix = \"empty\"\n"
    ));
    project.write(
        "app/main.py",
        "import subprocess, sys\n\
         subprocess.run([sys.executable, '-c', 'import helper'], check=True)\n\
         import helper\n",
    );
    project.measure(As::Me, 1).expect(0);
    for scenario in ["warm", "first"] {
        let receipt = project.receipt(scenario);
        let modules = receipt["modules"].as_array().unwrap();
        let codes: Vec<&str> = modules
            .iter()
            .filter(|module| module["name"] == "helper")
            .map(|module| module["code"].as_str().unwrap())
            .collect();
        assert_eq!(codes, ["compiled", "read"], "{scenario}");
    }
}

#[test]
fn every_state_holds_for_whoever_runs_the_tests_under_a_layer() {
    let project = check(As::Me, "overlay");
    if is_root() {
        assert_eq!(project.record()[0]["isolation"]["identity"], "unprivileged");
    }
}

#[test]
fn every_state_holds_for_whoever_runs_the_tests_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn every_state_holds_for_an_ordinary_user_under_a_layer() {
    let project = check(As::Ordinary, "overlay");
    let isolation = &project.record()[0]["isolation"];
    assert_eq!(isolation["identity"], "current user");
    assert_eq!(isolation["read_only_by"], "mount");
}

#[test]
fn every_state_holds_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

#[test]
fn root_may_be_the_only_user_that_there_is() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"cold\"\nsource = \"read-only\"\nbytecode = \"absent\"\n"
    ));
    let inner = project.measuring(As::Me, &["--blocks", "1"]);
    // As in a rootless container: one user is mapped, and it looks like root.
    let mut outer = Command::new("unshare");
    outer
        .arg("--map-root-user")
        .arg(inner.get_program())
        .args(inner.get_args())
        .current_dir(project.path());
    end(&mut with_environment(outer, &inner)).expect(0);
    assert_eq!(fate(&project.receipt("cold"), "helper"), "compiled EROFS");
    let isolation = &project.record()[0]["isolation"];
    assert_eq!(isolation["identity"], "current user");
    let notes = isolation["notes"].to_string();
    assert!(notes.contains("cannot run"), "{notes}");
}

#[test]
fn what_is_another_users_is_copied_and_the_record_says_why() {
    if !is_root() {
        return;
    }
    let project = Project::new(EXITING_APP);
    project.measure(As::Ordinary, 1).expect(0);
    let isolation = &project.record()[0]["isolation"];
    assert_eq!(isolation["backing"], "copy");
    assert!(
        isolation["notes"]
            .to_string()
            .contains("belongs to another user")
    );
    std::fs::remove_dir_all(project.path().join("out")).unwrap();
    project
        .measure_staged(As::Ordinary, "overlay", 1)
        .expect(4)
        .says(&["at its own path", "belongs to another user"]);
}

#[test]
fn an_interpreter_that_the_unprivileged_user_cannot_execute_is_noticed() {
    if !is_root() {
        return;
    }
    // A venv in a folder of root's: its python is there for root only.
    let project = Project::new(&format!("{EXITING_APP}{STATES}"));
    let python = make_environment(&project.path().join("private/venv"));
    use std::os::unix::fs::PermissionsExt;
    let private = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(project.path().join("private"), private).unwrap();
    let python = python.to_str().unwrap();
    end(&mut project.measuring_under(As::Me, python, &["--quiet", "--blocks", "1"])).expect(0);
    let isolation = &project.record()[0]["isolation"];
    assert_eq!(isolation["identity"], "current user");
    assert_eq!(isolation["read_only_by"], "mount");
    assert!(
        isolation["notes"][0]
            .as_str()
            .unwrap()
            .contains("cannot run")
    );
    assert_eq!(
        fate(&project.receipt("read-only"), "helper"),
        "compiled EROFS"
    );
}

#[test]
fn the_callers_python_variables_change_nothing_and_are_recorded() {
    let project = Project::new(EXITING_APP);
    let mut command = project.measuring(As::Me, &["--blocks", "1"]);
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPYCACHEPREFIX", "/nowhere");
    command.env("SECRET_OF_MINE", "s");
    end(&mut command).expect(0);
    let environment = &project.record()[0]["environment"];
    let removed: Vec<_> = environment["removed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v.as_str().unwrap())
        .collect();
    assert!(
        removed.contains(&"PYTHONDONTWRITEBYTECODE") && removed.contains(&"PYTHONPYCACHEPREFIX")
    );
    assert!(!environment.to_string().contains("SECRET_OF_MINE"));
    assert_eq!(project.receipt("warm")["dont_write_bytecode"], false);
}

#[test]
fn a_command_that_leaves_no_bytecode_is_told_before_anything_is_measured() {
    let scenario = "[[scenario]]\nname = \"by\"\nsource = \"read-only\"\nbytecode = { by = [\"{python}\", \"-c\", \"pass\"] }\n";
    let project = Project::new(&format!("{EXITING_APP}\n{scenario}"));
    project.measure(As::Me, 1).expect(4).says(&[
        "nothing was measured",
        "scenario `by`",
        "left none",
    ]);
    assert!(!project.path().join("out").exists());
}

#[test]
fn a_module_that_is_compiled_at_each_launch_though_all_is_cached_is_told() {
    // The app removes its own bytecode: `warm` cannot hold.
    let project = Project::new(EXITING_APP);
    project.write(
        "app/main.py",
        "import os, shutil\nshutil.rmtree('__pycache__', ignore_errors=True)\nimport helper\n",
    );
    project
        .measure(As::Me, 1)
        .expect(4)
        .says(&["scenario `warm`", "helper", "compiled"]);
}

/// An interpreter whose standard library has no bytecode, as in the official container images and
/// as uv installs it: the system's, copied.
pub fn bare_interpreter(project: &Project) -> std::path::PathBuf {
    let ask = "import os, sys; print(os.path.realpath(sys.executable)); print(os.path.dirname(os.path.realpath(os.__file__)))";
    let output = std::process::Command::new(crate::project::python())
        .args(["-c", ask])
        .output()
        .unwrap();
    let answer = String::from_utf8(output.stdout).unwrap();
    let (executable, stdlib) = answer.trim().split_once('\n').unwrap();
    let stdlib = std::path::Path::new(stdlib);
    let root = project.path().join("bare");
    let target = root.join("lib").join(stdlib.file_name().unwrap());
    let left_out = [
        "__pycache__",
        "test",
        "site-packages",
        "dist-packages",
        "idlelib",
        "lib2to3",
    ];
    for entry in walkdir::WalkDir::new(stdlib)
        .follow_links(true)
        .into_iter()
        .filter_entry(|entry| !left_out.iter().any(|name| entry.file_name() == *name))
        .flatten()
    {
        let to = target.join(entry.path().strip_prefix(stdlib).unwrap());
        if entry.file_type().is_dir() {
            std::fs::create_dir_all(to).unwrap();
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
    std::fs::create_dir_all(root.join("bin")).unwrap();
    let python = root.join("bin/python3");
    std::fs::copy(executable, &python).unwrap();
    if is_root() {
        for entry in walkdir::WalkDir::new(&root).into_iter().flatten() {
            std::os::unix::fs::chown(entry.path(), Some(65534), Some(65534)).unwrap();
        }
    }
    python
}

#[test]
fn a_standard_library_without_bytecode_gets_it_in_a_layer_or_a_copy() {
    let project = Project::new(EXITING_APP);
    let python = bare_interpreter(&project);
    let run = |how: &str, who| {
        let python = python.to_str().unwrap();
        let args = ["run", "suite.toml", "--python", python, "--blocks", "1"];
        project.run_as(who, &[&args[..], &["--out", how, "--stage", how]].concat())
    };
    for who in [As::Me, As::Ordinary] {
        for (how, told) in [
            ("overlay", "were given it in a layer"),
            ("copy", "each stage has a copy of what they belong to"),
        ] {
            if who == As::Ordinary && how == "overlay" {
                continue;
            }
            run(how, who).expect(0);
            let out = project.path().join(how);
            let record = std::fs::read_to_string(out.join("record.jsonl")).unwrap();
            assert!(record.contains(told));
            std::fs::remove_dir_all(out).unwrap();
        }
        let mut files = walkdir::WalkDir::new(project.path().join("bare"))
            .into_iter()
            .flatten();
        assert!(files.all(|entry| entry.file_name() != "__pycache__"));
    }
}
