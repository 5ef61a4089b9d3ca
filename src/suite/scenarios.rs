//! `[[scenario]]`: the axes of a scenario and their values.

use std::collections::HashSet;
use std::path::Path;

use toml::Spanned;

use super::error::SuiteError;
use super::flags::Flags;
use super::model::*;
use super::validate::SuiteFile;
use super::wire::*;

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
            Place::Stage,
            &[
                ("stage", Place::Stage),
                ("disk", Place::Disk),
                ("tmpfs", Place::Tmpfs),
            ],
        )?;
        let prefix_on = self.choice(
            wire.prefix_on.as_ref(),
            "prefix-on",
            Place::Stage,
            &[
                ("stage", Place::Stage),
                ("disk", Place::Disk),
                ("tmpfs", Place::Tmpfs),
            ],
        )?;
        if let (Some(place), Prefix::Unset, Place::Tmpfs | Place::Disk) =
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
            && [source_on, prefix_on].contains(&Place::Tmpfs)
        {
            return Err(self.wrong(
                place,
                "what lies on a tmpfs cannot be evicted from memory",
                "leave `source-on` and `prefix-on` out, or `page-cache`",
            ));
        }
        let bytecode = match wire.bytecode.as_ref() {
            None => Bytecode::Fresh,
            Some(spanned) => match spanned.get_ref() {
                WireBytecode::State(state) => self.choice(
                    Some(&Spanned::new(spanned.span(), state.clone())),
                    "bytecode",
                    Bytecode::Fresh,
                    &[
                        ("fresh", Bytecode::Fresh),
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
                    ],
                )?,
                WireBytecode::Command(WireBy { by }) => {
                    if by.is_empty() {
                        return Err(self.wrong(
                            spanned,
                            "the command that leaves the bytecode is empty",
                            "give the program and its arguments, such as [\"{python}\", \"task.py\"]",
                        ));
                    }
                    for word in by {
                        self.placeholders(spanned.span().start, word)?;
                    }
                    Bytecode::By(by.clone())
                }
                WireBytecode::Only(WireOnly { only }) => self.only(spanned, only)?,
            },
        };
        let write = match wire.dont_write_bytecode {
            Some(true) => WriteBytecode::Forbidden,
            Some(false) | None => WriteBytecode::Allowed,
        };
        Ok(Scenario {
            name,
            about: wire.about.clone(),
            source,
            source_on,
            bytecode,
            prefix,
            prefix_on,
            write,
            page_cache,
            cpu: self.cpu(wire.cpu.as_ref())?,
            flags: self.flags(wire.flags.as_ref(), app)?,
            env: self.env(&wire.env)?,
        })
    }

    fn flags(&self, given: Option<&Spanned<Vec<String>>>, app: &App) -> Result<Flags, SuiteError> {
        let Some(given) = given else {
            return Ok(Flags::default());
        };
        let flags = Flags::parse(given.get_ref())
            .map_err(|error| self.wrong(given, error.message, error.help))?;
        let program = app.command.first().map(String::as_str);
        if !flags.words().is_empty() && program != Some("{python}") {
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

    fn only<T>(&self, place: &Spanned<T>, modules: &[String]) -> Result<Bytecode, SuiteError> {
        if modules.is_empty() {
            return Err(self.wrong(
                place,
                "no module is named that is to have bytecode",
                "name one, or say bytecode = \"absent\"",
            ));
        }
        let is_part = |part: &str| !part.is_empty() && !part.contains(['/', '\0']);
        if let Some(module) = modules.iter().find(|name| !name.split('.').all(is_part)) {
            return Err(self.wrong(
                place,
                format!("`{module}` is not a module's name"),
                "give what stands after `import`, such as \"models\" or \"shop.models\"",
            ));
        }
        let mut modules = modules.to_vec();
        modules.sort();
        modules.dedup();
        Ok(Bytecode::Only(modules))
    }

    /// Are the modules that scenarios name below the app's source?
    pub(super) fn check_modules(&self, wire: &WireSuite, source: &Path) -> Result<(), SuiteError> {
        for scenario in &wire.scenario {
            let Some(bytecode) = &scenario.bytecode else {
                continue;
            };
            let WireBytecode::Only(WireOnly { only }) = bytecode.get_ref() else {
                continue;
            };
            if let Some(module) = only.iter().find(|name| module_file(source, name).is_none()) {
                return Err(self.wrong(
                    bytecode,
                    format!("there is no module `{module}` below {}", source.display()),
                    "name modules by their path from the source folder: \"shop.models\" is \
                     shop/models.py or shop/models/__init__.py",
                ));
            }
        }
        Ok(())
    }
}
