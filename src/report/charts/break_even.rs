//! When has each fix paid back its first start?
//!
//! Two lines of total time against the number of restarts would lie on each other: 36 starts take
//! ten seconds, and the fix is never more than one ahead or behind. So the chart shows what lies
//! between them, for all fixes in one, with the time without the fix as the zero line.

use plotters::backend::DrawingBackend;

use super::super::draw::{
    ChartError, Drawing, Labels, Look, MARGIN, Part, Scale, Sheet, WIDTH, fit,
};
use super::super::numbers::ends;
use super::super::theme::Ink;
use super::super::words;
use super::heading::Heading;
use super::rows::Arrangement;
use super::samples::{colour, places};
use super::{Body, Chart, axis};
use crate::analysis::{Analysis, BreakEven, Starts};
use crate::record::Record;
use crate::stats::interval::Estimate;

/// What the vertical axis's meaning takes, above it.
const MEANING: f64 = 26.0;
const PLOT: f64 = 260.0;
/// Between the plot and the rows, and between these.
const GAP: f64 = 10.0;
const STRIP: f64 = 22.0;
const AXIS: f64 = 62.0;
const LEFT: f64 = MARGIN + 66.0;
/// Where lines end: their numbers stand behind.
const RIGHT: f64 = WIDTH - MARGIN - 18.0;
/// Numbers of starts that differ more often than this are shown logarithmically.
const LOG_FROM: f64 = 8.0;

/// The balances of all fixes.
#[derive(Debug, Clone)]
pub struct BreakEvenChart {
    heading: Heading,
    fixes: Vec<Fix>,
    names: Arrangement,
}

/// The balance of one fix.
#[derive(Debug, Clone)]
struct Fix {
    data: BreakEven,
    name: String,
    facts: String,
    colour: usize,
    /// Its scenarios' places in the suite.
    of: Vec<usize>,
}

/// The chart of those balances that can be computed, if there is any.
pub fn chart(record: &Record, analysis: &Analysis) -> Option<Chart> {
    let known: Vec<&BreakEven> = analysis
        .break_even
        .iter()
        .filter(|data| {
            data.first_start_cost_ms.estimate.is_finite()
                && data.saved_per_start_ms.estimate.is_finite()
        })
        .collect();
    let title = title(&known)?;
    let notes = "Total time with a fix, less the total time without it, for as many restarts. \
                 Shaded: by the ends of the intervals. Below: when each fix is paid back.";
    let colours = colours(record, &known);
    let fixes: Vec<Fix> = known
        .iter()
        .zip(colours)
        .enumerate()
        .map(|(index, (data, colour))| fix(record, data, colour, index + 1, known.len()))
        .collect();
    let rows = fixes
        .iter()
        .map(|fix| (fix.name.as_str(), fix.facts.as_str()));
    Some(Chart {
        name: "break-even".to_owned(),
        caption: caption(&known),
        series: Vec::new(),
        of: Vec::new(),
        body: Body::BreakEven(BreakEvenChart {
            heading: Heading::new(&title, notes),
            names: Arrangement::of(rows),
            fixes,
        }),
        title,
        notes: notes.to_owned(),
    })
}

fn fix(record: &Record, data: &BreakEven, colour: usize, number: usize, of: usize) -> Fix {
    let pair = format!("{} instead of {}", data.scenario, data.from);
    Fix {
        name: match of {
            1 => pair,
            _ => format!("{number}  {pair}"),
        },
        facts: words::starts(&data.starts),
        colour,
        of: places(record, [&data.from, &data.scenario]),
        data: data.clone(),
    }
}

/// What is found, of one fix in full and of several the soonest.
fn title(known: &[&BreakEven]) -> Option<String> {
    if let [only] = known {
        return Some(words::break_even(only));
    }
    let number = |data: &BreakEven| match data.starts {
        Starts::AtOnce => Some(1.0),
        Starts::After { estimate, .. } => Some(estimate),
        Starts::Never | Starts::Unknown => None,
    };
    let soonest = known
        .iter()
        .filter(|data| number(data).is_some())
        .min_by(|a, b| {
            number(a)
                .partial_cmp(&number(b))
                .unwrap_or(std::cmp::Ordering::Equal)
        });
    let is_unknown = |data: &&BreakEven| data.starts == Starts::Unknown;
    Some(match soonest {
        Some(data) => {
            let after = match data.starts {
                Starts::AtOnce => "at once".to_owned(),
                _ => format!("after {}", words::starts(&data.starts)),
            };
            format!(
                "{} instead of {} is paid back soonest: {after}",
                data.scenario, data.from
            )
        }
        None if known.iter().any(is_unknown) => {
            "Whether a fix pays back its first start cannot be told from noise".to_owned()
        }
        None if known.is_empty() => return None,
        None => "No fix pays back its first start".to_owned(),
    })
}

