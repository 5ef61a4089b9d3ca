//! A command, as one would type it: `coldsnake doctor -- python -m shop`.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::app::App;
use super::error::DoctorError;
use super::mounts::Mounts;
use super::observe::Command;
use super::places::Places;
use super::rights::Rights;
use super::rules::Bodies;
use super::subject::{Interpreter, Subject};
use super::view::View;
use crate::infer::{Request, resolve};
use crate::launch::User;
use crate::python::environment::CallerEnvironment;
use crate::suite::Invocation;

/// A command that is looked at, and not launched.
#[derive(Debug)]
pub struct CommandRequest<'a> {
    pub words: &'a [String],
    pub python: Option<&'a Path>,
    /// All variables that it gets.
    pub env: BTreeMap<String, String>,
    pub directory: PathBuf,
    pub rights: Rights,
    pub bodies: Bodies,
}

/// What a command amounts to, and how it is launched where that is asked for.
///
/// # Errors
/// When there is no such command, or it is none of Python's.
pub fn command(
    request: CommandRequest<'_>,
    caller: &CallerEnvironment,
) -> Result<(Subject, Command), DoctorError> {
    let resolved = resolve(
        &Request {
            words: request.words,
            python: request.python,
            env: BTreeMap::new(),
            directory: request.directory.clone(),
            timeout: Duration::ZERO,
        },
        caller,
    )?;
    let mut env = request.env;
    env.extend(resolved.env.clone());
    let home = env.get("HOME").map(OsString::from);
    let args = resolved.words.get(1..).unwrap_or_default();
    let launched = Command {
        program: resolved.python.executable.clone(),
        args: args.to_vec(),
        env: env.clone(),
        directory: request.directory.clone(),
        user: User::Current,
    };
    let app = App {
        name: format!("`{}`", request.words.join(" ")),
        interpreter: Interpreter::asked(&resolved.python),
        places: Places::ask(&resolved.python, home.as_deref(), caller)?,
        invocation: Invocation::of(args),
        env,
        directory: request.directory,
        sources: Vec::new(),
        rights: request.rights,
        view: View::default(),
        mounts: Mounts::mine(),
        sandbox: None,
        service: None,
        bodies: request.bodies,
        notes: Vec::new(),
    };
    Ok((app.subject(), launched))
}
