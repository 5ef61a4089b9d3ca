//! What is computed from a record alone: reports, comparisons, checks.

use std::fs;
use std::path::Path;

use crate::project::{As, EXITING_APP, Project, end};

const CLAIMS: &str = r#"
[[scenario]]
name = "cold"
bytecode = "absent"

[[claim]]
id = "writes-two"
text = "two modules are written"
scenario = "cold"
expect = { written = 2 }
"#;

fn measured() -> Project {
    let project = Project::new(&format!("{EXITING_APP}{CLAIMS}"));
    project.measure(As::Me, 6).expect(0);
    project
}

/// Every file below a folder, by name, but for the record.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = walkdir::WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| entry.file_type().is_file() && entry.file_name() != "record.jsonl")
        .map(|entry| {
            let name = entry
                .path()
                .strip_prefix(folder)
                .unwrap()
                .display()
                .to_string();
            (name, fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_report_from_the_record_gives_the_same_bytes_as_the_run_did() {
    let project = measured();
    let args = ["report", "out", "--out", "again"];
    let first = project.run(&args).expect(0);
    let again = files(&project.path().join("again"));
    assert!(again == files(&project.path().join("out")));
    let names: Vec<&str> = again.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains(&"summary.json") && names.contains(&"report.html"),
        "{names:?}"
    );
    assert!(names.contains(&"charts/distribution-exit.svg"), "{names:?}");
    assert!(names.contains(&"charts/distribution-exit.png"), "{names:?}");
    // The app, its interpreter and its folder may be gone.
    fs::remove_dir_all(project.path().join("app")).unwrap();
    assert_eq!(project.run(&args).expect(0).stdout, first.stdout);
    assert!(again == files(&project.path().join("again")));
}

#[test]
fn summary_json_is_what_format_json_prints() {
    let project = measured();
    let printed = project
        .run(&["report", "out", "--format", "json"])
        .expect(0)
        .stdout;
    let written = fs::read_to_string(project.path().join("out/summary.json")).unwrap();
    assert_eq!(printed, written);
    let summary: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(summary["blocks"], 6);
    assert_eq!(summary["claims"][0]["verdict"], "supported");
}

#[test]
fn a_damaged_line_is_named_and_the_rest_is_read() {
    let project = measured();
    let path = project.path().join("out/record.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let last = lines.len() - 1;
    let launch = last - 3;
    lines[launch] = lines[launch].replace("\"wall_ms\":", "\"wall_ms\":-");
    let (end, _) = lines[last].split_at(lines[last].len() / 2);
    lines[last] = end.to_owned();
    fs::write(&path, lines.join("\n")).unwrap();
    let ended = project.run(&["report", "out"]).expect(0).says(&[
        &format!(
            "line {} of out is damaged and left out: `wall_ms` is -",
            launch + 1
        ),
        &format!(
            "line {} of out is damaged and left out: it breaks off",
            last + 1
        ),
    ]);
    assert!(
        ended.stdout.contains(&format!(
            "lines {} and {} of the record",
            launch + 1,
            last + 1
        )),
        "{}",
        ended.stdout
    );
    assert!(
        ended.stdout.contains("the record has no end"),
        "{}",
        ended.stdout
    );
}

#[test]
fn what_is_no_record_is_refused_with_the_reason() {
    let project = measured();
    project
        .run(&["report", "nowhere"])
        .expect(2)
        .says(&["cannot read the record nowhere"]);
    project
        .run(&["report", "suite.toml"])
        .expect(2)
        .says(&["suite.toml is not a record"]);
    let path = project.path().join("out/record.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(
        &path,
        text.replace("\"format_version\":1", "\"format_version\":99"),
    )
    .unwrap();
    project.run(&["check", "out"]).expect(2).says(&[
        "has format version 99",
        "reads version 1",
        "as new as",
    ]);
    fs::write(
        &path,
        text.replace("source = \\\"app\\\"", "sauce = \\\"app\\\""),
    )
    .unwrap();
    project
        .run(&["check", "out"])
        .expect(2)
        .says(&["the suite inside", "unknown key `sauce`"]);
    fs::write(&path, "").unwrap();
    project
        .run(&["check", "out"])
        .expect(2)
        .says(&["is not a record"]);
}

#[test]
fn checks_exit_status_says_the_verdict() {
    let project = measured();
    project.run(&["check", "out"]).expect(0);
    let path = project.path().join("out/record.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let with = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        fs::write(&path, text.replace(from, to)).unwrap();
    };
    with("written = 2", "written = 3");
    assert!(
        project
            .run(&["check", "out"])
            .expect(1)
            .stdout
            .contains("refuted")
    );
    with(
        "scenario = \\\"cold\\\"\\n\\n[claim.expect]\\nwritten = 2",
        "contrast = { from = \\\"warm\\\", to = \\\"cold\\\", metric = \\\"exit\\\" }\\n\
         [claim.expect]\\nsaves-at-least = \\\"0ms\\\"",
    );
    // Six blocks have an interval of 95 %; writing two pycs saves nothing.
    let status = project.run(&["check", "out"]).status;
    assert!(status == 3 || status == 1, "{status}");
    with("\"violations\":[]", "\"violations\":[\"it did not hold\"]");
    assert!(
        project
            .run(&["check", "out"])
            .expect(4)
            .stdout
            .contains("it did not hold")
    );
}

#[test]
fn two_records_are_compared_as_uncontrolled_and_unlike_ones_refused() {
    let project = measured();
    let args = |out: &'static str| {
        [
            "run",
            "suite.toml",
            "--quiet",
            "--blocks",
            "6",
            "--python",
            "/usr/bin/python3",
            "--out",
            out,
        ]
    };
    project.run(&args("second")).expect(0);
    let ended = project.run(&["compare", "out", "second"]);
    // The block limit is on the command line of one and not of the other only if it differs.
    let ended = ended.expect(0);
    assert!(
        ended.stdout.contains("uncontrolled") && ended.stdout.contains("cold"),
        "{}",
        ended.stdout
    );
    let json = project
        .run(&["compare", "out", "second", "--format", "json"])
        .expect(0)
        .stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["contrasts"][0]["paired"], false);

    let mut other = args("third").to_vec();
    other.extend(["--only", "cold", "--budget", "59s"]);
    project.run(&other).expect(0);
    project.run(&["compare", "out", "third"]).expect(2).says(&[
        "not of the same experiment",
        "suite",
        "--unlike",
    ]);
    let labelled = project
        .run(&["compare", "out", "third", "--unlike"])
        .expect(0)
        .stdout;
    assert!(
        labelled.contains("What differs between the records"),
        "{labelled}"
    );
}

#[test]
fn one_record_compared_shows_its_own_contrasts() {
    let project = measured();
    let shown = project.run(&["compare", "out"]).expect(0).stdout;
    assert!(
        shown.contains("noise floor") && shown.contains("cold"),
        "{shown}"
    );
}

#[test]
fn output_that_cannot_be_written_is_told() {
    let project = measured();
    project.write("file", "in the way");
    project
        .run(&["report", "out", "--out", "file"])
        .expect(2)
        .says(&["cannot make the folder file"]);
    // A reader that has had enough.
    let mut command = std::process::Command::new("sh");
    let script = format!("{} report out | head -n 1", env!("CARGO_BIN_EXE_coldsnake"));
    let ended = end(command.args(["-c", &script]).current_dir(project.path())).expect(0);
    assert_eq!(ended.stderr, "");
}

/// The reference run is mended by `coldsnake report results/lernmanager`.
#[test]
fn the_reference_run_is_what_its_record_gives_and_the_readme_shows_it() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let reference = repository.join("results/lernmanager");
    let project = Project::new(EXITING_APP);
    let printed = project
        .run(&["report", reference.to_str().unwrap(), "--out", "again"])
        .expect(0)
        .stdout;
    // Pixels may differ in the last bit from one kind of processor to the other.
    let kept = |folder: &Path| {
        let mut all = files(folder);
        all.retain(|(name, _)| !name.ends_with(".png"));
        all
    };
    let (again, committed) = (kept(&project.path().join("again")), kept(&reference));
    let names =
        |all: &[(String, Vec<u8>)]| all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    assert_eq!(names(&again), names(&committed));
    for ((name, new), (_, old)) in again.iter().zip(&committed) {
        assert!(new == old, "{name} is not what the record gives");
    }
    let readme = fs::read_to_string(repository.join("README.md")).unwrap();
    let (_, after) = readme.split_once("--out results/lernmanager\n").unwrap();
    let shown = after
        .split("```text\n")
        .nth(1)
        .unwrap()
        .split("```")
        .next()
        .unwrap();
    assert!(shown.lines().count() > 20);
    for line in shown.lines() {
        assert!(
            printed.lines().any(|printed| printed == line),
            "README.md shows {line:?}"
        );
    }
}
