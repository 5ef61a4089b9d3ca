//! What an interpreter takes for bytecode that counts.

use std::collections::BTreeSet;
use std::path::PathBuf;

use super::header::{HashCheck, SourceHash};
use super::marshal::Dialect;
use crate::suite::Optimization;

/// Are the bodies of pycs read?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bodies {
    Checked,
    /// Headers alone: a pyc whose code is damaged counts as a hit.
    Trusted,
}

/// What an interpreter takes, and how it is told to take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    pub tag: String,
    pub level: Optimization,
    pub magic: u16,
    pub hash: SourceHash,
    pub dialect: Dialect,
    pub hash_check: HashCheck,
    /// Of shared objects.
    pub suffixes: BTreeSet<String>,
    /// The standard library, and those of its modules that are in the interpreter itself.
    pub stdlib: PathBuf,
    pub frozen: BTreeSet<String>,
    /// The script that is run, which is never cached.
    pub main: Option<PathBuf>,
}

/// `PYTHONPYCACHEPREFIX`, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// As the app knows it, absolute.
    pub path: PathBuf,
    /// The variable, the flag or the option that sets it.
    pub by: String,
    /// What empties it before each start: then what lies there now does not count.
    pub emptied: Option<String>,
}
