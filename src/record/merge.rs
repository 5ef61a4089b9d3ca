//! Puts the records of a run's shards together into one.
//!
//! Nothing is computed from the times: launches are sorted by block and position, and stay what they
//! were. What the shards must have in common is checked, as a block of another experiment would look
//! like one of this.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::format::{End, Header, Interpreter, Isolation, MergedShard, StopReason};
use super::model::Record;
use super::shard::Shard;

/// A record, and where it was found.
#[derive(Debug)]
pub struct Part {
    pub path: PathBuf,
    pub record: Record,
}

/// What to do where shards of the run are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    Refuse,
    /// Merge what there is. Their blocks are missing then, and no other.
    Allow,
}

/// Records that cannot be put together.
#[derive(Debug, Error)]
pub enum MergeError {
    #[error("there is no record to merge\n  name those of a run's shards")]
    Nothing,
    #[error(
        "{} is the record of a whole run, and not of a shard\n  shards are measured with \
         `coldsnake run --seed N --shard 1/4`, and so on to 4/4",
        path.display()
    )]
    Whole { path: PathBuf },
    #[error(
        "{} was put together from shards already\n  name the records of all shards instead",
        path.display()
    )]
    Merged { path: PathBuf },
    #[error(
        "{} and {} are no shards of one run: {what} is {first} in the one and {second} in the other\n  \
         all shards of a run have the same suite, options, seed, interpreters and coldsnake",
        paths.0.display(), paths.1.display()
    )]
    Unlike {
        paths: (PathBuf, PathBuf),
        what: &'static str,
        first: String,
        second: String,
    },
    #[error("{} and {} are both shard {shard}\n  name only one of them", paths.0.display(), paths.1.display())]
    Twice {
        paths: (PathBuf, PathBuf),
        shard: Shard,
    },
    #[error(
        "{} is shard {shard} and holds a launch of block {block}, which belongs to shard {owner}\n  \
         name the record as coldsnake wrote it",
        path.display()
    )]
    Foreign {
        path: PathBuf,
        shard: Shard,
        block: u32,
        owner: Shard,
    },
    #[error(
        "{}\n  name their records too, or merge what there is with --allow-missing",
        absent(shards, *more)
    )]
    Missing {
        /// The first of them.
        shards: Vec<Shard>,
        /// The others.
        more: u32,
    },
}

/// Shards that are named.
const MOST_NAMED: usize = 8;

/// "shard 2/4 is missing", "shards 2/4, 3/4 and 4/4 are missing"
fn absent(shards: &[Shard], more: u32) -> String {
    let mut names: Vec<String> = shards.iter().map(Shard::to_string).collect();
    if more > 0 {
        names.push(format!("{more} more"));
    }
    match names.split_last() {
        None => "no shard is missing".to_owned(),
        Some((only, [])) => format!("shard {only} is missing"),
        Some((last, others)) => format!("shards {} and {last} are missing", others.join(", ")),
    }
}

/// One record of the run that they are shards of.
///
/// # Errors
/// When they are not, when one is there twice, or when some are missing that must not.
pub fn merge(parts: Vec<Part>, missing: Missing) -> Result<Record, MergeError> {
    let mut by_shard: BTreeMap<Shard, Part> = BTreeMap::new();
    let mut reference: Option<Facts> = None;
    for part in parts {
        let shard = shard_of(&part)?;
        let facts = Facts::of(&part, shard);
        match &reference {
            None => reference = Some(facts),
            Some(reference) => reference.check(&facts)?,
        }
        check_blocks(&part, shard)?;
        if let Some(other) = by_shard.get(&shard) {
            return Err(MergeError::Twice {
                paths: (other.path.clone(), part.path),
                shard,
            });
        }
        by_shard.insert(shard, part);
    }
    let Some((first, _)) = by_shard.first_key_value() else {
        return Err(MergeError::Nothing);
    };
    // Each is there once, so there are no more of them than shards.
    let absent = first.of().get() - by_shard.len() as u32;
    if missing == Missing::Refuse && absent > 0 {
        let shards: Vec<Shard> = Shard::all(first.of())
            .filter(|shard| !by_shard.contains_key(shard))
            .take(MOST_NAMED)
            .collect();
        let more = absent - shards.len() as u32;
        return Err(MergeError::Missing { shards, more });
    }
    let parts = by_shard
        .into_iter()
        .map(|(shard, part)| (shard, part.record));
    put_together(parts.collect())
}

