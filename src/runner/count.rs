//! After the timed launches: a few more for counting instructions. Nothing of them is timed.

use super::{Event, Run, RunError};
use crate::launch::{InstructionCounter, Interrupted};
use crate::record::format::{Line, StopReason};
use crate::record::{Count, Lines};
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
        record: &mut dyn Lines,
    ) -> Result<StopReason, RunError> {
        match timed {
            StopReason::Precision
            | StopReason::Decided
            | StopReason::Budget
            | StopReason::MaxBlocks => {}
            StopReason::Interrupted | StopReason::Failures => return Ok(timed),
        }
        let kinds = self.suite.launch_kinds();
        let scenarios = self.suite.scenarios.len();
        let all = ROUNDS as usize * scenarios * kinds.len();
        let mut done = 0;
        // Under valgrind a launch that fails may take minutes to do so; it will not do better.
        let mut failed = Vec::new();
        for round in 0..ROUNDS {
            for scenario in 0..scenarios {
                for &kind in &kinds {
                    done += 1;
                    if failed.contains(&(scenario, kind)) {
                        continue;
                    }
                    (self.tell)(Event::Count { done, all });
                    let outcome = match self.launches.count(scenario, kind, counter) {
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
                    record.write(Line::Count(count.to_line(self.suite)))?;
                }
            }
        }
        record.sync()?;
        Ok(timed)
    }
}
