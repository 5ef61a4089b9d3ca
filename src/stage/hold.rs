//! What a stage is made of: layers over the user's folders, or copies of them.

use std::fs;
use std::path::{Path, PathBuf};

use super::StageError;
use super::build::{Builder, Method, mount_error};
use super::copy::{CopyBytecode, at, copy_tree};
use super::installation::{Environment, NoInstallation, install};
use super::namespace::{View, bind};
use super::overlay::Covered;
use super::receipt::Uncached;
use super::tree::{Place, Tree};
use crate::python::{Part, venv_interpreter};
use crate::suite::{Bytecode, Scenario};

/// What a stage is made of.
pub(super) struct Held {
    pub trees: Vec<Tree>,
    pub view: Option<View>,
    pub python: PathBuf,
    /// Of that interpreter, as it sees it.
    pub stdlib: PathBuf,
}

impl Builder<'_> {
    /// Layers over the user's folders, in a namespace of the stage's own.
    pub(super) fn cover(
        &self,
        scenario: &Scenario,
        folder: &Path,
        memory: Option<&Path>,
    ) -> Result<Held, StageError> {
        let (
            Method::Overlay {
                marks,
                sources,
                directory,
                at_revisions,
            },
            Some(namespace),
        ) = (&self.method, &self.isolation.namespace)
        else {
            return self.copy(scenario, folder, memory);
        };
        let (sources, directory) = at_revisions
            .iter()
            .find(|state| state.revision == scenario.revision)
            .map_or((sources, directory), |state| {
                (&state.sources, &state.directory)
            });
        let mut copies = Vec::new();
        let mut layers = Vec::new();
        let mut trees = Vec::new();
        let tree = |part: Part, place: Place| {
            let path = place.path.clone();
            Tree::new(part, part.state(scenario).clone(), &path, place)
        };
        let mut lay = |covered: Covered, part: Option<Part>| {
            let layer = Layer::new(covered, folder, layers.len());
            if let Some(part) = part {
                let (path, below) = (&layer.covered.path, layer.covered.itself());
                trees.push(tree(part, Place::overlaid(path, &layer.upper, below)));
            }
            layers.push(layer);
        };
        for (index, source) in sources.iter().enumerate() {
            let Some(memory) = memory else {
                lay(source.clone(), Some(Part::App));
                continue;
            };
            // A layer would leave what the scenario doesn't change where it is.
            let copy = memory.join(source_name(index));
            copy_tree(&source.path, &copy, how_to_copy(&scenario.bytecode))?;
            self.revise(scenario, &source.path, &copy)?;
            copies.push((copy, source.path.clone()));
        }
        if let Some(directory) = directory {
            lay(directory.clone(), None);
        }
        for (part, covered) in &self.interpreter().installed {
            let state = part.state(scenario);
            if *state != Bytecode::Fresh {
                lay(covered.own(), Some(*part));
            } else if covered.is_completed() {
                lay(covered.clone(), None);
            }
        }
        let copied = copies.iter();
        trees.splice(
            0..0,
            copied.map(|(_, path)| tree(Part::App, Place::plain(path))),
        );
        // What lies in another is covered after it.
        layers.sort_by_key(|layer| layer.covered.path.components().count());
        let mut failing = folder;
        let view = namespace
            .view(|| {
                let prepare = |layer: &Layer| layer.covered.prepare();
                let prepared: Vec<_> = layers.iter().map(prepare).collect::<Result<_, _>>()?;
                for (copy, path) in &copies {
                    failing = path;
                    bind(copy, path)?;
                }
                layers.iter().zip(prepared).try_for_each(|(layer, folder)| {
                    failing = &layer.covered.path;
                    folder.mount(&layer.upper, &layer.work, *marks)
                })
            })
            .map_err(mount_error(failing))?;
        Ok(Held {
            trees,
            view: Some(view),
            python: self.interpreter().python.clone(),
            stdlib: self.interpreter().stdlib.clone(),
        })
    }

    /// Private copies of the app's sources; of its virtual environment and its standard library where
    /// the scenario changes them.
    pub(super) fn copy(
        &self,
        scenario: &Scenario,
        folder: &Path,
        memory: Option<&Path>,
    ) -> Result<Held, StageError> {
        let mut trees = Vec::new();
        for (index, source) in self.setting.suite.app.sources.iter().enumerate() {
            let copy = memory.unwrap_or(folder).join(source_name(index));
            copy_tree(source, &copy, how_to_copy(&scenario.bytecode))?;
            self.revise(scenario, source, &copy)?;
            let (state, place) = (scenario.bytecode.clone(), Place::plain(&copy));
            trees.push(Tree::new(Part::App, state, source, place));
        }
        let original = &self.interpreter().python;
        let (mut python, mut stdlib) = (original.clone(), self.interpreter().stdlib.clone());
        let (venv, copy) = (venv_of(original), folder.join("venv"));
        if !self.is_as_it_is(Part::SitePackages, scenario) {
            let Some(venv) = &venv else {
                return Err(StageError::NeedsOverlay {
                    scenario: scenario.name.clone(),
                    reason: self.isolation.notes.join("; "),
                });
            };
            copy_tree(venv, &copy, how_to_copy(&scenario.site_packages))?;
            python = venv_interpreter(&copy);
            let real = fs::canonicalize(venv).map_err(at(venv))?;
            for packages in &self.interpreter().installations.folders {
                if let Ok(inside) = packages.strip_prefix(&real) {
                    let place = Place::plain(&copy.join(inside));
                    let state = scenario.site_packages.clone();
                    trees.push(Tree::new(Part::SitePackages, state, packages, place));
                }
            }
        }
        if !self.is_as_it_is(Part::Stdlib, scenario) {
            let environment = venv.as_ref().map(|original| Environment {
                original,
                private: &copy,
            });
            let bytecode = how_to_copy(&scenario.stdlib);
            let base = folder.join("base");
            let installation = install(original, environment, &base, bytecode, self.setting.caller)
                .map_err(|error| match error {
                    NoInstallation::Files(error) => StageError::Files(error),
                    NoInstallation::Python(error) => StageError::Python(error),
                    NoInstallation::Differs(reason) => StageError::NoInstallation {
                        scenario: scenario.name.clone(),
                        python: original.clone(),
                        reason,
                    },
                })?;
            let (state, place) = (scenario.stdlib.clone(), Place::plain(&installation.stdlib));
            trees.push(Tree::new(
                Part::Stdlib,
                state,
                &installation.original,
                place,
            ));
            (python, stdlib) = (installation.python, installation.stdlib);
        }
        Ok(Held {
            trees,
            view: None,
            python,
            stdlib,
        })
    }

    /// Can a stage have a copy of this module, without layers?
    pub(super) fn can_copy(&self, module: &Uncached) -> bool {
        match module.part {
            Part::App | Part::Stdlib => true,
            Part::SitePackages => venv_of(&self.interpreter().python)
                .and_then(|venv| fs::canonicalize(venv).ok())
                .is_some_and(|venv| module.path.starts_with(venv)),
        }
    }

    /// Does a scenario's state of a part come to leaving what is installed as it is?
    fn is_as_it_is(&self, part: Part, scenario: &Scenario) -> bool {
        let has_cached = |parts| self.interpreter().has_cached(parts, scenario);
        match part.state(scenario) {
            // Where every prefix hides it, it need not be there.
            Bytecode::Fresh => has_cached(&[part]) || !self.wants_fresh(part, scenario),
            // A launch may not write what it misses: it would write it to the user's own folders.
            Bytecode::AsFound => {
                self.isolation.namespace.is_some()
                    || has_cached(&[Part::SitePackages, Part::Stdlib])
            }
            _ => false,
        }
    }
}

/// A layer to be mounted.
struct Layer {
    covered: Covered,
    upper: PathBuf,
    work: PathBuf,
}

impl Layer {
    fn new(covered: Covered, folder: &Path, index: usize) -> Self {
        let layers = folder.join("layers");
        Self {
            covered,
            upper: layers.join(format!("{index:02}")),
            work: layers.join(format!("{index:02}-work")),
        }
    }
}

/// Of the copy of the app's source at this place in the suite.
fn source_name(index: usize) -> String {
    match index {
        0 => "source".to_owned(),
        _ => format!("source{index}"),
    }
}

fn how_to_copy(state: &Bytecode) -> CopyBytecode {
    match state {
        Bytecode::AsFound => CopyBytecode::AsFound,
        _ => CopyBytecode::LeftOut,
    }
}

/// The virtual environment of an interpreter (PEP 405).
fn venv_of(python: &Path) -> Option<PathBuf> {
    let folder = python.parent()?.parent()?;
    folder
        .join("pyvenv.cfg")
        .is_file()
        .then(|| folder.to_owned())
}
