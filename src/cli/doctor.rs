//! `coldsnake doctor`: why modules are compiled at every start.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;

use super::exit::{Failed, Status};
use super::output::{print, stdout_terminal};
use super::run::duration;
use crate::doctor::{
    Audit, Bodies, Command, CommandRequest, Comparison, Diagnosis, DoctorError, HashCheck, Listing,
    Rights, Run, Subject, TreeRequest, command, dont_write, json, observe, process, service, text,
};
use crate::launch::{Interrupt, System};
use crate::python::environment::CallerEnvironment;
use crate::report::Terminal;
use crate::suite::{Optimization, WriteBytecode};

/// Say why modules are compiled at every start, and which fix works
///
/// Looks at headers of pycs, modes, mounts and units, and starts nothing of the app's. Exit status 0:
/// every module is cached, or will be after the next start. 1: some are compiled at every start, or a
/// start fails. 4: --observe saw otherwise.
#[derive(Debug, clap::Args)]
#[command(
    group = clap::ArgGroup::new("subject").required(true),
    after_help = "Examples:\n  \
    coldsnake doctor -- .venv/bin/gunicorn shop.wsgi:app\n  \
    coldsnake doctor --unit /etc/systemd/system/shop.service\n  \
    coldsnake doctor --pid 4711\n  \
    coldsnake doctor --tree /opt/shop --user www-data"
)]
pub struct Args {
    /// A folder: all modules in it
    #[arg(long, value_name = "DIR", group = "subject")]
    tree: Option<PathBuf>,
    /// A systemd service, by its unit file and drop-ins
    #[arg(long, value_name = "FILE", group = "subject")]
    unit: Option<PathBuf>,
    /// A process that runs, by its number
    #[arg(long, value_name = "PID", group = "subject", value_parser = clap::value_parser!(i32).range(1..))]
    pid: Option<i32>,
    /// The Python interpreter [default: the one that the command or the unit leads to, else python3
    /// on PATH]
    #[arg(long, value_name = "PATH", conflicts_with = "pid")]
    python: Option<PathBuf>,
    /// Whose rights count, by name or number [default: the unit's or the process's user, else yours]
    #[arg(long, value_name = "USER", conflicts_with_all = ["unit", "pid"])]
    user: Option<String>,
    /// As if PYTHONPYCACHEPREFIX were set to this folder
    #[arg(long, value_name = "DIR", conflicts_with_all = ["unit", "pid"])]
    prefix: Option<PathBuf>,
    /// A variable that the app gets, such as PYTHONDONTWRITEBYTECODE=1; with a command, besides those
    /// of this shell
    #[arg(long, value_name = "NAME=VALUE", value_parser = super::adhoc::variable, conflicts_with_all = ["unit", "pid"])]
    env: Vec<(String, String)>,
    /// With --tree: the level of -O that Python is run with
    #[arg(long, value_name = "LEVEL", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=2), requires = "tree")]
    optimization: u8,
    /// With --tree: what the flag of that name is set to
    #[arg(
        long,
        value_enum,
        value_name = "WHEN",
        default_value_t,
        requires = "tree"
    )]
    check_hash_based_pycs: HashChoice,
    /// Read the headers of pycs and not their code: one that is damaged counts as cached
    #[arg(long)]
    headers_only: bool,
    /// Launch the app once, writing nothing, and say where it differs from what was predicted
    #[arg(long, conflicts_with_all = ["tree", "pid"])]
    observe: bool,
    /// With --observe: how long the app may take to end or to serve
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s", requires = "observe")]
    observe_timeout: Duration,
    /// List every module
    #[arg(long)]
    all: bool,
    /// How the diagnosis is printed
    #[arg(long, value_enum, default_value_t)]
    format: DiagnosisFormat,
    /// A Python program and its arguments
    #[arg(last = true, value_name = "CMD", group = "subject")]
    command: Vec<String>,
}

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum DiagnosisFormat {
    /// Sentences, and lines to copy
    #[default]
    Text,
    /// One object, with every module
    Json,
}

/// `--check-hash-based-pycs`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum HashChoice {
    /// Pycs that ask for it are checked
    #[default]
    Default,
    /// All hash-based pycs are checked
    Always,
    /// None is
    Never,
}

/// Longer lines are hard to read, and most terminals have so many columns.
const COLUMNS: usize = 80;

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let caller = CallerEnvironment::observe();
    let (subject, audit, launched) = args.looked_at(&caller)?;
    let diagnosis = Diagnosis::of(&subject, &audit);
    let observed = match launched.filter(|_| args.observe) {
        Some(command) => Some(args.observed(&subject, &audit, &command)?),
        None => None,
    };
    match args.format {
        DiagnosisFormat::Json => {
            print(&json(&subject, &audit, &diagnosis, observed.as_ref()));
        }
        DiagnosisFormat::Text => {
            let stdout = stdout_terminal();
            let terminal = Terminal {
                width: stdout.width.min(COLUMNS),
                ..stdout
            };
            let listing = if args.all {
                Listing::EveryModule
            } else {
                Listing::Causes
            };
            print(&text(
                &subject,
                &audit,
                &diagnosis,
                observed.as_ref(),
                listing,
                terminal,
            ));
        }
    }
    Ok(match observed {
        Some(comparison) if !comparison.differing.is_empty() => Status::Invalid,
        _ if diagnosis.is_sound() => Status::Done,
        _ => Status::Refuted,
    })
}

