//! What a record does not hold and its page can show all the same: where the time of a start goes, as
//! `coldsnake trace` wrote it down, and why modules are compiled, as `coldsnake doctor` did.
//!
//! Both are read from their files and shown, and nothing is concluded from them.

mod doctor;
mod trace;

use serde::de::DeserializeOwned;
use serde_json::Value;
use thiserror::Error;

pub use doctor::{DoctorFile, Fix};
pub use trace::{TraceFile, TracedModule, TracedScenario};

/// What goes with a record.
#[derive(Debug, Clone, Default)]
pub struct Attached {
    pub trace: Option<TraceFile>,
    pub doctor: Option<DoctorFile>,
}

/// A file that cannot be shown.
#[derive(Debug, Error)]
pub enum AttachError {
    #[error("it is no JSON: {0}")]
    NotJson(serde_json::Error),
    #[error("it is not {expected}")]
    Foreign { expected: &'static str },
    #[error("it is of version {found} of its format, and this coldsnake reads version {known}")]
    Version { found: u64, known: u64 },
    #[error("it looks like {expected}, but {source}")]
    Damaged {
        expected: &'static str,
        source: serde_json::Error,
    },
    #[error("it is a trace of {traced}, and the record is of {measured}")]
    OtherApp { traced: String, measured: String },
}

/// Reads a file whose format's version stands under `key`.
fn read<T: DeserializeOwned>(
    text: &str,
    (key, known): (&str, u64),
    expected: &'static str,
) -> Result<T, AttachError> {
    let value: Value = serde_json::from_str(text).map_err(AttachError::NotJson)?;
    match value.get(key).and_then(Value::as_u64) {
        Some(version) if version == known => serde_json::from_value(value)
            .map_err(|source| AttachError::Damaged { expected, source }),
        Some(found) => Err(AttachError::Version { found, known }),
        None => Err(AttachError::Foreign { expected }),
    }
}
