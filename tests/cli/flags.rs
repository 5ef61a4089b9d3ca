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

[[scenario]]
name = "isolated"
flags = ["-I"]

[[scenario]]
name = "isolated-absent"
source = "read-only"
bytecode = "absent"
flags = ["-IB"]

[[scenario]]
name = "isolated-first"
source = "read-only"
bytecode = "absent"
prefix = "empty"
flags = ["-E"]

[[scenario]]
name = "isolated-later"
source = "read-only"
bytecode = "absent"
prefix = "warm"
flags = ["-IO"]

[[scenario]]
name = "without-site"
bytecode = "absent"
flags = ["-S", "-P"]
"#;

/// Finds its modules under `-I` and `-P`, too.
const MAIN: &str = "import os, sys\n\
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))\n\
    import helper\nprint(helper.VALUE)\n";

/// What becomes of `helper` under each scenario, DENIED standing for EROFS or EACCES.
const FATES: [(&str, &str); 13] = [
    ("warm", "read"),
    ("optimized", "read"),
    ("optimized-absent", "compiled DENIED"),
    ("optimized-hits", "read"),
    ("optimized-misses", "compiled DENIED"),
    ("docstrings-off", "read"),
    ("no-writing", "compiled"),
    ("import-times", "read"),
    ("isolated", "read"),
    ("isolated-absent", "compiled"),
    ("isolated-first", "compiled written"),
    ("isolated-later", "read"),
    ("without-site", "compiled written"),
];

