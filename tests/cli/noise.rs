//! What disturbs a measurement: kept away where it can be, seen and named where it cannot.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::project::{As, EXITING_APP, Project};

/// The CPUs that this process may use.
fn allowed() -> Vec<usize> {
    let set = nix::sched::sched_getaffinity(nix::unistd::Pid::from_raw(0)).unwrap();
    (0..nix::sched::CpuSet::count())
        .filter(|cpu| set.is_set(*cpu).unwrap())
        .collect()
}

/// A project whose app fails, with its CPUs on stderr, unless it may use these.
fn app_on(cpus: &[usize]) -> Project {
    let project = Project::new(EXITING_APP);
    project.write(
        "app/main.py",
        &format!(
            "import os, sys\nimport helper\ncpus = sorted(os.sched_getaffinity(0))\n\
             sys.exit(None if cpus == {cpus:?} else f'on {{cpus}}')\n"
        ),
    );
    project
}

fn measured_on(project: &Project, affinity: &str) -> Value {
    let options = ["--quiet", "--blocks", "2", "--affinity", affinity];
    let ended = crate::project::end(&mut project.measuring(As::Me, &options));
    ended.expect(0);
    project.expect_no_violation();
    project.lines("run")[0]["affinity"].clone()
}

#[test]
fn the_app_runs_on_the_cpus_that_are_asked_for() {
    let allowed = allowed();
    let [first, .., last] = allowed[..] else {
        return;
    };
    let affinity = measured_on(&app_on(&[last]), &format!("{first}:{last}"));
    assert_eq!(affinity["harness"], first.to_string());
    assert_eq!(affinity["children"], last.to_string());
    assert!(affinity["why"].as_str().unwrap().contains("--affinity"));
    // All of them for the app, and one of them for coldsnake, too.
    let all: Vec<String> = allowed.iter().map(usize::to_string).collect();
    let shared = format!("{first}:{}", all.join(","));
    let affinity = measured_on(&app_on(&allowed), &shared);
    assert_eq!(affinity["harness"], first.to_string());
    // The app's alone: the rest is coldsnake's.
    let affinity = measured_on(&app_on(&[last]), &last.to_string());
    assert_eq!(affinity["children"], last.to_string());
    assert_ne!(affinity["harness"], affinity["children"]);
}

#[test]
fn without_a_choice_the_app_keeps_at_least_two_cores_or_all() {
    let allowed = allowed();
    let all = measured_on(&app_on(&allowed), "none");
    assert_eq!(all["harness"], all["children"]);
    let project = Project::new(EXITING_APP);
    project.measure(As::Me, 2).expect(0);
    let chosen = &project.lines("run")[0]["affinity"];
    if allowed.len() < 3 {
        assert_eq!(chosen["children"], all["children"], "{chosen}");
        assert_eq!(chosen["harness"], all["harness"], "{chosen}");
    } else {
        assert_ne!(chosen["children"], chosen["harness"], "{chosen}");
    }
    assert!(!chosen["why"].as_str().unwrap().is_empty());
}

#[test]
fn cpus_that_are_not_there_are_refused_before_anything_is_done() {
    let project = Project::new(EXITING_APP);
    let refused = |affinity: &str| {
        let args = ["run", "suite.toml", "--out", "out", "--affinity", affinity];
        let ended = project.run(&args).expect(2);
        assert!(!project.path().join("out").exists());
        ended
    };
    let there = allowed()[0];
    for affinity in ["1023", &format!("{there}:1023"), &format!("1023:{there}")] {
        refused(affinity).says(&["names CPU 1023, which coldsnake may not use; it may use "]);
    }
    for affinity in ["", "both", "0:", "0:1:2", "3-1", "4096"] {
        refused(affinity).says(&["--affinity", "is no list of CPUs", "such as 0:1-3"]);
    }
}

#[test]
fn the_report_says_which_cpus_were_used() {
    let project = Project::new(EXITING_APP);
    project.measure(As::Me, 2).expect(0);
    let page = fs::read_to_string(project.path().join("out/report.html")).unwrap();
    assert!(page.contains("coldsnake on ") && page.contains(", the app on "));
}

/// A run that goes on until this is dropped.
struct Running(Child);

