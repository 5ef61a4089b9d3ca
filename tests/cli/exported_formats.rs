//! What is in each format, and the programs themselves as its readers where Python has them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::exported::{BLACK, GUNICORN, exported, json, keys, project, record, with_failures};
use crate::project::{As, Ended, Project, end, other_python, python};

/// A scenario's launches in the order of the record, without the twin's.
fn launches<'a>(record: &'a [Value], scenario: &str) -> Vec<&'a Value> {
    let all = record.iter().filter(|line| {
        line["type"] == "launch" && line["scenario"] == scenario && line["twin"] != true
    });
    all.collect()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * b.abs().max(1e-9)
}

fn numbers(list: &Value) -> Vec<f64> {
    let list = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    list.iter().map(|number| number.as_f64().unwrap()).collect()
}

#[test]
fn a_hyperfine_file_is_what_its_schema_says_to_the_last_key() {
    let text = exported(BLACK, "hyperfine");
    let file = json(&text);
    assert_eq!(keys(&file), ["results"]);
    let record = record(BLACK);
    let results = file["results"].as_array().unwrap();
    let names: Vec<&Value> = results.iter().map(|result| &result["command"]).collect();
    assert_eq!(names, ["warm", "cold", "prefix-first", "prefix-warm"]);
    for result in results {
        assert_eq!(
            keys(result),
            [
                "command",
                "mean",
                "stddev",
                "median",
                "user",
                "system",
                "min",
                "max",
                "times",
                "memory_usage_byte",
                "exit_codes",
                "parameters"
            ]
        );
        let launches = launches(&record, result["command"].as_str().unwrap());
        let of = |read: fn(&Value) -> f64| launches.iter().map(|each| read(each)).collect();
        let wanted: Vec<f64> = of(|launch| launch["metrics"]["exit"].as_f64().unwrap() / 1e3);
        let times = numbers(&result["times"]);
        assert_eq!(times.len(), wanted.len());
        assert!(times.iter().zip(&wanted).all(|(a, b)| close(*a, *b)));
        let n = times.len() as f64;
        let mean = times.iter().sum::<f64>() / n;
        let squares: f64 = times.iter().map(|time| (time - mean).powi(2)).sum();
        let mut sorted = times.clone();
        sorted.sort_by(f64::total_cmp);
        let (low, high) = (sorted[(times.len() - 1) / 2], sorted[times.len() / 2]);
        let user: Vec<f64> = of(|launch| launch["user_ms"].as_f64().unwrap() / 1e3);
        let system: Vec<f64> = of(|launch| launch["system_ms"].as_f64().unwrap() / 1e3);
        for (key, wanted) in [
            ("mean", mean),
            ("stddev", (squares / (n - 1.0)).sqrt()),
            ("median", (low + high) / 2.0),
            ("min", sorted[0]),
            ("max", sorted[times.len() - 1]),
            ("user", user.iter().sum::<f64>() / n),
            ("system", system.iter().sum::<f64>() / n),
        ] {
            let found = result[key].as_f64().unwrap();
            assert!(close(found, wanted), "{key}: {found}, not {wanted}");
        }
        let memory: Vec<f64> = of(|launch| launch["peak_memory_kib"].as_f64().unwrap() * 1024.0);
        assert_eq!(numbers(&result["memory_usage_byte"]), memory);
        assert!(result["memory_usage_byte"][0].is_u64());
        assert_eq!(result["exit_codes"], Value::from(vec![0; times.len()]));
        let parameters = result["parameters"].as_object().unwrap();
        assert!(parameters.values().all(Value::is_string), "{parameters:?}");
    }
}

#[test]
fn a_server_was_ended_by_a_signal_which_hyperfine_writes_as_null() {
    let file = json(&exported(GUNICORN, "hyperfine"));
    let result = &file["results"][0];
    assert_eq!(result["parameters"]["metric"], "ready");
    let codes = result["exit_codes"].as_array().unwrap();
    assert_eq!(codes.len(), numbers(&result["times"]).len());
    assert!(codes.iter().all(Value::is_null));
}

