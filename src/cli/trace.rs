//! `coldsnake trace`: where the time of a start goes.

use std::path::PathBuf;
use std::time::Duration;

use super::adhoc;
use super::exit::{Failed, Status};
use super::measure::{Prepared, find_interpreters, make_folder, random_seed};
use super::output::{Format, print, say, stdout_terminal};
use super::progress::Progress;
use super::run::{self, StageChoice, duration, open_suite};
use crate::launch::affinity::{Affinity, Choice};
use crate::python::environment::CallerEnvironment;
use crate::record::host::{Machine, Presence};
use crate::report::{trace_text, write_trace};
use crate::revision::Revisions;
use crate::suite::{Metric, Overrides, Readiness, Suite, SuiteFile};
use crate::trace::{Findings, Options, Stopped, measure, trace_json};

/// The scenario under which a command is traced.
const AS_FOUND: &str = "as-found";
const BUDGET: Duration = Duration::from_secs(60);

/// Show where the time of a start goes, module by module
///
/// The app is launched in blocks, each time once as it is and once with a hook that says what the
/// import system does when: find, read, unmarshal, compile, write, dlopen and execute each module.
/// The time of a start is that of launches without the hook; what the hook costs is told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake trace -- python -m myapp --flag\n  \
    coldsnake trace lernmanager --scenario cold --against warm\n  \
    coldsnake trace suite.toml --out traced      # and open traced/trace.html")]
pub struct Args {
    /// A suite's TOML file, or the name of a bundled suite [default: lernmanager]
    #[arg(conflicts_with = "command")]
    suite: Option<String>,
    /// The scenario [default: the suite's baseline; of a command, as-found: what is cached now]
    #[arg(long, value_name = "SCENARIO")]
    scenario: Option<String>,
    /// Another scenario, launched in the same blocks, to be compared with
    #[arg(long, value_name = "SCENARIO")]
    against: Option<String>,
    /// How many blocks: so many launches with the hook, and as many without
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1000))]
    blocks: u32,
    /// No block begins after this time, such as 5min [default: 60s]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    budget: Option<Duration>,
    /// How many modules are listed
    #[arg(long, default_value_t = 15, value_name = "N")]
    top: usize,
    /// Seed of the launches' order, an integer; random if left out
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The Python interpreter [default: the suite's or the command's, else python3 on PATH]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// A folder, which must not exist yet, for trace.html, trace.json, speedscope.json,
    /// trace-events.json (chrome://tracing, Perfetto) and the waterfall as SVG and PNG
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How stages hold what a scenario changes
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    stage: StageChoice,
    /// Let scenarios with page-cache = "dropped" drop the page cache of the whole machine
    #[arg(long)]
    allow_drop_caches: bool,
    /// Which CPUs coldsnake and the app run on, as for `run` [default: auto]
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

impl Args {
    /// What is the same as for `run`.
    fn as_run(&self) -> run::Args {
        run::Args {
            python: self.python.iter().cloned().collect(),
            stage: self.stage,
            allow_drop_caches: self.allow_drop_caches,
            affinity: self.affinity.clone(),
            quiet: self.quiet,
            ..run::Args::default()
        }
    }

    /// The suite, what it came from, and the scenario that is traced if none is named.
    fn open(&self, unpack_to: &std::path::Path) -> Result<(SuiteFile, String, String), Failed> {
        if !self.command.is_empty() {
            let (file, origin) = adhoc::open(
                &self.command,
                self.python.as_deref(),
                &self.adhoc,
                self.as_run().verbosity(),
            )?;
            return Ok((file, origin, AS_FOUND.to_owned()));
        }
        let (file, origin) = open_suite(self.suite.as_deref(), unpack_to)?;
        let baseline = file.suite()?.measure.baseline;
        Ok((file, origin, baseline))
    }

