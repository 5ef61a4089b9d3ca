//! From a suite and the command line's options to a record: everything of `coldsnake run` that
//! launches.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use nix::unistd::{AccessFlags, access};
use sha2::{Digest, Sha256};

use super::exit::Failed;
use super::output::say;
use super::progress::Progress;
use super::run::{Args, check_shard};
use crate::analysis::conditions;
use crate::launch::affinity::Affinity;
use crate::launch::{InstructionCounter, Interrupt, Launcher, System, kernel_counters};
use crate::python::environment::CallerEnvironment;
use crate::python::{Equipped, Installations, Interpreters, Python};
use crate::record::format::{
    Counters, Environment, FORMAT_VERSION, Header, Interpreter, ReceiptLine, StopReason, SuiteText,
};
use crate::record::host::{Machine, Presence};
use crate::record::{RECORD_FILE, RecordWriter};
use crate::revision::Revisions;
use crate::runner::{Event, OnStages, Run, take_receipts};
use crate::stage::{DropCaches, Setting, Workshop, source_lines};
use crate::suite::{Counter, Goal, ModuleFolders, Named, Overrides, Suite, SuiteFile};

/// Measures a suite, as the options change it, under the interpreters named. Gives the run's folder,
/// with its record, and why the run ended.
///
/// # Errors
/// Whatever stands in the way; what was measured before stays in the record.
pub fn measure(
    args: &Args,
    file: SuiteFile,
    origin: String,
    named: &[PathBuf],
) -> Result<(PathBuf, StopReason), Failed> {
    file.check_paths(&file.suite()?)?;
    // Messages name the lines of what the user wrote.
    let written = file;
    let file = written.with(&Overrides {
        baseline: args.baseline.clone(),
        only: args.only.clone(),
        budget: args.budget,
        until: args.until.map(Goal::from),
        precision: args.precision,
        max_blocks: args.blocks,
        counter: args.counter.map(Counter::from),
    })?;
    check_shard(args, &file.suite()?)?;
    check_folder(args.out.as_deref())?;
    let machine = Machine::this();
    let affinity = Affinity::decide(&args.affinity, &machine.cores())?;
    let mut progress = Progress::new(args.verbosity());
    let _presence = Presence::announce();
    let mut host = machine.observe();
    let recorded = affinity.recorded();
    let known = conditions(&host, Some(&recorded));
    progress.advise(&known);
    let before = machine.cpu_times();
    let caller = CallerEnvironment::observe();
    let pythons = find_interpreters(named, &caller)?;
    let file = across(file, &pythons)?;
    let file = against(args, file)?;
    let suite = file.suite()?;
    let revisions = Revisions::of(&suite)?;
    let mut counters = kernel_counters();
    let counter = choose_counter(&suite, &mut counters)?;
    let prepared = Prepared {
        args,
        written: &written,
        suite: &suite,
        pythons: &pythons,
        caller: &caller,
        revisions: &revisions,
        affinity: &affinity,
    };
    let measured = prepared.with_stages(&mut progress, |staged| {
        host.steal_before = machine.cpu_times().since(before).steal_share();
        let mut seen = conditions(&host, Some(&recorded));
        seen.retain(|condition| !known.contains(condition));
        staged.progress.advise(&seen);
        let receipts = staged.receipts(&suite)?;

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
            interpreters: staged.interpreters.all().iter().map(described).collect(),
            environment: Environment {
                passed: names(&caller),
                removed: caller.removed.clone(),
            },
            isolation: staged.workshop.isolation(),
            app_lines: source_lines(&suite.app.sources),
            counters: Some(counters),
            revisions: revisions.described(),
            working_tree: revisions.working_tree.clone(),
            shard: args.shard,
            shards: Vec::new(),
        };
        let mut record = RecordWriter::create(&out.join(RECORD_FILE))?;
        let mut run = Run {
            suite: &suite,
            launches: &mut OnStages::new(&suite.app, &mut staged.workshop.stages, staged.launcher),
            counter: counter.as_ref(),
            tell: &mut |event: Event<'_>| staged.progress.tell(event),
        };
        let end = run.measure(&mut record, header, receipts)?;
        Ok((out, end.stop_reason))
    })?;
    progress.finish();
    Ok(measured)
}

/// What is known before anything is prepared.
pub(super) struct Prepared<'a> {
    pub args: &'a Args,
    /// Messages name the lines of what the user wrote.
    pub written: &'a SuiteFile,
    pub suite: &'a Suite,
    pub pythons: &'a [Python],
    pub caller: &'a CallerEnvironment,
    pub revisions: &'a Revisions,
    pub affinity: &'a Affinity,
}

/// What stands ready for launches.
pub(super) struct Staged<'a> {
    pub workshop: &'a mut Workshop,
    pub launcher: &'a mut dyn Launcher,
    pub interpreters: &'a Interpreters,
    pub progress: &'a mut Progress,
}