/// Which shard it is.
fn shard_of(part: &Part) -> Result<Shard, MergeError> {
    let path = || part.path.clone();
    match part.record.header.shard {
        _ if part.record.header.is_merged() => Err(MergeError::Merged { path: path() }),
        None => Err(MergeError::Whole { path: path() }),
        Some(shard) => Ok(shard),
    }
}

/// Does it hold blocks of its own only?
fn check_blocks(part: &Part, shard: Shard) -> Result<(), MergeError> {
    let mut launches = part.record.launches.iter();
    match launches.find(|launch| shard.owner(launch.block) != shard) {
        None => Ok(()),
        Some(launch) => Err(MergeError::Foreign {
            path: part.path.clone(),
            shard,
            block: launch.block,
            owner: shard.owner(launch.block),
        }),
    }
}

/// What all shards of a run have in common.
struct Facts {
    path: PathBuf,
    /// What a fact is called, and what it is.
    facts: Vec<(&'static str, String)>,
}

impl Facts {
    fn of(part: &Part, shard: Shard) -> Self {
        let header = &part.record.header;
        let revisions = header.revisions.iter();
        let revisions: Vec<String> = revisions
            .map(|each| format!("{} ({})", each.name, each.commit))
            .collect();
        let mut facts = vec![
            ("the number of shards", shard.of().to_string()),
            ("the seed", header.seed.to_string()),
            ("the version of coldsnake", header.coldsnake.clone()),
            ("the app", part.record.suite.app.name.clone()),
            ("the suite's SHA-256", header.suite.sha256.clone()),
            ("the suite's text", header.suite.text.clone()),
            ("the interpreter", interpreters(&header.interpreters)),
            ("the app's number of lines", header.app_lines.to_string()),
            ("the isolation", isolation(&header.isolation)),
            ("the revisions", revisions.join(", ")),
        ];
        let head = header.working_tree.as_ref().and_then(|it| it.head.clone());
        facts.push(("the working tree's commit", head.unwrap_or_default()));
        Self {
            path: part.path.clone(),
            facts,
        }
    }

