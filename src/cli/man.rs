//! `coldsnake man`: the manual pages, made of the same texts as `--help`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::exit::{Failed, Status};
use super::output::{print, say};
use crate::report::write_whole;

/// Print a manual page, or write all of them
///
/// There is a page for coldsnake and one for each command, in section 1. Files that are there
/// already and say something else are left as they are, unless --force is given.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake man run | man -l -
  coldsnake man --out ~/.local/share/man/man1")]
pub struct Args {
    /// The command whose page is printed [default: coldsnake itself]
    #[arg(value_name = "COMMAND", conflicts_with = "out")]
    of: Option<String>,
    /// Write all pages into this folder: coldsnake.1, coldsnake-run.1, and so on
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// With --out: replace files that are there and say something else
    #[arg(long, requires = "out")]
    force: bool,
}

pub fn execute(args: &Args) -> Result<Status, Failed> {
    let pages = pages();
    if let Some(folder) = &args.out {
        return write(&pages, folder, args.force);
    }
    let name = match args.of.as_deref() {
        None | Some(super::NAME) => super::NAME.to_owned(),
        Some(of) => format!("{}-{of}", super::NAME),
    };
    let Some(page) = pages.iter().find(|page| page.name == name) else {
        let prefix = format!("{}-", super::NAME);
        let known: Vec<&str> = pages
            .iter()
            .filter_map(|page| page.name.strip_prefix(&prefix))
            .collect();
        return Err(Failed::bad_input(format!(
            "there is no command `{}`\n  there are pages of: {}",
            args.of.as_deref().unwrap_or_default(),
            known.join(", ")
        )));
    };
    print(&page.text);
    Ok(Status::Done)
}

/// When this version was released, or is expected to be; it stands at the foot of each page.
const RELEASED: &str = "2026-12-01";

/// A manual page.
struct Page {
    /// `coldsnake-run`
    name: String,
    /// As groff and mandoc read it.
    text: String,
}

impl Page {
    fn file(&self) -> String {
        format!("{}.1", self.name)
    }
}

/// Every file is written whole, and none before all of them are known to be ours to write.
fn write(pages: &[Page], folder: &Path, force: bool) -> Result<Status, Failed> {
    let failed = |path: &Path, error: io::Error| {
        Failed::bad_input(format!(
            "cannot write {}: {error}\n  choose another folder with --out",
            path.display()
        ))
    };
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut missing = Vec::new();
    for page in pages {
        let path = folder.join(page.file());
        match fs::read(&path) {
            Ok(there) if there == page.text.as_bytes() => {}
            Ok(_) if !force => {
                return Err(Failed::bad_input(format!(
                    "{} is there already and says something else; nothing was written\n  --force \
                     replaces it, --out names another folder",
                    path.display()
                )));
            }
            Ok(_) => missing.push((path, page)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push((path, page)),
            Err(error) => return Err(failed(&path, error)),
        }
    }
    for (path, page) in &missing {
        write_whole(path, page.text.as_bytes()).map_err(|error| failed(path, error))?;
    }
    say(&format!(
        "{} manual pages are in {}, {} of them written now",
        pages.len(),
        folder.display(),
        missing.len()
    ));
    Ok(Status::Done)
}

/// The program's page first.
fn pages() -> Vec<Page> {
    // `coldsnake help` has no options that a page could list.
    let mut program = super::Cli::command().disable_help_subcommand(true);
    program.build();
    let commands: Vec<Command> = program
        .get_subcommands()
        .filter(|command| !command.is_hide_set())
        .cloned()
        .collect();
    std::iter::once(program).chain(commands).map(page).collect()
}

fn name(command: &Command) -> String {
    let name = command.get_display_name();
    name.unwrap_or_else(|| command.get_name()).to_owned()
}

fn page(command: Command) -> Page {
    let name = name(&command);
    let closing = command
        .get_after_long_help()
        .or_else(|| command.get_after_help())
        .map(ToString::to_string)
        .unwrap_or_default();
    // clap_mangen's own synopsis spells every option out, and `[CMD]` for `[-- <CMD>...]`.
    let usage = command.clone().render_usage().to_string();
    let command = command.override_usage(usage.trim_start_matches("Usage: ").to_owned());
    let has_commands = command.has_subcommands();
    let man = Man::new(command)
        .title(name.to_uppercase())
        .date(RELEASED)
        .source(format!("{} {}", super::NAME, env!("CARGO_PKG_VERSION")))
        .manual("User Commands");
    let mut bytes = Vec::new();
    // clap_mangen calls what stands after the options EXTRA, and fills its lines: examples would
    // run into each other. So the sections are put together here.
    let mut render = || -> io::Result<()> {
        man.render_title(&mut bytes)?;
        man.render_name_section(&mut bytes)?;
        man.render_synopsis_section(&mut bytes)?;
        man.render_description_section(&mut bytes)?;
        man.render_options_section(&mut bytes)?;
        if has_commands {
            man.render_subcommands_section(&mut bytes)?;
        }
        let mut rest = sections(&closing);
        if !has_commands {
            rest.control("SH", ["SEE ALSO"]);
            rest.text([bold(super::NAME), roman("(1)")]);
        }
        rest.to_writer(&mut bytes)
    };
    // A vector takes everything.
    let _ = render();
    let text = String::from_utf8_lossy(&bytes)
        // Two breaks around an empty line: mandoc warns of both.
        .replace("\n.br\n\n.br\n", "\n.sp\n")
        // Once a section, where once is enough.
        .replace(QUOTES, "");
    Page {
        name,
        text: format!("{QUOTES}{text}"),
    }
}

/// How a straight apostrophe is written for groff and for others.
const QUOTES: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// What a help text closes with: a line that ends with a colon is a section's heading, and what is
/// indented below it keeps its lines.
fn sections(closing: &str) -> Roff {
    let mut roff = Roff::new();
    let mut lines = closing.lines().filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        match line.strip_suffix(':') {
            Some(heading) => roff.control("SH", [heading.to_uppercase().as_str()]),
            None => roff.text([roman(line)]),
        };
        if lines.peek().is_some_and(|line| line.starts_with(' ')) {
            roff.control("nf", []);
            while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
                roff.text([roman(line.trim_start())]);
            }
            roff.control("fi", []);
        }
    }
    roff
}
