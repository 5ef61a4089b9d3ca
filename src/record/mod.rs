//! All launches of one run, JSON Lines, versioned: format, writer, reader, shards put together, facts about the host.

mod convert;
mod counts;
mod cpus;
pub mod foreign;
pub mod format;
pub mod host;
mod merge;
mod model;
mod reader;
mod shard;
mod sitting;
mod writer;

pub use counts::{Count, CountSource, Instructions, NOTHING};
pub use cpus::{Cpus, NoCpus};
pub use merge::{MergeError, Missing, Part, merge};
pub use model::*;
pub use reader::ReadError;
pub use shard::{NoShard, Shard};
pub use sitting::Sitting;
pub use writer::{Lines, RecordWriter, WriteError};

/// The record's name in a run's folder.
pub const RECORD_FILE: &str = "record.jsonl";
