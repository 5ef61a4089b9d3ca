//! The one launch that finds out what a command loads, and whether it ends or serves.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::command::Resolved;
use super::{InferError, Request};
use crate::launch::{Failure, GRACE, Launcher, Service, Spec, Until, User, ports};
use crate::python::environment::CallerEnvironment;
use crate::suite::text::{PORT, shell};

/// The hook's text; it lies in a temporary folder as `sitecustomize.py`.
const HOOK: &str = include_str!("hook.py");

/// What was seen of a command.
#[derive(Debug)]
pub struct Observed {
    /// The files that code was loaded from, in order.
    pub files: Vec<PathBuf>,
    /// What stood on `sys.path`.
    pub entries: BTreeSet<PathBuf>,
    /// How it serves; `None` if it ended.
    pub service: Option<Service>,
    /// Until it ended or served.
    pub took: Duration,
}

/// Launches the command where it is, as the scenarios will: with the variables that are on the
/// allow-list, and another home. It writes no bytecode.
///
/// # Errors
/// When it does not work by itself, or neither ends nor serves.
pub fn observe(
    request: &Request<'_>,
    resolved: &Resolved,
    env: &BTreeMap<String, (String, &'static str)>,
    user_base: &Path,
    caller: &CallerEnvironment,
    launcher: &mut dyn Launcher,
) -> Result<Observed, InferError> {
    let room = tempfile::Builder::new()
        .prefix("coldsnake-observe-")
        .tempdir()?;
    let [hook, home, tmp] = ["hook", "home", "tmp"].map(|name| room.path().join(name));
    for folder in [&hook, &home, &tmp] {
        fs::create_dir(folder)?;
    }
    fs::write(hook.join("sitecustomize.py"), HOOK)?;
    let report = room.path().join("report");
    fs::write(&report, "")?;

    let port = ports::pick()?.to_string();
    let filled = |text: &str| OsString::from(text.replace(PORT, &port));
    let mut all: BTreeMap<OsString, OsString> = caller.passed.iter().cloned().collect();
    // Packages of the user's own are found below a home that the launch does not have.
    all.insert("PYTHONUSERBASE".into(), user_base.into());
    let given = env
        .iter()
        .map(|(name, (value, _))| (name.into(), filled(value)));
    all.extend(given);
    let mut python_path = OsString::from(&hook);
    if let Some(theirs) = all.get(OsStr::new("PYTHONPATH")) {
        python_path.push(":");
        python_path.push(theirs);
    }
    for (name, value) in [
        ("HOME", home.into_os_string()),
        ("TMPDIR", tmp.into_os_string()),
        ("PYTHONPATH", python_path),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ("COLDSNAKE_INFERENCE", report.clone().into_os_string()),
    ] {
        all.insert(name.into(), value);
    }
    let command = shell(request.words);
    let launched = launcher.launch(&Spec {
        program: resolved.python.executable.clone(),
        args: resolved.words[1..]
            .iter()
            .map(|word| filled(word))
            .collect(),
        env: all.into_iter().collect(),
        folder: request.directory.clone(),
        user: User::Current,
        group: None,
        until: Until::ExitOrService,
        timeout: request.timeout,
        grace: GRACE,
    })?;
    match launched.outcome {
        Ok(()) => {}
        Err(failure @ Failure::TimedOut { .. }) => {
            return Err(InferError::Undecided { command, failure });
        }
        Err(failure) => return Err(InferError::Failed { command, failure }),
    }
    let mut observed = Observed {
        files: Vec::new(),
        entries: BTreeSet::new(),
        service: launched.service,
        took: launched.times.ready.unwrap_or(launched.times.wall),
    };
    let bytes = fs::read(&report)?;
    if bytes.is_empty() {
        return Err(InferError::NoHook { command });
    }
    for line in bytes.split(|&byte| byte == b'\n') {
        let path = |bytes| PathBuf::from(OsStr::from_bytes(bytes));
        if let Some(bytes) = line.strip_prefix(b"file\t") {
            observed.files.extend(existing(path(bytes)));
        } else if let Some(bytes) = line.strip_prefix(b"path\t") {
            observed.entries.insert(path(bytes));
        }
    }
    Ok(observed)
}

/// The file itself, or the archive that it is in.
fn existing(file: PathBuf) -> Option<PathBuf> {
    file.ancestors()
        .find(|path| path.exists())
        .filter(|path| path.is_file())
        .map(PathBuf::from)
}
