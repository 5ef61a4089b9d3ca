//! From a suite's revisions to what differs in the app's folders.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::git::{Entry, GitError, Repository};
use super::{Change, Executable, Folder, Revision, RevisionError, Revisions, State, apply};
use crate::record::format::WorkingTree;
use crate::suite::{App, Suite};

/// Files that say which packages an app needs.
const MANIFESTS: [&str; 9] = [
    "requirements.txt",
    "pyproject.toml",
    "setup.py",
    "setup.cfg",
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
];
/// Begins what git-lfs leaves in the place of a file.
const LFS_POINTER: &[u8] = b"version https://git-lfs.github.com/spec/";
const SUBMODULE: &str = "160000";
const LINK: &str = "120000";
const PROGRAM: &str = "100755";
const NONE: &str = "000000";

/// The repository, and the app's folders in it.
struct Place {
    repository: Repository,
    /// Links resolved, with the path from the repository's uppermost folder on.
    folders: Vec<(PathBuf, PathBuf)>,
    /// Folders of the app's that lie in no repository, or in another.
    elsewhere: Vec<PathBuf>,
}

impl Revisions {
    /// Those that the suite's scenarios name.
    ///
    /// # Errors
    /// When the app is in no repository, or one has no such revision of it.
    pub fn of(suite: &Suite) -> Result<Self, RevisionError> {
        let names = suite.revisions();
        let Some(first) = names.first() else {
            return Ok(Self::default());
        };
        let place = Place::of(&suite.app, first)?;
        let all: Vec<Revision> = names
            .iter()
            .map(|name| place.revision(&suite.app, name))
            .collect::<Result<_, _>>()?;
        let failed = refused(first);
        let head = place.repository.commit("HEAD").map_err(&failed)?;
        let mut working_tree = WorkingTree {
            head: None,
            modified: 0,
            untracked: 0,
        };
        if let Some((commit, _, committed)) = head {
            let (folders, _) = place.folders(first, &commit, committed)?;
            working_tree.modified = folders.iter().map(|f| f.changes.len() as u64).sum();
            working_tree.head = Some(commit);
        }
        for (_, inside) in &place.folders {
            working_tree.untracked += place.repository.untracked(inside).map_err(&failed)?;
        }
        Ok(Self {
            all,
            working_tree: Some(working_tree),
        })
    }
}

impl Place {
    fn of(app: &App, revision: &str) -> Result<Self, RevisionError> {
        let mut found: Option<Repository> = None;
        let mut why_not: Option<(PathBuf, String)> = None;
        let (mut folders, mut elsewhere) = (Vec::new(), Vec::new());
        for path in app.sources.iter().chain(&app.directory) {
            let folder = fs::canonicalize(path).map_err(|source| RevisionError::Files {
                path: path.clone(),
                source,
            })?;
            match Repository::of(&folder) {
                Ok(own) if found.as_ref().is_none_or(|known| *known == own) => {
                    // A repository's folder holds those below it.
                    if let Ok(inside) = folder.strip_prefix(&own.top) {
                        let known = (folder.clone(), inside.to_owned());
                        if !folders.contains(&known) {
                            folders.push(known);
                        }
                    }
                    found = Some(own);
                }
                Ok(_) => elsewhere.push(folder),
                Err(GitError::NotRun(source)) => {
                    return Err(RevisionError::NoGit {
                        revision: revision.to_owned(),
                        source,
                    });
                }
                Err(GitError::Refused(reason)) => {
                    why_not.get_or_insert((folder.clone(), reason));
                    elsewhere.push(folder);
                }
            }
        }
        let is_source = |folder: &Path| {
            let mut sources = app.sources.iter();
            sources.any(|each| fs::canonicalize(each).is_ok_and(|each| each == folder))
        };
        match (found, why_not) {
            (Some(repository), _) if folders.iter().any(|(folder, _)| is_source(folder)) => {
                Ok(Self {
                    repository,
                    folders,
                    elsewhere,
                })
            }
            (None, Some((folder, reason))) => Err(RevisionError::NoRepository {
                folder,
                revision: revision.to_owned(),
                // What git says of a folder in no repository says no more than we do.
                reason: match reason.starts_with("not a git repository") {
                    true => String::new(),
                    false => reason,
                },
            }),
            _ => Err(RevisionError::NoSource {
                revision: revision.to_owned(),
            }),
        }
    }

