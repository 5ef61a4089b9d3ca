//! The app's source at another revision: what differs from the working tree lies in a layer between
//! the user's folder and the stage's own, or in the stage's copy.

use std::fs;
use std::path::{Path, PathBuf};

use super::StageError;
use super::build::{Builder, Method, mount_error};
use super::copy::{CopyError, at};
use super::namespace::Namespace;
use super::overlay::{Covered, Marks};
use super::scene::Stage;
use crate::python::Part;
use crate::revision::{Change, apply, first_unlike};
use crate::suite::Scenario;

/// The app's folders at one state of its source, ready to be covered.
pub(super) struct AtRevision {
    /// `None`: the working tree's.
    pub revision: Option<String>,
    pub sources: Vec<Covered>,
    pub directory: Option<Covered>,
}

impl Builder<'_> {
    /// Lays what differs at each state over the app's folders. The working tree's own files get such a
    /// layer, too: a state that is read through one more would be slower by it.
    pub(super) fn lay_revisions(&mut self) -> Result<(), StageError> {
        let revisions = self.setting.revisions;
        let (
            Method::Overlay {
                marks,
                sources,
                directory,
                at_revisions,
            },
            Some(namespace),
        ) = (&mut self.method, &self.isolation.namespace)
        else {
            return Ok(());
        };
        if revisions.all.is_empty() {
            return Ok(());
        }
        let names = revisions.all.iter().map(|each| Some(each.name.as_str()));
        for (number, name) in [None].into_iter().chain(names).enumerate() {
            let mut state = AtRevision {
                revision: name.map(str::to_owned),
                sources: sources.clone(),
                directory: directory.clone(),
            };
            let folders = state.sources.iter_mut().chain(&mut state.directory);
            for (index, covered) in folders.enumerate() {
                let changes = revisions
                    .changes(name, &covered.path)
                    .map_err(at(&covered.path))?;
                // Of one length, whatever the state.
                let layer = self
                    .root
                    .join("revisions")
                    .join(format!("{number:02}-{index:02}"));
                lay(namespace, covered, &changes, &layer, *marks)?;
            }
            at_revisions.push(state);
        }
        Ok(())
    }

    /// Makes a copy of one of the app's folders one of the scenario's revision.
    pub(super) fn revise(
        &self,
        scenario: &Scenario,
        original: &Path,
        copy: &Path,
    ) -> Result<(), CopyError> {
        if scenario.revision.is_none() {
            return Ok(());
        }
        let original = fs::canonicalize(original).map_err(at(original))?;
        let changes = self
            .setting
            .revisions
            .changes(scenario.revision.as_deref(), &original)
            .map_err(at(&original))?;
        apply(copy, &changes).map_err(at(copy))
    }

    /// Is what a launch finds what was committed?
    ///
    /// # Errors
    /// The first file that is another.
    pub(super) fn verify_revision(&self, stage: &Stage) -> Result<(), StageError> {
        let revision = stage.scenario.revision.as_deref();
        let Some(revision) = revision.and_then(|name| self.setting.revisions.named(name)) else {
            return Ok(());
        };
        let trees = stage.trees.iter().filter(|tree| tree.part == Part::App);
        let sources: Vec<PathBuf> = self
            .setting
            .suite
            .app
            .sources
            .iter()
            .map(|source| fs::canonicalize(source).map_err(at(source)))
            .collect::<Result<_, _>>()?;
        // Paths may be relative, and the working directory is another one inside.
        let _inside = stage.enter()?;
        for (source, tree) in sources.iter().zip(trees) {
            let mut folders = revision.folders.iter();
            let Some(folder) = folders.find(|folder| folder.path == *source) else {
                continue;
            };
            // A scenario may take a module's source away, once its bytecode is there.
            let is_sourceless = stage.scenario.bytecode == crate::suite::Bytecode::Sourceless;
            if let Some(unlike) = first_unlike(tree.path(), &folder.changes)
                && !is_sourceless
            {
                return Err(StageError::NotAsAsked {
                    scenario: stage.scenario.name.clone(),
                    what: format!(
                        "{} is not what it is at {}",
                        tree.path().join(&unlike.path).display(),
                        revision.name
                    ),
                });
            }
        }
        Ok(())
    }
}

/// Makes the changes in a layer over the folder, and adds it to those that stages see.
fn lay(
    namespace: &Namespace,
    covered: &mut Covered,
    changes: &[Change],
    layer: &Path,
    marks: Marks,
) -> Result<(), StageError> {
    if changes.is_empty() {
        return Ok(());
    }
    let work = layer.with_extension("work");
    let view = namespace
        .view(|| covered.prepare()?.mount(layer, &work, marks))
        .map_err(mount_error(&covered.path))?;
    let inside = view.enter().map_err(mount_error(&covered.path))?;
    apply(&covered.path, changes).map_err(at(&covered.path))?;
    drop(inside);
    covered.add(layer.to_owned());
    Ok(())
}
