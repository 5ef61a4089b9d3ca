//! Every launch at its time in the run: does the machine drift?

use plotters::backend::DrawingBackend;

use super::super::draw::{
    ChartError, Drawing, Fill, Look, MARGIN, Part, Scale, Sheet, WIDTH, thinned,
};
use super::super::numbers;
use super::super::theme::Ink;
use super::heading::Heading;
use super::rows::Arrangement;
use super::samples::{Row, Sample, fences, rows, series};
use super::{Body, Chart, axis};
use crate::analysis::Analysis;
use crate::record::{Record, Role};
use crate::stats::describe::quantile_of_sorted;
use crate::suite::Metric;

const RADIUS: f64 = 2.5;
const STRIP: f64 = 70.0;
/// Between one row and the next.
const GAP: f64 = 12.0;
const AXIS: f64 = 62.0;
const LEFT: f64 = MARGIN + 62.0;
const MOST: usize = 2000;
/// Launches that the drawn median runs over.
const WINDOW: usize = 7;

/// Rows of launches over the run's time, each relative to its scenario's median.
#[derive(Debug, Clone)]
pub struct RunOrder {
    heading: Heading,
    rows: Vec<Row>,
    /// What each row says at its right.
    facts: Vec<String>,
    names: Arrangement,
    /// The greatest deviation that is drawn in its place, as a share.
    span: f64,
}

/// The chart of one metric.
pub fn chart(record: &Record, analysis: &Analysis, metric: Metric) -> Chart {
    let rows = rows(record, analysis, metric);
    let baseline = &record.suite.measure.baseline;
    let drift = rows
        .iter()
        .find(|row| row.role == Role::Itself && &row.label == baseline)
        .and_then(|row| drift(&row.samples));
    let title = match drift {
        Some(share) => format!(
            "Over the run, {baseline} got {} % {} ({metric}, last third against first)",
            numbers::fixed(share.abs() * 100.0, 1),
            match share < 0.0 {
                true => "faster",
                false => "slower",
            }
        ),
        None => format!("Every launch's {metric} at its time in the run"),
    };
    let notes = "Each dot is one launch: its deviation from its scenario's median. Line: a \
                 running median. What all rows share is drift.";
    let span = span(&rows);
    let facts: Vec<String> = rows.iter().map(|row| facts(row, span)).collect();
    let labels = rows.iter().map(|row| row.label.as_str());
    let heading = Heading::new(&title, notes);
    Chart {
        name: format!("run-order-{metric}"),
        caption:
            "Scenarios are compared inside of blocks, so that drift does not enter the shifts."
                .to_owned(),
        series: series(&rows, metric, every),
        of: Vec::new(),
        body: Body::RunOrder(RunOrder {
            names: Arrangement::of(labels.zip(facts.iter().map(String::as_str))),
            heading,
            span,
            rows,
            facts,
        }),
        title,
        notes: notes.to_owned(),
    }
}

fn every(row: &Row) -> usize {
    thinned(row.samples.len(), MOST)
}

fn facts(row: &Row, span: f64) -> String {
    let mut facts = vec![row.median()];
    facts.extend(row.failed().map(|failed| format!("{failed} (crosses)")));
    let every = every(row);
    let beyond = row
        .samples
        .iter()
        .step_by(every)
        .filter(|sample| {
            row.deviation(sample)
                .is_some_and(|share| share.abs() > span)
        })
        .count();
    if beyond > 0 {
        facts.push(format!("{beyond} beyond the scale (rings)"));
    }
    if every > 1 {
        facts.push(format!("every {every}th launch shown"));
    }
    facts.join(", ")
}

/// The median of the last third over that of the first, less one.
fn drift(samples: &[Sample]) -> Option<f64> {
    let third = samples.len() / 3;
    if third < 3 {
        return None;
    }
    let first = median(&samples[..third])?;
    let last = median(&samples[samples.len() - third..])?;
    Some(last / first - 1.0).filter(|share| share.is_finite())
}

fn median(samples: &[Sample]) -> Option<f64> {
    let mut sorted: Vec<f64> = samples.iter().map(|sample| sample.ms).collect();
    sorted.sort_by(f64::total_cmp);
    quantile_of_sorted(&sorted, 0.5)
}

fn span(rows: &[Row]) -> f64 {
    rows.iter()
        .filter_map(|row| {
            let deviations = row
                .samples
                .iter()
                .filter_map(|sample| row.deviation(sample));
            let (low, high) = fences(deviations)?;
            Some(low.abs().max(high.abs()))
        })
        .fold(0.01, f64::max)
        .min(2.0)
        * 1.05
}

impl RunOrder {
    /// From one row to the next.
    fn row(&self) -> f64 {
        self.names.height() + STRIP + GAP
    }

    fn draw_row<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        row: &Row,
        time: &Scale,
        top: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let ink = Ink::Scenario(row.colour);
        let share = Scale::exact(-self.span, self.span, top + STRIP, top);
        for (level, label) in self.levels() {
            let y = share.place(level);
            sheet.line((LEFT, y), (WIDTH - MARGIN, y), Ink::Faint, 1.0)?;
            sheet.text(LEFT - 8.0, y + 5.0, &label, Look::QUIET.right())?;
        }
        for at in row.failures.iter().take(MOST) {
            sheet.cross((time.clamped(*at), top + STRIP - 5.0), ink)?;
        }
        let every = every(row);
        let mut dots = Vec::new();
        for sample in row.samples.iter().step_by(every) {
            // All of a row's have one, or none.
            let Some(deviation) = row.deviation(sample) else {
                continue;
            };
            let fill = match share.holds(deviation) {
                true => Fill::Solid,
                false => Fill::Outline,
            };
            let at = (time.clamped(sample.at_s), share.clamped(deviation));
            dots.push((at, fill));
        }
        sheet.dots(&dots, RADIUS, ink)?;
        let line: Vec<(f64, f64)> = row
            .samples
            .windows(WINDOW)
            .step_by(every)
            .filter_map(|window| {
                let ms = median(window)?;
                let middle = *window.get(WINDOW / 2)?;
                let deviation = row.deviation(&Sample { ms, ..middle })?;
                Some((time.clamped(middle.at_s), share.clamped(deviation)))
            })
            .collect();
        if line.len() > 1 {
            sheet.path(&line, Ink::Text, 2.0)?;
        }
        Ok(())
    }

    /// A round share above and below the median, and the median itself.
    fn levels(&self) -> Vec<(f64, String)> {
        let percent = [100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0, 0.5]
            .into_iter()
            .find(|percent| percent / 100.0 <= self.span * 0.9)
            .unwrap_or(0.5);
        [percent, 0.0, -percent]
            .map(|level| {
                let decimals = usize::from(percent < 1.0 && level != 0.0);
                (
                    level / 100.0,
                    format!("{} %", numbers::signed(level, decimals)),
                )
            })
            .to_vec()
    }
}

impl Drawing for RunOrder {
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
        let times = self.rows.iter().flat_map(|row| {
            let samples = row.samples.iter().map(|sample| sample.at_s);
            samples.chain(row.failures.iter().copied())
        });
        let time = Scale::linear(times.chain([0.0]), LEFT + RADIUS, WIDTH - MARGIN - RADIUS);
        sheet.part(Part::Foot, |sheet| {
            axis::below(sheet, &time, bottom, "s since the first launch")
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
                self.draw_row(sheet, row, &time, top + self.names.height())
            })?;
        }
        Ok(())
    }
}
