//! `coldsnake advise`: which fix is worth what, for one app.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use super::exit::{Failed, Status};
use super::measure::measure;
use super::output::{Format, open, print, say, stdout_terminal, write};
use super::run::{self, StageChoice};
use super::{adhoc, unit};
use crate::advise::{Now, Ownership, PrefixNow, advice, scenarios};
use crate::analysis::Validity;
use crate::doctor::in_memory;
use crate::infer::Inferred;
use crate::report::{advice_json, advice_text};
use crate::suite::text::ScenarioText;
use crate::suite::{SuiteFile, WriteBytecode};
use crate::unit::{AsDeployed, Lifetime, Writing};

/// Tell which fix saves how much
///
/// Launches the app as it is now and under each fix that applies (bytecode compiled at deploy, with
/// unchecked hashes, of the packages alone; a prefix that lasts, or one moved to a folder that lasts; the
/// source given to the app's user), in the same blocks, ranks the fixes by what they save at each start, and prints the lines to paste.
/// Nothing of the app's is changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  \
    coldsnake advise -- python -m myapp --flag\n  \
    coldsnake advise --unit /etc/systemd/system/shop.service\n  \
    coldsnake advise coldsnake-runs/shop-20260102030405")]
pub struct Args {
    /// Measure nothing, but tell it from this record (record.jsonl, or the folder of a run)
    #[arg(conflicts_with_all = ["unit", "command", "budget", "blocks", "python", "seed", "out", "stage"])]
    record: Option<PathBuf>,
    /// The app of a systemd service, under the conditions that its unit file and drop-ins set
    #[arg(long, value_name = "FILE", conflicts_with = "command")]
    unit: Option<PathBuf>,
    /// How long the launches may take together, such as 5min [default: 2min]
    #[arg(long, value_name = "TIME", value_parser = run::duration)]
    budget: Option<Duration>,
    /// The Python interpreter [default: the command's or the unit's]
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
    /// Stop after this many blocks in any case [default: 10000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    blocks: Option<u32>,
    /// Seed of the launches' order, an integer; random if left out, and recorded
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// The run's folder, which must not exist yet [default: coldsnake-runs/APP-TIME]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// How stages hold what a scenario changes
    #[arg(long, value_enum, default_value_t, value_name = "HOW")]
    stage: StageChoice,
    /// How the results are printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    adhoc: adhoc::Options,
    /// A Python program and its arguments
    #[arg(
        last = true,
        value_name = "CMD",
        required_unless_present_any = ["record", "unit"]
    )]
    command: Vec<String>,
}

/// There are up to nine launches in a block.
const BUDGET: Duration = Duration::from_secs(120);

pub fn execute(args: &Args) -> Result<Status, Failed> {
    if let Some(record) = &args.record {
        return tell(args, record, |validity| match validity {
            Validity::Valid => Status::Done,
            Validity::Invalid(_) => Status::Invalid,
        });
    }
    let options = run::Args {
        budget: Some(args.budget.unwrap_or(BUDGET)),
        blocks: args.blocks,
        seed: args.seed,
        out: args.out.clone(),
        stage: args.stage,
        quiet: args.quiet,
        ..run::Args::default()
    };
    let mut named: Vec<PathBuf> = args.python.iter().cloned().collect();
    let (file, origin) = match &args.unit {
        Some(path) => {
            let made = unit::open_of(path, |deployed| scenarios(&as_deployed(deployed)))?;
            if named.is_empty() {
                named.extend(made.python);
            }
            (made.file, made.origin)
        }
        None => {
            let python = args.python.as_deref();
            let inferred = adhoc::observe(&args.command, python, &args.adhoc, options.verbosity())?;
            suite_of(&inferred)?
        }
    };
    let (out, stop_reason) = measure(&options, file, origin, &named)?;
    tell(args, &out, |validity| run::status(stop_reason, validity))
}

fn tell(
    args: &Args,
    folder: &Path,
    status: impl FnOnce(&Validity) -> Status,
) -> Result<Status, Failed> {
    let (record, analysis) = open(folder)?;
    if args.record.is_none() {
        write(folder, &record, &analysis)?;
    }
    let found = advice(&record, &analysis).ok_or_else(|| {
        Failed::bad_input(format!(
            "{} has no block in which fixes were launched beside the app as it is\n  `coldsnake advise -- \
             CMD` measures such blocks; a longer --budget gives more of them",
            folder.display()
        ))
    })?;
    match args.format {
        Format::Text => print(&advice_text(&record, &analysis, &found, stdout_terminal())),
        Format::Json => print(&advice_json(&record, &analysis, &found)),
    }
    if args.record.is_none() {
        say(&format!(
            "record, page and charts are in {}",
            folder.display()
        ));
    }
    Ok(status(&analysis.validity))
}

