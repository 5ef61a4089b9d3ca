//! From the words of a command to a suite: what `coldsnake run -- CMD` measures and what
//! `coldsnake init -- CMD` writes.
//!
//! `command` finds the interpreter behind shims and first lines. `observe` launches the command
//! once, untimed, where it is, with a hook that says which files its code comes from. `sources`
//! tells the app's own folders from what is installed, `flags` leaves bytecode to the scenarios,
//! `port` puts `{port}` where the port stands,
//! and `text` writes it all down as a suite, with the reason for each value.

mod command;
mod error;
mod flags;
mod layout;
mod observe;
mod port;
mod sources;
mod text;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

pub use command::{Resolved, resolve};
pub use error::InferError;
pub use flags::LEFT_OUT;
pub use layout::tidy;
pub use sources::shared_folders;

use crate::launch::{Launcher, Service};
use crate::python::environment::CallerEnvironment;
use crate::python::on_path;
use crate::suite::WriteBytecode;
use crate::suite::text::{ScenarioText, name, shell, with_source};
use layout::Layout;
use observe::Observed;

/// Variables of the shell that tell well-known programs what to start. Others are named with
/// `--pass-env`.
const KEPT: [&str; 4] = [
    "DJANGO_SETTINGS_MODULE",
    "FLASK_APP",
    "GUNICORN_CMD_ARGS",
    "PORT",
];
const PYTHONPATH: &str = "PYTHONPATH";

/// A command of which nothing is known yet.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    /// Its words, as they would be typed.
    pub words: &'a [String],
    /// The interpreter to take instead of the one that the command leads to.
    pub python: Option<&'a Path>,
    /// Variables that the user gives it.
    pub env: BTreeMap<String, String>,
    /// Where it is started.
    pub directory: PathBuf,
    /// How long it may take to end or to serve.
    pub timeout: Duration,
}

/// What was found out about a command.
#[derive(Debug, Clone)]
pub struct Inferred {
    /// The command as it was given.
    given: String,
    name: String,
    python: PathBuf,
    python_version: String,
    /// With `{python}` first, and `{port}` and `{source}` where they belong.
    command: Vec<String>,
    sources: Vec<PathBuf>,
    /// What scenarios say in place of the command.
    taken: flags::Taken,
    /// The working directory, if that has to be said.
    directory: Option<PathBuf>,
    module: Option<String>,
    end: End,
    /// Until it ended or served, once, untimed.
    took: Duration,
    /// Each with the reason why it is there.
    env: BTreeMap<String, (String, &'static str)>,
}

/// How the command ends or serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Exit,
    Http {
        port: u16,
        status: u16,
        place: PortPlace,
    },
    Tcp {
        port: u16,
        place: PortPlace,
    },
    Notify,
}

/// Does the port stand in the command or in its environment, where `{port}` takes its place?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PortPlace {
    Given,
    Nowhere,
}

/// Finds out what a command is, by launching it once.
///
/// # Errors
/// When it is no Python program, does not work by itself, or neither ends nor serves.
pub fn infer(
    request: &Request<'_>,
    caller: &CallerEnvironment,
    launcher: &mut dyn Launcher,
) -> Result<Inferred, InferError> {
    let resolved = command::resolve(request, caller)?;
    let layout = Layout::ask(&resolved.python.executable, caller)?;
    let mut env = environment(request, &resolved);
    let observed = observe::observe(
        request,
        &resolved,
        &env,
        &layout.user_base,
        caller,
        launcher,
    )?;
    forget_unused(&mut env, &observed);

    let own: Vec<PathBuf> = observed
        .files
        .iter()
        .filter(|file| layout.is_own(file))
        .cloned()
        .collect();
    let places = sources::Places {
        entries: &observed.entries,
        directory: &request.directory,
        shared: &shared_folders(),
    };
    let names_a_file = words::name_a_file(&resolved.words[1..], &request.directory);
    let mut sources = places.roots(&own)?;
    // Taking the whole folder would take a virtual environment in it, too.
    if names_a_file && !layout.prefix.starts_with(&request.directory) {
        sources = places.widened(sources);
    }
    let directory = match sources.first() {
        Some(first) => Some(&request.directory).filter(|directory| *directory != first),
        None => Some(&request.directory).filter(|_| names_a_file),
    };

    let mut command = resolved.words.clone();
    let module = words::served_module(&command, sources.first());
    let mut fixed = resolved.fixed;
    let taken = flags::take(&mut command, &mut fixed, &mut env);
    let end = end(&observed.service, &mut command, fixed, &mut env);
    if let Some(source) = sources.first() {
        for word in command.iter_mut().skip(fixed) {
            *word = with_source(word, source);
        }
        for (value, _) in env.values_mut() {
            *value = with_source(value, source);
        }
    }
    Ok(Inferred {
        given: shell(request.words),
        // A server is called like every other server.
        name: match &module {
            Some(module) => name(module),
            None => words::name(&resolved.words),
        },
        python: resolved.python.executable.clone(),
        python_version: resolved.python.version.clone(),
        command,
        directory: directory.cloned(),
        sources,
        taken,
        module,
        end,
        took: observed.took,
        env,
    })
}

