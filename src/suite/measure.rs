//! `[measure]`: what is read off the launches, and when to stop.

use std::time::Duration;

use toml::Spanned;

use super::error::SuiteError;
use super::model::*;
use super::quantity::Fraction;
use super::validate::SuiteFile;
use super::wire::*;

const DEFAULT_BUDGET: Duration = Duration::from_secs(90);
const DEFAULT_PRECISION: Fraction = Fraction::percent(2);
const DEFAULT_MIN_BLOCKS: u32 = 20;
const DEFAULT_MAX_BLOCKS: u32 = 10_000;

impl SuiteFile {
    pub(super) fn measure(
        &self,
        wire: &WireMeasure,
        app: &App,
        scenarios: &[Scenario],
    ) -> Result<Measure, SuiteError> {
        let baseline = match &wire.baseline {
            Some(name) => self.known_scenario(name, scenarios)?,
            None => scenarios[0].name.clone(),
        };
        let metrics = match &wire.metrics {
            Some(names) => {
                let mut metrics = Vec::new();
                for name in names {
                    let metric = self.metric(name)?;
                    self.check_metric(name.span().start, metric, app)?;
                    if !metrics.contains(&metric) {
                        metrics.push(metric);
                    }
                }
                metrics
            }
            None => Metric::ALL
                .into_iter()
                .filter(|metric| match metric {
                    Metric::Ready => app.ready != Readiness::Exit,
                    Metric::Exit => app.ready == Readiness::Exit,
                    Metric::Import => app.module.is_some(),
                })
                .collect(),
        };
        if metrics.is_empty() {
            return Err(self.at(
                0,
                "no metric is measured",
                "give measure.metrics at least one of \"ready\", \"exit\", \"import\"",
            ));
        }
        let blocks = |wire: &Option<Spanned<i64>>, default: u32| match wire {
            None => Ok(default),
            Some(number) => u32::try_from(*number.get_ref())
                .ok()
                .filter(|&number| number >= 1)
                .ok_or_else(|| {
                    self.wrong(
                        number,
                        format!("{} is not a number of blocks", number.get_ref()),
                        "give a whole number of at least 1",
                    )
                }),
        };
        let until = self.choice(
            wire.until.as_ref(),
            "until",
            Goal::Precise,
            &[Goal::Precise, Goal::Decided].map(|until| (until.name(), until)),
        )?;
        let min_blocks = match until {
            Goal::Precise => DEFAULT_MIN_BLOCKS,
            // Its intervals are valid at every look.
            Goal::Decided => 1,
        };
        let max_blocks = blocks(&wire.max_blocks, DEFAULT_MAX_BLOCKS)?;
        Ok(Measure {
            baseline,
            metrics,
            budget: match &wire.budget {
                Some(text) => self.positive_duration(text)?,
                None => DEFAULT_BUDGET,
            },
            until,
            precision: match &wire.precision {
                Some(text) => self.reachable(text)?,
                None => DEFAULT_PRECISION,
            },
            min_blocks: blocks(&wire.min_blocks, min_blocks)?.min(max_blocks),
            max_blocks,
            counter: self.choice(
                wire.counter.as_ref(),
                "counter",
                None,
                &[(Counter::Instructions.name(), Some(Counter::Instructions))],
            )?,
        })
    }

    fn reachable(&self, text: &Spanned<String>) -> Result<Fraction, SuiteError> {
        let precision = self.quantity(text, Fraction::parse)?;
        if precision.get() == 0.0 {
            let message = "no interval is ever so narrow";
            return Err(self.wrong(text, message, "such as \"2%\""));
        }
        Ok(precision)
    }

    fn check_metric(&self, offset: usize, metric: Metric, app: &App) -> Result<(), SuiteError> {
        let (message, help) = match metric {
            Metric::Ready if app.ready == Readiness::Exit => (
                "the metric `ready` needs to know when the app is ready",
                "add app.ready, such as ready = { http = \"/\", status = 200 }",
            ),
            Metric::Exit if app.ready != Readiness::Exit => (
                "the metric `exit` is for apps that end by themselves, and this one serves",
                "measure \"ready\", or take app.ready out",
            ),
            Metric::Import if app.module.is_none() => (
                "the metric `import` needs to know what to import",
                "add app.module, such as module = \"app\"",
            ),
            Metric::Ready | Metric::Exit | Metric::Import => return Ok(()),
        };
        Err(self.at(offset, message, help))
    }
}
