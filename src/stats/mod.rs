//! Pure mathematics, no I/O.
pub mod bounds;
pub mod interval;
