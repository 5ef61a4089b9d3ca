//! `check --max-regression`: regressions as an exit status, a summary and JUnit XML.

use std::fs;

use serde_json::Value;

use crate::against::{git, repository};
use crate::project::{As, Ended, Project, python};

const SUITE: &str = r#"
[app]
name = "tiny"
source = "app"
command = ["{python}", "main.py"]
timeout = "20s"

[measure]
baseline = "warm"
budget = "60s"
min-blocks = 12

[[scenario]]
name = "warm"
"#;

/// A project whose app sleeps for so long, where it slept for `then` at the tag v1.
fn sleeper(then: &str, now: &str) -> Project {
    let project = repository(SUITE);
    let sleep = |time: &str| format!("import time\ntime.sleep({time})\n");
    project.write("app/main.py", &sleep(then));
    git(&project, &["commit", "-qam", "then"]);
    git(&project, &["tag", "-f", "v1"]);
    project.write("app/main.py", &sleep(now));
    project
}

fn check(project: &Project, options: &[&str]) -> Ended {
    let python = python();
    let usual = [
        "check",
        "suite.toml",
        "--quiet",
        "--against",
        "v1",
        "--python",
        &python,
    ];
    project.run(&[&usual[..], &["--out", "out", "--seed", "1"], options].concat())
}

