//! The environment of a service (systemd.exec(5), "Environment").
//!
//! What is set later wins: what `PassEnvironment=` passes on, the folders of `CacheDirectory=` and
//! its kin, the user's names, `Environment=`, `EnvironmentFile=`. `UnsetEnvironment=` comes last.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::environment_file;
use super::error::UnitError;
use super::host::Account;
use super::lines::{Directive, Ignored};
use super::parse::Unit;
use super::words::{self, UnknownEscape};

/// Where a variable's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// systemd sets it whatever the unit says.
    Manager,
    /// A directive of the unit.
    Directive(Directive),
    /// A file of `EnvironmentFile=`.
    File { file: PathBuf, directive: Directive },
}

/// A variable of the service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    pub value: String,
    pub origin: Origin,
}

/// An environment file that is not there, though it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbsentFile {
    pub path: PathBuf,
    pub directive: Directive,
}

/// What a service's process finds in its environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceEnvironment {
    pub variables: BTreeMap<String, Variable>,
    /// What systemd passes over with a warning.
    pub ignored: Vec<Ignored>,
    /// Without these systemd does not start the service. Here they are not fatal: a unit is often
    /// measured where it is not installed.
    pub absent_files: Vec<AbsentFile>,
    /// Names that `PassEnvironment=` takes from systemd's own environment, which is not known.
    pub passed: Vec<(String, Directive)>,
}

/// systemd's own search path (`DEFAULT_PATH`).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The keys that make folders, the variable that each sets, and the folder below which.
pub(super) const DIRECTORIES: [(&str, &str, DirectoryRoot); 5] = [
    (
        "RuntimeDirectory",
        "RUNTIME_DIRECTORY",
        DirectoryRoot::Runtime,
    ),
    ("StateDirectory", "STATE_DIRECTORY", DirectoryRoot::State),
    ("CacheDirectory", "CACHE_DIRECTORY", DirectoryRoot::Cache),
    ("LogsDirectory", "LOGS_DIRECTORY", DirectoryRoot::Logs),
    (
        "ConfigurationDirectory",
        "CONFIGURATION_DIRECTORY",
        DirectoryRoot::Configuration,
    ),
];

/// Below which folder of the system a service's folder is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DirectoryRoot {
    Runtime,
    State,
    Cache,
    Logs,
    Configuration,
}

impl Unit {
    /// The folders that a key such as `CacheDirectory=` makes, absolute.
    pub(super) fn directories(&self, key: &str, root: DirectoryRoot) -> Vec<(PathBuf, Directive)> {
        let root = match root {
            DirectoryRoot::Runtime => &self.host.runtime,
            DirectoryRoot::State => &self.host.state,
            DirectoryRoot::Cache => &self.host.cache,
            DirectoryRoot::Logs => &self.host.logs,
            DirectoryRoot::Configuration => &self.host.configuration,
        };
        let items = self.list(key).into_iter();
        items
            .map(|item| {
                // What stands after a colon is a second name, a link (since version 252).
                let name = item.text.split(':').next().unwrap_or_default();
                (root.join(name), item.directive)
            })
            .collect()
    }

