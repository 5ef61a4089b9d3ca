//! What `coldsnake doctor --format json` prints, as far as the page shows it.

use serde::Deserialize;

use super::{AttachError, read};

/// A diagnosis.
#[derive(Debug, Clone, Deserialize)]
pub struct DoctorFile {
    /// In a few sentences.
    pub answer: String,
    pub subject: String,
    pub user: String,
    pub findings: Vec<Finding>,
    pub notes: Vec<String>,
}

/// A cause, and what would mend it.
#[derive(Debug, Clone, Deserialize)]
pub struct Finding {
    pub cause: String,
    pub obstacle: Option<String>,
    pub effect: String,
    pub modules: u64,
    pub examples: Vec<String>,
    pub evidence: Vec<String>,
    pub fixes: Vec<Fix>,
}

/// A remedy.
#[derive(Debug, Clone, Deserialize)]
pub struct Fix {
    pub works: bool,
    pub what: String,
    pub because: Option<String>,
    /// To be pasted.
    pub lines: Vec<String>,
}

impl DoctorFile {
    /// Reads what was printed.
    ///
    /// # Errors
    /// When it is no diagnosis that this build reads.
    pub fn read(text: &str) -> Result<Self, AttachError> {
        let expected = "what `coldsnake doctor --format json` prints";
        let doctor: Option<Self> = match read(text, ("format_version", 1), expected) {
            // Other commands' JSON has a version under the same key.
            Err(AttachError::Damaged { .. }) if !text.contains("\"verdicts\"") => None,
            other => Some(other?),
        };
        doctor.ok_or(AttachError::Foreign { expected })
    }
}
