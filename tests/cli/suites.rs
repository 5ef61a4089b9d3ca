//! Suites that cannot be: one clear message with file, line and what would be right; status 2.

use crate::project::{EXITING_APP, Project};

#[track_caller]
fn refused(suite: &str, says: &[&str]) {
    let project = Project::new(suite);
    project.run(&["run", "suite.toml"]).expect(2).says(says);
    project
        .run(&["run", "suite.toml", "--only", "warm"])
        .expect(2)
        .says(says);
    assert!(!project.path().join("coldsnake-runs").exists());
}

/// The suite with one text replaced.
fn with(from: &str, to: &str) -> String {
    assert!(EXITING_APP.contains(from));
    EXITING_APP.replace(from, to)
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
    refused(
        &with("source = \"app\"", "scource = \"app\""),
        &["suite.toml:4:", "unknown key `scource`", "`source`"],
    );
}

#[test]
fn a_wrong_type_is_named_with_its_line() {
    refused(
        &with(
            "command = [\"{python}\", \"main.py\"]",
            "command = \"main.py\"",
        ),
        &[
            "suite.toml:5:",
            "command = \"main.py\"",
            "string",
            "sequence",
            "write a list, such as",
        ],
    );
}

#[test]
fn a_quantity_needs_its_unit_and_cannot_be_negative() {
    refused(
        &with("\"60s\"", "\"60\""),
        &["suite.toml:11:", "`60` is no quantity", "90s"],
    );
    refused(
        &with("\"60s\"", "\"-60s\""),
        &["suite.toml:11:", "`-60s` is no quantity"],
    );
    refused(
        &with("\"60s\"", "\"0s\""),
        &["suite.toml:11:", "longer than nothing"],
    );
}

#[test]
fn a_duplicate_name_is_refused() {
    refused(
        &format!("{EXITING_APP}\n[[scenario]]\nname = \"warm\"\n"),
        &["suite.toml:17:", "two scenarios named `warm`"],
    );
}

#[test]
fn a_claim_on_a_scenario_that_is_not_there_names_those_that_are() {
    let claim = "\n[[claim]]\nid = \"c\"\ntext = \"t\"\n\
                 contrast = { from = \"warm\", to = \"hot\", metric = \"exit\" }\n\
                 expect = { saves = \"1ms\", within = \"20%\" }\n";
    refused(
        &format!("{EXITING_APP}{claim}"),
        &[
            "suite.toml:19:",
            "there is no scenario `hot`",
            "the suite's scenarios are: warm",
        ],
    );
}

#[test]
fn a_baseline_or_a_metric_that_is_not_there_is_named() {
    refused(
        &with("baseline = \"warm\"", "baseline = \"hot\""),
        &["suite.toml:10:", "there is no scenario `hot`"],
    );
    refused(
        &with("[measure]", "[measure]\nmetrics = [\"ready\"]"),
        &[
            "suite.toml:10:",
            "`ready` needs to know when the app is ready",
            "app.ready",
        ],
    );
    refused(
        &with("[measure]", "[measure]\nmetrics = [\"speed\"]"),
        &["there is no metric `speed`", "ready, exit, import"],
    );
}

#[test]
fn a_state_or_a_placeholder_that_is_not_there_is_named() {
    refused(
        &format!("{EXITING_APP}bytecode = \"lukewarm\"\n"),
        &[
            "suite.toml:15:",
            "`lukewarm` is no value of `bytecode`",
            "absent",
        ],
    );
    refused(
        &with("\"main.py\"", "\"{main}\""),
        &["suite.toml:5:", "there is no placeholder {main}", "{port}"],
    );
}

#[test]
fn an_http_app_needs_a_port() {
    refused(
        &with("timeout = \"20s\"", "ready = { http = \"/\" }"),
        &["suite.toml:7:", "nothing says on which port", "{port}"],
    );
}

#[test]
fn an_expectation_must_fit_its_subject() {
    let claim = |expect: &str| {
        format!(
            "{EXITING_APP}\n[[claim]]\nid = \"c\"\ntext = \"t\"\nscenario = \"warm\"\nexpect = {expect}\n"
        )
    };
    refused(
        &claim("{ saves = \"1ms\", within = \"2%\" }"),
        &["none for a scenario's receipt"],
    );
    refused(
        &claim("{ compiled = { at-least = 3, at-most = 2 } }"),
        &["no number is within"],
    );
    refused(
        &claim("{ compiled = \"three\" }"),
        &["suite.toml:20:", "a count is a whole number"],
    );
}

#[test]
fn a_missing_source_is_named_as_it_was_looked_for() {
    refused(
        &with("source = \"app\"", "source = \"application\""),
        &[
            "suite.toml:4:",
            "application is not a folder",
            "relative to this file",
        ],
    );
    // Another `source` stands before the app's.
    refused(
        "[[scenario]]\nname = \"warm\"\nsource = \"read-only\"\n\
         [app]\nname = \"x\"\nsource = \"nowhere\"\ncommand = [\"x\"]\n",
        &["suite.toml:6:", "nowhere is not a folder"],
    );
}

#[test]
fn a_missing_file_and_an_unknown_suite_are_told_apart() {
    let project = Project::new(EXITING_APP);
    project
        .run(&["run", "other.toml"])
        .expect(2)
        .says(&["cannot read the suite other.toml"]);
    project.run(&["run", "lernmanger"]).expect(2).says(&[
        "there is no suite `lernmanger`",
        "lernmanager, lernmanager-full, httpserver",
    ]);
}

#[test]
fn options_that_cannot_be_are_refused() {
    let project = Project::new(EXITING_APP);
    let run = |args: &[&str]| project.run(&[&["run", "suite.toml"], args].concat());
    run(&["--only", "hot"])
        .expect(2)
        .says(&["there is no scenario `hot`", "warm"]);
    run(&["--baseline", "hot"])
        .expect(2)
        .says(&["there is no scenario `hot`"]);
    run(&["--budget", "60"])
        .expect(2)
        .says(&["--budget", "`60` is not a duration"]);
    run(&["--precision", "2"])
        .expect(2)
        .says(&["--precision", "percentage"]);
    run(&["--precision", "0%"])
        .expect(2)
        .says(&["no interval is ever so narrow"]);
    run(&["--blocks", "0"]).expect(2).says(&["--blocks"]);
    run(&["--colour"])
        .expect(2)
        .says(&["unexpected argument '--colour'"]);
}

#[test]
fn a_runs_folder_that_exists_is_not_written_into() {
    let project = Project::new(EXITING_APP);
    project.write("out/precious", "kept");
    project
        .measure(crate::project::As::Me, 1)
        .expect(2)
        .says(&["cannot make the run's folder out", "--out"]);
    assert!(!project.path().join("out/record.jsonl").exists());
    // Before what takes long.
    project.write("file", "kept");
    let ended = project
        .run(&["run", "suite.toml", "--out", "file/deep/out"])
        .expect(2)
        .says(&["cannot make the run's folder file/deep/out: file is not a folder"]);
    assert!(!ended.stderr.contains("preparing"), "{}", ended.stderr);
}
