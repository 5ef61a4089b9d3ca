//! What to paste for a fix, by where the app is deployed.

use super::fixes::Fix;
use super::lines::{compileall, prefix_in_unit};
use crate::record::Record;
use crate::suite::text::shell;

/// Lines for one kind of deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where they go.
    pub place: &'static str,
    pub lines: Vec<String>,
}

const SHELL: &str = "in a shell, as the owner";
const UNIT: &str = "in the unit";
const DOCKERFILE: &str = "in a Dockerfile";

/// Where packages are installed, for a shell to ask.
const PACKAGES: &str = r#"import sysconfig; print(sysconfig.get_path("purelib"))"#;
const LIBRARY: &str = r#"import sysconfig; print(sysconfig.get_path("stdlib"))"#;

/// The steps of a fix for the app of this record.
pub fn steps(fix: Fix, record: &Record) -> Vec<Step> {
    let app = &record.suite.app;
    let python = match record.header.interpreters.first() {
        Some(interpreter) => interpreter.executable.as_str(),
        None => "python3",
    };
    let sources: Vec<String> = app
        .sources
        .iter()
        .map(|source| source.display().to_string())
        .collect();
    let step = |place, lines: &[String]| Step {
        place,
        lines: lines.to_vec(),
    };
    match fix {
        Fix::Compile => {
            let lines = |python: &str| {
                [
                    compiled(python, &[], &sources, PACKAGES),
                    // The library's own tests hold files that are no Python on purpose.
                    compiled(python, &["-x", "/tests?/"], &[], LIBRARY),
                ]
            };
            vec![
                step(SHELL, &lines(python)),
                step(
                    DOCKERFILE,
                    &lines("python").map(|line| format!("RUN {line}")),
                ),
            ]
        }
        Fix::UncheckedHash => {
            let how = ["-f", "--invalidation-mode", "unchecked-hash"];
            let lines = |python: &str| {
                [
                    compileall(python, &how, &sources),
                    compiled(python, &[], &[], PACKAGES),
                ]
            };
            vec![
                step(SHELL, &lines(python)),
                step(
                    DOCKERFILE,
                    &lines("python").map(|line| format!("RUN {line}")),
                ),
            ]
        }
        Fix::CompilePackages => vec![
            step(SHELL, &[compiled(python, &[], &[], PACKAGES)]),
            step(DOCKERFILE, &["ENV UV_COMPILE_BYTECODE=1".to_owned()]),
        ],
        Fix::Prefix | Fix::MovePrefix => {
            let name = &app.name;
            vec![
                step(UNIT, &prefix_in_unit(name)),
                step(
                    DOCKERFILE,
                    &[
                        format!("ENV PYTHONPYCACHEPREFIX=/var/cache/{name}/pyc"),
                        format!("VOLUME /var/cache/{name}"),
                    ],
                ),
                step(
                    "in a shell, as the app's user",
                    &[format!(
                        "export PYTHONPYCACHEPREFIX=\"$HOME/.cache/{name}/pyc\""
                    )],
                ),
            ]
        }
        Fix::Chown => vec![step(
            "in a shell, as root, with the app's user",
            &[format!("chown -R \"$APP_USER\" {}", shell(&sources))],
        )],
    }
}

/// A call of compileall on folders, and on the one that the interpreter names.
fn compiled(python: &str, options: &[&str], folders: &[String], asked: &str) -> String {
    let question = shell(&[python, "-c", asked].map(str::to_owned));
    format!("{} \"$({question})\"", compileall(python, options, folders))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_gets_what_was_meant() {
        let folders = ["/srv/my app".to_owned()];
        assert_eq!(
            compiled("/v/bin/python", &["-f"], &folders, "print(1)"),
            "/v/bin/python -m compileall -q -f '/srv/my app' \"$(/v/bin/python -c 'print(1)')\""
        );
    }
}
