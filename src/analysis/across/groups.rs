//! Which records belong together, and what each group of them is called.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::super::blocks::Blocks;
use super::{By, Common, Given, Member};
use crate::record::format::{Host, Interpreter};
use crate::suite::ContrastSpec;

/// Records of one experiment.
pub struct Group<'a> {
    pub common: Common,
    pub members: Vec<Side<'a>>,
}

/// The records of one member, by the time when they were started.
pub struct Side<'a> {
    pub name: String,
    pub pieces: Vec<Piece<'a>>,
}

/// A record, or what it holds of one of its interpreters.
pub struct Piece<'a> {
    pub given: &'a Given,
    pub blocks: Blocks<'a>,
    pub interpreters: Vec<&'a Interpreter>,
    pub contrasts: Vec<Named>,
}

/// A contrast of a record, and its scenarios as they are called beside those of others.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub spec: ContrastSpec,
    pub baseline: String,
    pub scenario: String,
}

impl Side<'_> {
    /// What is said of it.
    pub fn member(&self) -> Member {
        // A side is made of at least one piece.
        let first = self.pieces.first();
        let interpreters = first.map(|piece| piece.interpreters.iter().map(|each| (*each).clone()));
        Member {
            name: self.name.clone(),
            records: self.pieces.iter().map(|p| p.given.name.clone()).collect(),
            blocks: self.pieces.iter().map(|p| p.given.analysis.blocks).sum(),
            host: first
                .map(|piece| piece.given.record.header.host.clone())
                .unwrap_or_default(),
            interpreters: interpreters.into_iter().flatten().collect(),
        }
    }
}

/// Sorts valid records into experiments and their members.
pub fn experiments<'a>(valid: &[&'a Given], by: By) -> Vec<Group<'a>> {
    let mut sorted: BTreeMap<Vec<String>, BTreeMap<Vec<String>, Vec<Piece>>> = BTreeMap::new();
    for piece in valid.iter().flat_map(|given| pieces(given, by)) {
        let members = sorted.entry(experiment(&piece, by)).or_default();
        members.entry(member(&piece, by)).or_default().push(piece);
    }
    sorted
        .into_values()
        .map(|members| group(members.into_values().collect(), by))
        .collect()
}

fn group(mut members: Vec<Vec<Piece>>, by: By) -> Group {
    for pieces in &mut members {
        pieces.sort_by_key(|piece| {
            (
                piece.given.record.header.started.clone(),
                piece.given.name.clone(),
            )
        });
    }
    let details: Vec<Vec<String>> = members
        .iter()
        .map(|pieces| pieces.first().map_or_else(Vec::new, |p| details(p, by)))
        .collect();
    let mut sides: Vec<Side> = told_apart(&details)
        .into_iter()
        .zip(members)
        .map(|(name, pieces)| Side { name, pieces })
        .collect();
    sides.sort_by(|a, b| natural(&a.name, &b.name));
    Group {
        common: common(&sides, by),
        members: sides,
    }
}

/// The record, or its parts of one interpreter each, where interpreters tell records apart.
fn pieces(given: &Given, by: By) -> Vec<Piece<'_>> {
    let record = &given.record;
    let contrasts = record.suite.contrasts();
    let blocks = || Blocks::new(&record.suite, &record.launches);
    let all = &record.header.interpreters;
    if by == By::Interpreter && all.len() > 1 {
        let of = |name: &str| record.interpreter(record.suite.scenario(name)?);
        let own = |name: &str, interpreter| of(name).is_some_and(|o| std::ptr::eq(o, interpreter));
        let parts: Vec<Piece> = all
            .iter()
            .map(|interpreter| Piece {
                given,
                blocks: blocks(),
                interpreters: vec![interpreter],
                contrasts: contrasts
                    .iter()
                    .filter(|spec| own(&spec.from, interpreter) && own(&spec.to, interpreter))
                    .map(|spec| Named {
                        spec: spec.clone(),
                        baseline: without_version(&spec.from, interpreter).to_owned(),
                        scenario: without_version(&spec.to, interpreter).to_owned(),
                    })
                    .collect(),
            })
            .filter(|piece| !piece.contrasts.is_empty())
            .collect();
        if !parts.is_empty() {
            return parts;
        }
    }
    let named = contrasts.into_iter().map(|spec| Named {
        baseline: spec.from.clone(),
        scenario: spec.to.clone(),
        spec,
    });
    vec![Piece {
        given,
        blocks: blocks(),
        interpreters: all.iter().collect(),
        contrasts: named.collect(),
    }]
}

