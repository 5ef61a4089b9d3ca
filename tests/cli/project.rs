//! A suite and its app in a temporary folder, and the program run on it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use walkdir::WalkDir;

/// A temporary project that every user may read.
pub struct Project {
    folder: TempDir,
}

/// How a run of the program ended.
#[derive(Debug)]
pub struct Ended {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// Fails the test unless the status is this one.
    #[track_caller]
    pub fn expect(self, status: i32) -> Self {
        assert_eq!(
            self.status, status,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// Fails the test unless stderr holds all of these.
    #[track_caller]
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(
                self.stderr.contains(text),
                "no {text:?} in:\n{}",
                self.stderr
            );
        }
        self
    }
}

/// The user that tests launch the program as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum As {
    /// Whoever runs the tests.
    Me,
    /// An ordinary user, when the tests run as root.
    Ordinary,
}

/// The ordinary user's and group's number. Not `nobody`'s, for whose own the program cannot take
/// files in a user namespace: all that are another user's look like it there.
const ORDINARY: u32 = 54321;

/// An app that exits, with two modules of its own.
pub const EXITING_APP: &str = r#"
[app]
name = "tiny"
source = "app"
command = ["{python}", "main.py"]
module = "helper"
timeout = "20s"

[measure]
baseline = "warm"
budget = "60s"

[[scenario]]
name = "warm"
"#;

impl Project {
    /// A project with this suite, and an app of `main.py`, `helper.py` and `other.py`.
    pub fn new(suite: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let project = Self { folder };
        project.write("suite.toml", suite);
        project.write("app/main.py", "import helper\nprint(helper.VALUE)\n");
        project.write("app/helper.py", "import other\nVALUE = other.VALUE + 1\n");
        project.write("app/other.py", "VALUE = 1\n");
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The program, to be run in this project's folder. Temporary files go below it, so that a
    /// test sees what is left.
    pub fn command(&self, who: As, args: &[&str]) -> Command {
        let binary = env!("CARGO_BIN_EXE_coldsnake");
        let mut command = match who {
            As::Ordinary if is_root() => {
                // The build folder may lie where nobody else can look.
                let copy = self.path().join("coldsnake");
                if !copy.exists() {
                    fs::copy(binary, &copy).unwrap();
                }
                let mut command = Command::new("setpriv");
                command
                    .args([format!("--reuid={ORDINARY}"), format!("--regid={ORDINARY}")])
                    .arg("--clear-groups")
                    .arg(copy);
                command
            }
            As::Me | As::Ordinary => Command::new(binary),
        };
        let tmp = self.path().join("tmp");
        fs::create_dir_all(&tmp).unwrap();
        fs::set_permissions(&tmp, fs::Permissions::from_mode(0o777)).unwrap();
        command
            .args(args)
            .current_dir(self.path())
            .env("TMPDIR", &tmp)
            .env("HOME", &tmp)
            .env_remove("XDG_CACHE_HOME");
        command
    }

    /// Runs the program to its end.
    pub fn run_as(&self, who: As, args: &[&str]) -> Ended {
        end(&mut self.command(who, args))
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        self.run_as(As::Me, args)
    }

    /// [`Self::measuring`] as an ordinary user who can have no namespace, in one of the test's own,
    /// after these lines of shell: in a root directory that is not the namespace's (unshare(2)),
    /// though all is where it was. Needs root.
    pub fn confined(&self, options: &[&str], before: &str) -> Command {
        let inner = self.measuring(As::Ordinary, options);
        let root = self.path().join("root");
        fs::create_dir_all(&root).unwrap();
        let mut outer = Command::new("unshare");
        let script = format!(
            "mount --rbind / \"$0\" && {{ {before}; }} && exec chroot \"$0\" sh -c 'cd \"$0\" && exec \"$@\"' \"$@\""
        );
        outer
            .args(["-m", "sh", "-c", &script])
            .arg(&root)
            .arg(self.path())
            .arg(inner.get_program())
            .args(inner.get_args());
        with_environment(outer, &inner)
    }

    /// Gives everything to the user that it is measured as, whose own the app is then.
    pub fn give_to(&self, who: As) {
        if who == As::Ordinary && is_root() {
            for entry in walkdir::WalkDir::new(self.path()).into_iter().flatten() {
                give(entry.path());
            }
        }
    }

    /// What measures the project's suite into `out`, with these options besides.
    pub fn measuring(&self, who: As, options: &[&str]) -> Command {
        self.measuring_under(who, &python(), options)
    }

    /// The same under another interpreter than the usual one.
    pub fn measuring_under(&self, who: As, python: &str, options: &[&str]) -> Command {
        let usual = ["run", "suite.toml", "--out", "out", "--python", python];
        self.command(who, &[&usual, options].concat())
    }

    /// Measures the project's suite for so many blocks into `out`.
    pub fn measure(&self, who: As, blocks: u32) -> Ended {
        self.measure_with(who, blocks, &[])
    }

    /// The same with stages of this kind.
    pub fn measure_staged(&self, who: As, stage: &str, blocks: u32) -> Ended {
        self.measure_with(who, blocks, &["--stage", stage])
    }

    fn measure_with(&self, who: As, blocks: u32, options: &[&str]) -> Ended {
        let blocks = blocks.to_string();
        let usual = ["--quiet", "--seed", "1", "--blocks", &blocks];
        end(&mut self.measuring(who, &[&usual, options].concat()))
    }

    /// The lines of `out/record.jsonl`.
    pub fn record(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.path().join("out/record.jsonl")).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The record's lines of one type.
    pub fn lines(&self, kind: &str) -> Vec<Value> {
        self.record()
            .into_iter()
            .filter(|line| line["type"] == kind)
            .collect()
    }

    /// The launches under a scenario, of which there are some.
    #[track_caller]
    pub fn launches(&self, scenario: &str) -> Vec<Value> {
        let mut launches = self.lines("launch");
        launches.retain(|launch| launch["scenario"] == scenario);
        assert!(!launches.is_empty(), "no launch of {scenario}");
        launches
    }

    /// The receipt of a scenario's app launch.
    pub fn receipt(&self, scenario: &str) -> Value {
        self.lines("receipt")
            .into_iter()
            .find(|line| line["scenario"] == scenario && line["launch"] == "app")
            .unwrap_or_else(|| panic!("no receipt of {scenario}"))
    }

    /// Fails the test unless every receipt and every launch is as its scenario says.
    #[track_caller]
    pub fn expect_no_violation(&self) {
        let (receipts, launches) = (self.lines("receipt"), self.lines("launch"));
        assert!(!receipts.is_empty() && !launches.is_empty());
        for receipt in receipts {
            assert_eq!(receipt["violations"], Value::Array(Vec::new()), "{receipt}");
        }
        for launch in launches {
            assert!(launch["violations"].is_null(), "{launch}");
            assert!(launch["failure"].is_null(), "{launch}");
        }
    }

    /// Fails the test if a process is left that was launched for this project. Under a layer the app
    /// runs at its own path, in a copy below `tmp`.
    #[track_caller]
    pub fn expect_no_process(&self) {
        let folder = self.path().display().to_string();
        assert!(!process_with(&folder), "a process is left");
    }

    /// Fails the test if a stage's folder is left.
    #[track_caller]
    pub fn expect_no_stage(&self) {
        let left: Vec<PathBuf> = fs::read_dir(self.path().join("tmp"))
            .unwrap()
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.to_string_lossy().contains("coldsnake-stage"))
            .collect();
        assert!(left.is_empty(), "left: {left:?}");
    }
}

