//! A command in place of a suite: whether it ends or serves is found out.

use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::adhoc::{command, inferred, measure, project, words};
use crate::project::{end, fingerprint, python};
use crate::servers;

/// A server with a module of its own, which takes its port from the last word.
const SERVER: &str = "\
import sys, helper
from http.server import HTTPServer, BaseHTTPRequestHandler

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(302)
        self.send_header('Location', '/login')
        self.end_headers()

HTTPServer(('127.0.0.1', int(sys.argv[-1].split('=')[-1])), Handler).serve_forever()
";

fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[test]
fn a_server_is_ready_when_it_answers_and_its_port_becomes_a_placeholder() {
    let project = project();
    project.write("app/serve.py", SERVER);
    let port = free_port();
    let python = python();
    let given = inferred(&project, &[&python, "serve.py", "--port={port}"]);
    assert_eq!(words(&given)[2], "--port={port}");
    assert_eq!(given["ready"]["http"].as_str(), Some("/"));
    assert!(given["ready"].get("port").is_none());

    let option = format!("--port={port}");
    let command = [python.as_str(), "serve.py", &option];
    let app = inferred(&project, &command);
    assert_eq!(words(&app)[2], "--port={port}");
    let ready = app["ready"].as_table().unwrap();
    assert_eq!(ready["http"].as_str(), Some("/"));
    assert_eq!(ready["status"].as_integer(), Some(302));
    assert!(ready.get("port").is_none());
    measure(&project, "app", &command).expect(0);
    assert!(project.lines("launch")[0]["metrics"]["ready"].is_number());
    project.expect_no_process();
}

#[test]
fn a_port_that_stands_in_no_word_is_written_down() {
    let project = project();
    let port = free_port();
    project.write(
        "app/serve.py",
        &SERVER.replace("int(sys.argv[-1].split('=')[-1])", &port.to_string()),
    );
    let app = inferred(&project, &[&python(), "serve.py"]);
    let ready = app["ready"].as_table().unwrap();
    assert_eq!(ready["port"].as_integer(), Some(port.into()));
}

#[test]
fn a_server_that_does_not_speak_http_is_ready_when_it_listens() {
    let project = project();
    project.write(
        "app/serve.py",
        "import socket, sys\n\
         door = socket.create_server(('127.0.0.1', int(sys.argv[1])))\n\
         while True:\n    guest, _ = door.accept()\n    guest.recv(9)\n    guest.send(b'hello\\n')\n    guest.close()\n",
    );
    let port = free_port().to_string();
    let app = inferred(&project, &[&python(), "serve.py", &port]);
    assert_eq!(words(&app)[2], "{port}");
    assert_eq!(app["ready"]["tcp"].as_bool(), Some(true));
}

#[test]
fn an_app_that_listens_nowhere_may_still_say_that_it_is_ready() {
    let project = project();
    project.write(
        "app/worker.py",
        "import os, socket, time\n\
         name = '\\0' + os.environ['NOTIFY_SOCKET'][1:]\n\
         socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', name)\n\
         time.sleep(600)\n",
    );
    let app = inferred(&project, &[&python(), "worker.py"]);
    assert_eq!(app["ready"]["notify"].as_bool(), Some(true));
    project.expect_no_process();
}

#[test]
fn a_server_with_workers_is_measured_with_the_import_of_its_app() {
    let environment = servers::environment();
    let project = project();
    project.write("app/served.py", servers::WSGI);
    let gunicorn = environment.join("bin/gunicorn").display().to_string();
    let bind = format!("--bind=127.0.0.1:{}", free_port());
    let command = [gunicorn.as_str(), "-w2", &bind, "served:app"];
    let app = inferred(&project, &command);
    assert_eq!(app["module"].as_str(), Some("served"));
    assert_eq!(app["source"].as_str(), Some("."));
    assert_eq!(words(&app)[3], "--bind=127.0.0.1:{port}");
    let before = fingerprint(&environment);
    measure(&project, "app", &command).expect(0);
    assert_eq!(before, fingerprint(&environment));
    for metric in ["ready", "import"] {
        let launches = project.lines("launch");
        assert!(launches.iter().any(|l| l["metrics"][metric].is_number()));
    }
}

#[test]
fn a_command_that_neither_ends_nor_serves_is_given_up_with_all_its_processes() {
    let project = project();
    project.write(
        "app/idle.py",
        "import os, subprocess, sys, time\n\
         subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'], start_new_session=True)\n\
         time.sleep(600)\n",
    );
    let python = python();
    let args = ["init", "--observe-timeout", "2s", "--", &python, "idle.py"];
    end(&mut command(&project, "app", &args)).expect(5).says(&[
        "neither ended nor served",
        "--observe-timeout",
        "coldsnake init",
        "app.ready",
    ]);
    assert!(!project.path().join("app/coldsnake.toml").exists());
    project.expect_no_process();
}

#[test]
fn ctrl_c_ends_the_command_that_is_looked_at() {
    let project = project();
    project.write(
        "app/idle.py",
        "open('begun', 'w').close()\nimport time\ntime.sleep(600)\n",
    );
    let mut run = command(&project, "app", &["run", "--", &python(), "idle.py"]);
    let mut child = run
        .stderr(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while !project.path().join("app/begun").exists() {
        assert!(Instant::now() < deadline, "the command was not started");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill(
        Pid::from_raw(child.id().try_into().unwrap()),
        Signal::SIGINT,
    )
    .unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    project.expect_no_process();
}
