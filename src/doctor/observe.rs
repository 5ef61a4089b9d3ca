//! The app launched once, to hold what was predicted against what the interpreter does.
//!
//! The hook is the one of receipts (`src/stage/hook.py`). The launch writes no bytecode, so that it
//! changes nothing: what is compared is which modules' bytecode is read, which are compiled, and which
//! fail.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::audit::Audit;
use super::error::DoctorError;
use super::files::Desk;
use super::look::Folder;
use super::places::on_path;
use super::subject::Subject;
use super::verdict::{Fate, Verdict};
use crate::launch::{GRACE, Launcher, Spec, Until, User};
use crate::python::Part;
use crate::stage::witness;

/// A command that is launched to be observed.
#[derive(Debug, Clone)]
pub struct Command {
    pub program: PathBuf,
    pub args: Vec<String>,
    pub env: BTreeMap<String, String>,
    pub directory: PathBuf,
    pub user: User,
}

/// What became of the modules that were loaded, beside what was predicted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    pub modules: usize,
    /// A sentence on each that was predicted otherwise.
    pub differing: Vec<String>,
}

/// What the hook saw of a module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Read,
    Compiled,
    Broken,
}

impl Comparison {
    /// The result in sentences.
    pub fn sentences(&self) -> Vec<String> {
        let count = self.modules;
        if self.differing.is_empty() {
            return vec![format!(
                "{count} modules were loaded, and each was cached or compiled as predicted."
            )];
        }
        let mut sentences = vec![format!(
            "{count} modules were loaded, and {} otherwise than predicted:",
            self.differing.len()
        )];
        sentences.extend(self.differing.iter().cloned());
        sentences
    }
}

/// Launches a command, and compares.
///
/// # Errors
/// When it does not work by itself, or its interpreter does not load the hook.
pub fn observe(
    subject: &Subject,
    audit: &Audit,
    command: &Command,
    timeout: Duration,
    launcher: &mut dyn Launcher,
) -> Result<Comparison, DoctorError> {
    let room = tempfile::Builder::new()
        .prefix("coldsnake-doctor-")
        .tempdir()?;
    open_to_all(room.path())?;
    let hook = room.path().join("hook");
    fs::create_dir(&hook)?;
    open_to_all(&hook)?;
    let hook_file = hook.join("sitecustomize.py");
    fs::write(&hook_file, witness::HOOK)?;
    let report = room.path().join("report");
    fs::write(&report, "")?;
    fs::set_permissions(&report, fs::Permissions::from_mode(0o666))?;

    let spec = spec(command, &hook, &hook_file, &report, timeout);
    let launched = launcher.launch(&spec)?;
    let text = fs::read(&report)?;
    let seen = parse(&String::from_utf8_lossy(&text));
    let is_broken = seen.iter().any(|(_, _, seen)| *seen == Seen::Broken);
    if let Err(failure) = launched.outcome
        && !is_broken
    {
        return Err(DoctorError::Failed {
            subject: subject.name.clone(),
            failure,
        });
    }
    if text.is_empty() {
        return Err(DoctorError::NoHook {
            subject: subject.name.clone(),
            reason: "its interpreter did not load the hook".to_owned(),
        });
    }
    Ok(compare(subject, audit, &seen))
}

fn spec(command: &Command, hook: &Path, file: &Path, report: &Path, timeout: Duration) -> Spec {
    let mut env: BTreeMap<OsString, OsString> = command
        .env
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let mut python_path = OsString::from(hook);
    if let Some(theirs) = env.get(OsStr::new("PYTHONPATH")) {
        python_path.push(":");
        python_path.push(theirs);
    }
    let spawned = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    for (name, value) in [
        ("PYTHONPATH", python_path),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ("COLDSNAKE_RECEIPT", report.into()),
        ("COLDSNAKE_SPAWNED", spawned.to_string().into()),
    ] {
        env.insert(name.into(), value);
    }
    let mut args: Vec<OsString> = command.args.iter().map(OsString::from).collect();
    witness::forbid_writing(&mut args);
    witness::observe(&mut args, file);
    Spec {
        program: command.program.clone(),
        args,
        env: env.into_iter().collect(),
        folder: command.directory.clone(),
        user: command.user,
        group: None,
        until: Until::ExitOrService,
        timeout,
        grace: GRACE,
    }
}