/// Gives a file to the tests' ordinary user. Needs root.
pub fn give(path: &Path) {
    std::os::unix::fs::lchown(path, Some(ORDINARY), Some(ORDINARY)).unwrap();
}

/// A command with the changes to the environment that another one makes.
pub fn with_environment(mut command: Command, of: &Command) -> Command {
    for (name, value) in of.get_envs() {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    command
}

/// Runs a command to its end.
pub fn end(command: &mut Command) -> Ended {
    let output = command.output().unwrap();
    Ended {
        // As a shell says it: 128 and the signal's number.
        status: output
            .status
            .code()
            .or(output.status.signal().map(|n| 128 + n))
            .unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// An interpreter that every user can execute: the system's, where there is one.
pub fn python() -> String {
    let system = "/usr/bin/python3";
    if Path::new(system).exists() {
        system.to_owned()
    } else {
        "python3".to_owned()
    }
}

/// Another interpreter than [`python`], of another version where there is one that can be measured:
/// among pyenv's, or on PATH under its version's name. Else a virtual environment in the project.
pub fn other_python(project: &Project) -> String {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut candidates: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path().join("bin/python3"))
        .collect();
    candidates.sort();
    candidates.extend((9..=15).map(|minor| PathBuf::from(format!("python3.{minor}"))));
    let own = version(&python());
    candidates
        .iter()
        .map(|path| path.to_str().unwrap())
        .find(|path| is_measurable(path) && version(path) != own)
        .map_or_else(|| virtual_environment(project), str::to_owned)
}

/// A virtual environment in the project: the same version by another path.
pub fn virtual_environment(project: &Project) -> String {
    let python = make_environment(&project.path().join("env"));
    python.to_str().unwrap().to_owned()
}

/// Makes a virtual environment without packages, and gives its interpreter.
pub fn make_environment(folder: &Path) -> PathBuf {
    let options = ["-m", "venv", "--without-pip"];
    start(
        Path::new(&python()),
        &[&options[..], &[folder.to_str().unwrap()]].concat(),
    );
    folder.join("bin/python3")
}

/// Where an environment's packages are installed.
pub fn site_packages(environment: &Path) -> PathBuf {
    let mut lib = fs::read_dir(environment.join("lib")).unwrap();
    lib.next().unwrap().unwrap().path().join("site-packages")
}

/// What an interpreter says of its version, "3.11.7".
pub fn version(python: &str) -> String {
    let output = Command::new(python).args(["-I", "-V"]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.trim().trim_start_matches("Python ").to_owned()
}

/// Is it there, new enough, and its standard library cached?
fn is_measurable(python: &str) -> bool {
    let ask = "import importlib.util, json, os, sys
cached = importlib.util.cache_from_source(json.__file__)
sys.exit(sys.version_info < (3, 9) or not os.path.exists(cached))";
    let ended = Command::new(python).args(["-I", "-B", "-c", ask]).output();
    ended.is_ok_and(|ended| ended.status.success())
}

pub fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}

/// A module's entry in a receipt, as "read", "compiled written", "compiled EROFS".
pub fn fate(receipt: &Value, module: &str) -> String {
    let modules = receipt["modules"].as_array().unwrap();
    let entry = modules
        .iter()
        .find(|entry| entry["name"] == module)
        .unwrap_or_else(|| panic!("the receipt does not speak of {module}"));
    let write = entry["write"].as_str().unwrap_or_default();
    format!("{} {write}", entry["code"].as_str().unwrap())
        .trim_end()
        .to_owned()
}

/// A module's [`fate`], whichever error it is that keeps its bytecode from being written: as
/// "compiled DENIED" for EROFS and EACCES.
pub fn seen(receipt: &Value, module: &str) -> String {
    fate(receipt, module)
        .replace("EROFS", "DENIED")
        .replace("EACCES", "DENIED")
}

/// Is a process alive that was launched in a folder with this text, or with it in its command line?
pub fn process_with(text: &str) -> bool {
    procfs::process::all_processes()
        .unwrap()
        .flatten()
        .any(|process| {
            let words = process.cmdline().unwrap_or_default();
            let folder = process.cwd().map(|path| path.display().to_string());
            words.iter().any(|word| word.contains(text))
                || folder.is_ok_and(|folder| folder.contains(text))
        })
}

/// Starts an interpreter that may write bytecode, whatever the tests' own environment says.
pub fn start(python: &Path, args: &[&str]) {
    let ended = Command::new(python)
        .args(args)
        .env_remove("PYTHONDONTWRITEBYTECODE")
        .env_remove("PYTHONPYCACHEPREFIX")
        .status()
        .unwrap();
    assert!(ended.success());
}

/// Every file's content, mode, owner and modification time, and every folder's.
pub fn fingerprint(folder: &Path) -> BTreeMap<String, String> {
    WalkDir::new(folder)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.path().symlink_metadata().unwrap();
            let content = if metadata.is_file() {
                format!(
                    "{:x?}",
                    Sha256::digest(std::fs::read(entry.path()).unwrap())
                )
            } else {
                String::new()
            };
            let state = format!(
                "{content} {:o} {} {} {}",
                metadata.mode(),
                metadata.uid(),
                metadata.mtime(),
                metadata.mtime_nsec()
            );
            (entry.path().display().to_string(), state)
        })
        .collect()
}

/// When every file and folder last changed in whatever way, and how large it is: quicker than
/// [`fingerprint`], and nothing that is changed and changed back escapes it.
pub fn stamps(folder: &Path) -> BTreeMap<PathBuf, (u64, i64, i64)> {
    WalkDir::new(folder)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.path().symlink_metadata().unwrap();
            let stamp = (metadata.len(), metadata.ctime(), metadata.ctime_nsec());
            (entry.into_path(), stamp)
        })
        .collect()
}

/// The folder of an interpreter's standard library.
pub fn standard_library(python: &str) -> PathBuf {
    let ask = "import os; print(os.path.dirname(os.path.realpath(os.__file__)))";
    let output = Command::new(python)
        .args(["-I", "-B", "-S", "-c", ask])
        .output()
        .unwrap();
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim())
}