impl Args {
    fn looked_at(
        &self,
        caller: &CallerEnvironment,
    ) -> Result<(Subject, Audit, Option<Command>), Failed> {
        if let Some(folder) = &self.tree {
            let request = self.request(folder)?;
            let (subject, audit) = Audit::of_tree(request, self.python.as_deref(), caller)?;
            return Ok((subject, audit, None));
        }
        let (subject, command) = self.subject(caller)?;
        let audit = Audit::of(&subject);
        Ok((subject, audit, command))
    }

    fn bodies(&self) -> Bodies {
        if self.headers_only {
            Bodies::Trusted
        } else {
            Bodies::Checked
        }
    }

    fn subject(&self, caller: &CallerEnvironment) -> Result<(Subject, Option<Command>), Failed> {
        let bodies = self.bodies();
        let python = self.python.as_deref();
        if let Some(unit) = &self.unit {
            let (subject, command) = service(unit, python, bodies, caller)?;
            return Ok((subject, Some(command)));
        }
        if let Some(pid) = self.pid {
            return Ok((process(pid, bodies, caller)?, None));
        }
        let mut env: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        env.extend(self.env.iter().cloned());
        if let Some(prefix) = &self.prefix {
            let prefix = absolute(prefix)?.to_string_lossy().into_owned();
            env.insert("PYTHONPYCACHEPREFIX".to_owned(), prefix);
        }
        let request = CommandRequest {
            words: &self.command,
            python,
            env,
            directory: absolute(Path::new("."))?,
            rights: self.rights()?,
            bodies,
        };
        let (subject, command) = command(request, caller)?;
        Ok((subject, Some(command)))
    }

    fn request(&self, folder: &Path) -> Result<TreeRequest, Failed> {
        let folder = absolute(folder)?;
        if !folder.is_dir() {
            return Err(DoctorError::NoFolder(folder).into());
        }
        let rights = self.rights()?;
        let env: BTreeMap<&str, &str> = self
            .env
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let variable = |name: &str| env.get(name).copied();
        let prefix = match (&self.prefix, variable("PYTHONPYCACHEPREFIX")) {
            (Some(prefix), _) => Some((absolute(prefix)?, "--prefix".to_owned())),
            (None, Some(prefix)) if !prefix.is_empty() => {
                let by = "PYTHONPYCACHEPREFIX".to_owned();
                Some((absolute(Path::new(prefix))?, by))
            }
            _ => None,
        };
        let by_variable = Optimization::of_variable(variable("PYTHONOPTIMIZE").unwrap_or_default());
        let by_option = match self.optimization {
            0 => Optimization::None,
            1 => Optimization::One,
            _ => Optimization::Two,
        };
        Ok(TreeRequest {
            folder,
            run: Run {
                level: by_option.max(by_variable),
                hash_check: self.check_hash_based_pycs.into(),
                dont_write: dont_write(WriteBytecode::Allowed, variable("PYTHONDONTWRITEBYTECODE")),
                prefix,
                main: None,
            },
            rights,
            bodies: self.bodies(),
        })
    }

    fn rights(&self) -> Result<Rights, Failed> {
        match &self.user {
            None => Ok(Rights::mine()),
            Some(user) => {
                Rights::of_user(user).ok_or_else(|| DoctorError::NoUser(user.clone()).into())
            }
        }
    }

    fn observed(
        &self,
        subject: &Subject,
        audit: &Audit,
        command: &Command,
    ) -> Result<Comparison, Failed> {
        let interrupt = Interrupt::watch()
            .map_err(|error| Failed::bad_input(format!("cannot watch for signals: {error}")))?;
        let mut launcher = System::new(&interrupt)
            .map_err(|error| Failed::bad_input(format!("cannot launch processes: {error}")))?;
        let timeout = self.observe_timeout;
        Ok(observe(subject, audit, command, timeout, &mut launcher)?)
    }
}

/// A path without `.` and `..`, links left as they are: as the app would know it.
fn absolute(path: &Path) -> Result<PathBuf, Failed> {
    let here = std::env::current_dir()
        .map_err(|error| Failed::bad_input(format!("cannot tell the current folder: {error}")))?;
    Ok(crate::infer::tidy(&here.join(path)))
}

impl From<HashChoice> for HashCheck {
    fn from(choice: HashChoice) -> Self {
        match choice {
            HashChoice::Default => Self::Default,
            HashChoice::Always => Self::Always,
            HashChoice::Never => Self::Never,
        }
    }
}

impl From<DoctorError> for Failed {
    fn from(error: DoctorError) -> Self {
        let status = match error {
            DoctorError::Infer(error) => return error.into(),
            DoctorError::Python(error) => return error.into(),
            DoctorError::Unit(error) => return error.into(),
            DoctorError::Interrupted(_) => Status::Interrupted,
            DoctorError::Failed { .. } => Status::NotLaunched,
            DoctorError::NoFolder(_)
            | DoctorError::NoUser(_)
            | DoctorError::NoProcess(_)
            | DoctorError::Process { .. }
            | DoctorError::NotPython { .. }
            | DoctorError::NoHook { .. }
            | DoctorError::Files(_) => Status::BadInput,
        };
        Self::new(status, &error)
    }
}
