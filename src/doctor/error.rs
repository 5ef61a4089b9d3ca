//! Why nothing can be looked at.

use std::path::PathBuf;

use thiserror::Error;

use crate::infer::InferError;
use crate::launch::Failure;
use crate::python::PythonError;
use crate::unit::UnitError;

/// A subject that cannot be looked at.
#[derive(Debug, Error)]
pub enum DoctorError {
    #[error("{} is not a folder\n  give the folder that holds the modules", .0.display())]
    NoFolder(PathBuf),
    #[error(
        "there is no user `{0}` on this machine\n  give a name that `getent passwd` knows, or a number"
    )]
    NoUser(String),
    #[error("there is no process {0}\n  `pgrep -f NAME` finds numbers")]
    NoProcess(i32),
    #[error(
        "cannot look at process {pid}: {reason}\n  run coldsnake as the process's user, or as root; in a container root may lack CAP_SYS_PTRACE"
    )]
    Process { pid: i32, reason: String },
    #[error(
        "process {pid} runs {}, which is not Python as far as can be seen",
        program.display()
    )]
    NotPython { pid: i32, program: PathBuf },
    #[error(
        "--observe cannot see what {subject} loads: {reason}\n  \
         leave --observe out, or run without what keeps the hook out"
    )]
    NoHook { subject: String, reason: String },
    #[error("{subject} does not work by itself, so that nothing was observed: {failure}")]
    Failed { subject: String, failure: Failure },
    #[error("cannot prepare the launch that is observed: {0}")]
    Files(#[from] std::io::Error),
    #[error(transparent)]
    Infer(#[from] InferError),
    #[error(transparent)]
    Python(#[from] PythonError),
    #[error(transparent)]
    Unit(#[from] UnitError),
    #[error(transparent)]
    Interrupted(#[from] crate::launch::Interrupted),
}
