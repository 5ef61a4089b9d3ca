//! `compare --by`: many records side by side.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::project::{As, EXITING_APP, Ended, Project, other_python, python};

const BLACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/black");
const PYTEST: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/pytest");

/// The lines of a record.
fn lines(folder: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(folder).join("record.jsonl")).unwrap();
    let lines = text.lines();
    lines.map(|l| serde_json::from_str(l).unwrap()).collect()
}

fn write(project: &Project, folder: &str, lines: &[Value]) {
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    project.write(&format!("{folder}/record.jsonl"), &text);
}

/// The record of black as another host would have it, all times multiplied by `speed`.
fn host(name: &str, speed: f64) -> Vec<Value> {
    let mut lines = lines(BLACK);
    lines[0]["host"]["name"] = json!(name);
    for time in times(&mut lines) {
        *time = json!(time.as_f64().unwrap() * speed);
    }
    lines
}

/// The times of all launches.
fn times(lines: &mut [Value]) -> impl Iterator<Item = &mut Value> {
    lines
        .iter_mut()
        .filter_map(|line| line.get_mut("metrics")?.as_object_mut())
        .flat_map(|metrics| metrics.values_mut())
}

/// Records of hosts `web-1`, `web-2` and so on, in folders below `runs`, each of another speed.
fn hosts(project: &Project, count: u32) {
    for number in 1..=count {
        let speed = 0.7 + 0.13 * f64::from(number * 7 % 10);
        let lines = host(&format!("web-{number}"), speed);
        write(project, &format!("runs/{number:02}"), &lines);
    }
}

fn project() -> Project {
    Project::new(EXITING_APP)
}

fn compare(project: &Project, args: &[&str]) -> Ended {
    project.run(&[&["compare"], args].concat())
}

fn as_json(project: &Project, args: &[&str]) -> Value {
    let ended = compare(project, &[args, &["--format", "json"]].concat()).expect(0);
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The first experiment's effect of a scenario against a baseline.
fn effect<'a>(found: &'a Value, scenario: &str, baseline: &str) -> &'a Value {
    let effects = found["experiments"][0]["effects"].as_array().unwrap();
    effects
        .iter()
        .find(|each| each["scenario"] == scenario && each["baseline"] == baseline)
        .unwrap_or_else(|| panic!("no {scenario} against {baseline}"))
}

#[track_caller]
fn close(a: &Value, b: &Value) {
    let (a, b) = (a.as_f64().unwrap(), b.as_f64().unwrap());
    assert!((a - b).abs() <= 2e-6 * b.abs().max(1.0), "{a}, not {b}");
}

fn names(found: &Value) -> Vec<&str> {
    let members = found["experiments"][0]["members"].as_array().unwrap();
    members
        .iter()
        .map(|m| m["name"].as_str().unwrap())
        .collect()
}

fn notes(found: &Value) -> String {
    found["experiments"][0]["notes"].to_string()
}

