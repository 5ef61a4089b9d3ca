//! A process that runs: what it was started with, and what it sees.
//!
//! All of it comes from /proc (proc_pid_environ(5), proc_pid_root(5)). A process in another mount
//! namespace, such as a container's, has files of its own: they are looked at through
//! `/proc/PID/root`, and its interpreter is not started, but known by its name.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use procfs::process::Process;

use super::app::App;
use super::error::DoctorError;
use super::mounts::Mounts;
use super::places::Places;
use super::rights::Rights;
use super::rules::Bodies;
use super::subject::{Interpreter, Subject};
use super::view::View;
use crate::python::environment::CallerEnvironment;
use crate::python::shebang::is_interpreter_name;
use crate::python::{Python, find_in};
use crate::suite::Invocation;

/// Command lines and environments are not longer (the kernel's limit is 6 MiB).
const LONGEST: u64 = 8 << 20;

/// What a running process amounts to.
///
/// # Errors
/// When there is none, it is another user's, or it is not Python.
pub fn process(
    pid: i32,
    bodies: Bodies,
    caller: &CallerEnvironment,
) -> Result<Subject, DoctorError> {
    let process = Process::new(pid).map_err(|_| DoctorError::NoProcess(pid))?;
    let failed = |error: &dyn std::fmt::Display| DoctorError::Process {
        pid,
        reason: error.to_string(),
    };
    let exe = process.exe().map_err(|error| failed(&error))?;
    let status = process.status().map_err(|error| failed(&error))?;
    let directory = process.cwd().map_err(|error| failed(&error))?;
    let words = blocks(pid, "cmdline").map_err(|error| failed(&error))?;
    let env: BTreeMap<String, String> = blocks(pid, "environ")
        .map_err(|error| failed(&error))?
        .iter()
        .filter_map(|block| block.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    if !exe.file_name().is_some_and(is_interpreter_name) {
        return Err(DoctorError::NotPython { pid, program: exe });
    }
    let root = PathBuf::from(format!("/proc/{pid}/root"));
    let is_apart = link(&format!("/proc/{pid}/ns/mnt")) != link("/proc/self/ns/mnt")
        || fs::read_link(&root).is_ok_and(|root| root != Path::new("/"));
    let view = if is_apart {
        View::of_process(&root)
    } else {
        View::default()
    };
    let named = named(words.first(), &directory, &env, &view).unwrap_or_else(|| exe.clone());
    let mut notes = Vec::new();
    let (interpreter, places) = if is_apart {
        let minor = minor_of(&exe).ok_or_else(|| DoctorError::NotPython {
            pid,
            program: exe.clone(),
        })?;
        let places = Places::usual(&named, minor, &view);
        let stdlib = places.stdlib.first().cloned().unwrap_or_default();
        notes.push(
            "the process has mounts of its own: its interpreter was not asked, but is known by its \
             name, and its folders are the usual ones"
                .to_owned(),
        );
        let known = Interpreter::known(&named, minor, &stdlib);
        let known = known.ok_or(DoctorError::NotPython { pid, program: exe })?;
        (known, places)
    } else {
        let python = Python::find(Some(&named), caller)?;
        let home = env.get("HOME").map(OsStr::new);
        let places = Places::ask(&python, home, caller)?;
        (Interpreter::asked(&python), places)
    };
    let groups = status.groups.iter().copied().chain([status.egid]);
    let app = App {
        name: format!("process {pid}"),
        interpreter,
        places,
        invocation: Invocation::of(words.get(1..).unwrap_or_default()),
        env,
        directory,
        sources: Vec::new(),
        rights: Rights::of_ids(status.euid, groups.collect()),
        view,
        mounts: Mounts::of(&process),
        sandbox: None,
        service: None,
        bodies,
        notes,
    };
    Ok(app.subject())
}

/// The interpreter by the name that it was started with: the link in a virtual environment is what
/// makes it one.
fn named(
    word: Option<&String>,
    directory: &Path,
    env: &BTreeMap<String, String>,
    view: &View,
) -> Option<PathBuf> {
    let word = word.filter(|word| Path::new(word).file_name().is_some_and(is_interpreter_name))?;
    if word.contains('/') {
        let path = directory.join(word);
        return view.here(&path).exists().then_some(path);
    }
    let path = env.get("PATH")?;
    find_in(OsStr::new(path), OsStr::new(word))
}

/// 11 of `python3.11`.
fn minor_of(executable: &Path) -> Option<u32> {
    let name = executable.file_name()?.to_str()?;
    let rest = name.strip_prefix("python3.")?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The texts of a file in /proc that are divided by NUL bytes. What is not UTF-8 is left out of
/// names and values alike, as nothing that is looked for is.
fn blocks(pid: i32, name: &str) -> std::io::Result<Vec<String>> {
    use std::io::Read;

    let mut bytes = Vec::new();
    fs::File::open(format!("/proc/{pid}/{name}"))?
        .take(LONGEST)
        .read_to_end(&mut bytes)?;
    Ok(bytes
        .split(|&byte| byte == 0)
        .map(|block| OsString::from_vec(block.to_vec()))
        .map(|block| block.to_string_lossy().into_owned())
        .filter(|block| !block.is_empty())
        .collect())
}

fn link(path: &str) -> Option<PathBuf> {
    fs::read_link(path).ok()
}