#[test]
fn hyperfine_2_has_a_measurement_for_each_time_and_a_summary_for_each_metric() {
    let (one, two) = (
        json(&exported(BLACK, "hyperfine")),
        json(&exported(BLACK, "hyperfine-2")),
    );
    assert_eq!(
        keys(&two),
        ["schema_version", "metadata", "primary_metric", "results"]
    );
    assert_eq!(two["schema_version"], 2);
    assert_eq!(two["primary_metric"], "time_wall_clock");
    for (old, new) in one["results"]
        .as_array()
        .unwrap()
        .iter()
        .zip(two["results"].as_array().unwrap())
    {
        assert_eq!(old["command"], new["name"]);
        let measured = new["measurements"].as_array().unwrap();
        let times: Vec<Value> = measured
            .iter()
            .map(|each| each["time_wall_clock"]["value"].clone())
            .collect();
        assert_eq!(old["times"], Value::from(times));
        for metric in keys(&measured[0])
            .into_iter()
            .filter(|key| *key != "exit_code")
        {
            let summary = &new["summary"][metric];
            assert_eq!(summary["unit"], measured[0][metric]["unit"], "{metric}");
            assert_eq!(summary["count"], measured.len(), "{metric}");
        }
        assert_eq!(old["median"], new["summary"]["time_wall_clock"]["median"]);
        assert_eq!(
            old["parameters"]["scenario"],
            new["parameters"]["scenario"]["value"]
        );
    }
}

/// An interpreter with pyperf, of the package index, made once.
fn pyperf() -> &'static Path {
    static MADE: OnceLock<PathBuf> = OnceLock::new();
    MADE.get_or_init(|| {
        let requirements =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exchange/requirements.txt");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exchange");
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
    })
}

/// Runs pyperf on files of the project.
fn run_pyperf(project: &Project, args: &[&str]) -> Ended {
    let mut command = Command::new(pyperf());
    let command = command.args(["-m", "pyperf"]).args(args);
    end(command.current_dir(project.path()))
}

#[test]
fn pyperf_reads_what_is_written_for_it() {
    let project = project();
    for (name, record) in [("black", BLACK), ("gunicorn", GUNICORN)] {
        let file = format!("{name}.json");
        let args = ["export", record, "--format", "pyperf", "--out", &file];
        assert_eq!(project.run(&args).expect(0).stdout, "");
    }
    let stats = run_pyperf(&project, &["stats", "black.json"])
        .expect(0)
        .stdout;
    for text in [
        "Number of benchmarks: 4",
        "Number of run with values: 38",
        "Number of value per run: 1",
        "Start date: 2026-11-24 13:34:41",
    ] {
        assert!(stats.contains(text), "no {text:?} in {stats}");
    }
    let hist = run_pyperf(&project, &["hist", "black.json"])
        .expect(0)
        .stdout;
    assert!(
        hist.contains("prefix-first\n=====") && hist.contains(" ms: "),
        "{hist}"
    );
    // It may call the times unstable, which is no error.
    run_pyperf(&project, &["check", "black.json"]).expect(0);
    run_pyperf(&project, &["check", "gunicorn.json"]).expect(0);
    let compared = ["compare_to", "black.json", "gunicorn.json", "--table"];
    let table = run_pyperf(&project, &compared).expect(0).stdout;
    assert!(
        table.contains("| prefix-warm ") && table.contains("slower"),
        "{table}"
    );
    let metadata = run_pyperf(&project, &["metadata", "black.json"])
        .expect(0)
        .stdout;
    for text in [
        "- python_version: 3.11.2",
        "- cpu_model_name: AMD EPYC",
        "- coldsnake_metric: exit",
        "- unit: second",
    ] {
        assert!(metadata.contains(text), "no {text:?} in {metadata}");
    }
}

