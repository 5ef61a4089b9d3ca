//! Where the app's source lies: on the host that the unit is for, and on this machine.

use std::path::{Path, PathBuf};

use super::environment::ServiceEnvironment;
use super::error::UnitError;
use super::parse::Unit;
use super::program::{Program, is_entry_point};
use super::user::ServiceUser;

/// Is the source looked at where the service runs?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// The unit's own folder is on this machine: its modes and its bytecode are the service's.
    Installed,
    /// The unit lies in a checkout of the app, whose modes and bytecode say nothing.
    Checkout,
}

/// The app's source folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Source {
    /// As the unit knows it.
    pub deployed: PathBuf,
    /// On this machine.
    pub here: PathBuf,
    pub found: Found,
    pub said: Vec<String>,
}

impl Unit {
    /// Finds the source by `WorkingDirectory=`, the script's path, `--chdir` or `PYTHONPATH`; and
    /// on this machine there, or else in a folder above the unit's file that has the script.
    pub(super) fn source(
        &self,
        program: &Program,
        environment: &ServiceEnvironment,
    ) -> Result<Source, UnitError> {
        let mut said = Vec::new();
        let deployed = self.deployed_source(program, environment, &mut said)?;
        let needles = needles(program, &deployed);
        let has_all = |folder: &Path| needles.iter().all(|names| has_one(folder, names));
        let installed = self.host.file(&deployed);
        if installed.is_dir() && has_all(&installed) {
            return Ok(Source {
                deployed,
                here: installed,
                found: Found::Installed,
                said,
            });
        }
        let unit = std::path::absolute(&self.path).map_err(UnitError::read(&self.path))?;
        let above = unit.ancestors().skip(1).filter(|f| f.parent().is_some());
        let mut above = above.filter(|folder| !needles.is_empty() && has_all(folder));
        let Some(here) = above.next() else {
            let wanted = needles.first().and_then(|names| names.first());
            let what = wanted.map_or(String::new(), |name| {
                format!(", with {} in it", name.display())
            });
            return Err(UnitError::Missing {
                path: self.path.clone(),
                message: format!(
                    "there is no {} here{what}, nor is there one above the unit's file",
                    deployed.display()
                ),
                help:
                    "run this where the app is installed, or let the unit's file lie in a folder \
                       of the app's source tree"
                        .to_owned(),
            });
        };
        said.push(format!(
            "{} is not here, and {} stands for it: modes and bytecode of the installed app are not \
             known, only the unit's own directives count",
            deployed.display(),
            here.display()
        ));
        Ok(Source {
            deployed,
            here: here.to_owned(),
            found: Found::Checkout,
            said,
        })
    }

    fn deployed_source(
        &self,
        program: &Program,
        environment: &ServiceEnvironment,
        said: &mut Vec<String>,
    ) -> Result<PathBuf, UnitError> {
        let working = self.value("WorkingDirectory").map(|item| {
            let text = item.text.trim_start_matches('-').to_owned();
            let home = match self.user() {
                ServiceUser::Account { account, .. } => account.home,
                _ => self.host.manager.home.clone(),
            };
            let folder = if text == "~" { home } else { text.into() };
            (folder, item.directive)
        });
        // `/` is what a service has without the key; no app's source is all of the machine.
        let working = working.filter(|(folder, _)| folder.parent().is_some());
        let folder = if let Some(changed) = chdir(program.arguments()) {
            match &working {
                Some((working, _)) => working.join(changed),
                None => changed.into(),
            }
        } else if let Some(script) = program.script().map(Path::new)
            && script.is_absolute()
            && !is_entry_point(script)
        {
            match &working {
                Some((working, _)) if script.starts_with(working) => working.clone(),
                _ => script.parent().unwrap_or(script).to_owned(),
            }
        } else if let Some((working, _)) = &working {
            working.clone()
        } else {
            let listed = environment.get("PYTHONPATH").unwrap_or_default();
            let first = listed.split(':').find(|folder| folder.len() > 1);
            PathBuf::from(first.ok_or_else(|| {
                UnitError::Missing {
                    path: self.path.clone(),
                    message: "nothing says where the app's source lies".to_owned(),
                    help:
                        "give the unit WorkingDirectory=, the script's absolute path, or PYTHONPATH"
                            .to_owned(),
                }
            })?)
        };
        match working {
            Some((working, directive)) if !working.starts_with(&folder) => said.push(format!(
                "{}: a launch's working folder is its copy of the source, {}",
                directive.named(),
                folder.display()
            )),
            _ => {}
        }
        Ok(folder)
    }
}

/// The folder that gunicorn and others are told to change into.
fn chdir(arguments: &[String]) -> Option<String> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if let Some(folder) = word
            .strip_prefix("--chdir=")
            .or(word.strip_prefix("--app-dir="))
        {
            return Some(folder.to_owned());
        }
        if word == "--chdir" || word == "--app-dir" {
            return words.next().cloned();
        }
    }
    None
}

/// What must be in the source folder: for each thing that the command names, the paths of which
/// one must be there.
fn needles(program: &Program, deployed: &Path) -> Vec<Vec<PathBuf>> {
    let mut needles = Vec::new();
    if let Some(script) = program.script().map(Path::new)
        && !is_entry_point(script)
    {
        let relative = script.strip_prefix(deployed).unwrap_or(script);
        if relative.is_relative() {
            needles.push(vec![relative.to_owned()]);
        }
    }
    // The object that a server is to serve, `shop.main:app`.
    let servers = program
        .arguments()
        .iter()
        .filter(|word| !word.starts_with('-'));
    for word in servers {
        let Some((module, object)) = word.split_once(':') else {
            continue;
        };
        let named = |text: &str| {
            text.starts_with(|c: char| c.is_alphabetic() || c == '_')
                && text
                    .chars()
                    .all(|c| c.is_alphanumeric() || "_.()".contains(c))
        };
        if named(module) && named(object) && module != "localhost" {
            let path: PathBuf = module.split('.').collect();
            let package = path.join("__init__.py");
            needles.push(vec![path.with_extension("py"), package, path]);
        }
    }
    needles
}

fn has_one(folder: &Path, names: &[PathBuf]) -> bool {
    names.iter().any(|name| folder.join(name).exists())
}
