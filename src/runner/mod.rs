//! Plan × stage × launch → record: block after block, until the intervals are narrow enough or
//! the time is used up.
//!
//! A [`Run`] knows neither processes nor files: it drives whatever [`Launches`] there are, and
//! hands the record's lines to whatever takes them. So a whole run can be simulated.

mod count;
pub mod fake;
mod launches;
mod roster;
#[cfg(test)]
mod tests;

use std::time::Duration;

use thiserror::Error;

use crate::analysis::{Interim, interim};
use crate::launch::{Failure, InstructionCounter, Interrupted, Launcher};
use crate::plan::{Block, Plan};
use crate::record::format::{End, Header, Line, ReceiptLine, StopReason};
use crate::record::{Arm, Launch, Lines, Shard, WriteError};
use crate::stage::{StageError, Workshop};
use crate::suite::{Goal, LaunchKind, Suite};
use roster::{Outlook, Roster};

pub use launches::{Launches, OnStages};

/// After each of the first blocks there is something new to show.
const FIRST_LOOKS: u32 = 5;
/// So many launches in a row that fail end the run: the app is broken, and each may take as long
/// as its time-out.
const FAILURES_IN_A_ROW: u32 = 5;

/// A run that gave no record, or less of one than it should.
#[derive(Debug, Error)]
pub enum RunError {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What a scenario promises does not hold; nothing was measured.
    #[error("nothing was measured, as the scenarios do not hold:\n  {}", .0.join("\n  "))]
    Receipts(Vec<String>),
}

/// What is told to whoever shows progress.
#[derive(Debug)]
pub enum Event<'a> {
    /// A receipt is about to be taken.
    Receipt { scenario: &'a str },
    /// A launch is over.
    Launch { elapsed: Duration, budget: Duration },
    /// A block is complete.
    Block { blocks: u32, interim: &'a Interim },
    /// A launch failed, for the first time under this scenario.
    Failure {
        scenario: &'a str,
        failure: &'a Failure,
    },
    /// Instructions are about to be counted in another launch.
    Count { done: usize, all: usize },
}

/// Takes the receipts of all stages. They come before anything is timed: a scenario that does not
/// hold costs seconds then, and not the whole budget.
///
/// # Errors
/// When the app cannot be launched, or a scenario does not hold.
pub fn take_receipts(
    workshop: &mut Workshop,
    suite: &Suite,
    launcher: &mut dyn Launcher,
    tell: &mut dyn FnMut(Event<'_>),
) -> Result<Vec<ReceiptLine>, RunError> {
    let mut receipts = Vec::new();
    for stage in &mut workshop.stages {
        for kind in suite.launch_kinds() {
            tell(Event::Receipt {
                scenario: &stage.scenario.name,
            });
            receipts.push(stage.receipt(&suite.app, kind, launcher)?);
        }
    }
    let violations: Vec<String> = receipts
        .iter()
        .flat_map(|receipt| receipt.violations.iter().cloned())
        .collect();
    if violations.is_empty() {
        Ok(receipts)
    } else {
        Err(RunError::Receipts(violations))
    }
}

/// A run about to start: everything but the launches is done.
pub struct Run<'a> {
    pub suite: &'a Suite,
    pub launches: &'a mut dyn Launches,
    /// What counts instructions once the timed launches are done.
    pub counter: Option<&'a InstructionCounter>,
    pub tell: &'a mut dyn FnMut(Event<'_>),
}