    /// The suite with the scenarios that are traced and no other.
    fn suite(&self, file: &SuiteFile, scenario: &str) -> Result<Suite, Failed> {
        file.check_paths(&file.suite()?)?;
        if self.against.as_deref() == Some(scenario) {
            return Err(Failed::bad_input(format!(
                "`{scenario}` cannot be compared with itself\n  name another scenario with --against"
            )));
        }
        let mut only = vec![scenario.to_owned()];
        only.extend(self.against.clone());
        let file = file.with(&Overrides {
            baseline: Some(scenario.to_owned()),
            only: only.clone(),
            ..Overrides::default()
        })?;
        let mut suite = file.suite()?;
        // The one that was asked for comes first, whatever the suite's order is.
        let place = |name: &String| only.iter().position(|each| each == name);
        suite.scenarios.sort_by_key(|each| place(&each.name));
        // Only the app's command is launched.
        suite.measure.metrics = vec![match suite.app.ready {
            Readiness::Exit => Metric::Exit,
            Readiness::Http { .. }
            | Readiness::Tcp { .. }
            | Readiness::Stdout { .. }
            | Readiness::Notify => Metric::Ready,
        }];
        Ok(suite)
    }
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    if let Some(out) = args.out.as_deref().filter(|out| out.exists()) {
        return Err(Failed::bad_input(format!(
            "cannot make the folder {}: it exists already\n  choose another one with --out",
            out.display()
        )));
    }
    let unpacked = tempfile::tempdir()
        .map_err(|error| Failed::bad_input(format!("cannot make a temporary folder: {error}")))?;
    let (file, origin, usual) = args.open(unpacked.path())?;
    let scenario = args.scenario.as_ref().unwrap_or(&usual);
    let suite = args.suite(&file, scenario)?;

    let as_run = args.as_run();
    let mut progress = Progress::new(as_run.verbosity());
    let _presence = Presence::announce();
    let caller = CallerEnvironment::observe();
    let pythons = find_interpreters(&as_run.python, &caller)?;
    let affinity = Affinity::decide(&as_run.affinity, &Machine::this().cores())?;
    let options = Options {
        blocks: args.blocks,
        budget: args.budget.unwrap_or(BUDGET),
        seed: args.seed.unwrap_or_else(random_seed),
    };
    let revisions = Revisions::of(&suite)?;
    let prepared = Prepared {
        args: &as_run,
        written: &file,
        suite: &suite,
        pythons: &pythons,
        caller: &caller,
        revisions: &revisions,
        affinity: &affinity,
    };
    let (blocks, scenarios) = prepared.with_stages(&mut progress, |staged| {
        staged.receipts(&suite)?;
        let progress = &mut *staged.progress;
        let blocks = measure(
            &mut staged.workshop.stages,
            &suite.app,
            &options,
            staged.launcher,
            &mut |done| progress.step(&format!("block {} of {}", done + 1, options.blocks)),
        )?;
        let scenarios: Vec<(String, String)> = suite
            .scenarios
            .iter()
            .enumerate()
            .map(|(index, scenario)| {
                let all = staged.interpreters.all();
                let python = &all[staged.interpreters.of_scenario(index)].python;
                let interpreter = format!("{} {}", python.implementation, python.version);
                (scenario.name.clone(), interpreter)
            })
            .collect();
        Ok((blocks, scenarios))
    })?;
    progress.finish();
    let app = &suite.app.name;
    let findings = Findings::of(app, &origin, options.seed, &scenarios, &blocks)
        .ok_or_else(|| Failed::bad_input("nothing was launched"))?;
    conclude(args, &suite, &findings)
}

fn conclude(args: &Args, suite: &Suite, findings: &Findings) -> Result<Status, Failed> {
    if let Some(out) = &args.out {
        let folder = make_folder(Some(out), suite)?;
        write_trace(&folder, findings)?;
    }
    match args.format {
        Format::Text => print(&trace_text(findings, args.top, stdout_terminal())),
        Format::Json => print(&trace_json(findings)),
    }
    if let Some(out) = &args.out {
        say(&format!("page and files are in {}", out.display()));
    }
    Ok(match findings.stopped {
        Stopped::AllBlocks | Stopped::Budget => Status::Done,
        Stopped::Interrupted => Status::Interrupted,
    })
}
