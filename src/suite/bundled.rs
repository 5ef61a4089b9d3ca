//! The suites inside the binary, so that the first command a user types needs no file.

use std::path::Path;

use include_dir::{Dir, include_dir};

use super::validate::SuiteFile;

static SCENARIOS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios");

/// The suite that is measured when none is named.
pub const DEFAULT: &str = "lernmanager";
