//! Bytecode of some modules of what is installed: those that are listed, or those that a command
//! leaves. Under layers and in copies, as root and as an ordinary user.

use std::path::PathBuf;

use crate::installed::{measure, packages, project};
use crate::project::{
    As, EXITING_APP, Project, end, python, seen, stamps, standard_library, start,
    virtual_environment,
};
use crate::states::bare_interpreter;

const PACKAGES: &str = r#"
[[scenario]]
name = "only-one"
source = "read-only"
site-packages = { only = ["parcel.string"] }

[[scenario]]
name = "only-two"
site-packages = { only = ["parcel.string", "parcel", "parcel"] }

[[scenario]]
name = "by"
source = "read-only"
site-packages = { by = ["{python}", "-c", "import parcel, other"] }

[[scenario]]
name = "by-writable"
site-packages = { by = ["{python}", "-c", "import parcel, other"] }

[[scenario]]
name = "by-for-both"
source = "read-only"
bytecode = { by = ["{python}", "-c", "import parcel, other"] }
site-packages = { by = ["{python}", "-c", "import parcel, other"] }

[[scenario]]
name = "by-for-the-app"
source = "read-only"
bytecode = { by = ["{python}", "-c", "import parcel, other"] }
site-packages = "absent"

[[scenario]]
name = "by-for-packages"
source = "read-only"
bytecode = "absent"
site-packages = { by = ["{python}", "-c", "import parcel, other"] }

[[scenario]]
name = "by-two"
source = "read-only"
bytecode = { by = ["{python}", "-c", "import helper"] }
site-packages = { by = ["{python}", "-c", "import parcel.string"] }
"#;

/// What becomes of `helper`, `other`, `parcel`, `parcel.string` and `parcel.late`.
const PACKAGES_FATES: [(&str, [&str; 5]); 9] = [
    ("warm", [READ, READ, READ, READ, READ]),
    ("only-one", [READ, READ, DENIED, READ, DENIED]),
    ("only-two", [READ, READ, READ, READ, WRITTEN]),
    ("by", [READ, READ, READ, READ, DENIED]),
    ("by-writable", [READ, READ, READ, READ, WRITTEN]),
    ("by-for-both", [DENIED, READ, READ, READ, DENIED]),
    ("by-for-the-app", [DENIED, READ, DENIED, DENIED, DENIED]),
    ("by-for-packages", [DENIED, DENIED, READ, READ, DENIED]),
    // The first of them writes wherever it can, and what it leaves in packages is none of theirs.
    ("by-two", [READ, READ, READ, READ, DENIED]),
];

const READ: &str = "read";
const WRITTEN: &str = "compiled written";
const DENIED: &str = "compiled DENIED";

/// A module of the package that only the app loads, not the package itself.
fn with_late_module(scenarios: &str) -> Project {
    let project = project(scenarios);
    let late = packages(&project).join("parcel/late.py");
    std::fs::write(&late, "LATE = 1\n").unwrap();
    let environment = project.path().join("app/.venv/bin/python");
    let late = late.to_str().unwrap();
    start(&environment, &["-m", "compileall", "-q", late]);
    project.write(
        "app/helper.py",
        "import other, parcel, parcel.late, csv\nVALUE = other.VALUE\n",
    );
    project
}

fn check_packages(who: As, stage: &str) {
    let project = with_late_module(PACKAGES);
    let shown = measure(&project, who, stage);
    assert!(
        shown.contains(
            "by: `{python} -c import parcel, other` left 2 modules of site-packages cached: \
             parcel and parcel.string"
        ),
        "{shown}"
    );
    let modules = ["helper", "other", "parcel", "parcel.string", "parcel.late"];
    for (scenario, fates) in PACKAGES_FATES {
        let receipt = project.receipt(scenario);
        let found = modules.map(|module| seen(&receipt, module));
        assert_eq!(found, fates.map(str::to_owned), "{scenario}");
    }
    // The app's three, those that are listed, and the one that is written.
    for (scenario, before, after) in [("only-one", 4, 4), ("only-two", 5, 6)] {
        for launch in project.launches(scenario) {
            assert_eq!(launch["pycs_before"], before, "{launch}");
            assert_eq!(launch["pycs_after"], after, "{launch}");
        }
    }
}

