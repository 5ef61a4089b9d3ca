//! A virtual environment for an app's pinned requirements, made once and kept in the user's
//! cache folder.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::environment::CallerEnvironment;
use super::{Python, PythonError, last_lines};

/// Stands in an environment that is complete. One without it was cut short and is made anew.
const COMPLETE: &str = ".coldsnake-complete";
/// Part of the key; raised when environments are made in another way.
const LAYOUT: &str = "1";

/// The environment's folder for this app, these requirements and this interpreter; made if it
/// isn't there. `progress` is told what takes long.
///
/// # Errors
/// When the cache folder cannot be written, or venv or pip fail.
pub fn prepare(
    app: &str,
    requirements: &Path,
    python: &Python,
    caller: &CallerEnvironment,
    progress: &mut dyn FnMut(&str),
) -> Result<PathBuf, PythonError> {
    let cache_error = |path: &Path| {
        let path = path.to_owned();
        move |source: io::Error| PythonError::Cache { path, source }
    };
    let pinned = fs::read(requirements).map_err(|error| PythonError::Packages {
        requirements: requirements.to_owned(),
        reason: error.to_string(),
    })?;
    let parent = cache_folder()?.join("venvs");
    fs::create_dir_all(&parent).map_err(cache_error(&parent))?;
    let folder = parent.join(format!("{app}-{}", key(&pinned, python)));
    // Two runs at once: the second waits until the first has made the environment. The lock is
    // the file's, so it ends with this process at the latest.
    let lock_path = folder.with_extension("lock");
    let lock = File::create(&lock_path).map_err(cache_error(&lock_path))?;
    lock.lock().map_err(cache_error(&lock_path))?;
    if folder.join(COMPLETE).is_file() && Python::ask(&interpreter(&folder), caller).is_ok() {
        return Ok(folder);
    }
    progress("making a virtual environment for the app (once)");
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(cache_error(&folder))?;
    }
    make(&folder, python, caller)?;
    progress("installing the app's pinned packages (once)");
    install(&folder, requirements, caller)?;
    File::create(folder.join(COMPLETE))
        .and_then(|file| file.sync_all())
        .map_err(cache_error(&folder))?;
    Ok(folder)
}

/// The interpreter of an environment.
pub fn interpreter(folder: &Path) -> PathBuf {
    folder.join("bin").join("python")
}

/// Makes the environment, then puts pip into it. In one step, venv would run ensurepip with `-I`,
/// which ignores PYTHONDONTWRITEBYTECODE: an interpreter whose standard library has no bytecode
/// would get some from us.
fn make(folder: &Path, python: &Python, caller: &CallerEnvironment) -> Result<(), PythonError> {
    let failed = |reason: String| PythonError::Venv {
        python: python.executable.clone(),
        reason,
    };
    let run = |program: &Path, module: &str, rest: &[&OsStr]| {
        let mut args: Vec<&OsStr> = ["-B", "-m", module].map(OsStr::new).to_vec();
        args.extend(rest);
        // Without `-I`, `-m` looks for modules in the working directory first.
        succeed(&caller.command(program, &args).dir("/")).map_err(failed)
    };
    let without_pip = OsStr::new("--without-pip");
    run(
        &python.executable,
        "venv",
        &[without_pip, folder.as_os_str()],
    )?;
    let options = ["--upgrade", "--default-pip"].map(OsStr::new);
    run(&interpreter(folder), "ensurepip", &options)
}

fn install(
    folder: &Path,
    requirements: &Path,
    caller: &CallerEnvironment,
) -> Result<(), PythonError> {
    let failed = |reason: String| PythonError::Packages {
        requirements: requirements.to_owned(),
        reason,
    };
    let options = [
        "-I",
        "-B",
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
        "--retries",
        "2",
        "--timeout",
        "15",
        "--requirement",
    ];
    let mut args: Vec<&OsStr> = options.iter().map(OsStr::new).collect();
    args.push(requirements.as_os_str());
    succeed(&caller.command(interpreter(folder), &args)).map_err(failed)
}

/// Runs a set-up command to its end; if it fails, the last it said is the reason.
fn succeed(command: &duct::Expression) -> Result<(), String> {
    let output = command
        .stderr_to_stdout()
        .stdout_capture()
        .run()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(last_lines(&output.stdout, 4))
    }
}

fn key(pinned: &[u8], python: &Python) -> String {
    let mut hash = Sha256::new();
    for part in [
        pinned,
        python.executable.as_os_str().as_encoded_bytes(),
        python.version.as_bytes(),
        python.cache_tag.as_bytes(),
        LAYOUT.as_bytes(),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `$XDG_CACHE_HOME/coldsnake`, or `~/.cache/coldsnake` (XDG base directory specification).
fn cache_folder() -> Result<PathBuf, PythonError> {
    let absolute = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    absolute("XDG_CACHE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".cache")))
        .map(|cache| cache.join("coldsnake"))
        .ok_or_else(|| PythonError::Cache {
            path: PathBuf::from("~/.cache"),
            source: io::Error::new(io::ErrorKind::NotFound, "HOME is not set"),
        })
}
