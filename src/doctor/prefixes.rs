//! What is found of a prefix itself: that it is kept in memory, and that it grows.

use std::collections::BTreeMap;

use super::audit::Audit;
use super::causes::{Cause, Effect, Finding};
use super::look::{Folder, Module};
use super::subject::Subject;
use super::verdict::{Fate, Verdict};
use super::writing::Obstacle;
use crate::python::Part;

/// The prefix is kept in memory.
pub(super) fn in_memory(subject: &Subject, audit: &Audit) -> Option<Finding> {
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
pub(super) fn grows(subject: &Subject, audit: &Audit) -> Option<Finding> {
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
