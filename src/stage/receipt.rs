//! Receipts: evidence, from a launch that is not timed, that a scenario's conditions hold.
//!
//! The launch is the same as a timed one but for `hook.py`, which says for each module whether
//! its code came from a pyc or was compiled, and whether a pyc was written.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::StageError;
use super::bytecode::not_as_made;
use super::cache::census;
use super::omission;
use super::scene::{Stage, take_import_time, writes};
use super::seen::{Seen, broken_pyc};
use super::tmpfs::filesystems;
use crate::launch::{Failure, Launcher, Spec};
use crate::python::Part;
use crate::record::format::ReceiptLine;
use crate::suite::{App, LaunchKind, Prefix};

/// The hook's text, and the name by which `site` finds it.
pub const HOOK: &str = include_str!("hook.py");
pub(super) const HOOK_FILE: &str = "sitecustomize.py";
const DONT_WRITE: &str = "PYTHONDONTWRITEBYTECODE";
/// What the hook writes to, in the stage's temporary folder.
const RECEIPT_FILE: &str = "coldsnake-receipt";

impl Stage {
    /// Launches once with the hook, and checks what it saw against what the scenario promises.
    ///
    /// # Errors
    /// When the app cannot be launched, or its receipt is not there.
    pub fn receipt(
        &mut self,
        app: &App,
        kind: LaunchKind,
        launcher: &mut dyn Launcher,
    ) -> Result<ReceiptLine, StageError> {
        let _inside = self.enter()?;
        self.reset()?;
        let not_as_made = not_as_made(self);
        let pycs_before = self.pycs();
        let seen = self.observe(app, kind, Writing::AsTheScenarioSays, launcher)?;
        let pycs_after = self.pycs_now();
        let below_prefix = census(self.prefix());
        self.writes.retain(|(k, _)| *k != kind);
        self.writes.push((kind, writes(pycs_before, pycs_after)));
        let mut violations = self.check(app, &seen, pycs_before, pycs_after, below_prefix);
        violations.extend(
            not_as_made
                .iter()
                .map(|sentence| format!("scenario `{}`: {sentence}", self.scenario.name)),
        );
        if self.page_cache.wants_files() {
            let opened = seen.opened.iter().filter(|path| !self.is_ours(path));
            let opened: Vec<PathBuf> = opened.cloned().collect();
            let written = self.written();
            let wrong = self.page_cache.learn(kind, opened, &written);
            violations.extend(
                wrong.map(|sentence| format!("scenario `{}`: {sentence}", self.scenario.name)),
            );
        }
        let flags = seen.flags(self.scenario.flags.words()).to_vec();
        Ok(ReceiptLine {
            scenario: self.scenario.name.clone(),
            launch: kind.name().to_owned(),
            executable: seen.executable,
            cache_tag: Some(seen.cache_tag).filter(|tag| !tag.is_empty()),
            pycache_prefix: Some(seen.prefix).filter(|prefix| !prefix.is_empty()),
            dont_write_bytecode: seen.dont_write,
            flags,
            modules: seen.modules,
            second_import: seen.second_import,
            pycs_before,
            pycs_after,
            source_filesystem: self.source_filesystem(),
            prefix_filesystem: (self.scenario.prefix != Prefix::Unset)
                .then(|| filesystems(&self.prefix.place).join(" over ")),
            prefix_pycs: below_prefix.pycs,
            prefix_pycache_folders: below_prefix.pycache_folders,
            violations,
        })
    }

    /// Of the first of the app's sources: "overlay" is no answer, so of what lies on what.
    fn source_filesystem(&self) -> Option<String> {
        let source = self.trees.iter().find(|tree| tree.part == Part::App)?;
        Some(filesystems(&source.kept.place).join(" over "))
    }

    /// Is this a file that only launches with the hook open?
    fn is_ours(&self, path: &Path) -> bool {
        path.starts_with(&self.hook) || path == self.tmp.join(RECEIPT_FILE)
    }

    /// What the app loads from outside its own source, seen by launching it without leave to write
    /// any bytecode.
    ///
    /// # Errors
    /// When the app cannot be launched, or its receipt is not there.
    pub(super) fn outside(
        &mut self,
        app: &App,
        kind: LaunchKind,
        launcher: &mut dyn Launcher,
    ) -> Result<Outside, StageError> {
        let _inside = self.enter()?;
        let seen = self.observe(app, kind, Writing::Forbidden, launcher)?;
        let outside = seen
            .with_paths()
            .filter(|(module, _)| module.origin != Part::App.word());
        let mut found = Outside::default();
        for (module, path) in outside {
            found.loaded.push(path.to_owned());
            if module.code == "compiled" {
                found.uncached.push(Uncached {
                    name: module.name.clone(),
                    part: self.origins.part(path),
                    path: path.to_owned(),
                });
            }
        }
        Ok(found)
    }

