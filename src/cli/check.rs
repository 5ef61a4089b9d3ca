//! `coldsnake check`: verdicts, for CI. The exit status says it.

use std::path::{Path, PathBuf};

use super::against::{self, Purpose};
use super::compare::Format;
use super::exit::{Failed, Status};
use super::output::{open, print, say, show, stdout_terminal};
use super::publishing::Publishing;
use super::run::{CounterChoice, UntilChoice};
use crate::analysis::{
    Analysis, Guard, GuardOutcome, Outcome, Unlike, Yardstick, guard, guard_records,
};
use crate::record::Record;
use crate::report::{
    claims_junit, contrasts_markdown, guard_json, guard_junit, guard_markdown, guard_text,
};
use crate::suite::Guarding;
use crate::suite::quantity::Fraction;

/// Print verdicts; the exit status says them, for CI
///
/// Of a record: whether all claims of its suite are supported. With --max-regression: whether starts
/// have become slower by so much, than at a revision (--against, which measures both states in the
/// same blocks until it is decided) or than in a record that was kept (--baseline).
///
/// 0: all claims are supported, no regression. 1: a claim is refuted, or there is a regression.
/// 3: inconclusive. 4: the measurement is invalid. 5: the app could not be launched.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake check coldsnake-runs/RUN\n  \
    coldsnake check --max-regression 5% --against main suite.toml --summary\n  \
    coldsnake check --max-regression 5% --against HEAD~1 -- python -m myapp\n  \
    coldsnake check RUN --save-baseline kept.jsonl\n  \
    coldsnake check RUN --max-regression 5% --baseline kept.jsonl")]
pub struct Args {
    /// A record.jsonl, or the folder of a run; with --against a suite's TOML file, or the name of a
    /// bundled suite
    #[arg(
        value_name = "RECORD|SUITE",
        required_unless_present = "against",
        conflicts_with = "command"
    )]
    subject: Option<PathBuf>,
    /// The share of a start that a change must not cost, such as 5% [default: no guard, claims alone]
    #[arg(long, value_name = "SHARE", value_parser = bound)]
    max_regression: Option<Fraction>,
    /// A record that was kept: what the record is compared with, uncontrolled
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "against",
        requires = "max_regression"
    )]
    baseline: Option<PathBuf>,
    /// Compare with a baseline of another host, interpreter or suite too, and list what differs
    #[arg(long, requires = "baseline")]
    unlike: bool,
    /// Keep the record as a baseline in this file
    #[arg(long, value_name = "FILE")]
    save_baseline: Option<PathBuf>,
    /// Decide by this in place of times, for machines that are too noisy
    #[arg(long, value_enum, value_name = "WHAT", requires = "max_regression")]
    counter: Option<CounterChoice>,
    /// How the verdicts are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    publishing: Publishing,
    /// The run's folder, which must not exist yet [default: coldsnake-runs/APP-TIME]
    #[arg(long, value_name = "DIR", requires = "against")]
    out: Option<PathBuf>,
    #[command(flatten)]
    against: against::Measuring,
}

/// Blocks where instructions decide: times are only looked at by the way.
const BLOCKS_BESIDE_COUNTS: u32 = 5;

fn bound(text: &str) -> Result<Fraction, String> {
    let bound = Fraction::parse(text).map_err(|error| error.to_string())?;
    if bound.get() > 0.0 {
        Ok(bound)
    } else {
        // That nothing at all has changed, no measurement can show.
        Err("it must be more than nothing, such as 5%".to_owned())
    }
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    // Before anything is measured.
    args.publishing.check(args.save_baseline.as_deref())?;
    if let Some(revision) = &args.against.against {
        return against(args, revision);
    }
    let Some(subject) = &args.subject else {
        return Err(Failed::bad_input("name a record"));
    };
    let (record, analysis) = open(subject)?;
    let status = match (args.max_regression, &args.baseline) {
        (None, _) => {
            show_claims(args, &record, &analysis)?;
            of_claims(&analysis)
        }
        (Some(bound), None) => {
            let guard = guard(&record, &analysis, bound, args.yardstick())
                .map_err(|error| Failed::bad_input(error.to_string()))?;
            conclude(args, &guard)?
        }
        (Some(bound), Some(file)) => {
            let baseline = open_baseline(file)?;
            let unlike = if args.unlike {
                Unlike::Label
            } else {
                Unlike::Refuse
            };
            let guard = guard_records(
                (&baseline.0, &baseline.1),
                (&record, &analysis),
                bound,
                args.yardstick(),
                unlike,
            )
            .map_err(|error| Failed::bad_input(error.to_string()))?;
            conclude(args, &guard)?
        }
    };
    args.keep(subject)?;
    Ok(status)
}