#[test]
fn some_packages_have_bytecode_under_a_layer() {
    check_packages(As::Me, "overlay");
}

#[test]
fn some_packages_have_bytecode_in_a_copy() {
    check_packages(As::Me, "copy");
}

#[test]
fn some_packages_have_bytecode_for_an_ordinary_user_under_a_layer() {
    check_packages(As::Ordinary, "overlay");
}

#[test]
fn some_packages_have_bytecode_for_an_ordinary_user_in_a_copy() {
    check_packages(As::Ordinary, "copy");
}

const LIBRARY: &str = r#"
[[scenario]]
name = "only"
source = "read-only"
stdlib = { only = ["csv", "json.decoder"] }

[[scenario]]
name = "only-writable"
stdlib = { only = ["csv", "json.decoder"] }

[[scenario]]
name = "by"
source = "read-only"
stdlib = { by = ["{python}", "-c", "import csv"] }

[[scenario]]
name = "by-for-the-app"
source = "read-only"
bytecode = { by = ["{python}", "-c", "import helper"] }
stdlib = "absent"
"#;

/// What becomes of `helper`, `csv`, `json` and `json.decoder`.
const LIBRARY_FATES: [(&str, [&str; 4]); 5] = [
    ("warm", [READ, READ, READ, READ]),
    ("only", [READ, READ, DENIED, READ]),
    ("only-writable", [READ, READ, WRITTEN, READ]),
    ("by", [READ, READ, DENIED, DENIED]),
    ("by-for-the-app", [READ, DENIED, DENIED, DENIED]),
];

fn library(scenarios: &str) -> Project {
    let project = Project::new(&format!("{EXITING_APP}{scenarios}"));
    project.write("app/other.py", "import csv, json\nVALUE = 1\n");
    project
}

/// Under the interpreter at this path, whose standard library has to be the same afterwards.
fn check_library(project: &Project, who: As, stage: &str, python: &str) {
    let stdlib = standard_library(python);
    let before = stamps(&stdlib);
    let options = ["--quiet", "--blocks", "2", "--stage", stage];
    end(&mut project.measuring_under(who, python, &options)).expect(0);
    assert!(before == stamps(&stdlib), "{stage}");
    for (scenario, fates) in LIBRARY_FATES {
        let receipt = project.receipt(scenario);
        let found = ["helper", "csv", "json", "json.decoder"].map(|m| seen(&receipt, m));
        assert_eq!(found, fates.map(str::to_owned), "{scenario}");
    }
    for launch in project.launches("only") {
        assert_eq!(
            (&launch["pycs_before"], &launch["pycs_after"]),
            (&5.into(), &5.into())
        );
    }
    project.expect_no_violation();
    project.expect_no_stage();
}

/// The system's is root's, and no ordinary user's.
fn own_interpreter(project: &Project) -> PathBuf {
    let python = bare_interpreter(project);
    project.give_to(As::Ordinary);
    python
}

#[test]
fn some_of_the_standard_library_has_bytecode_under_a_layer() {
    let project = library(LIBRARY);
    let python = own_interpreter(&project);
    check_library(&project, As::Me, "overlay", python.to_str().unwrap());
}

#[test]
fn some_of_the_standard_library_has_bytecode_for_an_ordinary_user_under_a_layer() {
    let project = library(LIBRARY);
    let python = own_interpreter(&project);
    check_library(&project, As::Ordinary, "overlay", python.to_str().unwrap());
}

#[test]
fn some_of_the_standard_library_has_bytecode_in_a_copy_whoever_owns_it() {
    for who in [As::Me, As::Ordinary] {
        check_library(&library(LIBRARY), who, "copy", &python());
    }
}

