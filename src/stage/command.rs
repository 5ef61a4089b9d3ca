//! From a scenario to the process that is launched under it: program, arguments, environment.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::StageError;
use super::omission;
use super::quota::Group;
use super::scene::Stage;
use crate::launch::{GRACE, Search, Sign, Spec, Until, User, ports};
use crate::python::on_path;
use crate::python::shebang::{self, Shebang};
use crate::suite::{App, LaunchKind, Port, Prefix, Readiness, WriteBytecode};

/// What all arms of a block share, and what changes from block to block: incidental layout
/// biases results (Mytkowicz et al., "Producing Wrong Data Without Doing Anything Obviously
/// Wrong!", ASPLOS 2009).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conditions {
    /// Length of a variable that only takes room in the environment, 0 to 4095 bytes.
    pub padding: u16,
    /// `PYTHONHASHSEED`.
    pub hash_seed: u32,
}

/// Conditions of launches that are not timed.
pub(super) const UNTIMED: Conditions = Conditions {
    padding: 0,
    hash_seed: 0,
};

/// The program that a command's first word names: a path as it is (a relative one below the
/// working directory), a bare name in the virtual environment or on PATH.
pub fn resolve_program(word: &str, directory: &Path, python: &Path) -> Option<PathBuf> {
    let path = Path::new(word);
    if path.is_absolute() {
        return Some(path.to_owned());
    }
    if word.contains('/') {
        return Some(directory.join(path)).filter(|path| path.exists());
    }
    let beside_python = python.parent().map(|folder| folder.join(word));
    beside_python
        .filter(|candidate| candidate.is_file())
        .or_else(|| on_path(path.as_os_str()))
}

/// The interpreter's flags in the first lines of a Python script; `None` of anything else.
fn flags_of_script(program: &Path) -> Option<Vec<String>> {
    let start = shebang::beginning(program).ok()?;
    let text = String::from_utf8_lossy(&start);
    match text
        .starts_with("#!")
        .then(|| shebang::parse(&text, program))?
    {
        Shebang::Python { flags, .. } => Some(flags),
        Shebang::Other(_) => None,
    }
}

impl Stage {
    /// The process for one launch. A server gets a port that is free now.
    ///
    /// # Errors
    /// When there is no free port, or the command's program does not exist.
    pub(super) fn spec(
        &self,
        app: &App,
        kind: LaunchKind,
        conditions: Conditions,
    ) -> Result<Spec, StageError> {
        let mut spec = match kind {
            LaunchKind::App => self.app_spec(app, conditions)?,
            LaunchKind::Import => self.import_spec(app, conditions),
        };
        if spec.program == self.python && self.scenario.prefix != Prefix::Unset {
            omission::say_prefix(&mut spec.args, self.prefix());
        }
        Ok(spec)
    }

    /// The process for a launch in which it does not matter when a server is found open.
    ///
    /// # Errors
    /// As of [`Stage::spec`].
    pub(super) fn untimed_spec(&self, app: &App, kind: LaunchKind) -> Result<Spec, StageError> {
        let mut spec = self.spec(app, kind, UNTIMED)?;
        spec.until = spec.until.untimed();
        Ok(spec)
    }

    fn app_spec(&self, app: &App, conditions: Conditions) -> Result<Spec, StageError> {
        let at = |port: Port| match port {
            Port::Picked => ports::pick().map_err(StageError::NoPort),
            Port::Fixed(port) => Ok(port),
        };
        let (sign, port) = match &app.ready {
            Readiness::Exit => (None, None),
            Readiness::Http { path, status, port } => {
                let port = at(*port)?;
                let sign = Sign::Http {
                    port,
                    path: path.clone(),
                    status: *status,
                };
                (Some(sign), Some(port))
            }
            Readiness::Tcp { port } => {
                let port = at(*port)?;
                (Some(Sign::Tcp { port }), Some(port))
            }
            // A server that says itself when it is ready has a port all the same.
            Readiness::Stdout { line } => {
                let sign = Sign::Stdout { line: line.clone() };
                (Some(sign), Some(at(Port::Picked)?))
            }
            Readiness::Notify => (Some(Sign::Notify), Some(at(Port::Picked)?)),
        };
        let until = sign.map_or(Until::Exit, |sign| Until::Ready {
            sign,
            search: Search::Timed(self.precedent),
        });
        let (program, args) = self.expand_command(&app.command, port)?;
        Ok(Spec {
            program,
            args: self.flags().chain(args).collect(),
            env: self.environment(app, conditions, port),
            folder: self.directory.clone(),
            user: self.user,
            group: self.group.as_ref().map(Group::entrance),
            until,
            timeout: app.timeout,
            grace: GRACE,
        })
    }

