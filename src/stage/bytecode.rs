//! The bytecode of a stage's trees: brought into a scenario's state, and looked at again on disk.

use std::fs;
use std::path::{Path, PathBuf};

use super::StageError;
use super::copy::{CopyError, at};
use super::damage::{Damage, OTHER_MAGIC, damage};
use super::scene::Stage;
use super::tree::{Tree, own_entries};
use super::workshop::Setting;
use crate::launch::Launcher;
use crate::python::{
    Compilation, Existing, InvalidationMode, Part, Placement, PycHeader, compile_all, source_of,
};
use crate::suite::{Bytecode, Optimization, module_file};

/// How far a pyc's record of its source's time is moved to make it stale, in seconds.
const STALE_BY: u32 = 3600;

/// The standard library last: the interpreter that compiles reads its own.
const ORDER: [Part; 3] = [Part::App, Part::SitePackages, Part::Stdlib];

/// Brings the stage's bytecode into the scenario's state, while everything can still be written.
/// `loaded` are the files that the app loads of what is installed.
///
/// # Errors
/// When a file cannot be written, compileall cannot be run, or the scenario's command fails.
pub(super) fn make_bytecode(
    stage: &mut Stage,
    setting: Setting<'_>,
    loaded: &[PathBuf],
    launcher: &mut dyn Launcher,
) -> Result<(), StageError> {
    for tree in &stage.trees {
        if tree.state != Bytecode::AsFound {
            clear(tree.path())?;
        }
    }
    for part in ORDER {
        for tree in stage.trees.iter().filter(|tree| tree.part == part) {
            make_state(stage, tree, &files_to_compile(stage, tree, loaded), setting)?;
        }
    }
    // Last, so that a command finds all else as the scenario says. What it leaves in the app comes
    // after what others leave in that which the app is launched with.
    let mut run: Vec<&[String]> = Vec::new();
    let scenario = stage.scenario.clone();
    for part in ORDER.into_iter().rev() {
        if let Bytecode::By(command) = part.state(&scenario)
            && !run.contains(&command.as_slice())
        {
            run.push(command);
            run_command(stage, command, setting, launcher)?;
        }
    }
    Ok(())
}

/// The modules of a tree that get bytecode, if its state is one in which any do.
fn files_to_compile(stage: &Stage, tree: &Tree, loaded: &[PathBuf]) -> Vec<PathBuf> {
    match (tree.part, &tree.state) {
        (part, Bytecode::Only(modules)) => modules
            .iter()
            // The first of several folders that have one is the one that it is imported from.
            .filter_map(|module| {
                let mut trees = stage.trees.iter().filter(|tree| tree.part == part);
                trees.find_map(|tree| module_file(tree.path(), module))
            })
            .filter(|file| file.starts_with(tree.path()))
            .collect(),
        (Part::App, _) => vec![tree.path().to_owned()],
        (Part::SitePackages | Part::Stdlib, _) => {
            loaded.iter().filter_map(|file| tree.file(file)).collect()
        }
    }
}

/// Runs a command that is to leave bytecode. It does so wherever it can write; what it leaves where
/// another state is wanted is undone.
fn run_command(
    stage: &mut Stage,
    command: &[String],
    setting: Setting<'_>,
    launcher: &mut dyn Launcher,
) -> Result<(), StageError> {
    let keeps = |tree: &Tree| matches!(&tree.state, Bytecode::By(by) if by == command);
    for tree in stage.trees.iter_mut().filter(|tree| !keeps(tree)) {
        tree.kept.remember()?;
    }
    let spec = stage.owner_spec(&setting.suite.app, command)?;
    launcher
        .launch(&spec)?
        .outcome
        .map_err(|failure| StageError::ByCommand {
            scenario: stage.scenario.name.clone(),
            failure,
        })?;
    for tree in stage.trees.iter_mut().filter(|tree| !keeps(tree)) {
        tree.kept.reset()?;
    }
    Ok(())
}

