//! A run that several machines share: `run --shard I/N`, and what `merge` makes of it.

use std::fs;

use serde_json::{Value, json};

use crate::project::{As, Ended, Project, end, python};

/// Two scenarios and the twin, each as a launch of the app and as an import.
pub const SUITE: &str = r#"
[app]
name = "tiny"
source = "app"
command = ["{python}", "main.py"]
module = "helper"
timeout = "20s"

[measure]
baseline = "warm"
budget = "10min"
max-blocks = 8

[[scenario]]
name = "warm"

[[scenario]]
name = "cold"
bytecode = "absent"
"#;
pub const SEED: &str = "7";

pub fn measuring(project: &Project, out: &str, options: &[&str]) -> Ended {
    let python = python();
    let usual = [
        "run",
        "suite.toml",
        "--quiet",
        "--out",
        out,
        "--python",
        &python,
    ];
    end(&mut project.command(As::Me, &[usual.as_slice(), options].concat()))
}

/// Measures that shard into a folder of its name: `shard-1`.
pub fn measure(project: &Project, number: u32, of: u32) {
    let shard = format!("{number}/{of}");
    let out = format!("shard-{number}");
    measuring(project, &out, &["--seed", SEED, "--shard", &shard]).expect(0);
}

/// A project whose three shards were measured.
pub fn measured() -> Project {
    let project = Project::new(SUITE);
    for number in 1..=3 {
        measure(&project, number, 3);
    }
    project
}

pub const ALL: [&str; 3] = ["shard-1", "shard-2", "shard-3"];

pub fn merge(project: &Project, args: &[&str]) -> Ended {
    project.run(&[&["merge", "--out", "whole"], args].concat())
}

