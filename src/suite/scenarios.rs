//! `[[scenario]]`: the axes of a scenario and their values.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::SuiteError;
use super::flags::{Flags, Invocation, Omission};
use super::model::*;
use super::validate::SuiteFile;
use super::wire::*;

/// The word that stands for the interpreter.
const INTERPRETER: &str = "{python}";

/// The states that have a name, in the order in which messages list them.
fn named_states() -> [(&'static str, Bytecode); 12] {
    [
        ("fresh", Bytecode::Fresh),
        ("as-found", Bytecode::AsFound),
        ("absent", Bytecode::Absent),
        ("stale-mtime", Bytecode::StaleMtime),
        ("stale-size", Bytecode::StaleSize),
        ("unchecked-hash", Bytecode::UncheckedHash),
        ("checked-hash", Bytecode::CheckedHash),
        ("other-optimization", Bytecode::OtherOptimization),
        ("sourceless", Bytecode::Sourceless),
        ("empty-pyc", Bytecode::EmptyPyc),
        ("wrong-magic", Bytecode::WrongMagic),
        ("corrupt", Bytecode::Corrupt),
    ]
}

impl SuiteFile {
    pub(super) fn scenarios(
        &self,
        wire: &[WireScenario],
        app: &App,
    ) -> Result<Vec<Scenario>, SuiteError> {
        if wire.is_empty() {
            return Err(self.at(
                0,
                "the suite has no scenario",
                "add at least [[scenario]] with a name",
            ));
        }
        let mut names = HashSet::new();
        wire.iter()
            .map(|wire| {
                let name = self.name(&wire.name, "a scenario's name")?;
                if !names.insert(name.clone()) {
                    return Err(self.wrong(
                        &wire.name,
                        format!("there are two scenarios named `{name}`"),
                        "give each its own name",
                    ));
                }
                self.scenario(name, wire, app)
            })
            .collect()
    }

    fn scenario(
        &self,
        name: String,
        wire: &WireScenario,
        app: &App,
    ) -> Result<Scenario, SuiteError> {
        let source = self.choice(
            wire.source.as_ref(),
            "source",
            SourceAccess::Writable,
            &[
                ("writable", SourceAccess::Writable),
                ("read-only", SourceAccess::ReadOnly),
                ("read-only-modes", SourceAccess::ReadOnlyModes),
                ("read-only-mount", SourceAccess::ReadOnlyMount),
            ],
        )?;
        let prefix = self.choice(
            wire.prefix.as_ref(),
            "prefix",
            Prefix::Unset,
            &[
                ("unset", Prefix::Unset),
                ("empty", Prefix::Empty),
                ("warm", Prefix::Warm),
                ("unwritable", Prefix::Unwritable),
            ],
        )?;
        let source_on = self.choice(
            wire.source_on.as_ref(),
            "source-on",
            Medium::Stage,
            &[
                ("stage", Medium::Stage),
                ("disk", Medium::Disk),
                ("tmpfs", Medium::Tmpfs),
            ],
        )?;
        let prefix_on = self.choice(
            wire.prefix_on.as_ref(),
            "prefix-on",
            Medium::Stage,
            &[
                ("stage", Medium::Stage),
                ("disk", Medium::Disk),
                ("tmpfs", Medium::Tmpfs),
            ],
        )?;
        if let (Some(place), Prefix::Unset, Medium::Tmpfs | Medium::Disk) =
            (&wire.prefix_on, prefix, prefix_on)
        {
            return Err(self.wrong(
                place,
                "there is no prefix that could lie there",
                "add `prefix`, such as prefix = \"warm\", or leave `prefix-on` out",
            ));
        }
        let page_cache = self.choice(
            wire.page_cache.as_ref(),
            "page-cache",
            PageCache::Kept,
            &[
                ("kept", PageCache::Kept),
                ("cold", PageCache::Cold),
                ("dropped", PageCache::Dropped),
            ],
        )?;
        if let (Some(place), PageCache::Cold | PageCache::Dropped) = (&wire.page_cache, page_cache)
            && [source_on, prefix_on].contains(&Medium::Tmpfs)
        {
            return Err(self.wrong(
                place,
                "what lies on a tmpfs cannot be evicted from memory",
                "leave `source-on` and `prefix-on` out, or `page-cache`",
            ));
        }
        let flags = self.flags(wire.flags.as_ref(), app)?;
        let write = self.write(wire.dont_write_bytecode.as_ref(), &flags, app)?;
        Ok(Scenario {
            name,
            about: wire.about.clone(),
            python: self.python(wire.python.as_ref())?,
            revision: self.revision(wire)?,
            source,
            source_on,
            bytecode: self.bytecode(wire.bytecode.as_ref(), "bytecode")?,
            site_packages: self.bytecode(wire.site_packages.as_ref(), "site-packages")?,
            stdlib: self.bytecode(wire.stdlib.as_ref(), "stdlib")?,
            prefix,
            prefix_on,
            write,
            page_cache,
            cpu: self.cpu(wire.cpu.as_ref())?,
            flags,
            env: self.env(&wire.env)?,
        })
    }

    /// A path with a slash is relative to the suite's file, as all paths in it are; anything else is
    /// a name on PATH.
    fn python(&self, given: Option<&Spanned<String>>) -> Result<Option<PathBuf>, SuiteError> {
        let Some(given) = given else {
            return Ok(None);
        };
        let text = given.get_ref();
        if text.is_empty() || text.contains('\0') {
            return Err(self.wrong(
                given,
                format!("`{}` is no interpreter", text.escape_default()),
                "give a path, or a name on PATH such as \"python3.13\"",
            ));
        }
        let path = Path::new(text);
        Ok(Some(if text.contains('/') {
            self.path.parent().unwrap_or(Path::new("")).join(path)
        } else {
            path.to_owned()
        }))
    }

    /// What git makes of the name, it says itself.
    fn revision(&self, wire: &WireScenario) -> Result<Option<String>, SuiteError> {
        let Some(given) = &wire.revision else {
            return Ok(None);
        };
        let text = given.get_ref();
        if text.trim().is_empty() || text.contains(|c: char| c.is_control()) {
            return Err(self.wrong(
                given,
                format!("`{}` is no revision", text.escape_default()),
                "give a tag, a branch or a commit, as git takes it",
            ));
        }
        let is_as_found = |given: &Spanned<WireBytecode>| matches!(given.get_ref(), WireBytecode::State(state) if state == "as-found");
        // Its pycs would be taken for stale, and the app for slower at that revision.
        if wire.bytecode.as_ref().is_some_and(is_as_found) {
            return Err(self.wrong(
                given,
                "the bytecode that is found is of the working tree's modules, not of that revision's",
                "give `bytecode` another state, such as \"fresh\", or leave `revision` out",
            ));
        }
        Ok(Some(text.clone()))
    }

    /// The state of the app's own bytecode, or of what is installed.
    fn bytecode(
        &self,
        given: Option<&Spanned<WireBytecode>>,
        key: &str,
    ) -> Result<Bytecode, SuiteError> {
        let Some(given) = given else {
            return Ok(Bytecode::Fresh);
        };
        match given.get_ref() {
            WireBytecode::State(state) => self.choice(
                Some(&Spanned::new(given.span(), state.clone())),
                key,
                Bytecode::Fresh,
                &named_states(),
            ),
            WireBytecode::Command(WireBy { by }) => {
                if by.is_empty() {
                    return Err(self.wrong(
                        given,
                        "the command that leaves the bytecode is empty",
                        "give the program and its arguments, such as [\"{python}\", \"task.py\"]",
                    ));
                }
                for word in by {
                    self.placeholders(given.span().start, word)?;
                }
                Ok(Bytecode::By(by.clone()))
            }
            WireBytecode::Only(WireOnly { only }) => self.only(given, only, key),
        }
    }

    /// What `PYTHONDONTWRITEBYTECODE` is to say, if the interpreter asks.
    fn write(
        &self,
        given: Option<&Spanned<bool>>,
        flags: &Flags,
        app: &App,
    ) -> Result<WriteBytecode, SuiteError> {
        let Some(given) = given.filter(|given| *given.get_ref()) else {
            return Ok(WriteBytecode::Allowed);
        };
        let words = match app.command.split_first() {
            Some((program, words)) if program == INTERPRETER => words,
            Some(_) | None => &[],
        };
        let omission = flags.omission().max(Invocation::of(words).omission);
        if omission == Omission::Environment {
            return Err(self.wrong(
                given,
                "under -I or -E the interpreter does not look at PYTHONDONTWRITEBYTECODE",
                "leave it out, and add \"-B\" to `flags`",
            ));
        }
        Ok(WriteBytecode::Forbidden)
    }

    fn flags(&self, given: Option<&Spanned<Vec<String>>>, app: &App) -> Result<Flags, SuiteError> {
        let Some(given) = given else {
            return Ok(Flags::default());
        };
        let flags = Flags::parse(given.get_ref())
            .map_err(|error| self.wrong(given, error.message, error.help))?;
        let program = app.command.first().map(String::as_str);
        if !flags.words().is_empty() && program != Some(INTERPRETER) {
            return Err(self.wrong(
                given,
                format!(
                    "the interpreter's flags have no place in a command that starts with `{}`",
                    program.unwrap_or_default()
                ),
                "let app.command start with \"{python}\", such as [\"{python}\", \"-m\", \"flask\", \"run\"]",
            ));
        }
        Ok(flags)
    }
}
