//! `coldsnake init`: write the suite of a command, to be edited.

use std::path::{Path, PathBuf};

use super::adhoc::{self, FILE, Options};
use super::exit::{Failed, Status};
use super::output::{print, say};
use super::progress::Verbosity;
use crate::report::{Existing, WriteFileError, check_file, write_file};
use crate::suite::SuiteFile;

/// Write a suite for any Python command
///
/// Launches the command once, as `run -- CMD` does, and writes down what was found: interpreter,
/// own source folders, when it is ready, and the standard scenarios, each with the reason.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake init -- python -m myapp --flag\n  \
    coldsnake init -o suite.toml -- gunicorn --bind 127.0.0.1:8000 shop.wsgi:app\n  \
    coldsnake init -o - -- .venv/bin/black --version")]
pub struct Args {
    /// The file, which must not exist yet; - for standard output
    #[arg(long, short, value_name = "FILE", default_value = FILE)]
    output: PathBuf,
    /// The Python interpreter [default: the one that the command leads to]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    #[command(flatten)]
    options: Options,
    /// No word of what was found
    #[arg(long, short)]
    quiet: bool,
    /// A Python program and its arguments
    #[arg(last = true, required = true, value_name = "CMD")]
    command: Vec<String>,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let is_stdout = args.output == Path::new("-");
    let failed = |error: std::io::Error| {
        Failed::bad_input(format!("cannot write {}: {error}", args.output.display()))
    };
    if !is_stdout {
        check_file(&args.output, Existing::Keep).map_err(refused)?;
    }
    let here = if is_stdout {
        Path::new(FILE)
    } else {
        &args.output
    };
    let folder = std::path::absolute(here)
        .map_err(failed)?
        .parent()
        .map(Path::to_owned)
        .unwrap_or_default();
    let verbosity = if args.quiet {
        Verbosity::Quiet
    } else {
        Verbosity::Normal
    };
    let python = args.python.as_deref();
    let inferred = adhoc::observe(&args.command, python, &args.options, verbosity)?;
    let text = inferred.suite_text(&folder);
    // A word in braces, say, that no suite can have.
    SuiteFile::from_text(here, text.clone()).suite()?;
    if is_stdout {
        print(&text);
        return Ok(Status::Done);
    }
    write_file(&args.output, text.as_bytes(), Existing::Keep).map_err(refused)?;
    let path = args.output.display();
    say(&format!("wrote {path}; `coldsnake run {path}` measures it"));
    Ok(Status::Done)
}

fn refused(error: WriteFileError) -> Failed {
    match error {
        // There is no --force: a suite may have been edited.
        WriteFileError::Exists { path } => Failed::bad_input(format!(
            "{} is there already, and is left as it is\n  choose another file with -o",
            path.display()
        )),
        error => Failed::bad_input(error.to_string()),
    }
}
