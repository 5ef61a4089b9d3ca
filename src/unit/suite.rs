//! The suite that a unit amounts to.
//!
//! Its baseline, `as-deployed`, is what the unit and the machine say; the other scenarios are what
//! one would compare it with. Why each value is as it is, and what could not be said, stands beside
//! it as a comment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::command::ExecCommand;
use super::deployed::{Deployed, Writing};
use super::environment::{Origin, ServiceEnvironment};
use super::error::UnitError;
use super::parse::Unit;
use super::port;
use super::program::{Interpreter, Program, base_name, is_entry_point};
use super::sandbox::{Access, Lifetime};
use super::source::{Found, Source};
use super::text::{App, write};
use super::unhonoured::socket_beside;
use crate::suite::text::{ScenarioText, list, name, placeholders, with_source};
use crate::suite::without_dont_write;

/// A suite made of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnitSuite {
    /// TOML, with comments.
    pub text: String,
    /// The interpreter that the unit names, if it is on this machine.
    pub python: Option<PathBuf>,
    /// What could not be honoured, a sentence each.
    pub unhonoured: Vec<String>,
}

/// How the service starts as it is deployed, and what bears on its bytecode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AsDeployed {
    pub scenario: ScenarioText,
    /// The interpreter's flags.
    pub flags: Vec<String>,
    /// Where its source lies on the machine that it is deployed to.
    pub source: PathBuf,
    /// Whether its user may write there, by modes and sandbox.
    pub writing: Writing,
    /// What of the sandbox makes the source read-only, whoever owns it.
    pub locked_by: Option<String>,
    /// How long what it writes below its prefix lasts, if it has one.
    pub prefix: Option<Lifetime>,
}

/// What a scenario's own axes stand for.
const AXES: [&str; 3] = [
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONPYCACHEPREFIX",
    "PYTHONOPTIMIZE",
];
/// Folders of a launch are its own.
const PRIVATE: [&str; 2] = ["HOME", "TMPDIR"];

impl Unit {
    /// The suite that launches the app as systemd would, and what one would compare it with.
    ///
    /// # Errors
    /// When the unit cannot be started, or the app's source is not here.
    pub fn suite(&self) -> Result<UnitSuite, UnitError> {
        self.suite_of(standard)
    }

    /// The suite of the scenarios that are made of the service as it is deployed. The first of them is
    /// the baseline.
    ///
    /// # Errors
    /// As [`suite`](Self::suite).
    pub fn suite_of(
        &self,
        scenarios: impl FnOnce(&AsDeployed) -> Vec<ScenarioText>,
    ) -> Result<UnitSuite, UnitError> {
        let environment = self.environment()?;
        let commands = self.commands(&environment)?;
        let is_python = |command: &&ExecCommand| {
            Program::of(command, &self.host).interpreter != Interpreter::None
        };
        let command = commands.iter().find(is_python).unwrap_or(&commands[0]);
        let mut program = Program::of(command, &self.host);
        let mut said = self.unhonoured(&environment, command, commands.len());
        said.extend(socket_beside(self));
        optimize(&mut program, &environment);
        let source = self.source(&program, &environment)?;
        said.extend(source.said.clone());
        said.extend(self.hidden(&source));
        said.extend(self.early(&program));
        let outside = command.is_outside();
        let deployed = self.deployed(&program, &environment, &source, outside);
        let deployed = self.as_deployed(&program, &deployed, &source, outside);
        let python = self.interpreter(&program, &mut said);
        let mut env = env(&environment, &source, &mut said);
        let mut words = self.words(&program, &source);
        let replaced = port::replace(&mut words, &mut env);
        let (ready, ready_because) = self.ready(replaced.is_some(), &mut said);
        if let Some(replaced) = &replaced {
            said.push(format!(
                "`{}` became `{}`: the port of a launch is one that is free",
                replaced.from, replaced.to
            ));
        }
        let requirements = requirements(&source, python.as_deref());
        let app = App {
            name: name(self.name.stem().trim_end_matches('@')),
            source: &source,
            words: &words,
            env: &env,
            ready,
            ready_because,
            requirements,
        };
        Ok(UnitSuite {
            text: write(self, &app, &scenarios(&deployed), &said),
            python,
            unhonoured: said,
        })
    }

