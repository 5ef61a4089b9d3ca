//! The port that a service listens on, found in its command or environment and given up for
//! `{port}`: each launch gets a free one, while the real service may hold the unit's own.

use std::collections::BTreeMap;

use super::program::base_name;
use crate::suite::text::PORT;

/// Options whose value is a port.
const PORT_OPTIONS: [&str; 3] = ["--port", "--http-port", "-p"];
/// Options whose value is a host and a port, or a socket's path.
const BIND_OPTIONS: [&str; 4] = ["--bind", "--listen", "-b", "-l"];
/// Variables that name a server's own port; others that end in PORT name a database's.
const VARIABLES: [&str; 7] = [
    "PORT",
    "APP_PORT",
    "FLASK_RUN_PORT",
    "HTTP_PORT",
    "LISTEN_PORT",
    "SERVER_PORT",
    "UVICORN_PORT",
];
/// Words after which a bare number is a port.
const BEFORE_NUMBER: [&str; 2] = ["runserver", "http.server"];
/// Hosts that can be listened on anywhere.
const LOCAL: [&str; 8] = [
    "",
    "0.0.0.0",
    "127.0.0.1",
    "localhost",
    "::",
    "[::]",
    "[::1]",
    "*",
];

/// What was put where a port stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Replaced {
    /// As the unit has it.
    pub from: String,
    pub to: String,
}

/// Puts `{port}` where the words or, failing that, the variables name the service's port.
pub(super) fn replace(
    words: &mut Vec<String>,
    env: &mut BTreeMap<String, String>,
) -> Option<Replaced> {
    if let Some((replaced, port)) = in_words(words) {
        // The app may look there, too.
        for name in VARIABLES {
            if let Some(value) = env
                .get_mut(name)
                .filter(|value| Some(&**value) == port.as_ref())
            {
                *value = PORT.to_owned();
            }
        }
        return Some(replaced);
    }
    if let Some(options) = env.get_mut("GUNICORN_CMD_ARGS") {
        let mut words: Vec<String> = options.split_whitespace().map(str::to_owned).collect();
        if let Some((replaced, _)) = in_words(&mut words) {
            *options = words.join(" ");
            return Some(replaced);
        }
    }
    for name in VARIABLES {
        if let Some(value) = env.get_mut(name)
            && is_port(value)
        {
            let from = format!("{name}={value}");
            *value = PORT.to_owned();
            let to = format!("{name}={PORT}");
            return Some(Replaced { from, to });
        }
    }
    None
}

/// What was replaced, and the port's number if it had one.
fn in_words(words: &mut Vec<String>) -> Option<(Replaced, Option<String>)> {
    for at in 0..words.len() {
        let word = words[at].clone();
        let (option, joined) = match word.split_once('=') {
            Some((option, value)) if option.starts_with('-') => (option, Some(value.to_owned())),
            _ => (word.as_str(), None),
        };
        let value = joined.clone().or_else(|| words.get(at + 1).cloned());
        let to = match value.as_deref() {
            Some(value) if PORT_OPTIONS.contains(&option) && is_port(value) => {
                Some(PORT.to_owned())
            }
            Some(value) if BIND_OPTIONS.contains(&option) => address(value),
            Some("") | None => None,
            // A socket's path, which a suite cannot wait for.
            Some(_) if option == "--uds" || option == "--unix-socket" => {
                let option = if option == "--uds" {
                    "--port"
                } else {
                    "--listen"
                };
                let to = if option == "--port" {
                    vec!["--port".to_owned(), PORT.to_owned()]
                } else {
                    vec![format!("--listen=127.0.0.1:{PORT}")]
                };
                let end = at + if joined.is_some() { 1 } else { 2 };
                let replaced = Replaced {
                    from: words[at..end].join(" "),
                    to: to.join(" "),
                };
                words.splice(at..end, to);
                return Some((replaced, None));
            }
            Some(_) => None,
        };
        if let (Some(to), Some(value)) = (to, value) {
            let index = if joined.is_some() { at } else { at + 1 };
            let replaced = Replaced {
                from: format!("{option} {value}"),
                to: format!("{option} {to}"),
            };
            words[index] = if joined.is_some() {
                format!("{option}={to}")
            } else {
                to
            };
            return Some((replaced, number(&value)));
        }
        let after = at.checked_sub(1).map(|before| base_name(&words[before]));
        let is_number = is_port(&word) && after.is_some_and(|name| BEFORE_NUMBER.contains(&name));
        let bare = is_number || (at > 0 && !word.starts_with(['-', '/']) && word.contains(':'));
        if bare && let Some(to) = address(&word) {
            words[at].clone_from(&to);
            let port = number(&word);
            return Some((Replaced { from: word, to }, port));
        }
    }
    None
}

