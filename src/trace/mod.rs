//! Where the time of a start goes, module by module and phase by phase.
//!
//! `measure` launches each scenario in blocks, once as it is and once with a hook (`hook.py`) that
//! says when the import system does what. `parse` reads what the hook wrote, `tree` nests it,
//! `account` gives every moment between spawn and readiness or exit to one part, `modules` says whose and
//! which each is, `profile` and `difference` take medians over the launches. `json`, `speedscope` and `events` write it down.
//!
//! The hook's times are those of CLOCK_MONOTONIC, as the harness's are, so that the interpreter's start
//! before the hook and its end after the last of the program's exit functions have their place. No time
//! of a traced launch is ever given as the time that a start takes.

mod account;
mod difference;
mod events;
mod findings;
mod json;
mod measure;
mod modules;
mod parse;
mod part;
mod profile;
mod speedscope;
mod tree;

pub use account::{Account, AccountError, Ending, Horizon, Lane, account};
pub use difference::{Difference, ModuleDifference};
pub use events::trace_events;
pub use findings::Findings;
pub use json::{TRACE_VERSION, trace_json};
pub use measure::{Blocks, Options, Pair, Stopped, Traces, measure};
pub use modules::{Module, Place};
pub use parse::{Kind, ParseError, Process, parse};
pub use part::{Group, Loader, Part, Phase};
pub use profile::{Compiling, GroupProfile, ModuleProfile, Profile};
pub use speedscope::speedscope;
pub use tree::{Node, Slice, slices};

use std::time::Duration;

use crate::stage::Hook;

/// The hook. Its code passes for importlib's own, whose frames tracebacks and warnings leave out
/// (Python/import.c, `remove_importlib_frames`; Lib/warnings.py, `_is_internal_frame`).
pub const HOOK: Hook = Hook {
    source: include_str!("hook.py"),
    file: "<frozen importlib._bootstrap>",
    entry: include_str!("enter.py"),
};

/// A traced launch may take this much longer than one that is not, as a share of that.
pub const MOST_OVERHEAD: f64 = 0.12;
/// What the parts of a launch must sum to at least, as a share of the whole.
pub const LEAST_ACCOUNTED: f64 = 0.98;

/// Milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
