//! `coldsnake run`: measure a suite.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::adhoc;
use super::exit::{Failed, Status};
use super::measure::measure;
use super::output::{Format, open, say, show, write};
use super::progress::Verbosity;
use super::unit;
use crate::analysis::Validity;
use crate::launch::affinity::Choice;
use crate::record::Shard;
use crate::record::format::StopReason;
use crate::stage::Backing;
use crate::suite::quantity::{Fraction, parse_duration};
use crate::suite::{Against, Counter, Goal, Suite, SuiteFile, bundled};

/// Measure a suite, or any Python command
///
/// A suite is a file, or one of the bundled ones (see `coldsnake list`). A command stands after
/// `--`: it is launched once to see what it is, and then measured under the standard scenarios.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake run\n  \
    coldsnake run suite.toml --budget 5min --only cold,prefix-warm\n  \
    coldsnake run suite.toml --seed 7 --shard 2/4 --out shard-2\n  \
    coldsnake run -- python -m myapp --flag\n  \
    coldsnake run -- .venv/bin/gunicorn --bind 127.0.0.1:8000 shop.wsgi:app")]
pub struct Args {
    /// A suite's TOML file, or the name of a bundled suite [default: lernmanager]
    #[arg(conflicts_with = "command")]
    pub(super) suite: Option<String>,
    /// Measure the app of a systemd service, under the conditions that its unit file and drop-ins
    /// set; what cannot be honoured is said
    #[arg(long, value_name = "FILE", conflicts_with_all = ["suite", "command"])]
    pub(super) unit: Option<PathBuf>,
    /// How long the launches may take together, such as 60s or 5min [default: the suite's, else 90s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) budget: Option<Duration>,
    /// Stop within the budget as soon as this is reached [default: the suite's, else precise]
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) until: Option<UntilChoice>,
    /// Half-width of the intervals that are narrow enough, as a share of the baseline's time
    /// [default: the suite's, else 2%]
    #[arg(long, value_name = "SHARE", value_parser = fraction)]
    pub(super) precision: Option<Fraction>,
    /// Stop after this many blocks in any case [default: the suite's, else 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) blocks: Option<u32>,
    /// Seed of the launches' order, an integer; random if left out, and recorded
    #[arg(long, value_name = "N")]
    pub(super) seed: Option<u64>,
    /// Measure a part of the run, on one of several machines: of each N blocks one, such as 2/4 for
    /// the second of four; needs --seed. `coldsnake merge` puts the records together
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<Shard>,
    /// Only these scenarios, separated by commas, and the baseline [default: all of the suite]
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO")]
    pub(super) only: Vec<String>,
    /// The scenario that the others are compared with [default: the suite's, else its first]
    #[arg(long, value_name = "SCENARIO")]
    pub(super) baseline: Option<String>,
    /// The Python interpreter; given more than once, every scenario is measured under each, in the
    /// same blocks [default: the suite's or the command's, else python3 on PATH]
    #[arg(long, value_name = "PATH")]
    pub(super) python: Vec<PathBuf>,
    /// The run's folder, which must not exist yet [default: coldsnake-runs/APP-TIME]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Count this too, in a few launches of its own after the timed ones: by perf_event_open where
    /// the machine has the counter, else by valgrind
    #[arg(long, value_enum, value_name = "WHAT")]
    pub(super) counter: Option<CounterChoice>,
    /// How stages hold what a scenario changes
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    pub(super) stage: StageChoice,
    /// Let scenarios with page-cache = "dropped" drop the page cache of the whole machine
    #[arg(long)]
    pub(super) allow_drop_caches: bool,
    /// Which CPUs coldsnake and the app run on: auto keeps a core of its own for coldsnake where
    /// there are three or more, none pins nothing; or the app's CPUs, such as 2-3, or coldsnake's
    /// and the app's, such as 0:1-3 [default: auto]
    #[arg(
        long,
        default_value = "auto",
        value_name = "CPUS",
        hide_default_value = true
    )]
    pub(super) affinity: Choice,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    pub(super) format: Format,
    /// No progress
    #[arg(long, short)]
    pub(super) quiet: bool,
    #[command(flatten)]
    pub(super) adhoc: adhoc::Options,
    /// What `compare` and `check` measure beside the working tree.
    #[arg(skip)]
    pub(super) against: Option<Against>,
    /// In place of a suite: a Python program and its arguments
    #[arg(last = true, value_name = "CMD")]
    pub(super) command: Vec<String>,
}

impl Args {
    pub(super) fn verbosity(&self) -> Verbosity {
        if self.quiet {
            Verbosity::Quiet
        } else {
            Verbosity::Normal
        }
    }
}

/// `--stage`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(super) enum StageChoice {
    /// Layers where they can be had, or else copies
    #[default]
    Auto,
    /// The app at its own path, under a layer in a private mount namespace
    Overlay,
    /// A private copy of the app in the temporary folder
    Copy,
}

/// What ends a run before its budget does.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(super) enum UntilChoice {
    /// Every effect is known to the precision
    Precise,
    /// Every claim is supported or refuted; without claims, every effect is told from none
    Decided,
}

