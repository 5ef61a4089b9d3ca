//! What stands above every chart: the finding, and how to read it.

use plotters::backend::DrawingBackend;

use super::super::draw::{ChartError, Look, MARGIN, Sheet, WIDTH, wrap};
use super::super::theme::register_fonts;

/// A title and notes below it, broken into lines.
#[derive(Debug, Clone)]
pub struct Heading {
    title: Vec<String>,
    notes: Vec<String>,
}

impl Heading {
    /// Breaks both into lines as wide as a chart.
    pub fn new(title: &str, notes: &str) -> Self {
        // Without fonts nothing can be measured; the drawing reports it.
        let _ = register_fonts();
        let room = WIDTH - 2.0 * MARGIN;
        Self {
            title: wrap(title, Look::TITLE, room),
            notes: wrap(notes, Look::QUIET, room),
        }
    }

    /// Where the chart's own part begins.
    pub fn bottom(&self) -> f64 {
        let lines = |lines: &[String], look: Look| lines.len() as f64 * look.line_height();
        MARGIN + lines(&self.title, Look::TITLE) + lines(&self.notes, Look::QUIET) + 18.0
    }

    /// Draws it at the top of the sheet.
    pub fn draw<DB: DrawingBackend>(&self, sheet: &Sheet<'_, DB>) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let y = MARGIN + 0.8 * Look::TITLE.size;
        let y = sheet.lines(MARGIN, y, &self.title, Look::TITLE)?;
        sheet.lines(MARGIN, y, &self.notes, Look::QUIET)?;
        Ok(())
    }
}
