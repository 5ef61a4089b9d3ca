//! `coldsnake doctor`: verdicts, held against what interpreters do.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::doctoring::{
    STRANGER, app, compile, compile_with, doctor, doctor_command, overwrite, pyc, set_mode,
    set_modified, tree, tree_json, verdicts,
};
use crate::project::{
    As, Project, end, fingerprint, is_root, make_environment, python, standard_library, version,
};

/// Imports each module that is named, and says what became of it.
const IMPORT_EACH: &str = r#"
import json, sys
external = sys.modules["_frozen_importlib_external"]
fate = []
read = external._compile_bytecode
def reading(data, *args, **keywords):
    code = read(data, *args, **keywords)
    fate.append("cached")
    return code
external._compile_bytecode = reading
compiled = external.SourceLoader.source_to_code
def compiling(self, *args, **keywords):
    fate.append("compiled")
    return compiled(self, *args, **keywords)
external.SourceLoader.source_to_code = compiling
external.SourceFileLoader.source_to_code = compiling
sys.path.insert(0, sys.argv[1])
fates = {}
for name in sys.argv[2:]:
    del fate[:]
    try:
        __import__(name)
    except BaseException as error:
        fate[:] = ["fails"]
    fates[name] = fate[-1] if fate else "apart"
print(json.dumps(fates))
"#;

/// Interpreters that can be asked here: the system's, pyenv's, and those of `scripts/pythons`.
fn interpreters() -> Vec<PathBuf> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut found: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .collect();
    let home = std::env::var_os("HOME").map_or_else(PathBuf::new, PathBuf::from);
    let unpacked = home.join(".cache/coldsnake/pythons/unpacked/usr/bin");
    found.extend((13..=15).map(|minor| unpacked.join(format!("python3.{minor}"))));
    found.retain(|path| path.is_file());
    found.sort();
    found.push(python().into());
    found.retain(|python| {
        let version = version(python.to_str().unwrap());
        let minor = version
            .strip_prefix("3.")
            .and_then(|rest| rest.split('.').next());
        minor.is_some_and(|minor| minor.parse::<u32>().is_ok_and(|minor| minor >= 9))
    });
    found
}

/// An app with a module in each state that a file can be in.
fn states(python: &Path) -> Project {
    let modules = [
        "hit",
        "absent",
        "magic",
        "flags",
        "second_flag",
        "mtime",
        "size",
        "hash_stale",
        "hash_fresh",
        "hash_unchecked",
        "truncated",
        "nonsense",
        "empty",
        "short",
        "optimized",
        "sourceless",
        "sourceless_old",
        "folder",
        "epoch",
        "future",
        "shadowed",
    ];
    let project = app(&modules);
    let path = |name: &str| project.path().join("app").join(name);
    project.write("app/package/__init__.py", "");
    project.write("app/package/inner.py", "VALUE = 1\n");
    project.write("app/spaced/module.py", "VALUE = 1\n");
    project.write("app/shadowed/__init__.py", "");
    set_modified(&path("epoch.py"), 0);
    set_modified(&path("future.py"), (1 << 32) + 5);
    // Without -f, compileall of 3.9 stumbles over times that take more than 32 bits.
    compile_with(python, &project, "app", &["-f"]);
    for module in ["hash_stale", "hash_fresh"] {
        let options = ["-f", "--invalidation-mode", "checked-hash"];
        compile_with(python, &project, &format!("app/{module}.py"), &options);
    }
    let options = ["-f", "--invalidation-mode", "unchecked-hash"];
    compile_with(python, &project, "app/hash_unchecked.py", &options);
    for module in ["hash_stale", "hash_unchecked"] {
        project.write(&format!("app/{module}.py"), "NAME = 'changed'\n");
    }
    let pyc = |module: &str| pyc(&project, module);
    fs::remove_file(pyc("absent")).unwrap();
    overwrite(&pyc("magic"), 0, &3413_u16.to_le_bytes());
    overwrite(&pyc("flags"), 4, &[4]);
    overwrite(&pyc("second_flag"), 4, &[2]);
    set_modified(&path("mtime.py"), 1_000_000_000);
    let modified = fs::metadata(path("size.py")).unwrap().modified().unwrap();
    project.write("app/size.py", "NAME = 'longer than it was'\n");
    let file = fs::OpenOptions::new().write(true).open(path("size.py"));
    file.unwrap().set_modified(modified).unwrap();
    let whole = fs::read(pyc("truncated")).unwrap();
    fs::write(pyc("truncated"), &whole[..whole.len() - 7]).unwrap();
    overwrite(&pyc("nonsense"), 16, b"\xff");
    fs::write(pyc("empty"), "").unwrap();
    fs::write(pyc("short"), &whole[..10]).unwrap();
    let plain = pyc("optimized");
    let renamed = plain.to_str().unwrap().replace(".pyc", ".opt-1.pyc");
    fs::rename(&plain, renamed).unwrap();
    fs::rename(pyc("sourceless"), path("sourceless.pyc")).unwrap();
    fs::remove_file(path("sourceless.py")).unwrap();
    overwrite(&pyc("sourceless_old"), 0, &3413_u16.to_le_bytes());
    fs::rename(pyc("sourceless_old"), path("sourceless_old.pyc")).unwrap();
    fs::remove_file(path("sourceless_old.py")).unwrap();
    let taken = pyc("folder");
    fs::remove_file(&taken).unwrap();
    fs::create_dir(&taken).unwrap();
    project
}

