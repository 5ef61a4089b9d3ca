//! "Stop when decided", with a look after every block: how often it is wrong, and how soon it is
//! done.

use coldsnake::stats::interval::Level;
use coldsnake::stats::sequence::{ConfidenceSequence, PILOT};

use crate::estimators::Scale;
use crate::noise::Source;
use crate::tally::{Mean, Share, binomial_error, heading, line, on_all_cpus, shown};
use crate::trial::{Effect, Row, Trial, Until};

/// A run that has decided nothing by then is given up.
const MOST_BLOCKS: u32 = 120;

/// What became of one run.
struct Outcome {
    /// Was the effect that was really added ever excluded, up to the last block?
    /// `None` where there is no one effect on that scale.
    ever_excluded: Option<bool>,
    /// The block after which zero was excluded, and whether the interval held the effect then.
    decided: Option<(usize, Option<bool>)>,
}

/// The scenario against the baseline in one block.
fn difference(row: &Row, scale: Scale) -> f64 {
    match scale {
        Scale::Milliseconds => row.after.wall.ms - row.before.wall.ms,
        Scale::Logarithms => (row.after.wall.ms / row.before.wall.ms).ln(),
    }
}

fn outcome(rows: &[Row], scale: Scale) -> Outcome {
    let differences: Vec<f64> = rows.iter().map(|row| difference(row, scale)).collect();
    let added: Vec<f64> = rows.iter().map(|row| scale.added(row.after.wall)).collect();
    let truth = scale.truth(&added);
    let (pilot, rest) = differences.split_at(PILOT);
    let mut sequence = ConfidenceSequence::from_pilot(pilot, Level::P95)
        .expect("simulated differences are not all equal");
    let mut outcome = Outcome {
        ever_excluded: truth.map(|_| false),
        decided: None,
    };
    for (number, difference) in (PILOT + 1..).zip(rest) {
        sequence.update(*difference);
        let excluded = truth.map(|truth| sequence.rejects(truth));
        if excluded == Some(true) {
            outcome.ever_excluded = excluded;
        }
        if outcome.decided.is_none() && sequence.rejects(0.0) {
            outcome.decided = Some((number, excluded.map(|excluded| !excluded)));
        }
    }
    outcome
}

#[derive(Default)]
struct Tally {
    ever_excluded: Share,
    decided: Share,
    holds_then: Share,
    blocks: Mean,
}

fn tally(outcomes: impl Iterator<Item = Outcome>) -> Tally {
    let mut tally = Tally::default();
    for outcome in outcomes {
        if let Some(excluded) = outcome.ever_excluded {
            tally.ever_excluded.count(excluded);
        }
        tally.decided.count(outcome.decided.is_some());
        if let Some((blocks, holds)) = outcome.decided {
            if let Some(holds) = holds {
                tally.holds_then.count(holds);
            }
            tally.blocks.take(blocks as f64);
        }
    }
    tally
}

/// Prints the tables.
pub fn print(sources: &[Source], trials: u32) {
    println!("### Stop when decided\n");
    println!(
        "{trials} runs for each noise and effect, with a look after every block from {} to \
         {MOST_BLOCKS}. False alarms: zero was excluded at any look, and nothing was added. \
         Coverage: the interval held the added effect at *every* look. A share of 5 % or 95 % is \
         uncertain by {:.1} points (two standard deviations).\n",
        PILOT + 1,
        binomial_error(5.0, trials)
    );
    let [differences, logarithms]: [Vec<Vec<String>>; 2] = {
        let mut tables = [Vec::new(), Vec::new()];
        for source in sources {
            let of_effects = Effect::ALL.map(|effect| {
                let outcomes = on_all_cpus(trials, |number| {
                    let seed = u64::from(number) + 2_000_000;
                    let trial = Trial::run(source, effect, Until::Blocks(MOST_BLOCKS), seed);
                    [Scale::Milliseconds, Scale::Logarithms]
                        .map(|scale| outcome(&trial.rows, scale))
                });
                let (differences, logarithms): (Vec<_>, Vec<_>) =
                    outcomes.into_iter().map(|[a, b]| (a, b)).unzip();
                [differences, logarithms].map(|outcomes| tally(outcomes.into_iter()))
            });
            eprintln!("decided: {} is done", source.name());
            for (place, table) in tables.iter_mut().enumerate() {
                table.push(row(source, &of_effects.each_ref().map(|both| &both[place])));
            }
        }
        tables
    };
    let effects = &Effect::ALL[1..];
    let coverage = effects.iter().map(|effect| format!("coverage {effect}"));
    let decided = effects.iter().map(|effect| format!("decided {effect}"));
    let names: Vec<String> = ["noise".to_owned(), "false alarms".to_owned()]
        .into_iter()
        .chain(coverage)
        .chain(["coverage when decided".to_owned()])
        .chain(decided)
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (what, rows) in [("differences", differences), ("logarithms", logarithms)] {
        println!(
            "On {what}; the last columns say how many runs were decided by block {MOST_BLOCKS}, and \
             after how many blocks on average.\n"
        );
        println!("{}", heading(&names));
        for row in rows {
            println!("{}", line(&row));
        }
        println!();
    }
}

fn row(source: &Source, effects: &[&Tally; Effect::ALL.len()]) -> Vec<String> {
    let [none, added @ ..] = effects;
    let mut cells = vec![
        source.name().to_owned(),
        shown(none.ever_excluded.percent(), 1),
    ];
    for effect in added {
        let excluded = effect.ever_excluded.percent();
        cells.push(shown(excluded.map(|percent| 100.0 - percent), 1));
    }
    let mut holds_then = Share::default();
    for effect in added {
        holds_then += effect.holds_then;
    }
    cells.push(shown(holds_then.percent(), 1));
    for effect in added {
        cells.push(format!(
            "{} %, {}",
            shown(effect.decided.percent(), 0),
            shown(effect.blocks.value(), 0)
        ));
    }
    cells
}
