//! Arms that sit out: a scenario whose contrast is known well enough is not launched in later
//! blocks, while baseline and twin run in each. Does each contrast, on the blocks in which both its
//! arms ran, still cover as often as it says, and how much time does it save?

use std::time::Duration;

use coldsnake::analysis::interim;
use coldsnake::plan::Plan;
use coldsnake::record::{Arm, Launch, Role, Surroundings, Times, Usage};
use coldsnake::stats::interval::{Estimate, Level};
use coldsnake::stats::{hodges_lehmann, multiple};
use coldsnake::suite::LaunchKind;

use crate::noise::Source;
use crate::stats_noise::Noise;
use crate::tally::{Mean, Share, binomial_error, heading, line, on_all_cpus, shown};
use crate::trial::{Effect, feign, suite_of, suite_text};

const MOST_BLOCKS: u32 = 120;
const FEWEST_BLOCKS: u32 = 20;
const BLOCKS_PER_LOOK: u32 = 5;
const PRECISION: f64 = 0.02;
/// Of an effect's logarithm: a half-width of this share of it is narrow enough, where that is asked.
const SHARE_OF_EFFECT: f64 = 0.1;

/// The baseline, and what the others add to it: a first start that costs five, a change of 2 %,
/// and nothing.
const SCENARIOS: [(&str, Effect); 4] = [
    ("warm", Effect::None),
    ("first", Effect::Percent(400.0)),
    ("changed", Effect::Percent(2.0)),
    ("same", Effect::None),
];
/// First starts have a noise of their own on top of the machine's.
const FIRST: usize = 1;
const NOISE_OF_FIRST: f64 = 0.05;

/// When is a contrast known well enough?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    /// Half-width at most 2 %.
    Precision,
    /// The same, or at most a tenth of the effect.
    PrecisionOrShare,
}

/// What happens to a scenario then?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// It goes on until all are known.
    Stays,
    /// It sits out from that look on, but not before so many blocks.
    SitsOut { from: u32 },
}

const RULES: [(Target, Then); 5] = [
    (Target::Precision, Then::Stays),
    (Target::Precision, Then::SitsOut { from: 20 }),
    (Target::PrecisionOrShare, Then::Stays),
    (Target::PrecisionOrShare, Then::SitsOut { from: 20 }),
    (Target::PrecisionOrShare, Then::SitsOut { from: 10 }),
];

fn name(rule: (Target, Then)) -> String {
    let target = match rule.0 {
        Target::Precision => "± 2 %",
        Target::PrecisionOrShare => "± 2 % or a tenth of the effect",
    };
    let then = match rule.1 {
        Then::Stays => "all stay".to_owned(),
        Then::SitsOut { from } => format!("sit out from block {from}"),
    };
    format!("{target}, {then}")
}

/// What became of one run.
struct Outcome {
    /// Of each scenario's 95 % interval, and in the baseline's place the twin's.
    covers: [bool; SCENARIOS.len()],
    /// All three contrasts at their simultaneous level.
    together: bool,
    blocks: u32,
    blocks_of_first: u32,
    seconds: f64,
}

fn trial(source: &Source, (target, then): (Target, Then), seed: u64) -> Outcome {
    let suite = suite_of(&suite_text("", &SCENARIOS.map(|(name, _)| name)));
    let plan = Plan::new(&suite, seed);
    let mut next = source.stream(seed);
    let mut of_first = Noise::seeded(seed + (1 << 41));
    let mut launches: Vec<Launch> = Vec::new();
    let mut at = Duration::ZERO;
    let mut sits_out = [false; SCENARIOS.len()];
    let mut blocks = 0;
    while blocks < MOST_BLOCKS {
        let planned = plan.block(blocks).launches;
        for (arm, kind) in planned
            .into_iter()
            .filter(|(arm, _)| !sits_out[arm.scenario])
        {
            let mut reading = next();
            if arm.scenario == FIRST {
                reading.wall *= (NOISE_OF_FIRST * of_first.normal()).exp();
            }
            let (feigned, _) = feign(reading, SCENARIOS[arm.scenario].1);
            launches.push(launch(blocks, arm, kind, at, feigned.wall));
            at += feigned.wall;
        }
        blocks += 1;
        if !blocks.is_multiple_of(BLOCKS_PER_LOOK) {
            continue;
        }
        // The analysis pairs what there is in each block: an arm that sat out has no pair there.
        let widths = interim(&suite, &launches).widths;
        let mut are_known = true;
        for (scenario, width) in (1..).zip(&widths) {
            let effect = estimate(&launches, (scenario, Role::Itself), Level::P95).estimate;
            let enough = match target {
                Target::Precision => PRECISION,
                Target::PrecisionOrShare => PRECISION.max(effect.ln().abs() * SHARE_OF_EFFECT),
            };
            let is_known = width.half_width.is_some_and(|half| half <= enough);
            are_known &= is_known || sits_out[scenario];
            if let Then::SitsOut { from } = then {
                sits_out[scenario] |= is_known && blocks >= from;
            }
        }
        if are_known && blocks >= FEWEST_BLOCKS {
            break;
        }
    }
    let covers = |scenario: usize, role, level| {
        let (_, effect) = SCENARIOS[scenario];
        let truth = 1.0 + effect.added_to(1.0);
        let interval = estimate(&launches, (scenario, role), level).interval;
        interval.is_some_and(|interval| interval.contains(truth))
    };
    let itself = |scenario| covers(scenario, Role::Itself, Level::P95);
    let level = multiple::bonferroni(Level::P95, SCENARIOS.len() - 1);
    Outcome {
        covers: [
            covers(0, Role::Twin, Level::P95),
            itself(1),
            itself(2),
            itself(3),
        ],
        together: (1..SCENARIOS.len()).all(|scenario| covers(scenario, Role::Itself, level)),
        blocks,
        blocks_of_first: launches.iter().filter(|l| l.arm.scenario == FIRST).count() as u32,
        seconds: at.as_secs_f64(),
    }
}

