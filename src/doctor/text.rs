//! The diagnosis for people: the answer in a sentence, the causes with what shows them, and what
//! helps; each module on request.

use std::collections::BTreeMap;
use std::path::Path;

use super::archive::Members;
use super::audit::Audit;
use super::causes::{Cause, Diagnosis, Effect, Finding, Lack, enumerated};
use super::fixes::fixes;
use super::observe::Comparison;
use super::remedies::{Fix, Works};
use super::rights::user_name;
use super::subject::Subject;
use super::verdict::{Evidence, Verdict};
use super::words::{module_name, pyc_of, time};
use super::writing::{Obstacle, closed_above};
use crate::python::Part;
use crate::report::{Page, Terminal};

/// Is every module listed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listing {
    Causes,
    EveryModule,
}

/// The diagnosis, laid out.
pub fn text(
    subject: &Subject,
    audit: &Audit,
    diagnosis: &Diagnosis,
    observed: Option<&Comparison>,
    listing: Listing,
    terminal: Terminal,
) -> String {
    let mut page = Page::new(terminal);
    page.sentence("", &headline(subject, diagnosis), 0);
    page.blank();
    looked_at(&mut page, subject);
    page.blank();
    tally(&mut page, diagnosis);
    for (number, finding) in diagnosis.findings.iter().enumerate() {
        cause(&mut page, subject, number + 1, finding);
    }
    if let Some(comparison) = observed {
        page.section("Observed");
        for sentence in comparison.sentences() {
            page.sentence("", &sentence, 2);
        }
    }
    let notes = notes(subject, audit);
    if !notes.is_empty() {
        page.section("Not taken into account");
        for note in notes {
            page.sentence("-", &note, 2);
        }
    }
    if listing == Listing::EveryModule {
        every_module(&mut page, subject, audit);
    }
    page.into_text()
}

/// The answer in a sentence or two.
pub fn headline(subject: &Subject, diagnosis: &Diagnosis) -> String {
    let total = diagnosis.total();
    let all = total.all();
    if all == 0 {
        return format!("There are no modules in {}.", subject.name);
    }
    let mut sentences = Vec::new();
    if total.failing > 0 {
        sentences.push(format!(
            "{} of {all} modules cannot be imported: bytecode is damaged, and every start that \
             imports {} fails.",
            total.failing,
            it_or_them(total.failing)
        ));
    }
    let first = |effect: Effect| diagnosis.findings.iter().find(|f| f.effect == effect);
    if let Some(finding) = first(Effect::CompiledAlways) {
        let causes = diagnosis
            .findings
            .iter()
            .filter(|f| f.effect == Effect::CompiledAlways);
        let more = match causes.count() {
            1 => String::new(),
            _ => format!(" (this is the cause for {})", finding.modules),
        };
        sentences.push(format!(
            "{} of {all} modules {} compiled at every start that imports {}: {}{more}.",
            total.compiled,
            is_or_are(total.compiled),
            it_or_them(total.compiled),
            because(subject, finding)
        ));
    } else if total.failing == 0 {
        sentences.push(match total.once {
            0 => format!("No module of {all} is compiled at the next start: all is cached."),
            once => format!(
                "No module of {all} is compiled at every start; {once} {} no bytecode that counts \
                 yet, which the next start that imports {} writes.",
                if once == 1 { "has" } else { "have" },
                it_or_them(once)
            ),
        });
    }
    if let Some(finding) = first(Effect::CompiledAtBoot) {
        sentences.push(format!(
            "After each boot or in each new container all of them are compiled again: {}.",
            because(subject, finding)
        ));
    }
    sentences.join(" ")
}

fn is_or_are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

fn it_or_them(count: usize) -> &'static str {
    if count == 1 { "it" } else { "them" }
}

/// The cause, as the end of a sentence.
fn because(subject: &Subject, finding: &Finding) -> String {
    let user = subject.writing.rights.name();
    let folder = finding.folder.as_deref().unwrap_or(Path::new(""));
    let where_to = match &subject.prefix {
        Some(prefix) => format!("the prefix {}", prefix.path.display()),
        None => folder.display().to_string(),
    };
    match &finding.cause {
        Cause::PrefixInMemory { mount } => {
            format!(
                "the prefix lies on {}, which is kept in memory",
                mount.display()
            )
        }
        Cause::PrefixGrows => "the prefix is never emptied".to_owned(),
        Cause::Missing { lack, obstacle } => {
            let obstacle = obstacle.as_ref().map(|obstacle| match obstacle {
                Obstacle::DontWrite { by } => format!("{by} forbids writing bytecode"),
                Obstacle::Sandbox { by } => {
                    format!("{by} makes {where_to} read-only for the service")
                }
                Obstacle::ReadOnlyMount { point, .. } => {
                    format!("{} is mounted read-only", point.display())
                }
                Obstacle::Denied { owner, .. } => format!(
                    "{user} may not write into {where_to}, which belongs to {}",
                    user_name(*owner)
                ),
                Obstacle::NoFolder => "something is in the way of the folder for it".to_owned(),
                Obstacle::Full { point } => format!("no space is left on {}", point.display()),
                Obstacle::Emptied { by } => format!("each start finds the prefix empty ({by})"),
            });
            let lack = match lack {
                Lack::Absent => None,
                other => Some(missing(other).to_owned()),
            };
            let parts: Vec<String> = lack.into_iter().chain(obstacle).collect();
            if parts.is_empty() {
                "there is none yet".to_owned()
            } else {
                parts.join(", and ")
            }
        }
    }
}

