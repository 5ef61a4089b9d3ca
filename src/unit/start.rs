//! What a unit starts, for those who look at it and launch nothing.

use std::path::PathBuf;

use super::command::ExecCommand;
use super::environment::ServiceEnvironment;
use super::error::UnitError;
use super::parse::Unit;
use super::program::{Interpreter, Program};
use super::source::Found;
use crate::suite::{Invocation, Omission};

/// A unit's command, and what it finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// The interpreter as the unit names it, by path or by name; `None` where it cannot be told.
    pub interpreter: Option<PathBuf>,
    /// The interpreter's flags, and what it is to run.
    pub invocation: Invocation,
    pub environment: ServiceEnvironment,
    /// `WorkingDirectory=`, or the root.
    pub directory: PathBuf,
    /// The app's source folder, as the unit knows it.
    pub source: PathBuf,
    pub from: StartedFrom,
    /// What could not be honoured, a sentence each.
    pub said: Vec<String>,
    /// Does the command run outside of user and sandbox (`+`)?
    pub outside: bool,
}

/// Where the source lies on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StartedFrom {
    /// Where the unit says.
    Installed,
    /// In a checkout here, whose modes and bytecode say nothing of the installed app.
    Checkout(PathBuf),
}

impl Unit {
    /// What the unit starts: the first of its commands that is Python's.
    ///
    /// # Errors
    /// When the unit cannot be started, or the app's source is not here.
    pub fn start(&self) -> Result<Start, UnitError> {
        let environment = self.environment()?;
        let commands = self.commands(&environment)?;
        let is_python = |command: &&ExecCommand| {
            Program::of(command, &self.host).interpreter != Interpreter::None
        };
        let command = commands.iter().find(is_python).unwrap_or(&commands[0]);
        let program = Program::of(command, &self.host);
        let source = self.source(&program, &environment)?;
        let interpreter = match &program.interpreter {
            Interpreter::Named(path) => Some(path.clone()),
            Interpreter::OfMissingScript(script) => Some(script.with_file_name("python")),
            Interpreter::None => None,
        };
        let directory = self
            .value("WorkingDirectory")
            .map(|item| PathBuf::from(item.text.trim_start_matches('-')))
            .filter(|folder| folder.is_absolute());
        let rest = match &program.interpreter {
            // The words begin with the script's name, not with an interpreter.
            Interpreter::OfMissingScript(script) => {
                let script = script.display().to_string();
                std::iter::once(script)
                    .chain(program.arguments().iter().cloned())
                    .collect()
            }
            Interpreter::Named(_) => program.arguments().to_vec(),
            Interpreter::None => program.words.clone(),
        };
        Ok(Start {
            interpreter,
            invocation: Invocation {
                flags: program.flags.clone(),
                omission: if program.ignores_environment() {
                    Omission::Environment
                } else {
                    program.omission
                },
                words: 0,
                prefix: program.prefix.clone(),
                rest,
            },
            environment,
            directory: directory.unwrap_or_else(|| "/".into()),
            from: match source.found {
                Found::Installed => StartedFrom::Installed,
                Found::Checkout => StartedFrom::Checkout(source.here),
            },
            source: source.deployed,
            said: source.said,
            outside: command.is_outside(),
        })
    }
}