    /// `python -c` with one import statement between two readings of the clock. The script's
    /// folder comes first on `sys.path`, as in `python script.py`, but under `-I` and `-P`; the exit
    /// is not waited for, as an app may have started threads.
    fn import_spec(&self, app: &App, conditions: Conditions) -> Spec {
        let module = app.module.as_deref().unwrap_or("sys");
        let code = format!(
            "import sys, time\n\
             if not (sys.flags.isolated or getattr(sys.flags, 'safe_path', False)):\n    \
                 sys.path[:1] = sys.argv[1:2]\n\
             started = time.perf_counter_ns()\n\
             import {module}\n\
             spent = time.perf_counter_ns() - started\n\
             import os\n\
             os.write(3, b'%d' % spent)\n\
             os._exit(0)\n"
        );
        let import = ["-c".into(), code.into(), self.source().into()];
        Spec {
            program: self.python.clone(),
            args: self.flags().chain(import).collect(),
            env: self.environment(app, conditions, None),
            folder: self.directory.clone(),
            user: self.user,
            group: self.group.as_ref().map(Group::entrance),
            until: Until::ExitWithReport,
            timeout: app.timeout,
            grace: GRACE,
        }
    }

    /// The scenario's flags of the interpreter. A suite that has any has a command that starts with
    /// the interpreter.
    fn flags(&self) -> impl Iterator<Item = OsString> {
        self.scenario.flags.words().iter().map(OsString::from)
    }

    /// The command that leaves a scenario's bytecode, run once as the owner of the source. It has
    /// a home of its own, so that it leaves nothing but bytecode to the app.
    pub(super) fn owner_spec(&self, app: &App, command: &[String]) -> Result<Spec, StageError> {
        let (program, args) = self.expand_command(command, None)?;
        let mut env = self.environment(app, UNTIMED, None);
        env.retain(|(name, _)| name != "PYTHONDONTWRITEBYTECODE" && name != "PYTHONPYCACHEPREFIX");
        for (name, value) in &mut env {
            if name == "HOME" || name == "TMPDIR" {
                *value = self.owner_home.clone().into();
            }
        }
        Ok(Spec {
            program,
            args,
            env,
            folder: self.directory.clone(),
            user: User::Current,
            group: None,
            until: Until::Exit,
            timeout: app.timeout,
            grace: GRACE,
        })
    }

    fn expand_command(
        &self,
        command: &[String],
        port: Option<u16>,
    ) -> Result<(PathBuf, Vec<OsString>), StageError> {
        let mut words = command.iter().map(|word| self.expand(word, port));
        let first = words.next().unwrap_or_default();
        let program = resolve_program(&first, &self.directory, &self.python)
            .ok_or(StageError::NoProgram { program: first })?;
        let words = words.map(OsString::from);
        // A script of the virtual environment names its interpreter by a path that the user who
        // launches it may not be allowed to enter. The kernel would start it in the same way.
        let beside = program != self.python && program.parent() == self.python.parent();
        if let Some(flags) = beside.then(|| flags_of_script(&program)).flatten() {
            let flags = flags.into_iter().map(OsString::from);
            let args = flags.chain([program.into_os_string()]).chain(words);
            return Ok((self.python.clone(), args.collect()));
        }
        Ok((program, words.collect()))
    }

    /// The files below a tree that the command names, relative to it: the script that is run as
    /// `__main__`, a server's configuration.
    pub(super) fn named_files(&self, app: &App, tree: &Path) -> Vec<PathBuf> {
        let Ok(tree) = fs::canonicalize(tree) else {
            return Vec::new();
        };
        let words = app.command.iter().map(|word| self.expand(word, None));
        words
            .filter_map(|word| fs::canonicalize(self.directory.join(word)).ok())
            .filter(|path| path.is_file())
            .filter_map(|path| path.strip_prefix(&tree).ok().map(Path::to_owned))
            .collect()
    }

    fn expand(&self, word: &str, port: Option<u16>) -> String {
        let port = port.map(|port| port.to_string()).unwrap_or_default();
        word.replace("{python}", &self.python.to_string_lossy())
            .replace("{source}", &self.source().to_string_lossy())
            .replace("{port}", &port)
    }

    fn environment(
        &self,
        app: &App,
        conditions: Conditions,
        port: Option<u16>,
    ) -> Vec<(OsString, OsString)> {
        let mut env: BTreeMap<OsString, OsString> = self.passed.iter().cloned().collect();
        let mut set = |name: &str, value: OsString| env.insert(name.into(), value);
        set("HOME", self.home.clone().into());
        set("TMPDIR", self.tmp.clone().into());
        set("PYTHONHASHSEED", conditions.hash_seed.to_string().into());
        set(
            "COLDSNAKE_PADDING",
            "x".repeat(conditions.padding.into()).into(),
        );
        if self.scenario.prefix != Prefix::Unset {
            set("PYTHONPYCACHEPREFIX", self.prefix().into());
        }
        if self.scenario.write == WriteBytecode::Forbidden {
            set("PYTHONDONTWRITEBYTECODE", "1".into());
        }
        for (name, value) in app.env.iter().chain(&self.scenario.env) {
            set(name, self.expand(value, port).into());
        }
        env.into_iter().collect()
    }
}
