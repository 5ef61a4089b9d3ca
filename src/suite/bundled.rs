//! The suites inside the binary, so that the first command a user types needs no file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use include_dir::{Dir, include_dir};

use super::validate::SuiteFile;

static LERNMANAGER_APP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios/lernmanager/app");
static HTTPSERVER_APP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios/httpserver/app");

static CALIBRATION_APP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/scenarios/calibration/app");

/// The suite that is measured when none is named.
pub const DEFAULT: &str = "lernmanager";

/// A suite inside the binary.
#[derive(Debug, Clone, Copy)]
pub struct Bundled {
    pub name: &'static str,
    /// One sentence for people.
    pub about: &'static str,
    suite: &'static str,
    requirements: Option<&'static str>,
    app: &'static Dir<'static>,
}

/// All of them, the default first.
pub static ALL: [Bundled; 3] = [
    Bundled {
        name: DEFAULT,
        about: "a Flask app under waitress, in the bytecode states of a server before and after a fix",
        suite: include_str!("../../scenarios/lernmanager/suite.toml"),
        requirements: Some(include_str!("../../scenarios/lernmanager/requirements.txt")),
        app: &LERNMANAGER_APP,
    },
    Bundled {
        name: "lernmanager-full",
        about: "the same app in six more states, such as an unwritable prefix, hash-based or stale bytecode",
        suite: include_str!("../../scenarios/lernmanager/full.toml"),
        requirements: Some(include_str!("../../scenarios/lernmanager/requirements.txt")),
        app: &LERNMANAGER_APP,
    },
    Bundled {
        name: "httpserver",
        about: "a small service on the standard library's http.server: no packages, no network",
        suite: include_str!("../../scenarios/httpserver/suite.toml"),
        requirements: None,
        app: &HTTPSERVER_APP,
    },
];

/// What `coldsnake calibrate` measures; it is none to be chosen.
pub static CALIBRATION: Bundled = Bundled {
    name: "calibration",
    about: "effects that are known",
    suite: include_str!("../../scenarios/calibration/suite.toml"),
    requirements: None,
    app: &CALIBRATION_APP,
};

impl Bundled {
    /// The bundled suite of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|bundled| bundled.name == name)
    }

    /// The suite, for being looked at; its app has to be unpacked to be launched.
    pub fn file(&self) -> SuiteFile {
        SuiteFile::from_text(Path::new(self.name), self.suite)
    }

    /// Writes suite and app below a folder, and returns the suite's file.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn unpack(&self, folder: &Path) -> io::Result<PathBuf> {
        let app = folder.join("app");
        fs::create_dir_all(&app)?;
        self.app.extract(&app)?;
        if let Some(requirements) = self.requirements {
            fs::write(folder.join("requirements.txt"), requirements)?;
        }
        let suite = folder.join("suite.toml");
        fs::write(&suite, self.suite)?;
        Ok(suite)
    }
}
