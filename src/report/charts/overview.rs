//! Several apps in one picture: what a cache saves each of them, and what a prefix's first start
//! costs.

use plotters::backend::DrawingBackend;

use super::super::draw::{ChartError, Drawing, MARGIN, Scale, Sheet, WIDTH};
use super::super::numbers::{self, ends};
use super::super::overview::Row;
use super::super::theme::Ink;
use super::super::words;
use super::heading::Heading;
use super::rows::Arrangement;
use super::{Body, Chart, axis};
use crate::stats::interval::Estimate;

const STRIP: f64 = 20.0;
const GAP: f64 = 12.0;
const AXIS: f64 = 62.0;
const SAVED: Ink = Ink::Scenario(0);
const COST: Ink = Ink::Scenario(1);

/// A row for each app, in the order in which they were given.
#[derive(Debug, Clone)]
pub struct OverviewChart {
    heading: Heading,
    rows: Vec<Row>,
    facts: Vec<String>,
}

/// The chart of these apps.
pub fn chart(rows: &[Row]) -> Chart {
    let title = title(rows);
    let notes = "Upper bar: what each start saves when everything is cached (warm) instead of \
                 nothing (cold). Lower bar: what the first start under an empty prefix costs more \
                 than a cold one. Diamonds and whiskers: estimate and 95 % interval.";
    let facts = rows
        .iter()
        .map(|row| format!("break-even: {}", words::starts(&row.starts)))
        .collect();
    Chart {
        name: "chart".to_owned(),
        caption: String::new(),
        series: Vec::new(),
        of: Vec::new(),
        body: Body::Overview(OverviewChart {
            heading: Heading::new(&title, notes),
            rows: rows.to_vec(),
            facts,
        }),
        title,
        notes: notes.to_owned(),
    }
}

fn title(rows: &[Row]) -> String {
    let range = |of: fn(&Row) -> f64| {
        let (low, high) = rows
            .iter()
            .map(of)
            .filter(|ms| ms.is_finite())
            .fold((f64::MAX, f64::MIN), |(low, high), ms| {
                (low.min(ms), high.max(ms))
            });
        let ms = |value| numbers::fixed(value, 0);
        if low > high {
            "an unknown time".to_owned()
        } else if rows.len() == 1 {
            format!("{} ms", ms(low))
        } else {
            format!("{} to {} ms", ms(low), ms(high))
        }
    };
    format!(
        "A bytecode cache saves {} per start; a prefix's first start costs {} once",
        range(|row| row.saved_ms.estimate),
        range(|row| row.first_ms.estimate),
    )
}

impl OverviewChart {
    fn arrangement(&self) -> Arrangement {
        let facts = self.facts.iter().map(String::as_str);
        Arrangement::of(self.rows.iter().map(|row| row.app.as_str()).zip(facts))
    }

    fn row_height(&self) -> f64 {
        self.arrangement().height() + 2.0 * STRIP + GAP
    }

    fn scale(&self) -> Scale {
        let estimates = self
            .rows
            .iter()
            .flat_map(|row| [row.saved_ms, row.first_ms]);
        let values = estimates.flat_map(|each| {
            let (low, high) = ends(&each).unzip();
            [Some(each.estimate), low, high]
        });
        let values = values.flatten().filter(|ms| ms.is_finite());
        Scale::linear(values.chain([0.0]), MARGIN + 4.0, WIDTH - MARGIN - 4.0)
    }
}

fn bar<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    scale: &Scale,
    of: &Estimate,
    ink: Ink,
    middle: f64,
) -> Result<(), ChartError>
where
    DB::ErrorType: 'static,
{
    if !of.estimate.is_finite() {
        return Ok(());
    }
    let at = scale.clamped(of.estimate);
    let (zero, half) = (scale.place(0.0), STRIP / 2.0 - 3.0);
    sheet.rectangle((zero, middle - half), (at, middle + half), ink, 0.35)?;
    let interval = ends(of).map(|(low, high)| (scale.clamped(low), scale.clamped(high)));
    sheet.estimate((at, middle), interval, ink)
}

impl Drawing for OverviewChart {
    fn height(&self) -> f64 {
        self.heading.bottom() + self.rows.len() as f64 * self.row_height() + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let scale = self.scale();
        let arrangement = self.arrangement();
        let mut top = self.heading.bottom();
        for (row, facts) in self.rows.iter().zip(&self.facts) {
            arrangement.draw(sheet, (&row.app, facts), Ink::Text, top)?;
            let strip = top + arrangement.height();
            axis::grid(sheet, &scale, (strip, strip + 2.0 * STRIP))?;
            bar(sheet, &scale, &row.saved_ms, SAVED, strip + 0.5 * STRIP)?;
            bar(sheet, &scale, &row.first_ms, COST, strip + 1.5 * STRIP)?;
            let zero = scale.place(0.0);
            sheet.line((zero, strip), (zero, strip + 2.0 * STRIP), Ink::Quiet, 1.5)?;
            top += self.row_height();
        }
        axis::below(
            sheet,
            &scale,
            top - 4.0,
            "ms: saved per start (upper bar), first start's cost (lower bar)",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::Starts;

    #[test]
    fn a_title_speaks_of_what_is_known() {
        let row = |ms: f64| {
            let estimate = Estimate {
                estimate: ms,
                interval: None,
            };
            Row {
                app: "x".to_owned(),
                blocks: 1,
                metric: "exit",
                warm_ms: ms,
                saved_ms: estimate,
                first_ms: estimate,
                starts: Starts::Unknown,
            }
        };
        for (rows, range) in [
            (vec![row(20.0)], " 20 ms "),
            (vec![row(20.0), row(f64::NAN), row(5.0)], " 5 to 20 ms "),
            (vec![row(f64::NAN)], " an unknown time "),
        ] {
            let title = title(&rows);
            assert!(title.contains(range), "{title}");
        }
    }
}
