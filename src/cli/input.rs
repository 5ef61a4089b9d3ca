//! What a file is that a command was given: a record, or one of another program.

use std::path::Path;

use super::compare::Format;
use super::exit::{Failed, Status};
use super::output::{open, print, stdout_terminal};
use crate::analysis::{ForeignRefusal, Side, Unlike, compare_foreign};
use crate::record::Record;
use crate::record::foreign::Foreign;
use crate::report::foreign_comparison;

enum Input {
    Record(Box<Record>),
    Foreign(Foreign),
}

impl Input {
    fn side(&self) -> Side<'_> {
        match self {
            Self::Record(record) => Side::Record(record),
            Self::Foreign(foreign) => Side::Foreign(foreign),
        }
    }
}

/// Compares the files if one of them is another program's; `None` if both are records.
pub fn compare_if_foreign(
    first: &Path,
    second: Option<&Path>,
    unlike: Unlike,
    format: Format,
) -> Result<Option<Status>, Failed> {
    let foreign = Foreign::read(first)?;
    let Some(second) = second else {
        return match foreign {
            None => Ok(None),
            Some(foreign) => Err(Failed::bad_input(format!(
                "{} is {}'s JSON, which has no blocks to compare within\n  \
                 name a second file to compare it with",
                first.display(),
                foreign.program
            ))),
        };
    };
    let other = Foreign::read(second)?;
    if foreign.is_none() && other.is_none() {
        return Ok(None);
    }
    let input = |path: &Path, foreign: Option<Foreign>| match foreign {
        Some(foreign) => Ok(Input::Foreign(foreign)),
        None => open(path).map(|(record, _)| Input::Record(Box::new(record))),
    };
    let (first, second) = (input(first, foreign)?, input(second, other)?);
    let compared = compare_foreign(first.side(), second.side(), unlike).map_err(|error| {
        Failed::bad_input(match error {
            ForeignRefusal::Unlike(_) => format!("{error}\n  --unlike compares them all the same"),
            ForeignRefusal::NoPair { .. } | ForeignRefusal::NoTimes { .. } => error.to_string(),
        })
    })?;
    match format {
        Format::Text => print(&foreign_comparison(&compared, stdout_terminal())),
        Format::Json => print(&compared.to_json()),
        Format::Markdown => {
            return Err(Failed::bad_input(
                "--format markdown is for coldsnake's records only\n  leave it out, or take json",
            ));
        }
    }
    Ok(Some(Status::Done))
}
