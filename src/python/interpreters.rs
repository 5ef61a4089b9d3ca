//! The interpreters of a run, each with the app's packages, and which scenario has which.

use std::path::{Path, PathBuf};

use super::environment::CallerEnvironment;
use super::{Python, PythonError, prepare_venv, venv_interpreter};
use crate::suite::Suite;

/// An interpreter, and the virtual environment with the app's requirements, if it has any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Equipped {
    pub python: Python,
    pub venv: Option<PathBuf>,
}

impl Equipped {
    /// The interpreter that finds the app's packages.
    pub fn program(&self) -> PathBuf {
        match &self.venv {
            Some(venv) => venv_interpreter(venv),
            None => self.python.executable.clone(),
        }
    }
}

/// The interpreters of a run.
#[derive(Debug, Clone)]
pub struct Interpreters {
    all: Vec<Equipped>,
    /// For each of the suite's scenarios, its interpreter's place in `all`.
    of_scenarios: Vec<usize>,
}

impl Interpreters {
    /// Finds the interpreter of every scenario, and makes a virtual environment for each that is
    /// found. Scenarios that name none have the first of `known`, or else the app's, or else the
    /// first on PATH.
    /// `progress` is told what takes long.
    ///
    /// # Errors
    /// When one is not there or does not run, or the app's packages cannot be installed for it.
    pub fn equip(
        suite: &Suite,
        known: &[Python],
        caller: &CallerEnvironment,
        progress: &mut dyn FnMut(&str),
    ) -> Result<Self, PythonError> {
        let mut found: Vec<(Option<&Path>, usize)> = Vec::new();
        let mut pythons: Vec<Python> = Vec::new();
        let mut of_scenarios = Vec::new();
        for scenario in &suite.scenarios {
            let named = scenario.python.as_deref();
            let place = match found.iter().find(|(name, _)| *name == named) {
                Some((_, place)) => *place,
                None => {
                    let python = match known.iter().find(|python| answers_to(python, named)) {
                        Some(python) => python.clone(),
                        None => {
                            let named = named.or(suite.app.python.as_deref());
                            Python::find(named, caller)?
                        }
                    };
                    // Two names may lead to one interpreter.
                    let place = pythons.iter().position(|other| *other == python);
                    let place = place.unwrap_or_else(|| {
                        pythons.push(python);
                        pythons.len() - 1
                    });
                    found.push((named, place));
                    place
                }
            };
            of_scenarios.push(place);
        }
        let mut all = Vec::new();
        for python in pythons {
            let requirements = suite.app.requirements.as_ref();
            let venv = requirements
                .map(|file| prepare_venv(&suite.app.name, file, &python, caller, progress))
                .transpose()?;
            all.push(Equipped { python, venv });
        }
        Ok(Self { all, of_scenarios })
    }

    /// Each of them once, in the order in which scenarios name them.
    pub fn all(&self) -> &[Equipped] {
        &self.all
    }

    /// The place in [`all`](Self::all) of the interpreter of the scenario at this place in the
    /// suite.
    pub fn of_scenario(&self, scenario: usize) -> usize {
        self.of_scenarios[scenario]
    }
}

/// Is this the interpreter that is meant? Any, and so the first, where none is named.
fn answers_to(python: &Python, named: Option<&Path>) -> bool {
    named.is_none_or(|named| python.executable == named)
}
