//! What can be read off the words of a command.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;

use crate::suite::{Invocation, is_module_name, module_file, text};

/// Servers whose argument `shop.wsgi:app` names the module that they import.
const SERVERS: [&str; 6] = [
    "daphne",
    "granian",
    "gunicorn",
    "hypercorn",
    "uvicorn",
    "waitress-serve",
];

/// A name for the app: its module, or its script.
pub fn name(words: &[String]) -> String {
    let program = program(words).unwrap_or_default();
    let stem = Path::new(&program).file_stem().unwrap_or_default();
    text::name(&stem.to_string_lossy())
}

/// The script or the module that the interpreter is to run; `None` for code in a word.
fn program(words: &[String]) -> Option<String> {
    let run = Invocation::of(words.get(1..)?).rest;
    let first = run.first()?;
    if first.starts_with("-c") {
        return None;
    }
    let Some(joined) = first.strip_prefix("-m") else {
        return Some(first.clone());
    };
    let module = if joined.is_empty() {
        run.get(1)?
    } else {
        joined
    };
    // The file stem of `a.b` would be `a`; the module's last part tells less than its first.
    Some(module.split('.').next().unwrap_or(module).to_owned())
}

/// Does one of these words name something in this folder by its relative path?
pub fn name_a_file(words: &[String], directory: &Path) -> bool {
    let is_there = |text: &str| {
        !text.is_empty()
            && Path::new(text).is_relative()
            && !text.starts_with('-')
            && directory.join(text).exists()
    };
    words
        .iter()
        .any(|word| is_there(word) || word.split_once('=').is_some_and(|(_, v)| is_there(v)))
}

/// The module that a server imports to find its app, if it lies in the first source folder, which
/// is where the metric `import` looks for it.
pub fn served_module(words: &[String], source: Option<&PathBuf>) -> Option<String> {
    static TARGET: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^([A-Za-z_][\w.]*):[A-Za-z_]\w*").ok());
    let server = program(words)?;
    let server = Path::new(&server).file_name()?.to_str()?;
    if !SERVERS.contains(&server) {
        return None;
    }
    let pattern = TARGET.as_ref()?;
    let found = words.iter().find_map(|word| pattern.captures(word));
    let module = match found.as_ref().and_then(|found| found.get(1)) {
        Some(module) => module.as_str(),
        // gunicorn takes a module alone, and looks for `application` in it.
        None => words.last().filter(|word| is_module_name(word))?,
    };
    module_file(source?, module).map(|_| module.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn an_app_is_named_after_its_module_or_its_script() {
        for (command, expected) in [
            ("{python} -X dev -m shop.serve --port 1", "shop"),
            ("{python} src/run.py", "run"),
            ("{python} /v/bin/django-admin check", "django-admin"),
            ("{python} -mshop 8000", "shop"),
            ("{python} -um shop.serve 8000", "shop"),
            ("{python} -c pass", "app"),
        ] {
            assert_eq!(name(&words(command)), expected);
        }
    }

    #[test]
    fn the_module_of_a_server_is_one_that_is_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("served.py"), "").unwrap();
        let source = folder.path().to_owned();
        let module = |text: &str| served_module(&words(text), Some(&source));
        let served = Some("served".to_owned());
        assert_eq!(module("{python} /v/bin/gunicorn -w2 served:app"), served);
        assert_eq!(module("{python} -m uvicorn served:make()"), served);
        assert_eq!(module("{python} -m gunicorn -w 2 served"), served);
        assert_eq!(module("{python} -m uvicorn other:app"), None);
        assert_eq!(module("{python} tool.py served:app"), None);
    }
}
