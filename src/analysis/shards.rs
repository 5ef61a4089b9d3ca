//! What limits the figures of a shard, and of a record that was put together from shards.

use super::words;
use crate::record::format::{Host, MergedShard, StopReason};
use crate::record::{Record, Shard, Sitting};

/// Shards or machines that are named; the rest is counted.
const MOST_NAMES: usize = 8;

/// Sentences on single shards' machines that are told.
const MOST_SENTENCES: usize = 8;

/// That it is a part, that parts are missing or broke off, and that machines are mixed.
pub fn warnings(record: &Record) -> Vec<String> {
    let header = &record.header;
    let mut all = Vec::new();
    if let Some(shard) = header.shard {
        all.push(format!(
            "this is shard {shard} of a run, and not all of it: `coldsnake merge` puts the records of \
             its shards together"
        ));
    }
    let shards = header.shards.as_slice();
    all.extend(missing(shards));
    all.extend(endings(shards));
    all.extend(unread(shards));
    all.extend(hosts(record));
    all
}

/// "shard 2/4", "shards 1/4 and 2/4"
pub fn named(shards: &[Shard]) -> String {
    let names: Vec<String> = shards.iter().map(Shard::to_string).collect();
    let word = if names.len() == 1 { "shard" } else { "shards" };
    format!("{word} {}", words::list(&names, MOST_NAMES))
}

fn missing(shards: &[MergedShard]) -> Option<String> {
    let of = shards.first()?.shard.of();
    let there = |shard: &Shard| shards.iter().any(|each| each.shard == *shard);
    let missing = (of.get() as usize).saturating_sub(shards.len());
    if missing == 0 {
        return None;
    }
    // Only as many are looked for as are named: a record may claim any number of shards.
    let first: Vec<Shard> = Shard::all(of)
        .filter(|it| !there(it))
        .take(missing.min(MOST_NAMES))
        .collect();
    let more = match missing - first.len() {
        0 => String::new(),
        more => format!(" and {} more", words::thousands(more as u64)),
    };
    Some(format!(
        "{}{more} of {of} {} missing: intervals are wider for it, and not wrong",
        named(&first),
        if missing == 1 { "is" } else { "are" },
    ))
}

/// Shards that did not come to their end.
fn endings(shards: &[MergedShard]) -> Vec<String> {
    let ended = |how: Option<StopReason>| -> Vec<Shard> {
        let ended = shards
            .iter()
            .filter(|each| each.end.as_ref().map(|end| end.stop_reason) == how);
        ended.map(|each| each.shard).collect()
    };
    let all = [
        (None, "breaks off: it was killed before it came to its end"),
        (
            Some(StopReason::Interrupted),
            "was interrupted: it has fewer blocks",
        ),
        (
            Some(StopReason::Failures),
            "was stopped because the app failed to launch too often",
        ),
    ];
    let all = all.into_iter();
    all.flat_map(|(how, what)| {
        let each = ended(how).into_iter();
        each.map(move |shard| format!("shard {shard} {what}"))
    })
    .collect()
}

fn unread(shards: &[MergedShard]) -> Option<String> {
    let damaged = shards.iter().filter(|each| each.unread_lines > 0);
    let of: Vec<Shard> = damaged.clone().map(|each| each.shard).collect();
    let lines: u64 = damaged.map(|each| each.unread_lines).sum();
    (lines > 0).then(|| {
        format!(
            "{} of the records of {} could not be read and {} left out",
            words::count(lines, "line", "lines"),
            named(&of),
            if lines == 1 { "is" } else { "are" }
        )
    })
}

/// Machines that are told from each other, in the order of the shards.
fn hosts(record: &Record) -> Option<String> {
    let hosts = record.hosts();
    if hosts.len() < 2 {
        return None;
    }
    let shards = |host: &Host| -> Vec<Shard> {
        let there = record.header.shards.iter();
        let there = there.filter(|each| host.may_be(&each.host));
        there.map(|each| each.shard).collect()
    };
    let names: Vec<String> = hosts
        .iter()
        .map(|host| format!("{} ({})", machine(host), named(&shards(host))))
        .collect();
    Some(format!(
        "the shards ran on {} machines: {}; contrasts are of launches on one machine, as they are paired \
         within blocks, and lie between what the machines would show alone; medians of single \
         scenarios mix machines",
        hosts.len(),
        words::list(&names, MOST_NAMES)
    ))
}

/// Its name, or else what it is.
fn machine(host: &Host) -> String {
    match &host.name {
        Some(name) => name.clone(),
        None => format!(
            "{}, {}",
            host.cpu_model,
            words::count(host.cpus.into(), "CPU", "CPUs")
        ),
    }
}

/// A sentence of each sitting; with the shards that it is true of, where there are several.
pub fn of_sittings(record: &Record, sentences: impl Fn(&Sitting) -> Vec<String>) -> Vec<String> {
    if !record.header.is_merged() {
        return record.sittings().iter().flat_map(sentences).collect();
    }
    let mut all: Vec<(String, Vec<Shard>)> = Vec::new();
    for sitting in record.sittings() {
        for sentence in sentences(&sitting) {
            let shard = sitting.shard.into_iter();
            match all.iter_mut().find(|(same, _)| *same == sentence) {
                Some((_, shards)) => shards.extend(shard),
                None => all.push((sentence, shard.collect())),
            }
        }
    }
    let more = all.len().saturating_sub(MOST_SENTENCES);
    let told = all.into_iter().take(MOST_SENTENCES);
    let mut told: Vec<String> = told
        .map(|(sentence, shards)| format!("{}: {sentence}", named(&shards)))
        .collect();
    if more > 0 {
        told.push(format!(
            "{} on the machines of other shards: see the shards' own reports",
            words::count(more as u64, "more warning", "more warnings")
        ));
    }
    told
}
