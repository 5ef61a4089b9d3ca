//! `coldsnake run --unit FILE`: a suite made of a systemd service.

use std::path::{Path, PathBuf};

use super::exit::Failed;
use super::output::say;
use crate::suite::SuiteFile;
use crate::suite::text::ScenarioText;
use crate::unit::{AsDeployed, Host, Unit, UnitError, UnitSuite};

/// A unit as a suite.
pub struct OfUnit {
    pub file: SuiteFile,
    /// Where the suite comes from, for the record.
    pub origin: String,
    /// The interpreter that the unit names, if it is here.
    pub python: Option<PathBuf>,
}

/// Makes a suite of a unit, and says on stderr what could not be honoured.
///
/// # Errors
/// When the unit cannot be read or started, or the app's source is not here.
pub fn open(path: &Path) -> Result<OfUnit, Failed> {
    made(path, Unit::suite)
}

/// The same with the scenarios that are made of the service as it is deployed, the first of which is
/// the baseline.
///
/// # Errors
/// As [`open`].
pub fn open_of(
    path: &Path,
    scenarios: impl FnOnce(&AsDeployed) -> Vec<ScenarioText>,
) -> Result<OfUnit, Failed> {
    made(path, |unit| unit.suite_of(scenarios))
}

fn made(
    path: &Path,
    suite: impl FnOnce(&Unit) -> Result<UnitSuite, UnitError>,
) -> Result<OfUnit, Failed> {
    let unit = Unit::read(path, Host::observe())?;
    let suite = suite(&unit)?;
    for sentence in &suite.unhonoured {
        say(sentence);
    }
    Ok(OfUnit {
        // Its paths are absolute; the name is for messages.
        file: SuiteFile::from_text(&path.with_extension("suite.toml"), suite.text),
        origin: format!("{} (unit)", path.display()),
        python: suite.python,
    })
}
