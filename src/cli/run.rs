//! `coldsnake run`: measure a suite.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::adhoc;
use super::exit::{Failed, Status};
use super::output::{Format, open, say, show, write};
use super::progress::{Progress, Verbosity};
use super::unit;
use crate::analysis::{Validity, conditions};
use crate::launch::affinity::{Affinity, Choice};
use crate::launch::{InstructionCounter, Interrupt, System, kernel_counters};
use crate::python::environment::CallerEnvironment;
use crate::python::{Equipped, Interpreters, Python};
use crate::record::format::{
    Counters, Environment, FORMAT_VERSION, Header, Interpreter, StopReason, SuiteText,
};
use crate::record::host::{Machine, Presence};
use crate::record::{RECORD_FILE, RecordWriter};
use crate::runner::{OnStages, Run, take_receipts};
use crate::stage::{Backing, DropCaches, Setting, Workshop, source_lines};
use crate::suite::quantity::{Fraction, parse_duration};
use crate::suite::{Counter, Goal, Named, Overrides, Suite, SuiteFile, bundled};

/// Measure a suite, or any Python command
///
/// A suite is a file, or one of the bundled ones (see `coldsnake list`). A command stands after
/// `--`: it is launched once to see what it is, and then measured under the standard scenarios.
#[derive(Debug, Default, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake run\n  \
    coldsnake run suite.toml --budget 5min\n  \
    coldsnake run -- python -m myapp --flag\n  \
    coldsnake run -- .venv/bin/gunicorn --bind 127.0.0.1:8000 shop.wsgi:app")]
pub struct Args {
    /// A suite's TOML file, or the name of a bundled suite [default: lernmanager]
    #[arg(conflicts_with = "command")]
    suite: Option<String>,
    /// Measure the app of a systemd service, under the conditions that its unit file and drop-ins
    /// set; what cannot be honoured is said
    #[arg(long, value_name = "FILE", conflicts_with_all = ["suite", "command"])]
    unit: Option<PathBuf>,
    /// How long the launches may take together, such as 60s
    #[arg(long, value_parser = duration)]
    budget: Option<Duration>,
    /// Stop when every interval is narrow enough, or when every claim is decided
    #[arg(long, value_enum, value_name = "WHAT")]
    until: Option<UntilChoice>,
    /// Half-width of the intervals that are narrow enough, such as 2%
    #[arg(long, value_parser = fraction)]
    precision: Option<Fraction>,
    /// Stop after this many blocks in any case
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    blocks: Option<u32>,
    /// Seed of the launches' order; random if left out, and recorded
    #[arg(long)]
    seed: Option<u64>,
    /// Only these scenarios (and the baseline)
    #[arg(long, value_delimiter = ',', value_name = "SCENARIO")]
    only: Vec<String>,
    /// The scenario that the others are compared with
    #[arg(long, value_name = "SCENARIO")]
    baseline: Option<String>,
    /// The Python interpreter; given more than once, every scenario is measured under each, in the
    /// same blocks [default: the suite's or the command's, else python3 on PATH]
    #[arg(long, value_name = "PATH")]
    python: Vec<PathBuf>,
    /// The run's folder, which must not exist yet [default: coldsnake-runs/APP-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Count this too, in a few launches of its own after the timed ones: by perf_event_open where
    /// the machine has the counter, else by valgrind
    #[arg(long, value_enum, value_name = "WHAT")]
    counter: Option<CounterChoice>,
    /// How stages hold what a scenario changes
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    stage: StageChoice,
    /// Let scenarios with page-cache = "dropped" drop the page cache of the whole machine
    #[arg(long)]
    allow_drop_caches: bool,
    /// Which CPUs coldsnake and the app run on: auto keeps a core of its own for coldsnake where
    /// there are three or more, none pins nothing; or the app's CPUs, such as 2-3, or coldsnake's
    /// and the app's, such as 0:1-3
    #[arg(
        long,
        default_value = "auto",
        value_name = "CPUS",
        hide_default_value = true
    )]
    affinity: Choice,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    adhoc: adhoc::Options,
    /// In place of a suite: a Python program and its arguments
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,
}