    fn revision(&self, app: &App, name: &str) -> Result<Revision, RevisionError> {
        let failed = refused(name);
        let Some((commit, written, committed)) = self.repository.commit(name).map_err(&failed)?
        else {
            return Err(RevisionError::Unknown {
                revision: name.to_owned(),
                repository: self.repository.top.clone(),
                help: if self.repository.is_shallow() {
                    "this is a shallow clone, which has the newest commits only: `git fetch \
                     --unshallow` gets the others (in a GitHub workflow, `fetch-depth: 0` for \
                     actions/checkout)"
                } else {
                    "give a tag, a branch or a commit; `git fetch` gets those that are not here yet"
                },
            });
        };
        for source in &app.sources {
            let Ok(folder) = fs::canonicalize(source) else {
                continue;
            };
            let mut known = self.folders.iter();
            if let Some((_, inside)) = known.find(|(path, _)| *path == folder)
                && !self.repository.has(&commit, inside).map_err(&failed)?
            {
                return Err(RevisionError::NotThere {
                    folder,
                    revision: name.to_owned(),
                });
            }
        }
        let (folders, mut notes) = self.folders(name, &commit, committed)?;
        notes.extend(self.elsewhere.iter().map(|folder| {
            format!(
                "{} lies outside of the repository, and is the working tree's at {name}, too",
                folder.display()
            )
        }));
        notes.extend(self.requirements(app, name, &commit)?);
        Ok(Revision {
            name: name.to_owned(),
            commit,
            committed: written,
            folders,
            notes,
        })
    }

    /// The app's folders with what differs at the commit, and sentences on what was left as it is.
    fn folders(
        &self,
        name: &str,
        commit: &str,
        committed: u64,
    ) -> Result<(Vec<Folder>, Vec<String>), RevisionError> {
        let failed = refused(name);
        let differences = self.repository.differences(commit).map_err(&failed)?;
        let ours: Vec<&Entry> = differences
            .iter()
            .filter(|entry| {
                self.folders
                    .iter()
                    .any(|(_, inside)| entry.path.starts_with(inside))
            })
            // Bytecode is the scenario's, whatever somebody has committed.
            .filter(|entry| entry.path.extension().is_none_or(|end| end != "pyc"))
            .collect();
        let mut notes = Vec::new();
        let submodules: Vec<&Entry> = ours
            .iter()
            .copied()
            .filter(|e| e.mode == SUBMODULE)
            .collect();
        if let Some(first) = submodules.first() {
            notes.push(format!(
                "submodules are not followed: {}{} stays as it is in the working tree at {name}, too",
                first.path.display(),
                more(submodules.len())
            ));
        }
        let states = self.states(&ours, committed).map_err(&failed)?;
        let mut pointers = Vec::new();
        let mut folders: Vec<Folder> = Vec::new();
        for (folder, inside) in &self.folders {
            let mut changes = Vec::new();
            for (path, state) in &states {
                let Ok(path) = path.strip_prefix(inside) else {
                    continue;
                };
                if matches!(state, State::File { bytes, .. } if bytes.starts_with(LFS_POINTER)) {
                    pointers.push(path.display().to_string());
                    continue;
                }
                let change = Change {
                    path: path.to_owned(),
                    to: state.clone(),
                };
                // Git's index may not be up to date.
                if !apply::is_so(folder, &change).map_err(|source| RevisionError::Files {
                    path: folder.join(path),
                    source,
                })? {
                    changes.push(change);
                }
            }
            if !changes.is_empty() {
                folders.push(Folder {
                    path: folder.clone(),
                    changes,
                });
            }
        }
        if let Some(first) = pointers.first() {
            notes.push(format!(
                "what git-lfs keeps is not fetched: {first}{} stays as it is in the working tree at \
                 {name}, too",
                more(pointers.len())
            ));
        }
        Ok((folders, notes))
    }

