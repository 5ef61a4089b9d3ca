//! Finds an interpreter behind shims and links, and asks it what it is.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::environment::CallerEnvironment;
use super::{PythonError, last_lines};

/// The oldest Python that is supported, as people write it.
pub const OLDEST: &str = "3.9";
const OLDEST_NUMBERS: (u32, u32) = (3, 9);
/// Looked for on PATH, in this order.
const NAMES: [&str; 2] = ["python3", "python"];

/// Asked with `-I -B -S`: neither the environment, the folder nor site-packages take part, and
/// nothing is written. (`-I` ignores PYTHONDONTWRITEBYTECODE, so `-B` it must be.)
///
/// The modules `json` and `importlib.util` would take longer than all the rest, so what they are
/// made of is asked first.
const QUESTION: &str = r#"
import _imp, os, sys
try:
    from _frozen_importlib_external import MAGIC_NUMBER
except ImportError:
    from importlib.util import MAGIC_NUMBER
try:
    from _json import encode_basestring_ascii as text
except ImportError:
    from json import dumps as text
def answer(what):
    if isinstance(what, str):
        return text(what)
    if what is None:
        return "null"
    if isinstance(what, dict):
        return "{" + ",".join(text(key) + ":" + answer(value) for key, value in what.items()) + "}"
    return str(what) if isinstance(what, int) else "[" + ",".join(map(answer, what)) + "]"
with open("/proc/self/maps") as maps:
    mapped = {"/" + line.partition("/")[2].strip() for line in maps if "/" in line}
print(answer({
    "executable": sys.executable,
    "version": "%d.%d.%d" % sys.version_info[:3] + ("" if sys.version_info[3] == "final" else "%s%d" % sys.version_info[3:]),
    "numbers": sys.version_info[:2],
    "implementation": sys.implementation.name,
    "cache_tag": sys.implementation.cache_tag,
    "magic": int.from_bytes(MAGIC_NUMBER[:2], "little"),
    "stdlib": os.path.dirname(os.path.realpath(os.__file__)),
    "mapped": sorted(mapped),
    "suffixes": _imp.extension_suffixes(),
    "builtin": sorted(sys.builtin_module_names),
    "frozen": sorted(_imp._frozen_module_names()) if hasattr(_imp, "_frozen_module_names") else [],
}))
"#;

/// Asked with `-I -B`: what is installed is known to `site` only.
const WHERE_INSTALLED: &str = r#"
import json, os, site, sys
folders = [os.path.realpath(folder) for folder in site.getsitepackages() if os.path.isdir(folder)]
user = site.getusersitepackages()
is_used = sys.prefix == sys.base_prefix and os.path.isdir(user)
print(json.dumps({
    "folders": folders + ([os.path.realpath(user)] if is_used else []),
    "user_base": site.getuserbase() if is_used else None,
}))
"#;

/// Where an interpreter's packages are installed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Installations {
    /// Folders that hold packages, without links in their paths.
    pub folders: Vec<PathBuf>,
    /// `PYTHONUSERBASE`, if the user has packages of their own that this interpreter loads: an
    /// interpreter with another home folder would not find them.
    pub user_base: Option<PathBuf>,
}

impl Installations {
    /// Asks the interpreter at this path.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn ask(path: &Path, caller: &CallerEnvironment) -> Result<Self, PythonError> {
        ask_for_json(path, &["-I", "-B", "-c", WHERE_INSTALLED], caller)
    }
}

/// What the interpreter answers, in JSON.
pub(super) fn ask_for_json<T: DeserializeOwned>(
    path: &Path,
    args: &[&str],
    caller: &CallerEnvironment,
) -> Result<T, PythonError> {
    let output = run(path, args, caller)?;
    serde_json::from_slice(&output).map_err(|error| PythonError::Unusable {
        path: path.to_owned(),
        reason: format!("its answer makes no sense ({error})"),
    })
}

/// What the interpreter writes to standard output.
fn run(path: &Path, args: &[&str], caller: &CallerEnvironment) -> Result<Vec<u8>, PythonError> {
    let unusable = |reason: String| PythonError::Unusable {
        path: path.to_owned(),
        reason,
    };
    let args: Vec<&OsStr> = args.iter().map(OsStr::new).collect();
    let output = caller
        .command(path, &args)
        .stdout_capture()
        .stderr_capture()
        .run()
        .map_err(|error| unusable(error.to_string()))?;
    if !output.status.success() {
        return Err(unusable(last_lines(&output.stderr, 4)));
    }
    Ok(output.stdout)
}

