//! Bytecode made by CPython's own compileall, so that it is what a deployment would have.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::environment::CallerEnvironment;
use super::{PythonError, last_lines};
use crate::suite::Optimization;

/// How a pyc says which source it belongs to (PEP 552).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidationMode {
    Timestamp,
    CheckedHash,
    UncheckedHash,
}

impl InvalidationMode {
    fn option(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::CheckedHash => "checked-hash",
            Self::UncheckedHash => "unchecked-hash",
        }
    }
}

/// Where compileall puts a pyc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the folder `__pycache__` beside the source (PEP 3147).
    Cache,
    /// As `x.pyc` beside `x.py`, where it counts once the source is gone.
    BesideSource,
}

/// What compileall makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compilation {
    pub mode: InvalidationMode,
    pub level: Optimization,
    pub placement: Placement,
}

/// Compiles files, and every module below folders, into their `__pycache__`. A module with a syntax
/// error is left without a pyc, as it would be in a deployment.
///
/// # Errors
/// When compileall cannot be run.
pub fn compile_all(
    python: &Path,
    paths: &[PathBuf],
    compilation: Compilation,
    caller: &CallerEnvironment,
) -> Result<(), PythonError> {
    let Some(first) = paths.first() else {
        return Ok(());
    };
    let failed = |reason: String| PythonError::Compile {
        path: first.to_owned(),
        reason,
    };
    let mut args = vec![
        OsStr::new("-I"),
        OsStr::new("-B"),
        OsStr::new("-m"),
        OsStr::new("compileall"),
        OsStr::new("-q"),
        OsStr::new("-f"),
        OsStr::new("--invalidation-mode"),
        OsStr::new(compilation.mode.option()),
        OsStr::new("-o"),
        OsStr::new(compilation.level.number()),
    ];
    if compilation.placement == Placement::BesideSource {
        args.push(OsStr::new("-b"));
    }
    args.extend(paths.iter().map(|path| path.as_os_str()));
    let output = caller
        .command(python, &args)
        .stderr_to_stdout()
        .stdout_capture()
        .run()
        .map_err(|error| failed(error.to_string()))?;
    // Status 1 is compileall's word for "some modules did not compile".
    match output.status.code() {
        Some(0 | 1) => Ok(()),
        _ => Err(failed(last_lines(&output.stdout, 6))),
    }
}