/// `--stage`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
enum StageChoice {
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
enum UntilChoice {
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
enum CounterChoice {
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
    let verbosity = if args.quiet {
        Verbosity::Quiet
    } else {
        Verbosity::Normal
    };
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
        adhoc::open(&args.command, python, &args.adhoc, verbosity)?
    };
    file.check_paths(&file.suite()?)?;
    let file = file.with(&Overrides {
        baseline: args.baseline.clone(),
        only: args.only.clone(),
        budget: args.budget,
        until: args.until.map(Goal::from),
        precision: args.precision,
        max_blocks: args.blocks,
        counter: args.counter.map(Counter::from),
    })?;
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return Err(Failed::bad_input(format!(
            "cannot make the run's folder {}: it exists already\n  choose another one with --out",
            out.display()
        )));
    }
    let machine = Machine::this();
    let affinity = Affinity::decide(&args.affinity, &machine.cores())?;
    let mut progress = Progress::new(verbosity);
    let _presence = Presence::announce();
    let mut host = machine.observe();
    let recorded = affinity.recorded();
    let known = conditions(&host, Some(&recorded));
    progress.advise(&known);
    let before = machine.cpu_times();
    let caller = CallerEnvironment::observe();
    let pythons = find_interpreters(&named, &caller)?;
    let file = across(file, &pythons)?;
    let suite = file.suite()?;
    let mut counters = kernel_counters();
    let counter = choose_counter(&suite, &mut counters)?;
    let interpreters = Interpreters::equip(&suite, &pythons, &caller, &mut |what| {
        progress.doing(what);
    })?;
    // Only now: while the set-up commands above run, a signal ends this process and them as usual.
    let interrupt = Interrupt::watch()
        .map_err(|error| Failed::bad_input(format!("cannot watch for signals: {error}")))?;
    let mut launcher = System::new(&interrupt)
        .map_err(|error| Failed::bad_input(format!("cannot launch processes: {error}")))?;
    launcher.keep_to(&affinity);
    progress.doing("preparing the scenarios");
    let setting = Setting {
        suite: &suite,
        interpreters: &interpreters,
        caller: &caller,
        backing: args.stage.into(),
        drop_caches: if args.allow_drop_caches {
            DropCaches::Allowed
        } else {
            DropCaches::Forbidden
        },
    };
    let mut workshop = Workshop::set_up(setting, &mut launcher)?;
    host.steal_before = machine.cpu_times().since(before).steal_share();
    let mut seen = conditions(&host, Some(&recorded));
    seen.retain(|condition| !known.contains(condition));
    progress.advise(&seen);
    let _pinned = affinity.pin().map_err(|error| {
        Failed::bad_input(format!(
            "cannot keep coldsnake to CPU {}: {error}\n  --affinity none leaves it where it is",
            recorded.harness
        ))
    })?;
    progress.doing("checking that the scenarios hold");
    let mut tell = |event: crate::runner::Event<'_>| progress.tell(event);
    let receipts = take_receipts(&mut workshop, &suite, &mut launcher, &mut tell)?;

    let out = make_folder(args.out.as_deref(), &suite)?;
    let header = Header {
        format_version: FORMAT_VERSION,
        coldsnake: env!("CARGO_PKG_VERSION").to_owned(),
        started: now(),
        command_line: std::env::args_os()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        seed: args.seed.unwrap_or_else(random_seed),
        suite: SuiteText {
            origin,
            sha256: sha256(file.text()),
            text: file.text().to_owned(),
        },
        host,
        affinity: Some(recorded),
        interpreters: interpreters.all().iter().map(described).collect(),
        environment: Environment {
            passed: names(&caller),
            removed: caller.removed.clone(),
        },
        isolation: workshop.isolation(),
        app_lines: source_lines(&suite.app.sources),
        counters: Some(counters),
    };
    let mut record = RecordWriter::create(&out.join(RECORD_FILE))?;
    let mut run = Run {
        suite: &suite,
        launches: &mut OnStages::new(&suite.app, &mut workshop.stages, &mut launcher),
        counter: counter.as_ref(),
        tell: &mut tell,
    };
    let end = run.measure(&mut record, header, receipts)?;
    progress.finish();
    drop(workshop);
    conclude(&out, end.stop_reason, args.format)
}

