//! Builds stages, one for each scenario.

use std::fs;
use std::path::{Path, PathBuf};

use super::StageError;
use super::bytecode::make_bytecode;
use super::copy::{CopyError, WriteBits, at, set_write_bits};
use super::hold::Held;
use super::isolation::Isolation;
use super::overlay::{Covered, Marks};
use super::page_cache::PageCacheState;
use super::probe::probe;
use super::promise::named;
use super::quota::Group;
use super::receipt::{Outside, Uncached};
use super::revised::AtRevision;
use super::scene::Stage;
use super::seen::Origins;
use super::tmpfs::{SharedMemory, put_on_tmpfs};
use super::tree::{Kept, Place, Tree};
use super::workshop::Setting;
use crate::launch::Launcher;
use crate::python::{
    Compilation, Existing, Installations, InvalidationMode, Part, Placement, compile_all,
    is_installed, venv_interpreter,
};
use crate::suite::{
    Bytecode, Flags, Medium, Optimization, PageCache, Prefix, Scenario, SourceAccess, Suite,
};

/// Everything that the stages of a run have in common.
pub(super) struct Builder<'a> {
    pub setting: Setting<'a>,
    pub root: &'a Path,
    pub isolation: &'a mut Isolation,
    shared: &'a mut SharedMemory,
    pub interpreters: Vec<Interpreter>,
    /// The place of the interpreter of the stage that is being built.
    current: usize,
    pub method: Method,
    built: usize,
}

/// One of the interpreters, and what is known of what is installed for it.
pub(super) struct Interpreter {
    /// As launched processes see it.
    pub python: PathBuf,
    pub stdlib: PathBuf,
    pub installations: Installations,
    /// What is installed, to be covered; empty without layers.
    pub installed: Installed,
    observed: Vec<Observed>,
}

/// What the app loads from outside its source, with these flags: they decide which modules are loaded,
/// and which of their pycs. Another revision may load others.
#[derive(Debug)]
struct Observed {
    flags: Flags,
    revision: Option<String>,
    loaded: Vec<PathBuf>,
    /// The parts some of whose loaded modules had no bytecode, and have none in the user's folders.
    uncached: Vec<Part>,
}

impl Observed {
    /// Does a scenario load the same?
    fn is_of(&self, scenario: &Scenario) -> bool {
        self.flags == scenario.flags && self.revision == scenario.revision
    }
}

impl Interpreter {
    /// Has every module that the app loads of these parts its bytecode in the user's folders?
    pub fn has_cached(&self, parts: &[Part], scenario: &Scenario) -> bool {
        let mut observed = self.observed.iter();
        let observed = observed.find(|each| each.is_of(scenario));
        observed.is_none_or(|each| !each.uncached.iter().any(|part| parts.contains(part)))
    }
}

/// Folders with what is installed for an interpreter, to be covered.
pub(super) type Installed = Vec<(Part, Covered)>;

/// How stages hold what a scenario changes.
pub(super) enum Method {
    Overlay {
        marks: Marks,
        /// The app's sources, in the suite's order.
        sources: Vec<Covered>,
        /// The working directory, if it lies in none of them.
        directory: Option<Covered>,
        /// The same at each state of the source, if scenarios name revisions.
        at_revisions: Vec<AtRevision>,
    },
    Copy,
}

impl<'a> Builder<'a> {
    /// Finds out what can be had here, and protects what is the user's.
    ///
    /// # Errors
    /// When an interpreter does not answer, something cannot be mounted, or the user interrupts.
    pub fn new(
        setting: Setting<'a>,
        root: &'a Path,
        isolation: &'a mut Isolation,
        shared: &'a mut SharedMemory,
        launcher: &mut dyn Launcher,
    ) -> Result<Self, StageError> {
        let interpreters = interpreters(setting, root, isolation)?;
        let mut builder = Self {
            setting,
            root,
            isolation,
            shared,
            interpreters,
            current: 0,
            method: Method::Copy,
            built: 0,
        };
        builder.choose_method()?;
        builder.protect()?;
        builder.lay_revisions()?;
        let reached: Vec<&Path> = match &builder.method {
            Method::Overlay {
                sources, directory, ..
            } => sources
                .iter()
                .chain(directory)
                .map(|covered| covered.path.as_path())
                .collect(),
            Method::Copy => Vec::new(),
        };
        let pythons: Vec<&Path> = builder
            .interpreters
            .iter()
            .map(|each| each.python.as_path())
            .collect();
        builder.isolation.drop_privileges(
            &pythons,
            root,
            &reached,
            &setting.caller.passed,
            launcher,
        )?;
        Ok(builder)
    }

