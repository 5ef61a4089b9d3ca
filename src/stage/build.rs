//! Builds stages, one for each scenario.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, access};

use super::StageError;
use super::bytecode::make_bytecode;
use super::command::UNTIMED;
use super::copy::{CopyBytecode, CopyError, WriteBits, at, copy_tree, give, set_write_bits};
use super::isolation::Isolation;
use super::namespace::{View, bind, bind_read_only};
use super::overlay::{Covered, Marks};
use super::page_cache::PageCacheState;
use super::probe::probe;
use super::quota::Group;
use super::receipt::Outside;
use super::scene::Stage;
use super::seen::Origins;
use super::tmpfs::{SharedMemory, put_on_tmpfs};
use super::tree::{Kept, Part, Place, Protection, Tree, own_entries};
use super::workshop::{Backing, Setting};
use crate::launch::{Launcher, User};
use crate::python::{
    Compilation, Existing, Installations, InvalidationMode, Placement, compile_all,
    venv_interpreter,
};
use crate::suite::{Bytecode, Flags, Medium, PageCache, Prefix, Scenario, SourceAccess, Suite};

/// Everything that the stages of a run have in common.
pub(super) struct Builder<'a> {
    setting: Setting<'a>,
    root: &'a Path,
    pub isolation: &'a mut Isolation,
    shared: &'a mut SharedMemory,
    interpreters: Vec<Interpreter>,
    /// The place of the interpreter of the stage that is being built.
    current: usize,
    method: Method,
    built: usize,
}

/// One of the interpreters, and what is known of what is installed for it.
struct Interpreter {
    /// As launched processes see it.
    python: PathBuf,
    stdlib: PathBuf,
    installations: Installations,
    /// What is installed, to be covered; empty without layers.
    installed: Installed,
    /// Was everything that the app loads from outside its source cached?
    all_cached: bool,
    observed: Vec<(Flags, Vec<PathBuf>)>,
}

/// Folders with what is installed for an interpreter, to be covered.
type Installed = Vec<(Part, Covered)>;

