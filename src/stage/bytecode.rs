//! The app's own bytecode: brought into a scenario's state, and looked at again on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::StageError;
use super::copy::{CopyError, at, set_modified};
use super::damage::{Damage, OTHER_MAGIC, damage};
use super::scene::Stage;
use super::workshop::Setting;
use crate::launch::Launcher;
use crate::python::{Compilation, InvalidationMode, Placement, PycHeader, compile_all, source_of};
use crate::suite::{Bytecode, Optimization, module_file};

/// How far the sources' times are moved to make their pycs stale: what an unpacked archive does.
const STALE_BY: Duration = Duration::from_secs(3600);

/// Brings the copy's bytecode into the scenario's state, while everything can still be written.
///
/// # Errors
/// When a file cannot be written, compileall cannot be run, or the scenario's command fails.
pub(super) fn make_bytecode(
    stage: &Stage,
    setting: Setting<'_>,
    launcher: &mut dyn Launcher,
) -> Result<(), StageError> {
    let compile_these = |paths: &[PathBuf], compilation| {
        compile_all(&stage.python, paths, compilation, setting.caller)
    };
    let compile = |compilation| compile_these(std::slice::from_ref(&stage.source), compilation);
    let usual = Compilation {
        mode: InvalidationMode::Timestamp,
        level: stage.scenario.optimization(),
        placement: Placement::Cache,
    };
    let with_mode = |mode| Compilation { mode, ..usual };
    match &stage.scenario.bytecode {
        Bytecode::Absent => {}
        Bytecode::Fresh => compile(usual)?,
        Bytecode::UncheckedHash => compile(with_mode(InvalidationMode::UncheckedHash))?,
        Bytecode::CheckedHash => compile(with_mode(InvalidationMode::CheckedHash))?,
        Bytecode::StaleMtime => {
            compile(usual)?;
            move_source_times(&stage.backing)?;
        }
        Bytecode::StaleSize => {
            compile(usual)?;
            record_other_sizes(&stage.backing)?;
        }
        Bytecode::EmptyPyc => {
            compile(usual)?;
            damage(&stage.backing, Damage::Emptied)?;
        }
        Bytecode::WrongMagic => {
            compile(usual)?;
            damage(&stage.backing, Damage::OtherMagic)?;
        }
        Bytecode::Corrupt => {
            compile(usual)?;
            damage(&stage.backing, Damage::Truncated)?;
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
            remove_sources(&stage.backing, &stage.named_files(&setting.suite.app))?;
        }
        Bytecode::By(command) => {
            let spec = stage.owner_spec(&setting.suite.app, command)?;
            launcher
                .launch(&spec)?
                .outcome
                .map_err(|failure| StageError::ByCommand {
                    scenario: stage.scenario.name.clone(),
                    failure,
                })?;
        }
        Bytecode::Only(modules) => {
            let files: Vec<PathBuf> = modules
                .iter()
                .filter_map(|module| module_file(&stage.source, module))
                .collect();
            compile_these(&files, usual)?;
        }
    }
    Ok(())
}

fn move_source_times(folder: &Path) -> Result<(), CopyError> {
    for path in files(folder, "py") {
        let modified = fs::metadata(&path)
            .and_then(|metadata| metadata.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        set_modified(&path, modified + STALE_BY).map_err(at(&path))?;
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
    let wrong: fn(&Path) -> Option<&'static str> = match &stage.scenario.bytecode {
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
        | Bytecode::Absent
        | Bytecode::UncheckedHash
        | Bytecode::CheckedHash
        | Bytecode::By(_)
        | Bytecode::Only(_) => return Vec::new(),
    };
    let mut sentences = Vec::new();
    let mut pycs = files(&stage.backing, "pyc").peekable();
    if pycs.peek().is_none() {
        sentences.push("there is no pyc at all".to_owned());
    }
    for pyc in pycs {
        if let Some(wrong) = wrong(&pyc) {
            let name = pyc.strip_prefix(&stage.backing).unwrap_or(&pyc);
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

/// The files below a folder with that extension.
pub(super) fn files(folder: &Path, extension: &str) -> impl Iterator<Item = PathBuf> {
    WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| !entry.file_type().is_dir())
        .map(walkdir::DirEntry::into_path)
        .filter(move |path| path.extension().is_some_and(|found| found == extension))
}
