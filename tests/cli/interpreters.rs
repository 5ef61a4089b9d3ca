//! Several interpreters in one run: each scenario under each, in the same blocks; and wrappers.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::project::{
    EXITING_APP, Ended, Project, other_python, python, version, virtual_environment,
};
use crate::states::bare_interpreter;

const COLD_AND_CLAIMS: &str = r#"
[[scenario]]
name = "cold"
bytecode = "absent"

[[scenario]]
name = "read-only"
source = "read-only"
bytecode = "absent"

[[claim]]
id = "cold-costs"
text = "compiling costs at most a second"
contrast = { from = "warm", to = "cold", metric = "exit" }
expect = { costs-at-most = "1s" }

[[claim]]
id = "cold-writes"
text = "what was compiled is kept"
scenario = "cold"
expect = { written = 2 }
"#;

fn project() -> Project {
    Project::new(&format!("{EXITING_APP}{COLD_AND_CLAIMS}"))
}

fn measure(project: &Project, options: &[&str]) -> Ended {
    let usual = ["run", "suite.toml", "--quiet", "--out", "out"];
    project.run(&[&usual, options].concat())
}

fn summary(project: &Project) -> Value {
    let text = fs::read_to_string(project.path().join("out/summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

/// One key of each object of a list.
fn each(list: &Value, key: &str) -> Vec<String> {
    let objects = list.as_array().unwrap().iter();
    objects
        .map(|object| object[key].as_str().unwrap().to_owned())
        .collect()
}

/// What scenarios are called under two interpreters of these versions.
fn labels(first: &str, second: &str) -> [String; 2] {
    let minor = |version: &str| version.split('.').take(2).collect::<Vec<_>>().join(".");
    if first == second {
        [first.to_owned(), format!("{second}-2")]
    } else if minor(first) == minor(second) {
        [first, second].map(str::to_owned)
    } else {
        [minor(first), minor(second)]
    }
}

#[test]
fn two_interpreters_are_compared_in_the_same_blocks() {
    let project = project();
    let (first, second) = (python(), other_python(&project));
    let [a, b] = labels(&version(&first), &version(&second));
    let ended = measure(
        &project,
        &["--blocks", "2", "--python", &first, "--python", &second],
    )
    .expect(0);
    let with = |name: &str, label: &str| format!("{name}@{label}");
    let (warm, other_warm) = (with("warm", &a), with("warm", &b));
    let scenarios = [
        warm.clone(),
        with("cold", &a),
        with("read-only", &a),
        other_warm.clone(),
        with("cold", &b),
        with("read-only", &b),
    ];

    // Every block has every scenario under both, and one twin.
    let mut expected: Vec<String> = scenarios.to_vec();
    expected.push(format!("{warm} twin"));
    expected.sort();
    for block in 0..2 {
        for kind in ["app", "import"] {
            let mut seen: Vec<String> = project
                .lines("launch")
                .iter()
                .filter(|line| line["block"] == block && line["launch"] == kind)
                .map(|line| {
                    let twin = if line["twin"] == true { " twin" } else { "" };
                    format!("{}{twin}", line["scenario"].as_str().unwrap())
                })
                .collect();
            seen.sort();
            assert_eq!(seen, expected);
        }
    }

    // Who launched what: by what the interpreters say of themselves.
    let header = &project.record()[0];
    let executables = each(&header["interpreters"], "executable");
    let versions = each(&header["interpreters"], "version");
    assert_eq!(versions, [version(&first), version(&second)]);
    for (scenario, executable) in [(&warm, &executables[0]), (&other_warm, &executables[1])] {
        assert_eq!(
            project.receipt(scenario)["executable"],
            Value::from(executable.as_str())
        );
    }

    let summary = summary(&project);
    assert_eq!(each(&summary["scenarios"], "name"), scenarios);
    let of_exit: Vec<&Value> = summary["contrasts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|contrast| contrast["metric"] == "exit")
        .collect();
    let pairs: Vec<(&str, &str)> = of_exit
        .iter()
        .map(|contrast| {
            let name = |key: &str| contrast[key].as_str().unwrap();
            (name("baseline"), name("scenario"))
        })
        .collect();
    // The other interpreter's baseline with the first's, everything else within its interpreter.
    let [_, cold, read_only, _, other_cold, other_read_only] = &scenarios;
    assert_eq!(
        pairs,
        [
            (warm.as_str(), cold.as_str()),
            (&warm, read_only),
            (&warm, &other_warm),
            (&other_warm, other_cold),
            (&other_warm, other_read_only),
        ]
    );
    assert_eq!(
        each(&summary["claims"], "id"),
        [
            with("cold-costs", &a),
            with("cold-costs", &b),
            with("cold-writes", &a),
            with("cold-writes", &b),
        ]
    );
    for scenario in &scenarios {
        assert!(ended.stdout.contains(scenario), "{}", ended.stdout);
    }
    let table = ended.stdout.replace('\n', " ");
    let compared = format!("baseline of its own interpreter ({warm}, {other_warm})");
    assert!(table.contains(&compared), "{}", ended.stdout);

    // The record alone gives all of it again.
    let again = project.run(&["report", "out"]).expect(0);
    assert_eq!(again.stdout, ended.stdout);
}

#[test]
fn interpreters_of_one_version_are_numbered_and_options_mean_the_suites_own_names() {
    let project = project();
    let (first, second) = (python(), virtual_environment(&project));
    let [a, b] = labels(&version(&first), &version(&second));
    let options = ["--only", "warm", "--baseline", "cold", "--blocks", "1"];
    let interpreters = ["--python", &first, "--python", &second];
    measure(&project, &[&options[..], &interpreters].concat()).expect(0);
    assert_eq!(
        each(&summary(&project)["scenarios"], "name"),
        ["warm", "cold"]
            .map(|name| format!("{name}@{a}"))
            .into_iter()
            .chain(["warm", "cold"].map(|name| format!("{name}@{b}")))
            .collect::<Vec<_>>()
    );
    let suite = project.record()[0]["suite"]["text"].to_string();
    assert!(suite.contains(&format!("cold@{a}")) && suite.contains(&second));
}

#[test]
fn a_scenario_has_the_interpreter_that_it_names() {
    let project = Project::new(&format!(
        "{EXITING_APP}
[[scenario]]
name = \"elsewhere\"
python = \"./env/bin/python3\"

[[scenario]]
name = \"elsewhere-cold\"
python = \"./env/bin/python3\"
bytecode = \"absent\"
"
    ));
    let env = virtual_environment(&project);
    measure(&project, &["--blocks", "1", "--python", &python()]).expect(0);
    let executable = |scenario: &str| project.receipt(scenario)["executable"].clone();
    assert_eq!(executable("elsewhere"), env.as_str());
    assert_ne!(executable("warm"), executable("elsewhere"));
    let interpreters = &project.record()[0]["interpreters"];
    assert_eq!(interpreters.as_array().unwrap().len(), 2);
    let contrasts = &summary(&project)["contrasts"];
    assert!(contrasts.as_array().unwrap().iter().any(|contrast| {
        contrast["baseline"] == "elsewhere" && contrast["scenario"] == "elsewhere-cold"
    }));
}

#[test]
fn an_interpreter_that_is_named_twice_or_is_not_there_is_told() {
    let project = project();
    let python = python();
    measure(&project, &["--python", &python, "--python", &python])
        .expect(2)
        .says(&["named twice"]);
    measure(&project, &["--python", &python, "--python", "no-python"])
        .expect(5)
        .says(&["there is no `no-python` on PATH"]);
    let project = Project::new(&format!("{EXITING_APP}python = \"no-python\"\n"));
    measure(&project, &[])
        .expect(5)
        .says(&["there is no `no-python` on PATH"]);
    let project = Project::new(&format!("{EXITING_APP}python = \"\"\n"));
    measure(&project, &[])
        .expect(2)
        .says(&["suite.toml:15", "is no interpreter"]);
}

/// Writes a script that starts the interpreter in another way, and gives its path.
fn script(project: &Project, name: &str, command: &str) -> String {
    let text = format!("#!/bin/bash\n{command}\n");
    project.write(name, &text);
    let path = project.path().join(name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_shim_is_looked_through_and_a_wrapper_is_not() {
    let real = python();
    let cases = [
        ("shim", format!("exec {real} \"$@\""), false),
        // Its own account of where it is leads nowhere.
        (
            "renamed",
            format!("exec -a /no/python3 {real} \"$@\""),
            true,
        ),
        // It works by itself, but with other libraries.
        (
            "preloaded",
            format!("LD_PRELOAD=libanl.so.1 exec {real} \"$@\""),
            true,
        ),
    ];
    for (name, command, stays) in cases {
        let project = project();
        let wrapper = script(&project, name, &command);
        measure(&project, &["--blocks", "1", "--python", &wrapper]).expect(0);
        let launched = project.record()[0]["interpreters"][0]["executable"].clone();
        assert_eq!(launched == wrapper.as_str(), stays, "{name}: {launched}");
    }
}

#[test]
fn an_interpreter_without_bytecode_gets_it_in_a_layer_and_the_other_is_left_alone() {
    let project = project();
    let (first, second) = (python(), bare_interpreter(&project));
    let second = second.to_str().unwrap();
    let [a, b] = labels(&version(&first), &version(second));
    let options = ["--stage", "overlay", "--blocks", "1", "--python"];
    measure(
        &project,
        &[&options[..], &[&first, "--python", second]].concat(),
    )
    .expect(0);
    for label in [a, b] {
        let receipt = project.receipt(&format!("warm@{label}"));
        let compiled = receipt["modules"].as_array().unwrap().iter();
        let mut compiled = compiled.filter(|module| module["code"] == "compiled");
        assert_eq!(compiled.next(), None, "under {label}");
    }
    let notes = project.record()[0]["isolation"]["notes"].to_string();
    assert_eq!(
        notes.matches("were given it in a layer").count(),
        1,
        "{notes}"
    );
    let mut files = walkdir::WalkDir::new(project.path().join("bare"))
        .into_iter()
        .flatten();
    assert!(files.all(|entry| entry.file_name() != "__pycache__"));
}