fn caption(known: &[&BreakEven]) -> String {
    let of = |data: &BreakEven| match data.starts {
        Starts::After { .. } => "Until then the fix has cost time; from then on it has saved some.",
        Starts::AtOnce => "The fix saves time from its first start on.",
        Starts::Never => "No number of starts makes up for the first one.",
        Starts::Unknown => "Whether it ever pays back cannot be told from noise.",
    };
    match known {
        [only] => of(only).to_owned(),
        _ => "Above zero a fix has cost time up to then, below it has saved some.".to_owned(),
    }
}

/// A colour for each that no other has: the fix's own, or that of what it is a fix for.
fn colours(record: &Record, known: &[&BreakEven]) -> Vec<usize> {
    let of = |name: fn(&BreakEven) -> &str| -> Vec<usize> {
        let name = |data: &&BreakEven| colour(&record.suite, name(data));
        known.iter().map(name).collect()
    };
    let differ = |colours: &Vec<usize>| {
        (1..colours.len()).all(|index| !colours[..index].contains(&colours[index]))
    };
    [of(|data| &data.scenario), of(|data| &data.from)]
        .into_iter()
        .find(differ)
        .unwrap_or_else(|| (0..known.len()).collect())
}

impl Fix {
    /// How far the fix is behind after so many starts, by given ends of both estimates.
    fn behind((cost_ms, saved_ms): (f64, f64), starts: f64) -> f64 {
        (cost_ms - (starts - 1.0) * saved_ms) / 1e3
    }

    fn middle(&self) -> (f64, f64) {
        let data = &self.data;
        (
            data.first_start_cost_ms.estimate,
            data.saved_per_start_ms.estimate,
        )
    }

    /// The costly end of the first start with the meagre end of the saving.
    fn worst(&self) -> (f64, f64) {
        let (cost, saved) = (
            &self.data.first_start_cost_ms,
            &self.data.saved_per_start_ms,
        );
        (end(cost, |(_, high)| high), end(saved, |(low, _)| low))
    }

    fn best(&self) -> (f64, f64) {
        let (cost, saved) = (
            &self.data.first_start_cost_ms,
            &self.data.saved_per_start_ms,
        );
        (end(cost, |(low, _)| low), end(saved, |(_, high)| high))
    }

    /// How far the axis must reach for this fix to be seen paying back.
    fn reach(&self) -> f64 {
        match self.data.starts {
            Starts::After { estimate, high, .. } if estimate.is_finite() => {
                // A range with a far end must not squeeze the crossing into a corner.
                let far = high
                    .filter(|high| high.is_finite())
                    .unwrap_or(estimate * 3.0);
                (estimate * 1.5).max(far.min(estimate * 3.0) * 1.15)
            }
            _ if self.data.first_start_cost_ms.estimate > 0.0 => 50.0,
            _ => 20.0,
        }
    }
}

fn end(of: &Estimate, which: fn((f64, f64)) -> f64) -> f64 {
    ends(of).map_or(of.estimate, which)
}

impl BreakEvenChart {
    fn plot_top(&self) -> f64 {
        self.heading.bottom() + MEANING
    }

    /// From one row to the next.
    fn row(&self) -> f64 {
        self.names.height() + STRIP + GAP
    }

    fn rows_top(&self) -> f64 {
        self.plot_top() + PLOT + GAP
    }

    /// The last start that is shown.
    fn last_start(&self) -> f64 {
        let reaches = self.fixes.iter().map(Fix::reach);
        reaches.fold(4.0, f64::max).clamp(4.0, 1e6).ceil()
    }

    fn scales(&self) -> (Scale, Scale) {
        let last = self.last_start();
        let least = self.fixes.iter().map(Fix::reach).fold(last, f64::min);
        let across = match last / least >= LOG_FROM {
            true => Scale::log_counts(1.0, last, LEFT, RIGHT),
            false => Scale::counts(1.0, last, LEFT, RIGHT),
        };
        let seconds = |of| [1.0, last].map(|starts| Fix::behind(of, starts));
        let lines: Vec<f64> = self
            .fixes
            .iter()
            .flat_map(|fix| seconds(fix.middle()))
            .collect();
        // A wide interval must not squeeze the crossing: its ends may leave the plot. Nor may the
        // line of a fix that has been paid back long ago.
        let costs = self.fixes.iter().map(|fix| fix.middle().0.abs() / 1e3);
        let reach = 1.5 * costs.fold(1e-6, f64::max);
        let ends = self
            .fixes
            .iter()
            .flat_map(|fix| [seconds(fix.worst()), seconds(fix.best())].concat());
        let values = ends.chain(lines).map(|end| end.clamp(-reach, reach));
        let top = self.plot_top();
        let down = Scale::linear(values.chain([0.0]), top + PLOT, top);
        (across, down)
    }

