//! All stages of a run, in one temporary folder that is gone afterwards.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::stat::{Mode, umask};
use nix::unistd::Uid;
use tempfile::TempDir;
use walkdir::WalkDir;

use super::StageError;
use super::bytecode::make_bytecode;
use super::cache::Pristine;
use super::command::UNTIMED;
use super::copy::{CopyError, WriteBits, at, copy_tree, give, set_write_bits};
use super::isolation::Isolation;
use super::namespace::Access;
use super::page_cache::{DropCaches, PageCacheState};
use super::quota::Group;
use super::receipt::HOOK;
use super::scene::Stage;
use super::tmpfs::{SHARED_MEMORY, SharedMemory, put_on_tmpfs};
use crate::launch::{Launcher, Spec, Until, User};
use crate::python::environment::CallerEnvironment;
use crate::python::{Python, venv_interpreter};
use crate::record::format::Isolation as IsolationRecord;
use crate::suite::{Place, Prefix, Scenario, SourceAccess, Suite};

const PROBE_TIMEOUT: Duration = Duration::from_secs(30);
/// Begins the name of the temporary folder.
const FOLDER_PREFIX: &str = "coldsnake-stage-";

/// Tries to create the file named by its argument, and reports "written" or the errno's name.
const WRITE_PROBE: &str = "import errno, os, sys
try:
    os.close(os.open(sys.argv[1], os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    os.unlink(sys.argv[1])
    result = 'written'
except OSError as error:
    result = errno.errorcode.get(error.errno, str(error.errno))
os.write(3, result.encode())
";

/// What a workshop is set up for.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    pub suite: &'a Suite,
    pub python: &'a Python,
    /// The virtual environment with the app's requirements, if it has any.
    pub venv: Option<&'a Path>,
    pub caller: &'a CallerEnvironment,
    pub drop_caches: DropCaches,
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
        sweep(&std::env::temp_dir());
        sweep(Path::new(SHARED_MEMORY));
        // What is made here must be readable for whoever launches the app, whatever the caller's
        // umask is.
        let _umask = Umask::set(0o022);
        let (root, lock) = make_root(&std::env::temp_dir())?;
        let mut isolation = Isolation::begin();
        isolation.admit(root.path())?;
        let python = interpreter(setting, root.path(), &mut isolation)?;
        isolation.drop_privileges(&python, root.path(), &setting.caller.passed, launcher)?;
        let cannot_be_written =
            |s: &Scenario| s.source == SourceAccess::ReadOnly || s.prefix == Prefix::Unwritable;
        if setting.suite.scenarios.iter().any(cannot_be_written) {
            isolation.check()?;
        }
        let hook = root.path().join("hook");
        fs::create_dir(&hook).map_err(at(&hook))?;
        fs::write(hook.join("sitecustomize.py"), HOOK).map_err(at(&hook))?;
        set_write_bits(&hook, WriteBits::Off)?;
        let mut workshop = Self {
            stages: Vec::new(),
            isolation,
            shared: SharedMemory::default(),
            root,
            _lock: lock,
        };
        let mut checked = Vec::new();
        for (index, scenario) in setting.suite.scenarios.iter().enumerate() {
            let stage = workshop.build(index, scenario, setting, &python, launcher)?;
            // Flags decide which modules are loaded, and which of their pycs.
            if scenario.prefix == Prefix::Unset && !checked.contains(&&scenario.flags) {
                checked.push(&scenario.flags);
                for kind in setting.suite.launch_kinds() {
                    stage.check_outside(&setting.suite.app, kind, launcher)?;
                }
            }
            workshop.stages.push(stage);
        }
        Ok(workshop)
    }

    /// How the conditions were made to hold, for the record.
    pub fn isolation(&self) -> IsolationRecord {
        self.isolation.describe()
    }

    fn build(
        &mut self,
        index: usize,
        scenario: &Scenario,
        setting: Setting<'_>,
        python: &Path,
        launcher: &mut dyn Launcher,
    ) -> Result<Stage, StageError> {
        // Names of one length: paths end up in the environment and in messages, and their length
        // must not differ between scenarios.
        let folder = self.root.path().join(format!("s{index:02}"));
        let make = |name: &str| -> Result<PathBuf, CopyError> {
            let path = folder.join(name);
            fs::create_dir_all(&path).map_err(at(&path))?;
            Ok(path)
        };
        let (home, tmp, owner_home) = (make("home")?, make("tmp")?, make("owner")?);
        let mut prefix = make("prefix")?;
        let mut source = folder.join("source");
        let mut backing = self.backing(index)?;
        let mut put = |at: &Path| {
            let (isolation, shared) = (&mut self.isolation, &mut self.shared);
            put_on_tmpfs(&scenario.name, self.root.path(), at, isolation, shared)
        };
        if scenario.prefix_on == Place::Tmpfs {
            prefix = put(&prefix)?;
        }
        if scenario.source_on == Place::Tmpfs {
            // The copy makes its own folder, which a mount point could not be.
            let memory = put(&make("memory")?)?;
            backing = memory.join("source");
            if self.isolation.namespace.is_none() {
                source.clone_from(&backing);
            }
        }
        if let Some(namespace) = &mut self.isolation.namespace {
            fs::create_dir(&source).map_err(at(&source))?;
            copy_tree(&setting.suite.app.source, &backing)?;
            let mount = |source_error| StageError::Mount {
                path: source.clone(),
                source: source_error,
            };
            namespace
                .bind(&backing, &source, Access::ReadWrite)
                .map_err(mount)?;
        } else {
            copy_tree(&setting.suite.app.source, &source)?;
            backing.clone_from(&source);
        }
        set_write_bits(&backing, WriteBits::On)?;
        let mut stage = Stage {
            scenario: scenario.clone(),
            python: python.to_owned(),
            user: self.isolation.user,
            source,
            backing,
            prefix,
            home,
            tmp,
            owner_home,
            group: self.group(index, scenario, python, launcher)?,
            page_cache: PageCacheState::of(
                &scenario.name,
                scenario.page_cache,
                setting.suite,
                setting.drop_caches,
            )?,
            hook: self.root.path().join("hook"),
            passed: setting.caller.passed.clone(),
            pristine: Pristine::default(),
            writes: Vec::new(),
        };
        make_bytecode(&stage, setting, launcher)?;
        stage.pristine = Pristine::take(&stage.backing)?;
        self.set_access(&stage)?;
        probe(&stage, launcher)?;
        fill_prefix(&stage, setting.suite, launcher)?;
        Ok(stage)
    }

    /// The control group that limits the scenario's CPU time, tried out.
    fn group(
        &self,
        index: usize,
        scenario: &Scenario,
        python: &Path,
        launcher: &mut dyn Launcher,
    ) -> Result<Option<Group>, StageError> {
        let Some(quota) = scenario.cpu else {
            return Ok(None);
        };
        let failed = |reason: String| StageError::NoCpuQuota {
            scenario: scenario.name.clone(),
            reason,
        };
        let run = self.root.path().file_name().unwrap_or_default();
        let group =
            Group::make(&format!("{}-s{index:02}", run.display()), quota).map_err(failed)?;
        // That one may make a group does not mean that one may move processes into it.
        let spec = Spec {
            program: python.to_owned(),
            args: ["-I", "-B", "-c", "pass"].map(Into::into).to_vec(),
            env: Vec::new(),
            folder: self.root.path().to_owned(),
            user: self.isolation.user,
            group: Some(group.entrance()),
            until: Until::Exit,
            timeout: PROBE_TIMEOUT,
        };
        match launcher.launch(&spec)?.outcome {
            Ok(()) => Ok(Some(group)),
            Err(failure) => Err(failed(failure.to_string())),
        }
    }

    /// Where the copy of that number lies if it is not seen there.
    fn backing(&self, index: usize) -> Result<PathBuf, CopyError> {
        let all = self.root.path().join("backing");
        fs::create_dir_all(&all).map_err(at(&all))?;
        Ok(all.join(format!("s{index:02}")))
    }

    /// Owners, modes and mounts: who may write where.
    fn set_access(&mut self, stage: &Stage) -> Result<(), StageError> {
        let read_only_source = stage.scenario.source == SourceAccess::ReadOnly;
        let unwritable_prefix = stage.scenario.prefix == Prefix::Unwritable;
        if read_only_source {
            set_write_bits(&stage.backing, WriteBits::Off)?;
        }
        if unwritable_prefix {
            set_write_bits(&stage.prefix, WriteBits::Off)?;
        }
        if let User::Unprivileged { uid, gid } = stage.user {
            let mut theirs = vec![&stage.home, &stage.tmp];
            theirs.extend((!read_only_source).then_some(&stage.backing));
            theirs.extend((!unwritable_prefix).then_some(&stage.prefix));
            for folder in theirs {
                give(folder, uid, gid)?;
            }
        }
        let Some(namespace) = &mut self.isolation.namespace else {
            return Ok(());
        };
        let mount = |path: &Path| {
            let path = path.to_owned();
            move |source| StageError::Mount { path, source }
        };
        if read_only_source {
            namespace
                .make_read_only(&stage.source)
                .map_err(mount(&stage.source))?;
        }
        if unwritable_prefix {
            let prefix = &stage.prefix;
            namespace
                .bind(prefix, prefix, Access::ReadOnly)
                .map_err(mount(prefix))?;
        }
        Ok(())
    }
}

