//! Private copies of the standard library: every state of its bytecode without a layer, as root and
//! as an ordinary user, whoever owns the interpreter.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::project::{
    As, EXITING_APP, Ended, Project, end, is_root, other_python, python, seen, stamps,
    standard_library, start,
};
use crate::states::bare_interpreter;

const STATES: &str = r#"
[[scenario]]
name = "fresh"
stdlib = "fresh"

[[scenario]]
name = "as-found"
stdlib = "as-found"

[[scenario]]
name = "absent"
stdlib = "absent"

[[scenario]]
name = "absent-read-only"
source = "read-only"
stdlib = "absent"

[[scenario]]
name = "absent-dont-write"
stdlib = "absent"
dont-write-bytecode = true

[[scenario]]
name = "stale-mtime"
source = "read-only"
stdlib = "stale-mtime"

[[scenario]]
name = "stale-size"
stdlib = "stale-size"

[[scenario]]
name = "unchecked-hash"
stdlib = "unchecked-hash"

[[scenario]]
name = "checked-hash"
source = "read-only"
stdlib = "checked-hash"

[[scenario]]
name = "other-optimization"
source = "read-only"
stdlib = "other-optimization"

[[scenario]]
name = "sourceless"
stdlib = "sourceless"

[[scenario]]
name = "empty-pyc"
stdlib = "empty-pyc"

[[scenario]]
name = "empty-pyc-read-only"
source = "read-only"
stdlib = "empty-pyc"

[[scenario]]
name = "wrong-magic"
stdlib = "wrong-magic"

[[scenario]]
name = "wrong-magic-read-only"
source = "read-only"
stdlib = "wrong-magic"

[[scenario]]
name = "first"
prefix = "empty"
stdlib = "absent"
"#;

const READ: &str = "read";
const WRITTEN: &str = "compiled written";
const DENIED: &str = "compiled DENIED";

/// What becomes of `csv`.
const FATES: [(&str, &str); 17] = [
    ("warm", READ),
    ("fresh", READ),
    ("as-found", READ),
    ("absent", WRITTEN),
    ("absent-read-only", DENIED),
    ("absent-dont-write", "compiled"),
    ("stale-mtime", DENIED),
    ("stale-size", WRITTEN),
    ("unchecked-hash", READ),
    ("checked-hash", READ),
    ("other-optimization", DENIED),
    ("sourceless", READ),
    ("empty-pyc", WRITTEN),
    ("empty-pyc-read-only", DENIED),
    ("wrong-magic", WRITTEN),
    ("wrong-magic-read-only", DENIED),
    ("first", WRITTEN),
];

/// Under these, the interpreter is as it is.
const ITS_OWN: [&str; 3] = ["warm", "fresh", "as-found"];

fn project(scenarios: &str) -> Project {
    let exiting = EXITING_APP.replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    let project = Project::new(&format!("{exiting}{scenarios}"));
    project.write("app/other.py", "import csv\nVALUE = 1\n");
    project
}

fn measure(project: &Project, who: As, python: &str) -> Ended {
    let options = ["--quiet", "--blocks", "2", "--stage", "copy"];
    end(&mut project.measuring_under(who, python, &options))
}

fn check(project: &Project, who: As, python: &str, fates: &[(&str, &str)]) {
    let stdlib = standard_library(python);
    let before = stamps(&stdlib);
    measure(project, who, python).expect(0);
    assert!(before == stamps(&stdlib));
    for &(scenario, fate) in fates {
        let receipt = project.receipt(scenario);
        assert_eq!(seen(&receipt, "csv"), fate, "{scenario}");
        assert_eq!(
            seen(&receipt, "helper"),
            if scenario == "first" { WRITTEN } else { READ }
        );
        let executable = receipt["executable"].as_str().unwrap();
        assert_eq!(
            executable.contains("coldsnake-stage"),
            !ITS_OWN.contains(&scenario),
            "{scenario}: {executable}"
        );
    }
    project.expect_no_violation();
    project.expect_no_stage();
}

#[test]
fn every_state_holds_for_whoever_runs_the_tests() {
    check(&project(STATES), As::Me, &python(), &FATES);
}

#[test]
fn every_state_holds_for_an_ordinary_user() {
    check(&project(STATES), As::Ordinary, &python(), &FATES);
}

#[test]
fn a_virtual_environment_has_a_private_standard_library_too() {
    let states = format!(
        "{ABSENT}\n[[scenario]]\nname = \"checked-hash\"\nsource = \"read-only\"\nstdlib = \"checked-hash\"\n\
         [[scenario]]\nname = \"sourceless\"\nstdlib = \"sourceless\"\n"
    );
    let fates = [
        ("warm", READ),
        ("absent", WRITTEN),
        ("checked-hash", READ),
        ("sourceless", READ),
    ];
    for who in [As::Me, As::Ordinary] {
        for options in [&[][..], &["--copies"]] {
            let project = project(&states);
            let folder = project.path().join("env");
            let usual = ["-m", "venv", "--without-pip", folder.to_str().unwrap()];
            start(Path::new(&python()), &[&usual[..], options].concat());
            let python = folder.join("bin/python3");
            check(&project, who, python.to_str().unwrap(), &fates);
        }
    }
}