impl Running {
    /// One of the project, once it measures.
    fn of(project: &Project) -> Self {
        let mut command = project.measuring(As::Me, &["--quiet", "--budget", "10min"]);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let running = Self(command.spawn().unwrap());
        let record = project.path().join("out/record.jsonl");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !fs::read_to_string(&record).is_ok_and(|text| text.contains("\"launch\"")) {
            assert!(Instant::now() < deadline, "it never measured");
            std::thread::sleep(Duration::from_millis(20));
        }
        running
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

#[test]
fn another_run_is_named_in_advice_record_and_report_and_refuses_nothing() {
    if fs::read_to_string("/proc/net/unix").is_err() {
        return;
    }
    let (first, second) = (Project::new(EXITING_APP), Project::new(EXITING_APP));
    let running = Running::of(&first);
    let pid = running.0.id();
    let args = |out: &'static str| {
        let usual = ["run", "suite.toml", "--blocks", "3", "--out", out];
        [&usual[..], &["--python", "/usr/bin/python3"]].concat()
    };
    // Other tests measure meanwhile, too.
    let named = |text: &str| {
        let others = text
            .lines()
            .find(|line| line.contains(" disturb each other"));
        let others = others.unwrap_or_else(|| panic!("no other run in:\n{text}"));
        assert!(
            others.starts_with("coldsnake: ") && others.contains("(pid"),
            "{others}"
        );
        others.contains(&pid.to_string()) || others.contains(" more)")
    };
    let ended = second.run(&args("out")).expect(0);
    assert!(named(&ended.stderr), "{}", ended.stderr);
    let header = second.lines("run").remove(0);
    let others = header["host"]["other_runs"].as_array().unwrap();
    assert!(others.contains(&json!(pid)), "{others:?}");
    assert_eq!(second.lines("end")[0]["blocks_beside_others"], 3);
    for words in ["when the run started", "during 3 of 3 blocks"] {
        assert!(
            ended.stdout.replace("\n  ", " ").contains(words),
            "{}",
            ended.stdout
        );
    }
    // Advice is for people; the record keeps it.
    let mut quiet = args("quiet");
    quiet.push("--quiet");
    let ended = second.run(&quiet).expect(0);
    assert!(!ended.stderr.contains("disturb"), "{}", ended.stderr);
    let record = fs::read_to_string(second.path().join("quiet/record.jsonl")).unwrap();
    assert!(record.lines().next().unwrap().contains(&format!("{pid}")));
}

#[test]
fn a_tracer_is_named() {
    let project = Project::new(EXITING_APP);
    let measuring = project.measuring(As::Me, &["--blocks", "2"]);
    let mut traced = Command::new("strace");
    // Only the program itself, at a few system calls.
    traced
        .args(["-o", "/dev/null", "-e", "trace=fsync"])
        .arg(measuring.get_program())
        .args(measuring.get_args())
        .current_dir(project.path());
    let mut traced = crate::project::with_environment(traced, &measuring);
    let strace = Command::new("strace")
        .arg("-V")
        .stdout(Stdio::null())
        .status();
    if !strace.is_ok_and(|status| status.success()) {
        return;
    }
    crate::project::end(&mut traced)
        .expect(0)
        .says(&["coldsnake is traced by strace (pid "]);
    let host = &project.lines("run")[0]["host"];
    assert!(
        host["traced_by"].as_str().unwrap().starts_with("strace"),
        "{host}"
    );
}

/// A record of this machine, and its lines to be changed.
fn changed(blocks: u32, change: impl Fn(&mut Value)) -> (Value, String) {
    // On a quiet machine twenty blocks would be enough for the usual precision.
    let measure = "[measure]\nmetrics = [\"exit\"]\nmin-blocks = 100";
    let project = Project::new(&EXITING_APP.replace("[measure]", measure));
    project.measure(As::Me, blocks).expect(0);
    let lines: Vec<String> = project
        .record()
        .into_iter()
        .map(|mut line| {
            change(&mut line);
            line.to_string()
        })
        .collect();
    project.write("out/record.jsonl", &(lines.join("\n") + "\n"));
    let ended = project.run(&["report", "out"]).expect(0);
    let summary = fs::read_to_string(project.path().join("out/summary.json")).unwrap();
    let text = ended
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    (serde_json::from_str(&summary).unwrap(), text)
}

/// A launch that nothing disturbed, of 100 ms.
fn undisturbed(launch: &mut Value) {
    launch["wall_ms"] = json!(100.0);
    launch["steal_ms"] = json!(0.0);
    launch["others_ms"] = json!(0.0);
    launch["involuntary_switches"] = json!(0);
}

#[test]
fn the_share_of_disturbed_launches_is_reported_and_none_is_left_out() {
    let (summary, text) = changed(8, |line| {
        if line["type"] == "run" {
            line["host"]["cpus_online"] = json!(2);
        }
        if line["type"] != "launch" {
            return;
        }
        undisturbed(line);
        match (line["block"].as_u64(), line.get("twin").is_some()) {
            (Some(0), false) => line["steal_ms"] = json!(20.0),
            (Some(1), false) => line["others_ms"] = json!(80.0),
            (Some(2), false) => line["involuntary_switches"] = json!(40),
            // Less than what is sure.
            (Some(3), false) => line["steal_ms"] = json!(10.0),
            _ => {}
        }
    });
    let disturbance = &summary["disturbance"];
    let counts = [
        "launches",
        "disturbed",
        "by_steal",
        "by_others",
        "by_preemption",
    ];
    let counts = counts.map(|key| disturbance[key].as_u64().unwrap());
    // The twin's besides.
    assert_eq!(counts, [16, 3, 1, 1, 1]);
    assert_eq!(disturbance["share"], 0.1875);
    assert_eq!(disturbance["others_share"], 0.025);
    assert_eq!(summary["noise_floor"][0]["blocks"], 8);
    for words in [
        "(19 %): ",
        "by steal",
        "by other processes",
        "by losing the CPU unusually often",
        "None is left out.",
        "were disturbed by the machine",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn an_effect_of_the_place_in_the_block_is_found() {
    let place = |first_ms: f64| {
        changed(24, |line| {
            if line["type"] == "launch" {
                // Noise without order, from the block's number.
                let block = line["block"].as_f64().unwrap();
                let noise = (block * 7.3).sin() + f64::from(line.get("twin").is_some()) * 0.01;
                let extra = if line["position"] == 0 { first_ms } else { 0.0 };
                line["metrics"]["exit"] = json!(100.0 + noise + extra);
            }
        })
    };
    let (summary, text) = place(5.0);
    let order = &summary["order"][0];
    assert_eq!(order["metric"], "exit");
    assert!(
        order["position"]["p_value"].as_f64().unwrap() < 1e-4,
        "{order}"
    );
    assert_eq!(order["position"]["blocks"], 24);
    assert!(
        text.contains("launches at place 1 are slowest, by"),
        "{text}"
    );
    assert_eq!(order["drift"]["launches"], 24);
    let (summary, text) = place(0.0);
    assert!(summary["order"][0]["position"]["p_value"].as_f64().unwrap() > 0.001);
    assert!(!text.contains("place within a block"), "{text}");
}
