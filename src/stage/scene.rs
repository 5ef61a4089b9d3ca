//! One scenario made true: its folders, and what happens around a launch in them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::StageError;
use super::command::Conditions;
use super::namespace::{Inside, View};
use super::page_cache::PageCacheState;
use super::quota::Group;
use super::seen::Origins;
use super::tree::{Kept, Tree};
use crate::launch::{Failure, Launched, Launcher, Precedent, Spec, User};
use crate::python::Part;
use crate::record::{Surroundings, Throttling};
use crate::suite::{App, LaunchKind, Scenario};

/// A scenario on disk.
#[derive(Debug)]
pub struct Stage {
    pub scenario: Scenario,
    /// The interpreter as the stage sees it.
    pub python: PathBuf,
    pub user: User,
    /// Where the launched processes see what this process doesn't.
    pub(super) view: Option<View>,
    /// The app's sources first, then what is installed, as far as the scenario changes it.
    pub(super) trees: Vec<Tree>,
    pub(super) prefix: Kept,
    /// The launched processes' working directory.
    pub(super) directory: PathBuf,
    pub(super) origins: Origins,
    pub(super) home: PathBuf,
    pub(super) tmp: PathBuf,
    pub(super) owner_home: PathBuf,
    /// Limits the app's CPU time, where the scenario does.
    pub(super) group: Option<Group>,
    /// Which of the app's files are in memory at each launch.
    pub(super) page_cache: PageCacheState,
    /// Where the receipts' hook lies.
    pub(super) hook: PathBuf,
    /// Variables of the caller's environment that launched processes get.
    pub(super) passed: Vec<(OsString, OsString)>,
    /// Does an untimed launch of this kind write bytecode? Known from its receipt.
    pub(super) writes: Vec<(LaunchKind, Writes)>,
    /// How its server was found.
    pub(super) precedent: Option<Precedent>,
}

/// Does a launch leave new bytecode?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Writes {
    Something,
    Nothing,
}

/// A launch, and what the stage saw around it.
#[derive(Debug)]
pub struct Staged {
    pub launched: Launched,
    pub surroundings: Surroundings,
    pub pycs_before: u64,
    pub pycs_after: u64,
    /// What did not hold, in sentences.
    pub violations: Vec<String>,
}

impl Stage {
    /// Sees what the launched processes see, until the result is dropped.
    ///
    /// # Errors
    /// What setns(2) says.
    pub(super) fn enter(&self) -> Result<Option<Inside>, StageError> {
        let entered = self.view.as_ref().map(View::enter).transpose();
        entered.map_err(|source| StageError::View {
            scenario: self.scenario.name.clone(),
            source,
        })
    }

    /// The first of the app's sources, or else its working directory.
    pub fn source(&self) -> &Path {
        let app = self.trees.iter().find(|tree| tree.part == Part::App);
        app.map_or(&self.directory, Tree::path)
    }

    /// `PYTHONPYCACHEPREFIX`, where the scenario sets it.
    pub fn prefix(&self) -> &Path {
        &self.prefix.place.path
    }

    /// The folders that launches write to.
    pub(super) fn written(&self) -> [PathBuf; 2] {
        [self.source().to_owned(), self.prefix().to_owned()]
    }

    /// Brings the stage back to the state in which each launch finds it.
    ///
    /// # Errors
    /// When a file cannot be removed or written.
    pub(super) fn reset(&mut self) -> Result<(), StageError> {
        for tree in &mut self.trees {
            tree.kept.reset()?;
        }
        Ok(self.prefix.reset()?)
    }

    /// Pycs of the trees and below the prefix, as each launch finds them.
    pub(super) fn pycs(&self) -> u64 {
        let trees = self.trees.iter().map(|tree| tree.kept.pycs());
        trees.sum::<u64>() + self.prefix.pycs()
    }

    /// Those of a part alone.
    pub(super) fn pycs_of(&self, part: Part) -> u64 {
        let trees = self.trees.iter().filter(|tree| tree.part == part);
        trees.map(|tree| tree.kept.pycs()).sum()
    }

