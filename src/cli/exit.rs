//! Exit statuses, and which error leads to which.

use std::process::{ExitCode, Termination};

use crate::launch::affinity::AffinityError;
use crate::python::PythonError;
use crate::record::foreign::ForeignError;
use crate::record::{ReadError, WriteError};
use crate::report::{
    ExportError, WriteAcrossError, WriteFileError, WriteRunError, WriteTraceError,
};
use crate::revision::RevisionError;
use crate::runner::RunError;
use crate::stage::StageError;
use crate::suite::SuiteError;
use crate::unit::UnitError;

/// How a command ended. The numbers are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Done; for `check`: all claims supported.
    Done = 0,
    /// A claim is refuted, or there is a regression.
    Refuted = 1,
    /// Bad usage or bad input; or a file that cannot be read or written.
    BadInput = 2,
    Inconclusive = 3,
    /// Something that a scenario promises did not hold, or the twin failed.
    Invalid = 4,
    /// The app could not be launched: no interpreter, no packages, crash, time-out.
    NotLaunched = 5,
    /// By Ctrl-C or a termination signal; the record is saved.
    Interrupted = 130,
}

impl Termination for Status {
    fn report(self) -> ExitCode {
        ExitCode::from(self as u8)
    }
}

/// A command that failed: what to tell the user, and the status.
#[derive(Debug)]
pub struct Failed {
    pub status: Status,
    pub message: String,
}

impl Failed {
    pub fn bad_input(message: impl Into<String>) -> Self {
        Self {
            status: Status::BadInput,
            message: message.into(),
        }
    }

    pub(super) fn new(status: Status, error: &impl std::error::Error) -> Self {
        Self {
            status,
            message: error.to_string(),
        }
    }
}

impl From<SuiteError> for Failed {
    fn from(error: SuiteError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<RevisionError> for Failed {
    fn from(error: RevisionError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<UnitError> for Failed {
    fn from(error: UnitError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<AffinityError> for Failed {
    fn from(error: AffinityError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<ReadError> for Failed {
    fn from(error: ReadError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<ForeignError> for Failed {
    fn from(error: ForeignError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<WriteError> for Failed {
    fn from(error: WriteError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<WriteRunError> for Failed {
    fn from(error: WriteRunError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<WriteAcrossError> for Failed {
    fn from(error: WriteAcrossError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<WriteTraceError> for Failed {
    fn from(error: WriteTraceError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<ExportError> for Failed {
    fn from(error: ExportError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<WriteFileError> for Failed {
    fn from(error: WriteFileError) -> Self {
        Self::new(Status::BadInput, &error)
    }
}

impl From<PythonError> for Failed {
    fn from(error: PythonError) -> Self {
        let status = match error {
            PythonError::Cache { .. } => Status::BadInput,
            PythonError::NotFound { .. }
            | PythonError::Unusable { .. }
            | PythonError::TooOld { .. }
            | PythonError::Venv { .. }
            | PythonError::Packages { .. }
            | PythonError::Compile { .. } => Status::NotLaunched,
        };
        Self::new(status, &error)
    }
}

impl From<StageError> for Failed {
    fn from(error: StageError) -> Self {
        let status = match &error {
            StageError::Python(_) => return Self::from_python(error),
            StageError::Interrupted(_) => Status::Interrupted,
            StageError::NothingReadOnly { .. }
            | StageError::NoTmpfs { .. }
            | StageError::NoCpuQuota { .. }
            | StageError::CannotDropCaches { .. }
            | StageError::NotAsAsked { .. }
            | StageError::NotCached { .. }
            | StageError::NeedsOverlay { .. }
            | StageError::NoInstallation { .. }
            | StageError::NoOverlay { .. }
            | StageError::View { .. }
            | StageError::Receipt { .. }
            | StageError::NotTraced { .. } => Status::Invalid,
            StageError::ByCommand { .. }
            | StageError::Launch { .. }
            | StageError::TracedLaunch { .. }
            | StageError::NoModule { .. }
            | StageError::BrokenPyc { .. }
            | StageError::NoProgram { .. } => Status::NotLaunched,
            StageError::DropCachesNotAllowed { .. }
            | StageError::Files(_)
            | StageError::TemporaryInside { .. }
            | StageError::Mount { .. }
            | StageError::NoPort(_) => Status::BadInput,
        };
        Self::new(status, &error)
    }
}

impl Failed {
    fn from_python(error: StageError) -> Self {
        match error {
            StageError::Python(error) => error.into(),
            other => Self::new(Status::NotLaunched, &other),
        }
    }
}

impl From<RunError> for Failed {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Stage(error) => error.into(),
            RunError::Write(error) => error.into(),
            RunError::Receipts(_) => Self::new(Status::Invalid, &error),
        }
    }
}
