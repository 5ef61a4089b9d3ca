//! Where an interpreter finds its modules, and what else it is: asked of two that are to differ in
//! nothing but the place of their standard library.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::PythonError;
use super::environment::CallerEnvironment;
use super::interpreter::ask_for_json;

/// Asked with `-I -B`: as `site` leaves things, with nothing of the environment, and nothing is
/// written. Of what is mapped, libraries alone: other files (locales) come and go.
const QUESTION: &str = r#"
import json, os, sys
with open("/proc/self/maps") as maps:
    mapped = {"/" + line.partition("/")[2].strip() for line in maps if ".so" in line and "/" in line}
print(json.dumps({
    "version": sys.version,
    "flags": str(sys.flags),
    "base_prefix": sys.base_prefix,
    "stdlib": os.path.dirname(os.__file__),
    "path": [[entry, os.path.realpath(entry) if os.path.exists(entry) else None] for entry in sys.path],
    "libraries": sorted(mapped),
}))
"#;

/// What an interpreter says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Bearings {
    /// `sys.version`, with the build's date and compiler.
    version: String,
    flags: String,
    /// Where the interpreter is installed; of a virtual environment, the one that it was made with.
    pub base_prefix: PathBuf,
    /// Where it finds its standard library, by the path that its modules have.
    pub stdlib: PathBuf,
    path: Vec<Entry>,
    libraries: BTreeSet<PathBuf>,
}

/// An entry of `sys.path`, and where it is, if it is there.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Entry(PathBuf, Option<PathBuf>);

/// A folder that another stands for.
#[derive(Debug, Clone, Copy)]
pub struct Moved<'a> {
    pub from: &'a Path,
    pub to: &'a Path,
}

impl Moved<'_> {
    fn path(&self, path: &Path) -> Option<PathBuf> {
        let inside = path.strip_prefix(self.from).ok()?;
        Some(self.to.iter().chain(inside).collect())
    }
}

impl Bearings {
    /// Asks the interpreter at this path.
    ///
    /// # Errors
    /// When it does not answer.
    pub fn ask(path: &Path, caller: &CallerEnvironment) -> Result<Self, PythonError> {
        ask_for_json(path, &["-I", "-B", "-c", QUESTION], caller)
    }

    /// Does a private installation of this interpreter, asked for its own bearings, differ in nothing
    /// but its standard library? `moved` are other folders that have a private copy, or, where
    /// nothing lies, would have one.
    ///
    /// # Errors
    /// A clause that says what else is another.
    pub fn differ_by_stdlib(
        &self,
        private: &Self,
        stdlib: &Path,
        moved: &[Moved<'_>],
    ) -> Result<(), String> {
        if private.stdlib != stdlib {
            return Err(format!(
                "it finds its standard library in {} all the same",
                private.stdlib.display()
            ));
        }
        if (&self.version, &self.flags) != (&private.version, &private.flags) {
            return Err(format!(
                "it is another one there: {}, {} instead of {}, {}",
                private.version, private.flags, self.version, self.flags
            ));
        }
        let lost = self.libraries.difference(&private.libraries);
        let new = private.libraries.difference(&self.libraries);
        if let Some(library) = lost.chain(new).next() {
            return Err(format!(
                "it does not load the same libraries: {}",
                library.display()
            ));
        }
        let own = std::fs::canonicalize(&self.stdlib).unwrap_or_else(|_| self.stdlib.clone());
        let fits = |(of_the_users, of_ours): (&Entry, &Entry)| {
            let found = of_ours.1.as_ref().unwrap_or(&of_ours.0);
            match &of_the_users.1 {
                Some(real) if *real == own => found == stdlib,
                real => {
                    let known = real.as_ref().unwrap_or(&of_the_users.0);
                    found == known || moved.iter().any(|m| m.path(known).as_ref() == Some(found))
                }
            }
        };
        let length = self.path.len();
        let same = length == private.path.len() && self.path.iter().zip(&private.path).all(fits);
        if same {
            return Ok(());
        }
        let shown = |entries: &[Entry]| {
            let entries = entries.iter().map(|entry| entry.0.display().to_string());
            entries.collect::<Vec<_>>().join(":")
        };
        Err(format!(
            "its sys.path is another one there: {} instead of {}",
            shown(&private.path),
            shown(&self.path)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearings(stdlib: &str, path: &[&str]) -> Bearings {
        Bearings {
            version: "3.11.7".to_owned(),
            flags: "sys.flags()".to_owned(),
            base_prefix: "/opt/no-such/py".into(),
            stdlib: stdlib.into(),
            path: path
                .iter()
                .map(|entry| {
                    let is_there = !entry.ends_with(".zip");
                    Entry(entry.into(), is_there.then(|| entry.into()))
                })
                .collect(),
            libraries: BTreeSet::new(),
        }
    }

    const REAL: [&str; 3] = [
        "/opt/no-such/py/lib/python311.zip",
        "/opt/no-such/py/lib/python3.11",
        "/opt/no-such/py/lib/site-packages",
    ];

    fn compared(path: &[&str]) -> Result<(), String> {
        let moved = Moved {
            from: Path::new("/opt/no-such/py"),
            to: Path::new("/stage/base"),
        };
        let stdlib = "/stage/base/lib/python3.11";
        bearings(REAL[1], &REAL).differ_by_stdlib(
            &bearings(stdlib, path),
            Path::new(stdlib),
            &[moved],
        )
    }

    #[test]
    fn nothing_but_the_standard_library_may_lie_elsewhere() {
        let zip = "/stage/base/lib/python311.zip";
        let own = "/stage/base/lib/python3.11";
        let packages = "/opt/no-such/py/lib/site-packages";
        assert_eq!(compared(&[zip, own, packages]), Ok(()));
        for wrong in [
            vec![zip, own],
            vec![zip, own, packages, "/other"],
            vec![zip, "/opt/no-such/py/lib/python3.11", packages],
            vec![zip, own, "/other"],
            vec![own, zip, packages],
        ] {
            let error = compared(&wrong).unwrap_err();
            assert!(error.starts_with("its sys.path is another one"), "{error}");
        }
    }

    #[test]
    fn an_interpreter_that_finds_its_own_library_all_the_same_is_told() {
        let found = bearings(REAL[1], &REAL);
        let error = found
            .differ_by_stdlib(&found, Path::new("/stage/base/lib/python3.11"), &[])
            .unwrap_err();
        assert!(error.contains("all the same"), "{error}");
    }

    #[test]
    fn another_version_or_library_is_told() {
        let real = bearings(REAL[1], &REAL);
        let mut other = real.clone();
        other.libraries.insert("/lib/libpython3.11.so".into());
        let stdlib = Path::new(REAL[1]);
        let error = real.differ_by_stdlib(&other, stdlib, &[]).unwrap_err();
        assert!(error.contains("libpython3.11.so"), "{error}");
        let mut other = real.clone();
        other.version = "3.12.1".to_owned();
        let error = real.differ_by_stdlib(&other, stdlib, &[]).unwrap_err();
        assert!(error.contains("3.12.1"), "{error}");
    }
}
