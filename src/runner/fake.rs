//! Launches without processes, in a time that only they move: for tests of the runner, and for
//! simulations of a whole run.

use std::time::Duration;

use super::Launches;
use crate::launch::{Failure, InstructionCounter, Launched};
use crate::record::format::{
    Environment, FORMAT_VERSION, Header, Host, Interpreter, Isolation, SuiteText,
};
use crate::record::{Arm, Instructions, Surroundings, Times, Usage};
use crate::stage::{Conditions, StageError, Staged};
use crate::suite::LaunchKind;

/// What one launch is to be like.
#[derive(Debug, Clone, PartialEq)]
pub struct Feigned {
    /// The time from its spawn to its end, which is each of its metrics as well.
    pub wall: Duration,
    /// CPU time, all of it the user's.
    pub cpu: Duration,
    /// Whether it goes as expected.
    pub outcome: Result<(), Failure>,
}

impl Feigned {
    /// A launch that goes well, and keeps one CPU busy all the time.
    pub fn busy(wall: Duration) -> Self {
        Self {
            wall,
            cpu: wall,
            outcome: Ok(()),
        }
    }
}

/// Launches as a function says that they are. The clock stands still but for them.
#[derive(Debug)]
pub struct Fake<F> {
    next: F,
    now: Duration,
}

impl<F> Fake<F>
where
    F: FnMut(Arm, LaunchKind) -> Result<Feigned, StageError>,
{
    /// Asks the function at each launch.
    pub fn new(next: F) -> Self {
        Self {
            next,
            now: Duration::ZERO,
        }
    }
}

impl<F> Launches for Fake<F>
where
    F: FnMut(Arm, LaunchKind) -> Result<Feigned, StageError>,
{
    fn launch(&mut self, arm: Arm, kind: LaunchKind, _: Conditions) -> Result<Staged, StageError> {
        let Feigned { wall, cpu, outcome } = (self.next)(arm, kind)?;
        self.now += wall;
        let of = |wanted| (kind == wanted && outcome.is_ok()).then_some(wall);
        Ok(Staged {
            launched: Launched {
                spawned: self.now - wall,
                times: Times {
                    ready: of(LaunchKind::App),
                    accept: None,
                    import: of(LaunchKind::Import),
                    exit: of(LaunchKind::App),
                    wall,
                },
                usage: Usage {
                    user: cpu,
                    ..Usage::default()
                },
                report: Vec::new(),
                service: None,
                precedent: None,
                outcome,
            },
            surroundings: Surroundings::default(),
            pycs_before: 0,
            pycs_after: 0,
            violations: Vec::new(),
        })
    }

    fn count(
        &mut self,
        _: usize,
        _: LaunchKind,
        _: &InstructionCounter,
    ) -> Result<Result<Instructions, String>, StageError> {
        Ok(Err("nothing is executed".to_owned()))
    }

    fn clock(&self) -> Duration {
        self.now
    }

    fn is_beside_others(&self) -> bool {
        false
    }

    fn heat_throttles(&self) -> Option<u64> {
        None
    }
}

/// The header of a run of that suite on no machine.
pub fn header(suite: &str, seed: u64) -> Header {
    let none = || "none".to_owned();
    Header {
        format_version: FORMAT_VERSION,
        coldsnake: env!("CARGO_PKG_VERSION").to_owned(),
        started: "1970-01-01T00:00:00Z".to_owned(),
        command_line: Vec::new(),
        seed,
        suite: SuiteText {
            origin: none(),
            text: suite.to_owned(),
            sha256: String::new(),
        },
        host: Host {
            kernel: none(),
            cpu_model: none(),
            cpus: 1,
            memory_mib: 0,
            virtualization: none(),
            ..Host::default()
        },
        affinity: None,
        counters: None,
        revisions: Vec::new(),
        working_tree: None,
        shard: None,
        shards: Vec::new(),
        interpreters: vec![Interpreter {
            executable: none(),
            version: none(),
            implementation: none(),
            cache_tag: none(),
            magic: 0,
        }],
        environment: Environment {
            passed: Vec::new(),
            removed: Vec::new(),
        },
        isolation: Isolation {
            backing: none(),
            identity: none(),
            uid: 0,
            read_only_by: none(),
            notes: Vec::new(),
        },
        app_lines: 0,
    }
}
