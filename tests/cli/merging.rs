//! `merge`: what it refuses, and what it does about shards that are missing, broken or of other machines.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};

use crate::project::{As, Project, end};
use crate::shards::{
    ALL, SEED, SUITE, assert_nothing_at, change, change_header, copy, lines, measured, measuring,
    merge, of_type, summary, warnings,
};

/// What makes a header another one.
type Change<'a> = &'a dyn Fn(&mut Value);

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
    let cases: [(&str, Change, &str); 9] = [
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
    merge(&project, &ALL)
        .expect(2)
        .says(&["whole: it exists already", "--out"]);
    let there = fs::read_dir(project.path().join("whole")).unwrap();
    assert_eq!(there.count(), 1);
    // A file stands where the folder's parent should be.
    let args = [["merge", "--out", "suite.toml/whole"].as_slice(), &ALL].concat();
    project
        .run(&args)
        .expect(2)
        .says(&["cannot make the run's folder"]);
    // There is no room for the record, as on a disk that is full.
    let binary = env!("CARGO_BIN_EXE_coldsnake");
    let merging = format!("trap '' XFSZ; ulimit -f 4; exec {binary} merge --out full \"$@\"");
    let args = [["-c", &merging, "sh"].as_slice(), &ALL].concat();
    let mut limited = Command::new("sh");
    limited.args(args).current_dir(project.path());
    end(&mut limited)
        .expect(2)
        .says(&["cannot write full/record.jsonl"]);
    assert_nothing_at(&project, "full");
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
