//! The modules of a launch: whose each is, what loaded it, and what its phases took.

use std::collections::BTreeMap;
use std::time::Duration;

use super::parse::{Kind, Log};
use super::part::{Group, Loader, Part, Phase};
use super::tree::Node;

/// Where something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Path,
    /// In another thread or process than those of the path.
    Beside,
}

impl Place {
    /// Its word in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Path => "path",
            Self::Beside => "beside",
        }
    }
}

/// A module of a launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    pub group: Group,
    pub loader: Loader,
    /// Below the folder that its group's modules lie in; empty if it has no file.
    pub file: String,
    /// Without what other modules took meanwhile.
    pub phases: [Duration; Phase::COUNT],
    /// With it.
    pub inclusive: Duration,
    /// Lines that were compiled.
    pub lines: u64,
    /// From the spawn until it was first looked for, and until it was last done with.
    pub begin: Duration,
    pub end: Duration,
}

impl Module {
    /// All of its phases.
    pub fn own(&self) -> Duration {
        self.phases.iter().sum()
    }
}

/// Collects modules.
pub(super) struct Modules<'a> {
    pub(super) log: &'a Log,
    pub(super) whose: &'a dyn Fn(&str) -> (Group, String),
    pub(super) spawned: Duration,
    pub(super) all: BTreeMap<(Place, String), Module>,
}

impl Modules<'_> {
    /// The part that a node's own time belongs to.
    pub(super) fn part(&self, node: &Node) -> Part {
        match node.kind {
            Kind::Find => Part::Module(Phase::Find),
            Kind::Read => Part::Module(Phase::Read),
            Kind::Unmarshal => Part::Module(Phase::Unmarshal),
            Kind::Compile => Part::Module(Phase::Compile),
            Kind::Write => Part::Module(Phase::Write),
            Kind::Dlopen => Part::Module(Phase::Dlopen),
            Kind::Execute => Part::Module(Phase::Execute),
            // A loader that is not importlib's executes without telling.
            Kind::Import if self.loader(&node.module) == Loader::Other => {
                Part::Module(Phase::Execute)
            }
            Kind::Import => Part::Module(Phase::Machinery),
            Kind::Tracer => Part::Tracer,
        }
    }

    fn loader(&self, module: &str) -> Loader {
        let found = self.log.found.get(module);
        // Nothing was looked for: another program's own way of importing.
        found.map_or(Loader::Other, |found| found.loader)
    }

    pub(super) fn add(&mut self, place: Place, nodes: &[Node]) {
        for (index, node) in nodes.iter().enumerate() {
            let Part::Module(phase) = self.part(node) else {
                continue;
            };
            let mut outer = std::iter::successors(node.parent, |&at| nodes[at].parent);
            let is_outermost = !outer.any(|at| nodes[at].module == node.module);
            let key = (place, node.module.clone());
            let known = self.all.remove(&key);
            let mut module = known.unwrap_or_else(|| self.module(place, nodes, index));
            module.phases[phase as usize] += node.own;
            module.lines += node.lines;
            module.end = module.end.max(node.end.saturating_sub(self.spawned));
            if is_outermost {
                module.inclusive += node.time();
            }
            self.all.insert(key, module);
        }
    }

    fn module(&self, place: Place, nodes: &[Node], index: usize) -> Module {
        let node = &nodes[index];
        let loader = self.loader(&node.module);
        let found = self.log.found.get(&node.module);
        let (group, file) = match found {
            Some(found) if !found.file.is_empty() => (self.whose)(&found.file),
            Some(_) | None => {
                let group = match loader {
                    Loader::Builtin | Loader::Frozen => Group::Stdlib,
                    _ => self.importers_group(place, nodes, node),
                };
                (group, String::new())
            }
        };
        Module {
            group,
            loader,
            file,
            phases: [Duration::ZERO; Phase::COUNT],
            inclusive: Duration::ZERO,
            lines: 0,
            begin: node.begin.saturating_sub(self.spawned),
            end: node.begin.saturating_sub(self.spawned),
        }
    }

    /// Of a module without a file: the group of what imports it, or the app, which is what is launched.
    fn importers_group(&self, place: Place, nodes: &[Node], node: &Node) -> Group {
        let outer = std::iter::successors(node.parent, |&at| nodes[at].parent);
        outer
            .filter(|&at| nodes[at].module != node.module)
            .find_map(|at| self.all.get(&(place, nodes[at].module.clone())))
            .map_or(Group::App, |importer| importer.group)
    }
}
