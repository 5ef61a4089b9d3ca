//! Why modules are compiled at every start: those of one cause together, with what shows it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::audit::{Audit, is_app_image};
use super::evidence::{of_obstacle, others};
use super::look::{Folder, Module};
use super::rules::Part;
use super::subject::Subject;
use super::verdict::{Evidence, Fate, Verdict};
use super::words::module_name;
use super::writing::{Obstacle, Obstructed};

/// So many modules are named.
pub(super) const EXAMPLES: usize = 5;

/// Why bytecode that counts is not there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// It is there and damaged: each start fails.
    Corrupt,
    /// It is there, and the user may not read it.
    Unreadable,
    /// It was never made, or removed.
    Absent,
    /// None of all that is installed, or of the standard library, has any.
    NeverCompiled(Part),
    /// It is of another version of Python.
    Upgraded,
    /// It is of another level of `-O`.
    Level,
    /// The source has another time than the one that was compiled.
    Mtime,
    /// The source has another size.
    Size,
    /// The source has another hash.
    Hash,
    /// Its header cannot be.
    Flags,
    /// It lies below a prefix, by a path that another start does not have.
    AppImage,
}

/// What a finding says of starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// Each start fails.
    Fails,
    /// Each start compiles these modules.
    CompiledAlways,
    /// The first start after each boot, or of each container, compiles them.
    CompiledAtBoot,
    /// The next start writes bytecode, and those after it read it.
    CompiledOnce,
    /// No start is slower for it.
    Harmless,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub cause: Cause,
    pub effect: Effect,
    pub modules: usize,
    pub parts: BTreeMap<Part, usize>,
    /// Names of modules, the first ones.
    pub examples: Vec<String>,
    /// Sentences.
    pub evidence: Vec<String>,
    /// Of the first module.
    pub example: Option<PathBuf>,
    /// Folders that hold the bytecode, for commands: the first one.
    pub folder: Option<PathBuf>,
}

/// What it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// Bytecode is missing, and perhaps something keeps it from being written.
    Missing {
        lack: Lack,
        obstacle: Option<Obstacle>,
    },
    /// The prefix is kept in memory at this mount.
    PrefixInMemory { mount: PathBuf },
    /// The prefix holds bytecode of sources that are gone.
    PrefixGrows,
}

/// Modules counted by what becomes of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Their bytecode is read.
    pub cached: usize,
    /// They are compiled at every start.
    pub compiled: usize,
    /// They are compiled at the next start, which writes their bytecode.
    pub once: usize,
    /// Importing them fails.
    pub failing: usize,
    /// They have no bytecode that could be cached.
    pub apart: usize,
}

impl Tally {
    /// All modules that have a source or bytecode.
    pub fn all(self) -> usize {
        self.cached + self.compiled + self.once + self.failing
    }
}

/// What was found, all together.
#[derive(Debug)]
pub struct Diagnosis {
    pub findings: Vec<Finding>,
    pub tallies: BTreeMap<Part, Tally>,
    pub verdicts: BTreeMap<Verdict, usize>,
}

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

impl Diagnosis {
    /// Puts modules of one cause together.
    pub fn of(subject: &Subject, audit: &Audit) -> Self {
        let mut diagnosis = Self {
            findings: Vec::new(),
            tallies: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        };
        let never = match subject.prefix {
            // It hides what was compiled.
            Some(_) => BTreeSet::new(),
            None => never_compiled(audit),
        };
        let mut groups: BTreeMap<Key, Gathered<'_>> = BTreeMap::new();
        for folder in &audit.folders {
            let tally = diagnosis.tallies.entry(folder.part).or_default();
            for module in &folder.modules {
                *diagnosis.verdicts.entry(module.verdict).or_default() += 1;
                let lack = lack(subject, folder, module, &never);
                match module.verdict.fate() {
                    Fate::Cached => tally.cached += 1,
                    Fate::Apart => tally.apart += 1,
                    Fate::Fatal => tally.failing += 1,
                    Fate::Compiled
                        if folder.obstructed.is_some() || lack == Some(Lack::AppImage) =>
                    {
                        tally.compiled += 1;
                    }
                    Fate::Compiled => tally.once += 1,
                }
                if let Some(lack) = lack {
                    let part = subject.prefix.is_none().then_some(folder.part);
                    let key = (lack, folder.obstructed.as_ref().map(key_of), part);
                    groups.entry(key).or_default().add(subject, folder, module);
                }
            }
        }
        for ((lack, _, _), gathered) in groups {
            let finding = gathered.finding(subject, audit, lack);
            diagnosis.findings.push(finding);
        }
        diagnosis.findings.extend(in_memory(subject, audit));
        diagnosis.findings.extend(grows(subject, audit));
        diagnosis.findings.sort_by_key(|finding| {
            // The app's own modules are those that every start loads.
            let is_apps = finding.parts.contains_key(&Part::App);
            (finding.effect, !is_apps, std::cmp::Reverse(finding.modules))
        });
        diagnosis
    }

