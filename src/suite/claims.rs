//! `[[claim]]`: which of the forms of `expect` a claim uses, and whether it fits its subject.

use std::time::Duration;

use toml::Spanned;

use super::error::SuiteError;
use super::model::*;
use super::quantity::{Fraction, parse_duration};
use super::validate::SuiteFile;
use super::wire::*;

const CONTRAST_FORMS: &str = "for a contrast, `expect` is one of { saves, within }, { costs, within }, \
     { saves-between = [low, high] }, { saves-at-least }, { saves-at-most }, { costs-at-most }, \
     { no-effect-within }, { max-regression }";
const RECEIPT_FORMS: &str = "for a scenario, `expect` has one or more of cached, app-compiled, compiled, \
     written, prefix-pycs, prefix-pycache-folders, compile-time-between, second-import-compiled, \
     second-import-opened, pycs-per-module";

impl SuiteFile {
    pub(super) fn claims(
        &self,
        wire: &[WireClaim],
        scenarios: &[Scenario],
        measure: &Measure,
    ) -> Result<Vec<Claim>, SuiteError> {
        let mut claims: Vec<Claim> = Vec::new();
        for wire in wire {
            let id = self.name(&wire.id, "a claim's id")?;
            if claims.iter().any(|claim| claim.id == id) {
                return Err(self.wrong(
                    &wire.id,
                    format!("there are two claims `{id}`"),
                    "give each its own id",
                ));
            }
            claims.push(Claim {
                id,
                text: wire.text.clone(),
                expectation: self.expectation(wire, scenarios, measure)?,
            });
        }
        Ok(claims)
    }

    fn expectation(
        &self,
        wire: &WireClaim,
        scenarios: &[Scenario],
        measure: &Measure,
    ) -> Result<Expectation, SuiteError> {
        match (&wire.contrast, &wire.scenario) {
            (Some(contrast), None) => {
                let metric = self.metric(&contrast.metric)?;
                if !measure.metrics.contains(&metric) {
                    return Err(self.wrong(
                        &contrast.metric,
                        format!("the metric `{metric}` is not measured"),
                        "add it to measure.metrics",
                    ));
                }
                let from = self.known_scenario(&contrast.from, scenarios)?;
                let to = self.known_scenario(&contrast.to, scenarios)?;
                if from == to {
                    return Err(self.wrong(
                        &contrast.to,
                        "a contrast needs two different scenarios",
                        "the baseline's own noise is measured by its twin in any case",
                    ));
                }
                Ok(Expectation::Contrast {
                    contrast: ContrastSpec { from, to, metric },
                    effect: self.effect(&wire.expect)?,
                })
            }
            (None, Some(scenario)) => Ok(Expectation::Receipt {
                scenario: self.known_scenario(scenario, scenarios)?,
                evidence: self.evidence(&wire.expect, measure)?,
            }),
            _ => Err(self.wrong(
                &wire.id,
                "a claim speaks either of a contrast or of a scenario",
                "give it `contrast = { from, to, metric }` or `scenario = \"name\"`, not both",
            )),
        }
    }

    fn effect(&self, wire: &Spanned<WireExpect>) -> Result<Effect, SuiteError> {
        let duration = |text: &Spanned<String>| self.quantity(text, parse_duration);
        match wire.get_ref() {
            WireExpect {
                saves: Some(saves),
                within: Some(within),
                ..
            } if only(wire, 2) => Ok(Effect::SavesAbout {
                value: duration(saves)?,
                margin: self.margin(within)?,
            }),
            WireExpect {
                costs: Some(costs),
                within: Some(within),
                ..
            } if only(wire, 2) => Ok(Effect::CostsAbout {
                value: duration(costs)?,
                margin: self.margin(within)?,
            }),
            WireExpect {
                saves_between: Some(ends),
                ..
            } if only(wire, 1) && ends.len() == 2 => {
                let (low, high) = self.ends(&ends[0], &ends[1])?;
                Ok(Effect::SavesBetween { low, high })
            }
            WireExpect {
                saves_at_least: Some(bound),
                ..
            } if only(wire, 1) => Ok(Effect::SavesAtLeast(duration(bound)?)),
            WireExpect {
                saves_at_most: Some(bound),
                ..
            } if only(wire, 1) => Ok(Effect::SavesAtMost(duration(bound)?)),
            WireExpect {
                costs_at_most: Some(bound),
                ..
            } if only(wire, 1) => Ok(Effect::CostsAtMost(duration(bound)?)),
            WireExpect {
                no_effect_within: Some(margin),
                ..
            } if only(wire, 1) => Ok(Effect::None {
                margin: self.margin(margin)?,
            }),
            WireExpect {
                max_regression: Some(bound),
                ..
            } if only(wire, 1) => {
                let text = bound;
                let bound = self.quantity(text, Fraction::parse)?;
                if bound.get() <= 0.0 {
                    return Err(self.wrong(
                        text,
                        "that nothing at all has changed, no measurement can show",
                        "give a share of a start that a change must not cost, such as \"5%\"",
                    ));
                }
                Ok(Effect::MaxRegression(bound))
            }
            _ => Err(self.wrong(
                wire,
                "this expectation is none for a contrast",
                CONTRAST_FORMS,
            )),
        }
    }

