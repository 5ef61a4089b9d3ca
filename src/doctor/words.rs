//! Names of modules, of pycs and of times, as reports have them.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::look::{Folder, Module, Place};
use super::subject::Subject;
use crate::python::is_package_folder;

/// The name by which an import finds a module: its path below the folder on the path.
pub fn module_name(subject: &Subject, folder: &Folder, module: &Module) -> String {
    let root = subject.root_of(&folder.path);
    let inside = match root {
        Some(root) => folder.path.strip_prefix(&root.path).unwrap_or(&folder.path),
        None => folder.path.as_path(),
    };
    let mut parts: Vec<String> = Vec::new();
    for name in inside {
        if is_package_folder(name) {
            parts.clear();
        } else {
            parts.push(shown(name));
        }
    }
    let file = shown(&module.file);
    let stem = file.split('.').next().unwrap_or_default();
    let is_package = stem == "__init__" || stem.is_empty();
    if !is_package {
        parts.push(stem.to_owned());
    } else if parts.is_empty() {
        // The folder itself is a package.
        let on_path = root.is_some_and(|root| root.place == Place::OnPath);
        let own = folder.path.file_name().filter(|_| on_path);
        parts.push(own.map_or_else(|| stem.to_owned(), shown));
    }
    parts.join(".")
}

/// The pyc that CPython looks at for a module.
pub fn pyc_of(subject: &Subject, folder: &Folder, module: &Module) -> PathBuf {
    pyc_in(subject, &folder.path, &module.file)
}

/// The pyc that CPython looks at for a source in a folder.
pub fn pyc_in(subject: &Subject, folder: &Path, source: &OsStr) -> PathBuf {
    let source = source.as_bytes();
    let stem = source.strip_suffix(b".py").unwrap_or(source);
    let tag = subject.rules.tag.as_bytes();
    let level = subject.rules.level.tag().as_bytes();
    let name = [stem, b".", tag, level, b".pyc"].concat();
    let cache = subject.look().cache_of(folder);
    cache.join(OsStr::from_bytes(&name))
}

/// A name without what could move a terminal's cursor, and with a sign for what is no UTF-8.
fn shown(name: &OsStr) -> String {
    name.to_string_lossy()
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}

/// A time in seconds since 1970, as people read it.
pub fn time(seconds: i64) -> String {
    match Timestamp::from_second(seconds) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => format!("{seconds} s after 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_to_the_minute_and_none_is_too_far() {
        assert_eq!(time(0), "1970-01-01 00:00 UTC");
        assert!(time(i64::MAX).ends_with("after 1970"));
    }
}
