//! When has a fix paid back its first start?
//!
//! Two lines of total time against the number of starts would lie on each other: 36 starts take
//! ten seconds, and the fix is never more than one ahead or behind. So the chart shows what lies
//! between them, with the scenario that is left behind as its zero line.

use plotters::backend::DrawingBackend;

use super::super::draw::{
    ChartError, Drawing, Labels, Look, MARGIN, Scale, Sheet, WIDTH, fit, width,
};
use super::super::numbers::ends;
use super::super::theme::Ink;
use super::super::words;
use super::heading::Heading;
use super::samples::colour;
use super::{Body, Chart, axis};
use crate::analysis::{Analysis, BreakEven, Starts};
use crate::record::Record;
use crate::stats::interval::Estimate;

/// What the vertical axis's meaning takes, above it.
const MEANING: f64 = 26.0;
const PLOT: f64 = 260.0;
const AXIS: f64 = 62.0;
const LEFT: f64 = MARGIN + 66.0;

/// The balance of one fix.
#[derive(Debug, Clone)]
pub struct BreakEvenChart {
    heading: Heading,
    data: BreakEven,
    colour: usize,
    from_colour: usize,
}

/// A chart for each break-even that can be computed.
pub fn charts(record: &Record, analysis: &Analysis) -> Vec<Chart> {
    analysis
        .break_even
        .iter()
        .filter(|data| {
            data.first_start_cost_ms.estimate.is_finite()
                && data.saved_per_start_ms.estimate.is_finite()
        })
        .map(|data| chart(record, data))
        .collect()
}

fn chart(record: &Record, data: &BreakEven) -> Chart {
    let title = words::break_even(data);
    let notes = format!(
        "Total time of {}, its first start under {}, less that of {} for as many starts. \
         Shaded: by the ends of the intervals.",
        data.scenario, data.first, data.from
    );
    Chart {
        name: format!("break-even-{}", data.scenario),
        caption: match data.starts {
            Starts::After { .. } => {
                "Until then the fix has cost time; from then on it has saved some."
            }
            Starts::AtOnce => "The fix saves time from its first start on.",
            Starts::Never => "No number of starts makes up for the first one.",
            Starts::Unknown => "Whether it ever pays back cannot be told from noise.",
        }
        .to_owned(),
        body: Body::BreakEven(BreakEvenChart {
            heading: Heading::new(&title, &notes),
            colour: colour(&record.suite, &data.scenario),
            from_colour: colour(&record.suite, &data.from),
            data: data.clone(),
        }),
        title,
        notes,
    }
}

impl BreakEvenChart {
    /// How far the fix is behind after so many starts, by given ends of both estimates.
    fn behind(cost_ms: f64, saved_ms: f64, starts: f64) -> f64 {
        cost_ms - (starts - 1.0) * saved_ms
    }

    fn plot_top(&self) -> f64 {
        self.heading.bottom() + MEANING
    }

    /// The last start that is shown.
    fn last_start(&self) -> f64 {
        let cost = self.data.first_start_cost_ms.estimate;
        match self.data.starts {
            Starts::After { estimate, high, .. } if estimate.is_finite() => {
                // A range with a far end must not squeeze the crossing into a corner.
                let far = high
                    .filter(|high| high.is_finite())
                    .unwrap_or(estimate * 3.0);
                (estimate * 1.5).max(far.min(estimate * 3.0) * 1.15)
            }
            _ if cost > 0.0 => 50.0,
            _ => 20.0,
        }
        .clamp(4.0, 1e6)
        .ceil()
    }

    fn scales(&self) -> (Scale, Scale) {
        let last = self.last_start();
        let top = self.plot_top();
        let (cost, saved) = (self.data.first_start_cost_ms, self.data.saved_per_start_ms);
        let across = Scale::counts(1.0, last, LEFT, WIDTH - MARGIN);
        let [worst, best] = [worst(&cost, &saved), best(&cost, &saved)];
        let seconds =
            |(cost, saved): (f64, f64)| [1.0, last].map(|n| Self::behind(cost, saved, n) / 1e3);
        let line = seconds((cost.estimate, saved.estimate));
        // A wide interval must not squeeze the crossing: its ends may leave the plot.
        let reach = 1.5 * line[0].abs().max(line[1].abs());
        let ends = [seconds(worst), seconds(best)].concat();
        let ends = ends.into_iter().map(|end| end.clamp(-reach, reach));
        let down = Scale::linear(ends.chain(line).chain([0.0]), top + PLOT, top);
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
        axis::below(sheet, across, top + PLOT, "starts, the first one included")?;
        let meaning = format!("s behind {} (below zero: ahead)", self.data.from);
        let room = WIDTH - 2.0 * MARGIN;
        let meaning = fit(&meaning, Look::QUIET, room);
        sheet.text(MARGIN, top - 12.0, &meaning, Look::QUIET)?;
        for tick in down.ticks(Labels::Stacked) {
            sheet.line(
                (LEFT, tick.place),
                (WIDTH - MARGIN, tick.place),
                Ink::Faint,
                1.0,
            )?;
            sheet.text(
                LEFT - 8.0,
                tick.place + 5.0,
                &tick.label,
                Look::QUIET.right(),
            )?;
        }
        let zero = down.place(0.0);
        let from = Ink::Scenario(self.from_colour);
        sheet.line((LEFT, zero), (WIDTH - MARGIN, zero), from, 2.0)?;
        Ok(())
    }