/// "warm" of "warm@3.11", as scenarios are called that `--python` multiplied.
fn without_version<'a>(scenario: &'a str, interpreter: &Interpreter) -> &'a str {
    match scenario.rsplit_once('@') {
        Some((name, label)) => {
            let version = label.split('-').next().unwrap_or(label);
            let own = !version.is_empty() && interpreter.version.starts_with(version);
            if own && !name.is_empty() {
                name
            } else {
                scenario
            }
        }
        None => scenario,
    }
}

/// What the records of an experiment agree in.
fn experiment(piece: &Piece, by: By) -> Vec<String> {
    let header = &piece.given.record.header;
    let suite = || {
        vec![
            piece.given.record.suite.app.name.clone(),
            header.suite.sha256.clone(),
        ]
    };
    match by {
        By::Host => [suite(), vec![versions(&piece.interpreters)]].concat(),
        By::Interpreter => [suite(), host(&header.host)].concat(),
        By::App => [vec![versions(&piece.interpreters)], host(&header.host)].concat(),
    }
}

/// What the records of a member agree in besides.
fn member(piece: &Piece, by: By) -> Vec<String> {
    let header = &piece.given.record.header;
    match by {
        By::Host => host(&header.host),
        By::Interpreter => piece
            .interpreters
            .iter()
            .flat_map(|each| [version(each), each.executable.clone()])
            .collect(),
        By::App => vec![
            piece.given.record.suite.app.name.clone(),
            header.suite.sha256.clone(),
        ],
    }
}

/// What a host is known by. One with a name may get another kernel, or be given more memory; of one without,
/// all that there is must do.
fn host(host: &Host) -> Vec<String> {
    let hardware = [host.cpu_model.clone(), host.cpus.to_string()];
    match &host.name {
        Some(name) => [std::slice::from_ref(name), &hardware[..]].concat(),
        None => [
            &[String::new()],
            &hardware[..],
            &[
                host.memory_mib.to_string(),
                host.virtualization.clone(),
                host.kernel.clone(),
            ],
        ]
        .concat(),
    }
}

/// What a member is called, and then what it can be told from its namesakes by.
fn details(piece: &Piece, by: By) -> Vec<String> {
    let header = &piece.given.record.header;
    match by {
        By::Host => {
            let host = &header.host;
            let mut all = vec![
                host.cpu_model.clone(),
                cpus(host),
                format!("{} MiB", host.memory_mib),
                host.virtualization.clone(),
                host.kernel.clone(),
            ];
            all.splice(0..0, host.name.clone());
            all
        }
        By::Interpreter => {
            let executables = piece
                .interpreters
                .iter()
                .map(|each| each.executable.as_str());
            vec![
                versions(&piece.interpreters),
                executables.collect::<Vec<_>>().join(", "),
            ]
        }
        By::App => {
            let sha256 = &header.suite.sha256;
            vec![
                piece.given.record.suite.app.name.clone(),
                header.suite.origin.clone(),
                sha256.get(..8).unwrap_or(sha256).to_owned(),
            ]
        }
    }
}

fn common(sides: &[Side], by: By) -> Common {
    let first = sides.first().and_then(|side| side.pieces.first());
    let of = |is: bool, text: &dyn Fn(&Piece) -> String| first.filter(|_| is).map(text);
    Common {
        app: of(by != By::App, &|p| p.given.record.suite.app.name.clone()),
        suite: of(by != By::App, &|p| {
            p.given.record.header.suite.origin.clone()
        }),
        suite_sha256: of(by != By::App, &|p| {
            p.given.record.header.suite.sha256.clone()
        }),
        interpreters: of(by != By::Interpreter, &|p| versions(&p.interpreters)),
        host: of(by != By::Host, &|p| {
            let host = &p.given.record.header.host;
            let hardware = format!("{}, {}", host.cpu_model, cpus(host));
            match &host.name {
                Some(name) => format!("{name} ({hardware})"),
                None => hardware,
            }
        }),
    }
}