    pub fn interpreter(&self) -> &Interpreter {
        &self.interpreters[self.current]
    }

    /// A stage for a scenario, with the interpreter at this place in the setting.
    ///
    /// # Errors
    /// When the scenario cannot be made true here, or the user interrupts.
    pub fn stage(
        &mut self,
        scenario: &Scenario,
        interpreter: usize,
        launcher: &mut dyn Launcher,
    ) -> Result<Stage, StageError> {
        self.current = interpreter;
        let loaded = self.loaded(scenario, launcher)?;
        let mut stage = self.bare(scenario)?;
        self.make_bytecode(&mut stage, &loaded, launcher)?;
        self.set_access(&mut stage)?;
        self.verify_revision(&stage)?;
        let _inside = stage.enter()?;
        probe(&stage, launcher)?;
        fill_prefix(&mut stage, self.setting.suite, launcher)?;
        Ok(stage)
    }

    /// Brings the bytecode of a new stage into its scenario's state, and remembers that.
    fn make_bytecode(
        &self,
        stage: &mut Stage,
        loaded: &[PathBuf],
        launcher: &mut dyn Launcher,
    ) -> Result<(), StageError> {
        let _inside = stage.enter()?;
        if let Method::Copy = self.method {
            for tree in &stage.trees {
                set_write_bits(tree.path(), WriteBits::On)?;
            }
        }
        make_bytecode(stage, self.setting, loaded, launcher)?;
        for tree in &mut stage.trees {
            tree.kept.remember()?;
        }
        stage.prefix.remember()?;
        Ok(())
    }

    /// The files that the app loads from outside its source, all cached by now where a scenario
    /// says so, or to be cached in each copy.
    fn loaded(
        &mut self,
        scenario: &Scenario,
        launcher: &mut dyn Launcher,
    ) -> Result<Vec<PathBuf>, StageError> {
        let observed = self.interpreter().observed.iter();
        let observed = observed.clone().find(|each| each.is_of(scenario));
        if let Some(observed) = observed {
            return Ok(observed.loaded.clone());
        }
        let plain = Scenario {
            source: SourceAccess::Writable,
            bytecode: Bytecode::Absent,
            site_packages: Bytecode::Fresh,
            stdlib: Bytecode::Fresh,
            prefix: Prefix::Unset,
            source_on: Medium::Stage,
            prefix_on: Medium::Stage,
            page_cache: PageCache::Kept,
            cpu: None,
            ..scenario.clone()
        };
        let mut outside = self.observe(&plain, &[], launcher)?;
        let mut uncached: Vec<Part> = outside.uncached.iter().map(|module| module.part).collect();
        uncached.sort_unstable();
        uncached.dedup();
        let loaded = outside.loaded.clone();
        self.interpreters[self.current].observed.push(Observed {
            flags: scenario.flags.clone(),
            revision: scenario.revision.clone(),
            loaded: loaded.clone(),
            uncached,
        });
        outside
            .uncached
            .retain(|module| self.wants_fresh(module.part, scenario));
        if !outside.uncached.is_empty() {
            self.complete(&plain, &outside)?;
            let copied: &[PathBuf] = match self.method {
                Method::Overlay { .. } => &[],
                Method::Copy => &loaded,
            };
            let mut left = self.observe(&plain, copied, launcher)?.uncached;
            left.retain(|module| self.wants_fresh(module.part, scenario));
            if !left.is_empty() {
                return Err(not_cached(&left, &plain, &self.interpreter().python));
            }
        }
        Ok(loaded)
    }

    /// Is there a scenario with this interpreter and these flags that says that this part of what is
    /// installed is cached?
    pub fn wants_fresh(&self, part: Part, with: &Scenario) -> bool {
        let interpreters = self.setting.interpreters;
        let scenarios = self.setting.suite.scenarios.iter();
        scenarios.enumerate().any(|(index, scenario)| {
            interpreters.of_scenario(index) == self.current
                && scenario.flags == with.flags
                && scenario.prefix == Prefix::Unset
                && *part.state(scenario) == Bytecode::Fresh
        })
    }

