//! Two states of an app, by its git repository.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::project::{As, Ended, Project, end, python, stamps};

/// An app that prints what it is, with a scenario in which nothing of it is cached.
const SUITE: &str = r#"
[app]
name = "tiny"
source = "app"
command = ["{python}", "main.py"]
timeout = "20s"

[measure]
baseline = "warm"
budget = "60s"

[[scenario]]
name = "warm"

[[scenario]]
name = "cold"
source = "read-only"
bytecode = "absent"
"#;

/// Git in a project, with nobody's own configuration.
pub fn git(project: &Project, args: &[&str]) -> String {
    let output = Command::new("git")
        .args(["-c", "user.name=x", "-c", "user.email=x@example.org"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .current_dir(project.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{args:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// A project whose app was `then` and is `now`; what it says of itself ends up in its modules.
pub fn repository(suite: &str) -> Project {
    let project = Project::new(suite);
    project.write("app/main.py", "import old\nimport helper\nhelper.work()\n");
    project.write("app/helper.py", "def work():\n    print('then')\n");
    project.write("app/old.py", "");
    project.write(".gitignore", "app/secret.py\n/tmp\n/out*\n");
    git(&project, &["init", "-q"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "then"]);
    git(&project, &["tag", "v1"]);
    fs::remove_file(project.path().join("app/old.py")).unwrap();
    project.write("app/main.py", "import new\nimport helper\nhelper.work()\n");
    project.write(
        "app/helper.py",
        "def work():\n    print('now, in other words')\n",
    );
    project.write("app/new.py", "");
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "now"]);
    project
}

fn compare(project: &Project, options: &[&str]) -> Ended {
    let python = python();
    let usual = [
        "compare",
        "suite.toml",
        "--quiet",
        "--blocks",
        "1",
        "--out",
        "out",
    ];
    let of = ["--python", &python];
    project.run(&[&usual[..], &of, options].concat())
}

/// The app's own modules that a scenario's receipt saw.
fn modules(project: &Project, scenario: &str) -> Vec<String> {
    let receipt = project.receipt(scenario);
    let modules = receipt["modules"].as_array().unwrap();
    let own = modules.iter().filter(|module| module["origin"] == "app");
    let mut names: Vec<String> = own
        .map(|module| module["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

fn header(project: &Project) -> Value {
    project.lines("run").remove(0)
}

/// All files but git's own and those of runs.
fn all_files(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    let mut all = stamps(folder);
    all.retain(|path, _| {
        let inside = path.strip_prefix(folder).unwrap();
        let first = inside.iter().next().unwrap_or_default();
        first != "tmp" && first != "out" && !inside.as_os_str().is_empty()
    });
    all
}

#[test]
fn both_states_are_launched_in_the_same_blocks_and_the_repository_stays_as_it_is() {
    for stage in ["auto", "copy"] {
        let project = repository(SUITE);
        project.write("app/secret.py", "");
        let before = all_files(project.path());
        compare(&project, &["--against", "v1", "--stage", stage]).expect(0);
        assert_eq!(all_files(project.path()), before, "{stage}");
        project.expect_no_violation();
        project.expect_no_stage();
        for scenario in ["warm", "cold"] {
            let then = format!("{scenario}@v1");
            assert_eq!(modules(&project, scenario), ["helper", "new"], "{stage}");
            assert_eq!(modules(&project, &then), ["helper", "old"], "{stage}");
            let blocks = |name: &str| -> Vec<Value> {
                let launches = project.launches(name);
                launches
                    .iter()
                    .map(|launch| launch["block"].clone())
                    .collect()
            };
            // The baseline's twin is in each block, too.
            assert_eq!(blocks(scenario)[0], blocks(&then)[0]);
        }
        let header = header(&project);
        let commit = git(&project, &["rev-parse", "v1"]);
        assert_eq!(header["revisions"][0]["name"], "v1");
        assert_eq!(header["revisions"][0]["commit"], commit.trim());
        assert_eq!(header["revisions"][0]["changed"], 4);
        assert_eq!(header["working_tree"]["modified"], 0);
    }
}

#[test]
fn an_ordinary_user_compares_his_own_repository() {
    let project = repository(SUITE);
    project.give_to(As::Ordinary);
    let python = python();
    let usual = [
        "compare",
        "suite.toml",
        "--quiet",
        "--blocks",
        "1",
        "--out",
        "out",
    ];
    let options = ["--python", &python, "--against", "v1", "--only", "warm"];
    let ended = project.run_as(As::Ordinary, &[&usual[..], &options].concat());
    ended.expect(0);
    assert_eq!(modules(&project, "warm@v1"), ["helper", "old"]);
}

#[test]
fn what_is_not_committed_is_measured_as_it_is_and_said() {
    let project = repository(SUITE);
    project.write("app/helper.py", "import extra\ndef work():\n    pass\n");
    project.write("app/extra.py", "");
    let ended = compare(&project, &["--against", "HEAD", "--only", "warm"]).expect(0);
    assert_eq!(modules(&project, "warm"), ["extra", "helper", "new"]);
    assert_eq!(modules(&project, "warm@HEAD"), ["helper", "new"]);
    let header = header(&project);
    assert_eq!(header["working_tree"]["modified"], 1);
    assert_eq!(header["working_tree"]["untracked"], 1);
    let text = ended.stdout.replace('\n', " ");
    assert!(text.contains("with 1 file changed"), "{text}");
    assert!(
        text.contains("1 file below the app's folders git does not know"),
        "{text}"
    );
}

#[test]
fn a_revision_with_other_requirements_is_compared_with_a_warning() {
    let project = repository(SUITE);
    project.write("app/requirements.txt", "flask==3\n");
    git(&project, &["add", "-A"]);
    let ended = compare(&project, &["--against", "v1", "--only", "warm"]).expect(0);
    let text = ended.stdout.replace('\n', " ");
    assert!(
        text.contains("app/requirements.txt was another one at v1"),
        "{text}"
    );
}

#[test]
fn the_report_alone_says_which_states_were_compared() {
    let project = repository(SUITE);
    let measured = compare(&project, &["--against", "v1", "--only", "warm"]).expect(0);
    let reported = project.run(&["compare", "out"]).expect(0);
    assert_eq!(reported.stdout, measured.stdout);
    let commit = git(&project, &["rev-parse", "--short=12", "v1"]);
    let text = reported.stdout.replace('\n', " ");
    assert!(
        text.contains(&format!("v1 is commit {}", commit.trim())),
        "{text}"
    );
    let markdown = project
        .run(&["compare", "out", "--format", "markdown"])
        .expect(0);
    let first = markdown.stdout.lines().next().unwrap();
    assert!(first.starts_with("**"), "{first}");
    assert!(
        markdown
            .stdout
            .contains("| warm | warm@\u{200b}v1 | exit |"),
        "{}",
        markdown.stdout
    );
}

#[test]
fn a_suite_may_name_a_revision_itself() {
    let own = format!("{SUITE}\n[[scenario]]\nname = \"old\"\nrevision = \"v1\"\n");
    let project = repository(&own);
    project.measure(As::Me, 1).expect(0);
    assert_eq!(modules(&project, "old"), ["helper", "old"]);
    assert_eq!(modules(&project, "warm"), ["helper", "new"]);
    fs::remove_dir_all(project.path().join("out")).unwrap();
    compare(&project, &["--against", "v1"])
        .expect(2)
        .says(&["scenario `old` has a revision of its own"]);
}

#[test]
fn a_command_is_compared_as_it_is_warm() {
    let project = repository(SUITE);
    let python = python();
    let usual = [
        "compare",
        "--quiet",
        "--blocks",
        "1",
        "--out",
        "out",
        "--against",
        "v1",
    ];
    let command = ["--", &python, "app/main.py"];
    // Not below the repository, all of which may be taken for the app's source.
    let elsewhere = tempfile::tempdir().unwrap();
    let mut program = project.command(As::Me, &[&usual[..], &command].concat());
    end(program.env("TMPDIR", elsewhere.path())).expect(0);
    assert_eq!(modules(&project, "warm@v1"), ["helper", "old"]);
}

#[test]
fn a_revision_that_cannot_be_had_is_bad_input() {
    let project = repository(SUITE);
    compare(&project, &["--against", "v7"])
        .expect(2)
        .says(&["there is no revision `v7`", "git fetch"]);
    // No option of git's, either.
    compare(&project, &["--against=--all"]).expect(2);
    git(&project, &["checkout", "-q", "--orphan", "empty"]);
    git(&project, &["rm", "-rqf", "--cached", "app"]);
    git(&project, &["commit", "-qm", "without the app"]);
    compare(&project, &["--against", "empty"])
        .expect(2)
        .says(&["has no files at empty"]);
    assert!(!project.path().join("out").exists());
}

#[test]
fn an_app_outside_of_any_repository_is_bad_input() {
    let project = Project::new(SUITE);
    compare(&project, &["--against", "main"])
        .expect(2)
        .says(&["is in no git repository"]);
}

#[test]
fn a_shallow_clone_is_told_from_a_wrong_name() {
    let project = repository(SUITE);
    let url = format!("file://{}", project.path().display());
    git(
        &project,
        &[
            "clone",
            "-q",
            "--depth",
            "1",
            "--no-tags",
            &url,
            "tmp/clone",
        ],
    );
    let clone = project.path().join("tmp/clone/suite.toml");
    let ended = project.run(&["compare", clone.to_str().unwrap(), "--against", "HEAD~1"]);
    ended.expect(2).says(&["shallow clone", "fetch-depth"]);
}

#[test]
fn bytecode_that_is_found_belongs_to_no_other_revision() {
    let found = format!("{SUITE}\n[[scenario]]\nname = \"found\"\nbytecode = \"as-found\"\n");
    let project = repository(&found);
    compare(&project, &["--against", "v1"])
        .expect(0)
        .says(&["left out", "found"]);
    fs::remove_dir_all(project.path().join("out")).unwrap();
    compare(&project, &["--against", "v1", "--scenario", "found"])
        .expect(2)
        .says(&["the baseline `found` has the bytecode that is found"]);
}