    /// What the commit has in the place of each file.
    fn states(
        &self,
        entries: &[&Entry],
        committed: u64,
    ) -> Result<BTreeMap<PathBuf, State>, GitError> {
        let blobs: Vec<&Entry> = entries
            .iter()
            .copied()
            .filter(|entry| entry.mode != NONE && entry.mode != SUBMODULE)
            .collect();
        let objects: Vec<&str> = blobs.iter().map(|entry| entry.object.as_str()).collect();
        let contents = self.repository.contents(&objects)?;
        let mut states = BTreeMap::new();
        for entry in entries.iter().filter(|entry| entry.mode == NONE) {
            // A submodule that was added later has nothing here that could be taken away.
            if !self.repository.top.join(&entry.path).is_dir() {
                states.insert(entry.path.clone(), State::Nothing);
            }
        }
        for (entry, bytes) in blobs.iter().zip(contents) {
            let state = if entry.mode == LINK {
                State::Link(OsString::from_vec(bytes))
            } else {
                State::File {
                    bytes,
                    mode: match entry.mode == PROGRAM {
                        true => Executable::Yes,
                        false => Executable::No,
                    },
                    modified: committed,
                }
            };
            states.insert(entry.path.clone(), state);
        }
        Ok(states)
    }

    /// Does the app need other packages at the commit? Those of now are there.
    fn requirements(
        &self,
        app: &App,
        name: &str,
        commit: &str,
    ) -> Result<Option<String>, RevisionError> {
        let failed = refused(name);
        let top = &self.repository.top;
        let own = app.requirements.as_ref().and_then(|path| {
            let path = fs::canonicalize(path).ok()?;
            Some(path.strip_prefix(top).ok()?.to_owned())
        });
        let differences = self.repository.differences(commit).map_err(&failed)?;
        let is_manifest = |entry: &Entry| {
            let above = entry.path.parent().unwrap_or(Path::new(""));
            let mut folders = self.folders.iter();
            // Beside the app's source, or above it.
            let is_near = folders.any(|(_, inside)| inside.starts_with(above));
            let is_known = entry
                .path
                .file_name()
                .is_some_and(|file| MANIFESTS.iter().any(|known| file == *known));
            own.as_ref() == Some(&entry.path) || is_near && is_known
        };
        let changed: Vec<&Entry> = differences
            .iter()
            .filter(|entry| is_manifest(entry))
            .collect();
        let states = self.states(&changed, 0).map_err(&failed)?;
        let differing: Vec<String> = states
            .into_iter()
            .filter(|(path, state)| {
                let change = Change {
                    path: path.clone(),
                    to: state.clone(),
                };
                !apply::is_so(top, &change).unwrap_or(false)
            })
            .map(|(path, _)| path.display().to_string())
            .collect();
        Ok((!differing.is_empty()).then(|| {
            format!(
                "{} was another one at {name}, and the packages are those of now for both",
                differing.join(", ")
            )
        }))
    }
}

/// " (and 2 more)"
fn more(count: usize) -> String {
    match count {
        0 | 1 => String::new(),
        _ => format!(" (and {} more)", count - 1),
    }
}

fn refused(revision: &str) -> impl Fn(GitError) -> RevisionError {
    let revision = revision.to_owned();
    move |error| match error {
        GitError::NotRun(source) => RevisionError::NoGit {
            revision: revision.clone(),
            source,
        },
        GitError::Refused(reason) => RevisionError::Git {
            revision: revision.clone(),
            reason,
        },
    }
}