fn launch(block: u32, arm: Arm, kind: LaunchKind, at: Duration, wall: Duration) -> Launch {
    Launch {
        block,
        position: 0,
        arm,
        kind,
        at,
        times: Times {
            exit: Some(wall),
            wall,
            ..Times::default()
        },
        usage: Usage::default(),
        surroundings: Surroundings::default(),
        pycs_before: 0,
        pycs_after: 0,
        violations: Vec::new(),
        failure: None,
    }
}

/// The ratio of an arm to the baseline, over the blocks in which it ran.
fn estimate(launches: &[Launch], (scenario, role): (usize, Role), level: Level) -> Estimate {
    let time = |block: &[Launch], wanted| {
        let of_arm = block.iter().find(|launch| launch.arm == wanted)?;
        Some(of_arm.times.wall.as_secs_f64())
    };
    let baseline = Arm {
        scenario: 0,
        role: Role::Itself,
    };
    let pairs: Vec<(f64, f64)> = launches
        .chunk_by(|a, b| a.block == b.block)
        .filter_map(|block| Some((time(block, baseline)?, time(block, Arm { scenario, role })?)))
        .collect();
    hodges_lehmann::ratio(&pairs, level).expect("simulated times are positive")
}

/// Prints the table.
pub fn print(sources: &[Source], trials: u32) {
    println!("### Arms that sit out\n");
    println!(
        "{trials} runs for each noise and rule, at most {MOST_BLOCKS} blocks. Coverage of the ratios' \
         95 % intervals, and of the three simultaneous ones together, in percent: over all noises \
         (and for the worst). A share of 95 % is uncertain by {:.1} points (two standard \
         deviations) for one noise.\n",
        binomial_error(95.0, trials)
    );
    println!(
        "{}",
        heading(&[
            "rule",
            "twin",
            "first +400 %",
            "changed +2 %",
            "same",
            "all three together",
            "blocks",
            "blocks of first",
            "time, s",
        ])
    );
    for rule in RULES {
        let mut shares = [Share::default(); SCENARIOS.len() + 1];
        let mut worst = [(f64::INFINITY, ""); SCENARIOS.len() + 1];
        let (mut blocks, mut blocks_of_first, mut seconds) =
            (Mean::default(), Mean::default(), Mean::default());
        for source in sources {
            let mut of_source = [Share::default(); SCENARIOS.len() + 1];
            let outcomes = on_all_cpus(trials, |number| {
                trial(source, rule, u64::from(number) + 3_000_000)
            });
            for outcome in outcomes {
                let seen = outcome.covers.into_iter().chain([outcome.together]);
                for (share, covers) in of_source.iter_mut().zip(seen) {
                    share.count(covers);
                }
                blocks.take(f64::from(outcome.blocks));
                blocks_of_first.take(f64::from(outcome.blocks_of_first));
                seconds.take(outcome.seconds);
            }
            for (place, share) in of_source.into_iter().enumerate() {
                shares[place] += share;
                let percent = share.percent().unwrap_or(f64::INFINITY);
                if percent < worst[place].0 {
                    worst[place] = (percent, source.name());
                }
            }
        }
        eprintln!("sitting out: {} is done", name(rule));
        let coverage = shares.iter().zip(worst).map(|(share, (least, source))| {
            format!("{} ({least:.1} {source})", shown(share.percent(), 1))
        });
        let sizes = [
            shown(blocks.value(), 0),
            shown(blocks_of_first.value(), 0),
            shown(seconds.value(), 1),
        ];
        let cells: Vec<String> = [name(rule)]
            .into_iter()
            .chain(coverage)
            .chain(sizes)
            .collect();
        println!("{}", line(&cells));
    }
}
