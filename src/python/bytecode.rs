//! Bytecode made by CPython's own compileall, so that it is what a deployment would have.

use std::ffi::{OsStr, OsString};
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
    pub existing: Existing,
}

/// What becomes of a pyc that is there and accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    Kept,
    MadeAnew,
}

/// Packages that are installed below a folder of the app's are compiled by themselves, if at all.
const INSTALLED: &str = r"/(site|dist)-packages/";
/// So many paths go into one command line.
const PATHS_AT_ONCE: usize = 500;

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
    for some in paths.chunks(PATHS_AT_ONCE) {
        compile_some(python, some, compilation, caller)?;
    }
    Ok(())
}

fn compile_some(
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
    let mut args: Vec<OsString> = ["-I", "-B", "-m", "compileall", "-q"]
        .map(Into::into)
        .to_vec();
    if compilation.existing == Existing::MadeAnew {
        args.push("-f".into());
    }
    args.extend([
        "--invalidation-mode".into(),
        compilation.mode.option().into(),
    ]);
    args.extend(["-o".into(), compilation.level.number().into()]);
    if compilation.placement == Placement::BesideSource {
        args.push("-b".into());
    }
    if let [folder] = paths
        && folder.is_dir()
    {
        let below = regex::escape(&folder.to_string_lossy());
        args.extend(["-x".into(), format!("^{below}.*{INSTALLED}").into()]);
    }
    args.extend(paths.iter().map(Into::into));
    let args: Vec<&OsStr> = args.iter().map(AsRef::as_ref).collect();
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
