//! What is told of a record that is none, and what is printed: as words, and when it cannot be printed.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::exported::BLACK;
use crate::project::{As, EXITING_APP, Ended, Project, end};

const REFERENCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/lernmanager");

/// The program with a standard output that takes nothing.
fn into_a_full_disk(args: &str) -> Ended {
    let full = format!("{} {args} > /dev/full", env!("CARGO_BIN_EXE_coldsnake"));
    end(Command::new("sh").args(["-c", &full]))
}

#[test]
fn results_that_cannot_be_printed_are_no_success() {
    let shown = format!("compare {BLACK}");
    for args in [
        "list",
        "man",
        "completions bash",
        "--help",
        "--version",
        &shown,
    ] {
        let ended = into_a_full_disk(args).expect(2);
        let lost = "cannot write to standard output: No space left on device";
        assert_eq!(
            ended.stderr.matches(lost).count(),
            1,
            "{args}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_verdict_that_cannot_be_printed_is_still_the_status() {
    into_a_full_disk(&format!("check {REFERENCE}"))
        .expect(1)
        .says(&["cannot write to standard output"]);
}

#[test]
fn a_reader_that_has_had_enough_is_no_failure() {
    // The pipe's buffer takes less than the script has.
    let script = format!(
        "{{ {} completions bash; echo $? >&2; }} | head -c 1 > /dev/null",
        env!("CARGO_BIN_EXE_coldsnake")
    );
    let ended = end(Command::new("sh").args(["-c", &script])).expect(0);
    assert_eq!(ended.stderr, "0\n");
}

#[test]
fn a_folder_of_runs_in_place_of_a_run_is_told_with_one_of_them() {
    let project = Project::new(EXITING_APP);
    let record = fs::read_to_string(format!("{BLACK}/record.jsonl")).unwrap();
    project.write("runs/black-1/record.jsonl", &record);
    project.write("runs/black-2/record.jsonl", &record);
    project.write("runs/black-3/notes.txt", "");
    for command in ["report", "compare", "check", "overview", "calibrate"] {
        let ended = project.run(&[command, "runs"]).expect(2);
        ended.says(&[
            "there is no record.jsonl in runs\n",
            "give the folder of a run, such as runs/black-2, or its record.jsonl",
        ]);
    }
    project
        .run(&["report", "runs/black-3"])
        .expect(2)
        .says(&["give the folder of a run, or its record.jsonl"]);
    project.run(&["report", "nowhere"]).expect(2).says(&[
        "cannot read the record nowhere",
        "give the record.jsonl in a run's folder, or the folder itself",
    ]);
}

#[test]
fn what_never_ends_its_first_line_is_no_record() {
    let project = Project::new(EXITING_APP);
    for args in [
        &["check", "/dev/zero"][..],
        &["compare", BLACK, "/dev/zero"],
    ] {
        project
            .run(args)
            .expect(2)
            .says(&["/dev/zero is not a record", "it is longer than 64 MiB"]);
    }
}

#[test]
fn a_record_whose_second_line_never_ends_is_refused() {
    let endless = format!(
        "{{ head -n 1 {BLACK}/record.jsonl; head -c 80000000 /dev/zero; }} | {} check /dev/stdin",
        env!("CARGO_BIN_EXE_coldsnake")
    );
    end(Command::new("sh").args(["-c", &endless]))
        .expect(2)
        .says(&["cannot read the record", "it has a line longer than 64 MiB"]);
}

#[test]
fn a_difference_without_an_interval_is_not_called_one_that_is_not_there() {
    let cold = "\n[[scenario]]\nname = \"cold\"\nbytecode = \"absent\"\n";
    let project = Project::new(&format!("{EXITING_APP}{cold}"));
    project.measure(As::Me, 2).expect(0);
    let page = fs::read_to_string(project.path().join("out/report.html")).unwrap();
    assert!(page.contains("cold is not yet known to be slower or faster than"));
    assert!(!page.contains("not measurably slower or faster"));
}

#[test]
fn claims_separate_thousands_as_tables_do() {
    let project = Project::new(EXITING_APP);
    let record = fs::read_to_string(format!("{REFERENCE}/record.jsonl")).unwrap();
    let slower = record.lines().map(|line| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        let metrics = line.get_mut("metrics").and_then(Value::as_object_mut);
        for (_, ms) in metrics.into_iter().flatten() {
            *ms = Value::from(ms.as_f64().unwrap() * 100.0);
        }
        format!("{line}\n")
    });
    project.write("slower.jsonl", &slower.collect::<String>());
    let ended = project.run(&["check", "slower.jsonl", "--format", "json"]);
    let summary: Value = serde_json::from_str(&ended.stdout).unwrap();
    let claims = summary["claims"].as_array().unwrap();
    let claim = claims.iter().find(|each| each["id"] == "first-start-cost");
    let measured = claim.unwrap()["measured"].as_str().unwrap();
    assert!(measured.starts_with("costs 41,284 ms ["), "{measured}");
}
