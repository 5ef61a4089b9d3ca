//! Pycs that no longer are what compileall made of them.

use std::fs;
use std::path::Path;

use super::bytecode::files;
use super::copy::{CopyError, at};
use crate::python::{HEADER_BYTES, PycHeader};

/// Python 3.8's magic number (Lib/importlib/_bootstrap_external.py): no interpreter that is
/// supported here takes it for its own.
pub(super) const OTHER_MAGIC: u16 = 3413;

/// What is done to a pyc.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Damage {
    /// Nothing is left: CPython takes it for no pyc, and replaces it.
    Emptied,
    /// It says that another interpreter made it: CPython passes over it, and replaces it.
    OtherMagic,
    /// Header good, body cut in half: CPython trusts the header, raises EOFError while it reads
    /// the body, and never replaces it (gh-126606 left such files on full disks).
    Truncated,
}

/// Damages each pyc below a folder.
///
/// # Errors
/// The first one that cannot be changed.
pub(super) fn damage(folder: &Path, damage: Damage) -> Result<(), CopyError> {
    for pyc in files(folder, "pyc") {
        let done = match damage {
            Damage::Emptied => fs::write(&pyc, b""),
            Damage::OtherMagic => PycHeader::record_magic(&pyc, OTHER_MAGIC),
            Damage::Truncated => truncate(&pyc),
        };
        done.map_err(at(&pyc))?;
    }
    Ok(())
}

fn truncate(pyc: &Path) -> std::io::Result<()> {
    let file = fs::OpenOptions::new().write(true).open(pyc)?;
    let body = file.metadata()?.len().saturating_sub(HEADER_BYTES);
    file.set_len(HEADER_BYTES + body / 2)
}
