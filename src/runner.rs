//! Plan × stage × launch → record: block after block, until the intervals are narrow enough or
//! the time is used up.

mod count;

use std::path::Path;
use std::time::{Duration, Instant};

use thiserror::Error;

use crate::analysis::{Interim, interim};
use crate::launch::{Failure, InstructionCounter, Interrupted, Launcher};
use crate::plan::{Block, Plan};
use crate::record::format::{End, Header, Line, ReceiptLine, StopReason};
use crate::record::{Arm, Launch, RecordWriter, WriteError};
use crate::stage::{Stage, StageError, Workshop};
use crate::suite::{LaunchKind, Suite};

/// Between two looks at the intervals.
const BLOCKS_PER_LOOK: u32 = 5;
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
    pub stages: &'a mut [Stage],
    pub launcher: &'a mut dyn Launcher,
    /// What counts instructions once the timed launches are done.
    pub counter: Option<&'a InstructionCounter>,
    pub tell: &'a mut dyn FnMut(Event<'_>),
}

impl Run<'_> {
    /// Measures block after block and writes each launch to the record as it ends.
    ///
    /// # Errors
    /// When the record cannot be written, or a stage cannot be reset. What was written before
    /// stays. An interruption is no error but a reason to stop.
    pub fn measure(
        &mut self,
        path: &Path,
        header: Header,
        receipts: Vec<ReceiptLine>,
    ) -> Result<End, RunError> {
        let plan = Plan::new(self.suite, header.seed);
        let mut record = RecordWriter::create(path)?;
        record.write(&Line::Run(Box::new(header)))?;
        for receipt in receipts {
            record.write(&Line::Receipt(Box::new(receipt)))?;
        }
        record.sync()?;
        let mut progress = Progress {
            begun: Instant::now(),
            launches: Vec::new(),
            failures_in_a_row: 0,
            failed: Vec::new(),
        };
        let mut blocks = 0;
        let mut latest = interim(self.suite, &[]);
        let stop_reason = loop {
            match self.run_block(&plan.block(blocks), &mut progress, &mut record) {
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
            record.sync()?;
            // Not after each block: an analysis of all blocks so far takes longer each time.
            if blocks < BLOCKS_PER_LOOK || blocks.is_multiple_of(BLOCKS_PER_LOOK) {
                latest = interim(self.suite, &progress.launches);
            }
            (self.tell)(Event::Block {
                blocks,
                interim: &latest,
            });
            if let Some(reason) = self.reason_to_stop(blocks, &latest, &progress) {
                break reason;
            }
        };
        let elapsed_s = progress.begun.elapsed().as_secs_f64();
        let stop_reason = match self.counter {
            Some(counter) => self.count(counter, stop_reason, &mut record)?,
            None => stop_reason,
        };
        let end = End {
            stop_reason,
            blocks,
            elapsed_s,
        };
        record.write(&Line::End(end.clone()))?;
        record.sync()?;
        Ok(end)
    }

    fn reason_to_stop(
        &self,
        blocks: u32,
        interim: &Interim,
        progress: &Progress,
    ) -> Option<StopReason> {
        let measure = &self.suite.measure;
        if blocks >= measure.max_blocks {
            return Some(StopReason::MaxBlocks);
        }
        // Width, never significance: a run that stops when a difference "shows" finds
        // differences that are not there.
        let look = blocks.is_multiple_of(BLOCKS_PER_LOOK);
        if look && blocks >= measure.min_blocks && interim.is_within(measure.precision.get()) {
            return Some(StopReason::Precision);
        }
        let elapsed = progress.begun.elapsed();
        let next_fits = elapsed + elapsed / blocks <= measure.budget;
        (!next_fits).then_some(StopReason::Budget)
    }

    fn run_block(
        &mut self,
        block: &Block,
        progress: &mut Progress,
        record: &mut RecordWriter,
    ) -> Result<(), RunError> {
        for (position, &(arm, kind)) in (0..).zip(&block.launches) {
            let launch = self.launch(block, position, arm, kind, progress)?;
            let failed = launch.failure.is_some();
            record.write(&Line::Launch(Box::new(launch.to_line(self.suite))))?;
            progress.launches.push(launch);
            (self.tell)(Event::Launch {
                elapsed: progress.begun.elapsed(),
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
        let stage = &mut self.stages[arm.scenario];
        let at = progress.begun.elapsed();
        let staged = stage.launch(&self.suite.app, kind, block.conditions, self.launcher)?;
        let failure = staged.launched.outcome.err();
        if let Some(failure) = &failure
            && !progress.failed.contains(&arm.scenario)
        {
            progress.failed.push(arm.scenario);
            (self.tell)(Event::Failure {
                scenario: &stage.scenario.name,
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
    begun: Instant,
    launches: Vec<Launch>,
    failures_in_a_row: u32,
    /// Scenarios that have failed already.
    failed: Vec<usize>,
}
