//! Claims on receipts: did a scenario's launch do what is said of it?
//!
//! All conditions must hold, in every receipt of the scenario, and its launches must have
//! succeeded: an app that does not start supports no claim on how it starts.

use super::blocks::Blocks;
use super::model::Decision;
use super::receipts::{read_from_pycs, receipts_of};
use super::words;
use crate::record::format::ReceiptLine;
use crate::record::{Launch, Record};
use crate::stats::bounds::Verdict;
use crate::suite::{Claim, Count, Evidence, LaunchKind};

/// One condition: what was expected, what was seen, and whether it held.
struct Condition {
    expected: String,
    measured: String,
    outcome: Outcome,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Holds,
    Fails,
}

/// Decides a claim on a scenario's receipt.
pub fn on_receipt(
    claim: &Claim,
    record: &Record,
    blocks: &Blocks,
    scenario: &str,
    evidence: &Evidence,
) -> Decision {
    let (kind, receipts) = receipts_of(record, scenario);
    let launches = timed(blocks, scenario, kind);
    let conditions = conditions(evidence, &receipts, &launches);
    let join = |part: fn(&Condition) -> &String| {
        let parts: Vec<&str> = conditions.iter().map(|c| part(c).as_str()).collect();
        parts.join("; ")
    };
    let mut measured = join(|condition| &condition.measured);
    if receipts.is_empty() {
        measured = "nothing seen".to_owned();
    }
    let (verdict, reason) = verdict(scenario, &receipts, &launches, &conditions);
    Decision {
        id: claim.id.clone(),
        text: claim.text.clone(),
        expected: join(|condition| &condition.expected),
        measured,
        cpu: None,
        reason,
        verdict,
        effect: None,
    }
}

fn verdict(
    scenario: &str,
    receipts: &[&ReceiptLine],
    launches: &[&Launch],
    conditions: &[Condition],
) -> (Verdict, String) {
    let failed = launches.iter().filter(|l| l.failure.is_some()).count();
    let all = words::count(launches.len() as u64, "launch", "launches");
    if failed > 0 && failed == launches.len() {
        return (
            Verdict::Refuted,
            format!("{scenario} does not start: {failed} of {all} failed"),
        );
    }
    if receipts.is_empty() {
        return (
            Verdict::Inconclusive,
            format!("the record holds no receipt of {scenario}"),
        );
    }
    let broken: Vec<String> = conditions
        .iter()
        .filter(|condition| condition.outcome == Outcome::Fails)
        .map(|condition| format!("{}, not {}", condition.measured, condition.expected))
        .collect();
    if !broken.is_empty() {
        return (Verdict::Refuted, broken.join("; "));
    }
    if failed > 0 {
        return (
            Verdict::Inconclusive,
            format!("the receipt agrees, but {failed} of {all} failed"),
        );
    }
    let seen = match launches.len() {
        0 => "seen in an untimed launch; no timed one is recorded".to_owned(),
        _ => format!("seen in an untimed launch, and {all} succeeded"),
    };
    (Verdict::Supported, seen)
}

/// The scenario's timed launches of the kind that the receipts are of, its twin's included.
fn timed<'a>(blocks: &Blocks<'a>, scenario: &str, kind: LaunchKind) -> Vec<&'a Launch> {
    let itself = blocks.arm(scenario);
    let twin = blocks
        .twin()
        .filter(|twin| itself.is_some_and(|arm| arm.scenario == twin.scenario));
    let arms = itself.into_iter().chain(twin);
    arms.flat_map(|arm| blocks.launches(arm, kind).iter().copied())
        .collect()
}

fn conditions(
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

fn condition(wanted: Count, what: &str, seen: &[i128]) -> Condition {
    let holds = |number: &i128| u64::try_from(*number).is_ok_and(|number| wanted.contains(number));
    let outcome = if seen.iter().all(holds) {
        Outcome::Holds
    } else {
        Outcome::Fails
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
