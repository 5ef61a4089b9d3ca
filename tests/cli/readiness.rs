//! The signs by which an app is known to be ready, and what is said when they do not come.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::project::{As, EXITING_APP, Ended, Project, end, python};

const SUITE: &str = r#"
[app]
name = "server"
source = "app"
command = ["{python}", "main.py", "{port}"]
ready = { READY, timeout = "3s" }

[[scenario]]
name = "warm"
"#;

/// What sends a notification, as sd_notify(3) does.
const NOTIFY: &str = r#"
import os, socket, sys, time
def notify(text):
    address = os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.sendto(text, address)
"#;

fn project(ready: &str, main: &str) -> Project {
    let project = Project::new(&SUITE.replace("READY", ready));
    project.write("app/main.py", main);
    project
}

fn notifying(main: &str) -> Project {
    project("notify = true", &format!("{NOTIFY}\n{main}"))
}

/// Fails the test unless every launch was ready within these milliseconds, and nothing is left.
#[track_caller]
fn expect_ready(project: &Project, from: f64, to: f64) {
    let launches = project.lines("launch");
    assert!(!launches.is_empty());
    for launch in launches {
        assert!(launch["failure"].is_null(), "{launch}");
        let ready = launch["metrics"]["ready"].as_f64().unwrap();
        assert!(from < ready && ready < to, "ready after {ready} ms");
    }
    expect_nobody(project);
}

#[track_caller]
fn expect_nobody(project: &Project) {
    project.expect_no_process();
    project.expect_no_stage();
}

/// Fails the test unless the suite is refused with these words.
#[track_caller]
fn refused(ready: &str, texts: &[&str]) {
    let suite = SUITE.replace("READY, ", &format!("{ready}, "));
    refused_suite(&suite, texts);
}

#[track_caller]
fn refused_suite(suite: &str, texts: &[&str]) {
    let ended = Project::new(suite).measure(As::Me, 1).expect(2);
    assert!(ended.stderr.contains("suite.toml:6:"), "{}", ended.stderr);
    ended.says(texts);
}

// ---- the suite -----------------------------------------------------------------------------

#[test]
fn exactly_one_sign_is_given() {
    refused(
        "http = \"/\", notify = true",
        &["`http` and `notify` are both given", "keep one of"],
    );
    refused(
        "stdout = \"x\", tcp = true",
        &["`tcp` and `stdout` are both given", "keep one of"],
    );
    refused(
        "status = 200",
        &["nothing says by what sign", "give one of http = \"/\""],
    );
    refused("notify = false", &["`notify = false` is no sign"]);
    refused("tcp = false", &["`tcp = false` is no sign"]);
    refused("line = \"x\"", &["unknown key `line`", "`stdout`"]);
}

#[test]
fn what_belongs_to_another_sign_is_refused() {
    refused(
        "tcp = true, status = 200",
        &["no request is made", "give `http`"],
    );
    refused("notify = true, port = 80", &["`port` belongs to `http`"]);
    refused("tcp = 0", &["port 0 is none to connect to"]);
    refused("tcp = 70000", &["a port from 1 to 65535"]);
    refused("tcp = \"yes\"", &["tcp is true", "a port from 1 to 65535"]);
    refused("stdout = \"(ready\"", &["no pattern", "unclosed group"]);
    refused_suite(
        &SUITE
            .replace("READY", "tcp = true")
            .replace(", \"{port}\"", ""),
        &["nothing says on which port", "tcp = 8080"],
    );
}

#[test]
fn what_the_command_line_changes_leaves_the_sign_as_it_was() {
    let project = project(
        r"stdout = '^\[ready\] \d+$'",
        "import time\nprint('[ready] 1', flush=True)\ntime.sleep(100)\n",
    );
    let options = ["--quiet", "--blocks", "1", "--budget", "20s"];
    end(&mut project.measuring(As::Me, &options)).expect(0);
    expect_ready(&project, 1.0, 3000.0);
    let suite = project.lines("run")[0]["suite"].to_string();
    assert!(suite.contains("stdout = '^"), "{suite}");
}

// ---- tcp -----------------------------------------------------------------------------------

