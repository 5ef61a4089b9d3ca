//! `[app]`: the program under test.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::SuiteError;
use super::model::*;
use super::validate::SuiteFile;
use super::wire::*;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(60);

impl SuiteFile {
    pub(super) fn app(&self, wire: &WireApp) -> Result<App, SuiteError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let name = self.name(&wire.name, "an app's name")?;
        let command = wire.command.get_ref().clone();
        if command.is_empty() {
            return Err(self.wrong(
                &wire.command,
                "the command is empty",
                "give the program and its arguments, such as [\"{python}\", \"run.py\"]",
            ));
        }
        for word in &command {
            self.placeholders(wire.command.span().start, word)?;
        }
        let module = match &wire.module {
            Some(module) if !is_module_name(module.get_ref()) => {
                return Err(self.wrong(
                    module,
                    format!("`{}` is not a module's name", module.get_ref()),
                    "give what stands after `import`, such as \"app\" or \"myapp.main\"",
                ));
            }
            module => module.as_ref().map(|module| module.get_ref().clone()),
        };
        let (ready, ready_timeout) = self.ready(wire)?;
        let timeout = match (&wire.timeout, ready_timeout) {
            (Some(text), _) => self.positive_duration(text)?,
            (None, Some(timeout)) => timeout,
            (None, None) => DEFAULT_TIMEOUT,
        };
        Ok(App {
            name,
            sources: self.sources(wire)?,
            directory: self.directory(wire),
            // A bare name is looked for on PATH, as on the command line.
            python: wire.python.as_ref().map(|python| {
                let python = Path::new(python.get_ref());
                if python.components().count() == 1 {
                    python.to_owned()
                } else {
                    folder.join(python)
                }
            }),
            requirements: wire
                .requirements
                .as_ref()
                .map(|path| folder.join(path.get_ref())),
            command,
            module,
            ready,
            timeout,
            env: self.env(&wire.env)?,
        })
    }

    fn sources(&self, wire: &WireApp) -> Result<Vec<PathBuf>, SuiteError> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let Some(sources) = &wire.source else {
            return Ok(Vec::new());
        };
        let sources_of = sources.get_ref().folders();
        if sources_of.is_empty() {
            return Err(self.wrong(
                sources,
                "the list of source folders is empty",
                "leave the key out if all of the app is installed in site-packages",
            ));
        }
        Ok(sources_of.iter().map(|path| folder.join(path)).collect())
    }

    fn directory(&self, wire: &WireApp) -> Option<PathBuf> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let directory = wire.directory.as_ref()?;
        Some(folder.join(directory.get_ref()))
    }
}

/// Can this stand after `import`?
pub fn is_module_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
