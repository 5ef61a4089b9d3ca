//! The app's own bytecode: brought into a scenario's state, and looked at again on disk.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use walkdir::WalkDir;

use super::StageError;
use super::copy::{CopyError, at, set_modified};
use super::scene::Stage;
use super::workshop::Setting;
use crate::launch::Launcher;
use crate::python::{InvalidationMode, PycHeader, compile_all, source_of};
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
    let compile_at = |paths: &[PathBuf], mode, level| {
        compile_all(&stage.python, paths, mode, level, setting.caller)
    };
    let level = stage.scenario.optimization();
    let compile_these = |paths: &[PathBuf], mode| compile_at(paths, mode, level);
    let compile = |mode| compile_these(std::slice::from_ref(&stage.source), mode);
    match &stage.scenario.bytecode {
        Bytecode::Absent => {}
        Bytecode::Fresh => compile(InvalidationMode::Timestamp)?,
        Bytecode::UncheckedHash => compile(InvalidationMode::UncheckedHash)?,
        Bytecode::CheckedHash => compile(InvalidationMode::CheckedHash)?,
        Bytecode::StaleMtime => {
            compile(InvalidationMode::Timestamp)?;
            move_source_times(&stage.backing)?;
        }
        Bytecode::StaleSize => {
            compile(InvalidationMode::Timestamp)?;
            record_other_sizes(&stage.backing)?;
        }
        Bytecode::OtherOptimization => compile_at(
            std::slice::from_ref(&stage.source),
            InvalidationMode::Timestamp,
            Optimization::One,
        )?,
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
            compile_these(&files, InvalidationMode::Timestamp)?;
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
fn files(folder: &Path, extension: &str) -> impl Iterator<Item = PathBuf> {
    WalkDir::new(folder)
        .into_iter()
        .flatten()
        .filter(|entry| !entry.file_type().is_dir())
        .map(walkdir::DirEntry::into_path)
        .filter(move |path| path.extension().is_some_and(|found| found == extension))
}