#[test]
fn an_installed_module_that_is_not_there_is_named_with_its_line() {
    for (state, messages) in [
        (
            "site-packages = { only = [\"parcel\", \"gone\"] }",
            ["there is no module `gone` below", "flask/app.py"],
        ),
        (
            "stdlib = { only = [\"csv\", \"json.gone\"] }",
            ["there is no module `json.gone` below", "json/decoder.py"],
        ),
        (
            "stdlib = { only = [\"sys\"] }",
            ["there is no module `sys` below", "no Python source"],
        ),
        (
            "site-packages = { only = [] }",
            ["no module is named", "site-packages = \"absent\""],
        ),
        (
            "stdlib = { only = [\"json/decoder\"] }",
            ["`json/decoder` is not a module's name", "after `import`"],
        ),
        ("stdlib = { by = [] }", ["command", "is empty"]),
        (
            "stdlib = { by = \"pip\" }",
            ["a state of bytecode is a name", "{ by = [a command] }"],
        ),
        (
            "site-packages = \"warm\"",
            ["`warm` is no value of `site-packages`", "fresh, as-found"],
        ),
    ] {
        let project = project(&format!("\n[[scenario]]\nname = \"other\"\n{state}\n"));
        let args = ["run", "suite.toml", "--out", "out", "--blocks", "1"];
        let ended = project.run(&args).expect(2);
        // That of the file, though the option has changed the suite.
        let line = "suite.toml:19: ";
        ended.says(&[
            messages[0],
            messages[1],
            line,
            state.split(' ').next().unwrap(),
        ]);
        assert!(!project.path().join("out").exists());
    }
}

#[test]
fn an_installed_module_is_looked_for_under_each_interpreter() {
    let project =
        library("\n[[scenario]]\nname = \"other\"\nsite-packages = { only = [\"parcel\"] }\n");
    let environment = virtual_environment(&project);
    let args = ["run", "suite.toml", "--out", "out", "--python", &python()];
    project
        .run(&[&args[..], &["--python", &environment]].concat())
        .expect(2)
        .says(&["there is no module `parcel` below", "suite.toml:18: "]);
}

#[test]
fn a_command_that_leaves_nothing_where_it_should_is_told() {
    for (state, message) in [
        (
            "site-packages = { by = [\"{python}\", \"-c\", \"import other\"] }",
            "left none of site-packages",
        ),
        (
            "stdlib = { by = [\"{python}\", \"-B\", \"-c\", \"import csv\"] }",
            "left none of the standard library",
        ),
    ] {
        let project = project(&format!("\n[[scenario]]\nname = \"by\"\n{state}\n"));
        let args = [
            "run",
            "suite.toml",
            "--out",
            "out",
            "--blocks",
            "1",
            "--stage",
            "copy",
        ];
        project
            .run(&args)
            .expect(4)
            .says(&["nothing was measured", "scenario `by`", message]);
    }
    let by = "site-packages = { by = [\"{python}\", \"-c\", \"import gone\"] }";
    let project = project(&format!("\n[[scenario]]\nname = \"by\"\n{by}\n"));
    let args = ["run", "suite.toml", "--out", "out", "--blocks", "1"];
    project.run(&args).expect(5).says(&[
        "scenario `by`",
        "leave the bytecode failed",
        "No module named 'gone'",
    ]);
}

#[test]
fn an_installed_module_that_is_read_though_it_is_not_listed_is_a_violation() {
    let exiting =
        "\n[[scenario]]\nname = \"other\"\nsite-packages = { only = [\"parcel.string\"] }\n";
    let project = project(exiting);
    project.write(
        "app/main.py",
        // By a process that the receipt does not hear of.
        "import importlib.util, subprocess, sys\n\
         file = importlib.util.find_spec('parcel').origin\n\
         subprocess.run([sys.executable, '-I', '-m', 'compileall', '-qq', file])\n\
         import helper\n",
    );
    let args = ["run", "suite.toml", "--out", "out", "--blocks", "1"];
    project
        .run(&args)
        .expect(4)
        .says(&["scenario `other`: the module parcel was read from a pyc, and not among those"]);
}
