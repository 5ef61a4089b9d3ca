//! What one traced launch's time went into: every moment between spawn and readiness or exit belongs to
//! one part.
//!
//! The moments are those of one **path** through processes and threads: the main thread of the
//! interpreter that was launched, and from where it leaves the work to another process (a server's
//! worker) that one's main thread. What other threads and processes import at the same time is listed
//! beside, and is in no sum.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::modules::{Module, Modules, Place};
use super::parse::{Birth, Kind, Log, Process};
use super::part::{Group, Part};
use super::tree::{Node, covered, nest};

/// How a launch's timing ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Ready,
    Exit,
}

/// What a launch is accounted for, by CLOCK_MONOTONIC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    pub spawned: Duration,
    /// When it was ready, or over.
    pub until: Duration,
    pub ending: Ending,
}

/// What happened in a thread, or along the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    /// "main thread", "process 2, thread 3": numbers in the order of appearance.
    pub label: String,
    /// Counted from 1; 1 is the interpreter that was launched.
    pub process: usize,
    /// Counted from 1 within its process; 1 is the main thread.
    pub thread: usize,
    pub place: Place,
    /// From the spawn.
    pub begin: Duration,
    pub end: Duration,
    /// Their times are counted from the spawn.
    pub nodes: Vec<Node>,
}

/// One traced launch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// From spawn to readiness or exit.
    pub total: Duration,
    pub parts: [Duration; Part::COUNT],
    /// By place and name.
    pub modules: BTreeMap<(Place, String), Module>,
    /// The path first.
    pub lanes: Vec<Lane>,
    /// Modules that were there before the hook.
    pub loaded_before: u64,
    /// Processes on the path; more than one where work was left to another.
    pub path_processes: usize,
}

impl Account {
    /// What the parts sum to, as a share of the whole.
    pub fn accounted(&self) -> f64 {
        let sum: Duration = self.parts.iter().sum();
        sum.as_secs_f64() / self.total.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// The same launch as if it had taken so long altogether, each of its parts by the same share; without
    /// its lanes.
    #[must_use]
    pub fn scaled_to(&self, total: Duration) -> Self {
        let factor = total.as_secs_f64() / self.total.as_secs_f64().max(f64::MIN_POSITIVE);
        let scaled = |time: Duration| {
            Duration::try_from_secs_f64(time.as_secs_f64() * factor).unwrap_or_default()
        };
        let modules = self.modules.iter().map(|(key, module)| {
            let module = Module {
                phases: module.phases.map(scaled),
                inclusive: scaled(module.inclusive),
                begin: scaled(module.begin),
                end: scaled(module.end),
                ..module.clone()
            };
            (key.clone(), module)
        });
        Self {
            total,
            parts: self.parts.map(scaled),
            modules: modules.collect(),
            lanes: Vec::new(),
            loaded_before: self.loaded_before,
            path_processes: self.path_processes,
        }
    }
}

/// What cannot be accounted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AccountError {
    #[error(
        "the hook's clock is not the harness's: does the command enter a time namespace (time_namespaces(7))?"
    )]
    OtherClock,
}

/// A thread's time from one moment to another.
struct Piece {
    process: usize,
    from: Duration,
    to: Duration,
}

/// Gives every moment of a launch to a part. `whose` says of a file whose it is, and its path below
/// that folder.
///
/// # Errors
/// When the hook's times do not lie inside of the launch.
pub fn account(
    log: &Log,
    horizon: &Horizon,
    whose: &dyn Fn(&str) -> (Group, String),
) -> Result<Account, AccountError> {
    let Horizon { spawned, until, .. } = *horizon;
    let Some(root) = log.processes.first() else {
        return Err(AccountError::OtherClock);
    };
    if root.began < spawned || root.began > until {
        return Err(AccountError::OtherClock);
    }
    let chain = chain(&log.processes, horizon);
    let last = &log.processes[*chain.last().unwrap_or(&0)];
    let stop = match (horizon.ending, last.ended) {
        (Ending::Exit, Some(ended)) => ended.clamp(last.began.min(until), until),
        (Ending::Exit | Ending::Ready, _) => until,
    };
    let pieces: Vec<Piece> = chain
        .iter()
        .enumerate()
        .map(|(index, &process)| Piece {
            process,
            from: log.processes[process].began,
            to: chain
                .get(index + 1)
                .map_or(stop, |&next| log.processes[next].began),
        })
        .collect();

    let mut parts = [Duration::ZERO; Part::COUNT];
    parts[Part::Start.index()] = root.began - spawned;
    parts[Part::End.index()] = until - stop;
    let mut modules = Modules {
        log,
        whose,
        spawned,
        all: BTreeMap::new(),
    };
    let mut path = Vec::new();
    for piece in &pieces {
        let process = &log.processes[piece.process];
        let nodes = nodes_of(process, process.main, piece.from, piece.to);
        let window = piece.to.saturating_sub(piece.from);
        parts[Part::Program.index()] += window.saturating_sub(covered(&nodes));
        for node in &nodes {
            parts[modules.part(node).index()] += node.own;
        }
        modules.add(Place::Path, &nodes);
        append(&mut path, nodes);
    }
    let mut lanes = vec![Lane {
        label: "main thread".to_owned(),
        process: 1,
        thread: 1,
        place: Place::Path,
        begin: root.began,
        end: stop,
        nodes: path,
    }];
    lanes.extend(beside(log, &pieces, until));
    for lane in lanes.iter().skip(1) {
        modules.add(Place::Beside, &lane.nodes);
    }
    let all = modules.all;
    for lane in &mut lanes {
        lane.begin = lane.begin.saturating_sub(spawned);
        lane.end = lane.end.saturating_sub(spawned);
        for node in &mut lane.nodes {
            node.begin = node.begin.saturating_sub(spawned);
            node.end = node.end.saturating_sub(spawned);
        }
    }
    Ok(Account {
        total: until.saturating_sub(spawned),
        parts,
        modules: all,
        lanes,
        loaded_before: root.modules,
        path_processes: chain.len(),
    })
}

