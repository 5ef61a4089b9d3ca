//! Modules that lack bytecode, those of one cause together.

use std::collections::{BTreeMap, BTreeSet};

use super::audit::{Audit, is_app_image};
use super::causes::{Cause, EXAMPLES, Effect, Finding, Lack};
use super::evidence::{of_obstacle, others};
use super::look::{Folder, Module};
use super::subject::Subject;
use super::verdict::{Evidence, Fate, Verdict};
use super::words::module_name;
use super::writing::{Obstacle, Obstructed};
use crate::python::Part;

/// Modules of one cause, as they are gathered.
#[derive(Debug, Default)]
pub(super) struct Gathered<'a> {
    pub(super) modules: usize,
    parts: BTreeMap<Part, usize>,
    examples: Vec<String>,
    pub(super) first: Option<(&'a Folder, &'a Module)>,
    obstructed: Option<&'a Obstructed>,
    pub(super) tags: BTreeSet<String>,
    pub(super) levels: BTreeSet<&'static str>,
    /// Times that sources have now.
    pub(super) times: BTreeSet<u32>,
    pub(super) numbers: BTreeSet<u16>,
}

/// What makes two modules' causes the same. Beside the sources, each part is compiled by a command of
/// its own; below a prefix, all of them are in one folder.
type Key = (Lack, Option<(&'static str, String)>, Option<Part>);

/// All modules that lack bytecode, by cause.
pub(super) struct Groups<'a> {
    subject: &'a Subject,
    audit: &'a Audit,
    never_compiled: BTreeSet<Part>,
    by_cause: BTreeMap<Key, Gathered<'a>>,
}

impl<'a> Groups<'a> {
    /// Of what was seen of a subject; none is in them yet.
    pub(super) fn of(subject: &'a Subject, audit: &'a Audit) -> Self {
        Self {
            subject,
            audit,
            never_compiled: match subject.prefix {
                // It hides what was compiled.
                Some(_) => BTreeSet::new(),
                None => never_compiled(audit),
            },
            by_cause: BTreeMap::new(),
        }
    }

    /// Adds a module, if bytecode of it that counts is not there: why not.
    pub(super) fn add(&mut self, folder: &'a Folder, module: &'a Module) -> Option<Lack> {
        let lack = lack(self.subject, folder, module, &self.never_compiled)?;
        let part = self.subject.prefix.is_none().then_some(folder.part);
        let key = (lack.clone(), folder.obstructed.as_ref().map(key_of), part);
        let group = self.by_cause.entry(key).or_default();
        group.add(self.subject, folder, module);
        Some(lack)
    }

    /// What was found of each cause.
    pub(super) fn findings(self) -> impl Iterator<Item = Finding> {
        let (subject, audit) = (self.subject, self.audit);
        self.by_cause
            .into_iter()
            .map(move |((lack, _, _), group)| group.finding(subject, audit, lack))
    }
}

/// The parts of which no module at all has bytecode, and that have one that could.
fn never_compiled(audit: &Audit) -> BTreeSet<Part> {
    let mut seen: BTreeMap<Part, (usize, bool)> = BTreeMap::new();
    for folder in &audit.folders {
        for module in &folder.modules {
            let entry = seen.entry(folder.part).or_insert((0, true));
            match (module.verdict, module.evidence) {
                (Verdict::Absent, Evidence::None) => entry.0 += 1,
                (verdict, _) if verdict.fate() == Fate::Apart => {}
                _ => entry.1 = false,
            }
        }
    }
    seen.into_iter()
        .filter(|(part, (count, only))| *part != Part::App && *only && *count > 0)
        .map(|(part, _)| part)
        .collect()
}

fn lack(
    subject: &Subject,
    folder: &Folder,
    module: &Module,
    never: &BTreeSet<Part>,
) -> Option<Lack> {
    let is_moving = subject.prefix.is_some() && is_app_image(&folder.path);
    Some(match (module.verdict, module.evidence) {
        (Verdict::Corrupt, _) => Lack::Corrupt,
        (Verdict::Absent, Evidence::None) if is_moving => Lack::AppImage,
        (Verdict::Absent, Evidence::OtherTag) | (Verdict::BadMagic, Evidence::Magic { .. }) => {
            Lack::Upgraded
        }
        (Verdict::Absent, _) if never.contains(&folder.part) => Lack::NeverCompiled(folder.part),
        (Verdict::Absent, _) => Lack::Absent,
        (Verdict::Unreadable, _) => Lack::Unreadable,
        (Verdict::WrongOptimization, _) => Lack::Level,
        (Verdict::StaleMtime, _) => Lack::Mtime,
        (Verdict::StaleSize, _) => Lack::Size,
        (Verdict::StaleHash, _) => Lack::Hash,
        (Verdict::BadMagic | Verdict::BadFlags, _) => Lack::Flags,
        _ => return None,
    })
}

fn key_of(obstructed: &Obstructed) -> (&'static str, String) {
    let detail = match &obstructed.by {
        Obstacle::DontWrite { by } | Obstacle::Sandbox { by } | Obstacle::Emptied { by } => {
            by.clone()
        }
        Obstacle::ReadOnlyMount { point, .. } | Obstacle::Full { point } => {
            point.display().to_string()
        }
        Obstacle::Denied { owner, .. } => owner.to_string(),
        Obstacle::NoFolder => String::new(),
    };
    (obstructed.by.word(), detail)
}

impl<'a> Gathered<'a> {
    fn add(&mut self, subject: &Subject, folder: &'a Folder, module: &'a Module) {
        self.modules += 1;
        *self.parts.entry(folder.part).or_default() += 1;
        if self.first.is_none() {
            self.first = Some((folder, module));
            self.obstructed = folder.obstructed.as_ref();
        }
        if self.examples.len() < EXAMPLES {
            self.examples.push(module_name(subject, folder, module));
        }
        match module.evidence {
            Evidence::OtherTag => self.tags.extend(folder.tags.iter().cloned()),
            Evidence::Level(level) => {
                self.levels.insert(level.tag());
            }
            Evidence::Mtime { now, .. } if self.times.len() < 2 => {
                self.times.insert(now);
            }
            Evidence::Magic { found } => {
                self.numbers.insert(found);
            }
            _ => {}
        }
    }

    fn finding(self, subject: &Subject, audit: &Audit, lack: Lack) -> Finding {
        let mut evidence = Vec::new();
        evidence.extend(self.of_lack(subject, &lack));
        if let Some(obstructed) = self.obstructed {
            evidence.push(of_obstacle(subject, obstructed));
            if lack == Lack::Absent && self.parts.contains_key(&Part::App) {
                evidence.extend(others(subject, audit));
            }
        }
        let obstacle = self.obstructed.map(|obstructed| obstructed.by.clone());
        let effect = match (&lack, &obstacle) {
            (Lack::Corrupt, _) => Effect::Fails,
            (Lack::AppImage, _) | (_, Some(_)) => Effect::CompiledAlways,
            (_, None) => Effect::CompiledOnce,
        };
        let example = self
            .first
            .map(|(folder, module)| folder.path.join(&module.file));
        Finding {
            cause: Cause::Missing { lack, obstacle },
            effect,
            modules: self.modules,
            parts: self.parts,
            examples: self.examples,
            evidence,
            example,
            folder: self.first.map(|(folder, _)| folder.path.clone()),
        }
    }
}
