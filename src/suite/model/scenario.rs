//! The conditions that an app is launched under.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::suite::cpu::CpuQuota;
use crate::suite::flags::{Flags, Optimization};

/// A named set of controlled conditions.
#[derive(Debug, Clone)]
pub struct Scenario {
    pub name: String,
    /// One sentence for people.
    pub about: Option<String>,
    /// The interpreter, by path or by a name on PATH; `None` is the run's.
    pub python: Option<PathBuf>,
    /// The revision of the app's source, as git takes it; `None` is the working tree as it is.
    pub revision: Option<String>,
    pub source: SourceAccess,
    /// Of the app's own modules.
    pub source_on: Medium,
    pub bytecode: Bytecode,
    /// Of the packages that are installed for the app.
    pub site_packages: Bytecode,
    /// Of the standard library.
    pub stdlib: Bytecode,
    pub prefix: Prefix,
    pub prefix_on: Medium,
    /// What `PYTHONDONTWRITEBYTECODE` says.
    pub write: WriteBytecode,
    pub page_cache: PageCache,
    /// How much CPU time the app gets; all there is, without one.
    pub cpu: Option<CpuQuota>,
    /// What stands between the interpreter and the app.
    pub flags: Flags,
    pub env: BTreeMap<String, String>,
}

impl Scenario {
    /// May the interpreter write pycs, after all that is said about it?
    pub fn writing(&self) -> WriteBytecode {
        match (self.write, self.flags.write()) {
            (WriteBytecode::Allowed, WriteBytecode::Allowed) => WriteBytecode::Allowed,
            _ => WriteBytecode::Forbidden,
        }
    }

    /// Are these the same conditions, but perhaps for the interpreter?
    pub fn differs_at_most_by_interpreter(&self, other: &Self) -> bool {
        fn conditions(scenario: &Scenario) -> impl PartialEq {
            let Scenario {
                name: _,
                about: _,
                python: _,
                revision,
                source,
                source_on,
                bytecode,
                site_packages,
                stdlib,
                prefix,
                prefix_on,
                write,
                page_cache,
                cpu,
                flags,
                env,
            } = scenario;
            (
                (revision.clone(), *source, *source_on),
                [bytecode.clone(), site_packages.clone(), stdlib.clone()],
                (*prefix, *prefix_on),
                (*write, *page_cache, *cpu),
                flags.clone(),
                env.clone(),
            )
        }
        conditions(self) == conditions(other)
    }

    /// Are these the same conditions, of two states of the app's source?
    pub fn differs_by_revision_alone(&self, other: &Self) -> bool {
        let at_ours = Self {
            revision: self.revision.clone(),
            ..other.clone()
        };
        self.revision != other.revision
            && self.python == other.python
            && self.differs_at_most_by_interpreter(&at_ours)
    }

    /// The level of optimisation of the bytecode that the interpreter looks for.
    pub fn optimization(&self) -> Optimization {
        self.flags.optimization()
    }
}

/// May the launched process write below the app's source folders?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceAccess {
    Writable,
    /// By whatever can be had: a mount, modes, or both.
    ReadOnly,
    /// By owner and modes: writing fails with EACCES.
    ReadOnlyModes,
    /// By a mount: writing fails with EROFS, whoever owns the files.
    ReadOnlyMount,
}

impl SourceAccess {
    /// Is it one of those that forbid writing?
    pub fn is_read_only(self) -> bool {
        self != Self::Writable
    }
}

/// The state of a tree's bytecode before each launch: of the app's own modules, of those in
/// site-packages, or of the standard library's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bytecode {
    /// Every module has a pyc that CPython accepts.
    Fresh,
    /// What is there is left as it is, and so is what isn't.
    AsFound,
    /// No module has one.
    Absent,
    /// Every module has one whose recorded source time is not the source's.
    StaleMtime,
    /// Every module has one that records the source's time, and another size.
    StaleSize,
    /// Hash-based, never checked (PEP 552).
    UncheckedHash,
    /// Hash-based, checked at each import (PEP 552).
    CheckedHash,
    /// Every module has one of the level of `-O`, and of no other.
    OtherOptimization,
    /// Every module is a pyc in the place of its source, which is gone.
    Sourceless,
    /// Every module has an empty file for a pyc.
    EmptyPyc,
    /// Every module has one of another interpreter under this one's name.
    WrongMagic,
    /// Every module has one with a good header and a body that breaks off.
    Corrupt,
    /// What this command leaves behind, run once as the owner of the source.
    By(Vec<String>),
    /// Exactly these modules have one that CPython accepts: dotted names, sorted, from the source
    /// folder on, or from that of what is installed.
    Only(Vec<String>),
}

/// The file of a module below a folder of modules, if it is there: `shop/models.py` or
/// `shop/models/__init__.py` for `shop.models`.
pub fn module_file(folder: &Path, module: &str) -> Option<PathBuf> {
    let path = folder.join(module.split('.').collect::<PathBuf>());
    let package = path.join("__init__.py");
    // Not `with_extension`, which knows nothing of names without one. A package wins, as it does
    // for the interpreter.
    let mut file = path.into_os_string();
    file.push(".py");
    [package, file.into()]
        .into_iter()
        .find(|file| file.is_file())
}

/// `PYTHONPYCACHEPREFIX` (bpo-33499, Python 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefix {
    Unset,
    /// An empty folder at each launch: the first start.
    Empty,
    /// Filled by an untimed launch: every later start.
    Warm,
    /// A folder that cannot be written.
    Unwritable,
}

/// Where a folder of a stage lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Medium {
    /// In the temporary folder, on whatever file system that is.
    Stage,
    /// The same, and it must not be a tmpfs.
    Disk,
    Tmpfs,
}

/// Which of the app's files are in memory when it is launched?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageCache {
    /// Those that the launch before left there: as a rule, all.
    Kept,
    /// None of those that it opens.
    Cold,
    /// Nothing of the whole machine's.
    Dropped,
}

/// Does the interpreter write pycs (`PYTHONDONTWRITEBYTECODE`)?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WriteBytecode {
    #[default]
    Allowed,
    Forbidden,
}
