//! Claims on what compiling a module takes, on a second import in one process, and on several
//! interpreters over one tree: each supported, refuted and inconclusive.

use std::fs;

use serde_json::Value;

use crate::project::{EXITING_APP, Project, other_python, python, version, virtual_environment};

/// A suite in which launches import, and more modules are compiled than the app's.
fn suite(scenario: &str, expect: &str) -> String {
    let measured = EXITING_APP.replace(
        "budget = \"60s\"",
        "budget = \"60s\"\nmetrics = [\"exit\", \"import\"]",
    );
    format!(
        "{measured}\n[[scenario]]\nname = \"cold\"\nbytecode = \"absent\"\n\n\
         [[scenario]]\nname = \"prefix-first\"\nprefix = \"empty\"\n\n\
         [[claim]]\nid = \"c\"\ntext = \"so it is\"\nscenario = \"{scenario}\"\nexpect = {expect}\n"
    )
}

fn measure(project: &Project, pythons: &[&str]) {
    let mut args = vec!["run", "suite.toml", "--blocks", "1", "--out", "out"];
    args.extend(pythons.iter().flat_map(|python| ["--python", python]));
    project.run(&args).expect(0);
}

/// Verdict and words of the claim, by `report` from the record.
fn decision(project: &Project) -> (String, String) {
    let printed = project
        .run(&["report", "out", "--format", "json"])
        .expect(0);
    let summary: Value = serde_json::from_str(&printed.stdout).unwrap();
    let claim = &summary["claims"][0];
    let text = |key: &str| claim[key].as_str().unwrap().to_owned();
    assert_eq!(text("id"), "c");
    (text("verdict"), text("measured"))
}

/// `check` ends with this status, and says so, however it breaks its lines.
#[track_caller]
fn checks(project: &Project, status: i32, says: &[&str]) {
    let printed = project.run(&["check", "out"]).expect(status).stdout;
    let words: Vec<&str> = printed.split_whitespace().collect();
    let flat = words.join(" ");
    for text in says {
        assert!(flat.contains(text), "no {text:?} in:\n{printed}");
    }
}

/// Has the record's claim expect something else, as if the suite had said so.
fn expect_instead(project: &Project, old: &str, new: &str) {
    let path = project.path().join("out/record.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let (first, rest) = text.split_once('\n').unwrap();
    let mut header: Value = serde_json::from_str(first).unwrap();
    let suite = header["suite"]["text"].as_str().unwrap();
    assert!(suite.contains(old), "{suite}");
    header["suite"]["text"] = suite.replace(old, new).into();
    header["suite"]["sha256"] = "".into();
    fs::write(&path, format!("{header}\n{rest}")).unwrap();
}

/// Takes a key out of all receipts of the record, and of their modules: those of an older build.
fn forget(project: &Project, key: &str) {
    let path = project.path().join("out/record.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let lines = text.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove(key);
        for module in line["modules"].as_array_mut().into_iter().flatten() {
            module.as_object_mut().unwrap().remove(key);
        }
        format!("{line}\n")
    });
    let lines: String = lines.collect();
    fs::write(&path, lines).unwrap();
}

#[test]
fn what_a_module_takes_to_compile_is_decided_by_the_median_of_all() {
    let expected = "compile-time-between = [\"1us\", \"10s\"]";
    let project = Project::new(&suite("prefix-first", &format!("{{ {expected} }}")));
    // More than the handful that has no interval.
    let modules: String = (0..8).map(|n| format!("import part{n}\n")).collect();
    for n in 0..8 {
        project.write(
            &format!("app/part{n}.py"),
            "VALUE = [n for n in range(9)]\n",
        );
    }
    project.write("app/helper.py", &format!("{modules}VALUE = 1\n"));
    measure(&project, &[&python()]);
    let receipt = project.receipt("prefix-first");
    let helper = receipt["modules"].as_array().unwrap();
    let helper = helper
        .iter()
        .find(|module| module["name"] == "helper")
        .unwrap();
    assert_eq!(helper["lines"], 9);
    assert!(helper["compile_ms"].as_f64().unwrap() > 0.0);
    let (verdict, measured) = decision(&project);
    assert_eq!(verdict, "supported", "{measured}");
    assert!(
        measured.starts_with("median time to compile a module: "),
        "{measured}"
    );
    assert!(
        measured.contains("100 % of which took 0.001 to 10,000 ms"),
        "{measured}"
    );
    assert!(measured.contains(" ms for 1,000 lines"), "{measured}");

    let never = "compile-time-between = [\"1h\", \"2h\"]";
    expect_instead(&project, expected, never);
    assert_eq!(decision(&project).0, "refuted");
    // Where the bound is the median itself, it lies within the interval.
    let median = measured
        .split_once(": ")
        .unwrap()
        .1
        .split_once(' ')
        .unwrap()
        .0;
    let at_it = format!("compile-time-between = [\"{median}ms\", \"2h\"]");
    expect_instead(&project, never, &at_it);
    assert_eq!(decision(&project).0, "inconclusive");
    checks(&project, 3, &["the interval reaches below"]);
    forget(&project, "compile_ms");
    assert_eq!(decision(&project).0, "inconclusive");
    checks(&project, 3, &["no compile time of a module is recorded"]);
}