impl Inferred {
    /// The text of the suite of the standard scenarios, with paths relative to this folder where they
    /// lie below it.
    pub fn suite_text(&self, folder: &Path) -> String {
        self.suite_text_of(folder, &text::standard(self))
    }

    /// The same with these scenarios, the first of which is the baseline.
    pub fn suite_text_of(&self, folder: &Path, scenarios: &[ScenarioText]) -> String {
        text::write(self, folder, scenarios)
    }

    /// The prefix that the command has, from its folder on: scenarios have their own.
    pub fn prefix(&self) -> Option<&str> {
        self.taken.prefix.as_deref()
    }

    /// May the command write bytecode? That, too, scenarios decide.
    pub fn write(&self) -> WriteBytecode {
        self.taken.write
    }

    /// The folders of its own modules.
    pub fn sources(&self) -> &[PathBuf] {
        &self.sources
    }

    /// The interpreter's flags, which scenarios say in place of the command.
    pub fn flags(&self) -> &[String] {
        &self.taken.flags
    }

    /// The command as it was given.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// What was found, in a sentence.
    pub fn summary(&self) -> String {
        text::summary(self)
    }
}

/// What the command gets beyond the allow-list. What the user names wins over what is guessed.
fn environment(
    request: &Request<'_>,
    resolved: &Resolved,
) -> BTreeMap<String, (String, &'static str)> {
    let mut env = BTreeMap::new();
    for name in KEPT {
        if let Ok(value) = std::env::var(name) {
            env.insert(name.to_owned(), (value, "as in the shell"));
        }
    }
    if let Ok(value) = std::env::var(PYTHONPATH) {
        let reason = "as in the shell; modules were loaded from there";
        env.insert(PYTHONPATH.to_owned(), (value, reason));
    }
    let given = request.env.iter().chain(&resolved.env);
    env.extend(given.map(|(name, value)| (name.clone(), (value.clone(), "as given"))));
    if let Some((value, _)) = env.get_mut(PYTHONPATH) {
        // Relative entries count from the folder in which the shell stands.
        let entries = std::env::split_paths(value.as_str())
            .filter(|entry| !entry.as_os_str().is_empty())
            .map(|entry| layout::tidy(&request.directory.join(entry)));
        if let Ok(joined) = std::env::join_paths(entries) {
            *value = joined.to_string_lossy().into_owned();
        }
    }
    env
}

/// Leaves `PYTHONPATH` out if nothing was loaded from there.
fn forget_unused(env: &mut BTreeMap<String, (String, &'static str)>, observed: &Observed) {
    let is_used = env.get(PYTHONPATH).is_some_and(|(value, _)| {
        std::env::split_paths(value)
            .any(|entry| observed.files.iter().any(|file| file.starts_with(&entry)))
    });
    if !is_used {
        env.remove(PYTHONPATH);
    }
}

fn end(
    service: &Option<Service>,
    command: &mut [String],
    fixed: usize,
    env: &mut BTreeMap<String, (String, &'static str)>,
) -> End {
    let mut place = |port: u16| {
        let words = command.iter_mut().skip(fixed);
        let values = env.values_mut().map(|(value, _)| value);
        if port::replace(words.chain(values), port) {
            PortPlace::Given
        } else {
            PortPlace::Nowhere
        }
    };
    match *service {
        None => End::Exit,
        Some(Service::Http { port, status }) => End::Http {
            port,
            status,
            place: place(port),
        },
        Some(Service::Tcp { port }) => End::Tcp {
            port,
            place: place(port),
        },
        Some(Service::Notify) => End::Notify,
    }
}

/// The program that a word names, as a shell would find it.
fn find_program(word: &str, request: &Request<'_>) -> Option<PathBuf> {
    if word.contains('/') {
        let path = layout::tidy(&request.directory.join(word));
        return path.exists().then_some(path);
    }
    let beside = request
        .python
        .and_then(Path::parent)
        .map(|folder| request.directory.join(folder).join(word));
    beside
        .filter(|path| path.is_file())
        .or_else(|| on_path(word.as_ref()))
}
