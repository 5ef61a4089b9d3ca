//! The interpreter that a script's first lines name.

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

/// So much of a script is read: its first lines.
const BEGINNING: u64 = 4096;

/// Who is to run a script.
#[derive(Debug, PartialEq, Eq)]
pub enum Shebang {
    Python {
        interpreter: Interpreter,
        flags: Vec<String>,
    },
    /// Somebody else, by this name.
    Other(String),
}

/// How an interpreter is named.
#[derive(Debug, PartialEq, Eq)]
pub enum Interpreter {
    Path(PathBuf),
    /// To be looked for on PATH.
    Name(String),
}

/// Is this what interpreters are called?
pub fn is_interpreter_name(name: &OsStr) -> bool {
    static NAME: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^(python|pypy)(\d+(\.\d+)*)?[td]*$").ok());
    NAME.as_ref()
        .zip(name.to_str())
        .is_some_and(|(pattern, name)| pattern.is_match(name))
}

/// How a file begins. What is no file, such as a pipe that nobody writes into, is not waited for.
///
/// # Errors
/// When it cannot be read.
pub fn beginning(path: &Path) -> io::Result<Vec<u8>> {
    let mut start = Vec::new();
    if fs::metadata(path)?.is_file() {
        let file = fs::File::open(path)?;
        file.take(BEGINNING).read_to_end(&mut start)?;
    }
    Ok(start)
}

/// Reads the first lines of a script that begins with `#!`.
pub fn parse(text: &str, script: &Path) -> Shebang {
    let mut lines = text.lines();
    let first = lines.next().unwrap_or_default();
    let mut words = first
        .trim_start_matches("#!")
        .split_whitespace()
        .map(str::to_owned);
    let program = words.next().unwrap_or_default();
    let called = |path: &str| {
        Path::new(path)
            .file_name()
            .unwrap_or_default()
            .to_os_string()
    };
    let name = called(&program);
    if is_interpreter_name(&name) {
        return Shebang::Python {
            interpreter: Interpreter::Path(program.into()),
            flags: words.collect(),
        };
    }
    if name == "env" {
        let mut words = words.skip_while(|word| word.starts_with('-') || word.contains('='));
        let named = words.next().unwrap_or_default();
        if is_interpreter_name(&called(&named)) {
            let interpreter = if named.contains('/') {
                Interpreter::Path(named.into())
            } else {
                Interpreter::Name(named)
            };
            return Shebang::Python {
                interpreter,
                flags: words.collect(),
            };
        }
        return Shebang::Other(named);
    }
    let through_shell = lines.next().and_then(|line| trampoline(line, script));
    through_shell.unwrap_or(Shebang::Other(program))
}

/// The form that pip, distlib and uv write where the interpreter's path is too long for the
/// kernel, or holds a space: a line that is a command for the shell and a string for Python.
///
/// ```text
/// #!/bin/sh
/// '''exec' "/path/to/python" "$0" "$@"
/// ' '''
/// ```
fn trampoline(line: &str, script: &Path) -> Option<Shebang> {
    let command = ["'''exec'", "\"exec\""]
        .iter()
        .find_map(|start| line.trim_start().strip_prefix(start))?
        .trim_start();
    let before_script = &command[..command.rfind(" \"$0\"")?];
    if before_script.contains("$(") {
        // A relocatable environment's script looks for the interpreter beside itself.
        let name = before_script.rsplit('/').next()?.trim_matches(['\'', '"']);
        let folder = fs::canonicalize(script).ok()?.parent()?.to_owned();
        return Some(Shebang::Python {
            interpreter: Interpreter::Path(folder.join(name)),
            flags: Vec::new(),
        });
    }
    let (path, flags) = match before_script.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => before_script.split_once(' ').unwrap_or((before_script, "")),
    };
    Some(Shebang::Python {
        interpreter: Interpreter::Path(path.into()),
        flags: flags.split_whitespace().map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn python(path: &str, flags: &[&str]) -> Shebang {
        Shebang::Python {
            interpreter: Interpreter::Path(path.into()),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        }
    }

    fn parsed(text: &str) -> Shebang {
        parse(text, Path::new("/v/bin/tool"))
    }

    #[test]
    fn interpreters_are_known_by_their_names() {
        for name in ["python", "python3", "python3.11", "python3.13t", "pypy3"] {
            assert!(is_interpreter_name(OsStr::new(name)), "{name}");
        }
        for name in ["python3-config", "ipython", "pythonic", "flask"] {
            assert!(!is_interpreter_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_path_and_its_flags_are_read() {
        assert_eq!(
            parsed("#!/v/bin/python3.11\nx"),
            python("/v/bin/python3.11", &[])
        );
        assert_eq!(
            parsed("#! /usr/bin/python3 -s -u\n"),
            python("/usr/bin/python3", &["-s", "-u"])
        );
    }

    #[test]
    fn env_names_one_on_path() {
        let named = |name: &str, flags: &[&str]| Shebang::Python {
            interpreter: Interpreter::Name(name.to_owned()),
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
        };
        assert_eq!(parsed("#!/usr/bin/env python3\n"), named("python3", &[]));
        assert_eq!(
            parsed("#!/usr/bin/env -S python3 -u\n"),
            named("python3", &["-u"])
        );
        assert_eq!(
            parsed("#!/usr/bin/env node\n"),
            Shebang::Other("node".to_owned())
        );
    }

    #[test]
    fn the_form_for_long_paths_is_looked_through() {
        assert_eq!(
            parsed("#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''\n"),
            python("/a b/bin/python", &[])
        );
        assert_eq!(
            parsed("#!/bin/sh\n'''exec' /long/bin/python3 \"$0\" \"$@\"\n' '''\n"),
            python("/long/bin/python3", &[])
        );
        assert_eq!(
            parsed("#!/bin/sh\necho hello\n"),
            Shebang::Other("/bin/sh".to_owned())
        );
    }

    #[test]
    fn a_relocatable_script_has_its_interpreter_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let folder = fs::canonicalize(folder.path()).unwrap();
        let script = folder.join("tool");
        let text = "#!/bin/sh\n'''exec' \"$(dirname -- \"$(realpath -- \"$0\")\")\"/'python' \
                    \"$0\" \"$@\"\n' '''\n";
        // The folder is gone again by now, so the path cannot be resolved.
        assert_eq!(parse(text, &script), Shebang::Other("/bin/sh".to_owned()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(&script, text).unwrap();
        let beside = folder.join("python");
        assert_eq!(parse(text, &script), python(beside.to_str().unwrap(), &[]));
        fs::remove_dir_all(&folder).unwrap();
    }
}