#[test]
fn a_standard_library_whose_pycs_break_off_is_told() {
    for (who, stage) in [
        (As::Me, "overlay"),
        (As::Me, "copy"),
        (As::Ordinary, "copy"),
    ] {
        if stage == "overlay" && !is_root() {
            continue;
        }
        let project = project("\n[[scenario]]\nname = \"broken\"\nstdlib = \"corrupt\"\n");
        let options = ["--quiet", "--blocks", "1", "--stage", stage];
        end(&mut project.measuring(who, &options))
            .expect(5)
            .says(&["cannot be launched under `broken`", "EOFError"]);
        assert!(!project.path().join("out").exists());
        project.expect_no_stage();
    }
}

const ABSENT: &str = "\n[[scenario]]\nname = \"absent\"\nstdlib = \"absent\"\n";

/// One that may be linked with a shared library, and find its own by an absolute path.
#[test]
fn another_interpreter_has_a_private_copy_too() {
    let project = project(ABSENT);
    let python = other_python(&project);
    check_absent(&project, &python);
}

#[track_caller]
fn check_absent(project: &Project, python: &str) {
    let stdlib = standard_library(python);
    let before = stamps(&stdlib);
    measure(project, As::Me, python).expect(0);
    assert!(before == stamps(&stdlib));
    assert_eq!(seen(&project.receipt("absent"), "csv"), WRITTEN);
    project.expect_no_violation();
}

/// Compares what its interpreter is with what the real one is, which is in the environment. Once, to
/// see what it loads, the app is launched under that one.
const COMPARING: &str = "\
import csv, helper, json, os, subprocess, sys
ask = 'import csv, json, sys; print(json.dumps([sys.version, str(sys.flags), sys.path, csv.__file__]))'
version, flags, path, file = json.loads(os.environ['REAL'])
if 'coldsnake-stage' not in sys.executable:
    sys.exit()
# Children find the same library, whatever they ignore.
for options in (['-B'], ['-I', '-B'], ['-E', '-B']):
    said = subprocess.run([sys.executable, *options, '-c', ask], capture_output=True, check=True)
    child = json.loads(said.stdout)
    assert child[0] == version and child[3] == csv.__file__ != file, child
    if options == ['-I', '-B']:
        assert child[1] == flags, child
assert 'PYTHONHOME' not in os.environ
library = os.path.dirname(csv.__file__)
ours = [entry for entry in sys.path[1:] if os.path.exists(entry)]
theirs = [entry for entry in path if os.path.exists(entry)]
assert len(ours) == len(theirs), (ours, theirs)
for own, real in zip(ours, theirs):
    if real == os.path.dirname(file):
        assert own == library != real, (own, real)
    else:
        assert os.path.realpath(own) == os.path.realpath(real), (own, real)
";

#[test]
fn an_app_finds_all_else_where_it_was_and_so_do_its_children() {
    for environment in [false, true] {
        let project = project("");
        let python = if environment {
            let options = ["-m", "venv", "--without-pip", "--system-site-packages"];
            let folder = project.path().join("env");
            start(
                Path::new(&python()),
                &[&options[..], &[folder.to_str().unwrap()]].concat(),
            );
            folder.join("bin/python").display().to_string()
        } else {
            python()
        };
        let ask = "import csv, json, sys; print(json.dumps([sys.version, str(sys.flags), sys.path, csv.__file__]))";
        let output = Command::new(&python)
            .args(["-I", "-B", "-c", ask])
            .output()
            .unwrap();
        let real = String::from_utf8(output.stdout).unwrap();
        let suite = EXITING_APP.replace(
            "[measure]",
            &format!(
                "env = {{ REAL = '''{}''' }}\n[measure]\nmetrics = [\"exit\"]",
                real.trim()
            ),
        );
        project.write("suite.toml", &format!("{suite}stdlib = \"absent\"\n"));
        project.write("app/main.py", COMPARING);
        for who in [As::Me, As::Ordinary] {
            measure(&project, who, &python).expect(0);
            let receipt = project.receipt("warm");
            assert!(
                receipt["executable"]
                    .to_string()
                    .contains("coldsnake-stage")
            );
            fs::remove_dir_all(project.path().join("out")).unwrap();
        }
    }
}

/// A project whose interpreter is a script in the place of one that lies elsewhere, and whose standard
/// library has no bytecode under any scenario.
fn wrapped(script: &str) -> (Project, PathBuf) {
    let project = project(&format!("stdlib = \"absent\"\n{ABSENT}"));
    let python = bare_interpreter(&project);
    let program = project.path().join("elsewhere/python3");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::rename(&python, &program).unwrap();
    let script = script
        .replace("PROGRAM", program.to_str().unwrap())
        .replace("PLACE", python.to_str().unwrap());
    fs::write(&python, format!("#!/bin/bash\n{script}\n")).unwrap();
    fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
    (project, python)
}

#[test]
fn a_wrapper_that_passes_on_its_own_path_is_as_good_as_an_interpreter() {
    let (project, python) = wrapped("exec -a \"$0\" 'PROGRAM' \"$@\"");
    check_absent(&project, python.to_str().unwrap());
}

#[test]
fn an_interpreter_that_is_told_where_it_lies_cannot_lie_elsewhere() {
    let (project, python) = wrapped("exec -a 'PLACE' 'PROGRAM' \"$@\"");
    measure(&project, As::Me, python.to_str().unwrap())
        .expect(4)
        .says(&[
            "scenario `warm` changes the bytecode of the standard library",
            "no private copy of",
            "all the same",
            "--python PATH",
        ]);
    assert!(!project.path().join("out").exists());
    project.expect_no_stage();
}
