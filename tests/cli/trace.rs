//! Where the time of a start goes: each phase where it belongs, however the app is started.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::project::{As, EXITING_APP, Ended, Project, end, other_python, python, start};

pub const COLD: &str = "\n[[scenario]]\nname = \"cold\"\nbytecode = \"absent\"\n";

/// A project whose main script is this.
pub fn project(main: &str) -> Project {
    let project = Project::new(&format!("{EXITING_APP}{COLD}"));
    project.write("app/main.py", main);
    project
}

/// Traces the project's suite for so many blocks under an interpreter.
pub fn trace_under(project: &Project, python: &str, blocks: u32, options: &[&str]) -> Ended {
    let blocks = blocks.to_string();
    let usual = ["trace", "suite.toml", "--quiet", "--seed", "1"];
    let more = ["--blocks", &blocks, "--python", python];
    project.run(&[&usual[..], &more, options].concat())
}

/// The first scenario of what one block of tracing found.
#[track_caller]
pub fn traced(project: &Project, options: &[&str]) -> Value {
    traced_under(project, &python(), options)
}

#[track_caller]
fn traced_under(project: &Project, python: &str, options: &[&str]) -> Value {
    let options = [&["--format", "json"], options].concat();
    let ended = trace_under(project, python, 1, &options).expect(0);
    first(&ended)
}

/// The first scenario in a printed `trace.json`, whose parts sum up.
#[track_caller]
pub fn first(ended: &Ended) -> Value {
    let found: Value = serde_json::from_str(&ended.stdout).unwrap();
    let scenario = found["scenarios"][0].clone();
    expect_accounted(&scenario);
    scenario
}

/// Fails the test unless the parts of every launch sum to the launch, or nearly so.
#[track_caller]
pub fn expect_accounted(scenario: &Value) {
    let accounted = scenario["accounted"].as_f64().unwrap();
    assert!((0.98..=1.0001).contains(&accounted), "{accounted}");
    let parts = scenario["parts_ms"].as_object().unwrap();
    let sum: f64 = parts.values().map(|part| part.as_f64().unwrap()).sum();
    let printed = scenario["sum_ms"].as_f64().unwrap();
    assert!((sum - printed).abs() < 0.01, "{sum} {printed}");
    assert!(parts["start"].as_f64().unwrap() > 0.0);
}

/// A module of a scenario, if it was seen.
pub fn module<'a>(scenario: &'a Value, name: &str) -> Option<&'a Value> {
    let mut modules = scenario["modules"].as_array().unwrap().iter();
    modules.find(|module| module["name"] == name)
}

/// Which phases of a module took any time.
#[track_caller]
pub fn phases(scenario: &Value, name: &str) -> Vec<String> {
    let module = module(scenario, name).unwrap_or_else(|| panic!("{name} was not seen"));
    let phases = module["phases_ms"].as_object().unwrap();
    phases.keys().cloned().collect()
}

/// A module that is in a file of its own for the dynamic loader, if this interpreter has one.
fn extension(python: &str) -> Option<String> {
    let ask = "import importlib.util as u, importlib.machinery as m
names = [n for n in ('_json', '_csv', '_ctypes', '_sqlite3', '_decimal') if (s := u.find_spec(n))
         and isinstance(s.loader, m.ExtensionFileLoader)]
print(names[0] if names else '')";
    let output = Command::new(python)
        .args(["-I", "-c", ask])
        .output()
        .unwrap();
    let name = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    (!name.is_empty()).then_some(name)
}

#[test]
fn each_phase_is_seen_where_it_happens() {
    let project = project("import helper\n");
    for python in [python(), other_python(&project)] {
        let imports = match extension(&python) {
            Some(name) => format!("import helper, {name}\n"),
            None => "import helper\n".to_owned(),
        };
        project.write("app/main.py", &imports);

        let warm = traced_under(&project, &python, &["--scenario", "warm"]);
        let seen = phases(&warm, "helper");
        let all = ["find", "read", "unmarshal", "execute", "machinery"];
        assert_eq!(seen, all, "{python}");
        let helper = module(&warm, "helper").unwrap();
        assert_eq!(
            (&helper["group"], &helper["loader"], &helper["file"]),
            (&"app".into(), &"source".into(), &"helper.py".into())
        );
        // It imports another one, whose time is not its own.
        assert!(helper["inclusive_ms"].as_f64() > helper["own_ms"].as_f64());
        assert!(warm["compiling"].is_null(), "{}", warm["compiling"]);
        for part in ["start", "program", "tracer", "end"] {
            assert!(warm["parts_ms"][part].as_f64() > Some(0.0), "{part}");
        }

        let cold = traced_under(&project, &python, &["--scenario", "cold"]);
        let seen = phases(&cold, "helper");
        for phase in ["find", "read", "compile", "write", "execute"] {
            assert!(seen.iter().any(|each| each == phase), "{phase}: {seen:?}");
        }
        assert!(!seen.iter().any(|each| each == "unmarshal"), "{seen:?}");
        // helper.py has two lines, and other.py has one.
        assert_eq!(cold["compiling"]["lines"], 3.0);
        assert_eq!(cold["compiling"]["modules"], 2.0);

        if let Some(name) = extension(&python) {
            let module = module(&warm, &name).unwrap();
            assert_eq!(module["loader"], "extension");
            assert_eq!(module["group"], "stdlib");
            assert!(phases(&warm, &name).iter().any(|each| each == "dlopen"));
        }
    }
}

