//! Records in the formats of other programs: what is refused, left out, and overwritten.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use crate::project::{EXITING_APP, Project, end};

pub const BLACK: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/black");
/// Its metric is `ready`.
pub const GUNICORN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/results/pypi/gunicorn-flask");
const FORMATS: [&str; 7] = [
    "hyperfine",
    "hyperfine-2",
    "pyperf",
    "bencher",
    "github-action-benchmark",
    "csv",
    "markdown",
];

pub fn project() -> Project {
    Project::new(EXITING_APP)
}

pub fn exported(record: &str, format: &str) -> String {
    let ended = project().run(&["export", record, "--format", format]);
    let ended = ended.expect(0);
    assert_eq!(ended.stderr, "");
    ended.stdout
}

pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The lines of a committed record.
pub fn record(folder: &str) -> Vec<Value> {
    let text = fs::read_to_string(Path::new(folder).join("record.jsonl")).unwrap();
    text.lines().map(json).collect()
}

/// A copy of black's record in the project, in which some launches of `cold` failed.
pub fn with_failures(project: &Project, failed: usize) -> usize {
    let mut left = failed;
    let mut all = 0;
    let lines = record(BLACK).into_iter().map(|mut line| {
        if line["type"] == "launch" && line["scenario"] == "cold" {
            all += 1;
            if left > 0 {
                left -= 1;
                line["failure"] = "it said \"no, never\",\nand went".into();
                line["metrics"] = Value::Object(Map::new());
            }
        }
        line.to_string() + "\n"
    });
    let text: String = lines.collect();
    assert_eq!(left, 0);
    project.write("failed/record.jsonl", &text);
    all
}

pub fn keys(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[test]
fn launches_without_a_time_are_counted_for_each_scenario() {
    let project = project();
    let all = with_failures(&project, 3);
    for format in [
        "hyperfine",
        "hyperfine-2",
        "pyperf",
        "bencher",
        "github-action-benchmark",
    ] {
        let ended = project
            .run(&["export", "failed", "--format", format])
            .expect(0);
        let said = format!("cold: 3 of {all} launches failed, and are left out");
        let ended = ended.says(&[&said]);
        assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
    }
    let markdown = project
        .run(&["export", "failed", "--format", "markdown"])
        .expect(0);
    let said = format!("| `cold` (3 of {all} launches failed) |");
    assert!(markdown.stdout.contains(&said), "{}", markdown.stdout);

    with_failures(&project, all);
    let ended = project
        .run(&["export", "failed", "--format", "hyperfine"])
        .expect(0);
    let ended = ended.says(&[&format!(
        "cold is left out: all of its {all} launches failed"
    )]);
    let results = &json(&ended.stdout)["results"];
    let names: Vec<&Value> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|each| &each["command"])
        .collect();
    assert_eq!(names, ["warm", "prefix-first", "prefix-warm"]);
}

#[test]
fn what_is_not_to_be_believed_is_exported_with_a_word() {
    let project = project();
    let broken = record(BLACK).into_iter().map(|mut line| {
        if line["type"] == "launch" && line["block"] == 0 && line["scenario"] == "warm" {
            line["violations"] = Value::from(vec!["it did not hold"]);
        }
        line.to_string() + "\n"
    });
    project.write("broken/record.jsonl", &broken.collect::<String>());
    let args = ["export", "broken", "--format", "markdown"];
    let ended = project.run(&args).expect(0);
    let ended = ended.says(&["not to be believed", "it did not hold"]);
    assert!(
        ended
            .stdout
            .contains("**These figures are not to be believed:**")
    );
}

#[test]
fn the_same_record_gives_the_same_bytes_to_a_file_and_to_standard_output() {
    let project = project();
    for format in FORMATS {
        let printed = exported(BLACK, format);
        let args = ["export", BLACK, "--format", format, "--out", format];
        project.run(&args).expect(0);
        let written = fs::read_to_string(project.path().join(format)).unwrap();
        assert!(written == printed, "{format}");
        assert!(
            printed.ends_with('\n') && !printed.contains("NaN"),
            "{format}"
        );
    }
    // No temporary file is left.
    let files = fs::read_dir(project.path()).unwrap().flatten();
    let hidden = files.filter(|file| file.file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0);
}

