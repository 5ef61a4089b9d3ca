//! A run that several machines share: `run --shard I/N`, and `merge`.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::project::{As, Ended, Project, end, python};

/// Two scenarios and the twin, each as a launch of the app and as an import.
const SUITE: &str = r#"
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
const SEED: &str = "7";

fn measuring(project: &Project, out: &str, options: &[&str]) -> Ended {
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
fn measure(project: &Project, number: u32, of: u32) {
    let shard = format!("{number}/{of}");
    let out = format!("shard-{number}");
    measuring(project, &out, &["--seed", SEED, "--shard", &shard]).expect(0);
}

/// A project whose three shards were measured.
fn measured() -> Project {
    let project = Project::new(SUITE);
    for number in 1..=3 {
        measure(&project, number, 3);
    }
    project
}

const ALL: [&str; 3] = ["shard-1", "shard-2", "shard-3"];

fn merge(project: &Project, args: &[&str]) -> Ended {
    project.run(&[&["merge", "--out", "whole"], args].concat())
}

fn lines(project: &Project, folder: &str) -> Vec<Value> {
    let text = fs::read_to_string(project.path().join(folder).join("record.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of_type<'a>(lines: &'a [Value], kind: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line["type"] == kind).collect()
}

fn summary(project: &Project, folder: &str) -> Value {
    let path = project.path().join(folder).join("summary.json");
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn warnings(project: &Project, folder: &str) -> String {
    summary(project, folder)["warnings"].to_string()
}

/// Changes a record's lines; a line that becomes null is gone.
fn change(project: &Project, folder: &str, mut change: impl FnMut(&mut Value)) {
    let mut lines = lines(project, folder);
    lines.iter_mut().for_each(&mut change);
    let kept = lines.iter().filter(|line| !line.is_null());
    let text: String = kept.map(|line| format!("{line}\n")).collect();
    fs::write(project.path().join(folder).join("record.jsonl"), text).unwrap();
}

/// Changes a record's header.
fn change_header(project: &Project, folder: &str, with: impl Fn(&mut Value)) {
    change(project, folder, |line| {
        if line["type"] == "run" {
            with(line);
        }
    });
}

/// Copies a record as it is.
fn copy(project: &Project, from: &str, to: &str) {
    let to = project.path().join(to);
    fs::create_dir(&to).unwrap();
    let from = project.path().join(from).join("record.jsonl");
    fs::copy(from, to.join("record.jsonl")).unwrap();
}

fn assert_nothing_at(project: &Project, name: &str) {
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

#[test]
fn records_that_are_no_shards_of_one_run_are_refused_and_named() {
    let project = measured();
    let refused = |args: &[&str], texts: &[&str]| {
        let ended = merge(&project, args).expect(2).says(texts);
        assert_nothing_at(&project, "whole");
        ended
    };
    // Each change makes a copy of shard 2 foreign.
    let changed = |name: &str, change: &dyn Fn(&mut Value)| {
        copy(&project, "shard-2", name);
        change_header(&project, name, change);
        name.to_owned()
    };
    let cases: [(&str, &dyn Fn(&mut Value), &str); 9] = [
        (
            "seed",
            &|it| it["seed"] = json!(8),
            "the seed is 7 in the one and 8 in the other",
        ),
        (
            "of",
            &|it| it["shard"] = json!("2/6"),
            "the number of shards is 3 in the one and 6 in the other",
        ),
        (
            "version",
            &|it| it["coldsnake"] = json!("0.0.1"),
            "the version of coldsnake is",
        ),
        (
            "sha",
            &|it| it["suite"]["sha256"] = json!("f00"),
            "the suite's SHA-256 is",
        ),
        (
            "text",
            &|it| {
                let text = it["suite"]["text"].as_str().unwrap().to_owned() + "# another\n";
                it["suite"]["text"] = json!(text);
            },
            "the suite's text is",
        ),
        (
            "python",
            &|it| it["interpreters"][0]["version"] = json!("3.1.4"),
            "the interpreter is",
        ),
        (
            "lines",
            &|it| it["app_lines"] = json!(99),
            "the app's number of lines is",
        ),
        (
            "isolation",
            &|it| it["isolation"]["backing"] = json!("cloud"),
            "the isolation is",
        ),
        (
            "revisions",
            &|it| {
                it["revisions"] = json!([{
                    "name": "v1", "commit": "beef", "committed": "2025-01-01T00:00:00Z", "changed": 1,
                }])
            },
            "the revisions is none in the one and v1 (beef) in the other",
        ),
    ];
    for (name, change, text) in cases {
        let name = changed(name, change);
        refused(
            &["shard-1", &name, "shard-3"],
            &["shard-1", &name, "no shards of one run", text],
        );
    }
    // Where an interpreter lies may differ.
    let elsewhere = changed("elsewhere", &|it| {
        it["interpreters"][0]["executable"] = json!("/elsewhere/python3");
    });
    merge(&project, &["shard-1", &elsewhere, "shard-3"]).expect(0);
    fs::remove_dir_all(project.path().join("whole")).unwrap();

    copy(&project, "shard-2", "twice");
    refused(
        &["shard-1", "shard-2", "twice"],
        &["shard-2 and twice are both shard 2/3"],
    );
    measuring(&project, "alone", &["--seed", SEED, "--blocks", "1"]).expect(0);
    refused(
        &["shard-1", "alone"],
        &[
            "alone is the record of a whole run, and not of a shard",
            "--shard 1/4",
        ],
    );
    copy(&project, "shard-3", "foreign");
    change(&project, "foreign", |line| {
        if line["block"] == 5 {
            line["block"] = json!(6);
        }
    });
    refused(
        &["shard-1", "shard-2", "foreign"],
        &["foreign is shard 3/3 and holds a launch of block 6, which belongs to shard 1/3"],
    );
    copy(&project, "shard-3", "nonsense");
    change_header(&project, "nonsense", |it| it["shard"] = json!("7/3"));
    refused(
        &["nonsense"],
        &[
            "nonsense/record.jsonl is not a record",
            "the last of 3 shards is 3/3",
        ],
    );
    refused(&["nowhere"], &["cannot read the record nowhere"]);

    project
        .run(
            &["merge", "--out", "first"]
                .iter()
                .chain(&ALL)
                .copied()
                .collect::<Vec<_>>(),
        )
        .expect(0);
    refused(&["first"], &["first was put together from shards already"]);
}

#[test]
fn a_missing_shard_is_named_and_the_others_are_merged_if_that_is_asked_for() {
    let project = measured();
    merge(&project, &["shard-2"])
        .expect(2)
        .says(&["shards 1/3 and 3/3 are missing", "--allow-missing"]);
    merge(&project, &["shard-3", "shard-1"])
        .expect(2)
        .says(&["shard 2/3 is missing"]);
    assert_nothing_at(&project, "whole");
    merge(&project, &["shard-3", "shard-1", "--allow-missing"]).expect(0);
    let whole = lines(&project, "whole");
    assert_eq!(of_type(&whole, "launch").len(), 5 * 6);
    assert_eq!(summary(&project, "whole")["blocks"], 5);
    let warnings = warnings(&project, "whole");
    assert!(warnings.contains("shard 2/3 of 3 is missing"), "{warnings}");
    // A record may say anything of how many there are.
    for number in [1, 2] {
        let shard = format!("shard-{number}");
        change_header(&project, &shard, |it| {
            it["shard"] = json!(format!("{number}/4294967295"));
        });
        change(&project, &shard, |it| {
            if it["type"] == "launch" && it["block"].as_u64() > Some(1) {
                *it = Value::Null;
            }
        });
    }
    fs::remove_dir_all(project.path().join("whole")).unwrap();
    merge(&project, &["shard-1", "shard-2"])
        .expect(2)
        .says(&["10/4294967295 and 4294967285 more are missing"]);
    merge(&project, &["shard-1", "shard-2", "--allow-missing"]).expect(0);
}

#[test]
fn nothing_is_overwritten_and_no_half_folder_is_left() {
    let project = measured();
    project.write("whole/mine", "mine");
    merge(&project, &ALL).expect(2).says(&["whole", "--out"]);
    let there = fs::read_dir(project.path().join("whole")).unwrap();
    assert_eq!(there.count(), 1);
    // A file stands where the folder's parent should be.
    let args = [["merge", "--out", "suite.toml/whole"].as_slice(), &ALL].concat();
    project
        .run(&args)
        .expect(2)
        .says(&["cannot make the run's folder"]);
    // Without a name, the folder is called as that of a run.
    let ended = project
        .run(&[["merge"].as_slice(), &ALL].concat())
        .expect(0);
    assert!(
        ended.stderr.contains("coldsnake-runs/tiny-"),
        "{}",
        ended.stderr
    );
}

#[test]
fn a_shard_that_is_interrupted_in_the_middle_of_a_block_gives_what_it_has() {
    let project = Project::new(&SUITE.replace("max-blocks = 8", "max-blocks = 400"));
    project.write("app/main.py", "import helper, time\ntime.sleep(0.2)\n");
    let options = ["--quiet", "--seed", SEED, "--shard", "2/2"];
    let run = project
        .measuring(As::Me, &options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for_lines(&project.path().join("out/record.jsonl"), 1 + 4 + 8);
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(run.wait_with_output().unwrap().status.code(), Some(130));
    fs::rename(project.path().join("out"), project.path().join("shard-2")).unwrap();
    // A block that is surely not whole, and lies between the other shard's.
    let mut kept = 0;
    change(&project, "shard-2", |line| {
        if line["type"] == "launch" {
            kept += 1;
            if kept > 8 {
                *line = Value::Null;
            }
        }
    });
    // Another one that came to its end, after five blocks.
    copy(&project, "shard-2", "shard-1");
    change(&project, "shard-1", |line| match line["type"].as_str() {
        Some("run") => line["shard"] = json!("1/2"),
        Some("end") => line["stop_reason"] = json!("budget"),
        _ => {
            *line = if line["type"] == "receipt" {
                line.take()
            } else {
                Value::Null
            }
        }
    });
    let launches: Vec<Value> = of_type(&lines(&project, "shard-2"), "launch")[..6]
        .iter()
        .map(|line| (*line).clone())
        .collect();
    let path = project.path().join("shard-1/record.jsonl");
    let mut text = fs::read_to_string(&path).unwrap();
    for block in [0, 2, 4, 6, 8] {
        for mut launch in launches.clone() {
            launch["block"] = json!(block);
            text += &format!("{launch}\n");
        }
    }
    fs::write(&path, text).unwrap();
    merge(&project, &["shard-1", "shard-2"]).expect(0);
    let whole = lines(&project, "whole");
    assert_eq!(of_type(&whole, "launch").len(), 5 * 6 + 8);
    assert_eq!(whole.last().unwrap()["stop_reason"], "interrupted");
    // Block 1 is whole, and two launches of block 3 are there.
    let found = summary(&project, "whole");
    assert_eq!(found["blocks"], 6);
    let warnings = warnings(&project, "whole");
    assert!(
        warnings.contains("shard 2/2 was interrupted: it has fewer blocks"),
        "{warnings}"
    );
    assert!(!warnings.contains("sat out"), "{warnings}");

    // Killed, with half a line at its end.
    fs::remove_dir_all(project.path().join("whole")).unwrap();
    change(&project, "shard-2", |line| {
        if line["type"] == "end" {
            *line = Value::Null;
        }
    });
    let path = project.path().join("shard-2/record.jsonl");
    let text = fs::read_to_string(&path).unwrap() + "{\"type\":\"launch\",\"blo";
    fs::write(&path, text).unwrap();
    merge(&project, &["shard-1", "shard-2"])
        .expect(0)
        .says(&["of shard-2 is damaged and left out"]);
    let warnings = self::warnings(&project, "whole");
    assert!(warnings.contains("shard 2/2 breaks off"), "{warnings}");
    assert!(
        warnings.contains("1 line of the records of shard 2/2 could not be read"),
        "{warnings}"
    );
}

#[test]
fn machines_are_told_from_each_other_and_their_troubles_named_with_the_shards() {
    let project = measured();
    for folder in ALL {
        // Whatever this machine was doing meanwhile is not what is told here.
        change(&project, folder, |line| {
            if line["type"] == "end" {
                let end = line.as_object_mut().unwrap();
                end.retain(|field, _| {
                    !["heat_throttles", "blocks_beside_others"].contains(&field.as_str())
                });
            }
        });
        change_header(&project, folder, |it| {
            it["host"] = json!({
                "name": "web-1", "kernel": "6.1", "cpu_model": "Imagined", "cpus": 4,
                "memory_mib": 9000, "virtualization": "none", "governor": null, "load_1min": 0.0,
            });
        });
    }
    merge(&project, &ALL).expect(0);
    assert!(!warnings(&project, "whole").contains("shard"));
    fs::remove_dir_all(project.path().join("whole")).unwrap();
    change_header(&project, "shard-2", |it| {
        it["host"]["name"] = json!("web-2");
        it["host"]["power"] = json!("battery");
    });
    change_header(&project, "shard-3", |it| {
        it["host"]["power"] = json!("battery")
    });
    merge(&project, &ALL).expect(0);
    let warnings = warnings(&project, "whole");
    for text in [
        "the shards ran on 2 machines: web-1 (shards 1/3 and 3/3) and web-2 (shard 2/3); contrasts are",
        "shards 2/3 and 3/3: the machine ran on battery",
    ] {
        assert!(warnings.contains(text), "no {text:?} in {warnings}");
    }
    let page = fs::read_to_string(project.path().join("whole/report.html")).unwrap();
    assert!(
        page.contains("2/3: web-2, 4 CPUs (Imagined)"),
        "the page names no machine"
    );
    // What machines do alone, their shards' records say.
    project
        .run(&["compare", "whole", "--by", "host"])
        .expect(2)
        .says(&["whole: it mixes 2 machines: name the records of its shards"]);
    let args = [["compare", "--by", "host"].as_slice(), &ALL].concat();
    let rows = project.run(&args).expect(0).stdout;
    assert!(rows.contains("web-1") && rows.contains("web-2"), "{rows}");
    let site = ["publish", "whole", "--out", "site"];
    project.run(&site).expect(0);
    let index = fs::read_to_string(project.path().join("site/index.html")).unwrap();
    assert!(
        index.contains("web-1: Imagined, 4 CPUs, none; web-2: Imagined, 4 CPUs, none"),
        "{index}"
    );
    // Two records are of one kind of machine only if all of their shards are.
    change_header(&project, "shard-2", |it| it["host"]["cpus"] = json!(8));
    let args = [["merge", "--out", "other"].as_slice(), &ALL].concat();
    project.run(&args).expect(0);
    project
        .run(&["compare", "whole", "other"])
        .expect(2)
        .says(&["host's CPUs: 4", "4 and 8"]);
}

#[test]
fn what_does_not_hold_on_one_machine_makes_the_merged_record_invalid() {
    let project = measured();
    merge(&project, &ALL).expect(0);
    fs::remove_dir_all(project.path().join("whole")).unwrap();
    let mut broken = 0;
    change(&project, "shard-3", |line| {
        if line["type"] == "receipt" && line["scenario"] == "cold" && line["launch"] == "app" {
            line["violations"] = json!(["3 pycs were read"]);
            broken += 1;
        }
    });
    assert_eq!(broken, 1);
    let ended = merge(&project, &ALL).expect(4);
    assert!(
        ended.stdout.contains("3 pycs were read"),
        "{}",
        ended.stdout
    );
    let first = lines(&project, "shard-1");
    let whole = lines(&project, "whole");
    assert_eq!(
        of_type(&whole, "receipt").len(),
        of_type(&first, "receipt").len() + 1
    );
}

#[test]
fn instructions_are_those_of_one_shard() {
    let project = measured();
    for (folder, count) in ALL.iter().zip([None, Some(1_000_000), Some(2_000_000)]) {
        let Some(count) = count else { continue };
        change_header(&project, folder, |it| {
            it["counters"]["instructions_by"] = json!(format!("valgrind {folder}"));
        });
        let path = project.path().join(folder).join("record.jsonl");
        let text = fs::read_to_string(&path).unwrap();
        let line = json!({
            "type": "count", "scenario": "warm", "launch": "app", "round": 0, "source": "valgrind",
            "instructions": count,
        });
        fs::write(&path, format!("{text}{line}\n")).unwrap();
    }
    merge(&project, &ALL).expect(0);
    let whole = lines(&project, "whole");
    let counts = of_type(&whole, "count");
    assert_eq!(counts.len(), 1);
    assert_eq!(counts[0]["instructions"], 1_000_000);
    assert_eq!(whole[0]["counters"]["instructions_by"], "valgrind shard-2");
}

/// Waits until the record has so many lines.
fn wait_for_lines(record: &Path, lines: usize) {
    for _ in 0..3000 {
        if fs::read_to_string(record).is_ok_and(|text| text.lines().count() >= lines) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the record did not grow to {lines} lines");
}
