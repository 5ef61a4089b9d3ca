//! Git, asked. Nothing that is run here writes to the repository, asks the user, or fetches.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// A hook or an alias sets these for its own repository, which may be another one.
const OF_A_HOOK: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_PREFIX",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_EXTERNAL_DIFF",
];

/// Why git gave no answer.
#[derive(Debug)]
pub(super) enum GitError {
    /// It could not be run.
    NotRun(io::Error),
    /// What it said.
    Refused(String),
}

/// A repository's working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Repository {
    /// Its uppermost folder, links resolved.
    pub top: PathBuf,
}

/// A file as a tree or a difference has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// "100644", "100755", "120000" (a link), "160000" (a submodule); "000000" for none.
    pub mode: String,
    pub object: String,
    /// From the repository's uppermost folder on.
    pub path: PathBuf,
}

impl Repository {
    /// The one that a folder lies in.
    pub fn of(folder: &Path) -> Result<Self, GitError> {
        let top = git(folder, &["rev-parse", "--show-toplevel"], Vec::new())?;
        let top = PathBuf::from(OsString::from_vec(trimmed(top)));
        if top.as_os_str().is_empty() {
            return Err(GitError::Refused("it is a bare repository".to_owned()));
        }
        let top = std::fs::canonicalize(top).map_err(GitError::NotRun)?;
        Ok(Self { top })
    }

    /// The commit that a name leads to, and when it was committed (RFC 3339 and seconds since 1970).
    /// `None`: to none.
    pub fn commit(&self, name: &str) -> Result<Option<(String, String, u64)>, GitError> {
        let wanted = format!("{name}^{{commit}}");
        let ask = [
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &wanted,
        ];
        let commit = match git(&self.top, &ask, Vec::new()) {
            Ok(commit) => text(trimmed(commit)),
            Err(GitError::Refused(_)) => return Ok(None),
            Err(error) => return Err(error),
        };
        let format = [
            "show",
            "--no-patch",
            "--no-show-signature",
            "--format=%cI%x00%ct",
            &commit,
        ];
        let times = text(trimmed(git(&self.top, &format, Vec::new())?));
        let (written, seconds) = times.split_once('\0').unwrap_or((&times, "0"));
        let seconds = seconds.trim().parse().unwrap_or(0);
        Ok(Some((commit, written.to_owned(), seconds)))
    }

    /// Does its history break off?
    pub fn is_shallow(&self) -> bool {
        let answer = git(
            &self.top,
            &["rev-parse", "--is-shallow-repository"],
            Vec::new(),
        );
        answer.is_ok_and(|answer| answer.starts_with(b"true"))
    }

    /// Has the commit a file below this folder, which is relative to the uppermost?
    pub fn has(&self, commit: &str, folder: &Path) -> Result<bool, GitError> {
        let mut ask: Vec<&OsStr> = ["ls-tree", "-z", "--full-tree", commit, "--"]
            .map(OsStr::new)
            .to_vec();
        let mut below = folder.as_os_str().to_owned();
        if !below.is_empty() {
            below.push("/");
            ask.push(&below);
        }
        Ok(!git(&self.top, &ask, Vec::new())?.is_empty())
    }

    /// The files that differ from the commit in the working tree, as the commit has them. Some may be
    /// the same after all, where git's index was not brought up to date.
    pub fn differences(&self, commit: &str) -> Result<Vec<Entry>, GitError> {
        let ask = [
            "diff-index",
            "--raw",
            "-z",
            "--no-renames",
            "--no-abbrev",
            "--ignore-submodules=dirty",
            commit,
            "--",
        ];
        Ok(raw(&git(&self.top, &ask, Vec::new())?))
    }

