//! All launches of one run, JSON Lines, versioned: format, writer, reader, facts about the host.

mod convert;
mod counts;
pub mod format;
pub mod host;
mod model;
mod reader;
mod writer;

pub use counts::{Count, CountSource, Instructions, NOTHING};
pub use model::*;
pub use reader::ReadError;
pub use writer::{RecordWriter, WriteError};

/// The record's name in a run's folder.
pub const RECORD_FILE: &str = "record.jsonl";
