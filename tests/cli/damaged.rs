//! Pycs that CPython cannot use, as root and as an ordinary user: those that it replaces, and the
//! one kind that it does not.

use crate::project::{As, EXITING_APP, Project, seen};

const STATES: &str = r#"
[[scenario]]
name = "empty-pyc"
bytecode = "empty-pyc"

[[scenario]]
name = "empty-pyc-read-only"
source = "read-only"
bytecode = "empty-pyc"

[[scenario]]
name = "wrong-magic"
bytecode = "wrong-magic"

[[scenario]]
name = "wrong-magic-dont-write"
bytecode = "wrong-magic"
dont-write-bytecode = true

[[scenario]]
name = "hidden"
bytecode = "corrupt"
prefix = "warm"
"#;

/// What becomes of `helper` and `other` under each scenario; DENIED stands for EROFS or EACCES.
const FATES: [(&str, &str); 5] = [
    ("empty-pyc", "compiled written"),
    ("empty-pyc-read-only", "compiled DENIED"),
    ("wrong-magic", "compiled written"),
    ("wrong-magic-dont-write", "compiled"),
    // A prefix hides what lies beside the source.
    ("hidden", "read"),
];

fn check(who: As, stage: &str) {
    let project = Project::new(&format!("{EXITING_APP}{STATES}"));
    project.give_to(who);
    // Twice, so that what a launch mends is seen to be broken again for the next one.
    project.measure_staged(who, stage, 2).expect(0);
    for (scenario, wanted) in FATES {
        let receipt = project.receipt(scenario);
        for module in ["helper", "other"] {
            assert_eq!(seen(&receipt, module), wanted, "{scenario}: {module}");
        }
    }
    project.expect_no_violation();
    project.expect_no_stage();
}

#[test]
fn what_is_damaged_is_compiled_anew_for_whoever_runs_the_tests_under_a_layer() {
    check(As::Me, "overlay");
}

#[test]
fn what_is_damaged_is_compiled_anew_for_whoever_runs_the_tests_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn what_is_damaged_is_compiled_anew_for_an_ordinary_user_under_a_layer() {
    check(As::Ordinary, "overlay");
}

#[test]
fn what_is_damaged_is_compiled_anew_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

#[test]
fn an_app_whose_pycs_break_off_cannot_be_launched_and_the_pyc_is_named() {
    for who in [As::Me, As::Ordinary] {
        let project = Project::new(&format!(
            "{EXITING_APP}\n[[scenario]]\nname = \"broken\"\nbytecode = \"corrupt\"\n"
        ));
        project.measure(who, 1).expect(5).says(&[
            "cannot be launched under `broken`: the code in __pycache__/helper.",
            "EOFError",
            "delete the pyc",
            "exit status 1",
        ]);
        assert!(!project.path().join("out").exists());
        project.expect_no_stage();
    }
}

#[test]
fn a_damaged_pyc_that_the_app_replaces_before_it_is_imported_is_a_violation() {
    for state in ["empty-pyc", "wrong-magic", "corrupt"] {
        // A launch that imports `helper` alone would not be mended.
        let exiting = EXITING_APP.replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
        let project = Project::new(&format!(
            "{exiting}\n[[scenario]]\nname = \"mended\"\nbytecode = {state:?}\n"
        ));
        project.write(
            "app/main.py",
            "import py_compile\n\
             for name in ('helper', 'other'):\n    \
                 py_compile.compile(name + '.py', doraise=True)\n\
             import helper\n",
        );
        project.measure(As::Me, 1).expect(4).says(&[
            "scenario `mended`: 2 modules (helper, other) of the app were read from a pyc",
            "nothing was measured",
        ]);
    }
}