const EXPECTED: [(&str, &str); 26] = [
    ("hit", "hit"),
    ("absent", "absent"),
    ("magic", "bad-magic"),
    ("flags", "bad-flags"),
    ("second_flag", "hit"),
    ("mtime", "stale-mtime"),
    ("size", "stale-size"),
    ("hash_stale", "stale-hash"),
    ("hash_fresh", "hit"),
    ("hash_unchecked", "hit"),
    ("truncated", "corrupt"),
    ("nonsense", "corrupt"),
    ("empty", "bad-magic"),
    ("short", "bad-flags"),
    ("optimized", "wrong-optimization"),
    ("sourceless", "sourceless"),
    ("sourceless_old", "corrupt"),
    ("folder", "unreadable"),
    ("epoch", "hit"),
    ("future", "hit"),
    ("shadowed", "hit"),
    ("package", "hit"),
    ("package.inner", "hit"),
    ("spaced", "namespace"),
    ("spaced.module", "hit"),
    ("extension", "extension"),
];

fn fate(verdict: &str) -> &'static str {
    match verdict {
        "hit" | "sourceless" => "cached",
        "corrupt" => "fails",
        "namespace" | "extension" => "apart",
        _ => "compiled",
    }
}

#[test]
fn verdicts_are_those_of_each_interpreter_that_is_here() {
    for python in interpreters() {
        let project = states(&python);
        project.write("app/extension.so", "");
        let before = fingerprint(project.path().join("app").as_path());
        let folder = project.path().join("app");
        let folder = folder.to_str().unwrap();
        let ended = doctor(
            &project,
            &[
                "--tree",
                folder,
                "--python",
                python.to_str().unwrap(),
                "--format",
                "json",
            ],
        )
        .expect(1);
        let diagnosis: Value = serde_json::from_str(&ended.stdout).unwrap();
        let said = verdicts(&diagnosis);
        let expected: BTreeMap<String, String> = EXPECTED
            .iter()
            .map(|(name, verdict)| ((*name).to_owned(), (*verdict).to_owned()))
            .collect();
        assert_eq!(said, expected, "{}", python.display());
        assert_eq!(before, fingerprint(project.path().join("app").as_path()));

        // What the interpreter does. The extension is none that can be loaded.
        let names = said.keys().filter(|name| *name != "extension");
        let output = Command::new(&python)
            .args(["-B", "-c", IMPORT_EACH, folder])
            .args(names)
            .env_remove("PYTHONPYCACHEPREFIX")
            .env_remove("PYTHONOPTIMIZE")
            .output()
            .unwrap();
        let done: BTreeMap<String, String> = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        for (name, fated) in done {
            let verdict = &said[&name];
            assert_eq!(
                fated,
                fate(verdict),
                "{}: {name} is {verdict}",
                python.display()
            );
        }
    }
}