/// How stages hold what a scenario changes.
enum Method {
    Overlay {
        marks: Marks,
        /// The app's sources, in the suite's order.
        sources: Vec<Covered>,
        /// The working directory, if it lies in none of them.
        directory: Option<Covered>,
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

    fn choose_method(&mut self) -> Result<(), StageError> {
        let wanted = self.setting.backing;
        if wanted == Backing::Copy {
            self.isolation.backing = "copy".to_owned();
            return Ok(());
        }
        match self.overlay() {
            Ok((method, installed)) => {
                self.method = method;
                for (interpreter, installed) in self.interpreters.iter_mut().zip(installed) {
                    interpreter.installed = installed;
                }
                self.isolation.backing = "overlay".to_owned();
                Ok(())
            }
            Err(reason) if wanted == Backing::Overlay => Err(StageError::NoOverlay { reason }),
            Err(reason) => {
                self.isolation.backing = "copy".to_owned();
                self.isolation
                    .notes
                    .push(format!("the app was copied, as {reason}"));
                Ok(())
            }
        }
    }

    /// Can the user's folders be covered by layers? If so, with them what is installed for each
    /// interpreter.
    fn overlay(&self) -> Result<(Method, Vec<Installed>), String> {
        let Some(namespace) = &self.isolation.namespace else {
            let why = self.isolation.no_namespace.as_deref();
            return Err(why.unwrap_or("there is no mount namespace").to_owned());
        };
        let cover = |path: &Path| -> Result<Covered, String> {
            let covered = Covered::open(path)
                .map_err(|error| format!("{} cannot be covered: {error}", path.display()))?;
            if self.root.starts_with(&covered.path) {
                return Err(format!(
                    "the temporary folder lies in {}",
                    covered.path.display()
                ));
            }
            Ok(covered)
        };
        let app = &self.setting.suite.app;
        let sources: Vec<Covered> = app
            .sources
            .iter()
            .map(|path| cover(path))
            .collect::<Result<_, _>>()?;
        for source in &sources {
            // A layer's copy of a folder keeps its owner, and no other user can be named in a
            // user namespace.
            if let Some(foreign) = not_ours(&source.path) {
                return Err(format!("{} belongs to another user", foreign.display()));
            }
        }
        let is_inside = |path: &PathBuf| {
            fs::canonicalize(path)
                .is_ok_and(|path| sources.iter().any(|source| path.starts_with(&source.path)))
        };
        let directory = match &app.directory {
            // It is where the app starts, and no more: if our own folder lies in it, it stays as
            // it is.
            Some(directory) if !is_inside(directory) && !self.holds_our_folder(directory) => {
                Some(cover(directory)?)
            }
            Some(_) | None => None,
        };
        let installed = self
            .interpreters
            .iter()
            .map(|each| {
                let packages = each.installations.folders.iter();
                [(Part::Stdlib, &each.stdlib)]
                    .into_iter()
                    .chain(packages.map(|path| (Part::SitePackages, path)))
                    .map(|(part, path)| Ok((part, cover(path)?)))
                    .collect()
            })
            .collect::<Result<_, String>>()?;
        let marks = Marks::find(namespace, &self.root.join("trial"))
            .map_err(|error| format!("layers cannot be mounted here ({error})"))?;
        let method = Method::Overlay {
            marks,
            sources,
            directory,
        };
        Ok((method, installed))
    }

    fn holds_our_folder(&self, folder: &Path) -> bool {
        fs::canonicalize(folder).is_ok_and(|folder| self.root.starts_with(folder))
    }

    /// What is the user's is read-only for launched processes, whoever they are.
    fn protect(&mut self) -> Result<(), StageError> {
        let mut theirs = self.setting.suite.app.sources.clone();
        for each in &self.interpreters {
            theirs.push(each.stdlib.clone());
            theirs.extend(each.installations.folders.iter().cloned());
        }
        let mut protected = Vec::new();
        let Some(namespace) = &mut self.isolation.namespace else {
            return Ok(());
        };
        for path in theirs {
            let path = fs::canonicalize(&path).map_err(at(&path))?;
            // Interpreters may share what is installed.
            if protected.contains(&path) {
                continue;
            }
            namespace
                .bind_read_only(&path, &path)
                .map_err(mount_error(&path))?;
            protected.push(path);
        }
        Ok(())
    }

    fn interpreter(&self) -> &Interpreter {
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
        let inside = stage.enter()?;
        if let Method::Copy = self.method {
            for tree in &stage.trees {
                set_write_bits(tree.path(), WriteBits::On)?;
            }
        }
        make_bytecode(&stage, self.setting, &loaded, launcher)?;
        for tree in &mut stage.trees {
            tree.kept.remember()?;
        }
        drop(inside);
        self.set_access(&mut stage)?;
        let _inside = stage.enter()?;
        probe(&stage, launcher)?;
        fill_prefix(&mut stage, self.setting.suite, launcher)?;
        Ok(stage)
    }

    /// The files that the app loads from outside its source, all cached by now where a scenario
    /// says so. Flags decide which modules are loaded, and which of their pycs.
    fn loaded(
        &mut self,
        scenario: &Scenario,
        launcher: &mut dyn Launcher,
    ) -> Result<Vec<PathBuf>, StageError> {
        let observed = self.interpreter().observed.iter();
        let observed = observed.clone().find(|(f, _)| *f == scenario.flags);
        if let Some((_, loaded)) = observed {
            return Ok(loaded.clone());
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
        let outside = self.observe(&plain, launcher)?;
        self.interpreters[self.current].all_cached = outside.uncached.is_empty();
        if !outside.uncached.is_empty() && self.wants_fresh(scenario) {
            self.complete(&plain, &outside)?;
            let left = self.observe(&plain, launcher)?.uncached;
            if !left.is_empty() {
                let names: Vec<&str> = left.iter().map(|(name, _)| name.as_str()).collect();
                return Err(self.bare(&plain)?.not_cached(&names));
            }
        }
        self.interpreters[self.current]
            .observed
            .push((scenario.flags.clone(), outside.loaded.clone()));
        Ok(outside.loaded)
    }

    /// Is there a scenario with this interpreter and these flags that says that what is installed is
    /// cached?
    fn wants_fresh(&self, with: &Scenario) -> bool {
        let interpreters = self.setting.interpreters;
        let scenarios = self.setting.suite.scenarios.iter();
        scenarios.enumerate().any(|(index, scenario)| {
            interpreters.of_scenario(index) == self.current
                && scenario.flags == with.flags
                && scenario.prefix == Prefix::Unset
                && (scenario.site_packages == Bytecode::Fresh || scenario.stdlib == Bytecode::Fresh)
        })
    }

    fn observe(
        &mut self,
        scenario: &Scenario,
        launcher: &mut dyn Launcher,
    ) -> Result<Outside, StageError> {
        let mut stage = self.bare(scenario)?;
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
    /// the user's own files stay as they are.
    fn complete(&mut self, scenario: &Scenario, outside: &Outside) -> Result<(), StageError> {
        let names: Vec<&str> = outside
            .uncached
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let level = scenario.optimization();
        let not_cached = self.bare(scenario)?.not_cached(&names);
        let (Method::Overlay { marks, .. }, Some(namespace)) =
            (&self.method, &self.isolation.namespace)
        else {
            return Err(not_cached);
        };
        let current = self.current;
        let Interpreter {
            python, installed, ..
        } = &mut self.interpreters[current];
        for (index, (_, covered)) in installed.iter_mut().enumerate() {
            let files: Vec<PathBuf> = outside
                .uncached
                .iter()
                .map(|(_, path)| path)
                .filter(|path| path.starts_with(&covered.path))
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
        let prefix = Kept::new(Place::prefix(&prefix))?;
        let memory = match scenario.source_on {
            Medium::Tmpfs => Some(put(make("memory")?)?),
            Medium::Stage | Medium::Disk => None,
        };
        let Held {
            trees,
            view,
            python,
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
            stdlib: self.interpreter().stdlib.clone(),
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

    /// Layers over the user's folders, in a namespace of the stage's own.
    fn cover(
        &self,
        scenario: &Scenario,
        folder: &Path,
        memory: Option<&Path>,
    ) -> Result<Held, StageError> {
        let (
            Method::Overlay {
                marks,
                sources,
                directory,
            },
            Some(namespace),
        ) = (&self.method, &self.isolation.namespace)
        else {
            return self.copy(scenario, folder, memory);
        };
        let mut copies = Vec::new();
        let mut layers = Vec::new();
        let mut trees = Vec::new();
        let mut lay = |covered: Covered, tree: Option<(Part, &Bytecode)>| {
            let layer = Layer::new(covered, folder, layers.len());
            if let Some((part, state)) = tree {
                let (path, below) = (&layer.covered.path, layer.covered.itself());
                let place = Place::overlaid(path, &layer.upper, below);
                trees.push((part, state.clone(), place));
            }
            layers.push(layer);
        };
        for (index, source) in sources.iter().enumerate() {
            let Some(memory) = memory else {
                lay(source.clone(), Some((Part::App, &scenario.bytecode)));
                continue;
            };
            // A layer would leave what the scenario doesn't change where it is.
            let copy = memory.join(source_name(index));
            copy_tree(&source.path, &copy, how_to_copy(&scenario.bytecode))?;
            copies.push((copy, source.path.clone()));
        }
        if let Some(directory) = directory {
            lay(directory.clone(), None);
        }
        for (part, covered) in &self.interpreter().installed {
            let state = match part {
                Part::Stdlib => &scenario.stdlib,
                Part::App | Part::SitePackages => &scenario.site_packages,
            };
            if *state != Bytecode::Fresh {
                lay(covered.own(), Some((*part, state)));
            } else if covered.is_completed() {
                lay(covered.clone(), None);
            }
        }
        for (_, path) in &copies {
            trees.push((Part::App, scenario.bytecode.clone(), Place::plain(path)));
        }
        // What lies in another is covered after it.
        layers.sort_by_key(|layer| layer.covered.path.components().count());
        let mut failing = folder;
        let view = namespace
            .view(|| {
                let prepare = |layer: &Layer| layer.covered.prepare();
                let prepared: Vec<_> = layers.iter().map(prepare).collect::<Result<_, _>>()?;
                for (copy, path) in &copies {
                    failing = path;
                    bind(copy, path)?;
                }
                layers.iter().zip(prepared).try_for_each(|(layer, folder)| {
                    failing = &layer.covered.path;
                    folder.mount(&layer.upper, &layer.work, *marks)
                })
            })
            .map_err(mount_error(failing))?;
        let inside = view.enter().map_err(mount_error(folder))?;
        let trees = trees
            .into_iter()
            .map(|(part, state, place): (_, _, Place)| {
                let path = place.path.clone();
                Tree::new(part, state, &path, place)
            })
            .collect::<Result<_, _>>()?;
        drop(inside);
        Ok(Held {
            trees,
            view: Some(view),
            python: self.interpreter().python.clone(),
        })
    }

    /// Private copies of the app's sources, and of its virtual environment where the scenario
    /// changes that.
    fn copy(
        &self,
        scenario: &Scenario,
        folder: &Path,
        memory: Option<&Path>,
    ) -> Result<Held, StageError> {
        let needs_overlay = |what: &'static str| StageError::NeedsOverlay {
            scenario: scenario.name.clone(),
            what,
            reason: self.isolation.notes.join("; "),
        };
        let mut trees = Vec::new();
        for (index, source) in self.setting.suite.app.sources.iter().enumerate() {
            let copy = memory.unwrap_or(folder).join(source_name(index));
            copy_tree(source, &copy, how_to_copy(&scenario.bytecode))?;
            let (state, place) = (scenario.bytecode.clone(), Place::plain(&copy));
            trees.push(Tree::new(Part::App, state, source, place)?);
        }
        if !self.is_as_it_is(&scenario.stdlib) {
            return Err(needs_overlay("stdlib"));
        }
        let mut python = self.interpreter().python.clone();
        if !self.is_as_it_is(&scenario.site_packages) {
            let venv = venv_of(&python).ok_or_else(|| needs_overlay("site-packages"))?;
            let copy = folder.join("venv");
            copy_tree(&venv, &copy, how_to_copy(&scenario.site_packages))?;
            python = venv_interpreter(&copy);
            let real = fs::canonicalize(&venv).map_err(at(&venv))?;
            for packages in &self.interpreter().installations.folders {
                if let Ok(inside) = packages.strip_prefix(&real) {
                    let place = Place::plain(&copy.join(inside));
                    let state = scenario.site_packages.clone();
                    trees.push(Tree::new(Part::SitePackages, state, packages, place)?);
                }
            }
        }
        Ok(Held {
            trees,
            view: None,
            python,
        })
    }

    /// Does a state come to leaving what is installed as it is?
    fn is_as_it_is(&self, state: &Bytecode) -> bool {
        // A launch may not write what it misses: it would write it to the user's own folders.
        let nothing_to_write = self.isolation.namespace.is_some() || self.interpreter().all_cached;
        *state == Bytecode::Fresh || (*state == Bytecode::AsFound && nothing_to_write)
    }

    /// Owners, modes and mounts: who may write where.
    fn set_access(&mut self, stage: &mut Stage) -> Result<(), StageError> {
        let access = stage.scenario.source;
        let unwritable_prefix = stage.scenario.prefix == Prefix::Unwritable;
        let _inside = stage.enter()?;
        for tree in &mut stage.trees {
            match (tree.part, access) {
                (_, SourceAccess::Writable) => {
                    self.let_write(tree)?;
                    continue;
                }
                (Part::App, SourceAccess::ReadOnlyModes) => {
                    set_write_bits(tree.path(), WriteBits::Off)?;
                    continue;
                }
                (Part::App, SourceAccess::ReadOnlyMount) => self.let_write(tree)?,
                // Layers keep the user's modes, which a copy of all attributes would cost more
                // than the mount that is to come.
                _ if stage.view.is_some() => let_read(tree.path())?,
                _ => set_write_bits(tree.path(), WriteBits::Off)?,
            }
            let path = tree.path().to_owned();
            if make_read_only(self.isolation, stage.view.is_some(), &path)? {
                tree.kept.protection = Protection::Mount;
            } else if access == SourceAccess::ReadOnlyMount {
                return Err(StageError::NotAsAsked {
                    scenario: stage.scenario.name.clone(),
                    what: "a read-only mount cannot be had here; ask for \"read-only\"".to_owned(),
                });
            }
        }
        if unwritable_prefix {
            let prefix = stage.prefix().to_owned();
            set_write_bits(&prefix, WriteBits::Off)?;
            make_read_only(self.isolation, stage.view.is_some(), &prefix)?;
        }
        if let User::Unprivileged { uid, gid } = stage.user {
            let mut theirs = vec![&stage.home, &stage.tmp, &stage.directory];
            // The working directory counts if it is ours, or a layer.
            if !stage.directory.starts_with(self.root) && stage.view.is_none() {
                theirs.pop();
            }
            for folder in theirs {
                if !stage
                    .trees
                    .iter()
                    .any(|tree| folder.starts_with(tree.path()))
                {
                    lchown(folder, Some(uid), Some(gid)).map_err(at(folder))?;
                }
            }
            if !unwritable_prefix {
                give(stage.prefix(), uid, gid)?;
            }
        }
        Ok(())
    }

    /// Whoever launches the app may write the tree.
    fn let_write(&self, tree: &Tree) -> Result<(), CopyError> {
        let owner = match self.isolation.user {
            User::Unprivileged { uid, gid } => Some((uid, gid)),
            User::Current => None,
        };
        for entry in own_entries(tree.path()) {
            let is_folder = entry.file_type().is_dir();
            // To write bytecode it takes the folders; of what is installed nothing else is written.
            if !is_folder && tree.part != Part::App {
                continue;
            }
            let path = entry.path();
            match owner {
                Some((uid, gid)) => lchown(path, Some(uid), Some(gid)).map_err(at(path))?,
                None if is_folder => {
                    let mode = fs::metadata(path).map_err(at(path))?.mode();
                    if mode & 0o200 == 0 {
                        let mode = fs::Permissions::from_mode((mode | 0o200) & 0o7777);
                        fs::set_permissions(path, mode).map_err(at(path))?;
                    }
                }
                None => {}
            }
        }
        Ok(())
    }
}

/// What a stage is made of.
struct Held {
    trees: Vec<Tree>,
    view: Option<View>,
    python: PathBuf,
}

/// A layer to be mounted.
struct Layer {
    covered: Covered,
    upper: PathBuf,
    work: PathBuf,
}

impl Layer {
    fn new(covered: Covered, folder: &Path, index: usize) -> Self {
        let layers = folder.join("layers");
        Self {
            covered,
            upper: layers.join(format!("{index:02}")),
            work: layers.join(format!("{index:02}-work")),
        }
    }
}

/// Of the copy of the app's source at this place in the suite.
fn source_name(index: usize) -> String {
    match index {
        0 => "source".to_owned(),
        _ => format!("source{index}"),
    }
}

fn how_to_copy(state: &Bytecode) -> CopyBytecode {
    match state {
        Bytecode::AsFound => CopyBytecode::AsFound,
        _ => CopyBytecode::LeftOut,
    }
}

/// Makes a folder read-only by a mount, if there can be one.
fn make_read_only(
    isolation: &mut Isolation,
    in_view: bool,
    path: &Path,
) -> Result<bool, StageError> {
    let mounted = match (&mut isolation.namespace, in_view) {
        (_, true) => bind_read_only(path),
        (Some(namespace), false) => namespace.bind_read_only(path, path),
        (None, false) => return Ok(false),
    };
    mounted.map_err(mount_error(path))?;
    Ok(true)
}

fn mount_error(path: &Path) -> impl FnOnce(std::io::Error) -> StageError + use<> {
    let path = path.to_owned();
    move |source| StageError::Mount { path, source }
}

/// Everybody may read the tree: it may be another user who launches the app.
fn let_read(folder: &Path) -> Result<(), CopyError> {
    if !Uid::effective().is_root() {
        return Ok(());
    }
    for entry in own_entries(folder) {
        if entry.path_is_symlink() {
            continue;
        }
        let path = entry.path();
        let mode = fs::metadata(path).map_err(at(path))?.mode();
        let wanted = if entry.file_type().is_dir() {
            mode | 0o555
        } else {
            mode | 0o444
        };
        if wanted != mode {
            let mode = fs::Permissions::from_mode(wanted & 0o7777);
            fs::set_permissions(path, mode).map_err(at(path))?;
        }
    }
    Ok(())
}

/// The first folder that is not this user's, for whom that matters.
fn not_ours(folder: &Path) -> Option<PathBuf> {
    let uid = Uid::effective();
    if uid.is_root() {
        return None;
    }
    own_entries(folder)
        .filter(|entry| entry.file_type().is_dir())
        .find(|entry| {
            // Both: in a user namespace all other users look like `nobody`, which this may be.
            entry.metadata().is_ok_and(|m| m.uid() != uid.as_raw())
                || access(entry.path(), AccessFlags::W_OK).is_err()
        })
        .map(walkdir::DirEntry::into_path)
}

/// The virtual environment of an interpreter (PEP 405).
fn venv_of(python: &Path) -> Option<PathBuf> {
    let folder = python.parent()?.parent()?;
    folder
        .join("pyvenv.cfg")
        .is_file()
        .then(|| folder.to_owned())
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
            all_cached: false,
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
        let spec = stage.spec(&suite.app, kind, UNTIMED)?;
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
