//! A suite under several interpreters: each scenario once for each of them, in the same blocks.
//!
//! It is the suite's text that is multiplied, so that a record holds what was measured, and
//! whatever reads one needs to know nothing of this.

use std::path::PathBuf;

use toml::Spanned;

use super::error::SuiteError;
use super::validate::SuiteFile;
use super::wire::*;

/// An interpreter that the suite is to be measured under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub path: PathBuf,
    /// As it says itself: "3.11.7"
    pub version: String,
}

impl SuiteFile {
    /// This suite with each scenario under each of these interpreters, as `warm@3.11`. A scenario
    /// with an interpreter of its own stays as it is. A claim is multiplied with the scenarios
    /// that it speaks of, unless it is one on all interpreters; the baseline is that of the first.
    ///
    /// # Errors
    /// When the suite cannot be read, or an interpreter's path cannot be written into it.
    pub fn across(&self, interpreters: &[Named]) -> Result<Self, SuiteError> {
        let suite = self.suite()?;
        let mut wire = self.wire()?;
        let labels = labels(interpreters);
        let stays = |name: &str| {
            suite
                .scenario(name)
                .is_some_and(|scenario| scenario.python.is_some())
        };
        let under = |name: &str, label: &str| {
            if stays(name) {
                name.to_owned()
            } else {
                format!("{name}@{label}")
            }
        };
        let (fixed, multiplied): (Vec<WireScenario>, Vec<WireScenario>) = wire
            .scenario
            .drain(..)
            .partition(|scenario| scenario.python.is_some());
        for (interpreter, label) in interpreters.iter().zip(&labels) {
            let path = interpreter
                .path
                .to_str()
                .ok_or_else(|| SuiteError::Option {
                    message: format!(
                        "the interpreter's path {} is no UTF-8, as a suite must be",
                        interpreter.path.display()
                    ),
                    help: "name it by another path".to_owned(),
                })?;
            for scenario in &multiplied {
                wire.scenario.push(WireScenario {
                    name: nowhere(under(scenario.name.get_ref(), label)),
                    python: Some(nowhere(path.to_owned())),
                    ..scenario.clone()
                });
            }
        }
        wire.scenario.extend(fixed);
        if let Some(first) = labels.first() {
            wire.measure.baseline = Some(nowhere(under(&suite.measure.baseline, first)));
        }
        let claims = std::mem::take(&mut wire.claim);
        for claim in claims {
            let pair = claim.contrast.iter();
            let named = pair
                .flat_map(|pair| [&pair.from, &pair.to])
                .chain(&claim.scenario);
            let names: Vec<&str> = named.map(|name| name.get_ref().as_str()).collect();
            if names.into_iter().all(stays) {
                wire.claim.push(claim);
                continue;
            }
            let id = claim.id.get_ref();
            let labelled: Vec<(&String, String)> = match claim.expect.get_ref().pycs_per_module {
                // It speaks of all of them together.
                Some(_) => labels
                    .first()
                    .map(|first| (first, id.clone()))
                    .into_iter()
                    .collect(),
                None => labels
                    .iter()
                    .map(|label| (label, format!("{id}@{label}")))
                    .collect(),
            };
            for (label, id) in labelled {
                let under = |name: &Spanned<String>| nowhere(under(name.get_ref(), label));
                wire.claim.push(WireClaim {
                    id: nowhere(id),
                    contrast: claim.contrast.as_ref().map(|pair| WireContrast {
                        from: under(&pair.from),
                        to: under(&pair.to),
                        metric: pair.metric.clone(),
                    }),
                    scenario: claim.scenario.as_ref().map(under),
                    ..claim.clone()
                });
            }
        }
        self.rewritten(&wire)
    }
}

