//! Axes and their grids.

use plotters::backend::DrawingBackend;

use super::super::draw::{ChartError, Labels, Look, Scale, Sheet, WIDTH, width};
use super::super::theme::Ink;

/// Vertical grid lines through an area (top, bottom). Areas leave out the lines of text, which a
/// grid behind them would make hard to read.
pub fn grid<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    scale: &Scale,
    (top, bottom): (f64, f64),
) -> Result<(), ChartError>
where
    DB::ErrorType: 'static,
{
    for tick in scale.ticks(Labels::Beside) {
        sheet.line((tick.place, top), (tick.place, bottom), Ink::Faint, 1.0)?;
    }
    Ok(())
}

/// The numbers of a horizontal axis at `y`, and below them what they mean.
pub fn below<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    scale: &Scale,
    y: f64,
    meaning: &str,
) -> Result<(), ChartError>
where
    DB::ErrorType: 'static,
{
    grid(sheet, scale, (y - 4.0, y + 4.0))?;
    for tick in scale.ticks(Labels::Beside) {
        // A long number at an end would be cut off; its neighbours say enough.
        let half = width(&tick.label, Look::QUIET) / 2.0;
        if (half..=WIDTH - half).contains(&tick.place) {
            sheet.text(tick.place, y + 20.0, &tick.label, Look::QUIET.centred())?;
        }
    }
    sheet.text(WIDTH / 2.0, y + 44.0, meaning, Look::QUIET.centred())
}