/// An address with `{port}` for its port. A host of another machine, or a socket's path, becomes
/// this machine's.
fn address(text: &str) -> Option<String> {
    if is_port(text) {
        return Some(PORT.to_owned());
    }
    if text.starts_with("unix:") || text.starts_with('/') {
        return Some(format!("127.0.0.1:{PORT}"));
    }
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), text),
    };
    let (host, port) = rest.rsplit_once(':')?;
    if !is_port(port) {
        return None;
    }
    let is_local = LOCAL.contains(&host) || host.starts_with("127.");
    let host = if is_local { host } else { "127.0.0.1" };
    Some(format!("{scheme}{host}:{PORT}"))
}

/// The port at the end of an address.
fn number(address: &str) -> Option<String> {
    let last = address.rsplit(':').next()?;
    is_port(last).then(|| last.to_owned())
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(command: &str) -> String {
        let mut words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        replace(&mut words, &mut BTreeMap::new());
        words.join(" ")
    }

    #[test]
    fn a_port_is_found_where_servers_take_it() {
        for (command, replaced) in [
            ("s --port 8000 x", "s --port {port} x"),
            ("s --port=8000", "s --port={port}"),
            ("flask run -p 5000", "flask run -p {port}"),
            (
                "gunicorn -p /run/x.pid -b :80 a:b",
                "gunicorn -p /run/x.pid -b :{port} a:b",
            ),
            (
                "gunicorn --bind 10.1.2.3:80 a:b",
                "gunicorn --bind 127.0.0.1:{port} a:b",
            ),
            (
                "gunicorn --bind=unix:/run/x a:b",
                "gunicorn --bind=127.0.0.1:{port} a:b",
            ),
            ("uvicorn --uds /run/x a:b", "uvicorn --port {port} a:b"),
            (
                "{python} manage.py runserver 0.0.0.0:80",
                "{python} manage.py runserver 0.0.0.0:{port}",
            ),
            (
                "{python} -m http.server 8000",
                "{python} -m http.server {port}",
            ),
            (
                "waitress-serve --listen=*:80 a:b",
                "waitress-serve --listen=*:{port} a:b",
            ),
        ] {
            assert_eq!(words(command), replaced);
        }
    }

    #[test]
    fn what_is_no_port_stays() {
        for command in [
            "s a:b",
            "s --workers 4",
            "s 8000",
            "s --ratio 1:2x",
            "s --db /x:y",
        ] {
            assert_eq!(words(command), command);
        }
    }

    #[test]
    fn a_variable_is_taken_where_no_word_is() {
        let mut env: BTreeMap<String, String> = [("DB_PORT", "5432"), ("PORT", "80")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        assert!(replace(&mut vec!["s".to_owned()], &mut env).is_some());
        assert_eq!((&*env["DB_PORT"], &*env["PORT"]), ("5432", "{port}"));
        env.insert("PORT".to_owned(), "80".to_owned());
        let mut words = vec!["s".to_owned(), ":80".to_owned()];
        replace(&mut words, &mut env);
        assert_eq!((&*words[1], &*env["PORT"]), (":{port}", "{port}"));
    }
}