    fn check(&self, other: &Self) -> Result<(), MergeError> {
        let mut both = self.facts.iter().zip(&other.facts);
        let Some(((what, first), (_, second))) = both.find(|(a, b)| a != b) else {
            return Ok(());
        };
        Err(MergeError::Unlike {
            paths: (self.path.clone(), other.path.clone()),
            what,
            first: shortened(first),
            second: shortened(second),
        })
    }
}

/// Where they lie may differ from machine to machine.
fn interpreters(all: &[Interpreter]) -> String {
    let named = all.iter().map(|each| {
        let Interpreter {
            implementation,
            version,
            cache_tag,
            magic,
            ..
        } = each;
        format!("{implementation} {version} ({cache_tag}, magic {magic})")
    });
    named.collect::<Vec<_>>().join(", ")
}

fn isolation(isolation: &Isolation) -> String {
    format!(
        "{}, {}, read-only by {}",
        isolation.identity, isolation.backing, isolation.read_only_by
    )
}

/// One line, of a length that can be read.
fn shortened(text: &str) -> String {
    const MOST: usize = 80;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() {
        return "none".to_owned();
    }
    match line.char_indices().nth(MOST) {
        None => line,
        Some((end, _)) => format!("{}…", &line[..end]),
    }
}

/// In the order of the shards, of which there is one at least.
fn put_together(parts: Vec<(Shard, Record)>) -> Result<Record, MergeError> {
    let shards: Vec<MergedShard> = parts.iter().map(|(shard, it)| noted(*shard, it)).collect();
    let started = shards.iter().map(|each| each.started.clone()).min();
    let mut parts = parts.into_iter().map(|(_, record)| record);
    let mut whole = parts.next().ok_or(MergeError::Nothing)?;
    for part in parts {
        // They say the same but for what differs between machines; what does not hold must stay.
        let broken = part.receipts.into_iter();
        whole
            .receipts
            .extend(broken.filter(|receipt| !receipt.violations.is_empty()));
        whole.launches.extend(part.launches);
        // Counts of one machine repeat, and those of several need not agree.
        if whole.counts.is_empty() && !part.counts.is_empty() {
            whole.counts = part.counts;
            whole.header.counters = part.header.counters;
        }
    }
    whole
        .launches
        .sort_by_key(|launch| (launch.block, launch.position));
    whole.end = Some(end(&shards));
    // They are counted in `shards`.
    whole.damaged = Vec::new();
    whole.header = Header {
        started: started.unwrap_or_default(),
        command_line: without_shard(&whole.header.command_line),
        shard: None,
        shards,
        ..whole.header
    };
    Ok(whole)
}

fn noted(shard: Shard, record: &Record) -> MergedShard {
    let header = &record.header;
    MergedShard {
        shard,
        started: header.started.clone(),
        host: header.host.clone(),
        affinity: header.affinity.clone(),
        end: record.end.clone(),
        unread_lines: record.damaged.len() as u64,
    }
}

/// How the run ended: as the shard that came off worst.
fn end(shards: &[MergedShard]) -> End {
    let ends = || shards.iter().filter_map(|each| each.end.as_ref());
    let any = |reason| ends().any(|end| end.stop_reason == reason);
    let killed = shards.iter().any(|each| each.end.is_none());
    let stop_reason = if any(StopReason::Failures) {
        StopReason::Failures
    } else if killed || any(StopReason::Interrupted) {
        StopReason::Interrupted
    } else if ends().all(|end| end.stop_reason == StopReason::MaxBlocks) {
        StopReason::MaxBlocks
    } else {
        StopReason::Budget
    };
    let sum = |count: fn(&End) -> u32| ends().map(count).fold(0, u32::saturating_add);
    End {
        stop_reason,
        blocks: sum(|end| end.blocks),
        elapsed_s: ends().map(|end| end.elapsed_s).sum(),
        // Each machine counts its own: see `shards`.
        heat_throttles: None,
        blocks_beside_others: sum(|end| end.blocks_beside_others),
    }
}

/// The command line of the whole run.
fn without_shard(words: &[String]) -> Vec<String> {
    // What follows `--` is the app's.
    let end = words.iter().position(|word| word == "--");
    let (own, apps) = words.split_at(end.unwrap_or(words.len()));
    let mut kept = Vec::new();
    let mut own = own.iter();
    while let Some(word) = own.next() {
        if word == "--shard" {
            own.next();
        } else if !word.starts_with("--shard=") {
            kept.push(word.clone());
        }
    }
    kept.extend_from_slice(apps);
    kept
}

impl Part {
    /// A record read from a file, or from the folder of a run.
    pub fn new(path: &Path, record: Record) -> Self {
        Self {
            path: path.to_owned(),
            record,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_of_the_whole_run_names_no_shard() {
        let without = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            without_shard(&words).join(" ")
        };
        assert_eq!(
            without("coldsnake run --shard 1/3 x.toml --seed 7"),
            "coldsnake run x.toml --seed 7"
        );
        assert_eq!(
            without("coldsnake run --seed 7 --shard=1/3 -- app.py --shard 2/3 --shard=1/2"),
            "coldsnake run --seed 7 -- app.py --shard 2/3 --shard=1/2"
        );
        assert_eq!(without("coldsnake run --shard"), "coldsnake run");
    }

    #[test]
    fn a_long_list_of_missing_shards_is_cut_short() {
        let of = std::num::NonZeroU32::new(20).unwrap_or(std::num::NonZeroU32::MIN);
        let all: Vec<Shard> = Shard::all(of).collect();
        assert_eq!(absent(&all[..1], 0), "shard 1/20 is missing");
        assert_eq!(absent(&all[..2], 0), "shards 1/20 and 2/20 are missing");
        assert_eq!(
            absent(&all[..2], 12),
            "shards 1/20, 2/20 and 12 more are missing"
        );
    }
}
