//! Real servers, from the package index: each launch is ready when the app answers, however soon
//! its server listens or says that it runs.
//!
//! `-- --nocapture` prints when each accepted and when it was ready.

use std::fs;
use std::path::{Path, PathBuf};

use crate::project::{As, Project, end};

/// The time that every app takes to be imported.
const IMPORT_MS: f64 = 300.0;

/// `COMMAND` is a list's inside.
const SUITE: &str = r#"
[app]
name = "servers"
source = "app"
requirements = "requirements.txt"
command = [COMMAND]
ready = { http = "/", status = 200, timeout = "60s" }

[measure]
max-blocks = 1

[[scenario]]
name = "warm"
"#;

pub const WSGI: &str = r#"
import time
time.sleep(0.3)

def app(environ, start_response):
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]
"#;

const ASGI: &str = r#"
import time
time.sleep(0.3)

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": kind + ".complete"})
            if kind == "lifespan.shutdown":
                return
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})
"#;

const FLASK: &str = r#"
import time
time.sleep(0.3)
from flask import Flask
app = Flask(__name__)

@app.route("/")
def index():
    return "ok"
"#;

const DJANGO: &str = r#"
import sys, time
time.sleep(0.3)
from django.conf import settings
from django.core.management import execute_from_command_line
from django.http import HttpResponse
from django.urls import path

if not settings.configured:
    settings.configure(ROOT_URLCONF="served", SECRET_KEY="for-measuring-only", ALLOWED_HOSTS=["*"])

urlpatterns = [path("", lambda request: HttpResponse("ok"))]
"#;

const MANAGE: &str = "import sys, served\nserved.execute_from_command_line(sys.argv)\n";

/// Which signs of readiness other than the response come when nothing answers yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Accepts {
    WhenReady,
    /// A parent listens, and its workers import the app.
    Early,
}

/// Measures one block of an app under a server, with one environment for all servers and runs.
#[track_caller]
fn serves(server: &str, app: &str, command: &[&str], accepts: Accepts) {
    let words: Vec<String> = command.iter().map(|word| format!("{word:?}")).collect();
    let project = Project::new(&SUITE.replace("COMMAND", &words.join(", ")));
    project.write("app/served.py", app);
    project.write("app/main.py", MANAGE);
    project.write(
        "requirements.txt",
        include_str!("../servers/requirements.txt"),
    );
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers");
    let mut run = project.measuring(As::Me, &["--quiet", "--seed", "1"]);
    run.env("XDG_CACHE_HOME", cache);
    end(&mut run).expect(0);
    let launches = project.lines("launch");
    assert_eq!(launches.len(), 2);
    for launch in launches {
        let accept = launch["accept_ms"].as_f64().unwrap();
        let ready = launch["metrics"]["ready"].as_f64().unwrap();
        println!("{server}: accepts after {accept:.0} ms, ready after {ready:.0} ms");
        assert!(ready > IMPORT_MS, "{server}: ready after {ready} ms");
        if accepts == Accepts::Early {
            assert!(ready - accept > IMPORT_MS / 2.0, "{server}: {launch}");
        }
    }
    project.expect_no_process();
    project.expect_no_stage();
}

/// The environment with all servers in it.
pub fn environment() -> PathBuf {
    waitress();
    let made = Path::new(env!("CARGO_TARGET_TMPDIR")).join("servers/coldsnake/venvs");
    fs::read_dir(made)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.join("bin/gunicorn").exists())
        .unwrap()
}

#[test]
fn waitress() {
    let command = [
        "waitress-serve",
        "--listen",
        "127.0.0.1:{port}",
        "served:app",
    ];
    serves("waitress", WSGI, &command, Accepts::WhenReady);
}

#[test]
fn gunicorn_with_two_workers() {
    let command = [
        "gunicorn",
        "-w2",
        "--bind",
        "127.0.0.1:{port}",
        "served:app",
    ];
    serves("gunicorn -w2", WSGI, &command, Accepts::Early);
}

#[test]
fn uvicorn() {
    let command = ["uvicorn", "--port", "{port}", "served:app"];
    serves("uvicorn", ASGI, &command, Accepts::WhenReady);
}

#[test]
fn uvicorn_with_two_workers() {
    let command = [
        "uvicorn",
        "--workers",
        "2",
        "--port",
        "{port}",
        "served:app",
    ];
    serves("uvicorn --workers 2", ASGI, &command, Accepts::WhenReady);
}

#[test]
fn hypercorn() {
    let command = ["hypercorn", "--bind", "127.0.0.1:{port}", "served:app"];
    serves("hypercorn", ASGI, &command, Accepts::WhenReady);
}

#[test]
fn flask_run() {
    let command = ["flask", "--app", "served", "run", "--port", "{port}"];
    serves("flask run", FLASK, &command, Accepts::WhenReady);
}

#[test]
fn django_runserver() {
    let command = [
        "{python}",
        "main.py",
        "runserver",
        "--noreload",
        "127.0.0.1:{port}",
    ];
    serves("runserver", DJANGO, &command, Accepts::WhenReady);
}
