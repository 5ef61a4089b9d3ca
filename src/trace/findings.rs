//! What tracing found, for whoever writes it down.

use super::difference::Difference;
use super::measure::{Blocks, Stopped};
use super::profile::Profile;

/// One scenario, or two that were launched in the same blocks.
#[derive(Debug, Clone)]
pub struct Findings {
    pub app: String,
    /// The suite's file, or the command that it was inferred from.
    pub origin: String,
    pub seed: u64,
    pub stopped: Stopped,
    /// At least one; the one that was asked for first.
    pub profiles: Vec<Profile>,
    /// Of the first against the second.
    pub difference: Option<Difference>,
}

impl Findings {
    /// Of what was launched under these scenarios, by name and interpreter; `None` without a launch.
    pub fn of(
        app: &str,
        origin: &str,
        seed: u64,
        scenarios: &[(String, String)],
        blocks: &Blocks,
    ) -> Option<Self> {
        let named: Vec<_> = scenarios.iter().zip(&blocks.scenarios).collect();
        let profiles: Option<Vec<Profile>> = named
            .iter()
            .map(|((name, interpreter), traces)| {
                Profile::of(name, interpreter.clone(), blocks.ending, traces)
            })
            .collect();
        let difference = match named[..] {
            [((ours, _), our_traces), ((theirs, _), their_traces)] => {
                Some(Difference::of((ours, our_traces), (theirs, their_traces)))
            }
            _ => None,
        };
        Some(Self {
            app: app.to_owned(),
            origin: origin.to_owned(),
            seed,
            stopped: blocks.stopped,
            profiles: profiles.filter(|profiles| !profiles.is_empty())?,
            difference,
        })
    }
}
