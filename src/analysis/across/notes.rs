//! How far figures from many records may be trusted.

use std::collections::BTreeSet;

use super::super::words;
use super::effects::shift_of;
use super::groups::{Group, Piece, Side};
use super::{By, Effect};
use crate::stats::meta_analysis::heterogeneity;

/// Below this, records of one member differ by more than chance.
const SAME_P_VALUE: f64 = 0.01;
/// With fewer hosts than this, Student's quantile for their mean is half as large again as for many, or more.
const ENOUGH: u32 = 5;
/// Names in a sentence; the rest is counted.
const MOST_NAMES: usize = 4;

/// Sentences, most important first.
pub fn notes(group: &Group, by: By, effects: &[Effect]) -> Vec<String> {
    let mut notes = vec![match by {
        By::Host => {
            "each host's effect is one inside of its own blocks; what hosts differ in is not \
             controlled, so why they differ cannot be told from these records"
                .to_owned()
        }
        By::Interpreter | By::App => format!(
            "each row's effect is one inside of its own blocks, but the rows were measured in different runs: \
             a difference between {} is uncontrolled, and nothing is pooled",
            by.words()
        ),
    }];
    if by == By::Interpreter && in_the_same_records(group) {
        notes[0] = "all rows were measured in the same blocks; nothing is pooled".to_owned();
    }
    if group.members.len() == 1 {
        notes[0] = format!(
            "there is one {} only, so there is nothing to compare it with",
            by.word()
        );
    }
    notes.extend(few(effects));
    notes.extend(not_pooled(group, effects));
    notes.extend(group.members.iter().filter_map(disagreeing));
    if by == By::Host {
        notes.extend(nameless(group));
    }
    notes.extend(unlike(group, by));
    notes
}

/// Are all members parts of the same records?
fn in_the_same_records(group: &Group) -> bool {
    let records = |side: &Side| -> BTreeSet<String> {
        let pieces = side.pieces.iter();
        pieces.map(|piece| piece.given.name.clone()).collect()
    };
    let [first, others @ ..] = &group.members[..] else {
        return false;
    };
    !others.is_empty() && others.iter().all(|other| records(other) == records(first))
}

/// Why intervals of a mean are wide that is one of narrow ones.
fn few(effects: &[Effect]) -> Option<String> {
    let pooled = effects.iter().filter_map(|effect| effect.pooled);
    let members = pooled.map(|pooled| pooled.members).max()?;
    (members < ENOUGH).then(|| {
        format!(
            "{members} hosts are a small sample of all hosts, so the mean's intervals are wide, however many \
             blocks each host has: more hosts narrow them, more blocks do not"
        )
    })
}

/// Hosts that are in the table, and not in the pool.
fn not_pooled(group: &Group, effects: &[Effect]) -> Option<String> {
    let places: BTreeSet<usize> = effects
        .iter()
        .flat_map(|effect| effect.without_error.iter().copied())
        .collect();
    let sides = places.iter().filter_map(|place| group.members.get(*place));
    let names: Vec<String> = sides.map(|side| side.name.clone()).collect();
    (!names.is_empty() && group.members.len() > 1).then(|| {
        format!(
            "too few blocks for an interval, or differences that are all the same, and so no part in a mean over \
             all hosts: {}",
            words::list(&names, MOST_NAMES)
        )
    })
}

/// A member whose records differ by more than chance.
fn disagreeing(side: &Side) -> Option<String> {
    if side.pieces.len() < 2 {
        return None;
    }
    let contrasts = side.pieces.first().map(|piece| &piece.contrasts)?;
    let found: Vec<String> = contrasts
        .iter()
        .filter_map(|named| {
            let shifts: Vec<_> = side
                .pieces
                .iter()
                .filter_map(|piece| {
                    let mut own = piece.contrasts.iter();
                    shift_of(piece, own.find(|own| own.spec == named.spec)?)
                })
                .collect();
            let p_value = heterogeneity(&shifts)?.p_value;
            (p_value < SAME_P_VALUE).then(|| {
                format!(
                    "{} against {}, {} (p {})",
                    named.scenario,
                    named.baseline,
                    named.spec.metric,
                    words::p_value(p_value)
                )
            })
        })
        .collect();
    (!found.is_empty()).then(|| {
        format!(
            "the {} records of {} differ by more than chance in {}: its interval does not know of what \
             happened between them",
            side.pieces.len(),
            side.name,
            words::list(&found, MOST_NAMES)
        )
    })
}

/// Hosts that no name tells apart.
fn nameless(group: &Group) -> Option<String> {
    let pieces = || group.members.iter().flat_map(|side| &side.pieces);
    let is_nameless = |piece: &&Piece| piece.given.record.header.host.name.is_none();
    let (count, all) = (pieces().filter(is_nameless).count(), pieces().count());
    let mixed = match count < all {
        true => ", and a host with a record of each kind counts as two",
        false => "",
    };
    (count > 0).then(|| {
        format!(
            "{} the host's name, so CPU, memory and kernel tell hosts apart there: two that are alike count \
             as one{mixed}",
            match count {
                1 => "1 record does not hold".to_owned(),
                _ => format!("{count} records do not hold"),
            }
        )
    })
}

/// What differs besides.
fn unlike(group: &Group, by: By) -> Vec<String> {
    let mut notes = Vec::new();
    let all = |of: &dyn Fn(&Piece) -> String| -> BTreeSet<String> {
        let pieces = group.members.iter().flat_map(|side| &side.pieces);
        pieces.map(of).collect()
    };
    let mut differing = |what: &str, values: BTreeSet<String>| {
        if values.len() > 1 {
            let values: Vec<String> = values.into_iter().collect();
            notes.push(format!(
                "{what} differs between records: {}",
                words::list(&values, MOST_NAMES)
            ));
        }
    };
    if by != By::Interpreter {
        differing(
            "the interpreter's path",
            all(&|piece| {
                let all = piece.interpreters.iter();
                let paths: Vec<&str> = all.map(|each| each.executable.as_str()).collect();
                paths.join(", ")
            }),
        );
    }
    differing(
        "where the app was launched",
        all(
            &|piece| match piece.given.record.header.isolation.backing.as_str() {
                "overlay" => "at its own path".to_owned(),
                _ => "in a private copy".to_owned(),
            },
        ),
    );
    differing(
        "what makes a source read-only",
        all(&|piece| piece.given.record.header.isolation.read_only_by.clone()),
    );
    for side in &group.members {
        let kernels: BTreeSet<&str> = side
            .pieces
            .iter()
            .map(|piece| piece.given.record.header.host.kernel.as_str())
            .collect();
        if kernels.len() > 1 {
            let kernels: Vec<String> = kernels.into_iter().map(str::to_owned).collect();
            notes.push(format!(
                "the records of {} are of several kernels: {}",
                side.name,
                words::list(&kernels, MOST_NAMES)
            ));
        }
    }
    notes
}
