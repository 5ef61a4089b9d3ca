//! One timed process: spawn, readiness, end.
//!
//! What is timed is the child's life and nothing of ours: everything a launch needs is made
//! before the clock is read, and everything it leaves is looked at after its end. [`Launcher`]
//! is what the runner sees; [`System`] is the real one.

pub mod affinity;
mod counting;
mod family;
mod interrupt;
mod listening;
mod meanwhile;
pub mod ports;
mod ready;
mod spawn;
mod stream;
mod system;
mod tail;

use std::ffi::OsString;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;

use crate::record::{Times, Usage};

pub use counting::{
    FixedLayout, InstructionCounter, NoInstructionCounter, Valgrind, kernel_counters,
};
pub use family::Subreaper;
pub use interrupt::Interrupt;
pub use ready::{Precedent, Search, Service, Sign};
pub use system::System;

/// Everything about one process to be launched.
#[derive(Debug, Clone)]
pub struct Spec {
    /// An absolute path: no search, no shell.
    pub program: PathBuf,
    pub args: Vec<OsString>,
    /// The whole environment of the child.
    pub env: Vec<(OsString, OsString)>,
    /// Its working directory.
    pub folder: PathBuf,
    pub user: User,
    /// An open `cgroup.procs`: the process enters that control group before its exec.
    pub group: Option<Arc<File>>,
    pub until: Until,
    /// From the spawn until the launch is given up.
    pub timeout: Duration,
    /// From SIGTERM to SIGKILL, where it has to be told to end.
    pub grace: Duration,
}

/// The usual [`Spec::grace`].
pub const GRACE: Duration = Duration::from_secs(3);

/// On whose behalf the process runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum User {
    Current,
    /// Without any of root's privileges, and without supplementary groups.
    Unprivileged {
        uid: u32,
        gid: u32,
    },
}

/// What ends the timing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// The process exits with status 0.
    Exit,
    /// The same, and what it wrote to file descriptor 3 is kept.
    ExitWithReport,
    /// This is seen of it; then the process is told to end.
    Ready { sign: Sign, search: Search },
    /// It exits with status 0, or serves: for a command of which nothing is known yet. It is told
    /// to end when it is clear which of the two.
    ExitOrService,
}

impl Until {
    /// The same, if it does not matter when it comes.
    #[must_use]
    pub fn untimed(self) -> Self {
        match self {
            Self::Ready { sign, .. } => Self::Ready {
                sign,
                search: Search::Untimed,
            },
            Self::Exit | Self::ExitWithReport | Self::ExitOrService => self,
        }
    }
}

/// What became of a launch.
#[derive(Debug, Clone)]
pub struct Launched {
    /// When it was spawned, by CLOCK_MONOTONIC, which the launched process can read, too. The times
    /// are counted from there.
    pub spawned: Duration,
    pub times: Times,
    pub usage: Usage,
    /// What the process wrote to descriptor 3, if that was asked for (64 KiB at most).
    pub report: Vec<u8>,
    /// How it serves, if that was to be found out and it does.
    pub service: Option<Service>,
    /// How it was found, for the next launch of the same server, where a port was its sign.
    pub precedent: Option<Precedent>,
    /// Whether it went as expected.
    pub outcome: Result<(), Failure>,
}

/// Why a launch gave no measurement. Each is one sentence for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    #[error("it could not be started: {step}: {error}")]
    Spawn { step: &'static str, error: String },
    #[error("it ended with exit status {status}{}", said(stderr))]
    Exited { status: i32, stderr: String },
    #[error("it was ended by signal {signal}{}", said(stderr))]
    Signalled { signal: String, stderr: String },
    #[error(
        "it ended (exit status {status}) before {before}{}{}",
        clause("; ", last.as_ref()),
        said(stderr)
    )]
    EndedUnready {
        status: i32,
        /// The sign of readiness that was waited for: "it answered".
        before: String,
        /// What was last seen instead.
        last: Option<String>,
        stderr: String,
    },
    #[error(
        "it was not done after {} s and was stopped{}{}{}",
        timeout.as_secs_f64(),
        clause("; waited for ", awaited.as_ref()),
        clause(": ", last.as_ref()),
        said(stderr)
    )]
    TimedOut {
        timeout: Duration,
        /// The sign of readiness: "a connection on port 8000".
        awaited: Option<String>,
        /// What was last seen instead.
        last: Option<String>,
        stderr: String,
    },
    #[error("the import ended the process: does the module call sys.exit when it is imported?")]
    NoImportTime,
    #[error("port {port} is in use by another program; stop it, or let the app take {{port}}")]
    PortTaken { port: u16 },
    #[error(
        "{address} is answered by a process that this launch did not start; \
         does the app pass {{port}} on to its server?"
    )]
    ForeignListener { address: SocketAddr },
}

/// A clause of a message, or nothing.
fn clause(before: &str, text: Option<&String>) -> String {
    text.map(|text| format!("{before}{text}"))
        .unwrap_or_default()
}

/// The end of what the app wrote to stderr, as a clause of a message.
impl Failure {
    /// A line of its own on what to do, where the failure itself does not show it; else nothing.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::TimedOut {
                awaited: Some(_), ..
            } => {
                "\n  look whether port, path and status of app.ready are what the app answers; if it is only slow, \
                 give it a longer app.timeout"
            }
            Self::TimedOut { awaited: None, .. } => {
                "\n  if it is only slow, give it a longer app.timeout; if it serves, say with app.ready when it is \
                 ready"
            }
            _ => "",
        }
    }
}

fn said(stderr: &str) -> String {
    let stderr = stderr.trim();
    if stderr.is_empty() {
        ", and wrote nothing to stderr".to_owned()
    } else {
        let indented: Vec<String> = stderr.lines().map(|line| format!("    {line}")).collect();
        format!("; the end of its stderr:\n{}", indented.join("\n"))
    }
}

/// The user wants it to end (SIGINT, SIGTERM or SIGHUP).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("interrupted")]
pub struct Interrupted;

/// Something that carries out launches, one at a time.
pub trait Launcher {
    /// Launches one process and waits until it and whatever it started are gone.
    ///
    /// # Errors
    /// [`Interrupted`], with no process left behind. Whatever else goes wrong is an outcome.
    fn launch(&mut self, spec: &Spec) -> Result<Launched, Interrupted>;
}
