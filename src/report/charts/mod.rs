//! The charts: which there are for a record, and what each says in words.
//!
//! A chart is laid out from the record and the analysis first, then drawn, as SVG or PNG, by
//! one and the same code.

mod axis;
mod band;
mod break_even;
mod claim;
mod distribution;
mod forest;
mod heading;
mod overview;
mod rows;
mod run_order;
mod samples;
mod series;
mod waterfall;

use std::collections::BTreeSet;

use super::attached::Attached;
pub use super::draw::ChartError;
use super::draw::{Drawing, escaped, to_png, to_svg};
use super::theme::{Theme, dark_css};
use crate::analysis::{Across, Analysis};
use crate::record::Record;
pub use samples::colour;
pub use series::{Series, Values};

pub use overview::chart as overview_chart;
pub use waterfall::chart as waterfall_chart;

/// One chart, ready to be drawn.
#[derive(Debug, Clone)]
pub struct Chart {
    /// Unique among a record's charts; fit for a file's name.
    pub name: String,
    /// What it shows, as a finding.
    pub title: String,
    /// How to read it. Drawn below the title.
    pub notes: String,
    /// What else to know: what the picture does not say by itself.
    pub caption: String,
    /// What its dots stand for, row by row.
    pub(super) series: Vec<Series>,
    /// The scenarios without which it says nothing, by their places in the suite.
    pub(super) of: Vec<usize>,
    body: Body,
}

#[derive(Debug, Clone)]
enum Body {
    Distribution(distribution::Distribution),
    Claim(claim::ClaimChart),
    BreakEven(break_even::BreakEvenChart),
    RunOrder(run_order::RunOrder),
    Overview(overview::OverviewChart),
    Forest(forest::Forest),
    Waterfall(waterfall::Waterfall),
}

impl Chart {
    /// An SVG document: in the light theme, and in the dark one wherever its reader asks for
    /// that.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn svg(&self) -> Result<String, ChartError> {
        let style = format!("@media (prefers-color-scheme:dark){{\n{}}}", dark_css());
        self.marked_up(&format!("<style>{style}</style>\n"))
    }

    /// The same for a page whose own style holds [`dark_css`].
    pub(super) fn inline_svg(&self) -> Result<String, ChartError> {
        self.marked_up("")
    }

    /// A PNG picture, 1,120 pixels wide.
    ///
    /// # Errors
    /// When it cannot be drawn.
    pub fn png(&self, theme: Theme) -> Result<Vec<u8>, ChartError> {
        match &self.body {
            Body::Distribution(body) => to_png(body, theme),
            Body::Claim(body) => to_png(body, theme),
            Body::BreakEven(body) => to_png(body, theme),
            Body::RunOrder(body) => to_png(body, theme),
            Body::Overview(body) => to_png(body, theme),
            Body::Forest(body) => to_png(body, theme),
            Body::Waterfall(body) => to_png(body, theme),
        }
    }

    /// The drawing with what assistive technology reads, and a class for the style.
    fn marked_up(&self, style: &str) -> Result<String, ChartError> {
        let drawn = match &self.body {
            Body::Distribution(body) => svg(body),
            Body::Claim(body) => svg(body),
            Body::BreakEven(body) => svg(body),
            Body::RunOrder(body) => svg(body),
            Body::Overview(body) => svg(body),
            Body::Forest(body) => svg(body),
            Body::Waterfall(body) => svg(body),
        }?;
        let name = &self.name;
        let opening = format!(
            "<svg class=\"chart\" role=\"img\" aria-labelledby=\"{name}-title\" \
             aria-describedby=\"{name}-desc\" "
        );
        let told = format!(
            "<title id=\"{name}-title\">{}</title>\n<desc id=\"{name}-desc\">{}</desc>\n",
            escaped(&self.title),
            escaped(&self.notes)
        );
        let marked = drawn.replacen("<svg ", &opening, 1);
        Ok(match marked.split_once(">\n") {
            Some((start, rest)) => format!("{start}>\n{told}{style}{rest}"),
            None => marked,
        })
    }
}

fn svg(body: &impl Drawing) -> Result<String, ChartError> {
    to_svg(body, Theme::Light)
}

/// All charts of a record: claims first, as they are what was asked; then the distributions
/// and the break-even; the run's order last.
pub fn charts(record: &Record, analysis: &Analysis) -> Vec<Chart> {
    charts_with(record, analysis, &Attached::default())
}

/// The same, and those of what goes with the record.
pub fn charts_with(record: &Record, analysis: &Analysis, attached: &Attached) -> Vec<Chart> {
    let metrics = &record.suite.measure.metrics;
    let mut all = claim::charts(record, analysis);
    all.extend(
        metrics
            .iter()
            .map(|&metric| distribution::chart(record, analysis, metric)),
    );
    all.extend(break_even::chart(record, analysis));
    // Launches of several shards have no order in common.
    let ordered = metrics.iter().filter(|_| !record.header.is_merged());
    all.extend(ordered.map(|&metric| run_order::chart(record, analysis, metric)));
    let traced = attached.trace.iter().flat_map(|trace| &trace.scenarios);
    all.extend(traced.map(waterfall::chart_of_file));
    name_uniquely(&mut all);
    all
}

/// The charts of many records side by side, one for each effect.
pub fn across_charts(across: &Across) -> Vec<Chart> {
    let mut all = forest::charts(across);
    name_uniquely(&mut all);
    all
}

fn name_uniquely(charts: &mut [Chart]) {
    let mut taken = BTreeSet::new();
    for chart in charts {
        let name: String = chart
            .name
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .take(100)
            .collect();
        chart.name = (1..)
            .map(|count| match count {
                1 => name.clone(),
                _ => format!("{name}-{count}"),
            })
            .find(|name| !taken.contains(name))
            .unwrap_or_default();
        taken.insert(chart.name.clone());
    }
}

#[cfg(test)]
mod tests;
