//! `app.ready`: when a server counts as started.

use std::time::Duration;

use toml::Spanned;

use super::error::SuiteError;
use super::model::*;
use super::pattern::Pattern;
use super::validate::SuiteFile;
use super::wire::*;

const SIGNS: &str = "http = \"/\", tcp = true, stdout = \"a pattern\", notify = true";

impl SuiteFile {
    /// When the app is ready, and how long that may take if `ready` says so.
    pub(super) fn ready(&self, app: &WireApp) -> Result<(Readiness, Option<Duration>), SuiteError> {
        let Some(spanned) = &app.ready else {
            return Ok((Readiness::Exit, None));
        };
        let wire = spanned.get_ref();
        self.check_signs(spanned)?;
        let timeout = wire
            .timeout
            .as_ref()
            .map(|text| self.positive_duration(text))
            .transpose()?;
        let ready = if let Some(path) = &wire.http {
            self.http(path, wire, app)?
        } else if let Some(tcp) = &wire.tcp {
            Readiness::Tcp {
                port: self.tcp_port(tcp, app)?,
            }
        } else if let Some(pattern) = &wire.stdout {
            let line = Pattern::parse(pattern.get_ref()).map_err(|reason| {
                self.wrong(
                    pattern,
                    format!("`{}` is no pattern for a line: {reason}", pattern.get_ref()),
                    "give a regular expression, best in single quotes, which keep backslashes: \
                     stdout = '^listening on port \\d+'",
                )
            })?;
            Readiness::Stdout { line }
        } else {
            Readiness::Notify
        };
        Ok((ready, timeout))
    }

    /// One sign and no other, and only keys that belong to it.
    fn check_signs(&self, spanned: &Spanned<WireReady>) -> Result<(), SuiteError> {
        let wire = spanned.get_ref();
        let offset = |at: std::ops::Range<usize>| at.start;
        let given: Vec<(&str, usize)> = [
            ("http", wire.http.as_ref().map(|sign| offset(sign.span()))),
            ("tcp", wire.tcp.as_ref().map(|sign| offset(sign.span()))),
            (
                "stdout",
                wire.stdout.as_ref().map(|sign| offset(sign.span())),
            ),
            (
                "notify",
                wire.notify.as_ref().map(|sign| offset(sign.span())),
            ),
        ]
        .into_iter()
        .filter_map(|(name, at)| Some((name, at?)))
        .collect();
        match given.as_slice() {
            [] => {
                return Err(self.wrong(
                    spanned,
                    "nothing says by what sign the app is ready",
                    format!("give one of {SIGNS}; or take `ready` out, if the app ends by itself"),
                ));
            }
            [_] => {}
            [(first, _), (second, at), ..] => {
                return Err(self.at(
                    *at,
                    format!("`{first}` and `{second}` are both given, and readiness is one sign"),
                    "keep one of http, tcp, stdout and notify",
                ));
            }
        }
        let off = wire.notify.as_ref().is_some_and(|notify| !notify.get_ref())
            || matches!(
                wire.tcp.as_ref().map(Spanned::get_ref),
                Some(WireTcp::Given(false))
            );
        if off {
            let (name, at) = given[0];
            return Err(self.at(
                at,
                format!("`{name} = false` is no sign of readiness"),
                format!("give one of {SIGNS}; or take `ready` out, if the app ends by itself"),
            ));
        }
        if wire.http.is_none() {
            if let Some(status) = &wire.status {
                return Err(self.wrong(
                    status,
                    "`status` is that of a response, and no request is made",
                    "take it out, or give `http`",
                ));
            }
            if let Some(port) = &wire.port {
                return Err(self.wrong(
                    port,
                    "`port` belongs to `http`",
                    "give the port as tcp = 8080, or take it out",
                ));
            }
        }
        Ok(())
    }

    fn http(
        &self,
        path: &Spanned<String>,
        wire: &WireReady,
        app: &WireApp,
    ) -> Result<Readiness, SuiteError> {
        let text = path.get_ref();
        if !text.starts_with('/') || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(self.wrong(
                path,
                format!("`{text}` is not the path of a request"),
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
        let port = match &wire.port {
            Some(port) if *port.get_ref() == 0 => {
                return Err(self.wrong(
                    port,
                    "port 0 is none to connect to",
                    "give the app's port, or leave `port` out and write {port} into the command",
                ));
            }
            Some(port) => Port::Fixed(*port.get_ref()),
            None if uses_placeholder(app) => Port::Picked,
            None => {
                return Err(self.wrong(
                    path,
                    "the app is to answer over HTTP, but nothing says on which port",
                    "write {port} into the command or env, or give ready.port",
                ));
            }
        };
        Ok(Readiness::Http {
            path: text.clone(),
            status,
            port,
        })
    }

    fn tcp_port(&self, tcp: &Spanned<WireTcp>, app: &WireApp) -> Result<Port, SuiteError> {
        match tcp.get_ref() {
            WireTcp::Port(0) => Err(self.wrong(
                tcp,
                "port 0 is none to connect to",
                "give the app's port, or tcp = true and {port} in the command",
            )),
            WireTcp::Port(port) => Ok(Port::Fixed(*port)),
            WireTcp::Given(_) if uses_placeholder(app) => Ok(Port::Picked),
            WireTcp::Given(_) => Err(self.wrong(
                tcp,
                "the app is to accept connections, but nothing says on which port",
                "write {port} into the command or env, or give the app's port: tcp = 8080",
            )),
        }
    }
}

/// Does the app ask which port it is to take?
fn uses_placeholder(app: &WireApp) -> bool {
    app.command
        .get_ref()
        .iter()
        .chain(app.env.values().map(Spanned::get_ref))
        .any(|word| word.contains("{port}"))
}