#[test]
fn hosts_stand_side_by_side_with_the_effects_of_their_own_records_and_a_mean() {
    let project = project();
    hosts(&project, 10);
    let found = as_json(&project, &["runs", "--by", "host"]);
    assert_eq!(found["by"], "host");
    assert_eq!(found["experiments"].as_array().unwrap().len(), 1);
    assert_eq!(names(&found)[8..], ["web-9", "web-10"]);
    let alone = compare(&project, &[BLACK, "--format", "json"]).expect(0);
    let alone: Value = serde_json::from_str(&alone.stdout).unwrap();
    for contrast in alone["contrasts"].as_array().unwrap() {
        let (scenario, baseline) = (&contrast["scenario"], &contrast["baseline"]);
        let effect = effect(
            &found,
            scenario.as_str().unwrap(),
            baseline.as_str().unwrap(),
        );
        // Multiplying all times of a host changes no ratio, and no interval of one.
        for row in effect["rows"].as_array().unwrap() {
            for end in ["estimate", "low", "high"] {
                close(&row["ratio"][end], &contrast["ratio"][end]);
            }
            assert_eq!(row["blocks"], contrast["blocks"]);
        }
        let pooled = &effect["pooled"];
        assert_eq!(pooled["members"], 10);
        close(&pooled["ratio"]["estimate"], &contrast["ratio"]["estimate"]);
        assert_eq!(pooled["ratio"]["i_squared"], 0.0);
        let ends = |pool: &Value, low: &str, high: &str| {
            pool[high].as_f64().unwrap() - pool[low].as_f64().unwrap()
        };
        // Ten hosts know it better than one, and a further host is known less well than their mean.
        let own = ends(&contrast["ratio"], "low", "high");
        assert!(ends(&pooled["ratio"], "low", "high") < own);
        let shift = &pooled["shift_ms"];
        assert!(ends(shift, "prediction_low", "prediction_high") >= ends(shift, "low", "high"));
    }
    // Of the times themselves there is no mean, and their differences depend on a host's speed.
    let cold = effect(&found, "cold", "warm");
    assert!(cold["pooled"].get("baseline_median_ms").is_none());
    assert!(cold["pooled"]["shift_ms"]["i_squared"].as_f64().unwrap() > 0.5);
    assert!(cold["pooled"]["shift_ms"]["tau"].as_f64().unwrap() > 1.0);
    assert!(cold["pooled"]["shift_ms"]["q_p_value"].as_f64().unwrap() < 0.01);
}

#[test]
fn a_table_has_a_line_for_each_host_one_for_their_mean_and_one_for_a_further_host() {
    let project = project();
    hosts(&project, 3);
    let text = compare(&project, &["runs", "--by", "host"])
        .expect(0)
        .stdout;
    let first: Vec<&str> = text
        .lines()
        .skip_while(|line| !line.starts_with("cold against warm, exit"))
        .take_while(|line| !line.is_empty())
        .collect();
    let starts = ["cold against", "host ", " ", "web-1 ", "web-2 ", "web-3 "];
    let starts = starts
        .iter()
        .chain(&["mean of 3 hosts ", "a further host ", "cold is "]);
    assert!(first.len() >= 9, "{first:?}");
    for (line, start) in first.iter().zip(starts) {
        assert!(line.starts_with(start), "{line:?} is not of {start:?}");
    }
    // Lines are broken anywhere.
    let text: Vec<&str> = text.split_whitespace().collect();
    let text = text.join(" ");
    for words in [
        "black, suite scenarios/pypi/black/suite.toml, cpython 3.11.2",
        "3 hosts, 3 records, 114 blocks",
        "slower than warm over 3 hosts",
        "in %: not that it shows (I² 0 %",
    ] {
        assert!(text.contains(words), "no {words:?} in\n{text}");
    }
    let markdown = compare(&project, &["runs", "--by", "host", "--format", "markdown"]);
    let markdown = markdown.expect(0).stdout;
    for words in [
        "| Host | Blocks | warm, ms |",
        "| web-2 | 38 |",
        "| **mean of 3 hosts** | 114 |",
    ] {
        assert!(markdown.contains(words), "no {words:?} in\n{markdown}");
    }
}

#[test]
fn two_hosts_have_a_mean_and_tell_nothing_of_a_further_one_and_one_host_has_neither() {
    let project = project();
    hosts(&project, 2);
    let found = as_json(&project, &["runs", "--by", "host"]);
    let pooled = &effect(&found, "cold", "warm")["pooled"];
    assert_eq!(pooled["members"], 2);
    assert!(pooled["ratio"]["low"].is_f64() && pooled["ratio"]["prediction_low"].is_null());
    assert!(
        notes(&found).contains("2 hosts are a small sample"),
        "{found}"
    );
    let text = compare(&project, &["runs", "--by", "host"])
        .expect(0)
        .stdout;
    assert!(text.contains("mean of 2 hosts") && !text.contains("a further host"));
    let found = as_json(&project, &["runs/01", "--by", "host"]);
    assert!(effect(&found, "cold", "warm")["pooled"].is_null());
    assert!(notes(&found).contains("there is one host only"), "{found}");
}

