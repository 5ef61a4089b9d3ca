//! Through the command line, as a user.

mod bundled;
mod bytecode;
mod failures;
mod flags;
mod interruption;
mod project;
mod records;
mod states;
mod suites;
mod untouched;