fn check(who: As, stage: &str) {
    let project = project(SCENARIOS);
    // Under `-I` the import alone would not find what it is to import.
    let suite = std::fs::read_to_string(project.path().join("suite.toml")).unwrap();
    project.write(
        "suite.toml",
        &suite.replace("[measure]", "[measure]\nmetrics = [\"exit\"]"),
    );
    project.write("app/main.py", MAIN);
    let python = interpreter(&project);
    let python = python.to_str().unwrap();
    project.give_to(who);
    let options = ["--quiet", "--blocks", "2", "--stage", stage];
    end(&mut project.measuring_under(who, python, &options)).expect(0);
    for (scenario, wanted) in FATES {
        let receipt = project.receipt(scenario);
        assert_eq!(seen(&receipt, "helper"), wanted, "{scenario}");
        assert_eq!(
            receipt["dont_write_bytecode"],
            ["no-writing", "isolated-absent"].contains(&scenario),
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
    assert_eq!(flags("isolated-later"), serde_json::json!(["-IO"]));
    assert!(flags("warm").is_null());
    project.expect_no_stage();
}

#[test]
fn every_flag_holds_for_whoever_runs_the_tests() {
    check(As::Me, "overlay");
}

#[test]
fn every_flag_holds_for_whoever_runs_the_tests_in_a_copy() {
    check(As::Me, "copy");
}

#[test]
fn every_flag_holds_for_an_ordinary_user() {
    check(As::Ordinary, "overlay");
}

#[test]
fn every_flag_holds_for_an_ordinary_user_in_a_copy() {
    check(As::Ordinary, "copy");
}

/// Says, once a launch, what it is run as.
const CURIOUS: &str = r#"import json, os, sys
main = sys.modules["__main__"]
seen = {
    "argv": sys.argv,
    "path": sys.path,
    "names": sorted(set(vars(main)) - {"json", "os", "sys", "main", "curious"}),
    "name": main.__name__,
    "package": main.__package__,
    "loader": getattr(main.__loader__, "__name__", type(main.__loader__).__name__),
    "spec": getattr(main.__spec__, "name", None),
    "file": getattr(main, "__file__", None),
    "prefix": sys.pycache_prefix is not None,
    "flags": [sys.flags.isolated, sys.flags.ignore_environment, sys.flags.no_site],
}
with open(os.environ["SEEN"], "a") as file:
    print(json.dumps(seen), file=file)
"#;

#[test]
fn an_app_that_the_hook_cannot_reach_by_itself_is_run_as_it_would_be() {
    for words in [
        r#""-I", "main.py", "-m""#,
        r#""-E", "-s", "main.py""#,
        r#""-Em", "main", "x""#,
        r#""-Sm", "pack", "x""#,
        r#""-E", ".""#,
        r#""-I", "zipped.pyz", "x""#,
        r#""-I", "folder""#,
        r#""-E", "-c", "import curious", "x""#,
    ] {
        let suite = format!("{EXITING_APP}prefix = \"empty\"\n")
            .replace("[measure]", "[measure]\nmetrics = [\"exit\"]")
            .replace(
                r#""{python}", "main.py""#,
                &format!("\"{{python}}\", {words}"),
            );
        let project = Project::new(&suite);
        let seen = project.path().join("seen");
        let env = format!("[app]\nenv = {{ SEEN = {seen:?} }}");
        project.write("suite.toml", &suite.replace("[app]", &env));
        for file in [
            "main.py",
            "__main__.py",
            "curious.py",
            "pack/__main__.py",
            "folder/__main__.py",
        ] {
            project.write(&format!("app/{file}"), CURIOUS);
        }
        project.write("app/pack/__init__.py", "");
        start(
            std::path::Path::new(&crate::project::python()),
            &[
                "-m",
                "zipapp",
                project.path().join("app/folder").to_str().unwrap(),
                "-o",
                project.path().join("app/zipped.pyz").to_str().unwrap(),
            ],
        );
        project.measure(As::Me, 1).expect(0);
        let text = std::fs::read_to_string(&seen).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        // Of the launches with the hook, the last is the receipt's; two are the block's.
        assert_eq!(lines.len(), 4, "{words}: {text}");
        assert_eq!(lines[1], lines[2], "{words}");
        assert!(text.contains("\"prefix\": true"), "{words}: {text}");
    }
}

#[test]
fn the_level_that_the_standard_library_lacks_is_made_in_a_layer_or_a_copy() {
    for flags in ["-OO", "-O"] {
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
            run("copy", who).expect(0);
            std::fs::remove_dir_all(project.path().join("copy")).unwrap();
        }
        run("overlay", As::Me).expect(0);
    }
}

#[test]
fn the_level_that_modules_outside_the_app_lack_is_named_where_they_cannot_be_copied() {
    for (flags, level, number) in [("-OO", ".opt-2", "-o 2"), ("-O", ".opt-1", "-o 1")] {
        let project = project(&format!("flags = [\"{flags}\"]\n"));
        project.write("lib/extra.py", "");
        project.write("app/other.py", "import extra\nVALUE = 1\n");
        let suite = std::fs::read_to_string(project.path().join("suite.toml")).unwrap();
        let lib = project.path().join("lib");
        let found = format!("[app]\nenv = {{ PYTHONPATH = {lib:?} }}\n");
        project.write("suite.toml", &suite.replacen("[app]\n", &found, 1));
        for who in [As::Me, As::Ordinary] {
            project.measure_staged(who, "copy", 1).expect(4).says(&[
                "extra",
                &format!("outside the app have no bytecode for {flags} (`*{level}.pyc`)"),
                "nothing was written",
                "compileall",
                number,
            ]);
        }
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
fn a_variable_that_the_flags_switch_off_is_refused() {
    let suite = format!("{EXITING_APP}\n[[scenario]]\nname = \"f\"\ndont-write-bytecode = true\n");
    let in_command = suite.replace("\"main.py\"", "\"-I\", \"main.py\"");
    for suite in [format!("{suite}flags = [\"-SE\"]\n"), in_command] {
        Project::new(&suite).measure(As::Me, 1).expect(2).says(&[
            "under -I or -E the interpreter does not look at PYTHONDONTWRITEBYTECODE",
            "suite.toml:18: ",
            "add \"-B\" to `flags`",
        ]);
    }
    // What another program gets is no flag of the interpreter's.
    let other = suite.replace(
        "\"{python}\", \"main.py\"",
        "\"env\", \"-S\", \"true\", \"-E\"",
    );
    let project = Project::new(&other);
    assert_ne!(project.measure(As::Me, 1).status, 2);
}

#[test]
fn a_module_that_is_not_found_under_isolation_is_told_with_what_helps() {
    let project = project("[[scenario]]\nname = \"i\"\nflags = [\"-I\"]\n");
    project.write("app/main.py", MAIN);
    project.measure(As::Me, 1).expect(5).says(&[
        "`helper` cannot be imported under `i`",
        "leave `import` out of measure.metrics",
    ]);
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

#[test]
fn a_script_of_the_environment_keeps_the_flags_of_its_first_line() {
    let suite = EXITING_APP
        .replace("[\"{python}\", \"main.py\"]", "[\"tool\"]")
        .replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    let project = Project::new(&suite);
    let python = crate::project::make_environment(&project.path().join("venv"));
    let python = python.to_str().unwrap();
    let tool = "venv/bin/tool";
    project.write(
        tool,
        &format!("#!{python} -Es\nimport sys\nsys.exit(sys.flags.ignore_environment != 1)\n"),
    );
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(project.path().join(tool), mode).unwrap();
    end(&mut project.measuring_under(As::Me, python, &["--blocks", "1"])).expect(0);
}
