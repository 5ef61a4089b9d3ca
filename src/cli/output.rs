//! What all commands that show results share: the format, the terminal's width, colour.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::exit::Failed;
use crate::analysis::{Analysis, analyse};
use crate::record::Record;
use crate::report::{Colour, Terminal, terminal, write_run};

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// Tables and sentences.
    #[default]
    Text,
    /// What `summary.json` holds, or `trace.json`.
    Json,
}

/// Where there is no terminal, text is laid out for this many columns.
const COLUMNS: usize = 100;

/// The terminal that stdout is.
pub fn stdout_terminal() -> Terminal {
    let is_terminal = std::io::stdout().is_terminal();
    let width = if is_terminal {
        terminal_size::terminal_size().map_or(COLUMNS, |(width, _)| usize::from(width.0))
    } else {
        COLUMNS
    };
    // https://no-color.org: set and not empty.
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    Terminal {
        width,
        colour: if is_terminal && !no_color {
            Colour::Always
        } else {
            Colour::Never
        },
    }
}

/// Prints to stdout. A reader that has had enough (`| head`) is no error.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(text.as_bytes());
    let _ = stdout.flush();
}

/// Prints what is to be kept, such as an export: that all of it arrived matters then. A reader that has
/// had enough is no error here, either.
///
/// # Errors
/// When it cannot be written, as on a disk that is full.
pub fn deliver(text: &str) -> Result<(), Failed> {
    let mut stdout = std::io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and(stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Failed::bad_input(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Prints a line to stderr, with the program's name. `eprintln!` would panic where nobody reads it.
pub fn say(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "coldsnake: {text}");
}

/// Prints the analysis of a record.
pub fn show(record: &Record, analysis: &Analysis, format: Format) {
    match format {
        Format::Text => print(&terminal(record, analysis, stdout_terminal())),
        Format::Json => print(&analysis.to_summary_json()),
    }
}

/// Reads a record and analyses it. Lines that cannot be read are named on stderr.
///
/// # Errors
/// When it is no record that this build reads.
pub fn open(path: &Path) -> Result<(Record, Analysis), Failed> {
    let record = Record::read(path)?;
    say_damage(path, &record);
    let analysis = analyse(&record);
    Ok((record, analysis))
}

/// Names the lines that could not be read.
pub fn say_damage(path: &Path, record: &Record) {
    for damaged in &record.damaged {
        say(&format!(
            "line {} of {} is damaged and left out: {}",
            damaged.line,
            path.display(),
            damaged.reason
        ));
    }
}

/// Writes summary, page and charts into a folder.
///
/// # Errors
/// When a file cannot be written.
pub fn write(folder: &Path, record: &Record, analysis: &Analysis) -> Result<Vec<PathBuf>, Failed> {
    Ok(write_run(
        folder,
        &analysis.to_summary_json(),
        record,
        analysis,
    )?)
}
