//! Where and when the launches of a record were made: in one sitting, or in one for each shard.

use super::format::{Affinity, End, Header, Host};
use super::model::Record;
use super::shard::Shard;

/// Launches made one after the other on one machine.
#[derive(Debug, Clone, Copy)]
pub struct Sitting<'a> {
    /// `None`: all of the run.
    pub shard: Option<Shard>,
    pub host: &'a Host,
    pub affinity: Option<&'a Affinity>,
    /// `None`: it was killed.
    pub end: Option<&'a End>,
}

impl Record {
    /// Those of the record, of which there is one at least.
    pub fn sittings(&self) -> Vec<Sitting<'_>> {
        let header = &self.header;
        if header.shards.is_empty() {
            return vec![Sitting {
                shard: header.shard,
                host: &header.host,
                affinity: header.affinity.as_ref(),
                end: self.end.as_ref(),
            }];
        }
        let shards = header.shards.iter();
        shards
            .map(|each| Sitting {
                shard: Some(each.shard),
                host: &each.host,
                affinity: each.affinity.as_ref(),
                end: each.end.as_ref(),
            })
            .collect()
    }

    /// The machines of the sittings, as far as they can be told apart; at least one.
    pub fn hosts(&self) -> Vec<&Host> {
        let mut hosts: Vec<&Host> = Vec::new();
        for sitting in self.sittings() {
            if !hosts.iter().any(|host| host.may_be(sitting.host)) {
                hosts.push(sitting.host);
            }
        }
        hosts
    }
}

impl Header {
    /// Was the record put together from those of several shards?
    pub fn is_merged(&self) -> bool {
        !self.shards.is_empty()
    }

    /// Is every arm launched in every block? Nothing is known of the other shards' launches while a
    /// shard is measured, so none of its arms sits out.
    pub fn has_whole_blocks(&self) -> bool {
        self.shard.is_some() || self.is_merged()
    }

    /// The machine on which a block was measured.
    pub fn host_of(&self, block: u32) -> &Host {
        let Some(first) = self.shards.first() else {
            return &self.host;
        };
        let owner = first.shard.owner(block);
        // In their order, so if none is missing each stands where its number says.
        let place = (block % first.shard.of()) as usize;
        let there = self.shards.get(place).filter(|each| each.shard == owner);
        there
            .or_else(|| self.shards.iter().find(|each| each.shard == owner))
            .map_or(&self.host, |each| &each.host)
    }
}

impl Host {
    /// May the two be one machine, as far as can be seen? What changes from hour to hour is not
    /// looked at.
    pub fn may_be(&self, other: &Self) -> bool {
        let lasting = |host: &Self| {
            (
                host.name.clone(),
                host.kernel.clone(),
                host.cpu_model.clone(),
                (host.cpus, host.all_cpus()),
                host.memory_mib,
                host.virtualization.clone(),
            )
        };
        lasting(self) == lasting(other)
    }
}
