//! Where an interpreter keeps its standard library and what is installed for it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::InferError;
use crate::python::environment::CallerEnvironment;
use crate::python::is_installed;

/// Asked without `-I` and `-S`, since site knows of the environment and of the user's packages.
const QUESTION: &str = r#"
import json, os, site, sys, sysconfig
paths = sysconfig.get_paths()
names = ["purelib", "platlib", "scripts", "stdlib", "platstdlib"]
print(json.dumps({
    "prefix": sys.prefix,
    "user_base": site.getuserbase(),
    "not_own": [paths[name] for name in names if name in paths]
        + [os.path.dirname(os.__file__), os.path.dirname(sys.executable)]
        + site.getsitepackages()
        + [site.getusersitepackages(), os.path.join(site.getuserbase(), "bin")],
}))
"#;

/// An interpreter's folders.
#[derive(Debug, Clone, Deserialize)]
pub struct Layout {
    /// The environment's own folder.
    pub prefix: PathBuf,
    /// Where the user's own packages are installed.
    pub user_base: PathBuf,
    /// The standard library, installed packages and commands.
    not_own: Vec<PathBuf>,
}

impl Layout {
    /// Asks an interpreter.
    ///
    /// # Errors
    /// When it gives no answer.
    pub fn ask(python: &Path, caller: &CallerEnvironment) -> Result<Self, InferError> {
        let failed = |reason: String| InferError::Layout {
            python: python.to_owned(),
            reason,
        };
        let output = caller
            .command(python, &["-B", "-c", QUESTION].map(OsStr::new))
            .dir("/")
            .stdout_capture()
            .stderr_capture()
            .run()
            .map_err(|error| failed(error.to_string()))?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Is this file the app's own: neither of the standard library nor installed?
    pub fn is_own(&self, file: &Path) -> bool {
        let is_below = |path: &Path| {
            is_installed(path) || self.not_own.iter().any(|folder| path.starts_with(folder))
        };
        let real = fs::canonicalize(file);
        !is_below(file) && !real.is_ok_and(|real| is_below(&real))
    }
}

/// A path without `.` and `..`, links left as they are.
pub fn tidy(path: &Path) -> PathBuf {
    let mut tidied = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                tidied.pop();
            }
            other => tidied.push(other),
        }
    }
    tidied
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_installed_is_not_the_apps_own() {
        let layout = Layout {
            prefix: "/v".into(),
            user_base: "/home/me/.local".into(),
            not_own: ["/usr/lib/python3.11", "/v/bin"].map(Into::into).to_vec(),
        };
        for file in [
            "/usr/lib/python3.11/json/__init__.py",
            "/v/bin/black",
            "/v/lib/python3.11/site-packages/black/__init__.py",
            "/usr/lib/python3/dist-packages/apt.py",
        ] {
            assert!(!layout.is_own(Path::new(file)), "{file}");
        }
        assert!(layout.is_own(Path::new("/v/src/app.py")));
    }

    #[test]
    fn dots_are_taken_out_of_paths() {
        assert_eq!(tidy(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