    /// Two bounds, the lower one first.
    fn ends(
        &self,
        low: &Spanned<String>,
        high: &Spanned<String>,
    ) -> Result<(Duration, Duration), SuiteError> {
        let ends = (
            self.quantity(low, parse_duration)?,
            self.quantity(high, parse_duration)?,
        );
        if ends.0 > ends.1 {
            return Err(self.wrong(
                low,
                "the lower bound is above the upper one",
                "write the smaller one first",
            ));
        }
        Ok(ends)
    }

    fn evidence(
        &self,
        wire: &Spanned<WireExpect>,
        measure: &Measure,
    ) -> Result<Evidence, SuiteError> {
        let expect = wire.get_ref();
        let count = |count: &Option<Spanned<WireCount>>| {
            count.as_ref().map(|count| self.count(count)).transpose()
        };
        let evidence = Evidence {
            cached: expect.cached.clone().map(|mut modules| {
                modules.sort();
                modules
            }),
            app_compiled: count(&expect.app_compiled)?,
            compiled: count(&expect.compiled)?,
            written: count(&expect.written)?,
            prefix_pycs: count(&expect.prefix_pycs)?,
            prefix_pycache_folders: count(&expect.prefix_pycache_folders)?,
            compile_time: self.compile_time(wire)?,
            second_import_compiled: count(&expect.second_import_compiled)?,
            second_import_opened: count(&expect.second_import_opened)?,
            pycs_per_module: count(&expect.pycs_per_module)?,
        };
        if evidence == Evidence::default() || contrast_keys(expect) > 0 {
            return Err(self.wrong(
                wire,
                "this expectation is none for a scenario's receipt",
                RECEIPT_FORMS,
            ));
        }
        let again = [&expect.second_import_compiled, &expect.second_import_opened];
        if let Some(unseen) = again.into_iter().flatten().next()
            && !measure.metrics.contains(&Metric::Import)
        {
            return Err(self.wrong(
                unseen,
                "a second import is looked at where a module is imported, and none is",
                "add \"import\" to measure.metrics",
            ));
        }
        Ok(evidence)
    }

    fn compile_time(
        &self,
        wire: &Spanned<WireExpect>,
    ) -> Result<Option<(Duration, Duration)>, SuiteError> {
        match wire.get_ref().compile_time_between.as_deref() {
            None => Ok(None),
            Some([low, high]) => self.ends(low, high).map(Some),
            Some(_) => Err(self.wrong(
                wire,
                "`compile-time-between` has two bounds",
                "write it as [\"1ms\", \"10ms\"]",
            )),
        }
    }

    fn count(&self, wire: &Spanned<WireCount>) -> Result<Count, SuiteError> {
        let count = match wire.get_ref() {
            WireCount::Exactly(number) => Count {
                at_least: *number,
                at_most: *number,
            },
            WireCount::Bounds(bounds) => Count {
                at_least: bounds.at_least.unwrap_or(0),
                at_most: bounds.at_most.unwrap_or(u64::MAX),
            },
        };
        if count.at_least > count.at_most {
            return Err(self.wrong(
                wire,
                "no number is within these bounds",
                "at-least must not be above at-most",
            ));
        }
        Ok(count)
    }
}

/// Are `wanted` keys given, all of them for a contrast?
fn only(wire: &Spanned<WireExpect>, wanted: usize) -> bool {
    contrast_keys(wire.get_ref()) == wanted && receipt_keys(wire.get_ref()) == 0
}

fn contrast_keys(expect: &WireExpect) -> usize {
    [
        expect.saves.is_some(),
        expect.costs.is_some(),
        expect.within.is_some(),
        expect.saves_between.is_some(),
        expect.saves_at_least.is_some(),
        expect.saves_at_most.is_some(),
        expect.costs_at_most.is_some(),
        expect.no_effect_within.is_some(),
        expect.max_regression.is_some(),
    ]
    .into_iter()
    .filter(|given| *given)
    .count()
}

fn receipt_keys(expect: &WireExpect) -> usize {
    [
        expect.cached.is_some(),
        expect.app_compiled.is_some(),
        expect.compiled.is_some(),
        expect.written.is_some(),
        expect.prefix_pycs.is_some(),
        expect.prefix_pycache_folders.is_some(),
        expect.compile_time_between.is_some(),
        expect.second_import_compiled.is_some(),
        expect.second_import_opened.is_some(),
        expect.pycs_per_module.is_some(),
    ]
    .into_iter()
    .filter(|given| *given)
    .count()
}