pub fn lines(project: &Project, folder: &str) -> Vec<Value> {
    let text = fs::read_to_string(project.path().join(folder).join("record.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

pub fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

pub fn summary(project: &Project, folder: &str) -> Value {
    let path = project.path().join(folder).join("summary.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

pub fn warnings(project: &Project, folder: &str) -> String {
    summary(project, folder)["warnings"].to_string()
}

/// Changes a record's lines; a line that becomes null is gone.
pub fn change(project: &Project, folder: &str, mut change: impl FnMut(&mut Value)) {
    let mut lines = lines(project, folder);
    lines.iter_mut().for_each(&mut change);
    let kept = lines.iter().filter(|line| !line.is_null());
    let text: String = kept.map(|line| format!("{line}\n")).collect();
    fs::write(project.path().join(folder).join("record.jsonl"), text).unwrap();
}

/// Changes a record's header.
pub fn change_header(project: &Project, folder: &str, with: impl Fn(&mut Value)) {
    change(project, folder, |line| {
        if line["type"] == "run" {
            with(line);
        }
    });
}

/// Copies a record as it is.
pub fn copy(project: &Project, from: &str, to: &str) {
    let to = project.path().join(to);
    fs::create_dir(&to).unwrap();
    let from = project.path().join(from).join("record.jsonl");
    fs::copy(from, to.join("record.jsonl")).unwrap();
}

pub fn assert_nothing_at(project: &Project, name: &str) {
    assert!(!project.path().join(name).exists(), "{name} is there");
}

/// What the plan decides about a launch.
fn planned(launch: &&Value) -> Value {
    json!([
        launch["block"],
        launch["position"],
        launch["scenario"],
        launch["twin"],
        launch["launch"]
    ])
}

#[test]
fn shards_merged_have_the_blocks_and_orders_of_the_run_that_is_not_shared() {
    let project = measured();
    measuring(&project, "alone", &["--seed", SEED]).expect(0);
    // In any order.
    merge(&project, &["shard-3", "shard-1/record.jsonl", "shard-2"]).expect(0);
    let (alone, whole) = (lines(&project, "alone"), lines(&project, "whole"));
    let plan =
        |lines: &[Value]| -> Vec<Value> { of_type(lines, "launch").iter().map(planned).collect() };
    assert_eq!(plan(&alone).len(), 8 * 6);
    assert_eq!(plan(&alone), plan(&whole));
    // Blocks 0, 3, 6; 1, 4, 7; 2, 5.
    let mut of_shards = Vec::new();
    for (folder, blocks) in ALL.iter().zip([3, 3, 2]) {
        let shard = lines(&project, folder);
        assert_eq!(of_type(&shard, "launch").len(), blocks * 6, "{folder}");
        assert_eq!(shard.last().unwrap()["stop_reason"], "max-blocks");
        of_shards.extend(of_type(&shard, "launch").into_iter().cloned());
    }
    // And what they measured, to the last digit.
    of_shards.sort_by_key(|it| (it["block"].as_u64(), it["position"].as_u64()));
    let merged: Vec<Value> = of_type(&whole, "launch").into_iter().cloned().collect();
    assert_eq!(of_shards, merged);
    let header = &whole[0];
    let same = ["suite", "seed", "interpreters", "app_lines", "isolation"];
    for field in same {
        assert_eq!(header[field], alone[0][field], "{field}");
    }
    assert_eq!(header["shard"], Value::Null);
    let shards = header["shards"].as_array().unwrap();
    let names: Vec<&Value> = shards.iter().map(|each| &each["shard"]).collect();
    assert_eq!(names, ["1/3", "2/3", "3/3"]);
    for (each, folder) in shards.iter().zip(ALL) {
        let shard = lines(&project, folder);
        assert_eq!(shard[0]["shard"], each["shard"]);
        assert_eq!(shard[0]["host"], each["host"]);
        assert_eq!(shard[0]["started"], each["started"]);
        let mut own_end = shard.last().unwrap().clone();
        own_end.as_object_mut().unwrap().remove("type");
        assert_eq!(own_end, each["end"]);
    }
    let first = lines(&project, "shard-1");
    assert_eq!(of_type(&first, "receipt"), of_type(&whole, "receipt"));
    assert_eq!(whole.last().unwrap()["blocks"], 8);
    assert_eq!(whole.last().unwrap()["stop_reason"], "max-blocks");
    assert_eq!(summary(&project, "whole")["blocks"], 8);
}

#[test]
fn other_commands_take_a_merged_record_like_any_other() {
    let project = measured();
    let merged = merge(&project, &ALL).expect(0);
    let whole = project.path().join("whole");
    for file in ["record.jsonl", "summary.json", "report.html"] {
        assert!(whole.join(file).is_file(), "{file}");
    }
    let page = fs::read_to_string(whole.join("report.html")).unwrap();
    let again = project.run(&["report", "whole"]).expect(0);
    assert_eq!(merged.stdout, again.stdout);
    assert_eq!(fs::read_to_string(whole.join("report.html")).unwrap(), page);
    // The line that repeats it is that of the whole run.
    let words = lines(&project, "whole")[0]["command_line"].clone();
    let words: Vec<&str> = words.as_array().unwrap()[1..]
        .iter()
        .map(|word| word.as_str().unwrap())
        .collect();
    assert!(!words.contains(&"--shard"), "{words:?}");
    assert!(
        page.contains("--shard 1/3 to --shard 3/3"),
        "no shards on the page"
    );
    fs::rename(project.path().join("shard-1"), project.path().join("moved")).unwrap();
    project.run(&words).expect(0);
    let repeated = lines(&project, "shard-1");
    assert_eq!(of_type(&repeated, "launch").len(), 8 * 6);
    assert_eq!(repeated[0]["suite"], lines(&project, "whole")[0]["suite"]);
    // When launches came is not comparable between machines.
    let summary = summary(&project, "whole");
    let drift: Vec<&Value> = summary["order"].as_array().unwrap().iter().collect();
    assert!(!drift.is_empty() && drift.iter().all(|each| each["drift"].is_null()));
    let charts = fs::read_dir(whole.join("charts")).unwrap();
    let charts: Vec<String> = charts
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(charts.iter().any(|name| name.starts_with("distribution-")));
    assert!(!charts.iter().any(|name| name.starts_with("run-order-")));
    project.run(&["compare", "whole"]).expect(0);
    project.run(&["compare", "whole", "shard-1"]).expect(0);
    project
        .run(&["publish", "whole", "--out", "site"])
        .expect(0);
    let csv = project
        .run(&["export", "whole", "--format", "csv"])
        .expect(0);
    assert_eq!(csv.stdout.lines().count(), 1 + 8 * 6);
    // There is no claim to check.
    let checked = project.run(&["check", "whole"]);
    assert!(checked.status != 2 && checked.status != 101, "{checked:?}");
}

#[test]
fn a_shards_own_report_says_that_it_is_a_part() {
    let project = Project::new(SUITE);
    measure(&project, 2, 3);
    assert!(
        warnings(&project, "shard-2").contains("this is shard 2/3 of a run, and not all of it")
    );
    // A run that is not shared says nothing of the kind.
    measuring(&project, "alone", &["--seed", SEED, "--blocks", "1"]).expect(0);
    assert!(!warnings(&project, "alone").contains("shard"));
    assert_eq!(lines(&project, "alone")[0].get("shard"), None);
    assert_eq!(lines(&project, "alone")[0].get("shards"), None);
}

#[test]
fn a_shard_that_is_none_of_the_run_is_refused_before_anything_is_launched() {
    let project = Project::new(SUITE);
    let refused = |options: &[&str], texts: &[&str]| {
        measuring(&project, "out", options).expect(2).says(texts);
        assert_nothing_at(&project, "out");
    };
    for (shard, text) in [
        ("0/4", "counted from 1: the first of 4 is 1/4"),
        ("5/4", "the last of 4 shards is 4/4"),
        ("4", "such as 2/4"),
        ("a/b", "such as 2/4"),
        ("1/0", "no shards of none"),
    ] {
        refused(&["--seed", SEED, "--shard", shard], &[text]);
    }
    refused(&["--shard", "1/3"], &["needs the run's seed", "--seed 7"]);
    refused(
        &["--seed", SEED, "--shard", "1/9"],
        &["9 shards are too many for 8 blocks"],
    );
    refused(
        &["--seed", SEED, "--shard", "1/3", "--blocks", "2"],
        &["3 shards are too many for 2 blocks"],
    );
    for until in ["precise", "decided"] {
        let options = ["--seed", SEED, "--shard", "1/3", "--until", until];
        refused(&options, &["--until is not for a shard"]);
    }
}

#[test]
fn a_shard_never_ends_before_its_time_and_its_blocks_are_used_up() {
    // A run that is not shared would end with its first look.
    let project = Project::new(&SUITE.replace(
        "max-blocks = 8",
        "max-blocks = 11\nmin-blocks = 1\nprecision = \"10000%\"",
    ));
    measuring(&project, "alone", &["--seed", SEED]).expect(0);
    assert_eq!(
        lines(&project, "alone").last().unwrap()["stop_reason"],
        "precision"
    );
    measuring(&project, "shard", &["--seed", SEED, "--shard", "1/1"]).expect(0);
    let end = lines(&project, "shard").pop().unwrap();
    assert_eq!(
        (&end["stop_reason"], &end["blocks"]),
        (&json!("max-blocks"), &json!(11))
    );
}