    /// Pycs of the trees and below the prefix now.
    pub(super) fn pycs_now(&self) -> u64 {
        let trees = self.trees.iter().map(|tree| tree.kept.pycs_now());
        trees.sum::<u64>() + self.prefix.pycs_now()
    }

    /// Resets the stage, launches once, and looks at what was left.
    ///
    /// # Errors
    /// When the stage cannot be reset, or the user interrupts. A failed launch is no error.
    pub fn launch(
        &mut self,
        app: &App,
        kind: LaunchKind,
        conditions: Conditions,
        launcher: &mut dyn Launcher,
    ) -> Result<Staged, StageError> {
        self.launch_as(app, kind, conditions, launcher, |_, _| ())
    }

    /// The same, with a change of what is launched.
    pub(super) fn launch_as(
        &mut self,
        app: &App,
        kind: LaunchKind,
        conditions: Conditions,
        launcher: &mut dyn Launcher,
        change: impl FnOnce(&Self, &mut Spec),
    ) -> Result<Staged, StageError> {
        let _inside = self.enter()?;
        self.reset()?;
        let pycs_before = self.pycs();
        let mut spec = self.spec(app, kind, conditions)?;
        change(self, &mut spec);
        let written = self.written();
        // Last: everything that is looked at before a launch comes into memory.
        let (eviction, not_evicted) = self.page_cache.prepare(kind, &written);
        let throttled = self.group.as_ref().map(Group::throttling);
        let launched = take_import_time(kind, launcher.launch(&spec)?);
        self.learn(launched.precedent);
        let surroundings = Surroundings {
            eviction,
            throttling: throttled.map(|before| self.throttled_since(before)),
        };
        let pycs_after = self.pycs_now();
        let mut violations = if launched.outcome.is_ok() {
            self.violations(kind, pycs_before, pycs_after)
        } else {
            Vec::new()
        };
        violations.extend(not_evicted);
        violations.extend(self.group.as_ref().and_then(Group::not_as_made));
        Ok(Staged {
            launched,
            surroundings,
            pycs_before,
            pycs_after,
            violations,
        })
    }

    /// How the app's server was found, for the next launch.
    pub(super) fn learn(&mut self, found: Option<Precedent>) {
        if let Some(found) = found {
            self.precedent = Some(found.after(self.precedent));
        }
    }

    fn throttled_since(&self, before: Throttling) -> Throttling {
        let now = self
            .group
            .as_ref()
            .map(Group::throttling)
            .unwrap_or_default();
        Throttling {
            periods: now.periods.saturating_sub(before.periods),
            time: now.time.saturating_sub(before.time),
        }
    }

    /// Is what this launch left what its receipt showed?
    pub(super) fn violations(&self, kind: LaunchKind, before: u64, after: u64) -> Vec<String> {
        let expected = self
            .writes
            .iter()
            .find(|(k, _)| *k == kind)
            .map(|(_, w)| *w);
        let seen = writes(before, after);
        match expected {
            Some(expected) if expected != seen => vec![format!(
                "a launch found {before} pycs and left {after}, where its receipt {}",
                match expected {
                    Writes::Something => "wrote some",
                    Writes::Nothing => "wrote none",
                }
            )],
            _ => Vec::new(),
        }
    }
}

/// Reads the import's own time out of the launch's report. A launch without one gave no metric,
/// however well it ended.
pub(super) fn take_import_time(kind: LaunchKind, mut launched: Launched) -> Launched {
    if kind == LaunchKind::Import && launched.outcome.is_ok() {
        let report = std::str::from_utf8(&launched.report).ok();
        let nanos = report.and_then(|text| text.parse().ok());
        launched.times.import = nanos.map(Duration::from_nanos);
        if launched.times.import.is_none() {
            launched.outcome = Err(Failure::NoImportTime);
        }
        // The process's end is our launcher's doing, not the app's.
        launched.times.exit = None;
    }
    launched
}

/// What a change in the number of pycs means.
pub(super) fn writes(before: u64, after: u64) -> Writes {
    if before == after {
        Writes::Nothing
    } else {
        Writes::Something
    }
}
