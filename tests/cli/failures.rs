//! Apps and interpreters that do not work: what happened, what to do; status 5.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use crate::project::{As, EXITING_APP, Project, end, python};

const SERVING_APP: &str = r#"
[app]
name = "server"
source = "app"
command = ["{python}", "main.py", "{port}"]
ready = { http = "/", status = 200, timeout = "3s" }

[[scenario]]
name = "warm"
"#;

const SERVER: &str = r#"
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(STATUS)
        self.send_header("Content-Length", "0")
        self.end_headers()
    def log_message(self, *args):
        pass
STATUS = 200
def serve():
    http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"#;

fn exiting(main: &str) -> Project {
    let project = Project::new(EXITING_APP);
    project.write("app/main.py", main);
    project
}

fn serving(main: &str) -> Project {
    let project = Project::new(SERVING_APP);
    project.write("app/main.py", &format!("{SERVER}\n{main}"));
    project
}

#[test]
fn a_crash_shows_the_end_of_stderr() {
    let project = exiting("import sys\nsys.stderr.write('the database is away\\n')\nsys.exit(7)\n");
    project.measure(As::Me, 1).expect(5).says(&[
        "cannot be launched under `warm`",
        "exit status 7",
        "the database is away",
    ]);
    project.expect_no_stage();
}

#[test]
fn a_signal_is_named() {
    let project = exiting("import os\nos.kill(os.getpid(), 11)\n");
    project
        .measure(As::Me, 1)
        .expect(5)
        .says(&["ended by signal SIGSEGV"]);
}

#[test]
fn a_server_that_ends_before_it_answers_is_no_success() {
    let project = serving("print('bye')");
    project
        .measure(As::Me, 1)
        .expect(5)
        .says(&["before it answered"]);
}

#[test]
fn a_hanging_app_is_stopped_after_its_time() {
    let project = exiting("import time\ntime.sleep(1000)\n");
    let suite = EXITING_APP.replace("\"20s\"", "\"1s\"");
    project.write("suite.toml", &suite);
    let begun = Instant::now();
    project
        .measure(As::Me, 1)
        .expect(5)
        .says(&["not done after 1 s", "app.timeout"]);
    assert!(begun.elapsed().as_secs() < 30);
    project.expect_no_process();
    project.expect_no_stage();
}

#[test]
fn an_app_that_ignores_sigterm_is_killed() {
    let project =
        exiting("import signal, time\nsignal.signal(15, signal.SIG_IGN)\ntime.sleep(1000)\n");
    project.write("suite.toml", &EXITING_APP.replace("\"20s\"", "\"1s\""));
    project
        .measure(As::Me, 1)
        .expect(5)
        .says(&["not done after 1 s", "app.timeout"]);
    project.expect_no_process();
}

#[test]
fn a_wrong_status_is_told() {
    let project = serving("STATUS = 503\nserve()");
    project.measure(As::Me, 1).expect(5).says(&[
        "not done after 3 s",
        "status 503 instead of 200",
        "app.ready",
    ]);
}

#[test]
fn a_server_that_never_listens_is_told_from_one_that_never_answers() {
    serving("import time\ntime.sleep(100)")
        .measure(As::Me, 1)
        .expect(5)
        .says(&["nobody ever listened on its port"]);
    serving(
        "import socket, time\ns = socket.create_server(('127.0.0.1', int(sys.argv[1])))\ntime.sleep(100)",
    )
    .measure(As::Me, 1)
    .expect(5)
    .says(&["took the connection, but gave no answer"]);
}

#[test]
fn daemons_do_not_survive_a_launch() {
    // Out of the process group, and orphaned: the way daemons are made.
    let project = exiting(
        "import os, time\n\
         if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        time.sleep(1000)\n    os._exit(0)\n",
    );
    project.measure(As::Me, 2).expect(0);
    project.expect_no_process();
    assert_eq!(project.lines("launch").len(), 2 * 2 * 2);
    project.expect_no_stage();
}

#[test]
fn a_server_that_forks_is_ready_when_its_worker_answers() {
    let project = serving(
        "import os, time\n\
         server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)\n\
         if os.fork() == 0:\n    time.sleep(0.5)\n    server.serve_forever()\n\
         os.wait()\n",
    );
    project.measure(As::Me, 1).expect(0);
    for launch in project.lines("launch") {
        let ready = launch["metrics"]["ready"].as_f64().unwrap();
        assert!(ready > 500.0, "{ready}");
        assert!(launch["accept_ms"].as_f64().unwrap() < ready);
    }
    project.expect_no_process();
}