    fn as_deployed(
        &self,
        program: &Program,
        deployed: &Deployed,
        source: &Source,
        outside: bool,
    ) -> AsDeployed {
        let has_interpreter = program.words.first().is_some_and(|word| word == "{python}");
        let flags = if has_interpreter {
            program.flags.clone()
        } else {
            Vec::new()
        };
        let why: Vec<&str> = deployed
            .keys
            .iter()
            .map(|key| key.because.as_str())
            .collect();
        let about = if why.is_empty() {
            "the service may write beside its source, so everything is cached".to_owned()
        } else {
            why.join("; ")
        };
        let own = deployed
            .keys
            .iter()
            .map(|key| (key.name, key.value.clone()));
        let listed = (!flags.is_empty()).then(|| ("flags", list(&flags)));
        let locked_by = match self.sandbox().access(&source.deployed) {
            Access::ReadOnly { by } | Access::Inaccessible { by } if !outside => {
                Some(by.to_string())
            }
            Access::ReadOnly { .. } | Access::Inaccessible { .. } | Access::Writable => None,
        };
        AsDeployed {
            scenario: ScenarioText {
                name: "as-deployed",
                about,
                keys: own.chain(listed).collect(),
            },
            flags,
            source: source.here.clone(),
            writing: self.writing_into(source, outside),
            locked_by,
            prefix: deployed.prefix.clone(),
        }
    }

    /// A sandbox that hides the source: systemd would start nothing.
    fn hidden(&self, source: &Source) -> Option<String> {
        let sandbox = self.sandbox();
        let by = match (
            sandbox.access(&source.deployed),
            sandbox.lifetime(&source.deployed),
        ) {
            (Access::Inaccessible { by }, _) | (_, Lifetime::UntilStop { by }) => by,
            _ => return None,
        };
        let folder = source.deployed.display();
        let hidden = format!("{by}: the service itself does not see {folder}; a launch does");
        sandbox
            .own_folder(&source.deployed)
            .is_none()
            .then_some(hidden)
    }

    /// gunicorn's READY=1 comes from its arbiter, and its socket is open before a worker has
    /// imported the app, unless the app is preloaded.
    fn early(&self, program: &Program) -> Option<String> {
        let is_gunicorn = |word: &String| base_name(word) == "gunicorn";
        let preloads = |word: &String| word == "--preload";
        let words = &program.words;
        let early = words.iter().take(3).any(is_gunicorn) && !words.iter().any(preloads);
        early.then(|| {
            "gunicorn says that it is ready, and accepts connections, before its workers have \
             imported the app; in a suite of your own, ready = { http = \"/\" } waits for the first \
             answer"
                .to_owned()
        })
    }

    fn interpreter(&self, program: &Program, said: &mut Vec<String>) -> Option<PathBuf> {
        let (named, beside) = match &program.interpreter {
            Interpreter::Named(path) => (path.clone(), false),
            Interpreter::OfMissingScript(script) => (script.with_file_name("python"), true),
            Interpreter::None => {
                said.push(format!(
                    "`{}` is no Python program as far as can be seen, so bytecode states may not \
                     hold; the receipts will tell",
                    program.words.first().map_or("", String::as_str)
                ));
                return None;
            }
        };
        if named.is_relative() {
            return Some(named);
        }
        let here = self.host.file(&named);
        if here.is_file() && !beside {
            return Some(here);
        }
        said.push(format!(
            "there is no {} here; launches use the interpreter that --python names, or else the \
             first one on PATH",
            match &program.interpreter {
                Interpreter::OfMissingScript(script) => script.display(),
                _ => named.display(),
            }
        ));
        None
    }

    fn words(&self, program: &Program, source: &Source) -> Vec<String> {
        let words = program.words.iter().enumerate();
        words
            .map(|(at, word)| {
                // Its first line names the installed environment, not one in a copy.
                if at <= 1 && word.starts_with('/') && is_entry_point(Path::new(word)) {
                    return self.host.file(Path::new(word)).display().to_string();
                }
                with_source(word, &source.deployed)
            })
            .collect()
    }

