//! A command in place of a suite: `run -- CMD` and `init -- CMD`.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use toml::Table;

use crate::project::{As, Ended, Project, end, fate, fingerprint, python, site_packages};

pub fn project() -> Project {
    Project::new("")
}

/// The program, to be run in a folder of the project.
pub fn command(project: &Project, folder: &str, args: &[&str]) -> Command {
    let mut command = project.command(As::Me, args);
    command.current_dir(project.path().join(folder));
    command
}

/// What `init -o - -- WORDS` prints, read.
#[track_caller]
pub fn inferred_in(project: &Project, folder: &str, words: &[&str]) -> Table {
    let args = [&["init", "-o", "-", "--"], words].concat();
    parsed(end(&mut command(project, folder, &args)))
}

#[track_caller]
fn parsed(ended: Ended) -> Table {
    let suite: Table = ended.expect(0).stdout.parse().unwrap();
    suite["app"].as_table().unwrap().clone()
}

#[track_caller]
pub fn inferred(project: &Project, words: &[&str]) -> Table {
    inferred_in(project, "app", words)
}

pub fn words(app: &Table) -> Vec<&str> {
    let words = app["command"].as_array().unwrap();
    words.iter().map(|word| word.as_str().unwrap()).collect()
}

/// Measures a command for one block into the project's `out`.
pub fn measure(project: &Project, folder: &str, words: &[&str]) -> Ended {
    let out = project.path().join("out");
    let options = ["--quiet", "--seed", "1", "--blocks", "1", "--out"];
    let args = [
        &["run"],
        &options[..],
        &[out.to_str().unwrap(), "--"],
        words,
    ]
    .concat();
    end(&mut command(project, folder, &args))
}

/// A virtual environment as venv makes them, without pip.
fn venv(project: &Project) -> PathBuf {
    let folder = project.path().join("venv");
    let home = fs::canonicalize(python()).unwrap();
    let name = home.file_name().unwrap().to_str().unwrap();
    for part in ["bin", &format!("lib/{name}/site-packages")] {
        fs::create_dir_all(folder.join(part)).unwrap();
    }
    let home_folder = home.parent().unwrap().display();
    fs::write(
        folder.join("pyvenv.cfg"),
        format!("home = {home_folder}\ninclude-system-site-packages = false\n"),
    )
    .unwrap();
    symlink(&home, folder.join("bin/python")).unwrap();
    folder
}