fn json(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_regression_is_an_exit_status_a_failure_and_a_row() {
    let project = sleeper("0", "0.2");
    let files = [
        "--junit",
        "junit.xml",
        "--summary=summary.md",
        "--format",
        "json",
    ];
    let ended = check(
        &project,
        &[&["--max-regression", "50%"], &files[..]].concat(),
    )
    .expect(1);
    let answers = json(&ended);
    assert_eq!(answers["outcome"], "regression");
    assert_eq!(answers["against"], "v1");
    assert_eq!(answers["paired"], true);
    assert_eq!(answers["scenarios"][0]["verdict"], "regression");
    assert!(answers["scenarios"][0]["change"]["low"].as_f64() > Some(0.0));
    let read = |name: &str| fs::read_to_string(project.path().join(name)).unwrap();
    let junit = read("junit.xml");
    assert!(junit.contains(r#"failures="1""#), "{junit}");
    assert!(junit.contains("<failure message="), "{junit}");
    let summary = read("summary.md");
    assert!(
        summary.starts_with("### ❌ Regression: start-up time of tiny"),
        "{summary}"
    );
    assert!(summary.contains("| warm (exit) |"), "{summary}");

    // The record alone gives the same, and another answer to another question.
    project.run(&["check", "out"]).expect(1);
    project
        .run(&["check", "out", "--max-regression", "5%"])
        .expect(1);
    project
        .run(&["check", "out", "--max-regression", "5000%"])
        .expect(0);
}

#[test]
fn what_has_become_faster_is_no_regression_and_is_decided_soon() {
    let project = sleeper("0.2", "0");
    let ended = check(
        &project,
        &["--max-regression", "5%", "--junit", "junit.xml"],
    )
    .expect(0);
    assert!(
        ended.stdout.starts_with("No regression"),
        "{}",
        ended.stdout
    );
    let end = project.lines("end").remove(0);
    assert_eq!(end["stop_reason"], "decided");
    let junit = fs::read_to_string(project.path().join("junit.xml")).unwrap();
    assert!(junit.contains(r#"failures="0""#), "{junit}");
}

#[test]
fn too_few_blocks_are_inconclusive_and_skipped() {
    let project = sleeper("0", "0");
    let few = [
        "--max-regression",
        "5%",
        "--blocks",
        "2",
        "--junit",
        "junit.xml",
    ];
    let ended = check(&project, &few).expect(3);
    assert!(ended.stdout.starts_with("Inconclusive"), "{}", ended.stdout);
    let junit = fs::read_to_string(project.path().join("junit.xml")).unwrap();
    assert!(junit.contains(r#"skipped="1""#), "{junit}");
}

#[test]
fn the_summary_of_a_job_is_appended_to() {
    let project = sleeper("0", "0.2");
    project.measure(As::Me, 12).expect(0);
    project.write("job.md", "what another step wrote\n");
    let mut command = project.command(As::Me, &["check", "out", "--summary"]);
    command.env("GITHUB_STEP_SUMMARY", project.path().join("job.md"));
    crate::project::end(&mut command).expect(0);
    let text = fs::read_to_string(project.path().join("job.md")).unwrap();
    assert!(text.starts_with("what another step wrote\n**"), "{text}");
    let mut command = project.command(As::Me, &["check", "out", "--summary"]);
    command.env_remove("GITHUB_STEP_SUMMARY");
    crate::project::end(&mut command)
        .expect(2)
        .says(&["GITHUB_STEP_SUMMARY is not set", "--summary=FILE"]);
}

#[test]
fn a_baseline_is_kept_compared_with_and_not_overwritten_unasked() {
    let project = Project::new(SUITE);
    project.measure(As::Me, 12).expect(0);
    let keep = ["check", "out", "--save-baseline", "baseline.jsonl"];
    project.run(&keep).expect(0);
    let kept = |name: &str| fs::read(project.path().join(name)).unwrap();
    assert_eq!(kept("baseline.jsonl"), kept("out/record.jsonl"));
    project.write("baseline.jsonl", "somebody's own\n");
    project
        .run(&keep)
        .expect(2)
        .says(&["baseline.jsonl is there already", "--force"]);
    assert_eq!(kept("baseline.jsonl"), b"somebody's own\n");
    project.run(&[&keep[..], &["--force"]].concat()).expect(0);
    assert_eq!(kept("baseline.jsonl"), kept("out/record.jsonl"));

    let guard = [
        "check",
        "out",
        "--baseline",
        "baseline.jsonl",
        "--max-regression",
    ];
    // The same launches twice: the interval is wide, and lies around nothing.
    let ended = project
        .run(&[&guard[..], &["1000%", "--format", "json"]].concat())
        .expect(0);
    let answers = json(&ended);
    assert_eq!(answers["paired"], false);
    assert_eq!(answers["scenarios"][0]["change"]["estimate"], 0.0);
    assert!(
        answers["notes"][0]
            .as_str()
            .unwrap()
            .starts_with("uncontrolled")
    );
    let itself = answers["notes"][1].as_str().unwrap();
    assert!(
        itself.starts_with("both records hold the same launches"),
        "{itself}"
    );
    project.run(&[&guard[..], &["0.001%"]].concat()).expect(3);
}

#[test]
fn a_baseline_that_cannot_be_compared_with_is_bad_input() {
    let project = Project::new(SUITE);
    project.measure(As::Me, 1).expect(0);
    let guard =
        |file: &str| project.run(&["check", "out", "--max-regression", "5%", "--baseline", file]);
    guard("nowhere.jsonl")
        .expect(2)
        .says(&["there is no baseline nowhere.jsonl", "--save-baseline"]);
    project.write("foreign.jsonl", "{\"results\": []}\n");
    guard("foreign.jsonl")
        .expect(2)
        .says(&["foreign.jsonl is not a record"]);
    let record = fs::read_to_string(project.path().join("out/record.jsonl")).unwrap();
    let newer = record.replacen("\"format_version\":1", "\"format_version\":99", 1);
    project.write("newer.jsonl", &newer);
    guard("newer.jsonl")
        .expect(2)
        .says(&["newer.jsonl has format version 99"]);
    let other = record.replacen("\"cpu_model\":\"", "\"cpu_model\":\"another ", 1);
    project.write("other.jsonl", &other);
    guard("other.jsonl")
        .expect(2)
        .says(&["host's CPU", "--unlike"]);
    let labelled = ["--baseline", "other.jsonl", "--unlike"];
    project
        .run(&[&["check", "out", "--max-regression", "5%"], &labelled[..]].concat())
        .expect(3);
    project
        .run(&["check", "out", "--max-regression", "5%"])
        .expect(2)
        .says(&["holds one state of the app"]);
    project
        .run(&[
            "check",
            "out",
            "--max-regression",
            "5%",
            "--counter",
            "instructions",
            "--baseline",
            "out",
        ])
        .expect(2)
        .says(&["instructions were not counted"]);
}

#[test]
fn files_that_are_there_are_told_before_anything_is_measured() {
    let project = sleeper("0", "0");
    project.write("junit.xml", "mine");
    check(
        &project,
        &["--max-regression", "5%", "--junit", "junit.xml"],
    )
    .expect(2)
    .says(&["junit.xml is there already"]);
    assert!(!project.path().join("out").exists());
    check(&project, &["--max-regression", "0%"])
        .expect(2)
        .says(&["more than nothing"]);
    check(&project, &[])
        .expect(2)
        .says(&["give --max-regression 5%"]);
}

#[test]
fn what_is_not_slower_is_said_to_cost_less_than_the_bound_and_not_to_save_less() {
    let project = Project::new(SUITE);
    project.measure(As::Me, 12).expect(0);
    let record = fs::read_to_string(project.path().join("out/record.jsonl")).unwrap();
    project.write("kept.jsonl", &record);
    let check = ["check", "out", "--baseline", "kept.jsonl"];
    let ended = project.run(&[&check[..], &["--max-regression", "1000%"]].concat());
    let ended = ended.expect(0);
    assert!(
        ended.stdout.contains(": costs less than 1,000 % for sure"),
        "{}",
        ended.stdout
    );
}

#[test]
fn what_saves_time_is_no_cost_rather_than_a_saving_below_the_bound() {
    let claim = "[[scenario]]\nname = \"other\"\n\n[[claim]]\nid = \"guard\"\ntext = \"no slower\"\n\
                 contrast = { from = \"other\", to = \"warm\", metric = \"exit\" }\n\
                 expect = { max-regression = \"50%\" }\n";
    let project = Project::new(&format!("{SUITE}\n{claim}"));
    project.measure(As::Me, 12);
    let record = fs::read_to_string(project.path().join("out/record.jsonl")).unwrap();
    let slower = record.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        if line["type"] == "launch" && line["scenario"] == "other" {
            let ms = line["metrics"]["exit"].as_f64().unwrap();
            line["metrics"]["exit"] = Value::from(ms + 10_000.0);
        }
        format!("{line}\n")
    });
    project.write("slower.jsonl", &slower.collect::<String>());
    let ended = project.run(&["check", "slower.jsonl"]).expect(0);
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    let words = words.join(" ");
    assert!(words.contains("surely no cost of"), "{words}");
    assert!(!words.contains("less than 5"), "{words}");
}
