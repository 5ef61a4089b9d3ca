//! What the tests of `coldsnake doctor` share: apps in all states, and the diagnosis, read.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::project::{As, Ended, Project, end, python, start};

/// A user without an account, who owns nothing.
pub const STRANGER: &str = "54322";

/// Runs the doctor with none of what a shell may set about bytecode.
pub fn doctor(project: &Project, args: &[&str]) -> Ended {
    end(&mut doctor_command(project, As::Me, args))
}

/// The command of [`doctor`].
pub fn doctor_command(project: &Project, who: As, args: &[&str]) -> Command {
    let usual: Vec<&str> = std::iter::once("doctor")
        .chain(args.iter().copied())
        .collect();
    let mut command = project.command(who, &usual);
    for name in [
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONPYCACHEPREFIX",
        "PYTHONOPTIMIZE",
        "PYTHONPATH",
    ] {
        command.env_remove(name);
    }
    command
}

/// The doctor's word on a folder of the project, for these options.
pub fn tree(project: &Project, folder: &str, options: &[&str]) -> Ended {
    let folder = project.path().join(folder);
    let python = python();
    let usual = ["--tree", folder.to_str().unwrap(), "--python", &python];
    doctor(project, &[&usual, options].concat())
}

/// The same as JSON.
pub fn tree_json(project: &Project, folder: &str, options: &[&str]) -> Value {
    let ended = tree(project, folder, &[options, &["--format", "json"]].concat());
    assert!(ended.status < 2, "{ended:?}");
    serde_json::from_str(&ended.stdout).unwrap()
}

/// The verdicts on modules, by their names.
pub fn verdicts(diagnosis: &Value) -> BTreeMap<String, String> {
    let each = diagnosis["each"].as_array().unwrap();
    each.iter()
        .map(|module| {
            let text = |key: &str| module[key].as_str().unwrap().to_owned();
            (text("name"), text("verdict"))
        })
        .collect()
}

/// The finding of a cause; of several, the one that is about the app itself.
#[track_caller]
pub fn finding<'a>(diagnosis: &'a Value, cause: &str) -> &'a Value {
    let findings = diagnosis["findings"].as_array().unwrap();
    let of_cause = || findings.iter().filter(|finding| finding["cause"] == cause);
    let mut of_app = of_cause().filter(|finding| finding["parts"]["app"].is_u64());
    let found = of_app.next();
    assert!(of_app.next().is_none(), "{findings:#?}");
    found
        .or_else(|| of_cause().next())
        .unwrap_or_else(|| panic!("no {cause} in {findings:#?}"))
}

/// All lines of the fixes that work, or that do not, with what they are called.
pub fn fixes(finding: &Value, works: bool) -> String {
    let fixes = finding["fixes"].as_array().unwrap();
    let fixes = fixes.iter().filter(|fix| fix["works"] == works);
    let text = |fix: &Value| {
        let lines = fix["lines"].as_array().unwrap().iter();
        let lines: Vec<&str> = lines.map(|line| line.as_str().unwrap()).collect();
        format!(
            "{} ({})\n{}\n",
            fix["what"].as_str().unwrap(),
            fix["because"].as_str().unwrap_or_default(),
            lines.join("\n")
        )
    };
    fixes.map(text).collect()
}

/// The evidence of a finding, as one text.
pub fn evidence(finding: &Value) -> String {
    let sentences = finding["evidence"].as_array().unwrap().iter();
    let sentences: Vec<&str> = sentences.map(|s| s.as_str().unwrap()).collect();
    sentences.join("\n")
}

/// A project with an app of these modules, whose folder nobody but its owner may write.
pub fn app(modules: &[&str]) -> Project {
    let project = Project::new("");
    fs::remove_dir_all(project.path().join("app")).unwrap();
    for module in modules {
        project.write(&format!("app/{module}.py"), &format!("NAME = {module:?}\n"));
    }
    set_mode(&project.path().join("app"), 0o755);
    project
}

/// Compiles a folder or a file of the project with these options of compileall.
pub fn compile(project: &Project, path: &str, options: &[&str]) {
    compile_with(Path::new(&python()), project, path, options);
}

pub fn compile_with(python: &Path, project: &Project, path: &str, options: &[&str]) {
    let path = project.path().join(path);
    let usual = ["-m", "compileall", "-q"];
    start(
        python,
        &[&usual, options, &[path.to_str().unwrap()]].concat(),
    );
}

/// The pyc of a module of the app, for the usual interpreter.
pub fn pyc(project: &Project, module: &str) -> PathBuf {
    let folder = project.path().join("app/__pycache__");
    let start = format!("{module}.cpython-");
    let mut found: Vec<PathBuf> = fs::read_dir(&folder)
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().and_then(OsStr::to_str);
            name.is_some_and(|name| name.starts_with(&start))
        })
        .collect();
    found.sort();
    found.into_iter().next().unwrap()
}

pub fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// Sets the time of modification of a file, in seconds since 1970.
pub fn set_modified(path: &Path, seconds: u64) {
    let time = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.set_modified(time).unwrap();
}

/// Changes bytes of a file in place.
pub fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let mut content = fs::read(path).unwrap();
    content[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(path, content).unwrap();
}
