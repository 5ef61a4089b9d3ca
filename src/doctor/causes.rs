//! Why modules are compiled at every start: causes, and what is found of each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::audit::Audit;
use super::gathered::Groups;
use super::prefixes::{grows, in_memory};
use super::subject::Subject;
use super::verdict::{Fate, Verdict};
use super::writing::Obstacle;
use crate::python::Part;

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

impl Diagnosis {
    /// Puts modules of one cause together.
    pub fn of(subject: &Subject, audit: &Audit) -> Self {
        let mut diagnosis = Self {
            findings: Vec::new(),
            tallies: BTreeMap::new(),
            verdicts: BTreeMap::new(),
        };
        let mut groups = Groups::of(subject, audit);
        for folder in &audit.folders {
            let tally = diagnosis.tallies.entry(folder.part).or_default();
            for module in &folder.modules {
                *diagnosis.verdicts.entry(module.verdict).or_default() += 1;
                let lack = groups.add(folder, module);
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
            }
        }
        diagnosis.findings.extend(groups.findings());
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
