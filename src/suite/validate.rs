//! From the TOML as written to a consistent [`Suite`], or to a message with file and line.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use toml::Spanned;

use super::error::SuiteError;
use super::model::*;
use super::quantity::{Fraction, Margin, QuantityError, format_duration, parse_duration};
use super::wire::*;

const DEFAULT_BUDGET: Duration = Duration::from_secs(90);
const DEFAULT_PRECISION: &str = "2%";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);
const DEFAULT_MIN_BLOCKS: u32 = 20;
const DEFAULT_MAX_BLOCKS: u32 = 10_000;
/// The only placeholders in commands and environments; there is no shell anywhere.
const PLACEHOLDERS: [&str; 3] = ["python", "port", "source"];

/// A suite's text and where it stands, for messages.
#[derive(Debug, Clone)]
pub struct SuiteFile {
    path: PathBuf,
    text: String,
}

/// What the command line changes about a suite.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    pub baseline: Option<String>,
    /// Scenarios to keep; empty keeps all. The baseline is always kept.
    pub only: Vec<String>,
    pub budget: Option<Duration>,
    pub precision: Option<Fraction>,
    pub max_blocks: Option<u32>,
}

impl Overrides {
    fn is_empty(&self) -> bool {
        let Self {
            baseline,
            only,
            budget,
            precision,
            max_blocks,
        } = self;
        baseline.is_none()
            && only.is_empty()
            && budget.is_none()
            && precision.is_none()
            && max_blocks.is_none()
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
        let wire: WireSuite = toml::from_str(&self.text).map_err(|error| self.syntax(&error))?;
        let app = self.app(&wire.app)?;
        let scenarios = self.scenarios(&wire.scenario)?;
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
        let mut wire: WireSuite =
            toml::from_str(&self.text).map_err(|error| self.syntax(&error))?;
        let text = |text: String| Some(Spanned::new(0..0, text));
        wire.measure.baseline = text(baseline.clone());
        if let Some(budget) = overrides.budget {
            wire.measure.budget = text(format_duration(budget));
        }
        if let Some(precision) = overrides.precision {
            wire.measure.precision = text(precision.to_string());
        }
        if let Some(max_blocks) = overrides.max_blocks {
            wire.measure.max_blocks = Some(Spanned::new(0..0, i64::from(max_blocks)));
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
        let text = toml::to_string(&wire).map_err(|error| SuiteError::Option {
            message: format!("the changed suite cannot be written: {error}"),
            help: "report this as a bug, with the suite".to_owned(),
        })?;
        Ok(Self::from_text(&self.path, text))
    }

    /// Is what the suite names on disk there?
    ///
    /// # Errors
    /// When the app's source is no folder, or its requirements no file.
    pub fn check_paths(&self, suite: &Suite) -> Result<(), SuiteError> {
        let key_offset = |key: &str| {
            self.text
                .find(&format!("\n{key}"))
                .map_or(0, |newline| newline + 1)
        };
        if !suite.app.source.is_dir() {
            return Err(self.at(
                key_offset("source"),
                format!(
                    "the app's source {} is not a folder",
                    suite.app.source.display()
                ),
                "give the folder that holds the app's modules, relative to this file",
            ));
        }
        match &suite.app.requirements {
            Some(path) if !path.is_file() => Err(self.at(
                key_offset("requirements"),
                format!("there is no requirements file {}", path.display()),
                "give a file with pinned requirements, relative to this file, or leave the key out",
            )),
            _ => Ok(()),
        }
    }

    fn app(&self, wire: &WireApp) -> Result<App, SuiteError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let name = self.name(&wire.name, "an app's name")?;
        let command = wire.command.get_ref().clone();
        if command.is_empty() {
            return Err(self.wrong(
                &wire.command,
                "the command is empty",
                "give the program and its arguments, such as [\"{python}\", \"run.py\"]",
            ));
        }
        for word in &command {
            self.placeholders(wire.command.span().start, word)?;
        }
        let module = match &wire.module {
            Some(module) if !is_module_name(module.get_ref()) => {
                return Err(self.wrong(
                    module,
                    format!("`{}` is not a module's name", module.get_ref()),
                    "give what stands after `import`, such as \"app\" or \"myapp.main\"",
                ));
            }
            module => module.as_ref().map(|module| module.get_ref().clone()),
        };
        let (ready, ready_timeout) = self.ready(wire.ready.as_ref(), wire, &command)?;
        let timeout = match (&wire.timeout, ready_timeout) {
            (Some(text), _) => self.positive_duration(text)?,
            (None, Some(timeout)) => timeout,
            (None, None) => DEFAULT_TIMEOUT,
        };
        Ok(App {
            name,
            source: folder.join(wire.source.get_ref()),
            requirements: wire
                .requirements
                .as_ref()
                .map(|path| folder.join(path.get_ref())),
            command,
            module,
            ready,
            timeout,
            env: self.env(&wire.env)?,
        })
    }

