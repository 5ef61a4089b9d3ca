//! Counting instead of timing: the kernel's counters of every launch, and instructions in launches
//! of their own.

mod layout;
mod perf;
mod valgrind;

use thiserror::Error;

use crate::record::CountSource;
use crate::record::format::Counters;

pub use layout::FixedLayout;
pub(super) use perf::{Events, Perf};
pub use valgrind::Valgrind;

/// What counts the instructions of launches that are made for it.
#[derive(Debug, Clone)]
pub enum InstructionCounter {
    /// The machine's own counter.
    Perf,
    Valgrind(Valgrind),
}

/// Nothing here counts instructions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "instructions cannot be counted here\n  \
     perf: {perf}\n  \
     valgrind: {valgrind}\n  \
     install the package `valgrind`, which counts on any machine, or measure without a counter"
)]
pub struct NoInstructionCounter {
    perf: String,
    valgrind: String,
}

/// Which counters the kernel lets this process read.
pub fn kernel_counters() -> Counters {
    Perf::probe().counters()
}

impl InstructionCounter {
    /// The machine's counter where the kernel lets it be read, since that takes no longer than a
    /// launch does; else valgrind.
    ///
    /// # Errors
    /// When there is neither.
    pub fn choose(kernel: &Counters) -> Result<Self, NoInstructionCounter> {
        let Some(perf) = kernel.why_refused(perf::INSTRUCTIONS) else {
            return Ok(Self::Perf);
        };
        let path = std::env::var_os("PATH").unwrap_or_default();
        match Valgrind::find(&path) {
            Ok(valgrind) => Ok(Self::Valgrind(valgrind)),
            Err(valgrind) => Err(NoInstructionCounter { perf, valgrind }),
        }
    }

    pub fn source(&self) -> CountSource {
        match self {
            Self::Perf => CountSource::Perf,
            Self::Valgrind(_) => CountSource::Valgrind,
        }
    }

    /// For the record: "perf", or valgrind's version, on which its counts depend.
    pub fn described(&self) -> String {
        match self {
            Self::Perf => CountSource::Perf.name().to_owned(),
            Self::Valgrind(valgrind) => valgrind.version().to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_counter_is_taken_where_there_is_one() {
        let kernel = Counters {
            counted: vec![perf::INSTRUCTIONS.to_owned()],
            ..Counters::default()
        };
        let chosen = InstructionCounter::choose(&kernel).unwrap();
        assert_eq!(chosen.source(), CountSource::Perf);
        assert_eq!(chosen.described(), "perf");
    }
}
