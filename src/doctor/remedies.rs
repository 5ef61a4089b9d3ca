//! Single things that can be done, with the lines to do them for this subject.

use std::path::{Path, PathBuf};

use super::causes::{Cause, Finding, Lack, folders_of};
use super::subject::Subject;
use super::words::pyc_in;
use super::writing::{Obstacle, Writing};
use crate::advise::{compileall, prefix_in_unit};
use crate::python::Part;
use crate::suite::Optimization;
use crate::suite::text::shell;

/// Something that one might do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    pub works: Works,
    /// What to do, in the imperative.
    pub what: String,
    /// What it costs, or why it does not work.
    pub because: Option<String>,
    /// Lines for a shell, a unit or a Dockerfile.
    pub lines: Vec<String>,
}

/// Does it help here?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Works {
    Yes,
    No,
}

/// Folders that are named in a command line; one more is a folder too many.
const FOLDERS: usize = 4;

/// What is advised on, and what was found of it.
pub(super) struct Advisor<'a> {
    pub(super) subject: &'a Subject,
    pub(super) finding: &'a Finding,
}

impl Advisor<'_> {
    /// compileall, on the folders that the modules are in.
    pub(super) fn compile(&self, options: &[&str]) -> Fix {
        let folders = folders_of(self.subject, self.finding);
        if self.is_mounted_read_only() {
            return works("compile into the image, before it is mounted read-only")
                .line(format!("RUN {}", self.compileall(options, &folders)));
        }
        let mut line = self.sudo();
        if let Some(prefix) = &self.subject.prefix {
            line += &format!("env PYTHONPYCACHEPREFIX={} ", word(&prefix.path));
        }
        line += &self.compileall(options, &folders);
        works("compile when it is deployed").line(line)
    }

    fn compileall(&self, options: &[&str], folders: &[PathBuf]) -> String {
        let level = self.subject.rules.level;
        let of_level = match level {
            Optimization::None => Vec::new(),
            Optimization::One | Optimization::Two => vec!["-o", level.number()],
        };
        let python = self.subject.interpreter.executable.display().to_string();
        let folders = folders.iter().take(FOLDERS);
        let folders: Vec<String> = folders.map(|f| f.display().to_string()).collect();
        compileall(&python, &[&of_level, options].concat(), &folders)
    }

    fn is_mounted_read_only(&self) -> bool {
        matches!(
            self.finding.cause,
            Cause::Missing {
                obstacle: Some(Obstacle::ReadOnlyMount { .. }),
                ..
            }
        )
    }

    /// At build, with the tool that installs.
    pub(super) fn compile_at_build(&self, part: Part) -> Fix {
        let fix = Fix {
            what: "compile at build".to_owned(),
            ..self.compile(&[])
        };
        match part {
            Part::SitePackages => {
                fix.line("uv sync --compile-bytecode    # or UV_COMPILE_BYTECODE=1")
            }
            Part::App | Part::Stdlib => fix,
        }
    }

    /// A prefix on a folder that the app may write, and that lasts.
    pub(super) fn lasting_prefix(&self, lack: &Lack) -> Option<Fix> {
        if matches!(lack, Lack::AppImage) {
            return None;
        }
        // Under it the next start compiles everything, too, which is then written.
        let price = "its first start compiles all modules once, the standard library's too";
        let fix = match &self.subject.service {
            Some(service) => works("let systemd make a folder for it, and set the prefix to that")
                .lines(prefix_in_unit(&service.stem)),
            None => {
                let folder = "/var/cache/app-pyc";
                let user = self.subject.writing.rights.for_chown()?;
                works("set the prefix to a folder that lasts and that the app may write")
                    .line(format!(
                        "sudo install -d -o {} {folder}",
                        word(Path::new(&user))
                    ))
                    .line(format!("export PYTHONPYCACHEPREFIX={folder}"))
            }
        };
        Some(fix.because(price))
    }

    /// Taking back what forbids writing, which need not be enough.
    pub(super) fn allow_writing(&self, by: &str) -> Fix {
        let what = format!("take {by} back");
        let allowed = Writing {
            dont_write: None,
            ..self.subject.writing.clone()
        };
        let folder = self.finding.folder.as_deref();
        let cache = folder.map(|folder| self.subject.look().cache_of(folder));
        match cache.and_then(|cache| allowed.obstacle(&cache)) {
            None => works(what).because("the next start writes bytecode, and later ones read it"),
            Some(other) => fails(
                what,
                format!(
                    "alone it is not enough: {} cannot be written ({})",
                    other.at.display(),
                    other.by.word()
                ),
            ),
        }
    }

    /// Giving the folders to the user; no fix for one that is made when the service starts.
    pub(super) fn chown(&self) -> Option<Fix> {
        let is_apps = self.finding.parts.keys().all(|part| *part == Part::App);
        if self.subject.prefix.is_none() && !is_apps {
            // Packages and the standard library belong to whoever installs them.
            return None;
        }
        let user = self.subject.writing.rights.for_chown()?;
        let mut line = format!("sudo chown -R {}", word(Path::new(&user)));
        for folder in self.written().iter().take(FOLDERS) {
            line += &format!(" {}", word(folder));
        }
        let fix = works(format!("chown to {user}")).line(line);
        Some(match self.subject.prefix {
            Some(_) => fix,
            None => fix.because("but then the app may change its own code"),
        })
    }

    pub(super) fn chmod(&self) -> String {
        let mut line = format!("{}chmod -R a+rX", self.sudo());
        for folder in self.written().iter().take(FOLDERS) {
            line += &format!(" {}", word(folder));
        }
        line
    }

    pub(super) fn vain_chown(&self, because: String) -> Fix {
        let rights = &self.subject.writing.rights;
        let user = rights.for_chown();
        let user = user.as_deref().unwrap_or(rights.name());
        fails(format!("chown to {user}"), because)
    }

    /// The folders that would be written into.
    fn written(&self) -> Vec<PathBuf> {
        match &self.subject.prefix {
            Some(prefix) => vec![prefix.path.clone()],
            None => folders_of(self.subject, self.finding),
        }
    }

    pub(super) fn pyc(&self) -> PathBuf {
        let example = self.finding.example.clone().unwrap_or_default();
        let (Some(folder), Some(file)) = (example.parent(), example.file_name()) else {
            return example;
        };
        if example.extension().is_some_and(|end| end == "pyc") {
            return example;
        }
        pyc_in(self.subject, folder, file)
    }

    /// Whoever installs an app for a service or for another user is root, and so is who may write
    /// where this process may not.
    pub(super) fn sudo(&self) -> String {
        let is_denied = matches!(
            self.finding.cause,
            Cause::Missing {
                obstacle: Some(Obstacle::Denied { .. }),
                ..
            }
        );
        if self.subject.writing.rights.are_mine() && !is_denied {
            String::new()
        } else {
            "sudo ".to_owned()
        }
    }
}

pub(super) fn works(what: impl Into<String>) -> Fix {
    Fix {
        works: Works::Yes,
        what: what.into(),
        because: None,
        lines: Vec::new(),
    }
}

pub(super) fn fails(what: impl Into<String>, because: impl Into<String>) -> Fix {
    Fix {
        works: Works::No,
        what: what.into(),
        because: Some(because.into()),
        lines: Vec::new(),
    }
}

impl Fix {
    pub(super) fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    fn lines(mut self, lines: Vec<String>) -> Self {
        self.lines.extend(lines);
        self
    }

    pub(super) fn because(mut self, because: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self
    }
}

/// A path as a shell takes it for one word.
pub(super) fn word(path: &Path) -> String {
    shell(&[path.display().to_string()])
}
