//! `coldsnake compare`: the contrasts of one record, of two, or of many; or of two states of the source.

use std::path::{Path, PathBuf};

use super::across::{self, ByChoice};
use super::against::{self, Purpose};
use super::exit::{Failed, Status};
use super::input::compare_if_foreign;
use super::output::{open, print, show, stdout_terminal};
use super::run::CounterChoice;
use crate::analysis::{Analysis, Unlike, compare};
use crate::record::Record;
use crate::report::{comparison, comparison_markdown, contrasts_markdown};
use crate::suite::Guarding;

/// Show the contrasts of one record, compare records, or measure two states of an app
///
/// Two records were not measured inside the same blocks: what the machine did between the runs is
/// part of the difference, and the result is labelled uncontrolled. Records of different apps,
/// suites, interpreters or hosts are refused.
///
/// Either may be JSON of hyperfine or pyperf instead, known by what is in it. Benchmarks are matched by
/// name with each other and with scenarios, or compared if each file has one only.
///
/// With --by many records, or those below folders, are put side by side: what each scenario does on each host,
/// under each interpreter, or to each app. Of hosts there is a mean, with an interval, and how much they differ.
///
/// With --against GIT-REV both states of the app are measured, each scenario at the revision and as
/// the working tree has it, inside the same blocks.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake compare coldsnake-runs/OLD coldsnake-runs/NEW\n  \
    coldsnake compare collected --by host --out side-by-side\n  \
    coldsnake compare --against main suite.toml --format markdown\n  \
    coldsnake compare --against HEAD~1 -- python -m myapp --flag")]
pub struct Args {
    /// A record.jsonl, the folder of a run, or another program's file; with --against a suite's TOML file, or the name of a
    /// bundled suite
    #[arg(
        value_name = "RECORD|SUITE",
        required_unless_present = "against",
        conflicts_with = "command"
    )]
    first: Option<PathBuf>,
    /// A second one, to compare with the first; with --by as many as there are
    #[arg(value_name = "RECORD", conflicts_with = "against")]
    others: Vec<PathBuf>,
    /// Put all these records, and those below folders, side by side
    // What an option requires is not asked for beside what conflicts with it.
    #[arg(
        long,
        value_enum,
        value_name = "WHAT",
        group = against::WHAT_FOR,
        conflicts_with_all = [
            "budget", "blocks", "seed", "only", "scenario", "python", "stage", "quiet", "counter", "command",
            "env", "pass_env", "observe_timeout",
        ]
    )]
    by: Option<ByChoice>,
    /// Compare records of different experiments too, and list what differs
    #[arg(long, requires = "others", conflicts_with = "by")]
    unlike: bool,
    /// Count this too, in a few launches of its own after the timed ones
    #[arg(long, value_enum, value_name = "WHAT", requires = "against")]
    counter: Option<CounterChoice>,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// A folder, which must not exist yet: with --by for charts and comparison.json, with --against for the run
    /// [default with --against: coldsnake-runs/APP-TIME]
    #[arg(long, value_name = "DIR", requires = against::WHAT_FOR)]
    out: Option<PathBuf>,
    #[command(flatten)]
    against: against::Measuring,
}

/// `--format`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Format {
    /// Tables and sentences
    #[default]
    Text,
    /// For scripts
    Json,
    /// A short table, the answer in words first, for a pull request
    Markdown,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    if let Some(revision) = &args.against.against {
        let purpose = Purpose {
            out: args.out.as_deref(),
            guarding: Guarding::Nothing,
            until: None,
            counter: args.counter,
            blocks: None,
        };
        let suite = args.first.as_deref();
        let measured = args.against.measure(revision, suite, purpose)?;
        tell(&measured.record, &measured.analysis, args.format);
        measured.tell();
        return Ok(measured.status);
    }
    let Some(first) = &args.first else {
        return Err(Failed::bad_input("name a record"));
    };
    if let Some(by) = args.by {
        let others = args.others.iter().map(PathBuf::as_path);
        let places: Vec<&Path> = std::iter::once(first.as_path()).chain(others).collect();
        return across::execute(&places, by, args.format, args.out.as_deref());
    }
    let second = match &args.others[..] {
        [] => None,
        [second] => Some(second.as_path()),
        more => {
            return Err(Failed::bad_input(format!(
                "these are {} records, and two can be compared\n  --by host, --by interpreter or --by app \
                 puts any number of them side by side",
                1 + more.len()
            )));
        }
    };
    let unlike = if args.unlike {
        Unlike::Label
    } else {
        Unlike::Refuse
    };
    if let Some(status) = compare_if_foreign(first, second, unlike, args.format)? {
        return Ok(status);
    }
    let (record, analysis) = open(first)?;
    let Some(second) = second else {
        tell(&record, &analysis, args.format);
        return Ok(Status::Done);
    };
    let (second, _) = open(second)?;
    let compared = compare(&record, &second, unlike).map_err(|error| {
        Failed::bad_input(format!("{error}\n  --unlike compares them all the same"))
    })?;
    match args.format {
        Format::Text => print(&comparison(&compared, stdout_terminal())),
        Format::Json => print(&compared.to_json()),
        Format::Markdown => print(&comparison_markdown(&compared)),
    }
    Ok(Status::Done)
}

fn tell(record: &Record, analysis: &Analysis, format: Format) {
    match format {
        Format::Text => show(record, analysis, super::output::Format::Text),
        Format::Json => show(record, analysis, super::output::Format::Json),
        Format::Markdown => print(&contrasts_markdown(record, analysis)),
    }
}
