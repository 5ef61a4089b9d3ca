//! `trace.json` as far as the page shows it.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{AttachError, read};
use crate::trace::TRACE_VERSION;

/// A trace of one scenario, or of two.
#[derive(Debug, Clone, Deserialize)]
pub struct TraceFile {
    pub app: String,
    pub scenarios: Vec<TracedScenario>,
}

/// Where the time of a start goes under one scenario.
#[derive(Debug, Clone, Deserialize)]
pub struct TracedScenario {
    pub name: String,
    pub interpreter: String,
    pub blocks: u64,
    /// Median of the launches with the hook.
    pub traced_ms: f64,
    /// By part.
    pub parts_ms: Map<String, Value>,
    /// The one that took most first.
    pub modules: Vec<TracedModule>,
}

/// One module. Times are medians.
#[derive(Debug, Clone, Deserialize)]
pub struct TracedModule {
    pub name: String,
    /// "path" or "beside".
    pub place: String,
    /// From the spawn until it was first looked for.
    pub begin_ms: f64,
    /// From then until it was done with.
    pub inclusive_ms: f64,
    pub own_ms: f64,
    /// By phase.
    pub phases_ms: Map<String, Value>,
}

impl TraceFile {
    /// Reads the file's text.
    ///
    /// # Errors
    /// When it is none of a trace that this build reads, or of another app.
    pub fn read(text: &str, measured: &str) -> Result<Self, AttachError> {
        let version = ("trace_version", u64::from(TRACE_VERSION));
        let trace: Self = read(text, version, "what `coldsnake trace --out` writes")?;
        if trace.app != measured {
            return Err(AttachError::OtherApp {
                traced: trace.app,
                measured: measured.to_owned(),
            });
        }
        Ok(trace)
    }
}
