//! A run that is cut short: what was measured is kept, and no process is left.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::project::{As, EXITING_APP, Project, end, is_root, process_with, python};

/// Waits until the record has so many lines.
fn wait_for_lines(record: &Path, lines: usize) {
    for _ in 0..2000 {
        if fs::read_to_string(record).is_ok_and(|text| text.lines().count() >= lines) {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the record did not grow to {lines} lines");
}

/// Waits for something that comes within twenty seconds.
fn wait_for(mut what: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if what() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("it did not come");
}

fn start(project: &Project) -> std::process::Child {
    project
        .measuring(As::Me, &["--quiet", "--budget", "10min"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// An app that takes a while, so that a signal comes in the middle of a launch.
const SLOW: &str = "import helper, time\ntime.sleep(0.3)\n";

#[test]
fn a_signal_in_the_middle_keeps_what_was_measured_and_leaves_no_process() {
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let project = Project::new(EXITING_APP);
        project.write("app/main.py", SLOW);
        let run = start(&project);
        wait_for_lines(&project.path().join("out/record.jsonl"), 8);
        kill(Pid::from_raw(run.id() as i32), signal).unwrap();
        let output = run.wait_with_output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{stderr}");
        assert!(stderr.contains("interrupted"), "{stderr}");
        let lines = project.record();
        assert_eq!(lines.last().unwrap()["stop_reason"], "interrupted");
        assert!(project.lines("launch").len() >= 5);
        project.expect_no_process();
        project.expect_no_stage();
    }
}

#[test]
fn a_ctrl_c_before_anything_is_measured_leaves_nothing() {
    let project = Project::new(EXITING_APP);
    let begun = project.path().join("tmp/begun");
    let main = format!("open({begun:?}, 'w').close()\nimport time\ntime.sleep(1000)\n");
    project.write("app/main.py", &main);
    let run = start(&project);
    wait_for(|| begun.exists());
    // What is to be gone afterwards can be seen.
    assert!(process_with(&project.path().display().to_string()));
    kill(Pid::from_raw(run.id() as i32), Signal::SIGINT).unwrap();
    let output = run.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(!project.path().join("out").exists());
    project.expect_no_process();
    project.expect_no_stage();
}

#[test]
fn when_the_harness_is_killed_the_app_dies_with_it_and_the_next_run_tidies_up() {
    let project = Project::new(EXITING_APP);
    project.write("app/main.py", SLOW);
    let mut run = start(&project);
    wait_for_lines(&project.path().join("out/record.jsonl"), 6);
    run.kill().unwrap();
    assert_eq!(run.wait().unwrap().signal(), Some(9));
    let folder = project.path().display().to_string();
    wait_for(|| !process_with(&folder));
    assert!(project.lines("launch").len() >= 3);
    fs::remove_dir_all(project.path().join("out")).unwrap();
    project.measure(As::Me, 1).expect(0);
    project.expect_no_stage();
}

#[test]
fn a_full_disk_is_told_and_what_was_written_is_whole() {
    let project = Project::new(EXITING_APP);
    // A disk of 32 KiB in a mount namespace of its own.
    let disk = project.path().join("disk");
    fs::create_dir(&disk).unwrap();
    let kept = project.path().join("kept");
    let script = format!(
        "mount -t tmpfs -o size=32k none {disk:?} && {} run suite.toml --quiet --blocks 200 \
         --python {} --out {disk:?}/out; status=$?; cp {disk:?}/out/record.jsonl {kept:?}; exit $status",
        env!("CARGO_BIN_EXE_coldsnake"),
        python(),
        disk = disk,
    );
    let namespace: &[&str] = if is_root() { &["-m"] } else { &["-m", "-r"] };
    let mut command = Command::new("unshare");
    command
        .args(namespace)
        .args(["sh", "-c", &script])
        .current_dir(project.path());
    command.env("TMPDIR", project.path());
    end(&mut command)
        .expect(2)
        .says(&["cannot write the record", "are kept", "--out"]);
    let record = fs::read_to_string(kept).unwrap();
    assert!(record.ends_with('\n'));
    let lines: Vec<serde_json::Value> = record
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(lines.len() > 10, "{}", lines.len());
}

#[test]
fn children_that_were_there_before_are_spared() {
    let project = Project::new(EXITING_APP);
    let script = format!(
        "sleep 60 & echo $!; exec {} run suite.toml --quiet --blocks 1 --out out --python {}",
        env!("CARGO_BIN_EXE_coldsnake"),
        python()
    );
    let mut command = Command::new("bash");
    command
        .args(["-c", &script])
        .current_dir(project.path())
        .env("TMPDIR", project.path());
    let mut run = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    let mut stdout = std::io::BufReader::new(run.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut stdout, &mut first).unwrap();
    assert!(run.wait().unwrap().success());
    let sleeper = Pid::from_raw(first.trim().parse().unwrap());
    // One that was killed could still be there, for nobody has waited for it.
    let found = procfs::process::Process::new(sleeper.as_raw()).and_then(|found| found.stat());
    assert!(
        found.is_ok_and(|stat| stat.state != 'Z'),
        "the sleeper was killed"
    );
    assert_eq!(
        kill(sleeper, Signal::SIGTERM),
        Ok(()),
        "the sleeper was killed"
    );
}

#[test]
fn what_others_left_under_our_name_is_not_touched() {
    let project = Project::new(EXITING_APP);
    fs::create_dir_all(project.path().join("tmp")).unwrap();
    project.write("precious/file", "kept");
    let precious = project.path().join("precious");
    let private = fs::Permissions::from_mode(0o500);
    fs::set_permissions(&precious, private).unwrap();
    let link = project.path().join("tmp/coldsnake-stage-4194999-x");
    std::os::unix::fs::symlink(&precious, &link).unwrap();
    project.measure(As::Me, 1).expect(0);
    assert_eq!(
        fs::metadata(&precious).unwrap().permissions().mode() & 0o777,
        0o500
    );
    assert!(precious.join("file").exists() && link.is_symlink());
    fs::set_permissions(&precious, fs::Permissions::from_mode(0o700)).unwrap();
}

#[test]
fn a_closed_terminal_and_a_strict_umask_do_no_harm() {
    let project = Project::new(EXITING_APP);
    let script = format!(
        "umask 077; {} run suite.toml --blocks 1 --out out --python {} 2>&1 | true; \
         exit ${{PIPESTATUS[0]}}",
        env!("CARGO_BIN_EXE_coldsnake"),
        python()
    );
    let mut command = Command::new("bash");
    end(command
        .args(["-c", &script])
        .current_dir(project.path())
        .env("TMPDIR", project.path()))
    .expect(0);
    if is_root() {
        assert_eq!(project.record()[0]["isolation"]["identity"], "unprivileged");
    }
}