#[test]
fn flags_and_variables_change_verdicts_as_they_change_imports() {
    let project = states(Path::new(&python()));
    let verdict = |module: &str, options: &[&str]| {
        verdicts(&tree_json(&project, "app", options))[module].clone()
    };
    assert_eq!(verdict("optimized", &["--optimization", "1"]), "hit");
    assert_eq!(verdict("optimized", &["--env", "PYTHONOPTIMIZE=1"]), "hit");
    assert_eq!(
        verdict("hit", &["--optimization", "2"]),
        "wrong-optimization"
    );
    let always = ["--check-hash-based-pycs", "always"];
    assert_eq!(verdict("hash_unchecked", &always), "stale-hash");
    let never = ["--check-hash-based-pycs", "never"];
    assert_eq!(verdict("hash_stale", &never), "hit");
    assert_eq!(verdict("truncated", &["--headers-only"]), "hit");
    // A prefix hides all that lies beside sources.
    let prefix = project.path().join("prefix");
    let prefix = ["--prefix", prefix.to_str().unwrap()];
    assert_eq!(verdict("hit", &prefix), "absent");
    assert_eq!(verdict("sourceless", &prefix), "sourceless");
}

#[test]
fn bytecode_below_a_prefix_is_found_without_a_folder_of_its_own() {
    let project = app(&["one", "two"]);
    let prefix = project.path().join("prefix");
    let mirrored = prefix.join(project.path().join("app").strip_prefix("/").unwrap());
    compile(&project, "app", &[]);
    fs::create_dir_all(mirrored.parent().unwrap()).unwrap();
    fs::rename(project.path().join("app/__pycache__"), &mirrored).unwrap();
    let options = ["--prefix", prefix.to_str().unwrap()];
    let ended = tree(&project, "app", &options);
    let said = verdicts(&tree_json(&project, "app", &options));
    assert_eq!((&*said["one"], &*said["two"]), ("hit", "hit"), "{ended:?}");
}

#[test]
fn what_is_cached_is_told_in_one_sentence_and_what_the_next_start_writes_is_no_finding() {
    let project = app(&["one", "two"]);
    compile(&project, "app", &[]);
    let ended = tree(&project, "app", &[]).expect(0);
    assert!(
        ended.stdout.starts_with("No module of 2 is compiled"),
        "{ended:?}"
    );
    fs::remove_dir_all(project.path().join("app/__pycache__")).unwrap();
    let ended = tree(&project, "app", &[]).expect(0);
    assert!(
        ended.stdout.contains("2 have no bytecode that counts yet"),
        "{ended:?}"
    );
}

#[test]
fn every_line_fits_80_columns_but_those_to_be_copied() {
    let project = states(Path::new(&python()));
    let ended = tree(&project, "app", &["--user", STRANGER]).expect(1);
    for line in ended
        .stdout
        .lines()
        .filter(|line| !line.starts_with("         "))
    {
        assert!(line.chars().count() <= 80, "{line}");
    }
}

#[test]
fn every_module_is_listed_on_request() {
    let project = states(Path::new(&python()));
    let ended = tree(&project, "app", &["--all"]).expect(1);
    for (name, verdict) in EXPECTED.iter().filter(|(name, _)| *name != "extension") {
        let line = format!("{verdict:<18} {name}");
        assert!(
            ended.stdout.contains(&line),
            "no {line:?} in:\n{}",
            ended.stdout
        );
    }
    let short = tree(&project, "app", &[]).expect(1);
    assert!(!short.stdout.contains("Every module"));
}

#[test]
fn the_same_state_gives_the_same_bytes() {
    let project = states(Path::new(&python()));
    let first = tree(&project, "app", &["--format", "json"]);
    assert_eq!(
        first.stdout,
        tree(&project, "app", &["--format", "json"]).stdout
    );
}