/// The processes that the path leads through, by their places in the list.
///
/// An interpreter that was replaced by another in the same process goes on as that one. For readiness,
/// work is left to a child that imports more, from its beginning on, than its parent's main thread
/// does in the same time: so a server's parent leaves it to a worker, and an app that starts a helper
/// does not.
fn chain(processes: &[Process], horizon: &Horizon) -> Vec<usize> {
    let until = horizon.until;
    // Children stand after their parents, so a child's weight is known before its parent's.
    let mut weights = vec![Duration::ZERO; processes.len()];
    for (place, process) in processes.iter().enumerate().rev() {
        let own: Duration = process
            .threads
            .keys()
            .map(|&thread| imports(process, thread, process.began, until))
            .sum();
        weights[place] = weights[place].max(own);
        if let Some(parent) = process.parent {
            weights[parent] = weights[parent].max(weights[place]);
        }
    }
    let mut chain = vec![0];
    let mut current = 0;
    loop {
        let process = &processes[current];
        let children = processes.iter().enumerate().filter(|(place, child)| {
            *place > current
                && child.parent == Some(current)
                && (process.began..=until).contains(&child.began)
        });
        let next = children
            .filter(|(place, child)| {
                let replaces = child.pid == process.pid && child.birth == Birth::Started;
                let takes_over = horizon.ending == Ending::Ready
                    && weights[*place] > imports(process, process.main, child.began, until);
                replaces || takes_over
            })
            .map(|(place, _)| place)
            // The first of equals.
            .reduce(|best, place| match weights[place] > weights[best] {
                true => place,
                false => best,
            });
        match next {
            Some(place) => {
                chain.push(place);
                current = place;
            }
            None => return chain,
        }
    }
}

/// The time that a thread spends inside of imports.
fn imports(process: &Process, thread: u64, from: Duration, to: Duration) -> Duration {
    let nodes = nodes_of(process, thread, from, to);
    let outer = nodes.iter().filter(|node| node.parent.is_none());
    outer
        .filter(|node| node.kind != Kind::Tracer)
        .map(Node::time)
        .sum()
}

fn nodes_of(process: &Process, thread: u64, from: Duration, to: Duration) -> Vec<Node> {
    match process.threads.get(&thread) {
        Some(spans) if from <= to => nest(spans, from, to),
        Some(_) | None => Vec::new(),
    }
}

/// Puts nodes after others of the same lane.
fn append(path: &mut Vec<Node>, nodes: Vec<Node>) {
    let offset = path.len();
    path.extend(nodes.into_iter().map(|node| Node {
        parent: node.parent.map(|parent| parent + offset),
        ..node
    }));
}

/// What happened beside the path.
fn beside(log: &Log, pieces: &[Piece], until: Duration) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for (place, process) in log.processes.iter().enumerate() {
        let on_path = pieces.iter().find(|piece| piece.process == place);
        let others = process.threads.keys().filter(|&&id| id != process.main);
        let threads = std::iter::once(&process.main).chain(others);
        for (index, &thread) in threads.enumerate() {
            let from = match on_path {
                Some(piece) if thread == process.main => piece.to,
                Some(_) | None => process.began,
            };
            let nodes = nodes_of(process, thread, from, until);
            // What began on the path is there, and is over here as far as anybody knows.
            if !nodes
                .iter()
                .any(|node| node.kind != Kind::Tracer && node.begin > from)
            {
                continue;
            }
            let label = match (place, index) {
                (0, 0) => "main thread, later".to_owned(),
                (0, _) => format!("thread {}", index + 1),
                (_, 0) => format!("process {}", place + 1),
                (..) => format!("process {}, thread {}", place + 1, index + 1),
            };
            lanes.push(Lane {
                label,
                process: place + 1,
                thread: index + 1,
                place: Place::Beside,
                begin: from,
                end: until,
                nodes,
            });
        }
    }
    lanes
}

#[cfg(test)]
mod tests;
