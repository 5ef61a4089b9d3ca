//! Traces of servers, of processes that fork or end in their own way, and of apps that meddle with the
//! trace.

use serde_json::Value;

use crate::project::{EXITING_APP, Project, python};
use crate::trace::{first, module, phases, project, trace_under, traced};

const SERVER: &str = r#"
[app]
name = "server"
source = "app"
command = ["{python}", "main.py", "{port}"]
ready = { http = "/", timeout = "20s" }

[[scenario]]
name = "warm"
"#;

/// A server on the standard library, and what it does before and after its first response.
const SERVE: &str = "
import sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', '0')
        self.end_headers()
        self.wfile.flush()
        time.sleep(1)
        import late

    def log_message(self, *args):
        pass

def serve():
    HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
";

fn server(main: &str) -> Project {
    let project = Project::new(SERVER);
    project.write("app/main.py", main);
    project.write("app/serve.py", SERVE);
    project.write("app/late.py", "");
    project
}

fn part(scenario: &Value, name: &str) -> f64 {
    scenario["parts_ms"][name].as_f64().unwrap_or(0.0)
}

#[test]
fn a_server_is_traced_until_it_is_ready() {
    let project = server("import helper, serve\nserve.serve()\n");
    let warm = traced(&project, &[]);
    assert_eq!(warm["until"], "ready");
    assert!(phases(&warm, "helper").contains(&"unmarshal".to_owned()));
    assert!(module(&warm, "http.server").is_some());
    assert!(module(&warm, "late").is_none());
    // It was ended by a signal, and that is no part of its start.
    assert_eq!(part(&warm, "end"), 0.0);
    project.expect_no_process();
    project.expect_no_stage();
}

#[test]
fn a_server_that_never_leaves_its_import_is_traced_as_well() {
    let project = server("import served\n");
    project.write("app/served.py", "import helper, serve\nserve.serve()\n");
    let warm = traced(&project, &[]);
    // Waiting is a part of its execution, and its imports are not.
    assert!(phases(&warm, "served").contains(&"execute".to_owned()));
    assert!(phases(&warm, "helper").contains(&"unmarshal".to_owned()));
    let own = |name: &str| module(&warm, name).unwrap()["own_ms"].as_f64().unwrap();
    let inclusive = module(&warm, "served").unwrap()["inclusive_ms"].as_f64();
    assert!(inclusive.unwrap() >= own("served") + own("helper"));
}

#[test]
fn the_path_goes_on_in_the_worker_that_loads_the_app() {
    let main = "import os, serve, sys, time
if os.fork() == 0:
    sys.path.insert(0, 'worker')
    import app
    serve.serve()
os.wait()
";
    let project = server(main);
    let modules: Vec<String> = (0..40).map(|n| format!("part{n}")).collect();
    for name in &modules {
        project.write(&format!("app/worker/{name}.py"), "VALUE = 1\n");
    }
    project.write(
        "app/worker/app.py",
        &format!("import {}\n", modules.join(", ")),
    );
    let warm = traced(&project, &[]);
    assert_eq!(warm["processes"], 2.0);
    let place = |name: &str| module(&warm, name).unwrap()["place"].clone();
    assert_eq!(
        (place("app"), place("part7")),
        ("path".into(), "path".into())
    );
    // What the parent imported comes before, and once.
    assert_eq!(place("serve"), "path");
    let serves = warm["modules"].as_array().unwrap().iter();
    assert_eq!(serves.filter(|each| each["name"] == "serve").count(), 1);
    project.expect_no_process();
}

#[test]
fn an_interpreter_that_replaces_itself_is_followed() {
    let project = project(
        "import os, sys, helper\n\
         if 'again' not in sys.argv:\n    \
             os.execv(sys.executable, [sys.executable, *sys.argv, 'again'])\n\
         import colorsys\n",
    );
    let warm = traced(&project, &[]);
    assert_eq!(warm["processes"], 2.0);
    assert_eq!(module(&warm, "colorsys").unwrap()["place"], "path");
}

