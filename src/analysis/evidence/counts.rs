//! Counts and names in receipts, against what a claim says of them.

use super::super::receipts::read_from_pycs;
use super::super::words;
use super::{Condition, Outcome};
use crate::record::Launch;
use crate::record::format::ReceiptLine;
use crate::suite::{Count, Evidence};

/// The conditions that are counts and names of modules and pycs.
pub(super) fn conditions(
    evidence: &Evidence,
    receipts: &[&ReceiptLine],
    launches: &[&Launch],
) -> Vec<Condition> {
    let modules = |line: &ReceiptLine, keep: fn(&str, &str) -> bool| {
        let modules = line.modules.iter();
        modules.filter(|m| keep(&m.origin, &m.code)).count() as i128
    };
    let mut all = Vec::new();
    if let Some(expected) = &evidence.cached {
        all.push(cached(expected, receipts));
    }
    let mut counted = |wanted: Option<Count>, what: &str, seen: Vec<i128>| {
        if let Some(wanted) = wanted {
            all.push(condition(wanted, what, &seen));
        }
    };
    let each = |of: &dyn Fn(&ReceiptLine) -> i128| receipts.iter().map(|line| of(line)).collect();
    counted(
        evidence.app_compiled,
        "modules of the app compiled",
        each(&|line| modules(line, |origin, code| origin == "app" && code == "compiled")),
    );
    counted(
        evidence.compiled,
        "modules compiled",
        each(&|line| modules(line, |_, code| code == "compiled")),
    );
    let mut written: Vec<i128> = each(&|line| {
        let modules = line.modules.iter();
        modules
            .filter(|m| m.write.as_deref() == Some("written"))
            .count() as i128
    });
    // Of a timed launch only the number of pycs around it is known. That is enough, unless pycs are
    // written over others, which changes no number: then the receipt's own numbers differ.
    let net = |line: &ReceiptLine| i128::from(line.pycs_after) - i128::from(line.pycs_before);
    if each(&net) == written {
        let good = launches.iter().filter(|launch| launch.failure.is_none());
        written.extend(good.map(|l| i128::from(l.pycs_after) - i128::from(l.pycs_before)));
    }
    counted(evidence.written, "pycs written", written);
    counted(
        evidence.prefix_pycs,
        "pycs below the prefix",
        each(&|line| i128::from(line.prefix_pycs)),
    );
    counted(
        evidence.prefix_pycache_folders,
        "__pycache__ folders below the prefix",
        each(&|line| i128::from(line.prefix_pycache_folders)),
    );
    all
}

/// One on a number, or on several that are to agree.
pub(super) fn condition(wanted: Count, what: &str, seen: &[i128]) -> Condition {
    let holds = |number: &i128| u64::try_from(*number).is_ok_and(|number| wanted.contains(number));
    let outcome = match seen {
        [] => Outcome::Open(format!("{what}: the record does not say")),
        seen if seen.iter().all(holds) => Outcome::Holds,
        _ => Outcome::Fails,
    };
    let number = match (seen.iter().min(), seen.iter().max()) {
        (Some(low), Some(high)) if low == high => low.to_string(),
        (Some(low), Some(high)) => format!("{low} to {high}"),
        _ => "not seen".to_owned(),
    };
    Condition {
        expected: format!("{what}: {wanted}"),
        measured: format!("{what}: {number}").replace('-', "−"),
        outcome,
    }
}

fn cached(expected: &[String], receipts: &[&ReceiptLine]) -> Condition {
    let names = |names: &[String]| match names {
        [] => "modules of the app cached: none".to_owned(),
        // All of them: where two lists differ, the name that matters may be the last.
        names => format!(
            "modules of the app cached: {}",
            words::list(names, usize::MAX)
        ),
    };
    let mut expected = expected.to_vec();
    expected.sort();
    expected.dedup();
    let found: Vec<Vec<String>> = receipts
        .iter()
        .map(|line| read_from_pycs(line, "app"))
        .collect();
    let other = found.iter().find(|found| **found != expected);
    let shown = other.or(found.first());
    Condition {
        measured: names(shown.map_or(&[], Vec::as_slice)),
        outcome: if other.is_none() {
            Outcome::Holds
        } else {
            Outcome::Fails
        },
        expected: names(&expected),
    }
}
