//! The numbers behind a chart's dots, for a page that says them when one is pointed at.

use crate::suite::Metric;

/// The dots of one row, in the order in which they are drawn.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// What the row is called.
    pub label: String,
    pub metric: Metric,
    /// The block of each dot.
    pub blocks: Vec<u32>,
    pub values: Values,
}

/// What a dot stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// A launch.
    Launches {
        ms: Vec<f64>,
        cpu_ms: Vec<f64>,
        /// Since the first launch.
        at_s: Vec<f64>,
    },
    /// What one launch took less than another one of the same block, milliseconds.
    Savings(Vec<f64>),
}