#[test]
fn pyperf_finds_the_values_of_the_record_and_writes_the_file_anew_as_it_is() {
    let project = project();
    let args = ["export", BLACK, "--format", "pyperf", "--out", "black.json"];
    project.run(&args).expect(0);
    project.write(
        "read.py",
        "import json, pyperf\n\
         suite = pyperf.BenchmarkSuite.load('black.json')\n\
         suite.dump('again.json')\n\
         print(json.dumps({each.get_name(): each.get_values() for each in suite}))\n",
    );
    let mut command = Command::new(pyperf());
    let read = end(command.arg("read.py").current_dir(project.path())).expect(0);
    let values = json(&read.stdout);
    let record = record(BLACK);
    assert_eq!(keys(&values).len(), 4);
    for (name, values) in values.as_object().unwrap() {
        let wanted = launches(&record, name).into_iter();
        let wanted: Vec<f64> = wanted
            .map(|launch| launch["metrics"]["exit"].as_f64().unwrap() / 1e3)
            .collect();
        let values = numbers(values);
        assert_eq!(values.len(), wanted.len());
        assert!(
            values.iter().zip(&wanted).all(|(a, b)| close(*a, *b)),
            "{name}"
        );
    }
    let compared = project
        .run(&["compare", "black.json", "again.json"])
        .expect(0);
    assert!(
        compared.stdout.contains("prefix-first"),
        "{}",
        compared.stdout
    );
}

#[test]
fn bencher_gets_nanoseconds_inside_their_interval() {
    let file = json(&exported(BLACK, "bencher"));
    let summary = project()
        .run(&["compare", BLACK, "--format", "json"])
        .expect(0);
    let summary = json(&summary.stdout);
    let scenarios = summary["scenarios"].as_array().unwrap();
    assert_eq!(keys(&file).len(), scenarios.len());
    for scenario in scenarios {
        let measures = &file[scenario["name"].as_str().unwrap()];
        assert_eq!(keys(measures), ["latency"]);
        let latency = &measures["latency"];
        assert_eq!(keys(latency), ["value", "lower_value", "upper_value"]);
        let [value, low, high] =
            ["value", "lower_value", "upper_value"].map(|key| latency[key].as_u64().unwrap());
        assert!(low < value && value < high, "{latency}");
        let median = scenario["metrics"]["exit"]["median_ms"].as_f64().unwrap() * 1e6;
        assert!(
            (value as f64 - median).abs() <= 1.0,
            "{latency}, not {median}"
        );
    }
}

#[test]
fn github_action_benchmark_gets_milliseconds_with_a_range() {
    let file = json(&exported(GUNICORN, "github-action-benchmark"));
    let entries = file.as_array().unwrap();
    assert_eq!(entries.len(), 4);
    for entry in entries {
        assert_eq!(keys(entry), ["name", "unit", "value", "range", "extra"]);
        assert_eq!(entry["unit"], "ms");
        let value = entry["value"].as_f64().unwrap();
        let range = entry["range"].as_str().unwrap();
        let ends: Vec<f64> = range
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let [_, low, high] = ends.as_slice() else {
            panic!("{range}");
        };
        assert!(*low < value && value < *high, "{entry}");
        let extra = entry["extra"].as_str().unwrap();
        assert!(
            extra.contains("ready, median of ") && extra.contains("cpython"),
            "{extra}"
        );
    }
}