#[test]
fn a_server_is_ready_when_it_accepts() {
    let project = project(
        "tcp = true",
        "import socket, sys, time\ntime.sleep(0.3)\n\
         s = socket.create_server(('127.0.0.1', int(sys.argv[1])))\ntime.sleep(100)\n",
    );
    project.measure(As::Me, 1).expect(0);
    expect_ready(&project, 300.0, 3000.0);
    for launch in project.lines("launch") {
        assert_eq!(launch["accept_ms"], launch["metrics"]["ready"]);
    }
}

#[test]
fn a_forked_process_may_listen_and_on_ipv6() {
    let project = project(
        "tcp = true",
        "import os, socket, sys, time\n\
         if os.fork() == 0:\n    os.setsid()\n    time.sleep(0.3)\n    \
         s = socket.create_server(('::1', int(sys.argv[1])), family=socket.AF_INET6)\n    \
         time.sleep(100)\n\
         os.wait()\n",
    );
    project.measure(As::Me, 1).expect(0);
    expect_ready(&project, 300.0, 3000.0);
}

#[test]
fn a_port_that_never_opens_is_told() {
    project("tcp = true", "import time\ntime.sleep(100)\n")
        .measure(As::Me, 1)
        .expect(5)
        .says(&[
            "not done after 3 s",
            "waited for a connection on port",
            "nobody ever listened",
        ]);
    project("tcp = true", "print('bye')\n")
        .measure(As::Me, 1)
        .expect(5)
        .says(&["exit status 0) before it listened on port"]);
}

#[test]
fn a_fixed_port_in_use_is_told_before_anything_is_launched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let suite = SUITE
        .replace("READY", &format!("tcp = {port}"))
        .replace("{port}", &port.to_string());
    Project::new(&suite)
        .measure(As::Me, 1)
        .expect(5)
        .says(&[&format!("port {port} is in use by another program")]);
}

// ---- stdout --------------------------------------------------------------------------------

#[test]
fn the_first_line_that_fits_counts_whoever_writes_it() {
    let project = project(
        "stdout = '^listening on \\d+$'",
        "import os, sys, time\n\
         print('not yet listening on 1 port', flush=True)\n\
         if os.fork() == 0:\n    time.sleep(0.3)\n    \
         print('listening on', sys.argv[1], flush=True)\n    time.sleep(100)\n\
         os.wait()\n",
    );
    project.measure(As::Me, 1).expect(0);
    expect_ready(&project, 300.0, 3000.0);
}

#[test]
fn a_hundred_megabytes_before_and_after_the_line_do_no_harm() {
    let project = project(
        "stdout = 'ready'",
        "import os, signal, sys, time\n\
         def more(*_):\n    os.write(1, b'y' * 3_000_000)\n    sys.exit(0)\n\
         signal.signal(signal.SIGTERM, more)\n\
         line = b'\\xff' * 99_999 + b'\\n'\n\
         for _ in range(1000):\n    os.write(1, line)\n\
         os.write(1, b'\\xfe ready \\xff\\n')\n\
         while True:\n    time.sleep(100)\n",
    );
    project.write(
        "suite.toml",
        &SUITE
            .replace("READY", "stdout = 'ready'")
            .replace("\"3s\"", "\"60s\""),
    );
    let begun = Instant::now();
    project.measure(As::Me, 1).expect(0);
    expect_ready(&project, 1.0, 60_000.0);
    // Were the output not read after the line, each launch would end with SIGKILL after 3 s.
    for launch in project.lines("launch") {
        let end =
            launch["wall_ms"].as_f64().unwrap() - launch["metrics"]["ready"].as_f64().unwrap();
        assert!(end < 2900.0, "{end} ms to end; {:?}", begun.elapsed());
    }
}

#[test]
fn a_line_that_never_comes_is_told_with_the_last_that_came() {
    project(
        "stdout = 'ready'",
        "import time\nprint('loading\\x1b[31m models', flush=True)\ntime.sleep(100)\n",
    )
    .measure(As::Me, 1)
    .expect(5)
    .says(&[
        "not done after 3 s",
        "waited for a line on standard output that matches `ready`",
        "the last line that it wrote there was `loading[31m models`",
    ]);
    project(
        "stdout = 'ready'",
        "import time\nprint('ready')\ntime.sleep(100)\n",
    )
    .measure(As::Me, 1)
    .expect(5)
    .says(&["it wrote nothing there", "flush=True"]);
    project("stdout = 'ready'", "print('done')\n")
        .measure(As::Me, 1)
        .expect(5)
        .says(&[
            "exit status 0) before it wrote a line to standard output that matches `ready`",
            "`done`",
        ]);
}