    fn ready(
        &self,
        wire: Option<&WireReady>,
        app: &WireApp,
        command: &[String],
    ) -> Result<(Readiness, Option<Duration>), SuiteError> {
        let Some(wire) = wire else {
            return Ok((Readiness::Exit, None));
        };
        let path = wire.http.get_ref();
        if !path.starts_with('/') || path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(self.wrong(
                &wire.http,
                format!("`{path}` is not the path of a request"),
                "give a path that starts with a slash, such as \"/login\"",
            ));
        }
        let status = wire.status.as_ref().map_or(200, |status| *status.get_ref());
        if !(100..=599).contains(&status) {
            return Err(self.at(
                wire.status.as_ref().map_or(0, |status| status.span().start),
                format!("{status} is not an HTTP status"),
                "give a status from 100 to 599",
            ));
        }
        let uses_placeholder = command
            .iter()
            .chain(app.env.values().map(Spanned::get_ref))
            .any(|word| word.contains("{port}"));
        let port = match &wire.port {
            Some(port) if *port.get_ref() == 0 => {
                return Err(self.wrong(
                    port,
                    "port 0 is none to connect to",
                    "give the app's port, or leave `port` out and write {port} into the command",
                ));
            }
            Some(port) => Port::Fixed(*port.get_ref()),
            None if uses_placeholder => Port::Picked,
            None => {
                return Err(self.wrong(
                    &wire.http,
                    "the app is to answer over HTTP, but nothing says on which port",
                    "write {port} into the command or env, or give ready.port",
                ));
            }
        };
        let timeout = wire
            .timeout
            .as_ref()
            .map(|text| self.positive_duration(text))
            .transpose()?;
        let ready = Readiness::Http {
            path: path.clone(),
            status,
            port,
        };
        Ok((ready, timeout))
    }

    fn scenarios(&self, wire: &[WireScenario]) -> Result<Vec<Scenario>, SuiteError> {
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
                self.scenario(name, wire)
            })
            .collect()
    }

    fn scenario(&self, name: String, wire: &WireScenario) -> Result<Scenario, SuiteError> {
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
                        ("unchecked-hash", Bytecode::UncheckedHash),
                        ("checked-hash", Bytecode::CheckedHash),
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
            bytecode,
            prefix,
            write,
            env: self.env(&wire.env)?,
        })
    }

    fn measure(
        &self,
        wire: &WireMeasure,
        app: &App,
        scenarios: &[Scenario],
    ) -> Result<Measure, SuiteError> {
        let baseline = match &wire.baseline {
            Some(name) => self.known_scenario(name, scenarios)?,
            None => scenarios[0].name.clone(),
        };
        let metrics = match &wire.metrics {
            Some(names) => {
                let mut metrics = Vec::new();
                for name in names {
                    let metric = self.metric(name)?;
                    self.check_metric(name.span().start, metric, app)?;
                    if !metrics.contains(&metric) {
                        metrics.push(metric);
                    }
                }
                metrics
            }
            None => Metric::ALL
                .into_iter()
                .filter(|metric| match metric {
                    Metric::Ready => app.ready != Readiness::Exit,
                    Metric::Exit => app.ready == Readiness::Exit,
                    Metric::Import => app.module.is_some(),
                })
                .collect(),
        };
        if metrics.is_empty() {
            return Err(self.at(
                0,
                "no metric is measured",
                "give measure.metrics at least one of \"ready\", \"exit\", \"import\"",
            ));
        }
        let blocks = |wire: &Option<Spanned<i64>>, default: u32| match wire {
            None => Ok(default),
            Some(number) => u32::try_from(*number.get_ref())
                .ok()
                .filter(|&number| number >= 1)
                .ok_or_else(|| {
                    self.wrong(
                        number,
                        format!("{} is not a number of blocks", number.get_ref()),
                        "give a whole number of at least 1",
                    )
                }),
        };
        let max_blocks = blocks(&wire.max_blocks, DEFAULT_MAX_BLOCKS)?;
        Ok(Measure {
            baseline,
            metrics,
            budget: match &wire.budget {
                Some(text) => self.positive_duration(text)?,
                None => DEFAULT_BUDGET,
            },
            precision: match &wire.precision {
                Some(text) => self.quantity(text, Fraction::parse)?,
                None => Fraction::parse(DEFAULT_PRECISION)
                    .map_err(|error| self.at(0, error.to_string(), ""))?,
            },
            min_blocks: blocks(&wire.min_blocks, DEFAULT_MIN_BLOCKS)?.min(max_blocks),
            max_blocks,
        })
    }

    fn check_metric(&self, offset: usize, metric: Metric, app: &App) -> Result<(), SuiteError> {
        let (message, help) = match metric {
            Metric::Ready if app.ready == Readiness::Exit => (
                "the metric `ready` needs to know when the app is ready",
                "add app.ready, such as ready = { http = \"/\", status = 200 }",
            ),
            Metric::Exit if app.ready != Readiness::Exit => (
                "the metric `exit` is for apps that end by themselves, and this one serves",
                "measure \"ready\", or take app.ready out",
            ),
            Metric::Import if app.module.is_none() => (
                "the metric `import` needs to know what to import",
                "add app.module, such as module = \"app\"",
            ),
            Metric::Ready | Metric::Exit | Metric::Import => return Ok(()),
        };
        Err(self.at(offset, message, help))
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

    fn env(
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
    fn placeholders(&self, offset: usize, word: &str) -> Result<(), SuiteError> {
        if word.contains('\0') {
            return Err(self.at(offset, "a NUL cannot be passed to a program", "take it out"));
        }
        for piece in word.split('{').skip(1) {
            let Some((name, _)) = piece.split_once('}') else {
                continue;
            };
            let looks_like_one = !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase());
            if looks_like_one && !PLACEHOLDERS.contains(&name) {
                return Err(self.at(
                    offset,
                    format!("there is no placeholder {{{name}}}"),
                    "the placeholders are {python}, {port} and {source}",
                ));
            }
        }
        Ok(())
    }

    pub(super) fn name(&self, name: &Spanned<String>, what: &str) -> Result<String, SuiteError> {
        let text = name.get_ref();
        let fits = !text.is_empty()
            && text.len() <= 48
            && text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_.+".contains(&b));
        if fits {
            return Ok(text.clone());
        }
        Err(self.wrong(
            name,
            format!("`{text}` cannot be {what}"),
            "use letters, digits and - _ . + (48 at most), a letter or digit first",
        ))
    }

    fn choice<T: Clone>(
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

    fn positive_duration(&self, text: &Spanned<String>) -> Result<Duration, SuiteError> {
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
            _ => (
                message,
                "scenarios/README.md describes the format".to_owned(),
            ),
        };
        self.at(offset, message, help)
    }
}

fn is_module_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
