//! The scenario `as-deployed`: what the unit and the machine say about the service's bytecode.

use std::fs;
use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::environment::ServiceEnvironment;
use super::parse::Unit;
use super::program::Program;
use super::sandbox::{Access, Lifetime};
use super::source::{Found, Source};
use super::user::Modes;
use crate::python::PycHeader;
use crate::suite::WriteBytecode;

/// Values of the scenario's keys as TOML, each with why it is so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Deployed {
    pub keys: Vec<Key>,
    /// How long what is written below its prefix lasts, if it has one.
    pub prefix: Option<Lifetime>,
}

/// A key of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub name: &'static str,
    /// TOML.
    pub value: String,
    pub because: String,
}

/// May the service write somewhere, and what says so?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Writing {
    Allowed,
    Forbidden {
        because: String,
    },
    /// Nothing forbids it as far as is known; this much is not known.
    Presumed {
        because: String,
    },
}

/// Does a start leave bytecode, where it may write?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Filling {
    ByTheApp,
    Never,
}

impl Unit {
    /// May the service write into a folder: by its sandbox, then by the modes of `here`, where the
    /// folder lies on this machine? Without `here` modes are not known.
    pub fn writing(&self, folder: &Path, here: Option<&Path>) -> Writing {
        let sandbox = self.sandbox();
        match sandbox.access(folder) {
            Access::ReadOnly { by } | Access::Inaccessible { by } => {
                return Writing::Forbidden {
                    because: by.to_string(),
                };
            }
            Access::Writable => {}
        }
        if sandbox.own_folder(folder).is_some() {
            return Writing::Allowed;
        }
        let user = self.user();
        let modes = here.map_or(Modes::Unknown, |here| user.may_write(here));
        match modes {
            Modes::Allow => Writing::Allowed,
            Modes::Forbid {
                folder,
                mode,
                owner,
            } => Writing::Forbidden {
                because: format!(
                    "{} has mode {mode:04o} and belongs to uid {owner}, and the service runs as {}",
                    folder.display(),
                    user.name()
                ),
            },
            Modes::Unknown if user == super::ServiceUser::Root => Writing::Allowed,
            Modes::Unknown => Writing::Presumed {
                because: format!(
                    "no directive forbids it; whether modes let {} write is not known here",
                    user.name()
                ),
            },
        }
    }

    /// May the service write into its source?
    pub(super) fn writing_into(&self, source: &Source, outside: bool) -> Writing {
        let installed = (source.found == Found::Installed).then_some(source.here.as_path());
        if outside {
            Writing::Allowed
        } else {
            self.writing(&source.deployed, installed)
        }
    }

    pub(super) fn deployed(
        &self,
        program: &Program,
        environment: &ServiceEnvironment,
        source: &Source,
        outside: bool,
    ) -> Deployed {
        let mut deployed = Deployed::default();
        let writing = self.writing_into(source, outside);
        let mut may_write = true;
        let mut filling = Filling::ByTheApp;
        match writing {
            Writing::Forbidden { because } => {
                deployed.add("source", "\"read-only\"", because);
                may_write = false;
            }
            Writing::Presumed { because } => deployed.add("source", "\"writable\"", because),
            Writing::Allowed => {}
        }
        if !program.ignores_environment()
            && let Some(value) = environment.get("PYTHONDONTWRITEBYTECODE")
            && forbids_writing(value)
        {
            let because = format!("PYTHONDONTWRITEBYTECODE={value}");
            deployed.add("dont-write-bytecode", "true", because);
            filling = Filling::Never;
        } else if program.read_flags().write() == WriteBytecode::Forbidden {
            filling = Filling::Never;
        }
        if let Some(prefix) = prefix(program, environment) {
            self.add_prefix(&prefix, source, outside, filling, &mut deployed);
        }
        if !may_write || filling == Filling::Never {
            let (value, because) = match source.found {
                Found::Installed => on_disk(&source.here, program),
                Found::Checkout => (
                    "\"absent\"".to_owned(),
                    "the app cannot cache anything, and what the installed folder holds is not known"
                        .to_owned(),
                ),
            };
            deployed.add("bytecode", &value, because);
        }
        deployed
    }

