//! What tracing found, for people: text for a terminal, a page with a waterfall and a flame chart, and
//! the files of a folder.

#[cfg(test)]
mod fixture;
mod page;
mod text;
mod words;
mod write;

pub use text::text;
pub use write::{WriteTraceError, write_trace};
