//! Claims on receipts: did a scenario's launch do what is said of it?
//!
//! All conditions must hold, in every receipt of the scenario, and its launches must have
//! succeeded: an app that does not start supports no claim on how it starts.

mod compile_time;
mod counts;
mod interpreters;
mod second_import;

use super::blocks::Blocks;
use super::model::Decision;
use super::receipts::receipts_of;
use super::words;
use crate::record::format::ReceiptLine;
use crate::record::{Launch, Record};
use crate::stats::bounds::Verdict;
use crate::suite::{Claim, Evidence, LaunchKind};

/// One condition: what was expected, what was seen, and whether it held.
struct Condition {
    expected: String,
    measured: String,
    outcome: Outcome,
}

#[derive(Clone, PartialEq, Eq)]
enum Outcome {
    Holds,
    Fails,
    /// What was seen decides nothing, for this reason.
    Open(String),
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
    let conditions: Vec<Condition> = counts::conditions(evidence, &receipts, &launches)
        .into_iter()
        .chain(compile_time::condition(evidence, &receipts))
        .chain(second_import::conditions(evidence, record, scenario))
        .chain(interpreters::condition_across(evidence, record, scenario))
        .collect();
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
    let broken: Vec<&str> = conditions
        .iter()
        .filter(|condition| condition.outcome == Outcome::Fails)
        .map(|condition| condition.expected.as_str())
        .collect();
    if !broken.is_empty() {
        return (Verdict::Refuted, format!("expected {}", broken.join("; ")));
    }
    let open: Vec<&str> = conditions
        .iter()
        .filter_map(|condition| match &condition.outcome {
            Outcome::Open(reason) => Some(reason.as_str()),
            Outcome::Holds | Outcome::Fails => None,
        })
        .collect();
    if !open.is_empty() {
        return (Verdict::Inconclusive, open.join("; "));
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