#[test]
fn what_another_process_imports_is_beside() {
    let project = project(
        "import subprocess, sys\n\
         subprocess.run([sys.executable, '-c', 'import colorsys'], check=True)\n",
    );
    let warm = traced(&project, &[]);
    assert_eq!(module(&warm, "colorsys").unwrap()["place"], "beside");
    assert_eq!(warm["processes"], 1.0);
}

#[test]
fn an_end_that_runs_no_exit_functions_loses_nothing() {
    let project = project("import helper, os\nos._exit(0)\n");
    let warm = traced(&project, &[]);
    assert!(phases(&warm, "helper").contains(&"execute".to_owned()));
    assert_eq!(part(&warm, "end"), 0.0);
}

#[test]
fn an_app_that_closes_what_it_did_not_open_is_traced_on() {
    let project = project(
        "import os\n\
         if 'COLDSNAKE_TRACE' in os.environ:\n    os.closerange(3, 5000)\n\
         import helper\n",
    );
    let warm = traced(&project, &[]);
    assert!(phases(&warm, "helper").contains(&"execute".to_owned()));
}

#[test]
fn no_time_of_a_traced_launch_is_given_as_that_of_a_start() {
    // Slower when it is traced, by so much that the two cannot be mistaken.
    let project = project(
        "import os, time, helper\n\
         if 'COLDSNAKE_TRACE' in os.environ:\n    time.sleep(1)\n",
    );
    let options = ["--scenario", "warm", "--format", "json"];
    let warm = first(&trace_under(&project, &python(), 2, &options).expect(0));
    let untraced = warm["untraced_ms"]["p90"].as_f64().unwrap();
    let traced = warm["traced_ms"].as_f64().unwrap();
    assert!(untraced < 1000.0 && traced > 1000.0, "{untraced} {traced}");
    assert!(warm["overhead"]["estimate"].as_f64().unwrap() > 1.5);
    let text = trace_under(&project, &python(), 2, &["--scenario", "warm"]).expect(0);
    let answer: f64 = text.stdout.split(' ').next().unwrap().parse().unwrap();
    assert!(answer < 1000.0, "{}", text.stdout);
}

/// Fails the test unless an app that does this to the trace is refused with these words.
#[track_caller]
fn meddles(with: &str, texts: &[&str]) {
    let project = project(&format!(
        "import os, helper\npath = os.environ.get('COLDSNAKE_TRACE')\nif path:\n    {with}\n"
    ));
    let ended = trace_under(&project, &python(), 1, &["--scenario", "warm"]);
    assert_eq!(ended.stdout, "");
    ended.expect(4).says(&["could not be traced"]).says(texts);
    project.expect_no_process();
    project.expect_no_stage();
}

#[test]
fn an_app_that_writes_into_the_trace_is_told_the_line() {
    meddles(
        "open(path, 'a').write('nonsense\\n')",
        &["`warm`", "makes no sense: \"nonsense\""],
    );
    meddles("open(path, 'ab').write(b'\\xff\\n')", &["is no text"]);
    meddles(
        "open(path, 'w').close(); os._exit(0)",
        &["did not load the hook"],
    );
}

#[test]
fn an_app_that_puts_something_else_there_does_no_harm() {
    meddles(
        "os.unlink(path); os.mkfifo(path)",
        &["something else in the place"],
    );
    meddles(
        "os.unlink(path); os.symlink('/etc/passwd', path)",
        &["cannot be opened"],
    );
}

#[test]
fn times_of_another_clock_are_noticed() {
    meddles(
        "open(path, 'w').write('process\\t1\\t1\\t1\\t5\\t1\\n'); os._exit(0)",
        &["clock is not the harness's"],
    );
}

#[test]
fn an_interpreter_that_runs_without_the_hook_is_told() {
    let suite = EXITING_APP.replace(
        "[\"{python}\", \"main.py\"]",
        "[\"/bin/sh\", \"-c\", \"exec $0 -I main.py\", \"{python}\"]",
    );
    let project = Project::new(&suite);
    project.write("app/main.py", "");
    trace_under(&project, &python(), 1, &[])
        .expect(4)
        .says(&["did not load the hook", "-I"]);
}