/// The two halves of a record's blocks, as two records.
fn halves(whole: &[Value]) -> [Vec<Value>; 2] {
    let half = |first: bool| {
        let mut lines: Vec<Value> = whole.to_vec();
        lines.retain(|line| {
            line["block"]
                .as_u64()
                .is_none_or(|block| (block < 19) == first)
        });
        lines
    };
    let (mut first, mut second) = (half(true), half(false));
    first[0]["started"] = json!("2026-01-01T00:00:00Z");
    second[0]["started"] = json!("2026-01-02T00:00:00Z");
    [first, second]
}

#[test]
fn the_blocks_of_several_records_of_a_host_are_put_together() {
    let project = project();
    let whole = host("web-1", 1.0);
    let [first, second] = halves(&whole);
    write(&project, "b", &first);
    write(&project, "a", &second);
    write(&project, "whole", &whole);
    let found = as_json(&project, &["a", "b", "--by", "host"]);
    let alone = as_json(&project, &["whole", "--by", "host"]);
    assert_eq!(names(&found), ["web-1"]);
    assert_eq!(
        found["experiments"][0]["members"][0]["records"],
        json!(["b", "a"])
    );
    assert_eq!(found["experiments"][0]["members"][0]["blocks"], 38);
    assert_eq!(
        found["experiments"][0]["effects"],
        alone["experiments"][0]["effects"]
    );
    assert!(!notes(&found).contains("by more than chance"), "{found}");
}

#[test]
fn records_of_a_host_that_do_not_agree_are_told() {
    let project = project();
    let [first, mut second] = halves(&host("web-1", 1.0));
    for line in second.iter_mut().filter(|line| line["scenario"] == "cold") {
        if let Some(time) = line.get_mut("metrics") {
            time["exit"] = json!(time["exit"].as_f64().unwrap() + 60.0);
        }
    }
    write(&project, "a", &first);
    write(&project, "b", &second);
    let found = as_json(&project, &["a", "b", "--by", "host"]);
    let note = "the 2 records of web-1 differ by more than chance in cold against warm, exit (p ";
    assert!(notes(&found).contains(note), "{found}");
    assert!(
        !notes(&found).contains("prefix-first against warm"),
        "{found}"
    );
}

#[test]
fn the_order_in_which_records_are_named_changes_nothing() {
    let project = project();
    hosts(&project, 4);
    for format in ["text", "json", "markdown"] {
        let print = |places: [&str; 4]| {
            let args = [&places[..], &["--by", "host", "--format", format]].concat();
            compare(&project, &args).expect(0).stdout
        };
        let one = print(["runs/01", "runs/02", "runs/03", "runs/04"]);
        assert_eq!(one, print(["runs/03", "runs/04", "runs/02", "runs/01"]));
    }
}

#[test]
fn an_invalid_record_is_left_out_by_name_and_without_a_valid_one_there_is_no_answer() {
    let project = project();
    hosts(&project, 3);
    let mut broken = host("web-4", 1.1);
    let receipt = broken.iter_mut().find(|line| line["type"] == "receipt");
    receipt.unwrap()["violations"] = json!(["it did not hold"]);
    write(&project, "runs/04", &broken);
    let ended = compare(&project, &["runs", "--by", "host"]).expect(0);
    assert!(ended.stdout.contains("mean of 3 hosts") && !ended.stdout.contains("web-4"));
    assert!(ended.stdout.contains("Left out") && ended.stdout.contains("it did not hold"));
    ended.says(&["left out, as it is invalid: runs/04", "it did not hold"]);
    let found = as_json(&project, &["runs", "--by", "host"]);
    assert_eq!(found["left_out"][0]["record"], "runs/04/record.jsonl");
    assert!(
        found["left_out"][0]["reasons"]
            .to_string()
            .contains("it did not hold")
    );
    compare(&project, &["runs/04", "--by", "host"])
        .expect(4)
        .says(&["none of them is valid", "runs/04", "it did not hold"]);
}