impl Run<'_> {
    /// Measures block after block and writes each launch to the record as it ends. Of a shard, whose
    /// header says so, the blocks that are its own: until its time is used up or it has no more, as it
    /// does not see what the other shards measured.
    ///
    /// # Errors
    /// When the record cannot be written, or a stage cannot be reset. What was written before
    /// stays. An interruption is no error but a reason to stop.
    pub fn measure(
        &mut self,
        record: &mut dyn Lines,
        header: Header,
        receipts: Vec<ReceiptLine>,
    ) -> Result<End, RunError> {
        let plan = Plan::new(self.suite, header.seed);
        let shard = header.shard;
        record.write(Line::Run(Box::new(header)))?;
        for receipt in receipts {
            record.write(Line::Receipt(Box::new(receipt)))?;
        }
        record.sync()?;
        let mut progress = Progress {
            begun: self.launches.clock(),
            launches: Vec::new(),
            failures_in_a_row: 0,
            failed: Vec::new(),
            beside_others: 0,
        };
        let mut blocks = 0;
        let mut latest = interim(self.suite, &[]);
        let mut roster = Roster::whole();
        let stop_reason = loop {
            let index = shard.map_or(blocks, |shard| shard.block(blocks));
            match self.run_block(&plan.block(index), &roster, &mut progress, record) {
                Ok(()) => {}
                Err(RunError::Stage(StageError::Interrupted(Interrupted))) => {
                    break StopReason::Interrupted;
                }
                Err(error) => return Err(error),
            }
            if progress.failures_in_a_row >= FAILURES_IN_A_ROW {
                break StopReason::Failures;
            }
            blocks += 1;
            progress.beside_others += u32::from(self.launches.is_beside_others());
            record.sync()?;
            let is_look = self.is_look(blocks);
            if is_look || blocks < FIRST_LOOKS {
                latest = interim(self.suite, &progress.launches);
            }
            (self.tell)(Event::Block {
                blocks,
                interim: &latest,
            });
            if let Some(reason) = self.reason_to_stop(blocks, shard, &latest, &progress) {
                break reason;
            }
            if is_look && shard.is_none() {
                roster = Roster::of(
                    self.suite,
                    &latest,
                    Outlook {
                        blocks,
                        elapsed: self.elapsed(&progress),
                    },
                );
            }
        };
        let elapsed_s = self.elapsed(&progress).as_secs_f64();
        let stop_reason = match self.counter {
            Some(counter) => self.count(counter, stop_reason, record)?,
            None => stop_reason,
        };
        let end = End {
            stop_reason,
            blocks,
            elapsed_s,
            heat_throttles: self.launches.heat_throttles(),
            blocks_beside_others: progress.beside_others,
        };
        record.write(Line::End(end.clone()))?;
        record.sync()?;
        Ok(end)
    }

    /// Since the first block began.
    fn elapsed(&self, progress: &Progress) -> Duration {
        self.launches.clock().saturating_sub(progress.begun)
    }

    fn reason_to_stop(
        &self,
        blocks: u32,
        shard: Option<Shard>,
        interim: &Interim,
        progress: &Progress,
    ) -> Option<StopReason> {
        let measure = &self.suite.measure;
        let most = shard.map_or(measure.max_blocks, |it| it.share_of(measure.max_blocks));
        if blocks >= most {
            return Some(StopReason::MaxBlocks);
        }
        if shard.is_none() && self.is_look(blocks) && interim.is_settled() {
            return Some(match measure.until {
                Goal::Precise => StopReason::Precision,
                Goal::Decided => StopReason::Decided,
            });
        }
        let elapsed = self.elapsed(progress);
        let next_fits = elapsed + elapsed / blocks <= measure.budget;
        (!next_fits).then_some(StopReason::Budget)
    }

    /// Are the intervals looked at after so many blocks, to see what is still needed? Not after each
    /// of many: an analysis of all blocks so far takes longer each time.
    fn is_look(&self, blocks: u32) -> bool {
        let measure = &self.suite.measure;
        let between_looks = match (measure.until, blocks) {
            // Each look at a fixed-sample interval is a chance to find it narrow by luck.
            (Goal::Precise, ..500) | (Goal::Decided, 100..500) => 5,
            (Goal::Decided, ..100) => 1,
            (_, 500..5000) => 25,
            (_, 5000..) => 100,
        };
        blocks >= measure.min_blocks && blocks.is_multiple_of(between_looks)
    }

    fn run_block(
        &mut self,
        block: &Block,
        roster: &Roster,
        progress: &mut Progress,
        record: &mut dyn Lines,
    ) -> Result<(), RunError> {
        let launched = block.launches.iter().filter(|(arm, _)| roster.has(*arm));
        for (position, &(arm, kind)) in (0..).zip(launched) {
            let launch = self.launch(block, position, arm, kind, progress)?;
            let failed = launch.failure.is_some();
            record.write(Line::Launch(Box::new(launch.to_line(self.suite))))?;
            progress.launches.push(launch);
            let elapsed = self.elapsed(progress);
            (self.tell)(Event::Launch {
                elapsed,
                budget: self.suite.measure.budget,
            });
            progress.failures_in_a_row = if failed {
                progress.failures_in_a_row + 1
            } else {
                0
            };
            if progress.failures_in_a_row >= FAILURES_IN_A_ROW {
                break;
            }
        }
        Ok(())
    }

    fn launch(
        &mut self,
        block: &Block,
        position: u32,
        arm: Arm,
        kind: LaunchKind,
        progress: &mut Progress,
    ) -> Result<Launch, RunError> {
        let at = self.elapsed(progress);
        let staged = self.launches.launch(arm, kind, block.conditions)?;
        let failure = staged.launched.outcome.err();
        if let Some(failure) = &failure
            && !progress.failed.contains(&arm.scenario)
        {
            progress.failed.push(arm.scenario);
            (self.tell)(Event::Failure {
                scenario: &self.suite.scenarios[arm.scenario].name,
                failure,
            });
        }
        Ok(Launch {
            block: block.index,
            position,
            arm,
            kind,
            at,
            times: staged.launched.times,
            usage: staged.launched.usage,
            surroundings: staged.surroundings,
            pycs_before: staged.pycs_before,
            pycs_after: staged.pycs_after,
            violations: staged.violations,
            failure: failure.map(|failure| failure.to_string()),
        })
    }
}

struct Progress {
    /// What the clock showed then.
    begun: Duration,
    launches: Vec<Launch>,
    failures_in_a_row: u32,
    /// Scenarios that have failed already.
    failed: Vec<usize>,
    /// Blocks at whose end another coldsnake was running.
    beside_others: u32,
}
