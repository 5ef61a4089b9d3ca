//! The unit parser against systemd: `tests/data/units` holds units and what systemd 252 made of
//! them (`scripts/unit-cases` asks it again).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use coldsnake::unit::{Access, Host, Unit};
use serde_json::Value;

/// What systemd's process found, and the unit as it is read here.
struct Case {
    name: String,
    unit: Unit,
    observed: Value,
    /// Holds the files that the unit names.
    _root: tempfile::TempDir,
}

fn cases() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/units");
    let mut folders: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    folders.sort();
    let cases: Vec<Case> = folders.iter().map(|folder| case(folder)).collect();
    assert!(cases.len() >= 19, "only {}", cases.len());
    cases
}

fn case(folder: &Path) -> Case {
    let files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    let root = tempfile::tempdir().unwrap();
    let place = root.path().join("opt/case");
    fs::create_dir_all(&place).unwrap();
    for file in &files {
        fs::copy(file, place.join(file.file_name().unwrap())).unwrap();
    }
    let mut host = Host::observe();
    host.root = root.path().to_owned();
    // As scripts/unit-cases told systemd.
    host.manager.home = "/srv/manager".into();
    host.manager.shell = "/bin/bash".into();
    let unit = files
        .iter()
        .find(|path| path.extension().is_some_and(|end| end == "service"))
        .unwrap();
    let observed = fs::read_to_string(folder.join("observed.json")).unwrap();
    Case {
        name: folder.file_name().unwrap().to_str().unwrap().to_owned(),
        unit: Unit::read(unit, host).unwrap(),
        observed: serde_json::from_str(&observed).unwrap(),
        _root: root,
    }
}

#[test]
fn arguments_are_those_that_systemd_passed() {
    for case in cases() {
        let environment = case.unit.environment().unwrap();
        let command = case.unit.commands(&environment).unwrap().remove(0);
        assert_eq!(command.words[0], "/opt/see", "{}", case.name);
        let observed: Vec<String> = serde_json::from_value(case.observed["argv"].clone()).unwrap();
        assert_eq!(command.words[1..], observed, "{}", case.name);
    }
}

#[test]
fn the_environment_is_the_one_that_systemd_set() {
    for case in cases() {
        let environment = case.unit.environment().unwrap();
        // What every service has, and the script leaves out.
        let own = ["PATH", "USER", "LOGNAME", "HOME", "SHELL"];
        let read: BTreeMap<String, String> = environment
            .variables
            .into_iter()
            .filter(|(name, _)| !own.contains(&name.as_str()))
            .map(|(name, variable)| (name, variable.value))
            .collect();
        let observed: BTreeMap<String, String> =
            serde_json::from_value(case.observed["env"].clone()).unwrap();
        assert_eq!(read, observed, "{}", case.name);
    }
}

#[test]
fn the_sandbox_is_the_one_that_systemd_made() {
    let mut seen = 0;
    for case in cases() {
        let Some(folders) = case.observed["folders"].as_object() else {
            continue;
        };
        let sandbox = case.unit.sandbox();
        for (path, observed) in folders {
            let access = match sandbox.access(Path::new(path)) {
                Access::Writable => "writable",
                Access::ReadOnly { .. } => "read-only",
                Access::Inaccessible { .. } => "inaccessible",
            };
            assert_eq!(access, observed, "{}: {path}", case.name);
            seen += 1;
        }
    }
    assert!(seen > 250, "only {seen} folders");
}