#[test]
fn launches_that_are_given_twice_do_not_count_twice() {
    let project = project();
    hosts(&project, 2);
    let twice = ["hold the same launches", "name each record once"];
    for places in [
        &["runs/01", "runs/01"][..],
        &["runs/01", "runs/01/record.jsonl"],
        &["runs", "runs/02"],
    ] {
        let args = [places, &["--by", "host"]].concat();
        compare(&project, &args).expect(2).says(&twice);
    }
    // Under another name, with another start, as another host, and in two parts.
    let whole = host("web-1", 1.0);
    let [_, mut half] = halves(&whole);
    half[0]["host"]["name"] = json!("web-7");
    for line in half.iter_mut().filter(|line| line["type"] == "launch") {
        line["block"] = json!(line["block"].as_u64().unwrap() + 1000);
        line["at_ms"] = json!(line["at_ms"].as_f64().unwrap() + 1000.0);
    }
    write(&project, "whole", &whole);
    write(&project, "half", &half);
    compare(&project, &["whole", "half", "--by", "host"])
        .expect(2)
        .says(&twice);
}

#[test]
fn what_is_no_record_is_refused_by_name() {
    let project = project();
    hosts(&project, 1);
    let mut newer = host("web-2", 1.1);
    newer[0]["format_version"] = json!(99);
    write(&project, "newer", &newer);
    project.write("empty/readme.txt", "");
    project.write("nothing.jsonl", "");
    project.write("other.json", "{\"what\": 1}\n");
    let hyperfine = include_str!("../exchange/hyperfine.json");
    project.write("hyperfine.json", hyperfine);
    for (place, words) in [
        ("newer", "format version 99"),
        ("empty", "there is no record.jsonl below empty"),
        ("missing", "missing"),
        ("runs/**/none.jsonl", "name the folder instead"),
        ("nothing.jsonl", "nothing.jsonl is empty"),
        ("other.json", "other.json is neither a record nor"),
        (
            "hyperfine.json",
            "hyperfine.json is hyperfine's JSON, which has no blocks",
        ),
    ] {
        for places in [["runs/01", place], [place, "runs/01"]] {
            let args = [&places[..], &["--by", "host"]].concat();
            compare(&project, &args).expect(2).says(&[words]);
        }
    }
    // A line that is damaged costs that line only, as everywhere.
    let text = fs::read_to_string(project.path().join("runs/01/record.jsonl")).unwrap();
    project.write(
        "damaged/record.jsonl",
        text.trim_end().trim_end_matches('}'),
    );
    compare(&project, &["damaged", "--by", "host"])
        .expect(0)
        .says(&["of damaged is damaged and left out"]);
}

#[test]
fn options_that_contradict_each_other_are_refused() {
    let project = project();
    hosts(&project, 3);
    for (args, words) in [
        (
            &["runs", "--by", "host", "--against", "main"][..],
            "--against",
        ),
        (
            &["runs/01", "runs/02", "--by", "host", "--unlike"],
            "--unlike",
        ),
        (&["runs", "--by", "host", "--blocks", "3"], "--blocks"),
        (&["runs", "--by", "planet"], "planet"),
        (&["--by", "host"], "RECORD"),
        (&["runs/01", "--out", "there"], "--out"),
        (&["runs/01", "runs/02", "runs/03"], "--by host"),
    ] {
        compare(&project, args).expect(2).says(&[words]);
    }
    assert!(!project.path().join("there").exists());
}

#[test]
fn a_folder_of_charts_and_figures_is_made_whole_and_none_is_written_into() {
    let project = project();
    hosts(&project, 3);
    let args = [
        "runs",
        "--by",
        "host",
        "--format",
        "json",
        "--out",
        "there/all",
    ];
    let ended = compare(&project, &args).expect(0).says(&["there/all"]);
    let file = |name: &str| fs::read(project.path().join("there/all").join(name)).unwrap();
    assert_eq!(file("comparison.json"), ended.stdout.as_bytes());
    assert!(file("charts/forest-cold-warm-exit.png").starts_with(b"\x89PNG"));
    let svg = String::from_utf8(file("charts/forest-cold-warm-exit.svg")).unwrap();
    for words in [
        "slower than warm over 3 hosts",
        ">web-2<",
        "Mean of 3 hosts",
        "a further host",
    ] {
        assert!(svg.contains(words), "no {words}");
    }
    let there = || fs::read_dir(project.path().join("there")).unwrap().count();
    assert_eq!(there(), 1);
    compare(&project, &args)
        .expect(2)
        .says(&["there/all", "there already", "--out"]);
    assert_eq!(there(), 1);
    project.write("file", "in the way");
    compare(&project, &["runs", "--by", "host", "--out", "file/all"])
        .expect(2)
        .says(&["file/all"]);
    assert_eq!(
        fs::read_to_string(project.path().join("file")).unwrap(),
        "in the way"
    );
}

