//! A suite at two states of the app's source: each scenario once for each of them, in the same
//! blocks.
//!
//! As under several interpreters, it is the suite's text that is multiplied, so that a record holds
//! what was measured.

use toml::Spanned;

use super::error::SuiteError;
use super::model::*;
use super::quantity::Fraction;
use super::validate::SuiteFile;
use super::wire::*;

/// What the working tree is to be compared with, and what is to be decided about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Against {
    /// As git takes it.
    pub revision: String,
    pub guarding: Guarding,
}

/// What is claimed of each scenario.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Guarding {
    /// Nothing: it is compared.
    Nothing,
    /// It costs less than this share of a start at the other revision.
    MaxRegression(Fraction),
}

/// A suite at two states, and what could not be measured so.
#[derive(Debug, Clone)]
pub struct AtBoth {
    pub file: SuiteFile,
    /// Scenarios with the bytecode that is found, which belongs to the working tree's modules.
    pub left_out: Vec<String>,
}

/// A name of a scenario or a claim is no longer.
const LONGEST_NAME: usize = 64;
/// A commit's number is as good as unique by so much of it.
const SHORT_COMMIT: usize = 12;

impl SuiteFile {
    /// This suite with each scenario at the revision, as `warm@v1.2`, and beside it as the working
    /// tree has it. The baseline is the old state of the baseline, so that a shift is what the change
    /// costs. The suite's own claims are about one state, and are left out.
    ///
    /// # Errors
    /// When the suite cannot be read, its baseline is as it was found, or a scenario has a revision
    /// already.
    pub fn against(&self, against: &Against) -> Result<AtBoth, SuiteError> {
        let suite = self.suite()?;
        let mut wire = self.wire()?;
        if let Some(own) = suite.scenarios.iter().find(|s| s.revision.is_some()) {
            return Err(SuiteError::Option {
                message: format!(
                    "scenario `{}` has a revision of its own, so --against has no place",
                    own.name
                ),
                help: "measure the suite with `coldsnake run`, or take the key out".to_owned(),
            });
        }
        let is_as_found = |scenario: &Scenario| scenario.bytecode == Bytecode::AsFound;
        let baseline = &suite.measure.baseline;
        if suite.scenario(baseline).is_some_and(is_as_found) {
            return Err(SuiteError::Option {
                message: format!(
                    "the baseline `{baseline}` has the bytecode that is found, which belongs to the \
                     working tree's modules and not to those of {}",
                    against.revision
                ),
                help: "name another one with --baseline".to_owned(),
            });
        }
        let label = label(&against.revision);
        let then = |name: &str| {
            let room = LONGEST_NAME.saturating_sub(name.len() + 1);
            format!("{name}@{}", &label[..label.len().min(room)])
        };
        let left_out: Vec<String> = suite
            .scenarios
            .iter()
            .filter(|scenario| is_as_found(scenario))
            .map(|scenario| scenario.name.clone())
            .collect();
        let scenarios = std::mem::take(&mut wire.scenario);
        for scenario in scenarios {
            let name = scenario.name.get_ref().clone();
            if left_out.contains(&name) {
                continue;
            }
            wire.scenario.push(WireScenario {
                name: nowhere(then(&name)),
                revision: Some(nowhere(against.revision.clone())),
                ..scenario.clone()
            });
            wire.scenario.push(scenario);
        }
        wire.measure.baseline = Some(nowhere(then(baseline)));
        wire.claim.clear();
        if let Guarding::MaxRegression(bound) = against.guarding {
            let kept = suite.scenarios.iter().filter(|s| !is_as_found(s));
            for scenario in kept {
                for metric in &suite.measure.metrics {
                    let pair = (then(&scenario.name), scenario.name.clone());
                    let number = wire.claim.len();
                    wire.claim
                        .push(claim(against, bound, pair, *metric, number));
                }
            }
        }
        Ok(AtBoth {
            file: self.rewritten(&wire)?,
            left_out,
        })
    }
}

fn claim(
    against: &Against,
    bound: Fraction,
    (from, to): (String, String),
    metric: Metric,
    number: usize,
) -> WireClaim {
    let id = format!("{to}.{metric}");
    let id = if id.len() > LONGEST_NAME {
        format!("regression.{number}.{metric}")
    } else {
        id
    };
    WireClaim {
        id: nowhere(id),
        text: format!("{to} is no slower than at {} ({metric})", against.revision),
        contrast: Some(WireContrast {
            from: nowhere(from),
            to: nowhere(to),
            metric: nowhere(metric.name().to_owned()),
        }),
        scenario: None,
        expect: nowhere(WireExpect {
            max_regression: Some(nowhere(bound.to_string())),
            ..WireExpect::default()
        }),
    }
}

/// What stands for a revision in names: as it is, as far as names may hold it.
fn label(revision: &str) -> String {
    let is_commit =
        revision.len() > SHORT_COMMIT && revision.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_commit {
        return revision[..SHORT_COMMIT].to_owned();
    }
    let text: String = revision
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() || "-_.+@".contains(c) => c,
            _ => '-',
        })
        .collect();
    match text.trim_matches('-') {
        "" => "then".to_owned(),
        label => label.to_owned(),
    }
}

/// A value that stands in no file.
fn nowhere<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

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
        name = "now"
        bytecode = "as-found"
        [[claim]]
        id = "helps"
        text = "a cache helps"
        contrast = { from = "cold", to = "warm", metric = "exit" }
        expect = { saves-at-least = "1ms" }
    "#;

    fn against(revision: &str, guarding: Guarding) -> AtBoth {
        let file = SuiteFile::from_text(Path::new("x.toml"), SUITE);
        let against = Against {
            revision: revision.to_owned(),
            guarding,
        };
        file.against(&against).unwrap()
    }

    #[test]
    fn each_scenario_is_compared_with_itself_at_the_revision() {
        let both = against("origin/main", Guarding::Nothing);
        assert_eq!(both.left_out, ["now"]);
        let suite = both.file.suite().unwrap();
        let names: Vec<_> = suite.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names,
            ["cold@origin-main", "cold", "warm@origin-main", "warm"]
        );
        assert_eq!(suite.measure.baseline, "warm@origin-main");
        assert_eq!(suite.reference("warm"), Some("warm@origin-main"));
        assert_eq!(suite.reference("cold"), Some("cold@origin-main"));
        assert_eq!(
            suite.reference("cold@origin-main"),
            Some("warm@origin-main")
        );
        assert_eq!(suite.revisions(), ["origin/main"]);
        assert!(suite.claims.is_empty());
    }

    #[test]
    fn a_guard_claims_something_of_each_scenario_and_metric() {
        let bound = Fraction::parse("5%").unwrap();
        let suite = against("HEAD~1", Guarding::MaxRegression(bound))
            .file
            .suite()
            .unwrap();
        let pairs: Vec<_> = suite
            .claimed_contrasts()
            .map(|pair| (pair.from.as_str(), pair.to.as_str()))
            .collect();
        assert_eq!(pairs, [("cold@HEAD-1", "cold"), ("warm@HEAD-1", "warm")]);
    }

    #[test]
    fn names_hold_as_much_of_a_revision_as_they_may() {
        assert_eq!(label("v1.2"), "v1.2");
        assert_eq!(
            label("0123456789abcdef0123456789abcdef01234567"),
            "0123456789ab"
        );
        assert_eq!(label("@{upstream}"), "@-upstream");
        assert_eq!(label("~"), "then");
    }
}
