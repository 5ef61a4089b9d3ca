//! The environment of set-up commands and of launched processes.
//!
//! A shell that exports `PYTHONDONTWRITEBYTECODE=1` turns every scenario into another one without
//! a word. So a launched process gets what is on a list and nothing else (pyperf does the same),
//! and set-up commands get everything but `PYTHON*`.

use std::ffi::OsString;

/// Passed on to launched processes, where the caller has them. `LD_LIBRARY_PATH` is among them
/// since some interpreters do not start without it.
const PASSED: [&str; 9] = [
    "LANG",
    "LANGUAGE",
    "LD_LIBRARY_PATH",
    "LOGNAME",
    "PATH",
    "SHELL",
    "TERM",
    "TZ",
    "USER",
];

/// A caller's environment, sorted out.
#[derive(Debug, Clone)]
pub struct CallerEnvironment {
    /// For launched processes.
    pub passed: Vec<(OsString, OsString)>,
    /// Names of the `PYTHON*` variables that were held back.
    pub removed: Vec<String>,
    /// For set-up commands: everything but `PYTHON*`.
    set_up: Vec<(OsString, OsString)>,
}

impl CallerEnvironment {
    /// Sorts out this process's environment.
    pub fn observe() -> Self {
        Self::sort_out(std::env::vars_os())
    }

    fn sort_out(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut all: Vec<_> = variables.into_iter().collect();
        all.sort();
        let is_python = |name: &OsString| name.as_encoded_bytes().starts_with(b"PYTHON");
        let is_passed = |name: &OsString| {
            PASSED.iter().any(|passed| name == passed)
                || name.as_encoded_bytes().starts_with(b"LC_")
        };
        Self {
            passed: all
                .iter()
                .filter(|(name, _)| is_passed(name))
                .cloned()
                .collect(),
            removed: all
                .iter()
                .filter(|(name, _)| is_python(name))
                .map(|(name, _)| name.to_string_lossy().into_owned())
                .collect(),
            set_up: all
                .into_iter()
                .filter(|(name, _)| !is_python(name))
                .collect(),
        }
    }

    /// A set-up command with this environment. It writes no bytecode by the way, so that nothing
    /// of the user's interpreter changes.
    pub fn command(
        &self,
        program: impl Into<OsString>,
        args: &[&std::ffi::OsStr],
    ) -> duct::Expression {
        let program: OsString = program.into();
        duct::cmd(program, args)
            .full_env(self.set_up.iter().cloned())
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .stdin_null()
            .unchecked()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_passed_and_what_python_reads_is_held_back() {
        let caller = CallerEnvironment::sort_out(
            [
                ("PATH", "/bin"),
                ("PYTHONDONTWRITEBYTECODE", "1"),
                ("PYTHONPYCACHEPREFIX", "/x"),
                ("LC_ALL", "C"),
                ("SECRET", "s"),
            ]
            .map(|(name, value)| (name.into(), value.into())),
        );
        let names: Vec<_> = caller.passed.iter().map(|(name, _)| name.clone()).collect();
        assert_eq!(names, ["LC_ALL", "PATH"]);
        assert_eq!(
            caller.removed,
            ["PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"]
        );
        assert!(caller.set_up.iter().any(|(name, _)| name == "SECRET"));
        assert!(
            caller
                .set_up
                .iter()
                .all(|(name, _)| name != "PYTHONPYCACHEPREFIX")
        );
    }
}
