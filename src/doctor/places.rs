//! Where an interpreter looks for modules, found without starting it on anything of the app's: its
//! `site` is asked for the folders, and their path files are read as text.
//!
//! A path file's lines that begin with `import` are code (site.py), and are not run here: what they
//! would add to the path is not known.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::look::{Place, Reach, Task};
use super::view::View;
use crate::infer::tidy;
use crate::python::environment::CallerEnvironment;
use crate::python::{Part, Python, PythonError};

/// Asked with `-I -B -S`, so that `site` is loaded and does not do its work, which would run the
/// path files of what is installed. What it would find of a virtual environment is found here as it
/// does (`site.venv`).
const QUESTION: &str = r#"
import json, os, sys
import site
inside = os.path.dirname(os.path.abspath(sys.executable))
prefixes = [sys.base_prefix, sys.base_exec_prefix]
own = os.path.dirname(inside)
is_environment = any(os.path.isfile(os.path.join(f, "pyvenv.cfg")) for f in (inside, own))
takes_system = True
if is_environment:
    mark = [f for f in (inside, own) if os.path.isfile(os.path.join(f, "pyvenv.cfg"))][0]
    with open(os.path.join(mark, "pyvenv.cfg"), encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.partition("=")
            if key.strip().lower() == "include-system-site-packages":
                takes_system = value.strip().lower() == "true"
    sys.prefix = sys.exec_prefix = own
    prefixes = [own] + (prefixes if takes_system else [])
print(json.dumps({
    "stdlib": [entry for entry in sys.path if entry],
    "packages": site.getsitepackages(prefixes),
    "user": site.getusersitepackages() if takes_system else None,
    "prefix": sys.prefix,
}))
"#;

/// Path files are a few lines long.
const LONGEST_PATH_FILE: u64 = 1 << 20;

/// The folders on an interpreter's path that are not the app's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Places {
    /// Of the standard library, archives among them.
    pub stdlib: Vec<PathBuf>,
    /// Where packages are installed.
    pub packages: Vec<PathBuf>,
    /// Where the user's own packages are.
    pub user: Option<PathBuf>,
    /// The virtual environment's or the interpreter's own folder.
    pub prefix: PathBuf,
}

impl Places {
    /// Asks an interpreter, for a user with this home.
    ///
    /// # Errors
    /// When it gives no answer.
    pub fn ask(
        python: &Python,
        home: Option<&OsStr>,
        caller: &CallerEnvironment,
    ) -> Result<Self, PythonError> {
        let unusable = |reason: String| PythonError::Unusable {
            path: python.executable.clone(),
            reason,
        };
        let args = ["-I", "-B", "-S", "-c", QUESTION].map(OsStr::new);
        let mut command = caller.command(&python.executable, &args).dir("/");
        if let Some(home) = home {
            command = command.env("HOME", home);
        }
        let output = command
            .stdout_capture()
            .stderr_capture()
            .run()
            .map_err(|error| unusable(error.to_string()))?;
        serde_json::from_slice(&output.stdout)
            .map_err(|_| unusable(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
    }

    /// Where they usually are, for an interpreter that cannot be asked: it is Python 3.`minor` at
    /// this path, perhaps that of a virtual environment.
    pub fn usual(python: &Path, minor: u32, view: &View) -> Self {
        let version = format!("python3.{minor}");
        let folders = python.ancestors().nth(2).unwrap_or(Path::new("/"));
        let is_environment = view.here(&folders.join("pyvenv.cfg")).is_file();
        let home = if is_environment {
            base_of(&view.here(&folders.join("pyvenv.cfg")))
        } else {
            None
        };
        let base = home.unwrap_or_else(|| folders.to_owned());
        let mut packages = vec![folders.join("lib").join(&version).join("site-packages")];
        if !is_environment {
            packages.extend([
                PathBuf::from("/usr/local/lib")
                    .join(&version)
                    .join("dist-packages"),
                "/usr/lib/python3/dist-packages".into(),
            ]);
        }
        packages.retain(|folder| view.here(folder).is_dir());
        Self {
            stdlib: vec![base.join("lib").join(&version)],
            packages,
            user: None,
            prefix: folders.to_owned(),
        }
    }

    /// The folders as they are to be looked at, those that path files add included; and how many
    /// lines of code stand in path files.
    pub fn tasks(&self, view: &View) -> (Vec<Task>, usize) {
        let mut tasks = Vec::new();
        let mut code = 0;
        for folder in self.packages.iter().chain(&self.user) {
            if !view.here(folder).is_dir() {
                continue;
            }
            tasks.push(on_path(folder, Part::SitePackages));
            for added in path_files(folder, view, &mut code) {
                tasks.push(on_path(&added, Part::App));
            }
        }
        for folder in self
            .stdlib
            .iter()
            .filter(|folder| view.here(folder).is_dir())
        {
            tasks.push(on_path(folder, Part::Stdlib));
        }
        (tasks, code)
    }
}

/// A folder on the path, all of which may be loaded.
pub fn on_path(folder: &Path, part: Part) -> Task {
    Task {
        path: folder.to_owned(),
        part,
        reach: Reach::Everything,
        place: Place::OnPath,
    }
}

/// The prefix of the interpreter that a virtual environment is of: `home = /usr/bin`.
fn base_of(mark: &Path) -> Option<PathBuf> {
    let text = small_text(mark)?;
    let home = text.lines().find_map(|line| {
        let (key, value) = line.split_once('=')?;
        (key.trim() == "home").then(|| PathBuf::from(value.trim()))
    })?;
    home.parent().map(Path::to_owned)
}

/// The folders that the path files (`*.pth`) of a folder of packages add to the path.
fn path_files(folder: &Path, view: &View, code: &mut usize) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(view.here(folder))
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|end| end == "pth"))
        .collect();
    files.sort();
    let mut added = Vec::new();
    for text in files.iter().filter_map(|file| small_text(file)) {
        for line in text.lines().map(str::trim_end) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if line.starts_with("import ") || line.starts_with("import\t") {
                *code += 1;
                continue;
            }
            let path = tidy(&folder.join(line));
            if view.here(&path).is_dir() {
                added.push(path);
            }
        }
    }
    added
}

/// A text that is not longer than such a text would be.
fn small_text(file: &Path) -> Option<String> {
    let found = fs::metadata(file).ok()?;
    (found.is_file() && found.len() <= LONGEST_PATH_FILE)
        .then(|| fs::read_to_string(file).ok())
        .flatten()
}
