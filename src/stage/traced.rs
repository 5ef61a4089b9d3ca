//! Launches with a hook that says when the import system does what. What it says is read here and
//! understood by whoever gave the hook.
//!
//! The hook is compiled once and lies without its source in a folder of its own: a module without
//! source is never compiled at a launch, nor written to a cache, whatever the scenario's prefix is.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StageError;
use super::command::Conditions;
use super::copy::at;
use super::folder::Umask;
use super::scene::{Stage, Staged};
use crate::launch::{GRACE, Launcher, Spec, Until, User};
use crate::python::{Part, is_package_folder};
use crate::suite::{App, LaunchKind};

/// What the hook appends to, in the stage's temporary folder.
const TRACE_FILE: &str = "coldsnake-trace";
/// Runs the hook where `site` would not find it.
const ENTRY_FILE: &str = "enter.py";
/// No hook says so much.
const MOST_BYTES: u64 = 256 << 20;
/// Source, pyc, and the file name of the code in it.
const COMPILE: &str = "import py_compile, sys
py_compile.compile(sys.argv[1], cfile=sys.argv[2], dfile=sys.argv[3], doraise=True)";
const COMPILE_TIMEOUT: Duration = Duration::from_secs(30);

/// The texts of a hook.
#[derive(Debug, Clone, Copy)]
pub struct Hook {
    /// Its source. It becomes the module `sitecustomize`, and finds in `COLDSNAKE_TRACE` the file to
    /// append to.
    pub source: &'static str,
    /// The file name that its code has.
    pub file: &'static str,
    /// What runs it under `-I`, `-E` and `-S`, from a file beside it.
    pub entry: &'static str,
}

/// A launch with a hook, and what that wrote: nothing, if it did not come to it.
#[derive(Debug)]
pub struct Traced {
    pub staged: Staged,
    pub lines: Vec<u8>,
}

impl Stage {
    /// Puts a hook where launches of this stage find it.
    ///
    /// # Errors
    /// When it cannot be written or compiled, or the user interrupts.
    pub fn add_trace_hook(
        &self,
        hook: &Hook,
        launcher: &mut dyn Launcher,
    ) -> Result<(), StageError> {
        let _inside = self.enter()?;
        let folder = self.trace_folder();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).map_err(at(&path)).map(|()| path)
        };
        // Whoever launches the app must be able to read it.
        let _umask = Umask::set(0o022);
        fs::create_dir_all(&folder).map_err(at(&folder))?;
        write(ENTRY_FILE, hook.entry)?;
        let source = write("hook.py", hook.source)?;
        let pyc = folder.join("sitecustomize.pyc");
        let launched = launcher.launch(&Spec {
            program: self.python.clone(),
            args: ["-I", "-B", "-c", COMPILE]
                .map(OsString::from)
                .into_iter()
                .chain([source.into(), pyc.into(), hook.file.into()])
                .collect(),
            env: self.passed.clone(),
            folder: folder.clone(),
            user: User::Current,
            group: None,
            until: Until::Exit,
            timeout: COMPILE_TIMEOUT,
            grace: GRACE,
        })?;
        launched.outcome.map_err(|failure| {
            self.not_traced(format!(
                "{} cannot compile the hook that traces: {failure}",
                self.python.display()
            ))
        })
    }

    /// Resets the stage and launches the app's command once, with the hook.
    ///
    /// # Errors
    /// When the stage cannot be reset, what the hook wrote cannot be read, or the user interrupts. A
    /// failed launch is no error.
    pub fn trace(
        &mut self,
        app: &App,
        conditions: Conditions,
        launcher: &mut dyn Launcher,
    ) -> Result<Traced, StageError> {
        let file = self.tmp.join(TRACE_FILE);
        // Of the launch before; there may be none.
        let _ = fs::remove_file(&file);
        let staged =
            self.launch_as(app, LaunchKind::App, conditions, launcher, |stage, spec| {
                stage.add_hook(spec, &stage.trace_folder(), ENTRY_FILE);
                let variable = ("COLDSNAKE_TRACE".into(), file.clone().into());
                spec.env.push(variable);
            })?;
        let lines = read(&file).map_err(|reason| self.not_traced(reason))?;
        // Not left for the app to meet in a launch that is not traced.
        let _ = fs::remove_file(&file);
        Ok(Traced { staged, lines })
    }

    /// Whose module a file holds, and the file below its folder.
    pub fn whose(&self, file: &Path) -> (Part, PathBuf) {
        let folders = self.origins.app.iter().chain([&self.origins.stdlib]);
        let below = folders.filter_map(|folder| file.strip_prefix(folder).ok());
        let relative = below
            .chain(self.below_installed(file))
            .min_by_key(|relative| relative.as_os_str().len())
            .unwrap_or(file);
        (self.origins.part(file), relative.to_owned())
    }

    /// The part of a path below the last folder that packages are installed in.
    fn below_installed<'a>(&self, file: &'a Path) -> Option<&'a Path> {
        file.ancestors()
            .find(|folder| folder.file_name().is_some_and(is_package_folder))
            .and_then(|folder| file.strip_prefix(folder).ok())
    }

    fn trace_folder(&self) -> PathBuf {
        self.home.with_file_name("trace")
    }

    fn not_traced(&self, reason: String) -> StageError {
        StageError::NotTraced {
            scenario: self.scenario.name.clone(),
            reason,
        }
    }
}

/// What the hook wrote. The file lies where the app can write, so it may be anything by now.
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let opened = File::options()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("what the hook wrote cannot be opened: {error}")),
    };
    let metadata = file.metadata().map_err(|error| error.to_string())?;
    if !metadata.is_file() {
        return Err("the app put something else in the place of what the hook wrote".to_owned());
    }
    let mut lines = Vec::new();
    file.take(MOST_BYTES + 1)
        .read_to_end(&mut lines)
        .map_err(|error| format!("what the hook wrote cannot be read: {error}"))?;
    if lines.len() as u64 > MOST_BYTES {
        return Err(format!(
            "the hook wrote more than {} MiB; does the app import without end?",
            MOST_BYTES >> 20
        ));
    }
    Ok(lines)
}
