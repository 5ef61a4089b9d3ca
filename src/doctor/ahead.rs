//! A folder that is looked at while its interpreter is still being asked what it is.
//!
//! To start an interpreter takes about as long as to look at a thousand modules. What it will say is
//! mostly plain from its name, so the folder is looked at by that; and once more from the beginning, if it
//! then says otherwise.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::audit::Audit;
use super::rules::Rules;
use super::subject::{Interpreter, Subject, TreeRequest};
use crate::python::environment::CallerEnvironment;
use crate::python::{Python, PythonError, on_path};

impl Audit {
    /// Looks at a folder of modules, by the rules of the interpreter that is named.
    ///
    /// # Errors
    /// When the interpreter does not work.
    pub fn of_tree(
        request: TreeRequest,
        named: Option<&Path>,
        caller: &CallerEnvironment,
    ) -> Result<(Subject, Self), PythonError> {
        let stop = AtomicBool::new(false);
        let presumed = presumed(named).map(|it| Subject::tree(request.clone(), it));
        let rules = presumed.as_ref().map(|subject| &subject.rules);
        let fits = |python: &Python| {
            let asked = Interpreter::asked(python);
            rules.is_some_and(|rules| are_the_same(rules, &asked, &request))
        };
        let (python, early) = thread::scope(|scope| {
            let asked = scope.spawn(|| {
                let answer = Python::find(named, caller);
                if !answer.as_ref().is_ok_and(fits) {
                    stop.store(true, Ordering::Relaxed);
                }
                answer
            });
            let early = presumed
                .as_ref()
                .and_then(|subject| Self::unless(&stop, subject));
            match asked.join() {
                Ok(answer) => answer.map(|python| (python, early)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })?;
        let early = early.filter(|_| fits(&python));
        let subject = Subject::tree(request, Interpreter::asked(&python));
        let audit = early.unwrap_or_else(|| Self::of(&subject));
        Ok((subject, audit))
    }
}

/// What the interpreter is by its name: `/usr/bin/python3` leads to `python3.11`.
fn presumed(named: Option<&Path>) -> Option<Interpreter> {
    let path = match named {
        Some(path) if path.components().count() > 1 => path.to_owned(),
        Some(name) => on_path(name.as_os_str())?,
        None => on_path(OsStr::new("python3"))?,
    };
    let real = fs::canonicalize(path).ok()?;
    let minor = real.file_name()?.to_str()?.strip_prefix("python3.")?;
    Interpreter::known(&real, minor.parse().ok()?, Path::new("/nowhere"))
}

/// Does an interpreter judge this folder by these rules? Which modules are in its own program, and where
/// the standard library is, counts there alone.
fn are_the_same(rules: &Rules, asked: &Interpreter, request: &TreeRequest) -> bool {
    let stdlib = &asked.stdlib;
    let folder = &request.folder;
    let holds_stdlib = folder.starts_with(stdlib) || stdlib.starts_with(folder);
    let asked = asked.rules(&request.run);
    let presumed = Rules {
        stdlib: asked.stdlib.clone(),
        frozen: asked.frozen.clone(),
        ..rules.clone()
    };
    !holds_stdlib && presumed == asked
}
