//! Launches that are counted and not timed.
//!
//! They are those of the scenario, with everything that varies from block to block held fixed:
//! hash seed (but under `-I` and `-E`, where it is not read), environment and addresses.

use super::StageError;
use super::command::UNTIMED;
use super::scene::{Stage, take_import_time};
use crate::launch::{FixedLayout, InstructionCounter, Launched, Launcher, Valgrind};
use crate::record::Instructions;
use crate::suite::{App, LaunchKind};

impl Stage {
    /// Resets the stage, launches once, and gives the instructions that were executed, or a sentence
    /// on why they are not known. Which files lie in memory is left as it is: it changes how long the
    /// kernel takes, and not what the app executes.
    ///
    /// # Errors
    /// When the stage cannot be reset, or the user interrupts.
    pub fn count(
        &mut self,
        app: &App,
        kind: LaunchKind,
        counter: &InstructionCounter,
        launcher: &mut dyn Launcher,
    ) -> Result<Result<Instructions, String>, StageError> {
        let _inside = self.enter()?;
        self.reset()?;
        let pycs_before = self.pycs();
        // Looked for as closely as in a timed launch: what a server does once it is ready is counted, too.
        let spec = self.spec(app, kind, UNTIMED)?;
        let spec = match counter {
            InstructionCounter::Perf => spec,
            InstructionCounter::Valgrind(valgrind) => {
                Valgrind::clear(&self.tmp);
                valgrind.around(spec, &self.tmp)
            }
        };
        let fixed = FixedLayout::set();
        let launched = take_import_time(kind, launcher.launch(&spec)?);
        drop(fixed);
        let counted = match counter {
            InstructionCounter::Perf => by_perf(&launched),
            InstructionCounter::Valgrind(_) => Valgrind::read(&self.tmp),
        };
        Valgrind::clear(&self.tmp);
        let violations = self.violations(kind, pycs_before, self.pycs_now());
        Ok(match launched.outcome {
            Err(failure) => Err(failure.to_string()),
            Ok(()) if !violations.is_empty() => Err(violations.join("; ")),
            Ok(()) => counted,
        })
    }
}

fn by_perf(launched: &Launched) -> Result<Instructions, String> {
    let counted = launched.usage.counted;
    let count = counted.instructions.ok_or(
        "the kernel counted no instructions: it does not do so for a program that runs with \
         another user's rights, or that may not be read",
    )?;
    Ok(Instructions {
        count,
        forked: 0,
        running: counted.running,
    })
}
