//! The examples of runs that machines share, carried out: a Kubernetes Job and a GitHub workflow.
//!
//! The files are read as YAML, and the commands in them run here, as their machines would run them.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use yaml_rust2::{Yaml, YamlLoader};

use crate::project::{As, Ended, Project, end, python};

const SUITE: &str = r#"
[app]
name = "tiny"
source = "app"
command = ["{python}", "main.py"]
timeout = "20s"

[measure]
baseline = "warm"
max-blocks = 6

[[scenario]]
name = "warm"

[[scenario]]
name = "cold"
bytecode = "absent"

[[claim]]
id = "cached"
text = "nothing is compiled"
scenario = "warm"
expect = { app-compiled = 0 }
"#;

fn read(path: &str) -> Vec<Yaml> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(path)).unwrap();
    YamlLoader::load_from_str(&text).unwrap()
}

fn text(yaml: &Yaml) -> &str {
    yaml.as_str()
        .unwrap_or_else(|| panic!("{yaml:?} is no text"))
}

fn list(yaml: &Yaml) -> &[Yaml] {
    let list = yaml.as_vec();
    list.unwrap_or_else(|| panic!("{yaml:?} is no list"))
}

/// The program of the project, by the name and with the interpreter that the commands will find.
fn machine(project: &Project, program: &str) -> Command {
    let bin = project.path().join("bin");
    if !bin.exists() {
        fs::create_dir(&bin).unwrap();
        symlink(env!("CARGO_BIN_EXE_coldsnake"), bin.join("coldsnake")).unwrap();
        symlink(python(), bin.join("python3")).unwrap();
    }
    let mut command = Command::new(program);
    let usual = project.command(As::Me, &[]);
    for (name, value) in usual.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let path = std::env::var("PATH").unwrap();
    command
        .current_dir(project.path())
        .env("PATH", format!("{}:{path}", bin.display()));
    command
}

/// The container of a Job.
struct Container {
    command: Vec<String>,
    env: BTreeMap<String, String>,
}

impl Container {
    fn of(job: &Yaml) -> Self {
        assert_eq!(text(&job["kind"]), "Job");
        let [container] = list(&job["spec"]["template"]["spec"]["containers"]) else {
            panic!("not one container");
        };
        let words = list(&container["command"])
            .iter()
            .chain(list(&container["args"]));
        let env = list(&container["env"]).iter();
        Self {
            command: words.map(|word| text(word).to_owned()).collect(),
            env: env
                .map(|each| {
                    (
                        text(&each["name"]).to_owned(),
                        text(&each["value"]).to_owned(),
                    )
                })
                .collect(),
        }
    }

    /// Runs it in the project's folder, with these variables in place of its own.
    fn run(&self, project: &Project, variables: &[(&str, &str)]) -> Ended {
        let mut command = machine(project, &self.command[0]);
        command.args(&self.command[1..]).envs(&self.env);
        for (name, value) in variables {
            command.env(name, value);
        }
        end(&mut command)
    }
}