    fn add_prefix(
        &self,
        prefix: &str,
        source: &Source,
        outside: bool,
        filling: Filling,
        deployed: &mut Deployed,
    ) {
        // A relative prefix is one below the working folder.
        let path = source.deployed.join(prefix);
        let here = self.host.file(&path);
        let writing = if outside {
            Writing::Allowed
        } else {
            self.writing(&path, Some(&here))
        };
        let said = format!("the prefix is {}", path.display());
        let lifetime = match self.sandbox().lifetime(&path) {
            // What runs outside of the sandbox sees the folders that are there without it.
            Lifetime::UntilStop { .. } if outside => Lifetime::Lasting,
            lifetime => lifetime,
        };
        deployed.prefix = Some(lifetime.clone());
        match (writing, lifetime) {
            (Writing::Forbidden { because }, _) => {
                deployed.add("prefix", "\"unwritable\"", format!("{said}; {because}"));
            }
            _ if filling == Filling::Never => deployed.add(
                "prefix",
                "\"empty\"",
                format!("{said}, which nothing fills, as Python is told to write no bytecode"),
            ),
            (_, Lifetime::UntilStop { by }) => deployed.add(
                "prefix",
                "\"empty\"",
                format!("{said}, which each start finds empty: {by}"),
            ),
            (_, Lifetime::UntilReboot) => deployed.add(
                "prefix",
                "\"warm\"",
                format!("{said}, which lasts until the machine is started again"),
            ),
            (Writing::Presumed { because }, _) => {
                deployed.add("prefix", "\"warm\"", format!("{said}; {because}"));
            }
            (Writing::Allowed, _) => deployed.add("prefix", "\"warm\"", said),
        }
    }
}

impl Deployed {
    fn add(&mut self, name: &'static str, value: &str, because: String) {
        self.keys.push(Key {
            name,
            value: value.to_owned(),
            because,
        });
    }
}

/// Does this value of `PYTHONDONTWRITEBYTECODE` forbid writing? To CPython a number counts as that number,
/// anything else as one.
pub fn forbids_writing(value: &str) -> bool {
    !value.is_empty() && value.parse::<i64>() != Ok(0)
}

fn prefix(program: &Program, environment: &ServiceEnvironment) -> Option<String> {
    if program.prefix.is_some() {
        return program.prefix.clone();
    }
    let set = environment.get("PYTHONPYCACHEPREFIX")?;
    (!set.is_empty() && !program.ignores_environment()).then(|| set.to_owned())
}

/// The state of the bytecode that lies beside the installed source, as a suite's value, and why.
fn on_disk(folder: &Path, program: &Program) -> (String, String) {
    let level = program.read_flags().optimization().tag();
    let script = program.script().map(|script| folder.join(script));
    let (mut cached, mut missing) = (Vec::new(), 0_usize);
    let walk = WalkDir::new(folder).sort_by_file_name().into_iter();
    let walk = walk.filter_entry(|entry| {
        let hidden = entry.depth() > 0 && entry.file_name().as_encoded_bytes().starts_with(b".");
        !hidden && !entry.path().join("pyvenv.cfg").exists()
    });
    for entry in walk.flatten() {
        let path = entry.path();
        let is_source = path.extension().is_some_and(|end| end == "py");
        // What runs as `__main__` is never cached.
        if !is_source || script.as_deref() == Some(path) {
            continue;
        }
        match module(folder, path).filter(|_| has_fresh_pyc(path, level)) {
            Some(module) => cached.push(module),
            None => missing += 1,
        }
    }
    match (cached.len(), missing) {
        (0, _) => (
            "\"absent\"".to_owned(),
            "no module in the installed folder has bytecode that counts".to_owned(),
        ),
        (all, 0) => (
            "\"fresh\"".to_owned(),
            format!("all {all} modules in the installed folder have bytecode"),
        ),
        (some, missing) => {
            let names: Vec<String> = cached.iter().map(|name| format!("{name:?}")).collect();
            (
                format!("{{ only = [{}] }}", names.join(", ")),
                format!(
                    "{some} modules in the installed folder have bytecode, and {missing} have not"
                ),
            )
        }
    }
}

fn has_fresh_pyc(source: &Path, level: &str) -> bool {
    let (Some(folder), Some(stem)) = (source.parent(), source.file_stem()) else {
        return false;
    };
    let start = format!("{}.", stem.to_string_lossy());
    let Ok(entries) = fs::read_dir(folder.join("__pycache__")) else {
        return false;
    };
    let pycs: Vec<PathBuf> = entries
        .flatten()
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let middle = name
                .strip_prefix(&start)
                .and_then(|rest| rest.strip_suffix(".pyc"));
            middle.is_some_and(|tag| match tag.split_once('.') {
                Some((_, optimized)) => level == format!(".{optimized}"),
                None => level.is_empty(),
            })
        })
        .map(|entry| entry.path())
        .collect();
    pycs.iter().any(|pyc| match PycHeader::read(pyc) {
        Ok(Some(header)) => PycHeader::of_source(source).is_ok_and(|now| now == header),
        // By a hash, which is taken to be right; or cut off, which no start survives.
        Ok(None) => fs::metadata(pyc).is_ok_and(|metadata| metadata.len() > 16),
        Err(_) => false,
    })
}

/// A module's name by its path; `None` for files that no import finds.
fn module(folder: &Path, source: &Path) -> Option<String> {
    let relative = source.strip_prefix(folder).ok()?.with_extension("");
    let mut parts: Vec<&str> = relative.iter().map(|p| p.to_str()).collect::<Option<_>>()?;
    if parts.len() > 1 && parts.last() == Some(&"__init__") {
        parts.pop();
    }
    let importable = parts.iter().all(|part| !part.contains('.'));
    importable.then(|| parts.join("."))
}