#[test]
fn every_interpreter_that_is_here_is_traced() {
    let project = project("import helper, importlib\nimportlib.import_module('colorsys')\n");
    // pyenv's, and those of scripts/pythons.
    let home = std::env::var("HOME").unwrap_or_default();
    let home = Path::new(&home);
    let names = |folder: &str| {
        let entries = std::fs::read_dir(home.join(folder));
        let entries = entries.into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).collect::<Vec<_>>()
    };
    let pyenv = names(".pyenv/versions").into_iter();
    let newest = names(".cache/coldsnake/pythons/unpacked/usr/bin").into_iter();
    let mut pythons: Vec<String> = pyenv
        .map(|version| version.join("bin/python3"))
        .chain(newest.filter(|path| path.to_string_lossy().contains("/python3.")))
        .map(|path| path.display().to_string())
        .collect();
    pythons.sort();
    for python in pythons {
        let options = ["--scenario", "cold", "--format", "json"];
        let ended = trace_under(&project, &python, 1, &options);
        // Too old, or without bytecode of its own and without layers.
        if ended.status != 0 {
            let known = ["is the oldest", "have no bytecode", "does not work"];
            let told = known.iter().any(|text| ended.stderr.contains(text));
            assert!(told, "{python}: {}", ended.stderr);
            continue;
        }
        let cold = first(&ended);
        assert!(phases(&cold, "helper").contains(&"compile".to_owned()));
        assert!(phases(&cold, "colorsys").contains(&"execute".to_owned()));
        assert_eq!(module(&cold, "colorsys").unwrap()["group"], "stdlib");
    }
}

#[test]
fn what_a_thread_imports_is_listed_beside_and_in_no_sum() {
    let project = project(
        "import threading, json\n\
         def work():\n    import helper\n\
         thread = threading.Thread(target=work)\nthread.start()\nthread.join()\n",
    );
    let warm = traced(&project, &[]);
    let place = |name: &str| module(&warm, name).unwrap()["place"].clone();
    assert_eq!(
        (place("helper"), place("other")),
        ("beside".into(), "beside".into())
    );
    assert_eq!(place("json"), "path");
}

#[test]
fn what_import_module_loads_is_seen() {
    let project = project("import importlib\nimportlib.import_module('helper')\n");
    let warm = traced(&project, &[]);
    assert!(phases(&warm, "helper").contains(&"unmarshal".to_owned()));
    assert!(module(&warm, "other").is_some());
}

#[test]
fn a_module_that_is_run_is_seen_with_what_it_imports() {
    let project = project("");
    let suite = EXITING_APP.replace("\"main.py\"", "\"-m\", \"tool\"");
    project.write("suite.toml", &suite);
    project.write("app/tool/__init__.py", "");
    project.write("app/tool/__main__.py", "import helper\n");
    let warm = traced(&project, &[]);
    assert!(phases(&warm, "tool").contains(&"execute".to_owned()));
    assert!(phases(&warm, "tool.__main__").contains(&"unmarshal".to_owned()));
    assert!(module(&warm, "helper").is_some());
}

#[test]
fn a_missing_module_is_named_as_such() {
    let project = project("try:\n    import no_such_module\nexcept ImportError:\n    pass\n");
    let warm = traced(&project, &[]);
    let missing = module(&warm, "no_such_module").unwrap();
    assert_eq!(
        (&missing["loader"], &missing["file"]),
        (&"missing".into(), &Value::Null)
    );
}

#[test]
fn a_name_that_no_file_has_breaks_no_line() {
    let main = "import importlib\ntry:\n    importlib.import_module('a\\tb\\nc\\udc80')\n\
                except ImportError:\n    import helper\n";
    let warm = traced(&project(main), &[]);
    assert!(module(&warm, "a\\tb\\nc\\udc80").is_some());
    assert!(module(&warm, "helper").is_some());
}

