//! Many records side by side, as files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::super::charts::{ChartError, across_charts};
use super::super::theme::Theme;
use super::super::write::{CHARTS_FOLDER, write_whole};
use crate::analysis::Across;

/// The figures for scripts.
pub const ACROSS_FILE: &str = "comparison.json";

/// Files that could not be written.
#[derive(Debug, Error)]
pub enum WriteAcrossError {
    #[error("cannot write {}: {source}\n  choose another folder with --out", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot draw {}: {source}", path.display())]
    Chart { path: PathBuf, source: ChartError },
}

/// Makes a folder with `comparison.json`, `charts/*.svg` and `charts/*.png`: whole, or not at all.
///
/// # Errors
/// When something is there already, or it cannot be written.
pub fn write_across(folder: &Path, across: &Across) -> Result<(), WriteAcrossError> {
    use std::os::unix::fs::PermissionsExt;
    check_new(folder)?;
    let failed = |source| WriteAcrossError::Write {
        path: folder.to_owned(),
        source,
    };
    let parent = match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(failed)?;
    // Beside it, so that renaming moves no file.
    let making = tempfile::Builder::new()
        .prefix(".coldsnake-comparison-")
        .tempdir_in(parent)
        .map_err(failed)?;
    let put = |name: &str, bytes: &[u8]| write_whole(&making.path().join(name), bytes);
    put(ACROSS_FILE, across.to_json().as_bytes()).map_err(failed)?;
    fs::create_dir(making.path().join(CHARTS_FOLDER)).map_err(failed)?;
    for chart in across_charts(across) {
        let name = |end: &str| format!("{CHARTS_FOLDER}/{}.{end}", chart.name);
        let undrawn = |source| WriteAcrossError::Chart {
            path: folder.join(name("svg")),
            source,
        };
        put(&name("svg"), chart.svg().map_err(undrawn)?.as_bytes()).map_err(failed)?;
        put(&name("png"), &chart.png(Theme::Light).map_err(undrawn)?).map_err(failed)?;
    }
    // A temporary folder is its owner's alone.
    fs::set_permissions(making.path(), fs::Permissions::from_mode(0o755)).map_err(failed)?;
    check_new(folder)?;
    fs::rename(making.path(), folder).map_err(failed)?;
    // It has another name now, by which nothing removes it.
    let _ = making.keep();
    Ok(())
}

/// Would [`write_across`] find the place taken? To be asked before what takes long.
///
/// # Errors
/// When something is there already.
pub fn check_new(folder: &Path) -> Result<(), WriteAcrossError> {
    match folder.symlink_metadata() {
        Ok(_) => Err(WriteAcrossError::Write {
            path: folder.to_owned(),
            source: io::Error::new(io::ErrorKind::AlreadyExists, "it is there already"),
        }),
        Err(_) => Ok(()),
    }
}