    /// When the service counts as started: the value of `ready`, and why.
    fn ready(&self, has_port: bool, said: &mut Vec<String>) -> (Option<&'static str>, String) {
        let kind = self.value("Type").map(|item| item.text);
        let kind = kind.as_deref().unwrap_or("simple");
        match kind {
            "notify" | "notify-reload" => (Some("{ notify = true }"), format!("Type={kind}")),
            "oneshot" => (None, "Type=oneshot: the app is expected to exit".to_owned()),
            _ if has_port => (
                Some("{ tcp = true }"),
                "the app listens; { http = \"/\" } would wait for its first answer".to_owned(),
            ),
            _ => {
                said.push(format!(
                    "Type={kind}: nothing says when the service is ready, and no port is seen; \
                     launches are expected to exit by themselves"
                ));
                (None, format!("Type={kind}, and no port is seen"))
            }
        }
    }
}

/// `PYTHONOPTIMIZE` does what `-O` does.
fn optimize(program: &mut Program, environment: &ServiceEnvironment) {
    let set = environment.get("PYTHONOPTIMIZE").unwrap_or_default();
    let has_interpreter = program.words.first().is_some_and(|word| word == "{python}");
    let flag = program.read_flags().for_optimize_variable(set);
    if let Some(flag) = flag.filter(|_| has_interpreter) {
        program.flags.push(flag.to_owned());
    }
}

/// The suite's environment: the unit's, without what scenarios set themselves.
fn env(
    environment: &ServiceEnvironment,
    source: &Source,
    said: &mut Vec<String>,
) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    let mut recorded = Vec::new();
    for (name, variable) in &environment.variables {
        let of_user = matches!(&variable.origin, Origin::Directive(d) if d.key == "User");
        if variable.origin == Origin::Manager
            || AXES.contains(&name.as_str())
            || (of_user && !["USER", "LOGNAME"].contains(&name.as_str()))
        {
            continue;
        }
        if PRIVATE.contains(&name.as_str()) {
            said.push(format!(
                "{name} of a launch is a private folder, not {}",
                variable.value
            ));
            continue;
        }
        if placeholders(&variable.value).next().is_some() {
            said.push(format!(
                "{name} is left out: a suite takes a word in braces for a placeholder"
            ));
            continue;
        }
        if matches!(variable.origin, Origin::File { .. }) {
            recorded.push(name.as_str());
        }
        env.insert(name.clone(), with_source(&variable.value, &source.deployed));
    }
    if !recorded.is_empty() {
        said.push(format!(
            "the run's record will hold the values of {}, which come from an environment file; do \
             not publish it if one is a secret",
            recorded.join(", ")
        ));
    }
    env
}

/// A checkout's requirements, where the unit's own environment is not here.
fn requirements(source: &Source, python: Option<&Path>) -> Option<PathBuf> {
    let file = source.here.join("requirements.txt");
    let is_own = python.is_some_and(|python| python.is_absolute() && !is_system(python));
    (!is_own && source.found == Found::Checkout && file.is_file()).then_some(file)
}

fn is_system(python: &Path) -> bool {
    ["/usr/bin", "/usr/local/bin", "/bin"]
        .iter()
        .any(|folder| python.parent() == Some(Path::new(folder)))
}

/// The service as it is deployed, and what one would compare it with.
fn standard(deployed: &AsDeployed) -> Vec<ScenarioText> {
    let plain = without_dont_write(&deployed.flags);
    let [read_only, absent] = [("source", "read-only"), ("bytecode", "absent")];
    let mut all = vec![deployed.scenario.clone()];
    let mut add = |name, about: &str, axes: &[(&'static str, &str)]| {
        all.push(ScenarioText::new(name, about, axes, &plain));
    };
    add("warm", "everything is cached beside the source", &[]);
    add(
        "cold",
        "nothing is cached, and nothing can be",
        &[read_only, absent],
    );
    add(
        "prefix-first",
        "the first start after PYTHONPYCACHEPREFIX was set to a folder that lasts",
        &[read_only, absent, ("prefix", "empty")],
    );
    add(
        "prefix-warm",
        "every later start under such a prefix",
        &[read_only, absent, ("prefix", "warm")],
    );
    all
}
