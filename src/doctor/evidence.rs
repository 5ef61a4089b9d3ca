//! What shows a cause, in sentences, by the example of the first module or folder that has it.

use std::collections::BTreeMap;

use nix::sys::stat::stat;

use super::audit::Audit;
use super::causes::{EXAMPLES, Lack, enumerated};
use super::gathered::Gathered;
use super::rights::user_name;
use super::subject::Subject;
use super::verdict::{Evidence, Pyc, Verdict};
use super::words::{module_name, pyc_of, time};
use super::writing::{List, Obstacle, Obstructed};
use crate::python::Part;

impl Gathered<'_> {
    /// What shows why bytecode does not count, by the example of the first module.
    pub(super) fn of_lack(&self, subject: &Subject, lack: &Lack) -> Option<String> {
        let (folder, module) = self.first?;
        let tag = &subject.interpreter.tag;
        let source = folder.path.join(&module.file);
        let pyc = pyc_of(subject, folder, module);
        Some(match (lack, module.evidence) {
            (Lack::Corrupt, Evidence::Body(fault)) => format!(
                "the header of {} is right, and {fault}; every start dies of it, and none writes it \
                 anew",
                pyc.display()
            ),
            (Lack::Corrupt, _) => format!(
                "{} stands without its source, and {} does not take it",
                source.display(),
                subject.interpreter.version
            ),
            (Lack::Unreadable, Evidence::Mode { mode, owner }) => format!(
                "{} is there, but {} may not read it: mode {mode:04o}, owner {}{}",
                pyc.display(),
                subject.writing.rights.name(),
                user_name(owner),
                if mode & 0o077 == 0 {
                    ", as after a first start under umask 077"
                } else {
                    ""
                }
            ),
            (Lack::Unreadable, Evidence::NotAFile) => {
                format!("{} is there, but is no file", pyc.display())
            }
            (Lack::Unreadable, Evidence::Error(error)) => format!(
                "{} cannot be opened: {}",
                pyc.display(),
                std::io::Error::from_raw_os_error(error)
            ),
            (Lack::NeverCompiled(Part::Stdlib), _) => format!(
                "no module of the standard library has bytecode of {tag}, as in Docker's python \
                 images and in interpreters that uv installs"
            ),
            (Lack::NeverCompiled(_), _) => format!(
                "no installed module has bytecode of {tag}; uv compiles none unless it is told to"
            ),
            (Lack::Upgraded, Evidence::OtherTag) => format!(
                "the bytecode that is there is of {}, and this is {tag}",
                list(self.tags.iter().map(String::as_str))
            ),
            (Lack::Upgraded, Evidence::Magic { .. }) => {
                let numbers: Vec<String> = self.numbers.iter().map(u16::to_string).collect();
                format!(
                    "the bytecode that is there has the magic number {}, and {} takes {}",
                    list(numbers.iter().map(String::as_str)),
                    subject.interpreter.version,
                    subject.interpreter.magic
                )
            }
            (Lack::Level, _) => {
                let level = |tag: &str| match tag {
                    "" => "no -O".to_owned(),
                    ".opt-1" => "-O".to_owned(),
                    _ => "-OO".to_owned(),
                };
                let there: Vec<String> = self.levels.iter().map(|tag| level(tag)).collect();
                format!(
                    "the bytecode that is there is for {}, and Python is run with {}",
                    list(there.iter().map(String::as_str)),
                    level(subject.rules.level.tag())
                )
            }
            (Lack::Mtime, Evidence::Mtime { recorded, now }) => {
                let same = if self.times.len() == 1 && self.modules > 1 {
                    format!(
                        "; all {} sources have that time, as an archive, an image or a checkout \
                         sets it",
                        self.modules
                    )
                } else {
                    String::new()
                };
                format!(
                    "the bytecode of {} is of a source from {}, and the source is from {}{same}",
                    source.display(),
                    time(i64::from(recorded)),
                    time(i64::from(now))
                )
            }
            (Lack::Size, Evidence::Size { recorded, now }) => format!(
                "the bytecode of {} is of a source of {recorded} bytes, and the source has {now}",
                source.display()
            ),
            (Lack::Hash, _) => format!("the hash in {} is not that of the source", pyc.display()),
            (Lack::Flags, Evidence::Short { bytes }) => {
                format!(
                    "{} is {bytes} bytes long, less than a header",
                    pyc.display()
                )
            }
            (Lack::Flags, Evidence::Flags { found }) => {
                format!("the header of {} has the flags {found:#x}", pyc.display())
            }
            (Lack::AppImage, _) => format!(
                "an AppImage is mounted at another path at each start, and {} is where this start's \
                 bytecode would be",
                pyc.display()
            ),
            _ => return None,
        })
    }
}

