//! A systemd service, by its unit file and drop-ins.

use std::collections::BTreeMap;
use std::path::Path;

use super::app::App;
use super::error::DoctorError;
use super::mounts::Mounts;
use super::observe::Command;
use super::places::Places;
use super::rights::Rights;
use super::rules::Bodies;
use super::subject::{Interpreter, Service, Subject};
use super::view::View;
use crate::launch::User;
use crate::python::Python;
use crate::python::environment::CallerEnvironment;
use crate::suite::text::name;
use crate::unit::{Host, ServiceUser, Start, StartedFrom, Unit};

/// What a service amounts to. `python` is the interpreter to take instead of the unit's.
///
/// # Errors
/// When the unit cannot be read or started, the app's source is not here, or there is no
/// interpreter.
pub fn service(
    path: &Path,
    python: Option<&Path>,
    bodies: Bodies,
    caller: &CallerEnvironment,
) -> Result<(Subject, Command), DoctorError> {
    let unit = Unit::read(path, Host::observe())?;
    let start = unit.start()?;
    let mut notes = start.said.clone();
    for variable in &start.environment.absent_files {
        notes.push(format!(
            "{} is not here, and what it sets is not known",
            variable.path.display()
        ));
    }
    let of_unit = start.interpreter.as_deref();
    let is_here = |path: &&Path| path.is_relative() || path.is_file();
    let named = python.or_else(|| of_unit.filter(is_here));
    if named.is_none()
        && let Some(of_unit) = of_unit
    {
        notes.push(format!(
            "there is no {} here; the first interpreter on PATH stands for it",
            of_unit.display()
        ));
    }
    let python = Python::find(named, caller)?;
    let env = start.environment.variables.iter();
    let env: BTreeMap<String, String> = env
        .map(|(name, variable)| (name.clone(), variable.value.clone()))
        .collect();
    let user = unit.user();
    let launched = Command {
        program: python.executable.clone(),
        args: words_of(&start),
        env: env.clone(),
        directory: start.directory.clone(),
        user: launched_as(&user, start.outside),
    };
    let home = match &user {
        ServiceUser::Account { account, .. } => Some(account.home.clone()),
        _ => None,
    };
    let app = App {
        name: unit.name.full.clone(),
        interpreter: Interpreter::asked(&python),
        places: Places::ask(&python, home.as_deref().map(Path::as_os_str), caller)?,
        invocation: start.invocation,
        env,
        directory: start.directory,
        view: match &start.from {
            StartedFrom::Installed => View::default(),
            StartedFrom::Checkout(here) => View::standing_in(&start.source, here),
        },
        sources: vec![start.source],
        rights: if start.outside {
            Rights::of_ids(0, Vec::new())
        } else {
            Rights::of_service(&user)
        },
        mounts: Mounts::mine(),
        sandbox: (!start.outside).then(|| unit.sandbox()),
        service: Some(Service {
            unit: unit.name.full.clone(),
            stem: name(unit.name.stem().trim_end_matches('@')),
        }),
        bodies,
        notes,
    };
    Ok((app.subject(), launched))
}

/// The words after the interpreter.
fn words_of(start: &Start) -> Vec<String> {
    let mut words = start.invocation.flags.clone();
    if let Some(prefix) = &start.invocation.prefix {
        words.extend(["-X".to_owned(), format!("pycache_prefix={prefix}")]);
    }
    words.extend(start.invocation.rest.iter().cloned());
    words
}

/// As the service's user, where this process may.
fn launched_as(user: &ServiceUser, outside: bool) -> User {
    match user {
        ServiceUser::Account { account, .. }
            if !outside && nix::unistd::Uid::effective().is_root() =>
        {
            User::Unprivileged {
                uid: account.uid,
                gid: account.gid,
            }
        }
        _ => User::Current,
    }
}