    /// What the app loads from outside its source, once these files have bytecode in their copies.
    fn observe(
        &mut self,
        scenario: &Scenario,
        cached: &[PathBuf],
        launcher: &mut dyn Launcher,
    ) -> Result<Outside, StageError> {
        let mut stage = self.bare(scenario)?;
        if !cached.is_empty() {
            self.make_bytecode(&mut stage, cached, launcher)?;
        }
        self.set_access(&mut stage)?;
        let mut all = Outside::default();
        for kind in self.setting.suite.launch_kinds() {
            let outside = stage.outside(&self.setting.suite.app, kind, launcher)?;
            all.loaded.extend(outside.loaded);
            all.uncached.extend(outside.uncached);
        }
        all.loaded.sort();
        all.loaded.dedup();
        Ok(all)
    }

    /// Gives what is installed the bytecode that it lacks, in a layer that all stages see, so that
    /// the user's own files stay as they are. Where there are no layers, each stage gets a copy of its
    /// own, if one can be had.
    fn complete(&mut self, scenario: &Scenario, outside: &Outside) -> Result<(), StageError> {
        let level = scenario.optimization();
        let (Method::Overlay { marks, .. }, Some(namespace)) =
            (&self.method, &self.isolation.namespace)
        else {
            let python = &self.interpreter().python;
            let mut left = outside.uncached.clone();
            left.retain(|module| !self.can_copy(module));
            if !left.is_empty() {
                return Err(not_cached(&left, scenario, python));
            }
            self.isolation.notes.push(format!(
                "{} modules outside the app had no bytecode; each stage has a copy of what they belong \
                 to, in which they have it",
                outside.uncached.len()
            ));
            return Ok(());
        };
        let current = self.current;
        let Interpreter {
            python, installed, ..
        } = &mut self.interpreters[current];
        for (index, (_, covered)) in installed.iter_mut().enumerate() {
            let files: Vec<PathBuf> = outside
                .uncached
                .iter()
                .map(|module| &module.path)
                // Packages may be installed in a folder of the standard library, and have a layer
                // of their own.
                .filter(|path| {
                    path.strip_prefix(&covered.path)
                        .is_ok_and(|inside| !is_installed(inside))
                })
                .cloned()
                .collect();
            if files.is_empty() {
                continue;
            }
            let layer = self
                .root
                .join("complete")
                .join(format!("{current}-{index}-{}", level.number()));
            let work = layer.with_extension("work");
            let view = namespace
                .view(|| covered.prepare()?.mount(&layer, &work, *marks))
                .map_err(mount_error(&covered.path))?;
            let inside = view.enter().map_err(mount_error(&covered.path))?;
            let compilation = Compilation {
                mode: InvalidationMode::Timestamp,
                level,
                placement: Placement::Cache,
                existing: Existing::Kept,
            };
            compile_all(python, &files, compilation, self.setting.caller)?;
            drop(inside);
            covered.add(layer);
            self.isolation.notes.push(format!(
                "{} modules below {} had no bytecode, and were given it in a layer",
                files.len(),
                covered.path.display()
            ));
        }
        Ok(())
    }

    /// A stage whose trees are there, with whatever bytecode lies in them.
    fn bare(&mut self, scenario: &Scenario) -> Result<Stage, StageError> {
        // Names of one length: paths end up in the environment and in messages, and their length
        // must not differ between scenarios.
        let folder = self.root.join(format!("s{:03}", self.built));
        self.built += 1;
        let make = |name: &str| -> Result<PathBuf, CopyError> {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(at(&path))?;
            Ok(path)
        };
        let (home, tmp, owner_home) = (make("home")?, make("tmp")?, make("owner")?);
        let mut put =
            |at: PathBuf| put_on_tmpfs(&scenario.name, self.root, &at, self.isolation, self.shared);
        let mut prefix = make("prefix")?;
        if scenario.prefix_on == Medium::Tmpfs {
            prefix = put(prefix)?;
        }
        let prefix = Kept::new(Place::prefix(&prefix));
        let memory = match scenario.source_on {
            Medium::Tmpfs => Some(put(make("memory")?)?),
            Medium::Stage | Medium::Disk => None,
        };
        let Held {
            trees,
            view,
            python,
            stdlib,
        } = match &self.method {
            Method::Overlay { .. } => self.cover(scenario, &folder, memory.as_deref())?,
            Method::Copy => self.copy(scenario, &folder, memory.as_deref())?,
        };
        let app = &self.setting.suite.app;
        let first = trees.iter().find(|tree| tree.part == Part::App);
        let directory = match (&app.directory, first) {
            (Some(directory), _) => self.directory(directory, &trees)?,
            (None, Some(first)) => first.path().to_owned(),
            (None, None) => make("work")?,
        };
        let origins = Origins {
            app: trees
                .iter()
                .filter(|tree| tree.part == Part::App)
                .map(|tree| tree.path().to_owned())
                .collect(),
            stdlib,
        };
        let mut passed = self.setting.caller.passed.clone();
        if let Some(base) = &self.interpreter().installations.user_base {
            passed.push(("PYTHONUSERBASE".into(), base.into()));
        }
        let run = self.root.file_name().unwrap_or_default();
        let group = scenario
            .cpu
            .map(|quota| Group::make(&format!("{}-{:03}", run.display(), self.built), quota))
            .transpose()
            .map_err(|reason| StageError::NoCpuQuota {
                scenario: scenario.name.clone(),
                reason,
            })?;
        let page_cache = PageCacheState::of(
            &scenario.name,
            scenario.page_cache,
            self.setting.suite,
            self.setting.drop_caches,
        )?;
        Ok(Stage {
            scenario: scenario.clone(),
            python,
            user: self.isolation.user,
            view,
            trees,
            prefix,
            directory,
            origins,
            home,
            tmp,
            owner_home,
            group,
            page_cache,
            hook: self.root.join("hook"),
            passed,
            writes: Vec::new(),
            precedent: None,
        })
    }

