//! Nothing of the user's is changed.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::project::{As, EXITING_APP, Project, is_root};

/// Every file's content, mode, owner and modification time, and every folder's.
fn fingerprint(folder: &Path) -> BTreeMap<String, String> {
    WalkDir::new(folder)
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let metadata = entry.path().symlink_metadata().unwrap();
            let content = if metadata.is_file() {
                format!(
                    "{:x?}",
                    Sha256::digest(std::fs::read(entry.path()).unwrap())
                )
            } else {
                String::new()
            };
            let state = format!(
                "{content} {:o} {} {} {}",
                metadata.mode(),
                metadata.uid(),
                metadata.mtime(),
                metadata.mtime_nsec()
            );
            (entry.path().display().to_string(), state)
        })
        .collect()
}

/// An app that tries its best to change the folder it came from, and leaves a file wherever it is
/// launched.
const VANDAL: &str = "\
import os, helper
original = os.environ['ORIGINAL']
if original == os.path.dirname(os.path.abspath(__file__)):
    # At its own path, what it does to its modules would be as if it had been deployed so.
    original = os.path.join(original, 'data')
for action in (
    lambda: open(os.path.join(original, 'new'), 'w').close(),
    lambda: open(os.path.join(original, 'other.py'), 'a').close(),
    lambda: os.utime(os.path.join(original, 'other.py')),
    lambda: open('new', 'w').close(),
    lambda: open(os.path.join(os.path.dirname(os.path.abspath(__file__)), 'newer'), 'w').close(),
):
    try:
        action()
    except OSError:
        pass
";

fn check(who: As) {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"cold\"\nbytecode = \"absent\"\n\
         [[scenario]]\nname = \"read-only\"\nsource = \"read-only\"\nbytecode = \"absent\"\n"
    ));
    let app = project.path().join("app");
    let suite = std::fs::read_to_string(project.path().join("suite.toml")).unwrap();
    project.write(
        "suite.toml",
        &suite.replace(
            "[measure]",
            &format!("env = {{ ORIGINAL = {app:?} }}\n[measure]"),
        ),
    );
    project.write("app/main.py", VANDAL);
    // A stale pyc of the user's own stays, too.
    project.write("app/__pycache__/helper.cpython-311.pyc", "not even a pyc");
    let before = fingerprint(&app);
    project.measure(who, 2).expect(0);
    assert_eq!(before, fingerprint(&app));
    project.expect_no_stage();
}

#[test]
fn the_apps_folder_is_the_same_after_roots_run_and_an_ordinary_users() {
    // An ordinary user's app runs as its owner, so what tells it where it came from could write
    // there; modes protect others' files only. The tests' folder is root's.
    if is_root() {
        check(As::Me);
        check(As::Ordinary);
    }
}

#[test]
fn the_interpreters_own_bytecode_is_the_same_after_a_run() {
    let project = Project::new(&format!(
        "{EXITING_APP}\n[[scenario]]\nname = \"first\"\nprefix = \"empty\"\n"
    ));
    let output = std::process::Command::new(crate::project::python())
        .args([
            "-S",
            "-c",
            "import os; print(os.path.dirname(os.path.realpath(os.__file__)))",
        ])
        .output()
        .unwrap();
    let stdlib = String::from_utf8(output.stdout).unwrap();
    let pycs = || {
        let mut all = fingerprint(Path::new(stdlib.trim()));
        all.retain(|path, _| path.contains("__pycache__"));
        all
    };
    let before = pycs();
    assert!(!before.is_empty());
    project.measure(As::Me, 2).expect(0);
    assert_eq!(before, pycs());
}