#[test]
fn a_hundred_megabytes_of_output_do_no_harm() {
    let project = exiting(
        "import os\nline = b'x' * 999 + b'\\n'\n\
         for fd in 1, 2:\n    for _ in range(50_000):\n        os.write(fd, line)\n",
    );
    project.measure(As::Me, 1).expect(0);
    let failing = exiting(
        "import os, sys\nline = b'x' * 999 + b'\\n'\n\
         for _ in range(100_000):\n    os.write(2, line)\n\
         os.write(2, b'the last words\\n')\nsys.exit(1)\n",
    );
    let ended = failing
        .measure(As::Me, 1)
        .expect(5)
        .says(&["the last words"]);
    assert!(ended.stderr.len() < 20_000);
}

#[test]
fn a_port_in_use_is_told_before_anything_is_launched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let project = serving("serve()");
    project.write(
        "suite.toml",
        &SERVING_APP
            .replace("{port}", &port.to_string())
            .replace("status = 200", &format!("status = 200, port = {port}")),
    );
    project.measure(As::Me, 1).expect(5).says(&[
        &format!("port {port} is in use by another program"),
        "{port}",
    ]);
}

#[test]
fn an_answer_from_somebody_else_is_not_taken_for_the_apps() {
    // The app starts a server outside of all that is known to belong to it: a stand-in for a
    // port that another program takes between the check and the launch.
    let project = serving(
        "import os, subprocess, time\n\
         if len(sys.argv) > 2:\n    serve()\n\
         open(os.environ['MEET'], 'w').write(sys.argv[1])\ntime.sleep(100)\n",
    );
    let meet = project.path().join("meet");
    project.write("meet", "");
    fs::set_permissions(&meet, fs::Permissions::from_mode(0o666)).unwrap();
    project.write(
        "suite.toml",
        &SERVING_APP.replace(
            "[[scenario]]",
            &format!("env = {{ MEET = {meet:?} }}\n[[scenario]]"),
        ),
    );
    let run = project
        .measuring(As::Me, &["--blocks", "1"])
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let port = loop {
        let text = fs::read_to_string(&meet).unwrap();
        if !text.is_empty() {
            break text;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let mut stranger = std::process::Command::new(python())
        .arg(project.path().join("app/main.py"))
        .args([&port, "serve"])
        .spawn()
        .unwrap();
    let output = run.wait_with_output().unwrap();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(5), "{stderr}");
    assert!(
        stderr.contains("answered by a process that this launch did not start"),
        "{stderr}"
    );
}

#[test]
fn a_failure_in_the_middle_is_a_row_and_the_rest_is_measured() {
    // Fails under one scenario from the third launch on; a counter lies outside the app.
    let project = exiting(
        "import os, sys, helper\n\
         if os.environ.get('FLAKY'):\n\
         \x20   path = os.path.join(os.environ['HOME'], 'count')\n\
         \x20   count = len(open(path).read()) if os.path.exists(path) else 0\n\
         \x20   open(path, 'a').write('x')\n\
         \x20   sys.exit(3 if count in (2, 3) else 0)\n",
    );
    project.write(
        "suite.toml",
        &format!("{EXITING_APP}\n[[scenario]]\nname = \"flaky\"\nenv = {{ FLAKY = \"1\" }}\n"),
    );
    project
        .measure(As::Me, 6)
        .expect(0)
        .says(&["a launch under `flaky` failed", "exit status 3"]);
    let launches = project.lines("launch");
    let failed: Vec<_> = launches
        .iter()
        .filter(|l| !l["failure"].is_null())
        .collect();
    assert_eq!(failed.len(), 2);
    assert!(
        failed
            .iter()
            .all(|l| l["scenario"] == "flaky" && l["metrics"].is_null())
    );
    assert_eq!(launches.len(), 6 * 2 * 3);
}

#[test]
fn an_import_that_ends_the_process_is_a_failure() {
    let project = Project::new(EXITING_APP);
    project.write("app/main.py", "import other\n");
    project.write("app/helper.py", "import sys\nsys.exit(0)\n");
    project.measure(As::Me, 1).expect(5).says(&[
        "cannot be launched under `warm`",
        "the import ended the process",
    ]);
}

#[test]
fn no_python_and_a_python_that_does_not_work_are_told() {
    let project = Project::new(EXITING_APP);
    let mut command = project.command(As::Me, &["run", "suite.toml"]);
    let ended = end(command.env("PATH", project.path()));
    ended
        .expect(5)
        .says(&["there is no `python3` on PATH", "--python PATH"]);
    let run = |python: &str| project.run(&["run", "suite.toml", "--python", python]);
    run("python9.9")
        .expect(5)
        .says(&["there is no `python9.9` on PATH"]);
    run("/bin/false")
        .expect(5)
        .says(&["/bin/false does not work as a Python interpreter"]);
    run("/no/such/python")
        .expect(5)
        .says(&["/no/such/python does not work"]);
}

#[test]
fn a_python_that_is_too_old_is_told_its_version() {
    let project = Project::new(EXITING_APP);
    let old = project.path().join("python3.8");
    let answer = r#"{"executable":"/usr/bin/python3.8","version":"3.8.20","numbers":[3,8],"implementation":"cpython","cache_tag":"cpython-38","magic":3413,"stdlib":"/usr/lib/python3.8","suffixes":[],"builtin":[],"frozen":[],"mapped":[]}"#;
    fs::write(&old, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    project
        .run(&["run", "suite.toml", "--python", "./python3.8"])
        .expect(5)
        .says(&["is Python 3.8.20", "3.9 is the oldest"]);
}

#[test]
fn a_command_that_does_not_exist_is_told() {
    let project = Project::new(&EXITING_APP.replace("\"{python}\"", "\"flask-or-so\""));
    project
        .measure(As::Me, 1)
        .expect(5)
        .says(&["there is no program `flask-or-so`"]);
}

#[test]
fn without_a_network_the_way_out_is_named() {
    let project = Project::new(
        &EXITING_APP.replace("command", "requirements = \"requirements.txt\"\ncommand"),
    );
    project.write("requirements.txt", "coldsnake-no-such-package==1.0\n");
    let mut command = project.command(As::Me, &["run", "suite.toml", "--python", &python()]);
    // An index that nobody serves: what a machine without a network sees, only sooner.
    command
        .env("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
        .env("PIP_CONFIG_FILE", "/dev/null");
    end(&mut command)
        .expect(5)
        .says(&["cannot install the packages", "coldsnake run httpserver"]);
}

/// Why the run in `out` ended.
fn stop_reason(project: &Project) -> String {
    let end = project.lines("end");
    end[0]["stop_reason"].as_str().unwrap().to_owned()
}

#[test]
fn each_rule_ends_a_run_and_is_named() {
    let project = Project::new(EXITING_APP);
    let run = |options: &[&str]| {
        let _ = fs::remove_dir_all(project.path().join("out"));
        end(&mut project.measuring(As::Me, &[&["--quiet"], options].concat()))
    };
    let shown = run(&["--budget", "1ms"]).expect(0).stdout;
    assert!(
        shown.contains("1 block, stopped when the time was used up"),
        "{shown}"
    );
    assert_eq!(stop_reason(&project), "budget");
    run(&["--blocks", "2"]).expect(0);
    assert_eq!(stop_reason(&project), "max-blocks");
    // Any interval is narrow enough: at the least number of blocks, and not before.
    run(&["--precision", "10000%"]).expect(0);
    assert_eq!(stop_reason(&project), "precision");
    assert_eq!(project.lines("end")[0]["blocks"], 20);
}

#[test]
fn one_failure_after_the_other_ends_the_run() {
    // Good for the receipt, and never again: the state lies outside of what a reset mends.
    let project = exiting(
        "import os, sys, helper\n\
         path = os.path.join(os.environ['HOME'], 'count')\n\
         count = len(open(path).read()) if os.path.exists(path) else 0\n\
         open(path, 'a').write('x')\n\
         sys.exit(9 if count >= 1 else 0)\n",
    );
    let suite = EXITING_APP.replace("[measure]", "[measure]\nmetrics = [\"exit\"]");
    project.write("suite.toml", &suite);
    project
        .measure(As::Me, 100)
        .expect(5)
        .says(&["exit status 9", "one launch after the other failed"]);
    assert_eq!(stop_reason(&project), "failures");
    assert_eq!(project.lines("launch").len(), 5);
}
