//! Blocks of launches: each scenario once as it is, and once with the hook, in random order.

use std::time::{Duration, Instant};

use super::HOOK;
use super::account::{Account, Ending, Horizon, account};
use super::parse::parse;
use crate::launch::{Interrupted, Launched, Launcher};
use crate::plan::shuffled;
use crate::stage::{Stage, StageError};
use crate::suite::{App, LaunchKind, Readiness};

/// How much is launched.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub blocks: u32,
    /// No block begins after this.
    pub budget: Duration,
    /// Of the launches' order.
    pub seed: u64,
}

/// The two launches of a scenario in a block.
#[derive(Debug, Clone)]
pub struct Pair {
    /// From spawn to readiness or exit.
    pub untraced: Duration,
    pub traced: Account,
}

/// A scenario's launches.
#[derive(Debug, Clone, Default)]
pub struct Traces {
    /// Block by block.
    pub pairs: Vec<Pair>,
}

/// Why there were no more blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// There are as many as asked for.
    AllBlocks,
    Budget,
    /// By the user.
    Interrupted,
}

/// What was launched.
#[derive(Debug, Clone)]
pub struct Blocks {
    pub ending: Ending,
    /// In the order of the stages, all of as many blocks.
    pub scenarios: Vec<Traces>,
    pub stopped: Stopped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tracing {
    Off,
    On,
}

/// Launches block after block. `tell` gets the number of those that are complete. A block that the
/// user interrupts is dropped.
///
/// # Errors
/// When a stage cannot be reset, a launch fails, what the hook wrote makes no sense, or the user
/// interrupts the first block.
pub fn measure(
    stages: &mut [Stage],
    app: &App,
    options: &Options,
    launcher: &mut dyn Launcher,
    tell: &mut dyn FnMut(u32),
) -> Result<Blocks, StageError> {
    for stage in &mut *stages {
        stage.add_trace_hook(&HOOK, launcher)?;
    }
    let arms: Vec<(usize, Tracing)> = (0..stages.len())
        .flat_map(|stage| [(stage, Tracing::Off), (stage, Tracing::On)])
        .collect();
    let ending = match app.ready {
        Readiness::Exit => Ending::Exit,
        Readiness::Http { .. }
        | Readiness::Tcp { .. }
        | Readiness::Stdout { .. }
        | Readiness::Notify => Ending::Ready,
    };
    let mut scenarios = vec![Traces::default(); stages.len()];
    let begun = Instant::now();
    let mut stopped = Stopped::AllBlocks;
    for block in 0..options.blocks {
        if block > 0 && begun.elapsed() >= options.budget {
            stopped = Stopped::Budget;
            break;
        }
        tell(block);
        let (conditions, order) = shuffled(options.seed, block, &arms);
        let mut untraced = vec![None; stages.len()];
        let mut traced = vec![None; stages.len()];
        let mut launch = |(place, tracing): (usize, Tracing)| -> Result<(), StageError> {
            let stage = &mut stages[place];
            match tracing {
                Tracing::Off => {
                    let staged = stage.launch(app, LaunchKind::App, conditions, launcher)?;
                    untraced[place] = Some(time_of(stage, &staged.launched, ending, tracing)?);
                }
                Tracing::On => {
                    let launch = stage.trace(app, conditions, launcher)?;
                    let launched = &launch.staged.launched;
                    let time = time_of(stage, launched, ending, tracing)?;
                    let horizon = Horizon {
                        spawned: launched.spawned,
                        until: launched.spawned + time,
                        ending,
                    };
                    traced[place] = Some(accounted(stage, &launch.lines, &horizon)?);
                }
            }
            Ok(())
        };
        match order.into_iter().try_for_each(&mut launch) {
            Ok(()) => {}
            Err(StageError::Interrupted(Interrupted)) if block > 0 => {
                stopped = Stopped::Interrupted;
                break;
            }
            Err(error) => return Err(error),
        }
        let both = untraced.into_iter().zip(traced);
        for (traces, launches) in scenarios.iter_mut().zip(both) {
            if let (Some(untraced), Some(traced)) = launches {
                traces.pairs.push(Pair { untraced, traced });
            }
        }
    }
    Ok(Blocks {
        ending,
        scenarios,
        stopped,
    })
}

/// From spawn to readiness or exit.
fn time_of(
    stage: &Stage,
    launched: &Launched,
    ending: Ending,
    tracing: Tracing,
) -> Result<Duration, StageError> {
    let scenario = || stage.scenario.name.clone();
    if let Err(failure) = launched.outcome.clone() {
        let scenario = scenario();
        return Err(match tracing {
            Tracing::Off => StageError::Launch { scenario, failure },
            Tracing::On => StageError::TracedLaunch { scenario, failure },
        });
    }
    let time = match ending {
        Ending::Exit => launched.times.exit,
        Ending::Ready => launched.times.ready,
    };
    time.ok_or_else(|| StageError::NotTraced {
        scenario: scenario(),
        reason: "its launch has no time".to_owned(),
    })
}

fn accounted(stage: &Stage, lines: &[u8], horizon: &Horizon) -> Result<Account, StageError> {
    let failed = |reason: String| StageError::NotTraced {
        scenario: stage.scenario.name.clone(),
        reason,
    };
    let log = parse(lines).map_err(|error| failed(error.to_string()))?;
    let whose = |file: &str| {
        let (group, file) = stage.whose(file.as_ref());
        (group, file.display().to_string())
    };
    account(&log, horizon, &whose).map_err(|error| failed(error.to_string()))
}
