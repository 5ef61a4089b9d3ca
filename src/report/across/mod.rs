//! Many records side by side: as text, as Markdown, and what both and the charts say of them.

#[cfg(test)]
pub mod fixture;
mod markdown;
mod text;
pub mod words;
mod write;

pub use markdown::across_markdown;
pub use text::across_text;
pub use write::{ACROSS_FILE, WriteAcrossError, check_new, write_across};
