//! `coldsnake overview`: several apps in one table and one chart.

use std::fs;
use std::path::PathBuf;

use super::exit::{Failed, Status};
use super::output::{open, print};
use crate::report::{Row, Theme, overview_chart, overview_table, write_whole};

/// Put several apps into one table and one chart
///
/// Of each record: what a bytecode cache saves per start, what a prefix's first start costs, and
/// after how many starts that is paid back. The records' suites must have the scenarios warm (the
/// baseline), cold, prefix-first and prefix-warm.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake overview coldsnake-runs/black coldsnake-runs/pytest
  coldsnake overview coldsnake-runs/black coldsnake-runs/pytest --out all")]
pub struct Args {
    /// Records (record.jsonl), or the folders of runs, in the order of the rows
    #[arg(required = true)]
    records: Vec<PathBuf>,
    /// Where chart.svg and chart.png go; without it there is only the table, in Markdown
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let mut rows = Vec::new();
    for path in &args.records {
        let (_, analysis) = open(path)?;
        let row = Row::of(&analysis)
            .map_err(|error| Failed::bad_input(format!("{}: {error}", path.display())))?;
        rows.push(row);
    }
    if let Some(folder) = &args.out {
        let chart = overview_chart(&rows);
        let undrawn = |error| Failed::bad_input(format!("cannot draw the chart: {error}"));
        let svg = chart.svg().map_err(undrawn)?;
        let png = chart.png(Theme::Light).map_err(undrawn)?;
        let unwritten = |error| {
            Failed::bad_input(format!(
                "cannot write the chart into {}: {error}\n  choose another folder with --out",
                folder.display()
            ))
        };
        fs::create_dir_all(folder).map_err(unwritten)?;
        write_whole(&folder.join("chart.svg"), svg.as_bytes()).map_err(unwritten)?;
        write_whole(&folder.join("chart.png"), &png).map_err(unwritten)?;
    }
    print(&overview_table(&rows));
    Ok(Status::Done)
}