/// The interpreter as launched processes see it. In a namespace, what the user owns (virtual
/// environment, standard library, the app's own folder) is read-only for them, whoever they are.
fn interpreter(
    setting: Setting<'_>,
    root: &Path,
    isolation: &mut Isolation,
) -> Result<PathBuf, StageError> {
    let Some(namespace) = &mut isolation.namespace else {
        return Ok(match setting.venv {
            Some(venv) => venv_interpreter(venv),
            None => setting.python.executable.clone(),
        });
    };
    let mut protect = |from: &Path, at: &Path| {
        namespace
            .bind(from, at, Access::ReadOnly)
            .map_err(|source| StageError::Mount {
                path: at.to_owned(),
                source,
            })
    };
    for theirs in [&setting.python.stdlib, &setting.suite.app.source] {
        let theirs = fs::canonicalize(theirs).map_err(at(theirs))?;
        protect(&theirs, &theirs)?;
    }
    let Some(venv) = setting.venv else {
        return Ok(setting.python.executable.clone());
    };
    // Seen below the stage, it can be reached by a user who may not enter root's home.
    let seen = root.join("venv");
    fs::create_dir(&seen).map_err(at(&seen))?;
    protect(venv, &seen)?;
    Ok(venv_interpreter(&seen))
}

/// Tries to write where the scenario says that one can or cannot.
fn probe(stage: &Stage, launcher: &mut dyn Launcher) -> Result<(), StageError> {
    let source_writable = stage.scenario.source == SourceAccess::Writable;
    let mut expectations = vec![("the app's source", &stage.source, source_writable)];
    if stage.scenario.prefix != Prefix::Unset {
        let writable = stage.scenario.prefix != Prefix::Unwritable;
        expectations.push(("the prefix", &stage.prefix, writable));
    }
    for (what, folder, writable) in expectations {
        let spec = Spec {
            program: stage.python.clone(),
            args: vec![
                "-I".into(),
                "-B".into(),
                "-c".into(),
                WRITE_PROBE.into(),
                folder.join("coldsnake-probe").into(),
            ],
            env: stage.passed.clone(),
            folder: stage.source.clone(),
            user: stage.user,
            group: None,
            until: Until::ExitWithReport,
            timeout: PROBE_TIMEOUT,
        };
        let launched = launcher.launch(&spec)?;
        if let Err(failure) = launched.outcome {
            return Err(StageError::Launch {
                scenario: stage.scenario.name.clone(),
                failure,
            });
        }
        let result = String::from_utf8_lossy(&launched.report).into_owned();
        if (result == "written") != writable {
            let seen = if writable {
                format!("{what} cannot be written by the app ({result})")
            } else {
                format!("{what} can be written by the app")
            };
            return Err(StageError::NotAsAsked {
                scenario: stage.scenario.name.clone(),
                what: seen,
            });
        }
    }
    Ok(())
}