    /// Has a hook run before what a process is to run: the `sitecustomize` of this folder, or this
    /// file in it where none would be looked for.
    pub(super) fn add_hook(&self, spec: &mut Spec, folder: &Path, file: &str) {
        let mut python_path = OsString::from(folder);
        if let Some(index) = spec.env.iter().position(|(name, _)| name == "PYTHONPATH") {
            python_path.push(":");
            python_path.push(spec.env.remove(index).1);
        }
        spec.env.push(("PYTHONPATH".into(), python_path));
        if spec.program == self.python {
            omission::observe(&mut spec.args, &folder.join(file));
        }
    }

    fn observe(
        &mut self,
        app: &App,
        kind: LaunchKind,
        writing: Writing,
        launcher: &mut dyn Launcher,
    ) -> Result<Seen, StageError> {
        let file = self.tmp.join(RECEIPT_FILE);
        // Of the launch before; there may be none.
        let _ = fs::remove_file(&file);
        let mut spec = self.untimed_spec(app, kind)?;
        let spawned = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        if spec.program == self.python && writing == Writing::Forbidden {
            omission::forbid_writing(&mut spec.args);
        }
        self.add_hook(&mut spec, &self.hook, HOOK_FILE);
        spec.env.extend([
            ("COLDSNAKE_RECEIPT".into(), file.clone().into()),
            ("COLDSNAKE_SPAWNED".into(), spawned.to_string().into()),
        ]);
        if self.page_cache.wants_files() {
            spec.env.push(("COLDSNAKE_FILES".into(), "1".into()));
        }
        if let (LaunchKind::Import, Some(module)) = (kind, &app.module) {
            spec.env.push(("COLDSNAKE_AGAIN".into(), module.into()));
        }
        if writing == Writing::Forbidden {
            spec.env.retain(|(name, _)| name != DONT_WRITE);
            spec.env.push((DONT_WRITE.into(), "1".into()));
        }
        let launched = take_import_time(kind, launcher.launch(&spec)?);
        self.learn(launched.precedent);
        if let Err(failure) = launched.outcome {
            let scenario = self.scenario.name.clone();
            let text = fs::read(&file).unwrap_or_default();
            return Err(match broken_pyc(&String::from_utf8_lossy(&text)) {
                Some(pyc) => StageError::BrokenPyc {
                    scenario,
                    pyc: pyc
                        .strip_prefix(self.source())
                        .map_or(pyc.clone(), PathBuf::from),
                    failure: Box::new(failure),
                },
                None => match &app.module {
                    Some(module) if kind == LaunchKind::Import && is_missing(module, &failure) => {
                        StageError::NoModule {
                            scenario,
                            module: module.clone(),
                            failure: Box::new(failure),
                        }
                    }
                    Some(_) | None => StageError::Launch { scenario, failure },
                },
            });
        }
        let failed = |reason: String| StageError::Receipt {
            scenario: self.scenario.name.clone(),
            reason,
        };
        let bytes = fs::read(&file).map_err(|error| {
            failed(format!(
                "the interpreter did not load the hook ({error}); does the command start an \
                 interpreter of its own with PYTHONPATH switched off (-I, -E, -S)?"
            ))
        })?;
        Seen::parse(&String::from_utf8_lossy(&bytes), &self.origins).map_err(failed)
    }
}

/// Is it the module that is to be timed, or a package above it, that an import did not find?
fn is_missing(module: &str, failure: &Failure) -> bool {
    let told = failure.to_string();
    let mut names = module.match_indices('.').map(|(at, _)| &module[..at]);
    let is_named = |name: &str| told.contains(&format!("No module named '{name}'"));
    is_named(module) || names.any(is_named)
}

/// What a launch loads from outside the app's own source.
#[derive(Debug, Clone, Default)]
pub(super) struct Outside {
    pub loaded: Vec<PathBuf>,
    /// Those that had to be compiled.
    pub uncached: Vec<Uncached>,
}

/// A module that has no bytecode.
#[derive(Debug, Clone)]
pub(super) struct Uncached {
    pub name: String,
    pub part: Part,
    pub path: PathBuf,
}

/// May an observed launch write bytecode?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    AsTheScenarioSays,
    Forbidden,
}
