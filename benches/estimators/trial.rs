//! One simulated run: the plan, the runner and the record are the real ones; the launches are not.

use std::cell::RefCell;
use std::path::Path;
use std::time::Duration;

use coldsnake::record::{Arm, Launch, Record, Role};
use coldsnake::runner::Run;
use coldsnake::runner::fake::{Fake, Feigned, header};
use coldsnake::suite::{Suite, SuiteFile};

use crate::noise::{Reading, Real, Source};

/// What sets the second scenario apart from the first.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    None,
    Percent(f64),
    Milliseconds(f64),
}

impl Effect {
    pub const ALL: [Self; 4] = [
        Self::None,
        Self::Percent(2.0),
        Self::Percent(5.0),
        Self::Milliseconds(20.0),
    ];

    /// What it adds to a launch that takes so long.
    pub fn added_to(self, ms: f64) -> f64 {
        match self {
            Self::None => 0.0,
            Self::Percent(percent) => ms * percent / 100.0,
            Self::Milliseconds(added) => added,
        }
    }
}

impl std::fmt::Display for Effect {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => formatter.write_str("none"),
            Self::Percent(percent) => write!(formatter, "+{percent} %"),
            Self::Milliseconds(ms) => write!(formatter, "+{ms} ms"),
        }
    }
}

/// When a simulated run ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    Blocks(u32),
    /// The runner's own rule, 2 %, or the greatest number of blocks that is simulated.
    Precise(u32),
    /// A guard against [`REGRESSION_BOUND`] is decided, or the greatest number of blocks is reached.
    Guarded(u32),
}

/// Of the simulated guard.
pub const REGRESSION_BOUND: &str = "5%";

/// A time with its effect. Milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Timed {
    pub ms: f64,
    /// How much of it is effect.
    pub added: f64,
}

/// What is known of one launch.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub wall: Timed,
    /// Of real launches.
    pub cpu: Option<Timed>,
    /// The machine around it, which no effect touches.
    pub real: Option<Real>,
}

/// One block: the baseline, its twin, the other scenario, and what was launched first.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub before: Sample,
    pub twin: Sample,
    pub after: Sample,
    pub first: Sample,
}

/// A simulated run.
pub struct Trial {
    pub record: Record,
    pub rows: Vec<Row>,
}

/// The text of a suite of those scenarios, the first being the baseline.
pub fn suite_text(measure: &str, scenarios: &[&str]) -> String {
    let mut text = format!(
        "[app]\nname = \"simulated\"\nsource = \"app\"\ncommand = [\"{{python}}\", \"x.py\"]\n\
         [measure]\nmetrics = [\"exit\"]\nbudget = \"24h\"\n{measure}\n"
    );
    for scenario in scenarios {
        text += &format!("[[scenario]]\nname = \"{scenario}\"\n");
    }
    text
}

pub fn suite_of(text: &str) -> Suite {
    let file = SuiteFile::from_text(Path::new("simulated.toml"), text);
    file.suite().expect("the simulated suite can be used")
}

/// A launch of that reading with that effect, and what is kept of it.
pub fn feign(reading: Reading, effect: Effect) -> (Feigned, Sample) {
    let timed = |ms: f64| {
        let added = effect.added_to(ms);
        Timed {
            ms: ms + added,
            added,
        }
    };
    let sample = Sample {
        wall: timed(reading.wall),
        cpu: reading.real.map(|real| timed(real.cpu)),
        real: reading.real,
    };
    let time = |timed: Timed| Duration::from_nanos((timed.ms * 1e6).round() as u64);
    let feigned = Feigned {
        wall: time(sample.wall),
        cpu: time(sample.cpu.unwrap_or(sample.wall)),
        outcome: Ok(()),
    };
    (feigned, sample)
}

impl Trial {
    /// Runs a suite of two scenarios whose launches take what the source says.
    pub fn run(source: &Source, effect: Effect, until: Until, seed: u64) -> Self {
        let measure = match until {
            Until::Blocks(blocks) => format!("min-blocks = {blocks}\nmax-blocks = {blocks}"),
            Until::Precise(most) => format!("precision = \"2%\"\nmax-blocks = {most}"),
            Until::Guarded(most) => format!("until = \"decided\"\nmax-blocks = {most}"),
        };
        let mut text = suite_text(&measure, &["before", "after"]);
        if let Until::Guarded(_) = until {
            text += &format!(
                "[[claim]]\nid = \"guard\"\ntext = \"no regression\"\n\
                 contrast = {{ from = \"before\", to = \"after\", metric = \"exit\" }}\n\
                 expect = {{ max-regression = \"{REGRESSION_BOUND}\" }}\n"
            );
        }
        let suite = suite_of(&text);
        let mut next = source.stream(seed);
        let samples = RefCell::new(Vec::new());
        let mut launches = Fake::new(|arm: Arm, _| {
            let effect = if arm.scenario == 1 {
                effect
            } else {
                Effect::None
            };
            let (feigned, sample) = feign(next(), effect);
            samples.borrow_mut().push(sample);
            Ok(feigned)
        });
        let mut lines = Vec::new();
        let mut run = Run {
            suite: &suite,
            launches: &mut launches,
            counter: None,
            tell: &mut |_| {},
        };
        run.measure(&mut lines, header(&text, seed), Vec::new())
            .expect("a fake fails at nothing");
        let record = Record::from_lines(lines).expect("the record's lines are whole");
        let rows = rows(&record.launches, &samples.into_inner());
        Self { record, rows }
    }
}

/// Block by block: the record's launches, with what only the simulation knows of each.
fn rows(launches: &[Launch], samples: &[Sample]) -> Vec<Row> {
    assert_eq!(launches.len(), samples.len());
    let blocks = launches.chunk_by(|a, b| a.block == b.block);
    let mut samples = samples.iter().copied();
    blocks
        .map(|block| {
            let of_block: Vec<Sample> = samples.by_ref().take(block.len()).collect();
            let of = |scenario, role| {
                let place = block
                    .iter()
                    .position(|launch| launch.arm == Arm { scenario, role });
                of_block[place.expect("a block holds every arm")]
            };
            Row {
                before: of(0, Role::Itself),
                twin: of(0, Role::Twin),
                after: of(1, Role::Itself),
                first: of_block[0],
            }
        })
        .collect()
}
