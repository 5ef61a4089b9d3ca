//! `coldsnake list`: the bundled suites.

use super::exit::{Failed, Status};
use super::output::print;
use crate::suite::bundled;

/// List the bundled suites.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn execute(_: &Args) -> Result<Status, Failed> {
    for suite in &bundled::ALL {
        print(&format!("{:18} {}\n", suite.name, suite.about));
    }
    Ok(Status::Done)
}