fn cpus(host: &Host) -> String {
    super::super::words::count(host.cpus.into(), "CPU", "CPUs")
}

/// "cpython 3.11.7"
pub fn version(interpreter: &Interpreter) -> String {
    format!("{} {}", interpreter.implementation, interpreter.version)
}

pub fn versions(interpreters: &[&Interpreter]) -> String {
    let all: Vec<String> = interpreters.iter().map(|each| version(each)).collect();
    all.join(", ")
}

/// Names that differ: the first detail of each, and of namesakes as many more as tell them apart.
fn told_apart(details: &[Vec<String>]) -> Vec<String> {
    let name = |all: &Vec<String>| all.first().cloned().unwrap_or_default();
    let mut names: Vec<String> = details.iter().map(name).collect();
    let most = details.iter().map(Vec::len).max().unwrap_or(0);
    for more in 1..most {
        let before = names.clone();
        for (index, name) in names.iter_mut().enumerate() {
            let others = (0..before.len()).filter(|other| before[*other] == before[index]);
            let differs = others
                .into_iter()
                .any(|other| details[other].get(more) != details[index].get(more));
            if differs && let Some(detail) = details[index].get(more) {
                *name = format!("{name} ({detail})");
            }
        }
    }
    for index in 1..names.len() {
        let earlier = names[..index].iter().filter(|name| **name == names[index]);
        let number = earlier.count() + 1;
        if number > 1 {
            names[index] = format!("{} #{number}", names[index]);
        }
    }
    names
}

/// Numbers inside of names by their size, and all else by its letters.
fn natural(one: &str, other: &str) -> Ordering {
    let (mut a, mut b) = (one, other);
    while let (Some(first), Some(second)) = (a.chars().next(), b.chars().next()) {
        let number = |text: &str| {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            (text[..digits].trim_start_matches('0').to_owned(), digits)
        };
        if first.is_ascii_digit() && second.is_ascii_digit() {
            let ((left, left_length), (right, right_length)) = (number(a), number(b));
            match left.len().cmp(&right.len()).then(left.cmp(&right)) {
                Ordering::Equal => (a, b) = (&a[left_length..], &b[right_length..]),
                unequal => return unequal,
            }
        } else if first == second {
            (a, b) = (&a[first.len_utf8()..], &b[second.len_utf8()..]);
        } else {
            return first.cmp(&second);
        }
    }
    a.len().cmp(&b.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_ordered_by_their_size() {
        let mut names = ["web10", "web9", "web", "3.11.2", "3.9", "web09", "a"];
        names.sort_by(|a, b| natural(a, b));
        assert_eq!(
            names,
            ["3.9", "3.11.2", "a", "web", "web09", "web9", "web10"]
        );
    }

    #[test]
    fn namesakes_get_as_many_details_as_tell_them_apart_and_others_none() {
        let details: Vec<Vec<String>> = [
            ["a", "EPYC", "2 CPUs"],
            ["a", "Xeon", "2 CPUs"],
            ["b", "Xeon", "2 CPUs"],
            ["c", "Xeon", "2 CPUs"],
            ["c", "Xeon", "4 CPUs"],
            ["d", "Xeon", "4 CPUs"],
            ["d", "Xeon", "4 CPUs"],
        ]
        .iter()
        .map(|all| all.iter().map(|text| (*text).to_owned()).collect())
        .collect();
        assert_eq!(
            told_apart(&details),
            [
                "a (EPYC)",
                "a (Xeon)",
                "b",
                "c (2 CPUs)",
                "c (4 CPUs)",
                "d",
                "d #2"
            ]
        );
    }
}