    /// The modules of all parts.
    pub fn total(&self) -> Tally {
        let mut total = Tally::default();
        for tally in self.tallies.values() {
            total.cached += tally.cached;
            total.compiled += tally.compiled;
            total.once += tally.once;
            total.failing += tally.failing;
            total.apart += tally.apart;
        }
        total
    }

    /// Is there something that a start after the next one suffers from?
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.effect >= Effect::CompiledOnce)
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

/// The prefix is kept in memory.
fn in_memory(subject: &Subject, audit: &Audit) -> Option<Finding> {
    let mount = subject.prefix_in_memory()?;
    let prefix = subject.prefix.as_ref()?;
    let is_kept = |folder: &&Folder| {
        let by = folder.obstructed.as_ref().map(|o| &o.by);
        !matches!(by, Some(Obstacle::Emptied { .. }))
    };
    let mut modules = 0;
    let mut parts: BTreeMap<Part, usize> = BTreeMap::new();
    for folder in audit.folders.iter().filter(is_kept) {
        let lasting = |module: &&Module| {
            matches!(module.verdict.fate(), Fate::Cached | Fate::Compiled)
                && module.verdict != Verdict::Sourceless
        };
        let count = folder.modules.iter().filter(lasting).count();
        if count > 0 {
            modules += count;
            *parts.entry(folder.part).or_default() += count;
        }
    }
    let kind = subject.writing.mounts.over(&mount);
    let kind = kind.map_or("tmpfs", |mount| mount.kind.as_str());
    (modules > 0).then(|| Finding {
        evidence: vec![format!(
            "the prefix {} ({}) lies on {} ({kind}), which is kept in memory: after a boot, or in a \
             new container, it is empty",
            prefix.path.display(),
            prefix.by,
            mount.display()
        )],
        cause: Cause::PrefixInMemory { mount },
        effect: Effect::CompiledAtBoot,
        modules,
        parts,
        examples: Vec::new(),
        example: None,
        folder: None,
    })
}

/// The prefix holds what nobody reads any more.
fn grows(subject: &Subject, audit: &Audit) -> Option<Finding> {
    let prefix = subject.prefix.as_ref()?;
    let leftovers = &audit.leftovers;
    let gone = leftovers.gone.as_ref()?;
    let mut evidence = vec![format!(
        "{} pycs below {}, {} kB together, are of folders that are not there any more, such as {}",
        leftovers.pycs,
        prefix.path.display(),
        leftovers.bytes.div_ceil(1000),
        gone.display()
    )];
    if prefix.by.starts_with("PYTHONPYCACHEPREFIX") {
        evidence.push(
            "a variable is handed down to every Python process that the app starts, and all of them \
             write there"
                .to_owned(),
        );
    }
    if leftovers.app_images > 0 {
        evidence.push("AppImages are among them, which are mounted elsewhere at each start".into());
    }
    Some(Finding {
        cause: Cause::PrefixGrows,
        effect: Effect::Harmless,
        modules: 0,
        parts: BTreeMap::new(),
        examples: Vec::new(),
        evidence,
        example: None,
        folder: Some(prefix.path.clone()),
    })
}

/// Names, and how many more there are.
pub fn enumerated(names: &[String], count: usize) -> String {
    let shown = names.join(", ");
    match count.saturating_sub(names.len()) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// The folders above which a command can compile all modules of these parts.
pub fn folders_of(subject: &Subject, finding: &Finding) -> Vec<PathBuf> {
    let roots = finding
        .parts
        .keys()
        .flat_map(|part| subject.roots_of(*part));
    let mut folders: Vec<&Path> = Vec::new();
    for root in roots {
        // What lies in another of them is compiled with it.
        if !folders.iter().any(|known| root.starts_with(known)) {
            folders.retain(|known| !known.starts_with(root));
            folders.push(root);
        }
    }
    if folders.is_empty() {
        folders.extend(finding.folder.as_deref());
    }
    folders.into_iter().map(Path::to_owned).collect()
}
