//! From the TOML as written to a consistent [`Suite`], or to a message with file and line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::error::SuiteError;
use super::model::*;
use super::quantity::{Fraction, Margin, QuantityError, format_duration, parse_duration};
use super::text::placeholders;
use super::wire::*;

/// The only placeholders in commands and environments; there is no shell anywhere.
const PLACEHOLDERS: [&str; 3] = ["python", "port", "source"];

/// A suite's text and where it stands, for messages.
#[derive(Debug, Clone)]
pub struct SuiteFile {
    pub(super) path: PathBuf,
    text: String,
}

/// What the command line changes about a suite.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub baseline: Option<String>,
    /// Scenarios to keep; empty keeps all. The baseline is always kept.
    pub only: Vec<String>,
    pub budget: Option<Duration>,
    pub until: Option<Goal>,
    pub precision: Option<Fraction>,
    pub max_blocks: Option<u32>,
    pub counter: Option<Counter>,
}

impl Overrides {
    fn is_empty(&self) -> bool {
        let Self {
            baseline,
            only,
            budget,
            until,
            precision,
            max_blocks,
            counter,
        } = self;
        baseline.is_none()
            && only.is_empty()
            && budget.is_none()
            && until.is_none()
            && precision.is_none()
            && max_blocks.is_none()
            && counter.is_none()
    }
}

impl SuiteFile {
    /// Reads a suite file.
    ///
    /// # Errors
    /// When the file cannot be read as text.
    pub fn read(path: &Path) -> Result<Self, SuiteError> {
        let text = std::fs::read_to_string(path).map_err(|source| SuiteError::Read {
            path: path.to_owned(),
            source,
        })?;
        Ok(Self::from_text(path, text))
    }