/// Fills a warm prefix by untimed launches, one of each kind that will be timed.
fn fill_prefix(
    stage: &Stage,
    suite: &Suite,
    launcher: &mut dyn Launcher,
) -> Result<(), StageError> {
    if stage.scenario.prefix != Prefix::Warm {
        return Ok(());
    }
    for kind in suite.launch_kinds() {
        let staged = stage.launch(&suite.app, kind, UNTIMED, launcher)?;
        if let Err(failure) = staged.launched.outcome {
            return Err(StageError::Launch {
                scenario: stage.scenario.name.clone(),
                failure,
            });
        }
    }
    Ok(())
}

/// Lines of Python below an app's source, for figures per 1,000 lines.
pub fn source_lines(source: &Path) -> u64 {
    WalkDir::new(source)
        .into_iter()
        .flatten()
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

/// This process's umask, until it is dropped.
struct Umask {
    before: Mode,
}

impl Umask {
    fn set(bits: u32) -> Self {
        Self {
            before: umask(Mode::from_bits_truncate(bits)),
        }
    }
}

impl Drop for Umask {
    fn drop(&mut self) {
        umask(self.before);
    }
}

/// A temporary folder of the run, for this user alone, and the lock that says that it is in use.
pub(super) fn make_root(parent: &Path) -> Result<(TempDir, fs::File), CopyError> {
    // Python resolves the links of a script's path; ours must be the same path.
    let parent = fs::canonicalize(parent).map_err(at(parent))?;
    loop {
        let root = tempfile::Builder::new()
            .prefix(FOLDER_PREFIX)
            .permissions(fs::Permissions::from_mode(0o700))
            .tempdir_in(&parent)
            .map_err(at(&parent))?;
        let lock = fs::File::open(root.path()).map_err(at(root.path()))?;
        lock.lock().map_err(at(root.path()))?;
        // Another run may have swept it away before it was locked.
        if root.path().exists() {
            return Ok((root, lock));
        }
    }
}

/// Removes what runs left that were killed: folders of ours that nobody holds locked. Only folders
/// that nobody else could have put there or written into: the temporary folder is everybody's.
fn sweep(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        if !name.to_string_lossy().starts_with(FOLDER_PREFIX) {
            continue;
        }
        let path = entry.path();
        let ours = path.symlink_metadata().is_ok_and(|metadata| {
            metadata.is_dir()
                && metadata.uid() == Uid::effective().as_raw()
                && metadata.mode() & 0o022 == 0
        });
        if !ours {
            continue;
        }
        let Ok(folder) = fs::File::open(&path) else {
            continue;
        };
        if folder.try_lock().is_ok() {
            // Root needs no write bits, and must not follow what a user of its may have left.
            if !Uid::effective().is_root() {
                let _ = set_write_bits(&path, WriteBits::On);
            }
            let _ = fs::remove_dir_all(&path);
        }
    }
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
