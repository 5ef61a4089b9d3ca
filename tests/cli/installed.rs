//! States of what is installed: a virtual environment's packages and the standard library, under
//! layers and in copies, as root and as an ordinary user.

use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use crate::project::{
    As, EXITING_APP, Project, end, fate, fingerprint, is_root, make_environment, seen, start,
};

/// A project whose app uses a package of its own virtual environment, which lies in its source as
/// it does on most people's machines.
pub fn project(scenarios: &str) -> Project {
    let suite = EXITING_APP.replace("command =", "python = \"app/.venv/bin/python\"\ncommand =");
    let project = Project::new(&format!("{suite}{scenarios}"));
    let python = make_environment(&project.path().join("app/.venv"));
    let packages = packages(&project);
    std::fs::create_dir_all(packages.join("parcel")).unwrap();
    std::fs::write(
        packages.join("parcel/__init__.py"),
        "from . import string\n",
    )
    .unwrap();
    std::fs::write(packages.join("parcel/string.py"), "TEXT = 'text'\n").unwrap();
    start(
        &python,
        &["-m", "compileall", "-q", &packages.to_string_lossy()],
    );
    project.write(
        "app/helper.py",
        "import other, parcel, csv\nVALUE = other.VALUE\n",
    );
    project
}

pub fn packages(project: &Project) -> PathBuf {
    let lib = project.path().join("app/.venv/lib");
    let version = std::fs::read_dir(lib).unwrap().next().unwrap().unwrap();
    version.path().join("site-packages")
}

const STATES: &str = r#"
[[scenario]]
name = "absent"
site-packages = "absent"

[[scenario]]
name = "absent-read-only"
source = "read-only"
site-packages = "absent"

[[scenario]]
name = "stale-mtime"
source = "read-only"
site-packages = "stale-mtime"

[[scenario]]
name = "stale-size"
site-packages = "stale-size"

[[scenario]]
name = "unchecked-hash"
site-packages = "unchecked-hash"

[[scenario]]
name = "checked-hash"
site-packages = "checked-hash"

[[scenario]]
name = "as-found"
bytecode = "as-found"
site-packages = "as-found"
"#;

/// What becomes of the modules `parcel` and `other`.
const FATES: [(&str, &str, &str); 8] = [
    ("warm", "read", "read"),
    ("absent", "compiled written", "read"),
    ("absent-read-only", "compiled DENIED", "read"),
    ("stale-mtime", "compiled DENIED", "read"),
    ("stale-size", "compiled written", "read"),
    ("unchecked-hash", "read", "read"),
    ("checked-hash", "read", "read"),
    ("as-found", "read", "compiled written"),
];

const STDLIB_STATES: &str = r#"
[[scenario]]
name = "absent"
stdlib = "absent"

[[scenario]]
name = "stale-mtime"
source = "read-only"
stdlib = "stale-mtime"

[[scenario]]
name = "all-absent"
source = "read-only"
bytecode = "absent"
site-packages = "absent"
stdlib = "absent"
"#;

/// What becomes of the modules `csv`, `parcel` and `other`.
const STDLIB_FATES: [(&str, &str, &str, &str); 4] = [
    ("warm", "read", "read", "read"),
    ("absent", "compiled written", "read", "read"),
    ("stale-mtime", "compiled DENIED", "read", "read"),
    (
        "all-absent",
        "compiled DENIED",
        "compiled DENIED",
        "compiled DENIED",
    ),
];