#[test]
fn interpreters_stand_side_by_side_in_the_order_of_their_versions_and_are_not_pooled() {
    let project = project();
    for (version, speed) in [("3.11.2", 1.0), ("3.9.19", 1.2), ("3.14.0", 0.9)] {
        let mut lines = host("web-1", speed);
        lines[0]["interpreters"][0]["version"] = json!(version);
        write(&project, version, &lines);
    }
    let args = ["3.11.2", "3.9.19", "3.14.0", "--by", "interpreter"];
    let found = as_json(&project, &args);
    assert_eq!(
        names(&found),
        ["cpython 3.9.19", "cpython 3.11.2", "cpython 3.14.0"]
    );
    assert!(effect(&found, "cold", "warm")["pooled"].is_null());
    assert_eq!(found["experiments"][0]["interpreters"], Value::Null);
    assert!(notes(&found).contains("is uncontrolled, and nothing is pooled"));
    let text = compare(&project, &args).expect(0).stdout;
    assert!(text.contains("cold against warm: from +"), "{text}");
    assert!(!text.contains("mean of"), "{text}");
    // By host they are experiments of their own.
    let found = as_json(&project, &["3.11.2", "3.9.19", "--by", "host"]);
    assert_eq!(found["experiments"].as_array().unwrap().len(), 2);
}

#[test]
fn the_interpreters_of_one_record_stand_side_by_side_and_the_record_names_its_host() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"cold\"\nbytecode = \"absent\"\n"
    ));
    let other = other_python(&project);
    let options = [
        "--python", &other, "--quiet", "--seed", "1", "--blocks", "6",
    ];
    let mut measuring = project.measuring_under(As::Me, &python(), &options);
    crate::project::end(&mut measuring).expect(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    assert_eq!(project.record()[0]["host"]["name"], kernel.trim());
    let found = as_json(&project, &["out", "--by", "interpreter"]);
    assert_eq!(names(&found).len(), 2, "{found}");
    assert_eq!(found["experiments"].as_array().unwrap().len(), 1);
    let cold = effect(&found, "cold", "warm");
    for row in cold["rows"].as_array().unwrap() {
        assert_eq!(row["blocks"], 6);
    }
    assert!(notes(&found).contains("in the same blocks"), "{found}");
}

#[test]
fn apps_stand_side_by_side_and_what_one_lacks_is_missing() {
    let project = project();
    let mut black = lines(BLACK);
    black.retain(|line| line["type"] != "launch" || line["scenario"] != "prefix-first");
    write(&project, "black", &black);
    write(&project, "pytest", &lines(PYTEST));
    let args = ["black", "pytest", "--by", "app"];
    let found = as_json(&project, &args);
    assert_eq!(names(&found), ["black", "pytest"]);
    let first = effect(&found, "prefix-first", "warm");
    assert_eq!(first["rows"][0]["blocks"], 0);
    assert!(first["rows"][0]["ratio"].is_null() && first["rows"][1]["ratio"].is_object());
    let text = compare(&project, &args).expect(0).stdout;
    let missing = text.lines().any(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        cells == ["black", "0", "n/a", "n/a", "n/a", "n/a", "n/a"]
    });
    assert!(missing, "{text}");
}

