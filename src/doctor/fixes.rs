//! What helps against a cause, with the lines to do it, and what looks as if it did and does not.

use std::path::{Path, PathBuf};

use super::causes::{Cause, Finding, Lack, folders_of};
use super::rights::user_name;
use super::rules::Part;
use super::subject::Subject;
use super::words::pyc_in;
use super::writing::{Obstacle, Writing};
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

/// What helps against what was found.
pub fn fixes(subject: &Subject, finding: &Finding) -> Vec<Fix> {
    let advisor = Advisor { subject, finding };
    match &finding.cause {
        Cause::Missing { lack, obstacle } => {
            let mut fixes = advisor.against_lack(lack);
            // Whoever deletes the file need not be the app.
            if let Some(obstacle) = obstacle
                && *lack != Lack::Corrupt
            {
                let more = advisor.against_obstacle(obstacle, lack);
                for fix in more {
                    if !fixes.iter().any(|known| known.what == fix.what) {
                        fixes.push(fix);
                    }
                }
            }
            // What works comes first.
            fixes.sort_by_key(|fix| fix.works == Works::No);
            fixes
        }
        Cause::PrefixInMemory { .. } => advisor.against_memory(),
        Cause::PrefixGrows => advisor.against_growth(),
    }
}

struct Advisor<'a> {
    subject: &'a Subject,
    finding: &'a Finding,
}

