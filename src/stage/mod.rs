//! Makes a scenario true on disk, and sees to it that it was.
//!
//! A [`Workshop`] holds one [`Stage`] for each scenario: a private copy of the app's source, its
//! bytecode in the wanted state, a prefix, a home, all at paths of the same length. Before each
//! launch a stage is reset; after it, what was written is counted. [`Stage::receipt`] launches
//! the app once, untimed, with a hook that says for each module whether its code was read from a
//! pyc or compiled.

mod access;
mod build;
mod bytecode;
mod cache;
mod command;
mod copy;
mod count;
mod damage;
mod folder;
mod hold;
mod installation;
mod isolation;
mod method;
mod namespace;
mod omission;
mod overlay;
mod page_cache;
mod probe;
mod promise;
mod quota;
mod receipt;
mod residency;
mod revised;
mod scene;
mod seen;
mod tmpfs;
mod traced;
mod tree;
mod workshop;

use std::path::PathBuf;

use thiserror::Error;

pub use cache::Census;
pub use command::{Conditions, resolve_program};
pub use copy::CopyError;
pub use page_cache::DropCaches;
pub use scene::{Stage, Staged};
pub use traced::{Hook, Traced};
pub use workshop::{Backing, Setting, Workshop, source_lines};

/// What says of each module whether its bytecode was read, for launches that are not a stage's.
pub mod witness {
    pub use super::omission::{forbid_writing, observe};
    pub use super::receipt::HOOK;
}

use tmpfs::SHARED_MEMORY;

use crate::launch::{Failure, Interrupted};
use crate::python::PythonError;
use crate::suite::Optimization;

/// A scenario that could not be made true.
#[derive(Debug, Error)]
pub enum StageError {
    #[error("cannot prepare the private copies: {0}\n  they lie in TMPDIR, or else in /tmp")]
    Files(#[from] CopyError),
    #[error(
        "the temporary folder {} lies inside the app's source {}, which scenarios copy and make \
         read-only\n  name a folder outside of it with TMPDIR, such as TMPDIR=/var/tmp",
        folder.display(),
        source_folder.display()
    )]
    TemporaryInside {
        folder: PathBuf,
        source_folder: PathBuf,
    },
    #[error("cannot prepare the private copies: mounting {}: {source}", path.display())]
    Mount {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error(
        "nothing can be made read-only here: root ignores file modes, {unprivileged}, and {namespace}\n  \
         run as an ordinary user, or use an interpreter that every user can execute (--python PATH)"
    )]
    NothingReadOnly {
        unprivileged: String,
        namespace: String,
    },
    #[error("cannot enter the stage of scenario `{scenario}`: {source}")]
    View {
        scenario: String,
        source: std::io::Error,
    },
    #[error(
        "the app cannot be launched at its own path: {reason}\n  \
         leave --stage out, and private copies are made instead"
    )]
    NoOverlay { reason: String },
    #[error(
        "scenario `{scenario}` changes the bytecode of the site-packages, which takes layers over the \
         user's own folders, and there are none{}\n  \
         run as root, or where user namespaces are allowed; of a virtual environment --stage copy \
         can change the site-packages",
        if reason.is_empty() { String::new() } else { format!(": {reason}") }
    )]
    NeedsOverlay { scenario: String, reason: String },
    #[error(
        "scenario `{scenario}` changes the bytecode of the standard library, and no private copy of \
         {} can be made: {reason}\n  \
         run as root, or where user namespaces are allowed, so that a layer can cover it; or name \
         another interpreter with --python PATH",
        python.display()
    )]
    NoInstallation {
        scenario: String,
        python: PathBuf,
        reason: String,
    },
    #[error(
        "there is no tmpfs for scenario `{scenario}`: {reason}\n  \
         run as root, which can mount one, or let {SHARED_MEMORY} be one; else leave \
         `source-on` and `prefix-on` out"
    )]
    NoTmpfs { scenario: String, reason: String },
    #[error(
        "the CPU time of scenario `{scenario}` cannot be limited: {reason}\n  \
         run as root, or where a control group is yours (`systemd-run --user --scope -p \
         Delegate=yes coldsnake …`); else leave `cpu` out"
    )]
    NoCpuQuota { scenario: String, reason: String },
    #[error(
        "scenario `{scenario}` drops the page cache of the whole machine, which slows down \
         everything that runs on it\n  \
         allow it with --allow-drop-caches, or use page-cache = \"cold\", which evicts the app's \
         files only"
    )]
    DropCachesNotAllowed { scenario: String },
    #[error(
        "scenario `{scenario}` cannot drop the machine's page cache: {reason}\n  \
         run as root, or use page-cache = \"cold\", which evicts the app's files only"
    )]
    CannotDropCaches { scenario: String, reason: String },
    #[error("scenario `{scenario}` does not hold: {what}")]
    NotAsAsked { scenario: String, what: String },
    #[error(
        "{modules} outside the app have no {kind}, where the scenarios say that only the app's \
         differs; nothing was written\n  \
         let their owner run `{} -m compileall -q -o {}` on the standard library and site-packages, or \
         name another interpreter with --python PATH",
        python.display(),
        level.number()
    )]
    NotCached {
        modules: String,
        /// What is missing: "bytecode", or that of a level.
        kind: String,
        level: Optimization,
        python: PathBuf,
    },
    #[error("scenario `{scenario}`: the command that is to leave the bytecode failed: {failure}")]
    ByCommand { scenario: String, failure: Failure },
    #[error(
        "the app cannot be launched under `{scenario}`: the code in {} breaks off; CPython raises \
         EOFError whenever it is imported, and never replaces such a file\n  \
         where this is met in real life, delete the pyc: it is compiled anew at the next start; {failure}",
        pyc.display()
    )]
    BrokenPyc {
        scenario: String,
        pyc: PathBuf,
        failure: Box<Failure>,
    },
    #[error("the app cannot be launched under `{scenario}`: {failure}{}", failure.advice())]
    Launch { scenario: String, failure: Failure },
    #[error(
        "`{module}` cannot be imported under `{scenario}`: {failure}\n  the metric `import` needs it on \
         sys.path, where under -I and -P the source's folder is not: leave `import` out of \
         measure.metrics, or install it"
    )]
    NoModule {
        scenario: String,
        module: String,
        failure: Box<Failure>,
    },
    #[error(
        "the app cannot be launched: there is no program `{program}`\n  give {{python}}, a path, or a command of the app's virtual environment or PATH"
    )]
    NoProgram { program: String },
    #[error("there is no free port on the loopback interface: {0}")]
    NoPort(std::io::Error),
    #[error("the receipt of scenario `{scenario}` cannot be read: {reason}")]
    Receipt { scenario: String, reason: String },
    #[error("the app cannot be launched under `{scenario}` when it is traced: {failure}")]
    TracedLaunch { scenario: String, failure: Failure },
    #[error("scenario `{scenario}` could not be traced: {reason}")]
    NotTraced { scenario: String, reason: String },
    #[error(transparent)]
    Python(#[from] PythonError),
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}
