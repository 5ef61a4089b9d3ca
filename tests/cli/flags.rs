//! Flags of the interpreter, as root and as an ordinary user: their effect is seen in the receipt.

use std::path::PathBuf;

use crate::project::{As, EXITING_APP, Project, end, seen, start};
use crate::states::bare_interpreter;

/// A project with more scenarios than `warm`.
fn project(scenarios: &str) -> Project {
    Project::new(&format!("{EXITING_APP}{scenarios}"))
}

/// An interpreter whose standard library is cached as it is after starts without flags, with
/// `-O` and with `-b`.
fn interpreter(project: &Project) -> PathBuf {
    let python = bare_interpreter(project);
    start(&python, &["-c", "pass"]);
    start(&python, &["-O", "-c", "pass"]);
    // Under `-b` more modules are loaded.
    start(&python, &["-b", "-c", "pass"]);
    python
}

const SCENARIOS: &str = r#"
[[scenario]]
name = "optimized"
flags = ["-O"]

[[scenario]]
name = "optimized-absent"
source = "read-only"
bytecode = "absent"
flags = ["-O"]

[[scenario]]
name = "optimized-hits"
source = "read-only"
bytecode = "other-optimization"
flags = ["-O"]

[[scenario]]
name = "optimized-misses"
source = "read-only"
bytecode = "other-optimization"

[[scenario]]
name = "docstrings-off"
prefix = "warm"
flags = ["-OO"]

[[scenario]]
name = "no-writing"
bytecode = "absent"
flags = ["-B"]

[[scenario]]
name = "import-times"
flags = ["-X", "importtime", "-vb"]
"#;

/// What becomes of `helper` under each scenario, DENIED standing for EROFS or EACCES.
const FATES: [(&str, &str); 8] = [
    ("warm", "read"),
    ("optimized", "read"),
    ("optimized-absent", "compiled DENIED"),
    ("optimized-hits", "read"),
    ("optimized-misses", "compiled DENIED"),
    ("docstrings-off", "read"),
    ("no-writing", "compiled"),
    ("import-times", "read"),
];

fn check(who: As) {
    let project = project(SCENARIOS);
    let python = interpreter(&project);
    let python = python.to_str().unwrap();
    end(&mut project.measuring_under(who, python, &["--quiet", "--blocks", "2"])).expect(0);
    for (scenario, wanted) in FATES {
        let receipt = project.receipt(scenario);
        assert_eq!(seen(&receipt, "helper"), wanted, "{scenario}");
        assert_eq!(
            receipt["dont_write_bytecode"],
            scenario == "no-writing",
            "{scenario}"
        );
    }
    for launch in project.launches("no-writing") {
        let count = |key: &str| launch[key].as_u64().unwrap();
        assert_eq!((count("pycs_before"), count("pycs_after")), (0, 0));
    }
    project.expect_no_violation();
    let flags = |scenario: &str| project.receipt(scenario)["flags"].clone();
    assert_eq!(
        flags("import-times"),
        serde_json::json!(["-X", "importtime", "-vb"])
    );
    assert!(flags("warm").is_null());
    project.expect_no_stage();
}

#[test]
fn every_flag_holds_for_whoever_runs_the_tests() {
    check(As::Me);
}

#[test]
fn every_flag_holds_for_an_ordinary_user() {
    check(As::Ordinary);
}

#[test]
fn the_level_that_the_standard_library_lacks_is_made_in_a_layer_or_named() {
    for (flags, level, number) in [("-OO", ".opt-2", "-o 2"), ("-O", ".opt-1", "-o 1")] {
        let project = project(&format!(
            "[[scenario]]\nname = \"o\"\nflags = [\"{flags}\"]\n"
        ));
        let python = bare_interpreter(&project);
        start(&python, &["-c", "pass"]);
        let run = |stage: &str, who| {
            let python = python.to_str().unwrap();
            let args = [
                "run",
                "suite.toml",
                "--quiet",
                "--blocks",
                "2",
                "--python",
                python,
            ];
            project.run_as(
                who,
                &[&args[..], &["--out", stage, "--stage", stage]].concat(),
            )
        };
        for who in [As::Me, As::Ordinary] {
            run("copy", who).expect(4).says(&[
                "outside the app have no bytecode for",
                &format!("{flags} (`*{level}.pyc`)"),
                "nothing was written",
                "compileall",
                number,
            ]);
        }
        run("overlay", As::Me).expect(0);
    }
}

#[test]
fn a_level_that_the_environment_sets_against_the_flags_is_a_violation() {
    let project = project(
        "[[scenario]]\nname = \"b\"\nflags = [\"-B\"]\nprefix = \"empty\"\nenv = { PYTHONOPTIMIZE = \"1\" }\n",
    );
    project
        .measure(As::Me, 1)
        .expect(4)
        .says(&["scenario `b`: sys.flags.optimize is 1 instead of 0"]);
}

#[test]
fn flags_that_cannot_be_are_told_with_their_line() {
    for (flags, message) in [
        ("[\"-I\"]", "under `-I` no receipt can be taken"),
        ("[\"-E\"]", "under `-E` no receipt can be taken"),
        ("[\"-OS\"]", "under `-S` no receipt can be taken"),
        ("[\"-X\", \"pycache_prefix=/tmp\"]", "use the key `prefix`"),
        ("[\"-m\", \"flask\"]", "`-m` says what is run"),
        ("[\"-X\"]", "`-X` lacks its value"),
        ("[\"main.py\"]", "`main.py` is no flag"),
        ("\"-O\"", "expected"),
    ] {
        let project = project(&format!("\n[[scenario]]\nname = \"f\"\nflags = {flags}\n"));
        project
            .measure(As::Me, 1)
            .expect(2)
            .says(&[message, "suite.toml:18: "]);
    }
}

#[test]
fn flags_need_a_command_that_starts_with_the_interpreter() {
    let suite = format!("{EXITING_APP}[[scenario]]\nname = \"f\"\nflags = [\"-O\"]\n")
        .replace("[\"{python}\", \"main.py\"]", "[\"./main.py\"]");
    Project::new(&suite).measure(As::Me, 1).expect(2).says(&[
        "the interpreter's flags have no place in a command that starts with `./main.py`",
        "let app.command start with \"{python}\"",
    ]);
}
