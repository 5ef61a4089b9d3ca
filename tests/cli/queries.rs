//! The SQL of `results/README.md`, run by DuckDB on records as they stand.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::project::{EXITING_APP, Project, end, python};

const RESULTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results");

/// Runs the statements of its standard input one block after the other, in one connection, and prints the
/// rows that each block ends with, as JSON.
const DRIVER: &str = "
import json, sys
import duckdb
connection = duckdb.connect()
answers = []
for block in json.load(sys.stdin):
    rows = connection.execute(block)
    names = [column[0] for column in rows.description or []]
    answers.append([dict(zip(names, row)) for row in rows.fetchall()])
json.dump(answers, sys.stdout)
";

/// An interpreter with DuckDB, of the package index, made once.
fn duckdb() -> PathBuf {
    let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/queries/requirements.txt");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("queries");
    let interpreter = folder.join("bin/python");
    // Written last, with what was installed.
    let mark = folder.join("installed.txt");
    let wanted = fs::read_to_string(&requirements).unwrap();
    if fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return interpreter;
    }
    let mut venv = Command::new(python());
    end(venv.args(["-m", "venv", "--clear"]).arg(&folder)).expect(0);
    let mut pip = Command::new(&interpreter);
    pip.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ])
    .args(["--require-hashes", "--requirement"])
    .arg(&requirements);
    end(&mut pip).expect(0);
    fs::write(&mark, wanted).unwrap();
    interpreter
}

/// What the blocks of SQL in the document answer, in a folder.
fn answers(folder: &Path) -> Vec<Vec<Value>> {
    let document = include_str!("../../results/README.md");
    let blocks: Vec<&str> = document
        .split("```sql\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap())
        .collect();
    let mut driver = Command::new(duckdb())
        .args(["-I", "-c", DRIVER])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(driver.stdin.take().unwrap(), &blocks).unwrap();
    let output = driver.wait_with_output().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A record's lines, with another host's name and all its times so many times as long.
fn copy(project: &Project, from: &str, to: &str, name: Option<&str>, speed: f64) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(RESULTS).join(from).join("record.jsonl")).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    if let Some(name) = name {
        lines[0]["host"]["name"] = name.into();
    }
    for metrics in lines.iter_mut().filter_map(|line| line.get_mut("metrics")) {
        for time in metrics.as_object_mut().unwrap().values_mut() {
            *time = (time.as_f64().unwrap() * speed).into();
        }
    }
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    project.write(&format!("{to}/record.jsonl"), &text);
    lines
}

/// The times of a scenario's launches without the twin's, by block.
fn times(lines: &[Value], scenario: &str, metric: &str) -> Vec<(u64, f64)> {
    let own = lines.iter().filter(|line| {
        line["type"] == "launch" && line["scenario"] == scenario && line["twin"] != true
    });
    own.filter_map(|line| Some((line["block"].as_u64()?, line["metrics"][metric].as_f64()?)))
        .collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let n = values.len();
    (values[(n - 1) / 2] + values[n / 2]) / 2.0
}

#[track_caller]
fn close(found: &Value, wanted: f64) {
    // Rounded to one decimal.
    let found = found.as_f64().unwrap();
    assert!((found - wanted).abs() <= 0.0501, "{found}, not {wanted}");
}

#[test]
fn the_sql_of_the_document_answers_what_the_records_say() {
    let project = Project::new(EXITING_APP);
    let one = copy(
        &project,
        "pypi/black",
        "results/deep/one",
        Some("web-1"),
        1.0,
    );
    let two = copy(&project, "pypi/black", "results/two", Some("web-2"), 1.5);
    // A service, of a host without a name, whose imports were measured besides.
    let service = copy(&project, "lernmanager", "results/service", None, 1.0);
    // The document's other SQL is about the record in the current folder.
    copy(&project, "lernmanager", ".", None, 1.0);
    let answers = answers(project.path());
    let [own, views, medians, pairs] = &answers[..] else {
        panic!("{} blocks", answers.len());
    };
    assert!(views.is_empty());

    let warm = own
        .iter()
        .find(|row| row["scenario"] == "warm" && row["twin"] == false);
    let warm = warm.unwrap();
    let expected = times(&service, "warm", "ready");
    assert_eq!(warm["launches"], expected.len());
    close(
        &warm["ready_ms"],
        median(expected.iter().map(|(_, ms)| *ms).collect()),
    );

    let cpu = service[0]["host"]["cpu_model"].as_str().unwrap();
    let all = [
        ("web-1", "black", &one, "exit"),
        ("web-2", "black", &two, "exit"),
        (cpu, "lernmanager", &service, "ready"),
    ];
    for (host, app, lines, metric) in all {
        let row = |rows: &[Value], scenario: &str| {
            let mut rows = rows.iter().filter(|row| {
                row["host"] == host
                    && row["app"] == app
                    && row["scenario"] == scenario
                    && row.get("launch").is_none_or(|launch| launch == "app")
            });
            rows.next()
                .cloned()
                .unwrap_or_else(|| panic!("no {scenario} of {app} on {host}"))
        };
        let warm = times(lines, "warm", metric);
        for scenario in ["warm", "cold", "prefix-first", "prefix-warm"] {
            let own = times(lines, scenario, metric);
            let found = row(medians, scenario);
            assert_eq!(found["launches"], own.len());
            assert_eq!(found["failures"], 0);
            close(
                &found["median_ms"],
                median(own.iter().map(|(_, ms)| *ms).collect()),
            );
            if scenario == "warm" {
                continue;
            }
            let logs: Vec<f64> = own
                .iter()
                .filter_map(|(block, ms)| {
                    let (_, warm) = warm.iter().find(|(warm, _)| warm == block)?;
                    Some((ms / warm).ln())
                })
                .collect();
            let found = row(pairs, scenario);
            assert_eq!(found["blocks"], logs.len());
            close(
                &found["change_in_percent"],
                100.0 * (median(logs).exp() - 1.0),
            );
        }
    }
    assert_eq!(medians.len(), 2 * 4 + 6);
    assert_eq!(pairs.len(), 2 * 3 + 2 * 5);
}
