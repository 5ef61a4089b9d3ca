//! Counters: what the kernel counts in each launch, and instructions in launches of their own.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::project::{As, EXITING_APP, Ended, Project, end};

const COLD: &str = "
[[scenario]]
name = \"cold\"
source = \"read-only\"
bytecode = \"absent\"
";

/// Says why a test of counts tests nothing, if that is what this run told.
fn cannot_count(status: Option<i32>, stderr: &str) -> bool {
    let cannot = status == Some(2) && stderr.contains("instructions cannot be counted here");
    if cannot {
        eprintln!("nothing counts instructions here, so nothing is tested: install valgrind");
    }
    cannot
}

/// Measures one block, and counts instructions; `None` where nothing can count them, which is told.
fn count(project: &Project, who: As) -> Option<Ended> {
    let options = ["--quiet", "--seed", "1", "--blocks", "1"];
    let ended = end(&mut project.measuring(
        who,
        &[&options[..], &["--counter", "instructions"]].concat(),
    ));
    (!cannot_count(Some(ended.status), &ended.stderr)).then(|| ended.expect(0))
}

/// An app that is launched in one way only, which takes half as long to count.
fn without_import(scenarios: &str) -> String {
    let suite = format!("{EXITING_APP}{scenarios}");
    suite.replace("module = \"helper\"\n", "")
}

/// The counts by scenario and kind of launch, of which there are three each.
#[track_caller]
fn counts(project: &Project) -> BTreeMap<(String, String), Vec<u64>> {
    let mut counts = BTreeMap::<_, Vec<u64>>::new();
    for line in project.lines("count") {
        assert!(line["failure"].is_null(), "{line}");
        let text = |key: &str| line[key].as_str().unwrap().to_owned();
        let all = counts
            .entry((text("scenario"), text("launch")))
            .or_default();
        assert_eq!(line["round"], all.len(), "{line}");
        all.push(line["instructions"].as_u64().unwrap());
    }
    assert!(counts.values().all(|all| all.len() == 3), "{counts:?}");
    counts
}

/// Of one scenario's app launches.
fn middle(counts: &BTreeMap<(String, String), Vec<u64>>, scenario: &str) -> f64 {
    let mut all = counts[&(scenario.to_owned(), "app".to_owned())].clone();
    all.sort_unstable();
    all[1] as f64
}

fn counters(project: &Project) -> Value {
    project.record()[0]["counters"].clone()
}

