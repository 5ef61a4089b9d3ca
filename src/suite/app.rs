//! `[app]`: the program under test, and when it counts as started.

use std::path::Path;
use std::time::Duration;

use toml::Spanned;

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
        let (ready, ready_timeout) = self.ready(wire.ready.as_ref(), wire, &command)?;
        let timeout = match (&wire.timeout, ready_timeout) {
            (Some(text), _) => self.positive_duration(text)?,
            (None, Some(timeout)) => timeout,
            (None, None) => DEFAULT_TIMEOUT,
        };
        Ok(App {
            name,
            source: folder.join(wire.source.get_ref()),
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

    fn ready(
        &self,
        wire: Option<&WireReady>,
        app: &WireApp,
        command: &[String],
    ) -> Result<(Readiness, Option<Duration>), SuiteError> {
        let Some(wire) = wire else {
            return Ok((Readiness::Exit, None));
        };
        let path = wire.http.get_ref();
        if !path.starts_with('/') || path.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(self.wrong(
                &wire.http,
                format!("`{path}` is not the path of a request"),
                "give a path that starts with a slash, such as \"/login\"",
            ));
        }
        let status = wire.status.as_ref().map_or(200, |status| *status.get_ref());
        if !(100..=599).contains(&status) {
            return Err(self.at(
                wire.status.as_ref().map_or(0, |status| status.span().start),
                format!("{status} is not an HTTP status"),
                "give a status from 100 to 599",
            ));
        }
        let uses_placeholder = command
            .iter()
            .chain(app.env.values().map(Spanned::get_ref))
            .any(|word| word.contains("{port}"));
        let port = match &wire.port {
            Some(port) if *port.get_ref() == 0 => {
                return Err(self.wrong(
                    port,
                    "port 0 is none to connect to",
                    "give the app's port, or leave `port` out and write {port} into the command",
                ));
            }
            Some(port) => Port::Fixed(*port.get_ref()),
            None if uses_placeholder => Port::Picked,
            None => {
                return Err(self.wrong(
                    &wire.http,
                    "the app is to answer over HTTP, but nothing says on which port",
                    "write {port} into the command or env, or give ready.port",
                ));
            }
        };
        let timeout = wire
            .timeout
            .as_ref()
            .map(|text| self.positive_duration(text))
            .transpose()?;
        let ready = Readiness::Http {
            path: path.clone(),
            status,
            port,
        };
        Ok((ready, timeout))
    }
}

fn is_module_name(text: &str) -> bool {
    text.split('.').all(|part| {
        part.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && part.chars().all(|c| c.is_alphanumeric() || c == '_')
    })
}
