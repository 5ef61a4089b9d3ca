//! What an analysis found, laid out for people: a table and verdicts for a terminal, charts as
//! SVG and PNG, and a page that holds all of it.
//!
//! Nothing here is decided anew: verdicts, findings and warnings are the analysis's sentences.
//! The charts add what sentences cannot show: every single sample. The same record and
//! analysis give the same bytes.

mod across;
mod advice;
mod attached;
mod calibration;
mod changes;
mod charts;
mod comparison;
mod counts;
mod draw;
mod export;
#[cfg(test)]
mod fixture;
mod foreign;
mod guard;
mod html;
mod junit;
mod numbers;
mod overview;
mod page;
mod single;
mod site;
mod terminal;
mod text;
mod theme;
mod trace;
mod words;
mod write;

pub use across::{
    ACROSS_FILE, WriteAcrossError, across_markdown, across_text, check_new, write_across,
};
pub use advice::{advice_json, advice_text};
pub use attached::{AttachError, Attached, DoctorFile, TraceFile};
pub use calibration::{calibration, calibration_json};
pub use changes::{comparison_markdown, contrasts_markdown};
pub use charts::{Chart, ChartError, across_charts, charts, overview_chart};
pub use comparison::comparison;
pub use export::{Export, ExportError, ExportFormat, Selection, export};
pub use foreign::foreign_comparison;
pub use guard::{GUARD_VERSION, guard_json, guard_markdown, guard_text};
pub use junit::{claims_junit, guard_junit};
pub use overview::{OverviewError, Row, overview_table};
pub use page::page;
pub use single::{Existing, WriteFileError, check_file, write_file};
pub use site::{Entry, site_index};
pub use terminal::terminal;
pub use text::{Colour, Page, Terminal};
pub use theme::Theme;
pub use trace::{WriteTraceError, text as trace_text, write_trace};
pub use write::{
    CHARTS_FOLDER, PAGE_FILE, SUMMARY_FILE, WriteRunError, write_run, write_run_with, write_whole,
};