fn summary(project: &Project) -> Value {
    let text = fs::read_to_string(project.path().join("out/summary.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn instructions_are_counted_apart_from_the_times_and_repeat() {
    let project = Project::new(&format!("{EXITING_APP}{COLD}"));
    let Some(ended) = count(&project, As::Me) else {
        return;
    };
    project.expect_no_violation();
    // Three scenarios, the twin among them, in two kinds of launches: no other launch is timed.
    assert_eq!(project.lines("launch").len(), 3 * 2);
    let kinds: Vec<String> = project
        .record()
        .iter()
        .map(|line| line["type"].as_str().unwrap().to_owned())
        .collect();
    let last_timed = kinds.iter().rposition(|kind| kind == "launch");
    let first_counted = kinds.iter().position(|kind| kind == "count");
    assert!(last_timed < first_counted, "{kinds:?}");
    assert_eq!(kinds.last().unwrap(), "end");
    for line in project.lines("count") {
        let timed = line
            .as_object()
            .unwrap()
            .keys()
            .any(|key| key.ends_with("_ms"));
        assert!(!timed && line["metrics"].is_null(), "{line}");
    }

    let counts = counts(&project);
    assert_eq!(counts.len(), 4);
    for (cell, counts) in &counts {
        let (least, greatest) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
        let spread = (greatest - least) as f64 / *least as f64;
        assert!(*least > 1_000_000 && spread < 0.005, "{cell:?}: {counts:?}");
    }
    let ratio = middle(&counts, "cold") / middle(&counts, "warm");
    assert!(
        ratio > 1.0,
        "compiling two modules executes nothing? {counts:?}"
    );

    let summary = summary(&project);
    let counted = &summary["counters"];
    let contrast = &counted["contrasts"][0];
    assert_eq!(
        (contrast["scenario"].as_str(), contrast["launch"].as_str()),
        (Some("cold"), Some("app"))
    );
    assert!(
        (contrast["ratio"].as_f64().unwrap() - ratio).abs() < 1e-6,
        "{contrast}"
    );
    let by = counters(&project)["instructions_by"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(counted["instructions_by"], by.as_str());
    let page = fs::read_to_string(project.path().join("out/report.html")).unwrap();
    let said = if by == "perf" {
        "machine's counter"
    } else {
        &by
    };
    for text in [&ended.stdout, &page] {
        assert!(text.contains("instructions (app: start to exit)"), "{text}");
        assert!(text.contains(said), "{said}: {text}");
    }
    project.run(&["report", "out"]).expect(0);
    assert_eq!(
        fs::read_to_string(project.path().join("out/report.html")).unwrap(),
        page
    );
    project.expect_no_stage();
}

#[test]
fn an_ordinary_users_app_is_counted_too() {
    let project = Project::new(&without_import(""));
    project.give_to(As::Ordinary);
    if count(&project, As::Ordinary).is_some() {
        counts(&project);
        project.expect_no_stage();
    }
}

#[test]
fn what_the_app_starts_is_counted_and_what_it_forks_is_told() {
    let suite = without_import(
        "[[scenario]]\nname = \"starts\"\nenv = { DO = \"start\" }\n\
         [[scenario]]\nname = \"forks\"\nenv = { DO = \"fork\" }\n",
    );
    let project = Project::new(&suite);
    project.write(
        "app/main.py",
        "import os, subprocess, sys
what = os.environ.get('DO')
if what == 'start':
    subprocess.run([sys.executable, '-I', '-c', 'sum(range(1000000))'], check=True)
if what == 'fork':
    child = os.fork()
    if not child:
        sum(range(100000))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
",
    );
    let Some(ended) = count(&project, As::Me) else {
        return;
    };
    let counts = counts(&project);
    let ratio = middle(&counts, "starts") / middle(&counts, "warm");
    assert!(ratio > 1.3, "{counts:?}");
    let forked: Vec<Value> = project
        .lines("count")
        .iter()
        .map(|line| line["forked"].clone())
        .collect();
    if counters(&project)["instructions_by"] == "perf" {
        assert!(forked.iter().all(Value::is_null), "{forked:?}");
        return;
    }
    for line in project.lines("count") {
        let expected = (line["scenario"] == "forks").then_some(1);
        assert_eq!(line["forked"].as_u64(), expected, "{line}");
    }
    assert!(
        ended.stdout.contains("forks (app launches) fork 1 process"),
        "{}",
        ended.stdout
    );
    assert!(
        !ended.stdout.contains("starts (app launches) fork"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_server_is_counted_until_it_is_ready_and_told_to_end() {
    let suite = without_import("").replace("timeout", "ready = { stdout = \"^ready\" }\ntimeout");
    let project = Project::new(&suite.replace("timeout = \"20s\"\n", ""));
    project.write(
        "app/main.py",
        "import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
print('ready', flush=True)
signal.sigwait([signal.SIGTERM])
sum(range(10000))
",
    );
    let Some(ended) = count(&project, As::Me) else {
        return;
    };
    counts(&project);
    assert!(
        ended
            .stdout
            .contains("instructions (app: start to the sign of readiness"),
        "{}",
        ended.stdout
    );
    project.expect_no_process();
}

#[test]
fn a_launch_that_fails_when_it_is_counted_is_told_and_not_tried_again() {
    let project = Project::new(&without_import(""));
    // Those of hash seed 0 are the receipt's and the counted ones; there is one receipt.
    project.write(
        "app/main.py",
        "import os, sys
if os.environ['PYTHONHASHSEED'] == '0' and 'COLDSNAKE_RECEIPT' not in os.environ:
    sys.exit('not when I am counted')
",
    );
    let Some(ended) = count(&project, As::Me) else {
        return;
    };
    let lines = project.lines("count");
    assert_eq!(lines.len(), 1, "{lines:?}");
    let failure = lines[0]["failure"].as_str().unwrap();
    assert!(
        failure.contains("exit status 1") && failure.contains("not when I am counted"),
        "{failure}"
    );
    assert!(lines[0]["instructions"].is_null());
    assert!(
        ended
            .stdout
            .contains("instructions of warm (app launches) could not be counted"),
        "{}",
        ended.stdout
    );
    assert_eq!(
        summary(&project)["counters"]["instructions"],
        Value::Array(Vec::new())
    );
}

#[test]
fn without_any_counter_nothing_is_measured_and_the_message_says_what_is_missing() {
    let project = Project::new(&without_import(""));
    project.measure(As::Me, 1).expect(0);
    let counters = counters(&project);
    fs::remove_dir_all(project.path().join("out")).unwrap();
    if counters["refused"]["instructions"].is_null() {
        eprintln!("this machine counts instructions itself: nothing is tested");
        return;
    }
    let empty = project.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let mut command = project.measuring(As::Me, &["--counter", "instructions"]);
    end(command.env("PATH", &empty)).expect(2).says(&[
        "instructions cannot be counted here",
        "perf: ",
        "there is no `valgrind` on PATH",
        "install the package `valgrind`",
    ]);
    assert!(!project.path().join("out").exists());
    project.expect_no_stage();

    // What is no valgrind is not taken for one.
    std::os::unix::fs::symlink("/bin/true", empty.join("valgrind")).unwrap();
    let mut command = project.measuring(As::Me, &["--counter", "instructions"]);
    end(command.env("PATH", &empty))
        .expect(2)
        .says(&["valgrind cannot be used"]);
}

#[test]
fn a_suite_can_ask_for_instructions_and_for_nothing_else() {
    let suite = |counter: &str| {
        without_import("").replace("budget", &format!("counter = \"{counter}\"\nbudget"))
    };
    let project = Project::new(&suite("cycles"));
    project.measure(As::Me, 1).expect(2).says(&[
        "suite.toml:10",
        "`cycles` is no value of `counter`",
        "`counter` is one of: instructions",
    ]);
    project.write("suite.toml", &without_import(""));
    end(&mut project.measuring(As::Me, &["--counter", "cycles"]))
        .expect(2)
        .says(&["--counter <WHAT>", "instructions"]);
    project.write("suite.toml", &suite("instructions"));
    let ended = project.measure(As::Me, 1);
    if !cannot_count(Some(ended.status), &ended.stderr) {
        ended.expect(0);
        counts(&project);
    }
}

#[test]
fn each_launch_holds_what_the_kernel_counts_and_the_header_what_it_refuses() {
    let project = Project::new(&without_import(""));
    project.measure(As::Me, 2).expect(0);
    let counters = counters(&project);
    assert!(counters["instructions_by"].is_null());
    let counted: Vec<&str> = counters["counted"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    for name in ["instructions", "cycles", "page_faults"] {
        assert_ne!(
            counted.contains(&name),
            counters["refused"][name].is_string(),
            "{name}: {counters}"
        );
    }
    for launch in project.lines("launch") {
        for name in &counted {
            assert!(
                launch["counted"][name].as_u64() > Some(0),
                "{name}: {launch}"
            );
        }
        if counted.contains(&"page_faults") {
            // The kernel's own are in the one figure and not in the other.
            let all =
                launch["minor_faults"].as_u64().unwrap() + launch["major_faults"].as_u64().unwrap();
            let user = launch["counted"]["page_faults"].as_u64().unwrap();
            assert!(user <= all && user * 2 > all, "{launch}");
        }
    }
    assert_eq!(project.lines("count").len(), 0);
    let page = fs::read_to_string(project.path().join("out/report.html")).unwrap();
    assert!(!page.contains("<h2>Instructions</h2>"));
}

#[test]
fn an_interruption_while_instructions_are_counted_keeps_the_times() {
    let project = Project::new(&without_import(""));
    let begun = project.path().join("tmp/begun");
    // The counted launches hang: they are those of hash seed 0 that are no receipts.
    project.write(
        "app/main.py",
        &format!(
            "import os, time
if os.environ['PYTHONHASHSEED'] == '0' and 'COLDSNAKE_RECEIPT' not in os.environ:
    open({begun:?}, 'w').close()
    time.sleep(600)
"
        ),
    );
    let options = ["--quiet", "--blocks", "2", "--counter", "instructions"];
    let mut run = project
        .measuring(As::Me, &options)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    for _ in 0..6000 {
        if begun.exists() {
            break;
        }
        if let Some(status) = run.try_wait().unwrap() {
            let mut stderr = String::new();
            run.stderr
                .take()
                .unwrap()
                .read_to_string(&mut stderr)
                .unwrap();
            assert!(cannot_count(status.code(), &stderr), "{stderr}");
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert!(begun.exists(), "nothing is counted");
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(130));
    assert_eq!(project.lines("launch").len(), 4);
    assert_eq!(project.lines("end")[0]["stop_reason"], "interrupted");
    project.expect_no_process();
    project.expect_no_stage();
}