impl Prepared<'_> {
    /// Makes the suite's scenarios true on disk, and has something launched in them.
    ///
    /// # Errors
    /// Whatever stands in the way, and what `launch` returns.
    pub fn with_stages<T>(
        &self,
        progress: &mut Progress,
        launch: impl FnOnce(&mut Staged<'_>) -> Result<T, Failed>,
    ) -> Result<T, Failed> {
        let interpreters =
            Interpreters::equip(self.suite, self.pythons, self.caller, &mut |what| {
                progress.doing(what);
            })?;
        check_modules(self.written, self.suite, &interpreters, self.caller)?;
        // Only now: while the set-up commands above run, a signal ends this process and them as usual.
        let interrupt = Interrupt::watch()
            .map_err(|error| Failed::bad_input(format!("cannot watch for signals: {error}")))?;
        let mut launcher = System::new(&interrupt)
            .map_err(|error| Failed::bad_input(format!("cannot launch processes: {error}")))?;
        launcher.keep_to(self.affinity);
        progress.doing("preparing the scenarios");
        let setting = Setting {
            suite: self.suite,
            interpreters: &interpreters,
            caller: self.caller,
            revisions: self.revisions,
            backing: self.args.stage.into(),
            drop_caches: if self.args.allow_drop_caches {
                DropCaches::Allowed
            } else {
                DropCaches::Forbidden
            },
        };
        let mut workshop = Workshop::set_up(setting, &mut launcher)?;
        let _pinned = self.affinity.pin().map_err(|error| {
            Failed::bad_input(format!(
                "cannot keep coldsnake to CPU {}: {error}\n  --affinity none leaves it where it is",
                self.affinity.recorded().harness
            ))
        })?;
        launch(&mut Staged {
            workshop: &mut workshop,
            launcher: &mut launcher,
            interpreters: &interpreters,
            progress,
        })
    }
}

impl Staged<'_> {
    /// Takes the receipts of all stages.
    ///
    /// # Errors
    /// When the app cannot be launched, or a scenario does not hold.
    pub fn receipts(&mut self, suite: &Suite) -> Result<Vec<ReceiptLine>, Failed> {
        self.progress.doing("checking that the scenarios hold");
        let progress = &mut *self.progress;
        let mut tell = |event: Event<'_>| progress.tell(event);
        Ok(take_receipts(
            self.workshop,
            suite,
            self.launcher,
            &mut tell,
        )?)
    }
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

/// The interpreters that the user named.
pub(super) fn find_interpreters(
    named: &[PathBuf],
    caller: &CallerEnvironment,
) -> Result<Vec<Python>, Failed> {
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

/// The suite at both states of the source, if it is compared with a revision.
fn against(args: &Args, file: SuiteFile) -> Result<SuiteFile, Failed> {
    let Some(against) = &args.against else {
        return Ok(file);
    };
    let both = file.against(against)?;
    if !both.left_out.is_empty() {
        say(&format!(
            "left out, as the bytecode that is found is the working tree's alone: {}",
            both.left_out.join(", ")
        ));
    }
    Ok(both.file)
}

/// Are the modules there that scenarios name of what is installed? Only the interpreters know where
/// to look.
fn check_modules(
    written: &SuiteFile,
    suite: &Suite,
    interpreters: &Interpreters,
    caller: &CallerEnvironment,
) -> Result<(), Failed> {
    if !written.names_installed()? {
        return Ok(());
    }
    let installed = interpreters
        .all()
        .iter()
        .map(|each| Installations::ask(&each.program(), caller))
        .collect::<Result<Vec<_>, _>>()?;
    written.check_installed(|name| {
        // Under several interpreters a scenario is measured as `warm@3.11`, `warm@3.13`.
        let is_multiplied = suite.scenario(name).is_none();
        let stands_for = |measured: &str| {
            let rest = measured.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || is_multiplied && rest.starts_with('@'))
        };
        let mut places: Vec<usize> = suite
            .scenarios
            .iter()
            .enumerate()
            .filter(|(_, scenario)| stands_for(&scenario.name))
            .map(|(index, _)| interpreters.of_scenario(index))
            .collect();
        places.dedup();
        places
            .into_iter()
            .map(|place| ModuleFolders {
                site_packages: &installed[place].folders,
                stdlib: &interpreters.all()[place].python.stdlib,
            })
            .collect()
    })?;
    Ok(())
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

/// Is there none of that name yet, and can there be one? To be asked before what takes long.
pub(super) fn check_folder(named: Option<&Path>) -> Result<(), Failed> {
    let Some(out) = named else {
        return Ok(());
    };
    if out.symlink_metadata().is_ok() {
        return Err(no_folder(out, &"it exists already"));
    }
    let above = out.ancestors().skip(1).map(|folder| match folder {
        // A name alone lies in the current folder.
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    });
    for folder in above {
        match std::fs::metadata(folder) {
            Ok(found) if !found.is_dir() => {
                let reason = format!("{} is not a folder", folder.display());
                return Err(no_folder(out, &reason));
            }
            Ok(_) => {
                let mode = AccessFlags::W_OK | AccessFlags::X_OK;
                return access(folder, mode).map_err(|error| no_folder(out, &error.desc()));
            }
            Err(_) => {}
        }
    }
    Ok(())
}

fn no_folder(folder: &Path, reason: &dyn std::fmt::Display) -> Failed {
    Failed::bad_input(format!(
        "cannot make the run's folder {}: {reason}\n  choose another one with --out",
        folder.display()
    ))
}

/// Makes the run's folder; one that exists is never written into.
pub(super) fn make_folder(named: Option<&Path>, suite: &Suite) -> Result<PathBuf, Failed> {
    let folder = named.map(Path::to_owned).unwrap_or_else(|| {
        let stamp: String = now().chars().filter(|c| c.is_ascii_digit()).collect();
        PathBuf::from("coldsnake-runs").join(format!("{}-{stamp}", suite.app.name))
    });
    let failed = |error: std::io::Error| no_folder(&folder, &error);
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
pub(super) fn random_seed() -> u64 {
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
