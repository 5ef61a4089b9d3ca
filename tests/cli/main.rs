//! Through the command line, as a user.

mod failures;
mod interruption;
mod project;
mod states;
mod suites;
mod untouched;