#[test]
fn a_command_is_looked_at_and_not_started() {
    let project = Project::new("");
    project.write("app/main.py", "import helper\nopen('started', 'w')\n");
    compile(&project, "app", &[]);
    let script = project.path().join("app/main.py");
    let python = python();
    let args = ["--format", "json", "--", &python, script.to_str().unwrap()];
    let ended = doctor(&project, &args);
    assert!(ended.status < 2, "{ended:?}");
    let diagnosis: Value = serde_json::from_str(&ended.stdout).unwrap();
    let said = verdicts(&diagnosis);
    assert_eq!((&*said["main"], &*said["helper"]), ("main", "hit"));
    let parts: Vec<&str> = diagnosis["each"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|module| module["name"] == "json.decoder")
        .map(|module| module["part"].as_str().unwrap())
        .collect();
    assert_eq!(parts, ["stdlib"]);
    assert!(!project.path().join("started").exists());
    // `-m` reads and writes bytecode of what it runs.
    let folder = project.path().join("app");
    let mut command = doctor_command(
        &project,
        As::Me,
        &["--format", "json", "--", &python, "-m", "main"],
    );
    let ended = end(command.current_dir(&folder));
    let diagnosis: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(verdicts(&diagnosis)["main"], "hit");
}

#[test]
fn the_shells_variables_count_for_a_command() {
    let project = Project::new("");
    let script = project.path().join("app/main.py");
    let python = python();
    let args = ["--format", "json", "--", &python, script.to_str().unwrap()];
    let mut command = doctor_command(&project, As::Me, &args);
    let ended = end(command.env("PYTHONDONTWRITEBYTECODE", "1")).expect(1);
    assert!(
        ended.stdout.contains("PYTHONDONTWRITEBYTECODE=1 forbids"),
        "{ended:?}"
    );
    // A number is taken as that number.
    let mut command = doctor_command(&project, As::Me, &args);
    let ended = end(command.env("PYTHONDONTWRITEBYTECODE", "0"));
    assert!(
        !ended.stdout.contains("PYTHONDONTWRITEBYTECODE"),
        "{ended:?}"
    );
    let isolated = [
        "--format",
        "json",
        "--",
        &python,
        "-I",
        script.to_str().unwrap(),
    ];
    let mut command = doctor_command(&project, As::Me, &isolated);
    let ended = end(command.env("PYTHONDONTWRITEBYTECODE", "1"));
    assert!(
        !ended.stdout.contains("PYTHONDONTWRITEBYTECODE"),
        "{ended:?}"
    );
}

#[test]
fn the_packages_of_a_virtual_environment_are_looked_at_and_its_path_files_are_not_run() {
    let project = Project::new("");
    let python = make_environment(&project.path().join("env"));
    let packages = fs::read_dir(project.path().join("env/lib"))
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path()
        .join("site-packages");
    let folder = packages.strip_prefix(project.path()).unwrap();
    let name = |file: &str| folder.join(file).to_str().unwrap().to_owned();
    project.write(&name("installed.py"), "");
    project.write("editable/linked.py", "");
    let linked = project.path().join("editable");
    project.write(
        &name("a.pth"),
        &format!("{}\nimport os; open('ran', 'w')\n", linked.display()),
    );
    let python = python.to_str().unwrap().to_owned();
    let ended = doctor(
        &project,
        &["--format", "json", "--", &python, "app/main.py"],
    );
    let diagnosis: Value = serde_json::from_str(&ended.stdout).unwrap();
    let part = |name: &str| {
        let each = diagnosis["each"].as_array().unwrap();
        let module = each.iter().find(|module| module["name"] == name);
        module.unwrap()["part"].as_str().unwrap().to_owned()
    };
    assert_eq!(part("installed"), "site-packages");
    assert_eq!(part("linked"), "app");
    assert!(
        diagnosis["notes"]
            .to_string()
            .contains("1 lines of path files")
    );
    assert!(!project.path().join("ran").exists());
}

#[test]
fn what_was_predicted_is_what_is_observed() {
    let project = Project::new("");
    project.write(
        "app/main.py",
        "import helper, json.tool, email.mime.text, logging.handlers\n",
    );
    project.write("app/helper.py", "import other, third\nVALUE = 2\n");
    project.write("app/third.py", "VALUE = 2\n");
    compile(&project, "app", &[]);
    fs::remove_file(pyc(&project, "other")).unwrap();
    set_modified(&project.path().join("app/third.py"), 1_000_000_000);
    let before = fingerprint(project.path().join("app").as_path());
    let script = project.path().join("app/main.py");
    let script = script.to_str().unwrap();
    for python in interpreters() {
        let python = python.to_str().unwrap();
        for flags in [&[][..], &["-O"], &["-S"]] {
            let words: Vec<&str> = [
                "--observe",
                "--headers-only",
                "--format",
                "json",
                "--",
                python,
            ]
            .into_iter()
            .chain(flags.iter().copied())
            .chain([script])
            .collect();
            let ended = doctor(&project, &words);
            assert!(ended.status < 2, "{python} {flags:?}: {ended:?}");
            let diagnosis: Value = serde_json::from_str(&ended.stdout).unwrap();
            let observed = &diagnosis["observed"];
            assert_eq!(observed["differing"], Value::Array(Vec::new()), "{python}");
            assert!(observed["modules"].as_u64().unwrap() > 20, "{observed}");
        }
    }
    assert_eq!(before, fingerprint(project.path().join("app").as_path()));
}