/// A command as it is now: what is cached is what lies on disk, and nobody adds to it. A user who may
/// write fills the cache with the first start; how the app starts before that is the question.
fn suite_of(inferred: &Inferred) -> Result<(SuiteFile, String), Failed> {
    let prefix = prefix(inferred)?;
    let mut keys = vec![
        ("source", "read-only"),
        ("bytecode", "as-found"),
        ("site-packages", "as-found"),
        ("stdlib", "as-found"),
    ];
    keys.extend(prefix.state.map(|state| ("prefix", state)));
    let now = Now {
        scenario: ScenarioText::new("now", &prefix.about, &keys, inferred.flags()),
        flags: inferred.flags().to_vec(),
        ownership: ownership(inferred.sources()),
        prefix: prefix.now,
    };
    // Nothing lies below a folder without a name: paths are absolute, as those of lines to paste must be.
    adhoc::suite(inferred, || {
        inferred.suite_text_of(Path::new(""), &scenarios(&now))
    })
}

/// A command's prefix.
struct OwnPrefix {
    now: PrefixNow,
    /// As a scenario has it.
    state: Option<&'static str>,
    about: String,
}

/// Looks at the prefix that a command has, as the user who asks sees it.
fn prefix(inferred: &Inferred) -> Result<OwnPrefix, Failed> {
    let Some(given) = inferred.prefix() else {
        return Ok(OwnPrefix {
            now: PrefixNow::None,
            state: None,
            about: "the bytecode that is there now, to which nothing can be added".to_owned(),
        });
    };
    let directory = std::env::current_dir()
        .map_err(|error| Failed::bad_input(format!("cannot tell the current folder: {error}")))?;
    let path = directory.join(given);
    let nearest = path.ancestors().find(|folder| folder.exists());
    let is_writable = nearest.is_some_and(|folder| access(folder, AccessFlags::W_OK).is_ok());
    let (now, state, why) = if let Some(mount) = in_memory(&path) {
        let why = format!(
            "which lies on {} ({}) and so is empty after a boot or in a new container",
            mount.point.display(),
            mount.kind
        );
        (PrefixNow::Emptied, "empty", why)
    } else if inferred.write() == WriteBytecode::Forbidden {
        let why = "which nothing fills, as Python is told to write no bytecode".to_owned();
        (PrefixNow::Lasting, "empty", why)
    } else if is_writable {
        let why = "filled by earlier starts".to_owned();
        (PrefixNow::Lasting, "warm", why)
    } else {
        let why = "which cannot be written".to_owned();
        (PrefixNow::Lasting, "unwritable", why)
    };
    Ok(OwnPrefix {
        now,
        state: Some(state),
        about: format!("the prefix {}, {why}", path.display()),
    })
}

/// Whose the sources are, as seen by the user who asks. Root may write anything, and so says nothing
/// about the app's user.
fn ownership(sources: &[PathBuf]) -> Ownership {
    if sources.is_empty() {
        return Ownership::Nothing;
    }
    let read_only = |source: &&PathBuf| {
        let flags = nix::sys::statvfs::statvfs(source.as_path()).map(|found| found.flags());
        flags.is_ok_and(|flags| flags.contains(nix::sys::statvfs::FsFlags::ST_RDONLY))
    };
    if let Some(source) = sources.iter().find(read_only) {
        return Ownership::Locked {
            by: format!(
                "{} lies on a file system that is read-only",
                source.display()
            ),
        };
    }
    let writable = |source: &PathBuf| access(source, AccessFlags::W_OK).is_ok();
    if !nix::unistd::geteuid().is_root() && sources.iter().all(writable) {
        Ownership::Own
    } else {
        Ownership::Others
    }
}

/// A service as it is deployed; what is installed beside its source is as it was found.
fn as_deployed(deployed: &AsDeployed) -> Now {
    let mut scenario = deployed.scenario.clone();
    for key in ["site-packages", "stdlib"] {
        if scenario.keys.iter().all(|(name, _)| *name != key) {
            scenario.keys.push((key, "\"as-found\"".to_owned()));
        }
    }
    let ownership = match (&deployed.locked_by, &deployed.writing) {
        (Some(by), _) => Ownership::Locked { by: by.clone() },
        (None, Writing::Forbidden { .. }) => Ownership::Others,
        (None, Writing::Allowed | Writing::Presumed { .. }) => Ownership::Own,
    };
    Now {
        scenario,
        flags: deployed.flags.clone(),
        ownership,
        prefix: match deployed.prefix {
            None => PrefixNow::None,
            Some(Lifetime::Lasting) => PrefixNow::Lasting,
            Some(Lifetime::UntilReboot) => PrefixNow::UntilReboot,
            Some(Lifetime::UntilStop { .. }) => PrefixNow::Emptied,
        },
    }
}
