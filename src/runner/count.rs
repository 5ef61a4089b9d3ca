//! After the timed launches: a few more for counting instructions. Nothing of them is timed.

use super::{Event, Run, RunError};
use crate::launch::{InstructionCounter, Interrupted};
use crate::record::format::{Line, StopReason};
use crate::record::{Count, RecordWriter};
use crate::stage::StageError;

/// Each scenario is counted so often: two that agree could be chance, and more tell little.
const ROUNDS: u32 = 3;

impl Run<'_> {
    /// Counts under each scenario, and gives the reason for the run's end, which is another one if
    /// the user interrupts. Scenario after scenario within a round, so that the rounds of one lie as
    /// far apart as they can.
    pub(super) fn count(
        &mut self,
        counter: &InstructionCounter,
        timed: StopReason,
        record: &mut RecordWriter,
    ) -> Result<StopReason, RunError> {
        match timed {
            StopReason::Precision | StopReason::Budget | StopReason::MaxBlocks => {}
            StopReason::Interrupted | StopReason::Failures => return Ok(timed),
        }
        let kinds = self.suite.launch_kinds();
        let all = ROUNDS as usize * self.stages.len() * kinds.len();
        let mut done = 0;
        // Under valgrind a launch that fails may take minutes to do so; it will not do better.
        let mut failed = Vec::new();
        for round in 0..ROUNDS {
            for (scenario, stage) in self.stages.iter_mut().enumerate() {
                for &kind in &kinds {
                    done += 1;
                    if failed.contains(&(scenario, kind)) {
                        continue;
                    }
                    (self.tell)(Event::Count { done, all });
                    let outcome = match stage.count(&self.suite.app, kind, counter, self.launcher) {
                        Ok(outcome) => outcome,
                        Err(StageError::Interrupted(Interrupted)) => {
                            return Ok(StopReason::Interrupted);
                        }
                        Err(error) => return Err(error.into()),
                    };
                    if outcome.is_err() {
                        failed.push((scenario, kind));
                    }
                    let count = Count {
                        scenario,
                        kind,
                        round,
                        source: counter.source(),
                        outcome,
                    };
                    record.write(&Line::Count(count.to_line(self.suite)))?;
                }
            }
        }
        record.sync()?;
        Ok(timed)
    }
}
