//! Which records a path names.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use super::exit::Failed;
use crate::record::RECORD_FILE;

/// Is in every published site, so that nothing else is ever replaced.
pub const SITE_MARK: &str = ".coldsnake-site";

/// The records that a path names: it is one, or a folder with some below it. Sites are not looked into.
///
/// # Errors
/// When a folder has none.
pub fn records_at(place: &Path) -> Result<Vec<PathBuf>, Failed> {
    if !place.is_dir() || place.join(RECORD_FILE).is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut found: Vec<PathBuf> = WalkDir::new(place)
        .sort_by_file_name()
        .into_iter()
        .filter_entry(|entry| !entry.path().join(SITE_MARK).exists())
        .flatten()
        .filter(|entry| entry.file_type().is_file() && entry.file_name() == RECORD_FILE)
        .map(walkdir::DirEntry::into_path)
        .collect();
    found.sort();
    if found.is_empty() {
        return Err(Failed::bad_input(format!(
            "there is no {RECORD_FILE} below {}\n  name the folder of a run, or one that runs lie in",
            place.display()
        )));
    }
    Ok(found)
}