/// Why bytecode does not count, in a few words.
pub fn missing(lack: &Lack) -> &'static str {
    match lack {
        Lack::Corrupt => "the bytecode is damaged",
        Lack::Unreadable => "the bytecode is there and may not be read",
        Lack::Absent => "there is no bytecode",
        Lack::NeverCompiled(Part::Stdlib) => "the standard library was never compiled",
        Lack::NeverCompiled(_) => "what is installed was never compiled",
        Lack::Upgraded => "the bytecode is of another Python",
        Lack::Level => "the bytecode is of another level of -O",
        Lack::Mtime => "the sources have other times than when they were compiled",
        Lack::Size => "the sources have other sizes than when they were compiled",
        Lack::Hash => "the sources have other hashes than when they were compiled",
        Lack::Flags => "the bytecode has a damaged header",
        Lack::AppImage => "the sources lie at another path at each start, as an AppImage's do",
    }
}

fn looked_at(page: &mut Page, subject: &Subject) {
    let interpreter = &subject.interpreter;
    page.sentence(
        "Python",
        &format!(
            "{}: {}, {}, magic {}",
            interpreter.executable.display(),
            interpreter.version,
            interpreter.tag,
            interpreter.magic
        ),
        9,
    );
    page.sentence(
        "For",
        &format!("{}, as {}", subject.name, subject.writing.rights.name()),
        9,
    );
    if let Some(prefix) = &subject.prefix {
        let text = format!("{} ({})", prefix.path.display(), prefix.by);
        page.sentence("Prefix", &text, 9);
    }
}

fn tally(page: &mut Page, diagnosis: &Diagnosis) {
    let header = [
        "modules", "all", "cached", "always", "once", "fail", "apart",
    ];
    let row = |name: &str, tally: super::causes::Tally| {
        let count = |count: usize| count.to_string();
        [
            name.to_owned(),
            count(tally.all()),
            count(tally.cached),
            count(tally.compiled),
            count(tally.once),
            count(tally.failing),
            count(tally.apart),
        ]
    };
    let rows = diagnosis
        .tallies
        .iter()
        .filter(|(_, tally)| tally.all() + tally.apart > 0)
        .map(|(part, tally)| row(part.word(), *tally))
        .collect();
    page.table(
        "Compiled at each start (always), or at the next alone (once)",
        header,
        rows,
    );
}

fn cause(page: &mut Page, subject: &Subject, number: usize, finding: &Finding) {
    let word = match finding.effect {
        Effect::Fails => "every start fails",
        Effect::CompiledAlways => "compiled at every start",
        Effect::CompiledAtBoot => "compiled after each boot",
        Effect::CompiledOnce => "compiled at the next start",
        Effect::Harmless => "space that nobody uses",
    };
    let title = match finding.modules {
        0 => because(subject, finding),
        1 => format!("1 module, {word}: {}", because(subject, finding)),
        count => format!("{count} modules, {word}: {}", because(subject, finding)),
    };
    page.blank();
    page.sentence(&format!("{number}."), &title, 3);
    if !finding.examples.is_empty() {
        let names = enumerated(&finding.examples, finding.modules);
        let parts: Vec<&str> = finding.parts.keys().map(|part| part.word()).collect();
        page.sentence("", &format!("{names} ({})", parts.join(", ")), 3);
    }
    for sentence in &finding.evidence {
        page.sentence("   -", sentence, 5);
    }
    for fix in fixes(subject, finding) {
        advice(page, &fix);
    }
}

fn advice(page: &mut Page, fix: &Fix) {
    let lead = match fix.works {
        Works::Yes => "works:",
        Works::No => "does not work:",
    };
    let text = match &fix.because {
        Some(because) => format!("{lead} {}: {because}", fix.what),
        None => format!("{lead} {}", fix.what),
    };
    page.sentence("   *", &text, 5);
    for line in &fix.lines {
        page.as_is(line, 9);
    }
}

