//! From a command line, its environment and its folder to what the interpreter would look at.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::header::HashCheck;
use super::look::{Place, Reach, Task};
use super::mounts::Mounts;
use super::places::{Places, on_path};
use super::rights::Rights;
use super::rules::{Bodies, Prefix};
use super::subject::{Interpreter, Run, Service, Subject, dont_write};
use super::view::View;
use super::writing::Writing;
use crate::infer::{shared_folders, tidy};
use crate::python::Part;
use crate::suite::{Flags, Invocation, Omission, Optimization, is_module_name, module_file};
use crate::unit::{Lifetime, Sandbox};

/// An app as it is started.
#[derive(Debug)]
pub struct App {
    pub name: String,
    pub interpreter: Interpreter,
    pub places: Places,
    /// The interpreter's flags, and what it runs.
    pub invocation: Invocation,
    pub env: BTreeMap<String, String>,
    pub directory: PathBuf,
    /// Folders that are known to be the app's.
    pub sources: Vec<PathBuf>,
    pub rights: Rights,
    pub view: View,
    pub mounts: Mounts,
    pub sandbox: Option<Sandbox>,
    pub service: Option<Service>,
    pub bodies: Bodies,
    pub notes: Vec<String>,
}

const HASH_CHECK: &str = "--check-hash-based-pycs";

impl App {
    /// What its interpreter would look at.
    pub fn subject(mut self) -> Subject {
        let run = self.run();
        let mut tasks = self.own_tasks();
        let (others, code) = self.places.tasks(&self.view);
        if self.invocation.omission == Omission::Site || self.has_flag('S') {
            let is_stdlib = |task: &Task| task.part == Part::Stdlib;
            tasks.extend(others.into_iter().filter(is_stdlib));
        } else {
            tasks.extend(others);
            if code > 0 {
                self.notes.push(format!(
                    "{code} lines of path files (*.pth) that are code: what they add to the path is \
                     not known"
                ));
            }
        }
        let prefix = run.prefix.clone().map(|(path, by)| {
            let lifetime = self.sandbox.as_ref().map(|sandbox| sandbox.lifetime(&path));
            Prefix {
                emptied: match lifetime {
                    Some(Lifetime::UntilStop { by }) => Some(by.to_string()),
                    _ => None,
                },
                path,
                by,
            }
        });
        Subject {
            name: self.name,
            tasks,
            rules: self.interpreter.rules(&run),
            interpreter: self.interpreter,
            writing: Writing {
                rights: self.rights,
                view: self.view,
                mounts: self.mounts,
                sandbox: self.sandbox,
                dont_write: run.dont_write,
            },
            prefix,
            bodies: self.bodies,
            service: self.service,
            notes: self.notes,
        }
    }

    /// A variable, if the interpreter reads it.
    fn variable(&self, name: &str) -> Option<&str> {
        let is_read = self.invocation.omission != Omission::Environment;
        let value = self.env.get(name).map(String::as_str);
        value.filter(|value| is_read && !value.is_empty())
    }

    fn has_flag(&self, letter: char) -> bool {
        self.invocation
            .flags
            .iter()
            .any(|flag| flag.starts_with('-') && !flag.starts_with("--") && flag.contains(letter))
    }

    fn run(&self) -> Run {
        let flags = Flags::parse(&self.invocation.flags).unwrap_or_default();
        let by_variable = self.variable("PYTHONOPTIMIZE").unwrap_or_default();
        let level = flags
            .optimization()
            .max(Optimization::of_variable(by_variable));
        let mut words = self.invocation.flags.iter();
        let checked = words
            .by_ref()
            .find(|word| *word == HASH_CHECK)
            .and_then(|_| words.next());
        let prefix = match (
            &self.invocation.prefix,
            self.variable("PYTHONPYCACHEPREFIX"),
        ) {
            (Some(prefix), _) => Some((prefix.as_str(), "-X pycache_prefix")),
            (None, Some(prefix)) => Some((prefix, "PYTHONPYCACHEPREFIX")),
            (None, None) => None,
        };
        Run {
            level,
            hash_check: match checked.map(String::as_str) {
                Some("always") => HashCheck::Always,
                Some("never") => HashCheck::Never,
                _ => HashCheck::Default,
            },
            dont_write: dont_write(flags.write(), self.variable("PYTHONDONTWRITEBYTECODE")),
            // A relative one counts from the working directory.
            prefix: prefix.map(|(path, by)| (self.directory.join(path), by.to_owned())),
            main: self
                .script()
                .filter(|script| self.view.here(script).is_file()),
        }
    }

    /// The script that is run, or the folder or archive in its place.
    fn script(&self) -> Option<PathBuf> {
        let first = self.invocation.rest.first()?;
        let script = tidy(&self.directory.join(first));
        // Its folder is taken for what links lead to (Python/pathconfig.c).
        let real = fs::canonicalize(&script).ok();
        let real = real.filter(|_| self.view.is_plain() && !script.is_dir());
        (!first.starts_with('-')).then(|| real.unwrap_or(script))
    }

    /// The app's own folders: what CPython puts before all others on the path, `PYTHONPATH`, and
    /// what servers add.
    fn own_tasks(&self) -> Vec<Task> {
        let mut folders = self.sources.clone();
        let is_safe = self.has_flag('I') || self.has_flag('P');
        match self.script() {
            Some(script) => {
                let here = self.view.here(&script);
                if here.is_dir() || is_archive(&here) {
                    folders.push(script);
                } else if !is_safe && let Some(folder) = script.parent() {
                    // An entry point's folder holds commands, not modules.
                    if folder.file_name().is_none_or(|name| name != "bin") {
                        folders.push(folder.to_owned());
                    }
                }
            }
            None if !is_safe => folders.push(self.directory.clone()),
            None => {}
        }
        let here = self.view.here(&self.directory);
        let served = self.invocation.rest.iter().skip(1);
        if served.clone().any(|word| names_module(word, &here)) {
            folders.push(self.directory.clone());
        }
        if let Some(listed) = self.variable("PYTHONPATH") {
            let entries = std::env::split_paths(listed).filter(|p| !p.as_os_str().is_empty());
            folders.extend(entries.map(|entry| tidy(&self.directory.join(entry))));
        }
        let shared = shared_folders();
        folders.retain(|folder| {
            let here = self.view.here(folder);
            here.is_dir() || is_archive(&here)
        });
        let tasks = folders.iter().map(|folder| Task {
            reach: if shared.contains(folder) {
                Reach::Packages
            } else {
                Reach::Everything
            },
            place: Place::OnPath,
            ..on_path(folder, Part::App)
        });
        tasks.collect()
    }
}

/// Does a word name a module in this folder, as servers are told: `shop.wsgi:app`?
fn names_module(word: &str, folder: &Path) -> bool {
    let module = word.split(':').next().unwrap_or_default();
    let module = module.rsplit('=').next().unwrap_or_default();
    !module.is_empty() && is_module_name(module) && module_file(folder, module).is_some()
}

fn is_archive(path: &Path) -> bool {
    path.is_file()
        && path.extension().is_some_and(|end| {
            ["zip", "pyz", "egg", "whl"]
                .iter()
                .any(|known| end == *known)
        })
}