/// A command of a virtual environment.
fn install(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_script_is_measured_under_the_standard_scenarios() {
    let project = project();
    let before = fingerprint(&project.path().join("app"));
    measure(&project, "app", &[&python(), "main.py"]).expect(0);
    assert_eq!(before, fingerprint(&project.path().join("app")));
    assert_eq!(fate(&project.receipt("warm"), "helper"), "read");
    let compiled = fate(&project.receipt("app-cold"), "helper");
    assert!(compiled.starts_with("compiled E"), "{compiled}");
    for scenario in ["as-found", "cold", "prefix-first", "prefix-warm"] {
        project.receipt(scenario);
    }
    // The record says where the app lies, wherever it is read.
    let suite: Table = project.record()[0]["suite"]["text"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    let app = fs::canonicalize(project.path().join("app")).unwrap();
    assert_eq!(suite["app"]["source"].as_str(), app.to_str());
    let header = &project.record()[0];
    let origin = header["suite"]["origin"].as_str().unwrap();
    assert_eq!(origin, format!("{} main.py (inferred)", python()));
    project.expect_no_stage();
}

#[test]
fn a_module_is_measured_and_its_folder_is_found() {
    let project = project();
    project.write("app/tool/__init__.py", "");
    project.write(
        "app/tool/__main__.py",
        "import sys, helper\nassert sys.argv[1:] == ['--flag']\n",
    );
    let python = python();
    let command = [python.as_str(), "-m", "tool", "--flag"];
    let app = inferred(&project, &command);
    assert_eq!(app["name"].as_str(), Some("tool"));
    assert_eq!(app["source"].as_str(), Some("."));
    assert_eq!(words(&app), ["{python}", "-m", "tool", "--flag"]);
    assert!(app.get("ready").is_none() && app.get("directory").is_none());
    measure(&project, "app", &command).expect(0);
}

#[test]
fn a_script_of_a_virtual_environment_is_started_with_its_interpreter() {
    let project = project();
    let venv = venv(&project);
    let tool = venv.join("bin/tool");
    let interpreter = venv.join("bin/python").display().to_string();
    let text = format!("#!{interpreter} -s\nimport packaged\n");
    install(&tool, &text);
    fs::write(site_packages(&venv).join("packaged.py"), "").unwrap();
    let app = inferred(&project, &["../venv/bin/tool", "--version"]);
    assert_eq!(app["python"].as_str(), Some(interpreter.as_str()));
    let path = tool.to_str().unwrap();
    assert_eq!(words(&app), ["{python}", "-s", path, "--version"]);
    assert!(app.get("source").is_none(), "{app}");

    let before = fingerprint(&venv);
    measure(&project, "app", &["../venv/bin/tool"]).expect(0);
    assert_eq!(before, fingerprint(&venv));
    let cold = fate(&project.receipt("cold"), "packaged");
    assert!(cold.starts_with("compiled"), "{cold}");
}

/// Doctor, in the same shell, would say that nothing is ever written.
#[test]
fn what_the_shell_says_of_bytecode_is_told_to_be_left_out() {
    let project = project();
    let python = "/usr/bin/python3";
    let told = |args: &[&str]| {
        let words = ["init", "-o", "-"];
        let command_line = [&words, args, &["--", python, "main.py"]].concat();
        let mut init = command(&project, "app", &command_line);
        init.env("PYTHONDONTWRITEBYTECODE", "1");
        end(&mut init).expect(0).stderr
    };
    let notice = "PYTHONDONTWRITEBYTECODE is set in this shell, and the app does not get it";
    assert!(told(&[]).contains(notice));
    assert!(!told(&["--pass-env", "PYTHONDONTWRITEBYTECODE"]).contains(notice));
}

#[test]
fn the_form_of_scripts_with_a_long_path_is_looked_through() {
    let project = project();
    let venv = venv(&project);
    let interpreter = venv.join("bin/python").display().to_string();
    let text = format!("#!/bin/sh\n'''exec' \"{interpreter}\" \"$0\" \"$@\"\n' '''\nimport sys\n");
    install(&venv.join("bin/tool"), &text);
    let path = venv.join("bin").display().to_string();
    let mut init = command(&project, "app", &["init", "-o", "-", "--", "tool"]);
    init.env("PATH", format!("{path}:/usr/bin:/bin"));
    let app = parsed(end(&mut init));
    assert_eq!(app["python"].as_str(), Some(interpreter.as_str()));
    assert_eq!(words(&app), ["{python}", &format!("{path}/tool")]);
}

#[test]
fn the_source_of_an_editable_installation_is_the_apps_own() {
    let project = project();
    let venv = venv(&project);
    let source = project.path().join("src").display().to_string();
    project.write("src/shop/__init__.py", "from shop import cart\n");
    project.write("src/shop/cart.py", "");
    fs::write(site_packages(&venv).join("shop.pth"), &source).unwrap();
    let text = format!("#!{}/bin/python\nimport shop\n", venv.display());
    install(&venv.join("bin/shop"), &text);
    let app = inferred(&project, &["../venv/bin/shop"]);
    assert_eq!(app["source"].as_str(), Some(source.as_str()));
    measure(&project, "app", &["../venv/bin/shop"]).expect(0);
    let cold = fate(&project.receipt("app-cold"), "shop.cart");
    assert!(cold.starts_with("compiled"), "{cold}");
}

#[test]
fn paths_relative_to_the_current_folder_are_found_in_the_copy() {
    let project = project();
    project.write(
        "work/src/start.py",
        "import sys, part\nopen(sys.argv[1]).close()\n",
    );
    project.write("work/src/part.py", "");
    project.write("work/settings.ini", "");
    let python = python();
    let command = [python.as_str(), "src/start.py", "settings.ini"];
    let app = inferred_in(&project, "work", &command);
    assert_eq!(app["source"].as_str(), Some("."));
    measure(&project, "work", &command).expect(0);
}

#[test]
fn a_folder_with_the_virtual_environment_in_it_is_not_taken_whole() {
    let project = project();
    venv(&project);
    let command = ["venv/bin/python", "app/main.py"];
    let app = inferred_in(&project, ".", &command);
    assert_eq!(app["source"].as_str(), Some("./app"));
    assert_eq!(app["directory"].as_str(), Some("."));
    assert_eq!(words(&app), ["{python}", "app/main.py"]);
}

#[test]
fn absolute_paths_lead_into_the_copy() {
    let project = project();
    let script = project.path().join("app/main.py").display().to_string();
    project.write("elsewhere/x", "");
    let app = inferred_in(&project, "elsewhere", &[&python(), &script]);
    assert_eq!(words(&app), ["{python}", "{source}/main.py"]);
    let source = project.path().join("app").display().to_string();
    assert_eq!(app["source"].as_str(), Some(source.as_str()));
    assert_eq!(app["directory"].as_str(), Some("."));
    measure(&project, "elsewhere", &[&python(), &script]).expect(0);
}

#[test]
fn a_shim_of_pyenv_is_looked_through() {
    let project = project();
    let venv = venv(&project);
    let tool = venv.join("bin/tool").display().to_string();
    install(
        Path::new(&tool),
        &format!("#!{}/bin/python\nimport sys\n", venv.display()),
    );
    let root = project.path().display();
    project.write("pyenv/libexec/pyenv", "");
    install(
        &project.path().join("pyenv/libexec/pyenv"),
        &format!("#!/bin/sh\n[ \"$1 $2\" = \"which tool\" ] && echo {tool}\n"),
    );
    project.write("pyenv/shims/tool", "");
    install(
        &project.path().join("pyenv/shims/tool"),
        &format!(
            "#!/usr/bin/env bash\nexec \"{root}/pyenv/libexec/pyenv\" exec \"$program\" \"$@\"\n"
        ),
    );
    let app = inferred(&project, &["../pyenv/shims/tool"]);
    assert_eq!(words(&app), ["{python}", &tool]);
}

#[test]
fn an_ordinary_user_can_measure_a_command_in_a_copy_too() {
    let project = project();
    project.give_to(As::Ordinary);
    for stage in ["auto", "copy"] {
        let out = project.path().join(stage).display().to_string();
        let python = python();
        let args = [
            "run",
            "--quiet",
            "--blocks",
            "1",
            "--stage",
            stage,
            "--out",
            &out,
            "--only",
            "warm,app-cold",
            "--",
            &python,
            "main.py",
        ];
        let mut run = project.command(As::Ordinary, &args);
        end(run.current_dir(project.path().join("app"))).expect(0);
    }
}

#[test]
fn variables_are_passed_where_they_are_needed() {
    let project = project();
    project.write("library/books.py", "");
    project.write(
        "app/reader.py",
        "import os, books\nassert os.environ['A'] + os.environ['B'] + os.environ['C'] == 'abc'\n\
         assert 'D' not in os.environ\n",
    );
    let python = python();
    let args = [
        "init",
        "-o",
        "-",
        "--env",
        "A=a",
        "--pass-env",
        "B",
        "--",
        "env",
        "C=c",
        &python,
        "reader.py",
    ];
    let mut init = command(&project, "app", &args);
    init.envs([("B", "b"), ("D", "d"), ("PYTHONPATH", "../library")]);
    let app = parsed(end(&mut init));
    let env = app["env"].as_table().unwrap();
    assert_eq!(env["A"].as_str(), Some("a"));
    assert_eq!(env["B"].as_str(), Some("b"));
    assert_eq!(env["C"].as_str(), Some("c"));
    let library = project.path().join("library").display().to_string();
    assert_eq!(env["PYTHONPATH"].as_str(), Some(library.as_str()));
    let sources = app["source"].as_array().unwrap();
    assert_eq!(sources[0].as_str(), Some("."));
    assert_eq!(sources[1].as_str(), Some(library.as_str()));

    let mut unused = command(
        &project,
        "app",
        &["init", "-o", "-", "--", &python, "main.py"],
    );
    unused.env("PYTHONPATH", "../library");
    assert!(parsed(end(&mut unused)).get("env").is_none());
}

#[test]
fn what_a_command_says_of_bytecode_is_left_to_the_scenarios() {
    let project = project();
    let python = python();
    let mut run = command(
        &project,
        "app",
        &[
            "run",
            "--seed",
            "1",
            "--blocks",
            "1",
            "--only",
            "warm,app-cold,prefix-first",
            "--out",
            "../out",
            "--",
            "env",
            "PYTHONPYCACHEPREFIX=/nowhere",
            &python,
            "-OB",
            "main.py",
        ],
    );
    end(&mut run)
        .expect(0)
        .says(&["left out: -B, PYTHONPYCACHEPREFIX=/nowhere, as each scenario"]);
    assert_eq!(fate(&project.receipt("warm"), "helper"), "read");
    let cold = fate(&project.receipt("app-cold"), "helper");
    assert!(cold.starts_with("compiled E"), "{cold}");
    let first = fate(&project.receipt("prefix-first"), "helper");
    assert!(first.starts_with("compiled"), "{first}");
    let text = project.record()[0]["suite"]["text"].to_string();
    assert!(text.contains(r#"flags = [\"-O\"]"#), "{text}");
}

#[test]
fn a_command_that_fails_by_itself_is_not_measured() {
    let project = project();
    project.write("app/broken.py", "raise SystemExit('no database')\n");
    measure(&project, "app", &[&python(), "broken.py"])
        .expect(5)
        .says(&[
            "does not work by itself",
            "exit status 1",
            "no database",
            "--pass-env",
        ]);
    assert!(!project.path().join("out").exists());
}

#[test]
fn what_is_no_python_program_is_refused() {
    let project = project();
    measure(&project, "app", &["ls"])
        .expect(2)
        .says(&["only Python programs can be measured"]);
    install(&project.path().join("app/shell"), "#!/bin/sh\n");
    measure(&project, "app", &["./shell"])
        .expect(2)
        .says(&["a script for /bin/sh"]);
    measure(&project, "app", &["no-such-program"])
        .expect(5)
        .says(&["there is no program `no-such-program`"]);
    measure(&project, "app", &[&python(), "-I", "-c", "pass"])
        .expect(2)
        .says(&["-I, -E, -S"]);
    project
        .run(&["run", "suite.toml", "--", &python(), "app/main.py"])
        .expect(2);
    project.run(&["run", "--env", "A=b"]).expect(2);
}

#[test]
fn init_writes_a_suite_that_run_accepts_and_never_overwrites_one() {
    let project = project();
    let python = python();
    let init = ["init", "--", python.as_str(), "main.py"];
    end(&mut command(&project, "app", &init))
        .expect(0)
        .says(&["wrote coldsnake.toml"]);
    let file = project.path().join("app/coldsnake.toml");
    let text = fs::read_to_string(&file).unwrap();
    end(&mut command(&project, "app", &init))
        .expect(2)
        .says(&["coldsnake.toml is there already"]);
    let braces = ["init", "-o", "other.toml", "--", &python, "-c", "'{x}'"];
    end(&mut command(&project, "app", &braces))
        .expect(2)
        .says(&["there is no placeholder {x}"]);
    assert!(!project.path().join("app/other.toml").exists());
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    project
        .run(&[
            "run",
            "app/coldsnake.toml",
            "--quiet",
            "--blocks",
            "1",
            "--out",
            "out",
            "--only",
            "warm,cold",
        ])
        .expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
    assert_eq!(fate(&project.receipt("warm"), "helper"), "read");
}

#[test]
fn a_temporary_folder_inside_the_source_is_told_with_what_to_do() {
    let project = project();
    let inside = project.path().join("app/tmp");
    fs::create_dir(&inside).unwrap();
    let python = python();
    for stage in ["auto", "copy"] {
        let args = [
            "run", "--quiet", "--blocks", "1", "--stage", stage, "--out", "../out", "--", &python,
            "main.py",
        ];
        let mut command = command(&project, "app", &args);
        end(command.env("TMPDIR", &inside)).expect(2).says(&[
            "app/tmp lies inside the app's source",
            "name a folder outside of it with TMPDIR",
        ]);
        assert_eq!(fs::read_dir(&inside).unwrap().count(), 0);
    }
}
