//! What stands above the strip of every row: its name, and facts at the right.

use plotters::backend::DrawingBackend;

use super::super::draw::{ChartError, Look, MARGIN, Sheet, WIDTH, fit, width};
use super::super::theme::Ink;

const LINE: f64 = 24.0;
const ROOM: f64 = WIDTH - 2.0 * MARGIN;

/// How names and facts are arranged, alike in all rows of a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrangement {
    /// On one line.
    Beside,
    /// The facts below the name: a name is too long for both.
    Stacked,
}

impl Arrangement {
    /// The one in which all of these names and facts are readable.
    pub fn of<'a>(rows: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let fits = rows.into_iter().all(|(name, facts)| {
            width(name, Look::LABEL.bold()) + 16.0 + width(facts, Look::QUIET) <= ROOM
        });
        if fits { Self::Beside } else { Self::Stacked }
    }

    /// What it takes above a strip.
    pub fn height(self) -> f64 {
        match self {
            Self::Beside => LINE,
            Self::Stacked => LINE + Look::QUIET.line_height(),
        }
    }

    /// Draws name and facts at the top of a row.
    pub fn draw<DB: DrawingBackend>(
        self,
        sheet: &Sheet<'_, DB>,
        (name, facts): (&str, &str),
        ink: Ink,
        top: f64,
    ) -> Result<(), ChartError>
    where
        DB::ErrorType: 'static,
    {
        let look = Look::LABEL.bold().ink(ink);
        let y = top + 16.0;
        sheet.text(MARGIN, y, &fit(name, look, ROOM), look)?;
        match self {
            Self::Beside => sheet.text(WIDTH - MARGIN, y, facts, Look::QUIET.right()),
            Self::Stacked => {
                let below = y + Look::QUIET.line_height();
                sheet.text(MARGIN, below, &fit(facts, Look::QUIET, ROOM), Look::QUIET)
            }
        }
    }
}