#[test]
fn the_pods_of_the_kubernetes_job_measure_all_shards_and_the_merge_puts_them_together() {
    let project = Project::new(SUITE);
    let [claim, job] = read("examples/kubernetes/job.yaml").try_into().unwrap();
    let spec = &job["spec"];
    assert_eq!(text(&spec["completionMode"]), "Indexed");
    let pods = spec["completions"].as_i64().unwrap();
    assert_eq!(spec["parallelism"].as_i64(), Some(pods));
    let shard = Container::of(&job);
    assert_eq!(shard.env["SHARDS"], pods.to_string());
    let volume = |job: &Yaml| {
        let volumes = list(&job["spec"]["template"]["spec"]["volumes"]).to_vec();
        let names = volumes
            .into_iter()
            .map(|it| it["persistentVolumeClaim"]["claimName"].clone());
        names.filter(|name| !name.is_badvalue()).collect::<Vec<_>>()
    };
    assert_eq!(volume(&job), [claim["metadata"]["name"].clone()]);
    // Apart, or they disturb each other.
    let apart = &spec["template"]["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
        [0];
    assert_eq!(text(&apart["topologyKey"]), "kubernetes.io/hostname");
    assert_eq!(
        apart["labelSelector"]["matchLabels"],
        spec["template"]["metadata"]["labels"]
    );

    let results = project.path().join("results");
    fs::create_dir(&results).unwrap();
    let results = results.to_str().unwrap();
    let suite = project.path().join("suite.toml");
    let pod = |index: i64| {
        let index = index.to_string();
        let variables = [
            ("JOB_COMPLETION_INDEX", index.as_str()),
            ("RESULTS", results),
            ("SUITE", suite.to_str().unwrap()),
        ];
        shard.run(&project, &variables).expect(0)
    };
    // The first pod's node was lost in the middle of it.
    project.write("results/part-1/record.jsonl", "half a line");
    for index in (0..pods).rev() {
        pod(index);
    }
    let record = || fs::read(project.path().join("results/shard-2/record.jsonl")).unwrap();
    // A pod that runs once more measures nothing.
    let before = record();
    pod(1);
    assert_eq!(before, record());

    let [merge] = read("examples/kubernetes/merge.yaml").try_into().unwrap();
    assert_eq!(volume(&merge), volume(&job));
    let merged = Container::of(&merge).run(&project, &[("RESULTS", results)]);
    let merged = merged.expect(0);
    assert!(merged.stdout.contains("6 blocks"), "{}", merged.stdout);
    let checked = project.run(&["check", "results/whole"]).expect(0);
    assert!(checked.stdout.contains("supported"), "{}", checked.stdout);
}

/// What GitHub writes for an expression in one of the matrix's jobs.
fn value_of(expression: &str, shard: &str, shards: usize) -> String {
    let inner = expression
        .strip_prefix("${{")
        .and_then(|it| it.strip_suffix("}}"));
    match inner.map(str::trim) {
        None => expression.to_owned(),
        Some("github.run_id") => "16000000001".to_owned(),
        Some("matrix.shard") => shard.to_owned(),
        Some("strategy.job-total") => shards.to_string(),
        Some(other) => panic!("what is {other}?"),
    }
}

/// Carries out the steps of a job that run coldsnake.
fn carry_out(project: &Project, job: &Yaml, shard: &str, shards: usize) -> String {
    let mut printed = String::new();
    for step in list(&job["steps"]) {
        let Some(script) = step["run"].as_str() else {
            continue;
        };
        assert!(
            !script.contains("${{"),
            "an expression becomes text of a script: {script}"
        );
        if !script.starts_with("coldsnake ") {
            continue;
        }
        // As GitHub runs them.
        let mut command = machine(project, "bash");
        command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", script]);
        command.env("GITHUB_STEP_SUMMARY", project.path().join("summary.md"));
        for (name, value) in step["env"].as_hash().into_iter().flatten() {
            command.env(text(name), value_of(text(value), shard, shards));
        }
        printed += &end(&mut command).expect(0).stdout;
    }
    assert!(!printed.is_empty(), "coldsnake was not run");
    printed
}

#[test]
fn the_jobs_of_the_github_workflow_measure_all_shards_and_the_last_one_merges_them() {
    let project = Project::new(SUITE);
    let [workflow] = read("examples/github/sharded.yml").try_into().unwrap();
    let measure = &workflow["jobs"]["measure"];
    let matrix = list(&measure["strategy"]["matrix"]["shard"]);
    assert!(matrix.len() > 1);
    let merge = &workflow["jobs"]["merge"];
    assert_eq!(text(&merge["needs"]), "measure");
    let with = |job: &Yaml, action: &str| -> Vec<Yaml> {
        let steps = list(&job["steps"]).iter();
        let uses = |step: &&Yaml| {
            step["uses"]
                .as_str()
                .is_some_and(|it| it.starts_with(action))
        };
        steps
            .filter(uses)
            .map(|step| step["with"].clone())
            .collect()
    };
    let [uploaded] = with(measure, "actions/upload-artifact@")
        .try_into()
        .unwrap();
    let [downloaded] = with(merge, "actions/download-artifact@")
        .try_into()
        .unwrap();
    let below = text(&downloaded["path"]);
    let start = text(&downloaded["pattern"]).strip_suffix('*').unwrap();
    for shard in matrix.iter().map(|it| it.as_i64().unwrap().to_string()) {
        carry_out(&project, measure, &shard, matrix.len());
        let filled = |text: &str| text.replace("${{ matrix.shard }}", &shard);
        let name = filled(text(&uploaded["name"]));
        assert!(name.starts_with(start), "{name} is not downloaded");
        let path = project.path().join(filled(text(&uploaded["path"])));
        fs::create_dir_all(project.path().join(below)).unwrap();
        fs::rename(path, project.path().join(below).join(name)).unwrap();
    }
    let printed = carry_out(&project, merge, "", matrix.len());
    assert!(printed.contains("6 blocks"), "{printed}");
    assert!(printed.contains("supported"), "{printed}");
    let summary = fs::read_to_string(project.path().join("summary.md")).unwrap();
    assert!(
        summary.contains("cold") && summary.contains('|'),
        "{summary}"
    );
    let [kept] = with(merge, "actions/upload-artifact@").try_into().unwrap();
    let whole = project.path().join(text(&kept["path"]));
    assert!(whole.join("report.html").is_file());
}
