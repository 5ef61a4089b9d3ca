//! A run that several machines share: each takes every n-th block.
//!
//! A block depends on seed, suite and index alone, so machines need not talk to each other to take
//! different ones. Shard i of n takes the blocks i − 1, i − 1 + n, i − 1 + 2n, …

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Which part of a run: "2/4" is the second of four.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Shard {
    /// Counted from 0, below `of`.
    index: u32,
    of: NonZeroU32,
}

/// Why a text names no shard.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoShard {
    #[error("give the shard's number and how many there are, such as 2/4")]
    Form,
    #[error("shards are counted from 1: the first of {of} is 1/{of}")]
    Zeroth { of: NonZeroU32 },
    #[error("there are no shards of none: a run that is not shared is 1/1")]
    OfNone,
    #[error("the last of {of} shards is {of}/{of}")]
    Beyond { of: NonZeroU32 },
}

impl Shard {
    /// All shards of a run that so many share.
    pub fn all(of: NonZeroU32) -> impl Iterator<Item = Self> {
        (0..of.get()).map(move |index| Self { index, of })
    }

    /// How many share the run.
    pub fn of(self) -> NonZeroU32 {
        self.of
    }

    /// How many of the run's first `blocks` are this shard's.
    pub fn share_of(self, blocks: u32) -> u32 {
        blocks.saturating_sub(self.index).div_ceil(self.of.get())
    }

    /// The index in the run's plan of the shard's block of that number, counted from 0.
    pub fn block(self, number: u32) -> u32 {
        let before = number.saturating_mul(self.of.get());
        before.saturating_add(self.index)
    }

    /// The shard of the same run that a block belongs to.
    pub fn owner(self, block: u32) -> Self {
        Self {
            index: block % self.of,
            of: self.of,
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", u64::from(self.index) + 1, self.of)
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let (number, of) = text.split_once('/').ok_or(NoShard::Form)?;
        // `parse` would take "+2", too.
        let whole = |text: &str| {
            let is_whole = text.bytes().all(|byte| byte.is_ascii_digit());
            is_whole.then(|| text.parse::<u32>().ok()).flatten()
        };
        let number = whole(number).ok_or(NoShard::Form)?;
        let of = whole(of).ok_or(NoShard::Form)?;
        let of = NonZeroU32::new(of).ok_or(NoShard::OfNone)?;
        let index = number.checked_sub(1).ok_or(NoShard::Zeroth { of })?;
        match index < of.get() {
            true => Ok(Self { index, of }),
            false => Err(NoShard::Beyond { of }),
        }
    }
}

impl TryFrom<String> for Shard {
    type Error = NoShard;

    fn try_from(text: String) -> Result<Self, NoShard> {
        text.parse()
    }
}

impl From<Shard> for String {
    fn from(shard: Shard) -> Self {
        shard.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(text: &str) -> Shard {
        text.parse().unwrap()
    }

    #[test]
    fn the_shards_of_a_run_take_each_of_its_blocks_once() {
        for of in [1, 2, 3, 7] {
            for blocks in [0, 1, 6, 7, 20] {
                let mut taken: Vec<u32> = Shard::all(NonZeroU32::new(of).unwrap())
                    .flat_map(|shard| (0..shard.share_of(blocks)).map(move |n| shard.block(n)))
                    .collect();
                taken.sort_unstable();
                assert_eq!(taken, (0..blocks).collect::<Vec<_>>(), "{of} {blocks}");
            }
        }
    }

    #[test]
    fn a_block_has_one_owner() {
        let of = NonZeroU32::new(3).unwrap();
        for taker in Shard::all(of) {
            for number in 0..5 {
                assert_eq!(shard("1/3").owner(taker.block(number)), taker);
            }
        }
    }

    #[test]
    fn what_is_written_is_read_back_and_nothing_else_is_read() {
        for text in ["1/1", "2/4", "4/4", "4294967295/4294967295"] {
            assert_eq!(shard(text).to_string(), text);
        }
        let of = NonZeroU32::new(4).unwrap();
        let refused = |text: &str| text.parse::<Shard>().unwrap_err();
        for text in [
            "", "4", "/", "a/b", "1/", "/4", "+1/4", "1 /4", "-1/4", "1/4/4",
        ] {
            assert_eq!(refused(text), NoShard::Form, "{text}");
        }
        assert_eq!(refused("0/4"), NoShard::Zeroth { of });
        assert_eq!(refused("5/4"), NoShard::Beyond { of });
        assert_eq!(refused("0/0"), NoShard::OfNone);
        assert_eq!(refused("1/4294967296"), NoShard::Form);
    }

    #[test]
    fn no_number_is_too_large() {
        let last = shard("4294967295/4294967295");
        assert_eq!(last.block(u32::MAX), u32::MAX);
        assert_eq!(last.share_of(u32::MAX), 1);
        assert_eq!(last.share_of(1), 0);
    }
}
