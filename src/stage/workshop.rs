//! All stages of a run, in one temporary folder that is gone afterwards.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::Uid;
use tempfile::TempDir;

use super::StageError;
use super::build::Builder;
use super::copy::{WriteBits, at, set_write_bits};
use super::folder::{Umask, make_root, sweep};
use super::isolation::Isolation;
use super::page_cache::DropCaches;
use super::receipt::{HOOK, HOOK_FILE};
use super::scene::Stage;
use super::tmpfs::{SHARED_MEMORY, SharedMemory};
use super::tree::own_entries;
use crate::launch::Launcher;
use crate::python::Interpreters;
use crate::python::environment::CallerEnvironment;
use crate::record::format::Isolation as IsolationRecord;
use crate::revision::Revisions;
use crate::suite::{Prefix, Scenario, Suite};

/// What a workshop is set up for.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub suite: &'a Suite,
    /// Those of the suite's scenarios.
    pub interpreters: &'a Interpreters,
    pub caller: &'a CallerEnvironment,
    /// Those that the suite's scenarios name.
    pub revisions: &'a Revisions,
    pub backing: Backing,
    pub drop_caches: DropCaches,
}

/// How a stage holds what a scenario changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backing {
    /// Layers over the user's own folders where they can be had, or else copies.
    #[default]
    Automatic,
    /// The app at its own path, under a layer.
    Overlay,
    /// Private copies in the temporary folder.
    Copy,
}

/// The stages of a run.
#[derive(Debug)]
pub struct Workshop {
    pub stages: Vec<Stage>,
    // Before `root`: what is mounted below it comes off before it is removed.
    isolation: Isolation,
    shared: SharedMemory,
    root: TempDir,
    /// Held until the folder is gone.
    _lock: fs::File,
}

impl Workshop {
    /// Makes every scenario of the suite true on disk.
    ///
    /// # Errors
    /// When one cannot be made true here, or the user interrupts.
    pub fn set_up(setting: Setting<'_>, launcher: &mut dyn Launcher) -> Result<Self, StageError> {
        let temporary = std::env::temp_dir();
        check_outside(&temporary, &setting.suite.app.sources)?;
        sweep(&temporary);
        sweep(Path::new(SHARED_MEMORY));
        // What is made here must be readable for whoever launches the app, whatever the caller's
        // umask is.
        let _umask = Umask::set(0o022);
        let (root, lock) = make_root(&temporary)?;
        let isolation = Isolation::begin();
        isolation.admit(root.path())?;
        let hook = root.path().join("hook");
        fs::create_dir(&hook).map_err(at(&hook))?;
        fs::write(hook.join(HOOK_FILE), HOOK).map_err(at(&hook))?;
        set_write_bits(&hook, WriteBits::Off)?;
        let mut workshop = Self {
            stages: Vec::new(),
            isolation,
            shared: SharedMemory::default(),
            root,
            _lock: lock,
        };
        let mut builder = Builder::new(
            setting,
            workshop.root.path(),
            &mut workshop.isolation,
            &mut workshop.shared,
            launcher,
        )?;
        let cannot_be_written =
            |s: &Scenario| s.source.is_read_only() || s.prefix == Prefix::Unwritable;
        if setting.suite.scenarios.iter().any(cannot_be_written) {
            builder.isolation.check()?;
        }
        for (index, scenario) in setting.suite.scenarios.iter().enumerate() {
            let interpreter = setting.interpreters.of_scenario(index);
            let stage = builder.stage(scenario, interpreter, launcher)?;
            workshop.stages.push(stage);
        }
        Ok(workshop)
    }

    /// How the conditions were made to hold, for the record.
    pub fn isolation(&self) -> IsolationRecord {
        self.isolation.describe()
    }
}

/// Lines of Python of the app's own, for figures per 1,000 lines.
pub fn source_lines(sources: &[PathBuf]) -> u64 {
    sources
        .iter()
        .flat_map(|source| own_entries(source))
        .filter(|entry| {
            entry.file_type().is_file()
                && entry
                    .path()
                    .extension()
                    .is_some_and(|extension| extension == "py")
        })
        .filter_map(|entry| fs::read(entry.path()).ok())
        .map(|bytes| bytes.iter().filter(|&&byte| byte == b'\n').count() as u64)
        .sum()
}

impl Drop for Workshop {
    fn drop(&mut self) {
        // An ordinary user cannot remove what lies in folders that were made read-only. For root,
        // whose mounts below would refuse this, it is not needed.
        if !Uid::effective().is_root() {
            let _ = set_write_bits(self.root.path(), WriteBits::On);
        }
    }
}

/// Stages cannot lie in what they are copies of or cover.
fn check_outside(temporary: &Path, sources: &[PathBuf]) -> Result<(), StageError> {
    let Ok(real) = fs::canonicalize(temporary) else {
        return Ok(());
    };
    let holds_it =
        |source: &&PathBuf| fs::canonicalize(source).is_ok_and(|source| real.starts_with(source));
    match sources.iter().find(holds_it) {
        None => Ok(()),
        Some(source) => Err(StageError::TemporaryInside {
            folder: temporary.to_owned(),
            source_folder: source.clone(),
        }),
    }
}
