//! What was found out, as a suite's text with the reason for each value.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{End, Inferred, PortPlace};
use crate::suite::text::{ScenarioText, comment, key, list, string};

/// Why a folder is a source.
const OWN: &str = "Modules that were loaded from here belong neither to the standard library nor to what is\n\
                   # installed: they are the app's own.";
/// Why something about bytecode is left out.
const SCENARIOS_MATTER: &str = "each scenario says itself what is cached and written";
/// A launch may take so many times as long as the one that was seen, which was a warm one.
const TIMEOUT_FACTOR: u32 = 20;
const SHORTEST_TIMEOUT: u64 = 30;
const LONGEST_TIMEOUT: u64 = 600;

/// The standard scenarios, the baseline first.
pub fn standard(inferred: &Inferred) -> Vec<ScenarioText> {
    let mut all = Vec::new();
    let mut add = |name, about: &str, axes: &[(&'static str, &str)]| {
        all.push(ScenarioText::new(name, about, axes, &inferred.taken.flags));
    };
    add(
        "warm",
        "everything is cached: what a start can cost at best",
        &[],
    );
    add(
        "as-found",
        "the bytecode that is there now, of the app, its packages and the standard library",
        &[
            ("bytecode", "as-found"),
            ("site-packages", "as-found"),
            ("stdlib", "as-found"),
        ],
    );
    let [read_only, absent] = [("source", "read-only"), ("bytecode", "absent")];
    add(
        "cold",
        "neither the app nor its packages are compiled, and none of it can be written: a container \
         image without pycs, at every start",
        &[read_only, absent, ("site-packages", "absent")],
    );
    if !inferred.sources.is_empty() {
        add(
            "app-cold",
            "the packages are compiled, the app is not, and cannot be written: a service's user \
             that does not own the source",
            &[read_only, absent],
        );
    }
    add(
        "prefix-first",
        "the first start after PYTHONPYCACHEPREFIX was set",
        &[("prefix", "empty")],
    );
    add("prefix-warm", "every later start", &[("prefix", "warm")]);
    all
}

/// The suite of these scenarios, of which the first is the baseline, with paths relative to this folder
/// where they lie below it.
pub fn write(inferred: &Inferred, folder: &Path, scenarios: &[ScenarioText]) -> String {
    let made = comment(&format!("Made by `coldsnake init -- {}`", inferred.given));
    let mut text = format!(
        "{made}\n\
         # from one launch of that command. Every value may be changed; scenarios/README.md describes\n\
         # the keys.\n\n[app]\nname = {}\n",
        string(&inferred.name)
    );
    let line = |text: &mut String, why: &str, key: &str, value: String| {
        text.push_str(&format!("# {why}\n{key} = {value}\n"));
    };
    let path = |path: &Path| string(&relative(path, folder));
    line(
        &mut text,
        &format!(
            "The interpreter that the command leads to, Python {}.",
            inferred.python_version
        ),
        "python",
        path(&inferred.python),
    );
    let sources: Vec<String> = inferred
        .sources
        .iter()
        .map(|source| relative(source, folder))
        .collect();
    match &sources[..] {
        [] => text.push_str(
            "# No source: all modules that were loaded are the standard library's or installed.\n",
        ),
        [one] => line(&mut text, OWN, "source", string(one)),
        several => line(&mut text, OWN, "source", list(several)),
    }
    if let Some(directory) = &inferred.directory {
        line(
            &mut text,
            "Where the command was started.",
            "directory",
            path(directory),
        );
    }
    line(
        &mut text,
        &why_command(inferred),
        "command",
        list(&inferred.command),
    );
    if let Some(module) = &inferred.module {
        line(
            &mut text,
            "What the server imports; the metric `import` times that alone.",
            "module",
            string(module),
        );
    }
    if let Some(ready) = ready(inferred.end) {
        line(&mut text, &why_ready(inferred), "ready", ready);
    }
    line(
        &mut text,
        &format!(
            "It took {} when it was launched once; under other scenarios it may take longer.",
            seconds(inferred.took)
        ),
        "timeout",
        string(&format!("{}s", timeout(inferred.took))),
    );
    if !inferred.env.is_empty() {
        text.push_str("\n# Added to the few variables that every app gets.\n[app.env]\n");
        for (name, (value, reason)) in &inferred.env {
            line(&mut text, reason, &key(name), string(value));
        }
    }
    if let Some(baseline) = scenarios.first() {
        text.push_str(&format!(
            "\n[measure]\n# What the other scenarios are compared with.\nbaseline = {}\n",
            string(baseline.name)
        ));
    }
    for scenario in scenarios {
        text.push_str(&scenario.toml());
    }
    text
}

/// What was found, in a sentence.
pub fn summary(inferred: &Inferred) -> String {
    let end = match inferred.end {
        End::Exit => "ends by itself".to_owned(),
        End::Http { port, status, .. } => {
            format!("answers GET / on port {port} with status {status}")
        }
        End::Tcp { port, .. } => format!("listens on port {port}, without HTTP"),
        End::Notify => "sends READY=1".to_owned(),
    };
    let folders: Vec<String> = inferred
        .sources
        .iter()
        .map(|source| source.display().to_string())
        .collect();
    let own = if folders.is_empty() {
        "no modules of its own".to_owned()
    } else {
        format!("its own modules in {}", folders.join(", "))
    };
    let mut text = format!(
        "`{}` runs under Python {} ({}), has {own}, and {end}",
        inferred.given,
        inferred.python_version,
        inferred.python.display()
    );
    if !inferred.taken.left_out.is_empty() {
        let left_out = inferred.taken.left_out.join(", ");
        text.push_str(&format!("; left out: {left_out}, as {SCENARIOS_MATTER}"));
    }
    text
}

fn why_command(inferred: &Inferred) -> String {
    let mut why = String::from("As given, with the interpreter first");
    if let End::Http {
        port,
        place: PortPlace::Given,
        ..
    }
    | End::Tcp {
        port,
        place: PortPlace::Given,
    } = inferred.end
    {
        why.push_str(&format!(
            "; {port}, on which it listened, became {{port}}:\n# each launch gets a free one"
        ));
    }
    why.push('.');
    if !inferred.taken.flags.is_empty() {
        why.push_str(" The interpreter's flags are the scenarios'.");
    }
    for left_out in &inferred.taken.left_out {
        let left_out = comment(&format!("{left_out} is left out: {SCENARIOS_MATTER}."));
        why.push_str(&format!("\n{left_out}"));
    }
    why
}

fn why_ready(inferred: &Inferred) -> String {
    let took = seconds(inferred.took);
    match inferred.end {
        End::Exit => String::new(),
        End::Http { port, status, .. } => format!(
            "It answered GET / on port {port} with status {status} after {took}. A path that needs the\n\
             # whole app is better."
        ),
        End::Tcp { port, .. } => {
            format!("It listened on port {port} after {took}, and did not answer in HTTP.")
        }
        End::Notify => {
            format!("It listened nowhere, and sent READY=1 to NOTIFY_SOCKET, in {took}.")
        }
    }
}

fn ready(end: End) -> Option<String> {
    Some(match end {
        End::Exit => return None,
        End::Http {
            status,
            place: PortPlace::Given,
            ..
        } => {
            format!("{{ http = \"/\", status = {status} }}")
        }
        End::Http {
            port,
            status,
            place: PortPlace::Nowhere,
        } => {
            format!("{{ http = \"/\", status = {status}, port = {port} }}")
        }
        End::Tcp {
            place: PortPlace::Given,
            ..
        } => "{ tcp = true }".to_owned(),
        End::Tcp {
            port,
            place: PortPlace::Nowhere,
        } => format!("{{ tcp = {port} }}"),
        End::Notify => "{ notify = true }".to_owned(),
    })
}

fn timeout(took: Duration) -> u64 {
    (took * TIMEOUT_FACTOR)
        .as_secs()
        .clamp(SHORTEST_TIMEOUT, LONGEST_TIMEOUT)
}

fn seconds(duration: Duration) -> String {
    format!("{:.2} s", duration.as_secs_f64())
}

fn relative(path: &Path, folder: &Path) -> String {
    match path.strip_prefix(folder) {
        Ok(rest) if rest.as_os_str().is_empty() => ".".to_owned(),
        // A bare name would be looked for on PATH.
        Ok(rest) => PathBuf::from(".").join(rest).display().to_string(),
        Err(_) => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::flags::Taken;
    use super::*;
    use crate::suite::{Port, Readiness, SuiteFile};

    fn inferred(end: End) -> Inferred {
        Inferred {
            given: "python -m shop --port 8000".to_owned(),
            name: "shop".to_owned(),
            python: "/v/bin/python".into(),
            python_version: "3.11.2".to_owned(),
            command: ["{python}", "-m", "shop", "--port", "{port}"]
                .map(str::to_owned)
                .to_vec(),
            sources: vec!["/p/src".into(), "/lib".into()],
            taken: Taken::default(),
            directory: Some("/p".into()),
            module: None,
            end,
            took: Duration::from_millis(530),
            env: BTreeMap::from([(
                "FLASK_APP".to_owned(),
                ("a\"b".to_owned(), "as in the shell"),
            )]),
        }
    }

    #[test]
    fn what_is_written_is_a_suite_that_says_the_same() {
        let place = PortPlace::Given;
        let inferred = inferred(End::Http {
            port: 8000,
            status: 302,
            place,
        });
        let text = write(&inferred, Path::new("/p"), &standard(&inferred));
        let suite = SuiteFile::from_text(Path::new("/p/coldsnake.toml"), text.clone())
            .suite()
            .unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(suite.app.sources, [Path::new("/p/src"), Path::new("/lib")]);
        assert_eq!(suite.app.directory.as_deref(), Some(Path::new("/p")));
        assert_eq!(suite.app.env["FLASK_APP"], "a\"b");
        assert_eq!(
            suite.app.ready,
            Readiness::Http {
                path: "/".to_owned(),
                status: 302,
                port: Port::Picked
            }
        );
        let names: Vec<_> = suite.scenarios.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "warm",
                "as-found",
                "cold",
                "app-cold",
                "prefix-first",
                "prefix-warm"
            ]
        );
    }

    #[test]
    fn an_app_that_is_all_installed_has_no_source() {
        let mut inferred = inferred(End::Exit);
        inferred.sources.clear();
        inferred.directory = None;
        inferred.command = ["{python}", "/v/bin/black", "--version"]
            .map(str::to_owned)
            .to_vec();
        let text = write(&inferred, Path::new("/p"), &standard(&inferred));
        let suite = SuiteFile::from_text(Path::new("/p/coldsnake.toml"), text)
            .suite()
            .unwrap();
        assert!(suite.app.sources.is_empty());
        assert!(suite.scenario("app-cold").is_none());
    }

    #[test]
    fn a_command_and_its_variables_may_hold_what_needs_care() {
        let mut inferred = inferred(End::Exit);
        inferred.given = "python -c '1\r2\x1b3\n4'".to_owned();
        let value = ("1".to_owned(), "as given");
        inferred.env.insert("A.B".to_owned(), value);
        let text = write(&inferred, Path::new("/p"), &standard(&inferred));
        let suite = SuiteFile::from_text(Path::new("/p/coldsnake.toml"), text).suite();
        assert_eq!(suite.unwrap().app.env["A.B"], "1");
    }
}
