//! What the runner launches, and the clock that it goes by.

use std::time::{Duration, Instant};

use crate::launch::{InstructionCounter, Launcher};
use crate::record::host::Machine;
use crate::record::{Arm, Instructions};
use crate::stage::{Conditions, Stage, StageError, Staged};
use crate::suite::{App, LaunchKind};

/// Carries out the launches of a plan, one at a time. [`OnStages`] is the real one; a
/// [`Fake`](super::fake::Fake) needs no process and no time.
pub trait Launches {
    /// Launches an arm once, under the conditions of its block.
    ///
    /// # Errors
    /// When its stage cannot be reset, or the user interrupts. A failed launch is no error.
    fn launch(
        &mut self,
        arm: Arm,
        kind: LaunchKind,
        conditions: Conditions,
    ) -> Result<Staged, StageError>;

    /// Launches a scenario once, untimed, and counts its instructions. Why there is no count is no
    /// error.
    ///
    /// # Errors
    /// When its stage cannot be reset, or the user interrupts.
    fn count(
        &mut self,
        scenario: usize,
        kind: LaunchKind,
        counter: &InstructionCounter,
    ) -> Result<Result<Instructions, String>, StageError>;

    /// The time that has passed since some fixed moment.
    fn clock(&self) -> Duration;

    /// Is another coldsnake running?
    fn is_beside_others(&self) -> bool;

    /// How often cores were slowed down for their heat, where the machine tells.
    fn heat_throttles(&self) -> Option<u64>;
}

/// Launches processes in the stages of a suite's scenarios.
pub struct OnStages<'a> {
    app: &'a App,
    /// In the order of the suite's scenarios.
    stages: &'a mut [Stage],
    launcher: &'a mut dyn Launcher,
    machine: Machine,
    made: Instant,
}

impl<'a> OnStages<'a> {
    /// Launches of an app in stages that stand in the order of the suite's scenarios.
    pub fn new(app: &'a App, stages: &'a mut [Stage], launcher: &'a mut dyn Launcher) -> Self {
        Self {
            app,
            stages,
            launcher,
            machine: Machine::this(),
            made: Instant::now(),
        }
    }
}

impl Launches for OnStages<'_> {
    fn launch(
        &mut self,
        arm: Arm,
        kind: LaunchKind,
        conditions: Conditions,
    ) -> Result<Staged, StageError> {
        // The stages are the plan's own scenarios, and arms are indices into them.
        self.stages[arm.scenario].launch(self.app, kind, conditions, self.launcher)
    }

    fn count(
        &mut self,
        scenario: usize,
        kind: LaunchKind,
        counter: &InstructionCounter,
    ) -> Result<Result<Instructions, String>, StageError> {
        self.stages[scenario].count(self.app, kind, counter, self.launcher)
    }

    fn clock(&self) -> Duration {
        self.made.elapsed()
    }

    fn is_beside_others(&self) -> bool {
        !self.machine.other_runs().is_empty()
    }

    fn heat_throttles(&self) -> Option<u64> {
        self.machine.heat_throttles()
    }
}