/// What could not be taken into account.
pub fn notes(subject: &Subject, audit: &Audit) -> Vec<String> {
    let mut notes = subject.notes.clone();
    let closed = subject
        .tasks
        .iter()
        .find_map(|task| closed_above(&subject.writing, &task.path));
    if let Some((folder, owner, mode)) = closed {
        notes.push(format!(
            "{} may not go through {} (mode {mode:04o}, owner {}), and so can load nothing below it",
            subject.writing.rights.name(),
            folder.display(),
            user_name(owner)
        ));
    }
    notes.extend(archives(subject, audit));
    let links: usize = audit.folders.iter().map(|folder| folder.links).sum();
    if links > 0 {
        notes.push(format!("{links} links to folders, which are not followed"));
    }
    let specials: usize = audit.folders.iter().map(|folder| folder.specials).sum();
    if specials > 0 {
        notes.push(format!(
            "{specials} pipes, devices or sockets by the names of modules, which no import opens"
        ));
    }
    let closed: Vec<String> = audit
        .folders
        .iter()
        .filter_map(|folder| {
            let error = folder.error?;
            Some(format!("{} ({})", folder.path.display(), error.desc()))
        })
        .collect();
    if let Some(first) = closed.first() {
        notes.push(match closed.len() {
            1 => format!("a folder that cannot be listed: {first}"),
            count => format!("{count} folders that cannot be listed, such as {first}"),
        });
    }
    if subject.writing.rights.are_unknown() {
        notes.push(format!(
            "the rights of {}, who has no account here: owners and modes are not judged",
            subject.writing.rights.name()
        ));
    }
    notes
}

/// Archives on the path that hold sources without bytecode.
fn archives(subject: &Subject, audit: &Audit) -> Vec<String> {
    let mut sentences = Vec::new();
    for folder in &audit.folders {
        let is_archive = matches!(&folder.modules[..], [module]
            if module.verdict == Verdict::Zip && module.file.is_empty());
        let members = is_archive.then(|| Members::of(&subject.writing.view.here(&folder.path)));
        if let Some(Some(members)) = members
            && members.uncompiled > 0
        {
            sentences.push(format!(
                "{} of {} modules in {} have no bytecode beside them there, and are compiled at every start \
                 that imports them: none is written into an archive (python3 -m compileall -b before it is \
                 packed)",
                members.uncompiled,
                members.modules,
                folder.path.display()
            ));
        }
    }
    sentences
}

fn every_module(page: &mut Page, subject: &Subject, audit: &Audit) {
    page.section("Every module");
    let mut by_part: BTreeMap<Part, Vec<String>> = BTreeMap::new();
    for folder in &audit.folders {
        for module in &folder.modules {
            let mut line = format!(
                "{:<18} {}",
                module.verdict.word(),
                module_name(subject, folder, module)
            );
            let detail = detail(module.evidence);
            if !detail.is_empty() {
                line += &format!("  {detail}");
            }
            if module.verdict == Verdict::Corrupt {
                line += &format!("  {}", pyc_of(subject, folder, module).display());
            }
            by_part.entry(folder.part).or_default().push(line);
        }
    }
    for (part, lines) in by_part {
        page.sentence("", part.word(), 0);
        for line in lines {
            page.as_is(&line, 2);
        }
    }
}

/// What a verdict rests on, in a few words.
pub fn detail(evidence: Evidence) -> String {
    match evidence {
        Evidence::None => String::new(),
        Evidence::Mode { mode, owner } => {
            format!("mode {mode:04o}, owner {}", user_name(owner))
        }
        Evidence::Error(error) => std::io::Error::from_raw_os_error(error).to_string(),
        Evidence::NotAFile => "no file".to_owned(),
        Evidence::Short { bytes } => format!("{bytes} bytes"),
        Evidence::Magic { found } => format!("magic {found}"),
        Evidence::Flags { found } => format!("flags {found:#x}"),
        Evidence::Mtime { recorded, now } => format!(
            "of {}, source of {}",
            time(i64::from(recorded)),
            time(i64::from(now))
        ),
        Evidence::Size { recorded, now } => {
            format!("of {recorded} bytes, source of {now} bytes")
        }
        Evidence::Level(level) => match level.flag() {
            "" => "there is one without -O".to_owned(),
            flag => format!("there is one of {flag}"),
        },
        Evidence::OtherTag => "there is one of another Python".to_owned(),
        Evidence::Body(fault) => fault.to_string(),
        Evidence::TooLong => "too long to be looked at".to_owned(),
    }
}