impl Advisor<'_> {
    fn against_lack(&self, lack: &Lack) -> Vec<Fix> {
        match lack {
            Lack::Corrupt => {
                let file = self.pyc();
                vec![
                    works("delete the damaged file").line(format!(
                        "{}rm {}",
                        self.sudo(),
                        word(&file)
                    )),
                    fails(
                        "start it again",
                        "each start reads the same bytes, and fails",
                    ),
                ]
            }
            Lack::Unreadable => vec![
                works("let everybody read what is there")
                    .line(self.chmod())
                    .because("and set umask 022 (in a unit: UMask=0022) where it is made"),
                fails(
                    "compile again without -f",
                    "compileall finds the bytecode up to date, and leaves it with its mode",
                ),
            ],
            Lack::NeverCompiled(part) => vec![self.compile_at_build(*part)],
            Lack::Upgraded => {
                vec![self.compile(&[]).because(
                    "each time that the interpreter is upgraded: in the hook of the upgrade",
                )]
            }
            Lack::Level => vec![self.compile(&[])],
            Lack::Mtime | Lack::Size | Lack::Hash => {
                let options = ["--invalidation-mode", "unchecked-hash"];
                let mut fixes = vec![self.compile(&options).because(
                    "such bytecode is taken whatever the source's time: compile again whenever the \
                     source changes",
                )];
                if *lack == Lack::Mtime {
                    fixes.push(fails(
                        "compile before the times are set",
                        "bytecode keeps the time that the source had then",
                    ));
                }
                fixes
            }
            Lack::AppImage => vec![
                works("ship the bytecode in the image, and set no prefix")
                    .line("python3 -m compileall -q --invalidation-mode unchecked-hash AppDir"),
                fails(
                    "a prefix on a persistent folder",
                    "what is written there is never looked for again, and the folder grows with each \
                     start",
                ),
            ],
            Lack::Absent | Lack::Flags => Vec::new(),
        }
    }

    fn against_obstacle(&self, obstacle: &Obstacle, lack: &Lack) -> Vec<Fix> {
        let mut fixes = Vec::new();
        let compiles = !matches!(
            lack,
            Lack::Unreadable
                | Lack::NeverCompiled(_)
                | Lack::Upgraded
                | Lack::Level
                | Lack::Mtime
                | Lack::Size
                | Lack::Hash
                | Lack::AppImage
        );
        match obstacle {
            Obstacle::DontWrite { by } => {
                if compiles {
                    fixes.push(
                        self.compile(&[])
                            .because("compileall writes in spite of it"),
                    );
                }
                fixes.push(self.allow_writing(by));
                fixes.push(fails(
                    "a prefix (PYTHONPYCACHEPREFIX)",
                    format!("under {by} nothing is written there either"),
                ));
            }
            Obstacle::Sandbox { by } => {
                if self.subject.prefix.is_some() {
                    fixes.extend(self.lasting_prefix(lack));
                    fixes.push(self.vain_chown(format!("{by}: read-only whoever owns it")));
                    return fixes;
                }
                if compiles {
                    fixes.push(self.compile(&[]).because(
                        "outside of the service, as whoever installs it: its sandbox holds for the \
                         service alone",
                    ));
                }
                fixes.extend(self.lasting_prefix(lack));
                fixes.push(self.vain_chown(format!(
                    "{by} makes it read-only for the service, whoever owns it"
                )));
            }
            Obstacle::ReadOnlyMount { point, .. } => {
                if compiles {
                    fixes.push(self.compile(&[]));
                }
                fixes.extend(self.lasting_prefix(lack));
                fixes.push(self.vain_chown(format!(
                    "{} is read-only whoever owns what is on it",
                    point.display()
                )));
            }
            Obstacle::Denied { owner, .. } => {
                if compiles && self.subject.prefix.is_none() {
                    fixes.push(self.compile(&[]).because(format!(
                        "as {}, who owns the folder, and at each deployment",
                        user_name(*owner)
                    )));
                }
                fixes.extend(self.lasting_prefix(lack));
                if !matches!(lack, Lack::AppImage) {
                    fixes.extend(self.chown());
                }
            }
            Obstacle::NoFolder => {
                fixes.push(works("remove what stands where the folder would be"));
            }
            Obstacle::Full { point } => {
                fixes.push(works("make room").line(format!("df -h {0} && df -i {0}", word(point))));
                fixes.push(fails(
                    "start it again",
                    "each start compiles, and finds no room to write",
                ));
            }
            Obstacle::Emptied { .. } => {
                fixes.extend(self.lasting_prefix(lack));
                fixes.push(fails(
                    "compile beside the sources alone",
                    "a prefix hides every __pycache__; take the prefix back, too, and it works",
                ));
            }
        }
        fixes
    }

    fn against_memory(&self) -> Vec<Fix> {
        let mut fixes = Vec::from_iter(self.lasting_prefix(&Lack::Absent));
        fixes.push(fails(
            "compile beside the sources alone",
            "a prefix hides every __pycache__; take the prefix back, too, and it works",
        ));
        fixes
    }

    fn against_growth(&self) -> Vec<Fix> {
        let mut fixes = Vec::new();
        if let Some(prefix) = &self.subject.prefix {
            fixes.push(
                works("empty it once; the next start fills it again").line(format!(
                    "{}rm -r {}",
                    self.sudo(),
                    word(&prefix.path)
                )),
            );
            if prefix.by.starts_with("PYTHONPYCACHEPREFIX") {
                fixes.push(
                    works("set it for the app alone, by a flag that is not handed down").line(
                        format!("python3 -X pycache_prefix={} …", word(&prefix.path)),
                    ),
                );
            }
        }
        fixes
    }

    /// compileall, on the folders that the modules are in.
    fn compile(&self, options: &[&str]) -> Fix {
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
        let mut line = format!(
            "{} -m compileall -q",
            word(&self.subject.interpreter.executable)
        );
        let level = self.subject.rules.level;
        if level != Optimization::None {
            line += &format!(" -o {}", level.number());
        }
        for option in options {
            line += &format!(" {option}");
        }
        for folder in folders.iter().take(FOLDERS) {
            line += &format!(" {}", word(folder));
        }
        line
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
    fn compile_at_build(&self, part: Part) -> Fix {
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
    fn lasting_prefix(&self, lack: &Lack) -> Option<Fix> {
        if matches!(lack, Lack::AppImage) {
            return None;
        }
        // Under it the next start compiles everything, too, which is then written.
        let price = "its first start compiles all modules once, the standard library's too";
        let fix = match &self.subject.service {
            Some(service) => works("let systemd make a folder for it, and set the prefix to that")
                .line("[Service]")
                .line(format!("CacheDirectory={}", service.stem))
                .line(format!(
                    "Environment=PYTHONPYCACHEPREFIX=%C/{}/pyc",
                    service.stem
                )),
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
    fn allow_writing(&self, by: &str) -> Fix {
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
    fn chown(&self) -> Option<Fix> {
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

    fn chmod(&self) -> String {
        let mut line = format!("{}chmod -R a+rX", self.sudo());
        for folder in self.written().iter().take(FOLDERS) {
            line += &format!(" {}", word(folder));
        }
        line
    }

    fn vain_chown(&self, because: String) -> Fix {
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

    fn pyc(&self) -> PathBuf {
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
    fn sudo(&self) -> String {
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

fn works(what: impl Into<String>) -> Fix {
    Fix {
        works: Works::Yes,
        what: what.into(),
        because: None,
        lines: Vec::new(),
    }
}

fn fails(what: impl Into<String>, because: impl Into<String>) -> Fix {
    Fix {
        works: Works::No,
        what: what.into(),
        because: Some(because.into()),
        lines: Vec::new(),
    }
}

impl Fix {
    fn line(mut self, line: impl Into<String>) -> Self {
        self.lines.push(line.into());
        self
    }

    fn because(mut self, because: impl Into<String>) -> Self {
        self.because = Some(because.into());
        self
    }
}

/// A path as a shell takes it for one word.
fn word(path: &Path) -> String {
    shell(&[path.display().to_string()])
}