#[test]
fn an_app_that_says_it_is_ready_and_ends_was_ready() {
    let project = project("stdout = 'ready'", "print('ready')\n");
    project.measure(As::Me, 5).expect(0);
    expect_ready(&project, 1.0, 3000.0);
}

// ---- notify --------------------------------------------------------------------------------

#[test]
fn a_notification_makes_ready_for_any_user() {
    let main = "notify(b'STATUS=loading')\ntime.sleep(0.3)\n\
                notify(b'STATUS=serving\\nREADY=1\\nMAINPID=1')\ntime.sleep(100)\n";
    for who in [As::Me, As::Ordinary] {
        let project = notifying(main);
        project.measure(who, 1).expect(0);
        expect_ready(&project, 300.0, 3000.0);
    }
}

#[test]
fn a_forked_process_may_notify_and_go_on() {
    let project = notifying(
        "if os.fork() == 0:\n    time.sleep(0.3)\n    notify(b'READY=1')\n    \
         for _ in range(1000):\n        notify(b'WATCHDOG=1')\n    time.sleep(100)\n\
         os.wait()\n",
    );
    project.measure(As::Me, 1).expect(0);
    expect_ready(&project, 300.0, 3000.0);
}

#[test]
fn a_notification_that_never_comes_is_told_with_the_last_that_came() {
    notifying("notify(b'READY=0\\nSTATUS=loading')\ntime.sleep(100)\n")
        .measure(As::Me, 1)
        .expect(5)
        .says(&[
            "not done after 3 s",
            "waited for READY=1 on NOTIFY_SOCKET",
            "`READY=0 STATUS=loading`",
        ]);
    notifying("time.sleep(100)\n")
        .measure(As::Me, 1)
        .expect(5)
        .says(&["nothing came", "does the app send notifications"]);
    notifying("print('bye')\n")
        .measure(As::Me, 1)
        .expect(5)
        .says(&["before it sent READY=1 to NOTIFY_SOCKET"]);
}

#[test]
fn a_notification_from_somebody_else_is_ignored() {
    let ended = with_stranger("time.sleep(100)\n");
    ended
        .expect(5)
        .says(&["a READY=1 from process", "none that this launch started"]);
    with_stranger("time.sleep(0.7)\nnotify(b'READY=1')\ntime.sleep(100)\n").expect(0);
}

/// A run of an app that tells its socket's name to a process which is none of its own, and which
/// sends `READY=1` there as soon as it can.
fn with_stranger(main: &str) -> Ended {
    let project = notifying(&format!(
        "open(os.environ['MEET'], 'w').write(os.environ['NOTIFY_SOCKET'] + '\\n')\n{main}"
    ));
    let meet = project.path().join("meet");
    project.write("meet", "");
    fs::set_permissions(&meet, fs::Permissions::from_mode(0o666)).unwrap();
    project.write(
        "suite.toml",
        &SUITE.replace("READY", "notify = true").replace(
            "[[scenario]]",
            &format!("env = {{ MEET = {meet:?} }}\n[[scenario]]"),
        ),
    );
    let mut stranger = Command::new(python())
        .args(["-c", STRANGER])
        .arg(&meet)
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let ended = project.measure(As::Me, 1);
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    if ended.status == 0 {
        // The stranger's came at once, the app's after 0.7 s.
        expect_ready(&project, 700.0, 3000.0);
    }
    expect_nobody(&project);
    ended
}

const STRANGER: &str = r#"
import socket, sys, time
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
    while True:
        time.sleep(0.01)
        name = open(sys.argv[1]).read()
        try:
            if name.endswith("\n"):
                s.sendto(b"READY=1", "\0" + name[1:].strip())
        except OSError:
            pass
"#;

// ---- the others ----------------------------------------------------------------------------

#[test]
fn an_app_that_exits_has_no_socket_for_notifications() {
    let project = Project::new(EXITING_APP);
    project.write(
        "app/main.py",
        "import helper, os\nassert 'NOTIFY_SOCKET' not in os.environ\n",
    );
    let mut command = project.measuring(As::Me, &["--blocks", "1"]);
    command.env("NOTIFY_SOCKET", "/run/systemd/notify");
    end(&mut command).expect(0);
}
