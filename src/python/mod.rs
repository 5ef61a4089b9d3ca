//! What the harness knows of Python: where an interpreter is, what it is, its virtual
//! environments, and how bytecode is made by its own tools.

mod bearings;
mod bytecode;
pub mod environment;
mod interpreter;
mod interpreters;
mod part;
mod pyc;
pub mod shebang;
mod venv;

pub use bearings::{Bearings, Moved};
pub use bytecode::{Compilation, Existing, InvalidationMode, Placement, compile_all};
pub use interpreter::{Installations, OLDEST, Python, find_in, on_path};
pub use interpreters::{Equipped, Interpreters};
pub use part::{Part, is_installed, is_package_folder};
pub use pyc::{HEADER_BYTES, PycHeader, source_of};
pub use venv::{interpreter as venv_interpreter, prepare as prepare_venv};

use std::path::PathBuf;

use thiserror::Error;

/// No Python to launch the app with.
#[derive(Debug, Error)]
pub enum PythonError {
    #[error(
        "there is no `{name}` on PATH\n  install Python {OLDEST} or newer (package python3), \
         or name an interpreter with --python PATH"
    )]
    NotFound { name: String },
    #[error(
        "{} does not work as a Python interpreter: {reason}\n  name another one with --python PATH",
        path.display()
    )]
    Unusable { path: PathBuf, reason: String },
    #[error(
        "{} is Python {version}, and {OLDEST} is the oldest that is supported\n  \
         name a newer one with --python PATH",
        path.display()
    )]
    TooOld { path: PathBuf, version: String },
    #[error(
        "cannot make a virtual environment with {}: {reason}\n  \
         on Debian and Ubuntu, install the package python3-venv",
        python.display()
    )]
    Venv { python: PathBuf, reason: String },
    #[error(
        "cannot install the packages of {}: {reason}\n  \
         they come from the package index once and are kept for later runs; without a network, \
         `coldsnake run httpserver` measures a suite that needs no packages",
        requirements.display()
    )]
    Packages {
        requirements: PathBuf,
        reason: String,
    },
    #[error("cannot use {} for virtual environments: {source}\n  set XDG_CACHE_HOME to a folder that can be written", path.display())]
    Cache {
        path: PathBuf,
        source: std::io::Error,
    },
    #[error("compiling {} failed: {reason}", path.display())]
    Compile { path: PathBuf, reason: String },
}

/// The last lines of what a set-up command said, as the reason of an error.
fn last_lines(output: &[u8], count: usize) -> String {
    let text = String::from_utf8_lossy(output);
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim_end)
        .filter(|l| !l.is_empty())
        .collect();
    lines[lines.len().saturating_sub(count)..].join("\n    ")
}