    /// Files below a folder that git neither knows nor ignores.
    pub fn untracked(&self, folder: &Path) -> Result<u64, GitError> {
        let mut ask: Vec<&OsStr> = ["ls-files", "-z", "--others", "--exclude-standard", "--"]
            .map(OsStr::new)
            .to_vec();
        if !folder.as_os_str().is_empty() {
            ask.push(folder.as_os_str());
        }
        let answer = git(&self.top, &ask, Vec::new())?;
        Ok(answer.iter().filter(|byte| **byte == 0).count() as u64)
    }

    /// The contents of objects, in their order, as they were committed: no filter is run.
    pub fn contents(&self, objects: &[&str]) -> Result<Vec<Vec<u8>>, GitError> {
        let mut wanted = objects.join("\n").into_bytes();
        wanted.push(b'\n');
        if objects.is_empty() {
            return Ok(Vec::new());
        }
        let answer = git(&self.top, &["cat-file", "--batch"], wanted)?;
        let mut rest = answer.as_slice();
        let mut found = Vec::new();
        for object in objects {
            let missing = || GitError::Refused(format!("the object {object} is not here"));
            let end = rest
                .iter()
                .position(|byte| *byte == b'\n')
                .ok_or_else(missing)?;
            let head = String::from_utf8_lossy(&rest[..end]);
            // "<object> blob <size>", or "<object> missing".
            let size = head
                .split(' ')
                .nth(2)
                .and_then(|size| size.parse::<usize>().ok());
            let bytes = size.and_then(|size| rest.get(end + 1..end + 1 + size));
            let bytes = bytes.ok_or_else(missing)?;
            found.push(bytes.to_vec());
            rest = rest.get(end + 2 + bytes.len()..).unwrap_or_default();
        }
        Ok(found)
    }
}

/// Lines of `git diff-index --raw -z`: `:100644 100644 <old> <new> M\0path\0`.
fn raw(answer: &[u8]) -> Vec<Entry> {
    let mut parts = answer.split(|byte| *byte == 0);
    let mut found = Vec::new();
    while let (Some(head), Some(path)) = (parts.next(), parts.next()) {
        let head = String::from_utf8_lossy(head);
        let mut words = head.trim_start_matches(':').split(' ');
        if let (Some(mode), Some(object)) = (words.next(), words.nth(1)) {
            found.push(Entry {
                mode: mode.to_owned(),
                object: object.to_owned(),
                path: PathBuf::from(OsString::from_vec(path.to_vec())),
            });
        }
    }
    found
}

fn git(folder: &Path, args: &[impl AsRef<OsStr>], input: Vec<u8>) -> Result<Vec<u8>, GitError> {
    // A monitor of files would be a program of the repository's, and would be left running.
    let options = [
        "--no-optional-locks",
        "--literal-pathspecs",
        "-c",
        "core.fsmonitor=false",
    ];
    let words = options
        .iter()
        .map(OsStr::new)
        .chain([OsStr::new("-C"), folder.as_os_str()])
        .chain(args.iter().map(AsRef::as_ref));
    let mut command = duct::cmd("git", words)
        .stdin_bytes(input)
        .stdout_capture()
        .stderr_capture()
        .unchecked()
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("LC_ALL", "C");
    for name in OF_A_HOOK {
        command = command.env_remove(name);
    }
    let output = command.run().map_err(GitError::NotRun)?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        let said = text(output.stderr);
        Err(GitError::Refused(
            said.trim()
                .trim_start_matches("fatal: ")
                .replace('\n', "\n  "),
        ))
    }
}

fn trimmed(mut answer: Vec<u8>) -> Vec<u8> {
    while answer.last() == Some(&b'\n') {
        answer.pop();
    }
    answer
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_read_as_the_commit_has_it() {
        let answer = b":100755 000000 aaaa 0000 D\0bin/run\0:000000 100644 0000 bbbb A\0a b.py\0";
        let found = raw(answer);
        assert_eq!(found[0].mode, "100755");
        assert_eq!(found[0].object, "aaaa");
        assert_eq!(found[1].mode, "000000");
        assert_eq!(found[1].path, Path::new("a b.py"));
    }
}
