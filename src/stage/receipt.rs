//! Receipts: evidence, from a launch that is not timed, that a scenario's conditions hold.
//!
//! The launch is the same as a timed one but for `hook.py`, which says for each module whether
//! its code came from a pyc or was compiled, and whether a pyc was written.

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::StageError;
use super::bytecode::not_as_made;
use super::cache::{Census, census};
use super::command::UNTIMED;
use super::scene::{Stage, take_import_time, writes};
use super::seen::Seen;
use crate::launch::Launcher;
use crate::record::format::ReceiptLine;
use crate::suite::{App, Bytecode, LaunchKind, Optimization, Prefix, SourceAccess, WriteBytecode};

/// The hook's text; it lies in the stage as `sitecustomize.py`.
pub(super) const HOOK: &str = include_str!("hook.py");
const DONT_WRITE: &str = "PYTHONDONTWRITEBYTECODE";
/// How many modules a message names.
const NAMED: usize = 3;

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
        self.reset()?;
        let not_as_made = not_as_made(self);
        let pycs_before = self.pycs();
        let seen = self.observe(app, kind, Writing::AsTheScenarioSays, launcher)?;
        let pycs_after = self.pycs();
        let below_prefix = census(&self.prefix);
        self.writes.retain(|(k, _)| *k != kind);
        self.writes.push((kind, writes(pycs_before, pycs_after)));
        let mut violations = self.check(app, &seen, pycs_before, pycs_after, below_prefix);
        violations.extend(
            not_as_made
                .iter()
                .map(|sentence| format!("scenario `{}`: {sentence}", self.scenario.name)),
        );
        let flags = seen.flags(self.scenario.flags.words()).to_vec();
        Ok(ReceiptLine {
            scenario: self.scenario.name.clone(),
            launch: kind.name().to_owned(),
            executable: seen.executable,
            pycache_prefix: Some(seen.prefix).filter(|prefix| !prefix.is_empty()),
            dont_write_bytecode: seen.dont_write,
            flags,
            modules: seen.modules,
            pycs_before,
            pycs_after,
            prefix_pycs: below_prefix.pycs,
            prefix_pycache_folders: below_prefix.pycache_folders,
            violations,
        })
    }

    /// Is everything outside the app cached? Asked before any launch that may write: a module of
    /// the standard library that has no pyc would get one, and the user's interpreter would not
    /// be what it was.
    ///
    /// # Errors
    /// [`StageError::NotCached`] with the modules that are not.
    pub(super) fn check_outside(
        &self,
        app: &App,
        kind: LaunchKind,
        launcher: &mut dyn Launcher,
    ) -> Result<(), StageError> {
        let seen = self.observe(app, kind, Writing::Forbidden, launcher)?;
        let missing = seen.names(|m| m.origin != "app" && m.code == "compiled");
        if missing.is_empty() {
            return Ok(());
        }
        let level = self.scenario.optimization();
        Err(StageError::NotCached {
            modules: named(&missing),
            kind: match level {
                Optimization::None => "bytecode".to_owned(),
                Optimization::One | Optimization::Two => {
                    format!("bytecode for {} (`*{}.pyc`)", level.flag(), level.tag())
                }
            },
            level,
            python: self.python.clone(),
        })
    }

    fn observe(
        &self,
        app: &App,
        kind: LaunchKind,
        writing: Writing,
        launcher: &mut dyn Launcher,
    ) -> Result<Seen, StageError> {
        let file = self.tmp.join("coldsnake-receipt");
        // Of the launch before; there may be none.
        let _ = fs::remove_file(&file);
        let mut spec = self.spec(app, kind, UNTIMED)?;
        let spawned = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let mut python_path = OsString::from(&self.hook);
        if let Some(index) = spec.env.iter().position(|(name, _)| name == "PYTHONPATH") {
            python_path.push(":");
            python_path.push(spec.env.remove(index).1);
        }
        spec.env.extend([
            ("PYTHONPATH".into(), python_path),
            ("COLDSNAKE_RECEIPT".into(), file.clone().into()),
            ("COLDSNAKE_SPAWNED".into(), spawned.to_string().into()),
        ]);
        if writing == Writing::Forbidden {
            spec.env.retain(|(name, _)| name != DONT_WRITE);
            spec.env.push((DONT_WRITE.into(), "1".into()));
        }
        let launched = take_import_time(kind, launcher.launch(&spec)?);
        if let Err(failure) = launched.outcome {
            return Err(StageError::Launch {
                scenario: self.scenario.name.clone(),
                failure,
            });
        }
        let failed = |reason: String| StageError::Receipt {
            scenario: self.scenario.name.clone(),
            reason,
        };
        let bytes = fs::read(&file).map_err(|error| {
            failed(format!(
                "the interpreter did not load the hook ({error}); \
                 does the command switch PYTHONPATH off (-I, -E, -S)?"
            ))
        })?;
        Seen::parse(&String::from_utf8_lossy(&bytes), &self.source).map_err(failed)
    }

    /// What the scenario promises, line by line.
    fn check(
        &self,
        app: &App,
        seen: &Seen,
        before: u64,
        after: u64,
        prefix: Census,
    ) -> Vec<String> {
        let mut violations = Vec::new();
        let mut must = |holds: bool, sentence: String| {
            if !holds {
                violations.push(format!("scenario `{}`: {sentence}", self.scenario.name));
            }
        };
        let scenario = &self.scenario;
        let wanted_prefix = match scenario.prefix {
            Prefix::Unset => "",
            Prefix::Empty | Prefix::Warm | Prefix::Unwritable => {
                self.prefix.to_str().unwrap_or_default()
            }
        };
        must(
            seen.prefix == wanted_prefix,
            format!(
                "sys.pycache_prefix is {:?} instead of {wanted_prefix:?}",
                seen.prefix
            ),
        );
        let forbidden = scenario.writing() == WriteBytecode::Forbidden;
        must(
            seen.dont_write == forbidden,
            format!("sys.dont_write_bytecode is {}", seen.dont_write),
        );

        let level = scenario.optimization();
        must(
            seen.optimize == level.number(),
            format!(
                "sys.flags.optimize is {} instead of {}",
                seen.optimize,
                level.number()
            ),
        );
        must(
            seen.flags(scenario.flags.words()) == scenario.flags.words(),
            format!(
                "the process was not started with the flags {}",
                scenario.flags.words().join(" ")
            ),
        );

        let sourceless = scenario.bytecode == Bytecode::Sourceless;
        let kept = self.named_files(app);
        // Of several processes one may read what another has compiled a moment before.
        let own = seen.names(|m| m.write.as_deref() == Some("written"));
        let is_own = |name: &&str| own.contains(name);
        let app = |code: &'static str| seen.names(move |m| m.origin == "app" && m.code == code);
        let others_compiled = seen.names(|m| m.origin != "app" && m.code == "compiled");
        // A prefix does not hide what stands in the place of a source.
        let read = seen.names(|m| m.code == "read" && !(sourceless && m.origin == "app"));
        let compiled = seen.names(|m| m.code == "compiled");
        if sourceless {
            let compiled = seen
                .names(|m| m.origin == "app" && m.code == "compiled" && !is_one_of(&m.name, &kept));
            must(
                compiled.is_empty(),
                format!(
                    "{} compiled, where no source should be left",
                    were(&compiled, " of the app")
                ),
            );
        }
        match scenario.prefix {
            Prefix::Unset => {
                must(
                    others_compiled.is_empty(),
                    format!(
                        "{} compiled, where the scenario says that only the app's \
                         bytecode differs; give the interpreter its pycs with `python -m compileall \
                         -o {}`",
                        were(&others_compiled, " outside the app"),
                        level.number()
                    ),
                );
                match &scenario.bytecode {
                    Bytecode::Fresh | Bytecode::UncheckedHash | Bytecode::CheckedHash => must(
                        app("compiled").is_empty(),
                        format!(
                            "{} compiled, not read from a pyc",
                            were(&app("compiled"), " of the app")
                        ),
                    ),
                    Bytecode::Absent | Bytecode::StaleMtime | Bytecode::StaleSize => {
                        let mut found = app("read");
                        found.retain(|name| !is_own(name));
                        must(
                            found.is_empty(),
                            format!("{} read from a pyc", were(&found, " of the app")),
                        );
                    }
                    Bytecode::Only(modules) => {
                        let is_one = |name: &&str| modules.iter().any(|module| module == name);
                        let (missed, _) =
                            app("compiled").into_iter().partition::<Vec<_>, _>(is_one);
                        let (_, extra) = app("read").into_iter().partition::<Vec<_>, _>(is_one);
                        must(
                            missed.is_empty(),
                            format!("{} compiled, not read from a pyc", were(&missed, "")),
                        );
                        must(
                            extra.is_empty(),
                            format!(
                                "{} read from a pyc, and not among those that are to have one",
                                were(&extra, "")
                            ),
                        );
                        must(
                            before == modules.len() as u64,
                            format!("{before} pycs were made for {} modules", modules.len()),
                        );
                    }
                    Bytecode::OtherOptimization if level == Optimization::One => must(
                        app("compiled").is_empty(),
                        format!(
                            "{} compiled, not read from a pyc of that level",
                            were(&app("compiled"), " of the app")
                        ),
                    ),
                    Bytecode::OtherOptimization => must(
                        app("read").is_empty(),
                        format!("{} read from a pyc", were(&app("read"), " of the app")),
                    ),
                    // Looked at already, as it holds under any prefix.
                    Bytecode::Sourceless => {}
                    Bytecode::By(_) => must(
                        before > 0,
                        "the command that is to leave bytecode left none".to_owned(),
                    ),
                }
            }
            Prefix::Empty | Prefix::Unwritable => {
                let mut found = read;
                found.retain(|name| !is_own(name));
                must(
                    found.is_empty(),
                    format!(
                        "{} read from a pyc, though the prefix is empty",
                        were(&found, "")
                    ),
                );
            }
            Prefix::Warm => must(
                compiled.is_empty(),
                format!(
                    "{} compiled, though the prefix is warm",
                    were(&compiled, "")
                ),
            ),
        }

        let cannot_write = forbidden
            || match scenario.prefix {
                Prefix::Unset => scenario.source == SourceAccess::ReadOnly,
                Prefix::Unwritable => true,
                Prefix::Empty | Prefix::Warm => false,
            };
        must(
            !cannot_write || before == after,
            format!(
                "{} pycs were written, where none can be",
                after.abs_diff(before)
            ),
        );
        must(
            forbidden || scenario.prefix != Prefix::Empty || prefix.pycs > 0,
            "nothing was written below the prefix".to_owned(),
        );
        violations
    }
}

/// Is this the module of one of these files? It may be imported from the file's own folder.
fn is_one_of(module: &str, files: &[PathBuf]) -> bool {
    files.iter().any(|file| {
        let path = file.with_extension("");
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
        module == parts.join(".") || parts.last().is_some_and(|last| module == last)
    })
}

/// "3 modules (a, b, c) of the app were", "the module a of the app was"
fn were(names: &[&str], whose: &str) -> String {
    let verb = if names.len() == 1 { "was" } else { "were" };
    format!("{}{whose} {verb}", named(names))
}

/// "3 modules (a, b, c)", "the module a"
fn named(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len() {
        1 => format!("the module {shown}"),
        count if count > NAMED => format!("{count} modules ({shown}, …)"),
        count => format!("{count} modules ({shown})"),
    }
}

/// May an observed launch write bytecode?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    AsTheScenarioSays,
    Forbidden,
}