#[test]
fn a_few_modules_have_no_interval() {
    let project = Project::new(&suite(
        "cold",
        "{ compile-time-between = [\"1us\", \"10s\"] }",
    ));
    measure(&project, &[&python()]);
    let (verdict, measured) = decision(&project);
    assert_eq!(verdict, "inconclusive");
    assert!(measured.contains("of 2 modules"), "{measured}");
    checks(&project, 3, &["needs at least 6 modules"]);
}

#[test]
fn a_second_import_in_the_same_process_compiles_and_opens_nothing() {
    let nothing = "second-import-compiled = 0, second-import-opened = 0";
    let project = Project::new(&suite("cold", &format!("{{ {nothing} }}")));
    measure(&project, &[&python()]);
    let (verdict, measured) = decision(&project);
    assert_eq!(verdict, "supported", "{measured}");
    assert_eq!(
        measured,
        "modules compiled by a second import in the same process: 0; files opened by it: 0"
    );
    expect_instead(
        &project,
        "second-import-compiled = 0",
        "second-import-compiled = { at-least = 1 }",
    );
    assert_eq!(decision(&project).0, "refuted");
    checks(&project, 1, &["same process: 0", "at least 1"]);
    forget(&project, "second_import");
    assert_eq!(decision(&project).0, "inconclusive");
}

#[test]
fn a_module_that_was_taken_out_of_sys_modules_is_read_once_more() {
    let twice = "{ second-import-compiled = 0, second-import-opened = { at-least = 1 } }";
    let project = Project::new(&suite("cold", twice));
    project.write(
        "app/helper.py",
        "import os, sys\nVALUE = 2\nleave = os._exit\n\n\n\
         def forget(status):\n    sys.modules.pop('helper', None)\n    leave(status)\n\n\n\
         if leave.__name__ != 'forget':\n    os._exit = forget\n",
    );
    measure(&project, &[&python()]);
    let (verdict, measured) = decision(&project);
    assert_eq!(verdict, "supported", "{measured}");
}

#[test]
fn several_interpreters_leave_a_pyc_each_for_every_module() {
    let project = Project::new(&suite("cold", "{ pycs-per-module = { at-least = 2 } }"));
    let one = python();
    measure(&project, &[&one]);
    let (verdict, measured) = decision(&project);
    assert_eq!(verdict, "inconclusive", "{measured}");
    checks(
        &project,
        3,
        &["only: needs another interpreter in the run (--python A --python B)"],
    );

    fs::remove_dir_all(project.path().join("out")).unwrap();
    let same = virtual_environment(&project);
    measure(&project, &[&one, &same]);
    let (verdict, measured) = decision(&project);
    // Of the same version: one name, written by both.
    assert_eq!(verdict, "refuted", "{measured}");
    assert!(
        measured.starts_with("pycs of each module of the app: 1 (2 in all: 2 cpython-"),
        "{measured}"
    );

    let other = other_python(&project);
    if version(&other).split('.').nth(1) == version(&one).split('.').nth(1) {
        return;
    }
    fs::remove_dir_all(project.path().join("out")).unwrap();
    measure(&project, &[&one, &other]);
    let (verdict, measured) = decision(&project);
    assert_eq!(verdict, "supported", "{measured}");
    assert!(
        measured.starts_with("pycs of each module of the app: 2 (4 in all: 2 cpython-"),
        "{measured}"
    );
}

#[test]
fn what_cannot_be_expected_is_refused() {
    let refused = |suite: &str, says: &[&str]| {
        Project::new(suite)
            .run(&["run", "suite.toml"])
            .expect(2)
            .says(says);
    };
    refused(
        &suite("cold", "{ compile-time-between = [\"10ms\", \"1ms\"] }"),
        &[
            "the lower bound is above the upper one",
            "write the smaller one first",
        ],
    );
    refused(
        &suite("cold", "{ compile-time-between = [\"10ms\"] }"),
        &[
            "`compile-time-between` has two bounds",
            "[\"1ms\", \"10ms\"]",
        ],
    );
    refused(
        &suite("cold", "{ compile-time-between = [\"1\", \"10ms\"] }"),
        &["`1` is no quantity"],
    );
    let unseen = suite("cold", "{ second-import-opened = 0 }");
    refused(
        &unseen.replace("[\"exit\", \"import\"]", "[\"exit\"]"),
        &[
            "a second import is looked at where a module is imported, and none is",
            "measure.metrics",
        ],
    );
    refused(
        &suite(
            "cold",
            "{ pycs-per-module = { at-least = 3, at-most = 2 } }",
        ),
        &["no number is within these bounds"],
    );
    refused(
        &suite("cold", "{ pycs-per-module = 2, saves-at-least = \"1ms\" }"),
        &[
            "this expectation is none for a scenario's receipt",
            "pycs-per-module",
        ],
    );
}
