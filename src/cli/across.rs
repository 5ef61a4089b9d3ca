//! `coldsnake compare --by`: many records side by side.

use std::path::{Path, PathBuf};

use super::compare::Format;
use super::exit::{Failed, Status};
use super::output::{open, print, say, stdout_terminal};
use super::places::records_at;
use crate::analysis::{AcrossError, By, Given, across};
use crate::record::foreign::Foreign;
use crate::report::{ACROSS_FILE, across_markdown, across_text, check_new, write_across};

/// `--by`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ByChoice {
    /// The same app, suite and interpreter on several machines; with a mean over all of them
    Host,
    /// The same app and suite on one machine, under several interpreters
    Interpreter,
    /// Several apps, on one machine and under one interpreter
    App,
}

impl From<ByChoice> for By {
    fn from(choice: ByChoice) -> Self {
        match choice {
            ByChoice::Host => Self::Host,
            ByChoice::Interpreter => Self::Interpreter,
            ByChoice::App => Self::App,
        }
    }
}

/// Puts the records that these paths name side by side.
///
/// # Errors
/// When a file is no record, launches are there twice, no record is valid, or the folder cannot be made.
pub fn execute(
    places: &[&Path],
    by: ByChoice,
    format: Format,
    out: Option<&Path>,
) -> Result<Status, Failed> {
    if let Some(out) = out {
        check_new(out)?;
    }
    let mut paths: Vec<PathBuf> = Vec::new();
    for place in places {
        if !place.exists() && place.to_string_lossy().contains('*') {
            return Err(Failed::bad_input(format!(
                "no file is called {}: the shell found none for this pattern\n  name the folder instead, which is \
                 looked through however deep records lie",
                place.display()
            )));
        }
        paths.extend(records_at(place)?);
    }
    let given = paths
        .iter()
        .map(|path| read(path))
        .collect::<Result<Vec<Given>, Failed>>()?;
    let found = across(&given, by.into())?;
    for left_out in &found.left_out {
        say(&format!("left out, as it is invalid: {left_out}"));
    }
    if let Some(out) = out {
        write_across(out, &found)?;
        say(&format!(
            "charts and {ACROSS_FILE} are in {}",
            out.display()
        ));
    }
    match format {
        Format::Text => print(&across_text(&found, stdout_terminal())),
        Format::Json => print(&found.to_json()),
        Format::Markdown => print(&across_markdown(&found)),
    }
    Ok(Status::Done)
}

fn read(path: &Path) -> Result<Given, Failed> {
    if let Some(foreign) = Foreign::read(path)? {
        return Err(Failed::bad_input(format!(
            "{} is {}'s JSON, which has no blocks\n  --by takes coldsnake's records only",
            path.display(),
            foreign.program
        )));
    }
    let (record, analysis) = open(path)?;
    Ok(Given {
        name: path.display().to_string(),
        record,
        analysis,
    })
}

impl From<AcrossError> for Failed {
    fn from(error: AcrossError) -> Self {
        let status = match error {
            AcrossError::Twice { .. } => Status::BadInput,
            AcrossError::NoneValid(_) => Status::Invalid,
            AcrossError::NoneLeft(_) => Status::BadInput,
        };
        Self::new(status, &error)
    }
}