/// The hook's lines: name, file and what became of it.
fn parse(text: &str) -> Vec<(String, PathBuf, Seen)> {
    let mut seen = Vec::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let (name, path, what) = match fields[..] {
            ["module" | "before", name, path, "read"] => (name, path, Seen::Read),
            ["module" | "before", name, path, _] => (name, path, Seen::Compiled),
            ["broken", name, path] => (name, path, Seen::Broken),
            _ => continue,
        };
        seen.push((name.to_owned(), PathBuf::from(path), what));
    }
    seen
}

fn compare(subject: &Subject, audit: &Audit, seen: &[(String, PathBuf, Seen)]) -> Comparison {
    let mut predicted = Predictions::of(subject, audit);
    let mut comparison = Comparison::default();
    for (name, path, what) in seen {
        comparison.modules += 1;
        let verdict = match what {
            // The hook names the pyc.
            Seen::Broken => predicted.of_pyc(path),
            Seen::Read | Seen::Compiled => predicted.of_source(path),
        };
        let agrees = verdict.is_some_and(|verdict| match what {
            Seen::Read => verdict.fate() == Fate::Cached,
            // The script itself goes through the hook where that is run in its place.
            Seen::Compiled => verdict.fate() == Fate::Compiled || verdict == Verdict::Main,
            Seen::Broken => verdict == Verdict::Corrupt,
        });
        if !agrees {
            let what = match what {
                Seen::Read => "its bytecode was read",
                Seen::Compiled => "it was compiled",
                Seen::Broken => "its bytecode is damaged",
            };
            let verdict = verdict.map_or("not found", Verdict::word);
            comparison.differing.push(format!(
                "{name}: predicted {verdict}, and {what} ({})",
                path.display()
            ));
        }
    }
    comparison
}

/// Verdicts by the files of modules. Folders that no path led to are looked at when they are asked
/// for.
struct Predictions<'a> {
    subject: &'a Subject,
    folders: HashMap<PathBuf, HashMap<OsString, Verdict>>,
}

impl<'a> Predictions<'a> {
    fn of(subject: &'a Subject, audit: &Audit) -> Self {
        let folders = audit.folders.iter();
        Self {
            subject,
            folders: folders.map(|f| (f.path.clone(), verdicts(f))).collect(),
        }
    }

    fn of_source(&mut self, source: &Path) -> Option<Verdict> {
        let (folder, file) = (source.parent()?, source.file_name()?);
        if !self.folders.contains_key(folder) {
            let task = on_path(folder, Part::App);
            let (looked, _) = self.subject.look().folder(&task, &mut Desk::default());
            self.folders.insert(folder.to_owned(), verdicts(&looked));
        }
        self.folders.get(folder)?.get(file).copied()
    }

    fn of_pyc(&mut self, pyc: &Path) -> Option<Verdict> {
        match crate::python::source_of(pyc) {
            Some(source) => self.of_source(&source),
            // Below a prefix, where the names of folders are those of the sources.
            None => {
                let prefix = self.subject.prefix.as_ref()?;
                let mirrored = Path::new("/").join(pyc.strip_prefix(&prefix.path).ok()?);
                let beside = mirrored
                    .parent()?
                    .join("__pycache__")
                    .join(mirrored.file_name()?);
                self.of_source(&crate::python::source_of(&beside)?)
            }
        }
    }
}

fn verdicts(folder: &Folder) -> HashMap<OsString, Verdict> {
    let modules = folder.modules.iter();
    modules.map(|m| (m.file.clone(), m.verdict)).collect()
}

/// The app may run as another user.
fn open_to_all(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}
