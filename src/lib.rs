//! coldsnake measures how long Python programs take to start.

pub mod stats;