    /// What the two lines are, where neither runs through the name.
    fn draw_names<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        across: &Scale,
        down: &Scale,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let cost = self.data.first_start_cost_ms.estimate;
        let saved = self.data.saved_per_start_ms.estimate;
        let (top, bottom) = (self.plot_top() + 14.0, self.plot_top() + PLOT - 6.0);
        let room = (WIDTH - LEFT - MARGIN) * 0.75;
        let name = |name: &str, room, colour, (x, y): (f64, f64)| {
            let look = Look::QUIET.bold().ink(Ink::Scenario(colour));
            let y = y.clamp(top, bottom);
            sheet.text(x, y, &fit(name, look, room), look)
        };
        let zero = down.place(0.0);
        // The balance begins on one side of zero; the other is free for the zero line's name.
        let below = match cost > 0.0 {
            true => zero + 19.0 <= bottom,
            false => zero - 9.0 < top,
        };
        let beside = if below { 19.0 } else { -9.0 };
        // Not across the other line, where that crosses.
        let until_crossing = match self.data.starts {
            Starts::After { low, .. } if low.is_finite() => across.clamped(low) - LEFT - 12.0,
            _ => room,
        };
        name(
            &self.data.from,
            until_crossing.clamp(60.0, room),
            self.from_colour,
            (LEFT + 6.0, zero + beside),
        )?;
        let start = across.place(1.0) + 34.0;
        let second = across.place(self.last_start());
        let share = (start - LEFT) / (second - LEFT).max(1.0);
        let at_start = down.clamped(cost / 1e3);
        let at_end = down.clamped(Self::behind(cost, saved, self.last_start()) / 1e3);
        let on_line = at_start + share * (at_end - at_start);
        // A falling line leaves room above itself, a rising one below.
        let beside = if at_end >= at_start { -10.0 } else { 22.0 };
        name(
            &self.data.scenario,
            room,
            self.colour,
            (start, on_line + beside),
        )
    }

    fn draw_crossing<DB: DrawingBackend>(
        &self,
        sheet: &Sheet<'_, DB>,
        across: &Scale,
        down: &Scale,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let Starts::After {
            estimate,
            low,
            high,
        } = self.data.starts
        else {
            return Ok(());
        };
        if !estimate.is_finite() {
            return Ok(());
        }
        let zero = down.place(0.0);
        let x = across.clamped(estimate);
        let high_place = high.map_or(WIDTH - MARGIN, |high| across.clamped(high));
        let range = (across.clamped(low), high_place);
        sheet.estimate((x, zero), Some(range), Ink::Text)?;
        let label = words::starts(&self.data.starts);
        let half = width(&label, Look::LABEL.bold()) / 2.0;
        // Above the line on its right the plot is empty: the balance falls.
        let middle = (x + half).clamp(LEFT + half, WIDTH - MARGIN - half);
        sheet.text(middle, zero - 16.0, &label, Look::LABEL.bold().centred())
    }
}

/// The costly end of the first start with the meagre end of the saving.
fn worst(cost: &Estimate, saved: &Estimate) -> (f64, f64) {
    (
        ends(cost).map_or(cost.estimate, |(_, high)| high),
        ends(saved).map_or(saved.estimate, |(low, _)| low),
    )
}

fn best(cost: &Estimate, saved: &Estimate) -> (f64, f64) {
    (
        ends(cost).map_or(cost.estimate, |(low, _)| low),
        ends(saved).map_or(saved.estimate, |(_, high)| high),
    )
}

impl Drawing for BreakEvenChart {
    fn height(&self) -> f64 {
        self.plot_top() + PLOT + AXIS
    }

    fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        self.heading.draw(sheet)?;
        let (across, down) = self.scales();
        self.draw_grid(sheet, &across, &down)?;
        let (cost, saved) = (self.data.first_start_cost_ms, self.data.saved_per_start_ms);
        let last = self.last_start();
        let at = |(cost, saved): (f64, f64), starts: f64| {
            (
                across.place(starts),
                down.clamped(Self::behind(cost, saved, starts) / 1e3),
            )
        };
        let (worst, best) = (worst(&cost, &saved), best(&cost, &saved));
        let ink = Ink::Scenario(self.colour);
        // Point by point, as what leaves the plot runs along its edge.
        const STEPS: u32 = 100;
        let edge = |of: (f64, f64)| {
            (0..=STEPS).map(move |step| {
                let share = f64::from(step) / f64::from(STEPS);
                at(of, 1.0 + share * (last - 1.0))
            })
        };
        let corners: Vec<_> = edge(worst).chain(edge(best).rev()).collect();
        sheet.polygon(&corners, ink, 0.18)?;
        let middle = (cost.estimate, saved.estimate);
        sheet.path(&[at(middle, 1.0), at(middle, last)], ink, 2.5)?;
        self.draw_crossing(sheet, &across, &down)?;

        self.draw_names(sheet, &across, &down)?;
        Ok(())
    }
}