fn make_state(
    stage: &Stage,
    tree: &Tree,
    files: &[PathBuf],
    setting: Setting<'_>,
) -> Result<(), StageError> {
    let usual = Compilation {
        mode: InvalidationMode::Timestamp,
        level: stage.scenario.optimization(),
        placement: Placement::Cache,
        existing: Existing::MadeAnew,
    };
    let compile = |compilation| compile_all(&stage.python, files, compilation, setting.caller);
    let with_mode = |mode| Compilation { mode, ..usual };
    match &tree.state {
        Bytecode::Absent | Bytecode::AsFound | Bytecode::By(_) => {}
        Bytecode::Fresh | Bytecode::Only(_) => compile(usual)?,
        Bytecode::UncheckedHash => compile(with_mode(InvalidationMode::UncheckedHash))?,
        Bytecode::CheckedHash => compile(with_mode(InvalidationMode::CheckedHash))?,
        Bytecode::StaleMtime => {
            compile(usual)?;
            record_other_times(tree.path())?;
        }
        Bytecode::StaleSize => {
            compile(usual)?;
            record_other_sizes(tree.path())?;
        }
        Bytecode::EmptyPyc => {
            compile(usual)?;
            damage(tree.path(), Damage::Emptied)?;
        }
        Bytecode::WrongMagic => {
            compile(usual)?;
            damage(tree.path(), Damage::OtherMagic)?;
        }
        Bytecode::Corrupt => {
            compile(usual)?;
            damage(tree.path(), Damage::Truncated)?;
        }
        Bytecode::OtherOptimization => compile(Compilation {
            level: Optimization::One,
            ..usual
        })?,
        Bytecode::Sourceless => {
            compile(Compilation {
                placement: Placement::BesideSource,
                ..usual
            })?;
            let named = stage.named_files(&setting.suite.app, tree.path());
            remove_sources(tree.path(), &named)?;
        }
    }
    Ok(())
}

/// Removes a tree's bytecode. A sourceless module stays: it is no cache.
fn clear(folder: &Path) -> Result<(), CopyError> {
    let mut unwanted = Vec::new();
    for entry in own_entries(folder) {
        let is_cache = entry.file_type().is_dir() && entry.file_name() == "__pycache__";
        let is_beside_source = entry.path().extension().is_some_and(|ext| ext == "pyc")
            && entry.path().with_extension("py").exists();
        if is_cache || is_beside_source {
            unwanted.push(entry.into_path());
        }
    }
    for path in unwanted {
        let removed = if path.is_dir() {
            fs::remove_dir_all(&path)
        } else {
            fs::remove_file(&path)
        };
        match removed {
            // It lay in a folder that is gone already.
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(at(&path)(error));
            }
            Ok(()) | Err(_) => {}
        }
    }
    Ok(())
}

/// Makes each pyc belong to a source of another time: what an unpacked archive, git or rsync does
/// to the sources comes to the same.
fn record_other_times(folder: &Path) -> Result<(), CopyError> {
    for pyc in files(folder, "pyc") {
        if let Some(header) = PycHeader::read(&pyc).map_err(at(&pyc))? {
            PycHeader::record_modified(&pyc, header.modified.wrapping_sub(STALE_BY))
                .map_err(at(&pyc))?;
        }
    }
    Ok(())
}

/// Makes each pyc belong to a source of another size.
fn record_other_sizes(folder: &Path) -> Result<(), CopyError> {
    for pyc in files(folder, "pyc") {
        if let Some(header) = PycHeader::read(&pyc).map_err(at(&pyc))? {
            PycHeader::record_size(&pyc, header.size.wrapping_add(1)).map_err(at(&pyc))?;
        }
    }
    Ok(())
}

/// Leaves `x.pyc` alone where `x.py` was. The files that are kept have no pyc instead: beside its
/// source it would never be looked at.
fn remove_sources(folder: &Path, kept: &[PathBuf]) -> Result<(), CopyError> {
    let pycs: Vec<PathBuf> = files(folder, "pyc").collect();
    for pyc in pycs {
        let source = pyc.with_extension("py");
        if !source.exists() {
            continue;
        }
        let keeps = kept.iter().any(|kept| folder.join(kept) == source);
        let unwanted = if keeps { pyc } else { source };
        fs::remove_file(&unwanted).map_err(at(&unwanted))?;
    }
    Ok(())
}