/// A value that stands in no file.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// What tells interpreters apart: "3.11" where that is enough, else "3.11.7", else a number after
/// that ("3.11.7-2"), as of a virtual environment and the interpreter that it was made with.
fn labels(interpreters: &[Named]) -> Vec<String> {
    let short = |version: &str| version.splitn(3, '.').take(2).collect::<Vec<_>>().join(".");
    let versions = || interpreters.iter().map(|each| each.version.as_str());
    versions()
        .enumerate()
        .map(|(index, version)| {
            let minor = short(version);
            if versions().filter(|other| short(other) == minor).count() == 1 {
                return minor;
            }
            match versions()
                .take(index)
                .filter(|other| *other == version)
                .count()
            {
                0 => version.to_owned(),
                before => format!("{version}-{}", before + 1),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::suite::{ContrastSpec, Metric};

    fn named(versions: &[&str]) -> Vec<Named> {
        let path = |index| PathBuf::from(format!("/opt/{index}/bin/python3"));
        versions
            .iter()
            .enumerate()
            .map(|(index, version)| Named {
                path: path(index),
                version: (*version).to_owned(),
            })
            .collect()
    }

    const SUITE: &str = r#"
        [app]
        name = "x"
        source = "app"
        command = ["{python}", "x.py"]
        [measure]
        baseline = "warm"
        [[scenario]]
        name = "cold"
        bytecode = "absent"
        [[scenario]]
        name = "warm"
        [[scenario]]
        name = "old"
        python = "python3.9"
        [[claim]]
        id = "helps"
        text = "a cache helps"
        contrast = { from = "cold", to = "warm", metric = "exit" }
        expect = { saves-at-least = "1ms" }
        [[claim]]
        id = "old-works"
        text = "the old one works"
        scenario = "old"
        expect = { written = 0 }
    "#;

    #[test]
    fn interpreters_are_told_apart_by_as_little_as_it_takes() {
        let labels = |versions: &[&str]| labels(&named(versions));
        assert_eq!(labels(&["3.11.7", "3.12.1"]), ["3.11", "3.12"]);
        assert_eq!(
            labels(&["3.11.2", "3.12.1", "3.11.7"]),
            ["3.11.2", "3.12", "3.11.7"]
        );
        assert_eq!(
            labels(&["3.11.2", "3.11.2", "3.11.2"]),
            ["3.11.2", "3.11.2-2", "3.11.2-3"]
        );
        assert_eq!(labels(&["3.15.0beta1", "3.1.4"]), ["3.15", "3.1"]);
    }

    #[test]
    fn each_scenario_is_compared_with_the_baseline_of_its_interpreter() {
        let file = SuiteFile::from_text(Path::new("x.toml"), SUITE);
        let file = file.across(&named(&["3.11.7", "3.12.1"])).unwrap();
        let suite = file.suite().unwrap();
        let names: Vec<_> = suite.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names,
            ["cold@3.11", "warm@3.11", "cold@3.12", "warm@3.12", "old"]
        );
        assert_eq!(suite.measure.baseline, "warm@3.11");
        let of = |name: &str| suite.scenario(name).unwrap().python.clone().unwrap();
        assert_eq!(of("cold@3.12"), Path::new("/opt/1/bin/python3"));
        assert_eq!(of("old"), Path::new("python3.9"));
        let contrast = |from: &str, to: &str| ContrastSpec {
            from: from.to_owned(),
            to: to.to_owned(),
            metric: Metric::Exit,
        };
        assert_eq!(
            suite.contrasts(),
            [
                contrast("warm@3.11", "cold@3.11"),
                contrast("warm@3.12", "cold@3.12"),
                contrast("warm@3.11", "warm@3.12"),
                contrast("warm@3.11", "old"),
                contrast("cold@3.11", "warm@3.11"),
                contrast("cold@3.12", "warm@3.12"),
            ]
        );
        let claims: Vec<_> = suite.claims.iter().map(|claim| claim.id.as_str()).collect();
        assert_eq!(claims, ["helps@3.11", "helps@3.12", "old-works"]);
    }

    #[test]
    fn an_interpreter_without_a_scenario_like_the_baseline_is_compared_with_the_baseline() {
        let text = r#"
            [app]
            name = "x"
            source = "app"
            command = ["{python}", "x.py"]
            [[scenario]]
            name = "warm"
            [[scenario]]
            name = "new-cold"
            python = "bin/python3"
            bytecode = "absent"
        "#;
        let suite = SuiteFile::from_text(Path::new("suites/x.toml"), text)
            .suite()
            .unwrap();
        assert_eq!(suite.reference("new-cold"), Some("warm"));
        assert_eq!(suite.reference("warm"), None);
        let python = suite.scenarios[1].python.as_deref();
        assert_eq!(python, Some(Path::new("suites/bin/python3")));
    }
}
