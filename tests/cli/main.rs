//! Through the command line, as a user.

mod bundled;
mod bytecode;
mod failures;
mod flags;
mod interruption;
mod project;
mod readiness;
mod records;
mod servers;
mod states;
mod suites;
mod units;
mod untouched;
