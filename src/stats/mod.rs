//! Pure mathematics: numbers in, numbers out, no files, no clocks, no global state.
//!
//! Two conventions hold throughout.
//!
//! *Non-finite numbers are refused, never dropped.* A NaN among timings is a fault upstream; to
//! drop it from one arm only would bias a paired contrast without a word. A function that takes
//! a sample answers `None` to an empty one and to one with a NaN or an infinity in it.
//!
//! *Too little data is an answer.* An exact interval that doesn't exist at the asked level is
//! `None`, not a wider or an approximate one.
//!
//! Units: a sample may be in any unit (milliseconds, bytes); estimates, intervals and scales come
//! back in the same one. Ranks, probabilities, correlations and ratios have none.

pub mod bootstrap;
pub mod bounds;
pub mod describe;
pub mod drift;
pub mod hodges_lehmann;
pub mod interval;
pub mod median;
pub mod meta_analysis;
pub mod modality;
pub mod multiple;
pub mod proportion;
mod ranks;
mod ratio;
mod selection;
pub mod sequence;
pub mod signed_rank;
pub mod two_sample;

/// An ascending copy, or `None` when the sample is empty or holds a NaN or an infinity.
fn sorted(values: &[f64]) -> Option<Vec<f64>> {
    if values.is_empty() || !all_finite(values) {
        return None;
    }
    let mut copy = values.to_vec();
    copy.sort_unstable_by(f64::total_cmp);
    Some(copy)
}

fn all_finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}