/// Measures, and proves that the environment, packages and all, is what it was.
pub fn measure(project: &Project, who: As, stage: &str) -> String {
    project.give_to(who);
    let app = project.path().join("app");
    let before = fingerprint(&app);
    let args = [
        "run",
        "suite.toml",
        "--out",
        "out",
        "--blocks",
        "2",
        "--stage",
        stage,
    ];
    let shown = project.run_as(who, &args).expect(0).stdout;
    assert_eq!(before, fingerprint(&app));
    project.expect_no_stage();
    project.expect_no_violation();
    shown.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn check(who: As, stage: &str) {
    let project = project(STATES);
    let shown = measure(&project, who, stage);
    assert!(
        shown.contains(
            "under absent-read-only 2 modules of site-packages are compiled at every start \
             (parcel and parcel.string); none of it can be written"
        ),
        "{shown}"
    );
    for (scenario, parcel, other) in FATES {
        let receipt = project.receipt(scenario);
        assert_eq!(seen(&receipt, "parcel"), parcel, "{scenario}");
        assert_eq!(seen(&receipt, "other"), other, "{scenario}");
        let origin = |module: &str| {
            let modules = receipt["modules"].as_array().unwrap();
            let module = modules.iter().find(|m| m["name"] == module).unwrap();
            module["origin"].as_str().unwrap().to_owned()
        };
        assert_eq!(origin("parcel.string"), "site-packages");
        assert_eq!(origin("helper"), "app");
    }
}

#[test]
fn packages_have_every_state_under_a_layer() {
    check(As::Me, "overlay");
}

#[test]
fn packages_have_every_state_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn packages_have_every_state_for_an_ordinary_user_under_a_layer() {
    check(As::Ordinary, "overlay");
}

#[test]
fn packages_have_every_state_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

fn check_all_parts(who: As, stage: &str) {
    let project = project(STDLIB_STATES);
    let shown = measure(&project, who, stage);
    assert!(
        shown.contains("of the app, 2 of site-packages and"),
        "{shown}"
    );
    for (scenario, csv, parcel, other) in STDLIB_FATES {
        let receipt = project.receipt(scenario);
        let fates = ["csv", "parcel", "other"].map(|module| seen(&receipt, module));
        assert_eq!(fates, [csv, parcel, other].map(str::to_owned), "{scenario}");
    }
}

#[test]
fn the_standard_library_has_states_under_a_layer() {
    // It is root's.
    if is_root() {
        check_all_parts(As::Me, "overlay");
    }
}

#[test]
fn the_standard_library_has_states_in_a_copy_whoever_owns_it() {
    for who in [As::Me, As::Ordinary] {
        check_all_parts(who, "copy");
    }
}

#[test]
fn an_interpreter_of_ones_own_has_states_of_its_standard_library_too() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n\
         [[scenario]]\nname = \"absent\"\nstdlib = \"absent\"\n\
         [[scenario]]\nname = \"denied\"\nsource = \"read-only\"\nstdlib = \"absent\"\n"
    ));
    project.write("app/other.py", "import csv\nVALUE = 1\n");
    let python = crate::states::bare_interpreter(&project);
    project.give_to(As::Ordinary);
    let options = ["--quiet", "--blocks", "1", "--stage", "overlay"];
    let python = python.to_str().unwrap();
    end(&mut project.measuring_under(As::Ordinary, python, &options)).expect(0);
    for (scenario, wanted) in [
        ("warm", "read"),
        ("absent", "compiled written"),
        ("denied", "compiled DENIED"),
    ] {
        assert_eq!(
            seen(&project.receipt(scenario), "csv"),
            wanted,
            "{scenario}"
        );
    }
    project.expect_no_violation();
}

#[test]
fn by_modes_and_by_a_mount_are_told_apart_in_the_receipt() {
    for (who, stage) in [
        (As::Me, "overlay"),
        (As::Me, "copy"),
        (As::Ordinary, "overlay"),
        (As::Ordinary, "copy"),
    ] {
        let project = Project::new(&format!(
            "{EXITING_APP}\n\
             [[scenario]]\nname = \"modes\"\nsource = \"read-only-modes\"\nbytecode = \"absent\"\n\
             [[scenario]]\nname = \"mount\"\nsource = \"read-only-mount\"\nbytecode = \"absent\"\n"
        ));
        project.give_to(who);
        project.measure_staged(who, stage, 1).expect(0);
        assert_eq!(fate(&project.receipt("modes"), "helper"), "compiled EACCES");
        assert_eq!(fate(&project.receipt("mount"), "helper"), "compiled EROFS");
    }
}

