//! A claim's band.

use plotters::backend::DrawingBackend;

use super::super::draw::{ChartError, Look, MARGIN, Scale, Sheet, WIDTH, width};
use super::super::theme::Ink;
use super::super::words;
use crate::analysis::Band;

/// A band over an area (top, bottom), with its known ends.
pub fn draw<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    band: Band,
    scale: &Scale,
    ((top, bottom), opacity): ((f64, f64), f64),
) -> Result<(), ChartError>
where
    DB::ErrorType: 'static,
{
    let (low, high) = places(band, scale);
    sheet.rectangle((low, top), (high, bottom), Ink::Band, opacity)?;
    for (known, x) in [(band.low, low), (band.high, high)] {
        if known.is_some() {
            sheet.dashes((x, top), (x, bottom), Ink::Band, 1.0)?;
        }
    }
    Ok(())
}

/// The band in figures, inside it where it is wide enough and nothing else is there.
pub fn label<DB: DrawingBackend>(
    sheet: &Sheet<'_, DB>,
    band: Band,
    scale: &Scale,
    middle_y: f64,
    taken: Option<(f64, f64)>,
) -> Result<(), ChartError>
where
    DB::ErrorType: 'static,
{
    let (low, high) = places(band, scale);
    if band.low.is_none() && band.high.is_none() {
        return Ok(());
    }
    let label = words::band(band);
    let room = width(&label, Look::LABEL) + 12.0;
    let middle = (low + high) / 2.0;
    let free = |x: f64| {
        taken.is_none_or(|(from, to)| x + room / 2.0 < from - 10.0 || x - room / 2.0 > to + 10.0)
    };
    let spot = [middle, high - room / 2.0, low + room / 2.0]
        .into_iter()
        .find(|&x| high - low >= room && free(x));
    match spot {
        Some(x) => sheet.text(x, middle_y + 5.5, &label, Look::LABEL.centred()),
        // Its dashed edges meet the axis; the title has the figures.
        None => Ok(()),
    }
}

/// Where a band begins and ends; an open end is the sheet's.
fn places(band: Band, scale: &Scale) -> (f64, f64) {
    let end = |ms: Option<f64>, open: f64| ms.map_or(open, |ms| scale.clamped(ms));
    (end(band.low, MARGIN), end(band.high, WIDTH - MARGIN))
}
