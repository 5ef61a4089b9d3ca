//! Which Python program a command of `ExecStart=` starts: interpreter, flags, and what is run.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::command::ExecCommand;
use super::host::Host;
use crate::python::shebang::{self, Shebang, is_interpreter_name};
use crate::suite::{Flags, Invocation, Omission};

/// How the interpreter comes into a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interpreter {
    /// Named by the command, or by the first lines of the script that the command names.
    Named(PathBuf),
    /// A script that is not here, most likely an entry point of a virtual environment.
    OfMissingScript(PathBuf),
    /// The program is none that Python runs, as far as can be seen.
    None,
}

/// A command, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Program {
    pub interpreter: Interpreter,
    /// The interpreter's flags.
    pub flags: Vec<String>,
    pub omission: Omission,
    /// Of `-X pycache_prefix=`.
    pub prefix: Option<String>,
    /// The words of a suite's command; the first is `{python}` where the interpreter is known.
    pub words: Vec<String>,
}

impl Program {
    /// Does the interpreter ignore `PYTHON*` variables?
    pub fn ignores_environment(&self) -> bool {
        self.omission == Omission::Environment
    }

    /// Takes a command apart.
    pub fn of(command: &ExecCommand, host: &Host) -> Self {
        let mut words = command.words.as_slice();
        if let [env, program, ..] = words
            && base_name(env) == "env"
            && !program.starts_with('-')
            && !program.contains('=')
        {
            words = &words[1..];
        }
        let mut program = Self {
            interpreter: Interpreter::None,
            flags: Vec::new(),
            omission: Omission::None,
            prefix: None,
            words: Vec::new(),
        };
        let (first, rest) = words.split_first().unwrap_or((&command.words[0], &[]));
        let file = host.file(Path::new(first));
        if is_python(first) {
            program.interpreter = Interpreter::Named(first.into());
            program.take(rest);
        } else if let Some((interpreter, mut behind)) = interpreter_of(&file) {
            program.interpreter = Interpreter::Named(interpreter);
            behind.push(first.clone());
            behind.extend(rest.iter().cloned());
            program.take(&behind);
        } else if !file.exists() && first.starts_with('/') && is_entry_point(Path::new(first)) {
            // Looked for beside the interpreter, as it stands in a virtual environment here.
            program.interpreter = Interpreter::OfMissingScript(first.into());
            program.words.push(base_name(first).to_owned());
            program.words.extend(rest.iter().cloned());
        } else {
            program.words.extend(words.iter().cloned());
        }
        program
    }

    /// Takes the words after the interpreter.
    fn take(&mut self, words: &[String]) {
        self.words.push("{python}".to_owned());
        let taken = Invocation::of(words);
        self.flags = taken.flags;
        self.omission = taken.omission;
        self.prefix = taken.prefix;
        self.words.extend(taken.rest);
    }

    /// The flags, read. What cannot be among a scenario's is told when the suite is.
    pub fn read_flags(&self) -> Flags {
        Flags::parse(&self.flags).unwrap_or_default()
    }

    /// The words that may name a file or a module of the app, without the program.
    pub fn arguments(&self) -> &[String] {
        self.words.get(1..).unwrap_or_default()
    }

    /// The script that Python is to run: the first word after the interpreter and its flags.
    pub fn script(&self) -> Option<&str> {
        if self.words.first().map(String::as_str) != Some("{python}") {
            return None;
        }
        let script = self.words.get(1)?;
        (!script.starts_with('-')).then_some(script)
    }
}

/// The last part of a path.
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_python(path: &str) -> bool {
    is_interpreter_name(OsStr::new(base_name(path)))
}

/// An entry point of a virtual environment, and no part of the source.
pub(super) fn is_entry_point(script: &Path) -> bool {
    script
        .parent()
        .and_then(Path::file_name)
        .is_some_and(|name| name == "bin")
}

/// The interpreter that a script's first lines name, and its flags.
fn interpreter_of(script: &Path) -> Option<(PathBuf, Vec<String>)> {
    let start = shebang::beginning(script).ok()?;
    let text = String::from_utf8_lossy(&start);
    if !text.starts_with("#!") {
        return None;
    }
    match shebang::parse(&text, script) {
        Shebang::Python { interpreter, flags } => Some((
            match interpreter {
                shebang::Interpreter::Path(path) => path,
                shebang::Interpreter::Name(name) => name.into(),
            },
            flags,
        )),
        Shebang::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    fn program(exec: &str) -> Program {
        let text = format!("[Service]\nExecStart={exec}\n");
        let unit = Unit::from_text(Path::new("app.service"), &text, Host::observe()).unwrap();
        let commands = unit.commands(&unit.environment().unwrap()).unwrap();
        Program::of(&commands[0], &unit.host)
    }

    #[test]
    fn flags_are_told_from_what_is_run() {
        let program =
            program("/venv/bin/python3.11 -OBu -X pycache_prefix=/c -Wd -X dev -IS run.py -v");
        assert_eq!(program.words, ["{python}", "run.py", "-v"]);
        assert_eq!(program.flags, ["-OBu", "-W", "d", "-X", "dev", "-IS"]);
        assert_eq!(program.prefix.as_deref(), Some("/c"));
        assert!(program.ignores_environment());
        assert_eq!(program.script(), Some("run.py"));
    }

    #[test]
    fn a_module_is_what_is_run() {
        let joined = program("/usr/bin/env python3 -um shop -B");
        assert_eq!(joined.words, ["{python}", "-m", "shop", "-B"]);
        assert_eq!(joined.flags, ["-u"]);
        assert_eq!(joined.script(), None);
        assert_eq!(joined.interpreter, Interpreter::Named("python3".into()));
    }

    #[test]
    fn an_entry_point_names_its_interpreter_and_flags_in_its_first_lines() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("shop");
        let path = script.to_str().unwrap();
        for (start, interpreter, flags) in [
            ("#!/v/bin/python3 -Es\n", "/v/bin/python3", &["-Es"][..]),
            ("#!/usr/bin/env python3\n", "python3", &[]),
            (
                "#!/bin/sh\n'''exec' \"/a b/python\" \"$0\" \"$@\"\n' '''\n",
                "/a b/python",
                &[],
            ),
        ] {
            std::fs::write(&script, start).unwrap();
            let program = program(&format!("{path} -B"));
            assert_eq!(program.interpreter, Interpreter::Named(interpreter.into()));
            assert_eq!(program.words, ["{python}", path, "-B"]);
            assert_eq!(program.flags, flags);
        }
    }

    #[test]
    fn an_entry_point_that_is_not_here_is_looked_for_by_its_name() {
        let program = program("/opt/none/bin/gunicorn shop:app");
        assert_eq!(program.words, ["gunicorn", "shop:app"]);
        assert_eq!(
            program.interpreter,
            Interpreter::OfMissingScript("/opt/none/bin/gunicorn".into())
        );
    }
}
