//! `coldsnake publish`: records as a static site.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::exit::{Failed, Status};
use super::output::{open, print, say, write};
use super::places::{SITE_MARK as MARK, records_at};
use crate::record::{RECORD_FILE, Record};
use crate::report::{Entry, site_index, write_whole};

/// Make a static site of records: an index, and a page for each run
///
/// For any web server, or a disk: it is a folder of files with relative links. A folder is looked through
/// for records, however deep they lie.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  coldsnake publish coldsnake-runs --out site
  coldsnake publish coldsnake-runs/RUN results --out site --force")]
pub struct Args {
    /// Records (record.jsonl), or folders with records
    #[arg(required = true, value_name = "RECORD|DIR")]
    places: Vec<PathBuf>,
    /// The site's folder, which must not exist yet
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Replace a site that an earlier call made
    #[arg(long)]
    force: bool,
}

const INDEX: &str = "index.html";

pub fn execute(args: &Args) -> Result<Status, Failed> {
    check_target(&args.out, args.force)?;
    let mut places = Vec::new();
    for place in &args.places {
        places.extend(records_at(place)?);
    }
    let parent = match args.out.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    // Beside the site, so that renaming it moves no file.
    let making = tempfile::Builder::new()
        .prefix(".coldsnake-site-")
        .tempdir_in(parent)
        .map_err(|error| unwritten(&args.out, error))?;
    let published = publish(&places, making.path())?;
    put_in_place(making, &args.out)?;
    print(&format!(
        "{published} {}: open {} in a browser\n",
        if published == 1 { "run" } else { "runs" },
        args.out.join(INDEX).display()
    ));
    Ok(Status::Done)
}

/// Makes the whole site in an empty folder, and says how many runs there are.
fn publish(places: &[PathBuf], site: &Path) -> Result<usize, Failed> {
    let mut entries: Vec<Entry> = Vec::new();
    let (mut known, mut names) = (HashSet::new(), HashSet::new());
    for place in places {
        let (record, analysis) = open(place)?;
        if !known.insert(identity(&record)) {
            say(&format!(
                "{} is the record of a run that is there already, and is left out",
                place.display()
            ));
            continue;
        }
        let name = folder_name(&record, &mut names);
        let folder = site.join(&name);
        fs::create_dir(&folder).map_err(|error| unwritten(&folder, error))?;
        write(&folder, &record, &analysis)?;
        let file = if place.is_dir() {
            place.join(RECORD_FILE)
        } else {
            place.clone()
        };
        let bytes = fs::read(&file).map_err(|error| {
            Failed::bad_input(format!("cannot read {}: {error}", file.display()))
        })?;
        let copy = folder.join(RECORD_FILE);
        write_whole(&copy, &bytes).map_err(|error| unwritten(&copy, error))?;
        entries.push(Entry::of(&name, &record, &analysis));
    }
    for (name, text) in [(INDEX, site_index(&entries)), (MARK, String::new())] {
        let path = site.join(name);
        write_whole(&path, text.as_bytes()).map_err(|error| unwritten(&path, error))?;
    }
    Ok(entries.len())
}

/// What no two runs have in common.
fn identity(record: &Record) -> (String, String, u64, String) {
    let header = &record.header;
    let executables: Vec<&str> = header
        .interpreters
        .iter()
        .map(|each| each.executable.as_str())
        .collect();
    (
        header.started.clone(),
        header.suite.sha256.clone(),
        header.seed,
        executables.join(" "),
    )
}

/// A name of its own, of characters that neither a URL nor a file system minds.
fn folder_name(record: &Record, taken: &mut HashSet<String>) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let app: String = record
        .suite
        .app
        .name
        .chars()
        .map(|c| if safe(c) { c.to_ascii_lowercase() } else { '-' })
        .collect();
    let digits: String = record
        .header
        .started
        .chars()
        .filter(char::is_ascii_digit)
        .take(14)
        .collect();
    let base = format!("{app}-{digits}");
    let name = (1..)
        .map(|number| match number {
            1 => base.clone(),
            _ => format!("{base}-{number}"),
        })
        .find(|name| !taken.contains(name))
        .unwrap_or(base);
    taken.insert(name.clone());
    name
}

/// May the site be made there?
fn check_target(out: &Path, force: bool) -> Result<(), Failed> {
    if out.symlink_metadata().is_err() {
        return Ok(());
    }
    let is_site = !out.is_symlink() && out.join(MARK).is_file();
    match (is_site, force) {
        (true, true) => Ok(()),
        (true, false) => Err(Failed::bad_input(format!(
            "{} is a site already\n  --force replaces it",
            out.display()
        ))),
        (false, _) => Err(Failed::bad_input(format!(
            "{} is there already, and is no site of coldsnake's; it is left as it is\n  choose another folder \
             with --out",
            out.display()
        ))),
    }
}

/// Gives the site its name; an older one is there until the new one is whole.
fn put_in_place(making: tempfile::TempDir, out: &Path) -> Result<(), Failed> {
    use std::os::unix::fs::PermissionsExt;
    let failed = |error| unwritten(out, error);
    // A temporary folder is its owner's alone; a site is served by somebody else.
    fs::set_permissions(making.path(), fs::Permissions::from_mode(0o755)).map_err(failed)?;
    let new = making.keep();
    if out.symlink_metadata().is_err() {
        return fs::rename(&new, out).map_err(failed);
    }
    let old = new.with_extension("old");
    fs::rename(out, &old).map_err(failed)?;
    if let Err(error) = fs::rename(&new, out) {
        // The old one is better than none.
        let _ = fs::rename(&old, out);
        return Err(failed(error));
    }
    fs::remove_dir_all(&old).map_err(failed)
}

fn unwritten(path: &Path, error: io::Error) -> Failed {
    Failed::bad_input(format!(
        "cannot write {}: {error}\n  choose another folder with --out",
        path.display()
    ))
}