    /// A suite whose text is already there: out of a record, or bundled.
    pub fn from_text(path: &Path, text: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            text: text.into(),
        }
    }

    /// The TOML text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The validated suite. Nothing is looked up on disk: a record must be readable where the
    /// app isn't.
    ///
    /// # Errors
    /// The first thing that is wrong, with file and line.
    pub fn suite(&self) -> Result<Suite, SuiteError> {
        let wire = self.wire()?;
        let app = self.app(&wire.app)?;
        let scenarios = self.scenarios(&wire.scenario, &app)?;
        let measure = self.measure(&wire.measure, &app, &scenarios)?;
        let claims = self.claims(&wire.claim, &scenarios, &measure)?;
        Ok(Suite {
            app,
            measure,
            scenarios,
            claims,
        })
    }

    /// This suite with the command line's changes written into it, so that the record holds what
    /// was really measured.
    ///
    /// # Errors
    /// When the suite cannot be read, or a name in the changes is none of its scenarios.
    pub fn with(&self, overrides: &Overrides) -> Result<Self, SuiteError> {
        if overrides.is_empty() {
            return Ok(self.clone());
        }
        let suite = self.suite()?;
        let baseline = overrides
            .baseline
            .as_ref()
            .unwrap_or(&suite.measure.baseline);
        for name in overrides.only.iter().chain([baseline]) {
            if suite.scenario(name).is_none() {
                let known: Vec<&str> = suite.scenarios.iter().map(|s| s.name.as_str()).collect();
                return Err(SuiteError::Option {
                    message: format!("there is no scenario `{name}`"),
                    help: format!("the suite's scenarios are: {}", known.join(", ")),
                });
            }
        }
        let mut wire = self.wire()?;
        let text = |text: String| Some(Spanned::new(0..0, text));
        wire.measure.baseline = text(baseline.clone());
        if let Some(budget) = overrides.budget {
            wire.measure.budget = text(format_duration(budget));
        }
        if let Some(until) = overrides.until {
            wire.measure.until = text(until.name().to_owned());
        }
        if let Some(precision) = overrides.precision {
            wire.measure.precision = text(precision.to_string());
        }
        if let Some(max_blocks) = overrides.max_blocks {
            wire.measure.max_blocks = Some(Spanned::new(0..0, i64::from(max_blocks)));
        }
        if let Some(counter) = overrides.counter {
            wire.measure.counter = text(counter.name().to_owned());
        }
        if !overrides.only.is_empty() {
            let kept = |name: &String| name == baseline || overrides.only.contains(name);
            wire.scenario.retain(|s| kept(s.name.get_ref()));
            // A claim on a scenario that is left out cannot be decided in this run.
            wire.claim
                .retain(|claim| match (&claim.contrast, &claim.scenario) {
                    (Some(pair), _) => kept(pair.from.get_ref()) && kept(pair.to.get_ref()),
                    (None, Some(name)) => kept(name.get_ref()),
                    (None, None) => true,
                });
        }
        self.rewritten(&wire)
    }

    /// The suite's TOML, read.
    pub(super) fn wire(&self) -> Result<WireSuite, SuiteError> {
        toml::from_str(&self.text).map_err(|error| self.syntax(&error))
    }

    /// The same file with other contents.
    pub(super) fn rewritten(&self, wire: &WireSuite) -> Result<Self, SuiteError> {
        let text = toml::to_string(wire).map_err(|error| SuiteError::Option {
            message: format!("the changed suite cannot be written: {error}"),
            help: "report this as a bug, with the suite".to_owned(),
        })?;
        Ok(Self::from_text(
            &self.path,
            format!("{}{text}", self.head_comment()),
        ))
    }

    /// The lines of comment that the suite begins with: where it comes from, and what it leaves
    /// out. Those are part of what a record should hold.
    fn head_comment(&self) -> &str {
        let lines = self.text.split_inclusive('\n');
        let length = lines
            .take_while(|line| line.starts_with('#'))
            .map(str::len)
            .sum();
        &self.text[..length]
    }

    /// Is what the suite names on disk there?
    ///
    /// # Errors
    /// When the app's source is no folder, its requirements no file, or a module that a scenario
    /// names is not there.
    pub fn check_paths(&self, suite: &Suite) -> Result<(), SuiteError> {
        let wire = self.wire()?;
        let place = |key: Option<usize>| key.unwrap_or_default();
        if let Some(source) = suite.app.sources.iter().find(|source| !source.is_dir()) {
            return Err(self.at(
                place(wire.app.source.as_ref().map(|key| key.span().start)),
                format!("the app's source {} is not a folder", source.display()),
                "give the folder that holds the app's modules, relative to this file",
            ));
        }
        if let Some(directory) = suite.app.directory.as_ref().filter(|path| !path.is_dir()) {
            return Err(self.at(
                place(wire.app.directory.as_ref().map(|key| key.span().start)),
                format!(
                    "the app's directory {} is not a folder",
                    directory.display()
                ),
                "give the folder in which it is started, relative to this file",
            ));
        }
        self.check_modules(&wire, &suite.app.sources)?;
        match &suite.app.requirements {
            Some(path) if !path.is_file() => Err(self.at(
                wire.app
                    .requirements
                    .as_ref()
                    .map_or(0, |key| key.span().start),
                format!("there is no requirements file {}", path.display()),
                "give a file with pinned requirements, relative to this file, or leave the key out",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn known_scenario(
        &self,
        name: &Spanned<String>,
        scenarios: &[Scenario],
    ) -> Result<String, SuiteError> {
        if scenarios.iter().any(|s| s.name == *name.get_ref()) {
            return Ok(name.get_ref().clone());
        }
        let known: Vec<&str> = scenarios.iter().map(|s| s.name.as_str()).collect();
        Err(self.wrong(
            name,
            format!("there is no scenario `{}`", name.get_ref()),
            format!("the suite's scenarios are: {}", known.join(", ")),
        ))
    }

    pub(super) fn metric(&self, name: &Spanned<String>) -> Result<Metric, SuiteError> {
        Metric::from_name(name.get_ref()).ok_or_else(|| {
            self.wrong(
                name,
                format!("there is no metric `{}`", name.get_ref()),
                "the metrics are: ready, exit, import",
            )
        })
    }

    pub(super) fn env(
        &self,
        wire: &BTreeMap<String, Spanned<String>>,
    ) -> Result<BTreeMap<String, String>, SuiteError> {
        wire.iter()
            .map(|(name, value)| {
                if name.is_empty() || name.contains(['=', '\0']) || value.get_ref().contains('\0') {
                    return Err(self.wrong(
                        value,
                        format!("`{name}` cannot be set in an environment"),
                        "a name has no `=`, and neither name nor value a NUL",
                    ));
                }
                self.placeholders(value.span().start, value.get_ref())?;
                Ok((name.clone(), value.get_ref().clone()))
            })
            .collect()
    }

    /// Refuses `{something}` that is none of the placeholders. Braces around anything else than
    /// lower-case letters (JSON in an argument, say) are left alone.
    pub(super) fn placeholders(&self, offset: usize, word: &str) -> Result<(), SuiteError> {
        if word.contains('\0') {
            return Err(self.at(offset, "a NUL cannot be passed to a program", "take it out"));
        }
        match placeholders(word).find(|name| !PLACEHOLDERS.contains(name)) {
            Some(name) => Err(self.at(
                offset,
                format!("there is no placeholder {{{name}}}"),
                "the placeholders are {python}, {port} and {source}",
            )),
            None => Ok(()),
        }
    }

    pub(super) fn name(&self, name: &Spanned<String>, what: &str) -> Result<String, SuiteError> {
        let text = name.get_ref();
        let fits = !text.is_empty()
            && text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.+@".contains(&b));
        if fits {
            return Ok(text.clone());
        }
        Err(self.wrong(
            name,
            format!("`{text}` cannot be {what}"),
            "use letters, digits and - _ . + @ (64 at most), a letter or digit first",
        ))
    }

    pub(super) fn choice<T: Clone>(
        &self,
        given: Option<&Spanned<String>>,
        key: &str,
        default: T,
        choices: &[(&str, T)],
    ) -> Result<T, SuiteError> {
        let Some(given) = given else {
            return Ok(default);
        };
        choices
            .iter()
            .find(|(word, _)| word == given.get_ref())
            .map(|(_, value)| value.clone())
            .ok_or_else(|| {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                self.wrong(
                    given,
                    format!("`{}` is no value of `{key}`", given.get_ref()),
                    format!("`{key}` is one of: {}", words.join(", ")),
                )
            })
    }

    pub(super) fn positive_duration(&self, text: &Spanned<String>) -> Result<Duration, SuiteError> {
        let duration = self.quantity(text, parse_duration)?;
        if duration.is_zero() {
            return Err(self.wrong(text, "this must be longer than nothing", "such as \"30s\""));
        }
        Ok(duration)
    }

    pub(super) fn quantity<T>(
        &self,
        text: &Spanned<String>,
        parse: impl Fn(&str) -> Result<T, QuantityError>,
    ) -> Result<T, SuiteError> {
        parse(text.get_ref()).map_err(|error| {
            self.wrong(
                text,
                format!("`{}` is no quantity", error.text),
                format!("give {}", error.wanted),
            )
        })
    }

    pub(super) fn margin(&self, text: &Spanned<String>) -> Result<Margin, SuiteError> {
        self.quantity(text, Margin::parse)
    }

    pub(super) fn wrong<T>(
        &self,
        value: &Spanned<T>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> SuiteError {
        self.at(value.span().start, message, help)
    }

    pub(super) fn at(
        &self,
        offset: usize,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> SuiteError {
        SuiteError::at(&self.path, &self.text, offset, message, help)
    }

    fn syntax(&self, error: &toml::de::Error) -> SuiteError {
        let offset = error.span().map_or(0, |span| span.start);
        let message = error.message().to_owned();
        // serde lists the known names after a comma; as a second sentence it reads as help.
        let (message, help) = match message.split_once(", expected ") {
            Some((what, expected)) if what.starts_with("unknown field") => (
                what.replace("unknown field", "unknown key"),
                format!("expected {expected}"),
            ),
            Some((_, "a sequence")) => (
                message,
                "write a list, such as [\"{python}\", \"main.py\"]".to_owned(),
            ),
            _ => (
                message,
                "scenarios/README.md describes the format".to_owned(),
            ),
        };
        self.at(offset, message, help)
    }
}