/// What counts for the suite's counter, if it has one. Before anything is prepared: if there is
/// nothing, the user shall not wait to hear it.
fn choose_counter(
    suite: &Suite,
    counters: &mut Counters,
) -> Result<Option<InstructionCounter>, Failed> {
    let Some(Counter::Instructions) = suite.measure.counter else {
        return Ok(None);
    };
    let counter = InstructionCounter::choose(counters)
        .map_err(|error| Failed::bad_input(error.to_string()))?;
    counters.instructions_by = Some(counter.described());
    if let Some(why) = counters.why_refused(Counter::Instructions.name()) {
        say(&format!(
            "instructions are counted by {}: {why}",
            counter.described()
        ));
    }
    Ok(Some(counter))
}

/// Reports on what was measured, from the record as it is on disk: `coldsnake report` gives the
/// same bytes later.
fn conclude(out: &Path, stop_reason: StopReason, format: Format) -> Result<Status, Failed> {
    let (record, analysis) = open(out)?;
    write(out, &record, &analysis)?;
    show(&record, &analysis, format);
    say(&format!("record, page and charts are in {}", out.display()));
    Ok(match stop_reason {
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
        | StopReason::MaxBlocks => match &analysis.validity {
            Validity::Valid => Status::Done,
            Validity::Invalid(_) => Status::Invalid,
        },
    })
}

/// The suite that the user named, and how they named it.
fn open_suite(named: Option<&str>, unpack_to: &Path) -> Result<(SuiteFile, String), Failed> {
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

/// The interpreters that the user named.
fn find_interpreters(named: &[PathBuf], caller: &CallerEnvironment) -> Result<Vec<Python>, Failed> {
    let mut found: Vec<Python> = Vec::new();
    for path in named {
        let python = Python::find(Some(path), caller)?;
        if found.contains(&python) {
            return Err(Failed::bad_input(format!(
                "the interpreter {} is named twice\n  the baseline's twin shows how far two runs of \
                 one interpreter lie apart",
                python.executable.display()
            )));
        }
        found.push(python);
    }
    Ok(found)
}

/// The suite under each interpreter, if there are several; one alone is no factor.
fn across(file: SuiteFile, pythons: &[Python]) -> Result<SuiteFile, Failed> {
    if pythons.len() < 2 {
        return Ok(file);
    }
    let named: Vec<Named> = pythons
        .iter()
        .map(|python| Named {
            path: python.executable.clone(),
            version: python.version.clone(),
        })
        .collect();
    Ok(file.across(&named)?)
}

fn described(interpreter: &Equipped) -> Interpreter {
    let python = &interpreter.python;
    Interpreter {
        executable: python.executable.display().to_string(),
        version: python.version.clone(),
        implementation: python.implementation.clone(),
        cache_tag: python.cache_tag.clone(),
        magic: python.magic,
    }
}

/// Makes the run's folder; one that exists is never written into.
fn make_folder(named: Option<&Path>, suite: &Suite) -> Result<PathBuf, Failed> {
    let folder = named.map(Path::to_owned).unwrap_or_else(|| {
        let stamp: String = now().chars().filter(|c| c.is_ascii_digit()).collect();
        PathBuf::from("coldsnake-runs").join(format!("{}-{stamp}", suite.app.name))
    });
    let failed = |error: std::io::Error| {
        Failed::bad_input(format!(
            "cannot make the run's folder {}: {error}\n  choose another one with --out",
            folder.display()
        ))
    };
    if let Some(parent) = folder.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::create_dir(&folder).map_err(failed)?;
    Ok(folder)
}

fn names(caller: &CallerEnvironment) -> Vec<String> {
    let names = caller.passed.iter();
    names
        .map(|(name, _)| name.to_string_lossy().into_owned())
        .collect()
}

/// RFC 3339, UTC, whole seconds.
fn now() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

/// Different for each run; which one it was is in the record.
fn random_seed() -> u64 {
    let time = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    // Short enough to be typed, and whole in JSON readers that know only doubles.
    (time.as_nanos() as u64 ^ (u64::from(std::process::id()) << 32)) % 1_000_000_000
}

fn sha256(text: &str) -> String {
    Sha256::digest(text)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
