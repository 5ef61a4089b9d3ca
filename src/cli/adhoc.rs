//! A command in place of a suite: what `run -- CMD` and `init -- CMD` share.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::exit::{Failed, Status};
use super::output::say;
use super::progress::Verbosity;
use super::run::duration;
use crate::infer::{InferError, Inferred, LEFT_OUT, Request, infer};
use crate::launch::{Interrupt, System};
use crate::python::environment::CallerEnvironment;
use crate::suite::SuiteFile;

/// The file that `init` writes, and the name under which messages speak of a suite that was
/// inferred.
pub const FILE: &str = "coldsnake.toml";

/// How the command is launched when it is looked at.
#[derive(Debug, Default, clap::Args)]
pub struct Options {
    /// With a command: a variable that it gets
    #[arg(long, value_name = "NAME=VALUE", value_parser = variable, requires = "command")]
    env: Vec<(String, String)>,
    /// With a command: a variable of this shell that it gets, too
    #[arg(long, value_name = "NAME", requires = "command")]
    pass_env: Vec<String>,
    /// With a command: how long it may take to end or to serve [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = duration, requires = "command")]
    observe_timeout: Option<Duration>,
}

const OBSERVE_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("give NAME=VALUE, or --pass-env NAME for the value that it has here".to_owned()),
    }
}

/// Launches the command once, and finds out what it is.
///
/// # Errors
/// When it is no Python program, does not work by itself, or the user interrupts.
pub fn observe(
    words: &[String],
    python: Option<&Path>,
    options: &Options,
    verbosity: Verbosity,
) -> Result<Inferred, Failed> {
    let directory = std::env::current_dir()
        .map_err(|error| Failed::bad_input(format!("cannot tell the current folder: {error}")))?;
    let mut env = BTreeMap::new();
    for name in &options.pass_env {
        let value = std::env::var(name).map_err(|error| {
            Failed::bad_input(format!(
                "--pass-env {name}: {error}\n  --env NAME=VALUE gives a variable another value"
            ))
        })?;
        env.insert(name.clone(), value);
    }
    env.extend(options.env.iter().cloned());
    let request = Request {
        words,
        python,
        env,
        directory,
        timeout: options.observe_timeout.unwrap_or(OBSERVE_TIMEOUT),
    };
    let caller = CallerEnvironment::observe();
    let interrupt = Interrupt::watch()
        .map_err(|error| Failed::bad_input(format!("cannot watch for signals: {error}")))?;
    let mut launcher = System::new(&interrupt)
        .map_err(|error| Failed::bad_input(format!("cannot launch processes: {error}")))?;
    let inferred = infer(&request, &caller, &mut launcher)?;
    if verbosity == Verbosity::Normal {
        say(&inferred.summary());
        for name in LEFT_OUT {
            let is_set = std::env::var_os(name).is_some_and(|value| !value.is_empty());
            if is_set && !request.env.contains_key(name) {
                say(&format!(
                    "{name} is set in this shell, and the app does not get it; --pass-env {name} makes it part \
                     of the app as it is now"
                ));
            }
        }
    }
    Ok(inferred)
}

/// The suite for a command, and what it came from.
///
/// # Errors
/// As [`observe`].
pub fn open(
    words: &[String],
    python: Option<&Path>,
    options: &Options,
    verbosity: Verbosity,
) -> Result<(SuiteFile, String), Failed> {
    let inferred = observe(words, python, options, verbosity)?;
    // Nothing lies below a folder without a name, so paths are absolute: who reads the record does not
    // know in which folder the command was given.
    suite(&inferred, || inferred.suite_text(Path::new("")))
}

/// The suite whose text this is, and what it came from.
///
/// # Errors
/// When the current folder cannot be told.
pub fn suite(
    inferred: &Inferred,
    text: impl FnOnce() -> String,
) -> Result<(SuiteFile, String), Failed> {
    let folder = std::env::current_dir()
        .map_err(|error| Failed::bad_input(format!("cannot tell the current folder: {error}")))?;
    let file = SuiteFile::from_text(&folder.join(FILE), text());
    Ok((file, format!("{} (inferred)", inferred.given())))
}

impl From<InferError> for Failed {
    fn from(error: InferError) -> Self {
        let status = match error {
            InferError::Python(error) => return error.into(),
            InferError::Interrupted(_) => Status::Interrupted,
            InferError::NoProgram { .. }
            | InferError::Failed { .. }
            | InferError::Undecided { .. }
            | InferError::Layout { .. } => Status::NotLaunched,
            InferError::Empty
            | InferError::NotPython { .. }
            | InferError::Env { .. }
            | InferError::NoHook { .. }
            | InferError::Shared { .. }
            | InferError::Files(_) => Status::BadInput,
        };
        Self::new(status, &error)
    }
}
