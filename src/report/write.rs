//! Writes a report into a run's folder. A file is either the old one or the new one, whole:
//! each is written under another name in the same folder, synced, and renamed.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rayon::prelude::*;
use tempfile::NamedTempFile;
use thiserror::Error;

use super::attached::Attached;
use super::charts::{ChartError, charts_with};
use super::page::page_of;
use super::theme::Theme;
use crate::analysis::Analysis;
use crate::record::Record;

/// The figures for scripts.
pub const SUMMARY_FILE: &str = "summary.json";
/// The page.
pub const PAGE_FILE: &str = "report.html";
/// The folder of the charts.
pub const CHARTS_FOLDER: &str = "charts";

/// A report that could not be written.
#[derive(Debug, Error)]
pub enum WriteRunError {
    #[error(
        "cannot write {}: {source}\n  \
         the record is safe; make room or give another folder with --out, then run \
         `coldsnake report` on the record",
        path.display()
    )]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot draw {}: {source}", path.display())]
    Chart { path: PathBuf, source: ChartError },
}

/// Writes `summary.json` (as given), `report.html` and `charts/*.svg`, `charts/*.png` into the
/// folder, and gives the files' paths in that order.
///
/// # Errors
/// When a file cannot be written or a chart cannot be drawn; what was written before stays.
pub fn write_run(
    folder: &Path,
    summary_json: &str,
    record: &Record,
    analysis: &Analysis,
) -> Result<Vec<PathBuf>, WriteRunError> {
    write_run_with(folder, summary_json, record, analysis, &Attached::default())
}

/// The same, with what goes with the record.
///
/// # Errors
/// As [`write_run`].
pub fn write_run_with(
    folder: &Path,
    summary_json: &str,
    record: &Record,
    analysis: &Analysis,
    attached: &Attached,
) -> Result<Vec<PathBuf>, WriteRunError> {
    let charts = charts_with(record, analysis, attached);
    let pictures = folder.join(CHARTS_FOLDER);
    fs::create_dir_all(&pictures).map_err(|source| WriteRunError::Write {
        path: pictures.clone(),
        source,
    })?;
    let mut written = Vec::new();
    let mut put = |path: PathBuf, bytes: &[u8]| {
        write_whole(&path, bytes).map_err(|source| WriteRunError::Write {
            path: path.clone(),
            source,
        })?;
        written.push(path);
        Ok(())
    };
    put(folder.join(SUMMARY_FILE), summary_json.as_bytes())?;
    let path = folder.join(PAGE_FILE);
    let html =
        page_of(record, analysis, &charts, attached).map_err(|source| WriteRunError::Chart {
            path: path.clone(),
            source,
        })?;
    put(path, html.as_bytes())?;
    let drawn: Vec<_> = charts
        .par_iter()
        .map(|chart| (chart.svg(), chart.png(Theme::Light)))
        .collect();
    for (chart, (svg, png)) in charts.iter().zip(drawn) {
        let path = |end: &str| pictures.join(format!("{}.{end}", chart.name));
        let undrawn = |path: PathBuf| move |source| WriteRunError::Chart { path, source };
        let svg = svg.map_err(undrawn(path("svg")))?;
        put(path("svg"), svg.as_bytes())?;
        let png = png.map_err(undrawn(path("png")))?;
        put(path("png"), &png)?;
    }
    Ok(written)
}

/// Writes a file under a temporary name in its folder, syncs it, and renames it: whoever reads it
/// finds the old one or the new one, whole.
///
/// # Errors
/// When it cannot be written; what was there before stays.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_beside(path, bytes)?.persist(path)?;
    Ok(())
}

/// The same for a file that must not be there yet.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    written_beside(path, bytes)?.persist_noclobber(path)?;
    Ok(())
}

fn written_beside(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(unnamed)?;
    // Not by the temporary file's own `write_all`, whose errors have its name in them.
    file.as_file_mut().write_all(bytes)?;
    readable_by_all(&file)?;
    file.as_file().sync_all()?;
    Ok(file)
}

/// The error without the temporary name, which tells nobody anything.
fn unnamed(error: io::Error) -> io::Error {
    // The cause itself is not to be had: tempfile's error gives its words alone.
    match error.to_string().split_once(" at path ") {
        Some((cause, _)) => io::Error::new(error.kind(), cause),
        None => error,
    }
}

/// A temporary file is its owner's alone; a report may be served by a web server.
fn readable_by_all(file: &NamedTempFile) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.as_file()
        .set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(test)]
mod tests {
    use super::super::charts::charts;
    use super::super::fixture;
    use super::*;

    #[test]
    fn a_run_folder_gets_summary_page_and_charts_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let (record, analysis) = fixture::lernmanager();
        let written = write_run(folder.path(), "{}\n", &record, &analysis).unwrap();
        assert_eq!(written.len(), 2 + 2 * charts(&record, &analysis).len());
        assert!(
            written
                .iter()
                .all(|path| path.metadata().unwrap().len() > 0)
        );
        let summary = fs::read_to_string(folder.path().join(SUMMARY_FILE)).unwrap();
        assert_eq!(summary, "{}\n");
        let there = |folder: &Path| fs::read_dir(folder).unwrap().count();
        assert_eq!(there(folder.path()), 3);
        assert_eq!(there(&folder.path().join(CHARTS_FOLDER)), written.len() - 2);
    }

    #[test]
    fn a_file_that_was_there_is_replaced_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        write_whole(&path, &[b'x'; 1000]).unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn an_error_names_the_file_and_a_way_out() {
        let folder = tempfile::tempdir().unwrap();
        let (record, analysis) = fixture::measured(1);
        // A folder stands where the page should go.
        fs::create_dir_all(folder.path().join(PAGE_FILE).join("in the way")).unwrap();
        let error = write_run(folder.path(), "{}", &record, &analysis).unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("report.html") && text.contains("--out"),
            "{text}"
        );
    }
}
