//! Measuring the app as it is and as it was at another revision, in the same blocks: what
//! `compare --against` and `check --against` share.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::adhoc;
use super::exit::{Failed, Status};
use super::measure::measure;
use super::output::{open, say, write};
use super::run::{self, CounterChoice, StageChoice, UntilChoice, open_suite};
use crate::analysis::Analysis;
use crate::record::Record;
use crate::suite::{Against, Guarding};

/// The group of options of which a command has one at most, as each makes another command of it.
pub const WHAT_FOR: &str = "what_for";

/// With what, and how.
#[derive(Debug, clap::Args)]
pub struct Measuring {
    /// Measure the app as it is and as it was at this revision (a tag, a branch, a commit), in the
    /// same blocks; the repository stays as it is
    #[arg(
        long,
        value_name = "GIT-REV",
        allow_hyphen_values = false,
        group = WHAT_FOR
    )]
    pub against: Option<String>,
    /// How long the launches may take together, such as 60s
    #[arg(long, value_parser = run::duration, requires = "against")]
    budget: Option<Duration>,
    /// Stop after this many blocks in any case
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..), requires = "against")]
    blocks: Option<u32>,
    /// Seed of the launches' order; random if left out, and recorded
    #[arg(long, requires = "against")]
    seed: Option<u64>,
    /// Only these scenarios (and the baseline) [default: all of a suite's; of a command, warm]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "SCENARIO",
        requires = "against"
    )]
    only: Vec<String>,
    /// The suite's baseline, if it is to be another
    #[arg(long = "scenario", value_name = "SCENARIO", requires = "against")]
    scenario: Option<String>,
    /// The Python interpreter; given more than once, all is measured under each
    #[arg(long, value_name = "PATH", requires = "against")]
    python: Vec<PathBuf>,
    /// How stages hold what a scenario changes
    #[arg(
        long,
        value_enum,
        default_value_t,
        value_name = "HOW",
        requires = "against"
    )]
    stage: StageChoice,
    /// No progress
    #[arg(long, short, requires = "against")]
    quiet: bool,
    #[command(flatten)]
    adhoc: adhoc::Options,
    /// In place of a suite: a Python program and its arguments
    #[arg(last = true, value_name = "CMD", requires = "against")]
    pub command: Vec<String>,
}

/// What is measured for.
#[derive(Debug, Clone, Copy)]
pub struct Purpose<'a> {
    /// The run's folder, which must not exist yet; made up if it is `None`.
    pub out: Option<&'a Path>,
    pub guarding: Guarding,
    pub until: Option<UntilChoice>,
    pub counter: Option<CounterChoice>,
    /// Blocks, if the command line does not say.
    pub blocks: Option<u32>,
}

/// A run that came to its end.
pub struct Measured {
    pub record: Record,
    pub analysis: Analysis,
    pub folder: PathBuf,
    /// How the run ended, for the exit status.
    pub status: Status,
}

impl Measuring {
    /// Measures both states, and writes the run's folder.
    ///
    /// # Errors
    /// As `coldsnake run`, and when there is no such revision of the app.
    pub fn measure(
        &self,
        revision: &str,
        suite: Option<&Path>,
        purpose: Purpose<'_>,
    ) -> Result<Measured, Failed> {
        let unpacked = tempfile::tempdir().map_err(|error| {
            Failed::bad_input(format!("cannot make a temporary folder: {error}"))
        })?;
        let mut args = run::Args {
            budget: self.budget,
            blocks: self.blocks.or(purpose.blocks),
            seed: self.seed,
            only: self.only.clone(),
            baseline: self.scenario.clone(),
            python: self.python.clone(),
            out: purpose.out.map(Path::to_owned),
            stage: self.stage,
            quiet: self.quiet,
            until: purpose.until,
            counter: purpose.counter,
            against: Some(Against {
                revision: revision.to_owned(),
                guarding: purpose.guarding,
            }),
            ..run::Args::default()
        };
        let (file, origin) = if self.command.is_empty() {
            let named = suite.map(|path| path.to_string_lossy().into_owned());
            open_suite(named.as_deref(), unpacked.path())?
        } else {
            let python = self.python.first().map(PathBuf::as_path);
            let inferred = adhoc::open(&self.command, python, &self.adhoc, args.verbosity())?;
            if args.only.is_empty() {
                // What is cached and what isn't is another question than what a change costs.
                args.only.push(inferred.0.suite()?.measure.baseline);
            }
            inferred
        };
        let (folder, stop_reason) = measure(&args, file, origin, &self.python)?;
        let (record, analysis) = open(&folder)?;
        write(&folder, &record, &analysis)?;
        let status = run::status(stop_reason, &analysis.validity);
        Ok(Measured {
            record,
            analysis,
            folder,
            status,
        })
    }
}

impl Measured {
    /// Says where all of it is.
    pub fn tell(&self) {
        say(&format!(
            "record, page and charts are in {}",
            self.folder.display()
        ));
    }
}
