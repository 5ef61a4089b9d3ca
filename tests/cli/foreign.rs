//! Files of hyperfine and pyperf, compared with each other and with records.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::project::{EXITING_APP, Project, end};

const BLACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/black");
const GUNICORN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/gunicorn-flask");
/// What hyperfine 1.20 and pyperf 2.11 themselves wrote, of the commands "warm" and "cold".
const HYPERFINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exchange/hyperfine.json");
const PYPERF: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/exchange/pyperf.json");

fn project() -> Project {
    Project::new(EXITING_APP)
}

fn compared(first: &str, second: &str) -> Value {
    let args = ["compare", first, second, "--format", "json"];
    let ended = project().run(&args).expect(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

fn names(compared: &Value) -> Vec<(&str, &str)> {
    let contrasts = compared["contrasts"].as_array().unwrap().iter();
    contrasts
        .map(|each| {
            assert_eq!(each["paired"], false);
            (
                each["baseline"].as_str().unwrap(),
                each["scenario"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn the_programs_own_files_are_compared_by_name_and_labelled_uncontrolled() {
    for (first, second) in [
        (HYPERFINE, PYPERF),
        (PYPERF, HYPERFINE),
        (HYPERFINE, HYPERFINE),
    ] {
        let compared = compared(first, second);
        assert_eq!(names(&compared), [("warm", "warm"), ("cold", "cold")]);
        assert!(
            compared["notes"][0]
                .as_str()
                .unwrap()
                .starts_with("uncontrolled: ")
        );
        let shown = project().run(&["compare", first, second]).expect(0).stdout;
        assert!(
            shown.contains("uncontrolled") && shown.contains("cold"),
            "{shown}"
        );
    }
    let same = compared(HYPERFINE, HYPERFINE);
    assert_eq!(same["contrasts"][0]["shift_ms"]["estimate"], 0.0);
    assert_eq!(same["contrasts"][0]["metric"], "exit");
    // What pyperf timed, its file does not say.
    assert_eq!(
        compared(PYPERF, PYPERF)["contrasts"][0]["metric"],
        Value::Null
    );
}

#[test]
fn a_record_is_compared_with_either() {
    for file in [HYPERFINE, PYPERF] {
        let there = compared(BLACK, file);
        assert_eq!(names(&there), [("warm", "warm"), ("cold", "cold")]);
        let shift = |compared: &Value| compared["contrasts"][0]["shift_ms"]["estimate"].as_f64();
        // These commands import less than black.
        assert!(shift(&there).unwrap() < 0.0, "{there}");
        assert_eq!(
            shift(&compared(file, BLACK)),
            shift(&there).map(|shift| -shift)
        );
        let notes = there["notes"].to_string();
        assert!(
            notes.contains("only the first has prefix-first, prefix-warm"),
            "{notes}"
        );
        assert!(
            notes.contains("the first is a record: its times are exit"),
            "{notes}"
        );
    }
}

#[test]
fn what_was_exported_is_no_different_from_its_record() {
    for record in [BLACK, GUNICORN] {
        for format in ["hyperfine", "hyperfine-2", "pyperf"] {
            let project = project();
            // Known by what is in it: the name says nothing.
            let args = [
                "export",
                record,
                "--format",
                format,
                "--out",
                "record.jsonl",
            ];
            project.run(&args).expect(0);
            let args = ["compare", record, "record.jsonl", "--format", "json"];
            let ended = project.run(&args).expect(0);
            let compared: Value = serde_json::from_str(&ended.stdout).unwrap();
            assert_eq!(names(&compared).len(), 4);
            for contrast in compared["contrasts"].as_array().unwrap() {
                let shift = contrast["shift_ms"]["estimate"].as_f64().unwrap();
                assert!(shift.abs() < 1e-5, "{format}: {contrast}");
                assert!(contrast["metric"].is_string());
            }
        }
    }
}

#[test]
fn two_single_benchmarks_are_a_pair_whatever_their_names_are() {
    let project = project();
    project.write(
        "a.json",
        r#"{"results":[{"command":"old","times":[1.0,1.1,1.2]}]}"#,
    );
    project.write(
        "b.json",
        r#"{"results":[{"command":"new","times":[2.0,2.1,2.2,2.3]}]}"#,
    );
    let shown = project
        .run(&["compare", "a.json", "b.json"])
        .expect(0)
        .stdout;
    assert!(
        shown.contains("old -> new") && shown.contains("3, 4"),
        "{shown}"
    );
    let refused = project.run(&["compare", HYPERFINE, "b.json"]).expect(2);
    refused.says(&["the first has warm, cold", "the second has new", "one only"]);
}

#[test]
fn other_machines_interpreters_and_metrics_are_refused_or_labelled() {
    let project = project();
    let text = fs::read_to_string(PYPERF).unwrap();
    let other = text.replace("AMD EPYC", "Another CPU");
    assert_ne!(text, other);
    project.write("other.json", &other);
    for first in [PYPERF, BLACK] {
        let refused = project.run(&["compare", first, "other.json"]).expect(2);
        refused.says(&["host's CPU: AMD EPYC and Another CPU", "--unlike"]);
    }
    let shown = project
        .run(&["compare", PYPERF, "other.json", "--unlike"])
        .expect(0);
    assert!(
        shown.stdout.contains("What differs between the files"),
        "{}",
        shown.stdout
    );
    // gunicorn's metric is ready; hyperfine timed until the exit.
    let refused = project.run(&["compare", GUNICORN, HYPERFINE]).expect(2);
    refused.says(&["what is timed: ready and exit"]);
}

#[test]
fn launches_that_hyperfine_kept_though_they_failed_are_told() {
    let project = project();
    let text = r#"{"results":[{"command":"x","times":[1.0,1.1,1.2],"exit_codes":[0,1,null]}]}"#;
    project.write("failed.json", text);
    let shown = project
        .run(&["compare", "failed.json", "failed.json"])
        .expect(0)
        .stdout;
    assert!(
        shown.contains("1 of 3 launches of x ended with another status than 0"),
        "{shown}"
    );
}

#[test]
fn files_that_only_look_like_it_are_refused_with_the_place() {
    let project = project();
    let good = fs::read_to_string(PYPERF).unwrap();
    let cut = &good[..good.len() / 2];
    let huge = "9".repeat(400);
    let huge = format!(r#"{{"results":[{{"command":"x","times":[{huge}]}}]}}"#);
    let deep = "[".repeat(100_000);
    for (text, said) in [
        ("", "bad.json is empty"),
        (" \n", "neither a record nor JSON of hyperfine or pyperf"),
        ("\u{0}\u{1}\u{2}", "neither a record nor JSON"),
        (cut, "EOF while parsing"),
        (&deep, "recursion limit exceeded"),
        (&huge, "number out of range"),
        (
            r#"{"results":"none"}"#,
            "looks like hyperfine's JSON, but `results` is no list",
        ),
        (
            r#"{"results":[{"command":"x","mean":1.0,"times":null}]}"#,
            "`results[0]` (x) has no `times`",
        ),
        (
            r#"{"results":[{"command":"x","mean":1.0}]}"#,
            "the time of each run",
        ),
        (
            r#"{"results":[{"command":"x","times":[NaN]}]}"#,
            "NaN is no number in JSON",
        ),
        (
            r#"{"results":[{"command":"x","times":[-1]}]}"#,
            "`results[0].times[0]` is -1",
        ),
        (
            r#"{"results":[{"command":"x","times":[1e300]}]}"#,
            "longer than a year",
        ),
        (
            &good.replace("\"second\"", "\"byte\""),
            "the unit of warm is \"byte\"",
        ),
        (&good.replace("\"1.0\"", "\"2.0\""), "version is \"2.0\""),
        (
            "{\"type\":\"run\",\"format_version\":99}\n",
            "has format version 99",
        ),
        ("{\"type\":\"run\"", "is not a record"),
        ("app,started,block\n", "neither a record nor JSON"),
    ] {
        project.write("bad.json", text);
        for args in [
            ["compare", "bad.json", HYPERFINE],
            ["compare", HYPERFINE, "bad.json"],
        ] {
            let ended = project.run(&args).expect(2).says(&[said, "bad.json"]);
            assert!(!ended.stderr.contains("panicked"), "{}", ended.stderr);
            assert_eq!(ended.stdout, "");
        }
    }
    project
        .run(&["compare", HYPERFINE, "nowhere"])
        .expect(2)
        .says(&["nowhere"]);
    project
        .run(&["compare", HYPERFINE, "app"])
        .expect(2)
        .says(&["record.jsonl"]);
}

#[test]
fn what_is_compressed_is_to_be_unpacked_first() {
    let project = project();
    fs::copy(PYPERF, project.path().join("short.json")).unwrap();
    let mut gzip = Command::new("gzip");
    end(gzip.arg("short.json").current_dir(project.path())).expect(0);
    let refused = project.run(&["compare", "short.json.gz", PYPERF]).expect(2);
    refused.says(&["short.json.gz is compressed", "gunzip --keep short.json.gz"]);
}

#[test]
fn a_single_foreign_file_has_nothing_to_be_compared_with() {
    let refused = project().run(&["compare", HYPERFINE]).expect(2);
    refused.says(&["hyperfine's JSON", "name a second file"]);
}
