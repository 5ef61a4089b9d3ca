//! The files of a folder: `trace.json`, two formats for viewers, the waterfalls, and the page.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::super::charts::{ChartError, waterfall_chart};
use super::super::theme::Theme;
use super::super::write::write_whole;
use super::page::page;
use crate::trace::{Findings, speedscope, trace_events, trace_json};

/// A file that could not be written.
#[derive(Debug, Error)]
pub enum WriteTraceError {
    #[error(
        "cannot write {}: {source}\n  make room, or give another folder with --out",
        path.display()
    )]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot draw {}: {source}", path.display())]
    Chart { path: PathBuf, source: ChartError },
}

/// Writes everything into a folder, and gives the files' paths.
///
/// # Errors
/// When a file cannot be written or a chart cannot be drawn; what was written before stays.
pub fn write_trace(folder: &Path, findings: &Findings) -> Result<Vec<PathBuf>, WriteTraceError> {
    let mut written = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        match write_whole(&path, bytes) {
            Ok(()) => {
                written.push(path);
                Ok(())
            }
            Err(source) => Err(WriteTraceError::Write { path, source }),
        }
    };
    let chart = |name: &str| {
        let path = folder.join(name);
        move |source| WriteTraceError::Chart { path, source }
    };
    put("trace.json", trace_json(findings).as_bytes())?;
    put("speedscope.json", speedscope(findings).as_bytes())?;
    put("trace-events.json", trace_events(findings).as_bytes())?;
    let html = page(findings).map_err(chart("trace.html"))?;
    put("trace.html", html.as_bytes())?;
    for profile in &findings.profiles {
        let drawn = waterfall_chart(profile);
        let name = |end: &str| {
            let safe = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
            let stem: String = drawn.name.chars().map(safe).take(100).collect();
            format!("{stem}.{end}")
        };
        let (svg, png) = (name("svg"), name("png"));
        put(&svg, drawn.svg().map_err(chart(&svg))?.as_bytes())?;
        put(&png, &drawn.png(Theme::Light).map_err(chart(&png))?)?;
    }
    Ok(written)
}