/// An interpreter that was run and answered.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Python {
    /// What is launched: `sys.executable`, without any shim before it, or the wrapper that the
    /// interpreter does not work without.
    pub executable: PathBuf,
    pub version: String,
    numbers: (u32, u32),
    pub implementation: String,
    /// `sys.implementation.cache_tag`, the middle part of a pyc's name (PEP 3147).
    pub cache_tag: String,
    /// The number at the start of a pyc.
    pub magic: u32,
    /// Where the standard library's modules lie.
    pub stdlib: PathBuf,
    /// The files of its program and its libraries, by which one that is started through another
    /// loader, or with a library preloaded, differs from the one that looks the same.
    mapped: Vec<PathBuf>,
    /// How the names of shared objects end that are modules.
    pub suffixes: Vec<String>,
    /// Modules in its program that are written in C.
    pub builtin: Vec<String>,
    /// Modules in its program that are written in Python; before 3.11 none that have a source of
    /// their own.
    pub frozen: Vec<String>,
}

impl Python {
    /// The second part of its version: 11 of 3.11.2.
    pub fn minor(&self) -> u32 {
        self.numbers.1
    }

    /// The interpreter that the user named, by path or by a name on PATH, or else the first
    /// `python3` or `python` on PATH.
    ///
    /// # Errors
    /// When there is none, it does not run, or it is older than [`OLDEST`].
    pub fn find(named: Option<&Path>, caller: &CallerEnvironment) -> Result<Self, PythonError> {
        let Some(named) = named else {
            let found = NAMES.iter().find_map(|name| on_path(OsStr::new(name)));
            return match found {
                Some(path) => Self::behind(&path, caller),
                None => Err(PythonError::NotFound {
                    name: NAMES[0].to_owned(),
                }),
            };
        };
        let is_name = named.components().count() == 1 && !named.exists();
        if is_name {
            let path = on_path(named.as_os_str()).ok_or_else(|| PythonError::NotFound {
                name: named.display().to_string(),
            })?;
            return Self::behind(&path, caller);
        }
        // Not resolved: the link in a virtual environment is what makes it one.
        let path = std::path::absolute(named).map_err(|error| PythonError::Unusable {
            path: named.to_owned(),
            reason: error.to_string(),
        })?;
        Self::behind(&path, caller)
    }

    /// The interpreter behind this path. A shim is left out where what it leads to works by
    /// itself: its time is none of the app's. A wrapper stays where the interpreter does not start
    /// without it, or is another one then: through its own dynamic loader, with other libraries.
    fn behind(path: &Path, caller: &CallerEnvironment) -> Result<Self, PythonError> {
        let answer = Self::ask(path, caller)?;
        if answer.executable == path {
            return Ok(answer);
        }
        match Self::ask(&answer.executable, caller) {
            Ok(itself) if itself == answer => Ok(itself),
            Ok(_) | Err(_) => Ok(Self {
                executable: path.to_owned(),
                ..answer
            }),
        }
    }

    /// Runs the interpreter at this path and reads its answer.
    ///
    /// # Errors
    /// When it does not run, or it is older than [`OLDEST`].
    pub fn ask(path: &Path, caller: &CallerEnvironment) -> Result<Self, PythonError> {
        let python: Self = ask_for_json(path, &["-I", "-B", "-S", "-c", QUESTION], caller)?;
        if python.numbers < OLDEST_NUMBERS {
            return Err(PythonError::TooOld {
                path: path.to_owned(),
                version: python.version,
            });
        }
        Ok(python)
    }
}

/// The first executable file of that name on PATH.
pub fn on_path(name: &OsStr) -> Option<PathBuf> {
    find_in(&std::env::var_os("PATH")?, name)
}

/// The first executable file of that name in folders that are written as in PATH. Relative ones are
/// left out: they are others from another working directory.
pub fn find_in(folders: &OsStr, name: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(folders)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|candidate| {
            candidate.is_file()
                && nix::unistd::access(candidate, nix::unistd::AccessFlags::X_OK).is_ok()
        })
}