#[test]
fn a_start_that_dies_of_a_damaged_pyc_is_predicted() {
    let project = Project::new("");
    compile(&project, "app", &[]);
    let broken = pyc(&project, "helper");
    let whole = fs::read(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let python = python();
    let ended = doctor(&project, &["--observe", "--", &python, "app/main.py"]).expect(1);
    let words: Vec<&str> = ended.stdout.split_whitespace().collect();
    let text = words.join(" ");
    assert!(text.contains("as predicted"), "{text}");
    assert!(text.contains("every start that imports it fails"), "{text}");
}

#[test]
fn a_process_that_runs_is_known_by_what_it_was_started_with() {
    let project = Project::new("");
    project.write(
        "app/main.py",
        "import helper, time\nprint('up', flush=True)\ntime.sleep(60)\n",
    );
    set_mode(&project.path().join("app"), 0o755);
    let mut command = Command::new(python());
    command
        .args(["-B", "main.py"])
        .current_dir(project.path().join("app"))
        .env_remove("PYTHONPYCACHEPREFIX")
        .env_remove("PYTHONOPTIMIZE")
        .stdout(Stdio::piped());
    if is_root() {
        command.uid(54321).gid(54321);
    }
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let pid = child.id().to_string();
    let ended = doctor(&project, &["--pid", &pid, "--format", "json"]);
    child.kill().unwrap();
    child.wait().unwrap();
    let diagnosis: Value = serde_json::from_str(&ended.expect(1).stdout).unwrap();
    let said = verdicts(&diagnosis);
    assert_eq!((&*said["main"], &*said["helper"]), ("main", "absent"));
    assert!(
        diagnosis["answer"].as_str().unwrap().contains("-B forbids"),
        "{diagnosis}"
    );
    if is_root() {
        assert_eq!(diagnosis["user"], "uid 54321");
    }
}

#[test]
fn a_process_with_mounts_of_its_own_is_seen_as_it_sees_itself() {
    let project = Project::new("");
    let inside = "import helper, time\\nprint(\\\"up\\\", flush=True)\\ntime.sleep(60)\\n";
    let script = format!(
        "mount -t tmpfs none app && cd app && printf '{inside}' > main.py && touch helper.py \
         && exec {} -B main.py",
        python()
    );
    let unshare = if is_root() {
        &["-m"][..]
    } else {
        &["-r", "-m"]
    };
    let mut child = Command::new("unshare")
        .args(unshare)
        .args(["sh", "-c", &script])
        .current_dir(project.path())
        .env_remove("PYTHONPYCACHEPREFIX")
        .env_remove("PYTHONOPTIMIZE")
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    if line.trim() != "up" {
        // There can be no namespace here.
        child.wait().unwrap();
        return;
    }
    let pid = child.id().to_string();
    let ended = doctor(&project, &["--pid", &pid, "--format", "json"]);
    child.kill().unwrap();
    child.wait().unwrap();
    let diagnosis: Value = serde_json::from_str(&ended.expect(1).stdout).unwrap();
    let said = verdicts(&diagnosis);
    assert_eq!((&*said["main"], &*said["helper"]), ("main", "absent"));
    // The app that lies there outside is another one.
    assert!(!said.contains_key("other"), "{said:?}");
    assert!(
        diagnosis["notes"].to_string().contains("mounts of its own"),
        "{diagnosis}"
    );
}

#[test]
fn what_cannot_be_looked_at_is_named_with_what_would_be_right() {
    let project = Project::new("");
    doctor(&project, &["--tree", "none"])
        .expect(2)
        .says(&["none is not a folder"]);
    doctor(&project, &["--tree", "app", "--user", "no-such-user"])
        .expect(2)
        .says(&["there is no user `no-such-user`"]);
    doctor(&project, &["--pid", "999999999"])
        .expect(2)
        .says(&["there is no process 999999999"]);
    let own = std::process::id().to_string();
    doctor(&project, &["--pid", &own])
        .expect(2)
        .says(&["which is not Python"]);
    doctor(&project, &["--unit", "none.service"])
        .expect(2)
        .says(&["cannot read the unit's file none.service"]);
    doctor(&project, &[]).expect(2);
    doctor(&project, &["--tree", "app", "--observe"])
        .expect(2)
        .says(&["cannot be used with"]);
    doctor(&project, &["--tree", "app", "--python", "/none/python3"]).expect(5);
    doctor(&project, &["--", "no-such-program"])
        .expect(5)
        .says(&["there is no program `no-such-program`"]);
}

/// A folder is looked at by the rules that an interpreter's name speaks for, until it has answered.
#[test]
fn an_interpreter_that_is_not_what_its_name_says_is_believed_and_not_its_name() {
    let project = app(&["one", "two"]);
    compile(&project, "app", &[]);
    let shown = |python: &Path| {
        let folder = project.path().join("app");
        let args = [
            "--tree",
            folder.to_str().unwrap(),
            "--python",
            python.to_str().unwrap(),
            "--format",
            "json",
        ];
        doctor(&project, &args).expect(0).stdout
    };
    let own = shown(Path::new(&python()));
    for name in ["python3.9", "python3.12", "python3.15", "python"] {
        let shim = project.path().join("bin").join(name);
        project.write(
            &format!("bin/{name}"),
            &format!("#!/bin/sh\nexec {} \"$@\"\n", python()),
        );
        set_mode(&shim, 0o755);
        assert_eq!(shown(&shim), own, "{name}");
    }
}

/// Which modules are in the interpreter's own program is known to it alone.
#[test]
fn what_is_frozen_is_so_in_the_standard_librarys_own_folder() {
    let python = python();
    let is_older = ["3.9.", "3.10."]
        .iter()
        .any(|older| version(&python).starts_with(older));
    if is_older {
        return;
    }
    let project = Project::new("");
    let library = standard_library(&python);
    let above = library.parent().unwrap();
    for folder in [library.as_path(), above] {
        let diagnosis = tree_json(&project, folder.to_str().unwrap(), &["--headers-only"]);
        let frozen = diagnosis["verdicts"]["frozen"].as_u64().unwrap();
        assert!(frozen > 0, "{}", folder.display());
    }
}

#[test]
fn sources_in_an_archive_on_the_path_are_said_to_be_compiled_at_every_start() {
    let project = app(&["one"]);
    let pack = |bytecode: &str| {
        let script = format!(
            "import compileall, os, zipfile\nopen('packed.py', 'w').close()\nopen('other.py', 'w').close()\n\
             {bytecode}\n\
             with zipfile.ZipFile('lib.zip', 'w') as archive:\n    \
             [archive.write(name) for name in os.listdir() if name.startswith(('packed', 'other'))]\n"
        );
        let folder = project.path().join("lib");
        fs::create_dir_all(&folder).unwrap();
        let status = std::process::Command::new(python())
            .args(["-c", &script])
            .current_dir(&folder)
            .status();
        assert!(status.unwrap().success());
    };
    let said = || {
        let path = format!(
            "PYTHONPATH={}",
            project.path().join("lib/lib.zip").display()
        );
        let python = python();
        let args = [
            "--env",
            &path,
            "--format",
            "json",
            "--",
            &python,
            "app/main.py",
        ];
        let ended = doctor(&project, &args);
        let diagnosis: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        diagnosis["notes"].to_string()
    };
    pack("compileall.compile_file('packed.py', quiet=1, legacy=True)");
    let notes = said();
    assert!(notes.contains("1 of 2 modules in"), "{notes}");
    assert!(notes.contains("none is written into an archive"), "{notes}");
    pack("compileall.compile_file('other.py', quiet=1, legacy=True)");
    let notes = said();
    assert!(!notes.contains("archive"), "{notes}");
}