#[test]
fn csv_has_a_line_for_each_launch_failed_ones_and_the_twins_too() {
    let project = project();
    with_failures(&project, 3);
    let args = ["export", "failed", "--format", "csv", "--out", "all.csv"];
    assert_eq!(project.run(&args).expect(0).stderr, "");
    // Read by somebody else's reader.
    let script =
        "import csv, json; print(json.dumps(list(csv.DictReader(open('all.csv', newline='')))))";
    let mut reader = Command::new(python());
    let rows = end(reader.args(["-c", script]).current_dir(project.path())).expect(0);
    let rows = json(&rows.stdout);
    let rows = rows.as_array().unwrap();
    let text = fs::read_to_string(project.path().join("failed/record.jsonl")).unwrap();
    let lines = text
        .lines()
        .map(json)
        .filter(|line| line["type"] == "launch");
    let lines: Vec<Value> = lines.collect();
    assert_eq!(rows.len(), lines.len());
    for (row, line) in rows.iter().zip(&lines) {
        assert_eq!(row["scenario"], line["scenario"]);
        assert_eq!(
            row["twin"],
            if line["twin"] == true {
                "true"
            } else {
                "false"
            }
        );
        assert_eq!(row["interpreter"], "cpython 3.11.2");
        assert_eq!(row["metric"], "exit");
        let cell = |name: &str| row[name].as_str().unwrap();
        let time = line["metrics"]["exit"].as_f64();
        assert_eq!(cell("time_ms").parse().ok(), time);
        assert_eq!(cell("wall_ms").parse().ok(), line["wall_ms"].as_f64());
        assert_eq!(
            cell("failure"),
            line["failure"].as_str().unwrap_or_default()
        );
    }
    let failed = rows.iter().filter(|row| row["failure"] != "");
    assert_eq!(failed.count(), 3);
}

#[test]
fn every_column_of_csv_is_documented_and_no_other() {
    let text = exported(BLACK, "csv");
    let mut columns: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let document =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("results/README.md"));
    let document = document.unwrap();
    let (_, table) = document.split_once("<!-- columns of csv -->\n\n").unwrap();
    let rows = table
        .lines()
        .take_while(|line| line.starts_with('|'))
        .skip(2);
    let first_cells = rows.map(|row| row.split('|').nth(1).unwrap());
    let mut named: Vec<&str> = first_cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect();
    columns.sort_unstable();
    named.sort_unstable();
    assert_eq!(columns, named);
}

#[test]
fn markdown_has_the_contrasts_in_a_table_that_stays_one() {
    let text = exported(GUNICORN, "markdown");
    assert!(
        text.starts_with("### How long gunicorn-flask takes to start\n"),
        "{text}"
    );
    let rows: Vec<&str> = text
        .lines()
        .take_while(|line| !line.starts_with("| Claim"))
        .filter(|line| line.starts_with('|'))
        .collect();
    for row in &rows {
        assert_eq!(row.matches('|').count(), 7, "{row}");
    }
    assert!(
        text.contains("\n| Claim | Expected | Measured | Verdict |\n"),
        "{text}"
    );
    let cold = rows
        .iter()
        .find(|row| row.starts_with("| `cold` |"))
        .unwrap();
    assert!(
        cold.contains("| `warm` | +") && cold.contains('['),
        "{cold}"
    );
    assert!(
        rows.iter().any(|row| row.starts_with("| `warm` again |")),
        "{text}"
    );
    assert!(text.contains("cpython 3.11.2"), "{text}");
}

#[test]
fn scenarios_under_several_interpreters_have_names_of_their_own() {
    let project = project();
    let other = other_python(&project);
    let options = [
        "--quiet", "--blocks", "1", "--seed", "1", "--python", &other,
    ];
    end(&mut project.measuring(As::Me, &options)).expect(0);
    let file = project
        .run(&["export", "out", "--format", "hyperfine"])
        .expect(0);
    let file = json(&file.stdout);
    let results = file["results"].as_array().unwrap();
    assert_eq!(results.len(), 2, "{file}");
    let [first, second] = [&results[0], &results[1]];
    assert_ne!(first["command"], second["command"]);
    let header = &project.record()[0];
    for (result, interpreter) in results
        .iter()
        .zip(header["interpreters"].as_array().unwrap())
    {
        let version = format!("cpython {}", interpreter["version"].as_str().unwrap());
        assert_eq!(result["parameters"]["python"], version);
        assert!(result["stddev"].is_null());
    }
    let args = ["export", "out", "--format", "pyperf", "--out", "out.json"];
    project.run(&args).expect(0);
    let shown = run_pyperf(&project, &["show", "out.json"]).expect(0).stdout;
    assert!(
        shown.contains(first["command"].as_str().unwrap()),
        "{shown}"
    );
}