    fn draw_grid<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        across: &Scale,
        down: &Scale,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let top = self.plot_top();
        axis::grid(sheet, across, (top, top + PLOT))?;
        let meaning = "s more than without the fix, in total (below zero: saved)";
        let meaning = fit(meaning, Look::QUIET, WIDTH - 2.0 * MARGIN);
        sheet.text(MARGIN, top - 12.0, &meaning, Look::QUIET)?;
        for tick in down.ticks(Labels::Stacked) {
            let y = tick.place;
            sheet.line((LEFT, y), (RIGHT, y), Ink::Faint, 1.0)?;
            sheet.text(LEFT - 8.0, y + 5.0, &tick.label, Look::QUIET.right())?;
        }
        let zero = down.place(0.0);
        sheet.line((LEFT, zero), (RIGHT, zero), Ink::Text, 2.0)
    }

    /// Places along a line, point by point, as what leaves the plot runs along its edge.
    fn along(&self, of: (f64, f64), across: &Scale, down: &Scale) -> Vec<(f64, f64)> {
        const STEPS: u32 = 100;
        let place = |step: u32| {
            let x = LEFT + f64::from(step) / f64::from(STEPS) * (RIGHT - LEFT);
            (x, down.clamped(Fix::behind(of, across.value(x))))
        };
        (0..=STEPS).map(place).collect()
    }

    fn draw_line<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        fix: &Fix,
        across: &Scale,
        down: &Scale,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let ink = Ink::Scenario(fix.colour);
        let mut corners = self.along(fix.worst(), across, down);
        corners.extend(self.along(fix.best(), across, down).into_iter().rev());
        sheet.polygon(&corners, ink, 0.16)?;
        let (top, bottom) = (self.plot_top(), self.plot_top() + PLOT);
        // Up to the plot's edge, and not along it.
        let at_edge = |(_, y): &(f64, f64)| *y <= top || *y >= bottom;
        let points = self.along(fix.middle(), across, down).into_iter();
        let mut line: Vec<(f64, f64)> = points.take_while(|point| !at_edge(point)).collect();
        if let Some((_, y)) = line.last()
            && line.len() > 1
        {
            let edge = match *y < (top + bottom) / 2.0 {
                true => top,
                false => bottom,
            };
            let (cost, saved) = fix.middle();
            let leaves = 1.0 + (cost - 1e3 * down.value(edge)) / saved;
            if leaves.is_finite() && across.holds(leaves) {
                line.push((across.place(leaves), edge));
            }
        }
        sheet.path(&line, ink, 2.5)?;
        if self.fixes.len() > 1
            && let (Some(number), Some(end)) = (fix.name.split(' ').next(), line.last())
        {
            let look = Look::LABEL.bold().ink(ink);
            let y = (end.1 + 5.0).clamp(top + 12.0, bottom - 2.0);
            sheet.text(end.0 + 5.0, y, number, look)?;
        }
        if let Starts::After { estimate, .. } = fix.data.starts
            && across.holds(estimate)
        {
            sheet.estimate((across.place(estimate), down.place(0.0)), None, ink)?;
        }
        Ok(())
    }

    fn draw_row<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        fix: &Fix,
        across: &Scale,
        top: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let ink = Ink::Scenario(fix.colour);
        self.names.draw(sheet, (&fix.name, &fix.facts), ink, top)?;
        let strip = (top + self.names.height(), top + self.row() - GAP);
        axis::grid(sheet, across, strip)?;
        let middle = (strip.0 + strip.1) / 2.0;
        let Starts::After {
            estimate,
            low,
            high,
        } = fix.data.starts
        else {
            return Ok(());
        };
        if !estimate.is_finite() {
            return Ok(());
        }
        let end = high.map_or(RIGHT, |high| across.clamped(high));
        let range = (across.clamped(low), end);
        sheet.estimate((across.clamped(estimate), middle), Some(range), ink)?;
        // The interval goes on where the axis ends.
        if high.is_none_or(|high| !across.holds(high)) {
            let tip = [
                (RIGHT, middle - 6.0),
                (RIGHT + 9.0, middle),
                (RIGHT, middle + 6.0),
            ];
            sheet.polygon(&tip, ink, 1.0)?;
        }
        Ok(())
    }
}

impl Drawing for BreakEvenChart {
    fn height(&self) -> f64 {
        self.rows_top() + self.fixes.len() as f64 * self.row() + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let (across, down) = self.scales();
        self.draw_grid(sheet, &across, &down)?;
        for (row, fix) in self.fixes.iter().enumerate() {
            let part = Part::Marks { row, of: &fix.of };
            sheet.part(part, |sheet| self.draw_line(sheet, fix, &across, &down))?;
        }
        for (row, fix) in self.fixes.iter().enumerate() {
            let part = Part::Row {
                row,
                of: &fix.of,
                height: self.row(),
            };
            let top = self.rows_top() + row as f64 * self.row();
            sheet.part(part, |sheet| self.draw_row(sheet, fix, &across, top))?;
        }
        let bottom = self.rows_top() + self.fixes.len() as f64 * self.row();
        sheet.part(Part::Foot, |sheet| {
            axis::below(sheet, &across, bottom, "restarts, the first one included")
        })
    }
}