impl From<UntilChoice> for Goal {
    fn from(choice: UntilChoice) -> Self {
        match choice {
            UntilChoice::Precise => Self::Precise,
            UntilChoice::Decided => Self::Decided,
        }
    }
}

impl From<StageChoice> for Backing {
    fn from(choice: StageChoice) -> Self {
        match choice {
            StageChoice::Auto => Self::Automatic,
            StageChoice::Overlay => Self::Overlay,
            StageChoice::Copy => Self::Copy,
        }
    }
}

/// `--counter`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CounterChoice {
    /// Instructions in user mode
    Instructions,
}

impl From<CounterChoice> for Counter {
    fn from(choice: CounterChoice) -> Self {
        match choice {
            CounterChoice::Instructions => Self::Instructions,
        }
    }
}

pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match parse_duration(text) {
        Ok(duration) if !duration.is_zero() => Ok(duration),
        Ok(_) => Err("it must be longer than nothing".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn fraction(text: &str) -> Result<Fraction, String> {
    Fraction::parse(text).map_err(|error| error.to_string())
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let unpacked = tempfile::tempdir()
        .map_err(|error| Failed::bad_input(format!("cannot make a temporary folder: {error}")))?;
    let mut named = args.python.clone();
    let (file, origin) = if let Some(path) = &args.unit {
        let made = unit::open(path)?;
        if named.is_empty() {
            named.extend(made.python);
        }
        (made.file, made.origin)
    } else if args.command.is_empty() {
        open_suite(args.suite.as_deref(), unpacked.path())?
    } else {
        let python = args.python.first().map(PathBuf::as_path);
        adhoc::open(&args.command, python, &args.adhoc, args.verbosity())?
    };
    let (out, stop_reason) = measure(args, file, origin, &named)?;
    conclude(&out, stop_reason, args.format)
}

/// A shard must be one of a run that the others can take part in.
///
/// # Errors
/// When an option is missing, or stands in its way.
pub(super) fn check_shard(args: &Args, suite: &Suite) -> Result<(), Failed> {
    let Some(shard) = args.shard else {
        return Ok(());
    };
    let refused = |message: String| Err(Failed::bad_input(message));
    if args.seed.is_none() {
        return refused(format!(
            "--shard {shard} needs the run's seed, which decides the blocks\n  give all shards the same \
             one, such as --seed 7"
        ));
    }
    if args.until.is_some() {
        return refused(format!(
            "--until is not for a shard: it does not see what the others measured\n  shard {shard} ends \
             with its --budget, or after its part of --blocks; leave --until out"
        ));
    }
    let most = suite.measure.max_blocks;
    if shard.of().get() > most {
        return refused(format!(
            "{} shards are too many for {most} {}: some would have nothing to measure\n  give \
             --blocks at least as many, or share the run among fewer",
            shard.of(),
            if most == 1 { "block" } else { "blocks" },
        ));
    }
    Ok(())
}

/// Reports on what was measured, from the record as it is on disk: `coldsnake report` gives the
/// same bytes later.
fn conclude(out: &Path, stop_reason: StopReason, format: Format) -> Result<Status, Failed> {
    let (record, analysis) = open(out)?;
    write(out, &record, &analysis)?;
    show(&record, &analysis, format);
    say(&format!("record, page and charts are in {}", out.display()));
    Ok(status(stop_reason, &analysis.validity))
}

/// How a run ended, for the exit status; told where it was not as asked.
pub(super) fn status(stop_reason: StopReason, validity: &Validity) -> Status {
    match stop_reason {
        StopReason::Interrupted => {
            say("interrupted; what was measured until then is kept");
            Status::Interrupted
        }
        StopReason::Failures => {
            say("stopped, as one launch after the other failed");
            Status::NotLaunched
        }
        StopReason::Precision
        | StopReason::Decided
        | StopReason::Budget
        | StopReason::MaxBlocks => match validity {
            Validity::Valid => Status::Done,
            Validity::Invalid(_) => Status::Invalid,
        },
    }
}

/// The suite that the user named, and how they named it.
pub(super) fn open_suite(
    named: Option<&str>,
    unpack_to: &Path,
) -> Result<(SuiteFile, String), Failed> {
    let name = named.unwrap_or(bundled::DEFAULT);
    let path = Path::new(name);
    if let Some(suite) = bundled::Bundled::named(name).filter(|_| !path.is_file()) {
        let path = suite.unpack(unpack_to).map_err(|error| {
            Failed::bad_input(format!("cannot unpack the bundled suite: {error}"))
        })?;
        return Ok((SuiteFile::read(&path)?, format!("{name} (bundled)")));
    }
    if !path.exists() && !name.contains(['/', '.']) {
        let known: Vec<&str> = bundled::ALL.iter().map(|suite| suite.name).collect();
        return Err(Failed::bad_input(format!(
            "there is no suite `{name}`\n  give a suite's TOML file, or one of: {}",
            known.join(", ")
        )));
    }
    Ok((SuiteFile::read(path)?, name.to_owned()))
}