#[test]
fn a_file_is_replaced_only_if_that_is_asked_for() {
    let project = project();
    let args = ["export", BLACK, "--format", "bencher", "--out", "kept.json"];
    project.write("kept.json", "somebody's");
    project
        .run(&args)
        .expect(2)
        .says(&["kept.json is there already", "--force"]);
    let read = |name: &str| fs::read_to_string(project.path().join(name)).unwrap();
    assert_eq!(read("kept.json"), "somebody's");
    let with = |name: &'static str| {
        [
            "export", BLACK, "--format", "bencher", "--force", "--out", name,
        ]
    };
    project.run(&with("kept.json")).expect(0);
    assert!(read("kept.json").contains("latency"));

    // A link stays one; one that leads nowhere is in the way, too.
    project.write("real.json", "old");
    std::os::unix::fs::symlink("real.json", project.path().join("link.json")).unwrap();
    project.run(&with("link.json")).expect(0);
    assert!(read("real.json").contains("latency"));
    assert!(project.path().join("link.json").is_symlink());
    std::os::unix::fs::symlink("nowhere", project.path().join("dangling")).unwrap();
    let args = ["export", BLACK, "--format", "csv", "--out", "dangling"];
    project
        .run(&args)
        .expect(2)
        .says(&["dangling is there already"]);
    project
        .run(&with("app"))
        .expect(2)
        .says(&["app is no ordinary file"]);
    project
        .run(&with("/dev/null"))
        .expect(2)
        .says(&["/dev/null is no ordinary file"]);
    project.run(&with("no/such/file")).expect(2).says(&[
        "cannot write no/such/file: No such file or directory (os error 2)\n",
        "name another file",
    ]);
    let full = format!(
        "{} export {BLACK} --format csv > /dev/full",
        env!("CARGO_BIN_EXE_coldsnake")
    );
    let ended = end(Command::new("sh").args(["-c", &full])).expect(2);
    ended.says(&["cannot write to standard output"]);
}

#[test]
fn a_metric_that_was_not_measured_is_refused_with_those_that_were() {
    let project = project();
    let export = |record: &str, metric: &str| {
        project.run(&["export", record, "--format", "csv", "--metric", metric])
    };
    export(BLACK, "ready")
        .expect(2)
        .says(&["black was not measured by ready, but by exit"]);
    export(BLACK, "speed")
        .expect(2)
        .says(&["possible values: ready, exit, import"]);
    export("nowhere", "exit")
        .expect(2)
        .says(&["cannot read the record nowhere"]);
    export("suite.toml", "exit")
        .expect(2)
        .says(&["suite.toml is not a record"]);
    let ended = project.run(&["export", BLACK, "--format", "xml"]).expect(2);
    ended.says(&["hyperfine", "github-action-benchmark", "markdown"]);
    let ended = export(BLACK, "exit").expect(0);
    assert!(
        ended
            .stdout
            .lines()
            .skip(1)
            .all(|line| line.contains(",exit,"))
    );
}

#[test]
fn several_records_are_told_apart_by_their_apps() {
    let project = project();
    let export = |records: &[&str], format: &str| {
        project.run(&[&["export"], records, &["--format", format]].concat())
    };
    let file = json(&export(&[BLACK, GUNICORN], "bencher").expect(0).stdout);
    let names = keys(&file);
    assert_eq!(names.len(), 8);
    assert!(
        names.contains(&"black/cold") && names.contains(&"gunicorn-flask/cold"),
        "{names:?}"
    );
    export(&[BLACK, BLACK], "pyperf")
        .expect(2)
        .says(&["two records hold black/cold", "csv"]);
    let both = export(&[BLACK, BLACK], "csv").expect(0).stdout;
    assert_eq!(
        both.lines().count(),
        2 * exported(BLACK, "csv").lines().count() - 1
    );
}

#[test]
fn scenarios_can_be_chosen() {
    let project = project();
    let export = |format: &str, only: &str| {
        project.run(&["export", BLACK, "--format", format, "--only", only])
    };
    let file = json(&export("bencher", "cold,warm").expect(0).stdout);
    assert_eq!(keys(&file), ["warm", "cold"]);
    let csv = export("csv", "cold").expect(0).stdout;
    assert!(csv.lines().count() > 2);
    assert!(csv.lines().skip(1).all(|line| line.contains(",cold,")));
    let markdown = export("markdown", "cold").expect(0).stdout;
    assert!(markdown.contains("| `cold` |") && !markdown.contains("| `prefix-warm` |"));
    let refused = export("csv", "cold,hot").expect(2);
    refused.says(&["no scenario is called hot; there are warm, cold, prefix-first, prefix-warm"]);
}
