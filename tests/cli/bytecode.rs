//! States of the app's own bytecode that take more than compiling all of it, as root and as an
//! ordinary user.

use serde_json::Value;

use crate::project::{As, EXITING_APP, Project, fate, seen};

const STATES: &str = r#"
[[scenario]]
name = "only-other"
source = "read-only"
bytecode = { only = ["other"] }

[[scenario]]
name = "only-two"
bytecode = { only = ["helper", "other", "helper"] }

[[scenario]]
name = "stale-size"
bytecode = "stale-size"

[[scenario]]
name = "stale-size-read-only"
source = "read-only"
bytecode = "stale-size"

[[scenario]]
name = "other-optimization"
bytecode = "other-optimization"

[[scenario]]
name = "other-optimization-read-only"
source = "read-only"
bytecode = "other-optimization"

[[scenario]]
name = "sourceless"
bytecode = "sourceless"

[[scenario]]
name = "sourceless-read-only"
source = "read-only"
bytecode = "sourceless"
flags = ["-X", "utf8"]
"#;

/// What becomes of `helper` and `other` under each scenario, DENIED standing for EROFS or EACCES,
/// and the pycs before and after each launch.
const FATES: [(&str, &str, &str, (u64, u64)); 8] = [
    ("only-other", "compiled DENIED", "read", (1, 1)),
    ("only-two", "read", "read", (2, 2)),
    ("stale-size", "compiled written", "compiled written", (3, 3)),
    (
        "stale-size-read-only",
        "compiled DENIED",
        "compiled DENIED",
        (3, 3),
    ),
    (
        "other-optimization",
        "compiled written",
        "compiled written",
        (3, 5),
    ),
    ("sourceless", "read", "read", (2, 2)),
    ("sourceless-read-only", "read", "read", (2, 2)),
    (
        "other-optimization-read-only",
        "compiled DENIED",
        "compiled DENIED",
        (3, 3),
    ),
];

fn check(who: As, stage: &str) {
    let project = Project::new(&format!("{EXITING_APP}{STATES}"));
    project.give_to(who);
    project.measure_staged(who, stage, 2).expect(0);
    for (scenario, helper, other, pycs) in FATES {
        let receipt = project.receipt(scenario);
        assert_eq!(
            (seen(&receipt, "helper"), seen(&receipt, "other")),
            (helper.to_owned(), other.to_owned()),
            "{scenario}"
        );
        for launch in project.launches(scenario) {
            let count = |key: &str| launch[key].as_u64().unwrap();
            assert_eq!(
                (count("pycs_before"), count("pycs_after")),
                pycs,
                "{launch}"
            );
        }
    }
    project.expect_no_violation();
    project.expect_no_stage();
}

#[test]
fn every_state_holds_for_whoever_runs_the_tests_under_a_layer() {
    check(As::Me, "overlay");
}

#[test]
fn every_state_holds_for_whoever_runs_the_tests_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn every_state_holds_for_an_ordinary_user_under_a_layer() {
    check(As::Ordinary, "overlay");
}

#[test]
fn every_state_holds_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

/// A project with one more scenario, of that bytecode.
fn with_bytecode(bytecode: &str) -> Project {
    Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"other\"\nbytecode = {bytecode}\n"
    ))
}

/// An app that brings its bytecode into order before it imports anything.
const MENDING: &str = "import os, py_compile\n\
     for name in ('helper', 'other'):\n    \
         if os.path.exists(name + '.py'):\n        \
             py_compile.compile(name + '.py', doraise=True)\n\
     import helper\n";

#[test]
fn an_app_that_mends_its_bytecode_makes_a_stale_state_a_violation() {
    for state in ["stale-size", "other-optimization"] {
        let project = with_bytecode(&format!("{state:?}"));
        project.write("app/main.py", MENDING);
        project.measure(As::Me, 1).expect(4).says(&[
            "scenario `other`: 2 modules (helper, other) of the app were read from a pyc",
            "nothing was measured",
        ]);
    }
}

