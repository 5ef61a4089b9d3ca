//! What is to be looked at, for whom, and under which conditions.

use std::path::{Path, PathBuf};

use super::header::{HashCheck, SourceHash};
use super::look::{Look, Reach, Task};
use super::marshal::Dialect;
use super::mounts::{Mounts, is_in_memory};
use super::places::on_path;
use super::rights::Rights;
use super::rules::{Bodies, Prefix, Rules};
use super::view::View;
use super::writing::Writing;
use crate::python::{Part, Python};
use crate::suite::{Optimization, WriteBytecode};
use crate::unit::forbids_writing;

/// All that verdicts depend on.
#[derive(Debug)]
pub struct Subject {
    /// What was asked about, as sentences name it: a folder, a command, a unit, a process.
    pub name: String,
    pub tasks: Vec<Task>,
    pub interpreter: Interpreter,
    pub rules: Rules,
    pub writing: Writing,
    pub prefix: Option<Prefix>,
    pub bodies: Bodies,
    pub service: Option<Service>,
    /// What could not be taken into account, a sentence each.
    pub notes: Vec<String>,
}

/// The interpreter whose verdicts are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    pub executable: PathBuf,
    pub version: String,
    pub tag: String,
    pub magic: u16,
    minor: u32,
    pub suffixes: Vec<String>,
    pub builtin: Vec<String>,
    pub frozen: Vec<String>,
    pub stdlib: PathBuf,
}

/// A systemd service, for fixes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// `shop.service`
    pub unit: String,
    /// `shop`, a name for its folders.
    pub stem: String,
}

/// The magic numbers of the versions that were released, from 3.9 on (`Lib/importlib/_bootstrap_external.py`,
/// since 3.14 `Include/internal/pycore_magic_number.h`).
const MAGICS: [(u32, u16); 7] = [
    (9, 3425),
    (10, 3439),
    (11, 3495),
    (12, 3531),
    (13, 3571),
    (14, 3627),
    (15, 3666),
];

impl Interpreter {
    /// One that was asked.
    pub fn asked(python: &Python) -> Self {
        Self {
            executable: python.executable.clone(),
            version: python.version.clone(),
            tag: python.cache_tag.clone(),
            // Four bytes, of which the last two are the same in all versions.
            magic: u16::try_from(python.magic).unwrap_or_default(),
            minor: python.minor(),
            suffixes: python.suffixes.clone(),
            builtin: python.builtin.clone(),
            frozen: python.frozen.clone(),
            stdlib: python.stdlib.clone(),
        }
    }

    /// CPython 3.`minor` at a path that cannot be asked; `None` for a version that is not known.
    pub fn known(executable: &Path, minor: u32, stdlib: &Path) -> Option<Self> {
        let (_, magic) = MAGICS.iter().find(|(known, _)| *known == minor)?;
        Some(Self {
            executable: executable.to_owned(),
            version: format!("3.{minor}"),
            tag: format!("cpython-3{minor}"),
            magic: *magic,
            minor,
            suffixes: [".so", ".abi3.so"]
                .into_iter()
                .map(str::to_owned)
                .chain([format!(
                    ".cpython-3{minor}-{}-linux-gnu.so",
                    std::env::consts::ARCH
                )])
                .collect(),
            builtin: Vec::new(),
            frozen: Vec::new(),
            stdlib: stdlib.to_owned(),
        })
    }

    /// The rules by which it takes bytecode.
    pub fn rules(&self, run: &Run) -> Rules {
        Rules {
            tag: self.tag.clone(),
            level: run.level,
            magic: self.magic,
            hash: SourceHash::of(self.minor, self.magic),
            dialect: Dialect::of(self.minor),
            hash_check: run.hash_check,
            suffixes: self.suffixes.iter().cloned().collect(),
            stdlib: self.stdlib.clone(),
            frozen: self.frozen.iter().cloned().collect(),
            main: run.main.clone(),
        }
    }
}

/// How the interpreter is run.
#[derive(Debug, Clone, Default)]
pub struct Run {
    pub level: Optimization,
    pub hash_check: HashCheck,
    /// The variable or the flag that forbids writing bytecode.
    pub dont_write: Option<String>,
    /// The prefix, absolute, and what sets it.
    pub prefix: Option<(PathBuf, String)>,
    /// The script that is run.
    pub main: Option<PathBuf>,
}

/// What `--tree` is asked about.
#[derive(Debug, Clone)]
pub struct TreeRequest {
    pub folder: PathBuf,
    pub run: Run,
    pub rights: Rights,
    pub bodies: Bodies,
}

impl Subject {
    /// A folder of modules.
    pub fn tree(request: TreeRequest, interpreter: Interpreter) -> Self {
        let TreeRequest {
            folder,
            run,
            rights,
            bodies,
        } = request;
        // What is in the interpreter itself is in no folder.
        let interpreter = Interpreter {
            builtin: Vec::new(),
            ..interpreter
        };
        let part = if folder.starts_with(&interpreter.stdlib) {
            Part::Stdlib
        } else {
            Part::App
        };
        let writing = Writing {
            rights,
            view: View::default(),
            mounts: Mounts::mine(),
            sandbox: None,
            dont_write: run.dont_write.clone(),
        };
        Self {
            name: folder.display().to_string(),
            tasks: vec![on_path(&folder, part)],
            rules: interpreter.rules(&run),
            interpreter,
            prefix: run.prefix.map(|(path, by)| Prefix {
                path,
                by,
                emptied: None,
            }),
            writing,
            bodies,
            service: None,
            notes: Vec::new(),
        }
    }

    /// How its folders are looked at.
    pub fn look(&self) -> Look<'_> {
        Look {
            rules: &self.rules,
            writing: &self.writing,
            prefix: self.prefix.as_ref(),
            bodies: self.bodies,
        }
    }

    /// Is the prefix kept in memory, so that a boot or a new container finds it empty? The mount
    /// that says so.
    pub fn prefix_in_memory(&self) -> Option<PathBuf> {
        let prefix = self.prefix.as_ref()?;
        let view = &self.writing.view;
        let nearest = prefix
            .path
            .ancestors()
            .find(|folder| view.here(folder).is_dir())?;
        is_in_memory(&view.here(nearest)).then(|| match self.writing.mounts.over(nearest) {
            Some(mount) => mount.point.clone(),
            None => nearest.to_owned(),
        })
    }

    /// The folder on the path that a folder belongs to.
    pub fn root_of(&self, folder: &Path) -> Option<&Task> {
        self.tasks
            .iter()
            .filter(|task| folder.starts_with(&task.path))
            .max_by_key(|task| task.path.as_os_str().len())
    }

    /// The folders of one part, for commands that compile them.
    pub fn roots_of(&self, part: Part) -> Vec<&Path> {
        let whole = |task: &&Task| task.part == part && task.reach == Reach::Everything;
        self.tasks
            .iter()
            .filter(whole)
            .map(|task| task.path.as_path())
            .collect()
    }
}

/// What forbids writing: a flag of the command, or a variable if the interpreter reads it.
pub fn dont_write(write: WriteBytecode, variable: Option<&str>) -> Option<String> {
    if write == WriteBytecode::Forbidden {
        return Some("-B".to_owned());
    }
    variable
        .filter(|value| forbids_writing(value))
        .map(|value| format!("PYTHONDONTWRITEBYTECODE={value}"))
}