/// What shows the obstacle, by the example of the first folder.
pub(super) fn of_obstacle(subject: &Subject, obstructed: &Obstructed) -> String {
    let at = obstructed.at.display();
    let user = subject.writing.rights.name();
    match &obstructed.by {
        Obstacle::DontWrite { by } => format!("{by} forbids to write any"),
        Obstacle::Sandbox { by } => format!("{by} makes {at} read-only for the service (EROFS)"),
        Obstacle::ReadOnlyMount { point, kind } => format!(
            "{at} cannot be written by anybody: {} ({kind}) is mounted read-only (EROFS)",
            point.display()
        ),
        Obstacle::Denied { owner, mode, list } => format!(
            "{at} has mode {mode:04o}{} and belongs to {}, and {user} may not write into it (EACCES)",
            match list {
                List::None => "",
                List::There => ", an access control list (getfacl)",
            },
            user_name(*owner)
        ),
        Obstacle::NoFolder => format!("{at} stands where a folder would be, and is none (ENOTDIR)"),
        Obstacle::Full { point } => format!("no space is left on {} (ENOSPC)", point.display()),
        Obstacle::Emptied { by } => format!("each start finds {at} empty: {by}"),
    }
}

/// Who wrote the bytecode that the app has of its own, beside that which is missing.
pub(super) fn others(subject: &Subject, audit: &Audit) -> Vec<String> {
    #[derive(Default)]
    struct Written {
        names: Vec<String>,
        count: usize,
        first: Option<i64>,
        last: Option<i64>,
    }
    let mut by_owner: BTreeMap<u32, Written> = BTreeMap::new();
    for folder in audit.folders.iter().filter(|f| f.part == Part::App) {
        for module in folder.modules.iter().filter(|m| m.verdict == Verdict::Hit) {
            let seen = module.pyc.or_else(|| {
                let pyc = pyc_of(subject, folder, module);
                let found = stat(&subject.writing.view.here(&pyc)).ok()?;
                Some(Pyc::of(&found))
            });
            let Some(pyc) = seen else { continue };
            let written = by_owner.entry(pyc.owner).or_default();
            written.count += 1;
            if written.names.len() < EXAMPLES {
                written.names.push(module_name(subject, folder, module));
            }
            written.first = Some(written.first.map_or(pyc.written, |t| t.min(pyc.written)));
            written.last = Some(written.last.map_or(pyc.written, |t| t.max(pyc.written)));
        }
    }
    let rights = &subject.writing.rights;
    let sentences = by_owner.into_iter().map(|(owner, written)| {
        let [first, last] = [written.first, written.last].map(|t| time(t.unwrap_or_default()));
        let when = if first == last {
            format!("at {first}")
        } else {
            format!("between {first} and {last}")
        };
        let (count, names) = (written.count, enumerated(&written.names, written.count));
        let what = match count {
            1 => format!("1 other has bytecode ({names}), written"),
            _ => format!("{count} others have bytecode ({names}), written"),
        };
        if rights.owns(owner) {
            format!("{what} by {} {when}", user_name(owner))
        } else {
            let runs = match &subject.service {
                Some(_) => "the service runs as",
                None => "the app runs as",
            };
            format!(
                "{what} by {} {when}: by hand or by a script, as {runs} {}",
                user_name(owner),
                rights.name()
            )
        }
    });
    sentences.collect()
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.collect::<Vec<_>>().join(", ")
}
