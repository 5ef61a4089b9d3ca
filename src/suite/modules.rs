//! Modules that scenarios name in `{ only = […] }`: are these names, and are the modules there?

use std::path::{Path, PathBuf};

use toml::Spanned;

use super::error::SuiteError;
use super::model::{Bytecode, module_file};
use super::validate::SuiteFile;
use super::wire::*;

/// Where the modules lie that came with an interpreter, or were installed for it.
#[derive(Debug, Clone, Copy)]
pub struct ModuleFolders<'a> {
    pub site_packages: &'a [PathBuf],
    pub stdlib: &'a Path,
}

impl SuiteFile {
    pub(super) fn only<T>(
        &self,
        place: &Spanned<T>,
        modules: &[String],
        key: &str,
    ) -> Result<Bytecode, SuiteError> {
        if modules.is_empty() {
            return Err(self.wrong(
                place,
                "no module is named that is to have bytecode",
                format!("name one, or say {key} = \"absent\""),
            ));
        }
        let is_part = |part: &str| !part.is_empty() && !part.contains(['/', '\0']);
        if let Some(module) = modules.iter().find(|name| !name.split('.').all(is_part)) {
            return Err(self.wrong(
                place,
                format!("`{module}` is not a module's name"),
                "give what stands after `import`, such as \"models\" or \"shop.models\"",
            ));
        }
        let mut modules = modules.to_vec();
        modules.sort();
        modules.dedup();
        Ok(Bytecode::Only(modules))
    }

    /// Are the modules that scenarios name below one of the app's sources?
    pub(super) fn check_modules(
        &self,
        wire: &WireSuite,
        sources: &[PathBuf],
    ) -> Result<(), SuiteError> {
        let folders: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        for scenario in &wire.scenario {
            self.check_listed(
                scenario.bytecode.as_ref(),
                &folders,
                "name modules by their path from the source folder: \"shop.models\" is \
                 shop/models.py or shop/models/__init__.py",
            )?;
        }
        Ok(())
    }

    /// Does a scenario name modules of what is installed? Then [`check_installed`](Self::check_installed)
    /// has something to check.
    ///
    /// # Errors
    /// When the suite cannot be read.
    pub fn names_installed(&self) -> Result<bool, SuiteError> {
        let wire = self.wire()?;
        let mut keys = wire
            .scenario
            .iter()
            .flat_map(|scenario| [&scenario.site_packages, &scenario.stdlib]);
        Ok(keys.any(|given| listed(given.as_ref()).is_some()))
    }

    /// Are the modules there that scenarios name of what is installed? `folders` gives, for a
    /// scenario's name, where they lie for each interpreter that it is measured under.
    ///
    /// # Errors
    /// When one is not there, with its line.
    pub fn check_installed<'a>(
        &self,
        folders: impl Fn(&str) -> Vec<ModuleFolders<'a>>,
    ) -> Result<(), SuiteError> {
        for scenario in &self.wire()?.scenario {
            for of_one in folders(scenario.name.get_ref()) {
                let packages: Vec<&Path> =
                    of_one.site_packages.iter().map(PathBuf::as_path).collect();
                self.check_listed(
                    scenario.site_packages.as_ref(),
                    &packages,
                    "name installed modules as they are imported: \"flask.app\" is flask/app.py \
                     below one of these folders; what is no Python source has no bytecode",
                )?;
                self.check_listed(
                    scenario.stdlib.as_ref(),
                    &[of_one.stdlib],
                    "name modules as they are imported: \"json.decoder\" is json/decoder.py below \
                     this folder; what is no Python source has no bytecode",
                )?;
            }
        }
        Ok(())
    }

    fn check_listed(
        &self,
        given: Option<&Spanned<WireBytecode>>,
        folders: &[&Path],
        help: &str,
    ) -> Result<(), SuiteError> {
        let Some((place, modules)) = listed(given) else {
            return Ok(());
        };
        let is_there = |name: &String| {
            let mut folders = folders.iter();
            folders.any(|folder| module_file(folder, name).is_some())
        };
        let Some(module) = modules.iter().find(|name| !is_there(name)) else {
            return Ok(());
        };
        let below: Vec<_> = folders.iter().map(|f| f.display().to_string()).collect();
        let message = if below.is_empty() {
            format!("there is no module `{module}`, nor a folder for any")
        } else {
            format!("there is no module `{module}` below {}", below.join(" or "))
        };
        Err(self.wrong(place, message, help))
    }
}

/// The modules that a key lists, and the key's place.
fn listed(given: Option<&Spanned<WireBytecode>>) -> Option<(&Spanned<WireBytecode>, &[String])> {
    let given = given?;
    match given.get_ref() {
        WireBytecode::Only(WireOnly { only }) => Some((given, only)),
        WireBytecode::State(_) | WireBytecode::Command(_) => None,
    }
}
