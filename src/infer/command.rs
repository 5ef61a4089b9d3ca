//! From the words of a command to its interpreter: through `env`, shims, links and first lines.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use super::{InferError, Request, find_program};
use crate::python::Python;
use crate::python::environment::CallerEnvironment;
use crate::python::shebang::{self, Interpreter, Shebang, is_interpreter_name};

/// A command whose interpreter is known.
#[derive(Debug, Clone)]
pub struct Resolved {
    pub python: Python,
    /// `{python}` and the words that follow it.
    pub words: Vec<String>,
    /// How many of them stand for the program: `{python}`, and an installed script with its flags.
    pub fixed: usize,
    /// Variables that stood before the command.
    pub env: BTreeMap<String, String>,
}

/// What the first word of a command is.
enum Program {
    Interpreter(PathBuf),
    Script {
        path: PathBuf,
        interpreter: PathBuf,
        flags: Vec<String>,
    },
}

/// Finds the interpreter.
///
/// # Errors
/// When there is no such program, or it is none of Python's.
pub fn resolve(request: &Request<'_>, caller: &CallerEnvironment) -> Result<Resolved, InferError> {
    let (env, words) = variables(request.words)?;
    let (first, rest) = words.split_first().ok_or(InferError::Empty)?;
    let path = find_program(first, request).ok_or_else(|| InferError::NoProgram {
        program: first.clone(),
    })?;
    let mut words = vec!["{python}".to_owned()];
    let found = match program(path, request, caller)? {
        Program::Interpreter(path) => path,
        Program::Script {
            path,
            interpreter,
            flags,
        } => {
            words.extend(flags);
            words.push(path.to_string_lossy().into_owned());
            interpreter
        }
    };
    let python = Python::find(Some(request.python.unwrap_or(&found)), caller)?;
    let fixed = words.len();
    words.extend(rest.iter().cloned());
    Ok(Resolved {
        python,
        words,
        fixed,
        env,
    })
}

/// `env A=b CMD`, `A=b CMD`: the variables, and the rest.
fn variables(words: &[String]) -> Result<(BTreeMap<String, String>, &[String]), InferError> {
    let is_env = |word: &String| Path::new(word).file_name() == Some(OsStr::new("env"));
    let mut rest = match words.split_first() {
        Some((first, rest)) if is_env(first) => rest,
        _ => words,
    };
    let mut env = BTreeMap::new();
    while let Some((word, after)) = rest.split_first() {
        if word.starts_with('-') {
            return Err(InferError::Env {
                word: word.clone(),
                help: "give the variables and the command alone, such as `-- env A=b python -m myapp`",
            });
        }
        match word.split_once('=') {
            Some((name, value)) if is_variable(name) => {
                env.insert(name.to_owned(), value.to_owned());
                rest = after;
            }
            _ => break,
        }
    }
    Ok((env, rest))
}

/// Can this be a variable's name?
fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn program(
    path: PathBuf,
    request: &Request<'_>,
    caller: &CallerEnvironment,
) -> Result<Program, InferError> {
    let is_called_so = |path: &Path| path.file_name().is_some_and(is_interpreter_name);
    if path.is_dir() {
        return Err(InferError::NotPython {
            path,
            what: "a folder".to_owned(),
        });
    }
    if is_called_so(&path) {
        return Ok(Program::Interpreter(path));
    }
    let start = shebang::beginning(&path)?;
    if !start.starts_with(b"#!") {
        // A link by another name may still lead to one.
        return match fs::canonicalize(&path) {
            Ok(target) if is_called_so(&target) => Ok(Program::Interpreter(path)),
            _ => Err(InferError::NotPython {
                what: match start.get(..4) {
                    Some(b"\x7fELF") => "a program for the processor itself".to_owned(),
                    _ => "a file without a first line that names an interpreter".to_owned(),
                },
                path,
            }),
        };
    }
    let text = String::from_utf8_lossy(&start);
    if let Some(target) = behind_shim(&path, &text, caller) {
        return program(target, request, caller);
    }
    match shebang::parse(&text, &path) {
        Shebang::Python { interpreter, flags } => {
            let interpreter = match interpreter {
                Interpreter::Path(path) => path,
                Interpreter::Name(name) => {
                    find_program(&name, request).ok_or(InferError::NoProgram { program: name })?
                }
            };
            Ok(Program::Script {
                path,
                interpreter,
                flags,
            })
        }
        Shebang::Other(name) => Err(InferError::NotPython {
            path,
            what: format!("a script for {name}"),
        }),
    }
}

/// What pyenv starts in place of this file, if it is one of its shims.
fn behind_shim(path: &Path, text: &str, caller: &CallerEnvironment) -> Option<PathBuf> {
    if path.parent()?.file_name()? != OsStr::new("shims") {
        return None;
    }
    let quoted = text.split('"').find(|part| part.ends_with("/pyenv"))?;
    let words = [OsStr::new("which"), path.file_name()?];
    let output = caller
        .command(quoted, &words)
        .stdout_capture()
        .stderr_null()
        .run()
        .ok()?;
    let target = String::from_utf8(output.stdout).ok()?;
    let target = PathBuf::from(target.trim());
    // A shim that leads to itself would do so for ever.
    (target.is_file() && target != path).then_some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn variables_before_the_command_are_taken_off() {
        for given in ["env A=b C= python -c A=1", "A=b C= python -c A=1"] {
            let given = words(given);
            let (env, rest) = variables(&given).unwrap();
            assert_eq!(env["A"], "b");
            assert_eq!(env["C"], "");
            assert_eq!(rest, words("python -c A=1"));
        }
        assert!(variables(&words("env -i python")).is_err());
    }
}
