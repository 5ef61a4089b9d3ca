//! What all commands that show results share: the format, the terminal's width, colour.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use clap::ValueEnum;

use super::exit::{Failed, Status};
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

/// Did [`print`] lose something? It is asked when the command has ended: what a run measured is written
/// into its folder all the same, and a verdict is in the status.
static LOST: AtomicBool = AtomicBool::new(false);

/// Prints to stdout. A reader that has had enough (`| head`) is no error. Whatever else goes wrong is told,
/// once, and heeded by [`printed`].
pub fn print(text: &str) {
    heed(written(text));
}

/// Tells what became of something that was printed, if it was lost.
pub fn heed(outcome: io::Result<()>) {
    if let Err(failed) = delivered(outcome)
        && !LOST.swap(true, Ordering::Relaxed)
    {
        say(&failed.message);
    }
}

/// The status of a command that ended with this one, and may have lost what it printed.
pub fn printed(status: Status) -> Status {
    match status {
        Status::Done if LOST.load(Ordering::Relaxed) => Status::BadInput,
        status => status,
    }
}

/// Prints what is to be kept, such as an export: that all of it arrived matters then. A reader that has
/// had enough is no error here, either.
///
/// # Errors
/// When it cannot be written, as on a disk that is full.
pub fn deliver(text: &str) -> Result<(), Failed> {
    delivered(written(text))
}

fn written(text: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes()).and(stdout.flush())
}

fn delivered(outcome: io::Result<()>) -> Result<(), Failed> {
    match outcome {
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