#[test]
fn flags_that_switch_the_hooks_way_off_are_no_obstacle() {
    let flags = ["-I", "-E", "-S", "-Es"];
    let scenarios: Vec<String> = flags
        .iter()
        .map(|flag| format!("[[scenario]]\nname = \"with{flag}\"\nflags = [\"{flag}\"]\n"))
        .collect();
    let project = Project::new(&format!("{EXITING_APP}{}", scenarios.join("")));
    // Under -I the script's folder is not searched.
    project.write(
        "app/main.py",
        "import sys, colorsys\nassert sys.argv[0].endswith('main.py') and __name__ == '__main__'\n",
    );
    for flag in flags {
        let scenario = format!("with{flag}");
        let found = traced(&project, &["--scenario", &scenario]);
        let execute = "execute".to_owned();
        assert!(phases(&found, "colorsys").contains(&execute), "{flag}");
    }
}

/// Traces a command for one block.
fn command(project: &Project, words: &[&str]) -> Ended {
    let usual = [
        "trace", "--quiet", "--blocks", "1", "--format", "json", "--",
    ];
    let mut command = project.command(As::Me, &[&usual, words].concat());
    end(command.current_dir(project.path().join("app")))
}

#[test]
fn a_command_is_traced_as_it_is_found() {
    let project = project("import helper\n");
    let python = python();
    let ended = command(&project, &[&python, "main.py"]).expect(0);
    let found = first(&ended);
    assert_eq!(found["name"], "as-found");
    // Nothing of the app is cached there.
    assert!(phases(&found, "helper").contains(&"compile".to_owned()));
    let all: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(all["suite"], format!("{python} main.py (inferred)"));
    // Nor is anything after it.
    assert!(!project.path().join("app/__pycache__").exists());
    let found = first(&command(&project, &[&python, "-c", "import helper"]).expect(0));
    assert!(module(&found, "helper").is_some());
}

#[test]
fn a_zip_archive_is_looked_into() {
    let project = project("");
    project.write(
        "suite.toml",
        &EXITING_APP.replace("\"main.py\"", "\"tool.zip\""),
    );
    let zip = project.path().join("app/tool.zip");
    let make = "import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as z:
    z.writestr('__main__.py', 'import inside\\n')
    z.writestr('inside.py', 'VALUE = 1\\n' * 20)";
    start(Path::new(&python()), &["-c", make, zip.to_str().unwrap()]);
    let warm = traced(&project, &[]);
    let inside = module(&warm, "inside").unwrap();
    assert_eq!(
        (&inside["loader"], &inside["group"]),
        (&"zip".into(), &"app".into())
    );
    assert!(phases(&warm, "inside").contains(&"compile".to_owned()));
    // zipimport compiles it once to find it (get_filename), and once more to load it.
    assert_eq!(inside["lines"].as_f64().unwrap() % 20.0, 0.0, "{inside}");
}

#[test]
fn a_sitecustomize_that_was_there_runs_as_before_and_is_traced() {
    let project = project("import builtins\nassert builtins.CUSTOMIZED == 1\n");
    let env = "env = { PYTHONPATH = \"{source}/site\" }\n[measure]";
    project.write("suite.toml", &EXITING_APP.replace("[measure]", env));
    project.write(
        "app/site/sitecustomize.py",
        "import builtins\nbuiltins.CUSTOMIZED = getattr(builtins, 'CUSTOMIZED', 0) + 1\n",
    );
    let warm = traced(&project, &[]);
    let found = module(&warm, "sitecustomize").unwrap();
    assert_eq!(found["file"], "site/sitecustomize.py");
}

#[test]
fn the_app_sees_no_frames_of_the_hook() {
    // Where a warning points to, and what a traceback shows.
    let project = project(
        "import warnings, traceback, sys\n\
         with warnings.catch_warnings(record=True) as caught:\n    \
             warnings.simplefilter('always')\n    import warns\n\
         assert caught[0].filename == __file__, caught[0].filename\n\
         try:\n    import breaks\nexcept ZeroDivisionError:\n    \
             shown = traceback.extract_tb(sys.exc_info()[2])\n\
         names = [frame.filename.rpartition('/')[2] for frame in shown]\n\
         assert names == ['main.py', 'breaks.py'], names\n",
    );
    project.write(
        "app/warns.py",
        "import warnings\nwarnings.warn('x', stacklevel=2)\n",
    );
    project.write("app/breaks.py", "1 / 0\n");
    for python in [python(), other_python(&project)] {
        let warm = traced_under(&project, &python, &[]);
        assert!(module(&warm, "warns").is_some());
    }
}
