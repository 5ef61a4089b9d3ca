//! Which Python program a command of `ExecStart=` starts: interpreter, flags, and what is run.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::command::ExecCommand;
use super::host::Host;
use crate::suite::{Flags, Invocation};

/// How the interpreter comes into a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Interpreter {
    /// Named by the command, or by the first line of the script that the command names.
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
    /// The interpreter's flags that a scenario can have.
    pub flags: Vec<String>,
    /// Flags that are left out, as no receipt can be taken under them: `-I`, `-E`, `-S`, `-P`.
    pub left_out: Vec<char>,
    /// Of `-X pycache_prefix=`.
    pub prefix: Option<String>,
    /// The words of a suite's command; the first is `{python}` where the interpreter is known.
    pub words: Vec<String>,
}

impl Program {
    /// Does the interpreter ignore `PYTHON*` variables?
    pub fn ignores_environment(&self) -> bool {
        self.left_out.iter().any(|flag| "IE".contains(*flag))
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
            left_out: Vec::new(),
            prefix: None,
            words: Vec::new(),
        };
        let (first, rest) = words.split_first().unwrap_or((&command.words[0], &[]));
        let file = host.file(Path::new(first));
        if is_python(base_name(first)) {
            program.interpreter = Interpreter::Named(first.into());
            program.words.push("{python}".to_owned());
            program.take_flags(rest);
        } else if let Some(interpreter) = first_line(&file) {
            program.interpreter = Interpreter::Named(interpreter);
            program.words.push("{python}".to_owned());
            program.words.push(first.clone());
            program.words.extend(rest.iter().cloned());
        } else if !file.exists() && is_in_bin(first) {
            // Looked for beside the interpreter, as it stands in a virtual environment here.
            program.interpreter = Interpreter::OfMissingScript(first.into());
            program.words.push(base_name(first).to_owned());
            program.words.extend(rest.iter().cloned());
        } else {
            program.words.extend(words.iter().cloned());
        }
        program
    }

    fn take_flags(&mut self, words: &[String]) {
        let taken = Invocation::of(words);
        self.flags = taken.flags;
        self.left_out = taken.left_out;
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

fn is_python(name: &str) -> bool {
    ["python", "pypy"].iter().any(|kind| {
        name.strip_prefix(kind).is_some_and(|version| {
            version
                .chars()
                .all(|c| c.is_ascii_digit() || c == '.' || c == 't')
        })
    })
}

fn is_in_bin(path: &str) -> bool {
    let parent = Path::new(path).parent().and_then(Path::file_name);
    path.starts_with('/') && parent.is_some_and(|name| name == "bin")
}

/// The interpreter that a script's first line names.
fn first_line(file: &Path) -> Option<PathBuf> {
    let mut start = Vec::new();
    fs::File::open(file)
        .ok()?
        .take(512)
        .read_to_end(&mut start)
        .ok()?;
    let line = start.strip_prefix(b"#!")?.split(|b| *b == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let first = words.next()?;
    let interpreter = if base_name(first) == "env" {
        words.next()?
    } else {
        first
    };
    is_python(base_name(interpreter)).then(|| interpreter.into())
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
        assert_eq!(program.flags, ["-OBu", "-W", "d", "-X", "dev"]);
        assert_eq!(program.left_out, ['I', 'S']);
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
    fn an_entry_point_that_is_not_here_is_looked_for_by_its_name() {
        let program = program("/opt/none/bin/gunicorn shop:app");
        assert_eq!(program.words, ["gunicorn", "shop:app"]);
        assert_eq!(
            program.interpreter,
            Interpreter::OfMissingScript("/opt/none/bin/gunicorn".into())
        );
    }
}