#[test]
fn hosts_of_one_name_are_told_apart_by_their_cpu_and_those_without_by_all_that_is_known() {
    let project = project();
    let record = |folder: &str, name: Option<&str>, cpu: &str, memory: u64, speed: f64| {
        let mut lines = host("", speed);
        match name {
            Some(name) => lines[0]["host"]["name"] = json!(name),
            None => {
                lines[0]["host"].as_object_mut().unwrap().remove("name");
            }
        }
        lines[0]["host"]["cpu_model"] = json!(cpu);
        lines[0]["host"]["memory_mib"] = json!(memory);
        write(&project, folder, &lines);
    };
    record("a", Some("runner"), "EPYC", 1000, 1.0);
    record("b", Some("runner"), "Xeon", 1000, 1.1);
    // The same machine, given more memory.
    record("c", Some("runner"), "Xeon", 2000, 1.2);
    record("d", None, "Xeon", 1000, 1.3);
    record("e", None, "Xeon", 2000, 1.4);
    let found = as_json(&project, &["a", "b", "c", "d", "e", "--by", "host"]);
    assert_eq!(
        names(&found),
        [
            "Xeon (1000 MiB)",
            "Xeon (2000 MiB)",
            "runner (EPYC)",
            "runner (Xeon)"
        ]
    );
    assert!(
        notes(&found).contains("2 records do not hold the host's name"),
        "{found}"
    );
    // A name is no difference between two records.
    compare(&project, &["b", "d"]).expect(0);
}

#[test]
fn experiments_are_kept_apart_by_app_and_suite() {
    let project = project();
    hosts(&project, 2);
    let mut shorter = host("web-3", 1.05);
    shorter[0]["suite"]["sha256"] = json!("0".repeat(64));
    write(&project, "runs/shorter", &shorter);
    write(&project, "runs/pytest", &lines(PYTEST));
    let found = as_json(&project, &["runs", "--by", "host"]);
    let experiments = found["experiments"].as_array().unwrap();
    let mut extents: Vec<(&str, usize)> = experiments
        .iter()
        .map(|each| {
            let members = each["members"].as_array().unwrap().len();
            (each["app"].as_str().unwrap(), members)
        })
        .collect();
    extents.sort();
    assert_eq!(extents, [("black", 1), ("black", 2), ("pytest", 1)]);
}

#[test]
fn a_host_with_too_few_blocks_is_shown_and_not_pooled() {
    let project = project();
    hosts(&project, 2);
    let mut short = host("web-3", 1.05);
    short.retain(|line| line["block"].as_u64().is_none_or(|block| block < 5));
    write(&project, "runs/short", &short);
    let found = as_json(&project, &["runs", "--by", "host"]);
    let cold = effect(&found, "cold", "warm");
    assert_eq!(cold["rows"][2]["blocks"], 5);
    assert!(cold["rows"][2]["ratio"]["low"].is_null());
    assert_eq!(cold["pooled"]["members"], 2);
    assert!(
        notes(&found).contains("too few blocks for an interval"),
        "{found}"
    );
}

#[test]
fn a_host_may_be_called_anything() {
    let project = project();
    let names = ["\u{1b}[31mred", "<script>", "a|b", &"x".repeat(300)];
    for (number, name) in names.iter().enumerate() {
        let lines = host(name, 1.0 + 0.1 * number as f64);
        write(&project, &format!("runs/{number}"), &lines);
    }
    let text = compare(&project, &["runs", "--by", "host", "--out", "there"]);
    let text = text.expect(0).stdout;
    assert!(!text.contains('\u{1b}'));
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    let svg = project
        .path()
        .join("there/charts/forest-cold-warm-exit.svg");
    let svg = fs::read_to_string(svg).unwrap();
    assert!(svg.contains("&lt;script&gt;") && !svg.contains("<script>"));
    let markdown = compare(&project, &["runs", "--by", "host", "--format", "markdown"]);
    assert!(markdown.expect(0).stdout.contains("a\\|b"));
}

#[test]
fn the_readme_shows_what_the_committed_records_give() {
    let results = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi");
    let printed = compare(&project(), &[results, "--by", "app"])
        .expect(0)
        .stdout;
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once("## Many machines").unwrap();
    let (_, shown) = section.split_once("```text\n").unwrap();
    let shown = shown.split("```").next().unwrap();
    assert!(shown.lines().count() > 10);
    assert!(printed.starts_with(shown), "README.md shows\n{shown}");
}
