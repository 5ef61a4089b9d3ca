//! Whose a module is: the app's own, installed, or the standard library's.

use std::ffi::OsStr;
use std::path::Path;

use crate::suite::{Bytecode, Scenario};

/// Packages are installed in folders of these names (site.py; Debian has the second).
const PACKAGE_FOLDERS: [&str; 2] = ["site-packages", "dist-packages"];

/// Whose a module is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    App,
    SitePackages,
    Stdlib,
}

impl Part {
    pub const ALL: [Self; 3] = [Self::App, Self::SitePackages, Self::Stdlib];

    /// The word for it in receipts and reports.
    pub fn word(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::SitePackages => "site-packages",
            Self::Stdlib => "stdlib",
        }
    }

    /// Its word where there is little room.
    pub fn short(self) -> &'static str {
        match self {
            Self::App => "app",
            Self::SitePackages => "site",
            Self::Stdlib => "std",
        }
    }

    /// The state that a scenario gives its bytecode.
    pub fn state(self, scenario: &Scenario) -> &Bytecode {
        match self {
            Self::App => &scenario.bytecode,
            Self::SitePackages => &scenario.site_packages,
            Self::Stdlib => &scenario.stdlib,
        }
    }
}

/// Is this the name of a folder that packages are installed in?
pub fn is_package_folder(name: &OsStr) -> bool {
    PACKAGE_FOLDERS.iter().any(|folder| name == *folder)
}

/// Does a path lead into a folder of installed packages?
pub fn is_installed(path: &Path) -> bool {
    path.iter().any(is_package_folder)
}