    /// The working directory as launched processes see it: in the copy of a source, if it lies in
    /// one.
    fn directory(&self, directory: &Path, trees: &[Tree]) -> Result<PathBuf, CopyError> {
        let directory = fs::canonicalize(directory).map_err(at(directory))?;
        let sources = &self.setting.suite.app.sources;
        for (source, tree) in sources.iter().zip(trees) {
            let source = fs::canonicalize(source).map_err(at(source))?;
            if let Ok(inside) = directory.strip_prefix(&source) {
                return Ok(tree.path().join(inside));
            }
        }
        Ok(directory)
    }
}

pub(super) fn mount_error(path: &Path) -> impl FnOnce(std::io::Error) -> StageError + use<> {
    let path = path.to_owned();
    move |source| StageError::Mount { path, source }
}

/// The error for modules outside the app that have no bytecode and cannot be given any.
fn not_cached(modules: &[Uncached], scenario: &Scenario, python: &Path) -> StageError {
    let names: Vec<&str> = modules.iter().map(|module| module.name.as_str()).collect();
    let level = scenario.optimization();
    StageError::NotCached {
        modules: named(&names),
        kind: match level {
            Optimization::None => "bytecode".to_owned(),
            Optimization::One | Optimization::Two => {
                format!("bytecode for {} (`*{}.pyc`)", level.flag(), level.tag())
            }
        },
        level,
        python: python.to_owned(),
    }
}

/// The interpreters as launched processes see them, in the setting's order.
fn interpreters(
    setting: Setting<'_>,
    root: &Path,
    isolation: &mut Isolation,
) -> Result<Vec<Interpreter>, StageError> {
    let mut found = Vec::new();
    for (index, each) in setting.interpreters.all().iter().enumerate() {
        let python = match (&each.venv, &mut isolation.namespace) {
            (None, _) => each.python.executable.clone(),
            (Some(venv), None) => venv_interpreter(venv),
            (Some(venv), Some(namespace)) => {
                // Seen below the stage, it can be reached by a user who may not enter root's home.
                // The names are of one length, as their paths must not differ in it.
                let seen = root.join(format!("venv{index:02}"));
                fs::create_dir(&seen).map_err(at(&seen))?;
                namespace
                    .bind_read_only(venv, &seen)
                    .map_err(mount_error(&seen))?;
                venv_interpreter(&seen)
            }
        };
        found.push(Interpreter {
            installations: Installations::ask(&python, setting.caller)?,
            python,
            stdlib: each.python.stdlib.clone(),
            installed: Vec::new(),
            observed: Vec::new(),
        });
    }
    Ok(found)
}

/// Fills a warm prefix by untimed launches, one of each kind that will be timed.
fn fill_prefix(
    stage: &mut Stage,
    suite: &Suite,
    launcher: &mut dyn Launcher,
) -> Result<(), StageError> {
    if stage.scenario.prefix != Prefix::Warm {
        return Ok(());
    }
    for kind in suite.launch_kinds() {
        // Not a stage's launch, which would empty the prefix first.
        let spec = stage.untimed_spec(&suite.app, kind)?;
        let launched = launcher.launch(&spec)?;
        if let Err(failure) = launched.outcome {
            return Err(StageError::Launch {
                scenario: stage.scenario.name.clone(),
                failure,
            });
        }
    }
    stage.prefix.remember()?;
    stage.reset()
}
