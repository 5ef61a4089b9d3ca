//! What `coldsnake trace` prints and writes, and what it says when it cannot.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;

use crate::project::{EXITING_APP, Project, python};
use crate::trace::{COLD, expect_accounted, project, trace_under};

fn app() -> Project {
    Project::new(&format!("{EXITING_APP}{COLD}"))
}

#[test]
fn the_answer_comes_first_and_then_parts_groups_and_modules() {
    let project = app();
    let ended = trace_under(&project, &python(), 6, &["--top", "3"]).expect(0);
    let text = &ended.stdout;
    let sentences: Vec<&str> = text.split_whitespace().collect();
    let sentences = sentences.join(" ");
    for part in [
        " ms from start to exit; when traced, ",
        "of 6 launches of tiny under warm",
        "tracing adds",
        "the parts sum to at least ",
    ] {
        assert!(sentences.contains(part), "no {part:?} in:\n{text}");
    }
    for part in [
        "Where the time goes",
        "interpreter start",
        "unmarshal",
        "program, outside of imports",
        "\nsum in each launch ",
        "Whose modules, ms",
        "\nstdlib ",
        "Modules that took most",
        "inclusive ms",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
    let (_, modules) = text.split_once("Modules that took most\n").unwrap();
    // The heading of the table, and three rows.
    let rows = modules.lines().take_while(|line| !line.is_empty()).count();
    assert!((4..=6).contains(&rows), "{modules}");
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
}

#[test]
fn two_scenarios_are_compared_module_by_module_in_the_same_blocks() {
    let project = app();
    let options = ["--scenario", "cold", "--against", "warm"];
    let json = [&options[..], &["--format", "json"]].concat();
    let ended = trace_under(&project, &python(), 6, &json).expect(0);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let names: Vec<&Value> = found["scenarios"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scenario| {
            expect_accounted(scenario);
            assert_eq!(scenario["blocks"], 6);
            &scenario["name"]
        })
        .collect();
    assert_eq!(names, ["cold", "warm"]);
    let difference = &found["difference"];
    assert_eq!(
        (&difference["scenario"], &difference["against"]),
        (names[0], names[1])
    );
    assert!(difference["shift_ms"]["low"].is_number(), "{difference}");
    // Compiled in one of the two only.
    assert!(difference["parts_ms"]["compile"].as_f64() > Some(0.0));
    assert!(difference["parts_ms"]["write"].as_f64() > Some(0.0));
    let modules = difference["modules"].as_array().unwrap();
    let helper = modules
        .iter()
        .find(|each| each["name"] == "helper")
        .unwrap();
    assert!(
        helper["phases_ms"]["compile"].as_f64() > Some(0.0),
        "{helper}"
    );

    let text = trace_under(&project, &python(), 6, &options)
        .expect(0)
        .stdout;
    for part in [
        "cold against warm: ",
        "Where the difference comes from, ms",
        "Modules that changed most",
        "helper",
    ] {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

/// Fails the test unless what opens closes, in order, and no time goes back.
fn expect_nested(speedscope: &Value) {
    let frames = speedscope["shared"]["frames"].as_array().unwrap().len();
    let profiles = speedscope["profiles"].as_array().unwrap();
    assert!(!profiles.is_empty());
    for profile in profiles {
        assert_eq!(profile["type"], "evented");
        assert_eq!(profile["unit"], "nanoseconds");
        let mut open = Vec::new();
        let mut last = profile["startValue"].as_u64().unwrap();
        for event in profile["events"].as_array().unwrap() {
            let at = event["at"].as_u64().unwrap();
            assert!(at >= last, "{event}");
            last = at;
            let frame = event["frame"].as_u64().unwrap();
            assert!((frame as usize) < frames);
            match event["type"].as_str().unwrap() {
                "O" => open.push(frame),
                "C" => assert_eq!(open.pop(), Some(frame), "{event}"),
                other => panic!("{other}"),
            }
        }
        assert!(open.is_empty());
        assert!(last <= profile["endValue"].as_u64().unwrap());
    }
}

/// Fails the test unless the spans of each thread are in order, and each lies within or after another.
fn expect_spans(events: &Value) {
    let spans: Vec<(&Value, f64, f64)> = events["traceEvents"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|event| event["ph"] == "X")
        .map(|event| {
            let ts = event["ts"].as_f64().unwrap();
            (event, ts, ts + event["dur"].as_f64().unwrap())
        })
        .collect();
    assert!(spans.len() > 20, "{}", spans.len());
    let mut around: Vec<(Value, f64)> = Vec::new();
    let mut last = 0.0;
    for (event, from, to) in spans {
        assert!(from >= last && to >= from, "{event}");
        last = from;
        let line = Value::from(vec![event["pid"].clone(), event["tid"].clone()]);
        around.retain(|(other, end)| *other != line || *end > from + 1e-6);
        let outer = around.iter().rev().find(|(other, _)| *other == line);
        if let Some((_, end)) = outer {
            assert!(to <= end + 1e-6, "{event} sticks out of {end}");
        }
        around.push((line, to));
    }
}

#[test]
fn a_folder_gets_the_page_and_a_file_for_every_viewer() {
    let project = project(
        "import threading\ndef work():\n    import helper\n\
         thread = threading.Thread(target=work)\nthread.start()\nthread.join()\nimport json\n",
    );
    let options = ["--scenario", "cold", "--out", "traced"];
    let ended = trace_under(&project, &python(), 2, &options).expect(0);
    assert!(ended.stderr.contains("page and files are in traced"));
    let folder = project.path().join("traced");
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let all = [
        "speedscope.json",
        "trace-events.json",
        "trace.html",
        "trace.json",
        "waterfall-cold.png",
        "waterfall-cold.svg",
    ];
    assert_eq!(names, all);
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let json = |name: &str| -> Value { serde_json::from_str(&read(name)).unwrap() };
    assert_eq!(json("trace.json")["scenarios"][0]["name"], "cold");
    let speedscope = json("speedscope.json");
    assert_eq!(
        speedscope["$schema"],
        "https://www.speedscope.app/file-format-schema.json"
    );
    expect_nested(&speedscope);
    let lanes = speedscope["profiles"].as_array().unwrap();
    assert_eq!(
        (&lanes[0]["name"], &lanes[1]["name"]),
        (&"cold, main thread".into(), &"cold, thread 2".into())
    );
    expect_spans(&json("trace-events.json"));
    let page = read("trace.html");
    assert!(page.contains("helper") && page.contains("<canvas"));
    assert!(read("waterfall-cold.svg").contains("interpreter start"));

    // It is written into by nothing else.
    trace_under(&project, &python(), 1, &options)
        .expect(2)
        .says(&["exists already", "--out"]);
}

#[test]
fn what_cannot_be_traced_is_told_before_anything_is_launched() {
    let project = app();
    let refused = |options: &[&str], texts: &[&str]| {
        trace_under(&project, &python(), 1, options)
            .expect(2)
            .says(texts);
    };
    refused(
        &["--scenario", "hot"],
        &["there is no scenario `hot`", "warm, cold"],
    );
    refused(&["--against", "hot"], &["there is no scenario `hot`"]);
    refused(
        &["--scenario", "cold", "--against", "cold"],
        &["`cold` cannot be compared with itself"],
    );
    project
        .run(&["trace", "nosuch"])
        .expect(2)
        .says(&["there is no suite `nosuch`", "httpserver"]);
    project
        .run(&["trace", "suite.toml", "--blocks", "0"])
        .expect(2);
}

#[test]
fn an_interpreter_that_is_too_old_is_told() {
    let project = app();
    let old = project.path().join("python3.8");
    let answer = r#"{"executable":"/usr/bin/python3.8","version":"3.8.20","numbers":[3,8],"implementation":"cpython","cache_tag":"cpython-38","magic":3413,"stdlib":"/usr/lib/python3.8","suffixes":[],"builtin":[],"frozen":[],"mapped":[]}"#;
    fs::write(&old, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    trace_under(&project, "./python3.8", 1, &[])
        .expect(5)
        .says(&["is Python 3.8.20", "3.9 is the oldest"]);
}

#[test]
fn an_app_that_fails_is_told_with_what_it_said() {
    let broken = project("raise SystemExit('no database')\n");
    trace_under(&broken, &python(), 1, &[])
        .expect(5)
        .says(&["cannot be launched under `warm`", "no database"]);
    // Only when it is traced: the receipt's launch went well.
    let picky = project("import os\nassert 'COLDSNAKE_TRACE' not in os.environ, 'no spies'\n");
    trace_under(&picky, &python(), 1, &[])
        .expect(5)
        .says(&["when it is traced", "no spies"]);
    let slow = Project::new(&EXITING_APP.replace("\"20s\"", "\"1s\""));
    slow.write("app/main.py", "import time\ntime.sleep(30)\n");
    trace_under(&slow, &python(), 1, &[])
        .expect(5)
        .says(&["it was not done after 1 s"]);
    slow.expect_no_process();
    slow.expect_no_stage();
}

#[test]
fn the_bundled_app_is_traced_without_a_suite_of_ones_own() {
    let project = app();
    let ended = project
        .run(&[
            "trace",
            "httpserver",
            "--quiet",
            "--blocks",
            "1",
            "--python",
            &python(),
            "--format",
            "json",
        ])
        .expect(0);
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(found["app"], "httpserver");
    assert_eq!(found["scenarios"][0]["until"], "ready");
    expect_accounted(&found["scenarios"][0]);
}