/// Measures both states, until it is decided.
fn against(args: &Args, revision: &str) -> Result<Status, Failed> {
    let Some(bound) = args.max_regression else {
        return Err(Failed::bad_input(
            "--against measures, and check needs to know what for\n  give --max-regression 5%, say, \
             or use `coldsnake compare --against`",
        ));
    };
    let yardstick = args.yardstick();
    let purpose = Purpose {
        out: args.out.as_deref(),
        guarding: Guarding::MaxRegression(bound),
        until: Some(UntilChoice::Decided),
        counter: args.counter,
        blocks: match yardstick {
            Yardstick::Time => None,
            Yardstick::Instructions => Some(BLOCKS_BESIDE_COUNTS),
        },
    };
    let measured = args
        .against
        .measure(revision, args.subject.as_deref(), purpose)?;
    let answers = guard(&measured.record, &measured.analysis, bound, yardstick)
        .map_err(|error| Failed::bad_input(error.to_string()))?;
    let status = conclude(args, &answers)?;
    measured.tell();
    args.keep(&measured.folder)?;
    Ok(match measured.status {
        Status::Interrupted | Status::NotLaunched => measured.status,
        _ => status,
    })
}

/// Prints and publishes the answers.
fn conclude(args: &Args, guard: &Guard) -> Result<Status, Failed> {
    match args.format {
        Format::Text => print(&guard_text(guard, stdout_terminal())),
        Format::Json => print(&guard_json(guard)),
        Format::Markdown => print(&guard_markdown(guard)),
    }
    args.publishing
        .publish(|| guard_markdown(guard), || guard_junit(guard))?;
    Ok(match guard.outcome() {
        GuardOutcome::NoRegression => Status::Done,
        GuardOutcome::Regression => Status::Refuted,
        GuardOutcome::Inconclusive => Status::Inconclusive,
        GuardOutcome::Invalid => Status::Invalid,
    })
}

fn show_claims(args: &Args, record: &Record, analysis: &Analysis) -> Result<(), Failed> {
    match args.format {
        Format::Text => show(record, analysis, super::output::Format::Text),
        Format::Json => show(record, analysis, super::output::Format::Json),
        Format::Markdown => print(&contrasts_markdown(record, analysis)),
    }
    args.publishing.publish(
        || contrasts_markdown(record, analysis),
        || claims_junit(analysis),
    )
}

fn of_claims(analysis: &Analysis) -> Status {
    match Outcome::of(analysis) {
        Outcome::AllSupported => Status::Done,
        Outcome::Refuted => Status::Refuted,
        Outcome::Inconclusive => Status::Inconclusive,
        Outcome::Invalid => Status::Invalid,
    }
}

fn open_baseline(file: &Path) -> Result<(Record, Analysis), Failed> {
    if !file.exists() {
        return Err(Failed::bad_input(format!(
            "there is no baseline {}\n  `coldsnake check RECORD --save-baseline {}` keeps one; it \
             should be a run of the main branch on the same machine",
            file.display(),
            file.display()
        )));
    }
    open(file)
}

impl Args {
    fn yardstick(&self) -> Yardstick {
        match self.counter {
            None => Yardstick::Time,
            Some(CounterChoice::Instructions) => Yardstick::Instructions,
        }
    }

    /// Keeps the record that was looked at as a baseline.
    fn keep(&self, record: &Path) -> Result<(), Failed> {
        let Some(file) = &self.save_baseline else {
            return Ok(());
        };
        self.publishing.keep(record, file)?;
        say(&format!("the baseline is in {}", file.display()));
        Ok(())
    }
}