/// What is not on disk as the scenario has it, in sentences. A receipt cannot tell why a pyc was
/// passed over; its header can.
pub(super) fn not_as_made(stage: &Stage) -> Vec<String> {
    stage.trees.iter().flat_map(tree_not_as_made).collect()
}

fn tree_not_as_made(tree: &Tree) -> Vec<String> {
    let wrong: fn(&Path) -> Option<&'static str> = match &tree.state {
        Bytecode::StaleMtime => |pyc| match compared(pyc) {
            Some((recorded, source)) if recorded.modified != source.modified => None,
            _ => Some("does not record another time than its source's"),
        },
        Bytecode::StaleSize => |pyc| match compared(pyc) {
            Some((recorded, source))
                if recorded.modified == source.modified && recorded.size != source.size =>
            {
                None
            }
            _ => Some("does not record its source's time with another size"),
        },
        Bytecode::OtherOptimization => |pyc| {
            let name = pyc.file_name().unwrap_or_default().to_string_lossy();
            let ending = format!("{}.pyc", Optimization::One.tag());
            (!name.ends_with(&ending)).then_some("is not of the level of -O")
        },
        Bytecode::Sourceless => |pyc| {
            let folder = pyc.parent().and_then(Path::file_name);
            let cached = folder.is_some_and(|name| name == "__pycache__");
            (cached || pyc.with_extension("py").exists())
                .then_some("does not stand in its source's place")
        },
        Bytecode::Absent => |_| Some("is there"),
        Bytecode::EmptyPyc => |pyc| {
            let empty = fs::metadata(pyc).is_ok_and(|metadata| metadata.len() == 0);
            (!empty).then_some("is not empty")
        },
        Bytecode::WrongMagic => |pyc| match PycHeader::read_magic(pyc) {
            Ok(Some(OTHER_MAGIC)) => None,
            _ => Some("is not of another interpreter"),
        },
        Bytecode::Corrupt => |pyc| match compared(pyc) {
            Some((recorded, source)) if recorded == source => None,
            _ => Some("has no header that fits its source"),
        },
        Bytecode::Fresh
        | Bytecode::AsFound
        | Bytecode::UncheckedHash
        | Bytecode::CheckedHash
        | Bytecode::By(_)
        | Bytecode::Only(_) => return Vec::new(),
    };
    let mut sentences = Vec::new();
    let mut pycs = files(tree.path(), "pyc").peekable();
    if pycs.peek().is_none() && tree.part == Part::App && tree.state != Bytecode::Absent {
        sentences.push("there is no pyc at all".to_owned());
    }
    for pyc in pycs {
        // A sourceless module has no cache that could be absent.
        let is_module = tree.state == Bytecode::Absent
            && pyc
                .parent()
                .and_then(Path::file_name)
                .is_none_or(|name| name != "__pycache__");
        if let Some(wrong) = wrong(&pyc).filter(|_| !is_module) {
            let name = pyc.strip_prefix(tree.path()).unwrap_or(&pyc);
            sentences.push(format!("{} {wrong}", name.display()));
        }
    }
    sentences
}

/// What a pyc records of its source, and what it should.
fn compared(pyc: &Path) -> Option<(PycHeader, PycHeader)> {
    let recorded = PycHeader::read(pyc).ok()??;
    let source = PycHeader::of_source(&source_of(pyc)?).ok()?;
    Some((recorded, source))
}

/// The files of a tree with that extension.
pub(super) fn files(folder: &Path, extension: &str) -> impl Iterator<Item = PathBuf> {
    own_entries(folder)
        .filter(|entry| !entry.file_type().is_dir())
        .map(walkdir::DirEntry::into_path)
        .filter(move |path| path.extension().is_some_and(|found| found == extension))
}
