//! Every launch of every scenario, in one metric.

use plotters::backend::DrawingBackend;

use super::super::draw::{
    ChartError, Drawing, Fill, MARGIN, Part, Scale, Sheet, WIDTH, swarm, thinned,
};
use super::super::theme::Ink;
use super::super::{numbers, words};
use super::heading::Heading;
use super::rows::Arrangement;
use super::samples::{Row, rows, series};
use super::{Body, Chart, axis};
use crate::analysis::Analysis;
use crate::record::{Record, Role};
use crate::suite::Metric;

const RADIUS: f64 = 3.0;
const STRIP: f64 = 38.0;
/// Between one row and the next.
const GAP: f64 = 10.0;
const AXIS: f64 = 62.0;
/// Dots drawn in a row at most.
const MOST: usize = 2000;

/// Rows of dots over one common axis.
#[derive(Debug, Clone)]
pub struct Distribution {
    heading: Heading,
    rows: Vec<Row>,
    /// What each row says at its right.
    facts: Vec<String>,
    names: Arrangement,
    metric: Metric,
    baseline_ms: Option<f64>,
}

/// The chart of one metric.
pub fn chart(record: &Record, analysis: &Analysis, metric: Metric) -> Chart {
    let rows = rows(record, analysis, metric);
    let baseline = &record.suite.measure.baseline;
    let baseline_ms = rows
        .iter()
        .find(|row| row.role == Role::Itself && &row.label == baseline)
        .and_then(|row| row.median_ms);
    let title = title(&rows, metric);
    let notes = format!(
        "Medians of {metric}. Each dot is one launch; line: median; bar: the middle 80 %.{}",
        match baseline_ms {
            Some(_) => format!(" Dashed: the median of {baseline}, the baseline."),
            None => String::new(),
        }
    );
    let twin = match rows.iter().any(|row| row.role == Role::Twin) {
        true => {
            "The twin is the baseline launched a second time in each block: how far the \
                 two lie apart is noise."
        }
        false => "",
    };
    let facts: Vec<String> = rows.iter().map(facts).collect();
    let labels = rows.iter().map(|row| row.label.as_str());
    let heading = Heading::new(&title, &notes);
    Chart {
        name: format!("distribution-{metric}"),
        caption: twin.to_owned(),
        series: series(&rows, metric, every),
        of: Vec::new(),
        body: Body::Distribution(Distribution {
            names: Arrangement::of(labels.zip(facts.iter().map(String::as_str))),
            heading,
            rows,
            facts,
            metric,
            baseline_ms,
        }),
        title,
        notes,
    }
}

fn every(row: &Row) -> usize {
    thinned(row.samples.len(), MOST)
}

fn facts(row: &Row) -> String {
    let mut facts = vec![row.median()];
    facts.extend(row.failed());
    let every = every(row);
    if every > 1 {
        facts.push(format!("every {every}th launch shown"));
    }
    facts.join(", ")
}

fn title(rows: &[Row], metric: Metric) -> String {
    let mut medians: Vec<(f64, &str)> = rows
        .iter()
        .filter(|row| row.role == Role::Itself)
        .filter_map(|row| Some((row.median_ms?, row.label.as_str())))
        .collect();
    medians.sort_by(|a, b| a.0.total_cmp(&b.0));
    let what = words::metric_finding(metric);
    match (medians.first(), medians.last()) {
        (Some(first), Some(last)) if medians.len() > 1 => format!(
            "{what} {} ms ({}) to {} ms ({})",
            numbers::time(first.0),
            first.1,
            numbers::time(last.0),
            last.1
        ),
        (Some(only), _) => format!("{what} {} ms ({})", numbers::time(only.0), only.1),
        _ => format!("No launch yielded the metric {metric}"),
    }
}

impl Distribution {
    /// From one row to the next.
    fn row(&self) -> f64 {
        self.names.height() + STRIP + GAP
    }

    fn scale(&self) -> Scale {
        let samples = self.rows.iter().flat_map(|row| {
            row.samples
                .iter()
                .map(|sample| sample.ms)
                .chain(row.median_ms)
                .chain(row.middle_ms.map(|(low, _)| low))
        });
        Scale::times(samples, MARGIN + RADIUS, WIDTH - MARGIN - RADIUS)
    }

    fn draw_row<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        row: &Row,
        scale: &Scale,
        top: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let ink = Ink::Scenario(row.colour);
        let strip = (top, top + STRIP);
        let middle = top + STRIP / 2.0;
        if let Some((low, high)) = row.middle_ms {
            let (low, high) = (scale.clamped(low), scale.clamped(high));
            sheet.rectangle((low, strip.0), (high, strip.1), ink, 0.16)?;
        }
        // Below the dots: none must be hidden by it.
        if let Some(median) = row.median_ms {
            let x = scale.clamped(median);
            sheet.rectangle(
                (x - 1.25, strip.0 - 3.0),
                (x + 1.25, strip.1 + 3.0),
                Ink::Text,
                1.0,
            )?;
        }
        let places: Vec<f64> = row
            .samples
            .iter()
            .step_by(every(row))
            .map(|sample| scale.clamped(sample.ms))
            .collect();
        let offsets = swarm(&places, RADIUS, STRIP / 2.0 - RADIUS);
        let dots: Vec<_> = places
            .iter()
            .zip(offsets)
            .map(|(x, offset)| ((*x, middle + offset), Fill::Solid))
            .collect();
        sheet.dots(&dots, RADIUS, ink)
    }
}

impl Drawing for Distribution {
    fn height(&self) -> f64 {
        self.heading.bottom() + self.rows.len() as f64 * self.row() + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let top = self.heading.bottom();
        let bottom = top + self.rows.len() as f64 * self.row();
        let scale = self.scale();
        let meaning = words::time_axis(self.metric, &scale);
        sheet.part(Part::Foot, |sheet| {
            axis::below(sheet, &scale, bottom, &meaning)
        })?;
        for (index, (row, facts)) in self.rows.iter().zip(&self.facts).enumerate() {
            let top = top + index as f64 * self.row();
            let ink = Ink::Scenario(row.colour);
            let part = Part::Row {
                row: index,
                of: &[row.scenario],
                height: self.row(),
            };
            sheet.part(part, |sheet| {
                self.names.draw(sheet, (&row.label, facts), ink, top)?;
                let strip = (top + self.names.height(), top + self.row() - GAP / 2.0);
                axis::grid(sheet, &scale, strip)?;
                if let Some(ms) = self.baseline_ms {
                    let x = scale.clamped(ms);
                    sheet.dashes((x, strip.0), (x, strip.1), Ink::Quiet, 1.0)?;
                }
                self.draw_row(sheet, row, &scale, strip.0)
            })?;
        }
        Ok(())
    }
}
