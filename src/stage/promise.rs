//! What a scenario promises, and whether a launch's receipt shows it.

use std::path::PathBuf;

use super::cache::Census;
use super::scene::Stage;
use super::seen::Seen;
use super::tmpfs::misplaced;
use crate::python::Part;
use crate::suite::{App, Bytecode, Optimization, Prefix, SourceAccess, WriteBytecode};

/// How many modules a message names.
const NAMED: usize = 3;

impl Stage {
    /// What the scenario promises, line by line.
    pub(super) fn check(
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
                self.prefix().to_str().unwrap_or_default()
            }
        };
        must(
            seen.prefix == wanted_prefix,
            format!(
                "sys.pycache_prefix is {:?} instead of {wanted_prefix:?}",
                seen.prefix
            ),
        );
        if let Some(group) = &self.group {
            must(
                group.is_among(&seen.groups),
                "the process was not in the control group that limits its CPU time".to_owned(),
            );
            let wrong = group.not_as_made();
            must(wrong.is_none(), wrong.unwrap_or_default());
        }
        let sources = self.trees.iter().filter(|tree| tree.part == Part::App);
        let sources =
            sources.map(|tree| ("the app's source", &tree.kept.place, scenario.source_on));
        let below = ("the prefix", &self.prefix.place, scenario.prefix_on);
        for (what, place, medium) in sources.chain([below]) {
            let misplaced = misplaced(what, place, medium);
            must(misplaced.is_none(), misplaced.unwrap_or_default());
        }
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

        let kept: Vec<PathBuf> = self
            .trees
            .iter()
            .flat_map(|tree| self.named_files(app, tree.path()))
            .collect();
        let is_sourceless = |part: &Part| *part.state(scenario) == Bytecode::Sourceless;
        let sourceless: Vec<&str> = Part::ALL
            .into_iter()
            .filter(is_sourceless)
            .map(Part::word)
            .collect();
        // A prefix does not hide what stands in the place of a source.
        let read = seen.names(|m| m.code == "read" && !sourceless.contains(&m.origin.as_str()));
        let compiled = seen.names(|m| m.code == "compiled");
        for part in Part::ALL.into_iter().filter(is_sourceless) {
            let compiled = seen.names(|m| {
                m.origin == part.word() && m.code == "compiled" && !is_one_of(&m.name, &kept)
            });
            must(
                compiled.is_empty(),
                format!(
                    "{} compiled, where no source should be left",
                    were(&compiled, whose(part))
                ),
            );
        }
        match scenario.prefix {
            Prefix::Unset => {
                for part in Part::ALL {
                    for (holds, sentence) in self.part_holds(part, seen) {
                        must(holds, sentence);
                    }
                }
                if let Some(wanted) = refusal(scenario.source) {
                    let others = seen.names(|m| {
                        m.origin == Part::App.word()
                            && m.write.as_ref().is_some_and(|write| write != wanted)
                    });
                    must(
                        others.is_empty(),
                        format!("{} not refused with {wanted}", were(&others, "")),
                    );
                }
            }
            Prefix::Empty | Prefix::Unwritable => {
                // A server's second process reads what its first has just written.
                let own = seen.names_written();
                let foreign: Vec<&str> = read
                    .into_iter()
                    .filter(|name| !own.contains(name))
                    .collect();
                must(
                    foreign.is_empty(),
                    format!(
                        "{} read from a pyc, though the prefix is empty",
                        were(&foreign, "")
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
                Prefix::Unset => scenario.source.is_read_only(),
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

    /// Without a prefix: does the launch show the state that the scenario gives this part's bytecode?
    fn part_holds(&self, part: Part, seen: &Seen) -> Vec<(bool, String)> {
        let level = self.scenario.optimization();
        let of_part =
            |code: &'static str| seen.names(move |m| m.origin == part.word() && m.code == code);
        let (mut read, compiled) = (of_part("read"), of_part("compiled"));
        // Of several processes one may read what another has compiled a moment before.
        let own = seen.names_written();
        read.retain(|name| !own.contains(name));
        let none_compiled = (
            compiled.is_empty(),
            format!(
                "{} compiled, not read from a pyc",
                were(&compiled, whose(part))
            ),
        );
        let none_read = (
            read.is_empty(),
            format!("{} read from a pyc", were(&read, whose(part))),
        );
        match part.state(&self.scenario) {
            Bytecode::Fresh | Bytecode::UncheckedHash | Bytecode::CheckedHash => {
                vec![none_compiled]
            }
            Bytecode::Absent | Bytecode::StaleMtime | Bytecode::StaleSize => vec![none_read],
            Bytecode::EmptyPyc | Bytecode::WrongMagic | Bytecode::Corrupt => {
                let kept = seen.names(|m| {
                    m.origin == part.word()
                        && m.code == "compiled"
                        && m.write.as_deref() != Some("written")
                });
                let cannot = self.scenario.writing() == WriteBytecode::Forbidden
                    || self.scenario.source.is_read_only();
                let replaced = (
                    cannot || kept.is_empty(),
                    format!(
                        "{} compiled, and its pyc not replaced",
                        were(&kept, whose(part))
                    ),
                );
                vec![none_read, replaced]
            }
            Bytecode::OtherOptimization if level == Optimization::One => vec![none_compiled],
            Bytecode::OtherOptimization => vec![none_read],
            Bytecode::Only(modules) => {
                let is_one = |name: &&str| modules.iter().any(|module| module == name);
                let (missed, _) = compiled.into_iter().partition::<Vec<_>, _>(is_one);
                let (_, extra) = read.into_iter().partition::<Vec<_>, _>(is_one);
                vec![
                    (
                        missed.is_empty(),
                        format!("{} compiled, not read from a pyc", were(&missed, "")),
                    ),
                    (
                        extra.is_empty(),
                        format!(
                            "{} read from a pyc, and not among those that are to have one",
                            were(&extra, "")
                        ),
                    ),
                    (
                        self.pycs_of(part) == modules.len() as u64,
                        format!(
                            "{} pycs{} were made for {} modules",
                            self.pycs_of(part),
                            if part == Part::App { "" } else { whose(part) },
                            modules.len()
                        ),
                    ),
                ]
            }
            Bytecode::By(_) => vec![(
                self.pycs_of(part) > 0,
                format!(
                    "the command that is to leave bytecode left none{}",
                    whose(part)
                ),
            )],
            // Of sourceless modules it has been said already, as it holds under any prefix.
            Bytecode::Sourceless | Bytecode::AsFound => Vec::new(),
        }
    }
}

/// The error with which the kernel is to refuse writing, where the scenario says by what it is.
fn refusal(access: SourceAccess) -> Option<&'static str> {
    match access {
        SourceAccess::Writable | SourceAccess::ReadOnly => None,
        SourceAccess::ReadOnlyModes => Some("EACCES"),
        SourceAccess::ReadOnlyMount => Some("EROFS"),
    }
}

fn whose(part: Part) -> &'static str {
    match part {
        Part::App => " of the app",
        Part::SitePackages => " of site-packages",
        Part::Stdlib => " of the standard library",
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
pub(super) fn named(names: &[&str]) -> String {
    let shown = names[..names.len().min(NAMED)].join(", ");
    match names.len() {
        1 => format!("the module {shown}"),
        count if count > NAMED => format!("{count} modules ({shown}, …)"),
        count => format!("{count} modules ({shown})"),
    }
}