#[test]
fn a_module_that_is_read_though_it_is_not_listed_is_a_violation() {
    let project = with_bytecode("{ only = [\"other\"] }");
    project.write("app/main.py", MENDING);
    project
        .measure(As::Me, 1)
        .expect(4)
        .says(&["scenario `other`: the module helper was read from a pyc, and not among those"]);
}

#[test]
fn a_listed_module_that_cannot_be_compiled_is_a_violation() {
    let project = with_bytecode("{ only = [\"other\", \"broken\"] }");
    project.write("app/broken.py", "def\n");
    project
        .measure(As::Me, 1)
        .expect(4)
        .says(&["scenario `other`: 1 pycs were made for 2 modules"]);
}

#[test]
fn a_module_that_is_not_there_is_named_with_its_line() {
    for (only, message) in [
        (
            "{ only = [\"other\", \"gone\"] }",
            "there is no module `gone` below",
        ),
        (
            "{ only = [\"../app/other\"] }",
            "`../app/other` is not a module's name",
        ),
        ("{ only = [\"other.\"] }", "`other.` is not a module's name"),
        ("{ only = [] }", "no module is named"),
        ("{ only = \"other\" }", "{ only = [modules] }"),
    ] {
        let project = with_bytecode(only);
        let line = "suite.toml:18: ";
        project
            .measure(As::Me, 1)
            .expect(2)
            .says(&[message, line, "bytecode = "]);
    }
}

#[test]
fn modules_in_packages_are_named_with_dots() {
    let project = with_bytecode("{ only = [\"shop.models\", \"shop\"] }");
    project.write("app/shop/__init__.py", "");
    project.write("app/shop/models.py", "");
    project.write("app/shop/views.py", "");
    project.write("app/main.py", "import helper, shop.models, shop.views\n");
    project.measure(As::Me, 1).expect(0);
    let receipt = project.receipt("other");
    for (module, wanted) in [
        ("shop", "read"),
        ("shop.models", "read"),
        ("shop.views", "compiled written"),
        ("helper", "compiled written"),
    ] {
        assert_eq!(fate(&receipt, module), wanted, "{module}");
    }
}

#[test]
fn sources_are_gone_but_for_the_script_and_a_prefix_does_not_hide_what_is_left() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"other\"\nbytecode = \"sourceless\"\nprefix = \"empty\"\n"
    ));
    project.write("app/shop/__init__.py", "");
    project.write("app/shop/models.py", "");
    project.write(
        "app/main.py",
        "import glob, sys, helper, shop.models\n\
         left = sorted(glob.glob('**/*.py', recursive=True))\n\
         if helper.__file__.endswith('.pyc'):\n    \
             assert left == ['main.py'], left\n",
    );
    for who in [As::Me, As::Ordinary] {
        project.measure(who, 1).expect(0);
        let receipt = project.receipt("other");
        for module in ["helper", "other", "shop", "shop.models"] {
            assert_eq!(fate(&receipt, module), "read", "{module}");
        }
        assert_eq!(receipt["violations"], Value::Array(Vec::new()));
        std::fs::remove_dir_all(project.path().join("out")).unwrap();
    }
}

#[test]
fn a_source_that_comes_back_is_a_violation() {
    let project = with_bytecode("\"sourceless\"");
    project.write(
        "app/main.py",
        "open('other.py', 'a').write('VALUE = 1\\n')\nimport helper\n",
    );
    project.measure(As::Me, 1).expect(4).says(&[
        "scenario `other`: the module other of the app was compiled, where no source should be left",
    ]);
}

#[test]
fn a_module_that_is_run_by_name_needs_no_source() {
    let suite =
        format!("{EXITING_APP}\n[[scenario]]\nname = \"other\"\nbytecode = \"sourceless\"\n")
            .replace("\"main.py\"", "\"-m\", \"main\"");
    let project = Project::new(&suite);
    project.measure(As::Me, 1).expect(0);
    assert_eq!(fate(&project.receipt("other"), "main"), "read");
}
