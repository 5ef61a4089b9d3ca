//! `coldsnake list`: the bundled suites.

use super::exit::{Failed, Status};
use crate::suite::bundled;

/// List the bundled suites.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub fn execute(_: &Args) -> Result<Status, Failed> {
    for suite in &bundled::ALL {
        println!("{:18} {}", suite.name, suite.about);
    }
    Ok(Status::Done)
}