    /// The environment of the service's process, as far as the unit decides it.
    ///
    /// # Errors
    /// When an environment file is there and cannot be read, or its path is relative.
    pub fn environment(&self) -> Result<ServiceEnvironment, UnitError> {
        let mut environment = ServiceEnvironment::default();
        environment.set("PATH", DEFAULT_PATH.to_owned(), Origin::Manager);
        self.add_passed(&mut environment);
        for (key, name, root) in DIRECTORIES {
            let folders = self.directories(key, root);
            let Some((_, directive)) = folders.first() else {
                continue;
            };
            let paths: Vec<String> = folders
                .iter()
                .map(|(p, _)| p.display().to_string())
                .collect();
            let origin = Origin::Directive(directive.clone());
            environment.set(name, paths.join(":"), origin);
        }
        self.add_user(&mut environment);
        for directive in self.all("Environment") {
            self.add_assignments(directive, &mut environment);
        }
        for directive in self.all("EnvironmentFile") {
            self.add_file(directive, &mut environment)?;
        }
        for item in self.list("UnsetEnvironment") {
            let (name, value) = match item.text.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (item.text.as_str(), None),
            };
            let found = environment.variables.get(name);
            if found.is_some_and(|found| value.is_none_or(|value| value == found.value)) {
                environment.variables.remove(name);
            }
            environment.passed.retain(|(passed, _)| passed != name);
        }
        Ok(environment)
    }

    fn add_passed(&self, environment: &mut ServiceEnvironment) {
        for item in self.list("PassEnvironment") {
            environment.passed.push((item.text, item.directive));
        }
    }

    fn add_user(&self, environment: &mut ServiceEnvironment) {
        let Some(user) = self.value("User") else {
            return;
        };
        let origin = Origin::Directive(user.directive);
        let account = Account::find(&user.text);
        let name = account.as_ref().map_or(user.text, |a| a.name.clone());
        environment.set("USER", name.clone(), origin.clone());
        environment.set("LOGNAME", name, origin.clone());
        if let Some(account) = account {
            environment.set("HOME", account.home.display().to_string(), origin.clone());
            environment.set("SHELL", account.shell.display().to_string(), origin);
        }
    }

    fn add_assignments(&self, directive: &Directive, environment: &mut ServiceEnvironment) {
        let (words, error) = words::all(&directive.value, UnknownEscape::Refused);
        if let Some(error) = error {
            environment.ignored.push(Ignored {
                place: directive.place.clone(),
                reason: format!(
                    "{}, and systemd passes over the rest of the line",
                    error.message()
                ),
            });
        }
        for word in words {
            let known = self.unknown_specifier(&word).is_none();
            let word = self.expand(&word);
            match word.split_once('=') {
                Some((name, value)) if is_name(name) && known => {
                    let origin = Origin::Directive(directive.clone());
                    environment.set(name, value.to_owned(), origin);
                }
                _ => environment.ignored.push(Ignored {
                    place: directive.place.clone(),
                    reason: format!("`{word}` sets no variable, and systemd passes over it"),
                }),
            }
        }
    }

    fn add_file(
        &self,
        directive: &Directive,
        environment: &mut ServiceEnvironment,
    ) -> Result<(), UnitError> {
        let (optional, path) = match directive.value.strip_prefix('-') {
            Some(path) => (true, path),
            None => (false, directive.value.as_str()),
        };
        let path = PathBuf::from(self.expand(path));
        if !path.is_absolute() {
            return Err(self.wrong(
                directive,
                format!("the path `{}` is not absolute", path.display()),
                "systemd reads an environment file by its absolute path only",
            ));
        }
        let files = environment_file::matching(&self.host.file(&path));
        for file in &files {
            let bytes = fs::read(file).map_err(|error| {
                self.wrong(
                    directive,
                    format!("cannot read {}: {error}", file.display()),
                    "run coldsnake as a user who may read it, such as root, or let a drop-in take it \
                     back with an empty EnvironmentFile=",
                )
            })?;
            for (name, value) in environment_file::parse(&String::from_utf8_lossy(&bytes)) {
                if is_name(&name) {
                    let origin = Origin::File {
                        file: file.clone(),
                        directive: directive.clone(),
                    };
                    environment.set(&name, value, origin);
                }
            }
        }
        if files.is_empty() && !optional {
            environment.absent_files.push(AbsentFile {
                path,
                directive: directive.clone(),
            });
        }
        Ok(())
    }
}

impl ServiceEnvironment {
    fn set(&mut self, name: &str, value: String, origin: Origin) {
        let variable = Variable { value, origin };
        self.variables.insert(name.to_owned(), variable);
    }

    /// The value of a variable.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|found| found.value.as_str())
    }
}

/// What systemd takes for a variable's name.
fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::unit::Host;

    fn environment(text: &str) -> ServiceEnvironment {
        let text = format!("[Service]\n{text}");
        Unit::from_text(Path::new("app.service"), &text, Host::observe())
            .unwrap()
            .environment()
            .unwrap()
    }

    #[test]
    fn assignments_are_quoted_words_with_specifiers_and_without_variables() {
        let environment =
            environment("Environment=\"A=b c\" B=%C/x 'C=$A' D=1\nEnvironment=D=2 1=no nonsense\n");
        assert_eq!(environment.get("A"), Some("b c"));
        assert_eq!(environment.get("B"), Some("/var/cache/x"));
        assert_eq!(environment.get("C"), Some("$A"));
        assert_eq!(environment.get("D"), Some("2"));
        assert_eq!(environment.ignored.len(), 2);
        assert_eq!(environment.ignored[0].place.to_string(), "app.service:3");
    }

    #[test]
    fn folders_and_user_have_variables_and_some_are_taken_back() {
        let environment = environment(
            "User=nobody-knows\nCacheDirectory=a b:c\nEnvironment=A=1 B=2\nUnsetEnvironment=A B=3\n",
        );
        assert_eq!(
            environment.get("CACHE_DIRECTORY"),
            Some("/var/cache/a:/var/cache/b")
        );
        assert_eq!(environment.get("USER"), Some("nobody-knows"));
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get("B"), Some("2"));
    }

    #[test]
    fn a_file_wins_over_environment_and_one_that_is_absent_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        fs::write(folder.path().join("etc/app.env"), "A=file\n").unwrap();
        let mut host = Host::observe();
        host.root = folder.path().to_owned();
        let text = "[Service]\nEnvironmentFile=/etc/a*.env\nEnvironment=A=unit\n\
                    EnvironmentFile=-/etc/none\nEnvironmentFile=/etc/must\n";
        let unit = Unit::from_text(Path::new("app.service"), text, host).unwrap();
        let environment = unit.environment().unwrap();
        assert_eq!(environment.get("A"), Some("file"));
        let absent: Vec<_> = environment
            .absent_files
            .iter()
            .map(|f| f.path.clone())
            .collect();
        assert_eq!(absent, [PathBuf::from("/etc/must")]);
    }
}