/// As uv installs them.
#[test]
fn packages_without_bytecode_get_it_in_a_layer_or_a_copy() {
    let project = project("\n[[scenario]]\nname = \"cold\"\nsite-packages = \"absent\"\n");
    let packages = packages(&project);
    std::fs::remove_dir_all(packages.join("parcel/__pycache__")).unwrap();
    let before = fingerprint(project.path().join("app").as_path());
    for (who, stage) in [
        (As::Me, "overlay"),
        (As::Me, "copy"),
        (As::Ordinary, "copy"),
    ] {
        let options = ["--quiet", "--blocks", "1", "--stage", stage];
        let python = "app/.venv/bin/python3";
        end(&mut project.measuring_under(who, python, &options)).expect(0);
        assert_eq!(seen(&project.receipt("warm"), "parcel"), "read", "{stage}");
        let cold = seen(&project.receipt("cold"), "parcel");
        assert_eq!(cold, "compiled written", "{stage}");
        project.expect_no_violation();
        assert!(before == fingerprint(project.path().join("app").as_path()));
        std::fs::remove_dir_all(project.path().join("out")).unwrap();
    }
}

#[test]
fn an_app_may_have_several_sources_and_a_working_directory_of_its_own() {
    let suite = EXITING_APP
        .replace(
            "source = \"app\"",
            "source = [\"app\", \"lib\"]\ndirectory = \".\"",
        )
        .replace("\"main.py\"", "\"app/main.py\"")
        .replace(
            "[measure]",
            "env = { PYTHONPATH = \"lib\" }\n[measure]\nmetrics = [\"exit\"]",
        );
    for stage in ["overlay", "copy"] {
        let project = Project::new(&format!(
            "{suite}\n[[scenario]]\nname = \"cold\"\nsource = \"read-only\"\nbytecode = \"absent\"\n"
        ));
        project.write("lib/extra.py", "");
        project.write(
            "app/other.py",
            "import extra\nVALUE = open('data.txt').read()\n",
        );
        project.write("app/helper.py", "import other\nVALUE = other.VALUE\n");
        project.write("data.txt", "read");
        // The folder of temporary files lies in it, so that no layer can cover it.
        let before = std::fs::metadata(project.path()).unwrap();
        let ended = project.measure_staged(As::Me, stage, 1);
        if stage == "overlay" {
            ended.expect(0);
            let receipt = project.receipt("cold");
            assert_eq!(fate(&receipt, "extra"), "compiled EROFS");
            assert_eq!(fate(&receipt, "helper"), "compiled EROFS");
            assert_eq!(fate(&project.receipt("warm"), "extra"), "read");
        } else {
            // Nothing leads from that directory into the copy.
            ended
                .expect(4)
                .says(&["outside the app have no bytecode", "nothing was written"]);
        }
        let after = std::fs::metadata(project.path()).unwrap();
        assert_eq!(
            (before.uid(), before.gid(), before.mode()),
            (after.uid(), after.gid(), after.mode())
        );
    }
}

#[test]
fn an_app_that_is_installed_needs_no_source() {
    let suite = EXITING_APP
        .replace("source = \"app\"\n", "python = \"app/.venv/bin/python\"\n")
        .replace(
            "[\"{python}\", \"main.py\"]",
            "[\"{python}\", \"-m\", \"parcel.string\"]",
        )
        .replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    let with_source = project("");
    with_source.write(
        "suite.toml",
        &format!("{suite}\n[[scenario]]\nname = \"cold\"\nsource = \"read-only\"\nsite-packages = \"absent\"\n"),
    );
    let args = ["run", "suite.toml", "--out", "out", "--blocks", "1"];
    with_source.run(&args).expect(0);
    assert_eq!(
        seen(&with_source.receipt("cold"), "parcel"),
        "compiled DENIED"
    );
    assert_eq!(fate(&with_source.receipt("warm"), "parcel"), "read");
}
